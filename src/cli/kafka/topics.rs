//! `kafka-topics`: create, list, describe, change and delete topics; Kafka's `TopicCommand`.
//!
//! Standard output has what Kafka's own command prints there, its failures included (`Error while executing topic command : ...`,
//! exit code 1); a command line that is wrong is told on standard error, with the options, and ends with 1 as well.
//! Spellings that Kafka dropped (`--zookeeper`, `--alter --config`, `--delete-config`, `--deleteConfig`) work, and a line
//! on standard error names those of today.

mod describe;

use std::io::Write;

use super::connecting::{self, COMMAND_CONFIG, HELP, VERSION, ZOOKEEPER};
use super::options::{Opt, Options, help_or_version};
use super::topic_filter::IncludeList;
use super::{CommandError, words};
use crate::client::admin::{self, NewTopic};
use crate::client::config_admin::{ConfigChange, ConfigResource, alter_configs};
use crate::client::{Cluster, TopicInfo};
use crate::wire::ErrorCode;

pub const OPTIONS: &[Opt] = &[
    Opt::flag(
        "alter",
        "Alter the number of partitions. (To alter topic configurations, kafka-configs is today's command; --config and --delete-config still do.)",
    ),
    Opt::flag(
        "at-min-isr-partitions",
        "If set when describing topics, only show partitions whose isr count is equal to the configured minimum.",
    ),
    connecting::BOOTSTRAP_SERVER,
    COMMAND_CONFIG,
    Opt::value(
        "config",
        "String: name=value",
        "A topic configuration override for the topic being created; may be given several times.",
    ),
    Opt::flag("create", "Create a new topic."),
    Opt::flag("delete", "Delete a topic."),
    Opt::value(
        "delete-config",
        "String: name",
        "Older spelling of kafka-configs --delete-config: a configuration of an altered topic goes back to its default.",
    ),
    Opt::value(
        "deleteConfig",
        "String: name",
        "The oldest spelling of --delete-config.",
    ),
    Opt::flag("describe", "List details for the given topics."),
    Opt::flag(
        "exclude-internal",
        "Exclude internal topics when listing or describing topics. By default, the internal topics are included.",
    ),
    Opt::flag(
        "force",
        "Older spelling, without effect: there are no prompts.",
    ),
    HELP,
    Opt::flag(
        "if-exists",
        "If set when altering or deleting or describing topics, the action will only execute if the topic exists.",
    ),
    Opt::flag(
        "if-not-exists",
        "If set when creating topics, a topic that exists already is no failure.",
    ),
    Opt::flag("list", "List all available topics."),
    Opt::value(
        "partition-size-limit-per-response",
        "Integer: maximum number of partitions per response",
        "The maximum partition size to be included in one DescribeTopicPartitions response.",
    ),
    Opt::value(
        "partitions",
        "Integer: # of partitions",
        "The number of partitions for the topic being created or altered. If not supplied with --create, the topic uses \
         the cluster default. (WARNING: If partitions are increased for a topic that has a key, the partition logic or \
         ordering of the messages will be affected).",
    ),
    Opt::value(
        "replica-assignment",
        "String: broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , ...",
        "A list of manual partition-to-broker assignments for the topic being created or altered.",
    ),
    Opt::value(
        "replication-factor",
        "Integer: replication factor",
        "The replication factor for each partition in the topic being created. If not supplied, the topic uses the cluster default.",
    ),
    Opt::value(
        "topic",
        "String: topic",
        "The topic to create, alter, describe or delete. Except for --create it may be a regular expression.",
    ),
    Opt::value("topic-id", "String: topic-id", "The topic-id to describe."),
    Opt::flag(
        "topics-with-overrides",
        "If set when describing topics, only show topics that have overridden configs.",
    ),
    Opt::flag(
        "unavailable-partitions",
        "If set when describing topics, only show partitions whose leader is not available.",
    ),
    Opt::flag(
        "under-min-isr-partitions",
        "If set when describing topics, only show partitions whose isr count is less than the configured minimum.",
    ),
    Opt::flag(
        "under-replicated-partitions",
        "If set when describing topics, only show under-replicated partitions.",
    ),
    VERSION,
    ZOOKEEPER,
];

const ABOUT: &str = "This tool helps to create, delete, describe, or change a topic.";
const ACTIONS: [&str; 5] = ["create", "list", "alter", "describe", "delete"];
const REPORTS: [&str; 4] = [
    "under-replicated-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
    "unavailable-partitions",
];

