//! Room on the disk that is kept for records to come.

use super::error::{LogError, is_no_space};
use super::file_names::FileKind;
use super::partition_log::PartitionLog;

impl PartitionLog {
    /// Sees to it that the next `bytes` of the active segment have blocks of their own: they can then be written on a full disk. The
    /// size of the file stays.
    ///
    /// # Errors
    /// There is no room. That a file system cannot reserve any is no error.
    pub async fn keep_room(&self, bytes: u64) -> Result<(), LogError> {
        let active = self.state.borrow().active().clone();
        let Some(file) = active.appender() else {
            return Ok(());
        };
        let end = active.staged.get() + bytes;
        match self.storage.preallocate(&file, end).await {
            Err(error) if is_no_space(&error) => {
                let path = active.path(FileKind::Log);
                Err(LogError::storage("reserve room in", &path, error))
            }
            _ => Ok(()),
        }
    }
}
