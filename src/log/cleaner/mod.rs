//! Compaction: of each key only the newest record stays, at its offset. Kafka's `LogCleaner`.
//!
//! A core chooses one of its logs ([`PartitionLog::dirty`]) and hands a plan to a thread ([`PartitionLog::clean`]). The thread
//! reads sealed segments, which never change, and writes others; names are all that it changes, and the core takes each new
//! segment in under its own borrow. Readers notice nothing: whoever has a segment's file goes on with it.
//!
//! | file | what it is for |
//! |---|---|
//! | `plan` | what can be compacted, whether it is worth it, which segments become one (pure) |
//! | `offset_map` | the newest offset of each key, in bounded memory |
//! | `filter` | which records stay (pure) |
//! | `transactions` | what was aborted, and which markers are needed (pure) |
//! | `rewrite` | from a batch to what is written in its place (pure) |
//! | `pass` | one run over the files, on its thread |
//! | `output` | the files of the segment being written |
//! | `swap` | its files take the names of the old ones; what a stop in between leaves |
//! | `exchange` | how thread and core speak |
//! | `throttle` | bytes a second |
//!
//! What it must never know: topics, other partitions, whose turn it is.

mod error;
mod exchange;
mod filter;
mod offset_map;
mod output;
mod pass;
mod plan;
mod rewrite;
mod swap;
mod throttle;
mod transactions;

pub use error::CleanError;
pub(super) use exchange::{Handles, Replacement};
pub use pass::{Buffers, Cleaned};
pub use plan::{CompactionRules, Dirty};
pub(super) use swap::recover;
#[cfg(test)]
pub(super) use swap::recover_with;
pub(super) use swap::{Names, RealNames};
pub use throttle::Throttle;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::LogError;
use super::partition_log::PartitionLog;
use super::segment::{AbortedIndex, Segment};
use super::state::State;
use crate::io::background;
use crate::types::{Offset, TimestampMs};
use exchange::{Ask, Exchange};
use filter::LastRecord;
use glommio::sync::Permit;
use pass::Pass;
use plan::{CleaningPlan, SealedSegment};

/// What a run is given besides the log.
#[derive(Clone, Debug)]
pub struct Cleaning {
    /// The topic's rules.
    pub rules: CompactionRules,
    /// Memory.
    pub buffers: Buffers,
    /// Bytes a second, over all runs.
    pub throttle: Arc<Throttle>,
    /// The time.
    pub now: TimestampMs,
}

