//! ListGroups (key 16): the groups that a broker coordinates.
//!
//! | version | change |
//! |---|---|
//! | 1 | response: throttle time |
//! | 3 | flexible |
//! | 4 | states (KIP-518) |
//! | 5 | types (KIP-848) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for ListGroupsRequest {
    const KEY: ApiKey = ApiKey::ListGroups;
    type Response = ListGroupsResponse;
}

schema! {
    /// Asks a broker for its groups.
    message ListGroupsRequest (versions 0..=5, flexible 3) {
        /// Only groups in these states; none is all.
        states_filter: Vec<Text> [4..],
        /// Only groups of these types; none is all.
        types_filter: Vec<Text> [5..],
    }

    /// The groups.
    message ListGroupsResponse (versions 0..=5, flexible 3) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// Why there are none.
        error_code: ErrorCode [0..],
        /// One for each.
        groups: Vec<ListedGroup> [0..],
    }

    /// A group.
    struct ListedGroup {
        /// Its name.
        group_id: Text [0..],
        /// `consumer`, or what else its members said; empty if nobody ever joined.
        protocol_type: Text [0..],
        /// `Stable`, `Empty` and so on.
        group_state: Text [4..],
        /// `classic` or `consumer`.
        group_type: Text [5..],
    }
}
