//! Changing the metadata: one change at a time, on the first core.
//!
//! Decide on the image, write to the metadata log and wait until it is on the disk, apply, have every core work with the new
//! image, answer. The metadata log is a partition's log like any other, flushed with every append.

use super::Shard;
use super::install::{log_config, remark};
use super::message::{Answer, Call, InstallReport, PartitionCheckpoint};
use crate::io::blocking;
use crate::limits;
use crate::log::{LogConfig, LogError, PartitionLog, Trust};
use crate::metadata::{
    self, ApplyError, BrokerSelf, ChangeError, Created, Image, NewTopic, TopicDefaults, TopicRef,
};
use crate::types::{LeaderEpoch, Offset, ShardId, TimestampMs, TopicId};
use crate::wire::WireError;
use crate::wire::metadata_records::MetadataRecord;
use crate::wire::records::{self, BatchBuilder, BatchError, Codec, Scratch};
use bytes::Bytes;
use futures_lite::future::or;
use glommio::sync::Semaphore;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// The metadata log's topic.
const METADATA_TOPIC: &str = "__cluster_metadata";
/// Its id, the same in every cluster.
const METADATA_TOPIC_ID: TopicId = TopicId::from_u128(1);
/// The single node is its controller from the first record on.
const METADATA_EPOCH: LeaderEpoch = LeaderEpoch(1);
/// The core that changes the metadata.
const LEADER: ShardId = ShardId(0);

/// What can be changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// Make topics.
    CreateTopics {
        /// Which.
        topics: Vec<NewTopic>,
        /// Check and change nothing.
        validate_only: bool,
    },
    /// Make topics with the broker's defaults, since a client asked for them.
    AutoCreate(Vec<String>),
    /// Delete topics.
    DeleteTopics(Vec<TopicRef>),
    /// Reserve a block of producer ids.
    AllocateProducerIds,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub enum ChangeOutcome {
    /// Of [`Change::CreateTopics`], in order.
    Created(Vec<Result<Created, ChangeError>>),
    /// Of [`Change::AutoCreate`]: the names that could not be made.
    AutoCreated(Vec<(String, ChangeError)>),
    /// Of [`Change::DeleteTopics`], in order: name and id.
    Deleted(Vec<Result<(String, TopicId), ChangeError>>),
    /// Of [`Change::AllocateProducerIds`].
    ProducerIds(Result<Range<i64>, ChangeError>),
}

/// Why the metadata log cannot be used.
#[derive(Debug, Error)]
pub enum ControllerError {
    /// The log itself.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A batch in it.
    #[error("at offset {offset}: {source}")]
    Batch {
        /// Where.
        offset: Offset,
        /// What is wrong.
        source: BatchError,
    },
    /// A record in it.
    #[error("at offset {offset}: {source}; was this directory written by a newer version?")]
    Record {
        /// Where.
        offset: Offset,
        /// What is wrong.
        source: WireError,
    },
    /// The records contradict each other.
    #[error("at offset {offset}: {source}")]
    Apply {
        /// Where.
        offset: Offset,
        /// What is wrong.
        source: ApplyError,
    },
}

/// The single node's controller.
pub struct Controller {
    log: Rc<PartitionLog>,
    image: RefCell<Arc<Image>>,
    broker: BrokerSelf,
    /// One change at a time.
    turn: Semaphore,
}

impl Controller {
    /// Opens the metadata log, or makes it, replays it, and writes down this start.
    ///
    /// # Errors
    /// See [`ControllerError`].
    pub async fn open(
        shard: &Rc<Shard>,
        cluster_id: &str,
        broker: BrokerSelf,
        clean: bool,
    ) -> Result<Rc<Controller>, ControllerError> {
        let dir = shard.data_dir.join(format!("{METADATA_TOPIC}-0"));
        let config = LogConfig {
            flush_messages: 1,
            ..log_config(&shard.config.topic_defaults, &shard.config)
        };
        let there = dir.clone();
        let (log, fresh) = if blocking(move || there.exists()).await {
            let trust = if clean {
                Trust::CleanShutdown
            } else {
                Trust::Recover {
                    recovery_point: Offset::ZERO,
                }
            };
            let (log, report) = PartitionLog::open(dir, config, trust).await?;
            if let Some(remark) = remark(METADATA_TOPIC, &report) {
                log::warn!("{remark}");
            }
            (log, false)
        } else {
            let log = PartitionLog::create(dir, METADATA_TOPIC_ID, config, METADATA_EPOCH).await?;
            (log, true)
        };
        let image = replay(&log, Image::empty(cluster_id)).await?;
        let records = metadata::at_start(&image, &broker, !clean && !fresh);
        let controller = Rc::new(Controller {
            log,
            image: RefCell::new(Arc::new(image)),
            broker,
            turn: Semaphore::new(1),
        });
        controller.commit(&records).await?;
        Ok(controller)
    }

