//! Small files that are replaced as a whole: checkpoints, snapshots, indexes, `meta.properties`.
//!
//! Plain blocking functions: call them on a blocking thread (see [`super::blocking::blocking`]), or before the cores start.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::changes::{self, ChangeFile};

/// Replaces `path` by a file that holds `content`, in a way that any crash leaves either the old file or the new one.
///
/// # Durability
/// The content is synced before the rename; the rename itself is not durable before [`changes::sync_dir`] of the directory.
///
/// # Errors
/// The first failing system call's; the old file is then still in place.
pub fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = temporary_path(path);
    let written = ChangeFile::create_over(&temporary).and_then(|file| {
        file.write_all_at(content, 0)?;
        file.sync()
    });
    if let Err(error) = written.and_then(|()| changes::rename(&temporary, path)) {
        let _ = changes::remove_file(&temporary);
        return Err(error);
    }
    Ok(())
}

/// [`replace_file`], and then the directory: on return the new content survives a power cut.
///
/// # Errors
/// As [`replace_file`], or the directory could not be synced.
pub fn durable_write(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_file(path, content)?;
    changes::sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// `<path>.<number>.tmp`, the number another one each time: what a start finds and removes after a crash in between.
fn temporary_path(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", NEXT.fetch_add(1, Ordering::Relaxed)));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_new_content_is_in_place_and_no_temporary_file_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint");
        durable_write(&path, b"first").unwrap();
        durable_write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_replacement_leaves_the_old_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint");
        fs::create_dir(&path).unwrap(); // a rename over a directory fails
        assert!(replace_file(&path, b"x").is_err());
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
