//! The face of a partition's log.
//!
//! Used as `Rc<PartitionLog>` on the owning core. All state is in one cell whose borrows never cross an await: what a
//! method needs from the disk it plans under the borrow and does without it.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use glommio::sync::Semaphore;

use super::config::LogConfig;
use super::error::LogError;
use super::file_names::FileKind;
use super::leader_epochs::LeaderEpochs;
use super::load::{self, Loaded, RecoveryReport, Trust};
use super::producer_state::ProducerEntry;
use super::progress::Moved;
use super::segment::Segment;
use super::state::{Condition, State, reserve, small_files};
use super::waiters::{Goal, Wait};
use crate::io::blocking::blocking;
use crate::io::{Disk, Storage};
use crate::types::{LeaderEpoch, Offset, TimestampMs, TopicId};

/// Why readers are told to look again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdvanceCause {
    /// The high watermark moved.
    Committed,
    /// The partition became read-only; the high watermark may have gone back.
    Failed,
    /// The log was closed or its partition deleted.
    Closed,
}

/// News for those who wait for records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Advance {
    /// The high watermark now.
    pub high_watermark: Offset,
    /// Bytes of batches that have become readable with this step.
    pub bytes: u64,
    /// The same for readers of committed records; perhaps too many, never too few.
    pub stable_bytes: u64,
    /// What happened.
    pub cause: AdvanceCause,
}

type OnAdvance = Rc<dyn Fn(Advance)>;

/// One partition's log on the core that owns it.
pub struct PartitionLog {
    pub(super) storage: Rc<dyn Storage>,
    pub(super) dir: PathBuf,
    topic_id: Option<TopicId>,
    pub(super) state: RefCell<State>,
    on_advance: RefCell<Option<OnAdvance>>,
    /// Whose turn it is to change which segments there are.
    pub(super) reshaping: Semaphore,
}

impl PartitionLog {
    /// Makes the log of a new partition on the machine's disk: directory, `partition.metadata`, `leader-epoch-checkpoint`
    /// and the first segment.
    ///
    /// # Durability
    /// Survives a crash of the process when it returns. Against a power cut the files, then the directory, then its name
    /// are made durable with the first sync of records ([`PartitionLog::flush`] or the flush policy).
    ///
    /// # Errors
    /// A file operation failed, or there is a log in `dir` already.
    pub async fn create(
        dir: PathBuf,
        topic_id: TopicId,
        config: LogConfig,
        leader_epoch: LeaderEpoch,
    ) -> Result<Rc<PartitionLog>, LogError> {
        PartitionLog::create_on(Rc::new(Disk), dir, topic_id, config, leader_epoch).await
    }

    /// [`PartitionLog::create`] on a storage of the caller's.
    ///
    /// # Errors
    /// As [`PartitionLog::create`].
    pub async fn create_on(
        storage: Rc<dyn Storage>,
        dir: PathBuf,
        topic_id: TopicId,
        config: LogConfig,
        leader_epoch: LeaderEpoch,
    ) -> Result<Rc<PartitionLog>, LogError> {
        let mut epochs = LeaderEpochs::default();
        epochs.assign(leader_epoch, Offset::ZERO);
        let segment = Rc::new(Segment::new(&dir, Offset::ZERO, TimestampMs::now()));
        let files = small_files(&dir, Some(topic_id), &epochs);
        let created = storage.create_dir(&dir, files).await;
        created.map_err(|error| LogError::storage("create", &dir, error))?;
        let path = segment.path(FileKind::Log);
        let file = storage.create(&path).await;
        let file = file.map_err(|error| LogError::storage("create", &path, error))?;
        reserve(&storage, &file, &config, &path).await;
        segment.set_appender(file);
        let state = State::new(config, Offset::ZERO, Offset::ZERO, vec![segment], epochs);
        let log = PartitionLog::from_parts(storage, dir, Some(topic_id), state);
        log.state.borrow_mut().writer.birth_unsynced = true;
        Ok(log)
    }

    /// Opens the log in `dir` on the machine's disk.
    ///
    /// After a clean stop this reads no record, only a few batch heads behind the last index entry. After an unclean one it
    /// checks every batch from the recovery point on and cuts off what is torn or damaged; the report says what.
    ///
    /// # Errors
    /// A file operation failed.
    pub async fn open(
        dir: PathBuf,
        config: LogConfig,
        trust: Trust,
    ) -> Result<(Rc<PartitionLog>, RecoveryReport), LogError> {
        PartitionLog::open_on(Rc::new(Disk), dir, config, trust).await
    }

