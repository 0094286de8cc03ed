//! `--reset-offsets`: where each group is to go on, and its commit with `--execute`. Only groups without members are moved.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::super::options::Options;
use super::super::{CommandError, java_errors};
use super::plan::{self, Plan};
use super::{groups, print_error};
use crate::client::group_admin::{
    TopicPartition, commit_offsets, committed_offsets, describe_group,
};
use crate::client::{ClientError, Cluster, OffsetQuery, list_offsets};
use crate::wire::ErrorCode;

/// Where to go; exactly one is given.
const SCENARIOS: &[&str] = &[
    "to-offset",
    "shift-by",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "from-file",
];
/// Of a file with a plan.
const PLAN_BYTES_MAX: u64 = 256 << 20;

type Offsets = BTreeMap<TopicPartition, i64>;

/// What may stand beside `--reset-offsets`, in Kafka's words.
///
/// # Errors
/// [`CommandError::Usage`].
pub fn check(options: &Options) -> Result<(), CommandError> {
    if options.has("dry-run") && options.has("execute") {
        return Err(CommandError::usage(
            "Option [reset-offsets] only accepts one of [execute] and [dry-run]",
        ));
    }
    for scenario in SCENARIOS {
        options.alone(scenario, SCENARIOS)?;
    }
    if !SCENARIOS.iter().any(|scenario| options.has(scenario)) {
        let all: Vec<String> = SCENARIOS.iter().map(|name| format!("[{name}]")).collect();
        return Err(CommandError::usage(format!(
            "Option '[reset-offsets]' requires one of the following scenarios: [{}]",
            all.join(", ")
        )));
    }
    if !["all-topics", "topic", "from-file"]
        .iter()
        .any(|scope| options.has(scope))
    {
        return Err(CommandError::usage(
            "One of the reset scopes should be defined: --all-topics, --topic.",
        ));
    }
    Ok(())
}

/// Plans the reset, carries it out if asked to, and prints the plan.
///
/// # Errors
/// When the plan cannot be made, or the coordinator refuses it.
pub fn run(
    options: &Options,
    cluster: &mut Cluster,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    if !options.has("dry-run") && !options.has("execute") {
        eprintln!(
            "WARN: No action will be performed as the --execute option is missing. Add --dry-run where that is what is wanted."
        );
    }
    let mut done = Plan::new();
    for group in groups(options, cluster)? {
        let offsets = match state_of(cluster, &group)?.as_str() {
            "Empty" | "Dead" => {
                let offsets = offsets_for(options, cluster, &group, out)?;
                if options.has("execute") && !offsets.is_empty() {
                    commit_offsets(cluster, &group, &offsets)?;
                }
                offsets
            }
            state => {
                print_error(
                    out,
                    &format!(
                        "Assignments can only be reset if the group '{group}' is inactive, but the current state is {state}."
                    ),
                )?;
                Offsets::new()
            }
        };
        done.insert(group, offsets);
    }
    if options.has("export") {
        let only_group = options.values("group").len() == 1;
        writeln!(out, "{}", plan::to_csv(&done, only_group))?;
    } else {
        print_plan(&done, out)?;
    }
    Ok(())
}

/// A group that is not there yet can be given offsets as well.
fn state_of(cluster: &mut Cluster, group: &str) -> Result<String, ClientError> {
    match describe_group(cluster, group) {
        Ok(described) => Ok(described.group_state.to_string()),
        Err(error) if error.code() == Some(ErrorCode::GROUP_ID_NOT_FOUND) => Ok("Dead".to_owned()),
        Err(error) => Err(error),
    }
}

fn print_plan(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let longest = |texts: &mut dyn Iterator<Item = &String>| {
        texts
            .map(|text| text.chars().count())
            .max()
            .unwrap_or(0)
            .max(15)
    };
    let g = longest(&mut plan.keys());
    let t = longest(
        &mut plan
            .values()
            .flat_map(BTreeMap::keys)
            .map(|(topic, _)| topic),
    );
    if !plan.is_empty() {
        write!(
            out,
            "\n{:<g$} {:<t$} {:<10} NEW-OFFSET",
            "GROUP", "TOPIC", "PARTITION"
        )?;
    }
    for (group, offsets) in plan {
        for ((topic, partition), offset) in offsets {
            write!(out, "\n{group:<g$} {topic:<t$} {partition:<10} {offset}")?;
        }
    }
    writeln!(out)
}

/// The partitions that `--topic` or `--all-topics` means.
fn scope(
    options: &Options,
    cluster: &mut Cluster,
    group: &str,
) -> Result<Vec<TopicPartition>, CommandError> {
    if options.has("all-topics") {
        return Ok(committed_offsets(cluster, group)?.into_keys().collect());
    }
    let mut meant = Vec::new();
    for text in options.values("topic") {
        if let Some(named) = plan::partitions(text)? {
            meant.extend(named);
            continue;
        }
        let info = cluster.topic(text, false).map_err(described)?;
        let indexes = info.partitions.iter().map(|partition| partition.index);
        meant.extend(indexes.map(|index| (text.to_owned(), index)));
    }
    Ok(meant)
}

/// Kafka's command prints the exception of a topic that is not there without its class, and that of a group with it.
fn described(error: ClientError) -> CommandError {
    match error {
        ClientError::NoSuchTopic { .. } => {
            CommandError::failed(java_errors::words_of(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION))
        }
        other => other.into(),
    }
}

