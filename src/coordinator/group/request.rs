//! What clients ask of a group, free of the wire's versions.
//!
//! Strings and bytes are owned: a group outlives the frame that named it.

use std::collections::BTreeMap;

use super::Producer;
use crate::types::TimestampMs;
use bytes::Bytes;

/// What is asked. Every request gets exactly one [`GroupAnswer`](super::GroupAnswer) of the same kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupRequest {
    /// Become or stay a member: JoinGroup.
    Join(JoinRequest),
    /// Hand out (the leader) or get (everyone) the assignment: SyncGroup.
    Sync(SyncRequest),
    /// Still there: Heartbeat.
    Heartbeat(MemberClaim),
    /// Members leave, or are put out: LeaveGroup.
    Leave(LeaveRequest),
    /// Remember positions: OffsetCommit, TxnOffsetCommit.
    Commit(CommitRequest),
    /// The remembered positions: OffsetFetch.
    FetchOffsets(FetchOffsetsRequest),
    /// What the group looks like: DescribeGroups.
    Describe {
        /// The group.
        group: String,
    },
    /// All groups of the coordinator that fit: ListGroups.
    List(ListFilter),
    /// Forget a group that nobody belongs to: DeleteGroups.
    Delete {
        /// The group.
        group: String,
    },
    /// Forget positions in topics that nobody subscribes to: OffsetDelete.
    DeleteOffsets(DeleteOffsetsRequest),
}

/// Who says it: a member of a generation.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MemberClaim {
    /// The group.
    pub group: String,
    /// The member id; empty for none.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// The generation; -1 for none.
    pub generation: i32,
}

/// JoinGroup.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct JoinRequest {
    /// The group.
    pub group: String,
    /// The member id; empty when the client has none yet.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// The client's id, for people.
    pub client_id: String,
    /// The client's address as `/127.0.0.1`, for people.
    pub client_host: String,
    /// Silence after which the member is out.
    pub session_timeout_ms: i32,
    /// How long a rebalance waits for the member; version 0 says the session timeout here.
    pub rebalance_timeout_ms: i32,
    /// `consumer`, or `connect`.
    pub protocol_type: String,
    /// Assignors it can work with, the preferred first, each with its metadata.
    pub protocols: Vec<(String, Bytes)>,
    /// A new member must come back with the id it is given (JoinGroup 4 and later).
    pub must_know_its_id: bool,
    /// The leader understands `skip_assignment` (JoinGroup 9).
    pub may_skip_assignment: bool,
    /// Why it joins, for people.
    pub reason: Option<String>,
    /// Randomness for a new member's id: `<client id or instance id>-<uuid>`.
    pub fresh_id: uuid::Uuid,
}

/// SyncGroup.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SyncRequest {
    /// Who.
    pub claim: MemberClaim,
    /// What the client takes for the group's protocol type (SyncGroup 5).
    pub protocol_type: Option<String>,
    /// What the client takes for the chosen assignor (SyncGroup 5).
    pub protocol_name: Option<String>,
    /// From the leader: assignment by member id.
    pub assignments: Vec<(String, Bytes)>,
}

/// LeaveGroup.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LeaveRequest {
    /// The group.
    pub group: String,
    /// Who leaves.
    pub members: Vec<LeavingMember>,
}

/// One member that leaves.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LeavingMember {
    /// The member id; empty to name a static member by its instance alone.
    pub member_id: String,
    /// `group.instance.id`.
    pub instance_id: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
}

/// A position in one partition.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CommittedOffset {
    /// The offset to go on from.
    pub offset: i64,
    /// Leader epoch of the record before, -1 for unknown.
    pub leader_epoch: i32,
    /// The application's own note.
    pub metadata: String,
}

/// OffsetCommit. The shard has already refused partitions that do not exist.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CommitRequest {
    /// Who; a commit without membership has generation -1 and an empty member id.
    pub claim: MemberClaim,
    /// How long to keep it, from versions 2 to 4; `None` is the broker's retention.
    pub retention_ms: Option<i64>,
    /// Dates that version 1 gives positions, by topic and partition; the others are of now.
    pub commit_timestamps: BTreeMap<(String, i32), TimestampMs>,
    /// Positions by topic and partition.
    pub offsets: Vec<((String, i32), CommittedOffset)>,
    /// In whose transaction they count, if in one: TxnOffsetCommit.
    pub producer: Option<Producer>,
}

/// OffsetFetch of one group.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FetchOffsetsRequest {
    /// The group.
    pub group: String,
    /// The partitions; `None` is all that have a position.
    pub partitions: Option<Vec<(String, i32)>>,
    /// Member id and epoch of a client that states its membership (version 9); nothing is checked for `None`.
    pub member: Option<(String, i32)>,
    /// Whether partitions whose position a transaction is about to commit are refused.
    pub require_stable: bool,
}

/// Which groups are listed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ListFilter {
    /// Names of states, compared without regard to case; empty is all.
    pub states: Vec<String>,
    /// Group types (`classic`), likewise.
    pub types: Vec<String>,
}

/// OffsetDelete.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct DeleteOffsetsRequest {
    /// The group.
    pub group: String,
    /// The partitions.
    pub partitions: Vec<(String, i32)>,
}
