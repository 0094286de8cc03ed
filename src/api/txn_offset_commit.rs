//! TxnOffsetCommit (28): positions of a group that count when a transaction commits.
//!
//! Versions 0–5: 2 brings leader epochs, 3 says which member commits, 4 knows TRANSACTION_ABORTABLE, 5 adds the group to the transaction
//! by itself; before, AddOffsetsToTxn must have added it. The answer comes when the positions are as durable as acks=all.

use super::{Asked, Handled, faults, groups, in_transaction, offset_commit, txn};
use crate::coordinator::group::{
    CommitRequest, CommittedOffset, GroupAnswer, GroupError, GroupRequest,
};
use crate::metadata::topic_name::GROUP_METADATA_TOPIC;
use crate::types::PartitionKey;
use crate::wire::messages::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitResponse,
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use crate::wire::{ApiKey, ErrorCode};
use in_transaction::{Dialect, Part};

const LOADING_KNOWN_FROM: i16 = 2;
const ABORTABLE_FROM: i16 = 4;
const ADDS_FROM: i16 = 5;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: TxnOffsetCommitRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let (mut response, mut places, mut offsets) =
        (TxnOffsetCommitResponse::default(), vec![], vec![]);
    for (topic, asked_for) in request.topics.iter().enumerate() {
        let mut answers = Vec::with_capacity(asked_for.partitions.len());
        for (index, partition) in asked_for.partitions.iter().enumerate() {
            let key = offset_commit::existing(&image, &asked_for.name, partition.partition_index);
            let error_code = match key {
                Ok(key) => {
                    places.push((topic, index));
                    offsets.push((key, committed(partition)));
                    ErrorCode::NONE
                }
                Err(code) => code,
            };
            answers.push(TxnOffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code,
            });
        }
        response.topics.push(TxnOffsetCommitResponseTopic {
            name: asked_for.name.clone(),
            partitions: answers,
        });
    }
    if !places.is_empty() {
        let codes = commit(asked, &request, offsets).await?;
        for (&(topic, partition), code) in places.iter().zip(codes) {
            response.topics[topic].partitions[partition].error_code = code;
        }
    }
    Ok(asked.answer(ApiKey::TxnOffsetCommit, &response))
}

/// A code for each position, in order.
async fn commit(
    asked: &Asked<'_>,
    request: &TxnOffsetCommitRequest,
    offsets: Vec<((String, i32), CommittedOffset)>,
) -> Result<Vec<ErrorCode>, Handled> {
    let count = offsets.len();
    if let Err(code) = admit(asked, request).await {
        return Ok(vec![code; count]);
    }
    let commit = GroupRequest::Commit(CommitRequest {
        claim: groups::claim(
            &request.group_id,
            &request.member_id,
            request.group_instance_id.as_ref(),
            request.generation_id,
        ),
        offsets,
        producer: Some(claim(request).producer),
        ..CommitRequest::default()
    });
    Ok(match groups::ask(asked, &request.group_id, commit).await? {
        Ok(GroupAnswer::Commit(outcomes)) => outcomes.into_iter().map(code).collect(),
        Ok(other) => unreachable!("a commit was answered with {other:?}"),
        Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) if asked.version() < LOADING_KNOWN_FROM => {
            vec![ErrorCode::COORDINATOR_NOT_AVAILABLE; count]
        }
        Err(code) => vec![code; count],
    })
}

/// The partition that keeps the group's offsets is in the transaction, or is so now.
async fn admit(asked: &Asked<'_>, request: &TxnOffsetCommitRequest) -> Result<(), ErrorCode> {
    let shard = &asked.context.shard;
    let partition = shard.offsets_partition(&request.group_id);
    let image = shard.image();
    let topic = image.topic_by_name(GROUP_METADATA_TOPIC);
    let (Some(partition), Some(topic)) = (partition, topic) else {
        return Err(ErrorCode::NOT_COORDINATOR);
    };
    let part = Part {
        partition: (GROUP_METADATA_TOPIC.to_owned(), partition),
        key: PartitionKey {
            topic_id: topic.id,
            partition,
        },
    };
    let dialect = Dialect {
        adds: asked.version() >= ADDS_FROM,
        knows_abortable: asked.version() >= ABORTABLE_FROM,
    };
    let outcomes = in_transaction::admit(asked, &claim(request), vec![part], dialect).await;
    match outcomes.into_iter().next() {
        // Kafka's word to whoever commits offsets.
        Some(Err(ErrorCode::NOT_ENOUGH_REPLICAS)) => Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        Some(outcome) => outcome,
        None => Ok(()),
    }
}

fn claim(request: &TxnOffsetCommitRequest) -> crate::coordinator::transaction::ProducerClaim {
    let id = &request.transactional_id;
    txn::claim(id, request.producer_id, request.producer_epoch)
}

/// Producers have no code for a group that is not there.
fn code(outcome: Result<(), GroupError>) -> ErrorCode {
    match outcome {
        Ok(()) => ErrorCode::NONE,
        Err(GroupError::GroupIdNotFound) => ErrorCode::ILLEGAL_GENERATION,
        Err(error) => faults::group(error),
    }
}

fn committed(partition: &TxnOffsetCommitRequestPartition) -> CommittedOffset {
    let metadata = partition.committed_metadata.as_ref();
    CommittedOffset {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: metadata.map(ToString::to_string).unwrap_or_default(),
    }
}
