//! The checkpoint of written positions, shared by all cores: written now and then, removed at once when a log fails.
//!
//! Why it may be believed stands in `written_checkpoint`. Here it is kept so that it may: a log that has failed is in no
//! checkpoint that was begun before or after. All of it is blocking, for threads that may sleep.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::recovered::Written;
use super::written_checkpoint::{self, WRITTEN_POSITIONS, WrittenMark, WrittenMarks};
use crate::io::lifetime::Era;
use crate::io::{changes, durable_write};

/// Positions by topic and partition, as the cores tell them.
pub type WrittenPositions = Vec<((String, i32), Written)>;

/// Who writes the checkpoints and removes them.
#[derive(Debug, Default)]
pub struct WrittenCheckpoint {
    /// How often a log has failed. Held while the file changes.
    failures: Mutex<u64>,
}

impl WrittenCheckpoint {
    /// To be asked before the cores are asked for their positions.
    pub fn begin(&self) -> u64 {
        *self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the positions that were gathered since [`WrittenCheckpoint::begin`] returned `begun`; nothing, if a log has failed
    /// since, or the system does not tell which boot this is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, dir: &Path, positions: WrittenPositions, begun: u64) -> io::Result<()> {
        let Some(era) = Era::of(dir) else {
            return Ok(());
        };
        let marks: WrittenMarks = positions.into_iter().filter_map(mark).collect();
        let text = written_checkpoint::render(&era, &marks);
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if *failures != begun {
            return Ok(());
        }
        durable_write::durable_write(&dir.join(WRITTEN_POSITIONS), text.as_bytes())
    }

    /// A log has failed: what was written may not be what is read.
    pub fn spoil(&self, dir: &Path) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures += 1;
        let path = dir.join(WRITTEN_POSITIONS);
        match changes::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => log::error!(
                "{}: {error}; remove it before the broker is started again",
                path.display()
            ),
            _ => {}
        }
    }

    /// What the last run left, if it counts after a stop that was not clean. It counts once: the file is gone on return.
    pub fn take(dir: &Path, clean: bool) -> WrittenMarks {
        let path = dir.join(WRITTEN_POSITIONS);
        let text = fs::read_to_string(&path);
        let removed = match changes::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return WrittenMarks::new(),
            removed => removed,
        };
        if clean {
            return WrittenMarks::new();
        }
        let marks = text
            .and_then(|text| removed.map(|()| text))
            .map_err(|error| error.to_string())
            .and_then(|text| {
                let era = Era::of(dir).ok_or("the system does not tell which boot this is")?;
                written_checkpoint::parse(&text, &era)
            });
        marks.unwrap_or_else(|reason| {
            log::info!(
                "{}: {reason}: logs are checked from their recovery points on",
                path.display()
            );
            WrittenMarks::new()
        })
    }
}

/// None for a file that cannot be told from another.
fn mark((key, written): ((String, i32), Written)) -> Option<((String, i32), WrittenMark)> {
    let mark = WrittenMark {
        segment: written.segment,
        position: written.position,
        next_offset: written.next_offset,
        file: written.file.identity().ok()?,
    };
    Some((key, mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::SegmentFile;
    use crate::types::Offset;
    use std::fs::File;

    fn positions(dir: &Path) -> WrittenPositions {
        let path = dir.join("segment");
        File::create(&path).unwrap();
        let written = Written {
            segment: Offset(3),
            position: 0,
            next_offset: Offset(3),
            file: SegmentFile::new(File::open(&path).unwrap(), path),
        };
        vec![(("t".to_owned(), 0), written)]
    }

    #[test]
    fn what_was_written_counts_once_and_not_after_a_clean_stop() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = WrittenCheckpoint::default();
        for clean in [false, true] {
            let begun = checkpoint.begin();
            checkpoint
                .write(dir.path(), positions(dir.path()), begun)
                .unwrap();
            let found = WrittenCheckpoint::take(dir.path(), clean);
            assert_eq!(found.len(), usize::from(!clean));
            assert!(WrittenCheckpoint::take(dir.path(), false).is_empty());
        }
    }

    #[test]
    fn no_checkpoint_outlives_a_failure() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = WrittenCheckpoint::default();
        let begun = checkpoint.begin();
        checkpoint
            .write(dir.path(), positions(dir.path()), begun)
            .unwrap();
        checkpoint.spoil(dir.path());
        let file = dir.path().join(WRITTEN_POSITIONS);
        assert!(!file.exists(), "the one that was there");
        checkpoint
            .write(dir.path(), positions(dir.path()), begun)
            .unwrap();
        assert!(!file.exists(), "the one that was under way");
        let begun = checkpoint.begin();
        checkpoint.write(dir.path(), Vec::new(), begun).unwrap();
        assert!(file.exists(), "the next, without the log that failed");
    }

    #[test]
    fn a_damaged_checkpoint_counts_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(WRITTEN_POSITIONS), b"0\n\xff").unwrap();
        assert!(WrittenCheckpoint::take(dir.path(), false).is_empty());
        assert!(!dir.path().join(WRITTEN_POSITIONS).exists());
    }
}
