//! ListOffsets: the ends of a log, and the record that belongs to a time.
//!
//! Setup: a partition with batches of known timestamps, some out of order. Expectation: Kafka's answers for every special timestamp and
//! for times before, between and after the records.

use vltava::wire::ErrorCode;
use vltava::wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use vltava::wire::records::{BatchBuilder, Codec};

use crate::harness::batches::batch_at;
use crate::harness::broker::Broker;
use crate::harness::record::now_ms;
use crate::harness::requests::LIST_OFFSETS;
use crate::harness::wire_client::WireClient;

/// Offsets 0..7 in three batches, dated `base` and these milliseconds on.
const BATCHES: [&[i64]; 3] = [&[100, 300, 200], &[50, 400], &[350, 360]];

fn start() -> (Broker, WireClient, i64) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    let base = now_ms() - 60_000;
    for batch in BATCHES {
        let times: Vec<i64> = batch.iter().map(|time| base + time).collect();
        client.write_batch("t", 0, &batch_at(&times));
    }
    (broker, client, base)
}

#[test]
fn every_version_knows_the_ends_of_the_log() {
    let (_broker, mut client, _) = start();
    for version in 0..=LIST_OFFSETS {
        for (timestamp, expected) in [(-1, 7), (-2, 0)] {
            let found = client.list_offset(version, "t", 0, timestamp);
            assert_eq!(found.error_code, ErrorCode::NONE);
            if version == 0 {
                assert_eq!(found.old_style_offsets[0], expected);
            } else {
                assert_eq!((found.offset, found.timestamp), (expected, -1));
            }
            if version >= 4 {
                assert_eq!(found.leader_epoch, 0, "version {version}, {timestamp}");
            }
        }
    }
}

#[test]
fn a_time_finds_the_first_record_that_is_not_older() {
    let (_broker, mut client, base) = start();
    for (time, offset, found_time) in [
        (0, 0, 100),
        (100, 0, 100),
        (101, 1, 300),
        (150, 1, 300),
        (300, 1, 300),
        (301, 4, 400),
        (400, 4, 400),
    ] {
        let found = client.list_offset(LIST_OFFSETS, "t", 0, base + time);
        assert_eq!(found.error_code, ErrorCode::NONE);
        assert_eq!(
            (found.offset, found.timestamp - base),
            (offset, found_time),
            "at {time}"
        );
        assert_eq!(found.leader_epoch, 0);
    }
}

#[test]
fn a_time_after_every_record_finds_nothing_and_that_is_no_error() {
    let (_broker, mut client, base) = start();
    let found = client.list_offset(LIST_OFFSETS, "t", 0, base + 401);
    assert_eq!(found.error_code, ErrorCode::NONE);
    assert_eq!(
        (found.offset, found.timestamp, found.leader_epoch),
        (-1, -1, -1)
    );
}

#[test]
fn times_are_found_inside_compressed_batches() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let topic = format!("{codec:?}");
        client.create_topic(&topic, 1);
        let base = now_ms() - 60_000;
        let mut builder = BatchBuilder::new(codec);
        for time in 0..100 {
            builder.append(base + time, None, Some(b"v"), &[]);
        }
        client.write_batch(&topic, 0, &builder.build());
        let found = client.list_offset(LIST_OFFSETS, &topic, 0, base + 57);
        assert_eq!(
            (found.offset, found.timestamp),
            (57, base + 57),
            "{codec:?}"
        );
    }
}

#[test]
fn the_record_with_the_largest_timestamp_is_found_from_version_7_on() {
    let (_broker, mut client, base) = start();
    for version in 7..=LIST_OFFSETS {
        let found = client.list_offset(version, "t", 0, -3);
        assert_eq!((found.offset, found.timestamp - base), (4, 400));
    }
    let early = client.list_offset(6, "t", 0, -3);
    assert_eq!(early.error_code, ErrorCode::UNSUPPORTED_VERSION);
}

