//! OffsetCommit (key 8): offsets of a group to be kept.
//!
//! | version | change |
//! |---|---|
//! | 1 | generation and member id; commit timestamp |
//! | 2 | retention time in place of the timestamp |
//! | 3 | response: throttle time |
//! | 5 | no retention time |
//! | 6 | leader epoch |
//! | 7 | group instance id |
//! | 8 | flexible |
//! | 9 | STALE_MEMBER_EPOCH (KIP-848) |
//! | 10 | topics by id |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};
use uuid::Uuid;

impl Request for OffsetCommitRequest {
    const KEY: ApiKey = ApiKey::OffsetCommit;
    type Response = OffsetCommitResponse;
}

schema! {
    /// Commits offsets.
    message OffsetCommitRequest (versions 0..=10, flexible 8) {
        /// The group.
        group_id: Text [0..],
        /// The generation of the member that commits; -1 from outside.
        generation_id_or_member_epoch: i32 [1..] = -1,
        /// The member that commits; empty from outside.
        member_id: Text [1..],
        /// The id it gave itself.
        group_instance_id: Option<Text> [7..],
        /// How long to keep them; -1: as the broker is set.
        retention_time_ms: i64 [2..=4] = -1,
        /// Of which topics.
        topics: Vec<OffsetCommitRequestTopic> [0..],
    }

    /// A topic.
    struct OffsetCommitRequestTopic {
        /// Its name.
        name: Text [0..=9],
        /// Its id.
        topic_id: Uuid [10..],
        /// Of which partitions.
        partitions: Vec<OffsetCommitRequestPartition> [0..],
    }

    /// A partition.
    struct OffsetCommitRequestPartition {
        /// Its index.
        partition_index: i32 [0..],
        /// The offset of the next record to read.
        committed_offset: i64 [0..],
        /// Leader epoch of the last record that was read, or -1.
        committed_leader_epoch: i32 [6..] = -1,
        /// When it was committed; -1: now.
        commit_timestamp: i64 [1..=1] = -1,
        /// Anything to keep with it.
        committed_metadata: Option<Text> [0..],
    }

    /// What became of them.
    message OffsetCommitResponse (versions 0..=10, flexible 8) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [3..],
        /// One for each topic.
        topics: Vec<OffsetCommitResponseTopic> [0..],
    }

    /// A topic.
    struct OffsetCommitResponseTopic {
        /// Its name.
        name: Text [0..=9],
        /// Its id.
        topic_id: Uuid [10..],
        /// One for each partition.
        partitions: Vec<OffsetCommitResponsePartition> [0..],
    }

    /// A partition.
    struct OffsetCommitResponsePartition {
        /// Its index.
        partition_index: i32 [0..],
        /// Why it was not kept.
        error_code: ErrorCode [0..],
    }
}
