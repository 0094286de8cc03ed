//! Opening a log: what its directory holds, and the quick way in after a clean stop.
//!
//! Runs as a whole on a blocking thread and makes plain data of it; the way in after an unclean stop is `recovery`.
//!
//! After a clean stop nothing is checked again: the size of the active segment is its valid length, its index files say where
//! its last batches are (a few heads behind the last entry are read, to learn the log end offset), and the snapshot there
//! has the producers. Sealed segments are not opened at all. What turns out to be missing is made again from batch heads;
//! what turns out to be wrong is a reason to recover after all.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::config::LogConfig;
use super::error::LogError;
use super::file_names::{self, FileKind};
use super::index::MemoryIndex;
use super::leader_epochs::LeaderEpochs;
use super::loader::{Loader, indexed, recent_batch, remove};
use super::producer_snapshot;
use super::producer_state::ProducerStates;
use super::recent::RecentBatches;
use super::recovery;
use super::segment::AbortedIndex;
use super::walker::{Found, SegmentWalker};
use super::written_checkpoint::WrittenMark;
use crate::io::SegmentFile;
use crate::types::{Offset, TimestampMs, TopicId};

/// How far the files of a log may be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// The broker stopped in order: everything is as it should be.
    CleanShutdown,
    /// It did not: what lies at or after the recovery point must be checked.
    Recover {
        /// The offset before which everything was synced, from the checkpoint; 0 if there is none.
        recovery_point: Offset,
    },
    /// As one of the others, but nothing that was acknowledged may go: only an end that was not synced and that no whole batch
    /// follows is cut off; any other damage is an error.
    Whole {
        /// Whether the broker stopped in order.
        clean: bool,
        /// The offset before which everything was synced.
        synced: Offset,
    },
    /// The process died, and the machine did not: of what lies at or after the recovery point only what lies behind the mark
    /// must be checked, as far as the mark fits the files.
    DeadProcess {
        /// As for [`Trust::Recover`]. What lies after it is not synced, checked or not.
        recovery_point: Offset,
        /// Up to where everything was written.
        written: WrittenMark,
    },
}

impl Trust {
    /// Whether nothing need be looked at.
    pub(super) fn is_clean(&self) -> bool {
        matches!(
            self,
            Trust::CleanShutdown | Trust::Whole { clean: true, .. }
        )
    }
}

/// What opening a log found and did.
#[derive(Clone, Debug)]
pub struct RecoveryReport {
    /// Where the log ends.
    pub log_end_offset: Offset,
    /// How many segments it has.
    pub segments: usize,
    /// Bytes of batches whose checksums were computed.
    pub checked_bytes: u64,
    /// Segments whose indexes were made again.
    pub rebuilt_indexes: usize,
    /// What was cut off, if anything was.
    pub cut: Option<Cut>,
}

/// The end of a log that was cut off because it was torn or damaged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The segment file with the first bad batch.
    pub path: PathBuf,
    /// Where in it that batch starts.
    pub position: u64,
    /// The first offset that is no longer there.
    pub offset: Offset,
    /// Bytes lost, those of dropped segments included.
    pub lost_bytes: u64,
    /// Later segments that were dropped whole.
    pub dropped_segments: usize,
    /// What was wrong.
    pub reason: String,
}

/// An opened log as plain data, for its core.
pub(super) struct Loaded {
    pub(super) segments: Vec<LoadedSegment>,
    pub(super) active_file: SegmentFile,
    pub(super) topic_id: Option<TopicId>,
    pub(super) epochs: LeaderEpochs,
    /// `leader-epoch-checkpoint` is behind.
    pub(super) epochs_unwritten: bool,
    pub(super) producers: ProducerStates,
    pub(super) snapshot_offset: Option<Offset>,
    pub(super) recent: RecentBatches,
    pub(super) log_end_offset: Offset,
    pub(super) synced_end: Offset,
    pub(super) report: RecoveryReport,
}

/// A segment as it was found.
pub(super) struct LoadedSegment {
    pub(super) base_offset: Offset,
    pub(super) size: u64,
    pub(super) synced: u64,
    pub(super) first_timestamp: Option<i64>,
    /// In memory for the active segment, and where its files found no room.
    pub(super) index: Option<MemoryIndex>,
    /// In memory for the active segment.
    pub(super) aborted: AbortedIndex,
}

/// [`load`] as a piece of work for another thread.
pub(super) fn loading(
    dir: &Path,
    config: &LogConfig,
    trust: Trust,
    checked_bytes: Arc<AtomicU64>,
) -> impl FnOnce() -> Result<Loaded, LogError> + Send + 'static {
    let (dir, config) = (dir.to_owned(), config.clone());
    move || load(&dir, &config, trust, TimestampMs::now(), &checked_bytes)
}

