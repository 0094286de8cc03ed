//! Moving the log start offset: records before it are gone for readers at once, whole segments before it from the disk a little
//! later.
//!
//! What holds the new offset is the first entry of `leader-epoch-checkpoint`, which begins there from now on, as in Kafka; the
//! broker's `log-start-offset-checkpoint` says it too. At the next open the smaller of both counts: the broker's file may still
//! speak of a deleted topic's partition of the same name.

use std::rc::Rc;

use super::error::LogError;
use super::partition_log::PartitionLog;
use super::state::State;
use crate::types::Offset;

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
    /// lose their names now and are removed after `file.delete.delay.ms`; one that is just being sealed goes with retention.
    ///
    /// # Durability
    /// On return the new offset stands in the partition's `leader-epoch-checkpoint`, synced.
    ///
    /// # Errors
    /// See [`LogStartError`]. Once the offset has moved for readers it stays so, even if it cannot be written down. Where only room
    /// was missing for that, segments go all the same, and asking again writes it down.
    pub async fn advance_log_start(
        self: &Rc<Self>,
        start: Offset,
    ) -> Result<Offset, LogStartError> {
        let _turn = self.reshape().await?;
        {
            let mut state = self.state.borrow_mut();
            if start > state.high_watermark {
                return Err(LogStartError::OutOfRange {
                    asked: start,
                    high_watermark: state.high_watermark,
                });
            }
            if start <= state.kept_start {
                return Ok(state.log_start_offset);
            }
            state.move_start(start);
        }
        let no_room = self.keep_epochs_if_there_is_room().await?;
        let gone = self.state.borrow_mut().take_segments_before(start);
        self.remove_segments(gone).await;
        match no_room {
            None => Ok(self.log_start_offset()),
            Some(error) => Err(error.into()),
        }
    }
}

impl State {
    /// The log start offset of a log that is being opened. Segments before it go with the next step forward.
    pub(super) fn begin_at(&mut self, log_start: Offset) {
        let own = self.epochs.start().unwrap_or(Offset::ZERO);
        let start = log_start.min(own).min(self.log_end_offset);
        self.log_start_offset = self.log_start_offset.max(start);
        self.kept_start = self.log_start_offset;
    }

    /// Makes `start` the log start offset if it lies before it; whether it did.
    pub(super) fn move_start(&mut self, start: Offset) -> bool {
        if start <= self.log_start_offset {
            return false;
        }
        self.log_start_offset = start;
        self.epochs.begin_at(start);
        true
    }
}
