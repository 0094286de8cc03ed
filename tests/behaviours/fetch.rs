//! Fetch: whole batches, limits, when an answer waits, topic ids, leader epochs.
//!
//! Setup: topics with some batches of known sizes. Expectation: what Kafka gives, or fewer but whole batches, at once where Kafka
//! answers at once.

use std::thread;
use std::time::{Duration, Instant};

use uuid::Uuid;
use vltava::wire::messages::fetch::{FetchPartition, FetchRequest, PartitionData};
use vltava::wire::messages::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use vltava::wire::records::Codec;
use vltava::wire::{ErrorCode, Records};

use crate::harness::batches::{batch_of_bytes, compressed, records_of, values_of};
use crate::harness::broker::Broker;
use crate::harness::requests::{FETCH, data_of, fetch_partition, fetch_request, only_partition};
use crate::harness::wire_client::WireClient;

/// Longer than anything here takes.
const LONG_MS: i32 = 15_000;
const SOON: Duration = Duration::from_secs(5);

/// A topic "t" of `partitions` with three batches of 10 000 bytes in each.
fn start(partitions: i32) -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", partitions);
    for partition in 0..partitions {
        for _ in 0..3 {
            client.write_batch("t", partition, &batch_of_bytes(10_000));
        }
    }
    (broker, client)
}

fn partitions(client: &mut WireClient, request: &FetchRequest) -> Vec<PartitionData> {
    let answer = client.call(FETCH, request);
    assert_eq!(answer.error_code, ErrorCode::NONE);
    answer
        .responses
        .into_iter()
        .flat_map(|topic| topic.partitions)
        .collect()
}

/// Batches of 10 000 bytes in the answer.
fn batches_in(data: &PartitionData) -> usize {
    let bytes = data_of(data);
    assert_eq!(
        records_of(&bytes).len(),
        bytes.len() / 10_000,
        "whole batches"
    );
    bytes.len() / 10_000
}

#[test]
fn a_fetch_gives_the_whole_batch_that_contains_the_offset() {
    let broker = Broker::start(&[]);
    for codec in [Codec::None, Codec::Zstd] {
        let mut client = WireClient::connect(broker.port());
        let topic = format!("{codec:?}");
        client.create_topic(&topic, 1);
        client.write_batch(&topic, 0, &compressed(codec, &["0", "1", "2"]));
        client.write_batch(&topic, 0, &compressed(codec, &["3", "4"]));
        for (offset, expected) in [(0, 0..5), (2, 0..5), (3, 3..5), (4, 3..5)] {
            let values = values_of(&data_of(&client.fetch(&topic, 0, offset)));
            let expected: Vec<String> = expected.map(|n| n.to_string()).collect();
            assert_eq!(values, expected, "from offset {offset}");
        }
    }
}

#[test]
fn every_version_from_4_on_is_served() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let id = client.create_topic("t", 1);
    client.write("t", 0, &["a"]);
    for version in 4..=18 {
        let mut request = fetch_request("t", vec![fetch_partition(0, 0)]);
        request.topics[0].topic_id = id;
        let answer = only_partition(client.call(version, &request));
        assert_eq!(values_of(&data_of(&answer)), ["a"], "version {version}");
    }
}

#[test]
fn the_first_batch_comes_however_small_the_limits() {
    let (_broker, mut client) = start(2);
    let mut request = fetch_request("t", vec![fetch_partition(0, 0), fetch_partition(1, 0)]);
    request.max_bytes = 1;
    let found = partitions(&mut client, &request);
    assert_eq!([batches_in(&found[0]), batches_in(&found[1])], [1, 0]);

    let mut request = fetch_request("t", vec![fetch_partition(0, 0), fetch_partition(1, 0)]);
    for partition in &mut request.topics[0].partitions {
        partition.partition_max_bytes = 1;
    }
    let found = partitions(&mut client, &request);
    assert_eq!([batches_in(&found[0]), batches_in(&found[1])], [1, 0]);
}