#[test]
fn an_empty_partition_has_no_largest_timestamp() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("empty", 1);
    let found = client.list_offset(LIST_OFFSETS, "empty", 0, -3);
    assert_eq!(
        (found.error_code, found.offset, found.timestamp),
        (ErrorCode::NONE, -1, -1)
    );
    let found = client.list_offset(LIST_OFFSETS, "empty", 0, 0);
    assert_eq!(
        (found.error_code, found.offset, found.timestamp),
        (ErrorCode::NONE, -1, -1)
    );
    assert_eq!(client.list_offset(LIST_OFFSETS, "empty", 0, -1).offset, 0);
    assert_eq!(client.list_offset(LIST_OFFSETS, "empty", 0, -2).offset, 0);
}

#[test]
fn without_tiered_storage_the_local_log_is_the_log() {
    let (_broker, mut client, _) = start();
    for (timestamp, since, expected) in [(-4, 8, 0), (-5, 9, -1)] {
        let found = client.list_offset(since, "t", 0, timestamp);
        assert_eq!(
            (found.error_code, found.offset),
            (ErrorCode::NONE, expected)
        );
        let early = client.list_offset(since - 1, "t", 0, timestamp);
        assert_eq!(
            early.error_code,
            ErrorCode::UNSUPPORTED_VERSION,
            "{timestamp}"
        );
    }
}

#[test]
fn the_leader_epoch_a_client_knows_is_compared_with_the_partitions() {
    let (_broker, mut client, _) = start();
    for (current_leader_epoch, expected) in [
        (-1, ErrorCode::NONE),
        (0, ErrorCode::NONE),
        (3, ErrorCode::UNKNOWN_LEADER_EPOCH),
    ] {
        let request = ListOffsetsRequest {
            topics: vec![ListOffsetsTopic {
                name: "t".into(),
                partitions: vec![ListOffsetsPartition {
                    current_leader_epoch,
                    timestamp: -1,
                    ..ListOffsetsPartition::default()
                }],
            }],
            ..ListOffsetsRequest::default()
        };
        let answer = client.call(LIST_OFFSETS, &request);
        assert_eq!(answer.topics[0].partitions[0].error_code, expected);
    }
}

#[test]
fn an_unknown_topic_or_partition_has_no_offsets() {
    let (_broker, mut client, _) = start();
    for (topic, partition) in [("unknown", 0), ("t", 1), ("t", -1)] {
        let found = client.list_offset(LIST_OFFSETS, topic, partition, -1);
        assert_eq!(found.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!((found.offset, found.timestamp), (-1, -1));
    }
}

#[test]
fn version_0_lists_where_segments_begin_the_newest_first() {
    let broker = Broker::start(&[("log.segment.bytes", "1048576")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    // Two batches do not fit into one segment.
    let large = "x".repeat(600_000);
    for _ in 0..3 {
        client.write("t", 0, &[&large, "small"]);
    }
    let mut ask = |timestamp, max_num_offsets| {
        let partition = ListOffsetsPartition {
            timestamp,
            max_num_offsets,
            ..ListOffsetsPartition::default()
        };
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: "t".into(),
                partitions: vec![partition],
            }],
            ..ListOffsetsRequest::default()
        };
        let answer = client.call(0, &request);
        answer.topics[0].partitions[0].old_style_offsets.clone()
    };
    assert_eq!(ask(-1, 10), [6, 4, 2, 0], "latest");
    assert_eq!(ask(-1, 2), [6, 4]);
    assert_eq!(ask(-1, 1), [6]);
    assert_eq!(ask(-2, 10), [0], "earliest");
    assert_eq!(
        ask(now_ms() + 60_000, 3),
        [6, 4, 2],
        "all were written before"
    );
    assert!(ask(now_ms() - 3_600_000, 3).is_empty(), "none was");
    assert!(ask(-1, 0).is_empty() && ask(-1, -1).is_empty());
}
