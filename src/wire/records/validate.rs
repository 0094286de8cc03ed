//! What a broker checks once in a batch a client sent: shape, checksum, declared counts, every record.
//!
//! The checks and their order are those of Apache Kafka's leader append (ProduceRequest, UnifiedLog, LogValidator), so that
//! a batch with two faults gets the answer Kafka gives. A batch that passes is kept byte for byte; only a wrong
//! `maxTimestamp` or a timestamp type that is not the topic's is put right, in a copy.
//!
//! The work is cut into steps of bounded size, because a core serves everyone else in between. Must never know files,
//! error codes, or who sent the batch.

use bytes::Bytes;

use super::attributes::TimestampType;
use super::batch::{BatchHeader, CRC_COVERS_FROM, MAGIC_AT, NO_PRODUCER_ID, NO_TIMESTAMP};
use super::codec::Codec;
use super::crc::{Crc32cPieces, crc32c};
use super::error::{BatchError, Invalid, MOST_REJECTED_LISTED, RejectedReason, RejectedRecord};
use super::inflate::Scratch;
use super::read::entry_size;
use super::stamp::restamp;
use super::stream::RecordStream;
use super::walk::RecordFacts;
use crate::types::TimestampMs;

/// What a topic allows; the names are Kafka's topic properties.
#[derive(Clone, Copy, Debug)]
pub struct ValidationRules {
    /// `max.message.bytes`, of the batch as it was sent.
    pub max_message_bytes: u32,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
    /// Whether `cleanup.policy` has `compact`, so that each record needs a key.
    pub compacted: bool,
    /// The time timestamps are compared with.
    pub now: TimestampMs,
    /// Bytes a batch may inflate to before it is given up: time and memory are bounded, whatever it was sent as.
    pub max_decompressed_bytes: u64,
}

/// A batch that may be appended.
#[derive(Clone, Debug)]
pub struct ValidatedBatch {
    /// Exactly the batch.
    pub bytes: Bytes,
    /// Records inside, at least 1.
    pub record_count: u32,
    /// The last record's offset less the first's.
    pub last_offset_delta: i32,
    /// Milliseconds the records' timestamps are relative to.
    pub base_timestamp: i64,
    /// The newest timestamp, in milliseconds, or -1. In a topic of append times: when the batch was validated.
    pub max_timestamp: i64,
    /// The topic's; with [`TimestampType::LogAppendTime`] the log still has to stamp its time on the batch.
    pub timestamp_type: TimestampType,
    /// The idempotent producer's id, or -1.
    pub producer_id: i64,
    /// The producer's epoch, or -1.
    pub producer_epoch: i16,
    /// The sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// Part of a transaction.
    pub transactional: bool,
    /// Holds control records; never in a client's batch.
    pub control: bool,
    /// How the records are compressed.
    pub codec: Codec,
    /// The offset, less the base offset, of the first record that has `max_timestamp`.
    pub offset_of_max_timestamp_delta: i32,
}

/// How far a validation has come.
#[derive(Debug)]
pub enum Progress {
    /// The budget is used up; take another step.
    More,
    /// The batch passes.
    Done(ValidatedBatch),
}

/// A batch on its way through the checks.
pub struct BatchValidator {
    /// Exactly the batch.
    batch: Bytes,
    phase: Phase,
    tally: Tally,
}

enum Phase {
    /// With the position of the next byte to add.
    Checksum {
        pieces: Crc32cPieces,
        at: usize,
    },
    Records(RecordStream),
}

impl BatchValidator {
    /// Looks at the shape of `records`, what a produce request holds for one partition: exactly one v2 batch of an allowed
    /// size. Bytes behind it that are no batch are dropped, as Kafka does.
    ///
    /// # Errors
    /// [`BatchError::Invalid`], [`BatchError::Corrupt`], [`BatchError::TooLarge`], or
    /// [`BatchError::UnsupportedMagic`] for a message set, which has to be converted first.
    pub fn start(
        mut records: Bytes,
        rules: &ValidationRules,
    ) -> Result<BatchValidator, BatchError> {
        let size = entry_size(&records)?.ok_or(Invalid::NoBatch)?;
        if (0..2).contains(&(records[MAGIC_AT] as i8)) {
            let magic = records[MAGIC_AT] as i8;
            return Err(BatchError::UnsupportedMagic { magic });
        }
        if entry_size(&records[size..])?.is_some() {
            return Err(Invalid::SeveralBatches.into());
        }
        records.truncate(size);
        let header = BatchHeader::read(&records)?;
        if header.base_offset().0 != 0 {
            let base_offset = header.base_offset().0;
            return Err(Invalid::BaseOffset { base_offset }.into());
        }
        if size > rules.max_message_bytes as usize {
            let max = rules.max_message_bytes as usize;
            return Err(BatchError::TooLarge { size, max });
        }
        Ok(BatchValidator {
            phase: Phase::Checksum {
                pieces: Crc32cPieces::new(),
                at: CRC_COVERS_FROM,
            },
            tally: Tally::new(header, rules),
            batch: records,
        })
    }

