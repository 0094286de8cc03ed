//! What need not be checked after the process died: up to where a segment's bytes are known to be as they were written.
//!
//! `written_checkpoint` tells why, and what the mark must agree with. Here it meets the files; runs on a blocking thread.

use std::fs::File;

use super::error::LogError;
use super::loader::Loader;
use super::scan::BatchFrame;
use super::written_checkpoint::WrittenMark;
use crate::io::lifetime::FileIdentity;
use crate::io::page_cache;
use crate::types::Offset;

/// Bytes of which it is asked at once whether they are in the page cache.
const BLOCK_BYTES: u64 = 1 << 20;

/// What is vouched for in one segment.
pub(super) struct Vouched {
    /// Everything before was written, and nothing since.
    end: u64,
    /// Which offset must be due at `end`; only where the mark stands in this segment.
    due_at_end: Option<Offset>,
    /// Which blocks were in the page cache before anything was read here: reading brings them there.
    resident: Vec<bool>,
}

impl Vouched {
    /// Nothing is.
    pub(super) fn nothing() -> Vouched {
        Vouched {
            end: 0,
            due_at_end: None,
            resident: Vec::new(),
        }
    }

    /// What `mark` vouches for in the segment at `base`, of `size` bytes. Nothing may have been read of it before.
    ///
    /// # Errors
    /// The segment cannot be opened.
    pub(super) fn in_segment(
        loader: &Loader<'_>,
        mark: Option<&WrittenMark>,
        base: Offset,
        size: u64,
    ) -> Result<Vouched, LogError> {
        let Some(mark) = mark.filter(|mark| base <= mark.segment) else {
            return Ok(Vouched::nothing());
        };
        let (end, due_at_end) = match base == mark.segment {
            true => (mark.position, Some(mark.next_offset)),
            false => (size, None),
        };
        let file = loader.open(base)?;
        Ok(Vouched {
            end,
            due_at_end,
            resident: resident_blocks(&file, end),
        })
    }

    /// Whether damage at `position` contradicts the mark.
    pub(super) fn denies_damage_at(&self, position: u64) -> bool {
        position < self.end
    }

    /// Whether the walk, which stands at `position` where `due` is the next offset, contradicts the mark.
    pub(super) fn is_missed(&mut self, position: u64, due: Offset) -> bool {
        if position < self.end {
            return false;
        }
        let expected = self.due_at_end.take();
        expected.is_some_and(|expected| position != self.end || due != expected)
    }

    /// Whether the batch at `position` is as it was written, without a look at its records.
    pub(super) fn covers(&self, position: u64, frame: &BatchFrame) -> bool {
        let end = position + frame.size;
        if end > self.end {
            return false;
        }
        let blocks = (position / BLOCK_BYTES) as usize..=((end - 1) / BLOCK_BYTES) as usize;
        self.resident
            .get(blocks)
            .is_some_and(|blocks| blocks.iter().all(|resident| *resident))
    }
}

/// Of each block before `end`, whether all of it is in the page cache.
fn resident_blocks(file: &File, end: u64) -> Vec<bool> {
    let block = |block: u64| {
        let from = block * BLOCK_BYTES;
        page_cache::is_certainly_resident(file, from, BLOCK_BYTES.min(end - from))
    };
    (0..end.div_ceil(BLOCK_BYTES)).map(block).collect()
}

impl Loader<'_> {
    /// Why `mark` says nothing of the files that are here; `None` if it fits them.
    pub(super) fn misfit(&self, mark: &WrittenMark) -> Option<String> {
        let Some(&size) = self.sizes.get(&mark.segment) else {
            return Some(format!("the segment at {} is gone", mark.segment));
        };
        if size < mark.position {
            return Some(format!(
                "the segment at {} has {size} bytes, {} were written",
                mark.segment, mark.position
            ));
        }
        let file = self.open(mark.segment).ok();
        let identity = file.and_then(|file| FileIdentity::of(&file).ok());
        (identity != Some(mark.file))
            .then(|| format!("the segment at {} is another file", mark.segment))
    }
}
