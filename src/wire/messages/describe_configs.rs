//! DescribeConfigs (key 32): configurations of topics and brokers.
//!
//! | version | change |
//! |---|---|
//! | 1 | synonyms; response: where a value comes from in place of `is_default` |
//! | 3 | documentation and type (KIP-569) |
//! | 4 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DescribeConfigsRequest {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
    type Response = DescribeConfigsResponse;
}

schema! {
    /// Asks for configurations.
    message DescribeConfigsRequest (versions 0..=4, flexible 4) {
        /// Of what.
        resources: Vec<DescribeConfigsResource> [0..],
        /// Whether to list all places a value could come from.
        include_synonyms: bool [1..],
        /// Whether to explain each configuration.
        include_documentation: bool [3..],
    }

    /// A topic or broker.
    struct DescribeConfigsResource {
        /// 2 is a topic, 4 a broker (`ConfigResource.Type`).
        resource_type: i8 [0..],
        /// Topic name or node id.
        resource_name: Text [0..],
        /// Names of the configurations wanted; null is all.
        configuration_keys: Option<Vec<Text>> [0..],
    }

    /// The configurations.
    message DescribeConfigsResponse (versions 0..=4, flexible 4) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// One for each resource asked for.
        results: Vec<DescribeConfigsResult> [0..],
    }

    /// A topic or broker.
    struct DescribeConfigsResult {
        /// Why it cannot be described.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
        /// As in the request.
        resource_type: i8 [0..],
        /// As in the request.
        resource_name: Text [0..],
        /// Its configurations.
        configs: Vec<DescribeConfigsResourceResult> [0..],
    }

    /// A configuration.
    struct DescribeConfigsResourceResult {
        /// Its name.
        name: Text [0..],
        /// Its value; null when sensitive.
        value: Option<Text> [0..],
        /// Whether it can be changed.
        read_only: bool [0..],
        /// Whether it was never set.
        is_default: bool [0..=0],
        /// Where the value comes from: 1 topic, 2 and 3 dynamic broker and default broker, 4 static broker, 5 default.
        config_source: i8 [1..] = -1,
        /// Whether the value is a secret.
        is_sensitive: bool [0..],
        /// Where the value could come from, the first wins.
        synonyms: Vec<DescribeConfigsSynonym> [1..],
        /// Type: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password.
        config_type: i8 [3..],
        /// What it is for.
        documentation: Option<Text> [3..],
    }

    /// A place a value could come from.
    struct DescribeConfigsSynonym {
        /// Name of the configuration there.
        name: Text [1..],
        /// Its value there.
        value: Option<Text> [1..],
        /// Which place, as `config_source`.
        source: i8 [1..],
    }
}
