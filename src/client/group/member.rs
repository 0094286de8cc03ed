//! The requests of one member to its group's coordinator, and what must be remembered between them.
//!
//! Has a connection of its own: JoinGroup waits as long as a rebalance lasts.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::assignors::{Assignor, Subscriber};
use super::protocol::{self, TopicPartitions};
use super::{Discover, GroupOptions};
use crate::client::cluster::{Backoff, Cluster};
use crate::client::error::ClientError;
use crate::client::group_admin::{BY_NAME, coordinator};
use crate::wire::messages::heartbeat::HeartbeatRequest;
use crate::wire::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use crate::wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use crate::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic,
};
use crate::wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use crate::wire::{ErrorCode, Request, Text};

const PROTOCOL_TYPE: &str = "consumer";
const NO_GENERATION: i32 = -1;

/// A member in one generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    member_id: String,
    generation: i32,
}

/// One member.
pub struct Member {
    cluster: Cluster,
    group_id: String,
    instance_id: Option<String>,
    session_timeout: Duration,
    rebalance_timeout: Duration,
    /// Empty until the coordinator gives one.
    member_id: String,
    generation: i32,
    joined: bool,
    /// As leader: how many partitions of each topic were shared out.
    shared_out: Option<BTreeMap<String, i32>>,
    /// The coordinator's node id, where it is known.
    coordinator: Option<i32>,
}

impl Member {
    pub fn new(cluster: Cluster, options: &GroupOptions) -> Member {
        Member {
            cluster,
            group_id: options.group_id.clone(),
            instance_id: options.instance_id.clone(),
            session_timeout: options.session_timeout,
            rebalance_timeout: options.rebalance_timeout,
            member_id: String::new(),
            generation: NO_GENERATION,
            joined: false,
            shared_out: None,
            coordinator: None,
        }
    }

    /// Whether it is in the present generation, as far as it knows.
    pub fn has_joined(&self) -> bool {
        self.joined
    }

    /// Whether the coordinator would take a commit.
    pub fn has_generation(&self) -> bool {
        self.generation != NO_GENERATION
    }

    /// The next poll shall join anew.
    pub fn must_rejoin(&mut self) {
        self.joined = false;
    }

    /// Joins, as leader shares out, and gives back the share; goes on until a generation stands.
    pub fn join(&mut self, topics: &[String]) -> Result<TopicPartitions, ClientError> {
        let mut pause = Backoff::start(self.cluster.patience().max(self.rebalance_timeout));
        loop {
            let error = match self.try_join(topics) {
                Ok(share) => {
                    self.joined = true;
                    return Ok(share);
                }
                Err(error) => error,
            };
            match error.code() {
                Some(ErrorCode::REBALANCE_IN_PROGRESS | ErrorCode::MEMBER_ID_REQUIRED) => {}
                Some(ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION) => self.forget(),
                _ => {
                    self.lost(&error);
                    pause.after(error)?;
                }
            }
        }
    }

    fn try_join(&mut self, topics: &[String]) -> Result<TopicPartitions, ClientError> {
        let metadata = Bytes::from(protocol::subscription(topics));
        let offered = |assignor: Assignor| JoinGroupRequestProtocol {
            name: assignor.name().into(),
            metadata: metadata.clone(),
        };
        let request = JoinGroupRequest {
            group_id: self.group_id.as_str().into(),
            session_timeout_ms: milliseconds(self.session_timeout),
            rebalance_timeout_ms: milliseconds(self.rebalance_timeout),
            member_id: self.member_id.as_str().into(),
            group_instance_id: self.instance(),
            protocol_type: PROTOCOL_TYPE.into(),
            protocols: Assignor::ALL.map(offered).to_vec(),
            reason: None,
        };
        let answer = self.ask(&request)?;
        if !answer.member_id.as_str().is_empty() {
            self.member_id = answer.member_id.to_string();
        }
        self.checked(answer.error_code)?;
        self.generation = answer.generation_id;
        let leads = answer.leader == answer.member_id && !answer.skip_assignment;
        self.shared_out = None;
        let assignments = if leads {
            self.share_out(&answer)?
        } else {
            Vec::new()
        };
        let request = SyncGroupRequest {
            group_id: self.group_id.as_str().into(),
            generation_id: self.generation,
            member_id: self.member_id.as_str().into(),
            group_instance_id: self.instance(),
            protocol_type: Some(PROTOCOL_TYPE.into()),
            protocol_name: answer.protocol_name,
            assignments,
        };
        let answer = self.ask(&request)?;
        self.checked(answer.error_code)?;
        protocol::read_assignment(&answer.assignment).ok_or_else(|| self.nonsense("an assignment"))
    }

