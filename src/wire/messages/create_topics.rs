//! CreateTopics (key 19).
//!
//! | version | change |
//! |---|---|
//! | 1 | request: only validate; response: error message |
//! | 2 | response: throttle time |
//! | 4 | partitions and replication factor may be -1: the broker's defaults (KIP-464) |
//! | 5 | flexible; response: the topic as created (KIP-525) |
//! | 7 | response: topic id |

use uuid::Uuid;

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;
    type Response = CreateTopicsResponse;
}

schema! {
    /// Topics to create.
    message CreateTopicsRequest (versions 0..=7, flexible 5) {
        /// The topics.
        topics: Vec<CreatableTopic> [0..],
        /// How long to wait for them, in milliseconds.
        timeout_ms: i32 [0..] = 60_000,
        /// Whether to check only.
        validate_only: bool [1..],
    }

    /// A topic to create.
    struct CreatableTopic {
        /// Its name.
        name: Text [0..],
        /// Number of partitions; -1 when assigned by hand, or for the broker's default.
        num_partitions: i32 [0..],
        /// Replicas of each; -1 when assigned by hand, or for the broker's default.
        replication_factor: i16 [0..],
        /// Assignment by hand, or empty.
        assignments: Vec<CreatableReplicaAssignment> [0..],
        /// Configurations to set.
        configs: Vec<CreatableTopicConfig> [0..],
    }

    /// Where the replicas of a partition shall be.
    struct CreatableReplicaAssignment {
        /// The partition's index.
        partition_index: i32 [0..],
        /// Node ids of the brokers.
        broker_ids: Vec<i32> [0..],
    }

    /// A configuration to set.
    struct CreatableTopicConfig {
        /// Its name.
        name: Text [0..],
        /// Its value.
        value: Option<Text> [0..],
    }

    /// What became of each topic.
    message CreateTopicsResponse (versions 0..=7, flexible 5) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [2..],
        /// The topics.
        topics: Vec<CreatableTopicResult> [0..],
    }

    /// A topic.
    struct CreatableTopicResult {
        /// Its name.
        name: Text [0..],
        /// Its id.
        topic_id: Uuid [7..],
        /// Why it was not created.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [1..],
        /// Why the configurations cannot be told.
        topic_config_error_code: ErrorCode [5..] tag 0,
        /// Its number of partitions, or -1.
        num_partitions: i32 [5..] = -1,
        /// Replicas of each, or -1.
        replication_factor: i16 [5..] = -1,
        /// Its configurations; null when they cannot be told.
        configs: Option<Vec<CreatableTopicConfigs>> [5..],
    }

    /// A configuration of the topic.
    struct CreatableTopicConfigs {
        /// Its name.
        name: Text [5..],
        /// Its value; null when sensitive.
        value: Option<Text> [5..],
        /// Whether it can be changed.
        read_only: bool [5..],
        /// Where the value comes from, as in DescribeConfigs.
        config_source: i8 [5..] = -1,
        /// Whether the value is a secret.
        is_sensitive: bool [5..],
    }
}
