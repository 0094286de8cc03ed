//! The metadata log on the first core: what it says, and how something is added to it.
//!
//! It is a partition's log like any other, flushed with every append. What is decided stands in
//! [`changes`](super::changes); here a record that does not fit the image never reaches the log, and one that is not on the
//! disk never reaches the image.

use super::Shard;
use super::install::log_config;
use super::message::{InstallReport, PartitionCheckpoint};
use super::wanted::remark;
use crate::io::blocking;
use crate::limits;
use crate::log::{LogConfig, LogError, PartitionLog, Trust, a_partition_in, partition_dir_name};
use crate::metadata::bootstrap;
use crate::metadata::features::METADATA_VERSION;
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::metadata::{ApplyError, Broker, Image};
use crate::types::{LeaderEpoch, Offset, PartitionKey, TimestampMs, TopicId};
use crate::wire::WireError;
use crate::wire::metadata_records::{MetadataRecord, PartitionChangeRecord};
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

/// What a partition without a leader says.
const NO_LEADER: i32 = -1;

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
    /// Offsets that are not there.
    #[error("the records from offset {expected} to {found} are missing")]
    Gap {
        /// Where the last batch ended.
        expected: Offset,
        /// Where the next one begins.
        found: Offset,
    },
    /// The end is not there.
    #[error(
        "it ends at offset {end}, but records up to offset {known} were on the disk; to start without what they say, remove \
         the file recovery-point-offset-checkpoint"
    )]
    Short {
        /// Where it ends.
        end: Offset,
        /// Where it ended once.
        known: Offset,
    },
    /// All of it is gone.
    #[error(
        "it holds nothing, but there are partitions, {0} for one; to begin a new cluster, move their folders away"
    )]
    Gone(String),
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

