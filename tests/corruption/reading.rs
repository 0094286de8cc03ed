//! What a consumer gets of a partition, offset by offset, and what `vltava check` says of a directory.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use vltava::wire::ErrorCode;
use vltava::wire::records::{Scratch, batches};

use crate::fixture::{TOPIC, value};
use crate::harness::requests::data_of;
use crate::harness::wire_client::WireClient;

/// What became of the records of a partition.
#[derive(PartialEq, Eq, Default, Debug)]
pub struct Reading {
    /// Offsets of records that came, each the one that was written.
    pub right: BTreeSet<i64>,
    /// Offsets that came as an error, or in a batch whose checksum is wrong.
    pub refused: BTreeSet<i64>,
    /// Offsets that were passed over without a word.
    pub skipped: BTreeSet<i64>,
    /// Records that are not the ones that were written there.
    pub wrong: Vec<String>,
    /// The high watermark; -1 where the partition is not there.
    pub end: i64,
}

/// Reads a partition from its start to its end, stepping over what is refused.
pub fn read(client: &mut WireClient, partition: i32) -> Reading {
    let mut reading = Reading::default();
    let mut next = 0;
    loop {
        let answer = client.fetch(TOPIC, partition, next);
        match answer.error_code {
            ErrorCode::NONE => reading.end = answer.high_watermark,
            ErrorCode::OFFSET_OUT_OF_RANGE => return reading,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
                reading.end = -1;
                return reading;
            }
            ErrorCode::CORRUPT_MESSAGE | ErrorCode::KAFKA_STORAGE_ERROR if next < 200 => {
                reading.refused.insert(next);
                next += 1;
                continue;
            }
            other => panic!("{TOPIC}-{partition} at {next}: {other:?}"),
        }
        if next >= reading.end {
            return reading;
        }
        let before = next;
        reading.take_in(partition, &mut next, data_of(&answer));
        if next == before {
            reading.refused.insert(next);
            next += 1;
        }
    }
}

impl Reading {
    /// What a client makes of record data: everything up to the first batch that is not sound.
    fn take_in(&mut self, partition: i32, next: &mut i64, data: Bytes) {
        let mut scratch = Scratch::default();
        for batch in batches(data) {
            let Ok(batch) = batch else { return };
            let Ok(records) = batch.records(1 << 20, &mut scratch) else {
                return;
            };
            for record in &records {
                let Ok(record) = record else { return };
                let offset = record.offset.0;
                if offset < *next {
                    continue;
                }
                self.skipped.extend(*next..offset.min(*next + 1000));
                let got = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
                if got == value(partition, offset) {
                    self.right.insert(offset);
                } else {
                    self.wrong.push(format!("offset {offset} has {got:?}"));
                }
                *next = offset + 1;
            }
        }
    }
}

/// Exit code and output of `vltava check`.
pub fn check(dir: &Path, options: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vltava"))
        .arg("check")
        .arg(dir)
        .args(options)
        .output()
        .expect("the binary runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    let text = format!("{}{stderr}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().expect("not killed"), text)
}

/// The lines of a check about a file or folder.
pub fn lines_about<'a>(checked: &'a str, path: &Path) -> Vec<&'a str> {
    let path = path.display().to_string();
    let about = |line: &&str| {
        line.strip_prefix(&path)
            .is_some_and(|rest| rest.starts_with(['/', ':', ' ']))
    };
    checked.lines().filter(about).collect()
}
