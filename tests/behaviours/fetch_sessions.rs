//! Fetch sessions (KIP-227): who asks again names only what has changed, and is told only what is new.
//!
//! Setup: a topic of three partitions with a record each. Expectation: as Kafka; an answer with session id 0, which Kafka may give at any
//! time, is not what this broker gives with free slots.

use vltava::wire::ErrorCode;
use vltava::wire::messages::fetch::{FetchRequest, FetchResponse, FetchTopic, ForgottenTopic};

use crate::harness::broker::Broker;
use crate::harness::requests::{FETCH, fetch_partition, fetch_request};
use crate::harness::wire_client::WireClient;

fn start() -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 3);
    for partition in 0..3 {
        client.write("t", partition, &["a"]);
    }
    (broker, client)
}

/// A request for partitions from offsets, in a session.
fn in_session(id: i32, epoch: i32, wanted: &[(i32, i64)]) -> FetchRequest {
    let partitions = wanted
        .iter()
        .map(|(p, offset)| fetch_partition(*p, *offset))
        .collect();
    let mut request = fetch_request("t", partitions);
    if wanted.is_empty() {
        request.topics.clear();
    }
    (request.session_id, request.session_epoch) = (id, epoch);
    request
}

fn indexes(answer: &FetchResponse) -> Vec<i32> {
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    partitions
        .map(|partition| partition.partition_index)
        .collect()
}

/// A session over all three partitions, each at its end; everything has been told.
fn open(client: &mut WireClient) -> i32 {
    let all = [(0, 1), (1, 1), (2, 1)];
    let answer = client.call(FETCH, &in_session(0, 0, &all));
    assert_eq!(answer.error_code, ErrorCode::NONE);
    assert_eq!(
        indexes(&answer),
        [0, 1, 2],
        "the first answer has every partition"
    );
    assert!(answer.session_id > 0);
    answer.session_id
}

#[test]
fn a_fetch_without_a_session_gets_none() {
    let (_broker, mut client) = start();
    let answer = client.call(FETCH, &in_session(0, -1, &[(0, 0)]));
    assert_eq!(answer.session_id, 0);
    assert_eq!(indexes(&answer), [0]);
}

#[test]
fn only_partitions_with_news_are_told() {
    let (broker, mut client) = start();
    let id = open(&mut client);
    let answer = client.call(FETCH, &in_session(id, 1, &[]));
    assert_eq!(
        (answer.error_code, indexes(&answer)),
        (ErrorCode::NONE, vec![])
    );
    assert_eq!(answer.session_id, id);
    WireClient::connect(broker.port()).write("t", 1, &["news"]);
    let answer = client.call(FETCH, &in_session(id, 2, &[]));
    assert_eq!(indexes(&answer), [1]);
    let answer = client.call(FETCH, &in_session(id, 3, &[(1, 2)]));
    assert_eq!(
        indexes(&answer),
        [] as [i32; 0],
        "the client went on behind the news"
    );
}

