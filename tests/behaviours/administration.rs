//! Partitions, log directories, quorum, features, elections, reassignments, access control: what Kafka's tools ask and scripts look for.
//!
//! Setup: a broker alone. Expectation: Kafka's codes and words, also for what a single node has nothing to say about.

use vltava::wire::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use vltava::wire::messages::api_versions::ApiVersionsRequest;
use vltava::wire::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use vltava::wire::messages::describe_acls::DescribeAclsRequest;
use vltava::wire::messages::describe_cluster::DescribeClusterRequest;
use vltava::wire::messages::describe_log_dirs::DescribeLogDirsRequest;
use vltava::wire::messages::describe_producers::{DescribeProducersRequest, TopicRequest};
use vltava::wire::messages::describe_quorum::{
    DescribeQuorumRequest, RequestedPartition, RequestedTopic,
};
use vltava::wire::messages::describe_topic_partitions::DescribeTopicPartitionsRequest;
use vltava::wire::messages::describe_transactions::DescribeTransactionsRequest;
use vltava::wire::messages::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use vltava::wire::messages::list_partition_reassignments::ListPartitionReassignmentsRequest;
use vltava::wire::messages::list_transactions::ListTransactionsRequest;
use vltava::wire::messages::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};
use vltava::wire::{ErrorCode, Text};

use crate::harness::broker::Broker;
use crate::harness::requests::sequenced;
use crate::harness::wire_client::WireClient;

fn start() -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let client = WireClient::connect(broker.port());
    (broker, client)
}

fn words(text: &Option<Text>) -> &str {
    text.as_ref().map_or("", Text::as_str)
}

fn growth(name: &str, count: i32, validate_only: bool) -> CreatePartitionsRequest {
    CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: name.into(),
            count,
            assignments: None,
        }],
        timeout_ms: 30_000,
        validate_only,
    }
}

#[test]
fn new_partitions_are_usable_when_they_are_answered_and_survive_a_crash() {
    let (mut broker, mut client) = start();
    client.create_topic("t", 1);
    for version in 0..=3 {
        let count = 2 + i32::from(version);
        let answer = client.call(version, &growth("t", count, false));
        assert_eq!(answer.results[0].error_code, ErrorCode::NONE);
        client.write("t", count - 1, &["at once"]);
    }
    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    client.write("t", 4, &["after the crash"]);
}

