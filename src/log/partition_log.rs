//! The face of a partition's log, and its state.
//!
//! Used as `Rc<PartitionLog>` on the owning core. All state is in one cell whose borrows never cross an await: what a
//! method needs from the disk it plans under the borrow and does without it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::append::{InFlight, StagedRun};
use super::config::LogConfig;
use super::error::LogError;
use super::file_names::{self, FileKind};
use super::leader_epochs::LeaderEpochs;
use super::load::{self, Loaded, RecoveryReport, Trust};
use super::partition_metadata;
use super::producer_state::ProducerStates;
use super::recent::RecentBatches;
use super::segment::Segment;
use super::waiters::{Goal, Wait, Waiters};
use crate::io::blocking::blocking;
use crate::io::{AppendFile, Disk, Storage};
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
}

/// Whether a log takes records.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// It does.
    Writable,
    /// The disk is full; each append tries again.
    OutOfSpace,
    /// A write or a sync failed: it takes none until it is opened anew.
    ReadOnly(LogError),
    /// It is being closed, or is closed.
    Closed(LogError),
}

/// All that changes. The offsets only follow each other:
/// `synced_end`, `high_watermark` <= `written_end` <= `log_end_offset`.
pub(super) struct State {
    pub(super) config: LogConfig,
    pub(super) condition: Condition,
    pub(super) log_start_offset: Offset,
    pub(super) high_watermark: Offset,
    /// Everything before is on the device, names included.
    pub(super) synced_end: Offset,
    /// Everything before is in the page cache.
    pub(super) written_end: Offset,
    pub(super) log_end_offset: Offset,
    /// By base offset; the last is the active one. Never empty.
    pub(super) segments: Vec<Rc<Segment>>,
    /// Batches not yet handed to the kernel, in order.
    pub(super) staged: VecDeque<StagedRun>,
    /// Bytes in staging buffers, those being written included.
    pub(super) staged_bytes: usize,
    /// Batches above the high watermark, in order.
    pub(super) in_flight: VecDeque<InFlight>,
    pub(super) recent: RecentBatches,
    pub(super) producers: ProducerStates,
    pub(super) epochs: LeaderEpochs,
    pub(super) waiters: Waiters,
    pub(super) writer: WriterState,
    /// Sealed segments whose index files are still to be written.
    pub(super) to_seal: VecDeque<Rc<Segment>>,
    pub(super) sealing: bool,
    /// Sealed segments with handles open for reading, oldest first.
    pub(super) open_readers: VecDeque<Rc<Segment>>,
    /// Where the newest producer snapshot stands.
    pub(super) snapshot_offset: Option<Offset>,
}