/// Does the one action that is asked for.
///
/// # Errors
/// [`CommandError::Usage`] for a wrong command line; [`CommandError::Reported`] where the failure stands on `out`, as Kafka has it.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    if args.is_empty() {
        return Err(CommandError::usage(
            "Create, delete, describe, or change a topic.",
        ));
    }
    let options = Options::parse(OPTIONS, args)
        // Kafka's command tells what is wrong with an option without the table of them.
        .map_err(|error| CommandError::failed(error.to_string()))?;
    if help_or_version(&options, ABOUT, out)? {
        return Ok(());
    }
    check(&options)?;
    match execute(&options, out) {
        Err(CommandError::Client(error)) => {
            writeln!(
                out,
                "Error while executing topic command : {}",
                words(&error)
            )?;
            Err(CommandError::Reported)
        }
        Err(CommandError::Failed(text)) => {
            writeln!(out, "Error while executing topic command : {text}")?;
            Err(CommandError::Reported)
        }
        done => done,
    }
}

/// Which options go together, in the words of Kafka's command.
fn check(options: &Options) -> Result<(), CommandError> {
    if ACTIONS.iter().filter(|action| options.has(action)).count() != 1 {
        return Err(CommandError::usage(
            "Command must include exactly one action: --list, --describe, --create, --alter or --delete",
        ));
    }
    let named = ["bootstrap-server", "zookeeper", "command-config"];
    if !named.iter().any(|option| options.has(option)) {
        return Err(CommandError::failed("--bootstrap-server must be specified"));
    }
    if options.has("describe")
        && options.has("if-exists")
        && !options.has("topic")
        && !options.has("topic-id")
    {
        return Err(CommandError::usage(
            "--topic or --topic-id is required to describe a topic",
        ));
    }
    if !options.has("list") && !options.has("describe") {
        options.required("topic")?;
    }
    let changes = ["config", "delete-config", "deleteConfig"];
    if options.has("alter") && !changes.iter().any(|option| options.has(option)) {
        options.required("partitions")?;
    }
    for (option, belongs_to) in [
        ("config", &["alter", "create"][..]),
        ("delete-config", &["alter"]),
        ("deleteConfig", &["alter"]),
        ("partitions", &["alter", "create"]),
        ("replication-factor", &["create"]),
        ("replica-assignment", &["alter", "create"]),
        ("topics-with-overrides", &["describe"]),
        ("if-exists", &["alter", "delete", "describe"]),
        ("if-not-exists", &["create"]),
        ("exclude-internal", &["list", "describe"]),
    ] {
        let others = ACTIONS.iter().filter(|action| !belongs_to.contains(action));
        options.alone(option, &others.copied().collect::<Vec<_>>())?;
    }
    if options.has("create") {
        options.alone("replica-assignment", &["partitions", "replication-factor"])?;
    }
    for report in REPORTS {
        options.alone(
            report,
            &["create", "list", "alter", "delete", "topics-with-overrides"],
        )?;
    }
    Ok(())
}

fn execute(options: &Options, out: &mut dyn Write) -> Result<(), CommandError> {
    let request = Request::read(options)?;
    if options.has("create") && request.name().contains(['.', '_']) {
        writeln!(
            out,
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. \
             To avoid issues it is best to use either, but not both."
        )?;
    }
    let mut cluster = connecting::administer(options, "--bootstrap-server must be specified")?;
    if options.has("create") {
        create(&request, &mut cluster, out)
    } else if options.has("list") {
        let names: Vec<String> = matching(options, &mut cluster)?
            .into_iter()
            .map(|topic| topic.name)
            .collect();
        // One line even where there is no topic: so does Kafka.
        writeln!(out, "{}", names.join("\n"))?;
        Ok(())
    } else if options.has("describe") {
        describe::run(options, &mut cluster, out)
    } else {
        let topics = matching(options, &mut cluster)?;
        exists_as_expected(options, topics.is_empty())?;
        if options.has("alter") {
            alter(&request, &topics, &mut cluster, out)
        } else {
            delete(topics, &mut cluster)
        }
    }
}

/// What is to be created or changed, as far as it can be checked without a broker.
struct Request<'a> {
    options: &'a Options,
    partitions: Option<i32>,
    replication_factor: Option<i16>,
    assignment: Vec<Vec<i32>>,
    configs: Vec<(String, String)>,
}

impl Request<'_> {
    fn read(options: &Options) -> Result<Request<'_>, CommandError> {
        let partitions: Option<i32> = options.number("partitions")?;
        let replication: Option<i32> = options.number("replication-factor")?;
        let replication_factor = replication.map(|factor| {
            i16::try_from(factor)
                .ok()
                .filter(|&factor| factor >= 1)
                .ok_or_else(|| {
                    CommandError::failed(
                        "The replication factor must be between 1 and 32767 inclusive",
                    )
                })
        });
        if partitions.is_some_and(|count| count < 1) {
            return Err(CommandError::failed(
                "The partitions must be greater than 0",
            ));
        }
        Ok(Request {
            options,
            partitions,
            replication_factor: replication_factor.transpose()?,
            assignment: assignment(options.value("replica-assignment").unwrap_or_default())?,
            configs: configs(&options.values("config"))?,
        })
    }

    fn name(&self) -> &str {
        self.options.value("topic").unwrap_or_default()
    }

    /// The settings that an altered topic gets and loses.
    fn changes(&self) -> Vec<ConfigChange> {
        let set = self
            .configs
            .iter()
            .map(|(name, value)| ConfigChange::Set(name.clone(), value.clone()));
        let older = ["delete-config", "deleteConfig"];
        let deleted = older.iter().flat_map(|option| self.options.values(option));
        set.chain(deleted.map(|name| ConfigChange::Delete(name.trim().to_owned())))
            .collect()
    }
}

