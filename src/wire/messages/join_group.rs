//! JoinGroup (key 11): a client becomes a member of a group, or says that it still wants to be one.
//!
//! | version | change |
//! |---|---|
//! | 1 | rebalance timeout; before it is the session timeout |
//! | 2 | response: throttle time |
//! | 4 | a new member is given its id first and comes back with it (KIP-394) |
//! | 5 | group instance id (KIP-345) |
//! | 6 | flexible |
//! | 7 | response: protocol type, nullable protocol name (KIP-559) |
//! | 8 | reason (KIP-800) |
//! | 9 | response: skip assignment (KIP-814) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};
use bytes::Bytes;

impl Request for JoinGroupRequest {
    const KEY: ApiKey = ApiKey::JoinGroup;
    type Response = JoinGroupResponse;
}

schema! {
    /// Joins a group.
    message JoinGroupRequest (versions 0..=9, flexible 6) {
        /// The group.
        group_id: Text [0..],
        /// Milliseconds of silence after which the member is out.
        session_timeout_ms: i32 [0..],
        /// Milliseconds that a rebalance waits for the member.
        rebalance_timeout_ms: i32 [1..] = -1,
        /// The id the coordinator gave it; empty at first.
        member_id: Text [0..],
        /// The id it gives itself, if it is a static member.
        group_instance_id: Option<Text> [5..],
        /// `consumer`, `connect`.
        protocol_type: Text [0..],
        /// What it can work with, the preferred first.
        protocols: Vec<JoinGroupRequestProtocol> [0..],
        /// Why it joins.
        reason: Option<Text> [8..],
    }

    /// A protocol: of consumers an assignor.
    struct JoinGroupRequestProtocol {
        /// Its name.
        name: Text [0..],
        /// What the leader must know of the member: of consumers the subscription.
        metadata: Bytes [0..],
    }

    /// The generation that the member belongs to.
    message JoinGroupResponse (versions 0..=9, flexible 6) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [2..],
        /// Why it is not a member.
        error_code: ErrorCode [0..],
        /// The generation.
        generation_id: i32 [0..] = -1,
        /// What the members have in common.
        protocol_type: Option<Text> [7..],
        /// The chosen protocol.
        protocol_name: Option<Text> [0..] nullable [7..],
        /// Member id of the leader.
        leader: Text [0..],
        /// The leader keeps the assignment there is.
        skip_assignment: bool [9..],
        /// The member's own id.
        member_id: Text [0..],
        /// All members, for the leader; nobody, for others.
        members: Vec<JoinGroupResponseMember> [0..],
    }

    /// A member.
    struct JoinGroupResponseMember {
        /// Its id.
        member_id: Text [0..],
        /// The id it gave itself.
        group_instance_id: Option<Text> [5..],
        /// Its metadata for the chosen protocol.
        metadata: Bytes [0..],
    }
}
