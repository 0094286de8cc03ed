//! LZ4 frames, to the extent Kafka takes them: independent blocks, no dictionary, one frame.
//!
//! ```text
//! magic 04 22 4d 18 | FLG | BD | content size 8 (if FLG says so) | header checksum
//! blocks: size u32, top bit: stored | bytes | checksum u32 (if FLG says so)
//! end mark: size 0 | content checksum u32 (if FLG says so; not looked at, as in Kafka)
//! ```
//!
//! All integers are little-endian. A frame other readers take and Kafka's does not is refused here too: Java consumers
//! could never get past it. Source: the LZ4 frame format, and KIP-57 for the old clients' wrong header checksum.

use twox_hash::xxhash32::Hasher as XxHash32;

use super::{InflateError, room, take, take_array};

const MAGIC: u32 = 0x184d_2204;
const STORED: u32 = 1 << 31;

/// An LZ4 frame being inflated.
pub struct Lz4 {
    /// Room for one inflated block.
    pub(super) block: Vec<u8>,
    check_header: bool,
    frame: Option<Frame>,
    ended: bool,
}

#[derive(Clone, Copy)]
struct Frame {
    max_block: usize,
    block_checksums: bool,
    content_checksum: bool,
}

impl Lz4 {
    /// A frame not yet begun; `block` is memory to use again.
    pub fn new(block: Vec<u8>, check_header: bool) -> Lz4 {
        Lz4 {
            block,
            check_header,
            frame: None,
            ended: false,
        }
    }

    /// The next block; empty at the start. What follows the end mark is ignored.
    pub fn next_piece<'a>(
        &'a mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<&'a [u8]>, InflateError> {
        if self.ended {
            return Ok(None);
        }
        let Some(frame) = self.frame else {
            self.frame = Some(take_frame_header(input, self.check_header)?);
            return Ok(Some(&[]));
        };
        let size_word = u32::from_le_bytes(take_array(input)?);
        let size = (size_word & !STORED) as usize;
        if size == 0 {
            if frame.content_checksum {
                take(input, 4)?;
            }
            *input = &[];
            self.ended = true;
            return Ok(None);
        }
        if size > frame.max_block {
            return Err(InflateError::Damaged(
                "lz4 block exceeds the frame's maximum",
            ));
        }
        let bytes = take(input, size)?;
        if frame.block_checksums
            && u32::from_le_bytes(take_array(input)?) != XxHash32::oneshot(0, bytes)
        {
            return Err(InflateError::Damaged("lz4 block checksum mismatch"));
        }
        if size_word & STORED != 0 {
            return Ok(Some(bytes));
        }
        let out = room(&mut self.block, most_inflated(size).min(frame.max_block));
        let inflated = lz4_flex::block::decompress_into(bytes, out)
            .map_err(|_| InflateError::Damaged("damaged lz4 block"))?;
        Ok(Some(&self.block[..inflated]))
    }
}

/// What a block of `size` bytes can inflate to at most: a byte of a length stands for 255 bytes.
fn most_inflated(size: usize) -> usize {
    size * 255 + 64
}

fn take_frame_header(input: &mut &[u8], check: bool) -> Result<Frame, InflateError> {
    if u32::from_le_bytes(take_array(input)?) != MAGIC {
        return Err(InflateError::Damaged("not an lz4 frame"));
    }
    let descriptor = *input;
    let [flags, sizes] = take_array(input)?;
    let has = |bit: u8| flags & (1 << bit) != 0;
    if flags >> 6 != 1 || flags & 0b11 != 0 {
        return Err(InflateError::Damaged("unsupported lz4 frame"));
    }
    if !has(5) {
        return Err(InflateError::Damaged("lz4 blocks depend on one another"));
    }
    let max_block = match sizes {
        0x40 => 64 << 10,
        0x50 => 256 << 10,
        0x60 => 1 << 20,
        0x70 => 4 << 20,
        _ => return Err(InflateError::Damaged("unsupported lz4 block size")),
    };
    if has(3) {
        take(input, 8)?;
    }
    let described = &descriptor[..descriptor.len() - input.len()];
    let [checksum] = take_array(input)?;
    if check && checksum != (XxHash32::oneshot(0, described) >> 8) as u8 {
        return Err(InflateError::Damaged("lz4 frame header checksum mismatch"));
    }
    Ok(Frame {
        max_block,
        block_checksums: has(4),
        content_checksum: has(2),
    })
}
