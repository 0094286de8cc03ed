//! Core listeners: unmodified clients talk to the core that owns a partition, and see one node a core.
//!
//! Setup: a broker of two cores with `core.listeners`, the real clients, and requests by hand. Expectation: all that names nodes agrees at every
//! address of such a listener; nothing that clients ask of partitions and groups crosses the mesh; the metadata knows the broker alone; and
//! whoever asks the wrong core is served all the same.

mod harness;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::Duration;

use harness::broker::Broker;
use harness::child;
use harness::clients::{Client, in_parallel};
use harness::driver::group_programs;
use harness::record::{Record, assert_same_records};
use harness::requests::new_topic;
use harness::serve::{Serve, refusal};
use harness::wire_client::WireClient;
use vltava::wire::ErrorCode;
use vltava::wire::messages::create_topics::CreatableReplicaAssignment;
use vltava::wire::messages::describe_cluster::DescribeClusterRequest;
use vltava::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResult,
};
use vltava::wire::messages::describe_log_dirs::DescribeLogDirsRequest;
use vltava::wire::messages::describe_quorum::{
    DescribeQuorumRequest, RequestedPartition, RequestedTopic,
};
use vltava::wire::messages::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, TopicRequest,
};
use vltava::wire::messages::find_coordinator::FindCoordinatorRequest;
use vltava::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use vltava::wire::messages::list_groups::ListGroupsRequest;
use vltava::wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponsePartition,
};

/// What both cores of node 1 are to clients.
const CORES: [i32; 2] = [2_000_001_000, 2_000_001_001];
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const DEADLINE: Duration = Duration::from_secs(180);

/// Each core takes a free port.
const CORE_LISTENERS: (&str, &str) = ("core.listeners", "PLAINTEXT://:0");

fn start(more: &[(&str, &str)]) -> Broker {
    let quick = ("group.initial.rebalance.delay.ms", "100");
    Broker::start(&[&[quick], more].concat())
}

fn metadata(client: &mut WireClient, topic: &str) -> MetadataResponse {
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some(topic.into()),
            ..MetadataRequestTopic::default()
        }]),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    client.call(12, &request)
}

fn partitions(client: &mut WireClient, topic: &str) -> Vec<MetadataResponsePartition> {
    metadata(client, topic).topics.remove(0).partitions
}

/// The port of each node, in the order of their ids.
fn ports(client: &mut WireClient) -> Vec<(i32, u16)> {
    let brokers = metadata(client, "t").brokers;
    let port = |port: i32| u16::try_from(port).expect("a port");
    brokers.iter().map(|b| (b.node_id, port(b.port))).collect()
}

/// One connection to the listener itself and one to each core.
fn connections(broker: &Broker) -> Vec<WireClient> {
    let mut clients = vec![WireClient::connect(broker.port())];
    let cores = ports(&mut clients[0]);
    clients.extend(cores.iter().map(|(_, port)| WireClient::connect(*port)));
    clients
}

fn set(client: &mut WireClient, kind: i8, name: &str, key: &str, value: &str) -> ErrorCode {
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            configs: vec![AlterableConfig {
                name: key.into(),
                config_operation: 0,
                value: Some(value.into()),
            }],
        }],
        ..IncrementalAlterConfigsRequest::default()
    };
    client.call(1, &request).responses[0].error_code
}

fn settings(client: &mut WireClient, broker: &str) -> DescribeConfigsResult {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: BROKER,
            resource_name: broker.into(),
            configuration_keys: Some(vec!["log.cleaner.threads".into(), "node.id".into()]),
        }],
        ..DescribeConfigsRequest::default()
    };
    client.call(4, &request).results.remove(0)
}

/// What each core has sent to others, by its own account at the end.
fn crossings(broker: &mut Broker) -> Vec<String> {
    // A core's node id is as good a name for the broker's logger as its own.
    let mut client = WireClient::connect(broker.port());
    let told = ports(&mut client)[0].0.to_string();
    let altered = set(&mut client, BROKER_LOGGER, &told, "root", "DEBUG");
    assert_eq!(altered, ErrorCode::NONE);
    drop(client);
    assert!(broker.stop().success(), "{}", broker.log());
    let log = broker.log();
    let sent = log.lines().filter_map(|line| {
        let (_, counts) = line.split_once("has sent to other cores: ")?;
        Some(counts.to_owned())
    });
    sent.collect()
}

