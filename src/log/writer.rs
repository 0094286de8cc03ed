//! The one task of a log that writes and syncs.
//!
//! It starts with an append and ends when there is nothing to do; nobody else can drop it, so no write is cancelled. It does
//! one thing at a time: while a write is in flight further batches gather in staging and go out with the next (group
//! commit), and one sync serves all who wait for one at that moment.

use std::path::Path;
use std::rc::{Rc, Weak};
use std::time::Duration;

use futures_lite::future::yield_now;

use super::append::StagedRun;
use super::error::{LogError, SyncError, is_no_space};
use super::file_names::{self, FileKind};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use super::state::{Condition, State, reserve, small_files};
use crate::types::Offset;

/// Batches a log at rest keeps room for.
const IDLE_CAPACITY: usize = 8;

/// The next thing the writer does.
enum Step {
    /// Cut a file to a length, after a failed write.
    Cut(Rc<Segment>, u64),
    /// Write `leader-epoch-checkpoint`.
    WriteEpochs(Vec<u8>),
    /// Make the file of a segment that was rolled to.
    Create(Rc<Segment>),
    /// Write a staging buffer.
    Write(StagedRun),
    /// Sync everything written so far.
    Sync,
    /// Write the transaction index of the active segment, for tools: a start makes it again.
    WriteAborted(Rc<Segment>),
    /// Nothing is left to do.
    Rest,
}

impl PartitionLog {
    /// Starts the writer task if it is not running.
    pub(super) fn start_writer(self: &Rc<Self>) {
        let mut state = self.state.borrow_mut();
        let start = !state.writer.running && !state.writer.ended;
        state.writer.running |= start;
        drop(state);
        if start {
            glommio::spawn_local(self.clone().write_all()).detach();
        }
    }

    /// Has everything written so far synced, whatever the policy says.
    pub(super) fn request_sync(self: &Rc<Self>) {
        self.state.borrow_mut().writer.sync_asked = true;
        self.start_writer();
    }

    async fn write_all(self: Rc<Self>) {
        // glommio runs a new task at once: let those that are ready append first, so that they share the write.
        yield_now().await;
        loop {
            let step = self.state.borrow_mut().next_step(&self);
            match step {
                Step::Cut(segment, len) => self.cut(&segment, len).await,
                Step::WriteEpochs(content) => self.write_epochs(content).await,
                Step::Create(segment) => self.create_segment(segment).await,
                Step::Write(run) => self.write_run(run).await,
                Step::Sync => self.sync().await,
                Step::WriteAborted(segment) => self.write_aborted(&segment).await,
                Step::Rest => return self.note_idle(),
            }
        }
    }

    /// Takes the bytes of a failed write off the end of the file.
    async fn cut(&self, segment: &Segment, len: u64) {
        if let Some(file) = segment.appender()
            && let Err(error) = self.storage.truncate(&file, len).await
        {
            self.write_failed(LogError::storage(
                "truncate",
                &segment.path(FileKind::Log),
                error,
            ));
        }
    }

    async fn write_epochs(&self, content: Vec<u8>) {
        let path = self.dir.join(file_names::LEADER_EPOCH_CHECKPOINT);
        match self.storage.replace_file(&path, content).await {
            Ok(()) => self.state.borrow_mut().writer.names_changed += 1,
            Err(error) => {
                self.state.borrow_mut().writer.epochs_unwritten = true;
                self.failed("write", &path, error);
            }
        }
    }

    async fn write_aborted(&self, segment: &Segment) {
        let Some(content) = segment.aborted_content() else {
            return;
        };
        let path = segment.path(FileKind::TransactionIndex);
        if let Err(error) = self
            .storage
            .write_files(vec![(path.clone(), content)])
            .await
        {
            log::warn!(
                "{}: {error}; it is written again when the segment is complete",
                path.display()
            );
        }
    }

