//! Record batches made once and stamped anew for each request, so that one core can send more than a broker can take.
//!
//! All records of a template are alike in shape: no headers, timestamp delta 0, no key or one of eight bytes. Any number of its
//! first records is a batch too, with only the header and the keys to rewrite. Layout: Kafka's `DefaultRecordBatch` and `DefaultRecord` (v2):
//!
//! ```text
//!  0 i64 base offset | 8 i32 length of what follows | 12 i32 leader epoch | 16 i8 magic 2 | 17 u32 CRC-32C of what follows
//! 21 i16 attributes | 23 i32 last offset delta | 27 i64 base timestamp | 35 i64 max timestamp
//! 43 i64 producer id | 51 i16 producer epoch | 53 i32 base sequence | 57 i32 record count | 61 records
//! record: varint length | i8 0 | varint timestamp delta | varint offset delta | varint -1 (no key), or varint 8 | key
//!         | varint value length | value | varint 0 (no headers)
//! ```

use bytes::Bytes;
use vltava::wire::records::crc::crc32c;
use vltava::wire::records::{Codec, HEADER_BYTES};

use crate::run::BenchError;

/// A template of these sizes and so many different keys, which came from the command line.
///
/// # Errors
/// When no batch can be so.
pub fn sized_template(
    record_bytes: u64,
    batch_bytes: u64,
    keys: Option<u64>,
) -> Result<Template, BenchError> {
    const BATCH_BYTES_MAX: u64 = 256 << 20;
    if !(VALUE_BYTES_MIN as u64..=BATCH_BYTES_MAX).contains(&record_bytes)
        || batch_bytes > BATCH_BYTES_MAX
    {
        let sentence = format!(
            "records have {VALUE_BYTES_MIN} bytes at least, and batches {BATCH_BYTES_MAX} at most"
        );
        return Err(BenchError::Other(sentence));
    }
    Ok(Template::with_keys(
        record_bytes as usize,
        batch_bytes as usize,
        keys,
    ))
}

/// The bytes of a key: the number of it.
const KEY_BYTES: usize = 8;

/// A value has room for the time at which its record was due.
pub const VALUE_BYTES_MIN: usize = 8;

/// A batch to send again and again.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Vec<u8>,
    /// Where each record ends. A compressed template has one entry: only the whole of it can be sent.
    ends: Vec<usize>,
    /// Where each record's value starts; empty if compressed.
    values: Vec<usize>,
    keys: Option<Keys>,
    records: usize,
    value_bytes: usize,
}

/// Keys of records, drawn anew for every batch.
#[derive(Debug, Clone)]
struct Keys {
    /// How many different ones there are.
    count: u64,
    noise: Noise,
}

impl Template {
    /// As many records with values of `value_bytes` (at least [`VALUE_BYTES_MIN`]) as fit into `batch_bytes`, at
    /// least one. Values differ from each other and do not compress to nothing.
    pub fn new(value_bytes: usize, batch_bytes: usize) -> Template {
        Template::with_keys(value_bytes, batch_bytes, None)
    }

    /// [`Template::new`], with keys if there are `keys` different ones: each record gets one at random when it is sent.
    pub fn with_keys(value_bytes: usize, batch_bytes: usize, keys: Option<u64>) -> Template {
        assert!(
            value_bytes >= VALUE_BYTES_MIN,
            "a value holds the time it was due"
        );
        let mut bytes = vec![0; HEADER_BYTES];
        let (mut ends, mut values) = (Vec::new(), Vec::new());
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        loop {
            let start = bytes.len();
            let delta = values.len();
            let value_at = push_record(&mut bytes, delta, keys.is_some(), value_bytes, &mut noise);
            if bytes.len() > batch_bytes && !values.is_empty() {
                bytes.truncate(start);
                break;
            }
            values.push(value_at);
            ends.push(bytes.len());
        }
        let records = values.len();
        Template {
            bytes,
            ends,
            values,
            keys: keys.map(|count| Keys { count, noise }),
            records,
            value_bytes,
        }
    }

