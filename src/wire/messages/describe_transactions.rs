//! DescribeTransactions (key 65, KIP-664). Version 0, flexible.

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DescribeTransactionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
    type Response = DescribeTransactionsResponse;
}

schema! {
    /// Transactional ids that are asked for.
    message DescribeTransactionsRequest (versions 0..=0, flexible 0) {
        /// The ids.
        transactional_ids: Vec<Text> [0..],
    }

    /// Their transactions.
    message DescribeTransactionsResponse (versions 0..=0, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// One for each id.
        transaction_states: Vec<TransactionState> [0..],
    }

    /// A transactional id.
    struct TransactionState {
        /// Why nothing can be told of it.
        error_code: ErrorCode [0..],
        /// The id.
        transactional_id: Text [0..],
        /// How far its transaction is, in Kafka's words.
        transaction_state: Text [0..],
        /// How long it may take, in milliseconds.
        transaction_timeout_ms: i32 [0..],
        /// When it began, in milliseconds.
        transaction_start_time_ms: i64 [0..],
        /// Its producer.
        producer_id: i64 [0..],
        /// The producer's epoch.
        producer_epoch: i16 [0..],
        /// What it has written to.
        topics: Vec<TopicData> [0..],
    }

    /// A topic in a transaction.
    struct TopicData {
        /// Its name.
        topic: Text [0..],
        /// Its partitions.
        partitions: Vec<i32> [0..],
    }
}