    async fn create_segment(self: &Rc<Self>, segment: Rc<Segment>) {
        // Before there is a second task that syncs: what concerns the small files is the writer's alone.
        match self.sync_birth().await {
            Err(SyncError::NoRoom(error)) => return self.out_of_space(error),
            Err(SyncError::Lost(error)) => return self.sync_failed(error),
            Ok(()) => {}
        }
        let path = segment.path(FileKind::Log);
        let file = match self.storage.create(&path).await {
            Ok(file) => file,
            Err(error) => return self.failed("create", &path, error),
        };
        let config = self.state.borrow().config.clone();
        reserve(&self.storage, &file, &config, &path).await;
        segment.set_appender(file);
        self.state.borrow_mut().writer.names_changed += 1;
        self.seal_before(&segment);
    }

    /// Writes a run to its end; a short write goes on with the rest.
    async fn write_run(self: &Rc<Self>, run: StagedRun) {
        let StagedRun {
            segment,
            position,
            mut bytes,
        } = run;
        let total = bytes.len();
        let end = position + total as u64;
        let mut from = position;
        let file = segment
            .appender()
            .expect("a run is written after its segment was made");
        loop {
            let asked = bytes.len();
            match self.storage.write_at(&file, bytes, from).await {
                Ok(written) if written == asked => break,
                Ok(0) => {
                    let nothing = std::io::ErrorKind::WriteZero.into();
                    return self.failed("write", &segment.path(FileKind::Log), nothing);
                }
                Ok(written) => {
                    from += written as u64;
                    self.written(&segment, from);
                    bytes = self.state.borrow().restage(&segment, from, end);
                }
                Err(error) => return self.failed("write", &segment.path(FileKind::Log), error),
            }
        }
        self.finish_run(&segment, end, total);
    }

    fn finish_run(self: &Rc<Self>, segment: &Rc<Segment>, end: u64, total: usize) {
        let mut state = self.state.borrow_mut();
        state.staged_bytes = state.staged_bytes.saturating_sub(total);
        state.writer.last_write_bytes = total;
        drop(state);
        self.written(segment, end);
        self.arm_flush_timer();
    }

    /// A write failed in one of two ways: for want of space, or for good.
    fn failed(&self, operation: &'static str, path: &Path, error: std::io::Error) {
        let no_space = is_no_space(&error);
        let error = LogError::storage(operation, path, error);
        if no_space {
            self.out_of_space(error)
        } else {
            self.write_failed(error)
        }
    }

    /// Syncs, in order, every segment that has unsynced bytes, then the names.
    async fn sync(&self) {
        let (end, segments) = self.state.borrow().to_sync();
        // Whoever waits is told.
        let _ = self.sync_up_to(end, &segments).await;
    }

    /// Makes the directory's entries durable, where any are new; those of a new partition with their contents.
    pub(super) async fn sync_names(&self) -> Result<(), SyncError> {
        self.sync_birth().await?;
        let (changed, synced) = {
            let writer = &self.state.borrow().writer;
            (writer.names_changed, writer.names_synced)
        };
        if synced < changed {
            self.sync_dir(&self.dir).await.map_err(SyncError::Lost)?;
            let mut state = self.state.borrow_mut();
            state.writer.names_synced = state.writer.names_synced.max(changed);
        }
        Ok(())
    }

    /// In a new partition: writes the small files anew, durably, and then makes the directory's own name durable.
    async fn sync_birth(&self) -> Result<(), SyncError> {
        if !self.state.borrow().writer.birth_unsynced {
            return Ok(());
        }
        let files = small_files(&self.dir, self.topic_id(), &self.state.borrow().epochs);
        for (path, content) in files {
            let replaced = self.storage.replace_file(&path, content).await;
            let failed = |error| LogError::storage("write", &path, error);
            replaced.map_err(|error| SyncError::of_small_file(failed(error)))?;
        }
        for dir in [Some(self.dir.as_path()), self.dir.parent()]
            .into_iter()
            .flatten()
        {
            self.sync_dir(dir).await.map_err(SyncError::Lost)?;
        }
        self.state.borrow_mut().writer.birth_unsynced = false;
        Ok(())
    }

