//! The records that begin a new cluster of one node, and those by which a broker registers.
//!
//! Pure: ids and epochs are given. The records are those a Kafka 4.3 controller writes, so that its tools read them and
//! the log can be taken to it.
//!
//! A feature level is a promise to clients (`transaction.version` 2, for one, changes what producers send), so a new
//! cluster is given the levels this broker keeps and no others. A level is raised when what it promises is there.

use uuid::Uuid;

use super::image::Broker;
use crate::types::Offset;
use crate::wire::Text;
use crate::wire::control_records::{ControlRecord, LeaderChangeMessage, Voter};
use crate::wire::metadata_records::{
    BeginTransactionRecord, BrokerEndpoint, BrokerFeature, BrokerRegistrationChangeRecord,
    EndTransactionRecord, FeatureLevelRecord, MetadataRecord, RegisterBrokerRecord,
};

/// `metadata.version` of Kafka 4.3 (4.3-IV0): which versions of the records are written.
pub const METADATA_VERSION: i16 = 30;

/// Lowest `metadata.version` whose records this broker reads: the first of KRaft's own.
pub const METADATA_VERSION_MIN: i16 = 7;

/// Name of the feature that says which versions of the records are written.
pub const METADATA_VERSION_FEATURE: &str = "metadata.version";

/// The first records of a new cluster, in one transaction.
pub fn new_cluster() -> Vec<MetadataRecord> {
    let name = Some(Text::from_static("Bootstrap records"));
    let level = FeatureLevelRecord {
        name: Text::from_static(METADATA_VERSION_FEATURE),
        feature_level: METADATA_VERSION,
    };
    vec![
        BeginTransactionRecord { name }.into(),
        level.into(),
        EndTransactionRecord {}.into(),
    ]
}

/// The control record that opens an epoch of the log: `node_id` leads and is the only voter.
pub fn leader_change(node_id: i32) -> ControlRecord {
    let voter = Voter {
        voter_id: node_id,
        ..Voter::default()
    };
    ControlRecord::LeaderChange(LeaderChangeMessage {
        version: 0,
        leader_id: node_id,
        voters: vec![voter.clone()],
        granting_voters: vec![voter],
    })
}

/// The records by which `broker` registers and is let in at once. Its epoch becomes `at`, the offset of the first of them.
pub fn register(broker: &Broker, at: Offset) -> Vec<MetadataRecord> {
    let endpoint = |point: &super::image::Endpoint| BrokerEndpoint {
        name: Text::from(point.listener.as_str()),
        host: Text::from(point.host.as_str()),
        port: point.port,
        security_protocol: 0,
    };
    let registration = RegisterBrokerRecord {
        broker_id: broker.id,
        incarnation_id: broker.incarnation_id,
        broker_epoch: at.0,
        end_points: broker.endpoints.iter().map(endpoint).collect(),
        features: vec![BrokerFeature {
            name: Text::from_static(METADATA_VERSION_FEATURE),
            min_supported_version: METADATA_VERSION_MIN,
            max_supported_version: METADATA_VERSION,
        }],
        rack: broker.rack.as_deref().map(Text::from),
        fenced: true,
        log_dirs: broker.log_dirs.clone(),
        ..RegisterBrokerRecord::default()
    };
    let unfenced = BrokerRegistrationChangeRecord {
        broker_id: broker.id,
        broker_epoch: at.0,
        fenced: -1,
        ..BrokerRegistrationChangeRecord::default()
    };
    vec![registration.into(), unfenced.into()]
}

/// A broker that wants to register: `listeners` as (name, host, port) that clients are told.
pub fn registration(
    node_id: i32,
    incarnation_id: Uuid,
    listeners: &[(String, String, u16)],
    rack: Option<String>,
    directory_id: Uuid,
) -> Broker {
    let endpoint = |(listener, host, port): &(String, String, u16)| super::image::Endpoint {
        listener: listener.clone(),
        host: host.clone(),
        port: *port,
    };
    Broker {
        id: node_id,
        epoch: -1,
        incarnation_id,
        endpoints: listeners.iter().map(endpoint).collect(),
        rack,
        fenced: true,
        in_controlled_shutdown: false,
        log_dirs: vec![directory_id],
        cordoned_log_dirs: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Image;

    #[test]
    fn a_new_cluster_promises_the_metadata_version_and_nothing_else() {
        let records = new_cluster();
        let image = Image::default().apply(&records, Offset(3)).unwrap();
        assert_eq!(
            image.features().collect::<Vec<_>>(),
            [("metadata.version", 30)]
        );
        assert_eq!(image.end(), Offset(3));
        assert!(
            image.dynamic_configs(1).cluster.is_empty(),
            "the file's settings hold"
        );
    }

    #[test]
    fn the_first_records_are_those_of_kafka_to_the_byte() {
        let bytes: Vec<Vec<u8>> = new_cluster()
            .iter()
            .map(|record| record.encode().to_vec())
            .collect();
        assert_eq!(bytes[0], b"\x01\x17\x00\x01\x00\x12\x12Bootstrap records");
        assert_eq!(bytes[1], b"\x01\x0c\x00\x11metadata.version\x00\x1e\x00");
        assert_eq!(bytes[2], b"\x01\x18\x00\x00");
    }

    #[test]
    fn a_registered_broker_is_active_under_the_offset_of_its_record() {
        let listeners = [("PLAINTEXT".to_owned(), "broker.example".to_owned(), 9092)];
        let wanted = registration(
            1,
            Uuid::from_u128(5),
            &listeners,
            Some("a".to_owned()),
            Uuid::from_u128(6),
        );
        let records = register(&wanted, Offset(7));
        let image = Image::default().apply(&records, Offset(9)).unwrap();
        let broker = image.broker(1).unwrap();
        assert!(broker.is_active());
        assert_eq!(broker.epoch, 7);
        assert_eq!(
            (&broker.endpoints, &broker.rack, &broker.log_dirs),
            (&wanted.endpoints, &wanted.rack, &wanted.log_dirs)
        );
    }

    #[test]
    fn the_only_voter_leads() {
        assert_eq!(
            leader_change(1).encode()[..],
            [0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0]
        );
    }
}