    /// [`PartitionLog::open`] of a log whose first records were deleted: it begins at `log_start`, or at its first segment if
    /// that is later. A partition of the same name that is gone may have left a `log_start`: it counts only as far as the
    /// log's own leader epochs begin there too.
    ///
    /// # Errors
    /// As [`PartitionLog::open`].
    pub async fn open_from(
        dir: PathBuf,
        config: LogConfig,
        trust: Trust,
        log_start: Offset,
    ) -> Result<(Rc<PartitionLog>, RecoveryReport), LogError> {
        let (log, report) = PartitionLog::open(dir, config, trust).await?;
        log.state.borrow_mut().begin_at(log_start);
        Ok((log, report))
    }

    /// [`PartitionLog::open`] on a storage of the caller's (which takes no part in the opening itself).
    ///
    /// # Errors
    /// As [`PartitionLog::open`].
    pub async fn open_on(
        storage: Rc<dyn Storage>,
        dir: PathBuf,
        config: LogConfig,
        trust: Trust,
    ) -> Result<(Rc<PartitionLog>, RecoveryReport), LogError> {
        let loaded = blocking(load::loading(&dir, &config, trust, Arc::default())).await?;
        let (log, report) = PartitionLog::enter(storage, dir, config, loaded);
        if !trust.is_clean() {
            log.state.borrow_mut().doubt_names();
            log.sync_recovered();
        }
        Ok((log, report))
    }

    /// Takes a loaded log to its core.
    pub(super) fn enter(
        storage: Rc<dyn Storage>,
        dir: PathBuf,
        config: LogConfig,
        loaded: Loaded,
    ) -> (Rc<PartitionLog>, RecoveryReport) {
        let (report, topic_id) = (loaded.report.clone(), loaded.topic_id);
        let state = State::from_loaded(&dir, config, loaded);
        let unsealed = !state.to_seal.is_empty();
        let log = PartitionLog::from_parts(storage, dir, topic_id, state);
        if unsealed {
            log.start_sealing();
        }
        (log, report)
    }

    fn from_parts(
        storage: Rc<dyn Storage>,
        dir: PathBuf,
        topic_id: Option<TopicId>,
        state: State,
    ) -> Rc<PartitionLog> {
        Rc::new(PartitionLog {
            storage,
            dir,
            topic_id,
            state: RefCell::new(state),
            on_advance: RefCell::new(None),
            reshaping: Semaphore::new(1),
        })
    }

