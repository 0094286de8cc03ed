//! Moving the log start offset: records before it are gone for readers at once, whole segments before it from the disk a little
//! later.
//!
//! What holds the new offset is the first entry of `leader-epoch-checkpoint`, which begins there from now on, as in Kafka; the
//! broker's `log-start-offset-checkpoint` says it too. At the next open the smaller of both counts: the broker's file may still
//! speak of a deleted topic's partition of the same name.
//!
//! A segment that leaves is below the high watermark and sealed, with its index files written, so neither the writer nor the
//! sealer knows of it any more. Whoever planned a read keeps its file open; the name is what changes.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::error::LogError;
use super::file_names::{self, FileKind};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use super::state::{Condition, State};
use crate::types::Offset;

/// The ending of a file that is to be removed.
const DELETED_ENDING: &str = ".deleted";

const ALL_KINDS: [FileKind; 5] = [
    FileKind::Log,
    FileKind::OffsetIndex,
    FileKind::TimeIndex,
    FileKind::TransactionIndex,
    FileKind::Snapshot,
];

/// Why the log start offset does not move.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogStartError {
    /// It would lie past the high watermark.
    #[error("offset {asked} is past the high watermark {high_watermark}")]
    OutOfRange {
        /// The offset asked for.
        asked: Offset,
        /// The high watermark.
        high_watermark: Offset,
    },
    /// The log has failed, or its file could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl PartitionLog {
    /// Makes `start` the log start offset if it lies before it, and returns the log start offset. Whole segments before it
    /// lose their names now and are removed after `delay`.
    ///
    /// # Durability
    /// On return the new offset stands in the partition's `leader-epoch-checkpoint`, synced.
    ///
    /// # Errors
    /// See [`LogStartError`]. Once the offset has moved for readers it stays so, even if it cannot be written down.
    pub async fn advance_log_start(
        self: &Rc<Self>,
        start: Offset,
        delay: Duration,
    ) -> Result<Offset, LogStartError> {
        let (epochs, gone) = {
            let mut state = self.state.borrow_mut();
            if let Condition::ReadOnly(error) | Condition::Closed(error) = &state.condition {
                return Err(error.clone().into());
            }
            if start > state.high_watermark {
                return Err(LogStartError::OutOfRange {
                    asked: start,
                    high_watermark: state.high_watermark,
                });
            }
            if start <= state.log_start_offset {
                return Ok(state.log_start_offset);
            }
            state.log_start_offset = start;
            state.epochs.begin_at(start);
            let gone = state.take_head_segments();
            (state.epochs.encode().into_bytes(), gone)
        };
        let path = self.dir.join(file_names::LEADER_EPOCH_CHECKPOINT);
        let written = self.storage.replace_file(&path, epochs).await;
        written.map_err(|error| LogError::storage("write", &path, error))?;
        // Segments go only when it is durable why.
        self.sync_dir(&self.dir).await?;
        self.remove_segments(gone, delay).await;
        Ok(self.log_start_offset())
    }

    /// Renames the files of segments, and has them removed later. What fails is removed at the next open.
    async fn remove_segments(self: &Rc<Self>, gone: Vec<Rc<Segment>>, delay: Duration) {
        let mut renamed = Vec::new();
        for segment in gone {
            for kind in ALL_KINDS {
                let from = file_names::path_of(&self.dir, segment.base_offset, kind);
                let to = deleted(&from);
                match self.storage.rename(&from, &to).await {
                    Ok(()) => renamed.push(to),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => log::error!("{}: renaming failed: {error}", from.display()),
                }
            }
        }
        if renamed.is_empty() {
            return;
        }
        let storage = Rc::clone(&self.storage);
        glommio::spawn_local(async move {
            glommio::timer::sleep(delay).await;
            for path in renamed {
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
}

impl State {
    /// The log start offset of a log that is being opened. Segments before it go with the next step forward.
    pub(super) fn begin_at(&mut self, log_start: Offset) {
        let own = self.epochs.start().unwrap_or(Offset::ZERO);
        let start = log_start.min(own).min(self.log_end_offset);
        self.log_start_offset = self.log_start_offset.max(start);
    }

    /// Takes out the segments that lie before the log start offset as a whole; never the active one.
    fn take_head_segments(&mut self) -> Vec<Rc<Segment>> {
        let start = self.log_start_offset;
        // A pinned segment's names are changing: it goes with the next step forward.
        let is_gone = |pair: &[Rc<Segment>]| {
            pair[1].base_offset <= start && pair[0].index.borrow().is_none() && !pair[0].is_pinned()
        };
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
