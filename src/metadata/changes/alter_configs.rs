//! AlterConfigs and IncrementalAlterConfigs decided: the checks of Kafka 4.3's brokers and controllers, and the records that
//! change what differs.

use std::collections::{BTreeSet, HashSet};

use super::Refusal;
use crate::config::client_metrics::{
    InvalidSubscription, client_metrics_property, validate_client_metrics,
};
use crate::config::describe;
use crate::config::dynamic::{validate_broker_configs, validate_cleaner_threads};
use crate::config::group_properties::{group_property, validate_group_configs};
use crate::config::settings::Settings;
use crate::config::table::broker_property;
use crate::config::topic::{Configs, validate_topic_overrides};
use crate::config::topic_properties::topic_property;
use crate::limits::{CONFIG_CHANGES_MAX_BYTES, CONFIG_VALUE_MAX_BYTES};
use crate::metadata::image::{
    BROKER_RESOURCE, CLIENT_METRICS_RESOURCE, GROUP_RESOURCE, Image, TOPIC_RESOURCE,
};
use crate::metadata::topic_name;
use crate::wire::Text;
use crate::wire::metadata_records::{ConfigRecord, MetadataRecord};

/// What shall become of the settings of one resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigChange {
    /// Kind of resource, in the protocol's numbers.
    pub resource_type: i8,
    /// Name of the topic or group, node id, or nothing for all brokers.
    pub resource_name: String,
    /// By name of the setting; a name may stand there once.
    pub settings: Vec<(String, Alteration)>,
    /// Whether every setting that is not named goes back to its default.
    pub replaces: bool,
}

/// What shall become of one setting. A null value is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Alteration {
    /// It gets this value.
    Set(Option<String>),
    /// It goes back to its default.
    Delete,
    /// These entries are added to its list, where they are not there yet.
    Append(Option<String>),
    /// These entries are taken from its list.
    Subtract(Option<String>),
    /// A number that no client of today sends.
    Unknown,
}

/// Who decides, and on which ground.
#[derive(Clone, Copy, Debug)]
pub struct AlterRules<'a> {
    /// This broker.
    pub node_id: i32,
    /// What it was started with.
    pub settings: &'a Settings,
}

/// A request to change settings, one resource after the other: whoever decides on many can do other things between them.
#[derive(Debug)]
pub struct Altering<'a> {
    image: &'a Image,
    rules: AlterRules<'a>,
    /// Resources that are named more than once.
    repeated: HashSet<(i8, &'a str)>,
    /// All of it together is more than is taken in one request.
    is_too_large: bool,
}

impl<'a> Altering<'a> {
    /// The request with all its `changes`.
    pub fn new(image: &'a Image, rules: AlterRules<'a>, changes: &'a [ConfigChange]) -> Self {
        let mut seen = HashSet::new();
        let resources = changes
            .iter()
            .map(|change| (change.resource_type, change.resource_name.as_str()));
        Altering {
            image,
            rules,
            repeated: resources
                .filter(|resource| !seen.insert(*resource))
                .collect(),
            is_too_large: size(changes) > CONFIG_CHANGES_MAX_BYTES,
        }
    }

    /// Decides on one of the changes: the records that make it true.
    ///
    /// # Errors
    /// [`Refusal`], in Kafka's words.
    pub fn decide(&self, change: &ConfigChange) -> Result<Vec<MetadataRecord>, Refusal> {
        if self.is_too_large {
            let words = "Excessively large number of configurations per request.";
            return Err(Refusal::PolicyViolation(words.to_owned()));
        }
        let resource = (change.resource_type, change.resource_name.as_str());
        if self.repeated.contains(&resource) {
            return Err(invalid_request("Each resource must appear at most once."));
        }
        let (before, after) = decide(self.image, self.rules, change)?;
        Ok(difference(change, &before, &after))
    }
}

/// Bytes of all names and values: what would go into one batch of the metadata log.
fn size(changes: &[ConfigChange]) -> usize {
    let of_setting = |(name, alteration): &(String, Alteration)| {
        name.len()
            + match alteration {
                Alteration::Set(Some(value))
                | Alteration::Append(Some(value))
                | Alteration::Subtract(Some(value)) => value.len(),
                _ => 0,
            }
    };
    let of_change = |change: &ConfigChange| {
        let named = change.resource_name.len() * change.settings.len();
        named + change.settings.iter().map(of_setting).sum::<usize>()
    };
    changes.iter().map(of_change).sum()
}

fn invalid_request(words: impl Into<String>) -> Refusal {
    Refusal::InvalidRequest(words.into())
}

