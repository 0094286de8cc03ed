//! What the last run left, for the logs that are opened at a start.

use super::{Compaction, Opening};
use crate::log::{Trust, WrittenCheckpoint, WrittenMarks};
use crate::types::Offset;
use std::collections::HashMap;
use std::sync::Arc;

/// What the data directory says of the last run.
#[derive(Clone, Debug)]
pub struct Startup {
    /// By place: the last run wrote its clean-shutdown mark there: no log in it needs to be checked.
    pub clean: Arc<[bool]>,
    /// The places of the logs that are there, by the names of their directories.
    pub found: Arc<HashMap<String, usize>>,
    /// Below these offsets the records were on the disk, by topic and partition.
    pub recovery_points: Arc<HashMap<(String, i32), Offset>>,
    /// Where logs began, by topic and partition, if not at 0.
    pub log_starts: Arc<HashMap<(String, i32), Offset>>,
    /// Up to where logs were written when the process died, if it did and the machine did not.
    pub written_marks: Arc<WrittenMarks>,
    /// Who keeps the checkpoint of that.
    pub written: Arc<WrittenCheckpoint>,
    /// Opening the logs, over all cores.
    pub opening: Arc<Opening>,
    /// Compaction, over all cores.
    pub compaction: Arc<Compaction>,
}

impl Startup {
    pub(super) fn log_start(&self, topic: &str, partition: i32) -> Offset {
        let start = self.log_starts.get(&(topic.to_owned(), partition));
        start.copied().unwrap_or(Offset::ZERO)
    }

    pub(super) fn trust(&self, topic: &str, partition: i32, place: usize) -> Trust {
        if self.clean[place] {
            return Trust::CleanShutdown;
        }
        let recovery_point = self.recovery_point(topic, partition);
        match self.written_marks.get(&(topic.to_owned(), partition)) {
            Some(&written) => Trust::DeadProcess {
                recovery_point,
                written,
            },
            None => Trust::Recover { recovery_point },
        }
    }

    /// Everything below was on the disk.
    pub(super) fn recovery_point(&self, topic: &str, partition: i32) -> Offset {
        let key = (topic.to_owned(), partition);
        self.recovery_points
            .get(&key)
            .copied()
            .unwrap_or(Offset::ZERO)
    }
}
