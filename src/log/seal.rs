//! A segment that takes no more records gets its index files, the producers' snapshot at its end, and its sync.
//!
//! One segment at a time, oldest first, in a task of its own, beside the writer: syncing a full segment may take seconds, and
//! appends go on meanwhile. Until its files are there a sealed segment keeps its index in memory.

use std::rc::Rc;

use futures_lite::future::yield_now;

use super::error::{LogError, SyncError};
use super::file_names::{self, FileKind};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use super::state::{Condition, State};
use super::waiters::Goal;
use crate::io::AppendFile;
use crate::types::Offset;

impl PartitionLog {
    /// The segment `next` has its file: what lies before it is complete.
    pub(super) fn seal_before(self: &Rc<Self>, next: &Rc<Segment>) {
        let mut state = self.state.borrow_mut();
        let Some(at) = state
            .segments
            .iter()
            .position(|segment| Rc::ptr_eq(segment, next))
        else {
            return;
        };
        let Some(full) = at
            .checked_sub(1)
            .map(|before| state.segments[before].clone())
        else {
            return;
        };
        state.take_along_unsealed(at - 1);
        state.to_seal.push_back(full);
        drop(state);
        self.start_sealing();
    }

    /// Starts the sealer if it is not at work.
    pub(super) fn start_sealing(self: &Rc<Self>) {
        let running = std::mem::replace(&mut self.state.borrow_mut().sealing, true);
        if !running {
            let log = self.clone();
            glommio::spawn_local(async move { log.seal_all().await }).detach();
        }
    }

    /// Syncs, beside the writer, what a crash may have left in the page cache only.
    pub fn sync_recovered(self: &Rc<Self>) {
        let mut state = self.state.borrow_mut();
        let end = state.log_end_offset;
        if state.synced_end == end {
            return;
        }
        let segments = state.segments.clone();
        state.sealing = true;
        drop(state);
        let log = self.clone();
        let sync = async move {
            if log.sync_up_to(end, &segments).await.is_ok() {
                let active = segments.len() - 1;
                segments[..active]
                    .iter()
                    .for_each(|sealed| log.settle(sealed));
            }
            log.seal_all().await;
        };
        glommio::spawn_local(sync).detach();
    }

    /// Syncs `segments`, which hold all that is unsynced before `end`, and moves on or fails by it.
    pub(super) async fn sync_up_to(
        &self,
        end: Offset,
        segments: &[Rc<Segment>],
    ) -> Result<(), LogError> {
        match self.sync_segments(segments).await {
            Ok(()) => {
                self.synced(end);
                Ok(())
            }
            Err(SyncError::Lost(error)) => {
                self.sync_failed(error.clone());
                Err(error)
            }
            Err(SyncError::NoRoom(error)) => {
                self.no_space_for_sync(error.clone());
                Err(error)
            }
        }
    }

    async fn sync_segments(&self, segments: &[Rc<Segment>]) -> Result<(), SyncError> {
        for segment in segments {
            self.sync_segment(segment).await.map_err(SyncError::Lost)?;
        }
        self.sync_names().await
    }

    /// Syncs what a segment has in the page cache now. Several tasks may ask: one syncs, the others find it done, or failed.
    async fn sync_segment(&self, segment: &Segment) -> Result<(), LogError> {
        let wanted = segment.written.get();
        if segment.synced.get() >= wanted {
            return Ok(());
        }
        // Nobody closes it.
        let _turn = segment.sync_turn.acquire_permit(1).await;
        if let Condition::ReadOnly(error) = &self.state.borrow().condition {
            return Err(error.clone());
        }
        if segment.synced.get() >= wanted {
            return Ok(());
        }
        let written = segment.written.get();
        let file = self.file_to_sync(segment).await?;
        let synced = self.storage.fdatasync(&file).await;
        let path = segment.path(FileKind::Log);
        synced.map_err(|error| LogError::storage("fdatasync", &path, error))?;
        segment.synced.set(segment.synced.get().max(written));
        Ok(())
    }

    pub(super) async fn seal_all(self: &Rc<Self>) {
        yield_now().await; // the writer goes first
        while let Some(segment) = self.next_to_seal() {
            match self.seal(&segment).await {
                Ok(()) => self.settle(&segment),
                Err(SyncError::Lost(error)) => self.sync_failed(error),
                // The indexes can be made again from the records: they stay in memory until the next segment is sealed.
                Err(SyncError::NoRoom(error)) => {
                    log::error!("{error}: the segment's index stays in memory");
                    self.settle(&segment);
                }
            }
        }
        self.note_idle();
    }

    fn next_to_seal(&self) -> Option<Rc<Segment>> {
        let mut state = self.state.borrow_mut();
        let next = state.to_seal.pop_front();
        state.sealing = next.is_some();
        next
    }

    /// Tells those who wait for it that no task is at work.
    pub(super) fn note_idle(&self) {
        let mut state = self.state.borrow_mut();
        if !state.writer.running && !state.sealing && state.cleaning.is_none() {
            state.waiters.reached(Goal::Idle, Offset(i64::MAX));
        }
    }

    /// Of files that can be made again any failure is one for want of room: nothing is lost without them.
    async fn seal(&self, segment: &Rc<Segment>) -> Result<(), SyncError> {
        self.sync_segment(segment).await.map_err(SyncError::Lost)?;
        self.write_transaction_index(segment).await?;
        self.write_index_files(segment)
            .await
            .map_err(SyncError::NoRoom)?;
        let next = self.segment_after(segment);
        if let Some(next) = &next {
            self.write_roll_snapshot(next)
                .await
                .map_err(SyncError::NoRoom)?;
        }
        self.sync_names().await?;
        self.note_sealed(segment, next.map(|next| next.base_offset));
        Ok(())
    }

