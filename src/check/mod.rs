//! `vltava check`: what is wrong with the data directories of a broker that does not run, and what of it can be put right.
//!
//! The directories' locks are held meanwhile. Without `repair` nothing is written, not even `.lock`. Every file is read once and
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

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::log::check::{Finding, Listener, segment_bytes};
use crate::log::parse_partition_dir;
use crate::metadata::Image;
use crate::metadata::meta_properties::StoredMetaProperties;
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::server::data_dir::{self, DataDirError};
use report::Report;
use top_files::TopFiles;

/// What to do.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// The data directories: some or all of `log.dirs`.
    pub dirs: Vec<PathBuf>,
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
    /// Directories of two brokers.
    #[error("{0} and {1} belong to different brokers: check them one after the other")]
    Unlike(PathBuf, PathBuf),
    /// Our own output.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// A data directory, locked.
struct Place {
    dir: PathBuf,
    entries: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    _lock: Option<File>,
}

/// Checks data directories of one broker; whether nothing is wrong with them, or nothing any more.
///
/// # Errors
/// See [`CheckError`].
pub fn check(options: &CheckOptions, out: &mut dyn Write) -> Result<bool, CheckError> {
    let places = take(&options.dirs)?;
    let folders = places.iter().flat_map(|place| &place.folders);
    let bytes = folders.map(|folder| segment_bytes(folder)).sum();
    let mut report = Report::new(out, bytes, options.repair);
    let look = |place: &Place| TopFiles::look(&place.dir, &place.entries, &mut report);
    let tops: Vec<TopFiles> = places.iter().map(look).collect();
    let image = look_at_metadata(&places, &tops, &mut report);
    let image = image.as_ref();
    partitions::tell_doubles(&places, &mut report);
    let mut ends = Vec::with_capacity(places.len());
    for (place, top) in places.iter().zip(&tops) {
        let folders = &place.folders;
        ends.push(partitions::look(options, folders, top, image, &mut report));
    }
    if let Some(image) = image {
        partitions::missing(image, &places, &tops, &mut report);
    }
    for (top, ends) in tops.iter().zip(&ends) {
        top.compare(ends, &mut report);
    }
    let dirs: Vec<_> = places
        .iter()
        .map(|place| place.dir.display().to_string())
        .collect();
    report.finish(&dirs.join(", "))
}

/// Locks and lists the directories, each once, however often it is named.
fn take(dirs: &[PathBuf]) -> Result<Vec<Place>, CheckError> {
    let mut places: Vec<Place> = Vec::new();
    for dir in dirs {
        let same = |place: &Place| fs::canonicalize(&place.dir).ok() == fs::canonicalize(dir).ok();
        if !places.iter().any(same) {
            places.push(Place::take(dir)?);
        }
    }
    let owned = places
        .iter()
        .filter_map(|place| Some((place, place.owner()?)));
    let owned: Vec<_> = owned.collect();
    match owned.windows(2).find(|pair| pair[0].1 != pair[1].1) {
        Some(pair) => Err(CheckError::Unlike(
            pair[0].0.dir.clone(),
            pair[1].0.dir.clone(),
        )),
        None => Ok(places),
    }
}

impl Place {
    fn take(dir: &Path) -> Result<Place, CheckError> {
        let entries = list(dir)?;
        let lock = data_dir::hold(dir).map_err(|error| match error {
            DataDirError::Locked(path) => CheckError::Running(path),
            other => CheckError::Lock(other),
        })?;
        let folders = partition_folders(&entries);
        if folders.is_empty() && !dir.join(data_dir::META_PROPERTIES).exists() {
            return Err(CheckError::NoDataDir(dir.to_owned()));
        }
        Ok(Place {
            dir: dir.to_owned(),
            entries,
            folders,
            _lock: lock,
        })
    }

    /// Cluster and node, if the directory says both.
    fn owner(&self) -> Option<(String, i32)> {
        let content = fs::read(self.dir.join(data_dir::META_PROPERTIES)).ok()?;
        let stored = StoredMetaProperties::parse(&String::from_utf8_lossy(&content)).ok()?;
        Some((stored.cluster_id?, stored.node_id?))
    }
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

/// What the metadata log amounts to, if it is in one of the directories and can be read to its end.
fn look_at_metadata(places: &[Place], tops: &[TopFiles], report: &mut Report<'_>) -> Option<Image> {
    for (place, top) in places.iter().zip(tops) {
        let mut folders = place.folders.iter();
        let is_metadata =
            |folder: &&PathBuf| partition_of(folder) == Some((CLUSTER_METADATA_TOPIC, 0));
        if let Some(folder) = folders.find(is_metadata) {
            return metadata::look(folder, top, report);
        }
    }
    if places.iter().all(|place| place.folders.is_empty()) {
        return None;
    }
    let name = format!("{CLUSTER_METADATA_TOPIC}-0");
    let mut both = places.iter().zip(tops);
    if let Some((place, _)) =
        both.find(|(place, top)| !place.folders.is_empty() && top.names_metadata())
    {
        let then =
            "a start refuses partitions without their metadata: restore the folder from a copy";
        report.wrong(Finding::new(&place.dir.join(name), "is missing", then));
    } else {
        report.note(&format!(
            "{}: is missing; of several log.dirs only the first has it. Partitions are not compared with the topics there should be",
            places[0].dir.join(name).display()
        ));
    }
    None
}
