//! How far the bytes have come, and what a failure takes back. State only: the writer does the work and reports here.
//!
//! A batch's states, each reached only from the one before:
//! ```text
//! staged --write--> written --fdatasync, if the policy asks--> committed
//! ```
//! The high watermark moves over the contiguous committed prefix only. With `flush.messages = n` a batch commits when it is
//! written and fewer than n offsets up to its end are unsynced; otherwise it waits for a sync, which it shares with all who
//! wait then. `flush.ms` never holds a batch back.
//!
//! | failure | log end offset goes back to | then |
//! |---|---|---|
//! | no space for a write | what is written (whole batches) | the file is cut there; each append tries again |
//! | no space for what a sync needs besides | the high watermark | likewise |
//! | any other failed write | the high watermark | read-only |
//! | failed sync | what was synced, the high watermark with it | read-only |
//!
//! The producers go back with the log end offset, except below a high watermark that goes back itself: what they were then
//! is no longer known, and nothing asks before the log is opened anew.

use std::rc::Rc;

use super::error::LogError;
use super::partition_log::{AdvanceCause, PartitionLog};
use super::segment::Segment;
use super::state::{Condition, State};
use super::waiters::Goal;
use crate::types::Offset;

impl PartitionLog {
    /// Bytes of `segment` before `end` are in the page cache.
    pub(super) fn written(&self, segment: &Rc<Segment>, end: u64) {
        let mut state = self.state.borrow_mut();
        if state.is_read_only() {
            return; // a sync failed meanwhile, and these bytes no longer count
        }
        state.note_written(segment, end);
        let moved = state.advance();
        drop(state);
        self.announce_progress(moved);
    }

    /// Everything before `end` is on the device.
    pub(super) fn synced(&self, end: Offset) {
        let mut state = self.state.borrow_mut();
        if state.is_read_only() {
            return; // another sync failed meanwhile
        }
        state.synced_end = state.synced_end.max(end);
        assert!(
            state.synced_end <= state.written_end,
            "synced what was never written"
        );
        let synced_end = state.synced_end;
        state.waiters.reached(Goal::Synced, synced_end);
        let moved = state.advance();
        drop(state);
        self.announce_progress(moved);
    }

    fn announce_progress(&self, moved: Option<Moved>) {
        if let Some(moved) = moved {
            self.announce(moved, AdvanceCause::Committed);
        }
    }

    /// A write failed for want of space: back to the last whole batch, and on from there when there is room.
    pub(super) fn out_of_space(&self, error: LogError) {
        let good = self.state.borrow().written_end;
        self.wait_for_space(good, good, error);
    }

    /// A sync was not done for want of space: who waits for it is told. Nothing is lost; what nobody has read goes, as it cannot be
    /// acknowledged.
    pub(super) fn no_space_for_sync(&self, error: LogError) {
        let (committed, synced) = {
            let state = self.state.borrow();
            (state.high_watermark, state.synced_end)
        };
        self.wait_for_space(committed, synced, error);
    }

    /// Back to `good`; whoever waits for more than `reached` is told.
    fn wait_for_space(&self, good: Offset, reached: Offset, error: LogError) {
        let mut state = self.state.borrow_mut();
        if state.is_read_only() {
            return;
        }
        if matches!(state.condition, Condition::Writable) {
            log::error!(
                "{error}: no room for offsets {good} to {}; their producers are told, and the log goes on at {good}",
                state.log_end_offset
            );
            state.condition = Condition::OutOfSpace;
        }
        state.take_back_to(good);
        // What is written and waits for its sync still does.
        state.writer.sync_needed &= !state.in_flight.is_empty();
        state.waiters.fail_after(reached, &error);
        let active = state.active().clone();
        if active.appender().is_some() {
            state.writer.cut = Some((active.clone(), active.written.get()));
        }
    }

    /// A write failed for good: the log keeps what is committed and takes no more.
    pub(super) fn write_failed(&self, error: LogError) {
        let good = self.state.borrow().high_watermark;
        self.become_read_only(good, error);
    }

    /// A sync failed: which of the unsynced pages are lost is not known, so none of them counts.
    pub(super) fn sync_failed(&self, error: LogError) {
        let good = self.state.borrow().synced_end;
        self.become_read_only(good, error);
    }

