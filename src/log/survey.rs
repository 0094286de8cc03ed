//! Reading a log's files without opening the log: whoever decides whether to open it at all changes nothing.
//!
//! Plain blocking reads of sealed and active segments alike, a window at a time. Where the batches end in damage the reading ends:
//! after a crash that is where recovery will cut.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use bytes::Bytes;

use super::error::LogError;
use super::file_names::{self, FileKind};
use super::walker::{Found, SegmentWalker};
use crate::types::Offset;
use crate::wire::records::Batch;

/// Read at a time.
const WINDOW: usize = 256 << 10;

/// How reading a file ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// All of it was batches, or nobody wanted more.
    Whole,
    /// From some position on it was not; with the reason.
    Damaged(String),
}

/// Calls `visit` with every whole batch of the log in `dir` that has offsets at or after `from`, in order, until it breaks or the
/// log ends. Batches of the formats before v2 are stepped over.
///
/// # Errors
/// A file cannot be read. A directory that is not there has no batches.
pub fn each_batch(
    dir: &Path,
    from: Offset,
    visit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
) -> Result<(), LogError> {
    let segments = bases(dir, FileKind::Log)?;
    for (at, base) in segments.iter().enumerate() {
        if segments.get(at + 1).is_some_and(|next| *next <= from) {
            continue;
        }
        let mut broke = false;
        let path = file_names::path_of(dir, *base, FileKind::Log);
        let ended = each_batch_of_file(&path, &mut |batch| {
            if batch.header().next_offset() <= from {
                return ControlFlow::Continue(());
            }
            let flow = visit(batch);
            broke = flow.is_break();
            flow
        })?;
        if broke || ended != Ended::Whole {
            return Ok(());
        }
    }
    Ok(())
}

/// Calls `visit` with every batch of a file, after looking at its checksum, until it breaks.
///
/// # Errors
/// The file cannot be read.
pub fn each_batch_of_file(
    path: &Path,
    visit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
) -> Result<Ended, LogError> {
    let failed = |error| LogError::storage("read", path, error);
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let mut walker = SegmentWalker::reading(file, size, WINDOW);
    loop {
        let frame = match walker.look().map_err(failed)? {
            Found::End => return Ok(Ended::Whole),
            Found::Damage(reason) => return Ok(Ended::Damaged(reason)),
            Found::Batch(frame) => frame,
        };
        if let Err(reason) = walker.check(&frame).map_err(failed)? {
            return Ok(Ended::Damaged(reason));
        }
        if frame.magic >= 2 {
            let bytes = Bytes::copy_from_slice(walker.batch(&frame).map_err(failed)?);
            match Batch::new(bytes) {
                Ok(batch) => {
                    if visit(batch).is_break() {
                        return Ok(Ended::Whole);
                    }
                }
                Err(error) => return Ok(Ended::Damaged(error.to_string())),
            }
        }
        walker.pass(&frame);
    }
}

/// The first offset of the log's first segment; nothing where there is no segment.
///
/// # Errors
/// The directory cannot be listed.
pub fn first_offset(dir: &Path) -> Result<Option<Offset>, LogError> {
    Ok(bases(dir, FileKind::Log)?.first().copied())
}

/// The offsets in the names of files of a kind, in order.
fn bases(dir: &Path, kind: FileKind) -> Result<Vec<Offset>, LogError> {
    let failed = |error| LogError::storage("list", dir, error);
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut bases = Vec::new();
    for entry in entries {
        match file_names::parse(&entry.map_err(failed)?.file_name()) {
            Some((base, found)) if found == kind => bases.push(base),
            _ => {}
        }
    }
    bases.sort_unstable();
    Ok(bases)
}
