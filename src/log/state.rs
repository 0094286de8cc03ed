//! The state of a partition's log: everything that changes, in one place.
//!
//! Only the owner's core touches it, through short borrows. How it changes is told in `append` and `progress`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::append::{InFlight, StagedRun};
use super::config::LogConfig;
use super::error::LogError;
use super::file_names;
use super::leader_epochs::LeaderEpochs;
use super::load::Loaded;
use super::partition_metadata;
use super::producer_state::ProducerStates;
use super::recent::RecentBatches;
use super::recovered::Unsynced;
use super::segment::Segment;
use super::waiters::Waiters;
use crate::io::{AppendFile, Storage};
use crate::types::{Offset, TimestampMs, TopicId};

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
    /// The log start offset that a crash cannot take back.
    pub(super) kept_start: Offset,
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
    /// What was written when [`super::PartitionLog::sync_older`] was last called.
    pub(super) seen_by_behind: Offset,
    /// Compaction is at work on a thread of its own; raised, it is to stop.
    pub(super) cleaning: Option<Arc<AtomicBool>>,
    /// After an unclean stop: what was found and is not yet known to be on the device.
    pub(super) unsynced: Option<Box<Unsynced>>,
    /// At least the bytes between the last stable offset and the high watermark.
    pub(super) unstable_bytes: u64,
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
    /// The transaction index file of the active segment is behind.
    pub(super) aborted_unwritten: bool,
    /// The file must be cut to this length before the next write.
    pub(super) cut: Option<(Rc<Segment>, u64)>,
    /// A task waits for `flush.ms`.
    pub(super) timer_armed: bool,
    /// Size of the last write: what the next staging buffer is made for.
    pub(super) last_write_bytes: usize,
}

impl State {
    /// A log in which everything up to `log_end_offset` is synced and committed.
    pub(super) fn new(
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
            kept_start: log_start_offset,
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
            seen_by_behind: log_end_offset,
            cleaning: None,
            unsynced: None,
            unstable_bytes: 0,
        }
    }

    pub(super) fn from_loaded(dir: &Path, config: LogConfig, loaded: Loaded) -> State {
        let now = TimestampMs::now();
        let segments: Vec<Rc<Segment>> = loaded
            .segments
            .into_iter()
            .map(|segment| {
                let open = Segment::sealed(dir, segment.base_offset, segment.size, now);
                open.synced.set(segment.synced);
                open.settled
                    .set(segment.index.is_none() && segment.synced == segment.size);
                open.first_timestamp.set(segment.first_timestamp);
                *open.index.borrow_mut() = segment.index;
                *open.aborted.borrow_mut() = segment.aborted;
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
        state.writer.epochs_unwritten = loaded.epochs_unwritten;
        let sealed = state.segments.len() - 1;
        for segment in &state.segments[..sealed] {
            if segment.index.borrow().is_some() {
                state.to_seal.push_back(segment.clone());
            }
        }
        state.producers = loaded.producers;
        state.producers.committed_up_to(loaded.log_end_offset);
        if state.last_stable_offset() < state.high_watermark {
            state.unstable_bytes = u64::MAX; // how many is not known
        }
        state.recent = loaded.recent;
        state.snapshot_offset = loaded.snapshot_offset;
        state
    }

    /// Where the first transaction begins whose end is not committed, the high watermark without one; never before the log.
    pub(super) fn last_stable_offset(&self) -> Offset {
        match self.producers.first_unstable() {
            Some(first) => first.max(self.log_start_offset).min(self.high_watermark),
            None => self.high_watermark,
        }
    }

    /// Whether it takes records, or would if there were room.
    pub(super) fn takes_records(&self) -> bool {
        matches!(self.condition, Condition::Writable | Condition::OutOfSpace)
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
