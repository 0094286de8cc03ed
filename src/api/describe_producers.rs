//! DescribeProducers (61): the idempotent producers that partitions remember, with their open transactions. Version 0.

use super::{Asked, Handled, faults};
use crate::metadata::topic_name;
use crate::shard::{PartitionQuestion, ProducerDescription, Question, Reply};
use crate::types::PartitionKey;
use crate::wire::messages::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState,
    TopicResponse,
};
use crate::wire::{ApiKey, ErrorCode};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeProducersRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let mut response = DescribeProducersResponse::default();
    let (mut questions, mut places) = (Vec::new(), Vec::new());
    for topic in &request.topics {
        let known = image.topic_by_name(&topic.name);
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for &partition_index in &topic.partition_indexes {
            let error_code = match known {
                Some(_) => ErrorCode::NONE,
                None if topic_name::validate(&topic.name).is_err() => {
                    ErrorCode::INVALID_TOPIC_EXCEPTION
                }
                None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            };
            if let Some(known) = known {
                places.push((response.topics.len(), partitions.len()));
                questions.push(PartitionQuestion {
                    key: PartitionKey {
                        topic_id: known.id,
                        partition: partition_index,
                    },
                    question: Question::Producers,
                });
            }
            partitions.push(PartitionResponse {
                partition_index,
                error_code,
                ..PartitionResponse::default()
            });
        }
        response.topics.push(TopicResponse {
            name: topic.name.clone(),
            partitions,
        });
    }
    let replies = asked.context.shard.ask_partitions(questions).await;
    for ((topic, partition), reply) in places.into_iter().zip(replies) {
        let answer = &mut response.topics[topic].partitions[partition];
        match reply {
            Ok(Reply::Producers(producers)) => {
                answer.active_producers = producers.into_iter().map(described).collect();
            }
            Ok(other) => unreachable!("a question for producers was answered with {other:?}"),
            Err(fault) => answer.error_code = faults::partition(&fault, false),
        }
    }
    Ok(asked.answer(ApiKey::DescribeProducers, &response))
}

fn described(producer: ProducerDescription) -> ProducerState {
    ProducerState {
        producer_id: producer.id,
        producer_epoch: producer.epoch.into(),
        last_sequence: producer.last_sequence,
        last_timestamp: producer.last_timestamp,
        coordinator_epoch: producer.coordinator_epoch,
        current_txn_start_offset: producer.transaction_first_offset,
    }
}
