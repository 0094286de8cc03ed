//! DeleteRecords (21): everything before an offset.
//!
//! Versions 0–2: 2 is flexible. Answered when the new log start offset would survive a crash; files follow later.

use super::{Asked, Handled, faults};
use crate::metadata::topic_name;
use crate::shard::{PartitionQuestion, Question, Reply};
use crate::types::PartitionKey;
use crate::wire::messages::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};
use crate::wire::{ApiKey, ErrorCode};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DeleteRecordsRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let mut response = DeleteRecordsResponse::default();
    let (mut questions, mut places) = (Vec::new(), Vec::new());
    for topic in &request.topics {
        let known = image.topic_by_name(&topic.name);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let error_code = match known {
                _ if topic_name::is_internal(&topic.name) => ErrorCode::INVALID_TOPIC_EXCEPTION,
                None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                Some(known) => {
                    places.push((response.topics.len(), partitions.len()));
                    questions.push(PartitionQuestion {
                        key: PartitionKey {
                            topic_id: known.id,
                            partition: partition.partition_index,
                        },
                        question: Question::DeleteBefore(partition.offset),
                    });
                    ErrorCode::NONE
                }
            };
            partitions.push(DeleteRecordsPartitionResult {
                partition_index: partition.partition_index,
                low_watermark: -1,
                error_code,
            });
        }
        response.topics.push(DeleteRecordsTopicResult {
            name: topic.name.clone(),
            partitions,
        });
    }
    let replies = asked.context.shard.ask_partitions(questions).await;
    for ((topic, partition), reply) in places.into_iter().zip(replies) {
        let answer = &mut response.topics[topic].partitions[partition];
        match reply {
            Ok(Reply::LowWatermark(offset)) => answer.low_watermark = offset.0,
            Ok(other) => unreachable!("a deletion of records was answered with {other:?}"),
            Err(fault) => answer.error_code = faults::partition(&fault, false),
        }
    }
    Ok(asked.answer(ApiKey::DeleteRecords, &response))
}
