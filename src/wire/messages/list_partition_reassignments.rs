//! ListPartitionReassignments (key 46, KIP-455). Version 0, flexible.

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for ListPartitionReassignmentsRequest {
    const KEY: ApiKey = ApiKey::ListPartitionReassignments;
    type Response = ListPartitionReassignmentsResponse;
}

schema! {
    /// Asks for partitions whose replicas are moving.
    message ListPartitionReassignmentsRequest (versions 0..=0, flexible 0) {
        /// How long to wait for the answer, in milliseconds.
        timeout_ms: i32 [0..] = 60_000,
        /// The topics; null is all.
        topics: Option<Vec<ListPartitionReassignmentsTopics>> [0..],
    }

    /// A topic.
    struct ListPartitionReassignmentsTopics {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partition_indexes: Vec<i32> [0..],
    }

    /// Partitions whose replicas are moving.
    message ListPartitionReassignmentsResponse (versions 0..=0, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why nothing can be told.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..] = Some(Text::EMPTY),
        /// The topics.
        topics: Vec<OngoingTopicReassignment> [0..],
    }

    /// A topic.
    struct OngoingTopicReassignment {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<OngoingPartitionReassignment> [0..],
    }

    /// A partition.
    struct OngoingPartitionReassignment {
        /// Its index.
        partition_index: i32 [0..],
        /// Its replicas now.
        replicas: Vec<i32> [0..],
        /// Those on their way in.
        adding_replicas: Vec<i32> [0..],
        /// Those on their way out.
        removing_replicas: Vec<i32> [0..],
    }
}
