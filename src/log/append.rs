//! A validated batch into the log: sequence check, roll, place, stamps. Nothing here touches a file.
//!
//! The batch's bytes are copied once, into a staging buffer, and stamped there; the writer task takes the buffer as it is.
//! Until a batch is written its source is kept, so that a short write can go on; until it is committed, so is what its append
//! changed, so that a failure can take it back.

use std::rc::Rc;

use bytes::Bytes;

use super::error::{AppendError, LogError};
use super::index::{IndexMark, IndexedBatch};
use super::partition_log::PartitionLog;
use super::producer_snapshot;
use super::producer_state::{Marker, ProducerBatch, ProducerUndo, SequenceCheck};
use super::recent::RecentBatch;
use super::segment::Segment;
use super::state::{Condition, State};
use super::transaction_index::AbortedTransaction;
use crate::types::{LeaderEpoch, Offset, TimestampMs};
use crate::wire::records::{TimestampType, ValidatedBatch, stamp};

/// A staging buffer takes batches up to this size, so that one write does not hold up the answers of many; a larger batch
/// gets a buffer of its own.
const RUN_BYTES: usize = 1 << 20;
/// The smallest staging buffer.
const SMALLEST_RUN_BYTES: usize = 4 << 10;

/// Where a batch went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record. Wait for it with `committed(last_offset + 1)`.
    pub last_offset: Offset,
    /// The time it was stamped with in milliseconds; -1 where producers set the time.
    pub log_append_time: i64,
    /// The first offset of the log.
    pub log_start_offset: Offset,
    /// Whether it was there already; the offsets are then those of the original, which may still be in flight.
    pub duplicate: bool,
}

/// Batches that lie next to each other in one segment, for one write.
pub(super) struct StagedRun {
    pub(super) segment: Rc<Segment>,
    pub(super) position: u64,
    pub(super) bytes: Vec<u8>,
}

/// A batch above the high watermark.
pub(super) struct InFlight {
    pub(super) base_offset: Offset,
    pub(super) next_offset: Offset,
    pub(super) segment: Rc<Segment>,
    pub(super) position: u64,
    pub(super) end: u64,
    source: Bytes,
    leader_epoch: LeaderEpoch,
    stamped_time: Option<TimestampMs>,
    pub(super) undo: Undo,
}

/// What an append changed, to be taken back in reverse order.
pub(super) struct Undo {
    pub(super) index: IndexMark,
    pub(super) first_timestamp: Option<i64>,
    pub(super) producer: Option<ProducerUndo>,
    /// It got an entry in the segment's transaction index.
    pub(super) aborts: bool,
}

/// Who writes a batch, as the rules see it.
#[derive(Clone, Copy)]
enum Writer {
    /// Nobody in particular.
    Anyone,
    /// An idempotent producer.
    Producer(ProducerBatch),
    /// The coordinator that ends a producer's transaction.
    Coordinator(Marker),
}

impl InFlight {
    /// Writes the stamped batch behind what is in `bytes`.
    pub(super) fn stage_into(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(&self.source);
        let batch = &mut bytes[start..];
        stamp::stamp_offset(batch, self.base_offset, self.leader_epoch);
        if let Some(time) = self.stamped_time {
            stamp::stamp_log_append_time(batch, time);
        }
    }

    /// The bytes are in the page cache: the source may go.
    pub(super) fn release_source(&mut self) {
        self.source = Bytes::new();
    }
}

impl PartitionLog {
    /// Gives a batch its offsets and stages it; the log end offset moves, the write follows. Wait for it with
    /// [`PartitionLog::committed`]. `now` is the time for `segment.ms` and for `LogAppendTime`.
    ///
    /// # Errors
    /// [`AppendError`]; the log is then as it was.
    ///
    /// # Panics
    /// Outside a glommio executor.
    pub fn append(
        self: &Rc<Self>,
        batch: &ValidatedBatch,
        leader_epoch: LeaderEpoch,
        now: TimestampMs,
    ) -> Result<Appended, AppendError> {
        let appended = self
            .state
            .borrow_mut()
            .append(self, batch, leader_epoch, now)?;
        if !appended.duplicate {
            self.start_writer();
        }
        Ok(appended)
    }

