//! Produce: acks, what a batch must be, what the broker writes into it.
//!
//! Setup: a topic, batches in one version or another. Expectation: Kafka's error codes; what is accepted comes back as it was sent
//! but for the fields that are the broker's.

use bytes::Bytes;
use uuid::Uuid;
use vltava::wire::messages::produce::ProduceRequest;
use vltava::wire::records::{BatchBuilder, Codec, TimestampType, batches};
use vltava::wire::{ErrorCode, Records};

use crate::harness::batches::{
    self as made, ATTRIBUTES_AT, LEADER_EPOCH_AT, MAX_TIMESTAMP_AT, batch, batch_of_bytes,
    compressed, with, with_bad_crc,
};
use crate::harness::broker::Broker;
use crate::harness::record::now_ms;
use crate::harness::requests::{ALL, PRODUCE, data_of, produce_request};
use crate::harness::wire_client::WireClient;

fn start(configs: &[(&str, &str)]) -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic_with("t", 1, configs);
    (broker, client)
}

/// The only batch of the topic.
fn stored(client: &mut WireClient) -> batches_read::Stored {
    let data = data_of(&client.fetch("t", 0, 0));
    let batch = batches(data).next().expect("a batch").expect("a batch");
    batches_read::Stored(batch)
}

/// A stored batch, for its header and bytes.
mod batches_read {
    pub struct Stored(pub vltava::wire::records::Batch);
}

#[test]
fn acks_other_than_none_leader_and_all_are_refused() {
    let (_broker, mut client) = start(&[]);
    for acks in [2, -2, i16::MAX] {
        let answer = client.produce_at(PRODUCE, "t", 0, acks, &batch(&["a"]));
        assert_eq!(answer.error_code, ErrorCode::INVALID_REQUIRED_ACKS);
    }
    for acks in [1, -1] {
        let answer = client.produce_at(PRODUCE, "t", 0, acks, &batch(&["a"]));
        assert_eq!(answer.error_code, ErrorCode::NONE);
    }
}

#[test]
fn every_version_from_3_on_is_served() {
    let (_broker, mut client) = start(&[]);
    for (offset, version) in (3..=PRODUCE).enumerate() {
        let answer = client.produce_at(version, "t", 0, ALL, &batch(&["a"]));
        assert_eq!(answer.error_code, ErrorCode::NONE, "version {version}");
        assert_eq!(answer.base_offset, offset as i64);
        assert_eq!(
            answer.log_append_time_ms, -1,
            "the producer's times are kept"
        );
    }
}