#[test]
fn an_unknown_session_is_not_found() {
    let (_broker, mut client) = start();
    let answer = client.call(FETCH, &in_session(12345, 1, &[]));
    assert_eq!(answer.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    assert_eq!((answer.session_id, answer.responses.len()), (0, 0));
}

#[test]
fn epochs_of_a_session_come_one_after_the_other() {
    let (_broker, mut client) = start();
    let id = open(&mut client);
    for wrong in [2, 5] {
        let answer = client.call(FETCH, &in_session(id, wrong, &[]));
        assert_eq!(answer.error_code, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
    }
    let answer = client.call(FETCH, &in_session(id, 1, &[]));
    assert_eq!(
        answer.error_code,
        ErrorCode::NONE,
        "the session is still there"
    );
    let answer = client.call(FETCH, &in_session(id, 1, &[]));
    assert_eq!(answer.error_code, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
}

#[test]
fn a_session_that_is_closed_is_gone() {
    let (_broker, mut client) = start();
    let id = open(&mut client);
    let answer = client.call(FETCH, &in_session(id, -1, &[(0, 0)]));
    assert_eq!((answer.session_id, indexes(&answer)), (0, vec![0]));
    let answer = client.call(FETCH, &in_session(id, 1, &[]));
    assert_eq!(answer.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn a_session_can_be_made_anew_in_place_of_an_old_one() {
    let (_broker, mut client) = start();
    let old = open(&mut client);
    let answer = client.call(FETCH, &in_session(old, 0, &[(2, 0)]));
    assert_eq!(indexes(&answer), [2]);
    assert_ne!(answer.session_id, 0);
    let answer = client.call(FETCH, &in_session(answer.session_id, 1, &[]));
    assert_eq!(answer.error_code, ErrorCode::NONE);
    if answer.session_id != old {
        let answer = client.call(FETCH, &in_session(old, 1, &[]));
        assert_eq!(answer.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    }
}

#[test]
fn partitions_can_be_added_and_forgotten() {
    let (broker, mut client) = start();
    let answer = client.call(FETCH, &in_session(0, 0, &[(0, 1)]));
    let id = answer.session_id;
    let answer = client.call(FETCH, &in_session(id, 1, &[(2, 0)]));
    assert_eq!(indexes(&answer), [2]);
    let mut forget = in_session(id, 2, &[]);
    forget.forgotten_topics_data = vec![ForgottenTopic {
        topic: "t".into(),
        partitions: vec![2],
        ..ForgottenTopic::default()
    }];
    assert_eq!(indexes(&client.call(FETCH, &forget)), [] as [i32; 0]);
    let mut writer = WireClient::connect(broker.port());
    writer.write("t", 2, &["unseen"]);
    writer.write("t", 0, &["seen"]);
    let answer = client.call(FETCH, &in_session(id, 3, &[]));
    assert_eq!(indexes(&answer), [0]);
}

#[test]
fn an_error_is_told_every_time_and_so_is_its_end() {
    let (broker, mut client) = start();
    let answer = client.call(FETCH, &in_session(0, 0, &[(0, 2)]));
    let id = answer.session_id;
    for epoch in 1..3 {
        let answer = client.call(FETCH, &in_session(id, epoch, &[]));
        let told = &answer.responses[0].partitions[0];
        assert_eq!(told.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    WireClient::connect(broker.port()).write("t", 0, &["b"]);
    let answer = client.call(FETCH, &in_session(id, 3, &[]));
    let told = &answer.responses[0].partitions[0];
    assert_eq!((told.error_code, told.high_watermark), (ErrorCode::NONE, 2));
}

#[test]
fn partitions_with_data_go_to_the_end_of_the_line() {
    let (_broker, mut client) = start();
    let mut first = in_session(0, 0, &[(0, 0), (1, 0), (2, 0)]);
    first.max_bytes = 1;
    let answer = client.call(FETCH, &first);
    let with_data = |answer: &FetchResponse| -> Vec<i32> {
        let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let with_data = partitions.filter(|partition| !partition.records.is_empty());
        with_data
            .map(|partition| partition.partition_index)
            .collect()
    };
    assert_eq!(with_data(&answer), [0]);
    for (epoch, expected) in [(1, 1), (2, 2), (3, 0)] {
        let mut next = in_session(answer.session_id, epoch, &[]);
        next.max_bytes = 1;
        assert_eq!(with_data(&client.call(FETCH, &next)), [expected]);
    }
}

#[test]
fn names_and_ids_do_not_mix_in_a_session() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let topic_id = client.create_topic("t", 1);
    let by_name = client.call(12, &in_session(0, 0, &[(0, 0)]));
    let mut by_id = in_session(by_name.session_id, 1, &[]);
    by_id.topics = vec![FetchTopic {
        topic_id,
        partitions: vec![fetch_partition(0, 0)],
        ..FetchTopic::default()
    }];
    let answer = client.call(13, &by_id);
    assert_eq!(answer.error_code, ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
}

#[test]
fn sessions_that_are_never_used_again_do_not_use_the_slots_up() {
    let broker = Broker::start(&[("max.incremental.fetch.session.cache.slots", "20")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 3);
    for _ in 0..200 {
        let answer = client.call(FETCH, &in_session(0, 0, &[(0, 0)]));
        assert_eq!(answer.error_code, ErrorCode::NONE);
    }
    let answer = client.call(FETCH, &in_session(0, 0, &[(0, 0)]));
    assert_ne!(
        answer.session_id, 0,
        "a session that is asked for is still made"
    );
    let answer = client.call(FETCH, &in_session(answer.session_id, 1, &[]));
    assert_eq!(answer.error_code, ErrorCode::NONE);
}
