//! DescribeGroups (key 15): members and assignments of groups, from their coordinator.
//!
//! | version | change |
//! |---|---|
//! | 1 | response: throttle time |
//! | 3 | authorized operations |
//! | 4 | response: group instance id (KIP-345) |
//! | 5 | flexible |
//! | 6 | response: error message; a group that is not there is GROUP_ID_NOT_FOUND |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};
use bytes::Bytes;

impl Request for DescribeGroupsRequest {
    const KEY: ApiKey = ApiKey::DescribeGroups;
    type Response = DescribeGroupsResponse;
}

schema! {
    /// Asks for groups.
    message DescribeGroupsRequest (versions 0..=6, flexible 5) {
        /// Their names.
        groups: Vec<Text> [0..],
        /// Whether to say what the client may do with them.
        include_authorized_operations: bool [3..],
    }

    /// The groups.
    message DescribeGroupsResponse (versions 0..=6, flexible 5) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// One for each asked for.
        groups: Vec<DescribedGroup> [0..],
    }

    /// A group.
    struct DescribedGroup {
        /// Why it cannot be described.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [6..],
        /// Its name.
        group_id: Text [0..],
        /// `Stable`, `Empty` and so on.
        group_state: Text [0..],
        /// `consumer`, or what else its members said.
        protocol_type: Text [0..],
        /// The protocol in force: of consumers the assignor.
        protocol_data: Text [0..],
        /// Its members.
        members: Vec<DescribedGroupMember> [0..],
        /// Bits of what the client may do; the lowest number there is if it did not ask.
        authorized_operations: i32 [3..] = i32::MIN,
    }

    /// A member of a group.
    struct DescribedGroupMember {
        /// The id that the coordinator gave it.
        member_id: Text [0..],
        /// The id it gave itself, if it is a static member.
        group_instance_id: Option<Text> [4..],
        /// Its client id.
        client_id: Text [0..],
        /// Its address.
        client_host: Text [0..],
        /// What it joined with, for the protocol in force.
        member_metadata: Bytes [0..],
        /// What the leader assigned it.
        member_assignment: Bytes [0..],
    }
}
