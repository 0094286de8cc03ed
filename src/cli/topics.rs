//! `vltava topics`: create, list, describe and delete topics.
//!
//! What a script wants to read goes to standard output, one item a line; what went wrong goes to standard error.

use std::io::Write;

use super::args::{
    CreateTopicsArgs, DeleteTopicsArgs, DescribeTopicsArgs, ListTopicsArgs, TopicsAction,
    TopicsArgs,
};
use super::{CliError, connect};
use crate::client::admin::{self, NewTopic, Outcome};
use crate::client::{Cluster, TopicInfo};
use crate::wire::ErrorCode;
use crate::wire::messages::describe_configs::DescribeConfigsResourceResult;

/// Runs one action of `vltava topics`.
///
/// # Errors
/// [`CliError::Failed`] with how many topics were refused, each of which was reported; or why nothing could be asked.
pub fn run(args: &TopicsArgs, out: &mut dyn Write) -> Result<(), CliError> {
    match &args.action {
        TopicsAction::Create(args) => create(args, out),
        TopicsAction::List(args) => list(args, out),
        TopicsAction::Describe(args) => describe(args, out),
        TopicsAction::Delete(args) => delete(args, out),
    }
}

fn create(args: &CreateTopicsArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let mut cluster = connect(&args.connect)?;
    let topics: Vec<NewTopic> = args
        .names
        .iter()
        .map(|name| NewTopic {
            name: name.clone(),
            partitions: args.partitions,
            replication_factor: args.replication_factor,
            configs: args.config.clone(),
            ..NewTopic::default()
        })
        .collect();
    let outcomes = admin::create_topics(&mut cluster, &topics, args.validate_only)?;
    let forgiven = args
        .if_not_exists
        .then_some(ErrorCode::TOPIC_ALREADY_EXISTS);
    let done = if args.validate_only {
        "could create"
    } else {
        "created"
    };
    report(&args.names, outcomes, forgiven, done, out)
}

fn delete(args: &DeleteTopicsArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let mut cluster = connect(&args.connect)?;
    let outcomes = admin::delete_topics(&mut cluster, &args.names)?;
    let forgiven = args
        .if_exists
        .then_some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    report(&args.names, outcomes, forgiven, "deleted", out)
}

/// One line for each topic: what was done on `out`, what was refused on standard error.
fn report(
    names: &[String],
    outcomes: Vec<Outcome>,
    forgiven: Option<ErrorCode>,
    done: &str,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let mut refused = 0;
    for (name, outcome) in names.iter().zip(outcomes) {
        match outcome {
            Ok(()) => writeln!(out, "{done} topic {name}")?,
            Err(error) if error.code().is_some() && error.code() == forgiven => {}
            Err(error) => {
                eprintln!("vltava: {error}");
                refused += 1;
            }
        }
    }
    match refused {
        0 => Ok(()),
        _ => Err(CliError::Reported),
    }
}

fn list(args: &ListTopicsArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let mut cluster = connect(&args.connect)?;
    for topic in cluster.all_topics()? {
        if !(args.exclude_internal && topic.internal) {
            writeln!(out, "{}", topic.name)?;
        }
    }
    Ok(())
}

fn describe(args: &DescribeTopicsArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let mut cluster = connect(&args.connect)?;
    let topics = match args.names.is_empty() {
        true => cluster.all_topics()?,
        false => args
            .names
            .iter()
            .map(|name| cluster.topic(name, false))
            .collect::<Result<Vec<_>, _>>()?,
    };
    for topic in &topics {
        print_topic(topic, out)?;
        if args.configs {
            print_configs(&mut cluster, &topic.name, out)?;
        }
    }
    Ok(())
}

fn print_topic(topic: &TopicInfo, out: &mut dyn Write) -> Result<(), CliError> {
    let replicas = topic
        .partitions
        .first()
        .map_or(0, |partition| partition.replicas.len());
    let internal = if topic.internal { "  internal" } else { "" };
    writeln!(
        out,
        "{}  id {}  partitions {}  replication factor {replicas}{internal}",
        topic.name,
        kafka_uuid(topic.id),
        topic.partitions.len()
    )?;
    for partition in &topic.partitions {
        let leader = partition
            .leader
            .map_or("none".to_owned(), |node| node.to_string());
        write!(
            out,
            "  partition {}  leader {leader}  epoch {}  replicas {}  in sync {}",
            partition.index,
            partition.leader_epoch,
            joined(&partition.replicas),
            joined(&partition.in_sync)
        )?;
        if !partition.offline.is_empty() {
            write!(out, "  offline {}", joined(&partition.offline))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn print_configs(cluster: &mut Cluster, topic: &str, out: &mut dyn Write) -> Result<(), CliError> {
    for config in admin::describe_topic_configs(cluster, topic)? {
        let value = config.value.as_deref().unwrap_or(if config.is_sensitive {
            "(secret)"
        } else {
            "(none)"
        });
        writeln!(
            out,
            "  {}={value}  ({})",
            config.name,
            source_words(&config)
        )?;
    }
    Ok(())
}

/// Where a value comes from (`DescribeConfigsResponse.ConfigSource`; version 0 says only whether it is the default).
fn source_words(config: &DescribeConfigsResourceResult) -> &'static str {
    match config.config_source {
        1 => "set on the topic",
        2 => "set on this broker while it runs",
        3 => "set on all brokers while they run",
        4 => "from the broker's properties file",
        5 => "default",
        _ if config.is_default => "default",
        _ => "set",
    }
}

fn joined(nodes: &[i32]) -> String {
    nodes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// A topic id in Kafka's own writing: base64 for URLs, without padding.
pub fn kafka_uuid(id: uuid::Uuid) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = id.as_u128();
    // 22 characters hold 132 bits: the last one has four bits of padding.
    (0..22)
        .map(|place| {
            let index = if place == 21 {
                (bits << 4) & 0x3f
            } else {
                (bits >> (122 - 6 * place)) & 0x3f
            };
            char::from(ALPHABET[index as usize])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_ids_are_written_as_kafka_writes_them() {
        // The id of __cluster_metadata is 1; Kafka prints it like this.
        assert_eq!(
            kafka_uuid(uuid::Uuid::from_u128(1)),
            "AAAAAAAAAAAAAAAAAAAAAQ"
        );
        assert_eq!(
            kafka_uuid(uuid::Uuid::from_u128(u128::MAX)),
            "_____________________w"
        );
        assert_eq!(kafka_uuid(uuid::Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
    }
}
