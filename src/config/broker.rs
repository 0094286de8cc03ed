//! The broker's configuration, typed: one field for each thing in force, after every rule of precedence.
//!
//! Pure. Fields are named after their properties; units stand in the names.

use std::collections::HashSet;
use std::path::PathBuf;

use super::error::ConfigError;
use super::listener::{Listener, listeners};
use super::settings::{Origin, Setting, Settings};
use super::topic::{DynamicConfigs, TopicConfig};
use super::transactions::TransactionConfig;
use super::value::Value;
use crate::wire::records::Codec;

/// Number of a broker that was given none and whose data directory has none yet.
pub const FIRST_NODE_ID: i32 = 1;

/// What the broker runs with.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// `node.id` or `broker.id`. `None` takes what the data directory was made with, or [`FIRST_NODE_ID`].
    pub node_id: Option<i32>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// `listeners` with `advertised.listeners`; at least one.
    pub listeners: Vec<Listener>,
    /// `log.dirs` or `log.dir`: the data directories, each once.
    pub log_dirs: Vec<PathBuf>,
    /// `metadata.log.dir`, by default the first of `log.dirs`.
    pub metadata_log_dir: PathBuf,
    /// `admin.listener`: where metrics and health are served.
    pub admin_listener: Option<String>,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i16,
    /// `auto.create.topics.enable`.
    pub auto_create_topics: bool,
    /// `delete.topic.enable`.
    pub delete_topics: bool,
    /// `socket.request.max.bytes`.
    pub socket_request_max_bytes: u32,
    /// `socket.send.buffer.bytes`; `None` leaves it to the kernel.
    pub socket_send_buffer_bytes: Option<u32>,
    /// `socket.receive.buffer.bytes`; `None` leaves it to the kernel.
    pub socket_receive_buffer_bytes: Option<u32>,
    /// `socket.listen.backlog.size`.
    pub socket_listen_backlog: u32,
    /// `connections.max.idle.ms`; `None` is never.
    pub connections_max_idle_ms: Option<u64>,
    /// `max.connections`.
    pub max_connections: u32,
    /// `max.connections.per.ip`.
    pub max_connections_per_ip: u32,
    /// `queued.max.requests`.
    pub queued_max_requests: u32,
    /// `queued.max.request.bytes`; `None` is no limit of its own.
    pub queued_max_request_bytes: Option<u64>,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: u32,
    /// `max.incremental.fetch.session.cache.slots`.
    pub fetch_session_slots: u32,
    /// `max.request.partition.size.limit`.
    pub describe_partitions_limit: u32,
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub recovery_point_checkpoint_interval_ms: u64,
    /// `replica.high.watermark.checkpoint.interval.ms`; 0 for any that is negative.
    pub high_watermark_checkpoint_interval_ms: u64,
    /// `log.flush.start.offset.checkpoint.interval.ms`.
    pub log_start_checkpoint_interval_ms: u64,
    /// `num.recovery.threads.per.data.dir`.
    pub recovery_threads: usize,
    /// `log.retention.check.interval.ms`.
    pub retention_check_interval_ms: u64,
    /// `log.initial.task.delay.ms`.
    pub initial_task_delay_ms: u64,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// What consumer groups run with.
    pub groups: GroupConfig,
    /// What transactions run with.
    pub transactions: TransactionConfig,
    /// What compaction runs with.
    pub cleaner: CleanerConfig,
    /// What topics without overrides run with.
    pub topic_defaults: TopicConfig,
    /// What was set and where, for DescribeConfigs and for topics' own values.
    pub settings: Settings,
}

/// What compaction runs with: each field is the property `log.cleaner.` of that name.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CleanerConfig {
    /// `enable`.
    pub enable: bool,
    /// `threads`.
    pub threads: usize,
    /// `dedupe.buffer.size`, of all threads together.
    pub dedupe_buffer_bytes: usize,
    /// `io.buffer.load.factor`.
    pub load_factor: f64,
    /// `io.buffer.size`, of all threads together.
    pub io_buffer_bytes: usize,
    /// `io.max.bytes.per.second`, of all threads together.
    pub max_bytes_per_second: f64,
    /// `backoff.ms`.
    pub backoff_ms: u64,
}

