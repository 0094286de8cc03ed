//! DescribeAcls (key 29): the access control lists that match a filter.
//!
//! | version | change |
//! |---|---|
//! | 1 | kinds of patterns, both ways (KIP-290) |
//! | 2 | flexible |
//! | 3 | users as resources |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

/// A pattern that names one resource.
pub const LITERAL: i8 = 3;

impl Request for DescribeAclsRequest {
    const KEY: ApiKey = ApiKey::DescribeAcls;
    type Response = DescribeAclsResponse;
}

schema! {
    /// The filter; null lets all pass.
    message DescribeAclsRequest (versions 0..=3, flexible 2) {
        /// Kind of resource.
        resource_type_filter: i8 [0..],
        /// The resource's name.
        resource_name_filter: Option<Text> [0..],
        /// Kind of pattern.
        pattern_type_filter: i8 [1..] = LITERAL,
        /// Who is allowed or denied.
        principal_filter: Option<Text> [0..],
        /// From where.
        host_filter: Option<Text> [0..],
        /// Which operation.
        operation: i8 [0..],
        /// Whether it is allowed or denied.
        permission_type: i8 [0..],
    }

    /// The lists.
    message DescribeAclsResponse (versions 0..=3, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why nothing can be told.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..] = Some(Text::EMPTY),
        /// The resources.
        resources: Vec<DescribeAclsResource> [0..],
    }

    /// A resource.
    struct DescribeAclsResource {
        /// Its kind.
        resource_type: i8 [0..],
        /// Its name.
        resource_name: Text [0..],
        /// Kind of pattern.
        pattern_type: i8 [1..] = LITERAL,
        /// Its entries.
        acls: Vec<AclDescription> [0..],
    }

    /// An entry.
    struct AclDescription {
        /// Who is allowed or denied.
        principal: Text [0..],
        /// From where.
        host: Text [0..],
        /// Which operation.
        operation: i8 [0..],
        /// Whether it is allowed or denied.
        permission_type: i8 [0..],
    }
}
