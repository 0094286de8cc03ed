//! Work with files: into the page cache, and down to the device.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Instant;

use super::{Bench, repeat};
use crate::metrics::duration_histogram;
use crate::result::Figure;
use crate::run::BenchError;

/// Sizes of a write, and their names.
const SIZES: [(usize, &str); 3] = [(4 << 10, "4 KiB"), (64 << 10, "64 KiB"), (1 << 20, "1 MiB")];
/// A file is begun anew at this size: dirty pages beyond what the kernel allows would be written back meanwhile.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// So many writes go between two looks at the clock.
const REPEATS: u64 = 16;

/// A file that is gone when this is.
pub struct ScratchFile {
    /// Open for reading and writing.
    pub file: File,
    path: PathBuf,
    length: u64,
}

impl ScratchFile {
    /// A new one, empty.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(bench: &Bench) -> Result<ScratchFile, BenchError> {
        let name = format!("vltava-bench-{}.scratch", std::process::id());
        let path = bench.dir.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let opened = options.open(&path);
        let file = opened.map_err(|source| BenchError::File {
            path: path.clone(),
            source,
        })?;
        Ok(ScratchFile {
            file,
            path,
            length: 0,
        })
    }

    /// Writes at the end; from the start again when the file is long enough.
    ///
    /// # Errors
    /// Those of the file.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), BenchError> {
        if self.length >= FILE_BYTES_MAX {
            self.file.set_len(0).map_err(|error| self.failed(error))?;
            self.length = 0;
        }
        let written = self.file.write_all_at(bytes, self.length);
        written.map_err(|error| self.failed(error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn sync(&self) -> Result<(), BenchError> {
        self.file.sync_data().map_err(|error| self.failed(error))
    }

    fn failed(&self, source: std::io::Error) -> BenchError {
        BenchError::File {
            path: self.path.clone(),
            source,
        }
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // What is left behind is named after this program, and of no use to anyone.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Writes that end in the page cache.
///
/// # Errors
/// Those of the file.
pub fn write(bench: &Bench) -> Result<Vec<Figure>, BenchError> {
    bench.on_first_cpu(|| {
        let mut figures = Vec::new();
        for (size, name) in SIZES {
            let mut scratch = ScratchFile::create(bench)?;
            let bytes = vec![0x5a_u8; size];
            let amount = repeat(bench.length, || {
                for _ in 0..REPEATS {
                    scratch.append(&bytes)?;
                }
                Ok(size as u64 * REPEATS)
            })?;
            figures.extend(amount.figures(&format!("write {name} to the page cache")));
        }
        Ok(figures)
    })
}

/// Writes at the end of a growing file, each followed by fdatasync.
///
/// # Errors
/// Those of the file.
pub fn write_and_sync(bench: &Bench) -> Result<Vec<Figure>, BenchError> {
    bench.on_first_cpu(|| {
        let mut figures = Vec::new();
        for (size, name) in SIZES {
            let mut scratch = ScratchFile::create(bench)?;
            let bytes = vec![0x5a_u8; size];
            let mut took_ns = duration_histogram();
            repeat(bench.length, || {
                let began = Instant::now();
                scratch.append(&bytes)?;
                scratch.sync()?;
                took_ns.saturating_record(began.elapsed().as_nanos() as u64);
                Ok(size as u64)
            })?;
            for (point, quantile) in [("p50", 0.5), ("p99", 0.99)] {
                let us = took_ns.value_at_quantile(quantile) as f64 / 1e3;
                let name = format!("write {name} and fdatasync: {point}");
                figures.push(Figure::cost(name, us, "us"));
            }
        }
        Ok(figures)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_scratch_file_grows_starts_over_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let bench = Bench::new(directory.path(), &[], Duration::ZERO).unwrap();
        let mut scratch = ScratchFile::create(&bench).unwrap();
        scratch.append(b"abc").unwrap();
        scratch.append(b"def").unwrap();
        assert_eq!(scratch.file.metadata().unwrap().len(), 6);
        scratch.length = FILE_BYTES_MAX;
        scratch.append(b"g").unwrap();
        assert_eq!(scratch.file.metadata().unwrap().len(), 1);
        drop(scratch);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let bench = Bench {
            dir: Path::new("/proc/self").to_owned(),
            cpus: [0, 0],
            length: Duration::ZERO,
        };
        let error = ScratchFile::create(&bench).err().unwrap().to_string();
        assert!(error.starts_with("/proc/self/"), "{error}");
    }
}