impl CleanerConfig {
    /// Kafka's least share of a thread.
    const LEAST_BYTES_A_THREAD: usize = 1 << 20;

    fn from_settings(settings: &Settings) -> Result<CleanerConfig, ConfigError> {
        let size = |name| usize::try_from(known(settings, name)).unwrap_or_default();
        let cleaner = CleanerConfig {
            enable: settings.boolean("log.cleaner.enable"),
            threads: size("log.cleaner.threads"),
            dedupe_buffer_bytes: size("log.cleaner.dedupe.buffer.size"),
            load_factor: settings.fraction("log.cleaner.io.buffer.load.factor"),
            io_buffer_bytes: size("log.cleaner.io.buffer.size"),
            max_bytes_per_second: settings.fraction("log.cleaner.io.max.bytes.per.second"),
            backoff_ms: known(settings, "log.cleaner.backoff.ms")
                .max(0)
                .unsigned_abs(),
        };
        let threads = cleaner.threads.max(1);
        if cleaner.dedupe_buffer_bytes / threads <= Self::LEAST_BYTES_A_THREAD {
            return Err(ConfigError::Conflict(
                "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread."
                    .to_owned(),
            ));
        }
        Ok(cleaner)
    }
}

/// What consumer groups run with.
#[derive(Clone, Copy, Debug)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay_ms: u64,
    /// `group.max.size`.
    pub max_size: usize,
    /// `offsets.retention.minutes`.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval_ms: u64,
    /// `offset.metadata.max.bytes`.
    pub offset_metadata_max_bytes: usize,
    /// `offsets.load.buffer.size`.
    pub offsets_load_buffer_bytes: u32,
    /// `offsets.topic.compression.codec`.
    pub offsets_topic_codec: Codec,
    /// `offsets.topic.num.partitions`.
    pub offsets_topic_partitions: i32,
    /// `offsets.topic.replication.factor`.
    pub offsets_topic_replication_factor: i16,
    /// `offsets.topic.segment.bytes`.
    pub offsets_topic_segment_bytes: i32,
}

impl GroupConfig {
    fn from_settings(settings: &Settings) -> GroupConfig {
        let at_least_0 = |name| known(settings, name).max(0).unsigned_abs();
        GroupConfig {
            min_session_timeout_ms: number(settings, "group.min.session.timeout.ms"),
            max_session_timeout_ms: number(settings, "group.max.session.timeout.ms"),
            initial_rebalance_delay_ms: at_least_0("group.initial.rebalance.delay.ms"),
            max_size: number(settings, "group.max.size"),
            offsets_retention_ms: known(settings, "offsets.retention.minutes") * 60_000,
            offsets_retention_check_interval_ms: at_least_0("offsets.retention.check.interval.ms"),
            offset_metadata_max_bytes: usize::try_from(at_least_0("offset.metadata.max.bytes"))
                .unwrap_or(usize::MAX),
            offsets_load_buffer_bytes: number(settings, "offsets.load.buffer.size"),
            offsets_topic_codec: Codec::from_id(number(
                settings,
                "offsets.topic.compression.codec",
            ))
            .unwrap_or_default(),
            offsets_topic_partitions: number(settings, "offsets.topic.num.partitions"),
            offsets_topic_replication_factor: number(settings, "offsets.topic.replication.factor"),
            offsets_topic_segment_bytes: number(settings, "offsets.topic.segment.bytes"),
        }
    }
}

