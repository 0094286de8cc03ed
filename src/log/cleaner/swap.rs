//! A compacted segment takes the place of those it was made of: names only, so that a crash at any point leaves the old ones or
//! the new one.
//!
//! Names and their order are those of Kafka (`LocalLog.replaceSegments`, `LogLoader`), so either broker ends what the other began:
//!
//! | step | names | found at a start |
//! |---|---|---|
//! | the new files are being written | `.cleaned` | removed |
//! | they are whole and synced: [`publish`] renames them, the log first | `.swap` | a `.swap` beside `.cleaned` of the same offset is not whole, and removed |
//! | [`complete`] gives the old files another name | `.deleted` | `.deleted` removed; what the `.swap` covers too |
//! | and the new ones the old name, the log first | `.log`, `.index`, ... | what is `.swap` still is renamed |
//!
//! After each step the directory is synced. Plain blocking calls, for threads that may sleep.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::io::changes;
use crate::log::error::LogError;
use crate::log::file_names::{
    self, CLEANED_ENDING, DELETED_ENDING, FileKind, SWAP_ENDING, with_ending,
};
use crate::log::walker::{Found, SegmentWalker};
use crate::types::Offset;

/// A segment's files, the one that decides first.
const KINDS: [FileKind; 4] = [
    FileKind::Log,
    FileKind::OffsetIndex,
    FileKind::TimeIndex,
    FileKind::TransactionIndex,
];

/// What a swap does to a directory; a trait so that a test can stop it anywhere.
pub(in crate::log) trait Names: Send + Sync {
    /// Renames a file.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        changes::rename(from, to)
    }

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()> {
        changes::remove_file(path)
    }

    /// Makes the names of a directory durable.
    fn sync(&self, dir: &Path) -> io::Result<()> {
        changes::sync_dir(dir)
    }
}

/// The names of the file system.
pub(in crate::log) struct RealNames;

impl Names for RealNames {}

/// The finished `.cleaned` files of a segment become `.swap`: from here on a start keeps them.
pub(super) fn publish(names: &dyn Names, dir: &Path, base: Offset) -> Result<(), LogError> {
    for kind in KINDS {
        let path = file_names::path_of(dir, base, kind);
        let (from, to) = (
            with_ending(&path, CLEANED_ENDING),
            with_ending(&path, SWAP_ENDING),
        );
        rename_if_there(names, &from, &to)?;
    }
    sync(names, dir)
}

/// Removes files that are not wanted after all; the log last, without which the others mean nothing.
pub(super) fn withdraw(
    names: &dyn Names,
    dir: &Path,
    base: Offset,
    ending: &str,
) -> Result<(), LogError> {
    for kind in KINDS.into_iter().rev() {
        let path = with_ending(&file_names::path_of(dir, base, kind), ending);
        remove_if_there(names, &path)?;
    }
    sync(names, dir)
}

/// The old segments give up their names and the `.swap` files of `old[0]` take its name; producer snapshots at `snapshots` go
/// too. Returns the files that are to be removed once readers have had their time.
pub(super) fn complete(
    names: &dyn Names,
    dir: &Path,
    old: &[Offset],
    snapshots: &[Offset],
) -> Result<Vec<PathBuf>, LogError> {
    let of_old = old
        .iter()
        .flat_map(|base| KINDS.map(|kind| file_names::path_of(dir, *base, kind)));
    let of_snapshots = snapshots
        .iter()
        .map(|offset| file_names::path_of(dir, *offset, FileKind::Snapshot));
    let mut gone = Vec::new();
    for path in of_old.chain(of_snapshots) {
        let to = with_ending(&path, DELETED_ENDING);
        if rename_if_there(names, &path, &to)? {
            gone.push(to);
        }
    }
    sync(names, dir)?;
    for kind in KINDS {
        let path = file_names::path_of(dir, old[0], kind);
        rename_if_there(names, &with_ending(&path, SWAP_ENDING), &path)?;
    }
    sync(names, dir)?;
    Ok(gone)
}

/// Ends or takes back what a stop in the middle of a swap left in `dir`.
///
/// # Errors
/// A file operation failed.
pub(in crate::log) fn recover(dir: &Path) -> Result<(), LogError> {
    recover_with(&RealNames, dir)
}

