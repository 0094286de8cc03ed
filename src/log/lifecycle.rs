//! Closing a log, and deleting a partition.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::error::LogError;
use super::file_names::{self, FileKind};
use super::partition_log::{AdvanceCause, Condition, PartitionLog};
use super::producer_snapshot;
use super::waiters::{Goal, Wait};
use crate::io::{Disk, Storage};
use crate::types::{Offset, TopicId};

impl PartitionLog {
    /// Ends the log in order: takes no more records, writes and syncs what is staged, then writes the producers' snapshot
    /// and the index files, so that the next [`PartitionLog::open`] may trust them. A log nothing was appended to since it
    /// was opened costs no file operation.
    ///
    /// The clean-shutdown mark is the caller's, and only after every log has closed without error.
    ///
    /// # Errors
    /// Something could not be written or synced, now or before: the next open must recover.
    pub async fn close(self: &Rc<Self>) -> Result<(), LogError> {
        let end = self.stop_appends().inspect_err(|_| self.end_waits())?;
        let synced = Wait::register(self, Goal::Synced, end);
        if self.recovery_point() < end {
            self.start_writer();
            synced.await?;
        }
        self.idle().await;
        self.write_closing_files(end).await?;
        self.end_waits();
        Ok(())
    }

    /// Deletes the partition: everyone who waits is told, and the directory gets a name no open log has. Returns that name;
    /// [`remove_deleted`] removes it, once readers have had the time to finish. Records are not synced first.
    ///
    /// # Errors
    /// The directory cannot be renamed.
    pub async fn mark_deleted(self: &Rc<Self>) -> Result<PathBuf, LogError> {
        // A log that failed can be deleted like any other.
        let _ = self.stop_appends();
        self.end_waits();
        // No task may make a file by the old name after the rename: the topic may be created again.
        self.idle().await;
        let name = self
            .dir
            .file_name()
            .map(|name| name.to_string_lossy())
            .unwrap_or_default();
        let renamed = self
            .dir
            .with_file_name(file_names::deleted_dir_name(&name, TopicId::new_v4()));
        let moved = self.storage.rename(&self.dir, &renamed).await;
        moved.map_err(|error| LogError::storage("rename", &self.dir, error))?;
        if let Some(parent) = self.dir.parent() {
            self.sync_dir(parent).await?;
        }
        Ok(renamed)
    }

    /// From here on appends and new waits are refused. Returns the log end offset.
    fn stop_appends(&self) -> Result<Offset, LogError> {
        let mut state = self.state.borrow_mut();
        let closed = LogError::Closed {
            path: self.dir.clone(),
        };
        match std::mem::replace(&mut state.condition, Condition::Closed(closed)) {
            Condition::ReadOnly(error) | Condition::Closed(error) => Err(error),
            Condition::Writable | Condition::OutOfSpace => Ok(state.log_end_offset),
        }
    }

    fn end_waits(&self) {
        self.state.borrow_mut().waiters.fail_all(&LogError::Closed {
            path: self.dir.clone(),
        });
        self.announce(0, AdvanceCause::Closed);
    }

    /// Waits until neither the writer nor the sealer is at work; neither starts again.
    async fn idle(self: &Rc<Self>) {
        let busy = {
            let state = self.state.borrow();
            state.writer.running || state.sealing
        };
        if busy {
            let _ = Wait::register(self, Goal::Idle, Offset::ZERO).await;
        }
        self.state.borrow_mut().writer.ended = true;
    }

    async fn write_closing_files(&self, end: Offset) -> Result<(), LogError> {
        let segments = self.state.borrow().segments.clone();
        for segment in &segments {
            let dirty = segment
                .index
                .borrow()
                .as_ref()
                .is_some_and(|index| index.is_dirty());
            if dirty && segment.written.get() > 0 {
                self.write_index_files(segment).await?;
            }
        }
        let snapshot = {
            let state = self.state.borrow();
            let needed = state.snapshot_offset != Some(end) && end > state.log_start_offset;
            needed.then(|| producer_snapshot::encode(&state.producers))
        };
        if let Some(content) = snapshot {
            let path = file_names::path_of(&self.dir, end, FileKind::Snapshot);
            self.write_small_file(path, content).await?;
            self.replace_snapshot(end).await?;
        }
        self.sync_names().await
    }
}

/// Removes the directory of a partition that [`PartitionLog::mark_deleted`] has renamed. Readers that still hold a file keep
/// it until they are done.
///
/// # Errors
/// The directory cannot be removed.
pub async fn remove_deleted(dir: &Path) -> Result<(), LogError> {
    let removed = Disk.remove_dir(dir).await;
    removed.map_err(|error| LogError::storage("remove", dir, error))
}
