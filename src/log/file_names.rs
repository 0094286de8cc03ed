//! The names of the files in a partition's directory, as Kafka gives them (`LogFileUtils`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::types::{Offset, TopicId};

/// What a file that belongs to one offset holds. The offset is 20 digits, the kind its ending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// Record batches.
    Log,
    /// Offset to position.
    OffsetIndex,
    /// Timestamp to offset.
    TimeIndex,
    /// Aborted transactions.
    TransactionIndex,
    /// Producers as they were before that offset.
    Snapshot,
}

const KINDS: [(FileKind, &str); 5] = [
    (FileKind::Log, "log"),
    (FileKind::OffsetIndex, "index"),
    (FileKind::TimeIndex, "timeindex"),
    (FileKind::TransactionIndex, "txnindex"),
    (FileKind::Snapshot, "snapshot"),
];

/// The topic id's file.
pub const PARTITION_METADATA: &str = "partition.metadata";
/// The leader epochs' file.
pub const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";
/// How the name of a deleted partition's directory ends.
pub const DELETED_DIR_ENDING: &str = "-delete";
/// How the name of a directory ends that was put aside because its topic was another one.
pub const STRAY_DIR_ENDING: &str = "-stray";
/// The ending of a file that compaction is writing.
pub const CLEANED_ENDING: &str = ".cleaned";
/// The ending of a whole file that is to take the place of others.
pub const SWAP_ENDING: &str = ".swap";
/// The ending of a file that is to be removed.
pub const DELETED_ENDING: &str = ".deleted";
/// The ending of a file that keeps what a repair has cut off.
pub const DAMAGED_ENDING: &str = ".damaged";
/// Endings of files that a stop in the middle of something leaves behind; all may be removed at a start, once compaction has
/// taken out what it needs.
pub const LEFTOVER_ENDINGS: [&str; 4] = [".tmp", DELETED_ENDING, CLEANED_ENDING, SWAP_ENDING];

/// Whether a stop in the middle of something has left a file of this name.
pub fn is_leftover(name: &OsStr) -> bool {
    LEFTOVER_ENDINGS
        .iter()
        .any(|ending| name.as_encoded_bytes().ends_with(ending.as_bytes()))
}

/// `<dir>/<20 digits>.<ending>`.
pub fn path_of(dir: &Path, base_offset: Offset, kind: FileKind) -> PathBuf {
    let ending = KINDS
        .iter()
        .find_map(|(known, ending)| (*known == kind).then_some(*ending))
        .unwrap_or_default();
    dir.join(format!("{:020}.{ending}", base_offset.0))
}

/// `<path><ending>`.
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The offset and kind a file name stands for, if it is one of a log's.
pub fn parse(name: &OsStr) -> Option<(Offset, FileKind)> {
    let (digits, ending) = name.to_str()?.split_once('.')?;
    let (kind, _) = KINDS.iter().find(|(_, known)| *known == ending)?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((Offset(digits.parse().ok()?), *kind))
}

/// `<topic>-<partition>`.
pub fn partition_dir_name(topic: &str, partition: i32) -> String {
    format!("{topic}-{partition}")
}

/// The topic and partition that a directory's name stands for, if it is a partition's.
pub fn parse_partition_dir(name: &str) -> Option<(&str, i32)> {
    let (topic, digits) = name.rsplit_once('-')?;
    let partition = digits.parse().ok()?;
    // Only as it is written: no sign, no zeros before it.
    (!topic.is_empty() && partition_dir_name(topic, partition) == name)
        .then_some((topic, partition))
}

/// Where a partition's directory goes when it is put away: `<topic>-<partition>.<32 hex digits><ending>`, the topic cut so that
/// the name stays within the 255 bytes a file name may have.
pub fn unique_dir_name(partition_dir: &str, unique: TopicId, ending: &str) -> String {
    let ending = format!(".{}{ending}", unique.simple());
    let kept = partition_dir.len().min(255 - ending.len());
    format!("{}{ending}", &partition_dir[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_twenty_digits_and_come_back() {
        let path = path_of(Path::new("t-0"), Offset(42), FileKind::TimeIndex);
        assert_eq!(path, Path::new("t-0/00000000000000000042.timeindex"));
        assert_eq!(
            parse(path.file_name().unwrap()),
            Some((Offset(42), FileKind::TimeIndex))
        );
    }

    #[test]
    fn other_files_are_not_mistaken_for_a_logs() {
        for name in [
            "42.log",
            "0000000000000000004x.log",
            "00000000000000000042.log.tmp",
            "partition.metadata",
            "99999999999999999999.log",
        ] {
            assert_eq!(parse(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn a_partitions_directory_is_known_by_its_name() {
        assert_eq!(parse_partition_dir("a-b-12"), Some(("a-b", 12)));
        for name in ["a", "a-", "-1", "a-01", "a-+1", "a-0.0123-delete", "a-x"] {
            assert_eq!(parse_partition_dir(name), None, "{name}");
        }
    }

    #[test]
    fn a_deleted_directorys_name_fits_a_file_name() {
        let name = partition_dir_name(&"t".repeat(249), 100);
        let name = unique_dir_name(&name, TopicId::nil(), DELETED_DIR_ENDING);
        assert_eq!(name.len(), 255);
        assert!(name.ends_with("00000000-delete"));
    }
}
