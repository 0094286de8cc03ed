//! IncrementalAlterConfigs (key 44): changes single configurations and leaves the others alone (KIP-339).
//!
//! | version | change |
//! |---|---|
//! | 1 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for IncrementalAlterConfigsRequest {
    const KEY: ApiKey = ApiKey::IncrementalAlterConfigs;
    type Response = IncrementalAlterConfigsResponse;
}

schema! {
    /// What shall be changed.
    message IncrementalAlterConfigsRequest (versions 0..=1, flexible 1) {
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
        /// The changes.
        configs: Vec<AlterableConfig> [0..],
    }

    /// A change of one configuration.
    struct AlterableConfig {
        /// Its name.
        name: Text [0..],
        /// 0 sets it, 1 puts it back to its default, 2 adds to a list, 3 takes from a list.
        config_operation: i8 [0..],
        /// The value, or what is added or taken.
        value: Option<Text> [0..],
    }

    /// What became of each.
    message IncrementalAlterConfigsResponse (versions 0..=1, flexible 1) {
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
