//! CreatePartitions (key 37): more partitions for topics that are there (KIP-195).
//!
//! | version | change |
//! |---|---|
//! | 2 | flexible |
//! | 3 | THROTTLING_QUOTA_EXCEEDED may be the answer (KIP-599) |

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
        /// How long to wait for them, in milliseconds.
        timeout_ms: i32 [0..],
        /// Whether to check only.
        validate_only: bool [0..],
    }

    /// A topic.
    struct CreatePartitionsTopic {
        /// Its name.
        name: Text [0..],
        /// How many partitions it shall have.
        count: i32 [0..],
        /// Where the replicas of the new ones shall be; null leaves it to the cluster.
        assignments: Option<Vec<CreatePartitionsAssignment>> [0..],
    }

    /// Where the replicas of a new partition shall be.
    struct CreatePartitionsAssignment {
        /// Node ids of the brokers.
        broker_ids: Vec<i32> [0..],
    }

    /// What became of each topic.
    message CreatePartitionsResponse (versions 0..=3, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// One for each topic.
        results: Vec<CreatePartitionsTopicResult> [0..],
    }

    /// A topic.
    struct CreatePartitionsTopicResult {
        /// Its name.
        name: Text [0..],
        /// Why it did not grow.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
    }
}
