//! The views of DescribeConfigs: every property with the value that holds, where it comes from, and what it would be otherwise.
//!
//! Pure; knows no error code and no wire layout. Sources and types carry the protocol's numbers.

use super::client_metrics::CLIENT_METRICS_PROPERTIES;
use super::dynamic::is_dynamic;
use super::group_properties::{GROUP_PROPERTIES, behind_group_property};
use super::property::{Kind, Property};
use super::settings::Settings;
use super::table::{broker_properties, broker_property, is_kafkas};
use super::topic::{Configs, DynamicConfigs, Effective, Source, broker_layers};
use super::topic_properties::{TopicProperty, synonyms_from, topic_properties};
use super::value::Value;

/// One property as DescribeConfigs shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Described {
    /// The property's name.
    pub name: &'static str,
    /// The value that holds; `None` when it is null, or must not be shown.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// Whether it must not be shown.
    pub is_sensitive: bool,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
    /// Everything that sets it, the one that holds first.
    pub synonyms: Vec<DescribedSynonym>,
    /// Number of its type in the protocol.
    pub config_type: i8,
    /// What it does.
    pub documentation: &'static str,
}

impl Described {
    /// Whether nothing sets it (the field of DescribeConfigs version 0).
    pub fn is_default(&self) -> bool {
        self.source == Source::Default
    }
}

/// One place that sets a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DescribedSynonym {
    /// Name under which it is set there.
    pub name: &'static str,
    /// The value there; `None` when it must not be shown.
    pub value: Option<String>,
    /// The place.
    pub source: Source,
}

/// Every listed property of a topic with `overrides`, by name.
pub fn describe_topic(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    overrides: &Configs,
) -> Vec<Described> {
    let listed = topic_properties().filter(|topic| topic.property.is_listed());
    listed
        .map(|topic| describe_topic_property(settings, dynamic, overrides, topic))
        .collect()
}

/// Every listed property of the broker, by name; those that Kafka does not have only where they are set.
pub fn describe_broker(settings: &Settings, dynamic: &DynamicConfigs) -> Vec<Described> {
    let is_shown = |property: &&'static Property| {
        let name = property.name;
        property.is_listed() && (is_kafkas(name) || settings.explicit(name).is_some())
    };
    let listed = broker_properties().filter(is_shown);
    listed
        .map(|property| describe_broker_property(settings, dynamic, property))
        .collect()
}

/// Every property of a group with `own` values, by name.
pub fn describe_group(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    own: &Configs,
) -> Vec<Described> {
    GROUP_PROPERTIES
        .iter()
        .map(|property| describe_group_property(settings, dynamic, own, property))
        .collect()
}

/// Every property of a client metrics subscription with `own` values, by name.
pub fn describe_client_metrics(own: &Configs) -> Vec<Described> {
    CLIENT_METRICS_PROPERTIES
        .iter()
        .map(|property| describe_own_property(own, property, Source::ClientMetrics))
        .collect()
}

fn describe_topic_property(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    overrides: &Configs,
    topic: TopicProperty,
) -> Described {
    let property = topic.property;
    let effective = Effective::of(settings, dynamic, overrides, topic);
    let mut synonyms = Vec::new();
    if let (Source::Topic, Some(value)) = (effective.source, &effective.value) {
        synonyms.push(DescribedSynonym {
            name: property.name,
            value: shown(property, value),
            source: Source::Topic,
        });
    }
    if let Some(broker) = topic
        .synonyms
        .first()
        .and_then(|first| broker_property(first.broker))
    {
        synonyms.extend(broker_synonyms(settings, dynamic, broker));
    }
    // Kafka calls the source of what only a coarser broker property sets (hours, minutes) the default.
    let source = synonyms
        .first()
        .map_or(Source::Default, |first| first.source);
    let effective = Effective {
        source,
        ..effective
    };
    described(property, effective, synonyms, false)
}

