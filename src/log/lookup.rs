//! From a timestamp to an offset.
//!
//! Records may come in any order of time, between batches and within one: the time index keeps the largest timestamp so far,
//! so the first batch that can hold an answer lies at or after its entry, and within a batch the records are walked. Only
//! committed records count.

use std::rc::Rc;

use futures_lite::future::yield_now;

use super::error::LogError;
use super::file_names::FileKind;
use super::index::MaxTimestamp;
use super::index_file;
use super::partition_log::PartitionLog;
use super::scan::{BatchFrame, HeadScanner};
use super::segment::Segment;
use crate::types::{LeaderEpoch, Offset};
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
            if self.max_timestamp_of(&segment).await?.timestamp < timestamp {
                continue;
            }
            let found = self.search_segment(&segment, timestamp).await?;
            if found.is_some() {
                return Ok(found);
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
            let max = self.max_timestamp_of(segment).await?;
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

    /// The leader epoch of the record at `offset`.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.state.borrow().epochs.epoch_at(offset)
    }

    pub(super) async fn max_timestamp_of(
        &self,
        segment: &Segment,
    ) -> Result<MaxTimestamp, LogError> {
        let in_memory = segment
            .index
            .borrow()
            .as_ref()
            .map(|index| index.max_timestamp());
        match in_memory.or(segment.max_timestamp.get()) {
            Some(max) => Ok(max),
            None => {
                let max = index_file::max_timestamp(segment).await?;
                segment.max_timestamp.set(Some(max));
                Ok(max)
            }
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
        segment: &Segment,
        timestamp: i64,
        start: Offset,
    ) -> Result<u64, LogError> {
        let in_memory = segment.index.borrow().as_ref().map(|index| {
            let offset = index.offset_for_timestamp(timestamp).max(start);
            index.position_for(offset)
        });
        match in_memory {
            Some(position) => Ok(position),
            None => {
                let offset = index_file::offset_for_timestamp(segment, timestamp).await?;
                index_file::position_for(segment, offset.max(start)).await
            }
        }
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
