//! From a timestamp to an offset.
//!
//! Records may come in any order of time, between batches and within one: the time index keeps the largest timestamp so far,
//! so the first batch that can hold an answer lies at or after its entry, and within a batch the records are walked. Only
//! committed records count.

use std::rc::Rc;
use std::time::UNIX_EPOCH;
use std::{fs, io};

use futures_lite::future::yield_now;

use super::error::LogError;
use super::file_names::FileKind;
use super::index::MaxTimestamp;
use super::index_file;
use super::partition_log::PartitionLog;
use super::read::Turn;
use super::scan::{BatchFrame, HeadScanner};
use super::segment::Segment;
use crate::io::blocking::blocking;
use crate::types::{LeaderEpoch, Offset, TimestampMs};
use crate::wire::records::{BatchError, LookupProgress, RecordTime, Scratch, TimeLookup, Wanted};

/// Bytes of records that are walked before others get their turn.
const STEP_BYTES: usize = 64 << 10;
/// Batch heads that are looked at before others get their turn.
const STEP_HEADS: usize = 64;
/// What a batch may inflate to. Memory does not depend on it, only how long a walk may last; what was accepted from a
/// producer lies below.
const MOST_INFLATED_BYTES: u64 = 4 << 30;

/// A record found by its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimestampedOffset {
    /// The record's offset.
    pub offset: Offset,
    /// Its own timestamp in milliseconds.
    pub timestamp: i64,
    /// The leader epoch it was appended in.
    pub leader_epoch: LeaderEpoch,
}

impl PartitionLog {
    /// The first committed record whose timestamp is `timestamp` or later; `None` if there is none.
    ///
    /// # Errors
    /// A file cannot be read, or does not hold what its index says.
    pub async fn offset_for_timestamp(
        &self,
        timestamp: i64,
    ) -> Result<Option<TimestampedOffset>, LogError> {
        let segments = self.state.borrow().segments.clone();
        for segment in segments {
            match self.find_time_in(&segment, timestamp).await {
                Ok(None) => {}
                // It was taken out meanwhile.
                Err(_) if !self.has(&segment) => {}
                other => return other,
            }
        }
        Ok(None)
    }

    /// The first committed record that has the largest timestamp of all; `None` in an empty log, or one without timestamps.
    ///
    /// # Errors
    /// As [`PartitionLog::offset_for_timestamp`]; also if a record still being written turns out to be lost.
    pub async fn offset_of_max_timestamp(
        self: &Rc<Self>,
    ) -> Result<Option<TimestampedOffset>, LogError> {
        let mut newest: Option<MaxTimestamp> = None;
        let segments = self.state.borrow().segments.clone();
        for segment in &segments {
            let max = match self.max_timestamp_of(segment).await {
                Err(_) if !self.has(segment) => continue,
                max => max?,
            };
            if newest.is_none_or(|newest| max.timestamp > newest.timestamp) {
                newest = Some(max);
            }
        }
        let Some(max) = newest.filter(|max| max.timestamp >= 0) else {
            return Ok(None);
        };
        self.committed(max.offset + 1).await?;
        let Some(place) = self.find_batch(max.offset).await? else {
            return Ok(None);
        };
        let mut scanner = HeadScanner::new(self.reader_of(&place.segment).await?, place.end);
        match scanner.head_at(place.position).await? {
            Some(frame) => {
                self.search_batch(&place.segment, place.position, &frame, Wanted::Newest)
                    .await
            }
            None => Ok(None),
        }
    }

    /// Where segments begin, from the newest on whose file was last written to at `timestamp` or before, and before them the high
    /// watermark if now is not past that time either; the largest first, at most `most`. It is what clients could ask for before there were
    /// timestamps in records.
    ///
    /// # Errors
    /// A segment's file cannot be asked.
    pub async fn segment_starts_before(
        &self,
        timestamp: i64,
        most: usize,
    ) -> Result<Vec<Offset>, LogError> {
        let (start, end, segments) = {
            let state = self.state.borrow();
            let (start, end) = (state.log_start_offset, state.high_watermark);
            (start, end, state.segments.clone())
        };
        let has_records = segments.last().is_some_and(|last| last.base_offset < end);
        let mut found = Vec::new();
        if has_records && TimestampMs::now().0 <= timestamp {
            found.push(end);
        }
        for segment in segments.iter().rev().filter(|one| one.base_offset <= end) {
            if found.len() >= most {
                break;
            }
            let is_old = match self.last_written_ms(segment).await {
                Ok(written) => written <= timestamp,
                // It was taken out meanwhile.
                Err(_) if !self.has(segment) => continue,
                Err(error) => return Err(error),
            };
            if is_old || !found.is_empty() {
                found.push(segment.base_offset.max(start));
            }
        }
        found.truncate(most);
        Ok(found)
    }

