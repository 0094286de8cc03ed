//! One segment of a log: a file of record batches and what its owner knows of it.
//!
//! A segment counts its bytes by how far they have come; each number only follows the one before:
//! ```text
//! committed, synced  <=  written  <=  staged
//! ```
//! * staged: given a place; perhaps still in a staging buffer
//! * written: in the page cache
//! * synced: on the device
//! * committed: below the high watermark, so readers may see them and they are never written again
//!
//! All numbers are positions between two batches. Lives on the owner's core; only [`SegmentFile`] leaves it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use glommio::sync::Semaphore;

use super::cleaner::Handles;
use super::error::LogError;
use super::file_names::{self, FileKind};
use super::index::{MaxTimestamp, MemoryIndex};
use super::transaction_index::{self, AbortedTransaction};
use crate::io::blocking::blocking;
use crate::io::{AppendFile, SegmentFile};
use crate::types::{Offset, TimestampMs};

/// A segment, active or sealed.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) base_offset: Offset,
    /// When this process made or opened it: what `segment.ms` counts from if its records have no time.
    pub(super) created: TimestampMs,
    pub(super) staged: Cell<u64>,
    pub(super) written: Cell<u64>,
    pub(super) synced: Cell<u64>,
    pub(super) committed: Cell<u64>,
    /// The largest timestamp of its first batch; what `segment.ms` counts from.
    pub(super) first_timestamp: Cell<Option<i64>>,
    /// The largest timestamp, once it is known: always for the active segment, after the first look for a sealed one.
    pub(super) max_timestamp: Cell<Option<MaxTimestamp>>,
    /// Sealed and synced: no task of the log works on it, so it can be taken out.
    pub(super) settled: Cell<bool>,
    /// In memory until the segment is sealed and its index files are written.
    pub(super) index: RefCell<Option<MemoryIndex>>,
    /// Its index files did not agree with it: whether they could be made again.
    pub(super) index_made_again: Cell<Option<bool>>,
    /// That it is damaged was said.
    damage_told: Cell<bool>,
    /// Where its transaction index is.
    pub(super) aborted: RefCell<AbortedIndex>,
    /// The producers before its first record, to be written when the file is made.
    pub(super) snapshot: RefCell<Option<Vec<u8>>>,
    /// Drawn once: which part of `segment.jitter.ms` this segment is rolled early by.
    draw: u64,
    /// One sync of the file at a time: a failed one is reported once, and the next would deny it.
    pub(super) sync_turn: Semaphore,
    appender: RefCell<Option<Rc<AppendFile>>>,
    readers: RefCell<Readers>,
    dir: PathBuf,
}

/// The transactions whose abort marker a segment holds.
#[derive(Debug, Default)]
pub(super) enum AbortedIndex {
    /// There are none.
    #[default]
    Empty,
    /// In memory until the segment is sealed and its index files are written; in the order of the markers.
    Memory(Vec<AbortedTransaction>),
    /// In the segment's `.txnindex`.
    File {
        /// All of it was looked at since the log was opened, and is sound.
        checked: bool,
    },
}

/// Handles of a sealed segment, opened when first needed.
#[derive(Debug, Default)]
struct Readers {
    log: Option<SegmentFile>,
    index: Option<SegmentFile>,
    /// Only while the segment is pinned.
    time_index: Option<SegmentFile>,
    /// The same; `None` if the segment has none.
    transaction_index: Option<SegmentFile>,
    /// Its files must not be opened by name: compaction is giving them another, or the name another file.
    pinned: bool,
}

impl Segment {
    /// A segment that has no file yet.
    pub(super) fn new(dir: &Path, base_offset: Offset, created: TimestampMs) -> Segment {
        let segment = Segment::sealed(dir, base_offset, 0, created);
        *segment.index.borrow_mut() = Some(MemoryIndex::new(base_offset));
        *segment.aborted.borrow_mut() = AbortedIndex::Memory(Vec::new());
        segment.settled.set(false);
        segment
    }