    /// Ends a producer's transaction: appends its marker, like any batch. One for a producer that has none open is appended all
    /// the same, as by Kafka.
    ///
    /// # Errors
    /// [`AppendError`]; the log is then as it was.
    ///
    /// # Panics
    /// Outside a glommio executor.
    pub fn append_marker(
        self: &Rc<Self>,
        marker: &Marker,
        leader_epoch: LeaderEpoch,
        now: TimestampMs,
    ) -> Result<Appended, AppendError> {
        let batch = marker.end.batch(marker.producer_id, marker.epoch, now.0);
        let mut state = self.state.borrow_mut();
        state.check_writable()?;
        state.check_size(&batch)?;
        state.producers.check_marker(marker)?;
        let appended = state.place(
            self,
            &batch,
            leader_epoch,
            now,
            Writer::Coordinator(*marker),
        );
        drop(state);
        self.start_writer();
        Ok(appended)
    }
}

impl State {
    fn append(
        &mut self,
        log: &PartitionLog,
        batch: &ValidatedBatch,
        leader_epoch: LeaderEpoch,
        now: TimestampMs,
    ) -> Result<Appended, AppendError> {
        self.check_writable()?;
        self.check_size(batch)?;
        let writer = match producer_batch(batch) {
            None => Writer::Anyone,
            Some(producer) => match self.producers.check(&producer)? {
                SequenceCheck::Next => Writer::Producer(producer),
                SequenceCheck::Duplicate(original) => {
                    return Ok(self.duplicate(
                        original.base_offset(),
                        Offset(original.last_offset),
                        original.timestamp,
                    ));
                }
            },
        };
        Ok(self.place(log, batch, leader_epoch, now, writer))
    }

    /// The batch may be appended: rolls if it is time to, and stages it.
    fn place(
        &mut self,
        log: &PartitionLog,
        batch: &ValidatedBatch,
        leader_epoch: LeaderEpoch,
        now: TimestampMs,
        writer: Writer,
    ) -> Appended {
        let stamped_time =
            (self.config.timestamp_type == TimestampType::LogAppendTime).then_some(now);
        let max_timestamp = stamped_time.map_or(batch.max_timestamp, |time| time.0);
        if self.must_roll(batch, max_timestamp, now) {
            self.roll(log, now);
        }
        self.writer.epochs_unwritten |= self.epochs.assign(leader_epoch, self.log_end_offset);
        self.stage(batch, leader_epoch, stamped_time, max_timestamp, writer)
    }

    fn check_writable(&self) -> Result<(), LogError> {
        match &self.condition {
            Condition::Writable | Condition::OutOfSpace => Ok(()),
            Condition::ReadOnly(error) | Condition::Closed(error) => Err(error.clone()),
        }
    }

    fn check_size(&self, batch: &ValidatedBatch) -> Result<(), AppendError> {
        let size = batch.bytes.len();
        if size as u64 > u64::from(self.config.segment_bytes) {
            return Err(AppendError::BatchTooLarge {
                size,
                segment_bytes: self.config.segment_bytes,
            });
        }
        let last = i64::from(batch.last_offset_delta) + 1;
        match self.log_end_offset.0.checked_add(last) {
            Some(_) => Ok(()),
            None => Err(AppendError::OffsetsExhausted {
                log_end_offset: self.log_end_offset,
            }),
        }
    }

    fn duplicate(&self, base_offset: Offset, last_offset: Offset, timestamp: i64) -> Appended {
        let stamped = self.config.timestamp_type == TimestampType::LogAppendTime;
        Appended {
            base_offset,
            last_offset,
            log_append_time: if stamped { timestamp } else { -1 },
            log_start_offset: self.log_start_offset,
            duplicate: true,
        }
    }

    /// The rules of Kafka's `LogSegment.shouldRoll`.
    fn must_roll(&self, batch: &ValidatedBatch, max_timestamp: i64, now: TimestampMs) -> bool {
        let active = self.active();
        let size = active.staged.get();
        if size == 0 {
            return false;
        }
        let config = &self.config;
        let waited_ms = match active.first_timestamp.get() {
            Some(first) if first >= 0 => max_timestamp.saturating_sub(first),
            _ => now.0.saturating_sub(active.created.0),
        };
        let last_relative =
            self.log_end_offset - active.base_offset + i64::from(batch.last_offset_delta);
        let index_full = active
            .index
            .borrow()
            .as_ref()
            .is_some_and(|index| index.is_full(config.index_max_bytes));
        size + batch.bytes.len() as u64 > u64::from(config.segment_bytes)
            || waited_ms
                > config.segment_ms.saturating_sub(
                    active.jitter_ms(config.segment_jitter_ms.min(config.segment_ms)),
                )
            || index_full
            || last_relative > i64::from(i32::MAX)
    }

