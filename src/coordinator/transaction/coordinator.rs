//! All transactional ids of one partition of `__transaction_state`: events in, effects out.

use super::outbox::{Outbox, Pending, Waiting, fault};
use super::records;
use super::settings::TransactionSettings;
use super::state::{NO_EPOCH, State, Transaction};
use super::{
    Effect, Ending, Errand, LogRecord, Now, Producer, ProducerClaim, RequestId, StateMachine,
    TransactionAnswer, TransactionError, TransactionRequest, WriteFault, WriteId,
};
use crate::coordinator::RecordError;
use crate::wire::transaction_records::{TransactionLogKey, TransactionLogValue};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An id: what was written of it last, and what is being written.
#[derive(Debug)]
pub(super) struct Entry {
    pub current: Transaction,
    pub pending: Option<Pending>,
}

/// The coordinator of one partition.
#[derive(Debug)]
pub struct Coordinator {
    pub(super) settings: TransactionSettings,
    /// By transactional id.
    pub(super) ids: BTreeMap<String, Entry>,
    /// What the ids and their partitions take, about, in bytes.
    pub(super) bytes: usize,
    /// Open transactions by the time at which they have taken too long, in milliseconds of the wall clock.
    pub(super) open: BTreeSet<(i64, String)>,
    /// Ids whose transactions have ended in every partition, which could not be written down.
    pub(super) unfinished: BTreeSet<String>,
    /// Producer ids to give away.
    pub(super) stock: Vec<i64>,
    /// Requests that wait for a producer id.
    parked: VecDeque<(RequestId, TransactionRequest)>,
    pub(super) out: Outbox,
    pub(super) next_abort_check_ms: u64,
    pub(super) next_expiry_check_ms: u64,
    /// Ids that are still to be looked at in this check for expired ones.
    pub(super) to_check: VecDeque<String>,
}

/// What a request has come to, besides what has been answered.
pub(super) enum Decided {
    /// Done.
    Done,
    /// It needs a producer id, and there is none in stock.
    NeedsProducerId,
}

impl StateMachine for Coordinator {
    type Settings = TransactionSettings;
    type Request = TransactionRequest;
    type Answer = TransactionAnswer;
    type Errand = Errand;
    const SUBJECTS: &'static str = "transactions";

    fn new(settings: TransactionSettings) -> Coordinator {
        Coordinator {
            settings,
            ids: BTreeMap::new(),
            bytes: 0,
            open: BTreeSet::new(),
            unfinished: BTreeSet::new(),
            stock: Vec::new(),
            parked: VecDeque::new(),
            out: Outbox::default(),
            next_abort_check_ms: 0,
            next_expiry_check_ms: 0,
            to_check: VecDeque::new(),
        }
    }

    fn set_settings(&mut self, settings: TransactionSettings) {
        self.settings = settings;
    }

    fn replay(&mut self, record: LogRecord, _: Option<Producer>) -> Result<(), RecordError> {
        let Some(key) = TransactionLogKey::decode_key(record.key)? else {
            return Ok(());
        };
        let value = record.value.map(TransactionLogValue::decode_value);
        let read = value.transpose()?.as_ref().and_then(records::read);
        self.set(&key.transactional_id, read);
        Ok(())
    }

    fn transaction_ended(&mut self, _: i64, _: bool) {}

    /// What was prepared is completed.
    fn loaded(&mut self, now: Now) -> Vec<Effect> {
        self.next_abort_check_ms = now.monotonic_ms + self.settings.abort_check_interval_ms;
        self.next_expiry_check_ms = now.monotonic_ms + self.settings.expiry_check_interval_ms;
        let ending = |(_, entry): &(&String, &Entry)| entry.current.state.is_ending();
        let prepared: Vec<String> = self
            .ids
            .iter()
            .filter(ending)
            .map(|(id, _)| id.clone())
            .collect();
        for id in prepared {
            self.send_markers(&id);
        }
        self.out.take()
    }

    fn handle(&mut self, now: Now, id: RequestId, request: TransactionRequest) -> Vec<Effect> {
        self.decide(now, id, request);
        self.out.take()
    }

    fn written(&mut self, now: Now, id: WriteId, outcome: Result<(), WriteFault>) -> Vec<Effect> {
        for id in self.out.done(id) {
            let pending = self.ids.get_mut(&id).and_then(|entry| entry.pending.take());
            let Some(pending) = pending else { continue };
            match outcome {
                Ok(()) => self.changed(now, &id, pending),
                Err(failed) => self.not_changed(&id, pending, failed),
            }
        }
        self.out.take()
    }

    fn tick(&mut self, now: Now) -> Vec<Effect> {
        self.abort_what_takes_too_long(now);
        self.forget_what_nobody_uses(now);
        self.out.take()
    }

    fn next_deadline(&self) -> Option<u64> {
        let due = !(self.open.is_empty() && self.unfinished.is_empty());
        let abort = due.then_some(self.next_abort_check_ms);
        let expiry = match self.to_check.is_empty() {
            true => (!self.ids.is_empty()).then_some(self.next_expiry_check_ms),
            false => Some(0),
        };
        abort.into_iter().chain(expiry).min()
    }

    fn unload(&mut self) -> Vec<Effect> {
        let unavailable = TransactionError::CoordinatorNotAvailable;
        self.refuse_parked();
        self.out.abandon();
        for entry in std::mem::take(&mut self.ids).into_values() {
            if let Some(pending) = entry.pending {
                self.out.refuse(pending.waits, unavailable);
            }
        }
        self.open.clear();
        self.unfinished.clear();
        self.out.take()
    }
}

