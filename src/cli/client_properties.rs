//! `consumer.properties` and `producer.properties`: what our console clients take from them, and what they say of the rest.
//!
//! ```text
//! text ─▶ config::explain (what each line means) ─▶ typed settings + a warning for what has no effect
//! ```
//!
//! Every name of Kafka 0.8 and of today is known: see [`crate::config::client_table`]. Options on the command line go before the file.

use super::values::{Acks, Compression};
use crate::config::ConfigError;
use crate::config::client_table::ClientSide;
use crate::config::error::did_you_mean;
use crate::config::explain::{ExplainedLine, FileKind, Holds, Meaning, explain, explain_entries};
use crate::config::load::read_bounded;
use crate::config::reader::Entry;
use crate::config::settings::Origin;
use crate::config::value::Value;
use std::path::Path;
use std::time::Duration;

/// What a property file sets; `None` leaves it to the command line, or the default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientProperties {
    /// `bootstrap.servers`
    pub bootstrap: Option<Vec<String>>,
    /// `client.id`
    pub client_id: Option<String>,
    /// `request.timeout.ms`
    pub request_timeout: Option<Duration>,
    /// What only a consumer has.
    pub consumer: ConsumerProperties,
    /// What only a producer has.
    pub producer: ProducerProperties,
    /// One sentence for each line that has no effect, is unknown, or goes by an older name.
    pub warnings: Vec<String>,
}

/// What a `consumer.properties` sets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConsumerProperties {
    /// `group.id`
    pub group_id: Option<String>,
    /// `group.instance.id`
    pub group_instance_id: Option<String>,
    /// `auto.offset.reset`
    pub offset_reset: Option<OffsetReset>,
    /// `enable.auto.commit`
    pub auto_commit: Option<bool>,
    /// `auto.commit.interval.ms`
    pub auto_commit_interval: Option<Duration>,
    /// `session.timeout.ms`
    pub session_timeout: Option<Duration>,
    /// `heartbeat.interval.ms`
    pub heartbeat_interval: Option<Duration>,
    /// `metadata.max.age.ms`
    pub metadata_max_age: Option<Duration>,
    /// `max.poll.interval.ms`
    pub max_poll_interval: Option<Duration>,
    /// `fetch.min.bytes`
    pub fetch_min_bytes: Option<i32>,
    /// `fetch.max.bytes`
    pub fetch_max_bytes: Option<i32>,
    /// `max.partition.fetch.bytes`
    pub partition_fetch_bytes: Option<i32>,
    /// `fetch.max.wait.ms`
    pub fetch_max_wait_ms: Option<i32>,
    /// `isolation.level`
    pub read_committed: Option<bool>,
    /// `consumer.timeout.ms`: time without a record after which the consumer ends.
    pub idle_timeout: Option<Duration>,
}

/// What a `producer.properties` sets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProducerProperties {
    /// `acks`
    pub acks: Option<Acks>,
    /// `compression.type`
    pub compression: Option<Compression>,
    /// `batch.size`
    pub batch_bytes: Option<u32>,
    /// `linger.ms`
    pub linger: Option<Duration>,
    /// `enable.idempotence`
    pub idempotent: Option<bool>,
    /// `retries`
    pub retries: Option<u32>,
    /// `producer.type`: whether each record is acknowledged before the next is read.
    pub sync: Option<bool>,
}

/// `auto.offset.reset`: where to begin without a committed offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OffsetReset {
    /// At the oldest record.
    Earliest,
    /// At what arrives from now on.
    Latest,
    /// Nowhere: it is an error.
    None,
}

/// Reads a file; see [`parse`].
///
/// # Errors
/// [`ConfigError`]: it cannot be read, a value is wrong, or it promises what our clients do not give.
pub fn read(side: ClientSide, path: &Path) -> Result<ClientProperties, ConfigError> {
    let text = read_bounded(path)?;
    parse(side, &path.display().to_string(), &text)
}

/// What `text` sets, and what it says in vain. `file` is its name in sentences.
///
/// # Errors
/// [`ConfigError`]: a value is wrong, or it promises what our clients do not give.
pub fn parse(side: ClientSide, file: &str, text: &str) -> Result<ClientProperties, ConfigError> {
    collect(side, file, explain(FileKind::Client(side), file, text)?)
}

