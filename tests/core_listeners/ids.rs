//! The ids that clients send: the broker's and its cores'.

use super::harness::requests::new_topic;
use super::harness::serve::Serve;
use super::harness::wire_client::WireClient;
use super::{CORE_LISTENERS, CORES, connected, connections, on_one_core, partitions, set, start};
use vltava::wire::ErrorCode;
use vltava::wire::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use vltava::wire::messages::create_topics::CreatableReplicaAssignment;
use vltava::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResult,
};

/// The protocol's number for settings of a broker.
const BROKER: i8 = 4;

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

#[test]
fn a_partition_is_not_moved_to_another_core() {
    let broker = start(&[CORE_LISTENERS]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    let here = partitions(&mut client, "t")[0].leader_id;
    let elsewhere = CORES[usize::from(here == CORES[0])];
    for (replicas, code) in [
        (vec![1], ErrorCode::NONE),
        (vec![here], ErrorCode::NONE),
        (vec![elsewhere], ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (vec![1, here], ErrorCode::INVALID_REPLICA_ASSIGNMENT),
    ] {
        let request = AlterPartitionReassignmentsRequest {
            topics: vec![ReassignableTopic {
                name: "t".into(),
                partitions: vec![ReassignablePartition {
                    partition_index: 0,
                    replicas: Some(replicas.clone()),
                }],
            }],
            ..AlterPartitionReassignmentsRequest::default()
        };
        let answer = &client.call(1, &request).responses[0].partitions[0];
        assert_eq!(answer.error_code, code, "{replicas:?}: {answer:?}");
    }
}
