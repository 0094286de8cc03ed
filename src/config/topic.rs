//! A topic's configuration, typed: its own values over the broker's, and the check of what clients ask for.
//!
//! Pure. Where a value comes from is worked out here once, for the log that runs with it and for DescribeConfigs that
//! shows it.

use crate::wire::records::Codec;
use std::collections::BTreeMap;

use super::dynamic::is_dynamic;
use super::property::{Property, Status};
use super::settings::Settings;
use super::table::broker_property;
use super::topic_properties::{Synonym, TopicProperty, topic_properties, topic_property};
use super::value::Value;

/// Values by name, as the metadata log holds them.
pub type Configs = BTreeMap<String, String>;

/// Broker values that the metadata log holds, above those of the file.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct DynamicConfigs {
    /// Of this broker alone.
    pub broker: Configs,
    /// Of every broker of the cluster.
    pub cluster: Configs,
}

/// What a topic's logs run with.
#[derive(Clone, PartialEq, Debug)]
pub struct TopicConfig {
    /// `cleanup.policy` names delete: records may go by age, size or offset.
    pub delete: bool,
    /// `cleanup.policy` names compact: records without a key are refused.
    pub compact: bool,
    /// `segment.bytes`.
    pub segment_bytes: u32,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `segment.jitter.ms`.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`.
    pub index_interval_bytes: u32,
    /// `flush.messages`; `i64::MAX` is never.
    pub flush_messages: u64,
    /// `flush.ms`; `i64::MAX` is never.
    pub flush_ms: i64,
    /// `retention.ms`; negative is without end.
    pub retention_ms: i64,
    /// `retention.bytes`; negative is without end.
    pub retention_bytes: i64,
    /// `file.delete.delay.ms`.
    pub file_delete_delay_ms: u64,
    /// `max.message.bytes`.
    pub max_message_bytes: u32,
    /// `compression.type`: the codec that batches are stored in; `None` is producer, as they were sent.
    pub compression: Option<Codec>,
    /// `message.timestamp.type`.
    pub message_timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub message_timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub message_timestamp_after_max_ms: i64,
    /// `min.insync.replicas`.
    pub min_insync_replicas: i32,
    /// `preallocate`.
    pub preallocate: bool,
    /// `min.cleanable.dirty.ratio`.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`; `i64::MAX` is never.
    pub max_compaction_lag_ms: i64,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
}

/// Whose clock a record's timestamp is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, at the append.
    LogAppendTime,
}

impl From<TimestampType> for crate::wire::records::TimestampType {
    fn from(configured: TimestampType) -> crate::wire::records::TimestampType {
        match configured {
            TimestampType::CreateTime => Self::CreateTime,
            TimestampType::LogAppendTime => Self::LogAppendTime,
        }
    }
}

/// Where an effective value comes from. The numbers are those of DescribeConfigs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(i8)]
pub enum Source {
    /// The topic itself.
    Topic = 1,
    /// Metadata, for this broker.
    DynamicBroker = 2,
    /// Metadata, for every broker.
    DynamicDefaultBroker = 3,
    /// The file, or the command line.
    StaticBroker = 4,
    /// The table.
    Default = 5,
    /// The client metrics subscription itself.
    ClientMetrics = 7,
    /// The group itself.
    Group = 8,
}

/// A topic setting that is refused. The message is Kafka's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct InvalidConfig {
    /// For the client's `error_message`.
    pub message: String,
}

/// Checks one setting of a topic; `None` is a null from the wire.
///
/// # Errors
/// [`InvalidConfig`] when the name is unknown, the value is not legal, or it promises what is not in force.
pub fn validate_topic_override(name: &str, value: Option<&str>) -> Result<(), InvalidConfig> {
    let refuse = |message: String| Err(InvalidConfig { message });
    let Some(TopicProperty { property, .. }) = topic_property(name) else {
        return refuse(format!("Unknown topic config name: {name}"));
    };
    let Some(value) = value else {
        return refuse(format!(
            "Null value not supported for topic configs: {name}"
        ));
    };
    let value = property.parse(value).map_err(|invalid| InvalidConfig {
        message: invalid.to_string(),
    })?;
    match property.status {
        Status::Guarded(why) if Some(value) != property.default_value() => refuse(why.to_owned()),
        _ => Ok(()),
    }
}

