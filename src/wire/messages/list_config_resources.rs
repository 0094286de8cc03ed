//! ListConfigResources (key 74): what has configurations. Version 0 is ListClientMetricsResources under its later name.
//!
//! | version | change |
//! |---|---|
//! | 1 | kinds of resources in request and response (KIP-1142) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for ListConfigResourcesRequest {
    const KEY: ApiKey = ApiKey::ListConfigResources;
    type Response = ListConfigResourcesResponse;
}

schema! {
    /// Asks which resources have configurations.
    message ListConfigResourcesRequest (versions 0..=1, flexible 0) {
        /// Of which kinds, as in DescribeConfigs; none is all kinds.
        resource_types: Vec<i8> [1..],
    }

    /// The resources.
    message ListConfigResourcesResponse (versions 0..=1, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why they cannot be listed.
        error_code: ErrorCode [0..],
        /// One for each.
        config_resources: Vec<ConfigResource> [0..],
    }

    /// A resource.
    struct ConfigResource {
        /// Its name.
        resource_name: Text [0..],
        /// Its kind; version 0 lists client metrics (16) only.
        resource_type: i8 [1..] = 16,
    }
}
