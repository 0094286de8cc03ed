//! From records to groups, in the order in which they were written.

use super::coordinator::Coordinator;
use super::member::{Member, Terms};
use super::offsets::Position;
use super::request::CommittedOffset;
use super::state::{Group, State};
use crate::types::TimestampMs;
use crate::wire::WireError;
use crate::wire::group_records::{
    GroupMetadataValue, GroupRecordKey, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
};
use bytes::Bytes;
use std::rc::Rc;

/// A record that says nothing that can be understood.
#[derive(Debug, thiserror::Error)]
pub enum GroupRecordError {
    /// Its key.
    #[error("the key of a group record: {0}")]
    Key(WireError),
    /// Its value.
    #[error("the value of a record of group {group:?}: {error}")]
    Value {
        /// The group.
        group: String,
        /// What is wrong.
        error: WireError,
    },
}

impl Coordinator {
    /// Takes over a record that was written before.
    ///
    /// # Errors
    /// A malformed record; nothing changes then.
    pub fn replay(&mut self, key: Bytes, value: Option<Bytes>) -> Result<(), GroupRecordError> {
        match GroupRecordKey::decode(key).map_err(GroupRecordError::Key)? {
            GroupRecordKey::Offset(key) => self.replay_offset(&key, value),
            GroupRecordKey::Group(key) => self.replay_group(&key.group, value),
            // Of the newer protocols' groups, which this coordinator has none of.
            GroupRecordKey::Other { .. } => Ok(()),
        }
    }

    fn replay_offset(
        &mut self,
        key: &OffsetCommitKey,
        value: Option<Bytes>,
    ) -> Result<(), GroupRecordError> {
        let position = match value {
            None => None,
            Some(value) => {
                let value = OffsetCommitValue::from_bytes(value);
                Some(position(
                    value.map_err(|error| malformed(&key.group, error))?,
                ))
            }
        };
        if position.is_some() {
            self.groups
                .entry(Rc::from(&*key.group))
                .or_insert_with_key(|name| Group::new(Rc::clone(name), TimestampMs(0)));
        }
        if let Some(group) = self.groups.get_mut(&*key.group) {
            group.stored = true;
            group.offsets.load(&key.topic, key.partition, position);
        }
        Ok(())
    }

    fn replay_group(&mut self, name: &str, value: Option<Bytes>) -> Result<(), GroupRecordError> {
        let value = match value {
            None => None,
            Some(value) => {
                let value = GroupMetadataValue::from_bytes(value);
                Some(value.map_err(|error| malformed(name, error))?)
            }
        };
        let before = self.groups.remove(name);
        let offsets = before.map(|group| group.offsets).unwrap_or_default();
        if value.is_none() && offsets.is_empty() {
            return Ok(());
        }
        let mut group = Group::new(Rc::from(name), TimestampMs(0));
        group.offsets = offsets;
        group.stored = true;
        if let Some(value) = value {
            fill(&mut group, &value);
        }
        self.groups.insert(Rc::clone(&group.name), group);
        Ok(())
    }
}

fn malformed(group: &str, error: WireError) -> GroupRecordError {
    let group = group.to_owned();
    GroupRecordError::Value { group, error }
}

fn position(value: OffsetCommitValue) -> Position {
    let expires = value.expire_timestamp;
    Position {
        committed: CommittedOffset {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata.to_string(),
        },
        commit_timestamp: TimestampMs(value.commit_timestamp),
        expires: (expires != -1).then_some(TimestampMs(expires)),
    }
}

fn fill(group: &mut Group, value: &GroupMetadataValue) {
    group.generation = value.generation;
    group.protocol = value.protocol.as_ref().map(|protocol| protocol.to_string());
    group.leader = value.leader.as_ref().map(|leader| leader.to_string());
    let since = value.current_state_timestamp;
    group.state_since = (since != -1).then_some(TimestampMs(since));
    for member in &value.members {
        let protocol = group.protocol.clone().unwrap_or_default();
        group.add(loaded_member(member, protocol), &value.protocol_type);
    }
    let protocol_type = value.protocol_type.to_string();
    group.protocol_type = Some(protocol_type).filter(|name| !name.is_empty());
    group.state = if value.members.is_empty() {
        State::Empty
    } else {
        State::Stable
    };
    group.find_subscriptions();
}

fn loaded_member(member: &MemberMetadata, protocol: String) -> Member {
    let rebalance_timeout_ms = match member.rebalance_timeout {
        -1 => member.session_timeout,
        timeout => timeout,
    };
    Member {
        id: member.member_id.to_string(),
        instance_id: member.group_instance_id.as_ref().map(|id| id.to_string()),
        client_id: member.client_id.to_string(),
        client_host: member.client_host.to_string(),
        terms: Terms {
            protocols: vec![(protocol, member.subscription.clone())],
            session_timeout_ms: member.session_timeout,
            rebalance_timeout_ms,
        },
        assignment: member.assignment.clone(),
        join: None,
        sync: None,
        is_new: false,
        due: None,
    }
}
