//! Looking at a data directory before anything in it is changed: may this broker go on with it?
//!
//! Reads the metadata log and its snapshots whole, and nothing of the partitions' logs. Runs on the main thread before there is any
//! core, and writes nothing. What it has read of the metadata is handed on, so that nobody reads it twice.

mod metadata_log;

use super::data_dirs::DataDirs;
use crate::log::LogError;
use crate::log::partition_dir_name;
use crate::metadata::ApplyError;
use crate::metadata::takeover::{self, Successor};
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
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

/// Reads what the directories hold.
///
/// # Errors
/// See [`SurveyError`]. Nothing has been changed.
pub fn survey(dirs: &DataDirs) -> Result<Inherited, SurveyError> {
    let dir = dirs.metadata().path();
    let owner = &dirs.identity;
    let metadata_dir = dir.join(partition_dir_name(CLUSTER_METADATA_TOPIC, 0));
    if !metadata_dir.is_dir() {
        let with_logs = dirs.usable().find_map(|dir| {
            let example = any_partition(dir.path())?;
            Some((dir.path().to_owned(), example))
        });
        return match with_logs {
            Some((dir, example)) => Err(SurveyError::NoMetadata { dir, example }),
            None => Ok(Inherited::default()),
        };
    }
    let read = metadata_log::read(dir, &metadata_dir)?;
    let successor = Successor {
        node_id: owner.node_id,
        directories: dirs.ids(),
    };
    let judged = read.judged();
    let in_the_way = takeover::obstacles(&judged, &read.quorum, &successor);
    let obstacles: Vec<String> = in_the_way.iter().map(ToString::to_string).collect();
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
