//! Reading batches back: the batches in a fetch answer or a segment, and the records of one batch.
//!
//! For clients and tools, which want a batch's records whole; the broker's own walks hold no records (see `stream`). Must
//! never know where the bytes come from.

use std::ops::ControlFlow;

use bytes::Bytes;

use super::attributes::TimestampType;
use super::batch::{BatchHeader, HEADER_BYTES, LENGTH_END, MAGIC_AT};
use super::codec::Codec;
use super::error::{BatchError, Corruption, Invalid, Malformed};
use super::inflate::{Scratch, inflate_all};
use super::record::{RawHeaders, RawRecord};
use super::varint;
use crate::types::Offset;

/// The v2 batches that stand one after the other in `bytes`. A last one that is cut off is left out, as the byte limits of
/// a fetch may leave it; nothing follows an error.
///
/// # Errors
/// [`BatchError::Corrupt`] where no batch begins, [`BatchError::UnsupportedMagic`] where a message of a set does.
pub fn batches(bytes: Bytes) -> impl Iterator<Item = Result<Batch, BatchError>> {
    Entries { bytes }.map(|entry| Batch::new(entry?))
}

/// A whole batch of format v2. Its checksum has not been looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    bytes: Bytes,
}

impl Batch {
    /// The batch that `bytes` is exactly.
    ///
    /// # Errors
    /// Those of [`BatchHeader::read`].
    pub fn new(bytes: Bytes) -> Result<Batch, BatchError> {
        BatchHeader::read(&bytes)?;
        Ok(Batch { bytes })
    }

    /// Its header.
    pub fn header(&self) -> &BatchHeader {
        BatchHeader::read(&self.bytes).expect("a batch has a header")
    }

    /// Exactly its bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its records, after looking at the checksum. Uncompressed ones are not copied.
    ///
    /// # Errors
    /// A wrong checksum, and what inflating can meet; no more than `max_inflated` bytes are taken for that.
    pub fn records(
        &self,
        max_inflated: u64,
        scratch: &mut Scratch,
    ) -> Result<BatchRecords, BatchError> {
        let header = *BatchHeader::read_checked(&self.bytes)?;
        let stored = self.bytes.slice(HEADER_BYTES..);
        let records = match header.attributes().codec()? {
            Codec::None => stored,
            codec => inflate_all(header.magic(), codec, stored, max_inflated, scratch)?.into(),
        };
        Ok(BatchRecords { header, records })
    }
}

/// Batches and messages of any format, whole, one after the other; nothing follows an error.
pub(super) struct Entries {
    pub bytes: Bytes,
}

impl Iterator for Entries {
    type Item = Result<Bytes, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        match entry_size(&self.bytes) {
            Ok(size) => Some(Ok(self.bytes.split_to(size?))),
            Err(error) => {
                self.bytes.clear();
                Some(Err(error))
            }
        }
    }
}

/// The smallest length field any format can have: a message of format v0 without key and value.
const SMALLEST_LENGTH: i32 = 14;

/// The size of the batch or message at the start of `bytes`; `None` when it is not all there.
///
/// # Errors
/// [`BatchError::Corrupt`] for a length or magic no format has.
pub(super) fn entry_size(bytes: &[u8]) -> Result<Option<usize>, BatchError> {
    let Some(length) = bytes.get(LENGTH_END - 4..LENGTH_END) else {
        return Ok(None);
    };
    let declared = i32::from_be_bytes(length.try_into().expect("four bytes"));
    if declared < SMALLEST_LENGTH {
        return Err(Corruption::Length { declared }.into());
    }
    let Some(&magic) = bytes.get(MAGIC_AT) else {
        return Ok(None);
    };
    if magic > 2 {
        let magic = magic as i8;
        return Err(Corruption::Magic { magic }.into());
    }
    let size = LENGTH_END + declared as usize;
    Ok((size <= bytes.len()).then_some(size))
}

/// A record of a batch, borrowed from it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its place in the partition.
    pub offset: Offset,
    /// In milliseconds, or -1.
    pub timestamp: i64,
    /// The key; `None` is null, which is not the same as empty.
    pub key: Option<&'a [u8]>,
    /// The value; null is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, in the order they were given.
    pub headers: RawHeaders<'a>,
}

/// One batch with its records inflated.
pub struct BatchRecords {
    header: BatchHeader,
    records: Bytes,
}

impl BatchRecords {
    /// The batch's header.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// `part`, a key or value of one of these records, as bytes that outlive them; nothing is copied.
    ///
    /// # Panics
    /// When `part` is not of these records.
    pub fn keep(&self, part: &[u8]) -> Bytes {
        self.records.slice_ref(part)
    }

