//! Record batches against another implementation of the format: what one writes the other reads, in every codec.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records as oracle;
use proptest::prelude::*;
use vltava::types::TimestampMs;
use vltava::wire::records::{
    BatchBuilder, BatchValidator, Codec, Scratch, TimestampType, ValidationRules, batches,
};

const MAX_INFLATED: u64 = 1 << 20;

/// What a record is made of. Header keys differ: the other implementation keeps them in a map.
#[derive(Clone, PartialEq, Debug)]
struct Content {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn content() -> impl Strategy<Value = Content> {
    let field = || prop::option::of(prop::collection::vec(0..4u8, 0..500));
    let headers = prop::collection::btree_map("[a-z]{0,9}", field(), 0..4);
    (0..1i64 << 42, field(), field(), headers).prop_map(|(timestamp, key, value, headers)| {
        Content {
            timestamp,
            key,
            value,
            headers: headers.into_iter().collect(),
        }
    })
}

fn codec() -> impl Strategy<Value = Codec> {
    prop::sample::select(&Codec::ALL[..])
}

fn theirs(codec: Codec) -> oracle::Compression {
    match codec {
        Codec::None => oracle::Compression::None,
        Codec::Gzip => oracle::Compression::Gzip,
        Codec::Snappy => oracle::Compression::Snappy,
        Codec::Lz4 => oracle::Compression::Lz4,
        Codec::Zstd => oracle::Compression::Zstd,
    }
}

fn write(contents: &[Content], codec: Codec) -> Bytes {
    let mut builder = BatchBuilder::new(codec).producer(77, 3, 500);
    for content in contents {
        let headers: Vec<_> = content
            .headers
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
            .collect();
        let (key, value) = (content.key.as_deref(), content.value.as_deref());
        builder.append(content.timestamp, key, value, &headers);
    }
    builder.build()
}

fn write_theirs(contents: &[Content], codec: Codec) -> Bytes {
    let records: Vec<oracle::Record> = (0..)
        .zip(contents)
        .map(|(offset, content)| oracle::Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: -1,
            producer_id: 77,
            producer_epoch: 3,
            timestamp_type: oracle::TimestampType::Creation,
            offset,
            sequence: 500 + offset as i32,
            timestamp: content.timestamp,
            key: content.key.clone().map(Bytes::from),
            value: content.value.clone().map(Bytes::from),
            headers: content
                .headers
                .iter()
                .map(|(key, value)| {
                    let value = value.clone().map(Bytes::from);
                    (StrBytes::from_string(key.clone()), value)
                })
                .collect(),
        })
        .collect();
    let mut bytes = BytesMut::new();
    let options = oracle::RecordEncodeOptions {
        version: 2,
        compression: theirs(codec),
    };
    oracle::RecordBatchEncoder::encode(&mut bytes, &records, &options).unwrap();
    bytes.freeze()
}

fn owned(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

/// Validates `batch` as a broker does and reads it as a client does.
fn read(batch: Bytes) -> Vec<Content> {
    let rules = ValidationRules {
        max_message_bytes: u32::MAX,
        timestamp_type: TimestampType::CreateTime,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: i64::MAX,
        compacted: false,
        now: TimestampMs(0),
        max_decompressed_bytes: MAX_INFLATED,
    };
    let scratch = &mut Scratch::default();
    let validated = BatchValidator::start(batch.clone(), &rules)
        .and_then(|mut validator| validator.run(scratch))
        .unwrap();
    assert_eq!(validated.bytes, batch, "nothing needed putting right");
    let batch = batches(batch).next().unwrap().unwrap();
    let records = batch.records(MAX_INFLATED, scratch).unwrap();
    records
        .iter()
        .map(|record| {
            let record = record.unwrap();
            Content {
                timestamp: record.timestamp,
                key: record.key.map(owned),
                value: record.value.map(owned),
                headers: record
                    .headers
                    .iter()
                    .map(|(key, value)| (String::from_utf8(owned(key)).unwrap(), value.map(owned)))
                    .collect(),
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn what_we_write_the_other_reads(contents in prop::collection::vec(content(), 1..30), codec in codec()) {
        let set = oracle::RecordBatchDecoder::decode(&mut write(&contents, codec)).unwrap();
        prop_assert_eq!(set.compression, theirs(codec));
        prop_assert_eq!(set.records.len(), contents.len());
        for ((offset, record), content) in (0..).zip(set.records).zip(&contents) {
            prop_assert_eq!((record.offset, record.sequence), (offset, 500 + offset as i32));
            prop_assert_eq!((record.producer_id, record.producer_epoch), (77, 3));
            let headers = record
                .headers
                .iter()
                .map(|(key, value)| (key.to_string(), value.as_deref().map(owned)))
                .collect();
            let read = Content {
                timestamp: record.timestamp,
                key: record.key.as_deref().map(owned),
                value: record.value.as_deref().map(owned),
                headers,
            };
            prop_assert_eq!(&read, content);
        }
    }

    #[test]
    fn what_the_other_writes_we_validate_and_read(contents in prop::collection::vec(content(), 1..30), codec in codec()) {
        prop_assert_eq!(read(write_theirs(&contents, codec)), contents);
    }

    /// The other implementation bases timestamps on the oldest record and Kafka's clients on the first: here they are one.
    #[test]
    fn uncompressed_batches_are_the_same_bytes(mut contents in prop::collection::vec(content(), 1..30)) {
        contents.sort_by_key(|content| content.timestamp);
        prop_assert_eq!(write(&contents, Codec::None), write_theirs(&contents, Codec::None));
    }
}
