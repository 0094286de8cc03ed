//! ListOffsets (key 2): the offset that belongs to a time.
//!
//! | version | change |
//! |---|---|
//! | 0 | the answer is a list of segment base offsets |
//! | 1 | one offset, with its timestamp |
//! | 2 | request: isolation level; response: throttle time |
//! | 4 | leader epoch, both ways (KIP-320) |
//! | 6 | flexible |
//! | 7, 8, 9, 11 | special timestamps -3, -4, -5, -6 |
//! | 10 | request: timeout (KIP-1075) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;
    type Response = ListOffsetsResponse;
}

/// Asks for the log end offset, or the last stable one under read_committed.
pub const LATEST_TIMESTAMP: i64 = -1;
/// Asks for the log start offset.
pub const EARLIEST_TIMESTAMP: i64 = -2;
/// Asks for the offset of the largest timestamp (KIP-734).
pub const MAX_TIMESTAMP: i64 = -3;
/// Asks for the first offset on the broker's own disk (KIP-405).
pub const EARLIEST_LOCAL_TIMESTAMP: i64 = -4;
/// Asks for the last offset in tiered storage (KIP-1005).
pub const LATEST_TIERED_TIMESTAMP: i64 = -5;
/// Asks for the first offset not yet in tiered storage (KIP-1023).
pub const EARLIEST_PENDING_UPLOAD_TIMESTAMP: i64 = -6;

schema! {
    /// Asks for offsets.
    message ListOffsetsRequest (versions 0..=11, flexible 6) {
        /// Node id of the follower that asks; -1 for a consumer.
        replica_id: i32 [0..] = -1,
        /// 0: up to the high watermark, 1: up to the last stable offset.
        isolation_level: i8 [2..],
        /// The topics.
        topics: Vec<ListOffsetsTopic> [0..],
        /// How long a look-up in tiered storage may take, in milliseconds.
        timeout_ms: i32 [10..],
    }

    /// A topic.
    struct ListOffsetsTopic {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<ListOffsetsPartition> [0..],
    }

    /// A partition.
    struct ListOffsetsPartition {
        /// Its index.
        partition_index: i32 [0..],
        /// The leader epoch the client knows, or -1.
        current_leader_epoch: i32 [4..] = -1,
        /// A time in milliseconds, or one of the special timestamps of this module.
        timestamp: i64 [0..],
        /// How many offsets at most.
        max_num_offsets: i32 [0..=0] = 1,
    }

    /// The offsets.
    message ListOffsetsResponse (versions 0..=11, flexible 6) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [2..],
        /// The topics.
        topics: Vec<ListOffsetsTopicResponse> [0..],
    }

    /// A topic.
    struct ListOffsetsTopicResponse {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<ListOffsetsPartitionResponse> [0..],
    }

    /// A partition.
    struct ListOffsetsPartitionResponse {
        /// Its index.
        partition_index: i32 [0..],
        /// Why there is no offset.
        error_code: ErrorCode [0..],
        /// Offsets, the largest first.
        old_style_offsets: Vec<i64> [0..=0],
        /// Timestamp of the record at `offset`, or -1.
        timestamp: i64 [1..] = -1,
        /// The offset, or -1.
        offset: i64 [1..] = -1,
        /// Leader epoch of the record at `offset`, or -1.
        leader_epoch: i32 [4..] = -1,
    }
}
