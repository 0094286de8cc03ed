//! Reading batches back: the batches in a fetch answer or a segment, and the records of one batch.
//!
//! For clients and tools, which want a batch's records whole; the broker's own walks hold no records (see `stream`). Must
//! never know where the bytes come from.

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

#[cfg(test)]
mod tests;
