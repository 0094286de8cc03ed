//! `vltava check`: what is wrong with a data directory that no broker runs on, and what of it can be put right.
//!
//! The directory's lock is held meanwhile. Without `repair` nothing is written, not even `.lock`. Every file is read once and
//! in order; what a partition's files mean is `log::check`'s affair, what the cluster's metadata means is the controller's: no
//! format is read here in another way than a start reads it. It must never know a running broker.
//!
//! | file | what it is for |
//! |---|---|
//! | `mod` | the order: the directory's own files, the metadata, each partition, the checkpoints against them |
//! | `top_files` | the files of the directory itself |
//! | `metadata` | from the batches of the metadata log to the topics there should be |
//! | `partitions` | each partition against what the metadata says of it |
//! | `report` | lines, progress, repairs, the end |

mod metadata;
mod partitions;
mod report;
mod top_files;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::log::check::{Finding, Listener, segment_bytes};
use crate::log::parse_partition_dir;
use crate::metadata::Image;
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::server::data_dir::{self, DataDirError};
use report::Report;
use top_files::TopFiles;

/// What to do.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// The data directory: one of `log.dirs`.
    pub dir: PathBuf,
    /// Put right what can be.
    pub repair: bool,
    /// Look into batches too, at each record.
    pub records: bool,
}

/// Why a directory cannot be checked.
#[derive(Debug, Error)]
pub enum CheckError {
    /// There is none, or it cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no broker's.
    #[error(
        "{0} is no data directory: it has neither meta.properties nor a partition's folder; name one directory of log.dirs"
    )]
    NoDataDir(PathBuf),
    /// A broker has it.
    #[error(
        "{0} belongs to a running broker (it holds {0}/.lock), and its files change all the time: stop the broker first"
    )]
    Running(PathBuf),
    /// Its lock cannot be looked at.
    #[error(transparent)]
    Lock(DataDirError),
    /// Our own output.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Checks a data directory; whether nothing is wrong with it, or nothing any more.
///
/// # Errors
/// See [`CheckError`].
pub fn check(options: &CheckOptions, out: &mut dyn Write) -> Result<bool, CheckError> {
    let entries = list(&options.dir)?;
    let _lock = data_dir::hold(&options.dir).map_err(|error| match error {
        DataDirError::Locked(path) => CheckError::Running(path),
        other => CheckError::Lock(other),
    })?;
    let folders = partition_folders(&entries);
    if folders.is_empty() && !options.dir.join(data_dir::META_PROPERTIES).exists() {
        return Err(CheckError::NoDataDir(options.dir.clone()));
    }
    let bytes = folders.iter().map(|folder| segment_bytes(folder)).sum();
    let mut report = Report::new(out, bytes, options.repair);
    let top = TopFiles::look(&options.dir, &entries, &mut report);
    let image = look_at_metadata(options, &folders, &top, &mut report);
    let ends = partitions::look(options, &folders, &top, image.as_ref(), &mut report);
    top.compare(&ends, &mut report);
    report.finish(&options.dir)
}

/// The paths in the directory, sorted.
fn list(dir: &Path) -> Result<Vec<PathBuf>, CheckError> {
    let failed = |source| CheckError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The folders that are partitions' by their names.
fn partition_folders(entries: &[PathBuf]) -> Vec<PathBuf> {
    let is_partition = |path: &&PathBuf| partition_of(path).is_some() && path.is_dir();
    entries.iter().filter(is_partition).cloned().collect()
}

/// The topic and partition a folder is named after.
fn partition_of(folder: &Path) -> Option<(&str, i32)> {
    parse_partition_dir(folder.file_name()?.to_str()?)
}

/// What the metadata log amounts to, if it can be read to its end.
fn look_at_metadata(
    options: &CheckOptions,
    folders: &[PathBuf],
    top: &TopFiles,
    report: &mut Report<'_>,
) -> Option<Image> {
    let folder = folders
        .iter()
        .find(|folder| partition_of(folder) == Some((CLUSTER_METADATA_TOPIC, 0)));
    if let Some(folder) = folder {
        return metadata::look(folder, top, report);
    }
    let path = options.dir.join(format!("{CLUSTER_METADATA_TOPIC}-0"));
    if folders.is_empty() {
        return None;
    }
    if top.names_metadata() {
        let then =
            "a start refuses partitions without their metadata: restore the folder from a copy";
        report.wrong(Finding::new(&path, "is missing", then));
    } else {
        report.note(&format!(
            "{}: is missing; of several log.dirs only the first has it. Partitions are not compared with the topics there should be",
            path.display()
        ));
    }
    None
}
