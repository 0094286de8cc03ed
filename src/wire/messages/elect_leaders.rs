//! ElectLeaders (key 43).
//!
//! | version | change |
//! |---|---|
//! | 1 | request: kind of election (KIP-460); response: error code of the whole |
//! | 2 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for ElectLeadersRequest {
    const KEY: ApiKey = ApiKey::ElectLeaders;
    type Response = ElectLeadersResponse;
}

schema! {
    /// Partitions whose leader is to be elected.
    message ElectLeadersRequest (versions 0..=2, flexible 2) {
        /// 0: the preferred leader, 1: an unclean one.
        election_type: i8 [1..],
        /// The partitions; null is all.
        topic_partitions: Option<Vec<TopicPartitions>> [0..],
        /// How long to wait for it, in milliseconds.
        timeout_ms: i32 [0..] = 60_000,
    }

    /// Partitions of a topic.
    struct TopicPartitions {
        /// The topic's name.
        topic: Text [0..],
        /// The partitions.
        partitions: Vec<i32> [0..],
    }

    /// What became of each election.
    message ElectLeadersResponse (versions 0..=2, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why there was none.
        error_code: ErrorCode [1..],
        /// The topics.
        replica_election_results: Vec<ReplicaElectionResult> [0..],
    }

    /// A topic.
    struct ReplicaElectionResult {
        /// Its name.
        topic: Text [0..],
        /// Its partitions.
        partition_result: Vec<PartitionResult> [0..],
    }

    /// A partition.
    struct PartitionResult {
        /// Its index.
        partition_id: i32 [0..],
        /// Why nobody was elected.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
    }
}
