//! OffsetCommit (8): positions of a group that are to be remembered.
//!
//! Versions 0–10: 0 comes from no member, 1 may say when, 2 to 4 for how long, 6 brings leader epochs, 7 static members; 10 names
//! topics by id. Whether partitions exist is checked here, the rest is the group's affair. The answer comes when the
//! commit is as durable as acks=all.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{
    CommitRequest, CommittedOffset, GroupAnswer, GroupError, GroupRequest,
};
use crate::metadata::Image;
use crate::types::TimestampMs;
use crate::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::wire::{ApiKey, ErrorCode};
use std::collections::BTreeMap;

const GROUP_NOT_FOUND_FROM: i16 = 9;
const TOPIC_IDS_FROM: i16 = 10;
/// A date that says: when it arrives.
const NOW: i64 = -1;

/// A partition's place in the answer.
struct Place {
    topic: usize,
    partition: usize,
}

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: OffsetCommitRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let (mut response, mut places, mut offsets) = (OffsetCommitResponse::default(), vec![], vec![]);
    let mut dates = BTreeMap::new();
    for topic in &request.topics {
        let name = known_name(&image, topic, asked.version());
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let exists = name
                .as_ref()
                .map_err(|code| *code)
                .and_then(|name| existing(&image, name, partition.partition_index));
            let error_code = match exists {
                Ok(key) => {
                    if partition.commit_timestamp != NOW {
                        let date = TimestampMs(partition.commit_timestamp);
                        dates.insert(key.clone(), date);
                    }
                    places.push(Place {
                        topic: response.topics.len(),
                        partition: answers.len(),
                    });
                    offsets.push((key, committed(partition)));
                    ErrorCode::NONE
                }
                Err(code) => code,
            };
            answers.push(OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code,
            });
        }
        response.topics.push(OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: answers,
        });
    }
    if !places.is_empty() {
        let commit = GroupRequest::Commit(commit(&request, offsets, dates));
        let codes = match groups::ask(asked, &request.group_id, commit).await? {
            Ok(GroupAnswer::Commit(outcomes)) => outcomes
                .into_iter()
                .map(|outcome| code(outcome, asked.version()))
                .collect(),
            Ok(other) => unreachable!("a commit was answered with {other:?}"),
            Err(code) => vec![code; places.len()],
        };
        for (place, code) in places.iter().zip(codes) {
            response.topics[place.topic].partitions[place.partition].error_code = code;
        }
    }
    Ok(asked.answer(ApiKey::OffsetCommit, &response))
}

/// Before version 9 clients have no code for a group that is not there.
fn code(outcome: Result<(), GroupError>, version: i16) -> ErrorCode {
    match outcome {
        Ok(()) => ErrorCode::NONE,
        Err(GroupError::GroupIdNotFound) if version < GROUP_NOT_FOUND_FROM => {
            ErrorCode::ILLEGAL_GENERATION
        }
        Err(error) => faults::group(error),
    }
}

fn known_name(
    image: &Image,
    topic: &OffsetCommitRequestTopic,
    version: i16,
) -> Result<String, ErrorCode> {
    if version < TOPIC_IDS_FROM {
        return Ok(topic.name.to_string());
    }
    let known = image
        .topic(topic.topic_id)
        .ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
    Ok(known.name.to_string())
}

/// The partition, if there is such a one.
pub(super) fn existing(
    image: &Image,
    name: &str,
    partition: i32,
) -> Result<(String, i32), ErrorCode> {
    image
        .topic_by_name(name)
        .filter(|topic| topic.partitions.contains_key(&partition))
        .map(|_| (name.to_owned(), partition))
        .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
}

fn committed(partition: &OffsetCommitRequestPartition) -> CommittedOffset {
    CommittedOffset {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: groups::owned(partition.committed_metadata.as_ref()).unwrap_or_default(),
    }
}

fn commit(
    request: &OffsetCommitRequest,
    offsets: Vec<((String, i32), CommittedOffset)>,
    dates: BTreeMap<(String, i32), TimestampMs>,
) -> CommitRequest {
    CommitRequest {
        producer: None,
        claim: groups::claim(
            &request.group_id,
            &request.member_id,
            request.group_instance_id.as_ref(),
            request.generation_id_or_member_epoch,
        ),
        retention_ms: Some(request.retention_time_ms).filter(|&kept| kept != -1),
        commit_timestamps: dates,
        offsets,
    }
}