/// Checks the settings of a topic together: each by itself, then those that limit each other.
///
/// # Errors
/// [`InvalidConfig`] of the first that is refused.
pub fn validate_topic_overrides(
    overrides: &Configs,
    settings: &Settings,
    dynamic: &DynamicConfigs,
) -> Result<(), InvalidConfig> {
    for (name, value) in overrides {
        validate_topic_override(name, Some(value))?;
    }
    let number = |name| match Effective::find(settings, dynamic, overrides, name).value {
        Some(Value::Number(number)) => number,
        other => unreachable!("{name} is a whole number, not {other:?}"),
    };
    let (least, most) = (
        number("min.compaction.lag.ms"),
        number("max.compaction.lag.ms"),
    );
    if least > most {
        let message = format!(
            "conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms ({most})"
        );
        return Err(InvalidConfig { message });
    }
    Ok(())
}

/// The names among `overrides` that are kept and shown but change nothing in this version.
pub fn overrides_without_effect(overrides: &Configs) -> Vec<&str> {
    let idle = |name: &&str| {
        topic_property(name)
            .is_none_or(|topic| topic.property.status == Status::AcceptedWithoutEffect)
    };
    overrides.keys().map(String::as_str).filter(idle).collect()
}

/// A value that holds, and why.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Effective {
    /// The value; none only for a property whose default is Kafka's null.
    pub value: Option<Value>,
    /// Where it comes from.
    pub source: Source,
}