fn offsets_for(
    options: &Options,
    cluster: &mut Cluster,
    group: &str,
    out: &mut dyn Write,
) -> Result<Offsets, CommandError> {
    if let Some(path) = options.value("from-file") {
        return from_file(path, options, cluster, group, out);
    }
    let partitions = scope(options, cluster, group)?;
    if options.has("to-earliest") {
        return log_offsets(cluster, &partitions, OffsetQuery::Earliest);
    }
    if options.has("to-latest") {
        return log_offsets(cluster, &partitions, OffsetQuery::Latest);
    }
    if let Some(offset) = options.number::<i64>("to-offset")? {
        let wanted = partitions.into_iter().map(|of| (of, offset)).collect();
        return within_range(cluster, wanted);
    }
    if let Some(text) = options.value("to-datetime") {
        return at_time(cluster, &partitions, plan::datetime_ms(text)?, out);
    }
    if let Some(text) = options.value("by-duration") {
        let at = now_ms().saturating_sub(plan::duration_ms(text)?);
        return at_time(cluster, &partitions, at, out);
    }
    let committed = committed_offsets(cluster, group)?;
    if let Some(shift) = options.number::<i64>("shift-by")? {
        let shifted: Result<Offsets, CommandError> = partitions
            .into_iter()
            .map(|of| match committed.get(&of) {
                Some(committed) => Ok((of, committed.offset.saturating_add(shift))),
                None => Err(CommandError::usage(format!(
                    "Cannot shift offset for partition {}-{} since there is no current committed offset",
                    of.0, of.1
                ))),
            })
            .collect();
        return within_range(cluster, shifted?);
    }
    let (known, unknown): (Vec<_>, Vec<_>) = partitions
        .into_iter()
        .partition(|of| committed.contains_key(of));
    let mut offsets = log_offsets(cluster, &unknown, OffsetQuery::Latest)?;
    offsets.extend(known.into_iter().filter_map(|of| {
        let offset = committed.get(&of)?.offset;
        Some((of, offset))
    }));
    Ok(offsets)
}

fn from_file(
    path: &str,
    options: &Options,
    cluster: &mut Cluster,
    group: &str,
    out: &mut dyn Write,
) -> Result<Offsets, CommandError> {
    let cannot = |why: &dyn std::fmt::Display| CommandError::failed(format!("{path}: {why}"));
    let size = fs::metadata(Path::new(path))
        .map_err(|error| cannot(&error))?
        .len();
    if size > PLAN_BYTES_MAX {
        return Err(cannot(&"it is too long for a plan"));
    }
    let text = fs::read_to_string(path).map_err(|error| cannot(&error))?;
    let only_group = options
        .value("group")
        .filter(|_| options.values("group").len() == 1);
    match plan::parse_csv(&text, only_group)?.remove(group) {
        Some(wanted) => within_range(cluster, wanted),
        None => {
            print_error(out, &format!("No reset plan for group {group} found"))?;
            Ok(Offsets::new())
        }
    }
}

/// ListOffsets of partitions of several topics; those without an answer are left out.
fn log_offsets(
    cluster: &mut Cluster,
    partitions: &[TopicPartition],
    query: OffsetQuery,
) -> Result<Offsets, CommandError> {
    let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in partitions {
        by_topic.entry(topic).or_default().push(*partition);
    }
    let mut offsets = Offsets::new();
    for (topic, partitions) in by_topic {
        let info = cluster.topic(topic, false)?;
        let found = list_offsets(cluster, &info, &partitions, query, false)?;
        offsets.extend(
            found
                .into_iter()
                .map(|(index, offset)| ((topic.to_owned(), index), offset)),
        );
    }
    Ok(offsets)
}

/// The first record of this time or later, else where the partition ends.
fn at_time(
    cluster: &mut Cluster,
    partitions: &[TopicPartition],
    at_ms: i64,
    out: &mut dyn Write,
) -> Result<Offsets, CommandError> {
    let mut found = log_offsets(cluster, partitions, OffsetQuery::AtTime(at_ms.max(0)))?;
    let mut late: Vec<TopicPartition> = partitions.to_vec();
    late.retain(|of| !found.contains_key(of));
    late.sort();
    for (topic, partition) in &late {
        writeln!(
            out,
            "\nWarn: Partition {partition} from topic {topic} is empty. Falling back to latest known offset."
        )?;
    }
    found.extend(log_offsets(cluster, &late, OffsetQuery::Latest)?);
    Ok(found)
}

/// Moves what is outside of the log to its nearer end.
fn within_range(cluster: &mut Cluster, wanted: Offsets) -> Result<Offsets, CommandError> {
    let partitions: Vec<TopicPartition> = wanted.keys().cloned().collect();
    let starts = log_offsets(cluster, &partitions, OffsetQuery::Earliest)?;
    let ends = log_offsets(cluster, &partitions, OffsetQuery::Latest)?;
    let moved = wanted.into_iter().map(|(of, offset)| {
        let start = starts.get(&of).copied().unwrap_or(i64::MIN);
        let end = ends.get(&of).copied().unwrap_or(i64::MAX);
        let (which, set) = match offset {
            offset if offset > end => ("higher than latest", end),
            offset if offset < start => ("lower than earliest", start),
            offset => return (of, offset),
        };
        eprintln!(
            "WARN New offset ({offset}) is {which} offset for topic partition {}-{}. Value will be set to {set}",
            of.0, of.1
        );
        (of, set)
    });
    Ok(moved.collect())
}

fn now_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_has_kafkas_columns() {
        let offsets = Offsets::from([
            (("orders".to_owned(), 0), 0),
            (("orders".to_owned(), 2), 100),
        ]);
        let mut out = Vec::new();
        print_plan(&Plan::from([("nobody".to_owned(), offsets)]), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\nGROUP           TOPIC           PARTITION  NEW-OFFSET\n\
             nobody          orders          0          0\n\
             nobody          orders          2          100\n"
        );
    }
}