    pub(super) async fn sync_dir(&self, dir: &Path) -> Result<(), LogError> {
        let synced = self.storage.sync_dir(dir).await;
        synced.map_err(|error| LogError::storage("fsync", dir, error))
    }

    /// Has what is now written synced within `flush.ms`. One timer at a time, and none when all is synced.
    fn arm_flush_timer(self: &Rc<Self>) {
        let mut state = self.state.borrow_mut();
        let dirty = state.synced_end < state.written_end;
        if !dirty || state.config.flush_ms == i64::MAX || state.writer.timer_armed {
            return;
        }
        state.writer.timer_armed = true;
        let wait = Duration::from_millis(state.config.flush_ms.max(0).unsigned_abs());
        drop(state);
        glommio::spawn_local(flush_after(Rc::downgrade(self), wait)).detach();
    }
}

/// Asks for a sync after `wait`. Does not keep the log alive.
async fn flush_after(log: Weak<PartitionLog>, wait: Duration) {
    glommio::timer::sleep(wait).await;
    let Some(log) = log.upgrade() else { return };
    let mut state = log.state.borrow_mut();
    state.writer.timer_armed = false;
    let dirty = state.synced_end < state.written_end;
    drop(state);
    if dirty {
        log.request_sync();
    }
}

impl State {
    fn next_step(&mut self, log: &PartitionLog) -> Step {
        debug_assert!(
            self.writer.running,
            "only the writer asks, for {}",
            log.dir.display()
        );
        if self.is_read_only() {
            return self.rest();
        }
        if let Some((segment, len)) = self.writer.cut.take() {
            return Step::Cut(segment, len);
        }
        if self.sync_due() {
            self.writer.sync_asked = false;
            return Step::Sync;
        }
        if self.epochs_due() {
            self.writer.epochs_unwritten = false;
            return Step::WriteEpochs(self.epochs.encode().into_bytes());
        }
        match self.staged.front() {
            Some(run) if run.segment.appender().is_none() => Step::Create(run.segment.clone()),
            Some(_) => self.staged.pop_front().map_or(Step::Rest, Step::Write),
            // Rolled with nothing to write: the old segment is to go.
            None if self.active().appender().is_none() => Step::Create(self.active().clone()),
            None if std::mem::take(&mut self.writer.aborted_unwritten) => {
                Step::WriteAborted(self.active().clone())
            }
            None => self.rest(),
        }
    }

    /// Whether to sync before anything else is written.
    fn sync_due(&self) -> bool {
        self.synced_end < self.written_end
            && (self.writer.sync_asked
                || self.writer.sync_needed
                || self.waiters.any_sync_up_to(self.written_end))
    }

    /// Whether to write `leader-epoch-checkpoint`: where there was no room, only with the next record.
    fn epochs_due(&self) -> bool {
        let waits = matches!(self.condition, Condition::OutOfSpace) && self.staged.is_empty();
        self.writer.epochs_unwritten && !waits
    }

    fn rest(&mut self) -> Step {
        self.writer.running = false;
        self.writer.sync_asked = false;
        // A log at rest keeps no memory of its busiest moment.
        self.in_flight.shrink_to(IDLE_CAPACITY);
        self.staged.shrink_to(IDLE_CAPACITY);
        Step::Rest
    }

    pub(super) fn to_sync(&self) -> (Offset, Vec<Rc<Segment>>) {
        let unsynced = self
            .segments
            .iter()
            .filter(|segment| segment.synced.get() < segment.written.get());
        (self.written_end, unsynced.cloned().collect())
    }

    /// The stamped bytes of `segment` between two positions again, from the batches in flight.
    fn restage(&self, segment: &Rc<Segment>, from: u64, end: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut start = from;
        let unwritten = |batch: &&super::append::InFlight| {
            Rc::ptr_eq(&batch.segment, segment) && batch.end > from && batch.position < end
        };
        for batch in self.in_flight.iter().filter(unwritten) {
            if bytes.is_empty() {
                start = batch.position;
            }
            batch.stage_into(&mut bytes);
        }
        bytes.split_off((from - start) as usize)
    }
}