    /// The same records as one compressed batch.
    pub fn compressed(self, codec: Codec) -> Template {
        if codec == Codec::None {
            return self;
        }
        let mut bytes = codec.compress_behind(HEADER_BYTES, &self.bytes[HEADER_BYTES..]);
        bytes[21..23].copy_from_slice(&i16::from(codec.id()).to_be_bytes());
        Template {
            ends: vec![bytes.len()],
            values: Vec::new(),
            bytes,
            ..self
        }
    }

    /// How many records the whole of it has.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Bytes of each value.
    pub fn value_bytes(&self) -> usize {
        self.value_bytes
    }

    /// Where the values of a batch of this shape start, from the batch's first byte.
    pub fn value_positions(&self) -> &[usize] {
        &self.values
    }

    /// Whether a batch of this shape with so many records (one at least) is so long.
    pub fn is_length_of(&self, records: usize, length: usize) -> bool {
        records.checked_sub(1).and_then(|last| self.ends.get(last)) == Some(&length)
    }

    /// Makes a batch of its first `records` records and gives it to `send`, then takes the memory back. Each value
    /// starts with the time its record was due, if `due_ns` knows it: one entry a record.
    ///
    /// # Panics
    /// If there are not so many records, or it is compressed and not all are asked for.
    pub fn stamped<T>(
        &mut self,
        records: usize,
        timestamp_ms: i64,
        due_ns: impl Iterator<Item = u64>,
        send: impl FnOnce(Bytes) -> T,
    ) -> T {
        let end = if records == self.records {
            self.bytes.len()
        } else {
            self.ends[records - 1]
        };
        for (&at, due) in self.values[..records.min(self.values.len())]
            .iter()
            .zip(due_ns)
        {
            self.bytes[at..at + 8].copy_from_slice(&due.to_be_bytes());
        }
        self.draw_keys(records);
        self.write_header(records, end, timestamp_ms);
        let whole = Bytes::from(std::mem::take(&mut self.bytes));
        let sent = send(whole.slice(..end));
        // Whoever sent has let go by now; a clone that is still held costs a copy, no more.
        self.bytes = Vec::from(whole);
        sent
    }

    fn draw_keys(&mut self, records: usize) {
        let Some(Keys { count, noise }) = &mut self.keys else {
            return;
        };
        let length_bytes = varint(self.value_bytes as i32).len();
        for &value_at in &self.values[..records.min(self.values.len())] {
            let at = value_at - length_bytes - KEY_BYTES;
            let key = noise.next() % *count;
            self.bytes[at..at + KEY_BYTES].copy_from_slice(&key.to_be_bytes());
        }
    }

    fn write_header(&mut self, records: usize, end: usize, timestamp_ms: i64) {
        let batch = &mut self.bytes[..end];
        batch[8..12].copy_from_slice(&(end as i32 - 12).to_be_bytes());
        batch[12..16].copy_from_slice(&(-1_i32).to_be_bytes());
        batch[16] = 2;
        batch[23..27].copy_from_slice(&(records as i32 - 1).to_be_bytes());
        batch[27..35].copy_from_slice(&timestamp_ms.to_be_bytes());
        batch[35..43].copy_from_slice(&timestamp_ms.to_be_bytes());
        batch[43..57].fill(0xff);
        batch[57..61].copy_from_slice(&(records as i32).to_be_bytes());
        let crc = crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
    }
}

/// Appends a record and says where its value starts.
fn push_record(
    bytes: &mut Vec<u8>,
    offset_delta: usize,
    keyed: bool,
    value_bytes: usize,
    noise: &mut Noise,
) -> usize {
    let mut head = vec![0, 0];
    head.extend(varint(offset_delta as i32));
    if keyed {
        head.extend(varint(KEY_BYTES as i32));
        head.extend([0; KEY_BYTES]);
    } else {
        head.extend(varint(-1));
    }
    head.extend(varint(value_bytes as i32));
    bytes.extend(varint((head.len() + value_bytes + 1) as i32));
    bytes.extend_from_slice(&head);
    let value_at = bytes.len();
    while bytes.len() < value_at + value_bytes {
        let letters = noise.word();
        let room = value_at + value_bytes - bytes.len();
        bytes.extend_from_slice(&letters[..letters.len().min(room)]);
    }
    bytes.push(0);
    value_at
}

