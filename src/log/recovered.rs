//! After an unclean stop: what the stopped run wrote is in the page cache, and nobody has seen it reach the device.
//!
//! Until somebody has, it counts as unsynced: a power cut now is recovered from the old recovery point. A log that is opened by
//! itself syncs what it has, beside the writer; logs that are opened together at a start are synced together once the broker
//! is ready, with one sync of the file system ([`PartitionLog::recovered_is_synced`]).

use std::path::PathBuf;
use std::rc::Rc;

use super::error::LogError;
use super::load::{self, RecoveryReport, Trust};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use super::state::State;
use crate::io::{Crew, Disk, SegmentFile};
use crate::types::Offset;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::config::LogConfig;

/// What was there when the log was opened, until it is synced.
pub(super) struct Unsynced {
    end: Offset,
    segments: Vec<(Rc<Segment>, u64)>,
    names_changed: u64,
}

/// How far a log is written, for a checkpoint: see [`super::written_checkpoint`].
#[derive(Clone, Debug)]
pub struct Written {
    /// The segment that was written last.
    pub segment: Offset,
    /// Where in it the last finished write ended.
    pub position: u64,
    /// The offset that follows.
    pub next_offset: Offset,
    /// The segment's file.
    pub file: SegmentFile,
}

impl PartitionLog {
    /// [`PartitionLog::open_from`], by a thread of `crew`. What is not synced stays so until somebody has synced the file system and
    /// says so ([`PartitionLog::recovered_is_synced`]), or asks for it ([`PartitionLog::sync_recovered`]).
    ///
    /// # Errors
    /// As [`PartitionLog::open`].
    pub async fn open_with(
        crew: &Crew,
        dir: PathBuf,
        config: LogConfig,
        trust: Trust,
        log_start: Offset,
        checked_bytes: Arc<AtomicU64>,
    ) -> Result<(Rc<PartitionLog>, RecoveryReport), LogError> {
        let load = load::loading(&dir, &config, trust, checked_bytes);
        let loaded = crew.run(load).await?;
        let (log, report) = PartitionLog::enter(Rc::new(Disk), dir, config, loaded);
        if !trust.is_clean() {
            log.doubt_the_device();
        }
        log.state.borrow_mut().begin_at(log_start);
        Ok((log, report))
    }

    /// Nothing after the recovery point is certain to be on the device; nor are names.
    fn doubt_the_device(&self) {
        let mut state = self.state.borrow_mut();
        state.doubt_names();
        let segments = state.segments.iter();
        let unsynced = Unsynced {
            end: state.log_end_offset,
            segments: segments
                .map(|segment| (segment.clone(), segment.written.get()))
                .collect(),
            names_changed: state.writer.names_changed,
        };
        state.unsynced = Some(Box::new(unsynced));
    }

    /// Everything that was there at the opening has been synced since, by somebody else.
    pub fn recovered_is_synced(&self) {
        let mut state = self.state.borrow_mut();
        let Some(found) = state.unsynced.take() else {
            return;
        };
        if state.is_read_only() {
            return;
        }
        state.writer.birth_unsynced = false;
        state.writer.names_synced = state.writer.names_synced.max(found.names_changed);
        let end = found.end;
        let active = state.active().clone();
        drop(state);
        for (segment, written) in found.segments {
            segment.synced.set(segment.synced.get().max(written));
            if segment.index.borrow().is_none() && !Rc::ptr_eq(&segment, &active) {
                self.settle(&segment);
            }
        }
        self.synced(end);
    }

    /// Up to where the log is written, if that is further than it is synced; never for a log that has failed.
    pub fn written_end(&self) -> Option<Written> {
        self.state.borrow().written_mark()
    }
}

impl State {
    /// The names that the stopped run made may not be durable: the next sync has them synced first.
    pub(super) fn doubt_names(&mut self) {
        self.writer.names_changed += 1;
        // Who has synced records has synced the directory's own name before.
        self.writer.birth_unsynced = self.synced_end <= self.log_start_offset;
    }

    fn written_mark(&self) -> Option<Written> {
        if !self.takes_records() || self.written_end <= self.synced_end {
            return None;
        }
        let mut newest_first = self.segments.iter().rev();
        let (segment, file) =
            newest_first.find_map(|segment| Some((segment, segment.appender()?)))?;
        Some(Written {
            segment: segment.base_offset,
            position: segment.written.get(),
            next_offset: self.written_end,
            file: file.reader().clone(),
        })
    }
}