    /// The newest image.
    pub fn image(&self) -> Arc<Image> {
        Arc::clone(&self.image.borrow())
    }

    /// Makes records true: on the disk first, then in the image.
    async fn commit(&self, records: &[MetadataRecord]) -> Result<(), ControllerError> {
        if records.is_empty() {
            return Ok(());
        }
        let now = TimestampMs::now();
        let mut builder = BatchBuilder::new(Codec::None);
        for record in records {
            builder.append(now.0, None, Some(&record.encode()), &[]);
        }
        let offset = self.log.log_end_offset();
        let at = |source| ControllerError::Apply { offset, source };
        // Applied first to a copy: a record that does not fit must not reach the log.
        let next = self
            .image()
            .apply(records, offset + records.len() as i64)
            .map_err(at)?;
        let batch = builder.build_validated();
        let appended = self
            .log
            .append(&batch, METADATA_EPOCH, now)
            .map_err(|error| {
                LogError::storage(
                    "append to",
                    self.log.dir(),
                    std::io::Error::other(error.to_string()),
                )
            })?;
        self.log.committed(appended.last_offset + 1).await?;
        *self.image.borrow_mut() = Arc::new(next);
        Ok(())
    }
}

/// Applies every batch of the log.
async fn replay(log: &Rc<PartitionLog>, mut image: Image) -> Result<Image, ControllerError> {
    let mut offset = log.log_start_offset();
    while let Some(data) = read(log, offset).await? {
        for batch in records::batches(data) {
            let batch = batch.map_err(|source| ControllerError::Batch { offset, source })?;
            let end = batch.header().next_offset();
            if !batch.header().attributes().is_control() {
                let decoded = decode(&batch, offset)?;
                image = image
                    .apply(&decoded, end)
                    .map_err(|source| ControllerError::Apply { offset, source })?;
            }
            offset = end;
        }
    }
    Ok(image)
}

/// Whole batches from `offset` on; `None` at the end of the log.
async fn read(log: &Rc<PartitionLog>, offset: Offset) -> Result<Option<Bytes>, ControllerError> {
    if offset >= log.high_watermark() {
        return Ok(None);
    }
    let failed = |what: String| {
        ControllerError::Log(LogError::Corrupt {
            path: log.dir().to_owned(),
            reason: what,
        })
    };
    let view = log
        .read_view(offset)
        .map_err(|error| failed(error.to_string()))?;
    let Some(plan) = view.plan(limits::METADATA_READ_BYTES, true).await? else {
        return Ok(None);
    };
    let data = plan.file.read_at(plan.position, plan.len as usize).await;
    data.map(Some)
        .map_err(|error| LogError::storage("read", log.dir(), error).into())
}

fn decode(batch: &records::Batch, offset: Offset) -> Result<Vec<MetadataRecord>, ControllerError> {
    let broken = |source| ControllerError::Batch { offset, source };
    let records = batch
        .records(limits::INFLATED_BATCH_BYTES, &mut Scratch::default())
        .map_err(broken)?;
    let mut decoded = Vec::new();
    for record in records.iter() {
        let value = record.map_err(broken)?.value.unwrap_or_default();
        let record = MetadataRecord::decode(records.keep(value))
            .map_err(|source| ControllerError::Record { offset, source })?;
        decoded.push(record);
    }
    Ok(decoded)
}

impl Shard {
    /// This core leads from now on.
    pub fn lead_with(&self, controller: Rc<Controller>) {
        *self.controller.borrow_mut() = Some(controller);
    }

    /// Changes the metadata; answered when every core works with the new image.
    pub async fn change(self: &Rc<Self>, change: Change) -> ChangeOutcome {
        if self.me() == LEADER {
            return self.change_here(change).await;
        }
        match self.mesh.call(LEADER, Call::Change(Box::new(change))).await {
            Answer::Changed(outcome) => *outcome,
            other => unreachable!("a change was answered with {other:?}"),
        }
    }

    /// [`Shard::change`], but waits no longer than `patience`; the change then goes on by itself.
    pub async fn change_within(
        self: &Rc<Self>,
        change: Change,
        patience: Duration,
    ) -> Option<ChangeOutcome> {
        let shard = Rc::clone(self);
        let work = glommio::spawn_local(async move { shard.change(change).await }).detach();
        or(
            async {
                // `None` only if the task was cancelled: the executor ends.
                work.await
            },
            async {
                glommio::timer::sleep(patience).await;
                None
            },
        )
        .await
    }

