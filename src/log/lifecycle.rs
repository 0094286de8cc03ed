//! Closing a log, and deleting a partition.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::{fs, io};

use super::error::LogError;
use super::file_names::{self, FileKind};
use super::partition_log::{AdvanceCause, PartitionLog};
use super::partition_metadata;
use super::producer_snapshot;
use super::progress::Moved;
use super::state::{Condition, State};
use super::waiters::{Goal, Wait};
use crate::io::blocking::blocking;
use crate::io::{Disk, Storage};
use crate::types::{Offset, TopicId, kafka_uuid};

impl PartitionLog {
    /// Ends the log in order: takes no more records, writes what is staged, then the producers' snapshot and the index files,
    /// and makes all of it durable, so that the next [`PartitionLog::open`] may trust it. A log nothing was appended to since
    /// it was opened costs no file operation. Logs that are closed at the same time share their sync: close many together.
    ///
    /// The clean-shutdown mark is the caller's, and only after every log has closed without error.
    ///
    /// # Errors
    /// Something could not be written or synced, now or before: the next open must recover.
    pub async fn close(self: &Rc<Self>) -> Result<(), LogError> {
        let stopped = self.stop_appends();
        self.idle().await;
        let closed = match stopped.and_then(|()| self.failed_meanwhile()) {
            Ok(()) => self.write_closing_files().await,
            Err(error) => Err(error),
        };
        self.end_waits();
        closed
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
        rename_deleted(&*self.storage, &self.dir).await
    }

    /// From here on appends and new waits are refused.
    fn stop_appends(&self) -> Result<(), LogError> {
        let mut state = self.state.borrow_mut();
        let closed = LogError::Closed {
            path: self.dir.clone(),
        };
        match std::mem::replace(&mut state.condition, Condition::Closed(closed)) {
            Condition::ReadOnly(error) | Condition::Closed(error) => Err(error),
            Condition::Writable | Condition::OutOfSpace => Ok(()),
        }
    }

    /// Whether a write or sync failed while the log was closing.
    fn failed_meanwhile(&self) -> Result<(), LogError> {
        match &self.state.borrow().condition {
            Condition::ReadOnly(error) => Err(error.clone()),
            Condition::Writable | Condition::OutOfSpace | Condition::Closed(_) => Ok(()),
        }
    }

    fn end_waits(&self) {
        self.state.borrow_mut().waiters.fail_all(&LogError::Closed {
            path: self.dir.clone(),
        });
        self.announce(Moved::default(), AdvanceCause::Closed);
    }

    /// Waits until neither the writer nor the sealer nor compaction is at work, nor anybody who takes segments out; none starts
    /// again.
    async fn idle(self: &Rc<Self>) {
        // Whoever takes segments out finishes; the next finds the log closed.
        let _turn = self.reshaping.acquire_permit(1).await;
        let busy = {
            let state = self.state.borrow();
            if let Some(stop) = &state.cleaning {
                stop.store(true, Ordering::Relaxed);
            }
            state.writer.running || state.sealing || state.cleaning.is_some()
        };
        if busy {
            let _ = Wait::register(self, Goal::Idle, Offset::ZERO).await;
        }
        self.state.borrow_mut().writer.ended = true;
    }

    /// Writes what the next open reads, and syncs it with everything else. The state no longer changes.
    async fn write_closing_files(&self) -> Result<(), LogError> {
        let end = self.log_end_offset();
        let files = self.state.borrow().closing_files(&self.dir);
        let unsynced = {
            let state = self.state.borrow();
            let writer = &state.writer;
            state.synced_end < end
                || writer.birth_unsynced
                || writer.names_synced < writer.names_changed
        };
        if files.is_empty() && !unsynced {
            return Ok(());
        }
        let files = self.write_files(files, end).await;
        let data_dir = self.dir.parent().unwrap_or(&self.dir);
        if let Err(error) = self.storage.sync_file_system(data_dir).await {
            let error = LogError::storage("syncfs", data_dir, error);
            self.sync_failed(error.clone());
            return Err(error);
        }
        self.synced(end);
        // The records are safe without them.
        files
    }

    async fn write_files(
        &self,
        files: Vec<(PathBuf, Vec<u8>)>,
        end: Offset,
    ) -> Result<(), LogError> {
        if files.is_empty() {
            return Ok(());
        }
        let written = self.storage.write_files(files).await;
        written.map_err(|error| LogError::storage("write files in", &self.dir, error))?;
        self.replace_snapshot(end).await
    }
}

