//! From v2 batches to a message set, for clients that know no batches.
//!
//! A batch is inflated piece by piece, and only as far as the answer needs it: memory is bounded by the answer and one record, not by
//! what the batch inflates to. Headers have no place in a message and are left out; control records are nothing that old clients
//! know. Must never know the topic.

use std::ops::ControlFlow;

use bytes::Bytes;

use super::attributes::TimestampType;
use super::batch::{BatchHeader, HEADER_BYTES};
use super::codec::Codec;
use super::crc::crc32;
use super::error::{BatchError, Invalid};
use super::inflate::{Inflater, Scratch};
use super::message_set::{CRC_COVERS_FROM, SIZE_COVERS_FROM};
use super::read::{self, Batch, Record, RecordPieces};

/// What a batch may inflate to. Memory does not depend on it, only how long the walk may last; what was accepted from a producer
/// lies below.
const MOST_INFLATED_BYTES: u64 = 4 << 30;

/// The records of `batches` from `from` on as messages of format `magic`, uncompressed, until there are `max_bytes`; one message
/// at least, however large.
///
/// # Errors
/// Damaged batches; [`BatchError::UnsupportedCompression`] for zstd, which clients of these formats do not know.
pub fn down_convert(
    batches: Bytes,
    magic: i8,
    from: i64,
    max_bytes: usize,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, BatchError> {
    let mut set = MessageSet {
        bytes: Vec::new(),
        magic,
        max_bytes,
    };
    for batch in read::batches(batches) {
        if convert_batch(&batch?, from, &mut set, scratch)?.is_break() {
            break;
        }
    }
    Ok(set.bytes)
}

/// Breaks off when the set is full.
fn convert_batch(
    batch: &Batch,
    from: i64,
    set: &mut MessageSet,
    scratch: &mut Scratch,
) -> Result<ControlFlow<()>, BatchError> {
    let header = *BatchHeader::read_checked(batch.bytes())?;
    let attributes = header.attributes();
    if attributes.is_control() {
        return Ok(ControlFlow::Continue(()));
    }
    let codec = attributes.codec()?;
    if codec == Codec::Zstd {
        return Err(BatchError::UnsupportedCompression { id: codec.id() });
    }
    let kind = attributes.timestamp_type();
    let stored = batch.bytes().slice(HEADER_BYTES..);
    let mut inflater = Inflater::open(codec, stored, MOST_INFLATED_BYTES, scratch);
    let mut records = RecordPieces::new(header);
    loop {
        let piece = match inflater.next_piece() {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(error) => return Err(inflater.fault(error)),
        };
        let fed = records.feed(piece, |record| {
            if record.offset.0 < from {
                return ControlFlow::Continue(());
            }
            set.put(kind, &record)
        })?;
        if fed.is_break() {
            inflater.close(scratch);
            return Ok(fed);
        }
    }
    inflater.close(scratch);
    match records.is_finished() {
        true => Ok(ControlFlow::Continue(())),
        false => Err(Invalid::TrailingBytes.into()),
    }
}

/// A message set that grows to its limit.
struct MessageSet {
    bytes: Vec<u8>,
    magic: i8,
    max_bytes: usize,
}

impl MessageSet {
    /// Appends a record as a message; breaks off, without it, when there is no room for it.
    fn put(&mut self, kind: TimestampType, record: &Record<'_>) -> ControlFlow<()> {
        let start = self.bytes.len();
        put_message(&mut self.bytes, self.magic, kind, record);
        if self.bytes.len() <= self.max_bytes {
            return ControlFlow::Continue(());
        }
        if start > 0 {
            self.bytes.truncate(start);
        }
        ControlFlow::Break(())
    }
}

fn put_message(set: &mut Vec<u8>, magic: i8, kind: TimestampType, record: &read::Record<'_>) {
    let start = set.len();
    set.extend_from_slice(&record.offset.0.to_be_bytes());
    // The size and the checksum follow from what comes after them.
    set.extend_from_slice(&[0; 8]);
    let logged = magic == 1 && kind == TimestampType::LogAppendTime;
    set.extend_from_slice(&[magic.cast_unsigned(), if logged { 0x08 } else { 0 }]);
    if magic == 1 {
        set.extend_from_slice(&record.timestamp.to_be_bytes());
    }
    for field in [record.key, record.value] {
        let length = field.map_or(-1, |field| field.len() as i32);
        set.extend_from_slice(&length.to_be_bytes());
        set.extend_from_slice(field.unwrap_or_default());
    }
    let crc = crc32(&set[start + CRC_COVERS_FROM..]);
    let size = (set.len() - start - SIZE_COVERS_FROM) as u32;
    set[start + 8..start + SIZE_COVERS_FROM].copy_from_slice(&size.to_be_bytes());
    set[start + SIZE_COVERS_FROM..start + CRC_COVERS_FROM].copy_from_slice(&crc.to_be_bytes());
}

#[cfg(test)]
mod tests;
