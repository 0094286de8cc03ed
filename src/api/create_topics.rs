//! CreateTopics (19): new topics, each checked and answered by itself.
//!
//! Versions 0–7: 1 can ask to validate only, 4 leaves numbers to the broker (-1), 5 is flexible and tells the settings of what was
//! made, 7 its id. The answer comes when every core works with the topics, so that a client may produce at once.

use super::nodes::Nodes;
use super::{Asked, Handled, faults};
use crate::config::describe;
use crate::metadata::{CreatedTopic, NewTopic};
use crate::shard::{Change, ChangeError, ChangeOutcome};
use crate::wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};
use crate::wire::{ApiKey, Text};
use std::collections::HashSet;
use std::time::Duration;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: CreateTopicsRequest = asked.decode()?;
    let topics = request.topics.iter();
    let change = Change::CreateTopics {
        topics: topics.map(|topic| wanted(asked.nodes(), topic)).collect(),
        validate_only: request.validate_only,
    };
    let patience = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into());
    let outcome = asked.context.shard.change_within(change, patience).await;
    let outcomes = match outcome {
        Some(ChangeOutcome::Created(outcomes)) => outcomes,
        None => vec![Err(ChangeError::TimedOut); request.topics.len()],
        Some(other) => unreachable!("a creation was answered with {other:?}"),
    };
    let mut response = CreateTopicsResponse::default();
    let mut told = HashSet::new();
    for (topic, outcome) in request.topics.iter().zip(outcomes) {
        // A name that is given twice is refused once.
        if told.insert(&topic.name) {
            response.topics.push(result(asked, topic, outcome));
        }
    }
    Ok(asked.answer(ApiKey::CreateTopics, &response))
}

fn wanted(nodes: Nodes<'_>, topic: &CreatableTopic) -> NewTopic {
    let meant = |ids: &[i32]| ids.iter().map(|&id| nodes.meant_by(id)).collect();
    NewTopic {
        name: topic.name.to_string(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic
            .assignments
            .iter()
            .map(|assigned| (assigned.partition_index, meant(&assigned.broker_ids)))
            .collect(),
        configs: topic
            .configs
            .iter()
            .map(|config| {
                let value = config.value.as_ref().map(ToString::to_string);
                (config.name.to_string(), value)
            })
            .collect(),
    }
}

fn result(
    asked: &Asked<'_>,
    topic: &CreatableTopic,
    outcome: Result<CreatedTopic, ChangeError>,
) -> CreatableTopicResult {
    let name = topic.name.clone();
    match outcome {
        Ok(created) => CreatableTopicResult {
            name,
            topic_id: created.id,
            num_partitions: created.partitions,
            replication_factor: created.replication_factor,
            configs: Some(configs(asked, &created)),
            ..CreatableTopicResult::default()
        },
        Err(error) => CreatableTopicResult {
            name,
            error_code: faults::change(&error),
            error_message: super::text(error.to_string()),
            configs: None,
            ..CreatableTopicResult::default()
        },
    }
}

fn configs(asked: &Asked<'_>, created: &CreatedTopic) -> Vec<CreatableTopicConfigs> {
    let shard = &asked.context.shard;
    let dynamic = shard.image().dynamic_configs(shard.node_id);
    describe::describe_topic(&shard.config.settings, &dynamic, &created.configs)
        .into_iter()
        .map(|described| CreatableTopicConfigs {
            name: Text::from(described.name),
            value: described.value.map(Text::from),
            read_only: described.read_only,
            config_source: described.source as i8,
            is_sensitive: described.is_sensitive,
        })
        .collect()
}