impl PartitionLog {
    /// How much of the log can be compacted; `None` if nothing, or not now. `compacted` is where the last run ended, if there was one.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn dirty(
        self: &Rc<Self>,
        compacted: Option<Offset>,
        rules: &CompactionRules,
        now: TimestampMs,
    ) -> Result<Option<Dirty>, LogError> {
        let (segments, first_dirty) = {
            let state = self.state.borrow();
            if !state.takes_records() || state.cleaning.is_some() {
                return Ok(None);
            }
            (state.sealed_segments(), state.first_dirty(compacted))
        };
        let mut sealed = Vec::with_capacity(segments.len());
        for (segment, next_base) in &segments {
            let is_dirty = *next_base > first_dirty;
            let mut known = segment.as_sealed(*next_base);
            if is_dirty && rules.min_compaction_lag_ms > 0 {
                known.max_timestamp = Some(self.max_timestamp_of(segment).await?.timestamp);
            }
            if is_dirty && rules.max_compaction_lag_ms < i64::MAX {
                known.first_timestamp = self.first_timestamp_of(segment).await?;
            }
            sealed.push(known);
        }
        Ok(plan::dirty(&sealed, first_dirty, rules, now.0))
    }

    /// Compacts what [`PartitionLog::dirty`] has found, on a thread of its own, and returns how far it got.
    ///
    /// Closing or deleting the log stops the run and waits for it. One run of a log at a time.
    ///
    /// # Errors
    /// See [`CleanError`]; the log holds what it held, and is readable as before.
    ///
    /// # Cancel safety
    /// None: a log whose run was dropped cannot be closed. Runs belong in a task that nobody drops.
    pub async fn clean(
        self: &Rc<Self>,
        dirty: &Dirty,
        cleaning: Cleaning,
    ) -> Result<Cleaned, CleanError> {
        self.clean_with(Arc::new(RealNames), dirty, cleaning).await
    }

    pub(super) async fn clean_with(
        self: &Rc<Self>,
        names: Arc<dyn Names>,
        dirty: &Dirty,
        cleaning: Cleaning,
    ) -> Result<Cleaned, CleanError> {
        let stop = Arc::new(AtomicBool::new(false));
        let aborted_later = self.aborted_across(dirty.first_uncleanable).await?;
        let mut plan = self
            .state
            .borrow_mut()
            .begin_cleaning(self, dirty, &cleaning, &stop)?;
        plan.aborted_later = aborted_later;
        let outcome = self.run(names, plan, &cleaning, stop).await;
        self.state.borrow_mut().cleaning = None;
        self.note_idle();
        outcome
    }

    async fn run(
        self: &Rc<Self>,
        names: Arc<dyn Names>,
        plan: CleaningPlan,
        cleaning: &Cleaning,
        stop: Arc<AtomicBool>,
    ) -> Result<Cleaned, CleanError> {
        let exchange = Arc::new(Exchange::default());
        let _abandoned = Abandon(Arc::clone(&exchange));
        let thread = {
            let (exchange, throttle) = (Arc::clone(&exchange), Arc::clone(&cleaning.throttle));
            let buffers = cleaning.buffers;
            move || {
                let pass = Pass {
                    plan: &plan,
                    buffers,
                    throttle: &throttle,
                    stop: &stop,
                    names: &*names,
                    exchange: &exchange,
                };
                // Whoever waits must hear of the end, whatever it is.
                let mut ended = Ended(&exchange, Err(CleanError::Panicked));
                ended.1 = pass.run();
            }
        };
        background::spawn("log-cleaner", thread).map_err(CleanError::Thread)?;
        // From the moment that a segment is replaced until all files have their names.
        let mut turn = None;
        loop {
            match exchange.next().await {
                Ask::Replace(replacement) => {
                    turn = self.turn_to_replace().await;
                    let replaced =
                        turn.is_some() && self.state.borrow_mut().replace(&self.dir, *replacement);
                    if !replaced {
                        turn = None;
                    }
                    exchange.answer(replaced);
                }
                Ask::Settled(base, gone) => {
                    self.state.borrow_mut().settle(base);
                    drop(turn.take());
                    self.remove_later(gone);
                    exchange.answer(true);
                }
                Ask::Done(outcome) => return outcome,
            }
        }
    }

    /// A turn to change which segments there are. Whoever closes the log takes the last one and waits for compaction, so none is
    /// asked for any more then.
    async fn turn_to_replace(&self) -> Option<Permit<'_>> {
        let takes_records = self.state.borrow().takes_records();
        match takes_records {
            true => self.reshape().await.ok(),
            false => None,
        }
    }
}

/// Tells the core how the thread has ended.
struct Ended<'a>(&'a Exchange, Result<Cleaned, CleanError>);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.1, Err(CleanError::Stopped));
        self.0.tell(Ask::Done(outcome));
    }
}

