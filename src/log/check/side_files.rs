//! The small files beside the segments: the topic's id, leader epochs, producers, aborted transactions.

use std::fs::{self, File};
use std::io::{BufReader, Read};

use super::directory::Files;
use super::{Check, Finding, Repair};
use crate::log::error::LogError;
use crate::log::file_names::{self, FileKind};
use crate::log::leader_epochs::LeaderEpochs;
use crate::log::transaction_index::{self, ENTRY_BYTES};
use crate::log::{partition_metadata, producer_snapshot};
use crate::types::{Offset, kafka_uuid};

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

    /// The transaction indexes, and whether they have what the segments' markers say was aborted.
    pub(super) fn aborted_transactions(&mut self, files: &Files) -> Result<(), LogError> {
        let mut due = std::mem::take(&mut self.aborted);
        for base in &files.transaction_indexes {
            let path = file_names::path_of(self.dir, *base, FileKind::TransactionIndex);
            let failed = |error| LogError::storage("read", &path, error);
            let mut reader = BufReader::new(File::open(&path).map_err(failed)?);
            let mut position = 0;
            loop {
                let mut entry = Vec::with_capacity(ENTRY_BYTES);
                let read = reader
                    .by_ref()
                    .take(ENTRY_BYTES as u64)
                    .read_to_end(&mut entry)
                    .map_err(failed)?;
                match transaction_index::decode(&entry, *base) {
                    Ok(_) if read == 0 => break,
                    Ok(known) => known.iter().for_each(|one| {
                        due.remove(&(one.last_offset, one.producer_id));
                    }),
                    Err(what) => {
                        self.found(Finding::new(&path, what, HIDDEN).at(position, *base));
                        due.retain(|_, segment| segment != base);
                        break;
                    }
                }
                position += read as u64;
            }
        }
        for ((marker, producer_id), base) in due {
            let path = file_names::path_of(self.dir, base, FileKind::TransactionIndex);
            let what = format!(
                "does not name the transaction of producer {producer_id} that the marker at offset {marker} aborts"
            );
            self.found(Finding {
                offset: Some(marker),
                ..Finding::new(&path, what, HIDDEN)
            });
        }
        Ok(())
    }
}

/// What comes of a wrong transaction index.
const HIDDEN: &str = "its transactions may be shown as committed, or not be read at all; restore the file from a copy, or remove it \
                      with the segment's other indexes: a start makes them again";
