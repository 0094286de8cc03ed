//! What a log asks of the file system when it changes something.
//!
//! A trait so that a layer of faults can stand in for the disk: every write, sync, creation, rename and removal of a running
//! log passes here. Reading does not: it goes straight to a [`super::SegmentFile`].

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;

use super::{AppendFile, SegmentFile};

/// A file operation under way on this core.
pub type IoFuture<T> = Pin<Box<dyn Future<Output = io::Result<T>>>>;

/// The changes a log makes to the file system. Paths are absolute or relative to the working directory.
pub trait Storage {
    /// Opens a file for reading and writing that must not exist yet.
    fn create(&self, path: &Path) -> IoFuture<Rc<AppendFile>>;

    /// [`AppendFile::write_at`]: may write fewer bytes than given.
    fn write_at(&self, file: &Rc<AppendFile>, data: Vec<u8>, position: u64) -> IoFuture<usize>;

    /// [`AppendFile::fdatasync`].
    fn fdatasync(&self, file: &Rc<AppendFile>) -> IoFuture<()>;

    /// Has dirty pages written, without making anything durable ([`super::write_out::write_out`]).
    fn write_out(&self, file: &SegmentFile, position: u64, len: u64) -> IoFuture<()>;

    /// [`AppendFile::truncate`].
    fn truncate(&self, file: &Rc<AppendFile>, len: u64) -> IoFuture<()>;

    /// [`AppendFile::preallocate`].
    fn preallocate(&self, file: &Rc<AppendFile>, len: u64) -> IoFuture<()>;

    /// Replaces a small file as a whole, synced, without syncing its directory
    /// ([`super::durable_write::replace_file`]).
    fn replace_file(&self, path: &Path, content: Vec<u8>) -> IoFuture<()>;

    /// Writes small files, over what is there, and syncs nothing: for files that [`Storage::sync_file_system`] follows.
    fn write_files(&self, files: Vec<(PathBuf, Vec<u8>)>) -> IoFuture<()>;

    /// Makes everything on the file system of `dir` durable ([`super::sync_group::sync_file_system`]).
    fn sync_file_system(&self, dir: &Path) -> IoFuture<()>;

    /// Makes the names in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> IoFuture<()>;

    /// Creates a directory, the ones above it that are missing, and in it the files given with their contents. Nothing is
    /// synced.
    fn create_dir(&self, dir: &Path, files: Vec<(PathBuf, Vec<u8>)>) -> IoFuture<()>;

    /// Renames a file or a directory.
    fn rename(&self, from: &Path, to: &Path) -> IoFuture<()>;

    /// Removes a file; one that is not there is no error.
    fn remove_file(&self, path: &Path) -> IoFuture<()>;

    /// Removes a directory and all it holds; one that is not there is no error.
    fn remove_dir(&self, dir: &Path) -> IoFuture<()>;
}
