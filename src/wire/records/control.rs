//! The control record that ends a transaction: whether its records count, and who says so.
//!
//! It is the only record of a control batch, which carries the producer's id and epoch and no sequence number. Layout of Kafka's
//! `ControlRecordType` and `EndTransactionMarker`, big-endian:
//! ```text
//! key:   version i16 = 0 | type i16 (0: abort, 1: commit)
//! value: version i16 = 0 | coordinator epoch i32
//! ```
//! Later versions may add fields at the end; what is known of them is read all the same.

use super::batch::BatchHeader;
use super::builder::BatchBuilder;
use super::codec::Codec;
use super::error::BatchError;
use super::inflate::Scratch;
use super::read::Batch;
use super::validate::ValidatedBatch;
use bytes::Bytes;

const ABORT: i16 = 0;
const COMMIT: i16 = 1;
/// What a control batch may inflate to: it holds one small record.
const MOST_BYTES: u64 = 64 << 10;

/// How a transaction ended in a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndTransaction {
    /// Its records count; else they are aborted.
    pub committed: bool,
    /// The epoch of the transaction coordinator that decided it.
    pub coordinator_epoch: i32,
}

impl EndTransaction {
    /// The batch that a partition gets.
    pub fn batch(self, producer_id: i64, producer_epoch: i16, timestamp: i64) -> ValidatedBatch {
        let mut builder = BatchBuilder::new(Codec::None)
            .producer(producer_id, producer_epoch, -1)
            .transactional()
            .control();
        let kind = if self.committed { COMMIT } else { ABORT };
        let mut key = [0; 4];
        key[2..].copy_from_slice(&kind.to_be_bytes());
        let mut value = [0; 6];
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());
        builder.append(timestamp, Some(&key), Some(&value), &[]);
        builder.build_validated()
    }

    /// Reads the record back; `None` if it is another kind of control record.
    pub fn decode(key: &[u8], value: &[u8]) -> Option<EndTransaction> {
        let i16_at = |bytes: &[u8], at: usize| {
            let field = bytes.get(at..at + 2)?;
            Some(i16::from_be_bytes(field.try_into().ok()?))
        };
        if i16_at(key, 0)? < 0 || i16_at(value, 0)? < 0 {
            return None;
        }
        let committed = match i16_at(key, 2)? {
            ABORT => false,
            COMMIT => true,
            _ => return None,
        };
        let epoch = value.get(2..6)?.try_into().ok()?;
        Some(EndTransaction {
            committed,
            coordinator_epoch: i32::from_be_bytes(epoch),
        })
    }

    /// What a whole batch says; `None` if it is no control batch, or one of another kind, or has no record left.
    ///
    /// # Errors
    /// The batch is damaged.
    pub fn of_batch(batch: &[u8]) -> Result<Option<EndTransaction>, BatchError> {
        let header = BatchHeader::read(batch)?;
        if !header.attributes().is_control() || header.record_count() == 0 {
            return Ok(None);
        }
        let batch = Batch::new(Bytes::copy_from_slice(batch))?;
        let records = batch.records(MOST_BYTES, &mut Scratch::default())?;
        let Some(record) = records.iter().next().transpose()? else {
            return Ok(None);
        };
        let fields = record.key.zip(record.value);
        Ok(fields.and_then(|(key, value)| EndTransaction::decode(key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_comes_back_from_its_batch() {
        for committed in [true, false] {
            let end = EndTransaction {
                committed,
                coordinator_epoch: 77,
            };
            let batch = end.batch(5, 3, 1_000);
            assert!(batch.control && batch.transactional);
            assert_eq!(
                (batch.producer_id, batch.producer_epoch, batch.base_sequence),
                (5, 3, -1)
            );
            assert_eq!(EndTransaction::of_batch(&batch.bytes).unwrap(), Some(end));
        }
    }

    #[test]
    fn the_layout_is_kafkas() {
        let commit = EndTransaction {
            committed: true,
            coordinator_epoch: 258,
        };
        assert_eq!(
            EndTransaction::decode(&[0, 0, 0, 1], &[0, 0, 0, 0, 1, 2]),
            Some(commit)
        );
        // One control record of ten bytes and its framing: what Kafka writes.
        assert_eq!(commit.batch(1, 0, 0).bytes.len(), 78);
    }

    #[test]
    fn other_control_records_and_cut_ones_are_no_markers() {
        let value = [0; 6];
        for key in [&[0, 0, 0, 2][..], &[0, 0, 0], &[], &[255, 255, 0, 1]] {
            assert_eq!(EndTransaction::decode(key, &value), None);
        }
        assert_eq!(EndTransaction::decode(&[0, 0, 0, 1], &value[..5]), None);
    }
}