impl State {
    /// The index files of segments that have none yet, and the producers' snapshot at the end of the log.
    fn closing_files(&self, dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        for segment in &self.segments {
            let mut index = segment.index.borrow_mut();
            let Some(index) = index.as_mut() else {
                continue;
            };
            // An empty segment has them too: Kafka takes a log without them for a damaged one.
            if index.is_dirty() {
                index.append_time_entry();
                let aborted = segment.aborted_content();
                let path = segment.path(FileKind::TransactionIndex);
                files.extend(aborted.map(|content| (path, content)));
                let (offsets, times) = index.encode();
                files.push((segment.path(FileKind::OffsetIndex), offsets));
                files.push((segment.path(FileKind::TimeIndex), times));
            }
        }
        let end = self.log_end_offset;
        if self.snapshot_offset != Some(end) && end > self.log_start_offset {
            let path = file_names::path_of(dir, end, FileKind::Snapshot);
            files.push((path, producer_snapshot::encode(&self.producers)));
        }
        files
    }
}

/// [`PartitionLog::mark_deleted`] for a partition whose log is not open.
///
/// # Errors
/// The directory cannot be renamed.
pub async fn set_aside_deleted(dir: &Path) -> Result<PathBuf, LogError> {
    rename_deleted(&Disk, dir).await
}

async fn rename_deleted(storage: &dyn Storage, dir: &Path) -> Result<PathBuf, LogError> {
    let renamed = aside_of(dir, file_names::DELETED_DIR_ENDING);
    match storage.rename(dir, &renamed).await {
        Ok(()) => {}
        // Whoever removed it was faster; its name is free.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            log::warn!("{}: the directory was removed already", dir.display());
            return Ok(renamed);
        }
        Err(error) => return Err(LogError::storage("rename", dir, error)),
    }
    if let Some(parent) = dir.parent() {
        let synced = storage.sync_dir(parent).await;
        synced.map_err(|error| LogError::storage("fsync", parent, error))?;
    }
    Ok(renamed)
}

/// What to do with a partition's directory that is another topic's by its `partition.metadata`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Foreign {
    /// It is left from a deleted topic, and may go.
    Delete,
    /// It is most likely so, after a crash; but its records are kept (Kafka's `-stray`).
    Stray,
    /// It cannot be: the last stop was clean. The file is damaged, or somebody has put the directory there.
    Refuse,
}

/// Puts the directory `dir` away if it belongs to another topic than `topic_id`: a crash between a deletion and the rename
/// of its directories leaves it, and the name is taken again. Returns the name it got; one to be deleted is for
/// [`remove_deleted`]. A directory whose `partition.metadata` is missing or damaged is taken for the topic's own, and the file
/// is written again.
///
/// # Errors
/// `partition.metadata` cannot be read, or the directory not be renamed; or it is to be refused.
pub async fn set_aside_foreign(
    dir: &Path,
    topic_id: TopicId,
    foreign: Foreign,
) -> Result<Option<PathBuf>, LogError> {
    let metadata = dir.join(file_names::PARTITION_METADATA);
    let read = {
        let metadata = metadata.clone();
        blocking(move || fs::read(metadata)).await
    };
    let content = match read {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            restore_metadata(dir, metadata, topic_id, "missing").await?;
            return Ok(None);
        }
        Err(error) => return Err(LogError::storage("read", &metadata, error)),
    };
    let aside = match partition_metadata::decode(&String::from_utf8_lossy(&content)) {
        None => {
            restore_metadata(dir, metadata, topic_id, "damaged").await?;
            return Ok(None);
        }
        Some(owner) if owner == topic_id => return Ok(None),
        Some(owner) if foreign == Foreign::Refuse => {
            return Err(LogError::Corrupt {
                path: metadata,
                reason: format!(
                    "names topic id {}, but the topic's is {}; if the records are this topic's own, remove the file, else move the \
                     folder away, and start again",
                    kafka_uuid::encode(owner),
                    kafka_uuid::encode(topic_id)
                ),
            });
        }
        Some(_) if foreign == Foreign::Stray => aside_of(dir, file_names::STRAY_DIR_ENDING),
        Some(_) => aside_of(dir, file_names::DELETED_DIR_ENDING),
    };
    let moved = Disk.rename(dir, &aside).await;
    moved.map_err(|error| LogError::storage("rename", dir, error))?;
    if let Some(parent) = dir.parent() {
        let synced = Disk.sync_dir(parent).await;
        synced.map_err(|error| LogError::storage("fsync", parent, error))?;
    }
    Ok(Some(aside))
}

/// Writes the `partition.metadata` of a directory where it is `what`; a directory that is not there has lost nothing.
async fn restore_metadata(
    dir: &Path,
    metadata: PathBuf,
    topic_id: TopicId,
    what: &str,
) -> Result<(), LogError> {
    let there = dir.to_owned();
    if !blocking(move || there.is_dir()).await {
        return Ok(());
    }
    log::warn!("{}: {what}; it is written again", metadata.display());
    let content = partition_metadata::encode(topic_id).into_bytes();
    let written = Disk.replace_file(&metadata, content).await;
    written.map_err(|error| LogError::storage("write", &metadata, error))
}

/// A name for a directory that is put away, which no other has.
fn aside_of(dir: &Path, ending: &str) -> PathBuf {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    dir.with_file_name(file_names::unique_dir_name(
        &name,
        TopicId::new_v4(),
        ending,
    ))
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
