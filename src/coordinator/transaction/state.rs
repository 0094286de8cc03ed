//! A transactional id: its producer, its transaction, and what may follow what.
//!
//! Plain data and plain functions: each gives the id as it would be; it is so when its record is written.

use super::{Producer, TopicPartition, TransactionError};
use std::collections::BTreeSet;

/// No producer id.
pub(super) const NO_PRODUCER_ID: i64 = -1;
/// No epoch.
pub(super) const NO_EPOCH: i16 = -1;
/// The level of `transaction.version` from which every transaction has an epoch of its own.
const EPOCH_PER_TRANSACTION: i16 = 2;
/// The last epoch that a producer works with; the one after it is for fencing that producer.
const LAST_EPOCH: i16 = i16::MAX - 1;

/// Kafka's names of the states, by its numbers for them.
pub const STATES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

/// How far a transaction is. Kafka's two others are never written: an id that is `Dead` is forgotten, and
/// `PrepareEpochFence` becomes an abort within one event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum State {
    Empty = 0,
    Ongoing = 1,
    PrepareCommit = 2,
    PrepareAbort = 3,
    CompleteCommit = 4,
    CompleteAbort = 5,
}

impl State {
    /// By Kafka's number.
    pub fn from_number(number: i8) -> Option<State> {
        Some(match number {
            0 => State::Empty,
            1 => State::Ongoing,
            2 => State::PrepareCommit,
            3 => State::PrepareAbort,
            4 => State::CompleteCommit,
            5 => State::CompleteAbort,
            _ => return None,
        })
    }

    /// Kafka's name.
    pub fn name(self) -> &'static str {
        STATES[self as usize]
    }

    /// Whether markers are being written.
    pub fn is_ending(self) -> bool {
        matches!(self, State::PrepareCommit | State::PrepareAbort)
    }

    /// Whether the end of a transaction is the last that has happened, and with which outcome.
    pub fn ended(self) -> Option<bool> {
        match self {
            State::CompleteCommit => Some(true),
            State::CompleteAbort => Some(false),
            _ => None,
        }
    }

    fn prepare(commit: bool) -> State {
        match commit {
            true => State::PrepareCommit,
            false => State::PrepareAbort,
        }
    }
}

/// An id as its record has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Transaction {
    /// The producer's id.
    pub producer_id: i64,
    /// The id before the last change.
    pub previous_producer_id: i64,
    /// The id it has been promised for when the transaction has ended.
    pub next_producer_id: i64,
    /// The producer's epoch; -1 before the first record.
    pub epoch: i16,
    /// The epoch before: whoever comes with it has missed an answer. -1 where nobody may come with it.
    pub last_epoch: i16,
    /// How long a transaction may take.
    pub timeout_ms: i32,
    /// How far the transaction is.
    pub state: State,
    /// Where it has written.
    pub partitions: BTreeSet<TopicPartition>,
    /// When it began, in milliseconds; -1 without one.
    pub started: i64,
    /// When the id was last changed, in milliseconds.
    pub updated: i64,
    /// The level of `transaction.version` that the client works with.
    pub version: i16,
}

impl Transaction {
    /// An id that nobody has written down yet.
    pub fn new(producer_id: i64, timeout_ms: i32) -> Transaction {
        Transaction {
            producer_id,
            previous_producer_id: NO_PRODUCER_ID,
            next_producer_id: NO_PRODUCER_ID,
            epoch: NO_EPOCH,
            last_epoch: NO_EPOCH,
            timeout_ms,
            state: State::Empty,
            partitions: BTreeSet::new(),
            started: -1,
            updated: -1,
            version: 0,
        }
    }

    /// The producer.
    pub fn producer(&self) -> Producer {
        Producer {
            id: self.producer_id,
            epoch: self.epoch,
        }
    }

    /// When it has taken too long, in milliseconds of the wall clock.
    pub fn deadline(&self) -> i64 {
        self.started.saturating_add(i64::from(self.timeout_ms))
    }

    /// Whether every transaction has an epoch of its own.
    pub fn bumps_epoch(&self) -> bool {
        self.version >= EPOCH_PER_TRANSACTION
    }

    /// Whether the producer needs a new id for its next epoch.
    pub fn is_exhausted(&self) -> bool {
        self.epoch >= LAST_EPOCH
    }

    /// Whether a producer that was `before` may go on with this id. It may have missed the answer that gave it a new id.
    pub fn may_go_on_after(&self, before: Producer) -> bool {
        self.epoch == NO_EPOCH
            || before.id == self.producer_id
            || (before.id == self.previous_producer_id && before.epoch >= LAST_EPOCH)
    }