/// Has a client make a topic, write to every partition, read it all, and share it in groups.
fn work(client: Client, bootstrap: &str) {
    let topic = format!("t-{}", client.name());
    client.create_topics(bootstrap, &[&topic], 6);
    let record = |n: i32| Record {
        partition: Some(n % 6),
        ..Record::new(&topic, Some(vec![b'k']), Some(format!("{n}").into()))
    };
    let records: Vec<_> = (0..600).map(record).collect();
    let written = client.produce(bootstrap, "lz4", true, &records);
    let read = client.consume(bootstrap, &[&topic]);
    assert_same_records(written, &read, client.name());
}

fn share_in_groups(client: Client, bootstrap: &str) {
    let programs = group_programs().into_iter();
    for (_, mut program) in programs.filter(|(name, _)| *name == client.name()) {
        program.args(["scenarios", bootstrap]);
        let finished = child::run(&mut program, b"", DEADLINE);
        finished.unwrap_or_else(|error| panic!("{}: {error}", client.name()));
    }
}

#[test]
fn nothing_that_clients_ask_of_partitions_and_groups_crosses_the_mesh() {
    for client in Client::available() {
        let mut broker = start(&[CORE_LISTENERS]);
        work(client, &broker.bootstrap());
        share_in_groups(client, &broker.bootstrap());
        let none = "0 appends, 0 reads, 0 lookups, 0 group requests";
        assert_eq!(crossings(&mut broker), [none, none], "{}", client.name());
        eprintln!("{}: nothing crossed", client.name());
    }
}

#[test]
fn without_core_listeners_half_of_it_does() {
    let mut broker = start(&[]);
    let client = Client::available()[0];
    work(client, &broker.bootstrap());
    let crossed = crossings(&mut broker);
    assert!(
        crossed.len() == 2
            && crossed
                .iter()
                .all(|counts| counts.starts_with(char::is_numeric)),
        "{crossed:?}"
    );
    let none = |counts: &String| counts.starts_with("0 appends, 0 reads");
    assert!(!crossed.iter().all(none), "{crossed:?}");
}

#[test]
fn every_answer_names_the_cores_and_every_address_names_the_same() {
    let broker = start(&[CORE_LISTENERS]);
    let mut clients = connections(&broker);
    assert_eq!(clients.len(), 3);
    clients[0].create_topic("t", 4);
    clients[1].need_coordinator();
    let expected = metadata(&mut clients[0], "t");
    assert_eq!(expected.controller_id, CORES[0]);
    let owners: BTreeSet<i32> = expected.topics[0]
        .partitions
        .iter()
        .map(|partition| partition.leader_id)
        .collect();
    assert_eq!(owners, CORES.into());
    for client in &mut clients {
        let told = metadata(client, "t");
        assert_eq!(told, expected);
        assert_eq!(
            told.brokers.iter().map(|b| b.node_id).collect::<Vec<_>>(),
            CORES
        );
        for partition in &told.topics[0].partitions {
            let leader = vec![partition.leader_id];
            assert_eq!(
                (&partition.replica_nodes, &partition.isr_nodes),
                (&leader, &leader)
            );
        }
        let cluster = client.call(0, &DescribeClusterRequest::default());
        let nodes = cluster.brokers.iter().map(|b| (b.broker_id, b.port));
        let brokers = told.brokers.iter().map(|b| (b.node_id, b.port));
        assert!(
            nodes.eq(brokers) && cluster.controller_id == CORES[0],
            "{cluster:?}"
        );
        assert_pages_agree(client, &told.topics[0].partitions);
        assert_groups_are_where_their_partitions_are(client);
        assert_the_quorum_is_the_broker(client);
    }
}

fn assert_pages_agree(client: &mut WireClient, partitions: &[MetadataResponsePartition]) {
    let request = DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest { name: "t".into() }],
        response_partition_limit: 100,
        ..DescribeTopicPartitionsRequest::default()
    };
    let page = client.call(0, &request).topics.remove(0).partitions;
    let paged = page
        .iter()
        .map(|p| (p.leader_id, &p.replica_nodes, &p.isr_nodes));
    let known = partitions
        .iter()
        .map(|p| (p.leader_id, &p.replica_nodes, &p.isr_nodes));
    assert!(paged.eq(known), "{page:?}");
}

fn assert_groups_are_where_their_partitions_are(client: &mut WireClient) {
    let offsets = partitions(client, "__consumer_offsets");
    // Java's hash of a single letter is its code.
    for group in ["a", "b", "c", "d"] {
        let request = FindCoordinatorRequest {
            coordinator_keys: vec![group.into()],
            ..FindCoordinatorRequest::default()
        };
        let found = client.call(4, &request).coordinators.remove(0);
        let partition = usize::from(group.as_bytes()[0]) % offsets.len();
        assert_eq!(found.node_id, offsets[partition].leader_id, "{group}");
    }
}