    /// Begins a new active segment at the log end offset. Its file is made by the writer, which seals the old one then.
    pub(super) fn roll(&mut self, log: &PartitionLog, now: TimestampMs) {
        let segment = Segment::new(&log.dir, self.log_end_offset, now);
        *segment.snapshot.borrow_mut() = Some(producer_snapshot::encode(&self.producers));
        self.segments.push(Rc::new(segment));
    }

    fn stage(
        &mut self,
        batch: &ValidatedBatch,
        leader_epoch: LeaderEpoch,
        stamped_time: Option<TimestampMs>,
        max_timestamp: i64,
        writer: Writer,
    ) -> Appended {
        let segment = self.active().clone();
        let base_offset = self.log_end_offset;
        let last_offset = base_offset + i64::from(batch.last_offset_delta);
        let position = segment.staged.get();
        let size = batch.bytes.len() as u64;
        let (producer, aborted) = self.note_writer(writer, base_offset, max_timestamp);
        let undo = Undo {
            index: index_append(
                &segment,
                last_offset,
                position,
                size,
                max_timestamp,
                &self.config,
            ),
            first_timestamp: segment.first_timestamp.get(),
            producer,
            aborts: aborted.is_some(),
        };
        if let Some(aborted) = aborted {
            segment.note_aborted(aborted);
            self.writer.aborted_unwritten = true;
        }
        if position == 0 {
            segment.first_timestamp.set(Some(max_timestamp));
        }
        segment.staged.set(position + size);
        self.log_end_offset = last_offset + 1;
        self.recent.push(RecentBatch {
            base_offset,
            next_offset: last_offset + 1,
            segment: segment.base_offset,
            position,
            end: position + size,
        });
        let in_flight = InFlight {
            base_offset,
            next_offset: last_offset + 1,
            segment,
            position,
            end: position + size,
            source: batch.bytes.clone(),
            leader_epoch,
            stamped_time,
            undo,
        };
        self.copy_to_run(&in_flight, batch.bytes.len());
        self.in_flight.push_back(in_flight);
        Appended {
            base_offset,
            last_offset,
            log_append_time: stamped_time.map_or(-1, |time| time.0),
            log_start_offset: self.log_start_offset,
            duplicate: false,
        }
    }

    fn note_writer(
        &mut self,
        writer: Writer,
        base_offset: Offset,
        max_timestamp: i64,
    ) -> (Option<ProducerUndo>, Option<AbortedTransaction>) {
        match writer {
            Writer::Anyone => (None, None),
            Writer::Producer(mut batch) => {
                batch.max_timestamp = max_timestamp;
                (Some(self.producers.record(&batch, base_offset)), None)
            }
            Writer::Coordinator(marker) => {
                let (undo, aborted) =
                    self.producers
                        .record_marker(&marker, base_offset, max_timestamp);
                (Some(undo), aborted)
            }
        }
    }

    /// The one copy of a batch: behind the last staged batch if it fits there, else into a new buffer.
    fn copy_to_run(&mut self, batch: &InFlight, size: usize) {
        self.staged_bytes += size;
        if let Some(run) = self.staged.back_mut()
            && Rc::ptr_eq(&run.segment, &batch.segment)
            && run.bytes.len() + size <= RUN_BYTES
        {
            return batch.stage_into(&mut run.bytes);
        }
        let usual = self
            .writer
            .last_write_bytes
            .clamp(SMALLEST_RUN_BYTES, RUN_BYTES);
        let mut bytes = Vec::with_capacity(usual.max(size));
        batch.stage_into(&mut bytes);
        self.staged.push_back(StagedRun {
            segment: batch.segment.clone(),
            position: batch.position,
            bytes,
        });
    }
}

fn index_append(
    segment: &Segment,
    last_offset: Offset,
    position: u64,
    size: u64,
    max_timestamp: i64,
    config: &super::LogConfig,
) -> IndexMark {
    let mut index = segment.index.borrow_mut();
    let index = index
        .as_mut()
        .expect("the active segment's index is in memory");
    let mark = index.mark();
    let batch = IndexedBatch {
        last_offset,
        position,
        size,
        max_timestamp,
    };
    index.append(batch, u64::from(config.index_interval_bytes));
    mark
}

/// The batch as the sequence rules see it; `None` if its producer is not idempotent.
fn producer_batch(batch: &ValidatedBatch) -> Option<ProducerBatch> {
    (batch.producer_id >= 0).then_some(ProducerBatch {
        producer_id: batch.producer_id,
        epoch: batch.producer_epoch,
        base_sequence: batch.base_sequence,
        last_offset_delta: batch.last_offset_delta,
        max_timestamp: batch.max_timestamp,
        transactional: batch.transactional,
    })
}
