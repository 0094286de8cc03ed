//! Groups from outside: which there are, who is in them, which offsets they committed, and changes to those.
//!
//! Each group is asked of its coordinator; a coordinator that moves or still loads is waited for. Several groups are several
//! questions: one that is refused does not spoil the others.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::error::ClientError;
use crate::wire::messages::delete_groups::DeleteGroupsRequest;
use crate::wire::messages::describe_groups::{DescribeGroupsRequest, DescribedGroup};
use crate::wire::messages::find_coordinator::{Coordinator, FindCoordinatorRequest};
use crate::wire::messages::list_groups::{ListGroupsRequest, ListedGroup};
use crate::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use crate::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchResponse, OffsetFetchResponseTopic,
};
use crate::wire::{ErrorCode, Request, Text};

/// A topic's name and a partition's index.
pub type TopicPartition = (String, i32);

/// What a group committed for a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The offset of the next record to read.
    pub offset: i64,
    /// Leader epoch of the last record that was read, or -1.
    pub leader_epoch: i32,
}

/// `FindCoordinatorRequest` asks for a group's with this.
const KEY_TYPE_GROUP: i8 = 0;
/// The answer to whoever does not want to know what he may do.
const GENERATION_FROM_OUTSIDE: i32 = -1;

/// The newest version of OffsetCommit and OffsetFetch that names topics; later ones have their ids only. No other API of groups has
/// got so far.
pub(super) const BY_NAME: i16 = 9;

/// The groups of every broker, by name; in these states and of these types only, where any are given.
///
/// # Errors
/// When a broker cannot be reached or refuses.
pub fn list_groups(
    cluster: &mut Cluster,
    states: &[String],
    types: &[String],
) -> Result<Vec<ListedGroup>, ClientError> {
    let texts = |list: &[String]| list.iter().map(|text| text.as_str().into()).collect();
    let request = ListGroupsRequest {
        states_filter: texts(states),
        types_filter: texts(types),
    };
    let mut groups = Vec::new();
    let nodes: Vec<i32> = cluster.nodes().keys().copied().collect();
    for node in nodes {
        let answer = cluster.patiently(|cluster| {
            let answer = cluster.node(node)?.call(&request)?;
            checked(answer.error_code, || "the groups".to_owned(), None)?;
            Ok(answer)
        })?;
        groups.extend(answer.groups);
    }
    groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
    Ok(groups)
}

/// The coordinator of a group.
///
/// # Errors
/// When there is none for longer than the patience.
pub fn coordinator(cluster: &mut Cluster, group: &str) -> Result<Coordinator, ClientError> {
    let request = FindCoordinatorRequest {
        key: group.into(),
        key_type: KEY_TYPE_GROUP,
        coordinator_keys: vec![group.into()],
    };
    cluster.patiently(|cluster| {
        let answer = cluster.any()?.call(&request)?;
        let what = || format!("the coordinator of group {group}");
        checked(answer.error_code, what, answer.error_message.as_deref())?;
        let only = answer.coordinators.into_iter().next();
        let found = only.unwrap_or_else(|| Coordinator {
            key: group.into(),
            node_id: answer.node_id,
            host: answer.host.clone(),
            port: answer.port,
            ..Coordinator::default()
        });
        checked(found.error_code, what, found.error_message.as_deref())?;
        Ok(found)
    })
}

/// Asks a group's coordinator, again where it is about to change. `check` finds the error inside the answer.
fn ask<R: Request>(
    cluster: &mut Cluster,
    group: &str,
    request: &R,
    check: impl Fn(&R::Response) -> Result<(), ClientError>,
) -> Result<R::Response, ClientError> {
    cluster.patiently(|cluster| {
        let node = coordinator(cluster, group)?.node_id;
        let answer = cluster.node(node)?.call_at_most(request, BY_NAME)?;
        check(&answer)?;
        Ok(answer)
    })
}

/// A group with its members.
///
/// # Errors
/// GROUP_ID_NOT_FOUND when there is none (an older broker answers with the state `Dead`), or what the coordinator says.
pub fn describe_group(cluster: &mut Cluster, group: &str) -> Result<DescribedGroup, ClientError> {
    let request = DescribeGroupsRequest {
        groups: vec![group.into()],
        include_authorized_operations: false,
    };
    let mut answer = ask(cluster, group, &request, |answer| {
        answer.groups.iter().try_for_each(|found| {
            let words = found.error_message.as_deref();
            checked(found.error_code, || group_named(group), words)
        })
    })?;
    answer.groups.pop().ok_or_else(|| unanswered(group))
}