/// The settings of the resource before and after.
fn decide(
    image: &Image,
    rules: AlterRules<'_>,
    change: &ConfigChange,
) -> Result<(Configs, Configs), Refusal> {
    check_names(change)?;
    let before = settings_of(image, rules, change)?;
    let mut after = if change.replaces {
        Configs::new()
    } else {
        before.clone()
    };
    for (name, alteration) in &change.settings {
        alter(image, rules, change, &mut after, (name, alteration))?;
    }
    validate(image, rules, change, &after)?;
    check_in_sync_replicas(image, change, &before, &after)?;
    Ok((before, after))
}

fn check_names(change: &ConfigChange) -> Result<(), Refusal> {
    let mut names = BTreeSet::new();
    if !change.settings.iter().all(|(name, _)| names.insert(name)) {
        return Err(invalid_request("Error due to duplicate config keys"));
    }
    let without_value: Vec<&str> = change
        .settings
        .iter()
        .filter(|(_, alteration)| {
            matches!(
                alteration,
                Alteration::Set(None) | Alteration::Append(None) | Alteration::Subtract(None)
            )
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if without_value.is_empty() {
        return Ok(());
    }
    Err(invalid_request(format!(
        "Null value not supported for : {}",
        without_value.join(",")
    )))
}

/// What is set for the resource now, if it can be changed at all.
fn settings_of(
    image: &Image,
    rules: AlterRules<'_>,
    change: &ConfigChange,
) -> Result<Configs, Refusal> {
    let name = change.resource_name.as_str();
    match change.resource_type {
        TOPIC_RESOURCE if name.is_empty() => {
            Err(invalid_request("Default topic resources are not allowed."))
        }
        TOPIC_RESOURCE => topic_settings(image, name),
        BROKER_RESOURCE => {
            check_broker(rules.node_id, name)?;
            Ok(stored(image, change))
        }
        CLIENT_METRICS_RESOURCE if name.is_empty() => {
            Err(invalid_request("Subscription name can't be empty"))
        }
        GROUP_RESOURCE if name.is_empty() => {
            Err(invalid_request("Default group resources are not allowed."))
        }
        CLIENT_METRICS_RESOURCE | GROUP_RESOURCE => Ok(stored(image, change)),
        other => Err(invalid_request(format!("Unknown resource type {other}"))),
    }
}

fn stored(image: &Image, change: &ConfigChange) -> Configs {
    image
        .configs(change.resource_type, &change.resource_name)
        .cloned()
        .unwrap_or_default()
}

fn topic_settings(image: &Image, name: &str) -> Result<Configs, Refusal> {
    topic_name::validate(name).map_err(|invalid| Refusal::InvalidTopic(invalid.to_string()))?;
    let topic = image
        .topic_by_name(name)
        .ok_or_else(|| Refusal::NoSuchTopic(name.to_owned()))?;
    Ok(topic.configs.clone())
}

fn check_broker(node_id: i32, name: &str) -> Result<(), Refusal> {
    match name.parse::<i32>() {
        _ if name.is_empty() => Ok(()),
        Ok(id) if id == node_id => Ok(()),
        Ok(other) => Err(invalid_request(format!(
            "Unexpected broker id, expected {node_id}, but received {other}"
        ))),
        Err(_) => Err(invalid_request(format!(
            "Node id must be an integer, but it is: {name}"
        ))),
    }
}

fn alter(
    image: &Image,
    rules: AlterRules<'_>,
    change: &ConfigChange,
    configs: &mut Configs,
    (name, alteration): (&String, &Alteration),
) -> Result<(), Refusal> {
    let value = match alteration {
        Alteration::Set(Some(value)) => value.clone(),
        Alteration::Delete => {
            configs.remove(name);
            return Ok(());
        }
        Alteration::Append(Some(value)) | Alteration::Subtract(Some(value)) => {
            let appends = matches!(alteration, Alteration::Append(_));
            if !is_list(change.resource_type, name) {
                let operation = if appends { "APPEND" } else { "SUBTRACT" };
                return Err(Refusal::InvalidConfig(format!(
                    "Can't {operation} to key {name} because its type is not LIST."
                )));
            }
            let current = match configs.get(name) {
                Some(own) => own.clone(),
                None => inherited(image, rules, change, name),
            };
            join(&current, value, appends)
        }
        Alteration::Unknown
        | Alteration::Set(None)
        | Alteration::Append(None)
        | Alteration::Subtract(None) => return Err(Refusal::UnknownOperation),
    };
    if value.len() > CONFIG_VALUE_MAX_BYTES {
        return Err(Refusal::InvalidConfig(format!(
            "The configuration value cannot be added because it exceeds the maximum value size of {CONFIG_VALUE_MAX_BYTES} bytes."
        )));
    }
    configs.insert(name.clone(), value);
    Ok(())
}

/// Whether the setting is a list, to which one can append.
fn is_list(resource_type: i8, name: &str) -> bool {
    let property = match resource_type {
        TOPIC_RESOURCE => topic_property(name).map(|topic| topic.property),
        BROKER_RESOURCE => broker_property(name),
        GROUP_RESOURCE => group_property(name),
        _ => client_metrics_property(name),
    };
    property.is_some_and(|property| property.kind.is_list())
}

/// What the list holds while the resource does not set it.
fn inherited(image: &Image, rules: AlterRules<'_>, change: &ConfigChange, name: &str) -> String {
    let settings = rules.settings;
    let dynamic = image.dynamic_configs(rules.node_id);
    let none = Configs::new();
    let described = match change.resource_type {
        TOPIC_RESOURCE => describe::describe_topic(settings, &dynamic, &none),
        BROKER_RESOURCE => describe::describe_broker(settings, &dynamic),
        _ => describe::describe_client_metrics(&none),
    };
    let holds = described.into_iter().find(|setting| setting.name == name);
    holds.and_then(|setting| setting.value).unwrap_or_default()
}

/// A list with entries added or taken, each once, in their order.
fn join(current: &str, value: &str, appends: bool) -> String {
    let entries = |text: &str| {
        let entries = text.split(',').map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        entries.map(ToOwned::to_owned).collect::<Vec<String>>()
    };
    let mut list = entries(current);
    for entry in entries(value) {
        if !appends {
            list.retain(|present| *present != entry);
        } else if !list.contains(&entry) {
            list.push(entry);
        }
    }
    list.join(",")
}

/// The settings together, as they would be.
fn validate(
    image: &Image,
    rules: AlterRules<'_>,
    change: &ConfigChange,
    configs: &Configs,
) -> Result<(), Refusal> {
    let dynamic = image.dynamic_configs(rules.node_id);
    match change.resource_type {
        TOPIC_RESOURCE => validate_topic_overrides(configs, rules.settings, &dynamic)
            .map_err(|invalid| Refusal::InvalidConfig(invalid.message)),
        BROKER_RESOURCE => validate_broker_configs(rules.settings, configs)
            .and_then(|()| validate_cleaner_threads(rules.settings, &dynamic, configs))
            .map_err(Refusal::InvalidRequest),
        GROUP_RESOURCE => validate_group_configs(configs, rules.settings, &dynamic)
            .map_err(|invalid| Refusal::InvalidConfig(invalid.message)),
        _ => validate_client_metrics(configs).map_err(|invalid| match invalid {
            InvalidSubscription::Request(words) => Refusal::InvalidRequest(words),
            InvalidSubscription::Config(words) => Refusal::InvalidConfig(words),
        }),
    }
}

/// While the cluster keeps eligible leader replicas (KIP-966), `min.insync.replicas` is the same on all brokers.
fn check_in_sync_replicas(
    image: &Image,
    change: &ConfigChange,
    before: &Configs,
    after: &Configs,
) -> Result<(), Refusal> {
    const NAME: &str = "min.insync.replicas";
    let concerned = change.resource_type == BROKER_RESOURCE
        && image.feature("eligible.leader.replicas.version") > 0
        && before.get(NAME) != after.get(NAME);
    if !concerned {
        return Ok(());
    }
    if !change.resource_name.is_empty() {
        let words = "Broker-level min.insync.replicas cannot be altered while ELR is enabled.";
        return Err(Refusal::InvalidConfig(words.to_owned()));
    }
    if !after.contains_key(NAME) {
        let words = "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.";
        return Err(Refusal::InvalidConfig(words.to_owned()));
    }
    Ok(())
}

fn difference(change: &ConfigChange, before: &Configs, after: &Configs) -> Vec<MetadataRecord> {
    let record = |name: &String, value: Option<&String>| {
        ConfigRecord {
            resource_type: change.resource_type,
            resource_name: Text::from(change.resource_name.as_str()),
            name: Text::from(name.as_str()),
            value: value.map(|value| Text::from(value.as_str())),
        }
        .into()
    };
    let set = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| record(name, Some(value)));
    let unset = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .map(|name| record(name, None));
    set.chain(unset).collect()
}

#[cfg(test)]
mod tests;