#[test]
fn a_count_that_is_no_increase_is_refused_in_kafkas_words() {
    let (_broker, mut client) = start();
    client.create_topic("t", 4);
    let answer = client.call(3, &growth("t", 2, false));
    assert_eq!(answer.results[0].error_code, ErrorCode::INVALID_PARTITIONS);
    assert_eq!(
        words(&answer.results[0].error_message),
        "The topic t currently has 4 partition(s); 2 would not be an increase."
    );
    let answer = client.call(3, &growth("t", 4, false));
    assert_eq!(
        words(&answer.results[0].error_message),
        "Topic already has 4 partition(s)."
    );
    let answer = client.call(3, &growth("u", 4, false));
    assert_eq!(
        answer.results[0].error_code,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
}

#[test]
fn validating_a_growth_changes_nothing() {
    let (_broker, mut client) = start();
    client.create_topic("t", 1);
    for _ in 0..2 {
        let answer = client.call(3, &growth("t", 2, true));
        assert_eq!(answer.results[0].error_code, ErrorCode::NONE);
    }
    assert_eq!(
        client.fetch("t", 1, 0).error_code,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
}

#[test]
fn log_directories_tell_the_sizes_of_partitions_and_of_the_volume() {
    let (broker, mut client) = start();
    client.create_topic("t", 1);
    client.write("t", 0, &["some bytes"]);
    for version in 0..=5 {
        let answer = client.call(version, &DescribeLogDirsRequest { topics: None });
        let [dir] = answer.results.as_slice() else {
            panic!("one directory: {answer:?}");
        };
        assert_eq!(dir.error_code, ErrorCode::NONE);
        assert!(
            std::path::Path::new(dir.log_dir.as_str())
                .join("t-0")
                .is_dir()
        );
        let topic = dir.topics.iter().find(|topic| topic.name.as_str() == "t");
        assert!(topic.expect("the topic").partitions[0].partition_size > 0);
        assert_eq!(
            version >= 4,
            dir.total_bytes >= dir.usable_bytes && dir.total_bytes > 0
        );
    }
    drop(broker);
}

#[test]
fn an_election_that_is_not_needed_says_so() {
    let (_broker, mut client) = start();
    client.create_topic("t", 1);
    let of = |topic: &str, partition| TopicPartitions {
        topic: topic.into(),
        partitions: vec![partition],
    };
    let request = ElectLeadersRequest {
        topic_partitions: Some(vec![of("t", 0), of("t", 7), of("u", 0)]),
        ..ElectLeadersRequest::default()
    };
    for version in 0..=2 {
        let answer = client.call(version, &request);
        let codes: Vec<_> = answer
            .replica_election_results
            .iter()
            .map(|topic| topic.partition_result[0].error_code)
            .collect();
        assert_eq!(
            codes,
            [
                ErrorCode::ELECTION_NOT_NEEDED,
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
            ]
        );
    }
    let all = ElectLeadersRequest {
        topic_partitions: None,
        ..ElectLeadersRequest::default()
    };
    let answer = client.call(2, &all);
    assert_eq!(answer.error_code, ErrorCode::NONE);
    let mut results = answer.replica_election_results.iter();
    assert!(results.all(|topic| topic.partition_result.is_empty()));
}

#[test]
fn the_single_voter_leads_the_metadata_quorum() {
    let (_broker, mut client) = start();
    let of = |name: &str| DescribeQuorumRequest {
        topics: vec![RequestedTopic {
            topic_name: name.into(),
            partitions: vec![RequestedPartition { partition_index: 0 }],
        }],
    };
    let before = client.call(2, &of("__cluster_metadata"));
    client.create_topic("t", 1);
    let after = client.call(2, &of("__cluster_metadata"));
    let (before, quorum) = (
        &before.topics[0].partitions[0],
        &after.topics[0].partitions[0],
    );
    assert!(quorum.high_watermark > before.high_watermark);
    let [voter] = quorum.current_voters.as_slice() else {
        panic!("one voter: {quorum:?}");
    };
    assert_eq!(voter.replica_id, quorum.leader_id);
    assert_eq!(voter.log_end_offset, quorum.high_watermark);
    assert!(!voter.replica_directory_id.is_nil());
    assert_eq!(after.nodes[0].node_id, quorum.leader_id);
    let unknown = client.call(2, &of("t"));
    assert_eq!(
        unknown.topics[0].partitions[0].error_code,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
}

#[test]
fn a_feature_level_that_is_not_supported_is_refused_in_kafkas_words() {
    let (_broker, mut client) = start();
    let request = |feature: &str, max_version_level| UpdateFeaturesRequest {
        feature_updates: vec![FeatureUpdateKey {
            feature: feature.into(),
            max_version_level,
            ..FeatureUpdateKey::default()
        }],
        ..UpdateFeaturesRequest::default()
    };
    for version in 0..=2 {
        let answer = client.call(version, &request("metadata.version", 999));
        assert_eq!(answer.error_code, ErrorCode::INVALID_UPDATE_VERSION);
        let words = words(&answer.error_message);
        assert!(
            words.starts_with(
                "The update failed for all features since the following feature had an error: \
                 Invalid update version 999 for feature metadata.version."
            ),
            "{words}"
        );
    }
    let who = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
    };
    let told = client.call(3, &who);
    assert_eq!(told.supported_features[0].name.as_str(), "metadata.version");
    let level = told.finalized_features[0].max_version_level;
    let answer = client.call(2, &request("metadata.version", level));
    assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
}

#[test]
fn active_producers_are_described_with_their_last_sequence() {
    let (_broker, mut client) = start();
    client.create_topic("t", 1);
    let ask = |name: &str, partition| DescribeProducersRequest {
        topics: vec![TopicRequest {
            name: name.into(),
            partition_indexes: vec![partition],
        }],
    };
    let answer = client.call(0, &ask("t", 0));
    assert_eq!(answer.topics[0].partitions[0].active_producers, []);
    let producer = client.new_producer();
    client.write_batch("t", 0, &sequenced(producer, 0, &["a", "b", "c"]));
    let answer = client.call(0, &ask("t", 0));
    let [active] = answer.topics[0].partitions[0].active_producers.as_slice() else {
        panic!("one producer: {answer:?}");
    };
    assert_eq!(
        (
            active.producer_id,
            active.producer_epoch,
            active.last_sequence
        ),
        (producer.0, i32::from(producer.1), 2)
    );
    assert_eq!(active.current_txn_start_offset, -1);
    for (name, partition) in [("t", 5), ("u", 0)] {
        let answer = client.call(0, &ask(name, partition));
        assert_eq!(
            answer.topics[0].partitions[0].error_code,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        );
    }
}

#[test]
fn where_there_are_no_transactions_unknown_states_are_told() {
    let (_broker, mut client) = start();
    let request = ListTransactionsRequest {
        state_filters: vec!["Ongoing".into(), "Nonsense".into()],
        ..ListTransactionsRequest::default()
    };
    for version in 0..=2 {
        let answer = client.call(version, &request);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert_eq!(answer.transaction_states, []);
        assert_eq!(answer.unknown_state_filters, [Text::from("Nonsense")]);
    }
    for (pattern, code) in [
        ("a.*", ErrorCode::NONE),
        ("a(", ErrorCode::INVALID_REGULAR_EXPRESSION),
    ] {
        let request = ListTransactionsRequest {
            transactional_id_pattern: Some(pattern.into()),
            ..ListTransactionsRequest::default()
        };
        assert_eq!(client.call(2, &request).error_code, code, "{pattern}");
    }
    client.find_transaction_coordinator("t1");
    let request = DescribeTransactionsRequest {
        transactional_ids: vec!["t1".into()],
    };
    let answer = client.call(0, &request);
    assert_eq!(
        answer.transaction_states[0].error_code,
        ErrorCode::TRANSACTIONAL_ID_NOT_FOUND
    );
}

#[test]
fn replicas_stay_where_they_are_and_what_cannot_be_is_refused() {
    let (_broker, mut client) = start();
    client.create_topic("t", 1);
    let me = client.call(
        2,
        &vltava::wire::messages::describe_cluster::DescribeClusterRequest::default(),
    );
    let to = |replicas| AlterPartitionReassignmentsRequest {
        topics: vec![ReassignableTopic {
            name: "t".into(),
            partitions: vec![ReassignablePartition {
                partition_index: 0,
                replicas,
            }],
        }],
        ..AlterPartitionReassignmentsRequest::default()
    };
    for (replicas, code) in [
        (Some(vec![me.controller_id]), ErrorCode::NONE),
        (Some(vec![4711]), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (Some(vec![]), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (None, ErrorCode::NO_REASSIGNMENT_IN_PROGRESS),
    ] {
        let answer = client.call(1, &to(replicas));
        assert_eq!(answer.responses[0].partitions[0].error_code, code);
    }
    let answer = client.call(0, &ListPartitionReassignmentsRequest::default());
    assert_eq!(
        (answer.error_code, answer.topics.len()),
        (ErrorCode::NONE, 0)
    );
}

#[test]
fn described_partitions_have_lists_where_javas_client_expects_them() {
    let (_broker, mut client) = start();
    client.create_topic("t", 1);
    let answer = client.call(0, &DescribeTopicPartitionsRequest::default());
    let partition = &answer.topics[0].partitions[0];
    assert_eq!(partition.eligible_leader_replicas, Some(vec![]));
    assert_eq!(partition.last_known_elr, Some(vec![]));
}

#[test]
fn access_control_without_an_authorizer_is_refused_in_kafkas_words() {
    let (_broker, mut client) = start();
    for version in 0..=3 {
        let answer = client.call(version, &DescribeAclsRequest::default());
        assert_eq!(answer.error_code, ErrorCode::SECURITY_DISABLED);
        assert_eq!(
            words(&answer.error_message),
            "No Authorizer is configured on the broker"
        );
    }
}

#[test]
fn only_brokers_are_described_as_the_cluster() {
    let (_broker, mut client) = start();
    let ask = |endpoint_type| DescribeClusterRequest {
        endpoint_type,
        ..DescribeClusterRequest::default()
    };
    for version in 1..=2 {
        let answer = client.call(version, &ask(1));
        assert_eq!(
            (answer.error_code, answer.brokers.len()),
            (ErrorCode::NONE, 1)
        );
        let answer = client.call(version, &ask(2));
        assert_eq!(answer.error_code, ErrorCode::MISMATCHED_ENDPOINT_TYPE);
        assert_eq!(
            words(&answer.error_message),
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
        );
        let answer = client.call(version, &ask(9));
        assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_ENDPOINT_TYPE);
        assert_eq!(words(&answer.error_message), "Unsupported endpoint type 9");
        assert_eq!(answer.brokers, []);
    }
}
