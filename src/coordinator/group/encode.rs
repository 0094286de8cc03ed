//! A group's records as Kafka 4.3 writes them.

use super::answer::LogRecord;
use super::offsets::Position;
use super::state::Group;
use crate::wire::Text;
use crate::wire::group_records::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
};
use bytes::Bytes;

/// The group as it is, but with these assignments.
pub(super) fn group(group: &Group, assignment: impl Fn(&str) -> Bytes) -> LogRecord {
    let protocol = group.protocol.as_deref();
    let members = group.members().map(|member| MemberMetadata {
        member_id: Text::from(member.id.as_str()),
        group_instance_id: member.instance_id.as_deref().map(Text::from),
        client_id: Text::from(member.client_id.as_str()),
        client_host: Text::from(member.client_host.as_str()),
        rebalance_timeout: member.terms.rebalance_timeout_ms,
        session_timeout: member.terms.session_timeout_ms,
        subscription: member.metadata(protocol),
        assignment: assignment(&member.id),
    });
    let value = GroupMetadataValue {
        protocol_type: Text::from(group.protocol_type.as_deref().unwrap_or_default()),
        generation: group.generation,
        protocol: protocol.map(Text::from),
        leader: group.leader.as_deref().map(Text::from),
        current_state_timestamp: group.state_since.map_or(-1, |since| since.0),
        members: members.collect(),
    };
    LogRecord {
        key: group_key(&group.name),
        value: Some(value.to_bytes()),
    }
}

/// The group without members: what is written of one that nobody has been in yet.
pub(super) fn empty_group(group: &Group) -> LogRecord {
    let value = GroupMetadataValue {
        generation: group.generation,
        current_state_timestamp: group.state_since.map_or(-1, |since| since.0),
        ..GroupMetadataValue::default()
    };
    LogRecord {
        key: group_key(&group.name),
        value: Some(value.to_bytes()),
    }
}

/// The group is forgotten.
pub(super) fn group_tombstone(name: &str) -> LogRecord {
    LogRecord {
        key: group_key(name),
        value: None,
    }
}

/// A position.
pub(super) fn offset(group: &str, topic: &str, partition: i32, position: &Position) -> LogRecord {
    let value = OffsetCommitValue {
        offset: position.committed.offset,
        leader_epoch: position.committed.leader_epoch,
        metadata: Text::from(position.committed.metadata.as_str()),
        commit_timestamp: position.commit_timestamp.0,
        expire_timestamp: position.expires.map_or(-1, |expires| expires.0),
    };
    LogRecord {
        key: offset_key(group, topic, partition),
        value: Some(value.to_bytes()),
    }
}

/// A position is forgotten.
pub(super) fn offset_tombstone(group: &str, topic: &str, partition: i32) -> LogRecord {
    LogRecord {
        key: offset_key(group, topic, partition),
        value: None,
    }
}

fn group_key(group: &str) -> Bytes {
    let group = Text::from(group);
    GroupMetadataKey { group }.to_bytes()
}

fn offset_key(group: &str, topic: &str, partition: i32) -> Bytes {
    let key = OffsetCommitKey {
        group: Text::from(group),
        topic: Text::from(topic),
        partition,
    };
    key.to_bytes()
}
