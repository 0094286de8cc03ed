//! Metadata and its relatives: who is asked for, what is created on the way, what a client is told of the broker.
//!
//! Setup: a broker with or without topics and automatic creation. Expectation: Kafka's answers in every version.

use uuid::Uuid;
use vltava::wire::ErrorCode;
use vltava::wire::messages::describe_cluster::DescribeClusterRequest;
use vltava::wire::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use vltava::wire::messages::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, TopicRequest,
};
use vltava::wire::messages::find_coordinator::FindCoordinatorRequest;
use vltava::wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseTopic,
};

use crate::harness::broker::Broker;
use crate::harness::wire_client::WireClient;

const NEWEST: i16 = 13;

fn named(names: &[&str]) -> MetadataRequest {
    let topic = |name: &&str| MetadataRequestTopic {
        name: Some((*name).into()),
        ..MetadataRequestTopic::default()
    };
    MetadataRequest {
        topics: Some(names.iter().map(topic).collect()),
        ..MetadataRequest::default()
    }
}

fn all() -> MetadataRequest {
    MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    }
}

fn names(answer: &MetadataResponse) -> Vec<String> {
    let mut names: Vec<String> = answer
        .topics
        .iter()
        .map(|topic| topic.name.as_ref().expect("a name").to_string())
        .collect();
    names.sort();
    names
}

fn only(answer: MetadataResponse) -> MetadataResponseTopic {
    let mut topics = answer.topics;
    assert_eq!(topics.len(), 1);
    topics.remove(0)
}

#[test]
fn an_empty_list_asks_for_all_in_version_0_and_for_none_later() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("a", 1);
    client.create_topic("b", 2);
    assert_eq!(names(&client.call(0, &named(&[]))), ["a", "b"]);
    for version in 1..=NEWEST {
        assert_eq!(names(&client.call(version, &named(&[]))), [] as [&str; 0]);
        assert_eq!(names(&client.call(version, &all())), ["a", "b"]);
        assert_eq!(names(&client.call(version, &named(&["b"]))), ["b"]);
    }
}