impl Coordinator {
    /// A producer id that was asked for, or none can be had.
    pub fn producer_id(&mut self, now: Now, got: Option<i64>) -> Vec<Effect> {
        match got {
            None => self.refuse_parked(),
            Some(producer_id) => {
                self.stock.push(producer_id);
                if let Some((id, request)) = self.parked.pop_front() {
                    self.decide(now, id, request);
                }
            }
        }
        self.out.take()
    }

    /// Every partition has the marker that was asked for.
    pub fn markers_written(&mut self, now: Now, ended: &Ending) -> Vec<Effect> {
        let id = &ended.transactional_id;
        if let Some(entry) = self.ids.get(id)
            && entry.current.state.is_ending()
            && entry.current.producer() == ended.producer
            && entry.pending.is_none()
        {
            let next = entry.current.completed(now.wall.0);
            self.change(id, next, Waiting::Nobody);
        }
        self.out.take()
    }

    fn decide(&mut self, now: Now, id: RequestId, request: TransactionRequest) {
        let decided = match &request {
            TransactionRequest::Initialize(initialize) => self.initialize(now, id, initialize),
            TransactionRequest::End(end) => self.end(now, id, end),
            TransactionRequest::Add(claim, partitions) => {
                self.add(now, id, claim, partitions);
                Decided::Done
            }
            TransactionRequest::Verify(claim, partitions) => {
                let verified = self.verify(claim, partitions);
                self.out.answer(id, TransactionAnswer::Verified(verified));
                Decided::Done
            }
            TransactionRequest::Describe { transactional_id } => {
                let described = self.describe(transactional_id);
                self.out.answer(id, TransactionAnswer::Described(described));
                Decided::Done
            }
            TransactionRequest::List(filter) => {
                let listed = self.list(now, filter);
                self.out.answer(id, TransactionAnswer::Listed(listed));
                Decided::Done
            }
        };
        if let Decided::NeedsProducerId = decided {
            self.parked.push_back((id, request));
            self.out.errand(Errand::ProducerId);
        }
    }

    fn refuse_parked(&mut self) {
        for (id, request) in std::mem::take(&mut self.parked) {
            let waits = match request {
                TransactionRequest::End(_) => Waiting::Ended(id),
                _ => Waiting::Initialized(id),
            };
            let unavailable = TransactionError::CoordinatorNotAvailable;
            self.out.refuse(waits, unavailable);
        }
    }

    /// The id that a producer works with.
    ///
    /// # Errors
    /// There is none, or it is another producer's.
    pub(super) fn of(&self, claim: &ProducerClaim) -> Result<&Entry, TransactionError> {
        if claim.transactional_id.is_empty() {
            return Err(TransactionError::InvalidRequest);
        }
        let entry = self.ids.get(&claim.transactional_id);
        entry.ok_or(TransactionError::InvalidProducerIdMapping)
    }

    /// Has it written that an id becomes `next`.
    pub(super) fn change(&mut self, id: &str, next: Transaction, waits: Waiting) {
        let record = records::record(id, &next, self.settings.version);
        if let Some(entry) = self.ids.get_mut(id) {
            entry.pending = Some(Pending {
                next: Some(next),
                waits,
            });
            self.out.write(vec![id.to_owned()], vec![record]);
        }
    }

    /// A change has been written.
    fn changed(&mut self, now: Now, id: &str, pending: Pending) {
        let Pending { next, waits } = pending;
        let producer = next.as_ref().map(Transaction::producer);
        let ended = next
            .as_ref()
            .map(|next| next.completed(now.wall.0).producer());
        self.set(id, next);
        match (waits, producer, ended) {
            (Waiting::Initialized(request), Some(producer), _) => {
                let initialized = TransactionAnswer::Initialized(Ok(producer));
                self.out.answer(request, initialized);
            }
            (Waiting::Ended(request), _, Some(producer)) => {
                self.out
                    .answer(request, TransactionAnswer::Ended(Ok(producer)));
            }
            (Waiting::Added(request), ..) => {
                self.out.answer(request, TransactionAnswer::Added(Ok(())));
            }
            // It comes again, and then the abort is complete.
            _ => self
                .out
                .refuse(waits, TransactionError::ConcurrentTransactions),
        }
        self.send_markers(id);
    }

    /// A change could not be written: the id is as it was, and one that was never written is none.
    fn not_changed(&mut self, id: &str, pending: Pending, failed: WriteFault) {
        let current = self.ids.get(id).map(|entry| &entry.current);
        let never_written = current.is_some_and(|current| current.epoch == NO_EPOCH);
        if current.is_some_and(|current| current.state.is_ending()) {
            self.unfinished.insert(id.to_owned());
        }
        if never_written {
            self.set(id, None);
        }
        self.out.refuse(pending.waits, fault(failed));
    }

    /// An id is what was written of it.
    pub(super) fn set(&mut self, id: &str, next: Option<Transaction>) {
        if let Some(before) = self.ids.remove(id) {
            self.bytes -= id.len() + before.current.bytes();
            if before.current.state == State::Ongoing {
                self.open
                    .remove(&(before.current.deadline(), id.to_owned()));
            }
        }
        let Some(current) = next else { return };
        self.bytes += id.len() + current.bytes();
        if current.state == State::Ongoing {
            self.open.insert((current.deadline(), id.to_owned()));
        }
        let pending = None;
        self.ids.insert(id.to_owned(), Entry { current, pending });
    }

    /// Has markers written if the id is about to end its transaction.
    pub(super) fn send_markers(&mut self, id: &str) {
        let Some(Entry { current, .. }) = self.ids.get(id) else {
            return;
        };
        if current.state.is_ending() {
            self.out.errand(Errand::Markers(Ending {
                transactional_id: id.to_owned(),
                producer: current.producer(),
                commit: current.state == State::PrepareCommit,
                version: current.version,
                partitions: current.partitions.iter().cloned().collect(),
            }));
        }
    }
}
