//! What an event amounts to: effects in order, and what is to follow once a write is done.

use super::state::Transaction;
use super::{
    Effect, Errand, LogRecord, RequestId, TransactionAnswer, TransactionError, WriteFault, WriteId,
};
use std::collections::BTreeMap;

/// A change of an id that is on its way to the log.
#[derive(Debug)]
pub(super) struct Pending {
    /// The id as it will be; `None` if it is forgotten.
    pub next: Option<Transaction>,
    /// Who waits for it.
    pub waits: Waiting,
}

/// Who waits for a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waiting {
    /// Nobody.
    Nobody,
    /// A producer that begins.
    Initialized(RequestId),
    /// A producer that begins, and has to come again when another one's transaction is aborted.
    Fenced(RequestId),
    /// A producer that writes.
    Added(RequestId),
    /// A producer that ends its transaction.
    Ended(RequestId),
}

impl Waiting {
    /// The request that waits, with the answer no.
    pub fn refused(self, error: TransactionError) -> Option<(RequestId, TransactionAnswer)> {
        Some(match self {
            Waiting::Nobody => return None,
            Waiting::Initialized(id) | Waiting::Fenced(id) => {
                (id, TransactionAnswer::Initialized(Err(error)))
            }
            Waiting::Added(id) => (id, TransactionAnswer::Added(Err(error))),
            Waiting::Ended(id) => (id, TransactionAnswer::Ended(Err(error))),
        })
    }
}

/// Effects, and the writes that are on their way, with the ids that they change.
#[derive(Default, Debug)]
pub(super) struct Outbox {
    effects: Vec<Effect>,
    writes: BTreeMap<WriteId, Vec<String>>,
    next_write: u64,
}

impl Outbox {
    /// Answers a request.
    pub fn answer(&mut self, request: RequestId, answer: TransactionAnswer) {
        self.effects.push(Effect::Answer(request, answer));
    }

    /// Answers whoever waits with a no.
    pub fn refuse(&mut self, waits: Waiting, error: TransactionError) {
        if let Some((request, answer)) = waits.refused(error) {
            self.answer(request, answer);
        }
    }

    /// Has something done elsewhere.
    pub fn errand(&mut self, errand: Errand) {
        self.effects.push(Effect::Errand(errand));
    }

    /// Has records of these ids written.
    pub fn write(&mut self, ids: Vec<String>, records: Vec<LogRecord>) {
        let id = WriteId(self.next_write);
        self.next_write += 1;
        self.writes.insert(id, ids);
        self.effects.push(Effect::Write(id, records));
    }

    /// Which ids a write changes.
    pub fn done(&mut self, id: WriteId) -> Vec<String> {
        self.writes.remove(&id).unwrap_or_default()
    }

    /// Nobody will tell of the writes any more.
    pub fn abandon(&mut self) {
        self.writes.clear();
    }

    /// The effects so far.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}

/// The error for whoever waited for a change that was not written.
pub(super) fn fault(fault: WriteFault) -> TransactionError {
    match fault {
        WriteFault::TooLarge => TransactionError::StateTooLarge,
        WriteFault::Fenced | WriteFault::Storage => TransactionError::CoordinatorNotAvailable,
    }
}