/// Zigzag varint, as record fields have it.
fn varint(value: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = ((value << 1) ^ (value >> 31)) as u32;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// Marsaglia's xorshift: the same text in every run.
#[derive(Debug, Clone)]
struct Noise(u64);

/// Words the values are made of: codecs find something to do, and never everything.
const WORDS: u64 = 64;

impl Noise {
    /// One of [`WORDS`] words of eight letters.
    fn word(&mut self) -> [u8; 8] {
        let index = self.next() % WORDS + 1;
        Noise(index.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .next()
            .to_be_bytes()
            .map(|byte| b'a' + (byte & 15))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use vltava::wire::records::{Scratch, batches};

    use super::*;

    fn read(batch: &Bytes) -> Vec<(i64, i64, Vec<u8>)> {
        let batch = batches(batch.clone()).next().unwrap().unwrap();
        let batch = batch.records(1 << 30, &mut Scratch::default()).unwrap();
        let records = batch.iter().map(Result::unwrap);
        records
            .map(|r| (r.offset.0, r.timestamp, r.value.unwrap().to_vec()))
            .collect()
    }

    #[test]
    fn any_number_of_first_records_is_a_batch_that_readers_accept() {
        let mut template = Template::new(300, 64 * 1024);
        for records in [1, 2, 63, 64, 65, 130, template.records()] {
            let due = 1000..;
            let batch = template.stamped(records, 77, due, |batch| batch);
            assert!(template.is_length_of(records, batch.len()));
            let read = read(&batch);
            assert_eq!(read.len(), records);
            for (index, (offset, timestamp, value)) in read.iter().enumerate() {
                assert_eq!((*offset, *timestamp, value.len()), (index as i64, 77, 300));
                assert_eq!(value[..8], (1000 + index as u64).to_be_bytes());
                let at = template.value_positions()[index];
                assert_eq!(batch[at..at + 300], value[..]);
            }
        }
    }

    #[test]
    fn keys_are_drawn_anew_for_every_batch() {
        let mut template = Template::with_keys(200, 20_000, Some(5));
        let mut keys_of_next = || {
            let batch = template.stamped(90, 1, std::iter::empty(), |batch| batch);
            let batch = batches(batch).next().unwrap().unwrap();
            let batch = batch.records(1 << 30, &mut Scratch::default()).unwrap();
            let keys = batch
                .iter()
                .map(|record| record.unwrap().key.unwrap().to_vec());
            keys.collect::<Vec<_>>()
        };
        let (first, second) = (keys_of_next(), keys_of_next());
        assert_ne!(first, second);
        let different: std::collections::BTreeSet<_> = first.into_iter().chain(second).collect();
        let all = (0..5_u64).map(|key| key.to_be_bytes().to_vec()).collect();
        assert_eq!(different, all);
    }

    #[test]
    fn a_batch_keeps_within_its_size_unless_one_record_is_larger() {
        let template = Template::new(1000, 10_000);
        assert_eq!(template.records(), 9);
        assert!(template.bytes.len() <= 10_000);
        assert_eq!(Template::new(1000, 10).records(), 1);
    }

    #[test]
    fn compressed_templates_are_whole_batches_that_readers_accept() {
        for codec in Codec::ALL {
            let plain = Template::new(500, 20_000);
            let mut template = plain.clone().compressed(codec);
            let batch = template.stamped(template.records(), 5, std::iter::empty(), |batch| batch);
            assert_eq!(read(&batch).len(), plain.records(), "{codec:?}");
            assert!(
                codec == Codec::None || batch.len() < plain.bytes.len(),
                "{codec:?} {} of {}",
                batch.len(),
                plain.bytes.len()
            );
        }
    }

    #[test]
    fn the_memory_of_a_template_is_used_again() {
        let mut template = Template::new(1024, 64 * 1024);
        let first = template.stamped(3, 1, std::iter::empty(), |batch| batch.as_ptr());
        let second = template.stamped(5, 2, std::iter::empty(), |batch| batch.as_ptr());
        assert_eq!(first, second);
    }
}
