//! The records with which a node that is its own cluster starts: the first ones ever, its registration, new leader epochs.
//!
//! Pure: ids and epochs are given. The records are those a Kafka 4.3 controller writes, so that its tools read them and
//! the log can be taken to it.

use uuid::Uuid;

use super::features::{FEATURES, Feature, METADATA_VERSION};
use super::image::{Broker, Endpoint, Image, Partition, Topic};
use crate::types::Offset;
use crate::wire::Text;
use crate::wire::control_records::{ControlRecord, LeaderChangeMessage, Voter};
use crate::wire::metadata_records::{
    AbortTransactionRecord, BeginTransactionRecord, BrokerEndpoint, BrokerFeature,
    BrokerRegistrationChangeRecord, EndTransactionRecord, FeatureLevelRecord, MetadataRecord,
    PartitionChangeRecord, RegisterBrokerRecord,
};

/// The records of a start of `me` on what the log says so far; `formatted` are those a cluster that never ran was formatted with.
/// Only what changes anything is written. Partitions without this leader get it: a controller that stops takes its leadership from
/// them. After a crash every partition begins a new leader epoch, so that clients notice when records that they had read were lost
/// with the machine.
pub fn start(
    image: &Image,
    me: &Broker,
    after_crash: bool,
    formatted: Vec<MetadataRecord>,
) -> Vec<MetadataRecord> {
    let mut records = Vec::new();
    if image.open_transaction.is_some() {
        // Whoever began it is gone; what follows must not become a part of it.
        let reason = Some(Text::from_static("Interrupted by a restart"));
        records.push(AbortTransactionRecord { reason }.into());
    }
    if image.feature(METADATA_VERSION.name) == 0 {
        records.extend(new_cluster(formatted));
    }
    if image
        .broker(me.id)
        .is_none_or(|known| !known.stands_for(me))
    {
        records.extend(register(me, image.end() + records.len() as i64));
    }
    for topic in image.topics() {
        for (&index, partition) in &topic.partitions {
            if after_crash || !is_led_by(partition, me.id) {
                records.push(lead(topic, index, partition, me.id).into());
            }
        }
    }
    records
}

/// Whether `node_id` leads, and is all the partition has in sync or could choose as its leader.
fn is_led_by(partition: &Partition, node_id: i32) -> bool {
    partition.leader == node_id
        && partition.isr == [node_id]
        && !partition.is_recovering
        && partition.eligible_leader_replicas.is_empty()
        && partition.last_known_eligible.is_empty()
}

/// Makes `leader` lead, even if it did: naming it begins an epoch. What stands as it should is not named.
fn lead(topic: &Topic, index: i32, partition: &Partition, leader: i32) -> PartitionChangeRecord {
    let cleared = |replicas: &[i32]| (!replicas.is_empty()).then(Vec::new);
    PartitionChangeRecord {
        partition_id: index,
        topic_id: topic.id,
        leader,
        isr: (partition.isr != [leader]).then(|| vec![leader]),
        leader_recovery_state: if partition.is_recovering { 0 } else { -1 },
        eligible_leader_replicas: cleared(&partition.eligible_leader_replicas),
        last_known_elr: cleared(&partition.last_known_eligible),
        ..PartitionChangeRecord::default()
    }
}

