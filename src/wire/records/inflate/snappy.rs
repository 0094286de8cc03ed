//! Snappy in the two forms Kafka clients write it.
//!
//! * The Java library's framing: `82 "SNAPPY" 00`, two versions of 4 bytes, then blocks, each behind its size as a
//!   big-endian `u32`. Streams may be joined: another header may stand where a size is expected.
//! * One bare block, as librdkafka and others write it.

use super::super::codec::SNAPPY_JAVA_MAGIC;
use super::{InflateError, room, take, take_array};

/// Bytes of the framing's header that name it; the versions follow.
const NAME_BYTES: usize = 8;

/// A snappy stream being inflated.
pub struct Snappy {
    /// Room for one inflated block.
    pub(super) block: Vec<u8>,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Unknown,
    Framed,
    /// A bare block that has been read.
    Ended,
}

impl Snappy {
    /// A stream not yet begun; `block` is memory to use again.
    pub fn new(block: Vec<u8>) -> Snappy {
        Snappy {
            block,
            form: Form::Unknown,
        }
    }

    /// The next block, of at most `allowed` inflated bytes; empty at a header.
    pub fn next_piece(
        &mut self,
        input: &mut &[u8],
        allowed: u64,
    ) -> Result<Option<&[u8]>, InflateError> {
        match self.form {
            Form::Unknown if input.starts_with(&SNAPPY_JAVA_MAGIC[..NAME_BYTES]) => {
                take(input, SNAPPY_JAVA_MAGIC.len())?;
                self.form = Form::Framed;
                Ok(Some(&[]))
            }
            Form::Unknown => {
                self.form = Form::Ended;
                self.inflate(std::mem::take(input), allowed).map(Some)
            }
            Form::Framed if input.is_empty() => Ok(None),
            Form::Framed if input.starts_with(&SNAPPY_JAVA_MAGIC[..NAME_BYTES]) => {
                take(input, SNAPPY_JAVA_MAGIC.len())?;
                Ok(Some(&[]))
            }
            Form::Framed => {
                let size = u32::from_be_bytes(take_array(input)?);
                let bytes = take(input, size as usize)?;
                self.inflate(bytes, allowed).map(Some)
            }
            Form::Ended => Ok(None),
        }
    }

    fn inflate(&mut self, bytes: &[u8], allowed: u64) -> Result<&[u8], InflateError> {
        const DAMAGED: InflateError = InflateError::Damaged("damaged snappy block");
        let announced = snap::raw::decompress_len(bytes).map_err(|_| DAMAGED)?;
        if announced > most_inflated(bytes.len()) {
            return Err(DAMAGED);
        }
        if announced as u64 > allowed {
            return Err(InflateError::Exceeds);
        }
        let inflated = snap::raw::Decoder::new()
            .decompress(bytes, room(&mut self.block, announced))
            .map_err(|_| DAMAGED)?;
        Ok(&self.block[..inflated])
    }
}

/// What a block of `size` bytes can inflate to at most: three bytes copy up to 64.
fn most_inflated(size: usize) -> usize {
    size * 22
}
