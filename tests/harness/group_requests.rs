//! Requests of the group APIs, in the words of the tests.

use bytes::Bytes;
use vltava::wire::ErrorCode;
use vltava::wire::messages::describe_groups::{DescribeGroupsRequest, DescribedGroup};
use vltava::wire::messages::find_coordinator::FindCoordinatorRequest;
use vltava::wire::messages::heartbeat::HeartbeatRequest;
use vltava::wire::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use vltava::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use vltava::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestTopic, OffsetFetchResponsePartition,
};
use vltava::wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};

use super::wire_client::{WireClient, wait_until};

/// The newest versions that name topics by their names.
pub const COMMIT: i16 = 9;
/// Likewise.
pub const OFFSET_FETCH: i16 = 7;
/// Newest.
pub const JOIN: i16 = 9;
/// Newest.
pub const SYNC: i16 = 5;
/// Newest.
pub const HEARTBEAT: i16 = 4;

/// A consumer that subscribes to `t` and knows the range assignor.
pub fn join_request(group: &str, member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range")],
        ..JoinGroupRequest::default()
    }
}

/// An assignor, with the subscription to `t` as metadata.
pub fn protocol(name: &str) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol {
        name: name.into(),
        metadata: Bytes::from_static(&[0, 0, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 0]),
    }
}

/// A member of a generation.
#[derive(Clone, Debug)]
pub struct Membership {
    pub group: String,
    pub member_id: String,
    pub generation: i32,
}

impl WireClient {
    /// Makes sure that groups are coordinated.
    pub fn need_coordinator(&mut self) {
        let request = FindCoordinatorRequest {
            key: "g".into(),
            ..FindCoordinatorRequest::default()
        };
        wait_until("groups are coordinated", || {
            self.call(0, &request).error_code == ErrorCode::NONE
        });
    }

    /// Joins; a new member comes back with the id it is given.
    pub fn join(&mut self, request: &JoinGroupRequest) -> JoinGroupResponse {
        let answer = self.call(JOIN, request);
        if answer.error_code != ErrorCode::MEMBER_ID_REQUIRED {
            return answer;
        }
        self.call(
            JOIN,
            &JoinGroupRequest {
                member_id: answer.member_id,
                ..request.clone()
            },
        )
    }

    /// Becomes the only member of a group, with an assignment.
    pub fn join_alone(&mut self, group: &str) -> Membership {
        let joined = self.join(&join_request(group, ""));
        assert_eq!(joined.error_code, ErrorCode::NONE, "{joined:?}");
        let member = Membership {
            group: group.to_owned(),
            member_id: joined.member_id.to_string(),
            generation: joined.generation_id,
        };
        let (code, _) = self.sync(&member, &[(&member.member_id, b"all")]);
        assert_eq!(code, ErrorCode::NONE);
        member
    }

    /// Asks for the assignment, as a leader with this one.
    pub fn sync(&mut self, member: &Membership, shares: &[(&str, &[u8])]) -> (ErrorCode, Bytes) {
        let answer = self.call(SYNC, &sync_request(member, shares));
        (answer.error_code, answer.assignment)
    }

    /// Still there.
    pub fn heartbeat(&mut self, member: &Membership) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: member.group.as_str().into(),
            generation_id: member.generation,
            member_id: member.member_id.as_str().into(),
            ..HeartbeatRequest::default()
        };
        self.call(HEARTBEAT, &request).error_code
    }

    /// Commits one offset of `t`-0.
    pub fn commit(&mut self, member: &Membership, offset: i64) -> ErrorCode {
        self.commit_at(COMMIT, member, "t", offset, "")
    }

    /// Commits one offset in any version.
    pub fn commit_at(
        &mut self,
        version: i16,
        member: &Membership,
        topic: &str,
        offset: i64,
        metadata: &str,
    ) -> ErrorCode {
        let request = OffsetCommitRequest {
            group_id: member.group.as_str().into(),
            generation_id_or_member_epoch: member.generation,
            member_id: member.member_id.as_str().into(),
            topics: vec![OffsetCommitRequestTopic {
                name: topic.into(),
                partitions: vec![OffsetCommitRequestPartition {
                    committed_offset: offset,
                    committed_metadata: Some(metadata.into()),
                    ..OffsetCommitRequestPartition::default()
                }],
                ..OffsetCommitRequestTopic::default()
            }],
            ..OffsetCommitRequest::default()
        };
        self.call(version, &request).topics[0].partitions[0].error_code
    }

    /// What a group has committed for partition 0 of `topic`.
    pub fn committed(&mut self, group: &str, topic: &str) -> OffsetFetchResponsePartition {
        let request = OffsetFetchRequest {
            group_id: group.into(),
            topics: Some(vec![OffsetFetchRequestTopic {
                name: topic.into(),
                partition_indexes: vec![0],
                ..OffsetFetchRequestTopic::default()
            }]),
            ..OffsetFetchRequest::default()
        };
        let answer = self.call(OFFSET_FETCH, &request);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        answer.topics[0].partitions[0].clone()
    }

    /// The group from outside.
    pub fn describe_group(&mut self, version: i16, group: &str) -> DescribedGroup {
        let request = DescribeGroupsRequest {
            groups: vec![group.into()],
            ..DescribeGroupsRequest::default()
        };
        self.call(version, &request).groups.remove(0)
    }
}

/// A sync of a member whose group has agreed on the range assignor, as a leader with these shares.
pub fn sync_request(member: &Membership, shares: &[(&str, &[u8])]) -> SyncGroupRequest {
    SyncGroupRequest {
        group_id: member.group.as_str().into(),
        generation_id: member.generation,
        member_id: member.member_id.as_str().into(),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: shares
            .iter()
            .map(|(member, share)| SyncGroupRequestAssignment {
                member_id: (*member).into(),
                assignment: Bytes::copy_from_slice(share),
            })
            .collect(),
        ..SyncGroupRequest::default()
    }
}
