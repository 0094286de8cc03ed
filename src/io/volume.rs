//! How large the volume of a directory is, and what is free on it.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A volume's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Volume {
    /// All of it.
    pub total_bytes: u64,
    /// What an ordinary process may still use.
    pub usable_bytes: u64,
}

/// The volume that `path` lies on. May sleep.
///
/// # Errors
/// `statvfs` fails, or the path holds a NUL.
pub fn volume_of(path: &Path) -> io::Result<Volume> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path is a C string that lives through the call, and `stat` is room for the one struct that is written.
    let result = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the struct is filled.
    let stat = unsafe { stat.assume_init() };
    Ok(Volume {
        total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        usable_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_has_a_size_and_no_more_is_free() {
        let volume = volume_of(Path::new("/")).unwrap();
        assert!(volume.total_bytes > 0);
        assert!(volume.usable_bytes <= volume.total_bytes);
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error() {
        assert!(volume_of(Path::new("/no/such/place")).is_err());
    }
}
