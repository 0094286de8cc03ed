//! Making record batches: for clients, tests, and the broker's own logs.
//!
//! Records are encoded as they come, behind room for the header; an uncompressed batch is never copied. Must never know
//! where the batch goes.

use bytes::Bytes;

use super::attributes::{Attributes, TimestampType};
use super::batch::{BatchHeader, HEADER_BYTES, HeaderFields, NO_PRODUCER_ID, NO_TIMESTAMP};
use super::codec::Codec;
use super::validate::ValidatedBatch;
use super::varint;
use crate::types::{LeaderEpoch, Offset};
use zerocopy::IntoBytes;

/// A header to append: key, and value or none.
pub type Header<'a> = (&'a str, Option<&'a [u8]>);

/// A batch in the making.
pub struct BatchBuilder {
    codec: Codec,
    attributes: Attributes,
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    offset_delta_of_max_timestamp: i32,
    record_count: i32,
    /// Room for the header, then the records, not yet compressed.
    bytes: Vec<u8>,
}

impl BatchBuilder {
    /// An empty batch of base offset 0, as producers send it.
    pub fn new(codec: Codec) -> BatchBuilder {
        BatchBuilder {
            codec,
            attributes: Attributes::default().with_codec(codec),
            base_offset: Offset::ZERO,
            leader_epoch: LeaderEpoch(-1),
            producer_id: NO_PRODUCER_ID,
            producer_epoch: -1,
            base_sequence: -1,
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            offset_delta_of_max_timestamp: 0,
            record_count: 0,
            bytes: vec![0; HEADER_BYTES],
        }
    }

    /// Makes the batch idempotent: who writes it, and the sequence number of its first record.
    #[must_use]
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> BatchBuilder {
        (self.producer_id, self.producer_epoch) = (id, epoch);
        self.base_sequence = base_sequence;
        self
    }

    /// Makes the batch part of a transaction.
    #[must_use]
    pub fn transactional(mut self) -> BatchBuilder {
        self.attributes = self.attributes.transactional();
        self
    }

    /// Makes the batch one of control records.
    #[must_use]
    pub fn control(mut self) -> BatchBuilder {
        self.attributes = self.attributes.control();
        self
    }

    /// Places the batch: for logs that are written without an append.
    #[must_use]
    pub fn placed(mut self, base_offset: Offset, leader_epoch: LeaderEpoch) -> BatchBuilder {
        (self.base_offset, self.leader_epoch) = (base_offset, leader_epoch);
        self
    }

