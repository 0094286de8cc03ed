//! Retention at work: looks at the segments, asks the rules, and takes out what is past keeping.
//!
//! ```text
//! look (may read time indexes) ─▶ judge ─▶ roll, if the active one goes too ─▶ log start moves ─▶ names go ─▶ files go later
//! ```
//! The log start offset is then where a segment begins, so an open after a crash at any point finds a log that is whole: it
//! begins at its first segment, or later if `leader-epoch-checkpoint` and the broker's checkpoint agree on it. Records may come
//! back by a crash; the next look takes them out again.

use std::rc::Rc;

use super::error::LogError;
use super::partition_log::PartitionLog;
use super::retention::{Rules, SegmentView, Verdict};
use super::segment::Segment;
use super::state::{Condition, State};
use super::waiters::{Goal, Wait};
use crate::types::{Offset, TimestampMs};

/// What retention has taken out of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retired {
    /// How many segments.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them lay before the log start offset.
    pub by_start: usize,
    /// How many were more than `retention.bytes` asks for.
    pub by_size: usize,
    /// How many were older than `retention.ms`.
    pub by_time: usize,
    /// The log start offset now.
    pub log_start_offset: Offset,
}

impl PartitionLog {
    /// Takes out the segments that are past keeping by the log's settings, and those that lie before the log start offset;
    /// `None` if there are none. If all go, an empty segment takes their place.
    ///
    /// # Durability
    /// None asked: after a crash segments may be back, and go again the next time.
    ///
    /// # Errors
    /// The log is closed or read-only, or becomes so; or `leader-epoch-checkpoint` cannot be written, and nothing has gone.
    pub async fn apply_retention(
        self: &Rc<Self>,
        now: TimestampMs,
    ) -> Result<Option<Retired>, LogError> {
        let _turn = self.reshape().await?;
        let Some((verdict, end)) = self.past_keeping(now).await else {
            return Ok(None);
        };
        let Some(end) = self.make_removable(end, now).await? else {
            return Ok(None);
        };
        self.state.borrow_mut().move_start(end);
        self.keep_epochs_if_there_is_room().await?;
        let gone = self.state.borrow_mut().take_segments_before(end);
        let retired = Retired {
            segments: gone.len(),
            bytes: gone.iter().map(|segment| segment.staged.get()).sum(),
            by_start: verdict.by_start,
            by_size: verdict.by_size,
            by_time: verdict.by_time,
            log_start_offset: self.log_start_offset(),
        };
        self.remove_segments(gone).await;
        Ok((retired.segments > 0).then_some(retired))
    }

    /// What goes, and the offset before which it lies.
    async fn past_keeping(&self, now: TimestampMs) -> Option<(Verdict, Offset)> {
        let rules = self.state.borrow().retention_rules(now);
        let (segments, mut views) = self.state.borrow().segment_views();
        if rules.retention_ms.is_some() {
            for (segment, view) in segments.iter().zip(&mut views) {
                if view.size == 0 {
                    break; // the active one, which stays as it is
                }
                let largest = match self.largest_timestamp(segment).await {
                    Ok(largest) => largest,
                    Err(error) => {
                        log::warn!("{error}: retention.ms does not count here");
                        break;
                    }
                };
                view.largest_timestamp = Some(largest);
                if !rules.is_over(largest) {
                    break; // those that follow stay, whatever they hold
                }
            }
        }
        let verdict = rules.judge(&views);
        let last = verdict.count().checked_sub(1)?;
        Some((verdict, views[last].end))
    }

    /// The largest timestamp of a segment's records; when its file was last written to, if they have none.
    async fn largest_timestamp(&self, segment: &Rc<Segment>) -> Result<i64, LogError> {
        let largest = self.max_timestamp_in_turn(segment).await?.timestamp;
        if largest >= 0 {
            return Ok(largest);
        }
        self.last_written_ms(segment).await
    }

    /// Sees to it that segments before `end` can be taken out: rolls if the active one is among them, and waits for what is
    /// being sealed. Returns where what can go ends; that is earlier if records came in the meantime.
    async fn make_removable(
        self: &Rc<Self>,
        end: Offset,
        now: TimestampMs,
    ) -> Result<Option<Offset>, LogError> {
        let end = {
            let mut state = self.state.borrow_mut();
            if let Condition::ReadOnly(error) | Condition::Closed(error) = &state.condition {
                return Err(error.clone());
            }
            let active = state.active().clone();
            let all_go = end > active.base_offset;
            let at_rest = state.high_watermark == end && state.log_end_offset == end;
            match (all_go, at_rest) {
                (false, _) => end,
                (true, true) => {
                    state.roll(self, now);
                    end
                }
                (true, false) => active.base_offset,
            }
        };
        self.start_writer();
        let unsettled = self.state.borrow().has_unsettled_before(end);
        let sealed = match unsettled {
            true => Wait::register(self, Goal::Sealed, end).await,
            false => Ok(()),
        };
        let no_room = match sealed {
            // For a new segment, or for a record meanwhile: what lies before the active one can go all the same.
            Err(error) if error.is_no_space() => Some(error),
            sealed => sealed.map(|()| None)?,
        };
        let state = self.state.borrow();
        let end = end.min(state.active().base_offset);
        let first = &state.segments[0];
        let goes =
            first.settled.get() && state.segments.len() > 1 && state.segments[1].base_offset <= end;
        match no_room {
            Some(error) if !goes => Err(error),
            _ => Ok(goes.then_some(end)),
        }
    }
}

impl State {
    fn retention_rules(&self, now: TimestampMs) -> Rules {
        let config = &self.config;
        let limit = |value: i64| (config.delete && value >= 0).then_some(value);
        Rules {
            log_start_offset: self.log_start_offset,
            high_watermark: self.high_watermark,
            retention_bytes: limit(config.retention_bytes).map(i64::unsigned_abs),
            retention_ms: limit(config.retention_ms),
            now,
        }
    }

    fn segment_views(&self) -> (Vec<Rc<Segment>>, Vec<SegmentView>) {
        let ends = self.segments.iter().skip(1).map(|next| next.base_offset);
        let view = |(segment, end): (&Rc<Segment>, Offset)| SegmentView {
            end,
            size: segment.staged.get(),
            largest_timestamp: None,
        };
        let views = self
            .segments
            .iter()
            .zip(ends.chain([self.log_end_offset]))
            .map(view);
        (self.segments.clone(), views.collect())
    }

    /// Whether a task still works on a segment that lies before `end`.
    fn has_unsettled_before(&self, end: Offset) -> bool {
        self.segments
            .windows(2)
            .take_while(|pair| pair[1].base_offset <= end)
            .any(|pair| !pair[0].settled.get())
    }
}