    /// A segment whose files are complete: `size` bytes, all synced and committed.
    pub(super) fn sealed(
        dir: &Path,
        base_offset: Offset,
        size: u64,
        created: TimestampMs,
    ) -> Segment {
        Segment {
            base_offset,
            created,
            staged: Cell::new(size),
            written: Cell::new(size),
            synced: Cell::new(size),
            committed: Cell::new(size),
            first_timestamp: Cell::new(None),
            max_timestamp: Cell::new(None),
            settled: Cell::new(true),
            index: RefCell::new(None),
            index_made_again: Cell::new(None),
            damage_told: Cell::new(false),
            aborted: RefCell::default(),
            snapshot: RefCell::new(None),
            draw: RandomState::new().hash_one(base_offset),
            sync_turn: Semaphore::new(1),
            appender: RefCell::new(None),
            readers: RefCell::default(),
            dir: dir.to_owned(),
        }
    }

    /// How much earlier than after `segment.ms` this segment is rolled, of at most `most_ms`.
    pub(super) fn jitter_ms(&self, most_ms: i64) -> i64 {
        match u64::try_from(most_ms) {
            Ok(most) if most > 0 => (self.draw % most) as i64,
            _ => 0,
        }
    }

    /// An abort marker was appended.
    pub(super) fn note_aborted(&self, transaction: AbortedTransaction) {
        match &mut *self.aborted.borrow_mut() {
            AbortedIndex::Memory(aborted) => aborted.push(transaction),
            other => unreachable!("the active segment's transaction index is {other:?}"),
        }
    }

    /// The newest abort marker is taken back.
    pub(super) fn forget_aborted(&self) {
        if let AbortedIndex::Memory(aborted) = &mut *self.aborted.borrow_mut() {
            aborted.pop();
        }
    }

    /// The content of its transaction index file, if it is in memory and there is anything in it.
    pub(super) fn aborted_content(&self) -> Option<Vec<u8>> {
        match &*self.aborted.borrow() {
            AbortedIndex::Memory(aborted) if !aborted.is_empty() => {
                Some(transaction_index::encode(aborted))
            }
            _ => None,
        }
    }

    /// Its transaction index file is written: the memory goes.
    pub(super) fn release_aborted(&self) {
        let mut aborted = self.aborted.borrow_mut();
        if let AbortedIndex::Memory(entries) = &*aborted {
            *aborted = match entries.is_empty() {
                true => AbortedIndex::Empty,
                false => AbortedIndex::File { checked: true },
            };
        }
    }

    /// Where a file of this segment is.
    pub(super) fn path(&self, kind: FileKind) -> PathBuf {
        file_names::path_of(&self.dir, self.base_offset, kind)
    }

    /// The file for writing, if it is open.
    pub(super) fn appender(&self) -> Option<Rc<AppendFile>> {
        self.appender.borrow().clone()
    }

    /// Gives the segment its file for writing.
    pub(super) fn set_appender(&self, file: Rc<AppendFile>) {
        *self.appender.borrow_mut() = Some(file);
    }

    /// Closes the file for writing; readers keep theirs.
    pub(super) fn close_appender(&self) {
        *self.appender.borrow_mut() = None;
    }

    /// The handle for reading, if one is open.
    pub(super) fn open_reader(&self) -> Option<SegmentFile> {
        match &*self.appender.borrow() {
            Some(file) => Some(file.reader().clone()),
            None => self.readers.borrow().log.clone(),
        }
    }

    /// The handle for reading; opens the file of a sealed segment.
    pub(super) async fn reader(&self) -> Result<SegmentFile, LogError> {
        match self.open_reader() {
            Some(file) => Ok(file),
            None => {
                let opened = self.open(FileKind::Log).await;
                self.take_in(opened, |readers| &mut readers.log)
            }
        }
    }

