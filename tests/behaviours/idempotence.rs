//! Idempotent producers: sequence numbers, epochs, and the window of five batches.
//!
//! Setup: a producer id, batches with sequence numbers. Expectation: a gap is refused, a repeated batch is answered as it was the
//! first time and not written again, also after a restart.

use vltava::wire::ErrorCode;
use vltava::wire::messages::init_producer_id::InitProducerIdRequest;

use crate::harness::broker::Broker;
use crate::harness::requests::sequenced;
use crate::harness::wire_client::WireClient;

fn start() -> (Broker, WireClient, (i64, i16)) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    let producer = client.new_producer();
    (broker, client, producer)
}

/// Error and base offset of a batch of one record.
fn send(client: &mut WireClient, producer: (i64, i16), sequence: i32) -> (ErrorCode, i64) {
    let answer = client.produce("t", 0, &sequenced(producer, sequence, &["x"]));
    (answer.error_code, answer.base_offset)
}

#[test]
fn every_producer_gets_an_id_of_its_own_with_epoch_0() {
    let broker = Broker::start(&[]);
    let mut ids: Vec<i64> = (0..8)
        .map(|_| {
            let (id, epoch) = WireClient::connect(broker.port()).new_producer();
            assert_eq!(epoch, 0);
            id
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 8);
}

#[test]
fn no_producer_id_is_given_twice_over_a_crash() {
    let mut broker = Broker::start(&[]);
    let (before, _) = WireClient::connect(broker.port()).new_producer();
    broker.kill();
    broker.restart();
    for _ in 0..4 {
        let (after, _) = WireClient::connect(broker.port()).new_producer();
        assert!(after > before, "{after} after {before}");
    }
}

#[test]
fn every_version_of_init_producer_id_is_served() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    for version in 0..=5 {
        let answer = client.call(version, &InitProducerIdRequest::default());
        assert_eq!(answer.error_code, ErrorCode::NONE, "version {version}");
        assert!(answer.producer_id >= 0);
    }
}

#[test]
fn an_empty_transactional_id_is_an_invalid_request() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let request = InitProducerIdRequest {
        transactional_id: Some("".into()),
        transaction_timeout_ms: 1000,
        ..InitProducerIdRequest::default()
    };
    assert_eq!(
        client.call(4, &request).error_code,
        ErrorCode::INVALID_REQUEST
    );
}

#[test]
fn a_gap_in_the_sequence_is_refused() {
    let (_broker, mut client, producer) = start();
    assert_eq!(send(&mut client, producer, 0), (ErrorCode::NONE, 0));
    assert_eq!(
        send(&mut client, producer, 2),
        (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
    );
    assert_eq!(send(&mut client, producer, 1), (ErrorCode::NONE, 1));
}

#[test]
fn an_unknown_producer_may_start_anywhere() {
    let (_broker, mut client, producer) = start();
    assert_eq!(send(&mut client, producer, 4711), (ErrorCode::NONE, 0));
    assert_eq!(send(&mut client, producer, 4712), (ErrorCode::NONE, 1));
}

#[test]
fn each_of_the_last_five_batches_is_recognised_as_a_duplicate() {
    let (_broker, mut client, producer) = start();
    for sequence in 0..7 {
        assert_eq!(
            send(&mut client, producer, sequence),
            (ErrorCode::NONE, sequence.into())
        );
    }
    for sequence in 2..7 {
        assert_eq!(
            send(&mut client, producer, sequence),
            (ErrorCode::NONE, sequence.into())
        );
    }
    for sequence in 0..2 {
        assert_eq!(
            send(&mut client, producer, sequence),
            (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
        );
    }
    assert_eq!(client.read_all("t", 0).len(), 7);
}

#[test]
fn a_batch_that_only_overlaps_an_old_one_is_no_duplicate() {
    let (_broker, mut client, producer) = start();
    let three = sequenced(producer, 0, &["a", "b", "c"]);
    client.write_batch("t", 0, &three);
    let part = client.produce("t", 0, &sequenced(producer, 1, &["b", "c"]));
    assert_eq!(part.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
}

#[test]
fn an_older_epoch_is_fenced_and_a_newer_one_starts_at_0() {
    let (_broker, mut client, (id, epoch)) = start();
    assert_eq!(send(&mut client, (id, epoch + 1), 0), (ErrorCode::NONE, 0));
    assert_eq!(
        send(&mut client, (id, epoch), 1),
        (ErrorCode::INVALID_PRODUCER_EPOCH, -1)
    );
    let newer = (id, epoch + 2);
    assert_eq!(
        send(&mut client, newer, 1),
        (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
    );
    assert_eq!(send(&mut client, newer, 0), (ErrorCode::NONE, 1));
}

#[test]
fn the_sequence_goes_on_at_0_after_its_largest_number() {
    let (_broker, mut client, producer) = start();
    assert_eq!(
        send(&mut client, producer, i32::MAX - 1),
        (ErrorCode::NONE, 0)
    );
    let over_the_edge = sequenced(producer, i32::MAX, &["max", "0"]);
    assert_eq!(client.write_batch("t", 0, &over_the_edge), 1);
    assert_eq!(send(&mut client, producer, 1), (ErrorCode::NONE, 3));
    assert_eq!(client.write_batch("t", 0, &over_the_edge), 1, "a duplicate");
    assert_eq!(client.read_all("t", 0).len(), 4);
}

#[test]
fn a_producer_without_a_sequence_is_invalid() {
    let (_broker, mut client, producer) = start();
    assert_eq!(
        send(&mut client, producer, -1),
        (ErrorCode::INVALID_RECORD, -1)
    );
}

#[test]
fn producers_are_remembered_over_a_clean_stop_and_over_a_crash() {
    let (mut broker, mut client, producer) = start();
    for sequence in 0..6 {
        send(&mut client, producer, sequence);
    }
    for crash in [false, true] {
        if crash {
            broker.kill();
        } else {
            assert!(broker.stop().success());
        }
        broker.restart();
        let mut client = WireClient::connect(broker.port());
        // A snapshot, in Kafka's format, has the last batch of each producer.
        let last = if crash { 6 } else { 5 };
        assert_eq!(
            send(&mut client, producer, last),
            (ErrorCode::NONE, last.into()),
            "a duplicate"
        );
        assert_eq!(
            send(&mut client, producer, 9),
            (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
        );
        assert_eq!(
            send(&mut client, producer, last + 1),
            (ErrorCode::NONE, i64::from(last) + 1)
        );
    }
}
