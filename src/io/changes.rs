//! Plain changes of files and names: the one door through which blocking code changes a disk.
//!
//! Blocking calls, for threads that may sleep and for the time before the cores start; what a running log writes goes through
//! [`super::AppendFile`]. Both tell the recorder of a test build of each change and each sync, so that a test can ask what a
//! power cut at any moment leaves (`io/power_loss`).
//!
//! It must never know what the files are for.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
#[cfg(test)]
use std::path::PathBuf;

#[cfg(test)]
use super::power_loss;

/// A file that is open for writing.
#[derive(Debug)]
pub struct ChangeFile {
    file: File,
    #[cfg(test)]
    path: PathBuf,
}

impl ChangeFile {
    /// Makes a file that must not be there yet, for reading and writing.
    ///
    /// # Errors
    /// The file system's.
    pub fn create_new(path: &Path) -> io::Result<ChangeFile> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        #[cfg(test)]
        power_loss::created(&file, path);
        Ok(ChangeFile::new(file, path))
    }

    /// Makes an empty file, over what is there.
    ///
    /// # Errors
    /// The file system's.
    pub fn create_over(path: &Path) -> io::Result<ChangeFile> {
        #[cfg(test)]
        let there = path.exists();
        let file = File::create(path)?;
        #[cfg(test)]
        match there {
            true => power_loss::cut(&file, path, 0),
            false => power_loss::created(&file, path),
        }
        Ok(ChangeFile::new(file, path))
    }

    /// Opens a file that is there.
    ///
    /// # Errors
    /// The file system's.
    pub fn open(path: &Path) -> io::Result<ChangeFile> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(ChangeFile::new(file, path))
    }

    #[cfg(test)]
    fn new(file: File, path: &Path) -> ChangeFile {
        ChangeFile {
            file,
            path: path.to_owned(),
        }
    }

    #[cfg(not(test))]
    fn new(file: File, _: &Path) -> ChangeFile {
        ChangeFile { file }
    }

    /// Writes all of `data` at `position`.
    ///
    /// # Errors
    /// The disk's; part of it may be written.
    pub fn write_all_at(&self, data: &[u8], position: u64) -> io::Result<()> {
        #[cfg(test)]
        let _write = power_loss::writing(&self.file, &self.path, data, position);
        self.file.write_all_at(data, position)
    }

    /// Cuts or extends the file to `len` bytes.
    ///
    /// # Errors
    /// The disk's.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        #[cfg(test)]
        power_loss::cut(&self.file, &self.path, len);
        Ok(())
    }

    /// Waits until everything written so far is on the device.
    ///
    /// # Errors
    /// The disk's; which pages are lost is then unknown.
    pub fn sync(&self) -> io::Result<()> {
        #[cfg(test)]
        let sync = power_loss::syncing(&self.file, &self.path);
        self.file.sync_all()?;
        #[cfg(test)]
        sync.done();
        Ok(())
    }

    /// The open file, for what changes no content.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The open file itself.
    pub fn into_file(self) -> File {
        self.file
    }
}

/// Writes a small file, over what is there; syncs nothing.
///
/// # Errors
/// The file system's; the file may be half written.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    ChangeFile::create_over(path)?.write_all_at(content, 0)
}

/// Renames a file or a directory.
///
/// # Errors
/// The file system's.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    #[cfg(test)]
    power_loss::renamed(from, to);
    Ok(())
}

/// Removes a file.
///
/// # Errors
/// The file system's; also that there is none.
pub fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    #[cfg(test)]
    power_loss::removed(path);
    Ok(())
}

/// Removes an empty directory.
///
/// # Errors
/// The file system's; also that there is none.
pub fn remove_dir(path: &Path) -> io::Result<()> {
    fs::remove_dir(path)?;
    #[cfg(test)]
    power_loss::removed(path);
    Ok(())
}

/// Makes a directory and those above it that are missing.
///
/// # Errors
/// The file system's.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() || path.as_os_str().is_empty() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_dir_all(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            #[cfg(test)]
            power_loss::made_dir(path);
            Ok(())
        }
    }
}

/// [`create_dir_all`]; on return what was made survives a power cut.
///
/// # Errors
/// The file system's.
pub fn create_dir_all_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    create_dir_all_durably(parent)?;
    create_dir_all(path)?;
    sync_dir(parent)
}

/// Makes the names in a directory durable: creations, renames and removals before this call survive a power cut.
///
/// # Errors
/// The directory cannot be opened or synced.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    #[cfg(test)]
    let sync = power_loss::syncing_dir(dir);
    File::open(dir)?.sync_all()?;
    #[cfg(test)]
    sync.done();
    Ok(())
}
