//! Zstandard (RFC 8878): frames one after the other, windows up to 128 MiB, which every level of the reference encoder
//! stays within.

use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::{InflateError, PIECE_BYTES};

/// A zstd stream being inflated.
pub struct Zstd {
    context: DCtx<'static>,
    piece: Box<[u8]>,
    inside_frame: bool,
}

impl Default for Zstd {
    fn default() -> Zstd {
        Zstd {
            context: DCtx::create(),
            piece: vec![0; PIECE_BYTES].into(),
            inside_frame: true,
        }
    }
}

impl Zstd {
    /// The next piece.
    pub fn next_piece(&mut self, input: &mut &[u8]) -> Result<Option<&[u8]>, InflateError> {
        if input.is_empty() && !self.inside_frame {
            return Ok(None);
        }
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(&mut self.piece[..]);
        let wanted = self
            .context
            .decompress_stream(&mut to, &mut from)
            .map_err(|code| InflateError::Damaged(get_error_name(code)))?;
        let (consumed, produced) = (from.pos(), to.pos());
        self.inside_frame = wanted != 0;
        if consumed == 0 && produced == 0 && self.inside_frame {
            return Err(InflateError::CutOff);
        }
        *input = &input[consumed..];
        Ok(Some(&self.piece[..produced]))
    }

    /// The same, ready for another stream, unless its window took more than `keep_bytes`.
    pub fn reset(mut self, keep_bytes: usize) -> Option<Zstd> {
        self.context.reset(ResetDirective::SessionOnly).ok()?;
        self.inside_frame = true;
        (self.context.sizeof() <= keep_bytes).then_some(self)
    }
}
