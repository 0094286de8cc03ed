//! CreatePartitions (key 37): more partitions for topics.
//!
//! | version | change |
//! |---|---|
//! | 2 | flexible |
//! | 3 | may be refused for a quota (KIP-599) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for CreatePartitionsRequest {
    const KEY: ApiKey = ApiKey::CreatePartitions;
    type Response = CreatePartitionsResponse;
}

schema! {
    /// Topics that are to grow.
    message CreatePartitionsRequest (versions 0..=3, flexible 2) {
        /// The topics.
        topics: Vec<CreatePartitionsTopic> [0..],
        /// How long to wait for it, in milliseconds.
        timeout_ms: i32 [0..],
        /// Whether to check only.
        validate_only: bool [0..],
    }

    /// A topic.
    struct CreatePartitionsTopic {
        /// Its name.
        name: Text [0..],
        /// How many partitions it is to have.
        count: i32 [0..],
        /// Where each new partition goes; null leaves it to the cluster.
        assignments: Option<Vec<CreatePartitionsAssignment>> [0..],
    }

    /// Where a new partition goes.
    struct CreatePartitionsAssignment {
        /// Node ids of its replicas.
        broker_ids: Vec<i32> [0..],
    }

    /// What became of each topic.
    message CreatePartitionsResponse (versions 0..=3, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// The topics.
        results: Vec<CreatePartitionsTopicResult> [0..],
    }

    /// A topic.
    struct CreatePartitionsTopicResult {
        /// Its name.
        name: Text [0..],
        /// Why it does not grow.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
    }
}
