//! DescribeConfigs (32): every setting of a topic, a broker, its logger, a group or a client metrics subscription, with where it
//! comes from.
//!
//! Versions 0–4: 1 tells sources and synonyms, 3 types and documentation, 4 is flexible. Without names all settings are told,
//! defaults included.

use super::{Asked, Handled, broker_logger};
use crate::config::describe::{self, Described};
use crate::config::settings::Settings;
use crate::config::table::broker_property;
use crate::config::topic::{Configs, DynamicConfigs, Source};
use crate::limits::DESCRIBED_SETTINGS_MAX;
use crate::metadata::image::{
    BROKER_LOGGER_RESOURCE, BROKER_RESOURCE, CLIENT_METRICS_RESOURCE, GROUP_RESOURCE,
    TOPIC_RESOURCE,
};
use crate::metadata::{Image, topic_name};
use crate::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};
use crate::wire::{ApiKey, ErrorCode, Text};

/// Where the level of a logger comes from, in the protocol's numbers.
const DYNAMIC_BROKER_LOGGER: i8 = 6;

/// Code and words of a refusal.
type Refused = (ErrorCode, String);

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeConfigsRequest = asked.decode()?;
    let mut response = DescribeConfigsResponse::default();
    let mut room = DESCRIBED_SETTINGS_MAX;
    for resource in &request.resources {
        let result = if room == 0 {
            too_many(resource)
        } else {
            described(asked, &request, resource)
        };
        room = room.saturating_sub(result.configs.len());
        response.results.push(result);
        // There may be thousands.
        glommio::executor().yield_if_needed().await;
    }
    Ok(asked.answer(ApiKey::DescribeConfigs, &response))
}

fn too_many(resource: &DescribeConfigsResource) -> DescribeConfigsResult {
    DescribeConfigsResult {
        error_code: ErrorCode::POLICY_VIOLATION,
        error_message: super::text("Excessively large number of configurations per request."),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        ..DescribeConfigsResult::default()
    }
}

fn described(
    asked: &Asked<'_>,
    request: &DescribeConfigsRequest,
    resource: &DescribeConfigsResource,
) -> DescribeConfigsResult {
    let mut result = DescribeConfigsResult {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        ..DescribeConfigsResult::default()
    };
    match settings_of(asked, request, resource) {
        Ok(mut settings) => {
            let named = resource.configuration_keys.as_deref().unwrap_or_default();
            if !named.is_empty() {
                settings.retain(|setting| named.contains(&setting.name));
            }
            result.configs = settings;
            result.error_message = super::text("");
        }
        Err((code, words)) => {
            result.error_code = code;
            result.error_message = super::text(words);
        }
    }
    result
}

fn settings_of(
    asked: &Asked<'_>,
    request: &DescribeConfigsRequest,
    resource: &DescribeConfigsResource,
) -> Result<Vec<DescribeConfigsResourceResult>, Refused> {
    let shard = &asked.context.shard;
    let image = shard.image();
    let settings = &shard.config.settings;
    let asked_name = &resource.resource_name;
    let name = &*match resource.resource_type {
        BROKER_RESOURCE | BROKER_LOGGER_RESOURCE => asked.nodes().meant_by_name(asked_name),
        _ => asked_name.clone(),
    };
    let dynamic = image.dynamic_configs(shard.node_id);
    let own = image
        .configs(resource.resource_type, name)
        .cloned()
        .unwrap_or_default();
    let described = match resource.resource_type {
        TOPIC_RESOURCE => of_topic(&image, settings, &dynamic, name)?,
        BROKER_RESOURCE => {
            let mut told = of_broker(settings, dynamic, shard.node_id, name)?;
            let known = told.drain(..).map(|setting| tell(request, setting));
            return Ok(known.chain(unknown_to_all(&own, name)).collect());
        }
        BROKER_LOGGER_RESOURCE => return of_logger(shard.node_id, name),
        CLIENT_METRICS_RESOURCE if name.is_empty() => {
            return refuse("Client metrics subscription name must not be empty");
        }
        CLIENT_METRICS_RESOURCE => describe::describe_client_metrics(&own),
        GROUP_RESOURCE if name.is_empty() => return refuse("Group name must not be empty"),
        GROUP_RESOURCE => describe::describe_group(settings, &dynamic, &own),
        other => return refuse(format!("Unsupported resource type: {other}")),
    };
    Ok(described
        .into_iter()
        .map(|setting| tell(request, setting))
        .collect())
}

