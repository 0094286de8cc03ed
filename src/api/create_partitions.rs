//! CreatePartitions (37): topics grow, each checked and answered by itself.
//!
//! Versions 0–3: 2 is flexible, 3 may be refused for a quota (there are none). The answer comes when every core works with the new
//! partitions, so that a client may produce at once.

use super::nodes::Nodes;
use super::{Asked, Handled, faults};
use crate::metadata::TopicGrowth;
use crate::shard::{Change, ChangeError, ChangeOutcome};
use crate::wire::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    CreatePartitionsTopicResult,
};
use crate::wire::{ApiKey, ErrorCode};
use std::collections::HashSet;
use std::time::Duration;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: CreatePartitionsRequest = asked.decode()?;
    let topics = request.topics.iter();
    let change = Change::CreatePartitions {
        topics: topics.map(|topic| wanted(asked.nodes(), topic)).collect(),
        validate_only: request.validate_only,
    };
    let patience = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into());
    let outcomes = match asked.context.shard.change_within(change, patience).await {
        Some(ChangeOutcome::Grown(outcomes)) => outcomes,
        None => vec![Err(ChangeError::TimedOut); request.topics.len()],
        Some(other) => unreachable!("a growth was answered with {other:?}"),
    };
    let mut response = CreatePartitionsResponse::default();
    let mut told = HashSet::new();
    for (topic, outcome) in request.topics.iter().zip(outcomes) {
        // A name that is given twice is refused once.
        if told.insert(&topic.name) {
            response.results.push(result(topic, outcome));
        }
    }
    Ok(asked.answer(ApiKey::CreatePartitions, &response))
}

fn wanted(nodes: Nodes<'_>, topic: &CreatePartitionsTopic) -> TopicGrowth {
    let meant = |ids: &[i32]| ids.iter().map(|&id| nodes.meant_by(id)).collect();
    let assignments = topic.assignments.as_ref().map(|assignments| {
        let replicas = assignments
            .iter()
            .map(|assigned| meant(&assigned.broker_ids));
        replicas.collect()
    });
    TopicGrowth {
        name: topic.name.to_string(),
        count: topic.count,
        assignments,
    }
}

fn result(
    topic: &CreatePartitionsTopic,
    outcome: Result<(), ChangeError>,
) -> CreatePartitionsTopicResult {
    let refused = outcome.err();
    let error_code = refused.as_ref().map_or(ErrorCode::NONE, faults::change);
    // Kafka leaves the words for a topic that is not there to the client.
    let told = refused.filter(|_| error_code != ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    CreatePartitionsTopicResult {
        name: topic.name.clone(),
        error_code,
        error_message: told.and_then(|error| super::text(error.to_string())),
    }
}
