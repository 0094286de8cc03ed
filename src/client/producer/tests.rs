use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::client::scripted_broker::{Asked, Reaction, TOPIC, cluster_of, start};
use crate::wire::Records;
use crate::wire::messages::init_producer_id::InitProducerIdResponse;
use crate::wire::messages::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use crate::wire::records::{Scratch, batches};

/// A batch that the scripted broker has written: its first sequence, and its records' values.
type Written = (i32, Vec<String>);

/// What the broker says to the nth Produce (from 0), and whether it writes what is in it.
type Verdict = fn(usize) -> (bool, Result<ErrorCode, Reaction>);

/// A broker that judges Produce requests one after the other; what it has written of partition 0.
fn judging(verdict: Verdict) -> (String, Receiver<Written>) {
    let (write, written) = channel();
    let mut count = 0;
    let address = start(move |asked| {
        if asked.header.api_key == 22 {
            return asked.answer(&InitProducerIdResponse {
                producer_id: 5,
                producer_epoch: 0,
                ..Default::default()
            });
        }
        let Some(request) = asked.decode::<ProduceRequest>() else {
            return asked.ordinary_answer();
        };
        let (writes, says) = verdict(count);
        count += 1;
        if writes {
            // The test may have ended.
            let _ = write.send(contents(&request));
        }
        match says {
            Ok(code) => answer(asked, code),
            Err(reaction) => reaction,
        }
    });
    (address, written)
}

fn contents(request: &ProduceRequest) -> Written {
    let Records::Bytes(bytes) = &request.topic_data[0].partition_data[0].records else {
        panic!("no records")
    };
    let batch = batches(bytes.clone()).next().unwrap().unwrap();
    let records = batch.records(1 << 20, &mut Scratch::default()).unwrap();
    let value = |record: crate::wire::records::Record<'_>| {
        String::from_utf8(record.value.unwrap().to_vec()).unwrap()
    };
    (
        batch.header().base_sequence(),
        records
            .iter()
            .map(|record| value(record.unwrap()))
            .collect(),
    )
}

fn answer(asked: &Asked, error_code: ErrorCode) -> Reaction {
    let partition = PartitionProduceResponse {
        index: 0,
        error_code,
        ..Default::default()
    };
    let topic = TopicProduceResponse {
        name: TOPIC.into(),
        partition_responses: vec![partition],
        ..Default::default()
    };
    asked.answer(&ProduceResponse {
        responses: vec![topic],
        ..Default::default()
    })
}

/// Sends the values, each a batch of its own, to partition 0.
fn produce(address: String, values: &[&str], idempotent: bool) -> (Result<(), ClientError>, u64) {
    let options = ProducerOptions {
        batch_bytes: 1,
        idempotent,
        ..ProducerOptions::default()
    };
    let mut producer = Producer::open(cluster_of(address), TOPIC, options).unwrap();
    let sent = values.iter().try_for_each(|value| {
        let value = Some(value.as_bytes());
        producer.send(&OutgoingRecord {
            partition: Some(0),
            value,
            ..OutgoingRecord::default()
        })
    });
    (
        sent.and_then(|()| producer.finish()),
        producer.acknowledged_records(),
    )
}

const VALUES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

#[test]
fn what_a_broker_refuses_for_a_moment_is_sent_again_in_order() {
    let (address, written) = judging(|nth| match nth {
        1 => (false, Ok(ErrorCode::NOT_LEADER_OR_FOLLOWER)),
        // What was on its way behind it.
        2..=5 => (false, Ok(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)),
        6 => (false, Ok(ErrorCode::LEADER_NOT_AVAILABLE)),
        _ => (true, Ok(ErrorCode::NONE)),
    });
    let (done, acknowledged) = produce(address, &VALUES, true);
    done.unwrap();
    assert_eq!(acknowledged, 8);
    let written: Vec<Written> = written.try_iter().collect();
    let expected: Vec<Written> = (0..)
        .zip(VALUES)
        .map(|(sequence, value)| (sequence, vec![value.to_owned()]))
        .collect();
    assert_eq!(written, expected);
}

#[test]
fn a_batch_whose_answer_was_lost_is_sent_again_with_the_same_sequence() {
    let (address, written) = judging(|nth| match nth {
        0 => (true, Err(Reaction::Close)),
        1 => (true, Ok(ErrorCode::DUPLICATE_SEQUENCE_NUMBER)),
        _ => (true, Ok(ErrorCode::NONE)),
    });
    let (done, acknowledged) = produce(address, &["a"], true);
    done.unwrap();
    assert_eq!(acknowledged, 1);
    let copy = (0, vec!["a".to_owned()]);
    assert_eq!(written.try_iter().collect::<Vec<_>>(), [copy.clone(), copy]);
}

#[test]
fn a_refusal_for_good_is_told_and_what_was_acknowledged_counted() {
    let (address, _written) = judging(|nth| match nth {
        0 | 1 => (true, Ok(ErrorCode::NONE)),
        _ => (false, Ok(ErrorCode::INVALID_RECORD)),
    });
    let (done, acknowledged) = produce(address, &["a", "b", "c"], false);
    assert_eq!(done.unwrap_err().code(), Some(ErrorCode::INVALID_RECORD));
    assert_eq!(acknowledged, 2);
}

#[test]
fn patience_ends() {
    let (address, _written) = judging(|_| (false, Ok(ErrorCode::NOT_ENOUGH_REPLICAS)));
    let (done, acknowledged) = produce(address, &["a"], false);
    let error = done.unwrap_err();
    assert!(matches!(error, ClientError::GaveUp { .. }), "{error}");
    assert_eq!(
        (error.code(), acknowledged),
        (Some(ErrorCode::NOT_ENOUGH_REPLICAS), 0)
    );
}
