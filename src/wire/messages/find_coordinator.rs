//! FindCoordinator (key 10): which broker coordinates a group or a transaction.
//!
//! | version | change |
//! |---|---|
//! | 1 | request: key type; response: throttle time, error message |
//! | 3 | flexible |
//! | 4 | many keys at once (KIP-699) |
//! | 5, 6 | TRANSACTION_ABORTABLE; share groups |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    type Response = FindCoordinatorResponse;
}

schema! {
    /// Asks for coordinators.
    message FindCoordinatorRequest (versions 0..=6, flexible 3) {
        /// The key, before version 4.
        key: Text [0..=3],
        /// 0: keys are groups, 1: transactional ids, 2: share groups.
        key_type: i8 [1..],
        /// The keys.
        coordinator_keys: Vec<Text> [4..],
    }

    /// The coordinators; before version 4 its fields but the last describe the only one.
    message FindCoordinatorResponse (versions 0..=6, flexible 3) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// Why there is none.
        error_code: ErrorCode [0..=3],
        /// The same in words.
        error_message: Option<Text> [1..=3],
        /// Its node id.
        node_id: i32 [0..=3],
        /// Its host.
        host: Text [0..=3],
        /// Its port.
        port: i32 [0..=3],
        /// One for each key.
        coordinators: Vec<Coordinator> [4..],
    }

    /// The coordinator of one key.
    struct Coordinator {
        /// The key.
        key: Text [4..],
        /// Its node id.
        node_id: i32 [4..],
        /// Its host.
        host: Text [4..],
        /// Its port.
        port: i32 [4..],
        /// Why there is none.
        error_code: ErrorCode [4..],
        /// The same in words.
        error_message: Option<Text> [4..],
    }
}