    /// Waits until the high watermark is at `up_to` (exclusive): every record before it has come as far as the flush policy
    /// asks. Ask before the next await after the append: the wait then knows of any failure in between.
    ///
    /// # Errors
    /// The write or sync failed, or the log was closed; the records are then not in the log. An error is final for the
    /// offsets waited for, even if others take them later.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the write goes on.
    pub fn committed(
        self: &Rc<Self>,
        up_to: Offset,
    ) -> impl Future<Output = Result<(), LogError>> + 'static + use<> {
        self.wait(Goal::Committed, up_to, self.high_watermark())
    }

    /// Syncs what has been appended so far and waits for it: on return [`PartitionLog::recovery_point`] is at or past
    /// today's log end offset.
    ///
    /// # Errors
    /// As [`PartitionLog::committed`].
    pub fn flush(self: &Rc<Self>) -> impl Future<Output = Result<(), LogError>> + 'static + use<> {
        let end = self.log_end_offset();
        let wait = self.wait(Goal::Synced, end, self.recovery_point());
        if self.recovery_point() < end {
            self.start_writer();
        }
        wait
    }

    fn wait(self: &Rc<Self>, goal: Goal, up_to: Offset, reached: Offset) -> Wait {
        match self.failure() {
            _ if up_to <= reached => Wait::ready(self, Ok(())),
            Some(error) => Wait::ready(self, Err(error)),
            None => Wait::register(self, goal, up_to),
        }
    }

    /// Has `callback` called after the high watermark moved, and when the log fails or closes. There is one callback; it
    /// must not block, and may use the log.
    pub fn set_on_advance(&self, callback: Box<dyn Fn(Advance)>) {
        *self.on_advance.borrow_mut() = Some(callback.into());
    }

    /// Calls the callback, outside of any borrow.
    pub(super) fn announce(&self, moved: Moved, cause: AdvanceCause) {
        let callback = self.on_advance.borrow().clone();
        if let Some(callback) = callback {
            callback(Advance {
                high_watermark: self.high_watermark(),
                bytes: moved.bytes,
                stable_bytes: moved.stable_bytes,
                cause,
            });
        }
    }

    /// The offset before which records are committed: readers see those and no others.
    pub fn high_watermark(&self) -> Offset {
        self.state.borrow().high_watermark
    }

    /// The offset the next record gets.
    pub fn log_end_offset(&self) -> Offset {
        self.state.borrow().log_end_offset
    }

    /// The first offset that can be read.
    pub fn log_start_offset(&self) -> Offset {
        self.state.borrow().log_start_offset
    }

    /// The offset before which every transaction has ended, and its end is committed: readers of committed records see those
    /// before it and no others.
    pub fn last_stable_offset(&self) -> Offset {
        self.state.borrow().last_stable_offset()
    }

    /// Whether a transaction of the producer's, in this epoch, is open here.
    pub fn has_open_transaction(&self, producer_id: i64, epoch: i16) -> bool {
        let producers = &self.state.borrow().producers;
        producers.has_open_transaction(producer_id, epoch)
    }

    /// The offset before which everything is on the device: what belongs in `recovery-point-offset-checkpoint`.
    pub fn recovery_point(&self) -> Offset {
        self.state.borrow().synced_end
    }

    /// The newest leader epoch that wrote, or was given at the creation.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.state.borrow().epochs.latest()
    }

    /// The largest leader epoch not above `epoch` with the offset where it ended; (-1, -1) if it is not known yet.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        let state = self.state.borrow();
        state.epochs.end_offset_for(epoch, state.log_end_offset)
    }

    /// The topic the directory belongs to; `None` if its `partition.metadata` is missing or damaged.
    pub fn topic_id(&self) -> Option<TopicId> {
        self.topic_id
    }

    /// The partition's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Applies new settings; they count from the next append on.
    pub fn update_config(&self, config: LogConfig) {
        self.state.borrow_mut().config = config;
    }

    /// Bytes of all segments, staged ones included.
    pub fn size_bytes(&self) -> u64 {
        self.state
            .borrow()
            .segments
            .iter()
            .map(|segment| segment.staged.get())
            .sum()
    }

    /// How many segments there are.
    pub fn segments_len(&self) -> usize {
        self.state.borrow().segments.len()
    }

    /// Bytes in staging buffers: memory this log holds that the kernel has not taken over yet.
    pub fn staged_bytes(&self) -> usize {
        self.state.borrow().staged_bytes
    }

    /// Why the log takes no records, if it does not.
    pub fn failure(&self) -> Option<LogError> {
        match &self.state.borrow().condition {
            Condition::ReadOnly(error) | Condition::Closed(error) => Some(error.clone()),
            Condition::Writable | Condition::OutOfSpace => None,
        }
    }

    /// What `describe` makes of each idempotent producer, by id.
    pub fn producers<T>(&self, describe: impl FnMut((i64, &ProducerEntry)) -> T) -> Vec<T> {
        let state = self.state.borrow();
        let mut producers: Vec<_> = state.producers.iter().collect();
        producers.sort_unstable_by_key(|(id, _)| *id);
        producers.into_iter().map(describe).collect()
    }

    /// How many idempotent producers are remembered.
    pub fn producers_len(&self) -> usize {
        self.state.borrow().producers.count()
    }

    /// Forgets producers that have been silent for `producer.id.expiration.ms`.
    pub fn expire_producers(&self, now: TimestampMs) {
        let mut state = self.state.borrow_mut();
        let expiration_ms = state.config.producer_id_expiration_ms;
        state.producers.expire(now.0, expiration_ms);
    }
}

impl fmt::Debug for PartitionLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.borrow();
        f.debug_struct("PartitionLog")
            .field("dir", &self.dir)
            .field("log_start_offset", &state.log_start_offset)
            .field("high_watermark", &state.high_watermark)
            .field("log_end_offset", &state.log_end_offset)
            .field("condition", &state.condition)
            .finish_non_exhaustive()
    }
}