    /// When a segment's file was last written to, in milliseconds.
    pub(super) async fn last_written_ms(&self, segment: &Segment) -> Result<i64, LogError> {
        let path = segment.path(FileKind::Log);
        let modified = {
            let path = path.clone();
            blocking(move || fs::metadata(path)?.modified()).await
        };
        let since = modified
            .and_then(|time| time.duration_since(UNIX_EPOCH).map_err(io::Error::other))
            .map_err(|error| LogError::storage("stat", &path, error))?;
        Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// The leader epoch of the record at `offset`.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.state.borrow().epochs.epoch_at(offset)
    }

    async fn find_time_in(
        &self,
        segment: &Rc<Segment>,
        timestamp: i64,
    ) -> Result<Option<TimestampedOffset>, LogError> {
        if self.max_timestamp_of(segment).await?.timestamp < timestamp {
            return Ok(None);
        }
        self.search_segment(segment, timestamp).await
    }

    /// Whether the segment is still one of the log's.
    pub(super) fn has(&self, segment: &Rc<Segment>) -> bool {
        let state = self.state.borrow();
        state
            .segments
            .iter()
            .any(|known| Rc::ptr_eq(known, segment))
    }

    /// The largest timestamp of a segment. What a file says of it is compared with the log at the first look: retention goes by it.
    pub(super) async fn max_timestamp_of(
        &self,
        segment: &Rc<Segment>,
    ) -> Result<MaxTimestamp, LogError> {
        self.max_timestamp(segment, Turn::Free).await
    }

    /// The same, for who has the turn to reshape the log.
    pub(super) async fn max_timestamp_in_turn(
        &self,
        segment: &Rc<Segment>,
    ) -> Result<MaxTimestamp, LogError> {
        self.max_timestamp(segment, Turn::Taken).await
    }

    async fn max_timestamp(
        &self,
        segment: &Rc<Segment>,
        turn: Turn,
    ) -> Result<MaxTimestamp, LogError> {
        let in_memory = segment
            .index
            .borrow()
            .as_ref()
            .map(|index| index.max_timestamp());
        if let Some(max) = in_memory.or(segment.max_timestamp.get()) {
            return Ok(max);
        }
        let mut max = index_file::max_timestamp(segment).await?;
        if !self.has_timestamp(segment, max).await || self.ends_later(segment, max).await {
            if !self.distrust_index(segment, turn).await {
                return Err(LogError::Corrupt {
                    path: segment.path(FileKind::TimeIndex),
                    reason: "the segment does not have the largest timestamp it names".to_owned(),
                });
            }
            max = index_file::max_timestamp(segment).await?;
        }
        segment.max_timestamp.set(Some(max));
        Ok(max)
    }

    /// Whether a batch near the end of a segment has a larger timestamp than its time index knows: the file is not whole.
    async fn ends_later(&self, segment: &Rc<Segment>, known: MaxTimestamp) -> bool {
        let Ok(file) = self.reader_of(segment).await else {
            return false;
        };
        let end = segment.committed.get();
        let Ok(mut position) = index_file::boundary_before(segment, end).await else {
            return false;
        };
        let mut scanner = HeadScanner::new(file, end);
        while let Ok(Some(frame)) = scanner.head_at(position).await {
            if frame.max_timestamp > known.timestamp {
                return true;
            }
            position += frame.size;
        }
        false
    }

    /// Whether the log has what an entry of a time index says.
    async fn has_timestamp(&self, segment: &Rc<Segment>, entry: MaxTimestamp) -> bool {
        if entry.timestamp < 0 {
            let first = self.first_timestamp_of(segment).await;
            return first.is_ok_and(|first| first.is_none_or(|first| first < 0));
        }
        let Ok(Some(place)) = self.find_in_segment(segment, entry.offset).await else {
            return false;
        };
        let Ok(file) = self.reader_of(segment).await else {
            return false;
        };
        let mut scanner = HeadScanner::new(file, place.end);
        match scanner.head_at(place.position).await {
            // Of a batch that compaction has emptied no timestamp is known.
            Ok(Some(frame)) => {
                frame.base_offset <= entry.offset
                    && (frame.max_timestamp == entry.timestamp || frame.max_timestamp < 0)
            }
            _ => false,
        }
    }

