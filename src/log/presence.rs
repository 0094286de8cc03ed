//! Whether a log's files are still where they were made: somebody may remove them under the running broker.
//!
//! An open file goes on working after that, so nothing would fail until a restart finds nothing: records would be acknowledged
//! and lost. Whoever looks from time to time (it may sleep, so not on a core) tells the log here.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::check::segment_bytes;
use super::error::LogError;
use super::file_names::{self, FileKind};
use super::partition_log::PartitionLog;

impl PartitionLog {
    /// The file that records go to now; `None` before the first of a new segment is written, and once the log takes no more.
    pub fn active_file(&self) -> Option<PathBuf> {
        let state = self.state.borrow();
        if !state.takes_records() {
            return None;
        }
        let active = state.segments.iter().rev();
        let mut opened = active.filter(|segment| segment.appender().is_some());
        opened.next().map(|segment| segment.path(FileKind::Log))
    }

    /// Tells the log that its [active file](Self::active_file) is no longer there: it takes no more records. If the log has
    /// gone on to another file meanwhile, or is closed, nothing happens.
    pub fn lost_active_file(&self, path: &Path) {
        if self.active_file().as_deref() != Some(path) {
            return;
        }
        let removed = io::Error::new(
            io::ErrorKind::NotFound,
            "it was removed under the running broker; what can still be read of it is gone after a restart",
        );
        self.write_failed(LogError::storage("find", path, removed));
    }
}

/// The name of a folder in `data_dir` that is a partition's by its name and holds at least so many bytes of records; the one
/// named `except` does not count. May sleep.
pub fn a_partition_in(data_dir: &Path, except: &str, least_bytes: u64) -> Option<String> {
    let entries = fs::read_dir(data_dir).ok()?;
    let mut names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name != except && file_names::parse_partition_dir(name).is_some());
    names.find(|name| segment_bytes(&data_dir.join(name)) >= least_bytes)
}
