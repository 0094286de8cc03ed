//! `kafka-get-offsets`: the offsets of partitions, one `topic:partition:offset` a line; Kafka's `GetOffsetShell`.

use std::io::Write;
use std::time::Duration;

use super::options::{Opt, Options, help_or_version};
use super::topic_filter::{Rule, rules};
use super::{CommandError, connect_by, connecting};
use crate::client::{Cluster, OffsetQuery, TopicInfo, list_offsets};

pub const OPTIONS: &[Opt] = &[
    connecting::BOOTSTRAP_SERVER,
    connecting::BROKER_LIST,
    Opt::value(
        "topic-partitions",
        "topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3",
        "Topics (regular expressions) with a partition, or a range of them whose end does not belong to it. Not with --topic or --partitions.",
    ),
    Opt::value(
        "topic",
        "topic",
        "The topic to get the offsets for, or a regular expression; all topics if not given.",
    ),
    Opt::value(
        "partitions",
        "partition ids",
        "Partitions with commas between them; all if not given.",
    ),
    Opt::value(
        "time",
        "<timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp",
        "Which offset; with a timestamp the first record of that time or later, and no line where there is none. (default: latest)",
    ),
    Opt::value(
        "command-config",
        "config file",
        "Properties of the client: bootstrap.servers counts if --bootstrap-server is not given.",
    ),
    Opt::flag(
        "exclude-internal-topics",
        "Leave out the topics that the broker keeps for itself.",
    ),
    connecting::HELP,
    connecting::VERSION,
];

/// The name that GetOffsetShell gives itself.
const CLIENT_ID: &str = "GetOffsetShell";
const ABOUT: &str = "An interactive shell for getting topic-partition offsets.";
const PATIENCE: Duration = Duration::from_secs(60);

/// Prints the offsets.
///
/// # Errors
/// When the command line is wrong, no partition is meant, or the cluster cannot be reached.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let occurred = |text: String| CommandError::Failed(format!("Error occurred: {text}"));
    if args.is_empty() {
        return Err(CommandError::usage(ABOUT));
    }
    // Kafka's command tells what is wrong with options without the table of them.
    let options = Options::parse(OPTIONS, args).map_err(|error| occurred(error.to_string()))?;
    if help_or_version(&options, ABOUT, out)? {
        return Ok(());
    }
    let rules = wanted(&options).map_err(occurred)?;
    let query = query(options.value("time").unwrap_or("latest")).map_err(occurred)?;
    let mut cluster = connect_by(&options, CLIENT_ID, PATIENCE)?;
    let mut lines = Vec::new();
    let mut meant = 0;
    for topic in cluster.all_topics()? {
        if topic.internal && options.has("exclude-internal-topics") {
            continue;
        }
        let partitions = partitions_of(&topic, &rules);
        meant += partitions.len();
        lines.extend(offsets_of(&mut cluster, &topic, &partitions, query));
    }
    if meant == 0 {
        return Err(occurred(
            "Could not match any topic-partitions with the specified filters".to_owned(),
        ));
    }
    // Kafka sorts by "topic-partition" as text: partition 10 stands before 2.
    lines.sort_by_key(|(topic, partition, _)| format!("{topic}-{partition}"));
    for (topic, partition, offset) in lines {
        writeln!(out, "{topic}:{partition}:{offset}")?;
    }
    Ok(())
}

fn wanted(options: &Options) -> Result<Vec<Rule>, String> {
    match options.value("topic-partitions") {
        Some(_) if options.has("topic") || options.has("partitions") => {
            Err("--topic-partitions cannot be used with --topic or --partitions".to_owned())
        }
        Some(text) => rules(text),
        None => Ok(vec![Rule::of_topic(
            options.value("topic"),
            options.value("partitions"),
        )?]),
    }
}

fn query(text: &str) -> Result<OffsetQuery, String> {
    match text {
        "latest" | "-1" => Ok(OffsetQuery::Latest),
        "earliest" | "-2" => Ok(OffsetQuery::Earliest),
        "max-timestamp" | "-3" => Ok(OffsetQuery::MaxTimestamp),
        "earliest-local" | "-4" => Ok(OffsetQuery::EarliestLocal),
        "latest-tiered" | "-5" => Ok(OffsetQuery::LatestTiered),
        _ => text.parse().map(OffsetQuery::AtTime).map_err(|_| {
            format!(
                "Malformed time argument {text}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / \
                 -4 or earliest-local / -5 or latest-tiered, or a specified long format timestamp"
            )
        }),
    }
}

fn partitions_of(topic: &TopicInfo, rules: &[Rule]) -> Vec<i32> {
    let indexes = topic.partitions.iter().map(|partition| partition.index);
    indexes
        .filter(|index| rules.iter().any(|rule| rule.has(&topic.name, *index)))
        .collect()
}

/// One partition after the other, so that one without a leader does not spoil the rest.
fn offsets_of(
    cluster: &mut Cluster,
    topic: &TopicInfo,
    partitions: &[i32],
    query: OffsetQuery,
) -> Vec<(String, i32, i64)> {
    if let Ok(found) = list_offsets(cluster, topic, partitions, query, false) {
        return found
            .into_iter()
            .map(|(partition, offset)| (topic.name.clone(), partition, offset))
            .collect();
    }
    let mut found = Vec::new();
    for &partition in partitions {
        match list_offsets(cluster, topic, &[partition], query, false) {
            Ok(offsets) => found.extend(
                offsets
                    .into_values()
                    .map(|offset| (topic.name.clone(), partition, offset)),
            ),
            Err(error) => eprintln!(
                "Skip getting offsets for topic-partition {}-{partition} due to error: {error}",
                topic.name
            ),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_names_and_numbers() {
        assert_eq!(query("-1"), query("latest"));
        assert_eq!(query("-2"), Ok(OffsetQuery::Earliest));
        assert_eq!(query("-3"), Ok(OffsetQuery::MaxTimestamp));
        assert_eq!(query("17"), Ok(OffsetQuery::AtTime(17)));
        assert!(
            query("x")
                .unwrap_err()
                .starts_with("Malformed time argument x.")
        );
    }
}