/// Who votes on the metadata is a matter between brokers.
fn assert_the_quorum_is_the_broker(client: &mut WireClient) {
    let request = DescribeQuorumRequest {
        topics: vec![RequestedTopic {
            topic_name: "__cluster_metadata".into(),
            partitions: vec![RequestedPartition { partition_index: 0 }],
        }],
    };
    let quorum = client.call(2, &request);
    assert_eq!(quorum.topics[0].partitions[0].leader_id, 1);
    assert_eq!(
        (quorum.nodes[0].node_id, quorum.nodes[0].listeners.len()),
        (1, 1)
    );
}

#[test]
fn what_is_asked_of_every_node_adds_up() {
    let broker = start(&[CORE_LISTENERS]);
    let mut clients = connections(&broker);
    clients[0].create_topic("t", 5);
    clients[0].need_coordinator();
    let groups: Vec<String> = (b'a'..=b'h')
        .map(|letter| char::from(letter).into())
        .collect();
    for group in &groups {
        clients[0].join_alone(group);
    }
    let of_cores = clients.split_off(1);
    let (mut listed, mut sized) = (Vec::new(), 0);
    for mut client in of_cores {
        let answer = client.call(4, &ListGroupsRequest::default());
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert!(answer.groups.len() < groups.len());
        listed.extend(answer.groups.iter().map(|group| group.group_id.to_string()));
        sized += sizes(&mut client);
    }
    listed.sort();
    assert_eq!(listed, groups);
    assert_eq!(sized, 5);
    // Where clients begin, there is the whole.
    let whole = clients[0].call(4, &ListGroupsRequest::default());
    assert_eq!(
        (whole.groups.len(), sizes(&mut clients[0])),
        (groups.len(), 5)
    );
}

/// How many partitions of `t` are said to lie here.
fn sizes(client: &mut WireClient) -> usize {
    let answer = client.call(4, &DescribeLogDirsRequest { topics: None });
    let topics = answer.results.iter().flat_map(|dir| &dir.topics);
    let of_t = topics.filter(|topic| topic.name.as_str() == "t");
    of_t.map(|topic| topic.partitions.len()).sum()
}

#[test]
fn either_id_is_taken_and_the_metadata_keeps_the_broker_s() {
    let mut broker = start(&[CORE_LISTENERS]);
    for mut client in connections(&broker) {
        for id in [1, CORES[0], CORES[1]].map(|id| id.to_string()) {
            let code = set(&mut client, BROKER, &id, "log.cleaner.threads", "2");
            assert_eq!(code, ErrorCode::NONE, "{id}");
            let told = settings(&mut client, &id);
            let values: Vec<_> = told.configs.iter().map(|c| c.value.as_deref()).collect();
            assert_eq!(values, [Some("2"), Some("1")], "{told:?}");
            assert_eq!(told.resource_name.as_str(), id);
        }
        let code = set(
            &mut client,
            BROKER,
            "2000001002",
            "log.cleaner.threads",
            "2",
        );
        assert_eq!(code, ErrorCode::INVALID_REQUEST, "there is no such core");
    }
    let mut client = WireClient::connect(broker.port());
    for (topic, brokers, code) in [
        ("by-broker", vec![1], ErrorCode::NONE),
        ("by-core", vec![CORES[1]], ErrorCode::NONE),
        (
            "twice",
            CORES.to_vec(),
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
        ),
        (
            "nobody",
            vec![2_000_002_000],
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
        ),
    ] {
        let mut assigned = new_topic(topic, -1, &[]);
        assigned.replication_factor = -1;
        assigned.assignments = vec![CreatableReplicaAssignment {
            partition_index: 0,
            broker_ids: brokers,
        }];
        assert_eq!(client.try_create(assigned).error_code, code, "{topic}");
    }
    assert!(broker.stop().success());
    let plain = Serve::spawn(&on_one_core(&broker, &[]), &[]);
    let (_plain, mut client) = connected(plain);
    assert_eq!(
        settings(&mut client, "1").configs[0].value.as_deref(),
        Some("2")
    );
    assert_eq!(
        settings(&mut client, "2000001000").error_code,
        ErrorCode::INVALID_REQUEST
    );
    for topic in ["by-broker", "by-core"] {
        let partition = &partitions(&mut client, topic)[0];
        assert_eq!(
            (partition.leader_id, &partition.replica_nodes),
            (1, &vec![1])
        );
    }
}

/// `serve` on the broker's directory with one core, at free ports.
fn on_one_core(broker: &Broker, more: &[&str]) -> Vec<String> {
    let dir = broker.data_dir().display().to_string();
    let fixed = ["--listen", "127.0.0.1:0", "--data-dir", &dir];
    let arguments = fixed.iter().chain(more);
    arguments.map(ToString::to_string).collect()
}

