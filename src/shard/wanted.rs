//! A partition that a core is to own: in which directory its log is, and how it is opened or made.

use super::dirs::Dir;
use super::install::{log_config, remove_after};
use super::{Shard, Startup};
use crate::io::blocking;
use crate::log::{
    Foreign, LogConfig, LogError, PartitionLog, RecoveryReport, Trust, partition_dir_name,
    set_aside_foreign,
};
use crate::metadata::{self, Topic};
use crate::types::{LeaderEpoch, Offset, PartitionKey};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A partition that is to be opened.
pub(super) struct Wanted {
    pub(super) key: PartitionKey,
    pub(super) topic: Arc<Topic>,
    pub(super) epoch: LeaderEpoch,
    /// The id of the data directory it belongs in; nil if nobody has decided.
    pub(super) directory: Uuid,
    pub(super) config: LogConfig,
    pub(super) max_message_bytes: u32,
}

impl Wanted {
    /// The partition `state` of `topic`, with these settings.
    pub(super) fn new(
        key: PartitionKey,
        topic: &Arc<Topic>,
        state: &metadata::Partition,
        config: LogConfig,
        max_message_bytes: u32,
    ) -> Wanted {
        Wanted {
            key,
            topic: Arc::clone(topic),
            epoch: state.leader_epoch,
            directory: state.directories.first().copied().unwrap_or_default(),
            config,
            max_message_bytes,
        }
    }

    /// The name of its directory.
    pub(super) fn name(&self) -> String {
        partition_dir_name(&self.topic.name, self.key.partition)
    }
}

impl Shard {
    /// A partition as the metadata has it now, if it is there.
    pub(super) fn wanted(&self, key: PartitionKey) -> Option<Wanted> {
        let image = self.image();
        let topic = image.topic(key.topic_id)?;
        let state = topic.partitions.get(&key.partition)?;
        let config = self.topic_config(&key.topic_id)?;
        let log = log_config(&config, &self.live());
        let max_message_bytes = config.max_message_bytes;
        Some(Wanted::new(key, topic, state, log, max_message_bytes))
    }

    /// Where a partition's log is, or is to be made.
    pub(super) fn place_of(
        &self,
        wanted: &Wanted,
        startup: Option<&Startup>,
    ) -> Result<usize, LogError> {
        let name = wanted.name();
        let found = startup.and_then(|startup| startup.found.get(&name));
        if let Some(place) = found {
            return Ok(*place);
        }
        let lost = |dir: &Dir| {
            let reason = dir.loss().unwrap_or("it cannot be used").to_owned();
            LogError::storage("open", &dir.path.join(&name), io::Error::other(reason))
        };
        let all = self.dirs.all();
        if let Some(place) = self.dirs.place_of(wanted.directory) {
            return match all[place].loss() {
                None => Ok(place),
                Some(_) => Err(lost(&all[place])),
            };
        }
        match self.dirs.unknown_loss() {
            Some(dir) if startup.is_some() => Err(lost(dir)),
            _ => self.dirs.first_usable().ok_or_else(|| lost(&all[0])),
        }
    }

    /// Opens the log of a partition in its place, or makes it, with what the last run left if that is how it was found; and what an
    /// operator should be told.
    pub(super) async fn open_one(
        &self,
        wanted: &Wanted,
        place: usize,
        startup: Option<&Startup>,
    ) -> Result<(Rc<PartitionLog>, Option<String>), LogError> {
        let name = wanted.name();
        let dir = self.dirs.all()[place].path.join(&name);
        let foreign = match startup {
            Some(startup) if startup.clean[place] => Foreign::Refuse,
            Some(_) => Foreign::Stray,
            None => Foreign::Delete,
        };
        if let Some(aside) = set_aside_foreign(&dir, wanted.key.topic_id, foreign).await? {
            self.compaction
                .forget(&wanted.topic.name, wanted.key.partition, place);
            if foreign == Foreign::Delete {
                log::warn!(
                    "{name}: its directory was that of a deleted topic, whose files are removed"
                );
                remove_after(name.clone(), aside, Duration::ZERO);
            } else {
                log::warn!(
                    "{name}: its directory was another topic's by its partition.metadata, most likely a deleted one's; its files \
                     are kept in {} until you remove them",
                    aside.display()
                );
            }
        }
        if let Some(startup) = startup {
            if exists(dir.clone()).await {
                let start = startup.log_start(&wanted.topic.name, wanted.key.partition);
                let trust = startup.trust(&wanted.topic.name, wanted.key.partition, place);
                let known = startup.recovery_point(&wanted.topic.name, wanted.key.partition);
                let open = |trust| {
                    let (dir, config) = (dir.clone(), wanted.config.clone());
                    startup.opening.open(dir, config, trust, start)
                };
                let (mut log, mut report) = open(trust).await?;
                if startup.clean[place] && known > Offset::ZERO && report.log_end_offset > known {
                    log::warn!(
                        "{name}: the last stop left its end at offset {known}, but now it seems to be {}: checking from there",
                        report.log_end_offset
                    );
                    let recovery_point = known;
                    (log, report) = open(Trust::Recover { recovery_point }).await?;
                }
                let cut = remark(&name, &report);
                let lacking = || lack(&name, &report, known, startup.clean[place]);
                return Ok((log, cut.or_else(lacking)));
            }
            let log = self.create_log(wanted, dir).await?;
            return Ok((
                log,
                Some(format!(
                    "{name}: its directory was missing; the partition begins empty"
                )),
            ));
        }
        Ok((self.create_log(wanted, dir).await?, None))
    }

    async fn create_log(
        &self,
        wanted: &Wanted,
        dir: PathBuf,
    ) -> Result<Rc<PartitionLog>, LogError> {
        PartitionLog::create(
            dir,
            wanted.key.topic_id,
            wanted.config.clone(),
            wanted.epoch,
        )
        .await
    }
}

async fn exists(dir: PathBuf) -> bool {
    blocking(move || dir.exists()).await
}

/// What an operator must know of an opening: what is lost.
pub(super) fn remark(name: &str, report: &RecoveryReport) -> Option<String> {
    let cut = report.cut.as_ref()?;
    Some(format!(
        "{name}: cut off at offset {} ({} at position {}: {}): {} bytes are lost, {} whole segments among them",
        cut.offset,
        cut.path.display(),
        cut.position,
        cut.reason,
        cut.lost_bytes,
        cut.dropped_segments
    ))
}

/// What is missing although nothing was torn: somebody has removed files.
fn lack(name: &str, report: &RecoveryReport, known: Offset, clean: bool) -> Option<String> {
    if report.log_end_offset < known {
        return Some(format!(
            "{name}: it ends at offset {}, but records up to offset {known} were on the disk: files of it were removed",
            report.log_end_offset
        ));
    }
    // After a crash indexes are made again as a matter of course.
    (clean && report.rebuilt_indexes > 0).then(|| {
        format!(
            "{name}: the indexes of {} segments were missing or wrong and are made again",
            report.rebuilt_indexes
        )
    })
}
