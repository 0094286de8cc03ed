//! Changes that clients ask for: an image and a request to new records, and an outcome for each thing asked.
//!
//! Pure and without effect: whoever calls writes the records, waits until they are durable, and only then tells the outcomes.
//! Several requests may be decided on one image only if the records of the first are applied before the second.
//! Refusals carry Kafka's words, as its tools show them; which error code goes with which is the API's business.

mod alter_configs;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod directories;
mod update_features;

pub use alter_configs::{AlterRules, Alteration, Altering, ConfigChange};
pub use create_partitions::{TopicGrowth, create_partitions};
pub use create_topics::{CreatedTopic, NewTopic, TopicDefaults, create_topics};
pub use delete_topics::{DeletedTopic, TopicToDelete, delete_topics};
pub use update_features::{FeatureUpdate, UpgradeType, update_features};

use super::image::Image;
use crate::limits::PRODUCER_ID_BLOCK;
use crate::wire::metadata_records::{MetadataRecord, ProducerIdsRecord};
use std::ops::Range;

/// Why a change is refused. The text is for the client.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// INVALID_TOPIC_EXCEPTION
    #[error("{0}")]
    InvalidTopic(String),
    /// TOPIC_ALREADY_EXISTS
    #[error("Topic '{0}' already exists.")]
    TopicAlreadyExists(String),
    /// INVALID_PARTITIONS
    #[error("{0}")]
    InvalidPartitions(String),
    /// INVALID_REPLICATION_FACTOR
    #[error("{0}")]
    InvalidReplicationFactor(String),
    /// INVALID_REPLICA_ASSIGNMENT
    #[error("{0}")]
    InvalidReplicaAssignment(String),
    /// INVALID_CONFIG
    #[error("{0}")]
    InvalidConfig(String),
    /// INVALID_REQUEST
    #[error("{0}")]
    InvalidRequest(String),
    /// POLICY_VIOLATION
    #[error("{0}")]
    PolicyViolation(String),
    /// INVALID_UPDATE_VERSION
    #[error("{0}")]
    InvalidUpdateVersion(String),
    /// UNKNOWN_TOPIC_OR_PARTITION
    #[error("This server does not host this topic-partition.")]
    UnknownTopic,
    /// UNKNOWN_TOPIC_OR_PARTITION
    #[error("The topic '{0}' does not exist.")]
    NoSuchTopic(String),
    /// UNKNOWN_SERVER_ERROR
    #[error("The operation on a configuration is unknown.")]
    UnknownOperation,
    /// UNKNOWN_TOPIC_ID
    #[error("This server does not host this topic ID.")]
    UnknownTopicId,
}

/// The next block of producer ids, and the record that says they are taken; `None` when there are no more.
pub fn allocate_producer_ids(image: &Image, node_id: i32) -> Option<(MetadataRecord, Range<i64>)> {
    let first = image.next_producer_id();
    let end = first.checked_add(PRODUCER_ID_BLOCK)?;
    let broker_epoch = image.broker(node_id).map_or(-1, |broker| broker.epoch);
    let record = ProducerIdsRecord {
        broker_id: node_id,
        broker_epoch,
        next_producer_id: end,
    };
    Some((record.into(), first..end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Offset;

    #[test]
    fn blocks_of_producer_ids_follow_each_other_and_never_overlap() {
        let mut image = Image::default();
        for block in 0..3 {
            let (record, ids) = allocate_producer_ids(&image, 1).unwrap();
            assert_eq!(ids, block * 1000..(block + 1) * 1000);
            image = image.apply(&[record], Offset(block + 1)).unwrap();
        }
        assert_eq!(image.next_producer_id(), 3000);
    }

    #[test]
    fn producer_ids_end_instead_of_starting_over() {
        let last = ProducerIdsRecord {
            next_producer_id: i64::MAX - 5,
            ..ProducerIdsRecord::default()
        };
        let image = Image::default().apply(&[last.into()], Offset(1)).unwrap();
        assert_eq!(allocate_producer_ids(&image, 1), None);
    }
}
