//! Connections: order of answers, acks=0, names of clients, tagged fields, idleness.
//!
//! Setup: one or two connections to a broker. Expectation: answers in the order of the requests whatever each takes, and a connection
//! is closed where that is how Kafka says no.

use std::time::Duration;

use vltava::wire::messages::api_versions::ApiVersionsRequest;
use vltava::wire::messages::fetch::FetchRequest;
use vltava::wire::messages::metadata::MetadataRequest;
use vltava::wire::messages::produce::ProduceRequest;
use vltava::wire::{ApiKey, ErrorCode, Text};

use crate::harness::batches::{batch, values_of, with_bad_crc};
use crate::harness::broker::Broker;
use crate::harness::requests::{
    ALL, FETCH, PRODUCE, data_of, fetch_partition, fetch_request, only_partition, produce_request,
};
use crate::harness::wire_client::{WireClient, frame, request_header, wait_until};

fn who(name: &str, version: &str) -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: name.into(),
        client_software_version: version.into(),
    }
}

#[test]
fn every_version_of_api_versions_gives_the_same_table() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let first = client.call(0, &ApiVersionsRequest::default());
    for version in 1..=4 {
        let answer = client.call(version, &who("test", "1.0"));
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert_eq!(answer.api_keys, first.api_keys, "version {version}");
    }
    let produce = first.api_keys.iter().find(|row| row.api_key == 0);
    let produce = produce.expect("Produce is served");
    assert_eq!((produce.min_version, produce.max_version), (0, 13));
}

#[test]
fn names_of_client_software_must_be_plain_words() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    for (name, version) in [("", "1"), ("a b", "1"), ("-a", "1"), ("a", "1."), ("a", "")] {
        let answer = client.call(3, &who(name, version));
        assert_eq!(
            answer.error_code,
            ErrorCode::INVALID_REQUEST,
            "{name:?} {version:?}"
        );
    }
    let answer = client.call(4, &who("apache-kafka-java", "4.0.0"));
    assert_eq!(answer.error_code, ErrorCode::NONE);
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("ordered", 4);
    let mut sent = Vec::new();
    for round in 0..25 {
        let request = produce_request("ordered", round % 4, ALL, &batch(&["x"]));
        sent.push(client.send(PRODUCE, &request));
        sent.push(client.send(12, &MetadataRequest::default()));
        let mut fetch = fetch_request("ordered", vec![fetch_partition(round % 4, 0)]);
        fetch.max_wait_ms = 10;
        sent.push(client.send(FETCH, &fetch));
    }
    for ids in sent.chunks_exact(3) {
        assert_eq!(client.receive::<ProduceRequest>(PRODUCE).0, ids[0]);
        assert_eq!(client.receive::<MetadataRequest>(12).0, ids[1]);
        assert_eq!(client.receive::<FetchRequest>(FETCH).0, ids[2]);
    }
}

#[test]
fn a_request_behind_a_long_poll_waits_for_its_answer() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("polled", 1);
    let mut poll = fetch_request("polled", vec![fetch_partition(0, 0)]);
    poll.max_wait_ms = 10_000;
    client.send(FETCH, &poll);
    client.send(0, &ApiVersionsRequest::default());
    client.assert_silent(Duration::from_millis(300));
    WireClient::connect(broker.port()).write("polled", 0, &["woken"]);
    let (_, polled) = client.receive::<FetchRequest>(FETCH);
    assert_eq!(values_of(&data_of(&only_partition(polled))), ["woken"]);
    client.receive::<ApiVersionsRequest>(0);
}

#[test]
fn produce_with_acks_0_is_never_answered() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("unanswered", 1);
    client.send(
        PRODUCE,
        &produce_request("unanswered", 0, 0, &batch(&["a"])),
    );
    client.assert_silent(Duration::from_millis(300));
    client.assert_serves();
    assert_eq!(client.read_all("unanswered", 0), [(0, "a".to_owned())]);
}

