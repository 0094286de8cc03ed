//! Looking at a data directory before anything in it is changed: may this broker go on with it?
//!
//! Reads the metadata log and its snapshots whole, and of the partitions' logs only what transactions have left there. Runs on the
//! main thread before there is any core, and writes nothing. What it has read of the metadata is handed on, so that nobody reads it twice.

mod metadata_log;
mod transactions;

use crate::log::LogError;
use crate::log::partition_dir_name;
use crate::metadata::takeover::{self, Successor};
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::metadata::{ApplyError, MetaProperties};
use crate::shard::Inherited;
use crate::types::Offset;
use crate::wire::WireError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the directory is left as it is.
#[derive(Debug, Error)]
pub enum SurveyError {
    /// It holds what this broker cannot go on with.
    #[error("{} cannot be taken over, and nothing in it was changed:{}", dir.display(), lines(obstacles))]
    Obstacles {
        /// The data directory.
        dir: PathBuf,
        /// What is in the way, a sentence each.
        obstacles: Vec<String>,
    },
    /// Partitions without metadata.
    #[error(
        "{} has partitions ({example} and others) but no metadata log ({CLUSTER_METADATA_TOPIC}-0): the metadata lies in another directory or on another node. Start this broker on a node that was broker and controller in one, with metadata.log.dir unset"
        , dir.display()
    )]
    NoMetadata {
        /// The data directory.
        dir: PathBuf,
        /// A partition's directory in it.
        example: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A record of the metadata.
    #[error("{}: at offset {offset}: {source}; was this directory written by a newer version?", path.display())]
    Record {
        /// The file or directory.
        path: PathBuf,
        /// Where.
        offset: Offset,
        /// What is wrong.
        source: WireError,
    },
    /// The records contradict each other.
    #[error("{}: {source}", path.display())]
    Apply {
        /// The file or directory.
        path: PathBuf,
        /// How.
        source: ApplyError,
    },
    /// Something else in a file of the metadata.
    #[error("{}: {problem}", path.display())]
    Metadata {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
}

fn lines(obstacles: &[String]) -> String {
    obstacles
        .iter()
        .map(|obstacle| format!("\n  - {obstacle}"))
        .collect()
}

/// Reads what the directory `dir` of `owner` holds; `clean` is whether the last broker on it stopped in order.
///
/// # Errors
/// See [`SurveyError`]. Nothing has been changed.
pub fn survey(dir: &Path, owner: &MetaProperties, clean: bool) -> Result<Inherited, SurveyError> {
    let metadata_dir = dir.join(partition_dir_name(CLUSTER_METADATA_TOPIC, 0));
    if !metadata_dir.is_dir() {
        if let Some(example) = any_partition(dir) {
            let dir = dir.to_owned();
            return Err(SurveyError::NoMetadata { dir, example });
        }
        return Ok(Inherited::default());
    }
    let read = metadata_log::read(dir, &metadata_dir)?;
    let successor = Successor {
        node_id: owner.node_id,
        directory_id: owner.directory_id,
    };
    let judged = read.judged();
    let found = takeover::obstacles(&judged, &read.quorum, successor);
    let mut obstacles: Vec<String> = found.iter().map(ToString::to_string).collect();
    obstacles.extend(transactions::obstacles(dir, &judged, clean)?);
    if !obstacles.is_empty() {
        let dir = dir.to_owned();
        return Err(SurveyError::Obstacles { dir, obstacles });
    }
    let (epoch, begins) = read.quorum.next_epoch();
    Ok(Inherited {
        image: read.image,
        bootstrap: read.bootstrap,
        epoch,
        begins,
    })
}

/// The name of a directory that holds a partition's log.
fn any_partition(dir: &Path) -> Option<String> {
    let entries = std::fs::read_dir(dir).ok()?;
    let mut names = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (_, partition) = name.rsplit_once('-')?;
        let _: u32 = partition.parse().ok()?;
        let has_log = crate::log::survey::first_offset(&entry.path())
            .ok()?
            .is_some();
        has_log.then_some(name)
    });
    names.next()
}
