//! DeleteAcls (key 31): entries of access control lists that match filters.
//!
//! | version | change |
//! |---|---|
//! | 1 | kinds of patterns, both ways (KIP-290) |
//! | 2 | flexible |
//! | 3 | users as resources |

use super::describe_acls::LITERAL;
use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DeleteAclsRequest {
    const KEY: ApiKey = ApiKey::DeleteAcls;
    type Response = DeleteAclsResponse;
}

schema! {
    /// What is to be deleted.
    message DeleteAclsRequest (versions 0..=3, flexible 2) {
        /// The filters.
        filters: Vec<DeleteAclsFilter> [0..],
    }

    /// A filter; null lets all pass.
    struct DeleteAclsFilter {
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

    /// What became of each filter.
    message DeleteAclsResponse (versions 0..=3, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// In the order of the request.
        filter_results: Vec<DeleteAclsFilterResult> [0..],
    }

    /// A filter.
    struct DeleteAclsFilterResult {
        /// Why nothing was deleted.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..] = Some(Text::EMPTY),
        /// What matched.
        matching_acls: Vec<DeleteAclsMatchingAcl> [0..],
    }

    /// An entry.
    struct DeleteAclsMatchingAcl {
        /// Why it was not deleted.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..] = Some(Text::EMPTY),
        /// Kind of resource.
        resource_type: i8 [0..],
        /// The resource's name.
        resource_name: Text [0..],
        /// Kind of pattern.
        pattern_type: i8 [1..] = LITERAL,
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