    /// With the next epoch, for a producer that begins, or that goes on after an error with the epoch it had.
    ///
    /// # Errors
    /// It had an epoch of long ago.
    pub fn initialized(
        &self,
        before: Option<i16>,
        timeout_ms: i32,
        now: i64,
    ) -> Result<Transaction, TransactionError> {
        let bumped = self.epoch.saturating_add(1);
        let (epoch, last_epoch) = match before {
            None => (bumped, NO_EPOCH),
            Some(before) if self.epoch == NO_EPOCH || before == self.epoch => (bumped, self.epoch),
            // It has missed the answer. A producer that began since would have set the last epoch to -1.
            Some(before) if before == self.last_epoch => (self.epoch, self.last_epoch),
            Some(_) => return Err(TransactionError::ProducerFenced),
        };
        Ok(Transaction {
            epoch,
            last_epoch,
            ..self.emptied(timeout_ms, now)
        })
    }

    /// With a new producer id, as the old one has no more epochs.
    pub fn rotated(
        &self,
        producer_id: i64,
        goes_on: bool,
        timeout_ms: i32,
        now: i64,
    ) -> Transaction {
        Transaction {
            producer_id,
            epoch: 0,
            last_epoch: if goes_on { self.epoch } else { NO_EPOCH },
            ..self.emptied(timeout_ms, now)
        }
    }

    fn emptied(&self, timeout_ms: i32, now: i64) -> Transaction {
        Transaction {
            previous_producer_id: self.producer_id,
            next_producer_id: NO_PRODUCER_ID,
            timeout_ms,
            state: State::Empty,
            partitions: BTreeSet::new(),
            started: -1,
            updated: now,
            ..*self
        }
    }

    /// With more partitions; the transaction begins with the first.
    pub fn with_partitions(&self, added: Vec<TopicPartition>, now: i64) -> Transaction {
        let begins = self.state != State::Ongoing;
        let mut partitions = match begins {
            true => BTreeSet::new(),
            false => self.partitions.clone(),
        };
        partitions.extend(added);
        Transaction {
            previous_producer_id: self.producer_id,
            state: State::Ongoing,
            partitions,
            started: if begins { now } else { self.started },
            updated: now,
            ..*self
        }
    }

    /// About to end. A client of `version` 2 gets the next epoch; where there is none, `next_producer_id` after the end.
    pub fn prepared(
        &self,
        commit: bool,
        version: i16,
        next_producer_id: i64,
        now: i64,
    ) -> Transaction {
        let bumps = version >= EPOCH_PER_TRANSACTION;
        Transaction {
            previous_producer_id: self.producer_id,
            next_producer_id,
            epoch: self.epoch.saturating_add(i16::from(bumps)),
            last_epoch: if bumps { self.epoch } else { self.last_epoch },
            state: State::prepare(commit),
            started: if self.state == State::Ongoing {
                self.started
            } else {
                now
            },
            partitions: self.partitions.clone(),
            updated: now,
            version,
            ..*self
        }
    }

    /// About to abort, with an epoch that whoever works on it does not have. A producer of an older protocol that comes back with
    /// its epoch is fenced; a newer one learns the next from its own abort.
    pub fn fenced(&self, version: i16, now: i64) -> Transaction {
        let next = self.prepared(false, version, NO_PRODUCER_ID, now);
        match version >= EPOCH_PER_TRANSACTION {
            true => next,
            false => Transaction {
                epoch: self.epoch.saturating_add(1),
                last_epoch: NO_EPOCH,
                ..next
            },
        }
    }

    /// Ended: every partition has its marker.
    pub fn completed(&self, now: i64) -> Transaction {
        let bumps = self.bumps_epoch();
        let (producer_id, epoch) = match bumps && self.next_producer_id != NO_PRODUCER_ID {
            true => (self.next_producer_id, 0),
            false => (self.producer_id, self.epoch),
        };
        Transaction {
            producer_id,
            previous_producer_id: self.producer_id,
            next_producer_id: NO_PRODUCER_ID,
            epoch,
            last_epoch: if bumps { self.epoch } else { self.last_epoch },
            state: match self.state {
                State::PrepareCommit => State::CompleteCommit,
                _ => State::CompleteAbort,
            },
            partitions: BTreeSet::new(),
            updated: now,
            ..*self
        }
    }

    /// What it takes in memory, about, in bytes.
    pub fn bytes(&self) -> usize {
        self.partitions.iter().map(partition_bytes).sum()
    }
}

/// What a partition of a transaction takes in memory, about, and in a record at most, in bytes.
pub(super) fn partition_bytes(partition: &TopicPartition) -> usize {
    partition.0.len() + 16
}