#[test]
fn version_13_names_topics_by_id() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let id = client.create_topic("by-id", 1);
    let mut by = |topic_id: Uuid, partition| {
        let mut request = produce_request("", partition, ALL, &batch(&["a"]));
        request.topic_data[0].topic_id = topic_id;
        let answer = client.call(13, &request);
        assert_eq!(answer.responses[0].topic_id, topic_id);
        answer.responses[0].partition_responses[0].error_code
    };
    assert_eq!(by(id, 0), ErrorCode::NONE);
    assert_eq!(by(id, 1), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(by(Uuid::from_u128(7), 0), ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn each_partition_of_a_request_has_its_own_result() {
    let (_broker, mut client) = start(&[]);
    let mut request = produce_request("t", 0, ALL, &batch(&["good"]));
    let mut bad = request.topic_data[0].partition_data[0].clone();
    bad.index = 5;
    request.topic_data[0].partition_data.push(bad);
    let mut unknown = request.topic_data[0].clone();
    unknown.name = "unknown".into();
    request.topic_data.push(unknown);
    let answer = client.call::<ProduceRequest>(PRODUCE, &request);
    let codes: Vec<_> = answer
        .responses
        .iter()
        .flat_map(|topic| topic.partition_responses.iter().map(|p| p.error_code))
        .collect();
    let missing = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(codes, [ErrorCode::NONE, missing, missing, missing]);
}

#[test]
fn two_batches_for_one_partition_are_invalid() {
    let (_broker, mut client) = start(&[]);
    let two = Bytes::from([batch(&["a"]), batch(&["b"])].concat());
    let answer = client.produce("t", 0, &two);
    assert_eq!(answer.error_code, ErrorCode::INVALID_RECORD);
    assert!(answer.error_message.is_some());
}

#[test]
fn message_sets_of_older_formats_are_invalid_from_version_3_on() {
    let (_broker, mut client) = start(&[]);
    for magic in [0, 1] {
        let old = with_bad_crc(&batch(&["a"]), made::MAGIC_AT, &[magic]);
        let answer = client.produce("t", 0, &old);
        assert_eq!(
            answer.error_code,
            ErrorCode::INVALID_RECORD,
            "magic {magic}"
        );
    }
}

#[test]
fn zstd_is_refused_before_version_7() {
    let (_broker, mut client) = start(&[]);
    let zstd = compressed(Codec::Zstd, &["a"]);
    for version in 3..7 {
        let answer = client.produce_at(version, "t", 0, ALL, &zstd);
        assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    }
    let answer = client.produce_at(7, "t", 0, ALL, &zstd);
    assert_eq!(answer.error_code, ErrorCode::NONE);
}

#[test]
fn a_batch_stays_as_sent_but_for_offset_and_leader_epoch() {
    for codec in [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ] {
        let (_broker, mut client) = start(&[]);
        let sent = compressed(codec, &["one", "two", "three"]);
        client.write("t", 0, &["before"]);
        client.write_batch("t", 0, &sent);
        let data = data_of(&client.fetch("t", 0, 1));
        let found = batches(data).next().expect("a batch").expect("a batch");
        assert_eq!(found.header().base_offset().0, 1);
        assert_eq!(
            found.header().leader_epoch().0,
            0,
            "the partition's own epoch"
        );
        let expected = with_bad_crc(&sent, made::BASE_OFFSET_AT, &1_i64.to_be_bytes());
        let expected = with_bad_crc(&expected, LEADER_EPOCH_AT, &0_i32.to_be_bytes());
        assert_eq!(found.bytes(), &expected, "{codec:?}");
    }
}

#[test]
fn the_leader_epoch_in_a_batch_is_the_brokers_to_write() {
    let (_broker, mut client) = start(&[]);
    let odd = with_bad_crc(&batch(&["a"]), LEADER_EPOCH_AT, &77_i32.to_be_bytes());
    client.write_batch("t", 0, &odd);
    assert_eq!(stored(&mut client).0.header().leader_epoch().0, 0);
}

#[test]
fn log_append_time_is_the_brokers_to_set() {
    let marked = with(&batch(&["a"]), ATTRIBUTES_AT, &8_i16.to_be_bytes());
    let (_broker, mut client) = start(&[]);
    client.write_batch("t", 0, &marked);
    let kept = stored(&mut client);
    let attributes = kept.0.header().attributes();
    assert_eq!(attributes.timestamp_type(), TimestampType::CreateTime);

    let (_broker, mut client) = start(&[("message.timestamp.type", "LogAppendTime")]);
    let answer = client.produce("t", 0, &marked);
    assert_eq!(answer.error_code, ErrorCode::INVALID_TIMESTAMP);
}

#[test]
fn a_wrong_largest_timestamp_in_a_header_is_put_right() {
    let (_broker, mut client) = start(&[]);
    let good = made::batch_at(&[1000, 3000, 2000]);
    let wrong = with(&good, MAX_TIMESTAMP_AT, &9_i64.to_be_bytes());
    client.write_batch("t", 0, &wrong);
    let kept = stored(&mut client).0;
    assert_eq!(kept.header().max_timestamp(), 3000);
    assert_eq!(made::values_of(kept.bytes()), ["1000", "3000", "2000"]);
}

#[test]
fn max_message_bytes_is_about_the_batch_as_sent() {
    let (_broker, mut client) = start(&[("max.message.bytes", "1000")]);
    let answer = client.produce("t", 0, &batch_of_bytes(2000));
    assert_eq!(answer.error_code, ErrorCode::MESSAGE_TOO_LARGE);
    let zeros = "0".repeat(100_000);
    let small = compressed(Codec::Zstd, &[&zeros]);
    assert!(small.len() < 1000);
    client.write_batch("t", 0, &small);
    let exactly = |bytes: usize| batch_of_bytes(bytes - batch_of_bytes(900).len() + 900);
    assert_eq!(exactly(1000).len(), 1000);
    client.write_batch("t", 0, &exactly(1000));
    let answer = client.produce("t", 0, &exactly(1001));
    assert_eq!(answer.error_code, ErrorCode::MESSAGE_TOO_LARGE);
}

#[test]
fn several_records_that_are_too_large_together_can_be_sent_one_by_one() {
    let (_broker, mut client) = start(&[("max.message.bytes", "1000")]);
    let text = "x".repeat(600);
    let together = client.produce("t", 0, &batch(&[&text, &text]));
    assert_eq!(together.error_code, ErrorCode::MESSAGE_TOO_LARGE);
    client.write("t", 0, &[&text]);
    client.write("t", 0, &[&text]);
    assert_eq!(client.read_all("t", 0).len(), 2);
}

#[test]
fn a_compacted_topic_says_which_records_lack_a_key() {
    let (_broker, mut client) = start(&[("cleanup.policy", "compact")]);
    let mut builder = BatchBuilder::new(Codec::None);
    for key in [Some(&b"k"[..]), None, Some(b"k"), None] {
        builder.append(now_ms(), key, Some(b"v"), &[]);
    }
    let answer = client.produce("t", 0, &builder.build());
    assert_eq!(answer.error_code, ErrorCode::INVALID_RECORD);
    let blamed: Vec<i32> = answer.record_errors.iter().map(|e| e.batch_index).collect();
    assert_eq!(blamed, [1, 3]);
    assert_eq!(client.read_all("t", 0), []);
}

#[test]
fn timestamps_beyond_the_topics_limits_are_refused_record_by_record() {
    let (_broker, mut client) = start(&[
        ("message.timestamp.before.max.ms", "3600000"),
        ("message.timestamp.after.max.ms", "3600000"),
    ]);
    let (now, day) = (now_ms(), 24 * 3_600_000);
    let answer = client.produce("t", 0, &made::batch_at(&[now, now - day, now + day, now]));
    assert_eq!(answer.error_code, ErrorCode::INVALID_TIMESTAMP);
    let blamed: Vec<i32> = answer.record_errors.iter().map(|e| e.batch_index).collect();
    assert_eq!(blamed, [1, 2]);
    client.write_batch("t", 0, &made::batch_at(&[now - 1000, now]));
}

#[test]
fn acks_all_needs_as_many_replicas_as_the_topic_says() {
    let (_broker, mut client) = start(&[("min.insync.replicas", "2")]);
    let answer = client.produce("t", 0, &batch(&["a"]));
    assert_eq!(answer.error_code, ErrorCode::NOT_ENOUGH_REPLICAS);
    let answer = client.produce_at(PRODUCE, "t", 0, 1, &batch(&["a"]));
    assert_eq!(answer.error_code, ErrorCode::NONE);
}

#[test]
fn a_request_without_partitions_is_answered() {
    let (_broker, mut client) = start(&[]);
    let request = ProduceRequest {
        acks: ALL,
        timeout_ms: 1000,
        ..ProduceRequest::default()
    };
    assert_eq!(client.call(PRODUCE, &request).responses, []);
    let mut request = produce_request("t", 0, ALL, &batch(&["a"]));
    request.topic_data[0].partition_data[0].records = Records::Bytes(Bytes::new());
    let answer = client.call(PRODUCE, &request);
    let error = answer.responses[0].partition_responses[0].error_code;
    assert_eq!(error, ErrorCode::INVALID_RECORD);
}
