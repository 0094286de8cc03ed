//! `kafka-configs`: describe and change the configuration of topics, brokers and groups; Kafka's `ConfigCommand`.
//!
//! What Kafka's own prints goes to standard output; what failed, and what is wrong with the command line, to standard error with
//! exit code 1. Users, clients, IPs, client metrics and loggers of brokers are refused in words.

mod entity;

use std::io::Write;
use std::path::Path;

use super::connecting::{
    self, BOOTSTRAP_CONTROLLER, BOOTSTRAP_SERVER, COMMAND_CONFIG, HELP, VERSION, ZOOKEEPER,
};
use super::options::{Opt, Options, help_or_version};
use super::{CommandError, words};
use crate::client::config_admin::{
    ConfigChange, ConfigResource, ResourceKind, alter_configs, describe_configs, list_resources,
};
use crate::client::{ClientError, Cluster};
use crate::config::load::read_bounded;
use crate::config::reader::read_properties;
use crate::wire::ErrorCode;
use crate::wire::messages::describe_configs::DescribeConfigsResourceResult;
use entity::{Entity, entity};

pub const OPTIONS: &[Opt] = &[
    Opt::value(
        "add-config",
        "String",
        "Key Value pairs of configs to add. Square brackets can be used to group values which contain commas: 'k1=v1,k2=[v1,v2,v2],k3=v3'.",
    ),
    Opt::value(
        "add-config-file",
        "String",
        "Path to a properties file with configs to add.",
    ),
    Opt::flag(
        "all",
        "List all configs for the given entity, including static configs if available.",
    ),
    Opt::flag("alter", "Alter the configuration for the entity."),
    BOOTSTRAP_CONTROLLER,
    BOOTSTRAP_SERVER,
    Opt::value("broker", "String", "The broker's ID."),
    Opt::flag("broker-defaults", "The config defaults for all brokers."),
    Opt::value(
        "broker-logger",
        "String",
        "Refused: the broker's logging is set when it starts.",
    ),
    Opt::value(
        "client",
        "String",
        "Refused: quotas of clients are not administered here.",
    ),
    Opt::flag("client-defaults", "Refused, as --client."),
    Opt::value(
        "client-metrics",
        "String",
        "Refused: metrics of clients are not administered here.",
    ),
    COMMAND_CONFIG,
    Opt::value("delete-config", "String", "config keys to remove 'k1,k2'"),
    Opt::flag("describe", "List configs for the given entity."),
    Opt::flag(
        "entity-default",
        "Default entity name for brokers (applies to corresponding entity type)",
    ),
    Opt::value(
        "entity-name",
        "String",
        "Name of entity (topic name/broker id/group id)",
    ),
    Opt::value(
        "entity-type",
        "String",
        "Type of entity (topics/brokers/groups)",
    ),
    Opt::flag("force", "Suppress console prompts; there are none."),
    Opt::value("group", "String", "The group's ID."),
    HELP,
    Opt::value(
        "ip",
        "String",
        "Refused: quotas of addresses are not administered here.",
    ),
    Opt::flag("ip-defaults", "Refused, as --ip."),
    Opt::value("topic", "String", "The topic's name."),
    Opt::value("user", "String", "Refused: there are no users."),
    Opt::flag("user-defaults", "Refused, as --user."),
    VERSION,
    ZOOKEEPER,
];

const ABOUT: &str = "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics or group";
const MISSING: &str = "Either --bootstrap-server or --bootstrap-controller must be specified.";

/// Describes or alters.
///
/// # Errors
/// A wrong command line, or what the cluster refuses, in Kafka's words.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    if args.is_empty() {
        return Err(CommandError::usage(ABOUT));
    }
    let options =
        Options::parse(OPTIONS, args).map_err(|error| CommandError::failed(error.to_string()))?;
    if help_or_version(&options, ABOUT, out)? {
        return Ok(());
    }
    if options.has("alter") == options.has("describe") {
        return Err(CommandError::usage(
            "Command must include exactly one action: --describe, --alter",
        ));
    }
    options.alone(
        "describe",
        &["add-config", "add-config-file", "delete-config"],
    )?;
    let entity = entity(&options).map_err(CommandError::failed)?;
    let named = [
        "bootstrap-server",
        "bootstrap-controller",
        "zookeeper",
        "command-config",
    ];
    if !named.iter().any(|option| options.has(option)) {
        return Err(CommandError::failed(MISSING));
    }
    let done = if options.has("alter") {
        alter(&options, &entity, out)
    } else {
        describe(&options, &entity, out)
    };
    done.map_err(|error| match error {
        CommandError::Client(error) => CommandError::Failed(format!(
            "Error while executing config command with args '{}'\n{}",
            args.join(" "),
            words(&error)
        )),
        other => other,
    })
}

