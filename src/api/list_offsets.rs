//! ListOffsets (2): the earliest, the latest, or the first record at a time.
//!
//! Versions 0–11. Version 0 knows no records' timestamps: it answers with where segments begin, by when their files were written; 2 brings isolation, 4 leader epochs, 6 is flexible; the special
//! timestamps came later: -3 (7), -4 (8), -5 (9), -6 (11). Nothing is stored remotely here, so -4 is the earliest offset and the
//! remote ones find nothing.

use super::{Asked, Handled, READ_COMMITTED, faults};
use crate::shard::{
    FoundOffset, OffsetQuery, PartitionQuestion, Question, Reply as PartitionAnswer, Wanted,
};
use crate::types::PartitionKey;
use crate::wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};
use crate::wire::{ApiKey, ErrorCode};

/// What a timestamp of the request asks for.
enum Meaning {
    Look(Wanted),
    /// Nothing here can answer to it, and that is no error.
    Nothing,
    /// The request's version does not have it yet, or nobody does.
    Unknown,
}

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: ListOffsetsRequest = asked.decode()?;
    let version = asked.version();
    if version == 0 {
        return Ok(before_timestamps(asked, &request).await);
    }
    let committed = request.isolation_level == READ_COMMITTED;
    let image = asked.context.shard.image();
    let mut response = ListOffsetsResponse::default();
    let (mut queries, mut places) = (Vec::new(), Vec::new());
    for topic in &request.topics {
        let known = image.topic_by_name(&topic.name);
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let mut answer = ListOffsetsPartitionResponse {
                partition_index: partition.partition_index,
                offset: -1,
                timestamp: -1,
                leader_epoch: -1,
                ..ListOffsetsPartitionResponse::default()
            };
            match (known, meaning(partition.timestamp, version)) {
                (None, _) => answer.error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                (_, Meaning::Unknown) => answer.error_code = ErrorCode::UNSUPPORTED_VERSION,
                (_, Meaning::Nothing) => {}
                (Some(known), Meaning::Look(wanted)) => {
                    places.push((response.topics.len(), answers.len()));
                    queries.push(query(known.id, partition, wanted, committed));
                }
            }
            answers.push(answer);
        }
        response.topics.push(ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: answers,
        });
    }
    let wanted: Vec<_> = queries.iter().map(|query| query.wanted).collect();
    let found = asked.context.shard.offsets(queries).await;
    for (((topic, partition), wanted), found) in places.into_iter().zip(wanted).zip(found) {
        let answer = &mut response.topics[topic].partitions[partition];
        match found {
            Ok(found) => fill(answer, found, wanted),
            Err(fault) => answer.error_code = faults::partition(&fault, false),
        }
    }
    Ok(asked.answer(ApiKey::ListOffsets, &response))
}

fn query(
    topic_id: uuid::Uuid,
    partition: &ListOffsetsPartition,
    wanted: Wanted,
    committed: bool,
) -> OffsetQuery {
    OffsetQuery {
        key: PartitionKey {
            topic_id,
            partition: partition.partition_index,
        },
        current_leader_epoch: partition.current_leader_epoch,
        wanted,
        committed,
    }
}

fn meaning(timestamp: i64, version: i16) -> Meaning {
    match timestamp {
        -1 => Meaning::Look(Wanted::Latest),
        -2 => Meaning::Look(Wanted::Earliest),
        -3 if version >= 7 => Meaning::Look(Wanted::MaxTimestamp),
        // The earliest record on local storage: there is no other storage.
        -4 if version >= 8 => Meaning::Look(Wanted::Earliest),
        // The latest record in remote storage, the earliest not yet uploaded: there is no remote storage.
        -5 if version >= 9 => Meaning::Nothing,
        -6 if version >= 11 => Meaning::Nothing,
        0.. => Meaning::Look(Wanted::AtOrAfter(timestamp)),
        _ => Meaning::Unknown,
    }
}

fn fill(answer: &mut ListOffsetsPartitionResponse, found: FoundOffset, wanted: Wanted) {
    answer.offset = found.offset;
    // The epoch says which leader wrote the record; where no record is meant clients still use it to validate.
    answer.leader_epoch = found.leader_epoch;
    if !matches!(wanted, Wanted::Latest | Wanted::Earliest) {
        answer.timestamp = found.timestamp;
    }
}

/// The answer in version 0.
async fn before_timestamps(asked: &Asked<'_>, request: &ListOffsetsRequest) -> Handled {
    let image = asked.context.shard.image();
    let mut response = ListOffsetsResponse::default();
    let (mut questions, mut places) = (Vec::new(), Vec::new());
    for topic in &request.topics {
        let known = image.topic_by_name(&topic.name);
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let mut answer = ListOffsetsPartitionResponse {
                partition_index: partition.partition_index,
                ..ListOffsetsPartitionResponse::default()
            };
            match (known, meaning(partition.timestamp, 0)) {
                (None, _) => answer.error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                (Some(known), Meaning::Look(wanted)) => {
                    places.push((response.topics.len(), answers.len()));
                    questions.push(question(known.id, partition, wanted));
                }
                // No segment is older than that.
                (Some(_), Meaning::Nothing | Meaning::Unknown) => {}
            }
            answers.push(answer);
        }
        response.topics.push(ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: answers,
        });
    }
    let replies = asked.context.shard.ask_partitions(questions).await;
    for ((topic, partition), reply) in places.into_iter().zip(replies) {
        let answer = &mut response.topics[topic].partitions[partition];
        match reply {
            Ok(PartitionAnswer::Offsets(offsets)) => {
                answer.old_style_offsets = offsets.into_iter().map(|offset| offset.0).collect();
            }
            Ok(other) => unreachable!("segment starts were answered with {other:?}"),
            Err(fault) => answer.error_code = faults::partition(&fault, false),
        }
    }
    asked.answer(ApiKey::ListOffsets, &response)
}

fn question(
    topic_id: uuid::Uuid,
    partition: &ListOffsetsPartition,
    wanted: Wanted,
) -> PartitionQuestion {
    let most = usize::try_from(partition.max_num_offsets).unwrap_or(0);
    PartitionQuestion {
        key: PartitionKey {
            topic_id,
            partition: partition.partition_index,
        },
        question: Question::SegmentStarts(wanted, most),
    }
}
