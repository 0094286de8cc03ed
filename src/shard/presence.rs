//! Files that were removed under the running broker are noticed, and their partitions take no more records.

use super::Shard;
use crate::io::blocking;
use crate::limits;
use crate::log::PartitionLog;
use std::path::PathBuf;
use std::rc::Rc;

impl Shard {
    /// Looks from time to time whether the files that are written to are still there, for as long as the core runs.
    pub async fn look_after_files_for_ever(self: Rc<Self>) {
        loop {
            glommio::timer::sleep(limits::FILES_LOOKED_AFTER).await;
            self.look_after_files().await;
        }
    }

    async fn look_after_files(&self) {
        let mut logs: Vec<Rc<PartitionLog>> = self
            .partitions
            .borrow()
            .values()
            .map(|partition| Rc::clone(&partition.log))
            .collect();
        let controller = self.controller.borrow().clone();
        logs.extend(controller.map(|controller| controller.log()));
        let files: Vec<Option<PathBuf>> = logs.iter().map(|log| log.active_file()).collect();
        let paths = files.clone();
        // Looking may sleep, so it is done elsewhere.
        let are_there = blocking(move || {
            let is_there = |path: &Option<PathBuf>| {
                path.as_ref()
                    .is_none_or(|path| path.try_exists().unwrap_or(true))
            };
            paths.iter().map(is_there).collect::<Vec<bool>>()
        })
        .await;
        for ((log, file), is_there) in logs.iter().zip(files).zip(are_there) {
            if let (Some(file), false) = (file, is_there) {
                log.lost_active_file(&file);
            }
        }
    }
}
