//! EndTxn: commit or abort, once, however often it is asked for.
//!
//! With `transaction.version` 2 every transaction has an epoch of its own: the answer brings the next one, and a producer that comes
//! with the epoch before has missed that answer.

use super::coordinator::{Coordinator, Decided, Entry};
use super::outbox::Waiting;
use super::state::{NO_PRODUCER_ID, State, Transaction};
use super::{EndRequest, Now, Producer, RequestId, TransactionAnswer, TransactionError};

/// What is to be done about an EndTxn.
enum Verdict {
    /// The transaction ends.
    End,
    /// It has ended so already: the answer is given again.
    Ended,
}

impl Coordinator {
    pub(super) fn end(&mut self, now: Now, request: RequestId, end: &EndRequest) -> Decided {
        let version = match end.takes_epoch {
            true => self.settings.version,
            false => 0,
        };
        let judged = self.of(&end.claim).and_then(|entry| {
            let verdict = judge(entry, end, version)?;
            Ok((verdict, entry.current.clone()))
        });
        match judged {
            Err(error) => self.out.refuse(Waiting::Ended(request), error),
            Ok((Verdict::Ended, current)) => {
                let ended = TransactionAnswer::Ended(Ok(current.producer()));
                self.out.answer(request, ended);
            }
            Ok((Verdict::End, current)) => {
                let bumps = Transaction {
                    version,
                    ..current.clone()
                }
                .bumps_epoch();
                let next_producer_id = match bumps && current.is_exhausted() {
                    false => NO_PRODUCER_ID,
                    true => match self.stock.pop() {
                        Some(producer_id) => producer_id,
                        None => return Decided::NeedsProducerId,
                    },
                };
                let next = current.prepared(end.commit, version, next_producer_id, now.wall.0);
                self.change(&end.claim.transactional_id, next, Waiting::Ended(request));
            }
        }
        Decided::Done
    }
}

fn judge(entry: &Entry, end: &EndRequest, version: i16) -> Result<Verdict, TransactionError> {
    let (current, producer) = (&entry.current, end.claim.producer);
    // It missed the answer that gave it the next epoch, or a new id where there was none.
    let missed_epoch =
        current.bumps_epoch() && i32::from(current.epoch) == i32::from(producer.epoch) + 1;
    let missed_id = current.bumps_epoch()
        && current.previous_producer_id == producer.id
        && producer.epoch == i16::MAX - 1
        && current.epoch == 0;
    if current.producer_id != producer.id && !missed_id {
        return Err(TransactionError::InvalidProducerIdMapping);
    }
    if !is_its_epoch(current, producer, missed_epoch, missed_id) {
        return Err(TransactionError::ProducerFenced);
    }
    if entry.pending.is_some() {
        return Err(TransactionError::ConcurrentTransactions);
    }
    let again = (missed_epoch && producer.id == current.producer_id) || missed_id;
    let invalid = Err(TransactionError::InvalidTransactionState);
    match current.state {
        State::Ongoing => Ok(Verdict::End),
        // It has the answer and is about to end the next one: Kafka fences who is so fast, and a moment later lets it pass.
        State::PrepareCommit | State::PrepareAbort if current.bumps_epoch() && !again => {
            Err(TransactionError::ConcurrentTransactions)
        }
        State::PrepareCommit | State::PrepareAbort => {
            match end.commit == (current.state == State::PrepareCommit) {
                true => Err(TransactionError::ConcurrentTransactions),
                false => invalid,
            }
        }
        State::Empty if !end.commit && version >= 2 => Ok(Verdict::End),
        State::Empty => invalid,
        State::CompleteCommit | State::CompleteAbort => {
            let same = current.state.ended() == Some(end.commit);
            match (current.bumps_epoch() && !again, same) {
                // With an epoch a transaction this is the next one, in which nothing was written: it can only be aborted.
                (true, _) if !end.commit && version >= 2 => Ok(Verdict::End),
                (true, _) => invalid,
                (false, true) => Ok(Verdict::Ended),
                (false, false) => invalid,
            }
        }
    }
}

/// Whether the producer comes with an epoch from which it may end the transaction, or ask again for its end.
fn is_its_epoch(
    current: &Transaction,
    producer: Producer,
    missed_epoch: bool,
    missed_id: bool,
) -> bool {
    let same = producer.epoch == current.epoch;
    if !current.bumps_epoch() {
        return same;
    }
    match current.state {
        State::Empty | State::Ongoing => same,
        State::PrepareCommit | State::PrepareAbort => same || missed_epoch,
        State::CompleteCommit | State::CompleteAbort => same || missed_epoch || missed_id,
    }
}
