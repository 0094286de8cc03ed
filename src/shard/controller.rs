//! The metadata log on the first core: what it says, and how something is added to it.
//!
//! It is a partition's log like any other, flushed with every append. What is decided stands in
//! [`changes`](super::changes); here a record that does not fit the image never reaches the log, and one that is not on the
//! disk never reaches the image.

use super::Shard;
use super::install::{log_config, remark};
use super::message::PartitionCheckpoint;
use crate::io::blocking;
use crate::limits;
use crate::log::{LogConfig, LogError, PartitionLog, Trust, partition_dir_name};
use crate::metadata::bootstrap::{self, METADATA_VERSION_FEATURE};
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::metadata::{ApplyError, Broker, Image};
use crate::types::{LeaderEpoch, Offset, TimestampMs, TopicId};
use crate::wire::WireError;
use crate::wire::metadata_records::MetadataRecord;
use crate::wire::records::{self, BatchBuilder, BatchError, Codec, Scratch};
use bytes::Bytes;
use glommio::sync::Semaphore;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use thiserror::Error;

/// The metadata topic's id, the same in every cluster.
const METADATA_TOPIC_ID: TopicId = TopicId::from_u128(1);

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
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What was read before the log was opened is no longer there.
    #[error(
        "it was read up to offset {read} and now ends at {kept}: something else writes to this directory, stop that"
    )]
    Shortened {
        /// Where it ended.
        read: Offset,
        /// Where it ends.
        kept: Offset,
    },
}

/// What is known of the metadata before its log is opened.
#[derive(Clone, Debug)]
pub struct Inherited {
    /// What the newest snapshot and the log behind it amount to.
    pub image: Image,
    /// The first records of a cluster that was formatted and never ran; none where it ran, or was not formatted.
    pub bootstrap: Vec<MetadataRecord>,
    /// The epoch to write in.
    pub epoch: LeaderEpoch,
    /// The epoch has no batch yet: the first one says who leads.
    pub begins: bool,
}

impl Default for Inherited {
    /// There is no log.
    fn default() -> Inherited {
        Inherited {
            image: Image::default(),
            bootstrap: Vec::new(),
            epoch: LeaderEpoch(1),
            begins: true,
        }
    }
}

/// The single node's controller.
pub struct Controller {
    log: Rc<PartitionLog>,
    epoch: LeaderEpoch,
    image: RefCell<Arc<Image>>,
    /// One change at a time.
    pub(super) turn: Semaphore,
}

impl Controller {
    /// Opens the metadata log, or makes it, replays it, and writes down the start of `me`.
    ///
    /// # Errors
    /// See [`ControllerError`].
    pub async fn open(
        shard: &Rc<Shard>,
        me: &Broker,
        clean: bool,
        inherited: Inherited,
    ) -> Result<Rc<Controller>, ControllerError> {
        let dir = shard
            .data_dir
            .join(partition_dir_name(CLUSTER_METADATA_TOPIC, 0));
        let config = LogConfig {
            flush_messages: 1,
            ..log_config(&shard.config.topic_defaults, &shard.config)
        };
        let Inherited {
            image,
            bootstrap,
            epoch,
            begins,
        } = inherited;
        // Whoever wrote the epoch before may have closed this log without our mark.
        let log = open_log(dir, config, clean && !begins, epoch).await?;
        let mut image = replay(&log, image).await?;
        if begins {
            let end = begin(&log, me.id, epoch).await?;
            image.replay(&[], end)?;
        }
        image.written_in(epoch);
        let records = bootstrap::start(&image, me, !clean, bootstrap);
        let controller = Rc::new(Controller {
            log,
            epoch,
            image: RefCell::new(Arc::new(image)),
            turn: Semaphore::new(1),
        });
        controller.commit(&records).await?;
        Ok(controller)
    }

    /// The metadata log itself.
    pub(super) fn log(&self) -> Rc<PartitionLog> {
        Rc::clone(&self.log)
    }

    /// The newest image.
    pub fn image(&self) -> Arc<Image> {
        Arc::clone(&self.image.borrow())
    }

