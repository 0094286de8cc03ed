//! `cleaner-offset-checkpoint` of one data directory: up to where its logs are compacted. Shared by all cores.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Partition;
use crate::io::durable_write;
use crate::log::offset_checkpoint::{self, OffsetCheckpoint};
use crate::types::Offset;

/// What the file is to say, and what it says.
#[derive(Debug)]
pub(super) struct Compacted {
    path: PathBuf,
    /// Held for moments only, so that a core may take it.
    offsets: Mutex<OffsetCheckpoint>,
    /// One writes the file at a time, on a thread that may sleep.
    written: Mutex<String>,
}

impl Compacted {
    /// The file in `dir`, of which `offsets` were read.
    pub(super) fn new(dir: &Path, offsets: OffsetCheckpoint) -> Compacted {
        Compacted {
            path: dir.join(offset_checkpoint::COMPACTED),
            written: Mutex::new(offset_checkpoint::render(&offsets)),
            offsets: Mutex::new(offsets),
        }
    }

    /// Up to where a partition was compacted.
    pub(super) fn of(&self, partition: &Partition) -> Option<Offset> {
        let key = (partition.topic.to_string(), partition.index);
        self.lock().get(&key).copied()
    }

    pub(super) fn note(&self, partition: &Partition, compacted: Offset) {
        let key = (partition.topic.to_string(), partition.index);
        self.lock().insert(key, compacted);
    }

    /// The partition is gone: another of its name begins anew.
    pub(super) fn forget(&self, topic: &str, partition: i32) {
        self.lock().remove(&(topic.to_owned(), partition));
    }

    /// Writes the file, if it is not as it should be; may sleep. A failure is logged: the worst it does is that logs are
    /// compacted again.
    pub(super) fn write_down(&self) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let text = offset_checkpoint::render(&self.lock());
        if *written == text {
            return;
        }
        match durable_write::durable_write(&self.path, text.as_bytes()) {
            Ok(()) => *written = text,
            Err(error) => log::error!(
                "{}: {error}; after a restart more is compacted than need be",
                self.path.display()
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, OffsetCheckpoint> {
        self.offsets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkpoint_is_kafkas_and_forgets_what_was_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let compacted = Compacted::new(dir.path(), OffsetCheckpoint::new());
        for (topic, offset) in [("a", 7), ("b", 9)] {
            let key = (topic.to_owned(), 0);
            compacted.lock().insert(key, Offset(offset));
        }
        compacted.write_down();
        let text =
            || std::fs::read_to_string(dir.path().join("cleaner-offset-checkpoint")).unwrap();
        assert_eq!(text(), "0\n2\na 0 7\nb 0 9\n");
        compacted.forget("a", 0);
        compacted.write_down();
        assert_eq!(text(), "0\n1\nb 0 9\n");
    }
}
