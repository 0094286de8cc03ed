//! InitProducerId: a producer takes a transactional id, and whoever had it before is fenced.

use super::coordinator::{Coordinator, Decided};
use super::outbox::Waiting;
use super::state::{State, Transaction};
use super::{InitializeRequest, Now, Producer, RequestId, TransactionError};
use crate::limits::{TRANSACTION_BYTES_PER_COORDINATOR, TRANSACTIONAL_IDS_PER_COORDINATOR};

/// What an id becomes, and how whoever asked waits for it.
type Successor = (Transaction, fn(RequestId) -> Waiting);

impl Coordinator {
    pub(super) fn initialize(
        &mut self,
        now: Now,
        request: RequestId,
        initialize: &InitializeRequest,
    ) -> Decided {
        let id = &initialize.transactional_id;
        let allowed = 1..=self.settings.max_timeout_ms;
        let refused = if id.is_empty() {
            Some(TransactionError::InvalidRequest)
        } else if !allowed.contains(&initialize.timeout_ms) {
            Some(TransactionError::InvalidTransactionTimeout)
        } else {
            None
        };
        if let Some(error) = refused {
            self.out.refuse(Waiting::Initialized(request), error);
            return Decided::Done;
        }
        if !self.ids.contains_key(id) {
            if !self.has_room_for(id) {
                let full = TransactionError::CoordinatorNotAvailable;
                self.out.refuse(Waiting::Initialized(request), full);
                return Decided::Done;
            }
            let Some(producer_id) = self.stock.pop() else {
                return Decided::NeedsProducerId;
            };
            self.set(
                id,
                Some(Transaction::new(producer_id, initialize.timeout_ms)),
            );
        }
        match self.successor(now, initialize) {
            Ok(Some((next, waits))) => self.change(id, next, waits(request)),
            Ok(None) => return Decided::NeedsProducerId,
            Err(error) => self.out.refuse(Waiting::Initialized(request), error),
        }
        Decided::Done
    }

    /// What the id becomes, and how its answer is waited for; `None` if that takes a new producer id.
    fn successor(
        &mut self,
        now: Now,
        initialize: &InitializeRequest,
    ) -> Result<Option<Successor>, TransactionError> {
        let entry = &self.ids[&initialize.transactional_id];
        let (current, before) = (&entry.current, initialize.before);
        if entry.pending.is_some() {
            return Err(TransactionError::ConcurrentTransactions);
        }
        if before.is_some_and(|before| !current.may_go_on_after(before)) {
            return Err(TransactionError::ProducerFenced);
        }
        let (timeout_ms, at) = (initialize.timeout_ms, now.wall.0);
        match current.state {
            State::PrepareCommit | State::PrepareAbort => {
                Err(TransactionError::ConcurrentTransactions)
            }
            // The next epoch is nobody's: the producer comes again and gets the one after it.
            State::Ongoing => {
                let next = current.fenced(self.settings.version, at);
                Ok(Some((next, Waiting::Fenced)))
            }
            State::Empty | State::CompleteCommit | State::CompleteAbort => {
                let same = before.is_none_or(|Producer { epoch, .. }| epoch == current.epoch);
                if !(current.is_exhausted() && same) {
                    let before = before.map(|before| before.epoch);
                    let next = current.initialized(before, timeout_ms, at)?;
                    return Ok(Some((next, Waiting::Initialized)));
                }
                let Some(producer_id) = self.stock.pop() else {
                    return Ok(None);
                };
                let next = current.rotated(producer_id, before.is_some(), timeout_ms, at);
                Ok(Some((next, Waiting::Initialized)))
            }
        }
    }

    /// Whether another id may come; those that nobody uses make room when they expire.
    fn has_room_for(&self, id: &str) -> bool {
        self.ids.len() < TRANSACTIONAL_IDS_PER_COORDINATOR
            && self.bytes + id.len() <= TRANSACTION_BYTES_PER_COORDINATOR
    }
}
