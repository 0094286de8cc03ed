//! Fetch (key 1): record batches from an offset on; used by consumers and by replicas.
//!
//! | version | change |
//! |---|---|
//! | 1, 3 | response: throttle time; request: a limit for the whole answer |
//! | 4 | transactions: isolation level, last stable offset, aborted transactions |
//! | 5 | log start offset, both ways |
//! | 7 | fetch sessions (KIP-227) |
//! | 9 | request: current leader epoch (KIP-320) |
//! | 10 | records may be compressed with zstd |
//! | 11 | rack, and a preferred replica to read from (KIP-392) |
//! | 12 | flexible; request: last fetched epoch; response: diverging epoch, current leader, snapshot |
//! | 13 | topic ids in place of names (KIP-516) |
//! | 15 | request: replica state in place of the replica id (KIP-903) |
//! | 16 | response: the leaders' endpoints (KIP-951) |
//! | 17, 18 | request: the replica's directory id; its high watermark |

use uuid::Uuid;

use super::leaders::{LeaderIdAndEpoch, NodeEndpoint};
use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Records, Text};

impl Request for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
    type Response = FetchResponse;
}

schema! {
    /// Asks for records of some partitions.
    message FetchRequest (versions 0..=18, flexible 12) {
        /// The cluster's id, checked when given.
        cluster_id: Option<Text> [12..] tag 0,
        /// Node id of the follower that asks; -1 for a consumer.
        replica_id: i32 [0..=14] = -1,
        /// The follower that asks.
        replica_state: ReplicaState [15..] tag 1,
        /// How long to wait for `min_bytes`, in milliseconds.
        max_wait_ms: i32 [0..],
        /// Bytes worth answering before `max_wait_ms`.
        min_bytes: i32 [0..],
        /// Bytes wanted at most; the first batch is sent whatever its size.
        max_bytes: i32 [3..] = i32::MAX,
        /// 0 reads all records up to the high watermark, 1 only up to the last stable offset.
        isolation_level: i8 [4..],
        /// The fetch session, or 0.
        session_id: i32 [7..],
        /// Its epoch; -1 for no session, 0 for a new one.
        session_epoch: i32 [7..] = -1,
        /// Partitions to read; in a session, those added or changed.
        topics: Vec<FetchTopic> [0..],
        /// Partitions to take out of the session.
        forgotten_topics_data: Vec<ForgottenTopic> [7..],
        /// The consumer's rack, or empty.
        rack_id: Text [11..],
    }

    /// A follower.
    struct ReplicaState {
        /// Its node id, or -1.
        replica_id: i32 [15..] = -1,
        /// Its broker epoch, or -1.
        replica_epoch: i64 [15..] = -1,
    }

    /// A topic to read.
    struct FetchTopic {
        /// Its name.
        topic: Text [0..=12],
        /// Its id.
        topic_id: Uuid [13..],
        /// Its partitions.
        partitions: Vec<FetchPartition> [0..],
    }

    /// A partition to read.
    struct FetchPartition {
        /// Its index.
        partition: i32 [0..],
        /// The leader epoch the client knows, or -1.
        current_leader_epoch: i32 [9..] = -1,
        /// First offset wanted.
        fetch_offset: i64 [0..],
        /// Epoch of the last record the follower has, or -1.
        last_fetched_epoch: i32 [12..] = -1,
        /// First offset the follower has; -1 for a consumer.
        log_start_offset: i64 [5..] = -1,
        /// Bytes wanted of this partition at most.
        partition_max_bytes: i32 [0..],
        /// Directory id of the replica that asks.
        replica_directory_id: Uuid [17..] tag 0,
        /// High watermark the replica knows.
        high_watermark: i64 [18..] tag 1 = i64::MAX,
    }

    /// A topic to take out of the session.
    struct ForgottenTopic {
        /// Its name.
        topic: Text [7..=12],
        /// Its id.
        topic_id: Uuid [13..],
        /// Indexes of the partitions.
        partitions: Vec<i32> [7..],
    }

    /// The records.
    message FetchResponse (versions 0..=18, flexible 12) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// An error of the whole request.
        error_code: ErrorCode [7..],
        /// The fetch session, or 0.
        session_id: i32 [7..],
        /// The topics; in a session, only those with news.
        responses: Vec<FetchableTopicResponse> [0..],
        /// Where to reach the leaders named in the partitions.
        node_endpoints: Vec<NodeEndpoint> [16..] tag 0,
    }

    /// A topic.
    struct FetchableTopicResponse {
        /// Its name.
        topic: Text [0..=12],
        /// Its id.
        topic_id: Uuid [13..],
        /// Its partitions.
        partitions: Vec<PartitionData> [0..],
    }

    /// A partition.
    struct PartitionData {
        /// Its index.
        partition_index: i32 [0..],
        /// Why there are no records.
        error_code: ErrorCode [0..],
        /// Its high watermark, or -1.
        high_watermark: i64 [0..],
        /// Its last stable offset, or -1.
        last_stable_offset: i64 [4..] = -1,
        /// First offset of the log, or -1.
        log_start_offset: i64 [5..] = -1,
        /// Where the follower's log ceases to agree with the leader's.
        diverging_epoch: EpochEndOffset [12..] tag 0,
        /// The leader to go to instead.
        current_leader: LeaderIdAndEpoch [12..] tag 1,
        /// The snapshot to load instead, when the log no longer goes back to the fetch offset.
        snapshot_id: SnapshotId [12..] tag 2,
        /// Transactions that were aborted within these records; null when all records are read.
        aborted_transactions: Option<Vec<AbortedTransaction>> [4..],
        /// Node id of the replica to read from instead, or -1.
        preferred_read_replica: i32 [11..] = -1,
        /// The records.
        records: Records [0..],
    }

    /// The end of an epoch.
    struct EpochEndOffset {
        /// Largest epoch both logs have, or -1.
        epoch: i32 [12..] = -1,
        /// First offset after it, or -1.
        end_offset: i64 [12..] = -1,
    }

    /// A snapshot of the metadata log.
    struct SnapshotId {
        /// First offset after what it contains, or -1.
        end_offset: i64 [12..] = -1,
        /// Epoch of the last record it contains, or -1.
        epoch: i32 [12..] = -1,
    }

    /// A transaction that was aborted.
    struct AbortedTransaction {
        /// Its producer.
        producer_id: i64 [4..],
        /// Its first offset.
        first_offset: i64 [4..],
    }
}