    /// As leader: each member's share, in the way that all of them know.
    fn share_out(
        &mut self,
        answer: &JoinGroupResponse,
    ) -> Result<Vec<SyncGroupRequestAssignment>, ClientError> {
        let chosen = answer.protocol_name.as_deref().unwrap_or_default();
        let assignor = Assignor::ALL
            .into_iter()
            .find(|assignor| assignor.name() == chosen);
        let assignor = assignor.ok_or_else(|| self.nonsense("the choice of an assignor"))?;
        let mut subscribers = Vec::with_capacity(answer.members.len());
        for member in &answer.members {
            let topics = protocol::read_subscription(&member.metadata);
            subscribers.push(Subscriber {
                member_id: member.member_id.to_string(),
                instance_id: member.group_instance_id.as_ref().map(ToString::to_string),
                topics: topics.ok_or_else(|| self.nonsense("a subscription"))?,
            });
        }
        let mut partitions = BTreeMap::new();
        for topic in subscribers.iter().flat_map(|subscriber| &subscriber.topics) {
            if !partitions.contains_key(topic) {
                partitions.insert(topic.clone(), self.partition_count(topic)?);
            }
        }
        self.shared_out = Some(partitions.clone());
        partitions.retain(|_, count| *count > 0);
        let shares = assignor.assign(&partitions, &subscribers);
        let told = |(member_id, share): (String, TopicPartitions)| SyncGroupRequestAssignment {
            member_id: member_id.as_str().into(),
            assignment: protocol::assignment(&share).into(),
        };
        Ok(shares.into_iter().map(told).collect())
    }

