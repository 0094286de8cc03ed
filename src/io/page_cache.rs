//! What the page cache holds of a file, asked without reading from the device.
//!
//! Plain calls that do not sleep, on any thread.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Number of `cachestat(2)` on every architecture (Linux 6.5).
const SYS_CACHESTAT: libc::c_long = 451;
const PAGE: u64 = 4096;

/// How many pages of the range are in the page cache now.
///
/// # Errors
/// The kernel is older than 6.5, or the file system cannot tell.
pub fn resident_pages(file: &impl AsFd, position: u64, len: u64) -> io::Result<u64> {
    let range = [position, len];
    let mut statistics = [0_u64; 5];
    // SAFETY: the call reads two and writes five numbers of 64 bits (`struct cachestat_range`, `struct cachestat`), which is
    // what these arrays are; the descriptor is open through the call.
    let result = unsafe {
        libc::syscall(
            SYS_CACHESTAT,
            file.as_fd().as_raw_fd(),
            range.as_ptr(),
            statistics.as_mut_ptr(),
            0,
        )
    };
    if result == 0 {
        Ok(statistics[0])
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Whether every page of the range is in the page cache, by the kernel's own word: where it cannot tell, the answer is no.
pub fn is_certainly_resident(file: &impl AsFd, position: u64, len: u64) -> bool {
    len == 0
        || resident_pages(file, position, len)
            .is_ok_and(|pages| pages >= pages_spanned(position, len))
}

/// Reads into `buffer` what can be read without sleeping: bytes in the page cache.
///
/// Returns the bytes read: fewer than asked when the file or the resident range ends, 0 only at the end of the file.
///
/// # Errors
/// `WouldBlock` when the first byte is not in the page cache (or the file system cannot tell); any other error is the disk's.
pub fn try_read_now(file: &impl AsFd, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let vector = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let position = libc::off_t::try_from(position)
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let descriptor = file.as_fd().as_raw_fd();
    // SAFETY: `vector` describes exactly `buffer`, which is borrowed mutably for the whole call; so is the open descriptor.
    let read = unsafe { libc::preadv2(descriptor, &vector, 1, position, libc::RWF_NOWAIT) };
    if read >= 0 {
        return Ok(read.unsigned_abs());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EOPNOTSUPP | libc::ENOSYS | libc::EINTR) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        _ => Err(error),
    }
}

/// How many pages a range touches.
pub fn pages_spanned(position: u64, len: u64) -> u64 {
    (position + len - 1) / PAGE - position / PAGE + 1
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Has the kernel forget what it has of a file, if the file system lets it.
    pub(crate) fn forget(file: &std::fs::File) {
        file.sync_all().unwrap();
        // SAFETY: takes four numbers; the descriptor is open.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    }
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn a_range_spans_the_pages_it_touches() {
        assert_eq!(pages_spanned(0, 1), 1);
        assert_eq!(pages_spanned(4095, 2), 2);
        assert_eq!(pages_spanned(4096, 4096), 1);
    }

    #[test]
    fn what_was_just_written_is_there_and_what_never_was_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(dir.path().join("a"))
            .unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        let mut head = [0; 4];
        assert_eq!(try_read_now(&file, 9_998, &mut head).unwrap(), 2);
        // An old kernel cannot tell: then it is no.
        if resident_pages(&file, 0, 1).is_ok() {
            assert!(is_certainly_resident(&file, 0, 10_000));
        }
        assert!(!is_certainly_resident(&file, 1 << 20, 10));
        assert!(is_certainly_resident(&file, 5, 0));
    }
}
