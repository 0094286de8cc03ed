//! The files of the data directory itself: whose it is, how it was left, and the checkpoints.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::partition_of;
use super::partitions::Ends;
use super::report::Report;
use crate::io::durable_write;
use crate::log::check::{Finding, Listener, Repair};
use crate::log::offset_checkpoint::{self, COMPACTED, LOG_STARTS, OffsetCheckpoint};
use crate::log::{DELETED_DIR_ENDING, STRAY_DIR_ENDING};
use crate::metadata::meta_properties::StoredMetaProperties;
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::server::data_dir::{
    CLEAN_SHUTDOWN, HIGH_WATERMARKS, LOCK, META_PROPERTIES, RECOVERY_POINTS,
};
use crate::types::Offset;

/// Each checkpoint, and what a start does without it.
const CHECKPOINTS: [(&str, &str); 4] = [
    (RECOVERY_POINTS, "a start after a crash checks logs whole"),
    (HIGH_WATERMARKS, "a start does without it"),
    (
        LOG_STARTS,
        "a start begins logs with their first segment: records that were deleted before it can be read again",
    ),
    (COMPACTED, "logs are compacted from their start"),
];

/// Files that a broker, Kafka's included, keeps here beside those with a name of their own above.
const OTHER_FILES: [&str; 3] = [LOCK, "bootstrap.checkpoint", "written-position-checkpoint"];
/// The file system's own.
const FILE_SYSTEMS: &str = "lost+found";

/// What the files say.
pub(super) struct TopFiles {
    dir: PathBuf,
    /// Whose the directory is, if that can be read.
    pub(super) owner: Option<StoredMetaProperties>,
    /// The last stop was clean.
    pub(super) clean: bool,
    checkpoints: BTreeMap<&'static str, OffsetCheckpoint>,
}

impl TopFiles {
    /// Reads them, and tells of what is wrong or foreign.
    pub(super) fn look(dir: &Path, entries: &[PathBuf], report: &mut Report<'_>) -> TopFiles {
        let mut files = TopFiles {
            dir: dir.to_owned(),
            owner: None,
            clean: false,
            checkpoints: BTreeMap::new(),
        };
        files.identity(report);
        files.clean_shutdown(report);
        for (name, then) in CHECKPOINTS {
            files.checkpoint(name, then, report);
        }
        for path in entries {
            stranger(path, report);
        }
        report.put_right();
        files
    }

