//! Walking through the batches of a segment file from its start, as opening a log does.
//!
//! Plain blocking reads: runs on a blocking thread, never on a core. Memory is bounded by what is read at a time, and where the
//! bytes of a batch are asked for by the largest batch that is whole.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::scan::BatchFrame;
use crate::types::Offset;
use crate::wire::records::batch::{CRC_COVERS_FROM, MAGIC_AT};
use crate::wire::records::{
    BatchError, BatchHeader, Corruption, EndTransaction, HEADER_BYTES, crc,
};

/// What is read at a time when whole batches are checked.
const CHECKING_WINDOW: usize = 256 << 10;
/// What is read at a time when only heads are looked at.
const HEADS_WINDOW: usize = 4 << 10;
/// A batch with one control record is not larger.
const MOST_CONTROL_BYTES: u64 = 4 << 10;
/// What a message of magic 0 or 1 checks begins behind its CRC.
const OLD_CRC_AT: usize = 12;

/// What stands at the walker's position.
pub(super) enum Found {
    /// The end of the file.
    End,
    /// A batch that lies wholly in the file; its records are not yet checked.
    Batch(BatchFrame),
    /// No batch, or the beginning of one; with the reason.
    Damage(String),
}

/// A walk over one file.
pub(super) struct SegmentWalker {
    file: File,
    size: u64,
    position: u64,
    window: Vec<u8>,
    window_start: u64,
    window_bytes: usize,
}

impl SegmentWalker {
    /// A walk that checks whole batches.
    pub(super) fn checking(file: File, size: u64) -> SegmentWalker {
        SegmentWalker::new(file, size, 0, CHECKING_WINDOW)
    }

    /// A walk over heads only, from `position` on, which must be the start of a batch.
    pub(super) fn heads(file: File, size: u64, position: u64) -> SegmentWalker {
        SegmentWalker::new(file, size, position, HEADS_WINDOW)
    }

    /// A walk that reads `window_bytes` at a time, or a batch if that is more.
    pub(super) fn reading(file: File, size: u64, window_bytes: usize) -> SegmentWalker {
        SegmentWalker::new(file, size, 0, window_bytes)
    }

    fn new(file: File, size: u64, position: u64, window_bytes: usize) -> SegmentWalker {
        SegmentWalker {
            file,
            size,
            position,
            window: Vec::new(),
            window_start: position,
            window_bytes,
        }
    }

    /// Where the walk stands: everything before was batches.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// From here on whole batches are checked.
    pub(super) fn look_at_all(&mut self) {
        self.window_bytes = CHECKING_WINDOW;
    }

    /// From here on only heads are looked at; of batches of about `batch_bytes`, no more than that is read.
    pub(super) fn look_at_heads(&mut self, batch_bytes: u64) {
        self.window_bytes = match batch_bytes > HEADS_WINDOW as u64 {
            true => HEADER_BYTES,
            false => HEADS_WINDOW,
        };
    }

