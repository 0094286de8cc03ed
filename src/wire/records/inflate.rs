//! Inflating the records of a batch piece by piece, in memory that does not grow with what they inflate to.
//!
//! Every codec reads from the compressed bytes where they lie and gives one piece at a time. What a piece may take is
//! bounded by the codec's own block, and a block's announced size is never believed beyond what the compressed bytes could
//! possibly hold:
//!
//! | codec | piece | memory while a batch is open |
//! |---|---|---|
//! | gzip | 64 KiB | 64 KiB and the 32 KiB window |
//! | snappy | a block: 32 KiB as the Java library writes it; a bare block, the whole batch | 22 times the compressed block |
//! | lz4 | a block: 64 KiB to 4 MiB | the block |
//! | zstd | 64 KiB | the window, at most 128 MiB, of which only inflated bytes are touched |
//!
//! State is kept warm in [`Scratch`] between batches unless one made it large. Must never know records.

mod gzip;
mod lz4;
mod snappy;
mod zstd;

use bytes::Bytes;

use self::gzip::Gzip;
use self::lz4::Lz4;
use self::snappy::Snappy;
use self::zstd::Zstd;
use super::batch::MAGIC_V2;
use super::codec::Codec;
use super::error::{BatchError, Invalid};

/// The size of a piece, where the codec leaves the choice.
const PIECE_BYTES: usize = 64 * 1024;
/// The largest block buffer that is kept for the next batch.
const KEEP_BLOCK_BYTES: usize = 1 << 20;
/// The largest zstd state that is kept for the next batch: encoders that do not know the size of what they compress ask for
/// windows of 2 to 8 MiB, and taking those anew costs more than a small batch.
const KEEP_ZSTD_BYTES: usize = 9 << 20;

/// Decompression state kept warm from one batch to the next: one for each core. It may serve any number of open batches;
/// who opens a batch while another holds the state gets fresh state.
#[derive(Default)]
pub struct Scratch {
    gzip: Option<Gzip>,
    blocks: Option<Vec<u8>>,
    zstd: Option<Zstd>,
}

/// Why compressed bytes do not inflate.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InflateError {
    /// They end too early.
    #[error("the stream ends too early")]
    CutOff,
    /// They break a rule of the codec.
    #[error("{0}")]
    Damaged(&'static str),
    /// They inflate to more than the caller allows.
    #[error("more bytes than are allowed")]
    Exceeds,
}

/// Compressed bytes on their way to being inflated.
pub struct Inflater {
    codec: Codec,
    stream: Stream,
    compressed: Bytes,
    /// Compressed bytes consumed.
    at: usize,
    inflated: u64,
    max_inflated: u64,
}

enum Stream {
    /// Not compressed: the bytes are the one piece.
    Stored,
    Gzip(Gzip),
    Snappy(Snappy),
    Lz4(Lz4),
    Zstd(Zstd),
}

impl Inflater {
    /// Opens the compressed records of a v2 batch.
    pub fn open(
        codec: Codec,
        compressed: Bytes,
        max_inflated: u64,
        scratch: &mut Scratch,
    ) -> Inflater {
        Self::open_for_magic(MAGIC_V2, codec, compressed, max_inflated, scratch)
    }

    /// Opens the compressed records of a batch or message of format `magic`: clients of format 0 wrote LZ4 frames with a
    /// wrong header checksum, which is then not looked at.
    pub fn open_for_magic(
        magic: i8,
        codec: Codec,
        compressed: Bytes,
        max_inflated: u64,
        scratch: &mut Scratch,
    ) -> Inflater {
        let stream = match codec {
            Codec::None => Stream::Stored,
            Codec::Gzip => Stream::Gzip(scratch.gzip.take().unwrap_or_default()),
            Codec::Snappy => Stream::Snappy(Snappy::new(scratch.blocks.take().unwrap_or_default())),
            Codec::Lz4 => Stream::Lz4(Lz4::new(
                scratch.blocks.take().unwrap_or_default(),
                magic > 0,
            )),
            Codec::Zstd => Stream::Zstd(scratch.zstd.take().unwrap_or_default()),
        };
        Inflater {
            codec,
            stream,
            compressed,
            at: 0,
            inflated: 0,
            max_inflated,
        }
    }