    /// Writes `.txnindex`, if anything is in it. A start that finds the other two takes it that it is whole, so it is durable
    /// before they are there.
    async fn write_transaction_index(&self, segment: &Segment) -> Result<(), SyncError> {
        let Some(content) = segment.aborted_content() else {
            return Ok(());
        };
        let path = segment.path(FileKind::TransactionIndex);
        let written = self.write_small_file(path, content).await;
        written.map_err(SyncError::NoRoom)?;
        self.sync_names().await
    }

    /// Writes `.index` and `.timeindex`, the latter ended by the largest timestamp of all.
    pub(super) async fn write_index_files(&self, segment: &Segment) -> Result<(), LogError> {
        let contents = segment.index.borrow_mut().as_mut().map(|index| {
            index.append_time_entry();
            (index.max_timestamp(), index.encode())
        });
        let Some((max_timestamp, (offsets, times))) = contents else {
            return Ok(());
        };
        segment.max_timestamp.set(Some(max_timestamp));
        for (kind, content) in [
            (FileKind::OffsetIndex, offsets),
            (FileKind::TimeIndex, times),
        ] {
            self.write_small_file(segment.path(kind), content).await?;
        }
        if let Some(index) = segment.index.borrow_mut().as_mut() {
            index.set_clean();
        }
        Ok(())
    }

    /// Writes a small file as a whole; its name is durable after the next sync of names.
    pub(super) async fn write_small_file(
        &self,
        path: std::path::PathBuf,
        content: Vec<u8>,
    ) -> Result<(), LogError> {
        let written = self.storage.replace_file(&path, content).await;
        written.map_err(|error| LogError::storage("write", &path, error))?;
        self.state.borrow_mut().writer.names_changed += 1;
        Ok(())
    }

    async fn write_roll_snapshot(&self, next: &Segment) -> Result<(), LogError> {
        let Some(content) = next.snapshot.borrow().clone() else {
            return Ok(());
        };
        self.write_small_file(next.path(FileKind::Snapshot), content)
            .await?;
        *next.snapshot.borrow_mut() = None;
        self.replace_snapshot(next.base_offset).await
    }

    /// A snapshot now stands at `offset`. The one before goes, unless it is where a segment begins.
    pub(super) async fn replace_snapshot(&self, offset: Offset) -> Result<(), LogError> {
        let stray = self.state.borrow_mut().note_snapshot(offset);
        let Some(stray) = stray else { return Ok(()) };
        let path = file_names::path_of(&self.dir, stray, FileKind::Snapshot);
        let removed = self.storage.remove_file(&path).await;
        removed.map_err(|error| LogError::storage("remove", &path, error))
    }

    /// No task works on the segment any more.
    pub(super) fn settle(&self, segment: &Rc<Segment>) {
        segment.settled.set(true);
        let next = self.segment_after(segment);
        let end = next.map_or(Offset(i64::MAX), |next| next.base_offset);
        self.state.borrow_mut().waiters.reached(Goal::Sealed, end);
    }

    fn segment_after(&self, segment: &Rc<Segment>) -> Option<Rc<Segment>> {
        let state = self.state.borrow();
        let at = state
            .segments
            .iter()
            .position(|known| Rc::ptr_eq(known, segment))?;
        state.segments.get(at + 1).cloned()
    }

    /// The files are complete: lookups go to them, and the memory goes.
    fn note_sealed(&self, segment: &Segment, next: Option<Offset>) {
        let state = self.state.borrow();
        let all_before_synced = state
            .segments
            .iter()
            .take_while(|before| before.base_offset < segment.base_offset)
            .all(|before| before.synced.get() == before.staged.get());
        let end = next.filter(|next| all_before_synced && *next <= state.written_end);
        if state.takes_records() {
            *segment.index.borrow_mut() = None;
            segment.release_aborted();
            segment.close_appender();
        }
        drop(state);
        if let Some(end) = end {
            self.synced(end);
        }
    }

    /// The handle through which a segment is synced; a sealed one that was opened after a crash may have none.
    async fn file_to_sync(&self, segment: &Segment) -> Result<Rc<AppendFile>, LogError> {
        match segment.appender() {
            Some(file) => Ok(file),
            None => {
                let file = segment.open(FileKind::Log).await?;
                Ok(Rc::new(AppendFile::new(file)))
            }
        }
    }
}

impl State {
    /// Segments before the one at `end` whose index files found no room are sealed again.
    fn take_along_unsealed(&mut self, end: usize) {
        for segment in &self.segments[..end] {
            if segment.settled.get() && segment.index.borrow().is_some() {
                segment.settled.set(false);
                self.to_seal.push_back(segment.clone());
            }
        }
    }

    /// Notes where the newest snapshot is; returns where one has become superfluous.
    fn note_snapshot(&mut self, offset: Offset) -> Option<Offset> {
        if self.snapshot_offset > Some(offset) {
            return None; // that of a segment whose files found no room before
        }
        let before = self.snapshot_offset.replace(offset)?;
        let begins = |segment: &Rc<Segment>| segment.base_offset == before;
        (before != offset && !self.segments.iter().any(begins)).then_some(before)
    }
}