impl ControllerError {
    /// Whether files are not as they were written.
    pub fn is_damage(&self) -> bool {
        match self {
            ControllerError::Log(error) => matches!(error, LogError::Corrupt { .. }),
            ControllerError::Batch { .. }
            | ControllerError::Record { .. }
            | ControllerError::Gap { .. }
            | ControllerError::Short { .. }
            | ControllerError::Gone(_)
            | ControllerError::Apply(_) => true,
            ControllerError::Shortened { .. } => false,
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
        inherited: Inherited,
    ) -> Result<Rc<Controller>, ControllerError> {
        let startup = shard.startup.borrow().clone();
        let clean = startup.map(|startup| startup.clean);
        let clean = |place: usize| clean.as_ref().is_some_and(|clean| clean[place]);
        let dir = shard
            .dirs
            .metadata()
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
        let there = dir.clone();
        let there = blocking(move || there.exists()).await;
        if !there {
            check_end(shard, Offset::ZERO).await?;
        }
        // Whoever wrote the epoch before may have closed this log without our mark.
        let trust = Trust::Whole {
            clean: clean(shard.dirs.metadata_place()) && !begins,
            synced: known_end(shard),
        };
        let log = open_log(dir, there, config, trust, epoch).await?;
        check_end(shard, log.log_end_offset()).await?;
        let mut image = replay(&log, image).await?;
        if begins {
            let end = begin(&log, me.id, epoch).await?;
            image.replay(&[], end)?;
        }
        image.written_in(epoch);
        let all_clean = (0..shard.dirs.all().len()).all(clean);
        let records = bootstrap::start(&image, me, !all_clean, bootstrap);
        let controller = Rc::new(Controller {
            log,
            epoch,
            image: RefCell::new(Arc::new(image)),
            turn: Semaphore::new(1),
        });
        controller.write_down(&records).await?;
        if let Err(error) = controller.log.keep_room(limits::METADATA_ROOM_KEPT).await {
            log::warn!("{error}: the metadata changes again when there is room");
        }
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

    /// Makes records true: on the disk first, then in the image. On a disk that is full but for the room that is kept, only those
    /// that delete topics.
    pub(super) async fn commit(&self, records: &[MetadataRecord]) -> Result<(), ControllerError> {
        let makes_room = |record| matches!(record, &MetadataRecord::RemoveTopicRecord(_));
        if !records.iter().any(makes_room) {
            self.log.keep_room(limits::METADATA_ROOM_KEPT).await?;
        }
        self.write_down(records).await
    }

    async fn write_down(&self, records: &[MetadataRecord]) -> Result<(), ControllerError> {
        if records.is_empty() {
            return Ok(());
        }
        let end = self.log.log_end_offset() + records.len() as i64;
        // Applied first to a copy: a record that does not fit must not reach the log.
        let next = self.image().apply(records, end)?;
        let level = next.feature(METADATA_VERSION.name);
        let now = TimestampMs::now();
        let mut batch = BatchBuilder::new(Codec::None);
        for record in records {
            batch.append(now.0, None, Some(&record.encode_at(level)), &[]);
        }
        write(&self.log, batch, self.epoch, now).await?;
        *self.image.borrow_mut() = Arc::new(next);
        Ok(())
    }

    /// Writes down what an installation found: partitions that are offline have no leader until they are opened, and those that
    /// lie in another directory than it says do so.
    ///
    /// # Errors
    /// See [`ControllerError`].
    pub async fn heed(&self, report: &InstallReport) -> Result<(), ControllerError> {
        let change = |key: &PartitionKey| PartitionChangeRecord {
            partition_id: key.partition,
            topic_id: key.topic_id,
            ..PartitionChangeRecord::default()
        };
        let offline = report
            .failures
            .iter()
            .map(|(key, _)| PartitionChangeRecord {
                leader: NO_LEADER,
                ..change(key)
            });
        let moved = report.moved.iter().map(|(key, id)| PartitionChangeRecord {
            directories: Some(vec![*id]),
            ..change(key)
        });
        let records: Vec<_> = offline.chain(moved).map(MetadataRecord::from).collect();
        self.commit(&records).await
    }

    /// Flushes and closes the log, which lies in this place.
    pub(super) async fn close(&self, place: usize) -> PartitionCheckpoint {
        let closed = self.log.close().await;
        if let Err(error) = &closed {
            log::error!("{CLUSTER_METADATA_TOPIC}: closing failed: {error}");
        }
        PartitionCheckpoint {
            topic: CLUSTER_METADATA_TOPIC.to_owned(),
            partition: 0,
            dir: place,
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
    there: bool,
    config: LogConfig,
    trust: Trust,
    epoch: LeaderEpoch,
) -> Result<Rc<PartitionLog>, LogError> {
    if !there {
        return PartitionLog::create(dir, METADATA_TOPIC_ID, config, epoch).await;
    }
    let (log, report) = PartitionLog::open(dir, config, trust).await?;
    if let Some(remark) = remark(CLUSTER_METADATA_TOPIC, &report) {
        log::warn!("{remark}");
    }
    Ok(log)
}

/// Up to where the log was on the disk, as far as a checkpoint says.
fn known_end(shard: &Shard) -> Offset {
    let startup = shard.startup.borrow();
    startup.as_ref().map_or(Offset::ZERO, |startup| {
        startup.recovery_point(CLUSTER_METADATA_TOPIC, 0)
    })
}

/// Topics must not be lost with the end of the log, or with all of it, without a word.
async fn check_end(shard: &Shard, end: Offset) -> Result<(), ControllerError> {
    let known = known_end(shard);
    if end > Offset::ZERO {
        return match end < known {
            true => Err(ControllerError::Short { end, known }),
            false => Ok(()),
        };
    }
    // Where nothing else is left either, somebody has emptied the directory: a new cluster begins.
    let least_bytes = u64::from(known == Offset::ZERO);
    let all = shard.dirs.all().iter();
    let dirs: Vec<PathBuf> = all.map(|dir| dir.path.clone()).collect();
    let own = partition_dir_name(CLUSTER_METADATA_TOPIC, 0);
    let any = move || {
        let mut found = dirs.iter();
        found.find_map(|dir| a_partition_in(dir, &own, least_bytes))
    };
    match blocking(any).await {
        Some(name) => Err(ControllerError::Gone(name)),
        None => Ok(()),
    }
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
            if batch.header().next_offset() > offset {
                take_batch(&mut image, &batch)?;
                offset = image.end();
            }
        }
    }
    Ok(image)
}

/// Adds a batch of the metadata log to what those before it amount to.
///
/// # Errors
/// It is damaged, does not follow, or does not fit; the image is then of no more use.
pub fn take_batch(image: &mut Image, batch: &records::Batch) -> Result<(), ControllerError> {
    let (expected, found) = (image.end(), batch.header().base_offset());
    if found != expected {
        return Err(ControllerError::Gap { expected, found });
    }
    let records = if batch.header().attributes().is_control() {
        // Its records are the log's own; but damage is damage.
        batch
            .records(limits::INFLATED_BATCH_BYTES, &mut Scratch::default())
            .map_err(|source| ControllerError::Batch {
                offset: found,
                source,
            })?;
        Vec::new()
    } else {
        decode(batch, found)?
    };
    Ok(image.replay(&records, batch.header().next_offset())?)
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
