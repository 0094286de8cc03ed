//! Record batches that are damaged or lie about themselves.
//!
//! Setup: a topic with one good batch. Expectation: Kafka's error code for each, nothing of it in the log, the connection stays
//! open, and the next good batch gets the next offset.

use bytes::Bytes;
use vltava::wire::records::{BatchBuilder, Codec};
use vltava::wire::{ErrorCode, Records};

use crate::harness::batches::{
    ATTRIBUTES_AT, BASE_OFFSET_AT, CRC_AT, LAST_OFFSET_DELTA_AT, LENGTH_AT, MAGIC_AT,
    RECORD_COUNT_AT, batch, compressed, with, with_bad_crc,
};
use crate::harness::broker::Broker;
use crate::harness::requests::{ALL, PRODUCE, produce_request};
use crate::harness::wire_client::WireClient;

/// Sends `bad` and returns its error, after checking that it left no trace.
fn refuse(bad: &Bytes) -> ErrorCode {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("checked", 1);
    client.write("checked", 0, &["before"]);
    let answer = client.produce("checked", 0, bad);
    assert_eq!(answer.base_offset, -1, "{answer:?}");
    client.write("checked", 0, &["after"]);
    let expected = [(0, "before".to_owned()), (1, "after".to_owned())];
    assert_eq!(client.read_all("checked", 0), expected);
    answer.error_code
}

fn three() -> Bytes {
    batch(&["one", "two", "three"])
}

#[test]
fn a_batch_with_a_wrong_checksum_is_corrupt() {
    let last = three().len() - 1;
    assert_eq!(
        refuse(&with_bad_crc(&three(), last, &[0xaa])),
        ErrorCode::CORRUPT_MESSAGE
    );
    assert_eq!(
        refuse(&with_bad_crc(&three(), CRC_AT, &[1, 2, 3, 4])),
        ErrorCode::CORRUPT_MESSAGE
    );
}

#[test]
fn a_batch_that_counts_its_records_wrong_is_invalid() {
    for count in [0_i32, 2, 4, -1, i32::MAX] {
        let lie = with(&three(), RECORD_COUNT_AT, &count.to_be_bytes());
        assert_eq!(refuse(&lie), ErrorCode::INVALID_RECORD, "{count} records");
    }
    let lie = with(&three(), LAST_OFFSET_DELTA_AT, &7_i32.to_be_bytes());
    assert_eq!(refuse(&lie), ErrorCode::INVALID_RECORD);
}

#[test]
fn a_batch_whose_two_counts_agree_on_a_lie_is_invalid() {
    for codec in [Codec::None, Codec::Lz4, Codec::Zstd] {
        let honest = compressed(codec, &["one", "two", "three"]);
        let lie = with(&honest, LAST_OFFSET_DELTA_AT, &4_i32.to_be_bytes());
        let lie = with(&lie, RECORD_COUNT_AT, &5_i32.to_be_bytes());
        assert_eq!(refuse(&lie), ErrorCode::INVALID_RECORD, "{codec:?}");
    }
}

#[test]
fn a_batch_of_negative_length_is_corrupt() {
    for length in [-1_i32, i32::MIN, 0, 48] {
        let bad = with_bad_crc(&three(), LENGTH_AT, &length.to_be_bytes());
        assert_eq!(refuse(&bad), ErrorCode::CORRUPT_MESSAGE, "length {length}");
    }
}

#[test]
fn a_batch_longer_than_the_request_says_is_invalid() {
    let bad = with_bad_crc(&three(), LENGTH_AT, &10_000_i32.to_be_bytes());
    assert_eq!(refuse(&bad), ErrorCode::INVALID_RECORD);
}

#[test]
fn a_batch_whose_offsets_do_not_start_at_zero_is_invalid() {
    for base in [1_i64, -1, i64::MAX] {
        let bad = with_bad_crc(&three(), BASE_OFFSET_AT, &base.to_be_bytes());
        assert_eq!(refuse(&bad), ErrorCode::INVALID_RECORD, "base {base}");
    }
}

#[test]
fn records_that_are_not_numbered_in_order_are_invalid() {
    // The offset delta of the second record: behind length, attributes and timestamp delta.
    let good = three();
    let second = good
        .windows(3)
        .position(|bytes| bytes == b"two")
        .expect("the second value");
    let delta_at = second - 3;
    assert_eq!(good[delta_at], 2, "the zig-zag form of 1");
    assert_eq!(
        refuse(&with(&good, delta_at, &[6])),
        ErrorCode::INVALID_RECORD
    );
}

#[test]
fn a_batch_of_an_unknown_format_or_codec_is_refused() {
    assert_eq!(
        refuse(&with(&three(), MAGIC_AT, &[9])),
        ErrorCode::CORRUPT_MESSAGE
    );
    let codec_7 = with(&three(), ATTRIBUTES_AT, &7_i16.to_be_bytes());
    assert_eq!(refuse(&codec_7), ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
}

#[test]
fn compressed_records_that_do_not_inflate_are_invalid() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let garbage = with(
            &three(),
            ATTRIBUTES_AT,
            &i16::from(codec.id()).to_be_bytes(),
        );
        assert_eq!(refuse(&garbage), ErrorCode::INVALID_RECORD, "{codec:?}");
    }
}

#[test]
fn a_partition_without_a_whole_batch_is_invalid() {
    assert_eq!(refuse(&Bytes::new()), ErrorCode::INVALID_RECORD);
    assert_eq!(refuse(&three().slice(..30)), ErrorCode::INVALID_RECORD);
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("null", 1);
    let mut request = produce_request("null", 0, ALL, &three());
    request.topic_data[0].partition_data[0].records = Records::Null;
    let answer = client.call(PRODUCE, &request);
    let error = answer.responses[0].partition_responses[0].error_code;
    assert_eq!(error, ErrorCode::INVALID_RECORD);
}

#[test]
fn control_batches_of_clients_are_invalid() {
    let mut builder = BatchBuilder::new(Codec::None).control().producer(1, 0, 0);
    builder.append(0, Some(&[0, 0, 0, 1]), Some(&[0, 0, 0, 0, 0, 0]), &[]);
    assert_eq!(refuse(&builder.build()), ErrorCode::INVALID_RECORD);
}