fn alter(options: &Options, entity: &Entity, out: &mut dyn Write) -> Result<(), CommandError> {
    let Some(name) = &entity.name else {
        return Err(CommandError::Failed(match entity.kind {
            ResourceKind::Broker => "An entity-name or default entity must be specified with --alter of users, clients, brokers or ips".to_owned(),
            _ => format!("An entity name must be specified with --alter of {}", entity.plural()),
        }));
    };
    let changes = changes(options)?;
    let mut cluster = connecting::administer(options, MISSING)?;
    let resource = ConfigResource {
        kind: entity.kind,
        name: name.clone(),
    };
    alter_configs(&mut cluster, &resource, &changes)?;
    if name.is_empty() {
        writeln!(
            out,
            "Completed updating default config for {} in the cluster.",
            entity.plural()
        )?;
    } else {
        writeln!(
            out,
            "Completed updating config for {} {name}.",
            entity.singular()
        )?;
    }
    Ok(())
}

fn changes(options: &Options) -> Result<Vec<ConfigChange>, CommandError> {
    if options.has("add-config") && options.has("add-config-file") {
        return Err(CommandError::failed(
            "Only one of --add-config or --add-config-file must be specified",
        ));
    }
    let mut added: Vec<(String, String)> = Vec::new();
    if let Some(path) = options.value("add-config-file") {
        let text = read_bounded(Path::new(path))
            .map_err(|error| CommandError::failed(error.to_string()))?;
        let entries = read_properties(&text)
            .map_err(|error| CommandError::failed(format!("{path}:{}: {error}", error.line)))?;
        added.extend(entries.into_iter().map(|entry| (entry.key, entry.value)));
    }
    for text in options.values("add-config") {
        added.extend(pairs(text).map_err(CommandError::failed)?);
    }
    let named = |key: &str| {
        key.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    if let Some((key, _)) = added.iter().find(|(key, _)| !named(key)) {
        return Err(CommandError::failed(format!(
            "Invalid character found for config key: {key}"
        )));
    }
    let deleted = options.values("delete-config");
    let deleted = deleted.iter().flat_map(|names| names.split(','));
    let set = added
        .into_iter()
        .map(|(name, value)| ConfigChange::Set(name, value));
    let changes: Vec<ConfigChange> = set
        .chain(deleted.map(|name| ConfigChange::Delete(name.trim().to_owned())))
        .collect();
    if changes.is_empty() {
        return Err(CommandError::failed(
            "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter",
        ));
    }
    Ok(changes)
}

/// `k1=v1,k2=[v1,v2]`: commas and equals signs inside brackets belong to the value, whose brackets are taken off.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = || {
        "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  \
         \"key=[val1,val2]\" to group values which contain commas."
            .to_owned()
    };
    let mut pairs = Vec::new();
    for part in split_outside(text, ',') {
        if part.is_empty() {
            continue;
        }
        let [key, value] = split_outside(part, '=')[..] else {
            return Err(wrong());
        };
        pairs.push((
            key.trim().to_owned(),
            value.replace(['[', ']'], "").trim().to_owned(),
        ));
    }
    if pairs.is_empty() {
        Err(wrong())
    } else {
        Ok(pairs)
    }
}

/// The parts of `text` between separators that stand outside square brackets.
fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let mut inside = false;
    text.split(|c: char| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        c == separator && !inside
    })
    .collect()
}

fn describe(options: &Options, entity: &Entity, out: &mut dyn Write) -> Result<(), CommandError> {
    if options.has("entity-default") && entity.kind != ResourceKind::Broker {
        return Err(CommandError::Failed(format!(
            "--entity-default must not be specified with --describe of {}",
            entity.plural()
        )));
    }
    let mut cluster = connecting::administer(options, MISSING)?;
    if let Some(name) = entity.name.as_ref().filter(|name| !name.is_empty())
        && !is_there(entity.kind, name, &mut cluster)?
    {
        writeln!(
            out,
            "The {} '{name}' doesn't exist and doesn't have dynamic config.",
            entity.singular()
        )?;
        return Ok(());
    }
    let names = match &entity.name {
        Some(name) => vec![name.clone()],
        None => all_names(entity.kind, &mut cluster)?,
    };
    for name in names {
        let all = options.has("all");
        match name.as_str() {
            "" => writeln!(
                out,
                "Default configs for {} in the cluster are:",
                entity.plural()
            )?,
            _ => writeln!(
                out,
                "{} configs for {} {name} are:",
                if all { "All" } else { "Dynamic" },
                entity.singular()
            )?,
        }
        let resource = ConfigResource {
            kind: entity.kind,
            name: name.clone(),
        };
        let mut configs = describe_configs(&mut cluster, &[resource], true)?.remove(0);
        configs.retain(|config| all || config.config_source == entity.dynamic_source(&name));
        configs.sort_by(|a, b| a.name.cmp(&b.name));
        for config in &configs {
            print(config, out)?;
        }
    }
    Ok(())
}

