//! EndTxn (key 26): a transaction is committed or aborted.
//!
//! | version | change |
//! |---|---|
//! | 2 | PRODUCER_FENCED |
//! | 3 | flexible |
//! | 4 | TRANSACTION_ABORTABLE |
//! | 5 | response: the producer from now on, as every transaction has an epoch of its own (KIP-890) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for EndTxnRequest {
    const KEY: ApiKey = ApiKey::EndTxn;
    type Response = EndTxnResponse;
}

schema! {
    /// Ends a transaction.
    message EndTxnRequest (versions 0..=5, flexible 3) {
        /// The transactional id.
        transactional_id: Text [0..],
        /// Its producer.
        producer_id: i64 [0..],
        /// The producer's epoch.
        producer_epoch: i16 [0..],
        /// Whether it is committed.
        committed: bool [0..],
    }

    /// What became of it.
    message EndTxnResponse (versions 0..=5, flexible 3) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why it does not end so.
        error_code: ErrorCode [0..],
        /// The producer's id from now on, or -1.
        producer_id: i64 [5..] = -1,
        /// Its epoch from now on, or -1.
        producer_epoch: i16 [5..] = -1,
    }
}
