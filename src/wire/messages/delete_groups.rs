//! DeleteGroups (key 42): forgets groups without members, offsets and all.
//!
//! | version | change |
//! |---|---|
//! | 1 | as 0 |
//! | 2 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DeleteGroupsRequest {
    const KEY: ApiKey = ApiKey::DeleteGroups;
    type Response = DeleteGroupsResponse;
}

schema! {
    /// Deletes groups.
    message DeleteGroupsRequest (versions 0..=2, flexible 2) {
        /// Their names.
        groups_names: Vec<Text> [0..],
    }

    /// What became of them.
    message DeleteGroupsResponse (versions 0..=2, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// One for each.
        results: Vec<DeletableGroupResult> [0..],
    }

    /// What became of a group.
    struct DeletableGroupResult {
        /// Its name.
        group_id: Text [0..],
        /// Why it is still there.
        error_code: ErrorCode [0..],
    }
}
