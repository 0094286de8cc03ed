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
use crate::metadata::bootstrap::{self, METADATA_VERSION, METADATA_VERSION_FEATURE};
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
/// The single node is its controller from the first record on.
pub const METADATA_EPOCH: LeaderEpoch = LeaderEpoch(1);

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
    /// Records of another version than this broker writes.
    #[error(
        "it is at {METADATA_VERSION_FEATURE} {0}, this broker knows versions up to {METADATA_VERSION}: start a newer one"
    )]
    NewerVersion(i16),
    /// Whoever relied on these would be deceived.
    #[error(
        "it holds {0}, which this broker does not enforce: remove them where they were made, or start with another `log.dirs`"
    )]
    Unserved(String),
}

/// The single node's controller.
pub struct Controller {
    log: Rc<PartitionLog>,
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
    ) -> Result<Rc<Controller>, ControllerError> {
        let dir = shard
            .data_dir
            .join(partition_dir_name(CLUSTER_METADATA_TOPIC, 0));
        let config = LogConfig {
            flush_messages: 1,
            ..log_config(&shard.config.topic_defaults, &shard.config)
        };
        let log = open_log(dir, config, clean).await?;
        if log.log_end_offset() == Offset::ZERO {
            begin(&log, me.id).await?;
        }
        let image = replay(&log).await?;
        check_promises(&image)?;
        let records = bootstrap::start(&image, me, !clean);
        let controller = Rc::new(Controller {
            log,
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
        let now = TimestampMs::now();
        let mut batch = BatchBuilder::new(Codec::None);
        for record in records {
            batch.append(now.0, None, Some(&record.encode()), &[]);
        }
        let end = self.log.log_end_offset() + records.len() as i64;
        // Applied first to a copy: a record that does not fit must not reach the log.
        let next = self.image().apply(records, end)?;
        write(&self.log, batch, now).await?;
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
            written: None,
            failed: closed.is_err(),
        }
    }
}

async fn open_log(
    dir: PathBuf,
    config: LogConfig,
    clean: bool,
) -> Result<Rc<PartitionLog>, LogError> {
    let there = dir.clone();
    if !blocking(move || there.exists()).await {
        return PartitionLog::create(dir, METADATA_TOPIC_ID, config, METADATA_EPOCH).await;
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

/// The first batch of a new log says who leads.
async fn begin(log: &Rc<PartitionLog>, node_id: i32) -> Result<(), ControllerError> {
    let now = TimestampMs::now();
    let record = bootstrap::leader_change(node_id);
    let mut batch = BatchBuilder::new(Codec::None).control();
    batch.append(now.0, Some(&record.key()), Some(&record.encode()), &[]);
    write(log, batch, now).await
}

/// Appends a batch and waits until it is on the disk.
async fn write(
    log: &Rc<PartitionLog>,
    batch: BatchBuilder,
    now: TimestampMs,
) -> Result<(), ControllerError> {
    let appended = log
        .append(&batch.build_validated(), METADATA_EPOCH, now)
        .map_err(|error| {
            let error = std::io::Error::other(error.to_string());
            LogError::storage("append to", log.dir(), error)
        })?;
    log.committed(appended.last_offset + 1).await?;
    Ok(())
}

/// A broker that knows less than the log promises must not serve.
fn check_promises(image: &Image) -> Result<(), ControllerError> {
    let version = image.feature(METADATA_VERSION_FEATURE);
    if version > METADATA_VERSION {
        return Err(ControllerError::NewerVersion(version));
    }
    let unserved = image.unserved_promises();
    if !unserved.is_empty() {
        return Err(ControllerError::Unserved(unserved.join(", ")));
    }
    Ok(())
}

/// What all batches of the log amount to.
async fn replay(log: &Rc<PartitionLog>) -> Result<Image, ControllerError> {
    let mut image = Image::default();
    let mut offset = log.log_start_offset();
    while let Some(data) = read(log, offset).await? {
        for batch in records::batches(data) {
            let batch = batch.map_err(|source| ControllerError::Batch { offset, source })?;
            let end = batch.header().next_offset();
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
