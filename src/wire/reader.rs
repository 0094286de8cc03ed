//! Reads the protocol's primitive types from one frame.
//!
//! Every read is checked against the bytes that remain; strings, bytes and record data are slices that share the frame's
//! memory. Memory for arrays is taken only after two checks: the elements must fit into the rest of the frame, and all
//! arrays of one frame together stay within a budget proportional to its length. Knows no message. Any core.
//!
//! The types are those of <https://kafka.apache.org/protocol#protocol_types>; integers are big-endian.

use bytes::Bytes;
use uuid::Uuid;

use super::error::WireError;
use super::text::Text;

/// Longest string the protocol has, in bytes: its classic length is an int16, and the compact form keeps that limit.
pub const MAX_STRING_LENGTH: usize = i16::MAX as usize;

/// Arrays of one frame may take this many bytes of memory for each byte of the frame. The densest real request (topics
/// of two letters in Metadata) needs 12.
const MEMORY_PER_FRAME_BYTE: usize = 16;

/// What the arrays of even the smallest frame may take, in bytes.
const MEMORY_FLOOR: usize = 64 * 1024;

/// A position in one frame, and what may still be taken for it.
#[derive(Debug)]
pub struct Reader {
    frame: Bytes,
    position: usize,
    memory_left: usize,
}

impl Reader {
    /// Starts at the first byte of `frame` (without its length prefix).
    pub fn new(frame: Bytes) -> Reader {
        let memory_left = memory_budget(frame.len());
        Reader {
            frame,
            position: 0,
            memory_left,
        }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.frame.len() - self.position
    }

    /// The next `length` bytes, sharing the frame's memory.
    ///
    /// # Errors
    /// [`WireError::Truncated`] when fewer remain.
    pub fn take(&mut self, length: usize) -> Result<Bytes, WireError> {
        self.check(length)?;
        let start = self.position;
        self.position += length;
        Ok(self.frame.slice(start..self.position))
    }

    /// Steps over `length` bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`] when fewer remain.
    pub fn skip(&mut self, length: usize) -> Result<(), WireError> {
        self.check(length)?;
        self.position += length;
        Ok(())
    }

    fn check(&self, needed: usize) -> Result<(), WireError> {
        if needed > self.remaining() {
            return Err(WireError::Truncated {
                position: self.position,
                needed,
                remaining: self.remaining(),
            });
        }
        Ok(())
    }

