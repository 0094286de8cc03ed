//! Having the kernel write dirty pages to the device, a piece at a time, before a sync needs them to be there.
//!
//! An fdatasync of much data lets everybody wait who appends to the same file system. Written out before, little is left for it.
//! One thread of the process does it for all cores, one piece after the other, so the device never sees more than one.
//!
//! It makes nothing durable: `sync_file_range(2)` writes pages, not what a file system needs to find them again.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::answer::Answer;
use super::{SegmentFile, background};

/// A piece that is to be written.
struct Work {
    file: SegmentFile,
    position: u64,
    len: u64,
    answer: Answer<io::Result<()>>,
}

/// Writes the dirty pages of a range to the device and waits until they are there.
///
/// # Errors
/// The device's; the next sync tells of it too.
///
/// # Cancel safety
/// The pages are written all the same.
pub async fn write_out(file: &SegmentFile, position: u64, len: u64) -> io::Result<()> {
    let answer = Answer::default();
    give(Work {
        file: file.clone(),
        position,
        len,
        answer: answer.clone(),
    })?;
    answer.await
}

fn give(work: Work) -> io::Result<()> {
    static WRITER: OnceLock<Option<Sender<Work>>> = OnceLock::new();
    let writer = WRITER.get_or_init(|| {
        let (sender, receiver) = channel();
        let spawned = background::spawn("write-out", move || work_for_ever(&receiver));
        spawned.ok().map(|()| sender)
    });
    let sent = writer.as_ref().map(|writer| writer.send(work).is_ok());
    match sent {
        Some(true) => Ok(()),
        Some(false) | None => Err(io::Error::other("there is no thread for it")),
    }
}

fn work_for_ever(receiver: &Receiver<Work>) {
    while let Ok(work) = receiver.recv() {
        let written = write_range(&work.file, work.position, work.len);
        work.answer.give(written);
    }
}

fn write_range(file: &SegmentFile, position: u64, len: u64) -> io::Result<()> {
    let flags = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let number = |n: u64| i64::try_from(n).map_err(|_| io::ErrorKind::InvalidInput);
    let (position, len) = (number(position)?, number(len)?);
    // SAFETY: takes numbers only; the descriptor is open as long as `file` lives.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), position, len, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::disk::tests::on_executor;
    use std::io::Write;

    #[test]
    fn a_range_is_written_and_a_range_that_cannot_be_is_an_error() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7; 100_000]).unwrap();
        let path = file.path().to_owned();
        let file = SegmentFile::new(file.reopen().unwrap(), path);
        on_executor(async move {
            write_out(&file, 0, 100_000).await.unwrap();
            assert!(write_out(&file, u64::MAX, 1).await.is_err());
        });
    }
}