    /// The next inflated piece, or `None` after the last. A piece may be empty.
    ///
    /// # Errors
    /// Any [`InflateError`]; the stream is of no use then.
    pub fn next_piece(&mut self) -> Result<Option<&[u8]>, InflateError> {
        let mut rest = &self.compressed[self.at..];
        let allowed = self.max_inflated - self.inflated;
        let piece = match &mut self.stream {
            Stream::Stored if rest.is_empty() => None,
            Stream::Stored => Some(std::mem::take(&mut rest)),
            Stream::Gzip(gzip) => gzip.next_piece(&mut rest)?,
            Stream::Snappy(snappy) => snappy.next_piece(&mut rest, allowed)?,
            Stream::Lz4(lz4) => lz4.next_piece(&mut rest)?,
            Stream::Zstd(zstd) => zstd.next_piece(&mut rest)?,
        };
        self.at = self.compressed.len() - rest.len();
        let size = piece.map_or(0, <[u8]>::len) as u64;
        if size > allowed {
            return Err(InflateError::Exceeds);
        }
        self.inflated += size;
        Ok(piece)
    }

    /// Bytes inflated so far.
    pub fn inflated(&self) -> u64 {
        self.inflated
    }

    /// Gives the state back to `scratch` for the next batch.
    pub fn close(self, scratch: &mut Scratch) {
        match self.stream {
            Stream::Stored => {}
            Stream::Gzip(gzip) => scratch.gzip = Some(gzip.reset()),
            Stream::Snappy(Snappy { block, .. }) | Stream::Lz4(Lz4 { block, .. }) => {
                scratch.blocks = Some(block).filter(|block| block.capacity() <= KEEP_BLOCK_BYTES);
            }
            Stream::Zstd(zstd) => scratch.zstd = zstd.reset(KEEP_ZSTD_BYTES),
        }
    }

    /// What a failure means for the batch.
    pub fn fault(&self, error: InflateError) -> BatchError {
        match error {
            InflateError::Exceeds => {
                let max = self.max_inflated;
                Invalid::Inflates { max }.into()
            }
            problem => Invalid::Decompress {
                codec: self.codec,
                problem,
            }
            .into(),
        }
    }
}

/// Inflates everything into one vector, for callers that want it whole.
///
/// # Errors
/// Any [`InflateError`]; [`InflateError::Exceeds`] before more than `max_inflated` bytes are held.
pub fn inflate_all(
    magic: i8,
    codec: Codec,
    compressed: Bytes,
    max_inflated: u64,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, BatchError> {
    let mut inflater = Inflater::open_for_magic(magic, codec, compressed, max_inflated, scratch);
    let mut whole = Vec::new();
    loop {
        match inflater.next_piece() {
            Ok(Some(piece)) => whole.extend_from_slice(piece),
            Ok(None) => break,
            Err(error) => return Err(inflater.fault(error)),
        }
    }
    inflater.close(scratch);
    Ok(whole)
}

/// Takes `length` bytes off the front of `input`.
fn take<'a>(input: &mut &'a [u8], length: usize) -> Result<&'a [u8], InflateError> {
    let (taken, rest) = input.split_at_checked(length).ok_or(InflateError::CutOff)?;
    *input = rest;
    Ok(taken)
}

/// Takes `N` bytes off the front of `input`.
fn take_array<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], InflateError> {
    let (taken, rest) = input.split_first_chunk().ok_or(InflateError::CutOff)?;
    *input = rest;
    Ok(*taken)
}

/// The first `length` bytes of `block`, grown if it is smaller.
fn room(block: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if block.len() < length {
        block.resize(length, 0);
    }
    &mut block[..length]
}

#[cfg(test)]
mod tests;
