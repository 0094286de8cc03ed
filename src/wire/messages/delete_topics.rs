//! DeleteTopics (key 20).
//!
//! | version | change |
//! |---|---|
//! | 1 | response: throttle time |
//! | 4 | flexible |
//! | 5 | response: error message |
//! | 6 | topics by name or by id, both ways |

use uuid::Uuid;

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DeleteTopicsRequest {
    const KEY: ApiKey = ApiKey::DeleteTopics;
    type Response = DeleteTopicsResponse;
}

schema! {
    /// Topics to delete.
    message DeleteTopicsRequest (versions 0..=6, flexible 4) {
        /// The topics.
        topics: Vec<DeleteTopicState> [6..],
        /// Their names, before version 6.
        topic_names: Vec<Text> [0..=5],
        /// How long to wait for it, in milliseconds.
        timeout_ms: i32 [0..],
    }

    /// A topic to delete, by name or by id.
    struct DeleteTopicState {
        /// Its name; null when given by id.
        name: Option<Text> [6..],
        /// Its id; zero when given by name.
        topic_id: Uuid [6..],
    }

    /// What became of each topic.
    message DeleteTopicsResponse (versions 0..=6, flexible 4) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// The topics.
        responses: Vec<DeletableTopicResult> [0..],
    }

    /// A topic.
    struct DeletableTopicResult {
        /// Its name; null when an id given is unknown.
        name: Option<Text> [0..] nullable [6..] = Some(Text::EMPTY),
        /// Its id.
        topic_id: Uuid [6..],
        /// Why it was not deleted.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [5..],
    }
}
