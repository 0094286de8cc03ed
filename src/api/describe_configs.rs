//! DescribeConfigs (32): every setting of a topic or of the broker, with where it comes from.
//!
//! Versions 0–4: 1 tells sources and synonyms, 3 types and documentation, 4 is flexible. Without names all settings are told,
//! defaults included.

use super::{Asked, Handled};
use crate::config::describe::{self, Described};
use crate::config::settings::Settings;
use crate::config::topic::{Configs, DynamicConfigs, Source};
use crate::metadata::topic_name;
use crate::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};
use crate::wire::{ApiKey, ErrorCode, Text};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeConfigsRequest = asked.decode()?;
    let response = DescribeConfigsResponse {
        results: request
            .resources
            .iter()
            .map(|resource| described(asked, &request, resource))
            .collect(),
        ..DescribeConfigsResponse::default()
    };
    Ok(asked.answer(ApiKey::DescribeConfigs, &response))
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
    match settings_of(asked, resource) {
        Ok(settings) => {
            let named = resource.configuration_keys.as_deref().unwrap_or_default();
            result.configs = settings
                .into_iter()
                .filter(|setting| {
                    named.is_empty() || named.iter().any(|name| **name == *setting.name)
                })
                .map(|setting| told(request, setting))
                .collect();
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
    resource: &DescribeConfigsResource,
) -> Result<Vec<Described>, (ErrorCode, String)> {
    let shard = &asked.context.shard;
    let image = shard.image();
    let settings = &shard.config.settings;
    let dynamic = image.dynamic_configs(shard.node_id);
    let name = &resource.resource_name;
    match resource.resource_type {
        TOPIC => match image.topic_by_name(name) {
            Some(topic) => Ok(describe::describe_topic(settings, &dynamic, &topic.configs)),
            None if topic_name::validate(name).is_err() => Err((
                ErrorCode::INVALID_TOPIC_EXCEPTION,
                format!("{:?} is no topic name", &**name),
            )),
            None => Err((
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.message().to_owned(),
            )),
        },
        BROKER => {
            let node_id = shard.node_id;
            if name.is_empty() {
                Ok(defaults_of_all_brokers(settings, dynamic))
            } else if name.parse() == Ok(node_id) {
                Ok(describe::describe_broker(settings, &dynamic))
            } else {
                Err((
                    ErrorCode::INVALID_REQUEST,
                    format!(
                        "Unexpected broker id, expected {node_id} or empty string, but received {}",
                        &**name
                    ),
                ))
            }
        }
        other => Err((
            ErrorCode::INVALID_REQUEST,
            format!("Unsupported resource type: {other}"),
        )),
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
    described
}

fn told(request: &DescribeConfigsRequest, setting: Described) -> DescribeConfigsResourceResult {
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
