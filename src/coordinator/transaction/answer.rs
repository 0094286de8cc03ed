//! What a transaction's coordinator answers, free of the wire's versions. `api` gives errors their codes.

use super::{Producer, TopicPartition};

/// What the shard must do for a transaction's coordinator.
pub type Effect = crate::coordinator::Effect<TransactionAnswer, Errand>;

/// What the coordinator wants done elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Errand {
    /// Get a producer id that nobody has had; answered by [`Coordinator::producer_id`](super::Coordinator::producer_id).
    ProducerId,
    /// Write the end of a transaction into its partitions, for as long as it takes; answered by
    /// [`Coordinator::markers_written`](super::Coordinator::markers_written).
    Markers(Ending),
}

/// A transaction that ends: what its markers say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// Whose.
    pub transactional_id: String,
    /// The producer; a partition that has the marker takes nothing more of a lower epoch.
    pub producer: Producer,
    /// Commit, or abort.
    pub commit: bool,
    /// The level of `transaction.version` that the transaction is of.
    pub version: i16,
    /// Where the transaction has written.
    pub partitions: Vec<TopicPartition>,
}

/// Answers, one kind a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransactionAnswer {
    /// To [`TransactionRequest::Initialize`](super::TransactionRequest::Initialize): who the producer is.
    Initialized(Result<Producer, TransactionError>),
    /// To [`TransactionRequest::Add`](super::TransactionRequest::Add).
    Added(Result<(), TransactionError>),
    /// To [`TransactionRequest::Verify`](super::TransactionRequest::Verify): an outcome for each partition, in order.
    Verified(Result<Vec<Result<(), TransactionError>>, TransactionError>),
    /// To [`TransactionRequest::End`](super::TransactionRequest::End): who the producer is from now on.
    Ended(Result<Producer, TransactionError>),
    /// To [`TransactionRequest::Describe`](super::TransactionRequest::Describe).
    Described(Result<TransactionDescription, TransactionError>),
    /// To [`TransactionRequest::List`](super::TransactionRequest::List).
    Listed(Vec<TransactionListing>),
}

/// A transaction in full.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionDescription {
    /// Kafka's name of the state.
    pub state: &'static str,
    /// The producer.
    pub producer: Producer,
    /// How long it may take.
    pub timeout_ms: i32,
    /// When it began, in milliseconds; -1 for no transaction.
    pub started: i64,
    /// Where it has written.
    pub partitions: Vec<TopicPartition>,
}

/// A transaction in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionListing {
    /// The transactional id.
    pub transactional_id: String,
    /// The producer's id.
    pub producer_id: i64,
    /// Kafka's name of the state.
    pub state: &'static str,
}

/// Why a coordinator says no. The names are Kafka's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "each is Kafka's error of the same name; the text says it"
)]
pub enum TransactionError {
    #[error("the request is not valid")]
    InvalidRequest,
    #[error("the timeout is not within 1 and transaction.max.timeout.ms")]
    InvalidTransactionTimeout,
    #[error("the transactional id is busy with a change or an end that is not complete")]
    ConcurrentTransactions,
    #[error("a newer producer has taken the transactional id")]
    ProducerFenced,
    #[error("the producer id is not that of the transactional id")]
    InvalidProducerIdMapping,
    #[error("the transaction's state does not allow that")]
    InvalidTransactionState,
    #[error("the partition is not in the transaction")]
    TransactionAbortable,
    #[error("there is no such transactional id")]
    TransactionalIdNotFound,
    #[error("the transaction is too large for one record of __transaction_state")]
    StateTooLarge,
    #[error("the transaction's state cannot be written down")]
    CoordinatorNotAvailable,
}