#[test]
fn the_first_partition_with_data_is_the_one_that_may_exceed_the_limits() {
    let (_broker, mut client) = start(3);
    let order = vec![
        fetch_partition(1, 3),
        fetch_partition(2, 0),
        fetch_partition(0, 0),
    ];
    let mut request = fetch_request("t", order);
    request.max_bytes = 1;
    let found = partitions(&mut client, &request);
    let indexes: Vec<i32> = found.iter().map(|p| p.partition_index).collect();
    assert_eq!(indexes, [1, 2, 0], "the client's order");
    let counts: Vec<usize> = found.iter().map(batches_in).collect();
    assert_eq!(counts, [0, 1, 0]);
}

#[test]
fn both_limits_bind_after_the_first_batch() {
    let (_broker, mut client) = start(2);
    let mut request = fetch_request("t", vec![fetch_partition(0, 0), fetch_partition(1, 0)]);
    request.max_bytes = 45_000;
    let found = partitions(&mut client, &request);
    assert_eq!([batches_in(&found[0]), batches_in(&found[1])], [3, 1]);
    for partition in &mut request.topics[0].partitions {
        partition.partition_max_bytes = 25_000;
    }
    let found = partitions(&mut client, &request);
    assert_eq!([batches_in(&found[0]), batches_in(&found[1])], [2, 2]);
}