    /// The next `N` bytes by value.
    ///
    /// # Errors
    /// [`WireError::Truncated`] when fewer remain.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        match self.frame[self.position..].first_chunk::<N>() {
            Some(chunk) => {
                self.position += N;
                Ok(*chunk)
            }
            None => Err(WireError::Truncated {
                position: self.position,
                needed: N,
                remaining: self.remaining(),
            }),
        }
    }

    /// INT8.
    pub fn i8(&mut self) -> Result<i8, WireError> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    /// INT16.
    pub fn i16(&mut self) -> Result<i16, WireError> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    /// INT32.
    pub fn i32(&mut self) -> Result<i32, WireError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// UUID: 16 bytes, most significant first.
    pub fn uuid(&mut self) -> Result<Uuid, WireError> {
        Ok(Uuid::from_bytes(self.array()?))
    }

    /// UNSIGNED_VARINT: seven bits a byte, lowest first, at most five bytes.
    ///
    /// # Errors
    /// [`WireError::VarintTooLong`] when the fifth byte says that a sixth follows. Bits above the 32nd are dropped, as
    /// Kafka drops them.
    pub fn uvarint(&mut self) -> Result<u32, WireError> {
        let start = self.position;
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::VarintTooLong { position: start })
    }

    /// Length of a STRING (int16) or COMPACT_STRING (varint of length + 1); `None` is null.
    fn string_length(&mut self, compact: bool) -> Result<Option<usize>, WireError> {
        let position = self.position;
        let length = if compact {
            i64::from(self.uvarint()?) - 1
        } else {
            i64::from(self.i16()?)
        };
        checked_length(position, length, MAX_STRING_LENGTH)
    }

    /// Length of BYTES, RECORDS or ARRAY (int32), or of their compact form (varint of length + 1); `None` is null.
    fn long_length(&mut self, compact: bool) -> Result<Option<usize>, WireError> {
        let position = self.position;
        let length = if compact {
            i64::from(self.uvarint()?) - 1
        } else {
            i64::from(self.i32()?)
        };
        checked_length(position, length, i32::MAX as usize)
    }

    /// NULLABLE_STRING or COMPACT_NULLABLE_STRING.
    ///
    /// # Errors
    /// Truncated, longer than 32767 bytes, or not UTF-8.
    pub fn nullable_text(&mut self, compact: bool) -> Result<Option<Text>, WireError> {
        let Some(length) = self.string_length(compact)? else {
            return Ok(None);
        };
        let position = self.position;
        let bytes = self.take(length)?;
        Text::from_utf8(bytes)
            .map(Some)
            .map_err(|_| WireError::NotUtf8 { position })
    }

    /// NULLABLE_BYTES or COMPACT_NULLABLE_BYTES; RECORDS are read the same way.
    pub fn nullable_bytes(&mut self, compact: bool) -> Result<Option<Bytes>, WireError> {
        match self.long_length(compact)? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    /// Length of an array whose elements take at least `min_element_size` bytes (1 or more) in the frame and
    /// `element_memory` bytes in memory each. After an `Ok` that many elements may be allocated.
    ///
    /// # Errors
    /// [`WireError::ArrayTooLong`] or [`WireError::MemoryBudget`].
    pub fn array_length(
        &mut self,
        compact: bool,
        min_element_size: usize,
        element_memory: usize,
    ) -> Result<Option<usize>, WireError> {
        let Some(claimed) = self.long_length(compact)? else {
            return Ok(None);
        };
        let position = self.position;
        if claimed > self.remaining() / min_element_size.max(1) {
            return Err(WireError::ArrayTooLong {
                position,
                claimed,
                remaining: self.remaining(),
            });
        }
        let memory = claimed.saturating_mul(element_memory);
        match self.memory_left.checked_sub(memory) {
            Some(left) => self.memory_left = left,
            None => {
                return Err(WireError::MemoryBudget {
                    position,
                    frame: self.frame.len(),
                });
            }
        }
        Ok(Some(claimed))
    }

    /// The tagged fields that end a flexible structure. `known` is asked for each: it decodes the field and returns
    /// true, or returns false without reading; then the field is skipped.
    ///
    /// # Errors
    /// Whatever `known` returns; tags that do not ascend; a field that does not fill its size exactly.
    pub fn tagged_fields(
        &mut self,
        mut known: impl FnMut(&mut Reader, u32) -> Result<bool, WireError>,
    ) -> Result<(), WireError> {
        let count = self.uvarint()?;
        let mut previous = None;
        for _ in 0..count {
            let tag = self.uvarint()?;
            if let Some(previous) = previous.filter(|p| *p >= tag) {
                return Err(WireError::TagOrder {
                    position: self.position,
                    tag,
                    previous,
                });
            }
            previous = Some(tag);
            let claimed = self.uvarint()? as usize;
            self.check(claimed)?;
            let start = self.position;
            if !known(self, tag)? {
                self.skip(claimed)?;
            }
            let actual = self.position - start;
            if actual != claimed {
                return Err(WireError::TagSize {
                    position: self.position,
                    tag,
                    claimed,
                    actual,
                });
            }
        }
        Ok(())
    }
}

/// Bytes of memory that the arrays decoded from a frame of `frame_length` bytes may take together.
pub fn memory_budget(frame_length: usize) -> usize {
    frame_length
        .saturating_mul(MEMORY_PER_FRAME_BYTE)
        .saturating_add(MEMORY_FLOOR)
}

fn checked_length(position: usize, length: i64, limit: usize) -> Result<Option<usize>, WireError> {
    match usize::try_from(length) {
        Ok(length) if length <= limit => Ok(Some(length)),
        Err(_) if length == -1 => Ok(None),
        _ => Err(WireError::InvalidLength { position, length }),
    }
}

#[cfg(test)]
mod tests;
