//! DeleteRecords (key 21): moves the log start offsets of partitions.
//!
//! | version | change |
//! |---|---|
//! | 1 | as 0 |
//! | 2 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DeleteRecordsRequest {
    const KEY: ApiKey = ApiKey::DeleteRecords;
    type Response = DeleteRecordsResponse;
}

schema! {
    /// Deletes records.
    message DeleteRecordsRequest (versions 0..=2, flexible 2) {
        /// Of which topics.
        topics: Vec<DeleteRecordsTopic> [0..],
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 [0..],
    }

    /// A topic.
    struct DeleteRecordsTopic {
        /// Its name.
        name: Text [0..],
        /// Of which partitions.
        partitions: Vec<DeleteRecordsPartition> [0..],
    }

    /// A partition.
    struct DeleteRecordsPartition {
        /// Its index.
        partition_index: i32 [0..],
        /// Records before this offset go; -1: all up to the high watermark.
        offset: i64 [0..],
    }

    /// What became of them.
    message DeleteRecordsResponse (versions 0..=2, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// One for each topic.
        topics: Vec<DeleteRecordsTopicResult> [0..],
    }

    /// A topic.
    struct DeleteRecordsTopicResult {
        /// Its name.
        name: Text [0..],
        /// One for each partition.
        partitions: Vec<DeleteRecordsPartitionResult> [0..],
    }

    /// A partition.
    struct DeleteRecordsPartitionResult {
        /// Its index.
        partition_index: i32 [0..],
        /// The lowest log start offset of its replicas.
        low_watermark: i64 [0..],
        /// Why the records are still there.
        error_code: ErrorCode [0..],
    }
}