#[test]
fn the_broker_is_named_as_the_client_reached_it() {
    let listeners = "PLAINTEXT://127.0.0.1:0,SECOND://127.0.0.1:0";
    let properties = [
        ("listeners", listeners),
        (
            "advertised.listeners",
            "PLAINTEXT://first.example:1111,SECOND://second.example:2222",
        ),
        (
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,SECOND:PLAINTEXT",
        ),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    let mut arguments = vec!["--data-dir".to_owned(), dir.path().display().to_string()];
    for (name, value) in properties {
        arguments.extend(["--override".to_owned(), format!("{name}={value}")]);
    }
    let mut broker = crate::harness::serve::Serve::spawn(&arguments, &[]);
    let ready = broker.ready();
    for (listener, expected) in [
        ("PLAINTEXT", ("first.example", 1111)),
        ("SECOND", ("second.example", 2222)),
    ] {
        let (_, rest) = ready
            .split_once(&format!("{listener}://127.0.0.1:"))
            .unwrap_or_else(|| panic!("no {listener} in {ready:?}"));
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let mut client = WireClient::connect(digits.parse().expect("a port"));
        let answer = client.call(NEWEST, &named(&[]));
        assert_eq!((&*answer.brokers[0].host, answer.brokers[0].port), expected);
        let answer = client.call(1, &DescribeClusterRequest::default());
        assert_eq!((&*answer.brokers[0].host, answer.brokers[0].port), expected);
    }
}

#[test]
fn the_cluster_has_an_id_that_lasts() {
    let mut broker = Broker::start(&[]);
    let id = |broker: &Broker| {
        let answer = WireClient::connect(broker.port()).call(NEWEST, &named(&[]));
        assert_eq!(answer.controller_id, answer.brokers[0].node_id);
        answer.cluster_id.expect("a cluster id").to_string()
    };
    let before = id(&broker);
    assert!(!before.is_empty());
    assert!(broker.stop().success());
    broker.restart();
    assert_eq!(id(&broker), before);
    let described = WireClient::connect(broker.port()).call(0, &DescribeClusterRequest::default());
    assert_eq!(described.cluster_id, before.as_str());
}

#[test]
fn an_automatic_creation_is_answered_with_an_error_first_and_then_with_the_topic() {
    let broker = Broker::start(&[("num.partitions", "3")]);
    let mut client = WireClient::connect(broker.port());
    for version in 0..=NEWEST {
        let name = format!("auto-{version}");
        let first = only(client.call(version, &named(&[&name])));
        assert!(
            [
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                ErrorCode::LEADER_NOT_AVAILABLE
            ]
            .contains(&first.error_code),
            "{first:?}"
        );
        let then = only(client.call(version, &named(&[&name])));
        assert_eq!(then.error_code, ErrorCode::NONE);
        assert_eq!(then.partitions.len(), 3, "num.partitions");
        client.write(&name, 2, &["usable at once"]);
    }
}

#[test]
fn nothing_is_created_unless_broker_and_request_agree() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let mut request = named(&["unwanted"]);
    request.allow_auto_topic_creation = false;
    for _ in 0..2 {
        let answer = only(client.call(NEWEST, &request));
        assert_eq!(answer.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    client.call(NEWEST, &all());
    assert_eq!(names(&client.call(NEWEST, &all())), [] as [&str; 0]);

    let broker = Broker::start(&[("auto.create.topics.enable", "false")]);
    let mut client = WireClient::connect(broker.port());
    for _ in 0..2 {
        let answer = only(client.call(NEWEST, &named(&["unwanted"])));
        assert_eq!(answer.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
}

#[test]
fn a_name_that_cannot_be_is_invalid_and_not_created() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let long = "x".repeat(250);
    for name in ["a b", "a/b", ".", "..", "č", &long] {
        for _ in 0..2 {
            let answer = only(client.call(NEWEST, &named(&[name])));
            assert_eq!(
                answer.error_code,
                ErrorCode::INVALID_TOPIC_EXCEPTION,
                "{name}"
            );
        }
    }
    assert_eq!(names(&client.call(NEWEST, &all())), [] as [&str; 0]);
}

#[test]
fn topics_are_found_by_id_from_version_12_on() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let id = client.create_topic("t", 1);
    let by_id = |topic_id| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            topic_id,
            name: None,
        }]),
        ..MetadataRequest::default()
    };
    for version in 12..=NEWEST {
        let found = only(client.call(version, &by_id(id)));
        assert_eq!((found.error_code, found.topic_id), (ErrorCode::NONE, id));
        assert_eq!(found.name.as_deref(), Some("t"));
        let unknown = Uuid::from_u128(7);
        let missing = only(client.call(version, &by_id(unknown)));
        assert_eq!(missing.error_code, ErrorCode::UNKNOWN_TOPIC_ID);
        assert_eq!((missing.topic_id, missing.name), (unknown, None));
    }
}

#[test]
fn authorized_operations_are_told_only_when_asked_for() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    let answer = client.call(8, &named(&["t"]));
    assert_eq!(answer.cluster_authorized_operations, i32::MIN);
    assert_eq!(only(answer).topic_authorized_operations, i32::MIN);
    let mut asking = named(&["t"]);
    asking.include_cluster_authorized_operations = true;
    asking.include_topic_authorized_operations = true;
    let answer = client.call(8, &asking);
    assert!(answer.cluster_authorized_operations > 0);
    assert!(only(answer).topic_authorized_operations > 0);
}

#[test]
fn partitions_are_led_by_the_broker_itself() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 5);
    let answer = client.call(NEWEST, &named(&["t"]));
    let node = answer.brokers[0].node_id;
    let topic = only(answer);
    assert!(!topic.is_internal);
    let indexes: Vec<i32> = topic.partitions.iter().map(|p| p.partition_index).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4]);
    for partition in topic.partitions {
        assert_eq!((partition.leader_id, partition.leader_epoch), (node, 0));
        assert_eq!(
            (partition.replica_nodes, partition.isr_nodes),
            (vec![node], vec![node])
        );
        assert!(partition.offline_replicas.is_empty());
    }
}

