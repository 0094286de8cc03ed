//! The head of a batch in a file, and finding the next one.
//!
//! Heads of format v2 and of the older message sets (magic 0 and 1) are told apart by the magic byte, which all formats have at
//! the same place; where a message of an older format begins and ends is all that is read of it here.

use super::error::LogError;
use super::producer_state::{Marker, ProducerBatch, ProducerStates};
use super::transaction_index::AbortedTransaction;
use crate::io::SegmentFile;
use crate::types::{LeaderEpoch, Offset};
use crate::wire::records::{BatchHeader, EndTransaction, HEADER_BYTES};

/// Bytes read at a time when heads are looked at one after the other.
const WINDOW_BYTES: u64 = 4096;
/// Offset and size, which every format begins with.
const OVERHEAD_BYTES: usize = 12;
/// Where every format has its magic byte.
const MAGIC_AT: usize = 16;
/// The smallest message of an older format: offset, size, CRC, magic, attributes, key and value length.
const SMALLEST_MESSAGE_BYTES: u64 = 26;

/// What the log needs to know of a batch it meets in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchFrame {
    pub(super) base_offset: Offset,
    pub(super) last_offset: Offset,
    /// The whole batch in bytes.
    pub(super) size: u64,
    pub(super) magic: i8,
    /// The largest timestamp in milliseconds, -1 without one.
    pub(super) max_timestamp: i64,
    pub(super) leader_epoch: LeaderEpoch,
    /// What the sequence rules look at, if its producer is idempotent.
    pub(super) producer: Option<ProducerBatch>,
    /// Holds control records.
    pub(super) control: bool,
    /// The end of its producer's transaction that a control batch holds; known only where whole batches are read.
    pub(super) end: Option<EndTransaction>,
}

impl BatchFrame {
    /// Notes the batch among the producers; the transaction that it aborts, if it does. A control batch that compaction has
    /// emptied says nothing.
    pub(super) fn record_in(&self, producers: &mut ProducerStates) -> Option<AbortedTransaction> {
        let producer = self.producer.as_ref()?;
        if !self.control {
            producers.record(producer, self.base_offset);
            return None;
        }
        let marker = Marker {
            producer_id: producer.producer_id,
            epoch: producer.epoch,
            end: self.end?,
            transaction_version: 0,
        };
        let recorded = producers.record_marker(&marker, self.base_offset, producer.max_timestamp);
        recorded.1
    }

    /// The offset after the batch.
    pub(super) fn next_offset(&self) -> Offset {
        self.last_offset + 1
    }

    /// Reads a head. `bytes` begins with it, and holds all of it unless the file ends there.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub(super) fn parse(bytes: &[u8]) -> Result<BatchFrame, String> {
        match bytes.get(MAGIC_AT) {
            Some(0 | 1) => BatchFrame::parse_message(bytes),
            Some(_) => BatchFrame::parse_batch(bytes),
            None => Err(format!("{} bytes are no batch", bytes.len())),
        }
    }

    fn parse_batch(bytes: &[u8]) -> Result<BatchFrame, String> {
        let header = BatchHeader::read(bytes).map_err(|error| error.to_string())?;
        if header.base_offset().0 < 0
            || header.last_offset_delta() < 0
            || header.last_offset().0 == i64::MAX
        {
            return Err(format!(
                "offsets {} + {} are not possible",
                header.base_offset(),
                header.last_offset_delta()
            ));
        }
        let attributes = header.attributes();
        Ok(BatchFrame {
            base_offset: header.base_offset(),
            last_offset: header.last_offset(),
            size: header.total_size() as u64,
            magic: header.magic(),
            // A header that compaction left alone has no record with that time; its producer was heard of then all the same.
            max_timestamp: match header.record_count() {
                0 => -1,
                _ => header.max_timestamp(),
            },
            leader_epoch: header.leader_epoch(),
            producer: (header.producer_id() >= 0).then(|| ProducerBatch {
                producer_id: header.producer_id(),
                epoch: header.producer_epoch(),
                base_sequence: header.base_sequence(),
                last_offset_delta: header.last_offset_delta(),
                max_timestamp: header.max_timestamp(),
                transactional: attributes.is_transactional(),
            }),
            control: attributes.is_control(),
            end: None,
        })
    }

    fn parse_message(bytes: &[u8]) -> Result<BatchFrame, String> {
        let offset = Offset(be_i64(bytes, 0).unwrap_or(-1));
        let length = be_i64(bytes, 4).unwrap_or(-1) as i32;
        let size = u64::try_from(length).map_or(0, |length| length + OVERHEAD_BYTES as u64);
        if offset.0 < 0 || offset.0 == i64::MAX || size < SMALLEST_MESSAGE_BYTES {
            return Err(format!(
                "offset {offset} with length {length} is not possible"
            ));
        }
        let magic = bytes[MAGIC_AT] as i8;
        let timestamp = if magic == 1 { be_i64(bytes, 18) } else { None };
        Ok(BatchFrame {
            base_offset: offset,
            last_offset: offset,
            size,
            magic,
            max_timestamp: timestamp.unwrap_or(-1),
            leader_epoch: LeaderEpoch(-1),
            producer: None,
            control: false,
            end: None,
        })
    }
}

