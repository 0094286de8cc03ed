//! AlterConfigs (key 33): replaces all configurations of topics, brokers and the like.
//!
//! | version | change |
//! |---|---|
//! | 2 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for AlterConfigsRequest {
    const KEY: ApiKey = ApiKey::AlterConfigs;
    type Response = AlterConfigsResponse;
}

schema! {
    /// What shall be configured from now on.
    message AlterConfigsRequest (versions 0..=2, flexible 2) {
        /// Of what.
        resources: Vec<AlterConfigsResource> [0..],
        /// Whether to check only.
        validate_only: bool [0..],
    }

    /// A topic, broker or the like.
    struct AlterConfigsResource {
        /// As in DescribeConfigs.
        resource_type: i8 [0..],
        /// Topic name, node id, or the like.
        resource_name: Text [0..],
        /// All that it shall have of its own; whatever is not here goes back to its default.
        configs: Vec<AlterableConfig> [0..],
    }

    /// A configuration.
    struct AlterableConfig {
        /// Its name.
        name: Text [0..],
        /// Its value.
        value: Option<Text> [0..],
    }

    /// What became of each.
    message AlterConfigsResponse (versions 0..=2, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// One for each resource.
        responses: Vec<AlterConfigsResourceResponse> [0..],
    }

    /// A topic, broker or the like.
    struct AlterConfigsResourceResponse {
        /// Why it was not changed.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
        /// As in the request.
        resource_type: i8 [0..],
        /// As in the request.
        resource_name: Text [0..],
    }
}
