//! The records inside what a fetch brought: batches checked, inflated and read one after the other.
//!
//! Control records are left out always; records of aborted transactions where the broker told which were aborted.
//! Memory: one batch at a time, inflated to at most [`INFLATED_BYTES_MAX`].

use std::collections::BTreeSet;

use bytes::Bytes;

use super::consumer::FetchedPartition;
use crate::wire::messages::fetch::AbortedTransaction;
use crate::wire::records::batch::MAGIC_V2;
use crate::wire::records::inflate::inflate_all;
use crate::wire::records::record::RawRecord;
use crate::wire::records::{
    BatchError, BatchHeader, Codec, HEADER_BYTES, Invalid, Malformed, Scratch, TimestampType, varint,
};

/// A batch that inflates to more than this is refused.
pub const INFLATED_BYTES_MAX: u64 = 1 << 30;

/// Goes through the batches of one partition's answer.
pub struct FetchedRecords {
    rest: Bytes,
    scratch: Scratch,
    aborted: AbortedProducers,
}

/// A batch whose records can be read.
pub struct OpenBatch {
    header: BatchHeader,
    /// Inflated.
    records: Bytes,
}

/// A record of an [`OpenBatch`].
#[derive(Debug, Clone, Copy)]
pub struct FetchedRecord<'a> {
    /// Its offset in the partition.
    pub offset: i64,
    /// Milliseconds since 1970, or -1: the producer's, or the broker's where the topic says so.
    pub timestamp_ms: i64,
    /// Key, value and headers.
    pub raw: RawRecord<'a>,
}

impl FetchedRecords {
    /// Starts at the first batch.
    pub fn new(fetched: &FetchedPartition) -> FetchedRecords {
        FetchedRecords {
            rest: fetched.batches.clone(),
            scratch: Scratch::default(),
            aborted: AbortedProducers::new(fetched.aborted.clone()),
        }
    }

    /// The next batch with records for readers; `None` after the last whole one.
    ///
    /// # Errors
    /// A batch that is damaged, or does not inflate.
    pub fn next_batch(&mut self) -> Result<Option<OpenBatch>, BatchError> {
        loop {
            let header = match BatchHeader::read_checked(&self.rest) {
                Ok(header) => *header,
                // Brokers cut an answer at its limit of bytes.
                Err(BatchError::Truncated { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let batch = self.rest.split_to(header.total_size());
            let batch = OpenBatch::open(header, batch, &mut self.scratch)?;
            if !self.aborted.leaves_out(&batch)? {
                return Ok(Some(batch));
            }
        }
    }
}

impl OpenBatch {
    /// Opens one whole batch, whose CRC the caller has checked.
    ///
    /// # Errors
    /// When it does not inflate.
    pub fn open(header: BatchHeader, batch: Bytes, scratch: &mut Scratch) -> Result<OpenBatch, BatchError> {
        let body = batch.slice(HEADER_BYTES..);
        let records = match header.attributes().codec()? {
            Codec::None => body,
            codec => Bytes::from(inflate_all(MAGIC_V2, codec, body, INFLATED_BYTES_MAX, scratch)?),
        };
        Ok(OpenBatch { header, records })
    }

    /// Its header.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Its records in order; ends after the first that is damaged.
    pub fn records(&self) -> impl Iterator<Item = Result<FetchedRecord<'_>, BatchError>> {
        let mut rest = self.records.as_ref();
        let mut index = 0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let record = take_record(&mut rest);
            if record.is_err() {
                rest = &[];
            }
            let record = record.map(|raw| self.placed(raw)).map_err(|malformed| Invalid::Record { index, malformed });
            index += 1;
            Some(record.map_err(BatchError::from))
        })
    }

    fn placed<'a>(&self, raw: RawRecord<'a>) -> FetchedRecord<'a> {
        let timestamp_ms = match self.header.attributes().timestamp_type() {
            TimestampType::CreateTime => self.header.base_timestamp().saturating_add(raw.timestamp_delta),
            TimestampType::LogAppendTime => self.header.max_timestamp(),
        };
        let offset = self.header.base_offset().0.saturating_add(raw.offset_delta.into());
        FetchedRecord { offset, timestamp_ms, raw }
    }
}

fn take_record<'a>(rest: &mut &'a [u8]) -> Result<RawRecord<'a>, Malformed> {
    let size = varint::take_i32(rest)?;
    let length = usize::try_from(size).map_err(|_| Malformed::Size(size))?;
    let (body, after) = rest.split_at_checked(length).ok_or(Malformed::Ends)?;
    *rest = after;
    RawRecord::parse(body)
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
        AbortedProducers { ahead: transactions, current: BTreeSet::new() }
    }

    /// Whether readers must not see this batch. Batches are to be asked about in order.
    fn leaves_out(&mut self, batch: &OpenBatch) -> Result<bool, BatchError> {
        let (header, attributes) = (&batch.header, batch.header.attributes());
        let last_offset = header.last_offset().0;
        while let Some(begun) = self.ahead.pop_if(|transaction| transaction.first_offset <= last_offset) {
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
fn is_abort_marker(batch: &OpenBatch) -> Result<bool, BatchError> {
    let key = batch.records().next().transpose()?.and_then(|record| record.raw.key);
    Ok(matches!(key, Some([_, _, 0, 0, ..])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{LeaderEpoch, Offset};
    use crate::wire::records::BatchBuilder;

    fn batch(base_offset: i64, producer_id: i64, values: &[&str]) -> BatchBuilder {
        let mut batch = BatchBuilder::new(Codec::None).placed(Offset(base_offset), LeaderEpoch(0)).producer(producer_id, 0, 0);
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
        let transaction =
            |&(producer_id, first_offset): &(i64, i64)| AbortedTransaction { producer_id, first_offset };
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
            for record in batch.records() {
                let record = record?;
                read.push((record.offset, String::from_utf8(record.raw.value.unwrap().to_vec()).unwrap()));
            }
        }
        Ok(read)
    }

    fn expected(records: &[(i64, &str)]) -> Vec<(i64, String)> {
        records.iter().map(|&(offset, value)| (offset, value.to_owned())).collect()
    }

    #[test]
    fn every_codec_gives_back_offsets_and_values() {
        for codec in Codec::ALL {
            let mut batch = BatchBuilder::new(codec).placed(Offset(40), LeaderEpoch(0));
            batch.append(1000, None, Some(b"a"), &[]);
            batch.append(1001, Some(b"k"), Some(b"b"), &[]);
            assert_eq!(read(&[batch.build()], &[]).unwrap(), expected(&[(40, "a"), (41, "b")]), "{codec:?}");
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
        assert!(matches!(read(&[damaged.into()], &[]), Err(BatchError::Corrupt { .. })));
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
        assert_eq!(read(&batches, &[(7, 0)]).unwrap(), expected(&[(1, "committed"), (5, "later")]));
        let all = expected(&[(0, "aborted"), (1, "committed"), (2, "aborted too"), (5, "later")]);
        assert_eq!(read(&batches, &[]).unwrap(), all);
    }
}
