//! What a log remembers of idempotent producers: enough to notice a repeated batch and a gap.
//!
//! Rules of Kafka's `ProducerStateManager` and `ProducerAppendInfo`: of each producer the last five batches of its newest epoch
//! are kept. Pure data: no file (`producer_snapshot`), no clock.

use std::collections::HashMap;

use super::error::AppendError;
use crate::types::Offset;

/// How many batches of a producer are remembered.
pub const REMEMBERED_BATCHES: usize = 5;

/// A batch as the sequence rules see it.
#[derive(Clone, Copy, Debug)]
pub struct ProducerBatch {
    /// The producer's id; not negative.
    pub producer_id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// Sequence number of the first record.
    pub base_sequence: i32,
    /// Records in the batch, less one.
    pub last_offset_delta: i32,
    /// The batch's largest timestamp in milliseconds.
    pub max_timestamp: i64,
    /// Whether it is a marker, which has no sequence numbers.
    pub control: bool,
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
        sequence_after(self.base_sequence, self.last_offset_delta)
    }
}

impl ProducerStates {
    /// Judges a client's batch. An unknown producer may start anywhere; a new epoch starts at 0.
    ///
    /// # Errors
    /// [`AppendError::InvalidProducerEpoch`], [`AppendError::OutOfOrderSequence`].
    pub fn check(&self, batch: &ProducerBatch) -> Result<SequenceCheck, AppendError> {
        let Some(entry) = self.producers.get(&batch.producer_id) else {
            return Ok(SequenceCheck::Next);
        };
        if let Some(original) = entry.find_duplicate(batch) {
            return Ok(SequenceCheck::Duplicate(original));
        }
        if batch.epoch < entry.epoch {
            return Err(AppendError::InvalidProducerEpoch {
                producer_id: batch.producer_id,
                epoch: batch.epoch,
                current_epoch: entry.epoch,
            });
        }
        let last_sequence = if batch.epoch == entry.epoch {
            entry.last_sequence()
        } else {
            -1
        };
        if entry.epoch >= 0 && batch.base_sequence != next_sequence(last_sequence) {
            return Err(AppendError::OutOfOrderSequence {
                producer_id: batch.producer_id,
                sequence: batch.base_sequence,
                last_sequence,
            });
        }
        Ok(SequenceCheck::Next)
    }

    /// Notes an appended batch; no judgement. Returns what brings the previous state back.
    pub fn record(&mut self, batch: &ProducerBatch, base_offset: Offset) -> ProducerUndo {
        let before = self.producers.get(&batch.producer_id).copied();
        let mut entry = before
            .filter(|entry| entry.epoch == batch.epoch)
            .unwrap_or_else(|| ProducerEntry::new(batch.epoch));
        entry.last_timestamp = batch.max_timestamp;
        if !batch.control {
            entry.remember(RememberedBatch {
                last_sequence: batch.last_sequence(),
                last_offset: base_offset.0 + i64::from(batch.last_offset_delta),
                offset_delta: batch.last_offset_delta,
                timestamp: batch.max_timestamp,
            });
        }
        self.producers.insert(batch.producer_id, entry);
        ProducerUndo {
            producer_id: batch.producer_id,
            before,
        }
    }

    /// Takes back one [`ProducerStates::record`]; the newest first.
    pub fn restore(&mut self, undo: ProducerUndo) {
        match undo.before {
            Some(entry) => self.producers.insert(undo.producer_id, entry),
            None => self.producers.remove(&undo.producer_id),
        };
    }