impl BrokerConfig {
    /// The typed configuration that `settings` amount to; what the operator should know besides goes to `warnings`.
    ///
    /// # Errors
    /// [`ConfigError::Conflict`] when values that are legal each do not go together, or ask for what is not served.
    pub(super) fn from_settings(
        settings: Settings,
        warnings: &mut Vec<String>,
    ) -> Result<BrokerConfig, ConfigError> {
        require_single_node(&settings)?;
        require_request_memory(&settings)?;
        require_retention(&settings)?;
        let listeners = listeners(&settings)?;
        let log_dirs = log_dirs(&settings)?;
        warn_of_replication(&settings, warnings);
        Ok(BrokerConfig {
            node_id: settings.number("node.id").map(|id| narrow("node.id", id)),
            rack: settings.text("broker.rack"),
            listeners,
            metadata_log_dir: settings
                .text("metadata.log.dir")
                .map_or_else(|| log_dirs[0].clone(), PathBuf::from),
            log_dirs,
            admin_listener: settings
                .text("admin.listener")
                .filter(|text| !text.is_empty()),
            num_partitions: narrow("num.partitions", known(&settings, "num.partitions")),
            default_replication_factor: replication_factor(&settings)?,
            auto_create_topics: settings.boolean("auto.create.topics.enable"),
            delete_topics: settings.boolean("delete.topic.enable"),
            socket_request_max_bytes: narrow(
                "socket.request.max.bytes",
                known(&settings, "socket.request.max.bytes"),
            ),
            socket_send_buffer_bytes: non_negative(&settings, "socket.send.buffer.bytes"),
            socket_receive_buffer_bytes: non_negative(&settings, "socket.receive.buffer.bytes"),
            socket_listen_backlog: narrow(
                "socket.listen.backlog.size",
                known(&settings, "socket.listen.backlog.size"),
            ),
            connections_max_idle_ms: non_negative(&settings, "connections.max.idle.ms"),
            max_connections: narrow("max.connections", known(&settings, "max.connections")),
            max_connections_per_ip: narrow(
                "max.connections.per.ip",
                known(&settings, "max.connections.per.ip"),
            ),
            queued_max_requests: narrow(
                "queued.max.requests",
                known(&settings, "queued.max.requests"),
            ),
            queued_max_request_bytes: non_negative(&settings, "queued.max.request.bytes")
                .filter(|&bytes: &u64| bytes > 0),
            fetch_max_bytes: narrow("fetch.max.bytes", known(&settings, "fetch.max.bytes")),
            fetch_session_slots: narrow(
                "fetch session slots",
                known(&settings, "max.incremental.fetch.session.cache.slots"),
            ),
            describe_partitions_limit: narrow(
                "partition limit",
                known(&settings, "max.request.partition.size.limit"),
            ),
            recovery_point_checkpoint_interval_ms: narrow(
                "checkpoint interval",
                known(&settings, "log.flush.offset.checkpoint.interval.ms"),
            ),
            high_watermark_checkpoint_interval_ms: non_negative(
                &settings,
                "replica.high.watermark.checkpoint.interval.ms",
            )
            .unwrap_or(0),
            log_start_checkpoint_interval_ms: number(
                &settings,
                "log.flush.start.offset.checkpoint.interval.ms",
            ),
            recovery_threads: narrow(
                "recovery threads",
                known(&settings, "num.recovery.threads.per.data.dir"),
            ),
            retention_check_interval_ms: number(&settings, "log.retention.check.interval.ms"),
            initial_task_delay_ms: number(&settings, "log.initial.task.delay.ms"),
            producer_id_expiration_ms: known(&settings, "producer.id.expiration.ms"),
            groups: GroupConfig::from_settings(&settings),
            transactions: TransactionConfig::from_settings(&settings),
            cleaner: CleanerConfig::from_settings(&settings)?,
            topic_defaults: TopicConfig::resolve(
                &settings,
                &DynamicConfigs::default(),
                &Default::default(),
            ),
            settings,
        })
    }

    /// Settles the node's number once the data directory has had its say, also for those who ask for the configuration.
    pub fn settle_node_id(&mut self, node_id: i32) {
        self.node_id = Some(node_id);
        for name in ["node.id", "broker.id"] {
            if self
                .settings
                .explicit(name)
                .is_none_or(|set| set.value == Value::Number(-1))
            {
                let origin = Origin::DataDirectory;
                self.settings.set(
                    name,
                    Setting {
                        value: Value::Number(node_id.into()),
                        origin,
                    },
                );
            }
        }
    }
}

