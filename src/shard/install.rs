//! Working with a new image: partitions that appeared are opened or made, those that went are put away, settings follow.
//!
//! The order matters to those who read meanwhile: a new partition exists before the image names it, and the image has
//! forgotten a deleted one before its log is renamed.

use super::message::{Answer, Call, InstallReport, PartitionCheckpoint};
use super::offline::Cause;
use super::wanted::Wanted;
use super::{Partition, Shard};
use crate::config::{BrokerConfig, DynamicConfigs, TopicConfig};
use crate::limits;
use crate::log::{AdvanceCause, LogConfig, PartitionLog, partition_dir_name, remove_deleted};
use crate::metadata::image::TopicChanges;
use crate::metadata::{Image, Topic};
use crate::types::{PartitionKey, ShardId};
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

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
        // Nobody closes it.
        let _turn = self.installing.acquire_permit(1).await;
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
                // Until the next start, or until there is room.
                None if self.offline.contains(&key) => {}
                Some(partition) => {
                    partition.leader_epoch.set(state.leader_epoch);
                    partition.max_message_bytes.set(max_message_bytes);
                    partition.log.update_config(config.clone());
                }
                None => {
                    let config = config.clone();
                    wanted.push(Wanted::new(key, topic, state, config, max_message_bytes));
                }
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
        let startup = self.startup.borrow().clone();
        let place = self.place_of(&wanted, startup.as_ref());
        let opened = match &place {
            Ok(place) => self.open_one(&wanted, *place, startup.as_ref()).await,
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
            Err(error) if error.is_no_space() => {
                report.waiting.push((wanted.name(), error.to_string()));
                self.offline
                    .insert(wanted.key, Cause::NoRoom(place, startup));
            }
            Err(error) => {
                report.failures.push((wanted.key, error.to_string()));
                self.offline.insert(wanted.key, Cause::Failure);
            }
        }
    }

    pub(super) fn enter(self: &Rc<Self>, wanted: Wanted, place: usize, log: Rc<PartitionLog>) {
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
                self.put_away_waiting(topic, key).await;
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
        let partitions = self.partitions.borrow();
        let open = partitions
            .iter()
            .map(|(key, partition)| checkpoint(key, partition));
        open.chain(self.waiting_points()).collect()
    }

    /// Flushes and closes every log; whoever fails keeps no claim to be clean.
    pub(super) async fn close_here(&self) -> Vec<PartitionCheckpoint> {
        // Nobody opens one any more. Nobody closes the turn.
        let _turn = self.installing.acquire_permit(1).await;
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
        points.extend(self.waiting_points());
        points
    }
}

impl InstallReport {
    fn add(&mut self, other: InstallReport) {
        self.partitions += other.partitions;
        self.remarks.extend(other.remarks);
        self.failures.extend(other.failures);
        self.waiting.extend(other.waiting);
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
pub(super) fn remove_after(name: String, aside: PathBuf, delay: Duration) {
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