/// Whether what is named exists, or has a configuration nevertheless.
fn is_there(kind: ResourceKind, name: &str, cluster: &mut Cluster) -> Result<bool, CommandError> {
    match kind {
        ResourceKind::Topic => match cluster.topic(name, false) {
            Ok(_) => Ok(true),
            Err(ClientError::NoSuchTopic { .. }) => Ok(false),
            Err(error) if error.code() == Some(ErrorCode::INVALID_TOPIC_EXCEPTION) => {
                Err(CommandError::Client(error))
            }
            Err(error) => Err(error.into()),
        },
        ResourceKind::Broker => Ok(cluster.nodes().keys().any(|node| node.to_string() == name)),
        // A group may have a configuration before it has members.
        ResourceKind::Group => Ok(true),
    }
}

/// All that have configurations of their own, in order; of brokers also the default of all.
fn all_names(kind: ResourceKind, cluster: &mut Cluster) -> Result<Vec<String>, CommandError> {
    Ok(match kind {
        ResourceKind::Topic => cluster
            .all_topics()?
            .into_iter()
            .map(|topic| topic.name)
            .collect(),
        ResourceKind::Broker => {
            let nodes = cluster.nodes().keys().map(ToString::to_string);
            nodes.chain([String::new()]).collect()
        }
        ResourceKind::Group => list_resources(cluster, kind)?,
    })
}

fn print(config: &DescribeConfigsResourceResult, out: &mut dyn Write) -> Result<(), CommandError> {
    let value = |value: &Option<crate::wire::Text>| value.as_deref().unwrap_or("null").to_owned();
    let synonyms: Vec<String> = config
        .synonyms
        .iter()
        .map(|synonym| {
            format!(
                "{}:{}={}",
                source_name(synonym.source),
                synonym.name,
                value(&synonym.value)
            )
        })
        .collect();
    writeln!(
        out,
        "  {}={} sensitive={} synonyms={{{}}}",
        config.name,
        value(&config.value),
        config.is_sensitive,
        synonyms.join(", ")
    )?;
    Ok(())
}

/// `ConfigEntry.ConfigSource`.
fn source_name(source: i8) -> &'static str {
    match source {
        1 => "DYNAMIC_TOPIC_CONFIG",
        2 => "DYNAMIC_BROKER_CONFIG",
        3 => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        4 => "STATIC_BROKER_CONFIG",
        5 => "DEFAULT_CONFIG",
        6 => "DYNAMIC_BROKER_LOGGER_CONFIG",
        7 => "DYNAMIC_CLIENT_METRICS_CONFIG",
        8 => "DYNAMIC_GROUP_CONFIG",
        _ => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_keep_the_commas_of_a_value() {
        assert_eq!(
            pairs("a=1, b=[x,y] ,c=").unwrap(),
            [("a", "1"), ("b", "x,y"), ("c", "")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        for text in ["", "a", "a=b=c"] {
            assert!(
                pairs(text).unwrap_err().starts_with("requirement failed"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_kafkas_words() {
        for (line, words) in [
            ("--describe", "At least one entity type must be specified"),
            (
                "--topic t",
                "Command must include exactly one action: --describe, --alter",
            ),
            (
                "--describe --topic t",
                "Either --bootstrap-server or --bootstrap-controller must be specified.",
            ),
            (
                "--describe --topic t --entity-type topics",
                "Duplicate entity type(s) specified: topics",
            ),
            (
                "--alter --topic t --bootstrap-server h:1",
                "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter",
            ),
            (
                "--alter --broker x --bootstrap-server h:1",
                "The entity name for brokers must be a valid integer broker id, but it is: x",
            ),
            (
                "--alter --entity-type topics --add-config a=b --bootstrap-server h:1",
                "An entity name must be specified with --alter of topics",
            ),
            (
                "--alter --topic t --add-config a%=b --bootstrap-server h:1",
                "Invalid character found for config key: a%",
            ),
        ] {
            let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
            let error = run(&args, &mut Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), words, "{line}");
        }
    }

    #[test]
    fn a_controller_is_refused_before_anything_is_asked() {
        let args = [
            "--describe",
            "--topic",
            "t",
            "--bootstrap-controller",
            "h:1",
        ];
        let error = run(&args.map(ToOwned::to_owned), &mut Vec::new()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("--bootstrap-controller is refused"),
            "{error}"
        );
    }
}
