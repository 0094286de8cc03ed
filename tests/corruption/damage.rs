//! Ways to damage a file, and what to damage in a partition.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixture::{RECORDS_PER_SEGMENT, TOPIC};
use crate::harness::batches::LENGTH_AT;

/// A partition's folder in a copy.
pub struct Part {
    pub dir: PathBuf,
}

impl Part {
    pub fn new(data_dir: &Path, partition: i32) -> Part {
        Part {
            dir: data_dir.join(format!("{TOPIC}-{partition}")),
        }
    }

    /// A file of the segment that many after the first.
    pub fn file(&self, segment: i64, ending: &str) -> PathBuf {
        let base = segment * RECORDS_PER_SEGMENT;
        self.dir.join(format!("{base:020}.{ending}"))
    }

    pub fn log(&self, segment: i64) -> PathBuf {
        self.file(segment, "log")
    }

    /// Where a batch of a segment begins and how long it is.
    pub fn batch(&self, segment: i64, batch: usize) -> (u64, u64) {
        let content = fs::read(self.log(segment)).expect("a segment");
        let mut position = 0;
        for _ in 0..batch {
            position += size_at(&content, position);
        }
        (position as u64, size_at(&content, position) as u64)
    }

    /// Flips bits of one byte of a batch.
    pub fn flip_in_batch(&self, segment: i64, batch: usize, at: u64, bits: u8) {
        let (position, _) = self.batch(segment, batch);
        flip(&self.log(segment), position + at, bits);
    }
}

fn size_at(content: &[u8], position: usize) -> usize {
    let field = &content[position + LENGTH_AT..position + LENGTH_AT + 4];
    12 + u32::from_be_bytes(field.try_into().expect("four bytes")) as usize
}

pub fn flip(path: &Path, at: u64, bits: u8) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("a byte there");
    file.write_all_at(&[byte[0] ^ bits], at).expect("written");
}

/// Flips bits of the last byte but so many.
pub fn flip_from_end(path: &Path, from_end: u64, bits: u8) {
    let size = fs::metadata(path).expect("a file").len();
    flip(path, size - 1 - from_end, bits);
}

pub fn truncate(path: &Path, len: u64) {
    let file = OpenOptions::new().write(true).open(path).expect("a file");
    file.set_len(len).expect("cut");
}

pub fn append(path: &Path, bytes: &[u8]) {
    let mut content = fs::read(path).expect("a file");
    content.extend_from_slice(bytes);
    fs::write(path, content).expect("written");
}

pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).expect("written");
}

pub fn remove(path: &Path) {
    fs::remove_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// A folder takes the file's place.
pub fn folder_instead(path: &Path) {
    // The file need not have been there.
    let _ = fs::remove_file(path);
    fs::create_dir(path).expect("a folder");
}

/// The file moves elsewhere and a link takes its place.
pub fn link_instead(path: &Path) {
    let elsewhere = path
        .parent()
        .and_then(Path::parent)
        .and_then(Path::parent)
        .expect("a folder above the data directory");
    let name = format!(
        "{}-{}",
        std::process::id(),
        path.display().to_string().replace('/', "_")
    );
    let target = elsewhere.join(name);
    fs::rename(path, &target).expect("moved");
    std::os::unix::fs::symlink(&target, path).expect("a link");
}

/// Takes the rights to a file away; whether that means anything to this user.
pub fn forbid(path: &Path) -> bool {
    let changed = Command::new("chmod").arg("000").arg(path).status();
    assert!(changed.expect("chmod is everywhere").success());
    fs::File::open(path).is_err()
}