#[test]
fn an_error_of_produce_with_acks_0_closes_the_connection() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("unanswered", 1);
    let bad = with_bad_crc(&batch(&["a"]), 20, &[0xff]);
    client.send(PRODUCE, &produce_request("unanswered", 0, 0, &bad));
    client.assert_closed("a corrupt batch with acks=0");
    let mut client = WireClient::connect(broker.port());
    client.send(
        PRODUCE,
        &produce_request("no-such-topic", 0, 0, &batch(&["a"])),
    );
    client.assert_closed("an unknown topic with acks=0");
}

#[test]
fn unknown_tagged_fields_are_ignored() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    // Header: one tagged field, 99, of two bytes. Body: null topics, two flags, and field 77 of one byte.
    let mut request = request_header(ApiKey::Metadata as i16, 12);
    request.extend_from_slice(&[1, 99, 2, 0xaa, 0xbb]);
    request.extend_from_slice(&[0, 0, 0, 1, 77, 1, 0xcc]);
    client.send_bytes(&frame(&request));
    let (id, answer) = client.receive::<MetadataRequest>(12);
    assert_eq!((id, answer.brokers.len()), (7, 1));
    client.assert_serves();
}

#[test]
fn a_tagged_field_longer_than_the_frame_closes_the_connection() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let mut request = request_header(ApiKey::Metadata as i16, 12);
    request.extend_from_slice(&[1, 99, 100, 0xaa]);
    client.send_bytes(&frame(&request));
    client.assert_closed("a tagged field that goes on behind the frame");
    let mut client = WireClient::connect(broker.port());
    let mut request = request_header(ApiKey::Metadata as i16, 12);
    request.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    client.send_bytes(&frame(&request));
    client.assert_closed("a number of more than 32 bits");
}

#[test]
fn idle_connections_are_closed() {
    let broker = Broker::start(&[("connections.max.idle.ms", "1000")]);
    let mut idle = WireClient::connect(broker.port());
    idle.assert_serves();
    let mut silent = WireClient::connect(broker.port());
    idle.assert_closed("nothing was asked for a second");
    silent.assert_closed("nothing was ever asked");
    WireClient::connect(broker.port()).assert_serves();
}

#[test]
fn a_client_that_asks_after_each_refusal_at_once_keeps_being_answered() {
    let broker = Broker::start(&[]);
    for _ in 0..500 {
        let mut client = WireClient::connect(broker.port());
        client.send_bytes(&frame(&request_header(ApiKey::Produce as i16, 2)));
        client.assert_closed("Produce 2 is not served");
    }
    WireClient::connect(broker.port()).assert_serves();
    let lines = broker.log().lines().count();
    assert!(lines < 100, "{lines} lines for 500 refusals");
}

#[test]
fn a_consumer_that_leaves_in_the_middle_of_a_long_poll_is_forgotten() {
    let broker = Broker::start(&[]);
    let open = || {
        let list = std::fs::read_dir(format!("/proc/{}/fd", broker.pid()));
        list.expect("a running process").count()
    };
    let mut client = WireClient::connect(broker.port());
    client.create_topic("polled", 1);
    let before = open();
    let mut poll = fetch_request("polled", vec![fetch_partition(0, 0)]);
    poll.max_wait_ms = 300_000;
    let polls: Vec<WireClient> = (0..20)
        .map(|_| {
            let mut client = WireClient::connect(broker.port());
            client.send(FETCH, &poll);
            client
        })
        .collect();
    wait_until("twenty connections", || open() >= before + 20);
    drop(polls);
    wait_until("the end of twenty connections", || open() <= before);
}

#[test]
fn the_name_of_a_client_may_be_null_or_empty() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.send_bytes(&frame(&request_header(ApiKey::ApiVersions as i16, 0)));
    client.receive::<ApiVersionsRequest>(0);
    let mut request = request_header(ApiKey::ApiVersions as i16, 0);
    let at = request.len() - 2;
    request[at..].copy_from_slice(&[0, 0]);
    client.send_bytes(&frame(&request));
    client.receive::<ApiVersionsRequest>(0);
    assert_eq!(Text::EMPTY, "");
}
