//! Indexes of a segment, and whether they agree with its log.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::super::CommandError;
use super::{Dump, INDEX_BYTES_MAX, absolute, failed, index, reader};
use crate::wire::records::BatchHeader;
use crate::wire::records::batch::MAGIC_AT;

impl Dump {
    pub(super) fn offset_index(
        &self,
        path: &Path,
        base_offset: i64,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let bytes = read(path)?;
        let mut lines = Vec::new();
        let read_all = index::offset_entries(&bytes, base_offset, &mut lines);
        let entries = read_all.map_err(|error| failed(path, error))?;
        if self.sanity_only && !bytes.is_empty() {
            writeln!(out, "{} passed sanity check.", path.display())?;
            return Ok(());
        }
        if entries == 0 {
            writeln!(out, "{} is empty.", path.display())?;
            return Ok(());
        }
        let wrong = self.mismatches(path, &bytes[..entries * 8], base_offset)?;
        if !self.verify_only {
            out.write_all(&lines)?;
        }
        if !wrong.is_empty() {
            out.flush()?;
            eprintln!("Mismatches in :{}", absolute(path));
            for (indexed, found) in wrong.into_iter().rev() {
                eprintln!("  Index offset: {indexed}, log offset: {found}");
            }
        }
        Ok(())
    }

    /// Entries whose batch in the log ends with another offset.
    pub(super) fn mismatches(
        &self,
        path: &Path,
        entries: &[u8],
        base_offset: i64,
    ) -> Result<Vec<(i64, i64)>, CommandError> {
        let log = path.with_extension("log");
        let file = File::open(&log).map_err(|error| failed(&log, error))?;
        let end = file.metadata().map_err(|error| failed(&log, error))?.len();
        let mut wrong = Vec::new();
        for entry in entries.chunks_exact(8) {
            let number =
                |at: usize| u32::from_be_bytes(entry[at..at + 4].try_into().expect("four bytes"));
            let (indexed, position) = (
                base_offset.saturating_add(number(0).into()),
                u64::from(number(4)),
            );
            let size = match end.checked_sub(position) {
                Some(left) if left > 0 => reader::entry_size(&file, position, end).ok().flatten(),
                _ => None,
            };
            let found = match size {
                Some(size) if size <= self.max_message_bytes => {
                    last_offset(&file, position, size, &log)?
                }
                _ => -1,
            };
            if found != indexed {
                wrong.push((indexed, found));
            }
        }
        Ok(wrong)
    }

    pub(super) fn time_index(
        &self,
        path: &Path,
        base_offset: i64,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let bytes = read(path)?;
        let mut lines = Vec::new();
        let read_all = index::time_entries(&bytes, base_offset, &mut lines);
        match read_all {
            Err(error) => {
                out.write_all(&lines)?;
                Err(failed(
                    path,
                    format!("Found out of order timestamp: {error}"),
                ))
            }
            Ok(_) if self.sanity_only => {
                writeln!(out, "{} passed sanity check.", path.display())?;
                Ok(())
            }
            Ok(_) if self.verify_only => Ok(()),
            Ok(_) => Ok(out.write_all(&lines)?),
        }
    }
}

/// A whole file of a bounded size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let size = fs::metadata(path)
        .map_err(|error| failed(path, error))?
        .len();
    if size > INDEX_BYTES_MAX {
        return Err(failed(path, "it is too long for an index"));
    }
    fs::read(path).map_err(|error| failed(path, error))
}

fn last_offset(file: &File, position: u64, size: usize, path: &Path) -> Result<i64, CommandError> {
    let mut entry = vec![0; size];
    file.read_exact_at(&mut entry, position)
        .map_err(|error| failed(path, error))?;
    let offset = i64::from_be_bytes(entry[..8].try_into().expect("eight bytes"));
    Ok(match BatchHeader::read(&entry) {
        Ok(header) if entry[MAGIC_AT] >= 2 => header.last_offset().0,
        _ => offset,
    })
}
