//! The kind of file lock that a JVM takes: by fcntl(2), which knows nothing of flock(2) and is not seen by it.
//!
//! A directory that a broker of either kind works with is locked in both ways, so that neither starts beside the other. A record
//! lock is the process's: it goes when any handle of that file is closed.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// What is locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordLock {
    /// Against everybody; the file is open for writing.
    Exclusive,
    /// Against who wants it exclusively; the file is open for reading.
    Shared,
}

/// Locks the whole file, until it is closed; whether nobody else has it. Does not wait.
///
/// # Errors
/// The file system has no such locks.
pub fn try_record_lock(file: &File, lock: RecordLock) -> io::Result<bool> {
    let kind = match lock {
        RecordLock::Exclusive => libc::F_WRLCK,
        RecordLock::Shared => libc::F_RDLCK,
    };
    // SAFETY: all-zero is a valid `flock`: from the start of the file to its end, however long it becomes.
    let mut range: libc::flock = unsafe { std::mem::zeroed() };
    range.l_type = kind as libc::c_short;
    range.l_whence = libc::SEEK_SET as libc::c_short;
    // SAFETY: the descriptor is open for the length of the call, and `range` lives through it.
    let locked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const range) };
    if locked == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EACCES | libc::EAGAIN) => Ok(false),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locks as another process would: a lock of an open file description is nobody's own.
    fn locked_by_another(path: &std::path::Path) -> File {
        let file = File::options().write(true).open(path).unwrap();
        // SAFETY: as in `try_record_lock`.
        let mut range: libc::flock = unsafe { std::mem::zeroed() };
        range.l_type = libc::F_WRLCK as libc::c_short;
        // SAFETY: as in `try_record_lock`.
        let locked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const range) };
        assert_eq!(locked, 0, "{}", io::Error::last_os_error());
        file
    }

    #[test]
    fn what_another_has_locked_is_not_locked_until_it_lets_go() {
        let lock = tempfile::NamedTempFile::new().unwrap();
        let other = locked_by_another(lock.path());
        for kind in [RecordLock::Exclusive, RecordLock::Shared] {
            assert!(!try_record_lock(lock.as_file(), kind).unwrap(), "{kind:?}");
        }
        drop(other);
        assert!(try_record_lock(lock.as_file(), RecordLock::Exclusive).unwrap());
    }
}
