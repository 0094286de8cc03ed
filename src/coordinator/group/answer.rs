//! What a group answers, free of the wire's versions. `api` gives errors their codes.

use super::request::CommittedOffset;
use bytes::Bytes;
use std::convert::Infallible;

/// What the shard must do for a group's coordinator. It has no errands.
pub type Effect = crate::coordinator::Effect<GroupAnswer, Infallible>;

/// A topic and partition, and the position in it, if there is one; or why it cannot be told now.
pub type PositionFound = ((String, i32), Result<Option<CommittedOffset>, GroupError>);

/// Answers, one kind a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupAnswer {
    /// To [`GroupRequest::Join`](super::GroupRequest::Join).
    Join(Result<Joined, JoinRefusal>),
    /// To [`GroupRequest::Sync`](super::GroupRequest::Sync).
    Sync(Result<Synced, GroupError>),
    /// To [`GroupRequest::Heartbeat`](super::GroupRequest::Heartbeat).
    Heartbeat(Result<(), GroupError>),
    /// To [`GroupRequest::Leave`](super::GroupRequest::Leave): an outcome for each member, in order.
    Leave(Result<Vec<Result<(), GroupError>>, GroupError>),
    /// To [`GroupRequest::Commit`](super::GroupRequest::Commit): an outcome for each offset, in order.
    Commit(Vec<Result<(), GroupError>>),
    /// To [`GroupRequest::FetchOffsets`](super::GroupRequest::FetchOffsets): positions found; partitions without one say `None`.
    FetchOffsets(Result<Vec<PositionFound>, GroupError>),
    /// To [`GroupRequest::Describe`](super::GroupRequest::Describe).
    Describe(Result<GroupDescription, GroupError>),
    /// To [`GroupRequest::List`](super::GroupRequest::List).
    List(Vec<GroupListing>),
    /// To [`GroupRequest::Delete`](super::GroupRequest::Delete).
    Delete(Result<(), GroupError>),
    /// To [`GroupRequest::DeleteOffsets`](super::GroupRequest::DeleteOffsets): an outcome for each partition, in order.
    DeleteOffsets(Result<Vec<Result<(), GroupError>>, GroupError>),
}

/// A member of a new generation.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Joined {
    /// The generation.
    pub generation: i32,
    /// The group's protocol type.
    pub protocol_type: String,
    /// The chosen assignor.
    pub protocol_name: String,
    /// Member id of the leader.
    pub leader: String,
    /// The member's own id.
    pub member_id: String,
    /// For the leader: all members, with their metadata for the chosen assignor.
    pub members: Vec<JoinedMember>,
    /// The leader need not assign: everyone keeps what they have.
    pub skip_assignment: bool,
}

/// A member as the leader is told of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: String,
    /// Its `group.instance.id`.
    pub instance_id: Option<String>,
    /// Its metadata for the chosen assignor.
    pub metadata: Bytes,
}

/// A join that did not become a membership.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinRefusal {
    /// Why.
    pub error: GroupError,
    /// The id to come back with, after [`GroupError::MemberIdRequired`]; else what the client sent.
    pub member_id: String,
}

/// A member's share.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Synced {
    /// The group's protocol type.
    pub protocol_type: String,
    /// The chosen assignor.
    pub protocol_name: String,
    /// Its assignment, empty if the leader gave it none.
    pub assignment: Bytes,
}

/// A group in full.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct GroupDescription {
    /// Kafka's name of the state: `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Dead`.
    pub state: &'static str,
    /// `consumer`, `connect`, or empty.
    pub protocol_type: String,
    /// The chosen assignor; empty outside of `Stable`.
    pub protocol: String,
    /// Its members.
    pub members: Vec<MemberDescription>,
}

/// A member in full.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MemberDescription {
    /// Its id.
    pub member_id: String,
    /// Its `group.instance.id`.
    pub instance_id: Option<String>,
    /// Its client id.
    pub client_id: String,
    /// Its address.
    pub client_host: String,
    /// Its metadata for the chosen assignor; empty outside of `Stable`.
    pub metadata: Bytes,
    /// Its assignment; empty outside of `Stable`.
    pub assignment: Bytes,
}

/// A group in a list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct GroupListing {
    /// Its name.
    pub group: String,
    /// `consumer`, `connect`, or empty.
    pub protocol_type: String,
    /// Kafka's name of the state.
    pub state: &'static str,
    /// Kafka's name of the type: `classic`.
    pub group_type: &'static str,
}

/// Why a group says no. The names are Kafka's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "each is Kafka's error of the same name; the text says it"
)]
pub enum GroupError {
    #[error("the group id is not valid")]
    InvalidGroupId,
    #[error("there is no such group")]
    GroupIdNotFound,
    #[error("the group is not empty")]
    NonEmptyGroup,
    #[error("the group is subscribed to the topic")]
    GroupSubscribedToTopic,
    #[error("the coordinator does not know this member")]
    UnknownMemberId,
    #[error("a new member must come back with the id it was given")]
    MemberIdRequired,
    #[error("another member has taken this group.instance.id")]
    FencedInstanceId,
    #[error("the generation is not the group's")]
    IllegalGeneration,
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    #[error("the member's protocols do not fit the group's")]
    InconsistentGroupProtocol,
    #[error(
        "the session timeout is not within group.min.session.timeout.ms and group.max.session.timeout.ms"
    )]
    InvalidSessionTimeout,
    #[error("the group has group.max.size members")]
    GroupMaxSizeReached,
    #[error("the metadata of the offset is larger than offset.metadata.max.bytes")]
    OffsetMetadataTooLarge,
    #[error("the offsets or the group are too large for one batch of __consumer_offsets")]
    InvalidCommitOffsetSize,
    #[error("the group's state is too large for one batch of __consumer_offsets")]
    StateTooLarge,
    #[error("the commit's epoch is not the member's")]
    StaleMemberEpoch,
    #[error("a transaction is about to commit an offset of the partition")]
    UnstableOffsetCommit,
    #[error("the producer has been fenced")]
    ProducerFenced,
    #[error("the request is not valid")]
    InvalidRequest,
    #[error("the group's state cannot be written down")]
    CoordinatorNotAvailable,
}
