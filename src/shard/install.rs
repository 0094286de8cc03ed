//! Working with a new image: partitions that appeared are opened or made, those that went are put away, settings follow.
//!
//! The order matters to those who read meanwhile: a new partition exists before the image names it, and the image has
//! forgotten a deleted one before its log is renamed.

use super::dirs::Dir;
use super::message::{Answer, Call, InstallReport, PartitionCheckpoint};
use super::{Partition, Shard};
use crate::config::{BrokerConfig, DynamicConfigs, TopicConfig};
use crate::limits;
use crate::log::{
    AdvanceCause, Foreign, LogConfig, LogError, PartitionLog, RecoveryReport, Trust,
    partition_dir_name, remove_deleted, set_aside_foreign,
};
use crate::metadata::image::TopicChanges;
use crate::metadata::{Image, Topic};
use crate::types::{LeaderEpoch, Offset, PartitionKey, ShardId};
use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A partition that is to be opened.
struct Wanted {
    key: PartitionKey,
    topic: Arc<Topic>,
    epoch: LeaderEpoch,
    /// The id of the data directory it belongs in; nil if nobody has decided.
    directory: Uuid,
    config: LogConfig,
    max_message_bytes: u32,
}

impl Shard {
    /// Makes every core work with `image`; returns what each reports, together.
    pub async fn install_everywhere(self: &Rc<Self>, image: &Arc<Image>) -> InstallReport {
        let others: Vec<_> = (0..self.cores())
            .map(ShardId)
            .filter(|&core| core != self.me())
            .map(|core| self.mesh.call(core, Call::Install(Arc::clone(image))))
            .collect();
        let install = async {
            let mut report = self.install_here(Arc::clone(image)).await;
            for pending in others {
                match pending.await {
                    Answer::Installed(other) => report.add(other),
                    other => unreachable!("an image was answered with {other:?}"),
                }
            }
            report
        };
        self.telling(install).await
    }

    pub(super) async fn install_here(self: &Rc<Self>, image: Arc<Image>) -> InstallReport {
        let mut report = InstallReport::default();
        let changes = image.topic_changes_since(&self.image());
        let wanted = self.follow_topics(&image, &changes);
        self.open_all(wanted, &mut report).await;
        *self.image.borrow_mut() = image;
        // What is opened from now on is new.
        *self.startup.borrow_mut() = None;
        self.tell_coordinators(&changes);
        self.put_away(&changes.removed).await;
        report.partitions = self.partitions.borrow().len();
        report
    }

    /// Settings and leader epochs follow the image; returns the partitions that this core is to own and has not yet.
    fn follow_topics(&self, image: &Image, changes: &TopicChanges) -> Vec<Wanted> {
        let dynamic = image.dynamic_configs(self.node_id);
        let inherited = dynamic != self.image().dynamic_configs(self.node_id);
        if inherited {
            self.follow_broker_configs(&dynamic);
        }
        let broker = self.live();
        let mut wanted = Vec::new();
        let mut follow = |topic: &Arc<Topic>| {
            let settings = &self.config.settings;
            let config = Rc::new(TopicConfig::resolve(settings, &dynamic, &topic.configs));
            let log = log_config(&config, &broker);
            self.follow_partitions(topic, &log, config.max_message_bytes, &mut wanted);
            self.topics.borrow_mut().insert(topic.id, config);
        };
        if inherited {
            // Every topic may inherit what changed.
            image.topics().for_each(&mut follow);
        } else {
            changes.created.iter().for_each(&mut follow);
            changes.changed.iter().for_each(&mut follow);
        }
        wanted
    }

    /// Works with the broker's settings as the metadata log has them now.
    fn follow_broker_configs(&self, dynamic: &DynamicConfigs) {
        let live = Rc::new(self.config.with_dynamic(dynamic));
        *self.live.borrow_mut() = Rc::clone(&live);
        if let Some(follow) = self.on_live.borrow().as_ref() {
            follow(&live);
        }
    }

