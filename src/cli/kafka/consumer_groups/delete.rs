//! `--delete` and `--delete-offsets`: groups without members, and what they committed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::super::options::Options;
use super::super::{CommandError, java_errors};
use super::{plan, print_error};
use crate::client::Cluster;
use crate::client::group_admin::{TopicPartition, delete_group, delete_offsets};
use crate::wire::ErrorCode;

/// Deletes the groups that are named, or all.
///
/// # Errors
/// When a coordinator cannot be reached; what it refuses is told on standard output.
pub fn groups(
    options: &Options,
    cluster: &mut Cluster,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for group in super::groups(options, cluster)? {
        match delete_group(cluster, &group) {
            Ok(()) => deleted.push(group),
            Err(error) if error.code().is_some() => failed.push((group, error)),
            Err(error) => return Err(error.into()),
        }
    }
    if failed.is_empty() {
        writeln!(
            out,
            "Deletion of requested consumer groups ('{}') was successful.",
            deleted.join("', '")
        )?;
        return Ok(());
    }
    print_error(out, "Deletion of some consumer groups failed:")?;
    for (group, error) in failed {
        let why = java_errors::exception(&error);
        writeln!(out, "* Group '{group}' could not be deleted due to: {why}")?;
    }
    if !deleted.is_empty() {
        let list = deleted.join("', '");
        writeln!(
            out,
            "\nThese consumer groups were deleted successfully: '{list}'"
        )?;
    }
    Ok(())
}

/// Deletes what a group committed for the topics that are named.
///
/// # Errors
/// As [`groups`].
pub fn offsets(
    options: &Options,
    cluster: &mut Cluster,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let group = options.required("group")?;
    let mut rows: BTreeMap<(String, Option<i32>), Option<String>> = BTreeMap::new();
    let mut partitions: Vec<TopicPartition> = Vec::new();
    for topic in options.values("topic") {
        match plan::partitions(topic)? {
            Some(named) => partitions.extend(named),
            None => match cluster.topic(topic, false) {
                Ok(info) => {
                    let indexes = info.partitions.iter().map(|partition| partition.index);
                    partitions.extend(indexes.map(|index| (topic.to_owned(), index)));
                }
                Err(error) => {
                    let why = java_errors::exception(&error);
                    rows.insert((topic.to_owned(), None), Some(why));
                }
            },
        }
    }
    let top = match delete_offsets(cluster, group, &partitions) {
        Ok(results) => {
            let mut some_failed = false;
            for ((topic, index), code) in results {
                let failed = code != ErrorCode::NONE;
                some_failed |= failed;
                let why = failed.then(|| java_errors::of_code(code, None));
                rows.insert((topic, Some(index)), why);
            }
            some_failed.then(|| {
                "Encountered some partition-level error, see the follow-up details.".to_owned()
            })
        }
        Err(error) => {
            let code = error.code().ok_or(error)?;
            for (topic, index) in partitions {
                let why = java_errors::of_code(code, None);
                rows.insert((topic, Some(index)), Some(why));
            }
            Some(refused_whole(group, code))
        }
    };
    match top {
        None => writeln!(
            out,
            "Request succeeded for deleting offsets from group {group}."
        )?,
        Some(error) => print_error(out, &error)?,
    }
    print_outcomes(out, &rows)?;
    Ok(())
}

fn refused_whole(group: &str, code: ErrorCode) -> String {
    match code {
        ErrorCode::INVALID_GROUP_ID => format!("'{group}' is not valid."),
        ErrorCode::GROUP_ID_NOT_FOUND => java_errors::words_of(code).to_owned(),
        ErrorCode::GROUP_AUTHORIZATION_FAILED => {
            format!("Access to '{group}' is not authorized.")
        }
        ErrorCode::NON_EMPTY_GROUP => format!(
            "Deleting offsets of a consumer group '{group}' is forbidden if the group is not empty."
        ),
        code => format!("Encountered some unknown error: {code}"),
    }
}

fn print_outcomes(
    out: &mut dyn Write,
    rows: &BTreeMap<(String, Option<i32>), Option<String>>,
) -> io::Result<()> {
    let longest = rows.keys().map(|(topic, _)| topic.chars().count()).max();
    let width = longest.unwrap_or(15).max(15);
    write!(
        out,
        "\n{:<width$} {:<10} {:<15}",
        "TOPIC", "PARTITION", "STATUS"
    )?;
    for ((topic, index), error) in rows {
        let index = index.map_or("-".to_owned(), |index| index.to_string());
        let status = match error {
            Some(error) => format!("Error: {error}"),
            None => "Successful".to_owned(),
        };
        write!(out, "\n{topic:<width$} {index:<10} {status:<15}")?;
    }
    writeln!(out)
}