    /// How many partitions a topic has now; 0 when it is not there.
    fn partition_count(&mut self, topic: &str) -> Result<i32, ClientError> {
        self.cluster.forget(topic);
        match self.cluster.topic(topic, false) {
            Ok(found) => Ok(i32::try_from(found.partitions.len()).unwrap_or(i32::MAX)),
            Err(ClientError::NoSuchTopic { .. }) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Whether, as leader, it would share out other partitions now than it did. Only the leader looks: its joining anew makes all the
    /// others join.
    pub fn would_share_out_anew(&mut self) -> Result<bool, ClientError> {
        let Some(before) = self.shared_out.clone() else {
            return Ok(false);
        };
        for (topic, count) in &before {
            if self.partition_count(topic)? != *count {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The topics that are meant now, asked of the coordinator's cluster.
    pub fn find(&mut self, meant: &mut Discover<'_>) -> Result<Vec<String>, ClientError> {
        meant(&mut self.cluster)
    }

    /// Who it is in the present generation.
    pub fn identity(&self) -> Identity {
        Identity {
            member_id: self.member_id.clone(),
            generation: self.generation,
        }
    }

    /// Says that `identity`, a member of the same group, is still there.
    pub fn heartbeat(&mut self, identity: &Identity) -> Result<(), ClientError> {
        let request = HeartbeatRequest {
            group_id: self.group_id.as_str().into(),
            generation_id: identity.generation,
            member_id: identity.member_id.as_str().into(),
            group_instance_id: self.instance(),
        };
        self.patiently(|member| {
            let answer = member.ask(&request)?;
            member.checked(answer.error_code)
        })
    }

    /// The coordinator has said this against the generation: what it means for the next join.
    pub fn is_told(&mut self, error: &ClientError) {
        let code = error.code();
        if matches!(
            code,
            Some(ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION)
        ) {
            self.forget();
        }
    }

    /// The offsets that the group committed for these partitions.
    pub fn committed(
        &mut self,
        share: &TopicPartitions,
    ) -> Result<BTreeMap<(String, i32), i64>, ClientError> {
        let topics: Vec<OffsetFetchRequestTopic> = share
            .iter()
            .map(|(name, partitions)| OffsetFetchRequestTopic {
                name: name.as_str().into(),
                partition_indexes: partitions.clone(),
                ..OffsetFetchRequestTopic::default()
            })
            .collect();
        let request = OffsetFetchRequest {
            group_id: self.group_id.as_str().into(),
            topics: Some(topics.clone()),
            groups: vec![OffsetFetchRequestGroup {
                group_id: self.group_id.as_str().into(),
                topics: Some(topics),
                ..OffsetFetchRequestGroup::default()
            }],
            require_stable: true,
        };
        self.patiently(|member| {
            let answer = member.ask(&request)?;
            member.checked(answer.error_code)?;
            let grouped = answer.groups.iter();
            grouped
                .clone()
                .try_for_each(|group| member.checked(group.error_code))?;
            let mut found = BTreeMap::new();
            for topic in answer
                .topics
                .iter()
                .chain(grouped.flat_map(|group| &group.topics))
            {
                for partition in &topic.partitions {
                    member.checked(partition.error_code)?;
                    if partition.committed_offset >= 0 {
                        let of = (topic.name.to_string(), partition.partition_index);
                        found.insert(of, partition.committed_offset);
                    }
                }
            }
            Ok(found)
        })
    }

    /// Commits the offsets of the next records to read.
    pub fn commit(&mut self, offsets: &BTreeMap<(String, i32), i64>) -> Result<(), ClientError> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, partition_index), &committed_offset) in offsets {
            topics
                .entry(topic)
                .or_default()
                .push(OffsetCommitRequestPartition {
                    partition_index: *partition_index,
                    committed_offset,
                    committed_metadata: Some(Text::default()),
                    ..OffsetCommitRequestPartition::default()
                });
        }
        let request = OffsetCommitRequest {
            group_id: self.group_id.as_str().into(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.member_id.as_str().into(),
            group_instance_id: self.instance(),
            topics: topics
                .into_iter()
                .map(|(name, partitions)| OffsetCommitRequestTopic {
                    name: name.into(),
                    partitions,
                    ..OffsetCommitRequestTopic::default()
                })
                .collect(),
            ..OffsetCommitRequest::default()
        };
        self.patiently(|member| {
            let answer = member.ask(&request)?;
            let mut results = answer.topics.iter().flat_map(|topic| &topic.partitions);
            results.try_for_each(|partition| member.checked(partition.error_code))
        })
    }

    /// Says that it goes; a static member says nothing, so that it may come back to its share.
    pub fn leave(&mut self) -> Result<(), ClientError> {
        self.joined = false;
        if self.instance_id.is_some() || self.member_id.is_empty() {
            return Ok(());
        }
        let request = LeaveGroupRequest {
            group_id: self.group_id.as_str().into(),
            member_id: self.member_id.as_str().into(),
            members: vec![MemberIdentity {
                member_id: self.member_id.as_str().into(),
                ..MemberIdentity::default()
            }],
        };
        let answer = self.ask(&request)?;
        self.checked(answer.error_code)
    }

    /// Tries again what may pass: a coordinator that moves or loads, a connection that breaks.
    fn patiently<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Member) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut pause = Backoff::start(self.cluster.patience());
        loop {
            match attempt(self) {
                Ok(done) => return Ok(done),
                Err(error) if super::rejoins(&error) => return Err(error),
                Err(error) => {
                    self.lost(&error);
                    pause.after(error)?;
                }
            }
        }
    }

    fn ask<R: Request>(&mut self, request: &R) -> Result<R::Response, ClientError> {
        let node = match self.coordinator {
            Some(node) => node,
            None => coordinator(&mut self.cluster, &self.group_id)?.node_id,
        };
        self.coordinator = Some(node);
        self.cluster.node(node)?.call_at_most(request, BY_NAME)
    }

    /// After a failure the coordinator may be another one.
    fn lost(&mut self, error: &ClientError) {
        if error.breaks_connection() {
            self.cluster.disconnect_all();
        }
        self.coordinator = None;
    }

    fn forget(&mut self) {
        self.member_id.clear();
        self.generation = NO_GENERATION;
        self.joined = false;
    }

    fn instance(&self) -> Option<Text> {
        self.instance_id.as_deref().map(Text::from)
    }

    fn checked(&self, code: ErrorCode) -> Result<(), ClientError> {
        match code {
            ErrorCode::NONE => Ok(()),
            code => Err(ClientError::Broker {
                what: format!("group {}", self.group_id),
                code,
                message: None,
            }),
        }
    }

    fn nonsense(&self, what: &str) -> ClientError {
        ClientError::Broker {
            what: format!("group {}", self.group_id),
            code: ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
            message: Some(format!("{what} cannot be understood")),
        }
    }
}

fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
