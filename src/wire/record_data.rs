//! Record data as a field of Produce and Fetch: bytes that the codec carries and never looks into.

use bytes::Bytes;

use super::error::WireError;
use super::reader::Reader;
use super::schema::{Dialect, Field};
use super::writer::Writer;

/// The RECORDS type: one or more record batches. What is inside is the business of record batches, not of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Records {
    /// No records field at all (length -1).
    #[default]
    Null,
    /// Batches in memory. Decoding gives a slice of the frame.
    Bytes(Bytes),
    /// Batches that stay where they are (a file): encoding leaves a hole of `len` bytes, see
    /// [`Piece::External`](super::Piece::External). Decoding never gives this.
    External {
        /// The maker's name for the data.
        token: u32,
        /// Its length in bytes.
        len: u32,
    },
}

impl Records {
    /// Length in bytes; null has none.
    pub fn len(&self) -> usize {
        match self {
            Records::Null => 0,
            Records::Bytes(bytes) => bytes.len(),
            Records::External { len, .. } => *len as usize,
        }
    }

    /// True for null and for no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Field for Records {
    fn decode_field(r: &mut Reader, d: Dialect) -> Result<Records, WireError> {
        Ok(r.nullable_bytes(d.flexible)?
            .map_or(Records::Null, Records::Bytes))
    }

    fn encode_field(&self, w: &mut Writer, d: Dialect) {
        match self {
            Records::Null => w.long_length(None, d.flexible),
            Records::Bytes(bytes) => {
                w.long_length(Some(bytes.len()), d.flexible);
                w.shared(bytes);
            }
            Records::External { token, len } => {
                w.long_length(Some(*len as usize), d.flexible);
                w.external(*token, *len);
            }
        }
    }

    fn min_size(d: Dialect) -> usize {
        if d.flexible { 1 } else { 4 }
    }
}