    fn follow_partitions(
        &self,
        topic: &Arc<Topic>,
        config: &LogConfig,
        max_message_bytes: u32,
        wanted: &mut Vec<Wanted>,
    ) {
        for (&partition, state) in &topic.partitions {
            let key = PartitionKey {
                topic_id: topic.id,
                partition,
            };
            if self.owner(&key) != self.me() {
                continue;
            }
            match self.partitions.borrow().get(&key) {
                // Until the next start.
                None if self.offline.borrow().contains(&key) => {}
                Some(partition) => {
                    partition.leader_epoch.set(state.leader_epoch);
                    partition.max_message_bytes.set(max_message_bytes);
                    partition.log.update_config(config.clone());
                }
                None => wanted.push(Wanted {
                    key,
                    topic: Arc::clone(topic),
                    epoch: state.leader_epoch,
                    directory: state.directories.first().copied().unwrap_or_default(),
                    config: config.clone(),
                    max_message_bytes,
                }),
            }
        }
    }

    /// Opens several logs at a time; most of the time is spent waiting for the disk.
    async fn open_all(self: &Rc<Self>, wanted: Vec<Wanted>, report: &mut InstallReport) {
        let opening = self.startup.borrow().as_ref().map(|startup| {
            startup.opening.expect(wanted.len());
            Arc::clone(&startup.opening)
        });
        let together = wanted.len().min(limits::LOGS_OPENED_TOGETHER);
        let wanted = Rc::new(RefCell::new(wanted.into_iter()));
        let tasks: Vec<_> = (0..together)
            .map(|_| {
                let (shard, wanted) = (Rc::clone(self), Rc::clone(&wanted));
                let opening = opening.clone();
                glommio::spawn_local(async move {
                    let mut report = InstallReport::default();
                    while let Some(next) = take_next(&wanted) {
                        shard.open_and_enter(next, &mut report).await;
                        opening.iter().for_each(|opening| opening.count());
                    }
                    report
                })
            })
            .collect();
        for task in tasks {
            report.add(task.await);
        }
    }

    async fn open_and_enter(self: &Rc<Self>, wanted: Wanted, report: &mut InstallReport) {
        let place = self.place_of(&wanted);
        let opened = match &place {
            Ok(place) => self.open_one(&wanted, *place).await,
            Err(error) => Err(error.clone()),
        };
        let place = place.unwrap_or_default();
        match opened {
            Ok((log, remark)) => {
                report.remarks.extend(remark);
                let id = self.dirs.all()[place].id;
                let moved = id.filter(|id| *id != wanted.directory);
                report.moved.extend(moved.map(|id| (wanted.key, id)));
                self.enter(wanted, place, log);
            }
            Err(error) => {
                self.offline.borrow_mut().insert(wanted.key);
                report.failures.push((wanted.key, error.to_string()));
            }
        }
    }