    /// Adds a record. `timestamp` is in milliseconds; a key or value of `None` is null, which is not the same as empty.
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) {
        if self.record_count == 0 {
            self.base_timestamp = timestamp;
        }
        if timestamp > self.max_timestamp {
            self.max_timestamp = timestamp;
            self.offset_delta_of_max_timestamp = self.record_count;
        }
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = i64::from(self.record_count);
        let body = 1
            + varint::size_of(timestamp_delta)
            + varint::size_of(offset_delta)
            + nullable_size(key)
            + nullable_size(value)
            + varint::size_of(headers.len() as i64)
            + headers.iter().map(header_size).sum::<usize>();
        self.bytes.reserve(varint::size_of(body as i64) + body);
        varint::put(&mut self.bytes, body as i64);
        self.bytes.push(0);
        varint::put(&mut self.bytes, timestamp_delta);
        varint::put(&mut self.bytes, offset_delta);
        put_nullable(&mut self.bytes, key);
        put_nullable(&mut self.bytes, value);
        varint::put(&mut self.bytes, headers.len() as i64);
        for (key, value) in headers {
            put_nullable(&mut self.bytes, Some(key.as_bytes()));
            put_nullable(&mut self.bytes, *value);
        }
        self.record_count += 1;
    }

    /// Records so far.
    pub fn record_count(&self) -> usize {
        self.record_count as usize
    }

    /// Bytes of the batch so far, before compression.
    pub fn uncompressed_size(&self) -> usize {
        self.bytes.len()
    }

    /// The finished batch.
    ///
    /// # Panics
    /// Without a record, or with 2 GiB of them: both are mistakes of the caller.
    pub fn build(self) -> Bytes {
        Bytes::from(self.into_batch())
    }

    /// The finished batch as the log takes it, without looking at its records again.
    ///
    /// # Panics
    /// As [`build`](Self::build).
    pub fn build_validated(self) -> ValidatedBatch {
        let offset_of_max_timestamp_delta = self.offset_delta_of_max_timestamp;
        let codec = self.codec;
        let bytes = Bytes::from(self.into_batch());
        let header = BatchHeader::read(&bytes).expect("a built batch has a header");
        ValidatedBatch {
            record_count: header.record_count() as u32,
            last_offset_delta: header.last_offset_delta(),
            base_timestamp: header.base_timestamp(),
            max_timestamp: header.max_timestamp(),
            timestamp_type: TimestampType::CreateTime,
            producer_id: header.producer_id(),
            producer_epoch: header.producer_epoch(),
            base_sequence: header.base_sequence(),
            transactional: header.attributes().is_transactional(),
            control: header.attributes().is_control(),
            codec,
            offset_of_max_timestamp_delta,
            bytes,
        }
    }

    fn into_batch(self) -> Vec<u8> {
        assert!(self.record_count > 0, "a batch has at least one record");
        let header = BatchHeader::new(&HeaderFields {
            base_offset: self.base_offset,
            leader_epoch: self.leader_epoch,
            attributes: self.attributes,
            last_offset_delta: self.record_count - 1,
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            record_count: self.record_count,
        });
        let mut batch = match self.codec {
            Codec::None => self.bytes,
            codec => codec.compress_behind(HEADER_BYTES, &self.bytes[HEADER_BYTES..]),
        };
        batch[..HEADER_BYTES].copy_from_slice(header.as_bytes());
        BatchHeader::seal(&mut batch);
        batch
    }
}

fn nullable_size(field: Option<&[u8]>) -> usize {
    match field {
        Some(bytes) => varint::size_of(bytes.len() as i64) + bytes.len(),
        None => 1,
    }
}

fn header_size((key, value): &Header<'_>) -> usize {
    nullable_size(Some(key.as_bytes())) + nullable_size(*value)
}

fn put_nullable(out: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        Some(bytes) => {
            varint::put(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
        None => varint::put(out, -1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placed_transactional_control_batch_says_so() {
        let mut builder = BatchBuilder::new(Codec::None)
            .producer(8, 2, -1)
            .transactional()
            .control()
            .placed(Offset(90), LeaderEpoch(4));
        builder.append(70, Some(&[0, 0, 0, 1]), Some(&[0; 6]), &[]);
        let batch = builder.build();
        let header = BatchHeader::read_checked(&batch).unwrap();
        assert_eq!(
            (header.base_offset(), header.next_offset()),
            (Offset(90), Offset(91))
        );
        assert_eq!(header.leader_epoch(), LeaderEpoch(4));
        assert!(header.attributes().is_transactional() && header.attributes().is_control());
        assert_eq!((header.producer_id(), header.producer_epoch()), (8, 2));
        assert_eq!((header.base_sequence(), header.last_sequence()), (-1, -1));
        assert_eq!((header.base_timestamp(), header.max_timestamp()), (70, 70));
    }

    #[test]
    fn the_announced_size_is_that_of_an_uncompressed_batch() {
        let mut builder = BatchBuilder::new(Codec::None);
        assert_eq!(
            (builder.record_count(), builder.uncompressed_size()),
            (0, 61)
        );
        for timestamp in 0..100 {
            builder.append(timestamp, None, Some(&[1; 300]), &[("header", None)]);
        }
        let announced = builder.uncompressed_size();
        assert_eq!(builder.build().len(), announced);
    }
}
