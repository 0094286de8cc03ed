//! What partitions make of transactions: markers, the last stable offset, aborted ranges, and what readers of committed records get.
//!
//! Setup: a producer's id, batches of transactions, and their ends by WriteTxnMarkers, as a coordinator or an administrator sends
//! it. Expectation: what Kafka answers, also after a crash. Whether a producer may write to a partition at all is the coordinator's
//! to verify; that is off here.

use std::time::Duration;

use bytes::Bytes;
use vltava::wire::ErrorCode;
use vltava::wire::messages::describe_producers::{
    DescribeProducersRequest, ProducerState, TopicRequest,
};
use vltava::wire::messages::fetch::{FetchRequest, PartitionData};
use vltava::wire::messages::list_offsets::{
    LATEST_TIMESTAMP, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use vltava::wire::messages::produce::{PartitionProduceResponse, ProduceRequest};
use vltava::wire::messages::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerTopic, WriteTxnMarkersRequest,
};
use vltava::wire::records::{BatchBuilder, Codec, EndTransaction};

use crate::harness::batches::{batch_with, records_of};
use crate::harness::broker::Broker;
use crate::harness::requests::{
    ALL, FETCH, LIST_OFFSETS, data_of, fetch_partition, fetch_request, only_partition,
    produce_request, sequenced,
};
use crate::harness::wire_client::WireClient;

const READ_COMMITTED: i8 = 1;
/// A version of Produce in which partitions are not added to the transaction by the way.
const VERIFIED_BY_THE_COORDINATOR: i16 = 11;
type Producer = (i64, i16);

