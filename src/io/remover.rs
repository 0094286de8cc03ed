//! Removing files: on a thread of its own, one after the other, a large one a piece at a time.
//!
//! What a core waits for must not wait for this: freeing the blocks and pages of a segment takes the kernel a tenth of a second,
//! and a core has one blocking thread for everything that sleeps. The thread belongs to the process and sees no core.
//!
//! A large file loses its name first, for good: the directory is synced. It is then cut from its end, with pauses in which others get to the disk, but only when
//! nobody else has it: no other name (a backup made of hard links) and no other open handle (a reader who is to finish). Whoever
//! has it open frees it with the last handle, which `close` takes to this thread too.
//!
//! What is asked for is bounded by what exists: a path for each file that is to go, a descriptor for each that is open.

use super::answer::Answer;
use super::background;
use super::changes::{self, ChangeFile};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// What is freed in one step, in bytes: a few milliseconds of the kernel's time. Small in tests, so that they meet it.
const STEP_BYTES: u64 = if cfg!(test) { 512 } else { 32 << 20 };
/// What others get between two steps.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 10 });

/// What others get after a directory of small files.
const BREATH: Duration = Duration::from_millis(1);

/// Of fcntl(2), in `asm-generic/fcntl.h`: which signal tells of a broken lease.
const F_SETSIG: libc::c_int = 10;

enum Work {
    File(PathBuf, Answer<io::Result<()>>),
    Dir(PathBuf, Answer<io::Result<()>>),
    /// Of these nobody hears again, unless they stay.
    FileUnasked(PathBuf),
    DirUnasked(PathBuf),
    Close(OwnedFd),
}

/// Removes a file; one that is not there is no error.
///
/// # Errors
/// The file system's.
///
/// # Cancel safety
/// The file goes all the same.
pub async fn remove_file(path: &Path) -> io::Result<()> {
    let answer = Answer::default();
    give(Work::File(path.to_owned(), answer.clone()));
    answer.await
}

/// Removes a directory and all it holds, file by file; one that is not there is no error.
///
/// # Errors
/// The file system's; what came before the failure is gone.
///
/// # Cancel safety
/// The directory goes all the same.
pub async fn remove_dir(path: &Path) -> io::Result<()> {
    let answer = Answer::default();
    give(Work::Dir(path.to_owned(), answer.clone()));
    answer.await
}

/// Has a directory removed; a failure is logged. Needs no executor.
pub fn remove_dir_later(path: PathBuf) {
    give(Work::DirUnasked(path));
}

/// Has a file removed; a failure is logged. Needs no executor.
pub fn remove_file_later(path: PathBuf) {
    give(Work::FileUnasked(path));
}

/// Closes what may be the last handle to a file without a name.
pub(super) fn close(descriptor: OwnedFd) {
    give(Work::Close(descriptor));
}

fn give(work: Work) {
    static REMOVER: OnceLock<Option<Sender<Work>>> = OnceLock::new();
    let remover = REMOVER.get_or_init(|| {
        let (sender, receiver) = channel();
        let thread = thread::Builder::new().name("remover".to_owned());
        match thread.spawn(move || work_for_ever(&receiver)) {
            Ok(_) => Some(sender),
            Err(error) => {
                log::error!("no thread for removing files: {error}; cores do it themselves");
                None
            }
        }
    });
    let left = match remover {
        Some(sender) => sender.send(work).err().map(|unsent| unsent.0),
        None => Some(work),
    };
    if let Some(work) = left {
        do_one(work);
    }
}

fn work_for_ever(receiver: &Receiver<Work>) {
    background::leave_the_core();
    while let Ok(work) = receiver.recv() {
        do_one(work);
    }
}

fn do_one(work: Work) {
    match work {
        Work::File(path, answer) => answer.give(remove_one(&path)),
        Work::Dir(path, answer) => answer.give(remove_all(&path)),
        Work::FileUnasked(path) => tell_of_failure(&path, remove_one(&path)),
        Work::DirUnasked(path) => tell_of_failure(&path, remove_all(&path)),
        Work::Close(descriptor) => drop(descriptor),
    }
}

fn tell_of_failure(path: &Path, removed: io::Result<()>) {
    if let Err(error) = removed {
        log::error!(
            "{}: removing failed: {error}; it is tried again at the next start",
            path.display()
        );
    }
}

fn remove_all(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_all(&entry.path())?;
        } else {
            remove_one(&entry.path())?;
        }
    }
    // A topic may have thousands of partitions.
    thread::sleep(BREATH);
    absent_is_fine(changes::remove_dir(dir))
}