fn connected(mut broker: Serve) -> (Serve, WireClient) {
    let port = Serve::port_in(&broker.ready());
    (broker, WireClient::connect(port))
}

#[test]
fn every_core_serves_every_partition_and_group_whoever_owns_them() {
    let broker = start(&[CORE_LISTENERS]);
    let mut clients = connections(&broker);
    clients[0].create_topic("t", 2);
    clients[0].need_coordinator();
    for (n, client) in clients.iter_mut().enumerate() {
        for partition in 0..2 {
            let offset = client.write("t", partition, &["v"]);
            assert_eq!(offset, n as i64);
            assert_eq!(client.read_all("t", partition).len(), n + 1);
        }
        for group in ["a", "b"] {
            let member = client.join_alone(&format!("{group}{n}"));
            assert_eq!(client.commit(&member, 7), ErrorCode::NONE);
        }
    }
}

#[test]
fn with_another_number_of_cores_the_same_partitions_have_other_addresses() {
    let mut broker = start(&[CORE_LISTENERS]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 4);
    for partition in 0..4 {
        client.write("t", partition, &["before"]);
    }
    assert!(broker.stop().success());
    let one = Serve::spawn(&on_one_core(&broker, &["--core-listeners"]), &[]);
    let (_one, mut client) = connected(one);
    let nodes = ports(&mut client);
    assert_eq!(
        nodes.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [CORES[0]]
    );
    let mut core = WireClient::connect(nodes[0].1);
    for partition in partitions(&mut core, "t") {
        assert_eq!(partition.leader_id, CORES[0]);
        assert_eq!(core.read_all("t", partition.partition_index).len(), 1);
    }
}

#[test]
fn a_listener_without_core_listeners_knows_the_broker_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let dir = dir.path().display().to_string();
    let two = "listeners=PLAINTEXT://127.0.0.1:0,INSIDE://127.0.0.1:0";
    let map = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT";
    let mut broker = Serve::spawn(
        &[
            "--data-dir",
            &dir,
            "--override",
            two,
            "--override",
            map,
            "--core-listeners=INSIDE",
        ],
        &[],
    );
    let ready = broker.ready();
    let mut plain = WireClient::connect(Serve::port_in(&ready));
    assert_eq!(ports(&mut plain), [(1, Serve::port_in(&ready))]);
    let (_, inside) = ready
        .split_once("INSIDE://127.0.0.1:")
        .expect("its address");
    let numbers = inside
        .split(|c: char| !c.is_ascii_digit())
        .filter(|n| !n.is_empty());
    let numbers: Vec<u16> = numbers
        .take(2)
        .map(|n| n.parse().expect("a port"))
        .collect();
    assert_eq!(
        ports(&mut WireClient::connect(numbers[0])),
        [(CORES[0], numbers[1])]
    );
}

#[test]
fn settings_go_through_the_cores_as_real_admin_clients_know_them() {
    let broker = start(&[CORE_LISTENERS]);
    in_parallel(&Client::available_admins(), |admin| {
        let topic = format!("settings-{}", admin.name());
        admin.create_topics(&broker.bootstrap(), &[&topic], 1);
        let settings = admin.settings(&broker.bootstrap(), &topic);
        let changed = ["max.message.bytes", "4242", "DYNAMIC_TOPIC_CONFIG"];
        assert!(settings.iter().any(|setting| setting.as_slice() == changed));
    });
}

#[test]
fn what_cannot_be_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let dir = dir.path().display().to_string();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let refused = |arguments: &[&str], words: &str| {
        let log = refusal(&[&["--data-dir", &dir, "--listen", "127.0.0.1:0"], arguments].concat());
        assert!(log.contains(words), "{arguments:?}: {log}");
    };
    let at = format!("--core-listeners=PLAINTEXT://:{port}");
    refused(
        &[&at],
        &format!("127.0.0.1:{port} is in use by another program"),
    );
    refused(&["--core-listeners=OTHER"], "nothing listens as OTHER");
    let id = ["--core-listeners", "--override", "node.id=100000"];
    refused(&id, "node.id=100000 leaves no ids for core listeners");
    let (a, b) = (format!("127.0.0.1:{port}"), "127.0.0.1:65535");
    let log = refusal(&[
        "--data-dir",
        &dir,
        "--listen",
        &a,
        "--listen",
        b,
        "--core-listeners",
    ]);
    assert!(
        log.contains("there are not enough ports for the cores"),
        "{log}"
    );
}
