//! DescribeTopicPartitions (key 75): partitions page by page, with eligible leader replicas (KIP-966). Version 0 only,
//! flexible.

use uuid::Uuid;

use super::metadata::OPERATIONS_NOT_ASKED;
use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DescribeTopicPartitionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
    type Response = DescribeTopicPartitionsResponse;
}

schema! {
    /// Asks for a page of partitions.
    message DescribeTopicPartitionsRequest (versions 0..=0, flexible 0) {
        /// The topics; none is all.
        topics: Vec<TopicRequest> [0..],
        /// Partitions wanted at most.
        response_partition_limit: i32 [0..] = 2000,
        /// Where the page starts; null is the beginning.
        cursor: Option<Cursor> [0..],
    }

    /// A topic.
    struct TopicRequest {
        /// Its name.
        name: Text [0..],
    }

    /// A place in the list of all partitions.
    struct Cursor {
        /// Name of the topic.
        topic_name: Text [0..],
        /// Index of the partition.
        partition_index: i32 [0..],
    }

    /// A page of partitions.
    message DescribeTopicPartitionsResponse (versions 0..=0, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// The topics, in order of their names.
        topics: Vec<DescribeTopicPartitionsResponseTopic> [0..],
        /// Where the next page starts; null when this is the last.
        next_cursor: Option<Cursor> [0..],
    }

    /// A topic.
    struct DescribeTopicPartitionsResponseTopic {
        /// Why it cannot be described.
        error_code: ErrorCode [0..],
        /// Its name.
        name: Option<Text> [0..] = Some(Text::EMPTY),
        /// Its id.
        topic_id: Uuid [0..],
        /// Whether it is one of the broker's own.
        is_internal: bool [0..],
        /// Its partitions on this page.
        partitions: Vec<DescribeTopicPartitionsResponsePartition> [0..],
        /// Bit field of what the client may do with the topic.
        topic_authorized_operations: i32 [0..] = OPERATIONS_NOT_ASKED,
    }

    /// A partition.
    struct DescribeTopicPartitionsResponsePartition {
        /// Why it cannot be used.
        error_code: ErrorCode [0..],
        /// Its index.
        partition_index: i32 [0..],
        /// Node id of its leader, or -1.
        leader_id: i32 [0..],
        /// Epoch of that leader, or -1.
        leader_epoch: i32 [0..] = -1,
        /// Node ids of all replicas.
        replica_nodes: Vec<i32> [0..],
        /// Node ids of the replicas in sync.
        isr_nodes: Vec<i32> [0..],
        /// Node ids of replicas out of sync that may still become leader.
        eligible_leader_replicas: Option<Vec<i32>> [0..],
        /// The last of those that were known.
        last_known_elr: Option<Vec<i32>> [0..],
        /// Node ids of the replicas that are offline.
        offline_replicas: Vec<i32> [0..],
    }
}
