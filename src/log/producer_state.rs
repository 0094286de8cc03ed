//! What a log remembers of idempotent producers: enough to notice a repeated batch and a gap, and whose transaction is open.
//!
//! Rules of Kafka's `ProducerStateManager` and `ProducerAppendInfo`: of each producer the last five batches of its newest epoch
//! are kept. Pure data: no file (`producer_snapshot`), no clock.

use std::collections::HashMap;

use super::error::AppendError;
use super::transaction_index::AbortedTransaction;
use super::transactions::Transactions;
use crate::types::Offset;
use crate::wire::records::EndTransaction;

/// How many batches of a producer are remembered.
pub const REMEMBERED_BATCHES: usize = 5;

/// A batch as the sequence rules see it.
#[derive(Clone, Copy, Debug)]
pub struct ProducerBatch {
    /// The producer's id; not negative.
    pub producer_id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// Sequence number of the first record; negative where a coordinator writes, which has none.
    pub base_sequence: i32,
    /// Records in the batch, less one.
    pub last_offset_delta: i32,
    /// The batch's largest timestamp in milliseconds.
    pub max_timestamp: i64,
    /// Whether it is part of a transaction.
    pub transactional: bool,
}

/// The end of a producer's transaction, as the rules see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marker {
    /// The producer's id; not negative.
    pub producer_id: i64,
    /// Its epoch; with transactions of version 2 the next one after the transaction's.
    pub epoch: i16,
    /// What the marker says.
    pub end: EndTransaction,
    /// `transaction.version` of the coordinator that writes it (KIP-890).
    pub transaction_version: i16,
}

/// A batch that was appended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RememberedBatch {
    /// Sequence number of its last record.
    pub last_sequence: i32,
    /// Offset of its last record.
    pub last_offset: i64,
    /// Last offset less base offset.
    pub offset_delta: i32,
    /// Its largest timestamp in milliseconds.
    pub timestamp: i64,
}

/// One producer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProducerEntry {
    /// The newest epoch; -1 when it is not known.
    pub epoch: i16,
    /// The newest transaction coordinator's epoch; -1 without one.
    pub coordinator_epoch: i32,
    /// When it was last heard of, in the timestamps of its batches.
    pub last_timestamp: i64,
    /// First offset of its open transaction; -1 without one.
    pub transaction_first_offset: i64,
    batches: [RememberedBatch; REMEMBERED_BATCHES],
    remembered: usize,
}

/// The verdict on a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SequenceCheck {
    /// It comes next.
    Next,
    /// It was appended before, as this batch.
    Duplicate(RememberedBatch),
}

/// All producers of a log.
#[derive(Clone, Default, Debug)]
pub struct ProducerStates {
    producers: HashMap<i64, ProducerEntry>,
    transactions: Transactions,
}

/// What a producer was before an append: see [`ProducerStates::restore`].
#[derive(Clone, Copy, Debug)]
pub struct ProducerUndo {
    producer_id: i64,
    before: Option<ProducerEntry>,
}

impl ProducerEntry {
    /// An entry without any batch.
    pub fn new(epoch: i16) -> ProducerEntry {
        ProducerEntry {
            epoch,
            coordinator_epoch: -1,
            last_timestamp: -1,
            transaction_first_offset: -1,
            batches: [RememberedBatch::default(); REMEMBERED_BATCHES],
            remembered: 0,
        }
    }

    /// The remembered batches, oldest first.
    pub fn batches(&self) -> &[RememberedBatch] {
        &self.batches[..self.remembered]
    }

    /// The newest batch's last sequence number; -1 without one.
    pub fn last_sequence(&self) -> i32 {
        self.batches()
            .last()
            .map_or(-1, |batch| batch.last_sequence)
    }

    /// Remembers a batch, and forgets the oldest if there are too many.
    pub fn remember(&mut self, batch: RememberedBatch) {
        if self.remembered == REMEMBERED_BATCHES {
            self.batches.rotate_left(1);
            self.remembered -= 1;
        }
        self.batches[self.remembered] = batch;
        self.remembered += 1;
    }

    /// First offset of its open transaction.
    fn open_transaction(&self) -> Option<Offset> {
        let first = self.transaction_first_offset;
        (first >= 0).then_some(Offset(first))
    }

    fn fences(&self, producer_id: i64, epoch: i16) -> AppendError {
        AppendError::InvalidProducerEpoch {
            producer_id,
            epoch,
            current_epoch: self.epoch,
        }
    }

