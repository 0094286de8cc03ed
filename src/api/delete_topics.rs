//! DeleteTopics (20): topics go at once from sight, their files a little later.
//!
//! Versions 0–6: 1 brings the throttle time, 4 is flexible, 5 has error messages, 6 names topics by name or by id.

use super::{Asked, Handled, faults};
use crate::metadata::{ChangeError, TopicRef};
use crate::shard::{Change, ChangeOutcome};
use crate::wire::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use crate::wire::{ApiKey, ErrorCode};
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
    for (topic, outcome) in wanted.iter().zip(outcomes) {
        response
            .responses
            .push(result(topic, outcome, asked.version()));
    }
    Ok(asked.answer(ApiKey::DeleteTopics, &response))
}

fn wanted(request: &DeleteTopicsRequest, version: i16) -> Vec<TopicRef> {
    if version < IDS_FROM {
        let names = request.topic_names.iter();
        return names.map(|name| TopicRef::Name(name.to_string())).collect();
    }
    let state = |topic: &DeleteTopicState| match &topic.name {
        Some(name) => TopicRef::Name(name.to_string()),
        None => TopicRef::Id(topic.topic_id),
    };
    request.topics.iter().map(state).collect()
}

async fn delete(
    asked: &Asked<'_>,
    wanted: &[TopicRef],
    patience: Duration,
) -> Vec<Result<(String, Uuid), ChangeError>> {
    let change = Change::DeleteTopics(wanted.to_vec());
    match asked.context.shard.change_within(change, patience).await {
        Some(ChangeOutcome::Deleted(outcomes)) => outcomes,
        None => vec![Err(ChangeError::TimedOut); wanted.len()],
        Some(other) => unreachable!("a deletion was answered with {other:?}"),
    }
}

fn result(
    topic: &TopicRef,
    outcome: Result<(String, Uuid), ChangeError>,
    version: i16,
) -> DeletableTopicResult {
    let (name, topic_id) = match topic {
        TopicRef::Name(name) => (super::text(name.as_str()), Uuid::nil()),
        TopicRef::Id(id) => (None, *id),
    };
    match outcome {
        Ok((name, topic_id)) => DeletableTopicResult {
            name: super::text(name),
            topic_id,
            ..DeletableTopicResult::default()
        },
        Err(error) => DeletableTopicResult {
            name,
            topic_id,
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
