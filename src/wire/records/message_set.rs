//! Message sets, the formats before record batches: v0 (no timestamp) and v1.
//!
//! ```text
//! offset i64 | size i32 | crc u32: CRC-32 of what follows | magic i8 | attributes i8 | timestamp i64 (v1 only)
//! keyLength i32 (-1: null) | key | valueLength i32 (-1: null) | value
//! ```
//!
//! Attributes: bits 0-2 codec, bit 3 (v1) timestamp type. With a codec, the message is a *wrapper*: its value is a
//! compressed set of messages. A wrapper's offset is that of its last inner message; inner offsets are absolute in v0, and
//! in v1 relative, so that they need no rewriting (KIP-31). All integers are big-endian.
//!
//! No file has either format any more: what old producers send becomes a v2 batch ([`up_convert`]), and what old consumers
//! get is made of v2 batches ([`down_convert`](super::down_convert::down_convert)). Must never know the topic.

use bytes::Bytes;

use super::attributes::TimestampType;
use super::batch::NO_TIMESTAMP;
use super::builder::BatchBuilder;
use super::codec::Codec;
use super::crc::crc32;
use super::error::{BatchError, Corruption, Invalid, Malformed};
use super::inflate::{Scratch, inflate_all};
use super::read::Entries;

/// Where the bytes the size counts begin.
pub(super) const SIZE_COVERS_FROM: usize = 12;
/// Where the bytes the checksum covers begin.
pub(super) const CRC_COVERS_FROM: usize = 16;
/// What a set may inflate to to be converted: a batch's length is an `i32`.
const MAX_CONVERTED: u64 = 1 << 30;

/// A message of format v0 or v1; it may be a wrapper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its offset; a wrapper's is that of its last inner message.
    pub offset: i64,
    /// 0 or 1.
    pub magic: i8,
    /// How its value is compressed; [`Codec::None`] unless it is a wrapper.
    pub codec: Codec,
    /// Whose clock its timestamp is.
    pub timestamp_type: TimestampType,
    /// In milliseconds; -1 in v0.
    pub timestamp: i64,
    /// The key, if there is one.
    pub key: Option<Bytes>,
    /// The value, if there is one; a wrapper's is the compressed set.
    pub value: Option<Bytes>,
}

impl Message {
    /// Reads the message that `bytes` is exactly, after looking at its checksum.
    ///
    /// # Errors
    /// [`BatchError::Corrupt`], [`BatchError::Invalid`] or [`BatchError::UnsupportedCompression`].
    pub fn read(bytes: &Bytes) -> Result<Message, BatchError> {
        let malformed = |malformed| {
            BatchError::from(Invalid::Record {
                index: 0,
                malformed,
            })
        };
        let mut fields = Fields { bytes, at: 0 };
        let offset = i64::from_be_bytes(fields.array().map_err(malformed)?);
        let _size: [u8; 4] = fields.array().map_err(malformed)?;
        let stored = u32::from_be_bytes(fields.array().map_err(malformed)?);
        let computed = crc32(&bytes[CRC_COVERS_FROM..]);
        if stored != computed {
            return Err(Corruption::Crc { stored, computed }.into());
        }
        let [magic, attributes] = fields.array().map_err(malformed)?;
        let magic = magic as i8;
        let id = attributes & 0x07;
        let codec = Codec::from_id(id).ok_or(BatchError::UnsupportedCompression { id })?;
        let timestamp = match magic {
            0 => NO_TIMESTAMP,
            1 => i64::from_be_bytes(fields.array().map_err(malformed)?),
            magic => return Err(Corruption::Magic { magic }.into()),
        };
        let message = Message {
            offset,
            magic,
            codec,
            timestamp_type: match magic == 1 && attributes & 0x08 != 0 {
                true => TimestampType::LogAppendTime,
                false => TimestampType::CreateTime,
            },
            timestamp,
            key: fields.nullable().map_err(malformed)?,
            value: fields.nullable().map_err(malformed)?,
        };
        match bytes.len() - fields.at {
            0 => Ok(message),
            left => Err(malformed(Malformed::Left(left))),
        }
    }

    /// Whether it holds a compressed set of messages.
    pub fn is_wrapper(&self) -> bool {
        self.codec != Codec::None
    }

