//! DescribeTopicPartitions (75): the partitions of topics in pages.
//!
//! Version 0. Topics are answered in the order of their names; a page ends after `response_partition_limit` partitions, and
//! the cursor says where the next one begins.

use super::metadata::TOPIC_OPERATIONS;
use super::nodes::Nodes;
use super::{Asked, Handled};
use crate::metadata::{Image, Topic, topic_name};
use crate::types::PartitionKey;
use crate::wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic, TopicRequest,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use std::collections::BTreeSet;

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeTopicPartitionsRequest = asked.decode()?;
    let shard = &asked.context.shard;
    let image = shard.image();
    let limit = usize::try_from(request.response_partition_limit)
        .unwrap_or(1)
        .clamp(1, shard.config.describe_partitions_limit as usize);
    let mut response = DescribeTopicPartitionsResponse::default();
    if request
        .cursor
        .as_ref()
        .is_some_and(|cursor| !is_possible(cursor, &request))
    {
        response.topics = request.topics.iter().map(refused).collect();
        return Ok(asked.answer(ApiKey::DescribeTopicPartitions, &response));
    }
    let mut left = limit;
    for name in wanted(&request, &image) {
        if left == 0 {
            response.next_cursor = Some(Cursor {
                topic_name: name,
                partition_index: 0,
            });
            break;
        }
        let first = first_partition(request.cursor.as_ref(), &name);
        let Some(topic) = image.topic_by_name(&name) else {
            response.topics.push(missing(name));
            continue;
        };
        let (page, next) = described(asked.nodes(), topic, first, left);
        left -= page.partitions.len();
        response.topics.push(page);
        if let Some(partition_index) = next {
            response.next_cursor = Some(Cursor {
                topic_name: name,
                partition_index,
            });
            break;
        }
    }
    Ok(asked.answer(ApiKey::DescribeTopicPartitions, &response))
}

/// A cursor lies in one of the topics asked for, at a partition that could be.
fn is_possible(cursor: &Cursor, request: &DescribeTopicPartitionsRequest) -> bool {
    let is_asked = |topic: &TopicRequest| topic.name == cursor.topic_name;
    cursor.partition_index >= 0
        && (request.topics.is_empty() || request.topics.iter().any(is_asked))
}

fn refused(topic: &TopicRequest) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::INVALID_REQUEST,
        name: Some(topic.name.clone()),
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

/// Names in order, from the cursor on; without names, all topics.
fn wanted(request: &DescribeTopicPartitionsRequest, image: &Image) -> BTreeSet<Text> {
    let from = request.cursor.as_ref().map(|cursor| &cursor.topic_name);
    let all: BTreeSet<Text> = if request.topics.is_empty() {
        image
            .topics()
            .map(|topic| Text::from(&*topic.name))
            .collect()
    } else {
        request
            .topics
            .iter()
            .map(|topic| topic.name.clone())
            .collect()
    };
    match from {
        Some(from) => all.into_iter().filter(|name| name >= from).collect(),
        None => all,
    }
}

fn first_partition(cursor: Option<&Cursor>, name: &Text) -> i32 {
    cursor
        .filter(|cursor| cursor.topic_name == *name)
        .map_or(0, |cursor| cursor.partition_index)
}

fn missing(name: Text) -> DescribeTopicPartitionsResponseTopic {
    let error_code = match topic_name::validate(&name) {
        Ok(()) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Err(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code,
        name: Some(name),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

/// `most` partitions of a topic from `first` on, and the one after them if there is one.
fn described(
    nodes: Nodes<'_>,
    topic: &Topic,
    first: i32,
    most: usize,
) -> (DescribeTopicPartitionsResponseTopic, Option<i32>) {
    let mut rest = topic.partitions.range(first..);
    let partitions = rest.by_ref().take(most).map(|(&partition, state)| {
        let told = nodes.with_partition(PartitionKey {
            topic_id: topic.id,
            partition,
        });
        let all_told = |nodes: &[i32]| nodes.iter().copied().map(told).collect::<Vec<_>>();
        DescribeTopicPartitionsResponsePartition {
            partition_index: partition,
            leader_id: told(state.leader),
            leader_epoch: state.leader_epoch.0,
            replica_nodes: all_told(&state.replicas),
            isr_nodes: all_told(&state.isr),
            // Java's client takes them to be there, although the schema lets them be null.
            eligible_leader_replicas: Some(all_told(&state.eligible_leader_replicas)),
            last_known_elr: Some(all_told(&state.last_known_eligible)),
            ..DescribeTopicPartitionsResponsePartition::default()
        }
    });
    let page = DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::NONE,
        name: super::text(&*topic.name),
        topic_id: topic.id,
        is_internal: topic_name::is_internal(&topic.name),
        partitions: partitions.collect(),
        // Asked for or not: Kafka always tells them here.
        topic_authorized_operations: TOPIC_OPERATIONS,
    };
    (page, rest.next().map(|(&partition, _)| partition))
}
