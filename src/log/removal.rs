//! Taking segments out of a log, and their files off the disk.
//!
//! A segment that leaves is settled: sealed, its files written, so that no task of the log works on it. Its files get another
//! name at once (`<name>.deleted`) and are removed after `file.delete.delay.ms`; what a stop leaves of them is removed at the next
//! open. Whoever planned a read keeps the file open and finishes: only the name is gone.
//!
//! Whoever changes which segments there are, other than by appending, does it in a turn ([`PartitionLog::reshape`]): no two do it
//! at a time, and none after the log was closed or its directory renamed, when the names may be another log's.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use glommio::sync::Permit;

use super::error::LogError;
use super::file_names::{self, DELETED_ENDING, FileKind};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use super::state::{Condition, State};
use crate::types::Offset;

/// Every file that a segment may have, the one whose loss is noticed first last: a stop in between leaves what an open makes
/// whole again.
pub(super) const SEGMENT_FILES: [FileKind; 5] = [
    FileKind::Snapshot,
    FileKind::TransactionIndex,
    FileKind::TimeIndex,
    FileKind::OffsetIndex,
    FileKind::Log,
];

impl PartitionLog {
    /// Waits until nobody else changes which segments there are; holds until it is dropped.
    ///
    /// # Errors
    /// The log is closed, or read-only.
    pub(super) async fn reshape(&self) -> Result<Permit<'_>, LogError> {
        let closed = || LogError::Closed {
            path: self.dir.clone(),
        };
        let turn = self.reshaping.acquire_permit(1).await;
        let turn = turn.map_err(|_| closed())?;
        match &self.state.borrow().condition {
            Condition::ReadOnly(error) | Condition::Closed(error) => Err(error.clone()),
            Condition::Writable | Condition::OutOfSpace => Ok(turn),
        }
    }

    /// Renames the files of segments that are no longer the log's, the oldest segment first, and has them removed after
    /// `file.delete.delay.ms`. What fails is logged, and found by the next open. To be called in a turn of
    /// [`PartitionLog::reshape`].
    pub(super) async fn remove_segments(self: &Rc<Self>, gone: Vec<Rc<Segment>>) {
        let files = gone.iter().flat_map(|segment| {
            let path = |kind| segment.path(kind);
            SEGMENT_FILES.map(path)
        });
        self.remove_files(files.collect()).await;
        // Handles go with the last who has the segment: whoever plans a read from it now still needs them.
        drop(gone);
    }

    /// [`PartitionLog::remove_segments`] for single files.
    pub(super) async fn remove_files(self: &Rc<Self>, files: Vec<PathBuf>) {
        let mut renamed = Vec::with_capacity(files.len());
        for from in files {
            let to = deleted(&from);
            match self.storage.rename(&from, &to).await {
                Ok(()) => renamed.push(to),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => log::error!("{}: renaming failed: {error}", from.display()),
            }
        }
        self.remove_later(renamed);
    }

    /// Has files removed, which have another name already, after `file.delete.delay.ms`.
    pub(super) fn remove_later(self: &Rc<Self>, renamed: Vec<PathBuf>) {
        if renamed.is_empty() {
            return;
        }
        let delay = Duration::from_millis(self.state.borrow().config.file_delete_delay_ms);
        let storage = Rc::clone(&self.storage);
        let log = Rc::downgrade(self);
        glommio::spawn_local(async move {
            glommio::timer::sleep(delay).await;
            for path in renamed {
                // A log that is gone has taken its directory along.
                let Some(log) = log.upgrade() else { return };
                if log.state.borrow().writer.ended {
                    return;
                }
                if let Err(error) = storage.remove_file(&path).await {
                    log::error!(
                        "{}: {error}; it is removed at the next start",
                        path.display()
                    );
                }
            }
        })
        .detach();
    }

    /// Writes `leader-epoch-checkpoint`, durably.
    pub(super) async fn keep_epochs(&self) -> Result<(), LogError> {
        let (start, content) = {
            let mut state = self.state.borrow_mut();
            // The writer may be about to put an older content in its place: it writes once more.
            state.writer.epochs_unwritten |= state.writer.running;
            (state.log_start_offset, state.epochs.encode().into_bytes())
        };
        let path = self.dir.join(file_names::LEADER_EPOCH_CHECKPOINT);
        let written = self.storage.replace_file(&path, content).await;
        written.map_err(|error| LogError::storage("write", &path, error))?;
        self.sync_dir(&self.dir).await?;
        let mut state = self.state.borrow_mut();
        state.kept_start = state.kept_start.max(start);
        Ok(())
    }

    /// [`PartitionLog::keep_epochs`] before segments go. A disk too full for that small file keeps nothing from going, as that is
    /// what makes room: it is then written with the next record, and the error is the value.
    ///
    /// # Errors
    /// No segment may go.
    pub(super) async fn keep_epochs_if_there_is_room(&self) -> Result<Option<LogError>, LogError> {
        match self.keep_epochs().await {
            Err(error) if error.is_no_space() => {
                log::warn!("{error}: it is written when there is room");
                self.state.borrow_mut().writer.epochs_unwritten = true;
                Ok(Some(error))
            }
            kept => kept.map(|()| None),
        }
    }
}

impl State {
    /// Takes out the segments that lie before `end` as a whole, up to the first on which a task still works; never the active
    /// one.
    pub(super) fn take_segments_before(&mut self, end: Offset) -> Vec<Rc<Segment>> {
        let is_gone = |pair: &[Rc<Segment>]| pair[1].base_offset <= end && pair[0].settled.get();
        let count = self
            .segments
            .windows(2)
            .take_while(|pair| is_gone(pair))
            .count();
        let gone: Vec<_> = self.segments.drain(..count).collect();
        self.open_readers
            .retain(|open| !gone.iter().any(|segment| Rc::ptr_eq(open, segment)));
        gone
    }
}

fn deleted(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(DELETED_ENDING);
    PathBuf::from(name)
}