/// Lets a thread end that nobody listens to any more.
struct Abandon(Arc<Exchange>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Segment {
    fn as_sealed(&self, next_base: Offset) -> SealedSegment {
        SealedSegment {
            base_offset: self.base_offset,
            next_base,
            size: self.staged.get(),
            first_timestamp: None,
            max_timestamp: None,
        }
    }

    /// Its files are complete and on the device, and have their own names.
    fn is_sealed(&self) -> bool {
        self.settled.get()
            && self.index.borrow().is_none()
            && self.synced.get() == self.staged.get()
            && self.committed.get() == self.staged.get()
            && !self.is_pinned()
    }
}

impl State {
    /// The segments from the first on that take no more records and lie below the last stable offset, each with the base offset
    /// of the next.
    fn sealed_segments(&self) -> Vec<(Rc<Segment>, Offset)> {
        let below = self.last_stable_offset().min(self.written_end);
        self.segments
            .windows(2)
            .map(|pair| (pair[0].clone(), pair[1].base_offset))
            .take_while(|(segment, next_base)| segment.is_sealed() && *next_base <= below)
            .collect()
    }

    /// Where the dirty part begins; a checkpoint that cannot be right counts for nothing.
    fn first_dirty(&self, compacted: Option<Offset>) -> Offset {
        let start = self.log_start_offset;
        compacted
            .filter(|compacted| (start..=self.log_end_offset).contains(compacted))
            .unwrap_or(start)
    }

    fn begin_cleaning(
        &mut self,
        log: &PartitionLog,
        dirty: &Dirty,
        cleaning: &Cleaning,
        stop: &Arc<AtomicBool>,
    ) -> Result<CleaningPlan, CleanError> {
        if self.cleaning.is_some() || !self.takes_records() {
            return Err(CleanError::Stopped);
        }
        let segments: Vec<SealedSegment> = self
            .sealed_segments()
            .into_iter()
            .filter(|(segment, _)| segment.base_offset < dirty.first_uncleanable)
            .map(|(segment, next_base)| segment.as_sealed(next_base))
            .collect();
        if segments.last().map(|last| last.next_base) != Some(dirty.first_uncleanable) {
            return Err(CleanError::Changed);
        }
        self.cleaning = Some(Arc::clone(stop));
        Ok(CleaningPlan {
            dir: log.dir.clone(),
            segments,
            first_dirty: dirty.first_dirty,
            first_uncleanable: dirty.first_uncleanable,
            producers: self.last_records(),
            aborted_later: Vec::new(),
            newest_snapshot: self.snapshot_offset,
            segment_bytes: self.config.segment_bytes.into(),
            index_max_bytes: self.config.index_max_bytes.into(),
            index_interval_bytes: self.config.index_interval_bytes.into(),
            delete_retention_ms: cleaning.rules.delete_retention_ms,
            now_ms: cleaning.now.0,
        })
    }

    /// The last record of each producer that is remembered.
    fn last_records(&self) -> HashMap<i64, LastRecord> {
        let last = |entry: &super::ProducerEntry| LastRecord {
            last_offset: entry
                .batches()
                .last()
                .map(|batch| Offset(batch.last_offset)),
            epoch: entry.epoch,
        };
        self.producers
            .iter()
            .map(|(id, entry)| (id, last(entry)))
            .collect()
    }

    /// Puts a compacted segment in the place of those it was made of, unless they are not what they were.
    fn replace(&mut self, dir: &std::path::Path, replacement: Replacement) -> bool {
        let stopped = |stop: &Arc<AtomicBool>| stop.load(Ordering::Relaxed);
        if !self.takes_records() || self.cleaning.as_ref().is_none_or(stopped) {
            return false;
        }
        let old = &replacement.old;
        let first = old[0].0.base_offset;
        let at = self
            .segments
            .partition_point(|segment| segment.base_offset < first);
        let is_as_it_was = |(n, (sealed, _)): (usize, &(SealedSegment, Handles))| {
            let pair = self.segments.get(at + n).zip(self.segments.get(at + n + 1));
            pair.is_some_and(|(segment, next)| {
                segment.is_sealed() && segment.as_sealed(next.base_offset) == segment_only(sealed)
            })
        };
        if !old.iter().enumerate().all(is_as_it_was) {
            return false;
        }
        let created = self.segments[at].created;
        let new = Segment::sealed(dir, first, replacement.size, created);
        new.max_timestamp.set(Some(replacement.max_timestamp));
        if replacement.handles.transaction_index.is_some() {
            *new.aborted.borrow_mut() = AbortedIndex::File { checked: true };
        }
        new.pin(replacement.handles);
        let gone: Vec<_> = self
            .segments
            .splice(at..at + old.len(), [Rc::new(new)])
            .collect();
        for (segment, (_, handles)) in gone.iter().zip(replacement.old) {
            segment.pin(handles);
        }
        self.open_readers
            .retain(|open| !gone.iter().any(|segment| Rc::ptr_eq(open, segment)));
        let behind = self.segments[at + 1].base_offset;
        self.recent.forget_before(behind);
        true
    }

    /// The files of the segment at `base` have their names.
    fn settle(&mut self, base: Offset) {
        let found = self
            .segments
            .iter()
            .find(|segment| segment.base_offset == base);
        if let Some(segment) = found {
            segment.unpin();
        }
    }
}

/// Without the timestamps, which the choice alone looks at.
fn segment_only(sealed: &SealedSegment) -> SealedSegment {
    SealedSegment {
        first_timestamp: None,
        max_timestamp: None,
        ..*sealed
    }
}