fn be_i64(bytes: &[u8], at: usize) -> Option<i64> {
    let field = bytes.get(at..at + 8)?;
    Some(i64::from_be_bytes(field.try_into().ok()?))
}

/// Reads the heads of a segment's batches one after the other, without sleeping where the pages are resident.
pub(super) struct HeadScanner {
    file: SegmentFile,
    limit: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl HeadScanner {
    /// A scanner of the batches before `limit`, which is the end of one.
    pub(super) fn new(file: SegmentFile, limit: u64) -> HeadScanner {
        HeadScanner {
            file,
            limit,
            window: Vec::new(),
            window_start: 0,
        }
    }

    /// The head of the batch at `position`; `None` at the limit.
    ///
    /// # Errors
    /// The file cannot be read, or there is no batch.
    pub(super) async fn head_at(&mut self, position: u64) -> Result<Option<BatchFrame>, LogError> {
        if position >= self.limit {
            return Ok(None);
        }
        let head_end = self.limit.min(position + HEADER_BYTES as u64);
        if position < self.window_start || head_end > self.window_start + self.window.len() as u64 {
            self.fill(position).await?;
        }
        let at = (position - self.window_start) as usize;
        match BatchFrame::parse(&self.window[at..]) {
            Ok(frame) if position + frame.size <= self.limit => Ok(Some(frame)),
            Ok(frame) => Err(self.corrupt(
                position,
                &format!("{} bytes reach past the committed end", frame.size),
            )),
            Err(reason) => Err(self.corrupt(position, &reason)),
        }
    }

    async fn fill(&mut self, position: u64) -> Result<(), LogError> {
        let len = WINDOW_BYTES.min(self.limit - position) as usize;
        self.window.resize(len, 0);
        self.window_start = position;
        let read = self.file.read_into(position, &mut self.window).await;
        read.map_err(|error| {
            self.window.clear();
            LogError::storage("read", self.file.path(), error)
        })
    }

    fn corrupt(&self, position: u64, reason: &str) -> LogError {
        LogError::Corrupt {
            path: self.file.path().to_owned(),
            reason: format!("at position {position}: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::records::{BatchBuilder, Codec};

    #[test]
    fn an_old_message_is_framed_by_its_offset_and_length() {
        let mut message = Vec::new();
        message.extend_from_slice(&77_i64.to_be_bytes());
        message.extend_from_slice(&40_i32.to_be_bytes());
        message.extend_from_slice(&[0; 4]); // CRC
        message.extend_from_slice(&[1, 0]); // magic, attributes
        message.extend_from_slice(&123_456_i64.to_be_bytes());
        let frame = BatchFrame::parse(&message).unwrap();
        assert_eq!(
            (frame.base_offset, frame.next_offset(), frame.size),
            (Offset(77), Offset(78), 52)
        );
        assert_eq!(frame.max_timestamp, 123_456);
    }

    #[test]
    fn nonsense_is_no_batch() {
        assert!(BatchFrame::parse(&[]).is_err());
        assert!(BatchFrame::parse(&[0; 16]).is_err());
        assert!(
            BatchFrame::parse(&[0; 100]).is_err(),
            "zeros are no message of magic 0"
        );
        assert!(BatchFrame::parse(&[0xff; 100]).is_err());
        let mut last = BatchBuilder::new(Codec::None);
        last.append(0, None, None, &[]);
        let mut last = last.build().to_vec();
        last[..8].copy_from_slice(&i64::MAX.to_be_bytes());
        assert!(
            BatchFrame::parse(&last).is_err(),
            "no offset could follow it"
        );
    }
}