fn remove_one(path: &Path) -> io::Result<()> {
    let large = fs::symlink_metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() > STEP_BYTES);
    // A file that cannot be opened can still be removed.
    let file = match large {
        true => ChangeFile::open(path).ok(),
        false => None,
    };
    absent_is_fine(changes::remove_file(path))?;
    if let Some(file) = file {
        // A power cut must not bring the name back for what is left of the bytes: a log would find one of its segments torn.
        changes::sync_dir(path.parent().unwrap_or(Path::new(".")))?;
        free_in_steps(&file)?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Cuts a file without a name down to one step, if nobody else has it. What is left goes with the handle.
fn free_in_steps(file: &ChangeFile) -> io::Result<()> {
    let metadata = file.file().metadata()?;
    if metadata.nlink() > 0 || !is_ours_alone(file.file()) {
        return Ok(());
    }
    let mut left = metadata.len();
    while left > STEP_BYTES {
        left -= STEP_BYTES;
        file.set_len(left)?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Whether no other handle to the file is open, in any process: only then does the kernel give a write lease (fcntl(2)). A file
/// system that gives none has the file freed in one go.
fn is_ours_alone(file: &fs::File) -> bool {
    let descriptor = file.as_raw_fd();
    // SAFETY: these commands take an integer and touch no memory of ours. The signal with which the kernel tells of a broken
    // lease is one that is ignored by default; none comes, as nobody can open a file without a name.
    unsafe {
        libc::fcntl(descriptor, F_SETSIG, libc::SIGURG) == 0
            && libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_WRLCK) == 0
            && libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_UNLCK) == 0
    }
}

fn absent_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::SegmentFile;
    use crate::io::disk::tests::on_executor;
    use std::io::{Read, Write};

    fn file_of(path: &Path, bytes: u64) {
        let mut file = fs::File::create(path).unwrap();
        file.set_len(bytes).unwrap();
        file.write_all(b"head").unwrap();
    }

    #[test]
    fn a_file_and_a_directory_go_with_all_they_hold() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("topic-0.delete");
        fs::create_dir_all(inner.join("deeper")).unwrap();
        file_of(&inner.join("a.log"), 2 * STEP_BYTES);
        file_of(&inner.join("deeper/b.log"), 10);
        file_of(&dir.path().join("c.log"), STEP_BYTES + 1);
        on_executor(async {
            remove_file(&dir.path().join("c.log")).await.unwrap();
            remove_dir(&inner).await.unwrap();
            remove_file(&dir.path().join("c.log")).await.unwrap();
            remove_dir(&inner).await.unwrap();
        });
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn who_has_a_large_file_open_reads_it_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        file_of(&path, 3 * STEP_BYTES);
        let mut reader = fs::File::open(&path).unwrap();
        on_executor(async { remove_file(&path).await.unwrap() });
        assert!(!path.exists());
        let mut head = [0; 4];
        reader.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"head");
        assert_eq!(reader.metadata().unwrap().len(), 3 * STEP_BYTES);
    }

    #[test]
    fn a_file_with_another_name_keeps_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let (path, backup) = (dir.path().join("a.log"), dir.path().join("backup"));
        file_of(&path, 3 * STEP_BYTES);
        fs::hard_link(&path, &backup).unwrap();
        on_executor(async { remove_file(&path).await.unwrap() });
        assert_eq!(fs::metadata(&backup).unwrap().len(), 3 * STEP_BYTES);
    }

    #[test]
    fn a_large_file_that_nobody_has_is_freed_in_steps() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        file_of(&path, 3 * STEP_BYTES + 5);
        let file = ChangeFile::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        if is_ours_alone(file.file()) {
            free_in_steps(&file).unwrap();
            assert_eq!(file.file().metadata().unwrap().len(), 5);
        }
    }

    #[test]
    fn a_handle_to_a_deleted_file_is_closed_elsewhere_and_its_space_is_freed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        file_of(&path, 10);
        let handle = SegmentFile::new(fs::File::open(&path).unwrap(), path.clone());
        let descriptor = handle.as_raw_fd();
        fs::remove_file(&path).unwrap();
        drop(handle);
        // What is asked for next is done after the closing.
        on_executor(async { remove_file(&path).await.unwrap() });
        let target = fs::read_link(format!("/proc/self/fd/{descriptor}"));
        assert!(!target.is_ok_and(|target| target.starts_with(dir.path())));
    }
}