    /// What stands here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn look(&mut self) -> io::Result<Found> {
        let left = self.size - self.position;
        if left == 0 {
            return Ok(Found::End);
        }
        let head = self.bytes(left.min(HEADER_BYTES as u64) as usize)?;
        Ok(match BatchFrame::parse(head) {
            Ok(frame) if frame.size <= left && frame.control => Found::Batch(self.with_end(frame)?),
            Ok(frame) if frame.size <= left => Found::Batch(frame),
            Ok(frame) => Found::Damage(format!(
                "the batch of {} bytes is cut off after {left}",
                frame.size
            )),
            Err(reason) => Found::Damage(reason),
        })
    }

    /// A control batch with what it says. A damaged one says nothing; whoever checks it finds that out.
    fn with_end(&mut self, frame: BatchFrame) -> io::Result<BatchFrame> {
        if frame.producer.is_none() || frame.size > MOST_CONTROL_BYTES {
            return Ok(frame);
        }
        let end = EndTransaction::of_batch(self.bytes(frame.size as usize)?);
        Ok(BatchFrame {
            end: end.unwrap_or_default(),
            ..frame
        })
    }

    /// Checks the CRC of the batch that was found here; what is wrong if it does not hold.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn check(&mut self, frame: &BatchFrame) -> io::Result<Result<(), String>> {
        if frame.magic >= 2 {
            return self.check_batch(frame.size);
        }
        let batch = self.bytes(frame.size as usize)?;
        let declared = batch[OLD_CRC_AT..]
            .first_chunk()
            .map_or(0, |field| u32::from_be_bytes(*field));
        let computed = crc::crc32(&batch[OLD_CRC_AT + 4..]);
        Ok(if declared == computed {
            Ok(())
        } else {
            Err(format!("CRC-32 is {computed:#010x}, not {declared:#010x}"))
        })
    }

    /// The checksum of a v2 batch, taken in pieces: a damaged length may claim all the rest of the file.
    fn check_batch(&mut self, size: u64) -> io::Result<Result<(), String>> {
        let start = self.position;
        let stored = match BatchHeader::read(self.bytes(HEADER_BYTES)?) {
            Ok(header) => header.crc(),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let mut pieces = crc::Crc32cPieces::new();
        let mut at = start + CRC_COVERS_FROM as u64;
        while at < start + size {
            let len = (start + size - at).min(self.window_bytes as u64);
            pieces.add(self.bytes_at(at, len as usize)?);
            at += len;
        }
        let computed = pieces.finish();
        Ok(if stored == computed {
            Ok(())
        } else {
            Err(BatchError::from(Corruption::Crc { stored, computed }).to_string())
        })
    }

    /// Where the next batch behind the position begins whose checksum holds and whose offsets are not below `at_least`. The
    /// walk stays where it is. For the place of damage: what it costs is a look at every byte.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn next_sound(&mut self, at_least: Offset) -> io::Result<Option<u64>> {
        let here = self.position;
        // Where the damaged batch says it ends, if it still does: a batch may stand inside of a record, too.
        let claimed = match self.look()? {
            Found::Batch(frame) => Some(here + frame.size),
            Found::End | Found::Damage(_) => None,
        };
        let mut found = None;
        if let Some(end) = claimed
            && self.is_sound_at(end, at_least)?
        {
            found = Some(end);
        }
        let mut at = here + 1;
        while found.is_none() && at + HEADER_BYTES as u64 <= self.size {
            match self.next_magic(at)? {
                Some(candidate) if self.is_sound_at(candidate, at_least)? => {
                    found = Some(candidate)
                }
                Some(candidate) => at = candidate + 1,
                None => break,
            }
        }
        self.position = here;
        Ok(found)
    }

    /// The first position from `from` on where a batch could begin, by its magic byte.
    fn next_magic(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mut at = from + MAGIC_AT as u64;
        while at < self.size {
            let len = (self.size - at).min(self.window_bytes as u64) as usize;
            let window = self.bytes_at(at, len)?;
            if let Some(index) = window.iter().position(|byte| *byte == 2) {
                return Ok(Some(at + index as u64 - MAGIC_AT as u64));
            }
            at += len as u64;
        }
        Ok(None)
    }

    /// Whether a whole batch begins there. Moves the walk.
    fn is_sound_at(&mut self, position: u64, at_least: Offset) -> io::Result<bool> {
        if position + HEADER_BYTES as u64 > self.size {
            return Ok(false);
        }
        self.position = position;
        match self.look()? {
            Found::Batch(frame) if frame.magic >= 2 && frame.base_offset >= at_least => {
                Ok(self.check(&frame)?.is_ok())
            }
            Found::Batch(_) | Found::End | Found::Damage(_) => Ok(false),
        }
    }

    /// Whether the base offset of the batch that was found here is wrong, which no checksum covers: it is above what is due, and the
    /// batch behind it is not. Offsets that are merely missing before it were compacted away.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn moved(&mut self, frame: &BatchFrame, due: Offset) -> io::Result<Option<String>> {
        if frame.base_offset <= due {
            return Ok(None);
        }
        let here = self.position;
        self.position += frame.size;
        let behind = self.look();
        self.position = here;
        Ok(match behind? {
            Found::Batch(next) if (due..frame.next_offset()).contains(&next.base_offset) => {
                Some(format!(
                    "base offset {} stands where {due} is due",
                    frame.base_offset
                ))
            }
            Found::Batch(_) | Found::End | Found::Damage(_) => None,
        })
    }

    /// Goes on at `position`, which is behind.
    pub(super) fn go_to(&mut self, position: u64) {
        self.position = position;
    }

    /// All bytes of the batch that was found here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn batch(&mut self, frame: &BatchFrame) -> io::Result<&[u8]> {
        self.bytes(frame.size as usize)
    }

    /// The head of the batch of format v2 that was found here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn head(&mut self) -> io::Result<&[u8]> {
        self.bytes(HEADER_BYTES)
    }

    /// Goes on behind the batch that was found here.
    pub(super) fn pass(&mut self, frame: &BatchFrame) {
        self.position += frame.size;
    }

    /// `len` bytes from the position on, which the file holds.
    fn bytes(&mut self, len: usize) -> io::Result<&[u8]> {
        self.bytes_at(self.position, len)
    }

    fn bytes_at(&mut self, position: u64, len: usize) -> io::Result<&[u8]> {
        let end = self.window_start + self.window.len() as u64;
        if position < self.window_start || position + len as u64 > end {
            let wanted = self.window_bytes.max(len) as u64;
            self.window
                .resize(wanted.min(self.size - position) as usize, 0);
            self.window_start = position;
            if let Err(error) = self.file.read_exact_at(&mut self.window, position) {
                self.window.clear();
                return Err(error);
            }
        }
        let at = (position - self.window_start) as usize;
        Ok(&self.window[at..at + len])
    }
}
