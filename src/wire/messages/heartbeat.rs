//! Heartbeat (key 12): a member is still there, and learns whether its generation is.
//!
//! | version | change |
//! |---|---|
//! | 1 | response: throttle time |
//! | 3 | group instance id (KIP-345) |
//! | 4 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for HeartbeatRequest {
    const KEY: ApiKey = ApiKey::Heartbeat;
    type Response = HeartbeatResponse;
}

schema! {
    /// Still there.
    message HeartbeatRequest (versions 0..=4, flexible 4) {
        /// The group.
        group_id: Text [0..],
        /// The generation.
        generation_id: i32 [0..],
        /// The member.
        member_id: Text [0..],
        /// The id it gave itself.
        group_instance_id: Option<Text> [3..],
    }

    /// Heard.
    message HeartbeatResponse (versions 0..=4, flexible 4) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// What it should know: above all that the group rebalances.
        error_code: ErrorCode [0..],
    }
}
