//! OffsetForLeaderEpoch (key 23): where an epoch ends, to find where two logs part (KIP-101, KIP-320).
//!
//! | version | change |
//! |---|---|
//! | 1 | response: the epoch found |
//! | 2 | request: current leader epoch; response: throttle time |
//! | 3 | request: replica id |
//! | 4 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for OffsetForLeaderEpochRequest {
    const KEY: ApiKey = ApiKey::OffsetForLeaderEpoch;
    type Response = OffsetForLeaderEpochResponse;
}

schema! {
    /// Asks where epochs end.
    message OffsetForLeaderEpochRequest (versions 0..=4, flexible 4) {
        /// Node id of the follower that asks; -1 for a consumer, -2 for one that may see beyond the high watermark.
        replica_id: i32 [3..] = -2,
        /// The topics.
        topics: Vec<OffsetForLeaderTopic> [0..],
    }

    /// A topic.
    struct OffsetForLeaderTopic {
        /// Its name.
        topic: Text [0..],
        /// Its partitions.
        partitions: Vec<OffsetForLeaderPartition> [0..],
    }

    /// A partition.
    struct OffsetForLeaderPartition {
        /// Its index.
        partition: i32 [0..],
        /// The leader epoch the client knows, or -1.
        current_leader_epoch: i32 [2..] = -1,
        /// The epoch whose end is wanted.
        leader_epoch: i32 [0..],
    }

    /// The ends.
    message OffsetForLeaderEpochResponse (versions 0..=4, flexible 4) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [2..],
        /// The topics.
        topics: Vec<OffsetForLeaderTopicResult> [0..],
    }

    /// A topic.
    struct OffsetForLeaderTopicResult {
        /// Its name.
        topic: Text [0..],
        /// Its partitions.
        partitions: Vec<EpochEndOffset> [0..],
    }

    /// The end of an epoch in a partition.
    struct EpochEndOffset {
        /// Why there is none.
        error_code: ErrorCode [0..],
        /// The partition's index.
        partition: i32 [0..],
        /// Largest epoch not above the one asked for, or -1.
        leader_epoch: i32 [1..] = -1,
        /// First offset after that epoch, or -1.
        end_offset: i64 [0..] = -1,
    }
}
