//! The files of a segment that is being written by compaction, under their `.cleaned` names.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::io::changes::ChangeFile;
use crate::log::error::LogError;
use crate::log::file_names::{self, CLEANED_ENDING, FileKind, with_ending};
use crate::log::index::{IndexedBatch, MaxTimestamp, MemoryIndex};
use crate::types::Offset;

/// A segment in the making.
pub(super) struct CleanedSegment {
    dir: PathBuf,
    base_offset: Offset,
    path: PathBuf,
    file: ChangeFile,
    index: MemoryIndex,
    interval: u64,
    /// Not yet in the file.
    buffer: Vec<u8>,
    buffer_bytes: usize,
    written: u64,
}

impl CleanedSegment {
    /// Begins the segment at `base_offset`, over what an earlier attempt has left.
    pub(super) fn create(
        dir: &Path,
        base_offset: Offset,
        index_interval_bytes: u64,
        buffer_bytes: usize,
    ) -> Result<CleanedSegment, LogError> {
        let path = cleaned(dir, base_offset, FileKind::Log);
        Ok(CleanedSegment {
            file: create(&path)?,
            path,
            dir: dir.to_owned(),
            base_offset,
            index: MemoryIndex::new(base_offset),
            interval: index_interval_bytes,
            buffer: Vec::new(),
            buffer_bytes,
            written: 0,
        })
    }

    /// Adds a batch; `batch` says all but where it comes to lie. Returns the bytes that went to the file.
    pub(super) fn append(
        &mut self,
        bytes: &[u8],
        mut batch: IndexedBatch,
    ) -> Result<u64, LogError> {
        batch.position = self.size();
        if batch.position + batch.size > i32::MAX as u64 {
            return Err(LogError::Corrupt {
                path: self.path.clone(),
                reason: "rewritten, its batches are larger than a segment can be".to_owned(),
            });
        }
        self.index.append(batch, self.interval);
        self.buffer.extend_from_slice(bytes);
        match self.buffer.len() >= self.buffer_bytes {
            true => self.flush(),
            false => Ok(0),
        }
    }

    /// Bytes so far.
    pub(super) fn size(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Writes what is left and the index files, with the entries of `transactions`, and syncs all of them. They get the time
    /// of the last change of what they replace.
    pub(super) fn finish(
        mut self,
        transactions: &[u8],
        modified: SystemTime,
    ) -> Result<(u64, MaxTimestamp), LogError> {
        self.flush()?;
        let failed = |error| LogError::storage("fdatasync", &self.path, error);
        let stamped = self.file.file().set_modified(modified);
        stamped.and_then(|()| self.file.sync()).map_err(failed)?;
        self.index.append_time_entry();
        let (offsets, times) = self.index.encode();
        write_synced(&self.of_kind(FileKind::OffsetIndex), &offsets)?;
        write_synced(&self.of_kind(FileKind::TimeIndex), &times)?;
        if !transactions.is_empty() {
            write_synced(&self.of_kind(FileKind::TransactionIndex), transactions)?;
        }
        Ok((self.written, self.index.max_timestamp()))
    }

    fn flush(&mut self) -> Result<u64, LogError> {
        let written = self.file.write_all_at(&self.buffer, self.written);
        written.map_err(|error| LogError::storage("write", &self.path, error))?;
        let bytes = self.buffer.len() as u64;
        self.written += bytes;
        self.buffer.clear();
        Ok(bytes)
    }

    fn of_kind(&self, kind: FileKind) -> PathBuf {
        cleaned(&self.dir, self.base_offset, kind)
    }
}

fn cleaned(dir: &Path, base_offset: Offset, kind: FileKind) -> PathBuf {
    with_ending(&file_names::path_of(dir, base_offset, kind), CLEANED_ENDING)
}

fn create(path: &Path) -> Result<ChangeFile, LogError> {
    ChangeFile::create_over(path).map_err(|error| LogError::storage("create", path, error))
}

fn write_synced(path: &Path, content: &[u8]) -> Result<(), LogError> {
    let file = create(path)?;
    let written = file.write_all_at(content, 0).and_then(|()| file.sync());
    written.map_err(|error| LogError::storage("write", path, error))
}