fn start() -> (Broker, WireClient) {
    let broker = Broker::start(&[("transaction.partition.verification.enable", "false")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 4);
    (broker, client)
}

/// A batch of a producer's transaction.
fn in_transaction(producer: Producer, sequence: i32, values: &[&str]) -> Bytes {
    let builder = BatchBuilder::new(Codec::None)
        .producer(producer.0, producer.1, sequence)
        .transactional();
    batch_with(builder, values)
}

/// Produces what a transactional producer sends.
fn produce(client: &mut WireClient, batch: &Bytes) -> PartitionProduceResponse {
    let request = ProduceRequest {
        transactional_id: Some("tx".into()),
        ..produce_request("t", 0, ALL, batch)
    };
    let mut response = client.call(VERIFIED_BY_THE_COORDINATOR, &request);
    response.responses.remove(0).partition_responses.remove(0)
}

#[track_caller]
fn write_batch(client: &mut WireClient, batch: &Bytes) {
    let answer = produce(client, batch);
    assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
}

fn marker(producer: Producer, committed: bool, partitions: &[i32]) -> WritableTxnMarker {
    WritableTxnMarker {
        producer_id: producer.0,
        producer_epoch: producer.1,
        transaction_result: committed,
        topics: vec![WritableTxnMarkerTopic {
            name: "t".into(),
            partition_indexes: partitions.to_vec(),
        }],
        ..WritableTxnMarker::default()
    }
}

/// The errors of the partitions.
fn write(client: &mut WireClient, version: i16, marker: WritableTxnMarker) -> Vec<ErrorCode> {
    let request = WriteTxnMarkersRequest {
        markers: vec![marker],
    };
    let mut response = client.call(version, &request);
    let partitions = response.markers.remove(0).topics.remove(0).partitions;
    partitions.into_iter().map(|one| one.error_code).collect()
}

#[track_caller]
fn end(client: &mut WireClient, producer: Producer, committed: bool) {
    let written = write(client, 1, marker(producer, committed, &[0]));
    assert_eq!(written, [ErrorCode::NONE]);
}

fn committed_request(offset: i64) -> FetchRequest {
    FetchRequest {
        isolation_level: READ_COMMITTED,
        ..fetch_request("t", vec![fetch_partition(0, offset)])
    }
}

fn fetch_committed(client: &mut WireClient, offset: i64) -> PartitionData {
    only_partition(client.call(FETCH, &committed_request(offset)))
}

/// Offsets of all records of an answer, markers included.
fn offsets(data: &PartitionData) -> Vec<i64> {
    let records = records_of(&data_of(data));
    records.into_iter().map(|(offset, _)| offset).collect()
}

fn aborted(data: &PartitionData) -> Vec<(i64, i64)> {
    let listed = data.aborted_transactions.as_deref().expect("a list");
    listed
        .iter()
        .map(|one| (one.producer_id, one.first_offset))
        .collect()
}

#[test]
fn readers_of_committed_records_stop_at_the_first_open_transaction() {
    let (_broker, mut client) = start();
    let producer = client.new_producer();
    client.write("t", 0, &["before"]);
    write_batch(&mut client, &in_transaction(producer, 0, &["a", "b"]));
    client.write("t", 0, &["behind"]);
    let held = fetch_committed(&mut client, 0);
    assert_eq!((held.last_stable_offset, held.high_watermark), (1, 4));
    assert_eq!(offsets(&held), [0]);
    let all = client.fetch("t", 0, 0);
    assert_eq!(offsets(&all), [0, 1, 2, 3]);
    assert_eq!(
        (all.last_stable_offset, all.aborted_transactions),
        (1, None)
    );
    let at_the_end = fetch_committed(&mut client, 1);
    assert_eq!(at_the_end.error_code, ErrorCode::NONE);
    assert!(offsets(&at_the_end).is_empty() && aborted(&at_the_end).is_empty());
    end(&mut client, producer, true);
    let free = fetch_committed(&mut client, 0);
    assert_eq!(free.last_stable_offset, 5);
    assert_eq!(offsets(&free), [0, 1, 2, 3, 4], "with the marker");
    assert!(aborted(&free).is_empty());
}

#[test]
fn aborted_transactions_that_overlap_what_is_read_are_listed() {
    let (_broker, mut client) = start();
    let (first, second) = (client.new_producer(), client.new_producer());
    write_batch(&mut client, &in_transaction(first, 0, &["a"]));
    write_batch(&mut client, &in_transaction(second, 0, &["b"]));
    end(&mut client, first, false);
    write_batch(&mut client, &in_transaction(first, 1, &["c"]));
    end(&mut client, second, false);
    end(&mut client, first, true);
    let all = fetch_committed(&mut client, 0);
    assert_eq!(aborted(&all), [(first.0, 0), (second.0, 1)]);
    let later = fetch_committed(&mut client, 3);
    assert_eq!(aborted(&later), [(second.0, 1)], "only its marker is left");
    assert!(aborted(&fetch_committed(&mut client, 5)).is_empty());
}

#[test]
fn a_crash_changes_nothing_about_transactions() {
    let (mut broker, mut client) = start();
    let (gone, open) = (client.new_producer(), client.new_producer());
    write_batch(&mut client, &in_transaction(gone, 0, &["a"]));
    end(&mut client, gone, false);
    client.write("t", 0, &["plain"]);
    write_batch(&mut client, &in_transaction(open, 0, &["b"]));
    for crash in [true, false] {
        if crash {
            broker.kill();
        } else {
            assert!(broker.stop().success());
        }
        broker.restart();
        let mut client = WireClient::connect(broker.port());
        let held = fetch_committed(&mut client, 0);
        assert_eq!((held.last_stable_offset, held.high_watermark), (3, 4));
        assert_eq!(offsets(&held), [0, 1, 2]);
        assert_eq!(aborted(&held), [(gone.0, 0)]);
    }
    let mut client = WireClient::connect(broker.port());
    let goes_on = produce(&mut client, &in_transaction(open, 1, &["c"]));
    assert_eq!(goes_on.error_code, ErrorCode::NONE);
    end(&mut client, open, true);
    assert_eq!(fetch_committed(&mut client, 3).last_stable_offset, 6);
}

#[test]
fn the_latest_offset_for_readers_of_committed_records_is_the_last_stable_one() {
    let (_broker, mut client) = start();
    let producer = client.new_producer();
    client.write("t", 0, &["before"]);
    write_batch(&mut client, &in_transaction(producer, 0, &["a"]));
    let mut look = |isolation_level, timestamp| {
        let request = ListOffsetsRequest {
            isolation_level,
            topics: vec![ListOffsetsTopic {
                name: "t".into(),
                partitions: vec![ListOffsetsPartition {
                    timestamp,
                    ..ListOffsetsPartition::default()
                }],
            }],
            ..ListOffsetsRequest::default()
        };
        client.call(LIST_OFFSETS, &request).topics[0].partitions[0].offset
    };
    assert_eq!(look(0, LATEST_TIMESTAMP), 2);
    assert_eq!(look(READ_COMMITTED, LATEST_TIMESTAMP), 1);
    let all = look(0, 1);
    assert_eq!((all, look(READ_COMMITTED, 1)), (0, 0));
    // The newest record is not theirs yet.
    assert_eq!(look(READ_COMMITTED, i64::MAX - 1), -1);
}

#[test]
fn a_waiting_reader_of_committed_records_is_woken_by_the_marker() {
    let (broker, mut client) = start();
    let producer = client.new_producer();
    let mut reader = WireClient::connect(broker.port());
    let request = FetchRequest {
        max_wait_ms: 60_000,
        ..committed_request(0)
    };
    reader.send(FETCH, &request);
    write_batch(&mut client, &in_transaction(producer, 0, &["a"]));
    client.write("t", 0, &["behind"]);
    reader.assert_silent(Duration::from_millis(300));
    end(&mut client, producer, true);
    let (_, response) = reader.receive::<FetchRequest>(FETCH);
    assert_eq!(offsets(&only_partition(response)), [0, 1, 2]);
}

#[test]
fn a_plain_batch_within_the_transaction_and_a_control_batch_of_a_client_are_refused() {
    let (_broker, mut client) = start();
    let producer = client.new_producer();
    write_batch(&mut client, &in_transaction(producer, 0, &["a"]));
    let plain = client.produce("t", 0, &sequenced(producer, 1, &["b"]));
    assert_eq!(plain.error_code, ErrorCode::INVALID_TXN_STATE);
    let end = EndTransaction {
        committed: true,
        coordinator_epoch: 0,
    };
    let forged = produce(&mut client, &end.batch(producer.0, producer.1, 1).bytes);
    assert_eq!(forged.error_code, ErrorCode::INVALID_RECORD);
    assert_eq!(fetch_committed(&mut client, 0).last_stable_offset, 0);
}

#[test]
fn markers_of_an_older_epoch_or_coordinator_are_fenced_and_others_taken_in_every_version() {
    let (_broker, mut client) = start();
    let (id, _) = client.new_producer();
    for version in 0..=2 {
        let written = write(&mut client, version, marker((id, 5), true, &[0, 3, 9]));
        let none = ErrorCode::NONE;
        let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        assert_eq!(written, [none, none, unknown], "version {version}");
    }
    let older = write(&mut client, 1, marker((id, 4), true, &[0]));
    assert_eq!(older, [ErrorCode::INVALID_PRODUCER_EPOCH]);
    let by_another = WritableTxnMarker {
        coordinator_epoch: 2,
        ..marker((id, 5), true, &[0])
    };
    assert_eq!(write(&mut client, 1, by_another), [ErrorCode::NONE]);
    let fenced = write(&mut client, 1, marker((id, 5), true, &[0]));
    assert_eq!(fenced, [ErrorCode::TRANSACTION_COORDINATOR_FENCED]);
    let zombie = produce(&mut client, &in_transaction((id, 4), 0, &["late"]));
    assert_eq!(zombie.error_code, ErrorCode::INVALID_PRODUCER_EPOCH);
}

#[test]
fn with_transactions_of_version_2_the_marker_needs_the_next_epoch() {
    let (_broker, mut client) = start();
    let (id, epoch) = client.new_producer();
    write_batch(&mut client, &in_transaction((id, epoch), 0, &["a"]));
    let of = |epoch| WritableTxnMarker {
        transaction_version: 2,
        ..marker((id, epoch), true, &[0])
    };
    let late = write(&mut client, 2, of(epoch));
    assert_eq!(late, [ErrorCode::INVALID_PRODUCER_EPOCH]);
    for again in 0..2 {
        let written = write(&mut client, 2, of(epoch + 1));
        assert_eq!(written, [ErrorCode::NONE], "{again}");
    }
    let old = produce(&mut client, &in_transaction((id, epoch), 1, &["b"]));
    assert_eq!(old.error_code, ErrorCode::INVALID_PRODUCER_EPOCH);
    write_batch(&mut client, &in_transaction((id, epoch + 1), 0, &["c"]));
}

#[test]
fn described_producers_say_where_their_transaction_began() {
    let (_broker, mut client) = start();
    let producer = client.new_producer();
    client.write("t", 0, &["before"]);
    write_batch(&mut client, &in_transaction(producer, 0, &["a", "b"]));
    let described = |client: &mut WireClient| -> ProducerState {
        let request = DescribeProducersRequest {
            topics: vec![TopicRequest {
                name: "t".into(),
                partition_indexes: vec![0],
            }],
        };
        let mut response = client.call(0, &request);
        response.topics[0].partitions[0].active_producers.remove(0)
    };
    let open = described(&mut client);
    assert_eq!((open.producer_id, open.last_sequence), (producer.0, 1));
    assert_eq!(
        (open.current_txn_start_offset, open.coordinator_epoch),
        (1, -1)
    );
    end(&mut client, producer, false);
    let ended = described(&mut client);
    assert_eq!(
        (ended.current_txn_start_offset, ended.coordinator_epoch),
        (-1, 0)
    );
}

#[test]
fn clients_that_know_no_batches_get_records_and_no_markers() {
    let (_broker, mut client) = start();
    let producer = client.new_producer();
    write_batch(&mut client, &in_transaction(producer, 0, &["a"]));
    end(&mut client, producer, true);
    client.write("t", 0, &["plain"]);
    let request = fetch_request("t", vec![fetch_partition(0, 0)]);
    let old = only_partition(client.call(3, &request));
    let set = data_of(&old);
    // Two messages of format 1: their offsets begin them, and the markers' is not among them.
    let first = i64::from_be_bytes(set[..8].try_into().unwrap());
    let length = i32::from_be_bytes(set[8..12].try_into().unwrap()) as usize;
    let second = i64::from_be_bytes(set[12 + length..20 + length].try_into().unwrap());
    assert_eq!((first, second), (0, 2));
}