    /// Shows `visit` each message inside a wrapper with its own offset and timestamp, or the message itself.
    ///
    /// # Errors
    /// Inner messages that are damaged, of another format, or wrappers themselves; none at all; more than `max_inflated`
    /// bytes of them; and whatever `visit` gives.
    pub fn unwrap_each(
        self,
        max_inflated: u64,
        scratch: &mut Scratch,
        mut visit: impl FnMut(Message) -> Result<(), BatchError>,
    ) -> Result<(), BatchError> {
        if !self.is_wrapper() {
            return visit(self);
        }
        let compressed = self.value.clone().unwrap_or_default();
        let inner = inflate_all(self.magic, self.codec, compressed, max_inflated, scratch)?;
        let inner = Bytes::from(inner);
        let base_offset = self.base_of_inner_offsets(&inner)?;
        for (index, message) in messages(&inner).enumerate() {
            let mut message = message?;
            if message.is_wrapper() || message.magic != self.magic {
                let index = index as u32;
                return Err(Invalid::Inner { index }.into());
            }
            message.offset = message.offset.wrapping_add(base_offset);
            if self.timestamp_type == TimestampType::LogAppendTime {
                message.timestamp_type = TimestampType::LogAppendTime;
                message.timestamp = self.timestamp;
            }
            visit(message)?;
        }
        Ok(())
    }

    /// What the offsets of the messages in `inner` are relative to.
    fn base_of_inner_offsets(&self, inner: &Bytes) -> Result<i64, BatchError> {
        let last = messages(inner).last().ok_or(Invalid::NoBatch)??;
        // Some producers leave the wrapper's offset at 0; the inner offsets then are what they mean.
        Ok(match self.magic == 1 && self.offset != 0 {
            true => self.offset.wrapping_sub(last.offset),
            false => 0,
        })
    }
}

/// The v2 batch that says what the message set `records` of a producer says: the same keys, values and timestamps in the
/// same order, compressed with the same codec. It is made in memory: at most 1 GiB is inflated. A message that is cut off at the end is left out.
///
/// # Errors
/// Those of [`Message::read`] and [`Message::unwrap_each`]; [`Invalid::NoBatch`] without a message, and
/// [`Invalid::SeveralBatches`] when something follows a wrapper.
pub fn up_convert(
    records: &Bytes,
    max_inflated: u64,
    scratch: &mut Scratch,
) -> Result<Bytes, BatchError> {
    let max_inflated = max_inflated.min(MAX_CONVERTED);
    let first = messages(records).next().ok_or(Invalid::NoBatch)??;
    let mut builder = BatchBuilder::new(first.codec);
    for (index, message) in messages(records).enumerate() {
        let message = message?;
        if index > 0 && (first.is_wrapper() || message.is_wrapper()) {
            return Err(Invalid::SeveralBatches.into());
        }
        message.unwrap_each(max_inflated, scratch, |message| {
            let (key, value) = (message.key.as_deref(), message.value.as_deref());
            builder.append(message.timestamp, key, value, &[]);
            Ok(())
        })?;
    }
    Ok(builder.build())
}

/// The whole messages that stand one after the other in `bytes`, wrappers unopened. A last one that is cut off is left out.
///
/// # Errors
/// Those of [`Message::read`], and of bytes where no message begins.
pub fn messages(bytes: &Bytes) -> impl Iterator<Item = Result<Message, BatchError>> + use<> {
    let bytes = bytes.clone();
    Entries { bytes }.map(|entry| Message::read(&entry?))
}

/// The fields of a message, taken one after the other.
struct Fields<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let array = rest.first_chunk().ok_or(Malformed::Ends)?;
        self.at += N;
        Ok(*array)
    }

    fn nullable(&mut self) -> Result<Option<Bytes>, Malformed> {
        let Ok(length) = usize::try_from(i32::from_be_bytes(self.array()?)) else {
            return Ok(None);
        };
        if length > self.bytes.len() - self.at {
            return Err(Malformed::Ends);
        }
        let field = self.bytes.slice(self.at..self.at + length);
        self.at += length;
        Ok(Some(field))
    }
}

#[cfg(test)]
mod tests;
