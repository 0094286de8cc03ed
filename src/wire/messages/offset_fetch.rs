//! OffsetFetch (key 9): the offsets that groups have committed.
//!
//! | version | change |
//! |---|---|
//! | 2 | null topics: all; response: error code |
//! | 3 | response: throttle time |
//! | 5 | response: leader epoch |
//! | 6 | flexible |
//! | 7 | require stable |
//! | 8 | several groups |
//! | 9 | member id and epoch |
//! | 10 | topics by id |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};
use uuid::Uuid;

impl Request for OffsetFetchRequest {
    const KEY: ApiKey = ApiKey::OffsetFetch;
    type Response = OffsetFetchResponse;
}

schema! {
    /// Asks for offsets.
    message OffsetFetchRequest (versions 0..=10, flexible 6) {
        /// The group.
        group_id: Text [0..=7],
        /// Of which topics; null is all.
        topics: Option<Vec<OffsetFetchRequestTopic>> [0..=7] nullable [2..=7],
        /// The groups.
        groups: Vec<OffsetFetchRequestGroup> [8..],
        /// Whether to wait for transactions that are about to commit offsets.
        require_stable: bool [7..],
    }

    /// A topic.
    struct OffsetFetchRequestTopic {
        /// Its name.
        name: Text [0..=9],
        /// Its id.
        topic_id: Uuid [10..],
        /// Of which partitions.
        partition_indexes: Vec<i32> [0..],
    }

    /// A group.
    struct OffsetFetchRequestGroup {
        /// Its name.
        group_id: Text [8..],
        /// The member that asks, of the newer protocol.
        member_id: Option<Text> [9..],
        /// Its epoch.
        member_epoch: i32 [9..] = -1,
        /// Of which topics; null is all.
        topics: Option<Vec<OffsetFetchRequestTopic>> [8..],
    }

    /// The offsets; before version 8 those of the only group.
    message OffsetFetchResponse (versions 0..=10, flexible 6) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [3..],
        /// One for each topic.
        topics: Vec<OffsetFetchResponseTopic> [0..=7],
        /// Why there are none.
        error_code: ErrorCode [2..=7],
        /// One for each group.
        groups: Vec<OffsetFetchResponseGroup> [8..],
    }

    /// A topic.
    struct OffsetFetchResponseTopic {
        /// Its name.
        name: Text [0..=9],
        /// Its id.
        topic_id: Uuid [10..],
        /// One for each partition.
        partitions: Vec<OffsetFetchResponsePartition> [0..],
    }

    /// A partition.
    struct OffsetFetchResponsePartition {
        /// Its index.
        partition_index: i32 [0..],
        /// The offset, or -1.
        committed_offset: i64 [0..],
        /// Leader epoch of the last record that was read, or -1.
        committed_leader_epoch: i32 [5..] = -1,
        /// What was committed with it.
        metadata: Option<Text> [0..],
        /// Why there is none.
        error_code: ErrorCode [0..],
    }

    /// A group.
    struct OffsetFetchResponseGroup {
        /// Its name.
        group_id: Text [8..],
        /// One for each topic.
        topics: Vec<OffsetFetchResponseTopic> [8..],
        /// Why there are none.
        error_code: ErrorCode [8..],
    }
}
