//! LeaveGroup (key 13): members leave a group, or are put out of it.
//!
//! | version | change |
//! |---|---|
//! | 1 | response: throttle time |
//! | 3 | several members at once, static ones by their instance id (KIP-345) |
//! | 4 | flexible |
//! | 5 | reason (KIP-800) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for LeaveGroupRequest {
    const KEY: ApiKey = ApiKey::LeaveGroup;
    type Response = LeaveGroupResponse;
}

schema! {
    /// Leaves a group.
    message LeaveGroupRequest (versions 0..=5, flexible 4) {
        /// The group.
        group_id: Text [0..],
        /// The member, before version 3.
        member_id: Text [0..=2],
        /// The members.
        members: Vec<MemberIdentity> [3..],
    }

    /// A member.
    struct MemberIdentity {
        /// Its id; empty where the instance id says who it is.
        member_id: Text [3..],
        /// The id it gave itself.
        group_instance_id: Option<Text> [3..],
        /// Why it leaves.
        reason: Option<Text> [5..],
    }

    /// What became of it.
    message LeaveGroupResponse (versions 0..=5, flexible 4) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// Why nobody has left.
        error_code: ErrorCode [0..],
        /// One for each member.
        members: Vec<MemberResponse> [3..],
    }

    /// What became of a member.
    struct MemberResponse {
        /// Its id.
        member_id: Text [3..],
        /// The id it gave itself.
        group_instance_id: Option<Text> [3..],
        /// Why it has not left.
        error_code: ErrorCode [3..],
    }
}