/// What a group committed, all of it.
///
/// # Errors
/// When the coordinator refuses.
pub fn committed_offsets(
    cluster: &mut Cluster,
    group: &str,
) -> Result<BTreeMap<TopicPartition, CommittedOffset>, ClientError> {
    let request = OffsetFetchRequest {
        group_id: group.into(),
        topics: None,
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.into(),
            ..OffsetFetchRequestGroup::default()
        }],
        require_stable: false,
    };
    let answer = ask(cluster, group, &request, |answer| {
        let inside = answer.groups.iter().map(|found| found.error_code);
        let mut codes = inside.chain([answer.error_code]);
        codes.try_for_each(|code| checked(code, || group_named(group), None))
    })?;
    let mut committed = BTreeMap::new();
    for topic in topics_of(answer) {
        for partition in topic.partitions {
            let of = (topic.name.to_string(), partition.partition_index);
            checked(
                partition.error_code,
                || format!("the offset of {}-{}", of.0, of.1),
                None,
            )?;
            if partition.committed_offset >= 0 {
                let offset = CommittedOffset {
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                };
                committed.insert(of, offset);
            }
        }
    }
    Ok(committed)
}

fn topics_of(answer: OffsetFetchResponse) -> Vec<OffsetFetchResponseTopic> {
    let grouped = answer.groups.into_iter().flat_map(|group| group.topics);
    answer.topics.into_iter().chain(grouped).collect()
}

/// Commits offsets for a group without members.
///
/// # Errors
/// The first partition's that is refused; others may have been taken.
pub fn commit_offsets(
    cluster: &mut Cluster,
    group: &str,
    offsets: &BTreeMap<TopicPartition, i64>,
) -> Result<(), ClientError> {
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
    let topic = |(name, partitions): (&str, _)| OffsetCommitRequestTopic {
        name: name.into(),
        partitions,
        ..OffsetCommitRequestTopic::default()
    };
    let request = OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: GENERATION_FROM_OUTSIDE,
        topics: topics.into_iter().map(topic).collect(),
        ..OffsetCommitRequest::default()
    };
    ask(cluster, group, &request, |answer| {
        answer.topics.iter().try_for_each(|topic| {
            topic.partitions.iter().try_for_each(|partition| {
                let what = || format!("the offset of {}-{}", topic.name, partition.partition_index);
                checked(partition.error_code, what, None)
            })
        })
    })
    .map(|_| ())
}

/// Deletes a group without members.
///
/// # Errors
/// When the coordinator refuses.
pub fn delete_group(cluster: &mut Cluster, group: &str) -> Result<(), ClientError> {
    let request = DeleteGroupsRequest {
        groups_names: vec![group.into()],
    };
    ask(cluster, group, &request, |answer| {
        let mut codes = answer.results.iter().map(|result| result.error_code);
        codes.try_for_each(|code| checked(code, || group_named(group), None))
    })
    .map(|_| ())
}

/// Deletes what a group committed for these partitions; a code for each.
///
/// # Errors
/// When the coordinator refuses the whole.
pub fn delete_offsets(
    cluster: &mut Cluster,
    group: &str,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, ErrorCode>, ClientError> {
    let mut topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
    for (topic, partition_index) in partitions {
        let partition_index = *partition_index;
        topics
            .entry(topic)
            .or_default()
            .push(OffsetDeleteRequestPartition { partition_index });
    }
    let topic = |(name, partitions): (&str, _)| OffsetDeleteRequestTopic {
        name: name.into(),
        partitions,
    };
    let request = OffsetDeleteRequest {
        group_id: group.into(),
        topics: topics.into_iter().map(topic).collect(),
    };
    let answer = ask(cluster, group, &request, |answer| {
        checked(answer.error_code, || group_named(group), None)
    })?;
    let results = answer.topics.into_iter().flat_map(|topic| {
        let name = topic.name.to_string();
        let of = move |index| (name.clone(), index);
        topic
            .partitions
            .into_iter()
            .map(move |result| (of(result.partition_index), result.error_code))
    });
    Ok(results.collect())
}

fn group_named(group: &str) -> String {
    format!("group {group}")
}

fn unanswered(group: &str) -> ClientError {
    ClientError::Broker {
        what: group_named(group),
        code: ErrorCode::UNKNOWN_SERVER_ERROR,
        message: None,
    }
}

fn checked(
    code: ErrorCode,
    what: impl FnOnce() -> String,
    message: Option<&str>,
) -> Result<(), ClientError> {
    match code {
        ErrorCode::NONE => Ok(()),
        code => Err(ClientError::Broker {
            what: what(),
            code,
            message: message.map(ToOwned::to_owned),
        }),
    }
}
