//! Kafka's `DumpLogSegments` on every file of a directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::kafka::Kafka;
use crate::names;

/// What a partition's files end in, and what to ask of them besides.
const KINDS: [(&str, &[&str]); 5] = [
    ("log", &["--deep-iteration", "--print-data-log"]),
    ("index", &["--index-sanity-check"]),
    ("timeindex", &["--index-sanity-check"]),
    ("snapshot", &[]),
    ("txnindex", &[]),
];

/// Words with which the tool complains.
const COMPLAINTS: [&str; 9] = [
    "isvalid: false",
    "Exception",
    "Mismatches in",
    "Non-consecutive offsets",
    "Index timestamp mismatches",
    "Index timestamp is not",
    "Found timestamp mismatch",
    "Found out of order timestamp",
    "Found offset mismatch",
];

/// Lets Kafka's tool read every file; returns how many records it printed.
pub fn check_every_file(kafka: &Kafka, data: &Path) -> usize {
    let mut records = 0;
    for (ending, arguments) in KINDS {
        let (mut plain, mut groups, mut metadata) = (Vec::new(), Vec::new(), Vec::new());
        for (topic, file) in files(data, ending) {
            let files = match topic.as_str() {
                "__consumer_offsets" if ending == "log" => &mut groups,
                "__cluster_metadata" if ending == "log" => &mut metadata,
                _ => &mut plain,
            };
            files.push(file);
        }
        records += dump(kafka, &plain, arguments);
        records += dump(kafka, &groups, &["--deep-iteration", "--offsets-decoder"]);
        records += dump(
            kafka,
            &metadata,
            &["--deep-iteration", "--cluster-metadata-decoder"],
        );
    }
    records
}

fn dump(kafka: &Kafka, files: &[PathBuf], arguments: &[&str]) -> usize {
    if files.is_empty() {
        return 0;
    }
    let names: Vec<&str> = files
        .iter()
        .map(|file| file.to_str().expect("UTF-8"))
        .collect();
    let list = names.join(",");
    let mut all = vec!["--files", &list];
    all.extend(arguments);
    let text = kafka.tool("org.apache.kafka.tools.DumpLogSegments", &all);
    for file in &names {
        assert!(text.contains(file), "{file} was not dumped:\n{text}");
    }
    for words in COMPLAINTS {
        let found = text.lines().find(|line| line.contains(words));
        assert_eq!(found, None, "Kafka complains of {list}:\n{text}");
    }
    text.lines()
        .filter(|line| line.starts_with("| offset:"))
        .count()
}

/// The files of partitions with this ending that hold anything, and the topic of each.
fn files(data: &Path, ending: &str) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for dir in names(data) {
        let Some((topic, _)) = dir.rsplit_once('-') else {
            continue;
        };
        let path = data.join(&dir);
        if !path.is_dir() || dir.ends_with("-delete") {
            continue;
        }
        for name in names(&path) {
            let file = path.join(&name);
            let is_one = name
                .rsplit_once('.')
                .is_some_and(|(_, found)| found == ending);
            if is_one && fs::metadata(&file).expect("a file").len() > 0 {
                found.push((topic.to_owned(), file));
            }
        }
    }
    found
}