    /// The offset index file of a sealed segment.
    pub(super) async fn index_reader(&self) -> Result<SegmentFile, LogError> {
        let known = self.readers.borrow().index.clone();
        match known {
            Some(file) => Ok(file),
            None => {
                let opened = self.open(FileKind::OffsetIndex).await;
                self.take_in(opened, |readers| &mut readers.index)
            }
        }
    }

    /// The time index file of a sealed segment, for one look.
    pub(super) async fn time_index_reader(&self) -> Result<SegmentFile, LogError> {
        let pinned = self.readers.borrow().time_index.clone();
        match pinned {
            Some(file) => Ok(file),
            None => {
                let opened = self.open(FileKind::TimeIndex).await;
                let pinned = self.readers.borrow().time_index.clone();
                pinned.map_or(opened, Ok)
            }
        }
    }

    /// The transaction index file of a sealed segment that has one, for one look.
    pub(super) async fn transaction_index_reader(&self) -> Result<SegmentFile, LogError> {
        let pinned = self.readers.borrow().transaction_index.clone();
        match pinned {
            Some(file) => Ok(file),
            None => {
                let opened = self.open(FileKind::TransactionIndex).await;
                let pinned = self.readers.borrow().transaction_index.clone();
                pinned.map_or(opened, Ok)
            }
        }
    }

    /// Keeps what was opened by name, unless the segment was pinned meanwhile: the name may have been another file's then.
    fn take_in(
        &self,
        opened: Result<SegmentFile, LogError>,
        place: impl FnOnce(&mut Readers) -> &mut Option<SegmentFile>,
    ) -> Result<SegmentFile, LogError> {
        let mut readers = self.readers.borrow_mut();
        let pinned = readers.pinned;
        let known = place(&mut readers);
        match known {
            Some(file) if pinned => Ok(file.clone()),
            _ => Ok(known.insert(opened?).clone()),
        }
    }

    /// Has all reads go through these handles, whatever becomes of the files' names.
    pub(super) fn pin(&self, handles: Handles) {
        *self.readers.borrow_mut() = Readers {
            log: Some(handles.log),
            index: Some(handles.index),
            time_index: Some(handles.time_index),
            transaction_index: handles.transaction_index,
            pinned: true,
        };
    }

    /// Its files have their names: they may be opened by them again, and need not stay open.
    pub(super) fn unpin(&self) {
        *self.readers.borrow_mut() = Readers::default();
    }

    /// Whether its files' names are changing.
    pub(super) fn is_pinned(&self) -> bool {
        self.readers.borrow().pinned
    }

    /// Opens one of its files for reading.
    pub(super) async fn open(&self, kind: FileKind) -> Result<SegmentFile, LogError> {
        let path = self.path(kind);
        let opened = blocking(move || -> (io::Result<File>, PathBuf) { (File::open(&path), path) });
        match opened.await {
            (Ok(file), path) => Ok(SegmentFile::new(file, path)),
            (Err(error), path) => Err(LogError::storage("open", &path, error)),
        }
    }

    /// Lets go of the handles for reading that were opened on demand.
    pub(super) fn close_readers(&self) {
        if !self.is_pinned() {
            *self.readers.borrow_mut() = Readers::default();
        }
    }

    /// Says once that a reader has met damage.
    pub(super) fn tell_damage(&self, error: &LogError) {
        if matches!(error, LogError::Corrupt { .. }) && !self.damage_told.replace(true) {
            log::error!(
                "{error}; who reads there gets an error: stop the broker, see all of the damage with `vltava check`, and restore the \
                 file from a copy"
            );
        }
    }

    /// What lies after `position` is none of the log's any more.
    pub(super) fn take_back_to(&self, position: u64) {
        self.staged.set(position);
        for count in [&self.written, &self.synced] {
            count.set(count.get().min(position));
        }
    }

    /// Cuts all counts to at most `synced`: what is certain after a failed sync.
    pub(super) fn fall_back_to_synced(&self) {
        let synced = self.synced.get();
        for count in [&self.staged, &self.written, &self.committed] {
            count.set(count.get().min(synced));
        }
    }
}