    fn become_read_only(&self, good: Offset, error: LogError) {
        let mut state = self.state.borrow_mut();
        if state.is_read_only() {
            return;
        }
        log::error!(
            "{error}: {} is read-only from now on, with records up to offset {good}; offsets {good} to {} are lost. \
             Find the cause before the broker is started again",
            self.dir.display(),
            state.log_end_offset
        );
        if good < state.high_watermark {
            state.high_watermark = good;
            for segment in &state.segments {
                segment.fall_back_to_synced();
            }
        }
        state.condition = Condition::ReadOnly(error.clone());
        state.take_back_to(good);
        state.waiters.fail_all(&error);
        drop(state);
        self.announce(Moved::default(), AdvanceCause::Failed);
    }
}

/// What a step has made readable, in bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Moved {
    /// Below the high watermark.
    pub(super) bytes: u64,
    /// Below the last stable offset.
    pub(super) stable_bytes: u64,
}

impl State {
    pub(super) fn is_read_only(&self) -> bool {
        matches!(self.condition, Condition::ReadOnly(_))
    }

    fn note_written(&mut self, segment: &Rc<Segment>, end: u64) {
        assert!(end <= segment.staged.get(), "wrote past what was staged");
        let before = self.written_end;
        for batch in &mut self.in_flight {
            if batch.next_offset <= self.written_end {
                continue;
            }
            if !Rc::ptr_eq(&batch.segment, segment) || batch.end > end {
                break;
            }
            self.written_end = batch.next_offset;
            segment.written.set(batch.end);
            batch.release_source();
        }
        if self.written_end > before && matches!(self.condition, Condition::OutOfSpace) {
            log::info!(
                "{}: there is room again",
                segment.path(super::FileKind::Log).display()
            );
            self.condition = Condition::Writable;
        }
    }

    /// Moves the high watermark over what the flush policy lets through; returns the bytes that became readable.
    fn advance(&mut self) -> Option<Moved> {
        let before = self.high_watermark;
        let stable_before = self.last_stable_offset();
        let mut bytes = 0;
        self.writer.sync_needed = false;
        while let Some(batch) = self.in_flight.front() {
            if batch.next_offset > self.written_end {
                break;
            }
            let unsynced = (batch.next_offset - self.synced_end).max(0).unsigned_abs();
            if unsynced > 0 && unsynced >= self.config.flush_messages {
                self.writer.sync_needed = true;
                break;
            }
            batch.segment.committed.set(batch.end);
            self.high_watermark = batch.next_offset;
            bytes += batch.end - batch.position;
            self.in_flight.pop_front();
        }
        if self.high_watermark == before {
            return None;
        }
        let high_watermark = self.high_watermark;
        self.producers.committed_up_to(high_watermark);
        self.waiters.reached(Goal::Committed, high_watermark);
        let stable_bytes = self.stable_bytes(stable_before, bytes);
        Some(Moved {
            bytes,
            stable_bytes,
        })
    }

    /// What became readable to readers of committed records, when `bytes` did to all: never too little. Between two open
    /// transactions it is not counted, so that the same bytes may be told more than once.
    fn stable_bytes(&mut self, before: Offset, bytes: u64) -> u64 {
        self.unstable_bytes = self.unstable_bytes.saturating_add(bytes);
        match self.last_stable_offset() {
            now if now == self.high_watermark => std::mem::take(&mut self.unstable_bytes),
            now if now > before => self.unstable_bytes,
            _ => 0,
        }
    }

    /// Takes back everything past `good`, the newest batch first: places, indexes, producers, epochs, and segments that
    /// have no file yet.
    pub(super) fn take_back_to(&mut self, good: Offset) {
        while self
            .in_flight
            .back()
            .is_some_and(|batch| batch.next_offset > good)
        {
            let Some(batch) = self.in_flight.pop_back() else {
                break;
            };
            batch.segment.take_back_to(batch.position);
            batch
                .segment
                .first_timestamp
                .set(batch.undo.first_timestamp);
            if let Some(index) = batch.segment.index.borrow_mut().as_mut() {
                index.restore(batch.undo.index);
            }
            if batch.undo.aborts {
                batch.segment.forget_aborted();
            }
            if let Some(producer) = batch.undo.producer {
                self.producers.restore(producer);
            }
        }
        while self.segments.len() > 1
            && self.active().appender().is_none()
            && self.active().base_offset >= good
        {
            self.segments.pop();
        }
        self.staged.clear();
        self.staged_bytes = 0;
        self.log_end_offset = good;
        self.written_end = self.written_end.min(good);
        self.recent.truncate_from(good);
        self.writer.epochs_unwritten |= self.epochs.truncate_from(good + 1);
    }
}
