//! CreateTopics and DeleteTopics: each topic's outcome, and that a new topic never shows an old one's records.
//!
//! Setup: requests for good and impossible topics. Expectation: Kafka's codes and words; what is answered as created can be used at once,
//! also after a crash.

use vltava::wire::ErrorCode;
use vltava::wire::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreateTopicsRequest,
};
use vltava::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use vltava::wire::messages::fetch::FetchRequest;
use vltava::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};

use crate::harness::broker::Broker;
use crate::harness::requests::{
    CREATE_TOPICS, DELETE_TOPICS, FETCH, fetch_partition, fetch_request, new_topic, only_partition,
};
use crate::harness::wire_client::WireClient;

fn start() -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let client = WireClient::connect(broker.port());
    (broker, client)
}

/// The node that a topic may be assigned to.
fn node(client: &mut WireClient) -> i32 {
    client.call(1, &MetadataRequest::default()).brokers[0].node_id
}

#[test]
fn every_version_of_create_topics_makes_a_topic_that_is_usable_at_once() {
    let (_broker, mut client) = start();
    for version in 0..=CREATE_TOPICS {
        let name = format!("t{version}");
        let request = CreateTopicsRequest {
            topics: vec![new_topic(&name, 4, &[])],
            ..CreateTopicsRequest::default()
        };
        let answer = client.call(version, &request);
        let result = &answer.topics[0];
        assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
        if version >= 5 {
            assert_eq!((result.num_partitions, result.replication_factor), (4, 1));
            assert!(!result.configs.as_ref().expect("its settings").is_empty());
        }
        if version >= 7 {
            assert!(!result.topic_id.is_nil());
        }
        for partition in 0..4 {
            client.write(&name, partition, &["at once"]);
        }
    }
}

#[test]
fn numbers_of_minus_one_are_left_to_the_broker() {
    let broker = Broker::start(&[("num.partitions", "5")]);
    let mut client = WireClient::connect(broker.port());
    let mut topic = new_topic("t", -1, &[]);
    topic.replication_factor = -1;
    let result = client.try_create(topic);
    assert_eq!(result.error_code, ErrorCode::NONE);
    assert_eq!((result.num_partitions, result.replication_factor), (5, 1));
}

#[test]
fn validating_makes_every_check_and_nothing_else() {
    let (_broker, mut client) = start();
    let mut request = CreateTopicsRequest {
        topics: vec![new_topic("good", 1, &[]), new_topic("bad", 0, &[])],
        validate_only: true,
        ..CreateTopicsRequest::default()
    };
    let answer = client.call(CREATE_TOPICS, &request);
    let codes: Vec<_> = answer.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::INVALID_PARTITIONS]);
    let missing = client.fetch("good", 0, 0).error_code;
    assert_eq!(missing, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    request.validate_only = false;
    let answer = client.call(CREATE_TOPICS, &request);
    assert_eq!(answer.topics[0].error_code, ErrorCode::NONE);
}

