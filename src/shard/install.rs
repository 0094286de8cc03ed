//! Working with a new image: partitions that appeared are opened or made, those that went are put away, settings follow.
//!
//! The order matters to those who read meanwhile: a new partition exists before the image names it, and the image has
//! forgotten a deleted one before its log is renamed.

use super::message::{Answer, Call, InstallReport, PartitionCheckpoint};
use super::{Partition, Shard};
use crate::config::topic::DynamicConfigs;
use crate::config::{BrokerConfig, TopicConfig};
use crate::limits;
use crate::log::{AdvanceCause, LogConfig, LogError, PartitionLog, RecoveryReport, Trust};
use crate::metadata::{Image, Topic};
use crate::types::{LeaderEpoch, Offset, PartitionKey, ShardId, TopicId};
use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What the data directory says of the last run.
#[derive(Clone, Debug)]
pub struct Startup {
    /// The last run wrote its clean-shutdown mark: no log needs to be checked.
    pub clean: bool,
    /// Below these offsets the records were on the disk, by topic and partition.
    pub recovery_points: Arc<HashMap<(String, i32), Offset>>,
}

/// A partition that is to be opened.
struct Wanted {
    key: PartitionKey,
    topic: Arc<Topic>,
    epoch: LeaderEpoch,
    config: LogConfig,
}

impl Shard {
    /// Makes every core work with `image`; returns what each reports, together.
    pub async fn install_everywhere(self: &Rc<Self>, image: &Arc<Image>) -> InstallReport {
        let others: Vec<_> = (0..self.cores())
            .map(ShardId)
            .filter(|&core| core != self.me())
            .map(|core| self.mesh.call(core, Call::Install(Arc::clone(image))))
            .collect();
        let mut report = self.install_here(Arc::clone(image)).await;
        for pending in others {
            match pending.await {
                Answer::Installed(other) => report.add(other),
                other => unreachable!("an image was answered with {other:?}"),
            }
        }
        report
    }

    pub(super) async fn install_here(self: &Rc<Self>, image: Arc<Image>) -> InstallReport {
        let mut report = InstallReport::default();
        let wanted = self.follow_topics(&image);
        self.open_all(wanted, &mut report).await;
        *self.image.borrow_mut() = Arc::clone(&image);
        // What is opened from now on is new.
        *self.startup.borrow_mut() = None;
        self.put_away_deleted(&image);
        report.partitions = self.partitions.borrow().len();
        report
    }

