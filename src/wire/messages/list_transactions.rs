//! ListTransactions (key 66, KIP-664). Flexible from version 0 on.
//!
//! | version | change |
//! |---|---|
//! | 1 | request: only those that run longer than this (KIP-994) |
//! | 2 | request: only ids of this pattern (KIP-1152) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for ListTransactionsRequest {
    const KEY: ApiKey = ApiKey::ListTransactions;
    type Response = ListTransactionsResponse;
}

schema! {
    /// Asks for transactions; empty filters let all pass.
    message ListTransactionsRequest (versions 0..=2, flexible 0) {
        /// Only in these states.
        state_filters: Vec<Text> [0..],
        /// Only of these producers.
        producer_id_filters: Vec<i64> [0..],
        /// Only those that run longer than this, in milliseconds; -1 is all.
        duration_filter: i64 [1..] = -1,
        /// Only ids that this regular expression matches.
        transactional_id_pattern: Option<Text> [2..],
    }

    /// The transactions.
    message ListTransactionsResponse (versions 0..=2, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why none can be listed.
        error_code: ErrorCode [0..],
        /// The states asked for that nobody knows.
        unknown_state_filters: Vec<Text> [0..],
        /// One for each id.
        transaction_states: Vec<TransactionState> [0..],
    }

    /// A transactional id.
    struct TransactionState {
        /// The id.
        transactional_id: Text [0..],
        /// Its producer.
        producer_id: i64 [0..],
        /// How far its transaction is, in Kafka's words.
        transaction_state: Text [0..],
    }
}