    /// The records as they lie one behind the other, inflated.
    pub(super) fn stored_bytes(&self) -> &[u8] {
        &self.records
    }

    /// Each record in turn; nothing follows an error.
    pub fn iter(&self) -> Records<'_> {
        Records {
            header: &self.header,
            rest: &self.records,
            index: 0,
            count: u32::try_from(self.header.record_count()).unwrap_or(0),
        }
    }
}

impl<'a> IntoIterator for &'a BatchRecords {
    type Item = Result<Record<'a>, BatchError>;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.iter()
    }
}

/// The records of a batch, one after the other.
pub struct Records<'a> {
    header: &'a BatchHeader,
    rest: &'a [u8],
    index: u32,
    count: u32,
}

impl<'a> Records<'a> {
    /// Bytes behind the record that was read last.
    pub(super) fn bytes_left(&self) -> usize {
        self.rest.len()
    }

    fn read_next(&mut self) -> Result<Record<'a>, Malformed> {
        let length = varint::take_i32(&mut self.rest)?;
        let length = usize::try_from(length).map_err(|_| Malformed::Size(length))?;
        let (body, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Ends)?;
        self.rest = rest;
        let raw = RawRecord::parse(body)?;
        let timestamp = match self.header.attributes().timestamp_type() {
            TimestampType::CreateTime => self
                .header
                .base_timestamp()
                .wrapping_add(raw.timestamp_delta),
            TimestampType::LogAppendTime => self.header.max_timestamp(),
        };
        Ok(Record {
            offset: self.header.offset_of(raw.offset_delta),
            timestamp,
            key: raw.key,
            value: raw.value,
            headers: raw.headers,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (index, count) = (self.index, self.count);
        if index == count {
            return match self.rest {
                [] => None,
                _ => {
                    self.rest = &[];
                    Some(Err(Invalid::TrailingBytes.into()))
                }
            };
        }
        if self.rest.is_empty() {
            (self.index, self.count) = (0, 0);
            let found = index;
            return Some(Err(Invalid::MissingRecords { found, count }.into()));
        }
        self.index += 1;
        Some(self.read_next().map_err(|malformed| {
            (self.index, self.count, self.rest) = (0, 0, &[]);
            Invalid::Record { index, malformed }.into()
        }))
    }
}

/// The records of a batch that arrives in pieces: no more than one record is held.
pub(super) struct RecordPieces {
    header: BatchHeader,
    /// The beginning of a record that the next pieces go on with.
    begun: Vec<u8>,
    index: u32,
    count: u32,
}

impl RecordPieces {
    pub(super) fn new(header: BatchHeader) -> RecordPieces {
        RecordPieces {
            header,
            begun: Vec::new(),
            index: 0,
            count: u32::try_from(header.record_count()).unwrap_or(0),
        }
    }

    /// Shows `visit` each record that ends in this piece, until it breaks off.
    ///
    /// # Errors
    /// A record that is none, and more of them than the header declares.
    pub(super) fn feed(
        &mut self,
        piece: &[u8],
        mut visit: impl FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, BatchError> {
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(piece);
        let mut rest = &begun[..];
        while let Some(size) = self.size_of_whole_record(rest)? {
            let (whole, after) = rest.split_at(size);
            let mut one = Records {
                header: &self.header,
                rest: whole,
                index: self.index,
                count: self.index + 1,
            };
            self.index += 1;
            rest = after;
            if let Some(record) = one.next()
                && visit(record?).is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        // A record longer than many pieces is not copied with each of them.
        let ended = begun.len() - rest.len();
        begun.drain(..ended);
        self.begun = begun;
        Ok(ControlFlow::Continue(()))
    }

    /// Whether all records have been there, and nothing but them.
    pub(super) fn is_finished(&self) -> bool {
        self.index == self.count && self.begun.is_empty()
    }

    /// The bytes of the record at the start of `bytes`, with its length; `None` when it is not all there.
    fn size_of_whole_record(&self, bytes: &[u8]) -> Result<Option<usize>, BatchError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if self.index == self.count {
            return Err(Invalid::TrailingBytes.into());
        }
        let index = self.index;
        let malformed = |malformed| BatchError::from(Invalid::Record { index, malformed });
        let mut rest = bytes;
        let length = match varint::take_i32(&mut rest) {
            Ok(length) => length,
            Err(Malformed::Ends) => return Ok(None),
            Err(error) => return Err(malformed(error)),
        };
        let length = usize::try_from(length).map_err(|_| malformed(Malformed::Size(length)))?;
        let size = bytes.len() - rest.len() + length;
        Ok((size <= bytes.len()).then_some(size))
    }
}

#[cfg(test)]
mod tests;
