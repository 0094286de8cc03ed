//! OffsetFetch (9): the positions that groups have committed.
//!
//! Versions 0–10. Before 2 an error stands at each partition, then at the answer's top, from 8 on at each of several groups; null
//! topics are all (2), a member may say who it is (9), topics are named by id (10). A partition without a position has offset -1
//! and no error. A client may want stable positions only (7): one that a transaction is about to replace is UNSTABLE_OFFSET_COMMIT.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{CommittedOffset, FetchOffsetsRequest, GroupAnswer, GroupRequest};
use crate::metadata::Image;
use crate::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use std::collections::HashMap;

const TOP_LEVEL_ERROR_FROM: i16 = 2;
const SEVERAL_FROM: i16 = 8;
const TOPIC_IDS_FROM: i16 = 10;

/// Positions by topic and partition, or why they cannot be told.
type Positions = HashMap<(String, i32), Result<CommittedOffset, ErrorCode>>;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: OffsetFetchRequest = asked.decode()?;
    let mut response = OffsetFetchResponse::default();
    let stable = request.require_stable;
    if asked.version() >= SEVERAL_FROM {
        for group in &request.groups {
            response.groups.push(positions(asked, group, stable).await?);
        }
        return Ok(asked.answer(ApiKey::OffsetFetch, &response));
    }
    let only = OffsetFetchRequestGroup {
        group_id: request.group_id,
        topics: request.topics,
        ..OffsetFetchRequestGroup::default()
    };
    let found = positions(asked, &only, stable).await?;
    response.topics = found.topics;
    response.error_code = found.error_code;
    if asked.version() < TOP_LEVEL_ERROR_FROM && found.error_code != ErrorCode::NONE {
        response.topics = with_error(&only, found.error_code);
    }
    Ok(asked.answer(ApiKey::OffsetFetch, &response))
}

/// What one group is asked for.
async fn positions(
    asked: &Asked<'_>,
    group: &OffsetFetchRequestGroup,
    require_stable: bool,
) -> Result<OffsetFetchResponseGroup, Handled> {
    let image = asked.context.shard.image();
    let version = asked.version();
    let mut answer = OffsetFetchResponseGroup {
        group_id: group.group_id.clone(),
        ..OffsetFetchResponseGroup::default()
    };
    let fetch = GroupRequest::FetchOffsets(FetchOffsetsRequest {
        group: group.group_id.to_string(),
        partitions: group
            .topics
            .as_ref()
            .map(|topics| wanted(&image, topics, version)),
        member: membership(group),
        require_stable,
    });
    match groups::ask(asked, &group.group_id, fetch).await? {
        Ok(GroupAnswer::FetchOffsets(Ok(found))) => {
            let found: Positions = found
                .into_iter()
                .filter_map(|(key, position)| {
                    let position = position.map_err(faults::group).transpose()?;
                    Some((key, position))
                })
                .collect();
            answer.topics = match &group.topics {
                Some(topics) => asked_for(&image, topics, &found, version),
                None => all(&image, found, version),
            };
        }
        Ok(GroupAnswer::FetchOffsets(Err(error))) => answer.error_code = faults::group(error),
        Ok(other) => unreachable!("a fetch of offsets was answered with {other:?}"),
        Err(code) => answer.error_code = code,
    }
    Ok(answer)
}

/// A member that says who it is; others only look.
fn membership(group: &OffsetFetchRequestGroup) -> Option<(String, i32)> {
    let member = group.member_id.as_ref();
    (member.is_some() || group.member_epoch >= 0).then(|| {
        (
            groups::owned(member).unwrap_or_default(),
            group.member_epoch,
        )
    })
}

/// The topic's name, if the request's way to name it leads to one.
fn name_of(image: &Image, topic: &OffsetFetchRequestTopic, version: i16) -> Option<String> {
    if version < TOPIC_IDS_FROM {
        return Some(topic.name.to_string());
    }
    image
        .topic(topic.topic_id)
        .map(|known| known.name.to_string())
}

fn wanted(image: &Image, topics: &[OffsetFetchRequestTopic], version: i16) -> Vec<(String, i32)> {
    let mut wanted = Vec::new();
    for topic in topics {
        if let Some(name) = name_of(image, topic, version) {
            wanted.extend(
                topic
                    .partition_indexes
                    .iter()
                    .map(|&index| (name.clone(), index)),
            );
        }
    }
    wanted
}

fn asked_for(
    image: &Image,
    topics: &[OffsetFetchRequestTopic],
    found: &Positions,
    version: i16,
) -> Vec<OffsetFetchResponseTopic> {
    topics
        .iter()
        .map(|topic| {
            let name = name_of(image, topic, version);
            let partition = |&index: &i32| match &name {
                Some(name) => position(index, found.get(&(name.clone(), index))),
                None => OffsetFetchResponsePartition {
                    error_code: ErrorCode::UNKNOWN_TOPIC_ID,
                    ..position(index, None)
                },
            };
            OffsetFetchResponseTopic {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions: topic.partition_indexes.iter().map(partition).collect(),
            }
        })
        .collect()
}

/// Everything the group has; by id only topics that still have one.
fn all(image: &Image, found: Positions, version: i16) -> Vec<OffsetFetchResponseTopic> {
    let mut topics: HashMap<String, Vec<OffsetFetchResponsePartition>> = HashMap::new();
    for ((name, index), committed) in found {
        let partitions = topics.entry(name).or_default();
        partitions.push(position(index, Some(&committed)));
    }
    topics
        .into_iter()
        .filter_map(|(name, partitions)| {
            let topic_id = image.topic_by_name(&name).map(|topic| topic.id);
            if topic_id.is_none() && version >= TOPIC_IDS_FROM {
                return None;
            }
            Some(OffsetFetchResponseTopic {
                name: Text::from(name),
                topic_id: topic_id.unwrap_or_default(),
                partitions,
            })
        })
        .collect()
}

fn position(
    index: i32,
    found: Option<&Result<CommittedOffset, ErrorCode>>,
) -> OffsetFetchResponsePartition {
    let committed = found.and_then(|found| found.as_ref().ok());
    let refused = found.and_then(|found| found.as_ref().err());
    OffsetFetchResponsePartition {
        partition_index: index,
        committed_offset: committed.map_or(-1, |committed| committed.offset),
        committed_leader_epoch: committed.map_or(-1, |committed| committed.leader_epoch),
        metadata: super::text(committed.map_or("", |committed| &committed.metadata)),
        error_code: refused.copied().unwrap_or(ErrorCode::NONE),
    }
}

/// The oldest clients look for an error at each partition.
fn with_error(
    group: &OffsetFetchRequestGroup,
    error_code: ErrorCode,
) -> Vec<OffsetFetchResponseTopic> {
    let topics = group.topics.iter().flatten();
    topics
        .map(|topic| OffsetFetchResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: topic
                .partition_indexes
                .iter()
                .map(|&index| OffsetFetchResponsePartition {
                    error_code,
                    ..position(index, None)
                })
                .collect(),
        })
        .collect()
}