    /// The header, whose checksum may not have been looked at yet.
    pub fn header(&self) -> &BatchHeader {
        BatchHeader::read(&self.batch).expect("the header was read at the start")
    }

    /// Goes on for about `budget_bytes` of checksum and inflated records; call again on [`Progress::More`].
    ///
    /// # Errors
    /// Any [`BatchError`]; the validation is over then.
    pub fn step(
        &mut self,
        scratch: &mut Scratch,
        budget_bytes: usize,
    ) -> Result<Progress, BatchError> {
        let mut budget = budget_bytes.max(1);
        if let Phase::Checksum { pieces, at } = &mut self.phase {
            if !step_checksum(&self.batch, pieces, at, &mut budget)? {
                return Ok(Progress::More);
            }
            let header = BatchHeader::read(&self.batch)?;
            check_declarations(header)?;
            let max = self.tally.rules.max_decompressed_bytes;
            let stream = RecordStream::open(&self.batch, header, max, scratch)?;
            self.phase = Phase::Records(stream);
        }
        let Phase::Records(stream) = &mut self.phase else {
            return Ok(Progress::More);
        };
        if budget == 0 || !stream.step(scratch, budget, |record| self.tally.visit(record))? {
            return Ok(Progress::More);
        }
        self.finish().map(Progress::Done)
    }

    /// Takes every step at once, for callers that have nobody waiting.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(&mut self, scratch: &mut Scratch) -> Result<ValidatedBatch, BatchError> {
        loop {
            if let Progress::Done(validated) = self.step(scratch, usize::MAX)? {
                return Ok(validated);
            }
        }
    }

    fn finish(&mut self) -> Result<ValidatedBatch, BatchError> {
        self.tally.verdict()?;
        let header = *self.header();
        let (max_timestamp, offset_of_max_timestamp_delta) = self.tally.newest();
        let attributes = header.attributes();
        let mut bytes = std::mem::take(&mut self.batch);
        if self.tally.rules.timestamp_type == TimestampType::CreateTime
            && (attributes.timestamp_type(), header.max_timestamp())
                != (TimestampType::CreateTime, max_timestamp)
        {
            let mut copy = bytes.to_vec();
            restamp(&mut copy, TimestampType::CreateTime, max_timestamp);
            bytes = Bytes::from(copy);
        }
        Ok(ValidatedBatch {
            bytes,
            record_count: header.record_count() as u32,
            last_offset_delta: header.last_offset_delta(),
            base_timestamp: header.base_timestamp(),
            max_timestamp,
            timestamp_type: self.tally.rules.timestamp_type,
            producer_id: header.producer_id(),
            producer_epoch: header.producer_epoch(),
            base_sequence: header.base_sequence(),
            transactional: attributes.is_transactional(),
            control: attributes.is_control(),
            codec: attributes.codec()?,
            offset_of_max_timestamp_delta,
        })
    }
}

/// Goes on with the checksum for at most `budget` bytes; true once it has been found right.
fn step_checksum(
    batch: &[u8],
    pieces: &mut Crc32cPieces,
    at: &mut usize,
    budget: &mut usize,
) -> Result<bool, BatchError> {
    let left = &batch[*at..];
    let piece = &left[..left.len().min(*budget)];
    let is_whole = *at == CRC_COVERS_FROM && piece.len() == left.len();
    *budget -= piece.len();
    *at += piece.len();
    if is_whole {
        BatchHeader::read(batch)?.check_crc(crc32c(piece))?;
        return Ok(true);
    }
    pieces.add(piece);
    if *at < batch.len() {
        return Ok(false);
    }
    BatchHeader::read(batch)?.check_crc(pieces.finish())?;
    Ok(true)
}