#[test]
fn partitions_are_described_in_pages() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    for name in ["a", "b", "c"] {
        client.create_topic(name, 3);
    }
    let topic = |name: &str| TopicRequest { name: name.into() };
    let mut request = DescribeTopicPartitionsRequest {
        topics: ["c", "a", "b", "unknown"].map(topic).into(),
        response_partition_limit: 4,
        cursor: None,
    };
    let mut seen = Vec::new();
    loop {
        let answer = client.call(0, &request);
        for topic in &answer.topics {
            let name = topic.name.as_deref().expect("a name").to_owned();
            if topic.error_code != ErrorCode::NONE {
                assert_eq!(topic.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
                seen.push((name.clone(), -1));
            }
            let indexes = topic.partitions.iter().map(|p| p.partition_index);
            seen.extend(indexes.map(|index| (name.clone(), index)));
        }
        match answer.next_cursor {
            Some(next) => {
                request.cursor = Some(vltava::wire::messages::describe_topic_partitions::Cursor {
                    topic_name: next.topic_name,
                    partition_index: next.partition_index,
                });
            }
            None => break,
        }
    }
    let each = |name: &str| {
        (0..3)
            .map(|index| (name.to_owned(), index))
            .collect::<Vec<_>>()
    };
    let mut expected = [each("a"), each("b"), each("c")].concat();
    expected.push(("unknown".to_owned(), -1));
    assert_eq!(seen, expected);
}

#[test]
fn a_cursor_outside_of_what_is_asked_for_is_refused() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("a", 1);
    let ask = |topic_name: &str, partition_index| DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest { name: "a".into() }],
        response_partition_limit: 4,
        cursor: Some(vltava::wire::messages::describe_topic_partitions::Cursor {
            topic_name: topic_name.into(),
            partition_index,
        }),
    };
    for impossible in [ask("b", 0), ask("a", -1)] {
        let answer = client.call(0, &impossible);
        let [topic] = answer.topics.as_slice() else {
            panic!("the topic asked for: {answer:?}");
        };
        assert_eq!(topic.error_code, ErrorCode::INVALID_REQUEST);
        assert_eq!(topic.name.as_deref(), Some("a"));
        assert_eq!(topic.partitions, []);
    }
    // Behind the last partition nothing is left, which is no fault.
    let answer = client.call(0, &ask("a", 7));
    assert_eq!(answer.topics[0].error_code, ErrorCode::NONE);
    assert_eq!(answer.topics[0].partitions, []);
    assert_eq!(answer.next_cursor, None);
}

#[test]
fn the_settings_of_a_topic_say_where_they_come_from() {
    let broker = Broker::start(&[("log.segment.bytes", "1048576")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic_with("t", 1, &[("retention.ms", "1234567")]);
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: 2,
            resource_name: "t".into(),
            configuration_keys: None,
        }],
        ..DescribeConfigsRequest::default()
    };
    for version in 1..=4 {
        let answer = client.call(version, &request);
        let configs = &answer.results[0].configs;
        let told = |name: &str| {
            let config = configs.iter().find(|config| config.name == name);
            let config = config.unwrap_or_else(|| panic!("no {name}"));
            let value = config.value.as_deref().expect("no secret").to_owned();
            (value, config.config_source)
        };
        assert_eq!(
            told("retention.ms"),
            ("1234567".to_owned(), 1),
            "the topic's own"
        );
        assert_eq!(
            told("segment.bytes"),
            ("1048576".to_owned(), 4),
            "the broker's"
        );
        assert_eq!(
            told("cleanup.policy"),
            ("delete".to_owned(), 5),
            "the default"
        );
    }
}

#[test]
fn the_settings_of_an_unknown_topic_are_not_there() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: 2,
            resource_name: "unknown".into(),
            configuration_keys: None,
        }],
        ..DescribeConfigsRequest::default()
    };
    let answer = client.call(4, &request);
    assert_eq!(
        answer.results[0].error_code,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
}

#[test]
fn transactions_are_coordinated_here() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    for version in 1..=6 {
        let request = FindCoordinatorRequest {
            key: "transaction".into(),
            key_type: 1,
            coordinator_keys: vec!["transaction".into()],
        };
        let answer = client.call(version, &request);
        let error = match answer.coordinators.first() {
            Some(coordinator) => coordinator.error_code,
            None => answer.error_code,
        };
        assert_eq!(error, ErrorCode::NONE, "version {version}");
    }
    let topics = client.call(
        12,
        &MetadataRequest {
            topics: Some(vec![MetadataRequestTopic {
                name: Some("__transaction_state".into()),
                ..MetadataRequestTopic::default()
            }]),
            ..MetadataRequest::default()
        },
    );
    let topic = &topics.topics[0];
    assert!(topic.is_internal);
    assert_eq!(topic.partitions.len(), 50);
}
