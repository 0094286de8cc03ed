//! Writes the protocol's primitive types into the pieces of one frame.
//!
//! A frame is gathered as pieces so that record data is never copied: large slices become pieces of their own, and data
//! that stays in a file is only a hole of known length. Knows no message and no file. Any core.

use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

use super::reader::MAX_STRING_LENGTH;

/// Record data longer than this many bytes is not copied into the frame but becomes a piece of its own. Below, one
/// memcpy is cheaper than one more element in a gathering write.
pub const COPY_LIMIT: usize = 4 * 1024;

/// A part of a frame, in the order of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes in memory.
    Bytes(Bytes),
    /// `len` bytes which the network takes from elsewhere; whoever made the message knows what `token` stands for.
    External {
        /// The maker's name for the data.
        token: u32,
        /// Its length in bytes.
        len: u32,
    },
}

impl Piece {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::External { len, .. } => *len as usize,
        }
    }

    /// True when it has no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A frame in the making.
///
/// `head` is what was gathered before the first piece of its own: it stays writable until the end because the frame's
/// length, known last, stands first. Its place in `pieces` is kept by an empty piece.
#[derive(Debug, Default)]
pub struct Writer {
    tail: BytesMut,
    head: Option<BytesMut>,
    pieces: Vec<Piece>,
    /// Bytes in `head` and `pieces`.
    gathered: usize,
}

impl Writer {
    /// An empty writer that holds `capacity` bytes before it grows.
    pub fn with_capacity(capacity: usize) -> Writer {
        Writer {
            tail: BytesMut::with_capacity(capacity),
            ..Writer::default()
        }
    }

    /// Bytes written so far, external ones included.
    pub fn len(&self) -> usize {
        self.gathered + self.tail.len()
    }

    /// True when nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces in order; none is empty.
    pub fn finish(mut self) -> Vec<Piece> {
        match self.head.take() {
            Some(head) => self.pieces[0] = Piece::Bytes(head.freeze()),
            None => {
                return if self.tail.is_empty() {
                    Vec::new()
                } else {
                    vec![Piece::Bytes(self.tail.freeze())]
                };
            }
        }
        if !self.tail.is_empty() {
            self.pieces.push(Piece::Bytes(self.tail.freeze()));
        }
        self.pieces.retain(|piece| !piece.is_empty());
        self.pieces
    }

    /// Everything as one run of bytes; copies only when record data became a piece of its own.
    ///
    /// # Panics
    /// When there is an external piece: only the network can fill it.
    pub fn finish_bytes(self) -> Bytes {
        let total = self.len();
        let mut pieces = self.finish();
        if let [Piece::Bytes(only)] = pieces.as_mut_slice() {
            return std::mem::take(only);
        }
        let mut joined = BytesMut::with_capacity(total);
        for piece in &pieces {
            match piece {
                Piece::Bytes(bytes) => joined.extend_from_slice(bytes),
                Piece::External { token, .. } => {
                    panic!("external piece {token} in a frame that must be in memory")
                }
            }
        }
        joined.freeze()
    }

    /// Writes the frame's length over its first four bytes, which must have been written as a placeholder.
    ///
    /// # Panics
    /// When fewer than four bytes were written, or more than a frame can have (2 GiB).
    pub fn patch_frame_length(&mut self) {
        let length = i32::try_from(self.len() - 4).expect("a frame is shorter than 2 GiB");
        self.head.as_mut().unwrap_or(&mut self.tail)[..4].copy_from_slice(&length.to_be_bytes());
    }

    /// Bytes as they are, copied.
    pub fn slice(&mut self, bytes: &[u8]) {
        self.tail.put_slice(bytes);
    }

    /// INT8.
    pub fn i8(&mut self, value: i8) {
        self.tail.put_i8(value);
    }

    /// INT16.
    pub fn i16(&mut self, value: i16) {
        self.tail.put_i16(value);
    }

    /// INT32.
    pub fn i32(&mut self, value: i32) {
        self.tail.put_i32(value);
    }

    /// UUID.
    pub fn uuid(&mut self, value: Uuid) {
        self.tail.put_slice(value.as_bytes());
    }

