//! TxnOffsetCommit (key 28): offsets of a group that count when a transaction commits.
//!
//! | version | change |
//! |---|---|
//! | 2 | leader epoch |
//! | 3 | flexible; member id, group instance id, generation |
//! | 4 | TRANSACTION_ABORTABLE |
//! | 5 | the group need not be added to the transaction before (KIP-890) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
    type Response = TxnOffsetCommitResponse;
}

schema! {
    /// Commits offsets in a transaction.
    message TxnOffsetCommitRequest (versions 0..=5, flexible 3) {
        /// The transactional id.
        transactional_id: Text [0..],
        /// The group.
        group_id: Text [0..],
        /// The transaction's producer.
        producer_id: i64 [0..],
        /// The producer's epoch.
        producer_epoch: i16 [0..],
        /// The generation of the member that commits; -1 for none.
        generation_id: i32 [3..] = -1,
        /// The member that commits; empty for none.
        member_id: Text [3..],
        /// The id it gave itself.
        group_instance_id: Option<Text> [3..],
        /// Of which topics.
        topics: Vec<TxnOffsetCommitRequestTopic> [0..],
    }

    /// A topic.
    struct TxnOffsetCommitRequestTopic {
        /// Its name.
        name: Text [0..],
        /// Of which partitions.
        partitions: Vec<TxnOffsetCommitRequestPartition> [0..],
    }

    /// A partition.
    struct TxnOffsetCommitRequestPartition {
        /// Its index.
        partition_index: i32 [0..],
        /// The offset of the next record to read.
        committed_offset: i64 [0..],
        /// Leader epoch of the last record that was read, or -1.
        committed_leader_epoch: i32 [2..] = -1,
        /// Anything to keep with it.
        committed_metadata: Option<Text> [0..],
    }

    /// What became of them.
    message TxnOffsetCommitResponse (versions 0..=5, flexible 3) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// One for each topic.
        topics: Vec<TxnOffsetCommitResponseTopic> [0..],
    }

    /// A topic.
    struct TxnOffsetCommitResponseTopic {
        /// Its name.
        name: Text [0..],
        /// One for each partition.
        partitions: Vec<TxnOffsetCommitResponsePartition> [0..],
    }

    /// A partition.
    struct TxnOffsetCommitResponsePartition {
        /// Its index.
        partition_index: i32 [0..],
        /// Why it was not kept.
        error_code: ErrorCode [0..],
    }
}