    /// The batches of an older epoch no longer count; its open transaction does.
    fn move_to(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.remembered = 0;
        }
    }

    fn find_duplicate(&self, batch: &ProducerBatch) -> Option<RememberedBatch> {
        let last_sequence = batch.last_sequence();
        let same = |known: &&RememberedBatch| {
            known.last_sequence == last_sequence && known.first_sequence() == batch.base_sequence
        };
        (self.epoch == batch.epoch).then(|| self.batches().iter().find(same).copied())?
    }
}

impl RememberedBatch {
    fn first_sequence(&self) -> i32 {
        sequence_before(self.last_sequence, self.offset_delta)
    }

    /// Offset of its first record.
    pub fn base_offset(&self) -> Offset {
        Offset(self.last_offset - i64::from(self.offset_delta))
    }
}

impl ProducerBatch {
    fn last_sequence(&self) -> i32 {
        match self.has_sequence() {
            true => sequence_after(self.base_sequence, self.last_offset_delta),
            false => -1,
        }
    }

    fn has_sequence(&self) -> bool {
        self.base_sequence >= 0
    }
}

impl Marker {
    /// Why the marker comes too late for a producer that is known. With transactions of version 2 each ends in an epoch of its
    /// own, so that a marker of the current one is a repeated one, and harmless if the transaction has ended.
    fn is_stale_for(&self, entry: &ProducerEntry) -> bool {
        if self.transaction_version < 2 || self.epoch != entry.epoch {
            return self.epoch < entry.epoch;
        }
        entry.open_transaction().is_some() && self.epoch != i16::MAX
    }
}

impl ProducerStates {
    /// Judges a batch. An unknown producer may start anywhere; a new epoch starts at 0.
    ///
    /// # Errors
    /// [`AppendError::InvalidProducerEpoch`], [`AppendError::OutOfOrderSequence`], [`AppendError::InvalidTransactionState`].
    pub fn check(&self, batch: &ProducerBatch) -> Result<SequenceCheck, AppendError> {
        let Some(entry) = self.producers.get(&batch.producer_id) else {
            return Ok(SequenceCheck::Next);
        };
        if batch.has_sequence()
            && let Some(original) = entry.find_duplicate(batch)
        {
            return Ok(SequenceCheck::Duplicate(original));
        }
        if batch.epoch < entry.epoch {
            return Err(entry.fences(batch.producer_id, batch.epoch));
        }
        let last_sequence = if batch.epoch == entry.epoch {
            entry.last_sequence()
        } else {
            -1
        };
        if entry.epoch >= 0
            && batch.has_sequence()
            && batch.base_sequence != next_sequence(last_sequence)
        {
            return Err(AppendError::OutOfOrderSequence {
                producer_id: batch.producer_id,
                sequence: batch.base_sequence,
                last_sequence,
            });
        }
        match entry.open_transaction() {
            Some(first_offset) if !batch.transactional => {
                Err(AppendError::InvalidTransactionState {
                    producer_id: batch.producer_id,
                    first_offset,
                })
            }
            _ => Ok(SequenceCheck::Next),
        }
    }

    /// Judges a marker. One for a producer that is not known, or has no transaction open, does no harm.
    ///
    /// # Errors
    /// [`AppendError::InvalidProducerEpoch`], [`AppendError::CoordinatorFenced`].
    pub fn check_marker(&self, marker: &Marker) -> Result<(), AppendError> {
        let Some(entry) = self.producers.get(&marker.producer_id) else {
            return Ok(());
        };
        if marker.is_stale_for(entry) {
            return Err(entry.fences(marker.producer_id, marker.epoch));
        }
        if marker.end.coordinator_epoch < entry.coordinator_epoch {
            return Err(AppendError::CoordinatorFenced {
                producer_id: marker.producer_id,
                epoch: marker.end.coordinator_epoch,
                current_epoch: entry.coordinator_epoch,
            });
        }
        Ok(())
    }

    /// Notes an appended batch; no judgement. Returns what brings the previous state back.
    pub fn record(&mut self, batch: &ProducerBatch, base_offset: Offset) -> ProducerUndo {
        let before = self.producers.get(&batch.producer_id).copied();
        let mut entry = before.unwrap_or_else(|| ProducerEntry::new(batch.epoch));
        entry.move_to(batch.epoch);
        entry.last_timestamp = batch.max_timestamp;
        entry.remember(RememberedBatch {
            last_sequence: batch.last_sequence(),
            last_offset: base_offset.0 + i64::from(batch.last_offset_delta),
            offset_delta: batch.last_offset_delta,
            timestamp: batch.max_timestamp,
        });
        if batch.transactional && entry.open_transaction().is_none() {
            entry.transaction_first_offset = base_offset.0;
            self.transactions.begin(base_offset, batch.producer_id);
        }
        self.producers.insert(batch.producer_id, entry);
        ProducerUndo {
            producer_id: batch.producer_id,
            before,
        }
    }