/// Opens the log in `dir`; adds to `checked_bytes` what it checks, while it does.
pub(super) fn load(
    dir: &Path,
    config: &LogConfig,
    trust: Trust,
    now: TimestampMs,
    checked_bytes: &Arc<AtomicU64>,
) -> Result<Loaded, LogError> {
    let begin = || {
        let mut loader = Loader::new(dir, config, now);
        loader.checked_bytes = Arc::clone(checked_bytes);
        if let Trust::Whole { synced, .. } = trust {
            loader.keep_all_before = Some(synced);
        }
        loader.list()?;
        loader.read_epochs()?;
        Ok(loader)
    };
    let mut loader = begin()?;
    if loader.sizes.is_empty() {
        loader.begin_again()?;
    }
    match trust {
        Trust::CleanShutdown | Trust::Whole { clean: true, .. } => match loader.load_clean()? {
            Ok(loaded) => Ok(loaded),
            Err(reason) => {
                log::warn!(
                    "{}: {reason}, although the last stop was clean: recovering",
                    dir.display()
                );
                let recovery_point = loader.active_base();
                recovery::recover(begin()?, recovery_point)
            }
        },
        Trust::Whole { clean: false, .. } => recovery::recover(loader, Offset::ZERO),
        Trust::Recover { recovery_point } => recovery::recover(loader, recovery_point),
        Trust::DeadProcess {
            recovery_point,
            written,
        } => match recovery::recover_written(loader, recovery_point, &written)? {
            Ok(loaded) => Ok(loaded),
            Err(reason) => {
                log::warn!(
                    "{}: {reason}: it is checked from the recovery point on",
                    dir.display()
                );
                recovery::recover(begin()?, recovery_point)
            }
        },
    }
}