/// Checks what the header declares, once its checksum has been found right.
fn check_declarations(header: &BatchHeader) -> Result<(), BatchError> {
    header.attributes().codec()?;
    let (last_offset_delta, count) = (header.last_offset_delta(), header.record_count());
    if count <= 0 || last_offset_delta != count - 1 {
        return Err(Invalid::Count {
            last_offset_delta,
            count,
        }
        .into());
    }
    if header.attributes().is_control() {
        return Err(Invalid::Control.into());
    }
    let (producer_id, base_sequence) = (header.producer_id(), header.base_sequence());
    if producer_id > NO_PRODUCER_ID && base_sequence < 0 {
        return Err(Invalid::Sequence {
            producer_id,
            base_sequence,
        }
        .into());
    }
    Ok(())
}

/// What the records have come to so far.
struct Tally {
    rules: ValidationRules,
    batch_timestamp_type: TimestampType,
    base_timestamp: i64,
    declared_max_timestamp: i64,
    max_timestamp: i64,
    index_of_max_timestamp: u32,
    rejected: Vec<RejectedRecord>,
    rejected_total: u32,
    any_timestamp: bool,
}

impl Tally {
    fn new(header: &BatchHeader, rules: &ValidationRules) -> Tally {
        Tally {
            rules: *rules,
            batch_timestamp_type: header.attributes().timestamp_type(),
            base_timestamp: header.base_timestamp(),
            declared_max_timestamp: header.max_timestamp(),
            max_timestamp: NO_TIMESTAMP,
            index_of_max_timestamp: 0,
            rejected: Vec::new(),
            rejected_total: 0,
            any_timestamp: false,
        }
    }

    #[inline(always)]
    fn visit(&mut self, record: RecordFacts) -> Result<(), BatchError> {
        let RecordFacts {
            index,
            offset_delta,
            ..
        } = record;
        if offset_delta as u32 != index {
            return Err(Invalid::OffsetDelta {
                index,
                offset_delta,
            }
            .into());
        }
        let timestamp = match self.batch_timestamp_type {
            TimestampType::CreateTime => self.base_timestamp.wrapping_add(record.timestamp_delta),
            TimestampType::LogAppendTime => self.declared_max_timestamp,
        };
        if timestamp > self.max_timestamp {
            self.max_timestamp = timestamp;
            self.index_of_max_timestamp = index;
        }
        if self.rules.compacted && !record.has_key {
            self.reject(index, RejectedReason::Keyless);
        } else if let Some(reason) = self.timestamp_fault(index, timestamp) {
            self.any_timestamp = true;
            self.reject(index, reason);
        }
        Ok(())
    }

    #[inline(always)]
    fn timestamp_fault(&self, index: u32, timestamp: i64) -> Option<RejectedReason> {
        let ValidationRules {
            timestamp_before_max_ms: before,
            timestamp_after_max_ms: after,
            now: TimestampMs(now),
            ..
        } = self.rules;
        if self.rules.timestamp_type == TimestampType::CreateTime && timestamp != NO_TIMESTAMP {
            let age = now.wrapping_sub(timestamp);
            return (age > before || age.wrapping_neg() > after).then(|| {
                RejectedReason::TimestampRange {
                    index,
                    timestamp,
                    earliest: now.wrapping_sub(before),
                    latest: now.wrapping_add(after),
                }
            });
        }
        (self.batch_timestamp_type == TimestampType::LogAppendTime)
            .then_some(RejectedReason::TimestampType)
    }

    #[cold]
    fn reject(&mut self, index: u32, reason: RejectedReason) {
        self.rejected_total += 1;
        if self.rejected.len() < MOST_REJECTED_LISTED {
            self.rejected.push(RejectedRecord { index, reason });
        }
    }

    fn verdict(&mut self) -> Result<(), BatchError> {
        if self.rejected_total == 0 {
            return Ok(());
        }
        Err(BatchError::Rejected {
            records: std::mem::take(&mut self.rejected),
            total: self.rejected_total,
            any_timestamp: self.any_timestamp,
        })
    }

    /// The newest timestamp and the first record that has it.
    fn newest(&self) -> (i64, i32) {
        match self.rules.timestamp_type {
            TimestampType::CreateTime => (self.max_timestamp, self.index_of_max_timestamp as i32),
            TimestampType::LogAppendTime => (self.rules.now.0, 0),
        }
    }
}

#[cfg(test)]
mod tests;