fn refuse<T>(words: impl Into<String>) -> Result<T, Refused> {
    Err((ErrorCode::INVALID_REQUEST, words.into()))
}

fn of_topic(
    image: &Image,
    settings: &Settings,
    dynamic: &DynamicConfigs,
    name: &str,
) -> Result<Vec<Described>, Refused> {
    topic_name::validate(name)
        .map_err(|invalid| (ErrorCode::INVALID_TOPIC_EXCEPTION, invalid.to_string()))?;
    let Some(topic) = image.topic_by_name(name) else {
        let code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        // Kafka has no words for it here, and its tools print none.
        return Err((code, String::new()));
    };
    Ok(describe::describe_topic(settings, dynamic, &topic.configs))
}

fn of_broker(
    settings: &Settings,
    dynamic: DynamicConfigs,
    node_id: i32,
    name: &str,
) -> Result<Vec<Described>, Refused> {
    match name.parse::<i32>() {
        _ if name.is_empty() => Ok(defaults_of_all_brokers(settings, dynamic)),
        Ok(id) if id == node_id => Ok(describe::describe_broker(settings, &dynamic)),
        Ok(other) => refuse(format!(
            "Unexpected broker id, expected {node_id} or empty string, but received {other}"
        )),
        Err(_) => refuse(format!("Broker id must be an integer, but it is: {name}")),
    }
}

/// The empty name stands for all brokers: what the metadata log sets for each of them, and nothing else.
fn defaults_of_all_brokers(settings: &Settings, dynamic: DynamicConfigs) -> Vec<Described> {
    let cluster = DynamicConfigs {
        broker: Configs::default(),
        ..dynamic
    };
    let mut described = describe::describe_broker(settings, &cluster);
    described.retain(|setting| setting.source == Source::DynamicDefaultBroker);
    for setting in &mut described {
        let synonyms = &mut setting.synonyms;
        synonyms.retain(|synonym| synonym.source == Source::DynamicDefaultBroker);
    }
    described
}

/// Names that are kept although nobody knows them. What is unknown could be a secret, so the value is not told.
fn unknown_to_all(
    own: &Configs,
    resource_name: &str,
) -> impl Iterator<Item = DescribeConfigsResourceResult> {
    let source = if resource_name.is_empty() {
        Source::DynamicDefaultBroker
    } else {
        Source::DynamicBroker
    };
    own.keys()
        .filter(|name| broker_property(name).is_none())
        .map(move |name| DescribeConfigsResourceResult {
            name: Text::from(name.as_str()),
            value: None,
            read_only: true,
            config_source: source as i8,
            is_sensitive: true,
            ..DescribeConfigsResourceResult::default()
        })
        .collect::<Vec<_>>()
        .into_iter()
}

fn of_logger(node_id: i32, name: &str) -> Result<Vec<DescribeConfigsResourceResult>, Refused> {
    match name.parse::<i32>() {
        _ if name.is_empty() => refuse("Broker id must not be empty"),
        Ok(id) if id == node_id => Ok(vec![DescribeConfigsResourceResult {
            name: Text::from(broker_logger::ROOT),
            value: Some(Text::from(broker_logger::level())),
            config_source: DYNAMIC_BROKER_LOGGER,
            ..DescribeConfigsResourceResult::default()
        }]),
        Ok(other) => refuse(format!(
            "Unexpected broker id, expected {node_id} but received {other}"
        )),
        Err(_) => refuse(format!("Broker id must be an integer, but it is: {name}")),
    }
}

fn tell(request: &DescribeConfigsRequest, setting: Described) -> DescribeConfigsResourceResult {
    let is_default = setting.is_default();
    let synonyms = if request.include_synonyms {
        let synonyms = setting.synonyms.into_iter();
        synonyms
            .map(|synonym| DescribeConfigsSynonym {
                name: Text::from(synonym.name),
                value: synonym.value.map(Text::from),
                source: synonym.source as i8,
            })
            .collect()
    } else {
        Vec::new()
    };
    DescribeConfigsResourceResult {
        name: Text::from(setting.name),
        value: setting.value.map(Text::from),
        read_only: setting.read_only,
        is_default,
        config_source: setting.source as i8,
        is_sensitive: setting.is_sensitive,
        synonyms,
        config_type: setting.config_type,
        documentation: request
            .include_documentation
            .then(|| Text::from(setting.documentation)),
    }
}
