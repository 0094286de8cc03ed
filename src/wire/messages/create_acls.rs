//! CreateAcls (key 30): new entries of access control lists.
//!
//! | version | change |
//! |---|---|
//! | 1 | request: kinds of patterns (KIP-290) |
//! | 2 | flexible |
//! | 3 | users as resources |

use super::describe_acls::LITERAL;
use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for CreateAclsRequest {
    const KEY: ApiKey = ApiKey::CreateAcls;
    type Response = CreateAclsResponse;
}

schema! {
    /// The entries.
    message CreateAclsRequest (versions 0..=3, flexible 2) {
        /// The entries.
        creations: Vec<AclCreation> [0..],
    }

    /// An entry.
    struct AclCreation {
        /// Kind of resource.
        resource_type: i8 [0..],
        /// The resource's name.
        resource_name: Text [0..],
        /// Kind of pattern.
        resource_pattern_type: i8 [1..] = LITERAL,
        /// Who is allowed or denied.
        principal: Text [0..],
        /// From where.
        host: Text [0..],
        /// Which operation.
        operation: i8 [0..],
        /// Whether it is allowed or denied.
        permission_type: i8 [0..],
    }

    /// What became of each entry.
    message CreateAclsResponse (versions 0..=3, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// In the order of the request.
        results: Vec<AclCreationResult> [0..],
    }

    /// An entry.
    struct AclCreationResult {
        /// Why it was not made.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..] = Some(Text::EMPTY),
    }
}
