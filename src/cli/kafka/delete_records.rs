//! `kafka-delete-records`: moves the beginning of partitions to the offsets of a JSON file; Kafka's `DeleteRecordsCommand`.
//!
//! ```json
//! {"partitions": [{"topic": "orders", "partition": 1, "offset": 5}], "version": 1}
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::time::Duration;

use super::json::Json;
use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connect_by, connecting, java_errors};
use crate::client::records_admin::delete_records;

pub const OPTIONS: &[Opt] = &[
    connecting::BOOTSTRAP_SERVER,
    connecting::BROKER_LIST,
    Opt::value(
        "offset-json-file",
        "Offset json file path",
        "REQUIRED: The JSON file with offset per partition. Records before the offset are deleted; -1 is the high watermark.",
    ),
    connecting::COMMAND_CONFIG,
    connecting::HELP,
    connecting::VERSION,
];

const FILE_BYTES_MAX: u64 = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// Deletes the records.
///
/// # Errors
/// When the command line or the file is wrong, or the cluster cannot be reached. A partition that is refused is told on
/// standard output.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let options = Options::parse(OPTIONS, args)?;
    if help_or_version(
        &options,
        "This tool helps to delete records of the given partitions down to the specified offset.",
        out,
    )? {
        return Ok(());
    }
    let path = options.required("offset-json-file")?;
    let cannot = |why: String| CommandError::failed(format!("{path}: {why}"));
    let size = fs::metadata(path)
        .map_err(|error| cannot(error.to_string()))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(cannot("it is too long for a list of offsets".to_owned()));
    }
    let text = fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
    let offsets = offsets(&text).map_err(CommandError::Failed)?;
    let mut cluster = connect_by(&options, "kafka-delete-records", PATIENCE)?;
    writeln!(out, "Executing records delete operation")?;
    let outcomes = delete_records(&mut cluster, &offsets)?;
    writeln!(out, "Records delete operation completed:")?;
    for ((topic, partition), outcome) in outcomes {
        match outcome {
            Ok(low) => writeln!(out, "partition: {topic}-{partition}\tlow_watermark: {low}")?,
            Err(error) => writeln!(
                out,
                "partition: {topic}-{partition}\terror: {}",
                java_errors::exception(&error)
            )?,
        }
    }
    Ok(())
}

type Offsets = Vec<((String, i32), i64)>;

/// The offsets of a file.
fn offsets(text: &str) -> Result<Offsets, String> {
    let json =
        Json::parse(text).map_err(|why| format!("The input string is not a valid JSON: {why}"))?;
    if let Some(version) = json.get("version")
        && version.integer::<i32>() != Some(1)
    {
        return Err(format!("Not supported version field value {version}"));
    }
    let list = json
        .get("partitions")
        .and_then(Json::list)
        .ok_or("Missing partitions field")?;
    let mut seen = BTreeSet::new();
    let mut repeated = BTreeSet::new();
    let mut offsets = Vec::new();
    for partition in list {
        let field = |name: &str| {
            partition
                .get(name)
                .ok_or(format!("{partition} has no {name}"))
        };
        let wrong = |name: &str| format!("the {name} of {partition} makes no sense");
        let topic = field("topic")?.str().ok_or_else(|| wrong("topic"))?;
        let index: i32 = field("partition")?
            .integer()
            .ok_or_else(|| wrong("partition"))?;
        let offset: i64 = field("offset")?.integer().ok_or_else(|| wrong("offset"))?;
        if !seen.insert((topic, index)) {
            repeated.insert(format!("{topic}-{index}"));
        }
        offsets.push(((topic.to_owned(), index), offset));
    }
    if !repeated.is_empty() {
        let list: Vec<String> = repeated.into_iter().collect();
        return Err(format!(
            "Offset json file contains duplicate topic partitions: {}",
            list.join(",")
        ));
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_from_kafkas_file() {
        let text =
            r#"{"partitions": [{"topic": "a", "partition": 1, "offset": -1}], "version": 1}"#;
        assert_eq!(offsets(text).unwrap(), [(("a".to_owned(), 1), -1)]);
    }

    #[test]
    fn files_that_make_no_sense_are_refused() {
        let one = r#"{"topic": "a", "partition": 1, "offset": 5}"#;
        for (text, words) in [
            ("x".to_owned(), "not a valid JSON"),
            ("{}".to_owned(), "Missing partitions field"),
            (
                r#"{"partitions": [], "version": 2}"#.to_owned(),
                "Not supported version field value 2",
            ),
            (
                format!(r#"{{"partitions": [{one},{one}]}}"#),
                "duplicate topic partitions: a-1",
            ),
            (
                r#"{"partitions": [{"topic": "a"}]}"#.to_owned(),
                "has no partition",
            ),
        ] {
            let refused = offsets(&text).unwrap_err();
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
