//! AddPartitionsToTxn (key 24): partitions that a transaction writes to.
//!
//! | version | change |
//! |---|---|
//! | 2 | PRODUCER_FENCED |
//! | 3 | flexible |
//! | 4 | several transactions; to verify only (KIP-890) |
//! | 5 | TRANSACTION_ABORTABLE |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    type Response = AddPartitionsToTxnResponse;
}

schema! {
    /// Adds partitions to transactions; before version 4 to one.
    message AddPartitionsToTxnRequest (versions 0..=5, flexible 3) {
        /// The transactions.
        transactions: Vec<AddPartitionsToTxnTransaction> [4..],
        /// The transactional id.
        v3_and_below_transactional_id: Text [0..=3],
        /// Its producer.
        v3_and_below_producer_id: i64 [0..=3],
        /// The producer's epoch.
        v3_and_below_producer_epoch: i16 [0..=3],
        /// The partitions.
        v3_and_below_topics: Vec<AddPartitionsToTxnTopic> [0..=3],
    }

    /// A transaction.
    struct AddPartitionsToTxnTransaction {
        /// The transactional id.
        transactional_id: Text [4..],
        /// Its producer.
        producer_id: i64 [4..],
        /// The producer's epoch.
        producer_epoch: i16 [4..],
        /// Whether the question is only if they are in it.
        verify_only: bool [4..],
        /// The partitions.
        topics: Vec<AddPartitionsToTxnTopic> [4..],
    }

    /// A topic.
    struct AddPartitionsToTxnTopic {
        /// Its name.
        name: Text [0..],
        /// Which partitions.
        partitions: Vec<i32> [0..],
    }

    /// What became of them.
    message AddPartitionsToTxnResponse (versions 0..=5, flexible 3) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why nothing was done.
        error_code: ErrorCode [4..],
        /// One for each transaction.
        results_by_transaction: Vec<AddPartitionsToTxnResult> [4..],
        /// One for each topic of the only transaction.
        results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult> [0..=3],
    }

    /// A transaction.
    struct AddPartitionsToTxnResult {
        /// The transactional id.
        transactional_id: Text [4..],
        /// One for each topic.
        topic_results: Vec<AddPartitionsToTxnTopicResult> [4..],
    }

    /// A topic.
    struct AddPartitionsToTxnTopicResult {
        /// Its name.
        name: Text [0..],
        /// One for each partition.
        results_by_partition: Vec<AddPartitionsToTxnPartitionResult> [0..],
    }

    /// A partition.
    struct AddPartitionsToTxnPartitionResult {
        /// Its index.
        partition_index: i32 [0..],
        /// Why it is not in the transaction.
        partition_error_code: ErrorCode [0..],
    }
}
