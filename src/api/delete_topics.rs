//! DeleteTopics (20): topics go at once from sight, their files a little later.
//!
//! Versions 0–6: 1 brings the throttle time, 4 is flexible, 5 has error messages, 6 names topics by name or by id.

use super::{Asked, Handled, faults};
use crate::metadata::{DeletedTopic, TopicToDelete};
use crate::shard::{Change, ChangeError, ChangeOutcome};
use crate::wire::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use std::collections::HashSet;
use std::time::Duration;
use uuid::Uuid;

/// Names or ids from this version on, names before.
const IDS_FROM: i16 = 6;
/// Clients before this version have no code for a deletion that is switched off.
const DELETION_DISABLED_FROM: i16 = 3;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DeleteTopicsRequest = asked.decode()?;
    let wanted = wanted(&request, asked.version());
    let patience = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into());
    let outcomes = if asked.context.shard.config.delete_topics {
        delete(asked, &wanted, patience).await
    } else {
        vec![Err(ChangeError::DeletionDisabled); wanted.len()]
    };
    let mut response = DeleteTopicsResponse::default();
    let mut told = HashSet::new();
    for (topic, outcome) in wanted.iter().zip(outcomes) {
        // What is given twice is refused once.
        if told.insert(topic) {
            response
                .responses
                .push(result(topic, outcome, asked.version()));
        }
    }
    Ok(asked.answer(ApiKey::DeleteTopics, &response))
}

fn wanted(request: &DeleteTopicsRequest, version: i16) -> Vec<TopicToDelete> {
    let state = |name: Option<&Text>, id| TopicToDelete {
        name: name.map(ToString::to_string),
        id,
    };
    if version < IDS_FROM {
        let names = request.topic_names.iter();
        return names.map(|name| state(Some(name), Uuid::nil())).collect();
    }
    let topics = request.topics.iter();
    topics
        .map(|topic| state(topic.name.as_ref(), topic.topic_id))
        .collect()
}

async fn delete(
    asked: &Asked<'_>,
    wanted: &[TopicToDelete],
    patience: Duration,
) -> Vec<Result<DeletedTopic, ChangeError>> {
    let change = Change::DeleteTopics(wanted.to_vec());
    match asked.context.shard.change_within(change, patience).await {
        Some(ChangeOutcome::Deleted(outcomes)) => outcomes,
        None => vec![Err(ChangeError::TimedOut); wanted.len()],
        Some(other) => unreachable!("a deletion was answered with {other:?}"),
    }
}

fn result(
    topic: &TopicToDelete,
    outcome: Result<DeletedTopic, ChangeError>,
    version: i16,
) -> DeletableTopicResult {
    match outcome {
        Ok(deleted) => DeletableTopicResult {
            name: super::text(deleted.name),
            topic_id: deleted.id,
            ..DeletableTopicResult::default()
        },
        Err(error) => DeletableTopicResult {
            name: topic.name.as_deref().map(Text::from),
            topic_id: topic.id,
            error_code: match error {
                ChangeError::DeletionDisabled if version < DELETION_DISABLED_FROM => {
                    ErrorCode::INVALID_REQUEST
                }
                _ => faults::change(&error),
            },
            error_message: super::text(error.to_string()),
        },
    }
}
