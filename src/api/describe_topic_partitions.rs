//! DescribeTopicPartitions (75): the partitions of topics in pages.
//!
//! Version 0. Topics are answered in the order of their names; a page ends after `response_partition_limit` partitions, and
//! the cursor says where the next one begins.

use super::{Asked, Handled};
use crate::metadata::{Image, Topic};
use crate::wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use std::collections::BTreeSet;

/// `max.request.partition.size.limit`
const MOST_PARTITIONS: usize = 2000;

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeTopicPartitionsRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let limit = usize::try_from(request.response_partition_limit)
        .unwrap_or(1)
        .clamp(1, MOST_PARTITIONS);
    let mut response = DescribeTopicPartitionsResponse::default();
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
        let Some(topic) = image.topic(&name) else {
            response.topics.push(missing(name));
            continue;
        };
        let page = described(topic, first, left);
        let next = first + page.partitions.len();
        left -= page.partitions.len();
        response.topics.push(page);
        if next < topic.partitions.len() {
            response.next_cursor = Some(Cursor {
                topic_name: name,
                partition_index: next as i32,
            });
            break;
        }
    }
    Ok(asked.answer(ApiKey::DescribeTopicPartitions, &response))
}

/// Names in order, from the cursor on; without names, all topics.
fn wanted(request: &DescribeTopicPartitionsRequest, image: &Image) -> BTreeSet<Text> {
    let from = request.cursor.as_ref().map(|cursor| &cursor.topic_name);
    let all: BTreeSet<Text> = if request.topics.is_empty() {
        image
            .topics()
            .map(|topic| Text::from(topic.name.as_str()))
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

fn first_partition(cursor: Option<&Cursor>, name: &Text) -> usize {
    cursor
        .filter(|cursor| cursor.topic_name == *name)
        .map_or(0, |cursor| {
            usize::try_from(cursor.partition_index).unwrap_or(0)
        })
}

fn missing(name: Text) -> DescribeTopicPartitionsResponseTopic {
    let error_code = match crate::metadata::topic_name::check(&name) {
        Ok(()) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Err(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code,
        name: Some(name),
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn described(topic: &Topic, first: usize, most: usize) -> DescribeTopicPartitionsResponseTopic {
    let partitions = topic.partitions.iter().enumerate().skip(first).take(most);
    DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::NONE,
        name: super::text(topic.name.as_str()),
        topic_id: topic.id,
        is_internal: topic.is_internal(),
        partitions: partitions
            .map(|(index, state)| DescribeTopicPartitionsResponsePartition {
                partition_index: index as i32,
                leader_id: state.leader,
                leader_epoch: state.leader_epoch,
                replica_nodes: state.replicas.clone(),
                isr_nodes: state.isr.clone(),
                ..DescribeTopicPartitionsResponsePartition::default()
            })
            .collect(),
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}
