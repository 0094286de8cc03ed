//! What a power cut leaves: a recorder below every change of a disk, and the disks that may be found afterwards.
//!
//! Part of test builds only. [`record`] watches a directory: from then on every write, cut, name and sync below it is noted, in
//! the order in which the broker could have observed it. [`History::image`] then plays any legal outcome of a power cut at any
//! of these moments:
//!
//! * what a sync covered is there: an fdatasync covers the writes to its file that had returned when it was asked for, an fsync
//!   of a directory the names in it, syncfs both;
//! * anything else may be there or not, each independently of the other: a write sector by sector (512 bytes), a size without
//!   the bytes (they read as zeros), a rename whose neighbours are lost.
//!
//! File systems keep more order than that; no promise should depend on it. Names are taken as atomic, as rename(2) says.

mod dice;
mod disk;
mod image;

use std::collections::HashMap;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, FromRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use dice::{Dice, images, seed};
pub(crate) use image::{History, Outcome};

/// A file, whatever its names are. The system's number may be another file's later; this one is not.
type Inode = usize;

/// One thing that happened. Positions in the list of events are moments.
#[derive(Clone, Debug)]
enum Event {
    /// An empty file got this name.
    Created(Inode, PathBuf),
    MadeDir(PathBuf),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf),
    /// A write was handed over. It may be on the disk from here on, and a sync asked for after it returned covers it.
    Wrote {
        inode: Inode,
        position: u64,
        data: Arc<[u8]>,
        returned: Option<usize>,
    },
    Cut(Inode, u64),
    /// These returned; they were asked for at the moment named.
    Synced(Inode, usize),
    SyncedDir(PathBuf, usize),
    SyncedAll(usize),
}

/// Everything that happened below a directory.
#[derive(Debug)]
pub(crate) struct Recording {
    root: PathBuf,
    log: Mutex<Log>,
}

#[derive(Default, Debug)]
struct Log {
    events: Vec<Event>,
    /// The file that has a number of the system's now.
    inodes: HashMap<u64, Inode>,
    files: usize,
}

static RECORDINGS: Mutex<Vec<Arc<Recording>>> = Mutex::new(Vec::new());

/// Begins to watch `root`, which must be an empty directory.
pub(crate) fn record(root: &Path) -> Arc<Recording> {
    let recording = Arc::new(Recording {
        root: root.to_owned(),
        log: Mutex::default(),
    });
    locked(&RECORDINGS).push(Arc::clone(&recording));
    recording
}

impl Recording {
    /// The moment now: how much has happened.
    pub(crate) fn now(&self) -> usize {
        locked(&self.log).events.len()
    }

    /// Watches no more.
    pub(crate) fn stop(&self) -> History {
        locked(&RECORDINGS).retain(|other| !std::ptr::eq(&raw const **other, self));
        History::of(&self.root, std::mem::take(&mut locked(&self.log).events))
    }
}

impl Log {
    fn note(&mut self, event: Event) -> usize {
        self.events.push(event);
        self.events.len()
    }

    fn begin_file(&mut self, file: &impl AsFd) -> Inode {
        self.files += 1;
        self.inodes.insert(number_of(file), self.files);
        self.files
    }

    /// A file that was there before the recording is none of its files.
    fn inode(&self, file: &impl AsFd) -> Inode {
        self.inodes.get(&number_of(file)).copied().unwrap_or(0)
    }
}

/// A directory for a disk, in memory where there is such a place: thousands are made.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = memory.is_dir().then(|| tempfile::tempdir_in(memory).ok());
    let made = made.flatten().map_or_else(tempfile::tempdir, Ok);
    made.expect("a temporary directory")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watching(path: &Path) -> Option<Arc<Recording>> {
    let recordings = locked(&RECORDINGS);
    let found = recordings
        .iter()
        .find(|recording| path.starts_with(&recording.root));
    found.cloned()
}

fn number_of(file: &impl AsFd) -> u64 {
    // SAFETY: the descriptor is open through the call, and `ManuallyDrop` keeps the wrapper from closing it.
    let file = unsafe { File::from_raw_fd(file.as_fd().as_raw_fd()) };
    let status = ManuallyDrop::new(file).metadata();
    status.expect("the status of an open file").ino()
}

fn note(path: &Path, event: impl FnOnce(&mut Log) -> Event) {
    if let Some(recording) = watching(path) {
        let mut log = locked(&recording.log);
        let event = event(&mut log);
        log.note(event);
    }
}

pub(super) fn created(file: &impl AsFd, path: &Path) {
    note(path, |log| {
        Event::Created(log.begin_file(file), path.to_owned())
    });
}

pub(super) fn made_dir(path: &Path) {
    note(path, |_| Event::MadeDir(path.to_owned()));
}

pub(super) fn renamed(from: &Path, to: &Path) {
    note(from, |_| Event::Renamed(from.to_owned(), to.to_owned()));
}

pub(super) fn removed(path: &Path) {
    note(path, |_| Event::Removed(path.to_owned()));
}

pub(super) fn cut(file: &impl AsFd, path: &Path, len: u64) {
    note(path, |log| Event::Cut(log.inode(file), len));
}

/// A write under way; it has returned when this is dropped.
pub(super) struct Writing(Option<(Arc<Recording>, usize)>);

pub(super) fn writing(file: &impl AsFd, path: &Path, data: &[u8], position: u64) -> Writing {
    Writing(watching(path).map(|recording| {
        let mut log = locked(&recording.log);
        let inode = log.inode(file);
        let end = log.note(Event::Wrote {
            inode,
            position,
            data: data.into(),
            returned: None,
        });
        drop(log);
        (recording, end - 1)
    }))
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some((recording, at)) = &self.0 {
            let events = &mut locked(&recording.log).events;
            let now = events.len();
            if let Some(Event::Wrote { returned, .. }) = events.get_mut(*at) {
                *returned = Some(now);
            }
        }
    }
}

/// A sync under way; it counts once it is done.
pub(super) struct Syncing(Option<(Arc<Recording>, Event)>);

impl Syncing {
    fn begin(path: &Path, event: impl FnOnce(&Log, usize) -> Event) -> Syncing {
        Syncing(watching(path).map(|recording| {
            let log = locked(&recording.log);
            let event = event(&log, log.events.len());
            drop(log);
            (recording, event)
        }))
    }

    pub(super) fn done(self) {
        if let Some((recording, event)) = self.0 {
            locked(&recording.log).note(event);
        }
    }
}

pub(super) fn syncing(file: &impl AsFd, path: &Path) -> Syncing {
    Syncing::begin(path, |log, asked| Event::Synced(log.inode(file), asked))
}

pub(super) fn syncing_dir(dir: &Path) -> Syncing {
    Syncing::begin(dir, |_, asked| Event::SyncedDir(dir.to_owned(), asked))
}

pub(super) fn syncing_all(dir: &Path) -> Syncing {
    Syncing::begin(dir, |_, asked| Event::SyncedAll(asked))
}