    fn identity(&mut self, report: &mut Report<'_>) {
        let path = self.dir.join(META_PROPERTIES);
        let then = "a start refuses the directory: restore the file from a copy, or write it anew with kafka-storage format";
        match fs::read(&path) {
            Ok(content) => match StoredMetaProperties::parse(&String::from_utf8_lossy(&content)) {
                Ok(owner) => self.owner = Some(owner),
                Err(error) => report.wrong(Finding::new(&path, error.to_string(), then)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let then = "a start refuses partitions that nobody's name is on: restore the file from a copy, or write it anew with \
                            kafka-storage format and the cluster's id";
                report.wrong(Finding::new(&path, "is missing", then));
            }
            Err(error) => report.wrong(Finding::new(&path, error.to_string(), then)),
        }
    }

    fn clean_shutdown(&mut self, report: &mut Report<'_>) {
        let path = self.dir.join(CLEAN_SHUTDOWN);
        let what = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                let then = "a start refuses the directory: move it away, logs are then checked";
                return report.wrong(Finding::new(&path, error.to_string(), then));
            }
            // Brokers before 3.7 left it empty.
            Ok(content) if content.is_empty() => None,
            Ok(content) => {
                let text = String::from_utf8_lossy(&content).into_owned();
                let known =
                    text.starts_with("{\"version\":0,\"brokerEpoch\":") && text.ends_with('}');
                (!known).then_some("is not what a broker writes")
            }
        };
        self.clean = true;
        if let Some(what) = what {
            let then = "a start only looks whether it is there";
            report.wrong(Finding::new(&path, what, then));
        }
    }

    fn checkpoint(&mut self, name: &'static str, then: &str, report: &mut Report<'_>) {
        let path = self.dir.join(name);
        let what = match fs::read(&path) {
            Ok(content) if content.is_empty() => {
                let text = "is empty, as Kafka makes it before it writes it for the first time";
                report.note(&format!("{}: {text}", path.display()));
                return;
            }
            Ok(content) => match offset_checkpoint::parse(&String::from_utf8_lossy(&content)) {
                Ok(offsets) => {
                    self.checkpoints.insert(name, offsets);
                    return;
                }
                Err(error) => error.to_string(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => error.to_string(),
        };
        let finding = Finding::new(&path, what, then);
        report.wrong(match path.is_file() {
            true => finding.repaired_by(Repair::Remove(path)),
            false => finding,
        });
    }

    /// Everything of the partition below was on the disk.
    pub(super) fn recovery_point(&self, topic: &str, partition: i32) -> Offset {
        let points = self.checkpoints.get(RECOVERY_POINTS);
        let point = points.and_then(|points| points.get(&(topic.to_owned(), partition)));
        point.copied().unwrap_or_default()
    }

    /// Whether the cleaner has been at the partition.
    pub(super) fn was_compacted(&self, topic: &str, partition: i32) -> bool {
        let compacted = self.checkpoints.get(COMPACTED);
        compacted.is_some_and(|compacted| compacted.contains_key(&(topic.to_owned(), partition)))
    }

    /// Whether the metadata log was in this directory.
    pub(super) fn names_metadata(&self) -> bool {
        match self.checkpoints.get(RECOVERY_POINTS) {
            Some(points) => points.contains_key(&(CLUSTER_METADATA_TOPIC.to_owned(), 0)),
            None => true,
        }
    }

    /// The checkpoints against where logs really end.
    pub(super) fn compare(&self, ends: &Ends, report: &mut Report<'_>) {
        for (name, offsets) in &self.checkpoints {
            let path = self.dir.join(name);
            let mut lowered = offsets.clone();
            let mut findings = 0;
            for ((topic, partition), end) in ends {
                let key = (topic.clone(), *partition);
                let Some(&offset) = offsets.get(&key) else {
                    continue;
                };
                if let Some((what, then)) = self.contradiction(name, offset, *end) {
                    let what = format!("has offset {offset} for {topic}-{partition}, {what} {end}");
                    report.wrong(Finding::new(&path, what, then));
                    findings += 1;
                    lowered.insert(key, offset.min(*end));
                }
            }
            if findings > 0 && report.repairs() {
                rewrite(&path, &lowered, findings, report);
            }
        }
    }

    fn contradiction(&self, name: &str, offset: Offset, end: Offset) -> Option<(&str, &str)> {
        if offset > end {
            return Some((
                "whose log ends at",
                match name {
                    RECOVERY_POINTS => {
                        "records that were on the disk are gone: restore the partition's files from a copy; a start goes on without them"
                    }
                    _ => "a start goes by the log",
                },
            ));
        }
        let moved = self.clean && name == RECOVERY_POINTS && offset < end;
        moved.then_some((
            "as the last clean stop left it, but now its log ends at",
            "the last offsets may be damaged: compare them with a copy; a start goes by the log",
        ))
    }
}

/// Writes a checkpoint with no offset past the end of its log.
fn rewrite(path: &Path, offsets: &OffsetCheckpoint, findings: u64, report: &mut Report<'_>) {
    let text = offset_checkpoint::render(offsets);
    match durable_write::durable_write(path, text.as_bytes()) {
        Ok(()) => report.done(&format!("{}: goes by the logs", path.display()), findings),
        Err(error) => report.note(&format!("{}: not put right: {error}", path.display())),
    }
}

/// What does not belong here, or was left by a stop.
fn stranger(path: &Path, report: &mut Report<'_>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.is_dir();
    let known = [META_PROPERTIES, CLEAN_SHUTDOWN].contains(&&*name)
        || CHECKPOINTS
            .iter()
            .any(|(checkpoint, _)| *checkpoint == name);
    if known || !folder && OTHER_FILES.contains(&&*name) || folder && name == FILE_SYSTEMS {
        return;
    }
    let finding = if folder && name.ends_with(DELETED_DIR_ENDING) {
        let then = "a start removes it";
        Finding::new(path, "is of a deleted partition", then)
            .harmless()
            .repaired_by(Repair::RemoveFolder(path.to_owned()))
    } else if folder && name.ends_with(STRAY_DIR_ENDING) {
        let what = "was put aside because its topic was another one";
        let then = "it is not used: move it away once its records are not wanted";
        Finding::new(path, what, then)
    } else if folder && partition_of(path).is_some() {
        return;
    } else if !folder && name.ends_with(".tmp") {
        Finding::new(path, "is a file that was never finished", "it is not used")
            .repaired_by(Repair::Remove(path.to_owned()))
    } else {
        let what = match folder {
            true => "is a folder that is no partition's",
            false => "is none of a broker's files",
        };
        let then = "a start leaves it alone; move it away if it is not wanted";
        Finding::new(path, what, then)
    };
    report.wrong(finding);
}