fn describe_broker_property(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    property: &'static Property,
) -> Described {
    let effective = match broker_layers(settings, dynamic, property)
        .into_iter()
        .next()
    {
        Some((value, source)) => Effective {
            value: Some(value),
            source,
        },
        None => Effective {
            value: property.default_value(),
            source: Source::Default,
        },
    };
    described(
        property,
        effective,
        broker_synonyms(settings, dynamic, property),
        !is_dynamic(property),
    )
}

fn describe_group_property(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    own: &Configs,
    property: &'static Property,
) -> Described {
    let broker = behind_group_property(property.name);
    let inherited = broker.map(|broker| describe_broker_property(settings, dynamic, broker));
    let mut described = describe_own_property(own, property, Source::Group);
    match inherited {
        Some(inherited) => {
            if described.source == Source::Default {
                described.value = inherited.value;
                described.source = inherited.source;
            }
            described.synonyms.extend(inherited.synonyms);
        }
        None => described.synonyms.push(DescribedSynonym {
            name: property.name,
            value: property.default.map(ToOwned::to_owned),
            source: Source::Default,
        }),
    }
    described
}

/// A property that has no broker property behind it: its own value, else its default.
fn describe_own_property(own: &Configs, property: &'static Property, source: Source) -> Described {
    let set = own
        .get(property.name)
        .and_then(|text| property.parse(text).ok());
    let synonyms = set.iter().map(|value| DescribedSynonym {
        name: property.name,
        value: shown(property, value),
        source,
    });
    let synonyms = synonyms.collect();
    let effective = match set {
        Some(value) => Effective {
            value: Some(value),
            source,
        },
        None => Effective {
            value: property.default_value(),
            source: Source::Default,
        },
    };
    described(property, effective, synonyms, false)
}

fn described(
    property: &'static Property,
    effective: Effective,
    synonyms: Vec<DescribedSynonym>,
    read_only: bool,
) -> Described {
    Described {
        name: property.name,
        value: effective
            .value
            .as_ref()
            .and_then(|value| shown(property, value)),
        source: effective.source,
        is_sensitive: property.is_sensitive(),
        read_only,
        synonyms,
        config_type: config_type(property.kind),
        documentation: property.doc,
    }
}

/// Everything that sets `property` and, after it, the coarser properties that stand in for it (milliseconds, minutes, hours): place by
/// place as in Kafka, which begins with the first place that sets `property` itself.
fn broker_synonyms(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    property: &'static Property,
) -> Vec<DescribedSynonym> {
    let mut synonyms = Vec::new();
    for property in stand_ins(property) {
        let default = property
            .default_value()
            .map(|value| (value, Source::Default));
        let layers = broker_layers(settings, dynamic, property);
        synonyms.extend(layers.into_iter().chain(default).map(|(value, source)| {
            DescribedSynonym {
                name: property.name,
                value: shown(property, &value),
                source,
            }
        }));
    }
    synonyms.sort_by_key(|synonym| synonym.source);
    let first = synonyms
        .iter()
        .position(|synonym| synonym.name == property.name);
    synonyms.split_off(first.unwrap_or(synonyms.len()))
}

/// `property`, and the coarser ones behind it.
fn stand_ins(property: &'static Property) -> Vec<&'static Property> {
    let coarser = synonyms_from(property.name);
    if coarser.is_empty() {
        return vec![property];
    }
    let rows = coarser
        .iter()
        .filter_map(|synonym| broker_property(synonym.broker));
    rows.collect()
}

fn shown(property: &Property, value: &Value) -> Option<String> {
    (!property.is_sensitive()).then(|| value.to_string())
}

/// Numbers of `DescribeConfigsResponse.ConfigType`.
fn config_type(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::Text | Kind::OneOf(_) | Kind::OneOfAnyCase(_) => 2,
        Kind::Int(_) | Kind::GzipLevel => 3,
        Kind::Short(_) => 4,
        Kind::Long(_) => 5,
        Kind::Double(..) => 6,
        Kind::List | Kind::ListOf(_) | Kind::ThrottledReplicas => 7,
        Kind::Class => 8,
        Kind::Password => 9,
    }
}

#[cfg(test)]
mod tests;
