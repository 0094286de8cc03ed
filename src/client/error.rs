//! What can go wrong between a client and a cluster, each with the address and the request it happened to.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::wire::ErrorCode;
use crate::wire::WireError;

/// A failure of the client. The display text is a sentence for whoever typed the command.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The address is not `HOST:PORT`, or its host has no address.
    #[error("cannot find {address}: {source}")]
    Resolve {
        /// As it was given.
        address: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// Nobody accepts connections there, or not in time.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// As it was given, or as the broker advertises it.
        address: String,
        /// Of the last address tried.
        source: io::Error,
    },
    /// Sending or receiving failed on an open connection.
    #[error("lost the connection to {address} while {doing}: {source}")]
    Io {
        /// The broker's.
        address: String,
        /// `sending Produce`, `waiting for the answer to Fetch`.
        doing: String,
        /// What the system says.
        source: io::Error,
    },
    /// The broker closed the connection in place of an answer.
    #[error("{address} closed the connection while {doing}")]
    Closed {
        /// The broker's.
        address: String,
        /// See [`ClientError::Io::doing`].
        doing: String,
    },
    /// No answer in time.
    #[error("no answer from {address} within {} ms while {doing}", waited.as_millis())]
    TimedOut {
        /// The broker's.
        address: String,
        /// See [`ClientError::Io::doing`].
        doing: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The answer is no answer of Kafka's protocol.
    #[error("{address} answers {api} with something else than Kafka's protocol: {reason}")]
    Protocol {
        /// The broker's.
        address: String,
        /// The API's name.
        api: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The broker and we have no version of an API in common.
    #[error("{address} serves {api} only in versions {theirs}; ours are {ours}")]
    NoCommonVersion {
        /// The broker's.
        address: String,
        /// The API's name.
        api: &'static str,
        /// `4-17`, or `none`.
        theirs: String,
        /// `0-3`.
        ours: String,
    },
    /// The broker understood and says no.
    #[error("{what}: {}", broker_words(*.code, .message.as_deref()))]
    Broker {
        /// What was refused: `topic orders`, `orders-3`.
        what: String,
        /// Kafka's error code.
        code: ErrorCode,
        /// What the broker adds.
        message: Option<String>,
    },
    /// There is no such topic.
    #[error("there is no topic {topic}")]
    NoSuchTopic {
        /// The name asked for.
        topic: String,
    },
    /// The topic was deleted and created anew while we read it.
    #[error("topic {topic} was deleted and created anew: what follows is another topic's")]
    TopicReplaced {
        /// Its name.
        topic: String,
    },
    /// The partition has no leader now.
    #[error("{topic}-{partition} has no leader at the moment")]
    NoLeader {
        /// The topic's name.
        topic: String,
        /// The partition's index.
        partition: i32,
    },
    /// There is no such partition.
    #[error("{topic} has no partition {partition}: it has {count}, counted from 0")]
    NoSuchPartition {
        /// The topic's name.
        topic: String,
        /// The index asked for.
        partition: i32,
        /// How many there are.
        count: usize,
    },
    /// The position asked for is not in the log (any more, or yet).
    #[error(
        "offset {offset} of {topic}-{partition} is out of range: the log has {earliest} up to {latest}"
    )]
    OffsetOutOfRange {
        /// The topic's name.
        topic: String,
        /// The partition's index.
        partition: i32,
        /// What was asked for.
        offset: i64,
        /// The log start offset.
        earliest: i64,
        /// The high watermark: the offset the next record will have.
        latest: i64,
    },
    /// A record batch from the broker is damaged.
    #[error("a batch of {topic}-{partition} near offset {offset} is damaged: {reason}")]
    Batch {
        /// The topic's name.
        topic: String,
        /// The partition's index.
        partition: i32,
        /// Where we were reading.
        offset: i64,
        /// What is wrong.
        reason: String,
    },
    /// A retriable failure went on until the time was up.
    #[error("gave up after {} ms: {last}", after.as_millis())]
    GaveUp {
        /// How long was tried.
        after: Duration,
        /// The last failure.
        last: Box<ClientError>,
    },
}

impl ClientError {
    /// Whether the same request may well succeed later, or at another broker.
    pub fn is_retriable(&self) -> bool {
        match self {
            ClientError::Connect { .. }
            | ClientError::Io { .. }
            | ClientError::Closed { .. }
            | ClientError::NoLeader { .. } => true,
            ClientError::Broker { code, .. } => code.is_retriable(),
            _ => false,
        }
    }

    /// Whether the connection is of no more use.
    pub fn breaks_connection(&self) -> bool {
        matches!(
            self,
            ClientError::Io { .. }
                | ClientError::Closed { .. }
                | ClientError::TimedOut { .. }
                | ClientError::Protocol { .. }
        )
    }

    /// Kafka's error code, where the broker gave one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Broker { code, .. } => Some(*code),
            ClientError::GaveUp { last, .. } => last.code(),
            _ => None,
        }
    }

    pub(super) fn wire(address: &str, api: &'static str, error: &WireError) -> ClientError {
        ClientError::Protocol {
            address: address.to_owned(),
            api,
            reason: error.to_string(),
        }
    }
}

/// The broker's own words if it has any, then the code by name and number.
fn broker_words(code: ErrorCode, message: Option<&str>) -> String {
    match message {
        Some(message) if !message.is_empty() => format!("{message} ({code})"),
        _ => format!("{} ({code})", code.message()),
    }
}
