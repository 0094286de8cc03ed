//! `kafka-consumer-groups`: lists, describes and deletes groups, and moves what they committed; Kafka's `ConsumerGroupCommand`.
//!
//! | file | what it is for |
//! |---|---|
//! | `delete` | `--delete`, `--delete-offsets` |
//! | `describe` | `--describe`: offsets, members, state |
//! | `reset` | `--reset-offsets`: the plan, and carrying it out |
//! | `plan` | what a plan is written in: topics with partitions, CSV, times |
//!
//! As Kafka's own, it ends with 0 when a group cannot be described or deleted: the error is on standard output.

mod delete;
mod describe;
mod plan;
mod reset;

use std::io::{self, Write};
use std::time::Duration;

use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connect_by, connecting, java_errors};
use crate::client::group_admin::list_groups;
use crate::client::{ClientError, Cluster};
use crate::wire::messages::list_groups::ListedGroup;

pub const OPTIONS: &[Opt] = &[
    connecting::BOOTSTRAP_SERVER,
    connecting::BROKER_LIST,
    connecting::ZOOKEEPER,
    Opt::flag(
        "new-consumer",
        "Older: there are no other consumers than new ones; has no effect.",
    ),
    Opt::value(
        "group",
        "consumer group",
        "The consumer group we wish to act on.",
    ),
    Opt::value(
        "topic",
        "topic",
        "The topic whose offsets are deleted or reset; `topic1:0,1,2` for partitions of it. May be given several times.",
    ),
    Opt::flag(
        "all-topics",
        "Consider all topics assigned to a group in the `reset-offsets` process.",
    ),
    Opt::flag("list", "List all consumer groups."),
    Opt::flag(
        "describe",
        "Describe consumer group and list offset lag (number of records not yet processed) related to given group.",
    ),
    Opt::flag("all-groups", "Apply to all consumer groups."),
    Opt::flag(
        "delete",
        "Delete groups with everything they committed. For instance --group g1 --group g2",
    ),
    Opt::value(
        "timeout",
        "timeout (ms)",
        "How long to wait for the group's coordinator. (default: 5000)",
    ),
    Opt::value(
        "command-config",
        "command config property file",
        "Properties of the client.",
    ),
    Opt::flag(
        "reset-offsets",
        "Reset offsets of inactive groups: plans it with --dry-run (the default), does it with --execute; --export prints the plan as CSV. Scope: --all-topics, --topic or --from-file.",
    ),
    Opt::flag(
        "delete-offsets",
        "Delete offsets of consumer group. Supports one consumer group at the time, and multiple topics.",
    ),
    Opt::flag(
        "dry-run",
        "Only show results without executing changes on Consumer Groups. Supported operations: reset-offsets.",
    ),
    Opt::flag(
        "execute",
        "Execute operation. Supported operations: reset-offsets.",
    ),
    Opt::flag(
        "export",
        "Export operation execution to a CSV file. Supported operations: reset-offsets.",
    ),
    Opt::value("to-offset", "offset", "Reset offsets to a specific offset."),
    Opt::value(
        "from-file",
        "path to CSV file",
        "Reset offsets to values defined in CSV file.",
    ),
    Opt::value(
        "to-datetime",
        "datetime",
        "Reset offsets to offset from datetime. Format: 'YYYY-MM-DDThh:mm:ss.sss'",
    ),
    Opt::value(
        "by-duration",
        "duration",
        "Reset offsets to offset by duration from current timestamp. Format: 'PnDTnHnMnS'",
    ),
    Opt::flag("to-earliest", "Reset offsets to earliest offset."),
    Opt::flag("to-latest", "Reset offsets to latest offset."),
    Opt::flag("to-current", "Reset offsets to current offset."),
    Opt::value(
        "shift-by",
        "number-of-offsets",
        "Reset offsets shifting current offset by 'n', where 'n' can be positive or negative.",
    ),
    Opt::flag("members", "Describe members of the group."),
    Opt::flag("verbose", "More columns when describing."),
    Opt::flag(
        "offsets",
        "Describe the group's partitions with their lag: what --describe does by default.",
    ),
    Opt::maybe(
        "state",
        "states",
        "With --describe the state of the group; with --list the states of all, or only groups in these: --state stable,empty",
    ),
    Opt::maybe(
        "type",
        "types",
        "With --list the types of all groups, or only groups of these: --type classic,consumer",
    ),
    Opt::value(
        "validate-regex",
        "regex",
        "Says whether this is a regular expression.",
    ),
    connecting::HELP,
    connecting::VERSION,
];

const ACTIONS: &[&str] = &[
    "list",
    "describe",
    "delete",
    "reset-offsets",
    "delete-offsets",
    "validate-regex",
];
const TIMEOUT_MS: u64 = 5000;