pub(in crate::log) fn recover_with(names: &dyn Names, dir: &Path) -> Result<(), LogError> {
    let found = Leftovers::list(dir)?;
    if found.cleaned.is_empty() && found.swaps.is_empty() {
        return Ok(());
    }
    let damaged = found.damaged()?;
    let first_cleaned = found.cleaned.iter().map(|(offset, _)| *offset).min();
    let is_whole = |offset: Offset| {
        first_cleaned.is_none_or(|cleaned| offset < cleaned) && !damaged.contains(&offset)
    };
    let mut swaps = BTreeSet::new();
    for (offset, path) in &found.swaps {
        if is_whole(*offset) {
            swaps.insert(path.clone());
        } else {
            log::info!("{}: not whole, removed", path.display());
            remove_if_there(names, path)?;
        }
    }
    for (_, path) in &found.cleaned {
        remove_if_there(names, path)?;
    }
    let covered = covered_by(&swaps)?;
    for (offset, path) in &found.segments {
        if covered.is_some_and(|(from, to)| (from..to).contains(offset)) {
            log::info!("{}: compacted before the stop, removed", path.display());
            remove_if_there(names, path)?;
        }
    }
    // The log of a segment before its other files, as a swap has it.
    let is_log = |path: &&PathBuf| swapped_log(path).is_some();
    let (logs, others): (Vec<_>, Vec<_>) = swaps.iter().partition(is_log);
    for path in logs.into_iter().chain(others) {
        log::info!(
            "{}: takes its place, which a stop kept it from",
            path.display()
        );
        rename_if_there(names, path, &path.with_extension(""))?;
    }
    sync(names, dir)
}

/// Files of a directory that matter to a swap, with their offsets.
#[derive(Default)]
struct Leftovers {
    cleaned: Vec<(Offset, PathBuf)>,
    swaps: Vec<(Offset, PathBuf)>,
    segments: Vec<(Offset, PathBuf)>,
}

impl Leftovers {
    fn list(dir: &Path) -> Result<Leftovers, LogError> {
        let failed = |error| LogError::storage("list", dir, error);
        let mut found = Leftovers::default();
        for entry in fs::read_dir(dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let Some(name) = path.file_name() else {
                continue;
            };
            if let Some((offset, _)) = of_ending(name, CLEANED_ENDING) {
                found.cleaned.push((offset, path));
            } else if let Some((offset, _)) = of_ending(name, SWAP_ENDING) {
                found.swaps.push((offset, path));
            } else if let Some((offset, kind)) = file_names::parse(name)
                && kind != FileKind::Snapshot
            {
                found.segments.push((offset, path));
            }
        }
        Ok(found)
    }
}

impl Leftovers {
    /// Where a `.swap` log is damaged and the segment it would replace is still there: that one stays.
    fn damaged(&self) -> Result<BTreeSet<Offset>, LogError> {
        let mut damaged = BTreeSet::new();
        for (base, path) in &self.swaps {
            let is_log = swapped_log(path).is_some();
            let log = path.with_extension("");
            let has_old = self.segments.iter().any(|(_, segment)| *segment == log);
            if is_log && has_old && end_of(path, *base)?.is_none() {
                damaged.insert(*base);
            }
        }
        Ok(damaged)
    }
}

fn of_ending(name: &OsStr, ending: &str) -> Option<(Offset, FileKind)> {
    file_names::parse(OsStr::new(name.to_str()?.strip_suffix(ending)?))
}

/// The base offset of a `.log.swap`.
fn swapped_log(path: &Path) -> Option<Offset> {
    match of_ending(path.file_name()?, SWAP_ENDING)? {
        (base, FileKind::Log) => Some(base),
        _ => None,
    }
}

/// The offsets from the first `.swap` log's first to the last one's end.
fn covered_by(swaps: &BTreeSet<PathBuf>) -> Result<Option<(Offset, Offset)>, LogError> {
    let mut covered: Option<(Offset, Offset)> = None;
    for path in swaps {
        let Some(base) = swapped_log(path) else {
            continue;
        };
        let end = end_of(path, base)?.unwrap_or(base);
        let (from, to) = covered.unwrap_or((base, end));
        covered = Some((from.min(base), to.max(end)));
    }
    Ok(covered)
}

/// Where the segment in a `.swap` file ends; `None` if it is damaged.
fn end_of(path: &Path, base: Offset) -> Result<Option<Offset>, LogError> {
    let failed = |error| LogError::storage("read", path, error);
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let mut walker = SegmentWalker::heads(file, size, 0);
    let mut end = base;
    loop {
        match walker.look().map_err(failed)? {
            Found::End => return Ok(Some(end)),
            Found::Damage(_) => return Ok(None),
            Found::Batch(frame) => {
                end = frame.next_offset();
                walker.pass(&frame);
            }
        }
    }
}

fn rename_if_there(names: &dyn Names, from: &Path, to: &Path) -> Result<bool, LogError> {
    match names.rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(LogError::storage("rename", from, error)),
    }
}

fn remove_if_there(names: &dyn Names, path: &Path) -> Result<(), LogError> {
    match names.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LogError::storage("remove", path, error))
        }
        _ => Ok(()),
    }
}

fn sync(names: &dyn Names, dir: &Path) -> Result<(), LogError> {
    names
        .sync(dir)
        .map_err(|error| LogError::storage("fsync", dir, error))
}
