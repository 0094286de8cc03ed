//! Topics that are created, written once and deleted while the broker is killed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use vltava::wire::ErrorCode;
use vltava::wire::messages::create_topics::CreateTopicsRequest;
use vltava::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};

use super::connection::Connection;
use crate::harness::batches;
use crate::harness::requests::{
    ALL, CREATE_TOPICS, DELETE_TOPICS, PRODUCE, new_topic, produce_request,
};
use crate::harness::wire_client::WireClient;

/// What the broker has said of one topic.
pub struct ShortLived {
    name: String,
    created: bool,
    written: bool,
    deletion_tried: bool,
    deleted: bool,
}

/// Creates topics and deletes most of them again until told to stop.
pub fn come_and_go(topics: &mut Vec<ShortLived>, port: u16, stop: &AtomicBool) {
    let mut connection = Connection::to(port);
    while !stop.load(Ordering::SeqCst) {
        let number = topics.len();
        let mut topic = ShortLived {
            name: format!("short-lived-{number}"),
            created: false,
            written: false,
            deletion_tried: false,
            deleted: false,
        };
        live(&mut connection, &mut topic, !number.is_multiple_of(8));
        topics.push(topic);
        thread::sleep(Duration::from_millis(50));
    }
}

fn live(connection: &mut Connection, topic: &mut ShortLived, delete: bool) {
    let request = CreateTopicsRequest {
        topics: vec![new_topic(&topic.name, 2, &[])],
        timeout_ms: 10_000,
        ..CreateTopicsRequest::default()
    };
    let Some(answer) = connection.ask(CREATE_TOPICS, &request) else {
        return;
    };
    assert_eq!(answer.topics[0].error_code, ErrorCode::NONE, "{answer:?}");
    topic.created = true;
    let batch = batches::batch(&[&topic.name]);
    let request = produce_request(&topic.name, 1, ALL, &batch);
    let Some(answer) = connection.ask(PRODUCE, &request) else {
        return;
    };
    let answer = &answer.responses[0].partition_responses[0];
    assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
    topic.written = true;
    if !delete {
        return;
    }
    topic.deletion_tried = true;
    let request = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            name: Some(topic.name.as_str().into()),
            ..DeleteTopicState::default()
        }],
        timeout_ms: 10_000,
        ..DeleteTopicsRequest::default()
    };
    if let Some(answer) = connection.ask(DELETE_TOPICS, &request) {
        let code = answer.responses[0].error_code;
        assert_eq!(code, ErrorCode::NONE, "{answer:?}");
        topic.deleted = true;
    }
}

/// A created topic is there with its record until its deletion is asked for, and a deleted one never comes back.
pub fn check(topics: &[ShortLived], port: u16) {
    let mut client = WireClient::connect(port);
    for topic in topics {
        let name = &topic.name;
        let found = client.fetch(name, 1, 0);
        let there = found.error_code == ErrorCode::NONE;
        if topic.deleted {
            assert_eq!(
                found.error_code,
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                "{name} is back"
            );
        } else if topic.created && !topic.deletion_tried {
            assert!(there, "{name} is lost: {found:?}");
        }
        if there && topic.written {
            let read = client.read_all(name, 1);
            assert_eq!(read, [(0, name.clone())], "what lies in {name}");
        }
    }
}
