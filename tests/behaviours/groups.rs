//! Consumer groups over the wire: membership, offsets, administration.
//!
//! Setup: a broker whose groups do not wait for further members, and raw requests. Expectation: what Kafka's classic groups answer. The
//! rules themselves are tested without sockets beside the coordinator; here it is seen that they arrive.

use std::time::Duration;

use vltava::wire::messages::delete_groups::DeleteGroupsRequest;
use vltava::wire::messages::find_coordinator::FindCoordinatorRequest;
use vltava::wire::messages::join_group::JoinGroupRequest;
use vltava::wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use vltava::wire::messages::list_groups::ListGroupsRequest;
use vltava::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use vltava::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use vltava::wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use vltava::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic,
};
use vltava::wire::messages::sync_group::SyncGroupRequest;
use vltava::wire::{ErrorCode, Text};

use crate::harness::batches::batch;
use crate::harness::broker::Broker;
use crate::harness::group_requests::{
    COMMIT, JOIN, Membership, SYNC, join_request, protocol, sync_request,
};
use crate::harness::wire_client::{WireClient, wait_until};

/// A broker, a client, and topic `t`.
fn start() -> (Broker, WireClient) {
    start_with(&[])
}

fn start_with(overrides: &[(&str, &str)]) -> (Broker, WireClient) {
    let mut all = vec![("group.initial.rebalance.delay.ms", "0")];
    all.extend_from_slice(overrides);
    let broker = Broker::start(&all);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    client.need_coordinator();
    (broker, client)
}

fn outsider(group: &str) -> Membership {
    Membership {
        group: group.to_owned(),
        member_id: String::new(),
        generation: -1,
    }
}

#[test]
fn finding_a_coordinator_makes_the_offsets_topic_as_kafka_has_it() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["a".into(), "b".into()],
        ..FindCoordinatorRequest::default()
    };
    let answer = client.call(6, &request);
    assert_eq!(answer.coordinators.len(), 2);
    for coordinator in &answer.coordinators {
        assert_eq!(coordinator.error_code, ErrorCode::NONE);
        assert_eq!(coordinator.port, i32::from(broker.port()));
    }
    let metadata = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some("__consumer_offsets".into()),
            ..MetadataRequestTopic::default()
        }]),
        ..MetadataRequest::default()
    };
    let topic = client.call(9, &metadata).topics.remove(0);
    assert!(topic.is_internal);
    assert_eq!(topic.partitions.len(), 50);
}

