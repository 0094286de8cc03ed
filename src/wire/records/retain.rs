//! A batch without some of its records: what compaction writes in its place.
//!
//! Offsets never change: base offset, last offset and sequence numbers stay those of the original, whatever is left between
//! them. Rules of Kafka's `MemoryRecords.filterTo` and KIP-534. Must never know why a record stays or goes.

use std::ops::Range;

use zerocopy::IntoBytes;

use super::attributes::TimestampType;
use super::batch::{BatchHeader, HEADER_BYTES, HeaderFields, NO_TIMESTAMP};
use super::codec::Codec;
use super::error::{BatchError, Invalid, Malformed};
use super::inflate::Scratch;
use super::read::{Batch, BatchRecords, Record};
use super::record::RawRecord;
use super::varint;

/// What is left of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Retained {
    /// Everything, and nothing about it changes.
    Whole,
    /// Some records, or all with a delete horizon that is new: another batch of the same offsets.
    Rewritten {
        /// The batch.
        batch: Vec<u8>,
        /// Its records.
        records: u32,
    },
    /// No record.
    Nothing,
}

/// When a batch gets a delete horizon.
#[derive(Clone, Copy, Debug)]
pub struct Horizon {
    /// The horizon for a batch that has none yet and keeps a tombstone, in milliseconds.
    pub new_ms: i64,
    /// A batch without tombstones gets it too: it holds the marker of a transaction of which nothing is left.
    pub always: bool,
}

/// Asks `keep` about every record of `batch` and makes a batch of those that stay.
///
/// # Errors
/// A wrong checksum, and damaged records; no more than `max_inflated` bytes are taken for them.
pub fn retain(
    batch: &Batch,
    horizon: Horizon,
    max_inflated: u64,
    scratch: &mut Scratch,
    mut keep: impl FnMut(&Record<'_>) -> bool,
) -> Result<Retained, BatchError> {
    let records = batch.records(max_inflated, scratch)?;
    let mut kept = Kept::default();
    let mut walk = records.iter();
    let mut at = 0;
    while let Some(record) = walk.next() {
        let record = record?;
        let end = records.stored_bytes().len() - walk.bytes_left();
        if keep(&record) {
            kept.take(at..end, &record);
        } else {
            kept.dropped = true;
        }
        at = end;
    }
    let has_horizon = records.header().attributes().has_delete_horizon();
    let sets_horizon = !has_horizon && (kept.tombstones || horizon.always);
    if kept.ranges.is_empty() {
        return Ok(Retained::Nothing);
    }
    if !kept.dropped && !sets_horizon {
        return Ok(Retained::Whole);
    }
    let new_horizon = sets_horizon.then_some(horizon.new_ms);
    Ok(Retained::Rewritten {
        batch: rewritten(&records, &kept, new_horizon)?,
        records: kept.ranges.len() as u32,
    })
}

/// The header alone, with no record behind it: it keeps the producer's last sequence number, and the last offset.
pub fn emptied(header: &BatchHeader) -> Vec<u8> {
    let attributes = header
        .attributes()
        .with_codec(Codec::None)
        .without_delete_horizon();
    let empty = BatchHeader::new(&HeaderFields {
        attributes,
        base_timestamp: NO_TIMESTAMP,
        record_count: 0,
        ..fields_of(header)
    });
    let mut batch = empty.as_bytes().to_vec();
    BatchHeader::seal(&mut batch);
    batch
}

/// The records that stay, by their places among the inflated records.
#[derive(Default)]
struct Kept {
    ranges: Vec<Range<usize>>,
    max_timestamp: Option<i64>,
    tombstones: bool,
    dropped: bool,
}

impl Kept {
    fn take(&mut self, range: Range<usize>, record: &Record<'_>) {
        self.ranges.push(range);
        self.tombstones |= record.value.is_none();
        self.max_timestamp = self.max_timestamp.max(Some(record.timestamp));
    }
}

fn rewritten(
    records: &BatchRecords,
    kept: &Kept,
    new_horizon: Option<i64>,
) -> Result<Vec<u8>, BatchError> {
    let header = records.header();
    let codec = header.attributes().codec()?;
    let stored = records.stored_bytes();
    let mut plain = vec![0; HEADER_BYTES];
    for (index, range) in (0..).zip(&kept.ranges) {
        let record = &stored[range.clone()];
        match new_horizon {
            None => plain.extend_from_slice(record),
            Some(horizon) => put_relative_to(&mut plain, record, header, horizon)
                .map_err(|malformed| Invalid::Record { index, malformed })?,
        }
    }
    let mut batch = match codec {
        Codec::None => plain,
        codec => codec.compress_behind(HEADER_BYTES, &plain[HEADER_BYTES..]),
    };
    let by_append = header.attributes().timestamp_type() == TimestampType::LogAppendTime;
    let attributes = match new_horizon {
        Some(_) => header.attributes().with_delete_horizon(),
        None => header.attributes(),
    };
    let new = BatchHeader::new(&HeaderFields {
        attributes,
        base_timestamp: new_horizon.unwrap_or(header.base_timestamp()),
        max_timestamp: match kept.max_timestamp {
            Some(newest) if !by_append => newest,
            _ => header.max_timestamp(),
        },
        record_count: kept.ranges.len() as i32,
        ..fields_of(header)
    });
    batch[..HEADER_BYTES].copy_from_slice(new.as_bytes());
    BatchHeader::seal(&mut batch);
    Ok(batch)
}

/// Writes `record`, length included, with its timestamp relative to `horizon`.
fn put_relative_to(
    out: &mut Vec<u8>,
    record: &[u8],
    header: &BatchHeader,
    horizon: i64,
) -> Result<(), Malformed> {
    let mut body = record;
    varint::take_i32(&mut body)?;
    let raw = RawRecord::parse(body)?;
    let timestamp = match header.attributes().timestamp_type() {
        TimestampType::CreateTime => header.base_timestamp().wrapping_add(raw.timestamp_delta),
        TimestampType::LogAppendTime => header.max_timestamp(),
    };
    let delta = timestamp.wrapping_sub(horizon);
    // Behind attributes and timestamp everything stays as it is.
    let mut behind = &body[1..];
    varint::take_i64(&mut behind)?;
    let length = 1 + varint::size_of(delta) + behind.len();
    varint::put(out, length as i64);
    out.push(body[0]);
    varint::put(out, delta);
    out.extend_from_slice(behind);
    Ok(())
}

fn fields_of(header: &BatchHeader) -> HeaderFields {
    HeaderFields {
        base_offset: header.base_offset(),
        leader_epoch: header.leader_epoch(),
        attributes: header.attributes(),
        last_offset_delta: header.last_offset_delta(),
        base_timestamp: header.base_timestamp(),
        max_timestamp: header.max_timestamp(),
        producer_id: header.producer_id(),
        producer_epoch: header.producer_epoch(),
        base_sequence: header.base_sequence(),
        record_count: header.record_count(),
    }
}

#[cfg(test)]
mod tests;
