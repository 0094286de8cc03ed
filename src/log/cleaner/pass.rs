//! One run over a log, on a thread of its own: the keys of the dirty part into a map, then every segment up to there copied
//! without what the map says is old.
//!
//! Plain blocking reads and writes. The log goes on meanwhile: what is read here is sealed and never changes. The core that
//! owns the log hears of each new segment through the [`Exchange`], and answers for it.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use bytes::Bytes;

use super::error::CleanError;
use super::exchange::{Ask, Exchange, Handles, Replacement};
use super::filter::Filter;
use super::offset_map::{OffsetMap, SLOT_BYTES};
use super::output::CleanedSegment;
use super::plan::{CleaningPlan, SealedSegment, Sized, groups};
use super::rewrite::{Fate, Rewriter};
use super::swap::{self, Names};
use super::throttle::Throttle;
use super::transactions::CleanedTransactions;
use crate::io::SegmentFile;
use crate::limits;
use crate::log::error::LogError;
use crate::log::file_names::{self, CLEANED_ENDING, FileKind, SWAP_ENDING, with_ending};
use crate::log::index::IndexedBatch;
use crate::log::scan::BatchFrame;
use crate::log::transaction_index::{self, AbortedTransaction};
use crate::log::walker::{Found, SegmentWalker};
use crate::types::Offset;
use crate::wire::records::{Batch, BatchError, EndTransaction, Scratch};

/// What one run did.
#[derive(Clone, Debug, Default)]
pub struct Cleaned {
    /// Everything before is compacted now.
    pub first_dirty: Offset,
    /// Keys that were met in the dirty part.
    pub keys: usize,
    /// Bytes read, those for the map included.
    pub bytes_read: u64,
    /// Bytes of the segments that were replaced.
    pub bytes_before: u64,
    /// Bytes of those that took their place.
    pub bytes_after: u64,
}

/// What a thread may use.
#[derive(Clone, Copy, Debug)]
pub struct Buffers {
    /// Bytes for the keys' map.
    pub map_bytes: usize,
    /// `log.cleaner.io.buffer.load.factor`.
    pub load_factor: f64,
    /// Bytes that are read and written at a time.
    pub io_bytes: usize,
}

/// A run.
pub(super) struct Pass<'a> {
    pub(super) plan: &'a CleaningPlan,
    pub(super) buffers: Buffers,
    pub(super) throttle: &'a Throttle,
    pub(super) stop: &'a AtomicBool,
    pub(super) names: &'a dyn Names,
    pub(super) exchange: &'a Exchange,
}