/// The first records of a new cluster, in one transaction: those it was formatted with, else the levels this broker keeps.
fn new_cluster(formatted: Vec<MetadataRecord>) -> Vec<MetadataRecord> {
    let name = Some(Text::from_static("Bootstrap records"));
    let level = |feature: Feature| -> MetadataRecord {
        let name = Text::from_static(feature.name);
        let feature_level = feature.max;
        FeatureLevelRecord {
            name,
            feature_level,
        }
        .into()
    };
    let mut records = vec![BeginTransactionRecord { name }.into()];
    if formatted.is_empty() {
        records.extend(FEATURES.map(level));
    }
    records.extend(formatted);
    records.push(EndTransactionRecord {}.into());
    records
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
pub(super) fn register(broker: &Broker, at: Offset) -> Vec<MetadataRecord> {
    let endpoint = |point: &Endpoint| BrokerEndpoint {
        name: Text::from(point.listener.as_str()),
        host: Text::from(point.host.as_str()),
        port: point.port,
        security_protocol: 0,
    };
    let feature = |feature: Feature| BrokerFeature {
        name: Text::from_static(feature.name),
        min_supported_version: feature.min,
        max_supported_version: feature.max,
    };
    let registration = RegisterBrokerRecord {
        broker_id: broker.id,
        incarnation_id: broker.incarnation_id,
        broker_epoch: at.0,
        end_points: broker.endpoints.iter().map(endpoint).collect(),
        features: FEATURES.map(feature).to_vec(),
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

/// A broker that wants to register: `endpoints` as clients are told.
pub fn registration(
    node_id: i32,
    incarnation_id: Uuid,
    endpoints: Vec<Endpoint>,
    rack: Option<String>,
    log_dirs: Vec<Uuid>,
) -> Broker {
    Broker {
        id: node_id,
        epoch: -1,
        incarnation_id,
        endpoints,
        rack,
        fenced: true,
        in_controlled_shutdown: false,
        log_dirs,
        cordoned_log_dirs: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::LeaderEpoch;
    use crate::wire::metadata_records::{PartitionRecord, TopicRecord};

    #[test]
    fn a_new_cluster_promises_what_this_broker_keeps_and_nothing_else() {
        let records = new_cluster(Vec::new());
        let image = Image::default().apply(&records, Offset(4)).unwrap();
        let levels: Vec<_> = image.features().collect();
        assert_eq!(
            levels,
            [("metadata.version", 30), ("transaction.version", 2)]
        );
        assert_eq!(image.end(), Offset(4));
        assert!(
            image.dynamic_configs(1).cluster.is_empty(),
            "the file's settings hold"
        );
    }

    #[test]
    fn the_first_records_are_those_of_kafka_to_the_byte() {
        let bytes: Vec<Vec<u8>> = new_cluster(Vec::new())
            .iter()
            .map(|record| record.encode().to_vec())
            .collect();
        assert_eq!(bytes[0], b"\x01\x17\x00\x01\x00\x12\x12Bootstrap records");
        assert_eq!(bytes[1], b"\x01\x0c\x00\x11metadata.version\x00\x1e\x00");
        assert_eq!(bytes[2], b"\x01\x0c\x00\x14transaction.version\x00\x02\x00");
        assert_eq!(bytes[3], b"\x01\x18\x00\x00");
    }

    #[test]
    fn a_registered_broker_is_active_under_the_offset_of_its_record() {
        let wanted = on_port(9092);
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

    fn on_port(port: u16) -> Broker {
        let endpoint = Endpoint {
            listener: "PLAINTEXT".to_owned(),
            host: "broker.example".to_owned(),
            port,
        };
        let rack = Some("a".to_owned());
        let directory_id = Uuid::from_u128(6);
        registration(1, Uuid::new_v4(), vec![endpoint], rack, vec![directory_id])
    }

    fn after(image: &Image, records: &[MetadataRecord]) -> Image {
        let end = image.end() + records.len() as i64;
        image.apply(records, end).unwrap()
    }

    #[test]
    fn a_start_writes_only_what_changes_anything() {
        let first = start(&Image::default(), &on_port(9092), false, Vec::new());
        let image = after(&Image::default(), &first);
        assert_eq!(image.broker(1).unwrap().epoch, 4, "behind the bootstrap");
        assert_eq!(
            start(&image, &on_port(9092), false, Vec::new()),
            [],
            "a mere restart"
        );
        let moved = start(&image, &on_port(9093), false, Vec::new());
        assert_eq!(moved.len(), 2);
        let image = after(&image, &moved);
        let broker = image.broker(1).unwrap();
        assert_eq!((broker.endpoints[0].port, broker.epoch), (9093, 6));
    }

    #[test]
    fn after_a_crash_every_partition_begins_a_leader_epoch() {
        let topic_id = Uuid::from_u128(7);
        let topic = TopicRecord {
            name: Text::from_static("a"),
            topic_id,
        };
        let partition = |partition_id| PartitionRecord {
            partition_id,
            topic_id,
            leader: 1,
            leader_epoch: 4,
            ..PartitionRecord::default()
        };
        let mut records = start(&Image::default(), &on_port(9092), false, Vec::new());
        records.extend([topic.into(), partition(0).into(), partition(1).into()]);
        let image = after(&Image::default(), &records);
        let image = after(&image, &start(&image, &on_port(9092), true, Vec::new()));
        let topic = image.topic(topic_id).unwrap();
        let epochs: Vec<_> = topic
            .partitions
            .values()
            .map(|partition| (partition.leader, partition.leader_epoch))
            .collect();
        assert_eq!(epochs, [(1, LeaderEpoch(5)); 2]);
    }

    #[test]
    fn a_transaction_that_was_left_open_is_void() {
        let begin = BeginTransactionRecord::default();
        let image = after(&Image::default(), &[begin.into()]);
        let image = after(&image, &start(&image, &on_port(9092), false, Vec::new()));
        assert!(image.broker(1).unwrap().is_active());
        assert!(image.open_transaction.is_none());
    }

    #[test]
    fn the_only_voter_leads() {
        assert_eq!(
            leader_change(1).encode()[..],
            [0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0]
        );
    }
}
