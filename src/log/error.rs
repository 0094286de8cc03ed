//! What can go wrong in a partition's log. No Kafka error code here: `api` translates.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::types::Offset;

/// A log cannot be created, opened, written, synced or searched.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// A file operation failed. After a failed write or sync the partition is read-only until it is opened again; after
    /// a full disk it takes records again as soon as there is room.
    #[error("{operation} {path}: {source}", path = path.display())]
    Storage {
        /// What was tried, such as "write" or "fdatasync".
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's error; shared, because all who wait get it.
        source: Arc<io::Error>,
    },
    /// A file holds what it must not.
    #[error("{path}: {reason}", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the place.
        reason: String,
    },
    /// The log was closed or its partition deleted.
    #[error("the log in {path} is closed", path = path.display())]
    Closed {
        /// The partition's directory.
        path: PathBuf,
    },
}

impl LogError {
    /// Wraps the system's error of `operation` on `path`.
    pub fn storage(operation: &'static str, path: &Path, source: io::Error) -> LogError {
        LogError::Storage {
            operation,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    /// Whether the cause is that there was no room: such a partition resumes.
    pub fn is_no_space(&self) -> bool {
        matches!(self, LogError::Storage { source, .. } if is_no_space(source))
    }
}

/// Whether the system's error says that there is no room: on the disk, in a quota, or for this file (`ulimit -f`).
pub fn is_no_space(error: &io::Error) -> bool {
    let errno = error.raw_os_error();
    matches!(errno, Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG))
        || error.kind() == io::ErrorKind::WriteZero
}

/// Why a sync has not made durable what it was asked for.
#[derive(Debug)]
pub(super) enum SyncError {
    /// A sync failed: what was written may not be on the device.
    Lost(LogError),
    /// A small file that belongs with it found no room. The records are as they were, and it can be tried again.
    NoRoom(LogError),
}

impl SyncError {
    /// Of writing a small file as a whole; one that fails otherwise is as bad as a failed sync.
    pub(super) fn of_small_file(error: LogError) -> SyncError {
        match error.is_no_space() {
            true => SyncError::NoRoom(error),
            false => SyncError::Lost(error),
        }
    }
}

/// A batch is not appended.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// The log takes no records now.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The batch is larger than a whole segment may be.
    #[error("a batch of {size} bytes does not fit a segment of {segment_bytes} bytes")]
    BatchTooLarge {
        /// The batch's size in bytes.
        size: usize,
        /// `segment.bytes`.
        segment_bytes: u32,
    },
    /// An idempotent producer's batch is neither the next one nor one of its last five.
    #[error("producer {producer_id}: sequence {sequence} follows {last_sequence}")]
    OutOfOrderSequence {
        /// The producer.
        producer_id: i64,
        /// The first sequence number of the batch.
        sequence: i32,
        /// The last sequence number the log holds of that producer; -1 when its epoch is new.
        last_sequence: i32,
    },
    /// The producer has been replaced by a newer instance of itself.
    #[error("producer {producer_id}: epoch {epoch} is older than {current_epoch}")]
    InvalidProducerEpoch {
        /// The producer.
        producer_id: i64,
        /// The epoch of the batch.
        epoch: i16,
        /// The newest epoch the log holds.
        current_epoch: i16,
    },
    /// A batch outside of any transaction comes while the producer has one open.
    #[error(
        "producer {producer_id}: its transaction from offset {first_offset} on is open, and the batch is not part of it"
    )]
    InvalidTransactionState {
        /// The producer.
        producer_id: i64,
        /// Where its transaction began.
        first_offset: Offset,
    },
    /// The marker's coordinator has been replaced by another.
    #[error("producer {producer_id}: coordinator epoch {epoch} is older than {current_epoch}")]
    CoordinatorFenced {
        /// The producer.
        producer_id: i64,
        /// The epoch in the marker.
        epoch: i32,
        /// The newest that the log holds.
        current_epoch: i32,
    },
    /// No offset is left to give.
    #[error("the log end offset {log_end_offset} leaves no room for the batch")]
    OffsetsExhausted {
        /// The log end offset.
        log_end_offset: Offset,
    },
}

/// An offset cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    /// The log does not hold the offset and will not with the next append either.
    #[error("the log holds offsets {start} to {end}")]
    OutOfRange {
        /// The log start offset.
        start: Offset,
        /// The log end offset.
        end: Offset,
    },
    /// The partition was closed or deleted.
    #[error("the log is closed")]
    Closed,
}