/// What the writer task has to do besides writing.
#[derive(Default)]
pub(super) struct WriterState {
    pub(super) running: bool,
    /// The log is closed or deleted: its files are no longer its own, and no task may start.
    pub(super) ended: bool,
    /// A sync is due, whatever the policy: `flush.ms` is over, or somebody asked for it.
    pub(super) sync_asked: bool,
    /// The batches in flight wait for a sync (`flush.messages`).
    pub(super) sync_needed: bool,
    /// How often names in the directory have changed, and how many of the changes are durable. Two tasks sync names; each
    /// may claim only what it has synced itself.
    pub(super) names_changed: u64,
    pub(super) names_synced: u64,
    /// The directory is new: its small files and its own name are not yet durable either.
    pub(super) birth_unsynced: bool,
    /// `leader-epoch-checkpoint` is behind.
    pub(super) epochs_unwritten: bool,
    /// The file must be cut to this length before the next write.
    pub(super) cut: Option<(Rc<Segment>, u64)>,
    /// A task waits for `flush.ms`.
    pub(super) timer_armed: bool,
    /// Size of the last write: what the next staging buffer is made for.
    pub(super) last_write_bytes: usize,
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
        let (load_dir, load_config) = (dir.clone(), config.clone());
        let loaded =
            blocking(move || load::load(&load_dir, &load_config, trust, TimestampMs::now()))
                .await?;
        let Loaded {
            report, topic_id, ..
        } = &loaded;
        let (report, topic_id) = (report.clone(), *topic_id);
        let log = PartitionLog::from_parts(
            storage,
            dir.clone(),
            topic_id,
            State::from_loaded(&dir, config, loaded),
        );
        if matches!(trust, Trust::Recover { .. }) {
            log.sync_recovered();
        }
        Ok((log, report))
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
    pub(super) fn announce(&self, bytes: u64, cause: AdvanceCause) {
        let callback = self.on_advance.borrow().clone();
        if let Some(callback) = callback {
            callback(Advance {
                high_watermark: self.high_watermark(),
                bytes,
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

    /// The offset before which every transaction has ended; the high watermark, as no transaction can be open.
    pub fn last_stable_offset(&self) -> Offset {
        self.high_watermark()
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

impl State {
    /// A log in which everything up to `log_end_offset` is synced and committed.
    fn new(
        config: LogConfig,
        log_start_offset: Offset,
        log_end_offset: Offset,
        segments: Vec<Rc<Segment>>,
        epochs: LeaderEpochs,
    ) -> State {
        State {
            config,
            condition: Condition::Writable,
            log_start_offset,
            high_watermark: log_end_offset,
            synced_end: log_end_offset,
            written_end: log_end_offset,
            log_end_offset,
            segments,
            staged: VecDeque::new(),
            staged_bytes: 0,
            in_flight: VecDeque::new(),
            recent: RecentBatches::default(),
            producers: ProducerStates::default(),
            epochs,
            waiters: Waiters::default(),
            writer: WriterState::default(),
            to_seal: VecDeque::new(),
            sealing: false,
            open_readers: VecDeque::new(),
            snapshot_offset: None,
        }
    }

    fn from_loaded(dir: &Path, config: LogConfig, loaded: Loaded) -> State {
        let now = TimestampMs::now();
        let segments: Vec<Rc<Segment>> = loaded
            .segments
            .into_iter()
            .map(|segment| {
                let open = Segment::sealed(dir, segment.base_offset, segment.size, now);
                open.synced.set(segment.synced);
                open.first_timestamp.set(segment.first_timestamp);
                *open.index.borrow_mut() = segment.index;
                Rc::new(open)
            })
            .collect();
        let start = segments[0].base_offset;
        if let Some(active) = segments.last() {
            active.set_appender(Rc::new(AppendFile::new(loaded.active_file)));
        }
        let mut state = State::new(
            config,
            start,
            loaded.log_end_offset,
            segments,
            loaded.epochs,
        );
        state.synced_end = loaded.synced_end;
        state.producers = loaded.producers;
        state.recent = loaded.recent;
        state.snapshot_offset = loaded.snapshot_offset;
        state
    }

    /// The segment that takes appends.
    pub(super) fn active(&self) -> &Rc<Segment> {
        self.segments
            .last()
            .expect("a log has at least one segment")
    }
}

/// Reserves a new segment's blocks, if `preallocate` asks for it. That it cannot be done is no error.
pub(super) async fn reserve(
    storage: &Rc<dyn Storage>,
    file: &Rc<AppendFile>,
    config: &LogConfig,
    path: &Path,
) {
    if !config.preallocate {
        return;
    }
    if let Err(error) = storage.preallocate(file, config.segment_bytes.into()).await {
        log::warn!("{}: no blocks reserved: {error}", path.display());
    }
}

/// The files beside the segments, with their contents.
pub(super) fn small_files(
    dir: &Path,
    topic_id: Option<TopicId>,
    epochs: &LeaderEpochs,
) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = vec![(
        dir.join(file_names::LEADER_EPOCH_CHECKPOINT),
        epochs.encode().into_bytes(),
    )];
    if let Some(topic_id) = topic_id {
        let content = partition_metadata::encode(topic_id).into_bytes();
        files.push((dir.join(file_names::PARTITION_METADATA), content));
    }
    files
}
