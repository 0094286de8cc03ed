//! Gzip (RFC 1952): members one after the other, each checked against its own CRC-32 and size.
//!
//! As in Java's reader, whatever follows the last member without being one is ignored.

use flate2::{Decompress, FlushDecompress, Status};

use super::{InflateError, PIECE_BYTES, take, take_array};

const MAGIC_DEFLATE: [u8; 3] = [0x1f, 0x8b, 8];
const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

/// A gzip stream being inflated.
pub struct Gzip {
    deflate: Decompress,
    piece: Box<[u8]>,
    state: State,
    crc: crc32fast::Hasher,
    /// Bytes of the current member, modulo 2^32.
    size: u32,
}

#[derive(PartialEq, Eq)]
enum State {
    FirstHeader,
    Member,
    NextHeader,
    Ended,
}

impl Default for Gzip {
    fn default() -> Gzip {
        Gzip {
            deflate: Decompress::new(false),
            piece: vec![0; PIECE_BYTES].into(),
            state: State::FirstHeader,
            crc: crc32fast::Hasher::new(),
            size: 0,
        }
    }
}

impl Gzip {
    /// The next piece; empty at a member's start.
    pub fn next_piece(&mut self, input: &mut &[u8]) -> Result<Option<&[u8]>, InflateError> {
        match self.state {
            State::FirstHeader => {
                take_header(input)?;
                self.state = State::Member;
                Ok(Some(&[]))
            }
            State::Member => self.inflate(input).map(Some),
            State::NextHeader => {
                if take_header(input).is_err() {
                    *input = &[];
                    self.state = State::Ended;
                    return Ok(None);
                }
                self.start_member();
                Ok(Some(&[]))
            }
            State::Ended => Ok(None),
        }
    }

    /// The same, ready for another stream.
    pub fn reset(mut self) -> Gzip {
        self.start_member();
        self.state = State::FirstHeader;
        self
    }

    fn start_member(&mut self) {
        self.deflate.reset(false);
        self.crc.reset();
        self.size = 0;
        self.state = State::Member;
    }

    fn inflate(&mut self, input: &mut &[u8]) -> Result<&[u8], InflateError> {
        let (in_before, out_before) = (self.deflate.total_in(), self.deflate.total_out());
        let status = self
            .deflate
            .decompress(input, &mut self.piece, FlushDecompress::None)
            .map_err(|_| InflateError::Damaged("damaged deflate data"))?;
        let consumed = (self.deflate.total_in() - in_before) as usize;
        let produced = (self.deflate.total_out() - out_before) as usize;
        *input = &input[consumed..];
        let piece = &self.piece[..produced];
        self.crc.update(piece);
        self.size = self.size.wrapping_add(produced as u32);
        match status {
            Status::StreamEnd => {
                let crc = u32::from_le_bytes(take_array(input)?);
                let size = u32::from_le_bytes(take_array(input)?);
                if (crc, size) != (self.crc.clone().finalize(), self.size) {
                    return Err(InflateError::Damaged("gzip trailer does not match"));
                }
                self.state = State::NextHeader;
            }
            _ if produced == 0 && consumed == 0 => return Err(InflateError::CutOff),
            _ => {}
        }
        Ok(piece)
    }
}

fn take_header(input: &mut &[u8]) -> Result<(), InflateError> {
    if take_array::<3>(input)? != MAGIC_DEFLATE {
        return Err(InflateError::Damaged("not gzip"));
    }
    let [flags, _mtime @ .., _level, _system] = take_array::<7>(input)?;
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes(take_array(input)?);
        take(input, usize::from(length))?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = input.iter().position(|&byte| byte == 0);
            take(input, end.ok_or(InflateError::CutOff)? + 1)?;
        }
    }
    if flags & HEADER_CRC != 0 {
        take(input, 2)?;
    }
    Ok(())
}