    /// Settings and leader epochs follow the image; returns the partitions that this core is to own and has not yet.
    fn follow_topics(&self, image: &Image) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let known = self.image();
        for topic in image.topics() {
            let unchanged = known
                .topic_by_id(&topic.id)
                .is_some_and(|before| Arc::ptr_eq(before, topic));
            if unchanged {
                continue;
            }
            let config = Rc::new(TopicConfig::resolve(
                &self.config.settings,
                &DynamicConfigs::default(),
                &topic.configs,
            ));
            let log_config = log_config(&config, &self.config);
            self.topics.borrow_mut().insert(topic.id, config);
            for (index, state) in topic.partitions.iter().enumerate() {
                let key = PartitionKey {
                    topic_id: topic.id,
                    partition: index as i32,
                };
                if self.owner(&key) != self.me() {
                    continue;
                }
                let epoch = LeaderEpoch(state.leader_epoch);
                match self.partitions.borrow().get(&key) {
                    Some(partition) => {
                        partition.leader_epoch.set(epoch);
                        partition.log.update_config(log_config.clone());
                    }
                    None => wanted.push(Wanted {
                        key,
                        topic: Arc::clone(topic),
                        epoch,
                        config: log_config.clone(),
                    }),
                }
            }
        }
        wanted
    }

    /// Opens several logs at a time; most of the time is spent waiting for the disk.
    async fn open_all(self: &Rc<Self>, wanted: Vec<Wanted>, report: &mut InstallReport) {
        let mut wanted = wanted.into_iter();
        loop {
            let tasks: Vec<_> = wanted
                .by_ref()
                .take(limits::LOGS_OPENED_TOGETHER)
                .map(|wanted| {
                    let shard = Rc::clone(self);
                    glommio::spawn_local(async move {
                        let opened = shard.open_one(&wanted).await;
                        (wanted, opened)
                    })
                })
                .collect();
            if tasks.is_empty() {
                return;
            }
            for task in tasks {
                let (wanted, opened) = task.await;
                match opened {
                    Ok((log, remark)) => {
                        report.remarks.extend(remark);
                        self.enter(wanted, log);
                    }
                    Err(error) => report.failures.push((wanted.key, error.to_string())),
                }
            }
        }
    }

    async fn open_one(
        &self,
        wanted: &Wanted,
    ) -> Result<(Rc<PartitionLog>, Option<String>), LogError> {
        let name = format!("{}-{}", wanted.topic.name, wanted.key.partition);
        let dir = self.data_dir.join(&name);
        let startup = self.startup.borrow().clone();
        if let Some(startup) = startup {
            if exists(dir.clone()).await {
                let trust = startup.trust(&wanted.topic.name, wanted.key.partition);
                let (log, report) = PartitionLog::open(dir, wanted.config.clone(), trust).await?;
                return Ok((log, remark(&name, &report)));
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

    fn enter(self: &Rc<Self>, wanted: Wanted, log: Rc<PartitionLog>) {
        let key = wanted.key;
        let shard = Rc::downgrade(self);
        log.set_on_advance(Box::new(move |advance| {
            let Some(shard) = shard.upgrade() else { return };
            let told = match advance.cause {
                AdvanceCause::Committed => shard.watches.advanced(&key, advance.bytes),
                AdvanceCause::Failed | AdvanceCause::Closed => shard.watches.ended(&key),
            };
            shard.tell(told);
        }));
        let partition = Rc::new(Partition {
            topic: wanted.topic.name.clone(),
            log,
            leader_epoch: Cell::new(wanted.epoch),
        });
        self.partitions.borrow_mut().insert(key, partition);
    }

    /// Renames the logs of topics that are gone and removes them after `file.delete.delay.ms`.
    fn put_away_deleted(self: &Rc<Self>, image: &Image) {
        let gone = |id: &TopicId| image.topic_by_id(id).is_none();
        let deleted: Vec<_> = {
            let mut partitions = self.partitions.borrow_mut();
            let keys: Vec<_> = partitions
                .keys()
                .filter(|key| gone(&key.topic_id))
                .copied()
                .collect();
            keys.into_iter()
                .filter_map(|key| Some((key, partitions.remove(&key)?)))
                .collect()
        };
        for (key, partition) in deleted {
            self.tell(self.watches.ended(&key));
            let delay = self
                .topic_config(&key.topic_id)
                .map_or(Duration::ZERO, |config| {
                    Duration::from_millis(config.file_delete_delay_ms)
                });
            glommio::spawn_local(async move {
                let name = format!("{}-{}", partition.topic, key.partition);
                let removed = async {
                    let put_away = partition.log.mark_deleted().await?;
                    glommio::timer::sleep(delay).await;
                    crate::log::remove_deleted(&put_away).await
                };
                if let Err(error) = removed.await {
                    log::error!("{name}: deleting its files failed: {error}; they are removed at the next start");
                }
            })
            .detach();
        }
        self.topics.borrow_mut().retain(|id, _| !gone(id));
    }

    pub(super) fn checkpoint_here(&self) -> Vec<PartitionCheckpoint> {
        self.partitions
            .borrow()
            .iter()
            .map(|(key, partition)| checkpoint(key, partition))
            .collect()
    }

    /// Flushes and closes every log; whoever fails keeps no claim to be clean.
    pub(super) async fn close_here(&self) -> Vec<PartitionCheckpoint> {
        let partitions: Vec<_> = self.partitions.borrow_mut().drain().collect();
        let mut points = Vec::with_capacity(partitions.len());
        for (key, partition) in partitions {
            let closed = partition.log.close().await;
            if let Err(error) = closed {
                log::error!(
                    "{}-{}: closing failed: {error}; it is checked at the next start",
                    partition.topic,
                    key.partition
                );
                points.push(PartitionCheckpoint {
                    failed: true,
                    ..checkpoint(&key, &partition)
                });
            } else {
                points.push(checkpoint(&key, &partition));
            }
        }
        points
    }
}

impl Startup {
    fn trust(&self, topic: &str, partition: i32) -> Trust {
        if self.clean {
            return Trust::CleanShutdown;
        }
        let point = self
            .recovery_points
            .get(&(topic.to_owned(), partition))
            .copied();
        Trust::Recover {
            recovery_point: point.unwrap_or(Offset::ZERO),
        }
    }
}

impl InstallReport {
    fn add(&mut self, other: InstallReport) {
        self.partitions += other.partitions;
        self.remarks.extend(other.remarks);
        self.failures.extend(other.failures);
    }
}

fn checkpoint(key: &PartitionKey, partition: &Partition) -> PartitionCheckpoint {
    PartitionCheckpoint {
        topic: partition.topic.clone(),
        partition: key.partition,
        recovery_point: partition.log.recovery_point(),
        high_watermark: partition.log.high_watermark(),
        log_start: partition.log.log_start_offset(),
        failed: false,
    }
}

async fn exists(dir: PathBuf) -> bool {
    crate::io::blocking(move || Path::exists(&dir)).await
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

/// What the log needs to know of a topic's configuration.
pub(super) fn log_config(topic: &TopicConfig, broker: &BrokerConfig) -> LogConfig {
    LogConfig {
        segment_bytes: topic.segment_bytes,
        segment_ms: topic.segment_ms,
        segment_jitter_ms: topic.segment_jitter_ms,
        index_interval_bytes: topic.index_interval_bytes,
        index_max_bytes: topic.segment_index_bytes,
        flush_messages: topic.flush_messages,
        flush_ms: topic.flush_ms,
        max_message_bytes: topic.max_message_bytes,
        timestamp_type: topic.message_timestamp_type.into(),
        producer_id_expiration_ms: broker.producer_id_expiration_ms,
        preallocate: topic.preallocate,
    }
}