/// `1:2,2:3`: the replicas of partition 0, of partition 1, and so on.
fn assignment(text: &str) -> Result<Vec<Vec<i32>>, CommandError> {
    let mut partitions: Vec<Vec<i32>> = Vec::new();
    if text.is_empty() {
        return Ok(partitions);
    }
    for replicas in text.split(',') {
        let brokers: Result<Vec<i32>, _> =
            replicas.split(':').map(|id| id.trim().parse()).collect();
        let brokers = brokers.map_err(|_| {
            CommandError::failed(format!(
                "'{replicas}' is no list of broker ids with colons between them"
            ))
        })?;
        let mut sorted = brokers.clone();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(CommandError::failed(format!(
                "Partition replica lists may not contain duplicate entries: {}",
                twice[0]
            )));
        }
        if partitions
            .first()
            .is_some_and(|first| first.len() != brokers.len())
        {
            return Err(CommandError::failed(format!(
                "Partition {} has different replication factor: {brokers:?}",
                partitions.len()
            )));
        }
        partitions.push(brokers);
    }
    Ok(partitions)
}

/// `NAME=VALUE` of each `--config`.
fn configs(given: &[&str]) -> Result<Vec<(String, String)>, CommandError> {
    let pair = |text: &&str| match text.split_once('=') {
        Some((name, value)) if !value.is_empty() && !value.contains('=') => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(CommandError::failed(
            "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".",
        )),
    };
    given.iter().map(pair).collect()
}

/// The topics that `--topic` means, in the order of their names; all without it.
fn matching(options: &Options, cluster: &mut Cluster) -> Result<Vec<TopicInfo>, CommandError> {
    let wanted = options.value("topic").map(IncludeList::parse).transpose();
    let wanted = wanted.map_err(CommandError::failed)?;
    let mut topics = cluster.all_topics()?;
    topics.retain(|topic| {
        !(topic.internal && options.has("exclude-internal"))
            && wanted.as_ref().is_none_or(|wanted| wanted.has(&topic.name))
    });
    Ok(topics)
}

/// Kafka's word where the topic asked for is not there and `--if-exists` does not forgive it.
fn exists_as_expected(options: &Options, none: bool) -> Result<(), CommandError> {
    match options.value("topic") {
        Some(topic) if none && !topic.is_empty() && !options.has("if-exists") => Err(
            CommandError::failed(format!("Topic '{topic}' does not exist as expected")),
        ),
        _ => Ok(()),
    }
}

fn create(
    request: &Request<'_>,
    cluster: &mut Cluster,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let name = request.name();
    let topic = NewTopic {
        name: name.to_owned(),
        partitions: request.partitions,
        replication_factor: request.replication_factor,
        assignment: request.assignment.clone(),
        configs: request.configs.clone(),
    };
    let outcome = admin::create_topics(cluster, &[topic], false)?.remove(0);
    match outcome {
        Ok(()) => writeln!(out, "Created topic {name}.")?,
        Err(error)
            if error.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS)
                && request.options.has("if-not-exists") => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn alter(
    request: &Request<'_>,
    topics: &[TopicInfo],
    cluster: &mut Cluster,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let changes = request.changes();
    if !changes.is_empty() {
        eprintln!(
            "Altering the configuration of a topic with kafka-topics is an older spelling; today's is \
             kafka-configs --bootstrap-server HOST:PORT --alter --topic {} --add-config NAME=VALUE (or --delete-config NAME)",
            request.name()
        );
    }
    for topic in topics.iter().filter(|_| !changes.is_empty()) {
        alter_configs(cluster, &ConfigResource::topic(&topic.name), &changes)?;
        writeln!(out, "Updated config for topic {}.", topic.name)?;
    }
    let Some(count) = request.partitions else {
        return Ok(());
    };
    for topic in topics {
        let new = request
            .assignment
            .get(topic.partitions.len()..)
            .unwrap_or_default();
        admin::create_partitions(cluster, &topic.name, count, new)?;
    }
    Ok(())
}

fn delete(topics: Vec<TopicInfo>, cluster: &mut Cluster) -> Result<(), CommandError> {
    let names: Vec<String> = topics.into_iter().map(|topic| topic.name).collect();
    if names.is_empty() {
        return Ok(());
    }
    // Every one is tried; the first that is refused is the one to tell of.
    let outcomes = admin::delete_topics(cluster, &names)?;
    outcomes.into_iter().collect::<Result<(), _>>()?;
    Ok(())
}

#[cfg(test)]
mod tests;