    /// Where a partition's log is, or is to be made.
    fn place_of(&self, wanted: &Wanted) -> Result<usize, LogError> {
        let name = partition_dir_name(&wanted.topic.name, wanted.key.partition);
        let startup = self.startup.borrow();
        let found = startup
            .as_ref()
            .and_then(|startup| startup.found.get(&name));
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

    async fn open_one(
        &self,
        wanted: &Wanted,
        place: usize,
    ) -> Result<(Rc<PartitionLog>, Option<String>), LogError> {
        let name = partition_dir_name(&wanted.topic.name, wanted.key.partition);
        let dir = self.dirs.all()[place].path.join(&name);
        let startup = self.startup.borrow().clone();
        let foreign = match &startup {
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

    fn enter(self: &Rc<Self>, wanted: Wanted, place: usize, log: Rc<PartitionLog>) {
        let key = wanted.key;
        let shard = Rc::downgrade(self);
        log.set_on_advance(Box::new(move |advance| {
            let Some(shard) = shard.upgrade() else { return };
            let told = match advance.cause {
                AdvanceCause::Committed => {
                    let (bytes, stable_bytes) = (advance.bytes, advance.stable_bytes);
                    shard.watches.advanced(&key, bytes, stable_bytes)
                }
                AdvanceCause::Failed | AdvanceCause::Closed => shard.watches.ended(&key),
            };
            if advance.cause == AdvanceCause::Failed {
                shard.spoil_written_checkpoint();
            }
            shard.tell(told);
        }));
        let partition = Rc::new(Partition {
            topic: Arc::clone(&wanted.topic.name),
            index: key.partition,
            dir: place,
            log,
            leader_epoch: Cell::new(wanted.epoch),
            max_message_bytes: Cell::new(wanted.max_message_bytes),
        });
        self.host_coordinator(key, &partition);
        self.partitions.borrow_mut().insert(key, partition);
    }

    /// Renames the logs of topics that are gone, and has them removed after `file.delete.delay.ms`. On return their names are
    /// free: whoever is told of the deletion may create the topic again.
    async fn put_away(self: &Rc<Self>, removed: &[Arc<Topic>]) {
        let mut renames = Vec::new();
        for topic in removed {
            let config = self.topics.borrow_mut().remove(&topic.id);
            let delay = config.map_or(Duration::ZERO, |config| {
                Duration::from_millis(config.file_delete_delay_ms)
            });
            for &partition in topic.partitions.keys() {
                let key = PartitionKey {
                    topic_id: topic.id,
                    partition,
                };
                self.offline.borrow_mut().remove(&key);
                let gone = self.partitions.borrow_mut().remove(&key);
                if let Some(gone) = gone {
                    self.compaction.forget(&topic.name, partition, gone.dir);
                    self.tell(self.watches.ended(&key));
                    renames.push(glommio::spawn_local(put_away(key, gone, delay)));
                }
            }
        }
        for rename in renames {
            rename.await;
        }
        if !removed.is_empty() {
            self.compaction.write_down().await;
        }
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
        // All at once: logs that close together share their sync.
        let closing: Vec<_> = partitions
            .into_iter()
            .map(|(key, partition)| glommio::spawn_local(close(key, partition)))
            .collect();
        let mut points = Vec::with_capacity(closing.len());
        for closed in closing {
            points.push(closed.await);
        }
        points
    }
}

impl InstallReport {
    fn add(&mut self, other: InstallReport) {
        self.partitions += other.partitions;
        self.remarks.extend(other.remarks);
        self.failures.extend(other.failures);
        self.moved.extend(other.moved);
    }
}

fn checkpoint(key: &PartitionKey, partition: &Partition) -> PartitionCheckpoint {
    PartitionCheckpoint {
        topic: partition.topic.to_string(),
        partition: key.partition,
        dir: partition.dir,
        recovery_point: partition.log.recovery_point(),
        high_watermark: partition.log.high_watermark(),
        log_start: partition.log.log_start_offset(),
        written: partition.log.written_end(),
        failed: false,
    }
}

/// Gives a deleted partition's directory a name that no open log has; its files go later.
async fn put_away(key: PartitionKey, partition: Rc<Partition>, delay: Duration) {
    let name = partition_dir_name(&partition.topic, key.partition);
    match partition.log.mark_deleted().await {
        Ok(aside) => remove_after(name, aside, delay),
        Err(error) => log::error!("{name}: its directory cannot be put away: {error}"),
    }
}

/// Removes a directory that has been put away, in a task of its own.
fn remove_after(name: String, aside: PathBuf, delay: Duration) {
    glommio::spawn_local(async move {
        glommio::timer::sleep(delay).await;
        if let Err(error) = remove_deleted(&aside).await {
            log::error!(
                "{name}: deleting its files failed: {error}; they are removed at the next start"
            );
        }
    })
    .detach();
}

async fn close(key: PartitionKey, partition: Rc<Partition>) -> PartitionCheckpoint {
    let closed = partition.log.close().await;
    if let Err(error) = &closed {
        log::error!(
            "{}-{}: closing failed: {error}; it is checked at the next start",
            partition.topic,
            key.partition
        );
    }
    PartitionCheckpoint {
        failed: closed.is_err(),
        ..checkpoint(&key, &partition)
    }
}

fn take_next(wanted: &RefCell<std::vec::IntoIter<Wanted>>) -> Option<Wanted> {
    wanted.borrow_mut().next()
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

/// What the log needs to know of a topic's configuration.
pub(super) fn log_config(topic: &TopicConfig, broker: &BrokerConfig) -> LogConfig {
    LogConfig {
        segment_bytes: topic.segment_bytes,
        segment_ms: topic.max_segment_ms(),
        segment_jitter_ms: topic.segment_jitter_ms,
        index_interval_bytes: topic.index_interval_bytes,
        index_max_bytes: topic.segment_index_bytes,
        flush_messages: topic.flush_messages,
        flush_ms: topic.flush_ms,
        timestamp_type: topic.message_timestamp_type.into(),
        producer_id_expiration_ms: broker.producer_id_expiration_ms,
        delete: topic.delete,
        retention_ms: topic.retention_ms,
        retention_bytes: topic.retention_bytes,
        file_delete_delay_ms: topic.file_delete_delay_ms,
        preallocate: topic.preallocate,
    }
}
