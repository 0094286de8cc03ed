//! The data directory: its one owner, its identity, and what the last run left behind.

use crate::config::broker::FIRST_NODE_ID;
use crate::io::record_lock::{RecordLock, try_record_lock};
use crate::io::{changes, durable_write, remover};
use crate::log::offset_checkpoint::{self, OffsetCheckpoint};
use crate::log::{WrittenCheckpoint, WrittenMarks, a_partition_in, is_no_space};
use crate::metadata::MetaProperties;
use crate::metadata::meta_properties::{MetaPropertiesError, StoredMetaProperties};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The mark of a clean stop, as Kafka has it.
pub const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
/// Held by whoever works with the directory.
pub const LOCK: &str = ".lock";
/// Whose directory it is.
pub const META_PROPERTIES: &str = "meta.properties";
/// Everything below these offsets is on the disk.
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// Everything below these offsets is committed.
pub const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
/// The first offsets that can be read, where they are above the first segment's.
pub const LOG_STARTS: &str = offset_checkpoint::LOG_STARTS;

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// Another broker has it.
    #[error(
        "{0} belongs to a running broker (it holds {0}/.lock): stop that one, or choose another directory with --data-dir or `log.dirs`"
    )]
    Locked(PathBuf),
    /// Something in it cannot be made, read or written.
    #[error("cannot {what} {path}: {source}; the broker needs to own this directory")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The metadata log cannot be used.
    #[error("the metadata log belongs in {path}: {reason}")]
    NoMetadata {
        /// Its directory.
        path: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// Two directories of one configuration have different owners.
    #[error(
        "{first} and {second} belong to different nodes or clusters (see their meta.properties): name in `log.dirs` only those of one"
    )]
    OfTwoNodes {
        /// One.
        first: PathBuf,
        /// And another.
        second: PathBuf,
    },
    /// Two directories have the same id.
    #[error(
        "{first} and {second} have the same directory.id in meta.properties: one is a copy of the other; name only one in `log.dirs`"
    )]
    SameId {
        /// One.
        first: PathBuf,
        /// And another.
        second: PathBuf,
    },
    /// A partition's log is in two directories.
    #[error(
        "the log of {name} is in {first} and in {second}: nobody can know which one counts; move one of them away"
    )]
    Twice {
        /// The partition.
        name: String,
        /// One directory.
        first: PathBuf,
        /// And another.
        second: PathBuf,
    },
    /// Nothing says whose it is, and it is not new.
    #[error(
        "{path} is missing, but there are partitions with records, {partition} for one: restore it, or write it with `kafka-storage \
         format --ignore-formatted` and the id of the cluster"
    )]
    Unnamed {
        /// The file.
        path: PathBuf,
        /// A partition.
        partition: String,
    },
    /// It belongs to another node or cluster.
    #[error("{path}: {source}")]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: MetaPropertiesError,
    },
}

impl DataDirError {
    /// Whether there was no room: what failed can be done when there is.
    pub fn is_no_space(&self) -> bool {
        matches!(self, DataDirError::Io { source, .. } if is_no_space(source))
    }
}

/// A data directory that this process owns until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Who this node is.
    pub identity: MetaProperties,
    /// The identity is not written down yet, or not all of it.
    identity_is_new: bool,
    had_identity: bool,
    _lock: File,
}

/// Holds the lock of a directory, so that no broker starts on it, for as long as the value lives; makes nothing. `None` where
/// there is no `.lock`: no broker has ever run there.
///
/// # Errors
/// [`DataDirError::Locked`] while a broker runs; a lock that cannot be opened.
pub fn hold(path: &Path) -> Result<Option<File>, DataDirError> {
    let lock_path = path.join(LOCK);
    let lock = match File::open(&lock_path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("read", &lock_path)(source)),
    };
    take(&lock, RecordLock::Shared, path)?;
    Ok(Some(lock))
}

/// Locks `.lock` against brokers of both kinds.
fn take(lock: &File, kind: RecordLock, path: &Path) -> Result<(), DataDirError> {
    let cannot = |source| failed("lock", &path.join(LOCK))(source);
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(DataDirError::Locked(path.to_owned())),
        Err(TryLockError::Error(source)) => return Err(cannot(source)),
    }
    match try_record_lock(lock, kind).map_err(cannot)? {
        true => Ok(()),
        false => Err(DataDirError::Locked(path.to_owned())),
    }
}