impl Pass<'_> {
    /// Runs to the end, or until something is in the way; what has been swapped by then stays.
    pub(super) fn run(&self) -> Result<Cleaned, CleanError> {
        let mut cleaned = Cleaned::default();
        let map = self.map_keys(&mut cleaned)?;
        let Some(latest) = map
            .latest_offset()
            .filter(|latest| *latest >= self.plan.first_dirty)
        else {
            return Err(CleanError::MapTooSmall {
                bytes: self.buffers.map_bytes,
            });
        };
        cleaned.keys = map.len();
        let end = latest + 1;
        let covered = self
            .plan
            .segments
            .iter()
            .filter(|segment| segment.base_offset < end);
        let sized: Vec<Sized> = covered
            .map(|segment| self.measure(segment))
            .collect::<Result<_, _>>()?;
        let mut transactions = CleanedTransactions::default();
        for group in groups(&sized, self.plan) {
            self.clean_group(&group, &map, &mut transactions, &mut cleaned)?;
        }
        cleaned.first_dirty = end;
        Ok(cleaned)
    }

    /// The newest offset of each key in the dirty part, as far as the map holds.
    fn map_keys(&self, cleaned: &mut Cleaned) -> Result<OffsetMap, CleanError> {
        let plan = self.plan;
        let dirty = plan
            .segments
            .iter()
            .filter(|segment| segment.next_base > plan.first_dirty);
        let offsets = (plan.first_uncleanable - plan.first_dirty)
            .max(0)
            .unsigned_abs();
        let mut map = OffsetMap::new(self.buffers.map_bytes, self.buffers.load_factor, offsets);
        if map.most() == 0 {
            return Err(CleanError::MapTooSmall {
                bytes: self.buffers.map_bytes.min(SLOT_BYTES),
            });
        }
        let mut scratch = Scratch::default();
        let mut transactions = CleanedTransactions::default();
        for segment in dirty {
            let mut full = false;
            transactions.expect(self.aborted_in(segment)?);
            self.each_batch(segment, cleaned, |_, batch| {
                let header = batch.header();
                let counts = has_records_that_count(batch, &mut transactions)?;
                if header.next_offset() <= plan.first_dirty {
                    return Ok(true);
                }
                full = counts && !self.map_batch(&mut map, batch, &mut scratch)?;
                if !full {
                    map.covers_up_to(header.last_offset());
                }
                Ok(!full)
            })?;
            if full {
                return Ok(map);
            }
            // Compaction may have left a gap at the segment's end.
            map.covers_up_to(segment.next_base + -1);
        }
        Ok(map)
    }

    /// False once the map is full.
    fn map_batch(
        &self,
        map: &mut OffsetMap,
        batch: &Batch,
        scratch: &mut Scratch,
    ) -> Result<bool, BatchError> {
        for record in &batch.records(limits::INFLATED_BATCH_BYTES, scratch)? {
            let record = record?;
            let Some(key) = record.key else { continue };
            if record.offset >= self.plan.first_dirty && !map.put(key, record.offset) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn clean_group(
        &self,
        group: &[Sized],
        map: &OffsetMap,
        transactions: &mut CleanedTransactions,
        cleaned: &mut Cleaned,
    ) -> Result<(), CleanError> {
        let base = group[0].segment.base_offset;
        let (names, dir) = (self.names, self.plan.dir.as_path());
        let replacement = match self.write_group(group, map, transactions, cleaned) {
            Ok(replacement) => replacement,
            Err(error) => {
                // What stopped the writing is what matters; a start removes the files too.
                let _ = swap::withdraw(names, dir, base, CLEANED_ENDING);
                return Err(error);
            }
        };
        let before: u64 = group.iter().map(|sized| sized.segment.size).sum();
        let after = replacement.size;
        if let Err(error) = swap::publish(names, dir, base) {
            let _ = swap::withdraw(names, dir, base, CLEANED_ENDING);
            let _ = swap::withdraw(names, dir, base, SWAP_ENDING);
            return Err(error.into());
        }
        if !self.exchange.ask(Ask::Replace(Box::new(replacement))) {
            swap::withdraw(names, dir, base, SWAP_ENDING)?;
            return Err(match self.stopped() {
                true => CleanError::Stopped,
                false => CleanError::Changed,
            });
        }
        let old: Vec<Offset> = group
            .iter()
            .map(|sized| sized.segment.base_offset)
            .collect();
        let snapshots: Vec<Offset> = old[1..]
            .iter()
            .copied()
            .filter(|offset| self.plan.newest_snapshot != Some(*offset))
            .collect();
        let gone = swap::complete(names, dir, &old, &snapshots).map_err(CleanError::Unfinished)?;
        cleaned.bytes_before += before;
        cleaned.bytes_after += after;
        self.exchange.ask(Ask::Settled(base, gone));
        Ok(())
    }

    /// Writes the `.cleaned` files of a group.
    fn write_group(
        &self,
        group: &[Sized],
        map: &OffsetMap,
        transactions: &mut CleanedTransactions,
        cleaned: &mut Cleaned,
    ) -> Result<Replacement, CleanError> {
        let plan = self.plan;
        let base = group[0].segment.base_offset;
        let mut old = Vec::with_capacity(group.len());
        for sized in group {
            old.push((sized.segment, self.open_old(sized.segment.base_offset)?));
        }
        let filter = Filter {
            map,
            producers: &plan.producers,
            first_uncleanable: plan.first_uncleanable,
            now_ms: plan.now_ms,
        };
        let mut rewriter = Rewriter::new(plan.delete_retention_ms);
        let interval = plan.index_interval_bytes;
        let mut output = CleanedSegment::create(&plan.dir, base, interval, self.buffers.io_bytes)?;
        for sized in group {
            transactions.expect(self.aborted_in(&sized.segment)?);
            self.each_batch(&sized.segment, cleaned, |frame, batch| {
                let written = match rewriter.decide(batch, &filter, transactions)? {
                    Fate::Drop => return Ok(true),
                    Fate::Copy => output.append(batch.bytes(), indexed(frame))?,
                    Fate::Replace(bytes) => match BatchFrame::parse(&bytes) {
                        Ok(frame) => output.append(&bytes, indexed(&frame))?,
                        Err(reason) => unreachable!("a batch that was just made: {reason}"),
                    },
                };
                self.throttle.pace(written, || self.stopped());
                Ok(true)
            })?;
        }
        let modified = self.modified(group)?;
        let kept = transaction_index::encode(&transactions.take_kept());
        let (size, max_timestamp) = output.finish(&kept, modified)?;
        Ok(Replacement {
            old,
            size,
            max_timestamp,
            handles: self.open(base, CLEANED_ENDING)?,
        })
    }

    /// Goes through the batches of a segment until `visit` says no more.
    fn each_batch(
        &self,
        segment: &SealedSegment,
        cleaned: &mut Cleaned,
        mut visit: impl FnMut(&BatchFrame, &Batch) -> Result<bool, BatchFault>,
    ) -> Result<(), CleanError> {
        let path = self.path(segment.base_offset, FileKind::Log);
        let failed = |error| reading(&path, error);
        let corrupt = |position: u64, reason: String| LogError::Corrupt {
            path: path.clone(),
            reason: format!("at position {position}: {reason}"),
        };
        let file = File::open(&path).map_err(failed)?;
        let mut walker = SegmentWalker::reading(file, segment.size, self.buffers.io_bytes);
        loop {
            if self.stopped() {
                return Err(CleanError::Stopped);
            }
            let frame = match walker.look().map_err(failed)? {
                Found::End => return Ok(()),
                Found::Damage(reason) => return Err(corrupt(walker.position(), reason).into()),
                Found::Batch(frame) if frame.magic < 2 => {
                    return Err(CleanError::OldFormat { path });
                }
                Found::Batch(frame) => frame,
            };
            let bytes = Bytes::copy_from_slice(walker.batch(&frame).map_err(failed)?);
            cleaned.bytes_read += frame.size;
            self.throttle.pace(frame.size, || self.stopped());
            let batch = Batch::new(bytes).map_err(BatchFault::from);
            let go_on = batch.and_then(|batch| visit(&frame, &batch));
            match go_on {
                Ok(true) => walker.pass(&frame),
                Ok(false) => return Ok(()),
                Err(BatchFault::Log(error)) => return Err(error.into()),
                Err(BatchFault::Batch(error)) => {
                    return Err(corrupt(walker.position(), error.to_string()).into());
                }
            }
        }
    }

    fn measure(&self, segment: &SealedSegment) -> Result<Sized, CleanError> {
        let bytes = |kind| {
            let path = self.path(segment.base_offset, kind);
            let metadata = fs::metadata(&path).map_err(|error| reading(&path, error));
            metadata.map(|metadata| metadata.len())
        };
        Ok(Sized {
            segment: *segment,
            index_bytes: bytes(FileKind::OffsetIndex)?,
            time_index_bytes: bytes(FileKind::TimeIndex)?,
        })
    }

    /// The aborted transactions that may have records in a segment. Their markers may lie in any that follows, but none behind
    /// an entry whose last stable offset is past the segment.
    fn aborted_in(&self, segment: &SealedSegment) -> Result<Vec<AbortedTransaction>, CleanError> {
        let (from, end) = (segment.base_offset, segment.next_base);
        let mut found = Vec::new();
        let following = self.plan.segments.iter();
        for later in following.filter(|later| later.base_offset >= from) {
            for entry in self.transaction_index(later.base_offset)? {
                if entry.overlaps(from, end) {
                    found.push(entry);
                }
                if entry.last_stable_offset >= end {
                    return Ok(found);
                }
            }
        }
        let later = self.plan.aborted_later.iter();
        found.extend(later.filter(|one| one.overlaps(from, end)));
        Ok(found)
    }

    fn transaction_index(&self, base: Offset) -> Result<Vec<AbortedTransaction>, CleanError> {
        let path = self.path(base, FileKind::TransactionIndex);
        let content = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(|error| reading(&path, error))?,
        };
        let entries = transaction_index::decode(&content, base);
        let corrupt = |reason| LogError::Corrupt { path, reason };
        Ok(entries.map_err(corrupt)?)
    }

    fn modified(&self, group: &[Sized]) -> Result<SystemTime, CleanError> {
        let last = group[group.len() - 1].segment.base_offset;
        let path = self.path(last, FileKind::Log);
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
        modified.map_err(|error| reading(&path, error))
    }

    fn open_old(&self, base: Offset) -> Result<Handles, CleanError> {
        self.open(base, "")
    }

    fn open(&self, base: Offset, ending: &str) -> Result<Handles, CleanError> {
        let open = |kind| {
            let path = self.path(base, kind);
            let file = File::open(with_ending(&path, ending));
            file.map(|file| SegmentFile::new(file, path.clone()))
                .map_err(|error| reading(&path, error))
        };
        let transaction_index = match open(FileKind::TransactionIndex) {
            Ok(file) => Some(file),
            Err(CleanError::Changed) => None,
            Err(error) => return Err(error),
        };
        Ok(Handles {
            transaction_index,
            log: open(FileKind::Log)?,
            index: open(FileKind::OffsetIndex)?,
            time_index: open(FileKind::TimeIndex)?,
        })
    }

    fn path(&self, base: Offset, kind: FileKind) -> PathBuf {
        file_names::path_of(&self.plan.dir, base, kind)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Whether a batch holds records that may replace others: not markers, and nothing that was aborted.
fn has_records_that_count(
    batch: &Batch,
    transactions: &mut CleanedTransactions,
) -> Result<bool, BatchError> {
    let header = batch.header();
    if header.attributes().is_control() {
        transactions.is_superfluous(header, EndTransaction::of_batch(batch.bytes())?);
        return Ok(false);
    }
    Ok(!transactions.is_aborted(header))
}

/// What can be wrong with one batch, or with writing it.
enum BatchFault {
    Batch(BatchError),
    Log(LogError),
}

impl From<BatchError> for BatchFault {
    fn from(error: BatchError) -> BatchFault {
        BatchFault::Batch(error)
    }
}

impl From<LogError> for BatchFault {
    fn from(error: LogError) -> BatchFault {
        BatchFault::Log(error)
    }
}

/// A segment that is no longer there was deleted meanwhile.
fn reading(path: &std::path::Path, error: io::Error) -> CleanError {
    match error.kind() {
        io::ErrorKind::NotFound => CleanError::Changed,
        _ => LogError::storage("read", path, error).into(),
    }
}

fn indexed(frame: &BatchFrame) -> IndexedBatch {
    IndexedBatch {
        last_offset: frame.last_offset,
        position: 0,
        size: frame.size,
        max_timestamp: frame.max_timestamp,
    }
}
