//! `kafka-log-dirs`: the data directories of brokers and how large partitions are in them, as JSON; Kafka's `LogDirsCommand`.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use super::json::Json;
use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connect_by, connecting, java_errors};
use crate::client::records_admin::describe_log_dirs;
use crate::wire::ErrorCode;
use crate::wire::messages::describe_log_dirs::DescribeLogDirsResult;

pub const OPTIONS: &[Opt] = &[
    connecting::BOOTSTRAP_SERVER,
    connecting::COMMAND_CONFIG,
    Opt::flag(
        "describe",
        "Describe the specified log directories on the specified brokers.",
    ),
    Opt::value(
        "topic-list",
        "Topic list",
        "The topics to be queried, with commas between them. All topics will be queried if no topic list is specified.",
    ),
    Opt::value(
        "broker-list",
        "Broker list",
        "The ids of the brokers to be queried, with commas between them. All brokers if none is given.",
    ),
    connecting::HELP,
    connecting::VERSION,
];

const PATIENCE: Duration = Duration::from_secs(30);

/// Prints the directories.
///
/// # Errors
/// When the command line is wrong, a broker is not there, or the cluster cannot be reached.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let options = Options::parse(OPTIONS, args)?;
    if help_or_version(
        &options,
        "This tool helps to query log directory usage on the specified brokers.",
        out,
    )? {
        return Ok(());
    }
    if !options.has("describe") {
        return Err(CommandError::usage(
            "Missing required argument \"[describe]\"",
        ));
    }
    options.required("bootstrap-server")?;
    let topics: BTreeSet<&str> = listed(options.value("topic-list")).collect();
    // --broker-list names ids here, and never where to connect.
    let mut cluster = connect_by(&options, "kafka-log-dirs", PATIENCE)?;
    let existing: Vec<i32> = cluster.nodes().keys().copied().collect();
    let mut wanted = Vec::new();
    for id in listed(options.value("broker-list")) {
        let id: i32 = id.parse().map_err(|_| {
            CommandError::usage(format!(
                "Cannot parse argument '{id}' of option broker-list"
            ))
        })?;
        wanted.push(id);
    }
    let missing: Vec<i32> = wanted
        .iter()
        .copied()
        .filter(|id| !existing.contains(id))
        .collect();
    if !missing.is_empty() {
        return Err(CommandError::failed(format!(
            "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
            ids(&missing, ","),
            ids(&existing, ",")
        )));
    }
    let brokers = if wanted.is_empty() { existing } else { wanted };
    writeln!(out, "Querying brokers for log directories information")?;
    let mut described = Vec::new();
    for &broker in &brokers {
        described.push((broker, describe_log_dirs(&mut cluster, broker)?));
    }
    writeln!(
        out,
        "Received log directory information from brokers {}",
        ids(&brokers, ",")
    )?;
    writeln!(out, "{}", as_json(&described, &topics))?;
    Ok(())
}

fn listed(text: Option<&str>) -> impl Iterator<Item = &str> {
    let parts = text.unwrap_or_default().split(',').map(str::trim);
    parts.filter(|part| !part.is_empty())
}

fn ids(ids: &[i32], separator: &str) -> String {
    ids.iter()
        .map(i32::to_string)
        .collect::<Vec<_>>()
        .join(separator)
}

fn as_json(described: &[(i32, Vec<DescribeLogDirsResult>)], topics: &BTreeSet<&str>) -> Json {
    let brokers = described.iter().map(|(broker, dirs)| {
        let dirs = dirs.iter().map(|dir| directory(dir, topics)).collect();
        Json::object([
            ("broker", Json::number(*broker)),
            ("logDirs", Json::List(dirs)),
        ])
    });
    Json::object([
        ("brokers", Json::List(brokers.collect())),
        ("version", Json::number(1)),
    ])
}

fn directory(dir: &DescribeLogDirsResult, topics: &BTreeSet<&str>) -> Json {
    let mut partitions = Vec::new();
    for topic in &dir.topics {
        if !topics.is_empty() && !topics.contains(&*topic.name) {
            continue;
        }
        for partition in &topic.partitions {
            let name = format!("{}-{}", topic.name, partition.partition_index);
            partitions.push((
                (topic.name.clone(), partition.partition_index),
                Json::object([
                    ("partition", Json::Text(name)),
                    ("size", Json::number(partition.partition_size)),
                    ("offsetLag", Json::number(partition.offset_lag)),
                    ("isFuture", Json::Bool(partition.is_future_key)),
                ]),
            ));
        }
    }
    partitions.sort_by(|a, b| a.0.cmp(&b.0));
    let error = match dir.error_code {
        ErrorCode::NONE => Json::Null,
        code => Json::Text(java_errors::of_code(code, None)),
    };
    Json::object([
        (
            "partitions",
            Json::List(partitions.into_iter().map(|(_, json)| json).collect()),
        ),
        ("error", error),
        ("logDir", Json::text(&dir.log_dir)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::describe_log_dirs::{
        DescribeLogDirsPartition, DescribeLogDirsTopic,
    };

    #[test]
    fn the_json_is_kafkas() {
        let partition = |partition_index| DescribeLogDirsPartition {
            partition_index,
            partition_size: 82893,
            ..DescribeLogDirsPartition::default()
        };
        let topic = |name: &str| DescribeLogDirsTopic {
            name: name.into(),
            partitions: vec![partition(1), partition(0)],
        };
        let dir = DescribeLogDirsResult {
            log_dir: "/tmp/data".into(),
            topics: vec![topic("orders"), topic("other")],
            ..DescribeLogDirsResult::default()
        };
        assert_eq!(
            as_json(&[(1, vec![dir])], &BTreeSet::from(["orders"])).to_string(),
            "{\"brokers\":[{\"broker\":1,\"logDirs\":[{\"partitions\":[\
             {\"partition\":\"orders-0\",\"size\":82893,\"offsetLag\":0,\"isFuture\":false},\
             {\"partition\":\"orders-1\",\"size\":82893,\"offsetLag\":0,\"isFuture\":false}],\
             \"error\":null,\"logDir\":\"/tmp/data\"}]}],\"version\":1}"
        );
    }
}
