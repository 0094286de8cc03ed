//! `vltava dump-log`: what the files of a data directory hold, and whether they are whole. Reads Kafka's files as well
//! as ours: they are the same.
//!
//! It reads files and nothing else: no broker, no lock. The formats are read here anew, from their descriptions, so that
//! the broker's own reader and writer cannot both be wrong in the same way unnoticed. What takes memory is bounded by
//! the file's length.

pub(super) mod batches;
mod checkpoint;
pub(super) mod index;
pub(super) mod metadata_records;
pub(super) mod producer_snapshot;
mod text;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::CliError;
use super::args::DumpLogArgs;
use checkpoint::CheckpointKind;

/// Why a file cannot be printed to its end.
#[derive(Debug, Error)]
pub enum DumpError {
    /// The file cannot be opened or read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name says nothing of the contents.
    #[error("{0}: not a file of a log: its name does not say what it holds")]
    UnknownKind(PathBuf),
    /// What it holds is not what it should.
    #[error("damaged: {0}")]
    Damaged(String),
    /// Our own output.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl DumpError {
    fn damaged(what: impl Into<String>) -> DumpError {
        DumpError::Damaged(what.into())
    }
}

/// Files that are read whole are at most this long: far above any index or checkpoint of a real log.
const SMALL_FILE_BYTES_MAX: u64 = 1 << 30;

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Batches,
    OffsetIndex { base_offset: i64 },
    TimeIndex { base_offset: i64 },
    AbortedTransactions,
    ProducerSnapshot,
    Checkpoint(CheckpointKind),
    Properties,
}

/// Prints every file, one after the other; a damaged one does not stop the next.
///
/// # Errors
/// [`CliError::Reported`] when any file was damaged or unreadable; output that cannot be written.
pub fn run(args: &DumpLogArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let mut failed = false;
    for path in &args.files {
        writeln!(out, "{}", path.display())?;
        match dump_file(path, args, out) {
            Ok(()) => {}
            Err(DumpError::Output(error)) => return Err(CliError::Output(error)),
            Err(error) => {
                out.flush()?;
                match error {
                    DumpError::Damaged(_) => eprintln!("vltava: {}: {error}", path.display()),
                    _ => eprintln!("vltava: {error}"),
                }
                failed = true;
            }
        }
    }
    if failed {
        Err(CliError::Reported)
    } else {
        Ok(())
    }
}

fn dump_file(path: &Path, args: &DumpLogArgs, out: &mut dyn Write) -> Result<(), DumpError> {
    let kind = file_kind(path).ok_or_else(|| DumpError::UnknownKind(path.to_owned()))?;
    let read_error = |source| DumpError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(read_error)?;
    if kind == FileKind::Batches {
        return batches::dump_batches(&file, path, args, out);
    }
    let limit = args
        .max_bytes
        .unwrap_or(SMALL_FILE_BYTES_MAX)
        .min(SMALL_FILE_BYTES_MAX);
    let mut bytes = Vec::new();
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(read_error)?;
    let contents = || std::str::from_utf8(&bytes).map_err(|_| DumpError::damaged("it is not text"));
    match kind {
        FileKind::Batches => Ok(()),
        FileKind::OffsetIndex { base_offset } => index::dump_offset_index(&bytes, base_offset, out),
        FileKind::TimeIndex { base_offset } => index::dump_time_index(&bytes, base_offset, out),
        FileKind::AbortedTransactions => index::dump_aborted_transactions(&bytes, out),
        FileKind::ProducerSnapshot => producer_snapshot::dump_producer_snapshot(&bytes, out),
        FileKind::Checkpoint(kind) => checkpoint::dump_checkpoint(contents()?, kind, out),
        FileKind::Properties => Ok(out.write_all(contents()?.as_bytes())?),
    }
}

/// Kafka's file names. `.deleted`, `.cleaned` and `.swap` may follow while a file is on its way out or in.
fn file_kind(path: &Path) -> Option<FileKind> {
    let name = path.file_name()?.to_str()?;
    match name {
        "leader-epoch-checkpoint" => {
            return Some(FileKind::Checkpoint(CheckpointKind::LeaderEpochs));
        }
        "recovery-point-offset-checkpoint"
        | "replication-offset-checkpoint"
        | "log-start-offset-checkpoint"
        | "cleaner-offset-checkpoint" => {
            return Some(FileKind::Checkpoint(CheckpointKind::Offsets));
        }
        "meta.properties" | "partition.metadata" | ".kafka_cleanshutdown" | "quorum-state" => {
            return Some(FileKind::Properties);
        }
        _ => {}
    }
    let name = [".deleted", ".cleaned", ".swap"]
        .iter()
        .fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
    let (stem, extension) = name.rsplit_once('.')?;
    let base_offset = || {
        stem.split('.')
            .next()
            .and_then(|digits| digits.parse::<i64>().ok())
    };
    match extension {
        "log" | "checkpoint" => Some(FileKind::Batches),
        "index" => Some(FileKind::OffsetIndex {
            base_offset: base_offset()?,
        }),
        "timeindex" => Some(FileKind::TimeIndex {
            base_offset: base_offset()?,
        }),
        "txnindex" => Some(FileKind::AbortedTransactions),
        "snapshot" => Some(FileKind::ProducerSnapshot),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> Option<FileKind> {
        file_kind(Path::new(name))
    }

    #[test]
    fn the_name_says_what_a_file_holds() {
        assert_eq!(
            kind("a-0/00000000000000000042.log"),
            Some(FileKind::Batches)
        );
        assert_eq!(
            kind("00000000000000000042.index"),
            Some(FileKind::OffsetIndex { base_offset: 42 })
        );
        assert_eq!(
            kind("00000000000000000042.timeindex.deleted"),
            Some(FileKind::TimeIndex { base_offset: 42 })
        );
        assert_eq!(
            kind("00000000000000000042.snapshot"),
            Some(FileKind::ProducerSnapshot)
        );
        assert_eq!(
            kind("00000000000000000042-0000000003.checkpoint"),
            Some(FileKind::Batches)
        );
        assert_eq!(
            kind("leader-epoch-checkpoint"),
            Some(FileKind::Checkpoint(CheckpointKind::LeaderEpochs))
        );
        assert_eq!(kind("meta.properties"), Some(FileKind::Properties));
    }

    #[test]
    fn other_names_say_nothing() {
        for name in ["notes.txt", "log", "x.index", "a-0", ".lock"] {
            assert_eq!(kind(name), None, "{name}");
        }
    }
}
