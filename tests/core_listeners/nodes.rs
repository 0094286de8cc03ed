//! Which nodes are told, and what of each.

use super::harness::wire_client::WireClient;
use super::{CORE_LISTENERS, CORES, connections, metadata, partitions, start};
use std::collections::BTreeSet;
use vltava::wire::ErrorCode;
use vltava::wire::messages::describe_cluster::DescribeClusterRequest;
use vltava::wire::messages::describe_log_dirs::DescribeLogDirsRequest;
use vltava::wire::messages::describe_quorum::{
    DescribeQuorumRequest, RequestedPartition, RequestedTopic,
};
use vltava::wire::messages::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, TopicRequest,
};
use vltava::wire::messages::find_coordinator::FindCoordinatorRequest;
use vltava::wire::messages::list_groups::ListGroupsRequest;
use vltava::wire::messages::metadata::MetadataResponsePartition;

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
