//! SyncGroup (key 14): the leader hands out the assignment of a generation, every member gets its share.
//!
//! | version | change |
//! |---|---|
//! | 1 | response: throttle time |
//! | 3 | group instance id (KIP-345) |
//! | 4 | flexible |
//! | 5 | protocol type and name (KIP-559) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};
use bytes::Bytes;

impl Request for SyncGroupRequest {
    const KEY: ApiKey = ApiKey::SyncGroup;
    type Response = SyncGroupResponse;
}

schema! {
    /// Asks for an assignment.
    message SyncGroupRequest (versions 0..=5, flexible 4) {
        /// The group.
        group_id: Text [0..],
        /// The generation.
        generation_id: i32 [0..],
        /// The member.
        member_id: Text [0..],
        /// The id it gave itself.
        group_instance_id: Option<Text> [3..],
        /// What it takes for the group's protocol type.
        protocol_type: Option<Text> [5..],
        /// What it takes for the chosen protocol.
        protocol_name: Option<Text> [5..],
        /// From the leader: who gets what.
        assignments: Vec<SyncGroupRequestAssignment> [0..],
    }

    /// A member's share.
    struct SyncGroupRequestAssignment {
        /// The member.
        member_id: Text [0..],
        /// What it gets.
        assignment: Bytes [0..],
    }

    /// The member's share.
    message SyncGroupResponse (versions 0..=5, flexible 4) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// Why there is none.
        error_code: ErrorCode [0..],
        /// The group's protocol type.
        protocol_type: Option<Text> [5..],
        /// The chosen protocol.
        protocol_name: Option<Text> [5..],
        /// What it gets.
        assignment: Bytes [0..],
    }
}
