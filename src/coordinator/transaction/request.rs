//! What producers and administrators ask of a transaction, free of the wire's versions.

use super::Producer;
use regex_lite::Regex;
use std::collections::BTreeSet;

/// A topic and a partition of it.
pub type TopicPartition = (String, i32);

/// What is asked. Every request gets exactly one [`TransactionAnswer`](super::TransactionAnswer) of the same kind.
#[derive(Clone, Debug)]
pub enum TransactionRequest {
    /// Who am I, from now on: InitProducerId with a transactional id.
    Initialize(InitializeRequest),
    /// The transaction writes there too: AddPartitionsToTxn, AddOffsetsToTxn, Produce and TxnOffsetCommit of newer producers.
    Add(ProducerClaim, Vec<TopicPartition>),
    /// Does the transaction write there: AddPartitionsToTxn to verify, Produce and TxnOffsetCommit of older producers.
    Verify(ProducerClaim, Vec<TopicPartition>),
    /// Commit or abort: EndTxn.
    End(EndRequest),
    /// What the transaction looks like: DescribeTransactions.
    Describe {
        /// The transactional id.
        transactional_id: String,
    },
    /// All ids of the coordinator that fit: ListTransactions.
    List(ListFilter),
}

/// Who says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerClaim {
    /// The transactional id.
    pub transactional_id: String,
    /// What the producer takes itself for.
    pub producer: Producer,
}

/// InitProducerId.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InitializeRequest {
    /// The transactional id.
    pub transactional_id: String,
    /// How long a transaction may take.
    pub timeout_ms: i32,
    /// What a producer that goes on after an error was (KIP-360).
    pub before: Option<Producer>,
}

/// EndTxn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndRequest {
    /// Who.
    pub claim: ProducerClaim,
    /// Commit, or abort.
    pub commit: bool,
    /// The client takes a new epoch with the answer (EndTxn version 5, `transaction.version` 2).
    pub takes_epoch: bool,
}

/// Which transactions are listed; empty sets let all pass.
#[derive(Clone, Default, Debug)]
pub struct ListFilter {
    /// Kafka's names of the states.
    pub states: BTreeSet<String>,
    /// Ids of producers.
    pub producer_ids: BTreeSet<i64>,
    /// Only those that began longer ago than this.
    pub longer_than_ms: Option<i64>,
    /// Only ids that this matches as a whole.
    pub pattern: Option<Regex>,
}
