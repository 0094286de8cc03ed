//! A disk of 8 MiB that can be filled to the last page.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{in_ci, scratch_dir};

/// Enough for a broker and some segments of the smallest legal size.
const MOUNT: [&str; 6] = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=1777", "tmpfs"];

/// A file system of its own. It is unmounted when this is dropped.
pub struct SmallDisk {
    at: TempDir,
}

impl SmallDisk {
    /// An empty one; `None` (and a line that says so) where nothing may be mounted.
    ///
    /// # Panics
    /// In CI, where that is a failure.
    pub fn mount() -> Option<SmallDisk> {
        let at = tempfile::Builder::new()
            .prefix("small-disk-")
            .tempdir_in(scratch_dir())
            .expect("a scratch folder");
        if as_root(&MOUNT, at.path()) {
            return Some(SmallDisk { at });
        }
        let line = "SKIPPED: a full disk, because no file system may be mounted here";
        assert!(!in_ci(), "{line}");
        eprintln!("{line}");
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.at.path()
    }

    /// Takes all the room there is.
    pub fn fill(&self) {
        let mut filler = File::options()
            .create(true)
            .append(true)
            .open(self.filler())
            .expect("a name needs no room on tmpfs");
        let mut piece = [0xfe; 64 << 10].as_slice();
        while !piece.is_empty() {
            match filler.write(piece) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => {
                    piece = &piece[..piece.len() / 2];
                }
                Err(error) => panic!("filling the disk: {error}"),
            }
        }
    }

    /// Gives back what [`SmallDisk::fill`] took.
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("the disk was filled");
    }

    /// Leaves room for so many bytes of what [`SmallDisk::fill`] took.
    pub fn leave(&self, bytes: u64) {
        let filler = File::options().write(true).open(self.filler());
        let filler = filler.expect("the disk was filled");
        let len = filler.metadata().expect("a file of ours").len();
        filler.set_len(len - bytes).expect("more was taken");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open must not keep it from going.
        as_root(&["umount", "--lazy"], self.path());
    }
}

/// Runs a command on a path, as root; whether it went well.
fn as_root(command: &[&str], path: &Path) -> bool {
    let runs = |words: &[&str]| {
        let mut command = Command::new(words[0]);
        let output = command.args(&words[1..]).arg(path).output();
        output.is_ok_and(|output| output.status.success())
    };
    runs(command) || runs(&[&["sudo", "--non-interactive"], command].concat())
}
