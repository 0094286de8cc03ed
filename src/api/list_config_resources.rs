//! ListConfigResources (74): what has settings.
//!
//! Versions 0–1: 0 lists client metrics subscriptions, 1 any kind, all of them when none is named. Every topic and broker has settings;
//! groups and client metrics are listed that have some of their own.

use super::{Asked, Handled};
use crate::metadata::Image;
use crate::metadata::image::{
    BROKER_LOGGER_RESOURCE, BROKER_RESOURCE, CLIENT_METRICS_RESOURCE, GROUP_RESOURCE,
    TOPIC_RESOURCE,
};
use crate::wire::messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use crate::wire::{ApiKey, ErrorCode, Text};

/// Kinds can be named from this version on.
const KINDS_FROM: i16 = 1;

/// Every kind, in Kafka's order.
const KINDS: [i8; 5] = [
    GROUP_RESOURCE,
    CLIENT_METRICS_RESOURCE,
    BROKER_LOGGER_RESOURCE,
    BROKER_RESOURCE,
    TOPIC_RESOURCE,
];

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: ListConfigResourcesRequest = asked.decode()?;
    let wanted = match request.resource_types.as_slice() {
        _ if asked.version() < KINDS_FROM => &[CLIENT_METRICS_RESOURCE],
        [] => &KINDS[..],
        named => named,
    };
    let mut response = ListConfigResourcesResponse::default();
    if wanted.iter().all(|kind| KINDS.contains(kind)) {
        let image = asked.context.shard.image();
        let kinds = KINDS.iter().filter(|kind| wanted.contains(kind));
        response.config_resources = kinds.flat_map(|kind| resources(&image, *kind)).collect();
    } else {
        response.error_code = ErrorCode::UNSUPPORTED_VERSION;
    }
    Ok(asked.answer(ApiKey::ListConfigResources, &response))
}

fn resources(image: &Image, resource_type: i8) -> Vec<ConfigResource> {
    let resource = |name: &str| ConfigResource {
        resource_name: Text::from(name),
        resource_type,
    };
    match resource_type {
        TOPIC_RESOURCE => image.topics().map(|topic| resource(&topic.name)).collect(),
        BROKER_RESOURCE | BROKER_LOGGER_RESOURCE => image
            .brokers()
            .map(|broker| resource(&broker.id.to_string()))
            .collect(),
        other => image.configured(other).map(resource).collect(),
    }
}
