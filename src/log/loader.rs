//! What the directory of a log holds, and the small steps of opening it that both ways in share.
//!
//! Plain blocking file operations, on a blocking thread. It must never know which of its findings are to be believed: that is
//! for `load` and `recovery`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::cleaner;
use super::config::LogConfig;
use super::error::LogError;
use super::file_names::{self, DELETED_ENDING, FileKind};
use super::index::{IndexedBatch, MemoryIndex};
use super::leader_epochs::LeaderEpochs;
use super::load::{Loaded, LoadedSegment, RecoveryReport};
use super::partition_metadata;
use super::producer_state::ProducerStates;
use super::recent::{RecentBatch, RecentBatches};
use super::scan::BatchFrame;
use super::segment::AbortedIndex;
use super::transaction_index::{self, AbortedTransaction};
use super::walker::{Found, SegmentWalker};
use crate::io::SegmentFile;
use crate::io::changes::{self, ChangeFile};
use crate::io::{durable_write, remover};
use crate::types::{Offset, TimestampMs, TopicId};

/// The work of opening one log.
pub(super) struct Loader<'a> {
    pub(super) dir: &'a Path,
    pub(super) config: &'a LogConfig,
    /// Base offset and size of each segment file.
    pub(super) sizes: BTreeMap<Offset, u64>,
    indexed: BTreeMap<Offset, (bool, bool)>,
    /// Segments that have a transaction index.
    transaction_indexes: BTreeSet<Offset>,
    pub(super) snapshots: Vec<Offset>,
    pub(super) epochs: LeaderEpochs,
    pub(super) epochs_changed: bool,
    /// `leader-epoch-checkpoint` found no room.
    epochs_unwritten: bool,
    pub(super) producers: ProducerStates,
    pub(super) snapshot_offset: Option<Offset>,
    pub(super) recent: RecentBatches,
    pub(super) report: RecoveryReport,
    pub(super) now: TimestampMs,
    /// Nothing before this offset may be cut off, nor a whole batch anywhere.
    pub(super) keep_all_before: Option<Offset>,
    /// Checked so far, with what others check.
    pub(super) checked_bytes: Arc<AtomicU64>,
    /// Something in the directory was changed.
    pub(super) changed: bool,
    /// Indexes of sealed segments whose files found no room.
    unwritten_indexes: BTreeMap<Offset, MemoryIndex>,
    /// Their transaction indexes.
    unwritten_aborted: BTreeMap<Offset, Vec<AbortedTransaction>>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(dir: &'a Path, config: &'a LogConfig, now: TimestampMs) -> Loader<'a> {
        Loader {
            dir,
            config,
            sizes: BTreeMap::new(),
            indexed: BTreeMap::new(),
            transaction_indexes: BTreeSet::new(),
            snapshots: Vec::new(),
            epochs: LeaderEpochs::default(),
            epochs_changed: false,
            epochs_unwritten: false,
            producers: ProducerStates::default(),
            snapshot_offset: None,
            recent: RecentBatches::default(),
            report: RecoveryReport {
                log_end_offset: Offset::ZERO,
                segments: 0,
                checked_bytes: 0,
                rebuilt_indexes: 0,
                cut: None,
            },
            now,
            keep_all_before: None,
            checked_bytes: Arc::default(),
            changed: false,
            unwritten_indexes: BTreeMap::new(),
            unwritten_aborted: BTreeMap::new(),
        }
    }

    /// Takes in the directory's files, and removes what a stop in the middle of something has left there.
    pub(super) fn list(&mut self) -> Result<(), LogError> {
        cleaner::recover(self.dir)?;
        let entries =
            fs::read_dir(self.dir).map_err(|error| LogError::storage("list", self.dir, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| LogError::storage("list", self.dir, error))?;
            let name = entry.file_name();
            let leftover = file_names::is_leftover(&name);
            // What is large is a segment's, and nobody waits for it to be gone.
            let deleted = name.as_encoded_bytes().ends_with(DELETED_ENDING.as_bytes());
            let failed = |error| LogError::storage("stat", &entry.path(), error);
            let kind = entry.file_type().map_err(failed)?;
            // Folders are none of the log's, whatever their names.
            if kind.is_dir() || kind.is_symlink() && entry.path().is_dir() {
                log::warn!("{}: is a folder and passed over", entry.path().display());
                continue;
            }
            match file_names::parse(&name) {
                _ if deleted => remover::remove_file_later(entry.path()),
                _ if leftover => remove(&entry.path())?,
                Some((offset, FileKind::Log)) => {
                    // Through a link: a segment may lie on another disk.
                    let size = fs::metadata(entry.path()).map_err(failed)?.len();
                    self.sizes.insert(offset, size);
                }
                Some((offset, FileKind::OffsetIndex)) => {
                    self.indexed.entry(offset).or_default().0 = true
                }
                Some((offset, FileKind::TimeIndex)) => {
                    self.indexed.entry(offset).or_default().1 = true
                }
                Some((offset, FileKind::Snapshot)) => self.snapshots.push(offset),
                Some((offset, FileKind::TransactionIndex)) => {
                    self.transaction_indexes.insert(offset);
                }
                None => {}
            }
        }
        self.snapshots.sort_unstable();
        Ok(())
    }

    pub(super) fn read_epochs(&mut self) -> Result<(), LogError> {
        let path = self.dir.join(file_names::LEADER_EPOCH_CHECKPOINT);
        match fs::read(&path) {
            Ok(content) => match LeaderEpochs::decode(&String::from_utf8_lossy(&content)) {
                Some(epochs) => self.epochs = epochs,
                None => log::warn!(
                    "{}: damaged; epochs are taken from the batches that are read",
                    path.display()
                ),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.sizes.values().any(|size| *size > 0) {
                    log::warn!(
                        "{}: missing; epochs are taken from the batches that are read",
                        path.display()
                    );
                }
            }
            Err(error) => return Err(LogError::storage("read", &path, error)),
        }
        Ok(())
    }

    /// The index files of a segment; `None` if they are missing or cannot be right.
    pub(super) fn read_index(
        &self,
        base: Offset,
        size: u64,
    ) -> Result<Option<MemoryIndex>, LogError> {
        if self.indexed.get(&base) != Some(&(true, true)) {
            return Ok(None);
        }
        let read = |kind| {
            let path = file_names::path_of(self.dir, base, kind);
            fs::read(&path).map_err(|error| LogError::storage("read", &path, error))
        };
        let (offsets, times) = (read(FileKind::OffsetIndex)?, read(FileKind::TimeIndex)?);
        Ok(MemoryIndex::decode(base, &offsets, &times, size))
    }

    /// Sees to it that a sealed segment has its index files.
    pub(super) fn ensure_index_files(
        &mut self,
        base: Offset,
        size: u64,
    ) -> Result<Result<(), String>, LogError> {
        if self.indexed.get(&base) == Some(&(true, true)) {
            return Ok(Ok(()));
        }
        debug_assert_eq!(self.sizes.get(&base), Some(&size));
        self.rebuild_transaction_index(base)?;
        self.rebuild_index_files(base)
    }

    /// A segment that takes no more records, of which nothing needs to be in memory.
    pub(super) fn sealed(&self, base: Offset, size: u64) -> LoadedSegment {
        let has_index = self.transaction_indexes.contains(&base);
        LoadedSegment {
            aborted: match has_index {
                true => AbortedIndex::File { checked: false },
                false => AbortedIndex::Empty,
            },
            ..LoadedSegment::sealed(base, size)
        }
    }

    /// The transaction index of a segment; what is wrong with its file otherwise.
    pub(super) fn read_transaction_index(
        &self,
        base: Offset,
    ) -> Result<Result<Vec<AbortedTransaction>, String>, LogError> {
        if let Some(unwritten) = self.unwritten_aborted.get(&base) {
            return Ok(Ok(unwritten.clone()));
        }
        if !self.transaction_indexes.contains(&base) {
            return Ok(Ok(Vec::new()));
        }
        let path = file_names::path_of(self.dir, base, FileKind::TransactionIndex);
        let content = fs::read(&path).map_err(|error| LogError::storage("read", &path, error))?;
        let read = transaction_index::decode(&content, base);
        Ok(read.map_err(|reason| format!("{}: {reason}", path.display())))
    }

    /// Makes the transaction index of a segment from its batches and from what was open before it.
    pub(super) fn rebuild_transaction_index(&mut self, base: Offset) -> Result<(), LogError> {
        self.begin_producers(base)?;
        let mut producers = std::mem::take(&mut self.producers);
        let mut aborted = Vec::new();
        // What is wrong with the segment is found when its other indexes are made.
        let _walked = self.walk_heads(base, 0, &mut |_, frame| {
            aborted.extend(frame.record_in(&mut producers));
        })?;
        self.write_transaction_index(base, aborted)
    }

    /// Writes a segment's transaction index, an empty one as no file; where there is no room for it, it stays in memory.
    pub(super) fn write_transaction_index(
        &mut self,
        base: Offset,
        aborted: Vec<AbortedTransaction>,
    ) -> Result<(), LogError> {
        let path = file_names::path_of(self.dir, base, FileKind::TransactionIndex);
        if aborted.is_empty() {
            if self.transaction_indexes.remove(&base) {
                remove(&path)?;
                self.changed = true;
            }
            return Ok(());
        }
        let written = durable_write::replace_file(&path, &transaction_index::encode(&aborted));
        match written.map_err(|error| LogError::storage("write", &path, error)) {
            Err(error) if error.is_no_space() => {
                log::warn!("{error}: the segment's transaction index stays in memory");
                self.unwritten_aborted.insert(base, aborted);
                return Ok(());
            }
            written => written?,
        }
        self.transaction_indexes.insert(base);
        self.changed = true;
        Ok(())
    }

    /// Makes a segment's index files from the heads of its batches; what is wrong if they cannot all be read.
    pub(super) fn rebuild_index_files(
        &mut self,
        base: Offset,
    ) -> Result<Result<(), String>, LogError> {
        let interval = u64::from(self.config.index_interval_bytes);
        let mut index = MemoryIndex::new(base);
        let walked = self.walk_heads(base, 0, &mut |position, frame| {
            index.append(indexed(position, frame), interval)
        })?;
        if walked.is_ok() {
            self.keep_index(base, index)?;
        }
        Ok(walked)
    }

    /// Writes the index files of a segment that takes no more records; where there is no room for them, it stays in memory.
    pub(super) fn keep_index(
        &mut self,
        base: Offset,
        mut index: MemoryIndex,
    ) -> Result<(), LogError> {
        index.append_time_entry();
        if self.unwritten_aborted.contains_key(&base) {
            // Where these files are, the transaction index is taken to be whole.
            self.unwritten_indexes.insert(base, index);
            return Ok(());
        }
        match self.write_index_files(base, &index) {
            Err(error) if error.is_no_space() => {
                log::warn!("{error}: the segment's index stays in memory");
                self.unwritten_indexes.insert(base, index);
                Ok(())
            }
            written => written,
        }
    }

    fn write_index_files(&mut self, base: Offset, index: &MemoryIndex) -> Result<(), LogError> {
        let (offsets, times) = index.encode();
        for (kind, content) in [
            (FileKind::OffsetIndex, offsets),
            (FileKind::TimeIndex, times),
        ] {
            let path = file_names::path_of(self.dir, base, kind);
            let written = durable_write::replace_file(&path, &content);
            written.map_err(|error| LogError::storage("write", &path, error))?;
        }
        self.report.rebuilt_indexes += 1;
        self.changed = true;
        Ok(())
    }

    /// Calls `visit` with position and head of each batch of a segment; what is wrong if the walk does not get to its end.
    pub(super) fn walk_heads(
        &self,
        base: Offset,
        from: u64,
        visit: &mut dyn FnMut(u64, &BatchFrame),
    ) -> Result<Result<(), String>, LogError> {
        let size = self.sizes.get(&base).copied().unwrap_or(0);
        let mut walker = SegmentWalker::heads(self.open(base)?, size, from);
        loop {
            match walker
                .look()
                .map_err(|error| self.read_error(base, error))?
            {
                Found::End => return Ok(Ok(())),
                Found::Batch(frame) => {
                    visit(walker.position(), &frame);
                    walker.pass(&frame);
                }
                Found::Damage(reason) => {
                    let path = file_names::path_of(self.dir, base, FileKind::Log);
                    return Ok(Err(format!(
                        "{} at position {}: {reason}",
                        path.display(),
                        walker.position()
                    )));
                }
            }
        }
    }

    /// Hands everything over.
    pub(super) fn finish(
        &mut self,
        mut segments: Vec<LoadedSegment>,
        log_end_offset: Offset,
        synced_end: Offset,
    ) -> Result<Loaded, LogError> {
        for segment in &mut segments {
            let unwritten = self.unwritten_indexes.remove(&segment.base_offset);
            segment.index = unwritten.or(segment.index.take());
            if let Some(aborted) = self.unwritten_aborted.remove(&segment.base_offset) {
                segment.aborted = AbortedIndex::Memory(aborted);
            }
        }
        self.report.log_end_offset = log_end_offset;
        self.report.segments = segments.len();
        let active = segments
            .last()
            .map_or(Offset::ZERO, |segment| segment.base_offset);
        let path = file_names::path_of(self.dir, active, FileKind::Log);
        let file = ChangeFile::open(&path);
        let file = file.map_err(|error| LogError::storage("open", &path, error))?;
        Ok(Loaded {
            segments,
            active_file: SegmentFile::new(file.into_file(), path),
            topic_id: self.read_topic_id()?,
            epochs: std::mem::take(&mut self.epochs),
            epochs_unwritten: self.epochs_unwritten,
            producers: std::mem::take(&mut self.producers),
            snapshot_offset: self.snapshot_offset,
            recent: std::mem::take(&mut self.recent),
            log_end_offset,
            synced_end,
            report: self.report.clone(),
        })
    }

    pub(super) fn read_topic_id(&self) -> Result<Option<TopicId>, LogError> {
        let path = self.dir.join(file_names::PARTITION_METADATA);
        match fs::read(&path) {
            Ok(content) => {
                let topic_id = partition_metadata::decode(&String::from_utf8_lossy(&content));
                if topic_id.is_none() {
                    log::warn!(
                        "{}: damaged; the topic's id is not known from here",
                        path.display()
                    );
                }
                Ok(topic_id)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LogError::storage("read", &path, error)),
        }
    }

    /// Writes `leader-epoch-checkpoint`; where there is no room for it, the running log does it with the next record.
    pub(super) fn keep_epochs(&mut self) -> Result<(), LogError> {
        let path = self.dir.join(file_names::LEADER_EPOCH_CHECKPOINT);
        let written = durable_write::replace_file(&path, self.epochs.encode().as_bytes());
        match written.map_err(|error| LogError::storage("write", &path, error)) {
            Err(error) if error.is_no_space() => {
                log::warn!("{error}: it is written when there is room");
                self.epochs_unwritten = true;
                Ok(())
            }
            written => {
                self.changed = true;
                written
            }
        }
    }

    /// Makes an empty segment file.
    pub(super) fn create_segment(&mut self, base: Offset) -> Result<(), LogError> {
        let path = file_names::path_of(self.dir, base, FileKind::Log);
        let created = ChangeFile::create_new(&path);
        created.map_err(|error| LogError::storage("create", &path, error))?;
        self.sizes.insert(base, 0);
        self.changed = true;
        Ok(())
    }

    /// Opens a segment file for reading.
    pub(super) fn open(&self, base: Offset) -> Result<File, LogError> {
        let path = file_names::path_of(self.dir, base, FileKind::Log);
        File::open(&path).map_err(|error| LogError::storage("open", &path, error))
    }

    pub(super) fn read_error(&self, base: Offset, error: io::Error) -> LogError {
        LogError::storage(
            "read",
            &file_names::path_of(self.dir, base, FileKind::Log),
            error,
        )
    }

    /// Base offset of the first segment.
    pub(super) fn start(&self) -> Offset {
        self.sizes.keys().next().copied().unwrap_or_default()
    }

    /// Base offset of the last segment.
    pub(super) fn active_base(&self) -> Offset {
        self.sizes.keys().next_back().copied().unwrap_or_default()
    }
}

/// Removes a file; one that is not there is no error.
pub(super) fn remove(path: &Path) -> Result<(), LogError> {
    match changes::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LogError::storage("remove", path, error))
        }
        _ => Ok(()),
    }
}

pub(super) fn indexed(position: u64, frame: &BatchFrame) -> IndexedBatch {
    IndexedBatch {
        last_offset: frame.last_offset,
        position,
        size: frame.size,
        max_timestamp: frame.max_timestamp,
    }
}

pub(super) fn recent_batch(segment: Offset, position: u64, frame: &BatchFrame) -> RecentBatch {
    RecentBatch {
        base_offset: frame.base_offset,
        next_offset: frame.next_offset(),
        segment,
        position,
        end: position + frame.size,
    }
}