/// Runs the one action that is asked for.
///
/// # Errors
/// When the command line is wrong or the cluster cannot be reached.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let options = Options::parse(OPTIONS, args)?;
    if help_or_version(
        &options,
        "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset consumer group offsets.",
        out,
    )? {
        return Ok(());
    }
    check(&options)?;
    if let Some(pattern) = options.value("validate-regex") {
        return Ok(validate_regex(pattern, out)?);
    }
    let timeout = Duration::from_millis(options.number("timeout")?.unwrap_or(TIMEOUT_MS));
    let mut cluster = connect_by(&options, "kafka-consumer-groups", timeout)?;
    let done = act(&options, &mut cluster, out);
    match done {
        Err(CommandError::Client(error)) if error.code().is_some() || is_missing(&error) => {
            print_error(
                out,
                &format!(
                    "Executing consumer group command failed due to {}",
                    java_errors::exception(&error)
                ),
            )?;
            Ok(())
        }
        Err(CommandError::Failed(text)) => {
            print_error(
                out,
                &format!("Executing consumer group command failed due to {text}"),
            )?;
            Ok(())
        }
        other => other,
    }
}

fn is_missing(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::NoSuchTopic { .. } | ClientError::NoSuchPartition { .. }
    )
}

fn act(options: &Options, cluster: &mut Cluster, out: &mut dyn Write) -> Result<(), CommandError> {
    match action(options) {
        Some("list") => list(options, cluster, out),
        Some("describe") => describe::run(options, cluster, out),
        Some("delete") => delete::groups(options, cluster, out),
        Some("delete-offsets") => delete::offsets(options, cluster, out),
        _ => reset::run(options, cluster, out),
    }
}

fn action(options: &Options) -> Option<&'static str> {
    ACTIONS.iter().copied().find(|action| options.has(action))
}

/// What may stand beside what, in Kafka's order and words.
fn check(options: &Options) -> Result<(), CommandError> {
    let usage = |text: &str| Err(CommandError::usage(text));
    let actions = ACTIONS.iter().filter(|action| options.has(action)).count();
    let one_of_groups = |action: &str| {
        if options.has("group") || options.has("all-groups") {
            return Ok(());
        }
        Err(CommandError::usage(format!(
            "Option [{action}] takes one of these options: [group], [all-groups]"
        )))
    };
    if options.has("describe") {
        one_of_groups("describe")?;
        let views = ["members", "offsets", "state"];
        if views.iter().filter(|view| options.has(view)).count() > 1 {
            return usage(
                "Option [describe] takes at most one of these options: [members], [offsets], [state]",
            );
        }
        if options.value("state").is_some() {
            return usage("Option [describe] does not take a value for [state]");
        }
    } else {
        for only in ["members", "verbose", "offsets"] {
            if options.has(only) {
                return Err(CommandError::usage(format!(
                    "Option(s) [{only}] are unavailable given other options on the command line"
                )));
            }
        }
    }
    if options.has("delete") {
        one_of_groups("delete")?;
        if options.has("topic") {
            return usage(
                "The consumer does not support topic-specific offset deletion from a consumer group.",
            );
        }
    }
    if options.has("delete-offsets") && !(options.has("group") && options.has("topic")) {
        return usage("Option [delete-offsets] takes the following options: [topic], [group]");
    }
    if options.has("reset-offsets") {
        reset::check(options)?;
        one_of_groups("reset-offsets")?;
    }
    options.alone("group", &["all-groups", "list"])?;
    options.alone("topic", &["list", "describe"])?;
    if actions != 1 {
        return usage(
            "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets, --validate-regex",
        );
    }
    Ok(())
}

fn validate_regex(pattern: &str, out: &mut dyn Write) -> io::Result<()> {
    match regex_lite::Regex::new(pattern) {
        Ok(_) => writeln!(out, "The regular expression `{pattern}` is valid."),
        Err(error) => writeln!(
            out,
            "The regular expression `{pattern}` is invalid: {error}."
        ),
    }
}

/// As Kafka's commands print an error that does not end them.
fn print_error(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\nError: {text}")
}

/// The groups that an action is about: those named, or all.
fn groups(options: &Options, cluster: &mut Cluster) -> Result<Vec<String>, CommandError> {
    if options.has("all-groups") {
        let all = consumer_groups(cluster, &[], &[])?;
        return Ok(all.iter().map(|group| group.group_id.to_string()).collect());
    }
    let mut named: Vec<String> = options
        .values("group")
        .into_iter()
        .map(ToOwned::to_owned)
        .collect();
    named.sort();
    named.dedup();
    Ok(named)
}

