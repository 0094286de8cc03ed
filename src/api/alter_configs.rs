//! AlterConfigs (33) and IncrementalAlterConfigs (44): new settings for topics, brokers, groups and client metrics.
//!
//! AlterConfigs 0–2 says all that a resource shall have of its own; IncrementalAlterConfigs 0–1 says what shall differ. Both are
//! flexible from their last version on. The answer comes when every core works with the settings. Levels of loggers are not kept in the
//! metadata: only IncrementalAlterConfigs changes them, and a restart forgets them, as in Kafka.

use super::{Asked, Handled, broker_logger, faults};
use crate::metadata::image::{BROKER_LOGGER_RESOURCE, BROKER_RESOURCE};
use crate::metadata::{Alteration, ConfigChange};
use crate::shard::{Change, ChangeError, ChangeOutcome};
use crate::wire::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use crate::wire::messages::incremental_alter_configs as incremental;
use crate::wire::{ApiKey, ErrorCode, Text};

/// What became of a resource.
type Outcome = Result<(), (ErrorCode, String)>;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: AlterConfigsRequest = asked.decode()?;
    let changes = request.resources.iter().map(|resource| ConfigChange {
        resource_type: resource.resource_type,
        resource_name: name(asked, resource.resource_type, &resource.resource_name),
        settings: resource
            .configs
            .iter()
            .map(|config| (config.name.to_string(), set(config.value.as_ref())))
            .collect(),
        replaces: true,
    });
    let changes: Vec<_> = changes.collect();
    let outcomes = alter(asked, changes, request.validate_only).await;
    let responses = request.resources.into_iter().zip(outcomes);
    let response = AlterConfigsResponse {
        responses: responses
            .map(|(resource, outcome)| {
                let (error_code, error_message) = told(outcome);
                AlterConfigsResourceResponse {
                    error_code,
                    error_message,
                    resource_type: resource.resource_type,
                    resource_name: resource.resource_name,
                }
            })
            .collect(),
        ..AlterConfigsResponse::default()
    };
    Ok(asked.answer(ApiKey::AlterConfigs, &response))
}

pub(super) async fn handle_incremental(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: incremental::IncrementalAlterConfigsRequest = asked.decode()?;
    let resources = request.resources.iter();
    let changes: Vec<_> = resources.map(|resource| change(asked, resource)).collect();
    let outcomes = alter_with_loggers(asked, changes, request.validate_only).await;
    let responses = request.resources.into_iter().zip(outcomes);
    let response = incremental::IncrementalAlterConfigsResponse {
        responses: responses
            .map(|(resource, outcome)| {
                let (error_code, error_message) = told(outcome);
                incremental::AlterConfigsResourceResponse {
                    error_code,
                    error_message,
                    resource_type: resource.resource_type,
                    resource_name: resource.resource_name,
                }
            })
            .collect(),
        ..incremental::IncrementalAlterConfigsResponse::default()
    };
    Ok(asked.answer(ApiKey::IncrementalAlterConfigs, &response))
}

/// The resource's name; a broker's settings are kept under its own id, whichever the client knows it by.
fn name(asked: &Asked<'_>, resource_type: i8, name: &Text) -> String {
    match resource_type {
        BROKER_RESOURCE | BROKER_LOGGER_RESOURCE => asked.nodes().meant_by_name(name).to_string(),
        _ => name.to_string(),
    }
}

fn set(value: Option<&Text>) -> Alteration {
    Alteration::Set(value.map(ToString::to_string))
}

fn change(asked: &Asked<'_>, resource: &incremental::AlterConfigsResource) -> ConfigChange {
    let alteration = |config: &incremental::AlterableConfig| {
        let value = config.value.as_ref().map(ToString::to_string);
        match config.config_operation {
            0 => Alteration::Set(value),
            1 => Alteration::Delete,
            2 => Alteration::Append(value),
            3 => Alteration::Subtract(value),
            _ => Alteration::Unknown,
        }
    };
    ConfigChange {
        resource_type: resource.resource_type,
        resource_name: name(asked, resource.resource_type, &resource.resource_name),
        settings: resource
            .configs
            .iter()
            .map(|config| (config.name.to_string(), alteration(config)))
            .collect(),
        replaces: false,
    }
}

/// Changes of loggers are made by this broker, all others by the controller.
async fn alter_with_loggers(
    asked: &Asked<'_>,
    changes: Vec<ConfigChange>,
    validate_only: bool,
) -> Vec<Outcome> {
    let is_logger = |change: &ConfigChange| change.resource_type == BROKER_LOGGER_RESOURCE;
    let kept = changes.iter().filter(|change| !is_logger(change));
    let kept = kept.cloned().collect::<Vec<_>>();
    let mut of_kept = alter(asked, kept, validate_only).await.into_iter();
    let node_id = asked.context.shard.node_id;
    changes
        .iter()
        .filter_map(|change| {
            if is_logger(change) {
                let altered = broker_logger::alter(node_id, change, validate_only);
                return Some(altered);
            }
            of_kept.next()
        })
        .collect()
}

async fn alter(asked: &Asked<'_>, changes: Vec<ConfigChange>, validate_only: bool) -> Vec<Outcome> {
    if changes.is_empty() {
        return Vec::new();
    }
    let change = Change::AlterConfigs {
        changes,
        validate_only,
    };
    let outcomes = match asked.context.shard.change(change).await {
        ChangeOutcome::Altered(outcomes) => outcomes,
        other => unreachable!("a change of settings was answered with {other:?}"),
    };
    let in_words = |error: ChangeError| (faults::change(&error), error.to_string());
    outcomes
        .into_iter()
        .map(|outcome| outcome.map_err(in_words))
        .collect()
}

fn told(outcome: Outcome) -> (ErrorCode, Option<Text>) {
    match outcome {
        Ok(()) => (ErrorCode::NONE, None),
        Err((code, words)) => (code, super::text(words)),
    }
}
