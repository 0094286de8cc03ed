//! AddOffsetsToTxn (key 25): a group whose offsets a transaction commits.
//!
//! | version | change |
//! |---|---|
//! | 2 | PRODUCER_FENCED |
//! | 3 | flexible |
//! | 4 | TRANSACTION_ABORTABLE |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for AddOffsetsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddOffsetsToTxn;
    type Response = AddOffsetsToTxnResponse;
}

schema! {
    /// Adds a group's offsets to a transaction.
    message AddOffsetsToTxnRequest (versions 0..=4, flexible 3) {
        /// The transactional id.
        transactional_id: Text [0..],
        /// Its producer.
        producer_id: i64 [0..],
        /// The producer's epoch.
        producer_epoch: i16 [0..],
        /// The group.
        group_id: Text [0..],
    }

    /// What became of it.
    message AddOffsetsToTxnResponse (versions 0..=4, flexible 3) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why they were not added.
        error_code: ErrorCode [0..],
    }
}
