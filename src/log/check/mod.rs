//! Looking at a partition's directory without changing it: what is in it, and what is wrong with that.
//!
//! The parts are those that opening a log uses: `walker` for batches, and the parsers of the small files. What the broker
//! trusts after a clean stop is looked at here byte for byte. Everything is read once and in order; memory is bounded by the
//! largest batch. It must never know other partitions, or who prints what it finds.
//!
//! Plain blocking reads, for a thread that may sleep.
//!
//! | file | what it looks at |
//! |---|---|
//! | `directory` | names: what belongs here, what a stop has left, what is foreign |
//! | `side_files` | the topic's id, leader epochs, producers, aborted transactions |
//! | `segment`, `damage` | batches, one after the other; what it means where they end |
//! | `index_entries` | the entries of both indexes, beside the batches they point at |
//! | `repair` | what may be put right, and nothing else |

mod damage;
mod directory;
mod index_entries;
mod repair;
mod segment;
mod side_files;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::LogError;
use super::leader_epochs::LeaderEpochs;
use super::producer_state::ProducerStates;
use crate::types::{Offset, TopicId};

pub use repair::{Repair, repair};

/// Something that is not as it should be.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The file or folder.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub position: Option<u64>,
    /// The offset of the record at that place, or the first one that is concerned.
    pub offset: Option<Offset>,
    /// What is wrong.
    pub what: String,
    /// What a start makes of it, and what to do.
    pub then: String,
    /// It is as it should be after some stops, and goes by itself: only to be known.
    pub harmless: bool,
    /// What would put it right without losing anything, if anything would.
    pub repair: Option<Repair>,
}

impl Finding {
    /// Something that is wrong with a file or folder as a whole.
    pub fn new(path: &Path, what: impl Into<String>, then: impl Into<String>) -> Finding {
        Finding {
            path: path.to_owned(),
            position: None,
            offset: None,
            what: what.into(),
            then: then.into(),
            harmless: false,
            repair: None,
        }
    }

    /// At this place.
    #[must_use]
    pub fn at(self, position: u64, offset: Offset) -> Finding {
        Finding {
            position: Some(position),
            offset: Some(offset),
            ..self
        }
    }

    /// Nothing to worry about.
    #[must_use]
    pub fn harmless(self) -> Finding {
        Finding {
            harmless: true,
            ..self
        }
    }

    /// With what puts it right.
    #[must_use]
    pub fn repaired_by(self, repair: Repair) -> Finding {
        Finding {
            repair: Some(repair),
            ..self
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(position) = self.position {
            write!(f, " at position {position}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, ", offset {offset}")?;
        }
        write!(f, ": {}; {}", self.what, self.then)
    }
}

/// Who is told.
pub trait Listener {
    /// Something is wrong.
    fn found(&mut self, finding: Finding);

    /// Something to know that is not wrong.
    fn note(&mut self, text: &str);

    /// So many more bytes of segments were looked at.
    fn passed(&mut self, bytes: u64);

    /// A batch of format v2 that is whole, in its place, and whose checksum holds.
    fn batch(&mut self, path: &Path, position: u64, batch: &[u8]);
}

/// What is known of a partition from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The topic's id in the metadata.
    pub topic_id: Option<TopicId>,
    /// Offsets may be missing: the topic is, or was, compacted.
    pub compacted: bool,
    /// The last stop was clean, so a start trusts what it finds.
    pub clean: bool,
    /// Everything below was on the disk.
    pub recovery_point: Offset,
    /// It is the cluster's metadata: a start cuts nothing but a torn end off it.
    pub metadata: bool,
    /// Whether the listener wants the bytes of batches.
    pub batches: bool,
}

/// What a directory holds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Facts {
    /// Base offset of the first segment.
    pub start: Offset,
    /// The offset after the last sound batch.
    pub end: Offset,
    /// Segment files.
    pub segments: usize,
    /// Sound batches.
    pub batches: u64,
}

/// Looks at the partition in `dir`.
///
/// # Errors
/// A file or the directory cannot be read.
pub fn check_partition(
    dir: &Path,
    expected: &Expected,
    listener: &mut dyn Listener,
) -> Result<Facts, LogError> {
    let mut check = Check {
        dir,
        expected,
        listener,
        epochs: None,
        producers: ProducerStates::default(),
        aborted: BTreeMap::new(),
    };
    let files = check.directory()?;
    check.topic_id(&files)?;
    check.leader_epochs(&files)?;
    let facts = check.segments(&files)?;
    check.snapshots(&files, facts.end)?;
    check.aborted_transactions(&files)?;
    Ok(facts)
}

/// Bytes of the segments in `dir`: what [`check_partition`] will have passed in the end.
pub fn segment_bytes(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    let is_log = |name: &std::ffi::OsStr| {
        matches!(
            super::file_names::parse(name),
            Some((_, super::file_names::FileKind::Log))
        )
    };
    entries
        .flatten()
        .filter(|entry| is_log(&entry.file_name()))
        .filter_map(|entry| std::fs::metadata(entry.path()).ok())
        .filter(std::fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        .sum()
}

/// The work on one directory.
struct Check<'a> {
    dir: &'a Path,
    expected: &'a Expected,
    listener: &'a mut dyn Listener,
    epochs: Option<LeaderEpochs>,
    /// As the batches up to here have left them.
    producers: ProducerStates,
    /// What the transaction indexes have to name: the segment's base offset, by the marker's offset and the producer.
    aborted: BTreeMap<(Offset, i64), Offset>,
}

impl Check<'_> {
    fn found(&mut self, finding: Finding) {
        self.listener.found(finding);
    }
}
