//! The records inside what a fetch brought: batches checked, inflated and read one after the other.
//!
//! Control records are left out always; records of aborted transactions where the broker told which were aborted.
//! Memory: one batch at a time, inflated to at most [`INFLATED_BYTES_MAX`].

use std::collections::BTreeSet;

use super::consumer::FetchedPartition;
use crate::wire::messages::fetch::AbortedTransaction;
use crate::wire::records::{Batch, BatchError, BatchRecords, Scratch, batches};

/// A batch that inflates to more than this is refused.
pub const INFLATED_BYTES_MAX: u64 = 1 << 30;

/// Goes through the batches of one partition's answer.
pub struct FetchedRecords {
    batches: Box<dyn Iterator<Item = Result<Batch, BatchError>>>,
    scratch: Scratch,
    aborted: AbortedProducers,
}

impl FetchedRecords {
    /// Starts at the first batch.
    pub fn new(fetched: &FetchedPartition) -> FetchedRecords {
        FetchedRecords {
            batches: Box::new(batches(fetched.batches.clone())),
            scratch: Scratch::default(),
            aborted: AbortedProducers::new(fetched.aborted.clone()),
        }
    }

    /// The next batch with records for readers; `None` after the last whole one.
    ///
    /// # Errors
    /// A batch that is damaged, does not inflate, or is of a format before v2.
    pub fn next_batch(&mut self) -> Result<Option<BatchRecords>, BatchError> {
        for batch in &mut self.batches {
            let batch = batch?.records(INFLATED_BYTES_MAX, &mut self.scratch)?;
            if !self.aborted.leaves_out(&batch)? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

/// Whose records are aborted at the place that is being read. A producer's aborted records go from the first offset that
/// the broker names to its next abort marker.
struct AbortedProducers {
    /// Still to come, the nearest last.
    ahead: Vec<AbortedTransaction>,
    current: BTreeSet<i64>,
}

impl AbortedProducers {
    fn new(mut transactions: Vec<AbortedTransaction>) -> AbortedProducers {
        transactions.sort_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
        AbortedProducers {
            ahead: transactions,
            current: BTreeSet::new(),
        }
    }

    /// Whether readers must not see this batch. Batches are to be asked about in order.
    fn leaves_out(&mut self, batch: &BatchRecords) -> Result<bool, BatchError> {
        let (header, attributes) = (batch.header(), batch.header().attributes());
        let last_offset = header.last_offset().0;
        while let Some(begun) = self
            .ahead
            .pop_if(|transaction| transaction.first_offset <= last_offset)
        {
            self.current.insert(begun.producer_id);
        }
        if attributes.is_control() {
            if is_abort_marker(batch)? {
                self.current.remove(&header.producer_id());
            }
            return Ok(true);
        }
        Ok(attributes.is_transactional() && self.current.contains(&header.producer_id()))
    }
}

/// A control record's key: i16 version, i16 type; type 0 is abort (Kafka's `ControlRecordType`).
fn is_abort_marker(batch: &BatchRecords) -> Result<bool, BatchError> {
    let key = batch
        .iter()
        .next()
        .transpose()?
        .and_then(|record| record.key);
    Ok(matches!(key, Some([_, _, 0, 0, ..])))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::types::{LeaderEpoch, Offset};
    use crate::wire::records::{BatchBuilder, Codec};

    fn batch(base_offset: i64, producer_id: i64, values: &[&str]) -> BatchBuilder {
        let mut batch = BatchBuilder::new(Codec::None)
            .placed(Offset(base_offset), LeaderEpoch(0))
            .producer(producer_id, 0, 0);
        for value in values {
            batch.append(1000, None, Some(value.as_bytes()), &[]);
        }
        batch
    }

    fn marker(base_offset: i64, producer_id: i64, kind: u8) -> Bytes {
        let mut batch = BatchBuilder::new(Codec::None).placed(Offset(base_offset), LeaderEpoch(0));
        batch = batch.producer(producer_id, 0, -1).transactional().control();
        batch.append(1000, Some(&[0, 0, 0, kind]), Some(&[0, 0, 0, 0, 0, 0]), &[]);
        batch.build()
    }

    fn read(batches: &[Bytes], aborted: &[(i64, i64)]) -> Result<Vec<(i64, String)>, BatchError> {
        let transaction = |&(producer_id, first_offset): &(i64, i64)| AbortedTransaction {
            producer_id,
            first_offset,
        };
        let fetched = FetchedPartition {
            partition: 0,
            position: 0,
            next_position: 0,
            high_watermark: 0,
            aborted: aborted.iter().map(transaction).collect(),
            batches: batches.concat().into(),
        };
        let mut records = FetchedRecords::new(&fetched);
        let mut read = Vec::new();
        while let Some(batch) = records.next_batch()? {
            for record in &batch {
                let record = record?;
                read.push((
                    record.offset.0,
                    String::from_utf8(record.value.unwrap().to_vec()).unwrap(),
                ));
            }
        }
        Ok(read)
    }

    fn expected(records: &[(i64, &str)]) -> Vec<(i64, String)> {
        records
            .iter()
            .map(|&(offset, value)| (offset, value.to_owned()))
            .collect()
    }

    #[test]
    fn every_codec_gives_back_offsets_and_values() {
        for codec in Codec::ALL {
            let mut batch = BatchBuilder::new(codec).placed(Offset(40), LeaderEpoch(0));
            batch.append(1000, None, Some(b"a"), &[]);
            batch.append(1001, Some(b"k"), Some(b"b"), &[]);
            assert_eq!(
                read(&[batch.build()], &[]).unwrap(),
                expected(&[(40, "a"), (41, "b")]),
                "{codec:?}"
            );
        }
    }

    #[test]
    fn a_cut_off_last_batch_is_left_for_the_next_fetch() {
        let (first, second) = (batch(0, -1, &["a"]).build(), batch(1, -1, &["b"]).build());
        for length in 0..second.len() {
            let read = read(&[first.clone(), second.slice(..length)], &[]).unwrap();
            assert_eq!(read, expected(&[(0, "a")]), "{length} bytes of the second");
        }
    }

    #[test]
    fn a_damaged_batch_is_not_passed_on() {
        let mut damaged = batch(0, -1, &["a"]).build().to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(matches!(
            read(&[damaged.into()], &[]),
            Err(BatchError::Corrupt { .. })
        ));
    }

    #[test]
    fn aborted_records_are_left_out_up_to_their_marker_and_other_producers_are_not() {
        let batches = [
            batch(0, 7, &["aborted"]).transactional().build(),
            batch(1, 8, &["committed"]).transactional().build(),
            batch(2, 7, &["aborted too"]).transactional().build(),
            marker(3, 7, 0),
            marker(4, 8, 1),
            batch(5, 7, &["later"]).transactional().build(),
        ];
        assert_eq!(
            read(&batches, &[(7, 0)]).unwrap(),
            expected(&[(1, "committed"), (5, "later")])
        );
        let all = expected(&[
            (0, "aborted"),
            (1, "committed"),
            (2, "aborted too"),
            (5, "later"),
        ]);
        assert_eq!(read(&batches, &[]).unwrap(), all);
    }
}
