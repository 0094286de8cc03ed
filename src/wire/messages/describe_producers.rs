//! DescribeProducers (key 61): the idempotent producers of partitions (KIP-664). Version 0, flexible.

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DescribeProducersRequest {
    const KEY: ApiKey = ApiKey::DescribeProducers;
    type Response = DescribeProducersResponse;
}

schema! {
    /// Partitions whose producers are asked for.
    message DescribeProducersRequest (versions 0..=0, flexible 0) {
        /// The topics.
        topics: Vec<TopicRequest> [0..],
    }

    /// A topic.
    struct TopicRequest {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partition_indexes: Vec<i32> [0..],
    }

    /// The producers.
    message DescribeProducersResponse (versions 0..=0, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// The topics.
        topics: Vec<TopicResponse> [0..],
    }

    /// A topic.
    struct TopicResponse {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<PartitionResponse> [0..],
    }

    /// A partition.
    struct PartitionResponse {
        /// Its index.
        partition_index: i32 [0..],
        /// Why nothing can be told.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
        /// Its producers.
        active_producers: Vec<ProducerState> [0..],
    }

    /// A producer.
    struct ProducerState {
        /// Its id.
        producer_id: i64 [0..],
        /// Its epoch.
        producer_epoch: i32 [0..],
        /// The last sequence number, or -1.
        last_sequence: i32 [0..] = -1,
        /// Timestamp of its last batch in milliseconds, or -1.
        last_timestamp: i64 [0..] = -1,
        /// Epoch of the transaction coordinator that wrote its last marker.
        coordinator_epoch: i32 [0..],
        /// First offset of its open transaction, or -1.
        current_txn_start_offset: i64 [0..] = -1,
    }
}
