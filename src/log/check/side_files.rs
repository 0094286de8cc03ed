//! The small files beside the segments: the topic's id, leader epochs, producers, aborted transactions.

use std::fs::{self, File};
use std::io::{BufReader, Read};

use super::directory::Files;
use super::{Check, Finding, Repair};
use crate::log::error::LogError;
use crate::log::file_names::{self, FileKind};
use crate::log::leader_epochs::LeaderEpochs;
use crate::log::{partition_metadata, producer_snapshot};
use crate::types::{Offset, kafka_uuid};

/// An entry of a `.txnindex`: version, producer id, first, last and last stable offset.
const ABORTED_ENTRY_BYTES: usize = 34;

impl Check<'_> {
    pub(super) fn topic_id(&mut self, files: &Files) -> Result<(), LogError> {
        let path = self.dir.join(file_names::PARTITION_METADATA);
        if !files.partition_metadata {
            // Kafka writes none for the metadata log.
            if !self.expected.metadata {
                let then = "a start takes the folder for the topic's own and writes the file again";
                self.found(Finding::new(&path, "is missing", then));
            }
            return Ok(());
        }
        let content = fs::read(&path).map_err(|error| LogError::storage("read", &path, error))?;
        let found = partition_metadata::decode(&String::from_utf8_lossy(&content));
        let expected = self.expected.topic_id;
        let finding = match (found, expected) {
            (None, _) => Finding::new(
                &path,
                "is not two lines with a version and a topic id",
                "a start takes the folder for the topic's own and writes the file again",
            )
            .repaired_by(Repair::Remove(path.clone())),
            (Some(found), Some(expected)) if found != expected => Finding::new(
                &path,
                format!(
                    "names topic id {}, but the metadata has {} for the topic",
                    kafka_uuid::encode(found),
                    kafka_uuid::encode(expected)
                ),
                "after a clean stop a start leaves the partition offline, after a crash it puts the folder aside as that of a \
                 deleted topic; if the records are this topic's own, remove the file",
            ),
            _ => return Ok(()),
        };
        self.found(finding);
        Ok(())
    }

    pub(super) fn leader_epochs(&mut self, files: &Files) -> Result<(), LogError> {
        let path = self.dir.join(file_names::LEADER_EPOCH_CHECKPOINT);
        let rebuilt = "a start takes the epochs from the batches that it reads";
        if !files.leader_epochs {
            if files.logs.values().any(|size| *size > 0) {
                self.found(Finding::new(&path, "is missing", rebuilt));
            }
            return Ok(());
        }
        let content = fs::read(&path).map_err(|error| LogError::storage("read", &path, error))?;
        self.epochs = LeaderEpochs::decode(&String::from_utf8_lossy(&content));
        // Empty is how Kafka makes it, and a log without records need not have more.
        let records = files.logs.values().any(|size| *size > 0);
        if self.epochs.is_none() && (records || !content.is_empty()) {
            let finding = Finding::new(&path, "is not a checkpoint of leader epochs", rebuilt);
            self.found(finding.repaired_by(Repair::Remove(path)));
        }
        Ok(())
    }

    pub(super) fn snapshots(&mut self, files: &Files, end: Offset) -> Result<(), LogError> {
        for offset in &files.snapshots {
            let path = file_names::path_of(self.dir, *offset, FileKind::Snapshot);
            let content =
                fs::read(&path).map_err(|error| LogError::storage("read", &path, error))?;
            let what = match producer_snapshot::decode(&content) {
                Err(reason) => reason,
                Ok(_) if *offset > end => {
                    format!("is of producers at offset {offset}, but the log ends at {end}")
                }
                Ok(_) => continue,
            };
            let then =
                "a start takes the producers from an older snapshot and the batches behind it";
            self.found(Finding::new(&path, what, then).repaired_by(Repair::Remove(path)));
        }
        Ok(())
    }

    pub(super) fn aborted_transactions(&mut self, files: &Files) -> Result<(), LogError> {
        for base in &files.transaction_indexes {
            let path = file_names::path_of(self.dir, *base, FileKind::TransactionIndex);
            let failed = |error| LogError::storage("read", &path, error);
            let mut reader = BufReader::new(File::open(&path).map_err(failed)?);
            let mut position = 0;
            loop {
                let mut entry = Vec::with_capacity(ABORTED_ENTRY_BYTES);
                let read = reader
                    .by_ref()
                    .take(ABORTED_ENTRY_BYTES as u64)
                    .read_to_end(&mut entry)
                    .map_err(failed)?;
                if read == 0 {
                    break;
                }
                if let Some(what) = wrong_aborted_entry(&entry, *base) {
                    let then =
                        "its transactions may be shown as committed; restore the file from a copy";
                    self.found(Finding::new(&path, what, then).at(position, *base));
                    break;
                }
                position += read as u64;
            }
        }
        Ok(())
    }
}

fn wrong_aborted_entry(entry: &[u8], base: Offset) -> Option<String> {
    let number = |at: usize| {
        let field = entry.get(at..at + 8)?.first_chunk()?;
        Some(i64::from_be_bytes(*field))
    };
    let (Some(producer), Some(first), Some(last), Some(stable)) =
        (number(2), number(10), number(18), number(26))
    else {
        return Some(format!(
            "{} bytes at the end are no whole entry of {ABORTED_ENTRY_BYTES}",
            entry.len()
        ));
    };
    let version = i16::from_be_bytes([entry[0], entry[1]]);
    if version != 0 {
        return Some(format!("an entry of version {version}; 0 is known"));
    }
    // The transaction may have begun in an earlier segment.
    (producer < 0 || first < 0 || last < first || stable < 0 || last < base.0)
        .then(|| format!("offsets {first} to {last} of producer {producer} are not possible"))
}