#[test]
fn impossible_topics_are_refused_with_kafkas_codes() {
    let (_broker, mut client) = start();
    client.create_topic("taken.name", 1);
    let with_factor = |factor| CreatableTopic {
        replication_factor: factor,
        ..new_topic("x", 1, &[])
    };
    for (topic, expected) in [
        (
            new_topic("taken.name", 1, &[]),
            ErrorCode::TOPIC_ALREADY_EXISTS,
        ),
        (
            new_topic("taken_name", 1, &[]),
            ErrorCode::INVALID_TOPIC_EXCEPTION,
        ),
        (new_topic("a b", 1, &[]), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (new_topic("", 1, &[]), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (new_topic("..", 1, &[]), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (new_topic("x", 0, &[]), ErrorCode::INVALID_PARTITIONS),
        (new_topic("x", -2, &[]), ErrorCode::INVALID_PARTITIONS),
        (with_factor(2), ErrorCode::INVALID_REPLICATION_FACTOR),
        (with_factor(0), ErrorCode::INVALID_REPLICATION_FACTOR),
        (
            new_topic("x", 1, &[("no.such.setting", "1")]),
            ErrorCode::INVALID_CONFIG,
        ),
        (
            new_topic("x", 1, &[("retention.ms", "soon")]),
            ErrorCode::INVALID_CONFIG,
        ),
    ] {
        let what = format!("{topic:?}");
        let result = client.try_create(topic);
        assert_eq!(result.error_code, expected, "{what}");
        assert!(result.error_message.is_some_and(|words| !words.is_empty()));
    }
}

#[test]
fn a_replication_factor_that_cannot_be_is_refused_in_kafkas_words() {
    let (_broker, mut client) = start();
    let topic = CreatableTopic {
        replication_factor: 30,
        ..new_topic("x", 1, &[])
    };
    let words = client.try_create(topic).error_message.expect("words");
    assert!(
        words.contains("Unable to replicate the partition 30 time(s)")
            && words.contains("only 1 broker(s) are registered"),
        "{words}"
    );
}

#[test]
fn an_assignment_goes_with_no_numbers() {
    let (_broker, mut client) = start();
    let node = node(&mut client);
    let assigned = |name: &str, nodes: &[i32]| CreatableTopic {
        num_partitions: -1,
        replication_factor: -1,
        assignments: (0..2)
            .map(|partition_index| CreatableReplicaAssignment {
                partition_index,
                broker_ids: nodes.to_vec(),
            })
            .collect(),
        ..new_topic(name, -1, &[])
    };
    let result = client.try_create(assigned("good", &[node]));
    assert_eq!(
        (result.error_code, result.num_partitions),
        (ErrorCode::NONE, 2)
    );
    let both = CreatableTopic {
        num_partitions: 2,
        ..assigned("both", &[node])
    };
    assert_eq!(
        client.try_create(both).error_code,
        ErrorCode::INVALID_REQUEST
    );
    let stranger = client.try_create(assigned("stranger", &[node + 1]));
    assert_eq!(stranger.error_code, ErrorCode::INVALID_REPLICA_ASSIGNMENT);
}

#[test]
fn a_name_that_is_given_twice_is_refused() {
    let (_broker, mut client) = start();
    let request = CreateTopicsRequest {
        topics: vec![
            new_topic("twice", 1, &[]),
            new_topic("twice", 2, &[]),
            new_topic("once", 1, &[]),
        ],
        ..CreateTopicsRequest::default()
    };
    let answer = client.call(CREATE_TOPICS, &request);
    for topic in &answer.topics {
        let expected = match &*topic.name {
            "once" => ErrorCode::NONE,
            _ => ErrorCode::INVALID_REQUEST,
        };
        assert_eq!(topic.error_code, expected, "{topic:?}");
    }
    assert!(answer.topics.iter().any(|topic| topic.name == "twice"));
}

#[test]
fn a_deleted_topic_is_gone_at_once() {
    let (_broker, mut client) = start();
    for version in 0..=DELETE_TOPICS {
        client.create_topic("t", 2);
        client.write("t", 1, &["old"]);
        let request = DeleteTopicsRequest {
            topics: vec![DeleteTopicState {
                name: Some("t".into()),
                ..DeleteTopicState::default()
            }],
            topic_names: vec!["t".into()],
            timeout_ms: 10_000,
        };
        let answer = client.call(version, &request);
        assert_eq!(
            answer.responses[0].error_code,
            ErrorCode::NONE,
            "version {version}"
        );
        let gone = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        assert_eq!(client.fetch("t", 1, 0).error_code, gone);
        assert_eq!(client.delete_topic("t"), gone);
    }
}

#[test]
fn topics_are_deleted_by_id() {
    let (_broker, mut client) = start();
    let id = client.create_topic("t", 1);
    let request = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            topic_id: id,
            name: None,
        }],
        timeout_ms: 10_000,
        ..DeleteTopicsRequest::default()
    };
    let answer = client.call(DELETE_TOPICS, &request);
    assert_eq!(answer.responses[0].error_code, ErrorCode::NONE);
    assert_eq!(answer.responses[0].name.as_deref(), Some("t"));
    let answer = client.call(DELETE_TOPICS, &request);
    assert_eq!(answer.responses[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn deletion_can_be_switched_off() {
    let broker = Broker::start(&[("delete.topic.enable", "false")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("kept", 1);
    assert_eq!(
        client.delete_topic("kept"),
        ErrorCode::TOPIC_DELETION_DISABLED
    );
    client.write("kept", 0, &["still there"]);
}

#[test]
fn a_recreated_topic_has_a_new_id_and_none_of_the_old_records() {
    let (mut broker, mut client) = start();
    let old = client.create_topic("t", 1);
    client.write("t", 0, &["old", "records"]);
    assert_eq!(client.delete_topic("t"), ErrorCode::NONE);
    let new = client.create_topic("t", 1);
    assert_ne!(old, new);
    assert_eq!(client.read_all("t", 0), []);
    assert_eq!(client.write("t", 0, &["new"]), 0);

    let mut by_old_id = fetch_request("", vec![fetch_partition(0, 0)]);
    by_old_id.topics[0].topic_id = old;
    let answer = only_partition(client.call(13, &by_old_id));
    assert_eq!(answer.error_code, ErrorCode::UNKNOWN_TOPIC_ID);

    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    assert_eq!(client.read_all("t", 0), [(0, "new".to_owned())]);
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some("t".into()),
            ..MetadataRequestTopic::default()
        }]),
        ..MetadataRequest::default()
    };
    assert_eq!(client.call(12, &request).topics[0].topic_id, new);
}

#[test]
fn a_fetch_that_waits_when_its_topic_is_deleted_is_told() {
    let (broker, mut client) = start();
    client.create_topic("t", 1);
    let mut poll = fetch_request("t", vec![fetch_partition(0, 0)]);
    poll.max_wait_ms = 15_000;
    let mut waiting = WireClient::connect(broker.port());
    waiting.send(FETCH, &poll);
    waiting.assert_silent(std::time::Duration::from_millis(200));
    assert_eq!(client.delete_topic("t"), ErrorCode::NONE);
    let began = std::time::Instant::now();
    let (_, answer) = waiting.receive::<FetchRequest>(FETCH);
    assert!(
        began.elapsed() < std::time::Duration::from_secs(5),
        "it is told at once"
    );
    let error = only_partition(answer).error_code;
    assert_eq!(error, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[test]
fn topics_and_their_settings_survive_a_crash() {
    let (mut broker, mut client) = start();
    let ids: Vec<_> = (0..10)
        .map(|number| {
            client.create_topic_with(&format!("t{number}"), 3, &[("max.message.bytes", "5000")])
        })
        .collect();
    assert_eq!(client.delete_topic("t3"), ErrorCode::NONE);
    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    let request = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let answer = client.call(12, &request);
    assert_eq!(answer.topics.len(), 9);
    for topic in answer.topics {
        assert!(ids.contains(&topic.topic_id));
        assert_eq!(topic.partitions.len(), 3);
        let name = topic.name.expect("a name");
        let large = crate::harness::batches::batch_of_bytes(6000);
        let refused = client.produce(&name, 0, &large).error_code;
        assert_eq!(refused, ErrorCode::MESSAGE_TOO_LARGE);
    }
}