impl Effective {
    /// What holds for the topic property `name` under the topic's own `overrides`.
    fn find(
        settings: &Settings,
        dynamic: &DynamicConfigs,
        overrides: &Configs,
        name: &str,
    ) -> Effective {
        let topic = topic_property(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        Self::of(settings, dynamic, overrides, topic)
    }

    /// As [`find`](Self::find), of a row. A stored value that is not legal (a log written by another version) counts as absent.
    pub(super) fn of(
        settings: &Settings,
        dynamic: &DynamicConfigs,
        overrides: &Configs,
        topic: TopicProperty,
    ) -> Effective {
        let own = overrides
            .get(topic.property.name)
            .and_then(|text| topic.property.parse(text).ok());
        if let Some(value) = own {
            return Effective {
                value: Some(value),
                source: Source::Topic,
            };
        }
        let inherited = topic
            .synonyms
            .iter()
            .find_map(|synonym| inherited(settings, dynamic, synonym));
        inherited.unwrap_or_else(|| Effective {
            value: topic.property.default_value(),
            source: Source::Default,
        })
    }
}

/// What is set for a broker property, as a value of the topic property it stands behind.
fn inherited(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    synonym: &Synonym,
) -> Option<Effective> {
    let property = broker_property(synonym.broker)?;
    let (value, source) = broker_layers(settings, dynamic, property)
        .into_iter()
        .next()?;
    let value = match value {
        Value::Number(number) if synonym.scale != 1 && number >= 0 => {
            Value::Number(number.saturating_mul(synonym.scale))
        }
        other => other,
    };
    Some(Effective {
        value: Some(value),
        source,
    })
}

/// What holds for a broker property.
pub(super) fn broker_value(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    property: &Property,
) -> Option<Value> {
    let set = broker_layers(settings, dynamic, property)
        .into_iter()
        .next();
    set.map(|(value, _)| value)
        .or_else(|| property.default_value())
}

/// Every place above the table's default where `property` is set, the one that holds first.
pub(super) fn broker_layers(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    property: &Property,
) -> Vec<(Value, Source)> {
    let stored = |configs: &Configs| {
        // What takes a restart is not changed by a log that says so.
        configs
            .get(property.name)
            .filter(|_| is_dynamic(property))
            .and_then(|text| property.parse(text).ok())
    };
    let layers = [
        (stored(&dynamic.broker), Source::DynamicBroker),
        (stored(&dynamic.cluster), Source::DynamicDefaultBroker),
        (
            settings
                .explicit(property.name)
                .map(|setting| setting.value.clone()),
            Source::StaticBroker,
        ),
    ];
    layers
        .into_iter()
        .filter_map(|(value, source)| Some((value?, source)))
        .collect()
}

impl TopicConfig {
    /// What a topic with `overrides` runs with on a broker with `settings` and `dynamic` values.
    pub fn resolve(
        settings: &Settings,
        dynamic: &DynamicConfigs,
        overrides: &Configs,
    ) -> TopicConfig {
        let values: BTreeMap<&str, Option<Value>> = topic_properties()
            .map(|topic| {
                (
                    topic.property.name,
                    Effective::of(settings, dynamic, overrides, topic).value,
                )
            })
            .collect();
        let values = Values(values);
        TopicConfig {
            compact: values.list_has("cleanup.policy", "compact"),
            delete: values.list_has("cleanup.policy", "delete"),
            segment_bytes: values.number("segment.bytes"),
            segment_ms: values.number("segment.ms"),
            segment_jitter_ms: values.number("segment.jitter.ms"),
            segment_index_bytes: values.number("segment.index.bytes"),
            index_interval_bytes: values.number("index.interval.bytes"),
            flush_messages: values.number("flush.messages"),
            flush_ms: values.number::<i64>("flush.ms").max(0),
            retention_ms: values.number("retention.ms"),
            retention_bytes: values.number("retention.bytes"),
            file_delete_delay_ms: values.number("file.delete.delay.ms"),
            max_message_bytes: values.number("max.message.bytes"),
            compression: values.compression(),
            message_timestamp_type: values.timestamp_type(),
            message_timestamp_before_max_ms: values.number("message.timestamp.before.max.ms"),
            message_timestamp_after_max_ms: values.number("message.timestamp.after.max.ms"),
            min_insync_replicas: values.number("min.insync.replicas"),
            preallocate: values.0.get("preallocate") == Some(&Some(Value::Boolean(true))),
            min_cleanable_dirty_ratio: values.fraction("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: values.number("min.compaction.lag.ms"),
            max_compaction_lag_ms: values.number("max.compaction.lag.ms"),
            delete_retention_ms: values.number("delete.retention.ms"),
        }
    }
}

impl TopicConfig {
    /// The time after which a segment is sealed: what is to be compacted within `max.compaction.lag.ms` must not stay in the
    /// active segment for longer (Kafka's `LogConfig.maxSegmentMs`).
    pub fn max_segment_ms(&self) -> i64 {
        match self.compact {
            true => self.segment_ms.min(self.max_compaction_lag_ms),
            false => self.segment_ms,
        }
    }
}

/// Effective values by name, read as the types that the table's kinds and bounds guarantee.
struct Values<'a>(BTreeMap<&'a str, Option<Value>>);

impl Values<'_> {
    fn number<T: TryFrom<i64>>(&self, name: &str) -> T {
        match self.0.get(name) {
            Some(Some(Value::Number(number))) => T::try_from(*number)
                .unwrap_or_else(|_| unreachable!("the bounds of {name} let {number} through")),
            other => unreachable!("{name} is a whole number with a default, not {other:?}"),
        }
    }

    fn fraction(&self, name: &str) -> f64 {
        match self.0.get(name) {
            Some(Some(Value::Fraction(fraction))) => *fraction,
            other => unreachable!("{name} is a fraction with a default, not {other:?}"),
        }
    }

    fn list_has(&self, name: &str, word: &str) -> bool {
        matches!(self.0.get(name), Some(Some(Value::List(entries))) if entries.iter().any(|entry| entry == word))
    }

    fn compression(&self) -> Option<Codec> {
        let Some(Some(Value::Text(word))) = self.0.get("compression.type") else {
            return None;
        };
        match word.as_str() {
            "uncompressed" => Some(Codec::None),
            word => Codec::ALL.into_iter().find(|codec| codec.name() == word),
        }
    }

    fn timestamp_type(&self) -> TimestampType {
        match self.0.get("message.timestamp.type") {
            Some(Some(Value::Text(word))) if word == "LogAppendTime" => {
                TimestampType::LogAppendTime
            }
            _ => TimestampType::CreateTime,
        }
    }
}

#[cfg(test)]
mod tests;
