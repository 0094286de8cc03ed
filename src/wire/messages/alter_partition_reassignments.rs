//! AlterPartitionReassignments (key 45, KIP-455). Flexible from version 0 on.
//!
//! | version | change |
//! |---|---|
//! | 1 | whether the number of replicas may change, both ways (KIP-860) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for AlterPartitionReassignmentsRequest {
    const KEY: ApiKey = ApiKey::AlterPartitionReassignments;
    type Response = AlterPartitionReassignmentsResponse;
}

schema! {
    /// Where replicas are to go.
    message AlterPartitionReassignmentsRequest (versions 0..=1, flexible 0) {
        /// How long to wait for it, in milliseconds.
        timeout_ms: i32 [0..] = 60_000,
        /// Whether a partition may get more or fewer replicas than it has.
        allow_replication_factor_change: bool [1..] = true,
        /// The topics.
        topics: Vec<ReassignableTopic> [0..],
    }

    /// A topic.
    struct ReassignableTopic {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<ReassignablePartition> [0..],
    }

    /// A partition.
    struct ReassignablePartition {
        /// Its index.
        partition_index: i32 [0..],
        /// Node ids of its new replicas; null ends a reassignment that is under way.
        replicas: Option<Vec<i32>> [0..],
    }

    /// What became of each partition.
    message AlterPartitionReassignmentsResponse (versions 0..=1, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// What the request said of it.
        allow_replication_factor_change: bool [1..] = true,
        /// Why nothing was changed.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..] = Some(Text::EMPTY),
        /// The topics.
        responses: Vec<ReassignableTopicResponse> [0..],
    }

    /// A topic.
    struct ReassignableTopicResponse {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<ReassignablePartitionResponse> [0..],
    }

    /// A partition.
    struct ReassignablePartitionResponse {
        /// Its index.
        partition_index: i32 [0..],
        /// Why it stays as it is.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
    }
}