/// What the last run left.
#[derive(Debug)]
pub struct LastRun {
    /// It wrote its clean-shutdown mark.
    pub clean: bool,
    /// From where logs must be checked if it did not.
    pub recovery_points: OffsetCheckpoint,
    /// Where logs began, if not at 0.
    pub log_starts: OffsetCheckpoint,
    /// Up to where logs were compacted.
    pub compacted: OffsetCheckpoint,
    /// Up to where logs were written, if the machine has run on since.
    pub written: WrittenMarks,
}

impl DataDir {
    /// Makes the directory if it is not there, locks it, and checks its identity. Nothing but the directory and its `.lock` is
    /// made; everything else waits for [`take_over`](Self::take_over).
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open(path: &Path, node_id: Option<i32>) -> Result<DataDir, DataDirError> {
        changes::create_dir_all_durably(path).map_err(failed("make the directory", path))?;
        let lock_path = path.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(failed("write", &lock_path))?;
        take(&lock, RecordLock::Exclusive, path)?;
        let (identity, identity_is_new) = identity(path, node_id)?;
        Ok(DataDir {
            path: path.to_owned(),
            identity,
            identity_is_new,
            had_identity: path.join(META_PROPERTIES).exists(),
            _lock: lock,
        })
    }

    /// Whether it had an owner before.
    pub fn had_identity(&self) -> bool {
        self.had_identity
    }

    /// Whether it is `owner`'s: it was before, or becomes so because it is new.
    pub fn belongs_to(&mut self, owner: &MetaProperties) -> bool {
        if !self.had_identity {
            self.identity.cluster_id.clone_from(&owner.cluster_id);
            self.identity.node_id = owner.node_id;
        }
        self.identity.cluster_id == owner.cluster_id && self.identity.node_id == owner.node_id
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the last broker on it stopped in order.
    pub fn was_left_clean(&self) -> bool {
        self.path.join(CLEAN_SHUTDOWN).exists()
    }

    /// Takes the directory over: writes down whose it is, reads what the last run left, and takes its clean-shutdown mark away.
    /// From here on a crash is a crash.
    ///
    /// # Errors
    /// When the identity cannot be written or the mark not be removed. A checkpoint that cannot be believed is reported and ignored: the logs are then checked whole.
    pub fn take_over(&self) -> Result<LastRun, DataDirError> {
        if self.identity_is_new {
            let path = self.path.join(META_PROPERTIES);
            write_whole(&path, self.identity.to_text().as_bytes())?;
        }
        let mark = self.path.join(CLEAN_SHUTDOWN);
        let clean = self.was_left_clean();
        if clean {
            changes::remove_file(&mark).map_err(failed("remove", &mark))?;
            sync_dir(&self.path)?;
        }
        let lost = "logs are checked whole";
        let recovery_points = self.read_checkpoint(RECOVERY_POINTS, lost)?;
        let lost = "logs begin with their first segment";
        let log_starts = self.read_checkpoint(LOG_STARTS, lost)?;
        let lost = "logs are compacted from their start";
        let compacted = self.read_checkpoint(offset_checkpoint::COMPACTED, lost)?;
        Ok(LastRun {
            clean,
            recovery_points,
            log_starts,
            compacted,
            written: WrittenCheckpoint::take(&self.path, clean),
        })
    }

    /// Reads a checkpoint; one that is not there is empty.
    fn read_checkpoint(&self, name: &str, lost: &str) -> Result<OffsetCheckpoint, DataDirError> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(OffsetCheckpoint::new()),
            Err(source) => Err(failed("read", &path)(source)),
            Ok(text) => Ok(offset_checkpoint::parse(&String::from_utf8_lossy(&text))
                .unwrap_or_else(|error| {
                    log::warn!("{}: {error}; {lost}", path.display());
                    OffsetCheckpoint::new()
                })),
        }
    }

    /// Has removed, beside everything else, what a deletion before the last stop left behind (`*-delete`): nobody waits for
    /// it, and no name of it is used again.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn remove_deleted(&self) -> Result<(), DataDirError> {
        let list = fs::read_dir(&self.path).map_err(failed("list", &self.path))?;
        for entry in list.flatten() {
            if entry.file_name().to_string_lossy().ends_with("-delete") {
                remover::remove_dir_later(entry.path());
            }
        }
        Ok(())
    }
}