    /// Makes records true: on the disk first, then in the image.
    pub(super) async fn commit(&self, records: &[MetadataRecord]) -> Result<(), ControllerError> {
        if records.is_empty() {
            return Ok(());
        }
        let end = self.log.log_end_offset() + records.len() as i64;
        // Applied first to a copy: a record that does not fit must not reach the log.
        let next = self.image().apply(records, end)?;
        let level = next.feature(METADATA_VERSION_FEATURE);
        let now = TimestampMs::now();
        let mut batch = BatchBuilder::new(Codec::None);
        for record in records {
            batch.append(now.0, None, Some(&record.encode_at(level)), &[]);
        }
        write(&self.log, batch, self.epoch, now).await?;
        *self.image.borrow_mut() = Arc::new(next);
        Ok(())
    }

    /// Flushes and closes the log.
    pub(super) async fn close(&self) -> PartitionCheckpoint {
        let closed = self.log.close().await;
        if let Err(error) = &closed {
            log::error!("{CLUSTER_METADATA_TOPIC}: closing failed: {error}");
        }
        PartitionCheckpoint {
            topic: CLUSTER_METADATA_TOPIC.to_owned(),
            partition: 0,
            recovery_point: self.log.recovery_point(),
            high_watermark: self.log.high_watermark(),
            log_start: self.log.log_start_offset(),
            failed: closed.is_err(),
        }
    }
}

async fn open_log(
    dir: PathBuf,
    config: LogConfig,
    clean: bool,
    epoch: LeaderEpoch,
) -> Result<Rc<PartitionLog>, LogError> {
    let there = dir.clone();
    if !blocking(move || there.exists()).await {
        return PartitionLog::create(dir, METADATA_TOPIC_ID, config, epoch).await;
    }
    let trust = if clean {
        Trust::CleanShutdown
    } else {
        Trust::Recover {
            recovery_point: Offset::ZERO,
        }
    };
    let (log, report) = PartitionLog::open(dir, config, trust).await?;
    if let Some(remark) = remark(CLUSTER_METADATA_TOPIC, &report) {
        log::warn!("{remark}");
    }
    Ok(log)
}

/// The first batch of an epoch says who leads; returns where the log ends behind it.
async fn begin(
    log: &Rc<PartitionLog>,
    node_id: i32,
    epoch: LeaderEpoch,
) -> Result<Offset, ControllerError> {
    let now = TimestampMs::now();
    let record = bootstrap::leader_change(node_id);
    let mut batch = BatchBuilder::new(Codec::None).control();
    batch.append(now.0, Some(&record.key()), Some(&record.encode()), &[]);
    write(log, batch, epoch, now).await
}

/// Appends a batch and waits until it is on the disk.
async fn write(
    log: &Rc<PartitionLog>,
    batch: BatchBuilder,
    epoch: LeaderEpoch,
    now: TimestampMs,
) -> Result<Offset, ControllerError> {
    let appended = log
        .append(&batch.build_validated(), epoch, now)
        .map_err(|error| {
            let error = std::io::Error::other(error.to_string());
            LogError::storage("append to", log.dir(), error)
        })?;
    let end = appended.last_offset + 1;
    log.committed(end).await?;
    Ok(end)
}

/// What all batches of the log amount to. `known` is what was read of it before it was opened; where opening has cut it shorter,
/// that is worth nothing.
async fn replay(log: &Rc<PartitionLog>, known: Image) -> Result<Image, ControllerError> {
    let mut image = known;
    if image.end() > log.log_end_offset() {
        return Err(ControllerError::Shortened {
            read: image.end(),
            kept: log.log_end_offset(),
        });
    }
    let mut offset = image.end().max(log.log_start_offset());
    while let Some(data) = read(log, offset).await? {
        for batch in records::batches(data) {
            let batch = batch.map_err(|source| ControllerError::Batch { offset, source })?;
            let end = batch.header().next_offset();
            if end <= offset {
                continue;
            }
            let records = if batch.header().attributes().is_control() {
                Vec::new()
            } else {
                decode(&batch, offset)?
            };
            image.replay(&records, end)?;
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