    /// Forgets producers whose newest batch is `expiration_ms` old, by its own timestamp, and that have no open transaction.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, entry| {
            entry.transaction_first_offset >= 0
                || now_ms.saturating_sub(entry.last_timestamp) < expiration_ms
        });
    }

    /// Puts an entry in, as a snapshot has it.
    pub fn insert(&mut self, producer_id: i64, entry: ProducerEntry) {
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
mod tests {
    use super::*;

    fn batch(epoch: i16, base_sequence: i32, records: i32) -> ProducerBatch {
        ProducerBatch {
            producer_id: 7,
            epoch,
            base_sequence,
            last_offset_delta: records - 1,
            max_timestamp: 1000,
            control: false,
        }
    }

    /// Producer 7 with batches of two records each, from sequence 0 and offset 0 on.
    fn after_batches(count: i32) -> ProducerStates {
        let mut states = ProducerStates::default();
        for n in 0..count {
            let next = batch(3, 2 * n, 2);
            assert_eq!(states.check(&next).unwrap(), SequenceCheck::Next);
            states.record(&next, Offset(i64::from(2 * n)));
        }
        states
    }

    #[test]
    fn an_unknown_producer_starts_at_any_sequence() {
        assert_eq!(
            ProducerStates::default().check(&batch(5, 1234, 1)).unwrap(),
            SequenceCheck::Next
        );
    }

    #[test]
    fn each_of_the_last_five_batches_is_recognised_and_older_ones_are_out_of_order() {
        let states = after_batches(7);
        for n in 2..7 {
            let SequenceCheck::Duplicate(original) = states.check(&batch(3, 2 * n, 2)).unwrap()
            else {
                panic!("batch {n} is not recognised");
            };
            assert_eq!(original.base_offset(), Offset(i64::from(2 * n)));
        }
        let forgotten = states.check(&batch(3, 2, 2)).unwrap_err();
        assert!(matches!(
            forgotten,
            AppendError::OutOfOrderSequence {
                last_sequence: 13,
                ..
            }
        ));
    }

    #[test]
    fn a_batch_with_one_bound_of_an_old_one_is_no_duplicate() {
        let states = after_batches(3);
        assert!(states.check(&batch(3, 4, 1)).is_err());
        assert!(states.check(&batch(3, 5, 1)).is_err());
    }

    #[test]
    fn a_gap_is_out_of_order() {
        let gap = after_batches(2).check(&batch(3, 5, 1)).unwrap_err();
        assert!(matches!(
            gap,
            AppendError::OutOfOrderSequence {
                sequence: 5,
                last_sequence: 3,
                ..
            }
        ));
    }

    #[test]
    fn an_older_epoch_is_fenced_and_a_newer_one_starts_at_zero() {
        let mut states = after_batches(2);
        let old = states.check(&batch(2, 4, 1)).unwrap_err();
        assert!(matches!(
            old,
            AppendError::InvalidProducerEpoch {
                epoch: 2,
                current_epoch: 3,
                ..
            }
        ));
        assert!(states.check(&batch(4, 4, 1)).is_err());
        assert_eq!(states.check(&batch(4, 0, 1)).unwrap(), SequenceCheck::Next);
        states.record(&batch(4, 0, 1), Offset(4));
        assert_eq!(states.check(&batch(4, 1, 1)).unwrap(), SequenceCheck::Next);
    }

    #[test]
    fn sequences_go_on_at_zero_after_the_largest() {
        let mut states = ProducerStates::default();
        let wrapping = batch(0, i32::MAX - 1, 3); // MAX - 1, MAX, 0
        states.record(&wrapping, Offset(0));
        assert_eq!(states.check(&batch(0, 1, 1)).unwrap(), SequenceCheck::Next);
        assert!(matches!(
            states.check(&wrapping).unwrap(),
            SequenceCheck::Duplicate(_)
        ));
        states.record(&batch(1, i32::MAX, 1), Offset(3));
        assert_eq!(states.check(&batch(1, 0, 1)).unwrap(), SequenceCheck::Next);
    }

    #[test]
    fn taking_back_brings_the_previous_state_back() {
        let mut states = after_batches(6);
        let before: Vec<_> = states.iter().map(|(_, entry)| *entry).collect();
        let first = states.record(&batch(3, 12, 2), Offset(12));
        let second = states.record(&batch(4, 0, 2), Offset(14));
        states.restore(second);
        states.restore(first);
        assert_eq!(
            states.iter().map(|(_, entry)| *entry).collect::<Vec<_>>(),
            before
        );
    }

    #[test]
    fn silent_producers_expire() {
        let mut states = after_batches(1);
        states.expire(1999, 1000);
        assert_eq!(states.count(), 1);
        states.expire(2000, 1000);
        assert_eq!(states.count(), 0);
    }
}
