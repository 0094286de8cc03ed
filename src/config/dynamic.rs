//! What of the broker can be changed while it runs: which properties, and the checks that a change must pass.
//!
//! Pure. The names are those of Kafka 4.3's `DynamicBrokerConfig`, less those that take a restart here: listeners, and whatever
//! is not served at all.

use super::broker::BrokerConfig;
use super::property::{Property, Status};
use super::settings::{Origin, Setting, Settings};
use super::table::broker_property;
use super::topic::{Configs, DynamicConfigs};

/// Sorted by name.
static DYNAMIC: &[&str] = &[
    "background.threads",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "follower.fetch.last.tiered.offset.enable",
    "group.consumer.assignment.interval.ms",
    "group.coordinator.cached.buffer.max.bytes",
    "group.share.assignment.interval.ms",
    "group.streams.assignment.interval.ms",
    "log.cleaner.backoff.ms",
    "log.cleaner.dedupe.buffer.size",
    "log.cleaner.delete.retention.ms",
    "log.cleaner.io.buffer.load.factor",
    "log.cleaner.io.buffer.size",
    "log.cleaner.io.max.bytes.per.second",
    "log.cleaner.max.compaction.lag.ms",
    "log.cleaner.min.cleanable.ratio",
    "log.cleaner.min.compaction.lag.ms",
    "log.cleaner.threads",
    "log.cleanup.policy",
    "log.flush.interval.messages",
    "log.flush.interval.ms",
    "log.index.interval.bytes",
    "log.index.size.max.bytes",
    "log.local.retention.bytes",
    "log.local.retention.ms",
    "log.message.timestamp.after.max.ms",
    "log.message.timestamp.before.max.ms",
    "log.message.timestamp.type",
    "log.preallocate",
    "log.retention.bytes",
    "log.retention.ms",
    "log.roll.jitter.ms",
    "log.roll.ms",
    "log.segment.bytes",
    "log.segment.delete.delay.ms",
    "max.connection.creation.rate",
    "max.connections",
    "max.connections.per.ip",
    "max.connections.per.ip.overrides",
    "message.max.bytes",
    "metric.reporters",
    "min.insync.replicas",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
    "producer.id.expiration.ms",
    "remote.fetch.max.wait.ms",
    "remote.list.offsets.request.timeout.ms",
    "remote.log.index.file.cache.total.size.bytes",
    "remote.log.manager.copier.thread.pool.size",
    "remote.log.manager.copy.max.bytes.per.second",
    "remote.log.manager.expiration.thread.pool.size",
    "remote.log.manager.fetch.max.bytes.per.second",
    "remote.log.manager.follower.thread.pool.size",
    "remote.log.reader.threads",
    "share.coordinator.cached.buffer.max.bytes",
    "transaction.partition.verification.enable",
    "unclean.leader.election.enable",
];

/// Whether `property` of the broker can be changed while it runs.
pub fn is_dynamic(property: &Property) -> bool {
    !matches!(property.status, Status::Guarded(_)) && DYNAMIC.binary_search(&property.name).is_ok()
}

/// Checks what the metadata log would say of one broker, or of all: `configs` together.
///
/// # Errors
/// Why not, in Kafka's words.
pub fn validate_broker_configs(settings: &Settings, configs: &Configs) -> Result<(), String> {
    let fixed: Vec<&str> = configs
        .keys()
        .map(String::as_str)
        .filter(|name| !may_be_stored(name))
        .collect();
    if !fixed.is_empty() {
        return Err(format!(
            "Cannot update these configs dynamically: [{}]",
            fixed.join(", ")
        ));
    }
    for (name, text) in configs {
        if let Some(property) = broker_property(name) {
            property
                .parse(text)
                .map_err(|invalid| invalid.to_string())?;
        }
    }
    let changed = layered(settings, [configs]);
    BrokerConfig::from_settings(changed, &mut Vec::new())
        .map(drop)
        .map_err(|conflict| conflict.to_string())
}

/// Checks a change of `log.cleaner.threads` against what holds now: at most double, at least half.
///
/// # Errors
/// Why not, in Kafka's words.
pub fn validate_cleaner_threads(
    settings: &Settings,
    dynamic: &DynamicConfigs,
    configs: &Configs,
) -> Result<(), String> {
    const NAME: &str = "log.cleaner.threads";
    let Some(wanted) = configs
        .get(NAME)
        .and_then(|text| text.trim().parse::<i64>().ok())
    else {
        return Ok(());
    };
    let now = layered(settings, [&dynamic.cluster, &dynamic.broker]).number(NAME);
    let now = now.unwrap_or(1);
    if wanted < 1 {
        return Err("Log cleaner threads should be at least 1".to_owned());
    }
    if wanted < now / 2 {
        return Err(format!(
            "Log cleaner threads cannot be reduced to less than half the current value {now}"
        ));
    }
    if wanted > now.saturating_mul(2) {
        return Err(format!(
            "Log cleaner threads cannot be increased to more than double the current value {now}"
        ));
    }
    Ok(())
}

/// Names that nobody knows are kept, as Kafka keeps them for plugins; settings of a single listener would not be honoured.
fn may_be_stored(name: &str) -> bool {
    match broker_property(name) {
        Some(property) => is_dynamic(property),
        None => !name.starts_with("listener.name."),
    }
}

/// The names among `configs` that are kept and shown but change nothing.
pub fn broker_configs_without_effect(configs: &Configs) -> Vec<&str> {
    let idle = |name: &&str| {
        broker_property(name)
            .is_none_or(|property| property.status == Status::AcceptedWithoutEffect)
    };
    configs.keys().map(String::as_str).filter(idle).collect()
}

/// `settings` with what the metadata log says on top, the later layer over the earlier.
fn layered<'a>(settings: &Settings, layers: impl IntoIterator<Item = &'a Configs>) -> Settings {
    let mut settings = settings.clone();
    for (name, text) in layers.into_iter().flatten() {
        let dynamic = broker_property(name).filter(|property| is_dynamic(property));
        if let Some((property, value)) =
            dynamic.and_then(|property| Some((property, property.parse(text).ok()?)))
        {
            let origin = Origin::Metadata;
            settings.set(property.name, Setting { value, origin });
        }
    }
    settings
}

impl BrokerConfig {
    /// What the broker runs with once the metadata log says `dynamic` too. What takes a restart stays as it is, and so does
    /// everything where the log holds values that do not go together (written by another version).
    pub fn with_dynamic(&self, dynamic: &DynamicConfigs) -> BrokerConfig {
        let settings = layered(&self.settings, [&dynamic.cluster, &dynamic.broker]);
        let resolved = match BrokerConfig::from_settings(settings, &mut Vec::new()) {
            Ok(resolved) => resolved,
            Err(_) => self.clone(),
        };
        BrokerConfig {
            node_id: self.node_id,
            listeners: self.listeners.clone(),
            topic_defaults: super::TopicConfig::resolve(
                &self.settings,
                dynamic,
                &Configs::default(),
            ),
            settings: self.settings.clone(),
            ..resolved
        }
    }
}

#[cfg(test)]
mod tests;
