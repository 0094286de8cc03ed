//! OffsetDelete (key 47): forgets committed offsets of a group.
//!
//! | version | change |
//! |---|---|
//! | 0 | the only one |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for OffsetDeleteRequest {
    const KEY: ApiKey = ApiKey::OffsetDelete;
    type Response = OffsetDeleteResponse;
}

schema! {
    /// Deletes offsets.
    message OffsetDeleteRequest (versions 0..=0, flexible 1) {
        /// The group.
        group_id: Text [0..],
        /// Of which topics.
        topics: Vec<OffsetDeleteRequestTopic> [0..],
    }

    /// A topic.
    struct OffsetDeleteRequestTopic {
        /// Its name.
        name: Text [0..],
        /// Of which partitions.
        partitions: Vec<OffsetDeleteRequestPartition> [0..],
    }

    /// A partition.
    struct OffsetDeleteRequestPartition {
        /// Its index.
        partition_index: i32 [0..],
    }

    /// What became of them.
    message OffsetDeleteResponse (versions 0..=0, flexible 1) {
        /// Why nothing was deleted.
        error_code: ErrorCode [0..],
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// One for each topic.
        topics: Vec<OffsetDeleteResponseTopic> [0..],
    }

    /// A topic.
    struct OffsetDeleteResponseTopic {
        /// Its name.
        name: Text [0..],
        /// One for each partition.
        partitions: Vec<OffsetDeleteResponsePartition> [0..],
    }

    /// A partition.
    struct OffsetDeleteResponsePartition {
        /// Its index.
        partition_index: i32 [0..],
        /// Why its offset is still there.
        error_code: ErrorCode [0..],
    }
}
