//! What the single node writes into the metadata log when it starts: the features of a new cluster, itself as a broker,
//! and new leader epochs after a crash.

use super::image::Image;
use crate::wire::Text;
use crate::wire::metadata_records::{
    BeginTransactionRecord, BrokerEndpoint, BrokerFeature, BrokerRegistrationChangeRecord,
    EndTransactionRecord, FeatureLevelRecord, MetadataRecord, PartitionChangeRecord,
    RegisterBrokerRecord,
};
use uuid::Uuid;

/// The feature whose level says which metadata records there are.
const METADATA_VERSION: &str = "metadata.version";
/// Kafka 4.3-IV0.
const METADATA_LEVEL: i16 = 30;
/// The lowest level whose records are understood.
const OLDEST_METADATA_LEVEL: i16 = 7;
const UNFENCED: i8 = -1;

/// This node, as it registers.
#[derive(Clone, Debug)]
pub struct BrokerSelf {
    /// Its node id.
    pub node_id: i32,
    /// Its data directory.
    pub directory_id: Uuid,
    /// `broker.rack`
    pub rack: Option<String>,
    /// Listener name, host and port, as clients are told.
    pub end_points: Vec<(String, String, u16)>,
}

/// The records of a start. After a crash every partition begins a new leader epoch, so that clients notice when records that
/// they had read were lost with the machine.
pub fn at_start(image: &Image, broker: &BrokerSelf, after_crash: bool) -> Vec<MetadataRecord> {
    let mut records = Vec::new();
    if image.features().next().is_none() {
        records.extend(new_cluster());
    }
    let registered = image.broker(broker.node_id);
    if registered.is_none_or(|known| known.fenced || known.end_points != broker.end_points) {
        records.extend(registration(image, broker));
    }
    if after_crash {
        records.extend(new_epochs(image, broker.node_id));
    }
    records
}

/// One transaction, as Kafka writes its bootstrap records.
fn new_cluster() -> [MetadataRecord; 3] {
    [
        MetadataRecord::from(BeginTransactionRecord {
            name: Some(Text::from("Bootstrap records")),
        }),
        MetadataRecord::from(FeatureLevelRecord {
            name: Text::from(METADATA_VERSION),
            feature_level: METADATA_LEVEL,
        }),
        MetadataRecord::from(EndTransactionRecord::default()),
    ]
}

fn registration(image: &Image, broker: &BrokerSelf) -> [MetadataRecord; 2] {
    let broker_epoch = image.offset().0;
    let end_points = broker
        .end_points
        .iter()
        .map(|(name, host, port)| BrokerEndpoint {
            name: Text::from(name.as_str()),
            host: Text::from(host.as_str()),
            port: *port,
            security_protocol: 0,
        })
        .collect();
    let registered = RegisterBrokerRecord {
        broker_id: broker.node_id,
        incarnation_id: Uuid::new_v4(),
        broker_epoch,
        end_points,
        features: vec![BrokerFeature {
            name: Text::from(METADATA_VERSION),
            min_supported_version: OLDEST_METADATA_LEVEL,
            max_supported_version: METADATA_LEVEL,
        }],
        rack: broker.rack.as_deref().map(Text::from),
        log_dirs: vec![broker.directory_id],
        ..RegisterBrokerRecord::default()
    };
    let unfenced = BrokerRegistrationChangeRecord {
        broker_id: broker.node_id,
        broker_epoch,
        fenced: UNFENCED,
        ..BrokerRegistrationChangeRecord::default()
    };
    [registered.into(), unfenced.into()]
}

/// Naming the leader, even the same one, begins an epoch.
fn new_epochs(image: &Image, node_id: i32) -> impl Iterator<Item = MetadataRecord> + '_ {
    image.topics().flat_map(move |topic| {
        (0..topic.partitions.len()).map(move |partition| {
            MetadataRecord::from(PartitionChangeRecord {
                partition_id: partition as i32,
                topic_id: topic.id,
                leader: node_id,
                ..PartitionChangeRecord::default()
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Offset;

    fn broker() -> BrokerSelf {
        BrokerSelf {
            node_id: 1,
            directory_id: Uuid::from_u128(9),
            rack: None,
            end_points: vec![("PLAINTEXT".to_owned(), "127.0.0.1".to_owned(), 9092)],
        }
    }

    #[test]
    fn a_new_cluster_gets_its_features_and_its_broker_once() {
        let empty = Image::empty("c");
        let records = at_start(&empty, &broker(), false);
        let image = empty.apply(&records, Offset(5)).unwrap();
        assert_eq!(
            image.features().collect::<Vec<_>>(),
            [(METADATA_VERSION, METADATA_LEVEL)]
        );
        assert!(!image.broker(1).unwrap().fenced);
        assert!(at_start(&image, &broker(), false).is_empty());
    }

    #[test]
    fn a_broker_that_moved_registers_again() {
        let empty = Image::empty("c");
        let image = empty
            .apply(&at_start(&empty, &broker(), false), Offset(5))
            .unwrap();
        let moved = BrokerSelf {
            end_points: vec![("PLAINTEXT".to_owned(), "127.0.0.1".to_owned(), 9093)],
            ..broker()
        };
        assert_eq!(at_start(&image, &moved, false).len(), 2);
    }
}
