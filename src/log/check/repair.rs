//! What may be put right offline: only what loses no record that could still be read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::io::changes::{self, ChangeFile};
use crate::log::cleaner;
use crate::log::config::LogConfig;
use crate::log::error::LogError;
use crate::log::file_names::{self, DAMAGED_ENDING, FileKind, with_ending};
use crate::log::loader::{Loader, remove};
use crate::types::{Offset, TimestampMs};

/// Something that puts a finding right; in the order in which they are done.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Repair {
    /// In this partition's directory, end what a stop interrupted, as a start does.
    Leftovers(PathBuf),
    /// Take the torn end off a segment; the bytes are kept beside it.
    CutEnd {
        /// The partition's directory.
        dir: PathBuf,
        /// The segment.
        base: Offset,
        /// Where the last whole batch ends.
        position: u64,
    },
    /// Make the index files of a segment again from its batches.
    Indexes {
        /// The partition's directory.
        dir: PathBuf,
        /// The segment.
        base: Offset,
    },
    /// Remove a file that a start does not use or makes again.
    Remove(PathBuf),
    /// Remove the folder of a deleted partition.
    RemoveFolder(PathBuf),
}

/// Does it; returns what was done, as a sentence.
///
/// # Errors
/// A file operation failed, or the segment of an index is damaged itself.
pub fn repair(repair: &Repair) -> Result<String, LogError> {
    match repair {
        Repair::Indexes { dir, base } => rebuild_indexes(dir, *base),
        Repair::Remove(path) => {
            remove(path)?;
            sync_dir(path.parent().unwrap_or(path))?;
            Ok(format!("{}: removed", path.display()))
        }
        Repair::RemoveFolder(path) => {
            fs::remove_dir_all(path).map_err(|error| LogError::storage("remove", path, error))?;
            sync_dir(path.parent().unwrap_or(path))?;
            Ok(format!("{}: removed", path.display()))
        }
        Repair::Leftovers(dir) => end_leftovers(dir),
        Repair::CutEnd {
            dir,
            base,
            position,
        } => cut_end(dir, *base, *position),
    }
}

fn rebuild_indexes(dir: &Path, base: Offset) -> Result<String, LogError> {
    let config = LogConfig::default();
    let mut loader = Loader::new(dir, &config, TimestampMs::now());
    let path = file_names::path_of(dir, base, FileKind::Log);
    let size = fs::metadata(&path)
        .map_err(|error| LogError::storage("stat", &path, error))?
        .len();
    loader.sizes.insert(base, size);
    loader
        .rebuild_index_files(base)?
        .map_err(|reason| LogError::Corrupt {
            path: path.clone(),
            reason,
        })?;
    sync_dir(dir)?;
    Ok(format!(
        "{}: its index files are made again",
        path.display()
    ))
}

fn end_leftovers(dir: &Path) -> Result<String, LogError> {
    cleaner::recover(dir)?;
    let failed = |error| LogError::storage("list", dir, error);
    let mut removed = 0;
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if file_names::is_leftover(&name) {
            remove(&entry.path())?;
            removed += 1;
        }
    }
    sync_dir(dir)?;
    Ok(format!(
        "{}: what a stop interrupted is ended, {removed} leftover files are removed",
        dir.display()
    ))
}

fn cut_end(dir: &Path, base: Offset, position: u64) -> Result<String, LogError> {
    let path = file_names::path_of(dir, base, FileKind::Log);
    let failed = |error| LogError::storage("cut", &path, error);
    let (aside, saved) = save_end(&path, position).map_err(failed)?;
    // The bytes must be safe under their new name before they lose the old one.
    sync_dir(dir)?;
    let file = ChangeFile::open(&path).map_err(failed)?;
    file.set_len(position)
        .and_then(|()| file.sync())
        .map_err(failed)?;
    for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
        remove(&file_names::path_of(dir, base, kind))?;
    }
    rebuild_indexes(dir, base)?;
    Ok(format!(
        "{}: cut at position {position}, the {saved} bytes behind it are kept in {}",
        path.display(),
        aside.display()
    ))
}

/// Copies what stands behind `position` into a file of its own.
fn save_end(path: &Path, position: u64) -> io::Result<(PathBuf, u64)> {
    let mut source = File::open(path)?;
    source.seek(SeekFrom::Start(position))?;
    let mut number = 0;
    loop {
        let aside = with_ending(path, &format!(".{number}{DAMAGED_ENDING}"));
        match OpenOptions::new().write(true).create_new(true).open(&aside) {
            Ok(mut copy) => {
                let saved = io::copy(&mut source.by_ref().take(u64::MAX), &mut copy)?;
                copy.sync_data()?;
                return Ok((aside, saved));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn sync_dir(dir: &Path) -> Result<(), LogError> {
    changes::sync_dir(dir).map_err(|error| LogError::storage("fsync", dir, error))
}
