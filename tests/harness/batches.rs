//! Record batches for the tests: good ones, and good ones with one thing changed.

use bytes::Bytes;
use vltava::wire::records::crc::crc32c;
use vltava::wire::records::{BatchBuilder, Codec, Scratch, batches};

use super::record::now_ms;

/// Where things stand in a batch header; see Kafka's documentation of the record batch.
pub const BASE_OFFSET_AT: usize = 0;
pub const LENGTH_AT: usize = 8;
pub const LEADER_EPOCH_AT: usize = 12;
pub const MAGIC_AT: usize = 16;
pub const CRC_AT: usize = 17;
pub const ATTRIBUTES_AT: usize = 21;
pub const LAST_OFFSET_DELTA_AT: usize = 23;
pub const MAX_TIMESTAMP_AT: usize = 35;
pub const RECORD_COUNT_AT: usize = 57;

/// No test makes more than this.
const INFLATED_MAX: u64 = 1 << 30;

/// A batch of keyless records, dated now.
pub fn batch(values: &[&str]) -> Bytes {
    batch_with(BatchBuilder::new(Codec::None), values)
}

/// The same in another codec.
pub fn compressed(codec: Codec, values: &[&str]) -> Bytes {
    batch_with(BatchBuilder::new(codec), values)
}

/// A batch of keyless records, dated now, from a builder that says who writes it.
pub fn batch_with(mut builder: BatchBuilder, values: &[&str]) -> Bytes {
    let now = now_ms();
    for value in values {
        builder.append(now, None, Some(value.as_bytes()), &[]);
    }
    builder.build()
}

/// A batch whose records have these timestamps; the values are the timestamps in words.
pub fn batch_at(timestamps: &[i64]) -> Bytes {
    let mut builder = BatchBuilder::new(Codec::None);
    for timestamp in timestamps {
        builder.append(
            *timestamp,
            None,
            Some(timestamp.to_string().as_bytes()),
            &[],
        );
    }
    builder.build()
}

/// A record of so many bytes that do not compress well, in a batch of its own.
pub fn batch_of_bytes(bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new(Codec::None);
    let value: Vec<u8> = (0..bytes)
        .map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    builder.append(now_ms(), None, Some(&value), &[]);
    builder.build()
}

/// `batch` with `bytes` written over it, its checksum right again.
pub fn with(batch: &Bytes, at: usize, bytes: &[u8]) -> Bytes {
    let mut changed = with_bad_crc(batch, at, bytes).to_vec();
    let crc = crc32c(&changed[ATTRIBUTES_AT..]);
    changed[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
    Bytes::from(changed)
}

/// `batch` with `bytes` written over it, its checksum as it was.
pub fn with_bad_crc(batch: &Bytes, at: usize, bytes: &[u8]) -> Bytes {
    let mut changed = batch.to_vec();
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    Bytes::from(changed)
}

/// Offset and value of each record in what a fetch brought.
pub fn records_of(data: &Bytes) -> Vec<(i64, String)> {
    let mut scratch = Scratch::default();
    let mut read = Vec::new();
    for batch in batches(data.clone()) {
        let batch = batch.expect("a batch");
        let records = batch
            .records(INFLATED_MAX, &mut scratch)
            .expect("the records of a batch");
        for record in &records {
            let record = record.expect("a record");
            let value = record.value.unwrap_or_default();
            read.push((record.offset.0, String::from_utf8_lossy(value).into_owned()));
        }
    }
    read
}

/// The values alone.
pub fn values_of(data: &Bytes) -> Vec<String> {
    records_of(data)
        .into_iter()
        .map(|(_, value)| value)
        .collect()
}
