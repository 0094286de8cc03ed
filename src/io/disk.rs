//! The real file system: io_uring for the bytes of a log, blocking threads for everything about names, the remover for what goes.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::blocking::blocking;
use super::changes::{self, ChangeFile};
use super::durable_write;
use super::remover;
use super::sync_group;
use super::write_out;
use super::{AppendFile, IoFuture, SegmentFile, Storage};

/// [`Storage`] on the machine's own file systems.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Storage for Disk {
    fn create(&self, path: &Path) -> IoFuture<Rc<AppendFile>> {
        let path = path.to_owned();
        Box::pin(async move {
            let file = blocking(move || {
                let file = ChangeFile::create_new(&path)?.into_file();
                Ok::<_, io::Error>(SegmentFile::new(file, path))
            })
            .await?;
            Ok(Rc::new(AppendFile::new(file)))
        })
    }

    fn write_at(&self, file: &Rc<AppendFile>, data: Vec<u8>, position: u64) -> IoFuture<usize> {
        let file = file.clone();
        Box::pin(async move { file.write_at(data, position).await })
    }

    fn fdatasync(&self, file: &Rc<AppendFile>) -> IoFuture<()> {
        let file = file.clone();
        Box::pin(async move { file.fdatasync().await })
    }

    fn write_out(&self, file: &SegmentFile, position: u64, len: u64) -> IoFuture<()> {
        let file = file.clone();
        Box::pin(async move { write_out::write_out(&file, position, len).await })
    }

    fn truncate(&self, file: &Rc<AppendFile>, len: u64) -> IoFuture<()> {
        let file = file.clone();
        Box::pin(async move { file.truncate(len).await })
    }

    fn preallocate(&self, file: &Rc<AppendFile>, len: u64) -> IoFuture<()> {
        let file = file.clone();
        Box::pin(async move { file.preallocate(len).await })
    }

    fn replace_file(&self, path: &Path, content: Vec<u8>) -> IoFuture<()> {
        let path = path.to_owned();
        Box::pin(blocking(move || {
            durable_write::replace_file(&path, &content)
        }))
    }

    fn write_files(&self, files: Vec<(PathBuf, Vec<u8>)>) -> IoFuture<()> {
        Box::pin(blocking(move || write_files(&files)))
    }

    fn sync_file_system(&self, dir: &Path) -> IoFuture<()> {
        let dir = dir.to_owned();
        Box::pin(async move { sync_group::sync_file_system(&dir).await })
    }

    fn sync_dir(&self, dir: &Path) -> IoFuture<()> {
        let dir = dir.to_owned();
        Box::pin(blocking(move || changes::sync_dir(&dir)))
    }

    fn create_dir(&self, dir: &Path, files: Vec<(PathBuf, Vec<u8>)>) -> IoFuture<()> {
        let dir = dir.to_owned();
        Box::pin(blocking(move || {
            changes::create_dir_all(&dir)?;
            write_files(&files)
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> IoFuture<()> {
        let (from, to) = (from.to_owned(), to.to_owned());
        Box::pin(blocking(move || changes::rename(&from, &to)))
    }

    fn remove_file(&self, path: &Path) -> IoFuture<()> {
        let path = path.to_owned();
        Box::pin(async move { remover::remove_file(&path).await })
    }

    fn remove_dir(&self, dir: &Path) -> IoFuture<()> {
        let dir = dir.to_owned();
        Box::pin(async move { remover::remove_dir(&dir).await })
    }
}

fn write_files(files: &[(PathBuf, Vec<u8>)]) -> io::Result<()> {
    files
        .iter()
        .try_for_each(|(path, content)| changes::write(path, content))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::future::Future;

    /// Runs a test on an executor with little registered memory, so that many can run side by side.
    pub(crate) fn on_executor<T>(test: impl Future<Output = T>) -> T {
        glommio::LocalExecutorBuilder::default()
            .io_memory(64 << 10)
            .ring_depth(16)
            .make()
            .expect("an io_uring executor")
            .run(test)
    }

    #[test]
    fn written_bytes_are_read_back_and_a_cut_takes_them_away() {
        let dir = tempfile::tempdir().unwrap();
        on_executor(async move {
            let path = dir.path().join("a").join("b.log");
            Disk.create_dir(path.parent().unwrap(), vec![])
                .await
                .unwrap();
            let file = Disk.create(&path).await.unwrap();
            assert_eq!(
                Disk.write_at(&file, vec![3; 10_000], 0).await.unwrap(),
                10_000
            );
            assert_eq!(Disk.write_at(&file, vec![4; 10], 10_000).await.unwrap(), 10);
            Disk.fdatasync(&file).await.unwrap();
            assert_eq!(
                &file.reader().read_at(9_998, 4).await.unwrap()[..],
                [3, 3, 4, 4]
            );
            Disk.truncate(&file, 9_999).await.unwrap();
            assert_eq!(file.reader().len().unwrap(), 9_999);
            assert!(
                Disk.create(&path).await.is_err(),
                "a log file is never opened over another"
            );
        });
    }

    #[test]
    fn removing_what_is_not_there_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        on_executor(async move {
            Disk.remove_file(&dir.path().join("gone")).await.unwrap();
            Disk.remove_dir(&dir.path().join("gone-too")).await.unwrap();
        });
    }
}