#[test]
fn the_broker_has_a_limit_of_its_own() {
    let broker = Broker::start(&[("fetch.max.bytes", "1024")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    for _ in 0..3 {
        client.write_batch("t", 0, &batch_of_bytes(10_000));
    }
    assert_eq!(batches_in(&client.fetch("t", 0, 0)), 1);
}

#[test]
fn the_end_of_the_log_is_empty_and_what_is_behind_it_is_out_of_range() {
    let (_broker, mut client) = start(1);
    let end = client.fetch("t", 0, 3);
    assert_eq!((end.error_code, data_of(&end).len()), (ErrorCode::NONE, 0));
    assert_eq!(end.high_watermark, 3);
    for offset in [4, i64::MAX, -1, -2] {
        let answer = client.fetch("t", 0, offset);
        assert_eq!(
            answer.error_code,
            ErrorCode::OFFSET_OUT_OF_RANGE,
            "{offset}"
        );
        assert_eq!(data_of(&answer).len(), 0);
    }
}

#[test]
fn an_answer_has_high_watermark_stable_offset_and_log_start() {
    let (_broker, mut client) = start(1);
    for (isolation_level, aborted) in [(0, None), (1, Some(Vec::new()))] {
        let mut request = fetch_request("t", vec![fetch_partition(0, 0)]);
        request.isolation_level = isolation_level;
        let answer = only_partition(client.call(FETCH, &request));
        assert_eq!(answer.high_watermark, 3);
        assert_eq!(answer.last_stable_offset, 3);
        assert_eq!(answer.log_start_offset, 0);
        assert_eq!(answer.preferred_read_replica, -1);
        assert_eq!(answer.aborted_transactions, aborted);
    }
}

#[test]
fn records_of_an_empty_partition_are_empty_and_not_null() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    assert!(matches!(client.fetch("t", 0, 0).records, Records::Bytes(_)));
}

#[test]
fn a_fetch_waits_until_its_time_is_up() {
    let (_broker, mut client) = start(1);
    let mut request = fetch_request("t", vec![fetch_partition(0, 3)]);
    request.max_wait_ms = 400;
    let began = Instant::now();
    let answer = only_partition(client.call(FETCH, &request));
    assert_eq!(
        (answer.error_code, data_of(&answer).len()),
        (ErrorCode::NONE, 0)
    );
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[test]
fn a_fetch_that_waits_is_woken_by_the_append_that_satisfies_it() {
    let (broker, mut client) = start(4);
    for partition in 0..4 {
        let mut request = fetch_request("t", vec![fetch_partition(partition, 3)]);
        request.max_wait_ms = LONG_MS;
        request.min_bytes = 15_000;
        let began = Instant::now();
        client.send(FETCH, &request);
        let mut writer = WireClient::connect(broker.port());
        writer.write_batch("t", partition, &batch_of_bytes(10_000));
        client.assert_silent(Duration::from_millis(200));
        writer.write_batch("t", partition, &batch_of_bytes(10_000));
        let (_, answer) = client.receive::<FetchRequest>(FETCH);
        assert_eq!(batches_in(&only_partition(answer)), 2);
        assert!(began.elapsed() < SOON);
    }
}

#[test]
fn partitions_of_several_cores_satisfy_a_fetch_together() {
    let (broker, mut client) = start(4);
    let all = (0..4)
        .map(|partition| fetch_partition(partition, 3))
        .collect();
    let mut request = fetch_request("t", all);
    request.max_wait_ms = LONG_MS;
    request.min_bytes = 40_000;
    let began = Instant::now();
    client.send(FETCH, &request);
    let mut writer = WireClient::connect(broker.port());
    for partition in 0..4 {
        writer.write_batch("t", partition, &batch_of_bytes(10_000));
    }
    let (_, answer) = client.receive::<FetchRequest>(FETCH);
    let found = answer.responses.iter().flat_map(|topic| &topic.partitions);
    assert_eq!(found.map(batches_in).sum::<usize>(), 4);
    assert!(began.elapsed() < SOON);
}

#[test]
fn what_need_not_wait_is_answered_at_once() {
    let (_broker, mut client) = start(2);
    let began = Instant::now();
    let at_once = |client: &mut WireClient, what: &str, change: &dyn Fn(&mut FetchRequest)| {
        let mut request = fetch_request("t", vec![fetch_partition(0, 3), fetch_partition(1, 3)]);
        request.max_wait_ms = LONG_MS;
        request.min_bytes = 1;
        change(&mut request);
        client.call(FETCH, &request);
        assert!(began.elapsed() < SOON, "{what}");
    };
    at_once(&mut client, "no wait", &|request| request.max_wait_ms = 0);
    at_once(&mut client, "no partitions", &|request| {
        request.topics.clear()
    });
    at_once(&mut client, "nothing wanted", &|request| {
        request.min_bytes = 0
    });
    at_once(&mut client, "enough there", &|request| {
        request.topics[0].partitions[1].fetch_offset = 2;
    });
    at_once(&mut client, "an error", &|request| {
        request.topics[0].partitions[1].fetch_offset = 99;
    });
    at_once(&mut client, "an unknown topic", &|request| {
        request.topics[0].topic = "unknown".into();
    });
    at_once(&mut client, "an unknown partition", &|request| {
        request.topics[0].partitions[1].partition = 9;
    });
    at_once(&mut client, "a diverging epoch", &|request| {
        request.topics[0].partitions[1].last_fetched_epoch = 0;
        request.topics[0].partitions[1].fetch_offset = 99;
    });
}

#[test]
fn many_consumers_of_one_partition_are_woken_together() {
    let (broker, mut client) = start(1);
    let mut request = fetch_request("t", vec![fetch_partition(0, 3)]);
    request.max_wait_ms = LONG_MS;
    let mut waiting: Vec<WireClient> = (0..20)
        .map(|_| {
            let mut consumer = WireClient::connect(broker.port());
            consumer.send(FETCH, &request);
            consumer
        })
        .collect();
    thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    client.write_batch("t", 0, &batch_of_bytes(10_000));
    for consumer in &mut waiting {
        let (_, answer) = consumer.receive::<FetchRequest>(FETCH);
        assert_eq!(batches_in(&only_partition(answer)), 1);
    }
    assert!(began.elapsed() < SOON);
}

#[test]
fn an_unknown_topic_id_is_said_per_partition() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let id = client.create_topic("t", 1);
    let mut error = |topic_id: Uuid, partition| {
        let mut request = fetch_request("", vec![fetch_partition(partition, 0)]);
        request.topics[0].topic_id = topic_id;
        only_partition(client.call(13, &request)).error_code
    };
    assert_eq!(error(id, 0), ErrorCode::NONE);
    assert_eq!(error(id, 1), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(error(Uuid::from_u128(7), 0), ErrorCode::UNKNOWN_TOPIC_ID);
    assert_eq!(error(Uuid::nil(), 0), ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn an_unknown_topic_or_partition_is_said_per_partition() {
    let (_broker, mut client) = start(1);
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(client.fetch("nobody", 0, 0).error_code, unknown);
    assert_eq!(client.fetch("t", 1, 0).error_code, unknown);
    assert_eq!(client.fetch("t", -1, 0).error_code, unknown);
}

#[test]
fn the_leader_epoch_a_client_knows_is_compared_with_the_partitions() {
    let (_broker, mut client) = start(1);
    for (current_leader_epoch, expected) in [
        (-1, ErrorCode::NONE),
        (0, ErrorCode::NONE),
        (1, ErrorCode::UNKNOWN_LEADER_EPOCH),
    ] {
        let partition = FetchPartition {
            current_leader_epoch,
            ..fetch_partition(0, 0)
        };
        let answer = only_partition(client.call(FETCH, &fetch_request("t", vec![partition])));
        assert_eq!(answer.error_code, expected, "epoch {current_leader_epoch}");
    }
}

#[test]
fn the_end_of_a_leader_epoch_is_known() {
    let (_broker, mut client) = start(1);
    for version in 0..=4 {
        let mut ask = |leader_epoch, current_leader_epoch| {
            let request = OffsetForLeaderEpochRequest {
                topics: vec![OffsetForLeaderTopic {
                    topic: "t".into(),
                    partitions: vec![OffsetForLeaderPartition {
                        partition: 0,
                        current_leader_epoch,
                        leader_epoch,
                    }],
                }],
                ..OffsetForLeaderEpochRequest::default()
            };
            let answer = client.call(version, &request);
            let found = &answer.topics[0].partitions[0];
            (found.error_code, found.leader_epoch, found.end_offset)
        };
        let epoch = if version >= 1 { 0 } else { -1 };
        assert_eq!(ask(0, -1), (ErrorCode::NONE, epoch, 3), "version {version}");
        assert_eq!(
            ask(5, -1),
            (ErrorCode::NONE, -1, -1),
            "an epoch yet to come"
        );
        if version >= 2 {
            assert_eq!(ask(0, 9).0, ErrorCode::UNKNOWN_LEADER_EPOCH);
        }
    }
}

#[test]
fn a_client_whose_log_diverges_is_told_where() {
    let (_broker, mut client) = start(1);
    let partition = FetchPartition {
        last_fetched_epoch: 0,
        ..fetch_partition(0, 99)
    };
    let answer = only_partition(client.call(FETCH, &fetch_request("t", vec![partition])));
    assert_eq!(answer.error_code, ErrorCode::NONE);
    let told = &answer.diverging_epoch;
    assert_eq!((told.epoch, told.end_offset), (0, 3));
    let partition = FetchPartition {
        last_fetched_epoch: 0,
        ..fetch_partition(0, 2)
    };
    let answer = only_partition(client.call(FETCH, &fetch_request("t", vec![partition])));
    assert_eq!(answer.diverging_epoch.end_offset, -1);
    assert_eq!(batches_in(&answer), 1);
    let partition = FetchPartition {
        last_fetched_epoch: 5,
        ..fetch_partition(0, 3)
    };
    let answer = only_partition(client.call(FETCH, &fetch_request("t", vec![partition])));
    let beyond = ErrorCode::OFFSET_OUT_OF_RANGE;
    assert_eq!(answer.error_code, beyond, "an epoch yet to come");
}