    /// UNSIGNED_VARINT.
    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.tail.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.tail.put_u8(value as u8);
    }

    /// NULLABLE_STRING or COMPACT_NULLABLE_STRING. What is longer than a string can be is cut at a character: an answer
    /// with a shortened error text is better than none.
    pub fn nullable_text(&mut self, text: Option<&str>, compact: bool) {
        let text = text.map(within_string_length);
        if compact {
            self.compact_length(text.map(str::len));
        } else {
            self.tail.put_i16(text.map_or(-1, |text| text.len() as i16));
        }
        self.tail.put_slice(text.unwrap_or_default().as_bytes());
    }

    /// NULLABLE_BYTES or COMPACT_NULLABLE_BYTES, copied.
    pub fn nullable_bytes(&mut self, bytes: Option<&[u8]>, compact: bool) {
        self.long_length(bytes.map(<[u8]>::len), compact);
        self.tail.put_slice(bytes.unwrap_or_default());
    }

    /// Length of BYTES, RECORDS or ARRAY; `None` is null.
    pub fn long_length(&mut self, length: Option<usize>, compact: bool) {
        if compact {
            self.compact_length(length);
        } else {
            self.tail.put_i32(length.map_or(-1, |length| length as i32));
        }
    }

    fn compact_length(&mut self, length: Option<usize>) {
        self.uvarint(length.map_or(0, |length| length as u32 + 1));
    }

    /// Record data without its length: copied when short, else a piece of its own.
    pub fn shared(&mut self, bytes: &Bytes) {
        if bytes.len() > COPY_LIMIT {
            self.own_piece(Piece::Bytes(bytes.clone()));
        } else {
            self.tail.put_slice(bytes);
        }
    }

    /// A hole of `len` bytes for the network to fill.
    pub fn external(&mut self, token: u32, len: u32) {
        self.own_piece(Piece::External { token, len });
    }

    /// Closes what was gathered so far and puts `piece` after it. Splitting shares the buffer: no allocation.
    fn own_piece(&mut self, piece: Piece) {
        let before = self.tail.split();
        self.gathered += before.len() + piece.len();
        if self.head.is_none() {
            self.head = Some(before);
            self.pieces.push(Piece::Bytes(Bytes::new()));
        } else if !before.is_empty() {
            self.pieces.push(Piece::Bytes(before.freeze()));
        }
        self.pieces.push(piece);
    }

    /// A tagged field: tag, size, value. The value is written in place; when its size takes more than the one byte left
    /// for it, the value is moved up. Values of tagged fields hold no record data.
    pub fn tagged_field(&mut self, tag: u32, value: impl FnOnce(&mut Writer)) {
        self.uvarint(tag);
        let size_at = self.tail.len();
        let pieces = self.pieces.len();
        self.tail.put_u8(0);
        value(self);
        assert_eq!(self.pieces.len(), pieces, "record data in a tagged field");
        let size = self.tail.len() - size_at - 1;
        let (varint, varint_length) = uvarint_bytes(size as u32);
        if varint_length > 1 {
            self.tail.put_bytes(0, varint_length - 1);
            self.tail
                .copy_within(size_at + 1..size_at + 1 + size, size_at + varint_length);
        }
        self.tail[size_at..size_at + varint_length].copy_from_slice(&varint[..varint_length]);
    }
}

/// The longest start of `text` that a string can carry, cut at a character.
fn within_string_length(text: &str) -> &str {
    let mut end = text.len().min(MAX_STRING_LENGTH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn uvarint_bytes(mut value: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut length = 0;
    loop {
        let more = value >= 0x80;
        bytes[length] = (value as u8 & 0x7f) | if more { 0x80 } else { 0 };
        length += 1;
        value >>= 7;
        if !more {
            return (bytes, length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_read_back() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX] {
            let mut w = Writer::default();
            w.uvarint(value);
            assert_eq!(
                super::super::Reader::new(w.finish_bytes())
                    .uvarint()
                    .unwrap(),
                value
            );
        }
    }

    #[test]
    fn large_record_data_is_not_copied_and_keeps_its_place() {
        let large = Bytes::from(vec![7u8; COPY_LIMIT + 1]);
        let mut w = Writer::with_capacity(64);
        w.i32(0);
        w.shared(&large);
        w.i8(1);
        w.shared(&Bytes::from_static(b"small"));
        w.external(9, 1000);
        w.external(10, 0);
        w.i8(2);
        w.patch_frame_length();
        assert_eq!(w.len(), 4 + large.len() + 1 + 5 + 1000 + 1);
        let length = (large.len() + 1007) as i32;
        let pieces = w.finish();
        assert_eq!(
            pieces[0],
            Piece::Bytes(Bytes::copy_from_slice(&length.to_be_bytes()))
        );
        assert!(matches!(&pieces[1], Piece::Bytes(bytes) if bytes.as_ptr() == large.as_ptr()));
        assert_eq!(pieces[2], Piece::Bytes(Bytes::from_static(b"\x01small")));
        assert_eq!(
            pieces[3],
            Piece::External {
                token: 9,
                len: 1000
            }
        );
        assert_eq!(pieces[4], Piece::Bytes(Bytes::from_static(&[2])));
        assert_eq!(pieces.len(), 5);
    }

    #[test]
    fn a_tagged_field_of_any_size_reads_back() {
        for length in [0usize, 1, 127, 128, 20_000] {
            let mut w = Writer::default();
            w.uvarint(1);
            w.tagged_field(3, |w| w.slice(&vec![0xab; length]));
            w.i8(77);
            let mut r = super::super::Reader::new(w.finish_bytes());
            let mut value = None;
            r.tagged_fields(|r, tag| {
                value = Some((tag, r.take(length)?));
                Ok(true)
            })
            .unwrap();
            assert_eq!(value, Some((3, Bytes::from(vec![0xab; length]))));
            assert_eq!(r.i8().unwrap(), 77);
        }
    }

    #[test]
    fn an_overlong_string_is_cut_at_a_character() {
        let mut w = Writer::default();
        w.nullable_text(Some(&"č".repeat(20_000)), false);
        let read = super::super::Reader::new(w.finish_bytes())
            .nullable_text(false)
            .unwrap()
            .unwrap();
        assert_eq!(read.len(), MAX_STRING_LENGTH - 1);
    }

    #[test]
    #[should_panic(expected = "external piece 5")]
    fn external_data_cannot_be_joined_in_memory() {
        let mut w = Writer::default();
        w.external(5, 1);
        w.finish_bytes();
    }
}