/// The number that holds for a property that always has one.
pub(super) fn known(settings: &Settings, name: &str) -> i64 {
    settings
        .number(name)
        .unwrap_or_else(|| unreachable!("{name} has a default"))
}

/// The number that holds, in the type its bounds in the table guarantee.
pub(super) fn number<T: TryFrom<i64>>(settings: &Settings, name: &str) -> T {
    narrow(name, known(settings, name))
}

/// A number in the type its bounds in the table guarantee.
fn narrow<T: TryFrom<i64>>(name: &str, number: i64) -> T {
    T::try_from(number)
        .unwrap_or_else(|_| unreachable!("the bounds of {name} let {number} through"))
}

/// A number whose negative values mean "none".
fn non_negative<T: TryFrom<i64>>(settings: &Settings, name: &str) -> Option<T> {
    T::try_from(known(settings, name)).ok()
}

fn replication_factor(settings: &Settings) -> Result<i16, ConfigError> {
    let factor = known(settings, "default.replication.factor");
    i16::try_from(factor)
        .ok()
        .filter(|&factor| factor >= 1)
        .ok_or_else(|| {
            ConfigError::Conflict(format!(
                "default.replication.factor={factor} is no count of replicas; it takes 1 to 32767"
            ))
        })
}

fn log_dirs(settings: &Settings) -> Result<Vec<PathBuf>, ConfigError> {
    let several = settings.list("log.dirs");
    let names = if several.is_empty() {
        settings.list("log.dir")
    } else {
        several
    };
    let wrong = |words: String| Err(ConfigError::Conflict(words));
    if names.is_empty() || names.iter().any(String::is_empty) {
        return wrong("log.dirs names no directory".to_owned());
    }
    let dirs: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    let mut seen = HashSet::new();
    match dirs.iter().find(|dir| !seen.insert(*dir)) {
        Some(twice) => wrong(format!("log.dirs names {} twice", twice.display())),
        None => Ok(dirs),
    }
}

/// This broker is a cluster of its own; whoever configured a member of a larger one must hear that it would not be.
fn require_single_node(settings: &Settings) -> Result<(), ConfigError> {
    let roles = settings.list("process.roles");
    if roles.len() == 1 {
        return Err(ConfigError::Conflict(format!(
            "process.roles={}: joining other nodes is not served yet; broker,controller (or nothing) runs a node on its own",
            roles[0]
        )));
    }
    let voters = settings.list("controller.quorum.voters");
    if voters.len() > 1 {
        return Err(ConfigError::Conflict(format!(
            "controller.quorum.voters={}: a quorum of several controllers is not served yet; this node would be alone",
            voters.join(",")
        )));
    }
    Ok(())
}

fn require_request_memory(settings: &Settings) -> Result<(), ConfigError> {
    let queued = known(settings, "queued.max.request.bytes");
    let largest = known(settings, "socket.request.max.bytes");
    if queued > 0 && queued < largest {
        return Err(ConfigError::Conflict(format!(
            "queued.max.request.bytes={queued} must be larger or equal to socket.request.max.bytes={largest}, or -1"
        )));
    }
    Ok(())
}

fn require_retention(settings: &Settings) -> Result<(), ConfigError> {
    for name in [
        "log.retention.ms",
        "log.retention.minutes",
        "log.retention.hours",
    ] {
        if let Some(age) = settings.number(name).filter(|&age| age < -1 || age == 0) {
            return Err(ConfigError::Conflict(format!(
                "{name}={age} must be unlimited (-1) or, greater than or equal to 1"
            )));
        }
    }
    Ok(())
}

fn warn_of_replication(settings: &Settings, warnings: &mut Vec<String>) {
    let factor = known(settings, "default.replication.factor");
    if factor > 1 {
        warnings.push(format!(
            "default.replication.factor={factor}: this broker is alone, so creating a topic without a factor will be refused"
        ));
    }
}

#[cfg(test)]
mod tests;