/// As [`parse`], of single properties from the command line (`--consumer-property`, `--producer-property`).
///
/// # Errors
/// As [`parse`].
pub fn parse_pairs(
    side: ClientSide,
    option: &str,
    pairs: &[(String, String)],
) -> Result<ClientProperties, ConfigError> {
    let entry = |(index, (name, value)): (usize, &(String, String))| Entry {
        key: name.clone(),
        value: value.clone(),
        line: index + 1,
    };
    let entries: Vec<_> = pairs.iter().enumerate().map(entry).collect();
    collect(
        side,
        option,
        explain_entries(FileKind::Client(side), &entries),
    )
}

fn collect(
    side: ClientSide,
    file: &str,
    lines: Vec<ExplainedLine>,
) -> Result<ClientProperties, ConfigError> {
    let mut properties = ClientProperties::default();
    for line in lines {
        let origin = Origin::Line {
            file: file.into(),
            line: line.line,
        };
        properties.take(side, line, origin)?;
    }
    Ok(properties)
}

impl ClientProperties {
    /// These, and where they say nothing what `others` say. Warnings are those of both.
    pub fn or(self, others: ClientProperties) -> ClientProperties {
        let mut warnings = self.warnings;
        warnings.extend(others.warnings);
        ClientProperties {
            bootstrap: self.bootstrap.or(others.bootstrap),
            client_id: self.client_id.or(others.client_id),
            request_timeout: self.request_timeout.or(others.request_timeout),
            consumer: self.consumer.or(others.consumer),
            producer: self.producer.or(others.producer),
            warnings,
        }
    }

    fn take(
        &mut self,
        side: ClientSide,
        line: ExplainedLine,
        origin: Origin,
    ) -> Result<(), ConfigError> {
        let key = line.key;
        match line.meaning {
            Meaning::InForce(holds) => self.set(&holds),
            Meaning::Mapped { to, holds } => {
                self.set(&holds);
                self.warnings
                    .push(format!("{origin}: {key} is called {} today", to.name));
            }
            Meaning::Unset { .. } | Meaning::Replaced { .. } => {}
            Meaning::WithoutEffect { why, .. } => {
                self.warnings
                    .push(format!("{origin}: {key} has no effect here: {why}"));
            }
            Meaning::NoProperty => self
                .warnings
                .push(format!("{origin}: {key} is no property and is ignored")),
            Meaning::Unknown { nearest } => self.warnings.push(format!(
                "{origin}: unknown {} property {key} is ignored{}",
                match side {
                    ClientSide::Consumer => "consumer",
                    ClientSide::Producer => "producer",
                },
                did_you_mean(&nearest)
            )),
            Meaning::Wrong {
                property,
                why,
                right,
            } => {
                return Err(ConfigError::BadValue {
                    origin,
                    name: property.name,
                    value: line.written,
                    why,
                    right,
                });
            }
            Meaning::Refused { why } => {
                let name = key;
                return Err(ConfigError::NotInForce { origin, name, why });
            }
        }
        Ok(())
    }

    fn set(&mut self, holds: &Holds) {
        match (holds.property.name, &holds.value) {
            ("bootstrap.servers", Value::List(brokers)) => self.bootstrap = Some(brokers.clone()),
            ("client.id", Value::Text(id)) => self.client_id = Some(id.clone()),
            ("request.timeout.ms", Value::Number(ms)) => self.request_timeout = duration(*ms),
            // A guarded property at its default asks for what is so anyway.
            ("security.protocol", _) => {}
            (name, value) => {
                let known = self.consumer.set(name, value) || self.producer.set(name, value);
                debug_assert!(known, "{name} is in force and goes nowhere");
            }
        }
    }
}

