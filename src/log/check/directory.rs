//! The names in a partition's directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Check, Finding, Repair};
use crate::log::error::LogError;
use crate::log::file_names::{self, FileKind};
use crate::types::Offset;

/// The files that are a log's own, by offset.
#[derive(Default)]
pub(super) struct Files {
    /// Base offset and size of each segment.
    pub(super) logs: BTreeMap<Offset, u64>,
    pub(super) offset_indexes: BTreeSet<Offset>,
    pub(super) time_indexes: BTreeSet<Offset>,
    pub(super) transaction_indexes: BTreeSet<Offset>,
    pub(super) snapshots: BTreeSet<Offset>,
    pub(super) partition_metadata: bool,
    pub(super) leader_epochs: bool,
}

/// What Kafka keeps beside the metadata log's segments.
const METADATA_FILES: [&str; 1] = ["quorum-state"];
const METADATA_ENDINGS: [&str; 3] = [".checkpoint", ".checkpoint.part", ".checkpoint.deleted"];

impl Check<'_> {
    /// Takes in the names, and reports those that do not belong here.
    pub(super) fn directory(&mut self) -> Result<Files, LogError> {
        let failed = |error| LogError::storage("list", self.dir, error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(self.dir).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.sort();
        let mut files = Files::default();
        for path in paths {
            self.take_in(&path, &mut files);
        }
        for (set, kind) in [
            (&files.offset_indexes, FileKind::OffsetIndex),
            (&files.time_indexes, FileKind::TimeIndex),
            (&files.transaction_indexes, FileKind::TransactionIndex),
        ] {
            for base in set.iter().filter(|base| !files.logs.contains_key(base)) {
                let path = file_names::path_of(self.dir, *base, kind);
                let finding = Finding::new(
                    &path,
                    "belongs to no segment",
                    "it is not used; restore the .log file of that name if there was one",
                );
                let finding = finding.repaired_by(Repair::Remove(path));
                self.listener.found(finding);
            }
        }
        Ok(files)
    }

    fn take_in(&mut self, path: &Path, files: &mut Files) {
        let Some(name) = path.file_name() else {
            return;
        };
        let text = name.to_string_lossy();
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                let then = "a start passes over it; remove it, or restore what it points at";
                return self.found(Finding::new(path, error.to_string(), then));
            }
        };
        if text.ends_with(file_names::DAMAGED_ENDING) {
            return self.listener.note(&format!(
                "{}: holds what a repair cut off; it is not used: move it away once its records are not wanted",
                path.display()
            ));
        }
        if let Some(finding) = self.leftover(path, &text) {
            return self.found(finding);
        }
        let parsed = file_names::parse(name);
        let by_name = [
            file_names::PARTITION_METADATA,
            file_names::LEADER_EPOCH_CHECKPOINT,
        ]
        .contains(&&*text);
        if !metadata.is_file() {
            let what = match parsed.is_some() || by_name {
                true => "is a folder where a file of the log should be",
                false => "is a folder that is none of the log's",
            };
            let then =
                "a start passes over it; move it away, and restore the file if there was one";
            return self.found(Finding::new(path, what, then));
        }
        match parsed {
            Some((base, FileKind::Log)) => _ = files.logs.insert(base, metadata.len()),
            Some((base, FileKind::OffsetIndex)) => _ = files.offset_indexes.insert(base),
            Some((base, FileKind::TimeIndex)) => _ = files.time_indexes.insert(base),
            Some((base, FileKind::TransactionIndex)) => {
                files.transaction_indexes.insert(base);
            }
            Some((offset, FileKind::Snapshot)) => _ = files.snapshots.insert(offset),
            None if text == file_names::PARTITION_METADATA => files.partition_metadata = true,
            None if text == file_names::LEADER_EPOCH_CHECKPOINT => files.leader_epochs = true,
            None if self.expected.metadata && is_of_metadata(&text) => {}
            None => self.found(Finding::new(
                path,
                "is none of the log's files",
                "a start leaves it alone; move it away if it is not wanted",
            )),
        }
    }

    /// What a stop in the middle of something has left.
    fn leftover(&self, path: &Path, name: &str) -> Option<Finding> {
        let ending = file_names::LEFTOVER_ENDINGS
            .into_iter()
            .find(|ending| name.ends_with(ending))?;
        let (what, then) = match ending {
            file_names::DELETED_ENDING => {
                ("is of a deleted segment", "a start removes it".to_owned())
            }
            file_names::SWAP_ENDING => (
                "is of a compaction that a stop interrupted",
                "a start puts it in its place".to_owned(),
            ),
            file_names::CLEANED_ENDING => (
                "is of a compaction that did not come to its end",
                "a start removes it".to_owned(),
            ),
            _ => (
                "is a file that was never finished",
                "a start removes it".to_owned(),
            ),
        };
        let finding = Finding::new(path, what, then);
        let finding = finding.repaired_by(Repair::Leftovers(self.dir.to_owned()));
        // Their time had not come when the broker stopped.
        Some(match ending == file_names::DELETED_ENDING {
            true => finding.harmless(),
            false => finding,
        })
    }
}

fn is_of_metadata(name: &str) -> bool {
    METADATA_FILES.contains(&name) || METADATA_ENDINGS.iter().any(|ending| name.ends_with(ending))
}