    /// Notes an appended marker; no judgement. Returns what brings the previous state back, and the transaction if there was
    /// one and it is aborted.
    pub fn record_marker(
        &mut self,
        marker: &Marker,
        offset: Offset,
        timestamp: i64,
    ) -> (ProducerUndo, Option<AbortedTransaction>) {
        let before = self.producers.get(&marker.producer_id).copied();
        let mut entry = before.unwrap_or_else(|| ProducerEntry::new(marker.epoch));
        entry.move_to(marker.epoch);
        entry.coordinator_epoch = marker.end.coordinator_epoch;
        entry.last_timestamp = timestamp;
        let open = entry.open_transaction();
        entry.transaction_first_offset = -1;
        self.producers.insert(marker.producer_id, entry);
        let undo = ProducerUndo {
            producer_id: marker.producer_id,
            before,
        };
        let Some(first_offset) = open else {
            return (undo, None);
        };
        self.transactions.end(first_offset, offset);
        let next_open = self.transactions.first_ongoing();
        let aborted = AbortedTransaction {
            producer_id: marker.producer_id,
            first_offset,
            last_offset: offset,
            last_stable_offset: next_open.unwrap_or(offset + 1),
        };
        (undo, (!marker.end.committed).then_some(aborted))
    }

    /// Takes back one [`ProducerStates::record`] or [`ProducerStates::record_marker`]; the newest first.
    pub fn restore(&mut self, undo: ProducerUndo) {
        let ProducerUndo {
            producer_id,
            before,
        } = undo;
        let open_before = before.and_then(|entry| entry.open_transaction());
        let now = match before {
            Some(entry) => self.producers.insert(producer_id, entry),
            None => self.producers.remove(&producer_id),
        };
        match (open_before, now.and_then(|entry| entry.open_transaction())) {
            (None, Some(first)) => self.transactions.forget(first),
            (Some(first), None) => self.transactions.reopen(first, producer_id),
            _ => {}
        }
    }

    /// Markers before this offset are committed.
    pub fn committed_up_to(&mut self, high_watermark: Offset) {
        self.transactions.committed_up_to(high_watermark);
    }

    /// The first offset of all transactions whose end is not committed yet.
    pub fn first_unstable(&self) -> Option<Offset> {
        self.transactions.first_unstable()
    }

    /// Whether a transaction of the producer's, in this epoch, is open.
    pub fn has_open_transaction(&self, producer_id: i64, epoch: i16) -> bool {
        let entry = self.producers.get(&producer_id);
        entry.is_some_and(|entry| entry.epoch == epoch && entry.open_transaction().is_some())
    }

    /// Forgets producers whose newest batch is `expiration_ms` old, by its own timestamp, and that have no open transaction.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, entry| {
            entry.open_transaction().is_some()
                || now_ms.saturating_sub(entry.last_timestamp) < expiration_ms
        });
    }

    /// Puts an entry in, as a snapshot has it.
    pub fn insert(&mut self, producer_id: i64, entry: ProducerEntry) {
        if let Some(first) = entry.open_transaction() {
            self.transactions.begin(first, producer_id);
        }
        self.producers.insert(producer_id, entry);
    }

    /// All producers, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &ProducerEntry)> {
        self.producers.iter().map(|(id, entry)| (*id, entry))
    }

    /// How many producers are remembered.
    pub fn count(&self) -> usize {
        self.producers.len()
    }
}

/// Sequence numbers go from `i32::MAX` on to 0.
fn sequence_after(sequence: i32, delta: i32) -> i32 {
    (i64::from(sequence) + i64::from(delta)).rem_euclid(1 << 31) as i32
}

fn sequence_before(sequence: i32, delta: i32) -> i32 {
    (i64::from(sequence) - i64::from(delta)).rem_euclid(1 << 31) as i32
}

/// What must follow `last`: 0 at the beginning (-1) and after `i32::MAX`.
fn next_sequence(last: i32) -> i32 {
    last.checked_add(1).unwrap_or(0)
}

#[cfg(test)]
mod tests;
