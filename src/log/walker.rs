//! Walking through the batches of a segment file from its start, as opening a log does.
//!
//! Plain blocking reads: runs on a blocking thread, never on a core. Memory is bounded by the largest batch that the file can
//! hold.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::scan::BatchFrame;
use crate::wire::records::{BatchHeader, HEADER_BYTES, crc};

/// What is read at a time when whole batches are checked.
const CHECKING_WINDOW: usize = 256 << 10;
/// What is read at a time when only heads are looked at.
const HEADS_WINDOW: usize = 4 << 10;
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
            Ok(frame) if frame.size <= left => Found::Batch(frame),
            Ok(frame) => Found::Damage(format!(
                "the batch of {} bytes is cut off after {left}",
                frame.size
            )),
            Err(reason) => Found::Damage(reason),
        })
    }

    /// Checks the CRC of the batch that was found here; what is wrong if it does not hold.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn check(&mut self, frame: &BatchFrame) -> io::Result<Result<(), String>> {
        let magic = frame.magic;
        let batch = self.bytes(frame.size as usize)?;
        if magic >= 2 {
            return Ok(BatchHeader::read_checked(batch)
                .map(drop)
                .map_err(|error| error.to_string()));
        }
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

    /// All bytes of the batch that was found here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn batch(&mut self, frame: &BatchFrame) -> io::Result<&[u8]> {
        self.bytes(frame.size as usize)
    }

    /// Goes on behind the batch that was found here.
    pub(super) fn pass(&mut self, frame: &BatchFrame) {
        self.position += frame.size;
    }

    /// `len` bytes from the position on, which the file holds.
    fn bytes(&mut self, len: usize) -> io::Result<&[u8]> {
        let end = self.window_start + self.window.len() as u64;
        if self.position < self.window_start || self.position + len as u64 > end {
            let wanted = self.window_bytes.max(len) as u64;
            self.window
                .resize(wanted.min(self.size - self.position) as usize, 0);
            self.window_start = self.position;
            self.file.read_exact_at(&mut self.window, self.position)?;
        }
        let at = (self.position - self.window_start) as usize;
        Ok(&self.window[at..at + len])
    }
}