    /// The largest timestamp of a segment's first batch; `None` without a batch.
    pub(super) async fn first_timestamp_of(
        &self,
        segment: &Rc<Segment>,
    ) -> Result<Option<i64>, LogError> {
        if segment.first_timestamp.get().is_none() {
            let file = self.reader_of(segment).await?;
            let mut scanner = HeadScanner::new(file, segment.committed.get());
            let first = scanner.head_at(0).await?;
            segment
                .first_timestamp
                .set(first.map(|frame| frame.max_timestamp));
        }
        Ok(segment.first_timestamp.get())
    }

    async fn search_segment(
        &self,
        segment: &Rc<Segment>,
        timestamp: i64,
    ) -> Result<Option<TimestampedOffset>, LogError> {
        let start = self.log_start_offset();
        let mut position = self
            .position_for_timestamp(segment, timestamp, start)
            .await?;
        let mut scanner = HeadScanner::new(self.reader_of(segment).await?, segment.committed.get());
        let mut heads = 0;
        while let Some(frame) = scanner.head_at(position).await? {
            if frame.max_timestamp >= timestamp && frame.last_offset >= start {
                let wanted = Wanted::AtOrAfter(timestamp);
                let found = self.search_batch(segment, position, &frame, wanted).await?;
                if let Some(found) = found.filter(|found| found.offset >= start) {
                    return Ok(Some(found));
                }
            }
            position += frame.size;
            heads += 1;
            if heads % STEP_HEADS == 0 {
                yield_now().await;
            }
        }
        Ok(None)
    }

    async fn position_for_timestamp(
        &self,
        segment: &Rc<Segment>,
        timestamp: i64,
        start: Offset,
    ) -> Result<u64, LogError> {
        let in_memory = segment.index.borrow().as_ref().map(|index| {
            let offset = index.offset_for_timestamp(timestamp).max(start);
            index.position_for(offset)
        });
        if let Some(position) = in_memory {
            return Ok(position);
        }
        let mut entry = index_file::entry_before(segment, timestamp).await?;
        if let Some(found) = entry
            && !self.has_timestamp(segment, found).await
        {
            entry = match self.distrust_index(segment, Turn::Free).await {
                true => index_file::entry_before(segment, timestamp).await?,
                false => None,
            };
        }
        let offset = entry.map_or(segment.base_offset, |entry| entry.offset);
        let place = self.find_in_segment(segment, offset.max(start)).await?;
        Ok(place.map_or(segment.committed.get(), |place| place.position))
    }

    async fn search_batch(
        &self,
        segment: &Rc<Segment>,
        position: u64,
        frame: &BatchFrame,
        wanted: Wanted,
    ) -> Result<Option<TimestampedOffset>, LogError> {
        let found = |record: RecordTime| TimestampedOffset {
            offset: record.offset,
            timestamp: record.timestamp,
            leader_epoch: frame.leader_epoch,
        };
        if frame.magic < 2 {
            // An older message is its own answer; inside a compressed one nothing is looked up.
            return Ok(Some(found(RecordTime {
                offset: frame.last_offset,
                timestamp: frame.max_timestamp,
            })));
        }
        let file = self.reader_of(segment).await?;
        let batch = file.read_at(position, frame.size as usize).await;
        let batch = batch.map_err(|error| LogError::storage("read", file.path(), error))?;
        let damaged = |error: BatchError| LogError::Corrupt {
            path: segment.path(FileKind::Log),
            reason: format!("at position {position}: {error}"),
        };
        let mut scratch = Scratch::default();
        let mut lookup = TimeLookup::start(&batch, wanted, MOST_INFLATED_BYTES, &mut scratch)
            .map_err(damaged)?;
        loop {
            match lookup.step(&mut scratch, STEP_BYTES).map_err(damaged)? {
                LookupProgress::Done(record) => return Ok(record.map(found)),
                LookupProgress::More => yield_now().await,
            }
        }
    }
}