/// Groups of consumers only: others (Connect's, for one) are none of this command's business.
fn consumer_groups(
    cluster: &mut Cluster,
    states: &[String],
    types: &[String],
) -> Result<Vec<ListedGroup>, ClientError> {
    let mut listed = list_groups(cluster, states, types)?;
    listed.retain(|group| matches!(&*group.protocol_type, "consumer" | ""));
    Ok(listed)
}

fn list(options: &Options, cluster: &mut Cluster, out: &mut dyn Write) -> Result<(), CommandError> {
    let (with_type, with_state) = (options.has("type"), options.has("state"));
    let states = named_of(options.value("state"), STATES, "state")?;
    let types = named_of(options.value("type"), TYPES, "types")?;
    let listed = consumer_groups(cluster, &states, &types)?;
    if !with_type && !with_state {
        for group in listed {
            writeln!(out, "{}", group.group_id)?;
        }
        return Ok(());
    }
    let longest = listed
        .iter()
        .map(|group| group.group_id.chars().count())
        .max();
    let width = longest.unwrap_or(15).max(15) + 10;
    let mut row = |name: &str, kind: &str, state: &str| {
        write!(out, "{name:<width$}")?;
        if with_type {
            write!(out, " {kind:<20}")?;
        }
        if with_state {
            write!(out, " {state:<20}")?;
        }
        writeln!(out)
    };
    row("GROUP", "TYPE", "STATE")?;
    for group in &listed {
        row(
            &group.group_id,
            &proper_name(&group.group_type, TYPES),
            &proper_name(&group.group_state, STATES),
        )?;
    }
    Ok(())
}

const STATES: &[&str] = &[
    "Stable",
    "CompletingRebalance",
    "Dead",
    "Assigning",
    "Reconciling",
    "PreparingRebalance",
    "Empty",
];
const TYPES: &[&str] = &["Consumer", "Classic"];

/// Names with commas between them, in any case.
fn named_of(text: Option<&str>, known: &[&str], what: &str) -> Result<Vec<String>, CommandError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let find = |name: &str| {
        let name = name.trim();
        known.iter().find(|known| known.eq_ignore_ascii_case(name))
    };
    let found: Option<Vec<String>> = text
        .split(',')
        .map(|name| find(name).map(|known| (*known).to_owned()))
        .collect();
    found.ok_or_else(|| {
        CommandError::usage(format!(
            "Invalid {what} list '{text}'. Valid {}s are: {}",
            what.trim_end_matches('s'),
            known.join(", ")
        ))
    })
}

/// What Java calls it; `Unknown` where the broker is too old to say.
fn proper_name(name: &str, known: &[&str]) -> String {
    let found = known.iter().find(|known| known.eq_ignore_ascii_case(name));
    match found {
        Some(known) => (*known).to_owned(),
        None if name.is_empty() => "Unknown".to_owned(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        let options = Options::parse(OPTIONS, &args).unwrap();
        check(&options).expect_err(line).to_string()
    }

    #[test]
    fn a_command_line_is_refused_in_kafkas_words() {
        for (line, words) in [
            (
                "--describe",
                "Option [describe] takes one of these options: [group], [all-groups]",
            ),
            (
                "--group a",
                "Command must include exactly one action: --list",
            ),
            (
                "--list --describe --group a",
                "Option \"[group]\" can't be used with option \"[list]\"",
            ),
            (
                "--describe --group a --members --state",
                "takes at most one of these options",
            ),
            ("--list --members", "Option(s) [members] are unavailable"),
            (
                "--delete --group a --topic t",
                "does not support topic-specific",
            ),
            ("--delete-offsets --group a", "takes the following options"),
            (
                "--describe --group a --all-groups",
                "can't be used with option \"[all-groups]\"",
            ),
            (
                "--reset-offsets --group a --to-earliest --to-latest",
                "Option \"[to-earliest]\" can't be used with option \"[to-latest]\"",
            ),
        ] {
            let said = refused(line);
            assert!(said.contains(words), "{line}: {said}");
        }
    }

    #[test]
    fn states_are_named_in_any_case() {
        assert_eq!(
            named_of(Some("stable, EMPTY"), STATES, "state").unwrap(),
            ["Stable", "Empty"]
        );
        assert_eq!(
            named_of(Some("bogus"), STATES, "state")
                .unwrap_err()
                .to_string(),
            "Invalid state list 'bogus'. Valid states are: Stable, CompletingRebalance, Dead, Assigning, \
             Reconciling, PreparingRebalance, Empty"
        );
        assert!(
            named_of(Some("x"), TYPES, "types")
                .unwrap_err()
                .to_string()
                .starts_with("Invalid types list 'x'. Valid types are: Consumer")
        );
    }
}
