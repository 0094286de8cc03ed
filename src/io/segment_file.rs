//! An open file for reading, from any core.
//!
//! A handle is an `Arc` of the descriptor: read plans carry it to the connection's core, which gives it to `sendfile`;
//! retention and deletion may drop the owner's handle while readers finish. It must never write.

use std::fs::File;
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use glommio::io::BufferedFile;

use super::lifetime::FileIdentity;
use super::page_cache;
use super::remover;

/// A shared handle to an open file. Cloning it is cheap; the descriptor closes with the last clone.
#[derive(Clone, Debug)]
pub struct SegmentFile {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    // Never dropped in place: see `Drop`.
    descriptor: ManuallyDrop<OwnedFd>,
    path: PathBuf,
}

impl Drop for Inner {
    /// The last handle of a deleted file frees its space, which takes too long for a core.
    fn drop(&mut self) {
        let deleted = has_no_name(self.descriptor.as_fd()).unwrap_or(false);
        // SAFETY: the field is not used again.
        let descriptor = unsafe { ManuallyDrop::take(&mut self.descriptor) };
        if deleted {
            remover::close(descriptor);
        }
    }
}

impl SegmentFile {
    /// Takes over an open file; `path` is for error messages only.
    pub fn new(file: File, path: PathBuf) -> SegmentFile {
        SegmentFile {
            inner: Arc::new(Inner {
                descriptor: ManuallyDrop::new(file.into()),
                path,
            }),
        }
    }

    /// Where the file was when it was opened. A rename since then does not show.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Reads into `buffer` what can be read without sleeping: bytes in the page cache.
    ///
    /// Returns the bytes read: fewer than asked when the file or the resident range ends, 0 only at the end of the file.
    ///
    /// # Errors
    /// `WouldBlock` when the first byte is not in the page cache (or the file system cannot tell); any other error is
    /// the disk's.
    pub fn try_read_now(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        page_cache::try_read_now(self, position, buffer)
    }

    /// Reads exactly `len` bytes through io_uring, sleeping pages included.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends earlier; else the disk's error.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: the read goes through a descriptor of its own.
    pub async fn read_exact_at(&self, position: u64, len: usize) -> io::Result<Bytes> {
        let mut data = vec![0; len];
        self.finish_read(position, &mut data, 0).await?;
        Ok(data.into())
    }

    /// Reads exactly `len` bytes: at once what the page cache holds, the rest through io_uring.
    ///
    /// # Errors
    /// As [`SegmentFile::read_exact_at`].
    pub async fn read_at(&self, position: u64, len: usize) -> io::Result<Bytes> {
        let mut data = vec![0; len];
        self.read_into(position, &mut data).await?;
        Ok(data.into())
    }

    /// [`SegmentFile::read_at`] into a buffer of the caller's.
    ///
    /// # Errors
    /// As [`SegmentFile::read_exact_at`].
    pub async fn read_into(&self, position: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.try_read_now(position + filled as u64, &mut buffer[filled..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.finish_read(position, buffer, filled).await
    }

    /// Whether all pages of the range are in the page cache now. They may leave it before the answer is used.
    pub fn is_resident(&self, position: u64, len: u64) -> bool {
        if len == 0 {
            return true;
        }
        match page_cache::resident_pages(self, position, len) {
            Ok(pages) => pages >= page_cache::pages_spanned(position, len),
            // A kernel before 6.5, or a file system without it: probe the first and the last byte.
            Err(_) => [position, position + len - 1]
                .into_iter()
                .all(|probe| matches!(self.try_read_now(probe, &mut [0]), Ok(1))),
        }
    }

    /// Whether the file has lost its last name: its space is free once the last handle closes.
    ///
    /// # Errors
    /// `fstat` failed.
    pub fn is_deleted(&self) -> io::Result<bool> {
        has_no_name(self.as_fd())
    }

    /// The size of the file in bytes.
    ///
    /// # Errors
    /// `fstat` failed.
    pub fn len(&self) -> io::Result<u64> {
        Ok(File::from(self.inner.descriptor.try_clone()?)
            .metadata()?
            .len())
    }

    /// Which file it is. May sleep.
    ///
    /// # Errors
    /// [`FileIdentity::of`]'s.
    pub fn identity(&self) -> io::Result<FileIdentity> {
        FileIdentity::of(&File::from(self.inner.descriptor.try_clone()?))
    }

    /// Whether the file is empty.
    ///
    /// # Errors
    /// `fstat` failed.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buffer` from `filled` on through io_uring.
    async fn finish_read(
        &self,
        position: u64,
        buffer: &mut [u8],
        mut filled: usize,
    ) -> io::Result<()> {
        if filled == buffer.len() {
            return Ok(());
        }
        let descriptor = self.inner.descriptor.try_clone()?;
        // SAFETY: the duplicate was just made and nobody else owns it; the file closes it through the ring, after any
        // read that a dropped future leaves behind.
        let file = unsafe { BufferedFile::from_raw_fd(descriptor.into_raw_fd()) };
        while filled < buffer.len() {
            let data = file
                .read_at(position + filled as u64, buffer.len() - filled)
                .await;
            let data = data.map_err(os_error)?;
            if data.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer[filled..filled + data.len()].copy_from_slice(&data);
            filled += data.len();
        }
        Ok(())
    }
}

impl AsRawFd for SegmentFile {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.descriptor.as_raw_fd()
    }
}

impl AsFd for SegmentFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.descriptor.as_fd()
    }
}

/// The error of the system call, with its errno: glommio's own wrapping hides the number from `io::Error`.
pub(super) fn os_error(error: glommio::GlommioError<()>) -> io::Error {
    match error.raw_os_error() {
        Some(errno) => io::Error::from_raw_os_error(errno),
        None => error.into(),
    }
}

/// Whether an open file has lost its last name.
fn has_no_name(descriptor: BorrowedFd<'_>) -> io::Result<bool> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the descriptor is open through the call, and `stat` is room for the one struct that is written.
    let result = unsafe { libc::fstat(descriptor.as_raw_fd(), stat.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the struct is filled.
    Ok(unsafe { stat.assume_init() }.st_nlink == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::disk::tests::on_executor;
    use std::io::Write;

    fn file_of(content: &[u8]) -> SegmentFile {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        SegmentFile::new(file, PathBuf::from("memory"))
    }

    #[test]
    fn reads_give_the_bytes_asked_for_and_an_early_end_is_an_error() {
        let content: Vec<u8> = (0..20_000_u32).map(|n| n as u8).collect();
        on_executor(async move {
            let file = file_of(&content);
            assert_eq!(
                &file.read_at(5000, 10_000).await.unwrap()[..],
                &content[5000..15_000]
            );
            assert_eq!(
                &file.read_exact_at(1, 9).await.unwrap()[..],
                &content[1..10]
            );
            let beyond = file.read_at(19_990, 11).await.unwrap_err();
            assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
            let beyond = file.read_exact_at(19_990, 11).await.unwrap_err();
            assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
        });
    }

    #[test]
    fn what_was_just_written_is_resident_and_a_hole_past_the_end_is_not() {
        let file = file_of(&[7; 9000]);
        assert!(file.is_resident(0, 9000));
        assert!(file.is_resident(4095, 2));
        assert!(!file.is_resident(0, 1 << 20));
    }

    #[test]
    fn a_handle_may_leave_its_core() {
        fn crosses<T: Send + Sync>() {}
        crosses::<SegmentFile>();
    }
}