#[test]
fn a_new_member_is_given_its_id_first_and_older_clients_are_not_asked_back() {
    let (_broker, mut client) = start();
    let asked = client.call(JOIN, &join_request("g", ""));
    assert_eq!(asked.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    assert!(!asked.member_id.is_empty());
    let stranger = client.call(JOIN, &join_request("g", "never-heard-of"));
    assert_eq!(stranger.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    let joined = client.call(JOIN, &join_request("g", &asked.member_id));
    assert_eq!(joined.error_code, ErrorCode::NONE);
    assert_eq!(
        (joined.generation_id, &joined.leader),
        (1, &joined.member_id)
    );
    for version in [0, 3] {
        let joined = client.call(version, &join_request(&format!("old{version}"), ""));
        assert_eq!(joined.error_code, ErrorCode::NONE, "version {version}");
    }
}

#[test]
fn a_sync_names_the_protocol_from_version_5_on() {
    let (_broker, mut client) = start();
    let member = client.join_alone("g");
    let nameless = SyncGroupRequest {
        protocol_type: None,
        protocol_name: None,
        ..sync_request(&member, &[])
    };
    let only_type = SyncGroupRequest {
        protocol_name: None,
        ..sync_request(&member, &[])
    };
    for request in [&nameless, &only_type] {
        let answer = client.call(SYNC, request);
        assert_eq!(answer.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    assert_eq!(client.call(4, &nameless).error_code, ErrorCode::NONE);
}

#[test]
fn only_the_leader_is_told_of_the_members_and_each_gets_its_share() {
    let (broker, mut first) = start();
    let leader = first.join_alone("g");
    let mut second = WireClient::connect(broker.port());
    let asked = second.call(JOIN, &join_request("g", ""));
    let request = join_request("g", &asked.member_id);
    second.send(JOIN, &request);
    wait_until("the leader learns of the rebalance", || {
        first.heartbeat(&leader) == ErrorCode::REBALANCE_IN_PROGRESS
    });
    let led = first.call(JOIN, &join_request("g", &leader.member_id));
    let (_, followed) = second.receive::<JoinGroupRequest>(JOIN);
    assert_eq!((led.generation_id, followed.generation_id), (2, 2));
    assert_eq!((led.members.len(), followed.members.len()), (2, 0));
    assert_eq!(followed.leader, led.member_id);
    assert_eq!(followed.protocol_name, Some(Text::from("range")));
    let member = |id: &str| Membership {
        group: "g".to_owned(),
        member_id: id.to_owned(),
        generation: 2,
    };
    // The follower waits for the leader, whose assignment forgets it.
    second.send(SYNC, &sync_request(&member(&followed.member_id), &[]));
    second.assert_silent(Duration::from_millis(200));
    let (code, share) = first.sync(&member(&led.member_id), &[(&led.member_id, b"all")]);
    assert_eq!((code, &share[..]), (ErrorCode::NONE, &b"all"[..]));
    let (_, forgotten) = second.receive::<SyncGroupRequest>(SYNC);
    assert_eq!(forgotten.error_code, ErrorCode::NONE);
    assert!(forgotten.assignment.is_empty());
}

#[test]
fn a_waiting_join_holds_up_nobody_else_and_not_the_stop() {
    let (mut broker, mut first) = start();
    let leader = first.join_alone("g");
    let mut second = WireClient::connect(broker.port());
    let asked = second.call(JOIN, &join_request("g", ""));
    second.send(JOIN, &join_request("g", &asked.member_id));
    wait_until("the join waits", || {
        first.heartbeat(&leader) == ErrorCode::REBALANCE_IN_PROGRESS
    });
    assert_eq!(first.commit(&leader, 3), ErrorCode::NONE);
    assert!(broker.stop().success());
    let (_, told) = second.receive::<JoinGroupRequest>(JOIN);
    assert_eq!(told.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
}

#[test]
fn heartbeats_say_what_a_member_must_know() {
    let (_broker, mut client) = start();
    let member = client.join_alone("g");
    assert_eq!(client.heartbeat(&member), ErrorCode::NONE);
    let old = Membership {
        generation: member.generation - 1,
        ..member.clone()
    };
    assert_eq!(client.heartbeat(&old), ErrorCode::ILLEGAL_GENERATION);
    let unknown = Membership {
        member_id: "nobody".to_owned(),
        ..member.clone()
    };
    assert_eq!(client.heartbeat(&unknown), ErrorCode::UNKNOWN_MEMBER_ID);
    let elsewhere = Membership {
        group: "no-such-group".to_owned(),
        ..member
    };
    assert_eq!(client.heartbeat(&elsewhere), ErrorCode::UNKNOWN_MEMBER_ID);
    let nameless = Membership {
        group: String::new(),
        ..elsewhere
    };
    assert_eq!(client.heartbeat(&nameless), ErrorCode::INVALID_GROUP_ID);
}

#[test]
fn members_without_a_common_protocol_are_refused() {
    let (_broker, mut client) = start();
    client.join_alone("g");
    let mut other = join_request("g", "");
    other.protocols = vec![protocol("sticky")];
    let refused = client.call(JOIN, &other);
    assert_eq!(refused.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    other.protocol_type = "connect".into();
    other.protocols = vec![protocol("range")];
    let refused = client.call(JOIN, &other);
    assert_eq!(refused.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
}

#[test]
fn session_timeouts_have_bounds_that_can_be_set() {
    let (_broker, mut client) = start_with(&[("group.min.session.timeout.ms", "10")]);
    let with_timeout = |timeout| JoinGroupRequest {
        session_timeout_ms: timeout,
        ..join_request("g", "")
    };
    for timeout in [9, 1_800_001] {
        let refused = client.call(JOIN, &with_timeout(timeout));
        assert_eq!(refused.error_code, ErrorCode::INVALID_SESSION_TIMEOUT);
    }
    let taken = client.call(JOIN, &with_timeout(10));
    assert_eq!(taken.error_code, ErrorCode::MEMBER_ID_REQUIRED);
}

#[test]
fn a_silent_member_is_out_after_its_session_timeout() {
    let (_broker, mut client) = start_with(&[("group.min.session.timeout.ms", "100")]);
    let mut request = join_request("g", "");
    request.session_timeout_ms = 300;
    let joined = client.join(&request);
    let member = Membership {
        group: "g".to_owned(),
        member_id: joined.member_id.to_string(),
        generation: joined.generation_id,
    };
    client.sync(&member, &[]);
    wait_until("the member is out", || {
        client.describe_group(5, "g").group_state == "Empty"
    });
    assert_eq!(client.heartbeat(&member), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_full_group_takes_nobody_more() {
    let (_broker, mut client) = start_with(&[("group.max.size", "1")]);
    client.join_alone("g");
    let refused = client.call(JOIN, &join_request("g", ""));
    assert_eq!(refused.error_code, ErrorCode::GROUP_MAX_SIZE_REACHED);
}

#[test]
fn a_static_member_keeps_its_share_and_the_old_one_is_fenced() {
    let (broker, mut client) = start();
    let fixed = JoinGroupRequest {
        group_instance_id: Some("one".into()),
        ..join_request("g", "")
    };
    let first = client.call(JOIN, &fixed);
    assert_eq!(first.error_code, ErrorCode::NONE, "no id is asked for");
    let member = Membership {
        group: "g".to_owned(),
        member_id: first.member_id.to_string(),
        generation: first.generation_id,
    };
    client.sync(&member, &[(&first.member_id, b"mine")]);
    let mut again = WireClient::connect(broker.port());
    let back = again.call(JOIN, &fixed);
    assert_eq!(back.error_code, ErrorCode::NONE);
    assert_eq!(back.generation_id, first.generation_id, "no rebalance");
    assert!(back.skip_assignment, "the leader keeps what there is");
    let renamed = Membership {
        member_id: back.member_id.to_string(),
        ..member.clone()
    };
    assert_eq!(&again.sync(&renamed, &[]).1[..], b"mine");
    let mut old = fixed.clone();
    old.member_id = first.member_id;
    assert_eq!(
        client.call(JOIN, &old).error_code,
        ErrorCode::FENCED_INSTANCE_ID
    );
    let leave = LeaveGroupRequest {
        group_id: "g".into(),
        members: vec![MemberIdentity {
            group_instance_id: Some("one".into()),
            ..MemberIdentity::default()
        }],
        ..LeaveGroupRequest::default()
    };
    let left = client.call(5, &leave);
    assert_eq!(left.members[0].error_code, ErrorCode::NONE);
    assert_eq!(client.describe_group(5, "g").group_state, "Empty");
}

#[test]
fn a_commit_is_there_at_once_and_after_a_crash() {
    let (mut broker, mut client) = start();
    let member = client.join_alone("g");
    assert_eq!(
        client.commit_at(COMMIT, &member, "t", 42, "note"),
        ErrorCode::NONE
    );
    let found = client.committed("g", "t");
    assert_eq!(
        (found.committed_offset, found.metadata),
        (42, Some(Text::from("note")))
    );
    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    wait_until("the coordinator has loaded", || {
        client.describe_group(5, "g").error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
    });
    assert_eq!(client.committed("g", "t").committed_offset, 42);
    // The member goes on as if nothing had been.
    assert_eq!(client.describe_group(5, "g").group_state, "Stable");
    assert_eq!(client.heartbeat(&member), ErrorCode::NONE);
    assert_eq!(client.commit(&member, 43), ErrorCode::NONE);
}

#[test]
fn every_version_of_commit_is_served_from_the_same_store() {
    let (_broker, mut client) = start();
    for version in 0..=COMMIT {
        let offset = i64::from(version) + 10;
        let code = client.commit_at(version, &outsider("simple"), "t", offset, "");
        assert_eq!(code, ErrorCode::NONE, "version {version}");
        assert_eq!(client.committed("simple", "t").committed_offset, offset);
    }
    let unknown = client.commit_at(COMMIT, &outsider("simple"), "nowhere", 1, "");
    assert_eq!(unknown, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let large = "x".repeat(4097);
    let refused = client.commit_at(COMMIT, &outsider("simple"), "t", 1, &large);
    assert_eq!(refused, ErrorCode::OFFSET_METADATA_TOO_LARGE);
}

#[test]
fn only_members_commit_while_a_group_has_any() {
    let (_broker, mut client) = start();
    let member = client.join_alone("g");
    assert_eq!(
        client.commit(&outsider("g"), 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    let old = Membership {
        generation: 0,
        ..member
    };
    assert_eq!(client.commit(&old, 1), ErrorCode::ILLEGAL_GENERATION);
    let nowhere = Membership {
        group: "never-was".to_owned(),
        ..old
    };
    assert_eq!(
        client.commit_at(8, &nowhere, "t", 1, ""),
        ErrorCode::ILLEGAL_GENERATION
    );
}

#[test]
fn offsets_are_committed_and_fetched_by_topic_id() {
    let (_broker, mut client) = start();
    let topic_id = client.create_topic("by-id", 1);
    let commit = |topic_id| OffsetCommitRequest {
        group_id: "ids".into(),
        topics: vec![OffsetCommitRequestTopic {
            topic_id,
            partitions: vec![OffsetCommitRequestPartition {
                committed_offset: 5,
                ..OffsetCommitRequestPartition::default()
            }],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    };
    let code = |answer: vltava::wire::messages::offset_commit::OffsetCommitResponse| {
        answer.topics[0].partitions[0].error_code
    };
    assert_eq!(code(client.call(10, &commit(topic_id))), ErrorCode::NONE);
    let unknown = uuid::Uuid::from_u128(7);
    assert_eq!(
        code(client.call(10, &commit(unknown))),
        ErrorCode::UNKNOWN_TOPIC_ID
    );
    let fetch = |topics| OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: "ids".into(),
            topics,
            ..OffsetFetchRequestGroup::default()
        }],
        ..OffsetFetchRequest::default()
    };
    let all = client.call(10, &fetch(None)).groups.remove(0);
    assert_eq!(all.topics[0].topic_id, topic_id);
    assert_eq!(all.topics[0].partitions[0].committed_offset, 5);
    let asked = client.call(
        10,
        &fetch(Some(vec![OffsetFetchRequestTopic {
            topic_id: unknown,
            partition_indexes: vec![0],
            ..OffsetFetchRequestTopic::default()
        }])),
    );
    let partition = &asked.groups[0].topics[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn an_absent_offset_is_minus_one_and_no_error() {
    let (_broker, mut client) = start();
    let found = client.committed("nobody", "t");
    assert_eq!(
        (found.committed_offset, found.error_code),
        (-1, ErrorCode::NONE)
    );
    assert_eq!(found.metadata, Some(Text::from("")));
}

#[test]
fn a_group_that_is_not_there_is_dead_and_since_version_6_an_error() {
    let (_broker, mut client) = start();
    let dead = client.describe_group(5, "nobody");
    assert_eq!(
        (dead.error_code, dead.group_state),
        (ErrorCode::NONE, "Dead".into())
    );
    let missing = client.describe_group(6, "nobody");
    assert_eq!(missing.error_code, ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(
        missing.error_message,
        Some(Text::from("Group nobody not found."))
    );
}

#[test]
fn groups_are_listed_by_state_and_type_from_all_cores() {
    let (_broker, mut client) = start();
    client.join_alone("stable");
    for index in 0..20 {
        client.commit(&outsider(&format!("empty-{index}")), 1);
    }
    let mut list = |states: &[&str], types: &[&str]| {
        let request = ListGroupsRequest {
            states_filter: states.iter().map(|&state| state.into()).collect(),
            types_filter: types.iter().map(|&kind| kind.into()).collect(),
        };
        let answer = client.call(5, &request);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        answer.groups
    };
    assert_eq!(list(&[], &[]).len(), 21);
    assert_eq!(list(&["empty"], &[]).len(), 20);
    let stable = list(&["Stable"], &["Classic"]);
    assert_eq!((stable.len(), &*stable[0].group_id), (1, "stable"));
    assert_eq!(stable[0].group_type, "classic");
    assert!(list(&[], &["consumer"]).is_empty());
}

#[test]
fn groups_with_members_are_not_deleted_and_deleted_ones_forget() {
    let (_broker, mut client) = start();
    let member = client.join_alone("busy");
    client.commit(&member, 9);
    client.commit(&outsider("idle"), 9);
    let request = DeleteGroupsRequest {
        groups_names: vec!["busy".into(), "idle".into(), "nobody".into()],
    };
    let codes: Vec<_> = client
        .call(2, &request)
        .results
        .iter()
        .map(|result| result.error_code)
        .collect();
    let expected = [
        ErrorCode::NON_EMPTY_GROUP,
        ErrorCode::NONE,
        ErrorCode::GROUP_ID_NOT_FOUND,
    ];
    assert_eq!(codes, expected);
    assert_eq!(client.committed("idle", "t").committed_offset, -1);
}

#[test]
fn offsets_of_a_subscribed_topic_are_not_deleted() {
    let (_broker, mut client) = start();
    client.create_topic("other", 1);
    let member = client.join_alone("g");
    client.commit(&member, 9);
    client.commit_at(COMMIT, &member, "other", 9, "");
    let mut delete = |topic: &str| {
        let request = OffsetDeleteRequest {
            group_id: "g".into(),
            topics: vec![OffsetDeleteRequestTopic {
                name: topic.into(),
                partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
            }],
        };
        client.call(0, &request).topics[0].partitions[0].error_code
    };
    assert_eq!(delete("t"), ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC);
    assert_eq!(delete("other"), ErrorCode::NONE);
    assert_eq!(delete("nowhere"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(client.committed("g", "other").committed_offset, -1);
    assert_eq!(client.committed("g", "t").committed_offset, 9);
}

#[test]
fn offsets_go_with_their_topic() {
    let (_broker, mut client) = start();
    client.create_topic("short-lived", 1);
    client.commit_at(COMMIT, &outsider("g"), "short-lived", 9, "");
    assert_eq!(client.delete_topic("short-lived"), ErrorCode::NONE);
    client.create_topic("short-lived", 1);
    wait_until("the offset is forgotten", || {
        client.committed("g", "short-lived").committed_offset == -1
    });
}

#[test]
fn clients_do_not_write_to_the_offsets_topic() {
    let (_broker, mut client) = start();
    let refused = client.produce("__consumer_offsets", 0, &batch(&["mischief"]));
    assert_eq!(refused.error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
}
