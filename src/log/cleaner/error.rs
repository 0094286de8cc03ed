//! Why a run of compaction ended early.

use std::io;
use std::path::PathBuf;

use crate::log::error::LogError;

/// A log was not compacted, or not to its end. It is as readable as before.
#[derive(Debug, thiserror::Error)]
pub enum CleanError {
    /// The log is being closed or deleted, or takes no records any more.
    #[error("the log is being closed")]
    Stopped,
    /// Segments went while they were read: their records were deleted.
    #[error("its segments changed meanwhile")]
    Changed,
    /// Not one key has room.
    #[error(
        "{bytes} bytes hold no key: raise log.cleaner.dedupe.buffer.size, or lower log.cleaner.threads"
    )]
    MapTooSmall {
        /// What one thread has for keys.
        bytes: usize,
    },
    /// The log holds what this broker does not rewrite.
    #[error("{path}: messages of formats 0 and 1 are not compacted")]
    OldFormat {
        /// The segment.
        path: PathBuf,
    },
    /// No thread can be had.
    #[error("no thread for it: {0}")]
    Thread(io::Error),
    /// The thread met a mistake of its own.
    #[error("its thread panicked; what it said stands on standard error")]
    Panicked,
    /// A file cannot be read or written, or is damaged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The new segment is in use, but its files have not got their names. The next start ends it.
    #[error("{0}; the next start of the broker gives the compacted files their names")]
    Unfinished(LogError),
}

impl CleanError {
    /// Whether trying again later may help.
    pub fn is_passing(&self) -> bool {
        match self {
            CleanError::Stopped | CleanError::Changed | CleanError::Thread(_) => true,
            CleanError::Log(error) => error.is_no_space(),
            // Its own setting may change.
            CleanError::MapTooSmall { .. } => true,
            CleanError::OldFormat { .. } | CleanError::Unfinished(_) | CleanError::Panicked => {
                false
            }
        }
    }
}