    pub(super) async fn change_here(self: &Rc<Self>, change: Change) -> ChangeOutcome {
        let controller = self.controller.borrow().clone();
        let controller =
            controller.expect("connections are accepted after the controller is there");
        let _turn = controller.turn.acquire_permit(1).await;
        match change {
            Change::CreateTopics {
                topics,
                validate_only,
            } => ChangeOutcome::Created(
                self.create_topics(&controller, &topics, validate_only)
                    .await,
            ),
            Change::AutoCreate(names) => {
                ChangeOutcome::AutoCreated(self.auto_create(&controller, names).await)
            }
            Change::DeleteTopics(topics) => {
                ChangeOutcome::Deleted(self.delete_topics(&controller, &topics).await)
            }
            Change::AllocateProducerIds => {
                let node_id = controller.broker.node_id;
                let (record, block) = metadata::allocate_producer_ids(&controller.image(), node_id);
                let done = self.make_true(&controller, &[record]).await;
                ChangeOutcome::ProducerIds(done.map(|()| block))
            }
        }
    }

    async fn create_topics(
        self: &Rc<Self>,
        controller: &Controller,
        topics: &[NewTopic],
        validate_only: bool,
    ) -> Vec<Result<Created, ChangeError>> {
        let defaults = TopicDefaults {
            node_id: controller.broker.node_id,
            directory_id: controller.broker.directory_id,
            partitions: self.config.num_partitions,
            replication_factor: self.config.default_replication_factor,
            settings: &self.config.settings,
        };
        let (records, outcomes) = metadata::create_topics(&controller.image(), &defaults, topics);
        if validate_only || records.is_empty() {
            return outcomes;
        }
        match self.make_true(controller, &records).await {
            Ok(()) => outcomes,
            Err(error) => outcomes
                .into_iter()
                .map(|outcome| outcome.and(Err(error.clone())))
                .collect(),
        }
    }

    async fn auto_create(
        self: &Rc<Self>,
        controller: &Controller,
        names: Vec<String>,
    ) -> Vec<(String, ChangeError)> {
        let topics: Vec<_> = names
            .into_iter()
            .map(|name| NewTopic {
                name,
                partitions: -1,
                replication_factor: -1,
                ..NewTopic::default()
            })
            .collect();
        let outcomes = self.create_topics(controller, &topics, false).await;
        topics
            .into_iter()
            .zip(outcomes)
            .filter_map(|(topic, outcome)| Some((topic.name, outcome.err()?)))
            // Somebody else was faster: that is what was wanted.
            .filter(|(_, error)| !matches!(error, ChangeError::TopicExists(_)))
            .collect()
    }

    async fn delete_topics(
        self: &Rc<Self>,
        controller: &Controller,
        topics: &[TopicRef],
    ) -> Vec<Result<(String, TopicId), ChangeError>> {
        let (records, outcomes) = metadata::delete_topics(&controller.image(), topics);
        if records.is_empty() {
            return outcomes;
        }
        match self.make_true(controller, &records).await {
            Ok(()) => outcomes,
            Err(error) => outcomes
                .into_iter()
                .map(|outcome| outcome.and(Err(error.clone())))
                .collect(),
        }
    }

    /// Commits records and has every core work with them.
    async fn make_true(
        self: &Rc<Self>,
        controller: &Controller,
        records: &[MetadataRecord],
    ) -> Result<(), ChangeError> {
        let storage = |words: String| {
            log::error!("the metadata cannot be changed: {words}");
            ChangeError::Storage(words)
        };
        controller
            .commit(records)
            .await
            .map_err(|error| storage(error.to_string()))?;
        let report: InstallReport = self.install_everywhere(&controller.image()).await;
        match report.failures.first() {
            None => Ok(()),
            Some((key, reason)) => Err(storage(format!("partition {}: {reason}", key.partition))),
        }
    }

    /// Closes the metadata log.
    pub(super) async fn close_controller(&self) -> Option<PartitionCheckpoint> {
        let controller = self.controller.borrow_mut().take()?;
        let closed = controller.log.close().await;
        if let Err(error) = &closed {
            log::error!("{METADATA_TOPIC}: closing failed: {error}");
        }
        Some(PartitionCheckpoint {
            topic: METADATA_TOPIC.to_owned(),
            partition: 0,
            recovery_point: controller.log.recovery_point(),
            high_watermark: controller.log.high_watermark(),
            log_start: controller.log.log_start_offset(),
            failed: closed.is_err(),
        })
    }
}
