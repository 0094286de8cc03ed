//! A storage that counts what is asked of it, and fails when told to.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::io::{AppendFile, Disk, IoFuture, SegmentFile, Storage};

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The operation fails with this errno.
    Errno(i32),
    /// A sync fails with this errno, after others had the time to ask for one too.
    LateErrno(i32),
    /// A write takes only so many bytes.
    Short(usize),
}

/// An operation that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Create(String),
    Write { bytes: usize, position: u64 },
    Fdatasync,
    WriteOut { position: u64, len: u64 },
    Truncate(u64),
    Replace(String),
    WriteFile(String),
    SyncFileSystem,
    SyncDir,
    Rename(String),
}

/// The disk with faults.
#[derive(Default)]
pub(super) struct FaultyStorage {
    operations: RefCell<Vec<Operation>>,
    write_faults: RefCell<VecDeque<Fault>>,
    sync_faults: RefCell<VecDeque<Fault>>,
    create_faults: RefCell<VecDeque<Fault>>,
    replace_faults: RefCell<VecDeque<Fault>>,
    dir_sync_faults: RefCell<VecDeque<Fault>>,
    full: Cell<bool>,
    at_work: Cell<usize>,
}

impl FaultyStorage {
    pub(super) fn new() -> Rc<FaultyStorage> {
        Rc::new(FaultyStorage::default())
    }

    /// The next writes fail so, one after the other.
    pub(super) fn fail_writes(&self, faults: impl IntoIterator<Item = Fault>) {
        self.write_faults.borrow_mut().extend(faults);
    }

    /// The next syncs fail so.
    pub(super) fn fail_syncs(&self, faults: impl IntoIterator<Item = Fault>) {
        self.sync_faults.borrow_mut().extend(faults);
    }

    /// The next creations of files fail so.
    pub(super) fn fail_creations(&self, faults: impl IntoIterator<Item = Fault>) {
        self.create_faults.borrow_mut().extend(faults);
    }

    /// The next replacements of small files fail so.
    pub(super) fn fail_replacements(&self, faults: impl IntoIterator<Item = Fault>) {
        self.replace_faults.borrow_mut().extend(faults);
    }

    /// The next syncs of directories fail so.
    pub(super) fn fail_dir_syncs(&self, faults: impl IntoIterator<Item = Fault>) {
        self.dir_sync_faults.borrow_mut().extend(faults);
    }

    /// From here on the disk is full, or no longer.
    pub(super) fn set_full(&self, full: bool) {
        self.full.set(full);
    }

    /// The failure of what needs room, if there is none.
    fn no_room<T: 'static>(&self) -> Option<IoFuture<T>> {
        self.full.get().then(|| failing(libc::ENOSPC))
    }

    /// What was asked for since the last call.
    pub(super) fn take_operations(&self) -> Vec<Operation> {
        self.operations.take()
    }

    pub(super) fn count(&self, wanted: impl Fn(&Operation) -> bool) -> usize {
        self.operations
            .borrow()
            .iter()
            .filter(|operation| wanted(operation))
            .count()
    }

    fn note(&self, operation: Operation) {
        self.operations.borrow_mut().push(operation);
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn failing<T: 'static>(errno: i32) -> IoFuture<T> {
    Box::pin(async move { Err(io::Error::from_raw_os_error(errno)) })
}

/// What a test shares with the log it opens.
pub(super) struct Shared(pub(super) Rc<FaultyStorage>);

impl Storage for Shared {
    fn create(&self, path: &Path) -> IoFuture<Rc<AppendFile>> {
        self.0.note(Operation::Create(name(path)));
        match self.0.create_faults.borrow_mut().pop_front() {
            Some(Fault::Errno(errno)) => failing(errno),
            _ => self.0.no_room().unwrap_or_else(|| Disk.create(path)),
        }
    }

    fn write_at(&self, file: &Rc<AppendFile>, mut data: Vec<u8>, position: u64) -> IoFuture<usize> {
        self.0.note(Operation::Write {
            bytes: data.len(),
            position,
        });
        match self.0.write_faults.borrow_mut().pop_front() {
            Some(Fault::Errno(errno)) => return failing(errno),
            Some(Fault::Short(len)) => data.truncate(len),
            Some(Fault::LateErrno(_)) | None => {}
        }
        if let Some(full) = self.0.no_room() {
            return full;
        }
        let (storage, file) = (self.0.clone(), file.clone());
        Box::pin(async move {
            storage.at_work.set(storage.at_work.get() + 1);
            assert_eq!(
                storage.at_work.get(),
                1,
                "one write or sync of a log at a time"
            );
            let written = Disk.write_at(&file, data, position).await;
            storage.at_work.set(storage.at_work.get() - 1);
            written
        })
    }

    fn fdatasync(&self, file: &Rc<AppendFile>) -> IoFuture<()> {
        self.0.note(Operation::Fdatasync);
        match self.0.sync_faults.borrow_mut().pop_front() {
            Some(Fault::Errno(errno)) => failing(errno),
            Some(Fault::LateErrno(errno)) => Box::pin(async move {
                glommio::timer::sleep(Duration::from_millis(2)).await;
                Err(io::Error::from_raw_os_error(errno))
            }),
            _ => Disk.fdatasync(file),
        }
    }

    fn write_out(&self, file: &SegmentFile, position: u64, len: u64) -> IoFuture<()> {
        self.0.note(Operation::WriteOut { position, len });
        Disk.write_out(file, position, len)
    }

    fn truncate(&self, file: &Rc<AppendFile>, len: u64) -> IoFuture<()> {
        self.0.note(Operation::Truncate(len));
        Disk.truncate(file, len)
    }

    fn preallocate(&self, file: &Rc<AppendFile>, len: u64) -> IoFuture<()> {
        let full = self.0.no_room();
        full.unwrap_or_else(|| Disk.preallocate(file, len))
    }

    fn replace_file(&self, path: &Path, content: Vec<u8>) -> IoFuture<()> {
        self.0.note(Operation::Replace(name(path)));
        match self.0.replace_faults.borrow_mut().pop_front() {
            Some(Fault::Errno(errno)) => failing(errno),
            _ => {
                let full = self.0.no_room();
                full.unwrap_or_else(|| Disk.replace_file(path, content))
            }
        }
    }

    fn write_files(&self, files: Vec<(PathBuf, Vec<u8>)>) -> IoFuture<()> {
        for (path, _) in &files {
            self.0.note(Operation::WriteFile(name(path)));
        }
        let full = self.0.no_room();
        full.unwrap_or_else(|| Disk.write_files(files))
    }

    fn sync_file_system(&self, dir: &Path) -> IoFuture<()> {
        self.0.note(Operation::SyncFileSystem);
        match self.0.sync_faults.borrow_mut().pop_front() {
            Some(Fault::Errno(errno)) => failing(errno),
            _ => Disk.sync_file_system(dir),
        }
    }

    fn sync_dir(&self, dir: &Path) -> IoFuture<()> {
        self.0.note(Operation::SyncDir);
        match self.0.dir_sync_faults.borrow_mut().pop_front() {
            Some(Fault::Errno(errno)) => failing(errno),
            _ => Disk.sync_dir(dir),
        }
    }

    fn create_dir(&self, dir: &Path, files: Vec<(PathBuf, Vec<u8>)>) -> IoFuture<()> {
        Disk.create_dir(dir, files)
    }

    fn rename(&self, from: &Path, to: &Path) -> IoFuture<()> {
        self.0.note(Operation::Rename(name(from)));
        Disk.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> IoFuture<()> {
        Disk.remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> IoFuture<()> {
        Disk.remove_dir(dir)
    }
}