impl ConsumerProperties {
    /// Whether the property is one of these.
    fn set(&mut self, name: &str, value: &Value) -> bool {
        match (name, value) {
            ("group.id", Value::Text(id)) => self.group_id = Some(id.clone()),
            ("group.instance.id", Value::Text(id)) => self.group_instance_id = Some(id.clone()),
            ("auto.offset.reset", Value::Text(word)) => {
                self.offset_reset = Some(match word.as_str() {
                    "earliest" | "smallest" => OffsetReset::Earliest,
                    "none" => OffsetReset::None,
                    _ => OffsetReset::Latest,
                });
            }
            ("enable.auto.commit", Value::Boolean(commit)) => self.auto_commit = Some(*commit),
            ("auto.commit.interval.ms", Value::Number(ms)) => {
                self.auto_commit_interval = duration(*ms)
            }
            ("session.timeout.ms", Value::Number(ms)) => self.session_timeout = duration(*ms),
            ("heartbeat.interval.ms", Value::Number(ms)) => self.heartbeat_interval = duration(*ms),
            ("metadata.max.age.ms", Value::Number(ms)) => self.metadata_max_age = duration(*ms),
            ("max.poll.interval.ms", Value::Number(ms)) => self.max_poll_interval = duration(*ms),
            ("fetch.min.bytes", Value::Number(bytes)) => self.fetch_min_bytes = number(*bytes),
            ("fetch.max.bytes", Value::Number(bytes)) => self.fetch_max_bytes = number(*bytes),
            ("max.partition.fetch.bytes", Value::Number(bytes)) => {
                self.partition_fetch_bytes = number(*bytes)
            }
            ("fetch.max.wait.ms", Value::Number(ms)) => self.fetch_max_wait_ms = number(*ms),
            ("isolation.level", Value::Text(level)) => {
                self.read_committed = Some(level == "read_committed")
            }
            ("consumer.timeout.ms", Value::Number(ms)) => self.idle_timeout = duration(*ms),
            _ => return false,
        }
        true
    }

    fn or(self, others: ConsumerProperties) -> ConsumerProperties {
        ConsumerProperties {
            group_id: self.group_id.or(others.group_id),
            group_instance_id: self.group_instance_id.or(others.group_instance_id),
            offset_reset: self.offset_reset.or(others.offset_reset),
            auto_commit: self.auto_commit.or(others.auto_commit),
            auto_commit_interval: self.auto_commit_interval.or(others.auto_commit_interval),
            session_timeout: self.session_timeout.or(others.session_timeout),
            heartbeat_interval: self.heartbeat_interval.or(others.heartbeat_interval),
            metadata_max_age: self.metadata_max_age.or(others.metadata_max_age),
            max_poll_interval: self.max_poll_interval.or(others.max_poll_interval),
            fetch_min_bytes: self.fetch_min_bytes.or(others.fetch_min_bytes),
            fetch_max_bytes: self.fetch_max_bytes.or(others.fetch_max_bytes),
            partition_fetch_bytes: self.partition_fetch_bytes.or(others.partition_fetch_bytes),
            fetch_max_wait_ms: self.fetch_max_wait_ms.or(others.fetch_max_wait_ms),
            read_committed: self.read_committed.or(others.read_committed),
            idle_timeout: self.idle_timeout.or(others.idle_timeout),
        }
    }
}

impl ProducerProperties {
    /// Whether the property is one of these.
    fn set(&mut self, name: &str, value: &Value) -> bool {
        match (name, value) {
            ("acks", Value::Text(word)) => {
                self.acks = Some(match word.as_str() {
                    "0" => Acks::None,
                    "1" => Acks::Leader,
                    _ => Acks::All,
                });
            }
            ("compression.type", Value::Text(word)) => {
                self.compression = Some(match word.as_str() {
                    "gzip" => Compression::Gzip,
                    "snappy" => Compression::Snappy,
                    "lz4" => Compression::Lz4,
                    "zstd" => Compression::Zstd,
                    _ => Compression::None,
                });
            }
            ("batch.size", Value::Number(bytes)) => self.batch_bytes = number(*bytes),
            ("linger.ms", Value::Number(ms)) => self.linger = duration(*ms),
            ("enable.idempotence", Value::Boolean(once)) => self.idempotent = Some(*once),
            ("retries", Value::Number(times)) => self.retries = number(*times),
            ("producer.type", Value::Text(word)) => self.sync = Some(word == "sync"),
            _ => return false,
        }
        true
    }

    fn or(self, others: ProducerProperties) -> ProducerProperties {
        ProducerProperties {
            acks: self.acks.or(others.acks),
            compression: self.compression.or(others.compression),
            batch_bytes: self.batch_bytes.or(others.batch_bytes),
            linger: self.linger.or(others.linger),
            idempotent: self.idempotent.or(others.idempotent),
            retries: self.retries.or(others.retries),
            sync: self.sync.or(others.sync),
        }
    }
}

/// Milliseconds; a negative number is none.
fn duration(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}

/// A number within the bounds that the table gives.
fn number<T: TryFrom<i64>>(number: i64) -> Option<T> {
    T::try_from(number).ok()
}

#[cfg(test)]
mod tests;
