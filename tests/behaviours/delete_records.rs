//! DeleteRecords: what is deleted is never read again, not even after a crash.
//!
//! Setup: a partition with ten records. Expectation: Kafka's codes, the low watermark, and a start that survives any stop.

use vltava::wire::ErrorCode;
use vltava::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsTopic,
};

use crate::harness::broker::Broker;
use crate::harness::requests::new_topic;
use crate::harness::wire_client::WireClient;

/// The newest version.
const NEWEST: i16 = 2;

fn start() -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    for _ in 0..10 {
        client.write("t", 0, &["record"]);
    }
    (broker, client)
}

fn delete(
    client: &mut WireClient,
    version: i16,
    topic: &str,
    partition_index: i32,
    offset: i64,
) -> DeleteRecordsPartitionResult {
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: topic.into(),
            partitions: vec![DeleteRecordsPartition {
                partition_index,
                offset,
            }],
        }],
        timeout_ms: 30_000,
    };
    let mut answer = client.call(version, &request);
    answer.topics.remove(0).partitions.remove(0)
}

fn outcome(result: &DeleteRecordsPartitionResult) -> (ErrorCode, i64) {
    (result.error_code, result.low_watermark)
}

#[test]
fn the_low_watermark_is_answered_and_readers_before_it_are_out_of_range() {
    let (_broker, mut client) = start();
    for version in 0..=NEWEST {
        let offset = 3 + i64::from(version);
        let result = delete(&mut client, version, "t", 0, offset);
        assert_eq!(outcome(&result), (ErrorCode::NONE, offset));
    }
    let before = client.fetch("t", 0, 4);
    assert_eq!(before.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    let after = client.fetch("t", 0, 5);
    assert_eq!(
        (after.error_code, after.log_start_offset),
        (ErrorCode::NONE, 5)
    );
    let again = delete(&mut client, NEWEST, "t", 0, 1);
    assert_eq!(outcome(&again), (ErrorCode::NONE, 5), "it never goes back");
}

#[test]
fn minus_one_deletes_up_to_the_high_watermark_and_nothing_goes_past_it() {
    let (_broker, mut client) = start();
    let refused = delete(&mut client, NEWEST, "t", 0, 11);
    assert_eq!(outcome(&refused), (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
    let refused = delete(&mut client, NEWEST, "t", 0, -2);
    assert_eq!(outcome(&refused), (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
    let all = delete(&mut client, NEWEST, "t", 0, -1);
    assert_eq!(outcome(&all), (ErrorCode::NONE, 10));
}

#[test]
fn deleted_records_do_not_come_back_after_a_crash_or_a_stop() {
    let (mut broker, mut client) = start();
    let deleted = delete(&mut client, NEWEST, "t", 0, 7);
    assert_eq!(outcome(&deleted), (ErrorCode::NONE, 7));
    broker.kill();
    for _ in 0..2 {
        broker.restart();
        let mut client = WireClient::connect(broker.port());
        let before = client.fetch("t", 0, 6);
        assert_eq!(before.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
        let after = client.fetch("t", 0, 7);
        assert_eq!(
            (after.error_code, after.log_start_offset),
            (ErrorCode::NONE, 7)
        );
        broker.stop();
    }
}

#[test]
fn a_topic_that_takes_a_deleted_ones_name_shows_all_its_records_after_a_crash() {
    let (mut broker, mut client) = start();
    delete(&mut client, NEWEST, "t", 0, 7);
    client.delete_topic("t");
    client.create_topic("t", 1);
    client.write("t", 0, &["new"]);
    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    let first = client.fetch("t", 0, 0);
    assert_eq!(
        (first.error_code, first.log_start_offset),
        (ErrorCode::NONE, 0)
    );
}

#[test]
fn a_topic_that_is_only_compacted_keeps_its_records() {
    let (_broker, mut client) = start();
    let compacted = new_topic("c", 1, &[("cleanup.policy", "compact")]);
    assert_eq!(client.try_create(compacted).error_code, ErrorCode::NONE);
    let refused = delete(&mut client, NEWEST, "c", 0, -1);
    assert_eq!(outcome(&refused), (ErrorCode::POLICY_VIOLATION, -1));
}

#[test]
fn partitions_that_are_not_there_are_told_one_by_one() {
    let (_broker, mut client) = start();
    for (topic, partition) in [("t", 3), ("u", 0)] {
        let missing = delete(&mut client, NEWEST, topic, partition, 0);
        assert_eq!(
            outcome(&missing),
            (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1)
        );
    }
}
