//! A group as records of `__consumer_offsets`, and back.

use super::LogRecord;
use super::member::{Member, positive};
use super::offsets::Position;
use super::outbox::Key;
use super::request::CommittedOffset;
use super::state::{Group, State};
use crate::types::TimestampMs;
use crate::wire::group_records::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
};
use bytes::Bytes;
use std::collections::BTreeMap;

/// A position, or that there is none any more.
pub(super) fn position(group: &str, key: &Key, position: Option<&Position>) -> LogRecord {
    let value = position.map(|position| {
        let expires = position.expires_at.map_or(-1, |at| at.0);
        OffsetCommitValue {
            offset: position.committed.offset,
            leader_epoch: position.committed.leader_epoch,
            metadata: position.committed.metadata.as_str().into(),
            commit_timestamp: position.committed_at.0,
            expire_timestamp: expires,
        }
        .encode_value()
    });
    let key = OffsetCommitKey {
        group: group.into(),
        topic: key.0.as_str().into(),
        partition: key.1,
    };
    LogRecord {
        key: key.encode_key(),
        value,
    }
}

/// A position as it was written.
pub(super) fn read_position(value: &OffsetCommitValue, order: u64) -> Position {
    Position {
        committed: CommittedOffset {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata.to_string(),
        },
        committed_at: TimestampMs(value.commit_timestamp),
        expires_at: Some(value.expire_timestamp)
            .filter(|&at| at != -1)
            .map(TimestampMs),
        order,
    }
}

/// That a group is no more.
pub(super) fn no_group(group: &str) -> LogRecord {
    LogRecord {
        key: group_key(group),
        value: None,
    }
}

fn group_key(group: &str) -> Bytes {
    GroupMetadataKey {
        group: group.into(),
    }
    .encode_key()
}

impl Group {
    /// What every member was assigned.
    pub fn assignments(&self) -> BTreeMap<String, Bytes> {
        let members = self.members.values();
        members
            .map(|member| (member.id.clone(), member.assignment.clone()))
            .collect()
    }

    /// The group as it is, with this assignment.
    pub fn record(&self, assignments: &BTreeMap<String, Bytes>) -> LogRecord {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let member = |member: &Member| MemberMetadata {
            member_id: member.id.as_str().into(),
            group_instance_id: member.instance_id.as_deref().map(Into::into),
            client_id: member.client_id.as_str().into(),
            client_host: member.client_host.as_str().into(),
            rebalance_timeout: milliseconds(member.rebalance_timeout_ms),
            session_timeout: milliseconds(member.session_timeout_ms),
            subscription: member.metadata(protocol).cloned().unwrap_or_default(),
            assignment: assignments.get(&member.id).cloned().unwrap_or_default(),
        };
        let value = GroupMetadataValue {
            protocol_type: self.protocol_type.as_deref().unwrap_or_default().into(),
            generation: self.generation,
            protocol: self.protocol.as_deref().map(Into::into),
            leader: self.leader.as_deref().map(Into::into),
            current_state_timestamp: self.since.map_or(-1, |since| since.0),
            members: self.members.values().map(member).collect(),
        };
        LogRecord {
            key: group_key(&self.name),
            value: Some(value.encode_value()),
        }
    }

    /// Takes over what was written of the group; its positions stay.
    pub fn take_over(&mut self, value: &GroupMetadataValue) {
        let positions = std::mem::take(&mut self.positions);
        let held = std::mem::take(&mut self.held);
        let protocol = value.protocol.as_ref().map(ToString::to_string);
        let mut group = Group::new(&self.name);
        for written in &value.members {
            let member = read_member(written, protocol.as_deref().unwrap_or_default());
            if let Some(instance) = &member.instance_id {
                group.instances.insert(instance.clone(), member.id.clone());
            }
            group.members.insert(member.id.clone(), member);
        }
        group.state = match group.members.is_empty() {
            true => State::Empty,
            false => State::Stable,
        };
        group.previous = group.state;
        group.since = Some(value.current_state_timestamp)
            .filter(|&at| at != -1)
            .map(TimestampMs);
        group.protocol_type = Some(value.protocol_type.to_string()).filter(|kind| !kind.is_empty());
        group.protocol = protocol;
        group.generation = value.generation;
        group.leader = value.leader.as_ref().map(ToString::to_string);
        group.positions = positions;
        group.held = held;
        group.subscribed = group.subscribed_topics();
        *self = group;
    }
}

fn read_member(written: &MemberMetadata, protocol: &str) -> Member {
    let session_timeout_ms = positive(written.session_timeout);
    Member {
        id: written.member_id.to_string(),
        instance_id: written.group_instance_id.as_ref().map(ToString::to_string),
        client_id: written.client_id.to_string(),
        client_host: written.client_host.to_string(),
        session_timeout_ms,
        rebalance_timeout_ms: match written.rebalance_timeout {
            -1 => session_timeout_ms,
            timeout => positive(timeout),
        },
        protocols: vec![(protocol.to_owned(), kept(&written.subscription))],
        assignment: kept(&written.assignment),
        ..Member::default()
    }
}

/// Bytes that do not keep the batch in memory in which they were read.
fn kept(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn milliseconds(timeout_ms: u64) -> i32 {
    i32::try_from(timeout_ms).unwrap_or(i32::MAX)
}
