//! OffsetForLeaderEpoch (23): where a leader epoch ends, so that a client can find out where its log parts from this one.
//!
//! Versions 0–4: 1 answers with the epoch as well, 2 takes the client's current epoch, 3 the replica, 4 is flexible. An epoch that
//! this log has never seen is answered with -1 for both.

use super::{Asked, Handled, faults};
use crate::shard::EpochQuery;
use crate::types::{LeaderEpoch, PartitionKey};
use crate::wire::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    OffsetForLeaderTopicResult,
};
use crate::wire::{ApiKey, ErrorCode};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: OffsetForLeaderEpochRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let mut response = OffsetForLeaderEpochResponse::default();
    let (mut queries, mut places) = (Vec::new(), Vec::new());
    for topic in &request.topics {
        let known = image.topic_by_name(&topic.topic);
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let mut answer = EpochEndOffset {
                partition: partition.partition,
                leader_epoch: -1,
                end_offset: -1,
                ..EpochEndOffset::default()
            };
            match known {
                None => answer.error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                Some(known) => {
                    places.push((response.topics.len(), answers.len()));
                    queries.push(EpochQuery {
                        key: PartitionKey {
                            topic_id: known.id,
                            partition: partition.partition,
                        },
                        current_leader_epoch: partition.current_leader_epoch,
                        epoch: LeaderEpoch(partition.leader_epoch),
                    });
                }
            }
            answers.push(answer);
        }
        response.topics.push(OffsetForLeaderTopicResult {
            topic: topic.topic.clone(),
            partitions: answers,
        });
    }
    let ends = asked.context.shard.epoch_ends(queries).await;
    for ((topic, partition), end) in places.into_iter().zip(ends) {
        let answer = &mut response.topics[topic].partitions[partition];
        match end {
            Ok((epoch, end_offset)) => {
                answer.leader_epoch = epoch.0;
                answer.end_offset = end_offset.0;
            }
            Err(fault) => answer.error_code = faults::partition(&fault, false),
        }
    }
    Ok(asked.answer(ApiKey::OffsetForLeaderEpoch, &response))
}
