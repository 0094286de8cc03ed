//! An open file that grows, on the one core that owns it.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};

use glommio::io::BufferedFile;

#[cfg(test)]
use super::power_loss;
use super::segment_file::{SegmentFile, os_error};

/// A file of a partition's owner: positioned writes and syncs through io_uring, one descriptor shared with its readers.
///
/// States of a write, as the kernel has them: handed over (`write_at` awaits), in the page cache (`write_at` returned),
/// on the device (a later `fdatasync` returned). A failed `fdatasync` may have dropped pages: it must not be retried.
///
/// # Cancel safety
/// None: glommio cancels an operation whose future is dropped. Writes and syncs belong in a task that nobody drops.
#[derive(Debug)]
pub struct AppendFile {
    reader: SegmentFile,
    // Never dropped: dropping it would close the descriptor, which belongs to `reader` and its clones.
    ring: ManuallyDrop<BufferedFile>,
}

impl AppendFile {
    /// Wraps a file that is open for reading and writing.
    ///
    /// # Panics
    /// Outside a glommio executor.
    pub fn new(file: SegmentFile) -> AppendFile {
        // SAFETY: the descriptor stays open as long as `reader`, which lives beside it; `ManuallyDrop` keeps the wrapper from
        // closing it.
        let ring = unsafe { BufferedFile::from_raw_fd(file.as_raw_fd()) };
        AppendFile {
            reader: file,
            ring: ManuallyDrop::new(ring),
        }
    }

    /// The handle for reading, which may go to other cores.
    pub fn reader(&self) -> &SegmentFile {
        &self.reader
    }

    /// Writes `data` at `position`; returns how many bytes went out, which may be fewer (the caller goes on).
    ///
    /// # Errors
    /// The disk's: ENOSPC, EIO and their kin.
    pub async fn write_at(&self, data: Vec<u8>, position: u64) -> io::Result<usize> {
        #[cfg(test)]
        let _write = power_loss::writing(&self.reader, self.reader.path(), &data, position);
        self.ring.write_at(data, position).await.map_err(os_error)
    }

    /// Waits until everything written so far is on the device.
    ///
    /// # Errors
    /// The disk's; which pages are lost is then unknown.
    pub async fn fdatasync(&self) -> io::Result<()> {
        #[cfg(test)]
        let sync = power_loss::syncing(&self.reader, self.reader.path());
        self.ring.fdatasync().await.map_err(os_error)?;
        #[cfg(test)]
        sync.done();
        Ok(())
    }

    /// Cuts the file to `len` bytes.
    ///
    /// # Errors
    /// The disk's.
    pub async fn truncate(&self, len: u64) -> io::Result<()> {
        self.ring.truncate(len).await.map_err(os_error)?;
        #[cfg(test)]
        power_loss::cut(&self.reader, self.reader.path(), len);
        Ok(())
    }

    /// Reserves blocks for the first `len` bytes; the size of the file stays.
    ///
    /// # Errors
    /// ENOSPC, or EOPNOTSUPP where the file system cannot.
    pub async fn preallocate(&self, len: u64) -> io::Result<()> {
        self.ring.pre_allocate(len, true).await.map_err(os_error)
    }
}