impl Loader<'_> {
    fn load_clean(&mut self) -> Result<Result<Loaded, String>, LogError> {
        let active_base = self.active_base();
        let mut segments = Vec::with_capacity(self.sizes.len());
        for (base, size) in self
            .sizes
            .clone()
            .into_iter()
            .filter(|(base, _)| *base < active_base)
        {
            if let Err(reason) = self.ensure_index_files(base, size)? {
                return Ok(Err(reason));
            }
            segments.push(self.sealed(base, size));
        }
        let (active, log_end_offset) = match self.load_active(active_base)? {
            Ok(active) => active,
            Err(reason) => return Ok(Err(reason)),
        };
        segments.push(active);
        if let Err(reason) = self.load_producers(log_end_offset)? {
            return Ok(Err(reason));
        }
        self.finish(segments, log_end_offset, log_end_offset)
            .map(Ok)
    }

    /// The active segment: index files, and the batch heads behind their last entry.
    fn load_active(
        &mut self,
        base: Offset,
    ) -> Result<Result<(LoadedSegment, Offset), String>, LogError> {
        let size = self.sizes.get(&base).copied().unwrap_or(0);
        let (mut index, from) = match self.read_index(base, size)? {
            Some(index) => {
                let from = index.last_entry().1;
                (index, from)
            }
            None => {
                self.report.rebuilt_indexes += usize::from(size > 0);
                self.rebuild_transaction_index(base)?;
                (MemoryIndex::new(base), 0)
            }
        };
        let rebuilt = index.is_dirty();
        let interval = u64::from(self.config.index_interval_bytes);
        let mut end = base;
        let mut recent = std::mem::take(&mut self.recent);
        let walked = self.walk_heads(base, from, &mut |position, frame| {
            let batch = indexed(position, frame);
            if rebuilt {
                index.append(batch, interval)
            } else {
                index.observe(batch)
            }
            recent.push(recent_batch(base, position, frame));
            end = frame.next_offset();
        })?;
        self.recent = recent;
        let aborted = match self.read_transaction_index(base)? {
            Ok(aborted) => aborted,
            Err(reason) => return Ok(Err(reason)),
        };
        let first_timestamp = self.first_timestamp(base, size)?;
        let loaded = LoadedSegment {
            first_timestamp,
            aborted: AbortedIndex::Memory(aborted),
            index: Some(index),
            ..LoadedSegment::sealed(base, size)
        };
        Ok(walked.map(|()| (loaded, end)))
    }

    /// Not one segment is there: the log begins at 0, and nothing that was kept beside the segments holds any more. Where nothing
    /// was kept either, there was no log yet: Kafka's metadata is a snapshot alone until its first start.
    fn begin_again(&mut self) -> Result<(), LogError> {
        if !self.snapshots.is_empty() || self.epochs != LeaderEpochs::default() {
            log::warn!(
                "{}: no segment is there; the log begins empty",
                self.dir.display()
            );
        }
        for offset in std::mem::take(&mut self.snapshots) {
            remove(&file_names::path_of(self.dir, offset, FileKind::Snapshot))?;
        }
        if self.epochs != LeaderEpochs::default() {
            self.epochs = LeaderEpochs::default();
            self.epochs_changed = true;
        }
        self.create_segment(Offset::ZERO)
    }

    fn first_timestamp(&self, base: Offset, size: u64) -> Result<Option<i64>, LogError> {
        let mut walker = SegmentWalker::heads(self.open(base)?, size, 0);
        match walker
            .look()
            .map_err(|error| self.read_error(base, error))?
        {
            Found::Batch(frame) => Ok(Some(frame.max_timestamp)),
            Found::End | Found::Damage(_) => Ok(None),
        }
    }

    /// The producers at `end`: from the newest snapshot that can be read, and the batch heads after it.
    pub(super) fn load_producers(&mut self, end: Offset) -> Result<Result<(), String>, LogError> {
        let from = self.load_snapshot(end)?.unwrap_or_else(|| self.start());
        if let Err(reason) = self.replay_producers(from, end)? {
            return Ok(Err(reason));
        }
        self.producers
            .expire(self.now.0, self.config.producer_id_expiration_ms);
        Ok(Ok(()))
    }

    /// Before the segments from `first` on are walked: the producers there, and the transactions that are open.
    pub(super) fn begin_producers(&mut self, first: Offset) -> Result<(), LogError> {
        let from = self.load_snapshot(first)?.unwrap_or_else(|| self.start());
        if self.replay_producers(from, first)?.is_err() {
            // Heads before the recovery point that cannot be read: what is recorded from there on is all there is.
            log::warn!(
                "{}: the producers before the recovery point are not all known",
                self.dir.display()
            );
        }
        Ok(())
    }

    /// After the walk, which has recorded what it met up to `end`.
    pub(super) fn finish_producers(&mut self, end: Offset) {
        self.producers
            .expire(self.now.0, self.config.producer_id_expiration_ms);
        let there = self.snapshots.iter().copied();
        self.snapshot_offset = there.filter(|offset| *offset <= end).max();
    }

    /// Takes in the batch heads from `from` to `end`; what is wrong if not all can be read.
    fn replay_producers(
        &mut self,
        from: Offset,
        end: Offset,
    ) -> Result<Result<(), String>, LogError> {
        let bases: Vec<Offset> = self.sizes.keys().copied().collect();
        for (at, base) in bases.iter().enumerate() {
            if bases.get(at + 1).is_some_and(|next| *next <= from) || *base >= end || from >= end {
                continue;
            }
            let mut producers = std::mem::take(&mut self.producers);
            let walked = self.walk_heads(*base, 0, &mut |_, frame| {
                if frame.base_offset >= from && frame.base_offset < end {
                    frame.record_in(&mut producers);
                }
            })?;
            self.producers = producers;
            if let Err(reason) = walked {
                return Ok(Err(reason));
            }
        }
        Ok(Ok(()))
    }

    /// Takes the newest readable snapshot at or before `end`; returns its offset.
    fn load_snapshot(&mut self, end: Offset) -> Result<Option<Offset>, LogError> {
        let candidates: Vec<Offset> = self
            .snapshots
            .iter()
            .rev()
            .copied()
            .filter(|offset| *offset <= end)
            .collect();
        for offset in candidates {
            let path = file_names::path_of(self.dir, offset, FileKind::Snapshot);
            let content =
                fs::read(&path).map_err(|error| LogError::storage("read", &path, error))?;
            match producer_snapshot::decode(&content) {
                Ok(producers) => {
                    self.producers = producers;
                    self.snapshot_offset = Some(offset);
                    return Ok(Some(offset));
                }
                Err(reason) => {
                    log::warn!("{}: {reason}; an older snapshot is used", path.display())
                }
            }
        }
        Ok(None)
    }
}

impl LoadedSegment {
    /// A segment of which nothing needs to be in memory.
    pub(super) fn sealed(base_offset: Offset, size: u64) -> LoadedSegment {
        LoadedSegment {
            base_offset,
            size,
            synced: size,
            first_timestamp: None,
            index: None,
            aborted: AbortedIndex::Empty,
        }
    }
}
