//! DeleteRecords (key 21): everything before an offset (KIP-107).
//!
//! | version | change |
//! |---|---|
//! | 2 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DeleteRecordsRequest {
    const KEY: ApiKey = ApiKey::DeleteRecords;
    type Response = DeleteRecordsResponse;
}

schema! {
    /// Partitions and the offsets they are to begin at.
    message DeleteRecordsRequest (versions 0..=2, flexible 2) {
        /// The topics.
        topics: Vec<DeleteRecordsTopic> [0..],
        /// How long to wait for it, in milliseconds.
        timeout_ms: i32 [0..],
    }

    /// A topic.
    struct DeleteRecordsTopic {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<DeleteRecordsPartition> [0..],
    }

    /// A partition.
    struct DeleteRecordsPartition {
        /// Its index.
        partition_index: i32 [0..],
        /// Records before this offset go; -1 is the high watermark.
        offset: i64 [0..],
    }

    /// What became of each partition.
    message DeleteRecordsResponse (versions 0..=2, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// The topics.
        topics: Vec<DeleteRecordsTopicResult> [0..],
    }

    /// A topic.
    struct DeleteRecordsTopicResult {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<DeleteRecordsPartitionResult> [0..],
    }

    /// A partition.
    struct DeleteRecordsPartitionResult {
        /// Its index.
        partition_index: i32 [0..],
        /// The first offset that is left on every replica; -1 with an error.
        low_watermark: i64 [0..],
        /// Why nothing was deleted.
        error_code: ErrorCode [0..],
    }
}