/// Writes a checkpoint, whole or not at all. May sleep.
///
/// # Errors
/// When the file cannot be written.
pub fn write_checkpoint(
    dir: &Path,
    name: &str,
    offsets: &OffsetCheckpoint,
) -> Result<(), DataDirError> {
    let text = offset_checkpoint::render(offsets);
    write_whole(&dir.join(name), text.as_bytes())
}

/// Writes the mark of a clean stop: the last thing a broker does. By the epoch a controller knows the registration that has ended
/// in order. May sleep.
///
/// # Errors
/// When the file cannot be written.
pub fn mark_clean(dir: &Path, broker_epoch: i64) -> Result<(), DataDirError> {
    let mark = format!(r#"{{"version":0,"brokerEpoch":{broker_epoch}}}"#);
    write_whole(&dir.join(CLEAN_SHUTDOWN), mark.as_bytes())
}

/// Whose the directory is, and whether that is new.
fn identity(dir: &Path, node_id: Option<i32>) -> Result<(MetaProperties, bool), DataDirError> {
    let path = dir.join(META_PROPERTIES);
    let wrong = |source| DataDirError::Identity {
        path: path.clone(),
        source,
    };
    match fs::read(&path) {
        Ok(text) => StoredMetaProperties::parse(&String::from_utf8_lossy(&text))
            .and_then(|stored| stored.claim(node_id, FIRST_NODE_ID))
            .map_err(wrong),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(partition) = a_partition_in(dir, "", 1) {
                return Err(DataDirError::Unnamed { path, partition });
            }
            let node_id = node_id.unwrap_or(FIRST_NODE_ID);
            Ok((MetaProperties::new_cluster(node_id), true))
        }
        Err(source) => Err(failed("read", &path)(source)),
    }
}

/// Temporary file, fdatasync, rename, fsync of the directory: old or new, never half.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DataDirError> {
    durable_write::durable_write(path, bytes).map_err(failed("write", path))
}

fn sync_dir(path: &Path) -> Result<(), DataDirError> {
    changes::sync_dir(path).map_err(failed("sync", path))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    let path = path.to_owned();
    move |source| DataDirError::Io { what, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_who_is_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path(), Some(1)).unwrap();
        assert!(matches!(
            DataDir::open(dir.path(), Some(1)),
            Err(DataDirError::Locked(_))
        ));
        drop(first);
        DataDir::open(dir.path(), Some(1)).unwrap();
    }

    #[test]
    fn a_directory_of_another_node_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path(), Some(1)).unwrap();
        data.take_over().unwrap();
        drop(data);
        let before = fs::read(dir.path().join(META_PROPERTIES)).unwrap();
        assert!(matches!(
            DataDir::open(dir.path(), Some(2)),
            Err(DataDirError::Identity { .. })
        ));
        assert_eq!(fs::read(dir.path().join(META_PROPERTIES)).unwrap(), before);
    }

    #[test]
    fn records_that_nobodys_name_is_on_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("t-0")).unwrap();
        let segment = dir.path().join("t-0/00000000000000000000.log");
        fs::write(&segment, "").unwrap();
        drop(DataDir::open(dir.path(), Some(1)).unwrap());
        fs::write(&segment, "records").unwrap();
        let refused = DataDir::open(dir.path(), Some(1)).unwrap_err().to_string();
        assert!(refused.contains("t-0"), "{refused}");
    }

    #[test]
    fn what_a_deletion_left_goes_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let left = dir
            .path()
            .join("t-0.0123456789abcdef0123456789abcdef-delete");
        let data = DataDir::open(dir.path(), Some(1)).unwrap();
        for folder in [&left, &dir.path().join("t-0")] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("00000000000000000000.log"), "records").unwrap();
        }
        data.remove_deleted().unwrap();
        while left.exists() {
            std::thread::yield_now();
        }
        assert!(dir.path().join("t-0/00000000000000000000.log").exists());
    }

    #[test]
    fn the_mark_of_a_clean_stop_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path(), Some(1)).unwrap();
        assert!(!data.take_over().unwrap().clean);
        mark_clean(dir.path(), 3).unwrap();
        assert!(data.take_over().unwrap().clean);
        assert!(!data.take_over().unwrap().clean);
    }
}
