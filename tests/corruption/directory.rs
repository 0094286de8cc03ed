//! Damage to what the whole directory hangs on: its own files, the metadata log, the folders of partitions.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use vltava::wire::ErrorCode;
use vltava::wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestTopic};

use crate::damage::*;
use crate::fixture::State::{Clean, Killed};
use crate::fixture::*;
use crate::harness::group_requests::OFFSET_FETCH;
use crate::harness::serve::{Serve, refusal};
use crate::harness::wire_client::WireClient;
use crate::reading::{check, lines_about, read};

/// Of a start.
enum Start {
    /// Everything is served.
    Serves,
    /// It says these words and ends.
    Refuses(&'static [&'static str]),
}

use Start::*;

struct Case {
    name: &'static str,
    state: State,
    damage: fn(&Path),
    /// The file or folder that the check names, and what it says of it; no words where nothing is wrong.
    told: (&'static str, &'static str),
    start: Start,
}

const METADATA: &str = "__cluster_metadata-0/00000000000000000000.log";
const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
const LOG_STARTS: &str = "log-start-offset-checkpoint";
const COMPACTED: &str = "cleaner-offset-checkpoint";
const MARK: &str = ".kafka_cleanshutdown";

/// The first bytes of the metadata log's first batch, at its end: a batch that never came to the disk whole.
fn begin_a_metadata_batch(dir: &Path) {
    let log = dir.join(METADATA);
    let content = fs::read(&log).expect("a log");
    append(&log, &content[..40]);
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "whose it is: not text", state: Clean, damage: |d| write(&d.join("meta.properties"), [0xff; 30]),
        told: ("meta.properties", "a start refuses"), start: Refuses(&["meta.properties"]) },
    Case { name: "whose it is: cut off", state: Clean, damage: |d| truncate(&d.join("meta.properties"), 12),
        told: ("meta.properties", "a start refuses"), start: Refuses(&["meta.properties has no"]) },
    Case { name: "whose it is: missing", state: Clean, damage: |d| remove(&d.join("meta.properties")),
        told: ("meta.properties", "is missing"), start: Refuses(&["meta.properties", "restore it"]) },
    Case { name: "recovery points: noise", state: Clean, damage: |d| write(&d.join(RECOVERY_POINTS), "0\n3\nt 0"),
        told: (RECOVERY_POINTS, "line 3"), start: Serves },
    Case { name: "recovery points: noise, after a kill", state: Killed, damage: |d| write(&d.join(RECOVERY_POINTS), [0xff; 40]),
        told: (RECOVERY_POINTS, "version"), start: Serves },
    Case { name: "recovery points: missing, after a kill", state: Killed, damage: |d| remove(&d.join(RECOVERY_POINTS)),
        told: (RECOVERY_POINTS, ""), start: Serves },
    Case { name: "recovery points: a folder", state: Clean, damage: |d| folder_instead(&d.join(RECOVERY_POINTS)),
        told: (RECOVERY_POINTS, "directory"), start: Refuses(&[RECOVERY_POINTS]) },
    Case { name: "high watermarks: noise", state: Clean, damage: |d| write(&d.join(HIGH_WATERMARKS), "7"),
        told: (HIGH_WATERMARKS, "version"), start: Serves },
    Case { name: "log starts: noise", state: Clean, damage: |d| write(&d.join(LOG_STARTS), "0\nx\n"),
        told: (LOG_STARTS, "announced"), start: Serves },
    Case { name: "log starts: past the end", state: Clean, damage: |d| write(&d.join(LOG_STARTS), "0\n1\nt 0 999\n"),
        told: (LOG_STARTS, "whose log ends at 60"), start: Serves },
    Case { name: "compaction: noise", state: Clean, damage: |d| write(&d.join(COMPACTED), [0; 12]),
        told: (COMPACTED, "version"), start: Serves },
    Case { name: "mark of a clean stop: noise", state: Clean, damage: |d| write(&d.join(MARK), "noise"),
        told: (MARK, "not what a broker writes"), start: Serves },
    Case { name: "mark of a clean stop: missing", state: Clean, damage: |d| remove(&d.join(MARK)),
        told: (MARK, ""), start: Serves },
    Case { name: "mark of a clean stop: a folder", state: Clean, damage: |d| folder_instead(&d.join(MARK)),
        told: (MARK, "directory"), start: Refuses(&[MARK]) },
    Case { name: "lock: noise", state: Clean, damage: |d| write(&d.join(".lock"), "noise"),
        told: (".lock", ""), start: Serves },
    Case { name: "lock: a folder", state: Clean, damage: |d| folder_instead(&d.join(".lock")),
        told: (".lock", "is a folder"), start: Refuses(&[".lock"]) },
    Case { name: "foreign files and folders", state: Clean, damage: |d| { write(&d.join("notes.txt"), "x"); folder_instead(&d.join("notes")); },
        told: ("notes", "is a folder that is no partition's"), start: Serves },
    Case { name: "a partition of no topic", state: Clean, damage: |d| folder_instead(&d.join("other-0")),
        told: ("other-0", "the metadata has no such partition"), start: Serves },
    Case { name: "metadata: a record, after a clean stop", state: Clean, damage: |d| flip(&d.join(METADATA), 300, 1),
        told: (METADATA, "a start refuses the metadata log"), start: Refuses(&["__cluster_metadata-0", "at offset", "vltava check"]) },
    Case { name: "metadata: a record, after a kill", state: Killed, damage: |d| flip(&d.join(METADATA), 300, 1),
        told: (METADATA, "a start refuses the metadata log"), start: Refuses(&[METADATA, "position", "vltava check"]) },
    Case { name: "metadata: a length, after a clean stop", state: Clean, damage: |d| flip(&d.join(METADATA), 8, 0x10),
        told: (METADATA, "a start refuses the metadata log"), start: Refuses(&["__cluster_metadata-0", "vltava check"]) },
    Case { name: "metadata: a length, after a kill", state: Killed, damage: |d| flip(&d.join(METADATA), 8, 0x10),
        told: (METADATA, "a start refuses the metadata log"), start: Refuses(&[METADATA, "position 0", "vltava check"]) },
    Case { name: "metadata: its last byte, after a clean stop", state: Clean, damage: |d| flip_from_end(&d.join(METADATA), 0, 1),
        told: (METADATA, "a start refuses the metadata log"), start: Refuses(&["__cluster_metadata-0", "vltava check"]) },
    Case { name: "metadata: its last byte, after a kill", state: Killed, damage: |d| flip_from_end(&d.join(METADATA), 0, 1),
        told: (METADATA, "a start refuses the metadata log"), start: Refuses(&["__cluster_metadata-0", "were on the disk"]) },
    Case { name: "metadata: a batch that never came to the disk whole", state: Killed, damage: begin_a_metadata_batch,
        told: (METADATA, "a start cuts it off"), start: Serves },
    Case { name: "metadata: no log", state: Clean, damage: |d| remove(&d.join(METADATA)),
        told: ("__cluster_metadata-0", "has no segment"), start: Refuses(&["__cluster_metadata-0", "there are partitions"]) },
    Case { name: "metadata: an empty log, nothing known of it", state: Killed, damage: |d| { truncate(&d.join(METADATA), 0); remove(&d.join(RECOVERY_POINTS)); },
        told: ("__cluster_metadata-0", ""), start: Refuses(&["__cluster_metadata-0", "there are partitions"]) },
    Case { name: "metadata: no folder", state: Killed, damage: |d| fs::remove_dir_all(d.join("__cluster_metadata-0")).expect("removed"),
        told: ("__cluster_metadata-0", "is missing"), start: Refuses(&["__cluster_metadata-0"]) },
    Case { name: "metadata: indexes and epochs", state: Clean, damage: |d| {
            let folder = d.join("__cluster_metadata-0");
            write(&folder.join("leader-epoch-checkpoint"), "noise");
            write(&folder.join("00000000000000000000.index"), [0x5a; 16]);
            write(&folder.join("00000000000000000000.timeindex"), "noise");
        }, told: ("__cluster_metadata-0", ".index"), start: Serves },
];

#[test]
fn a_start_serves_everything_or_says_what_is_wrong_where_and_what_to_do() {
    // A start mostly waits for the disk.
    let at_once = CASES.chunks(CASES.len().div_ceil(6));
    let broken: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = at_once
            .map(|cases| scope.spawn(|| cases.iter().flat_map(broken).collect::<Vec<_>>()))
            .collect();
        let ended = running.into_iter().map(|cases| cases.join());
        ended
            .flat_map(|broken| broken.expect("no case panics"))
            .collect()
    });
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn broken(case: &Case) -> Vec<String> {
    let data = copy(case.state);
    (case.damage)(data.path());
    let mut broken = Vec::new();
    let (code, checked) = check(data.path(), &[]);
    let (file, words) = case.told;
    let lines = lines_about(&checked, &data.path().join(file));
    if !words.is_empty() && (code != 1 || !lines.iter().any(|line| line.contains(words))) {
        broken.push(format!(
            "{}: the check says {words:?} nowhere: {checked}",
            case.name
        ));
    }
    match case.start {
        Serves => {
            broken.extend(not_served(data.path()).map(|what| format!("{}: {what}", case.name)))
        }
        Refuses(words) => {
            let before = records(data.path());
            let log = refusal(&arguments(data.path()));
            for word in words {
                if !log.contains(word) {
                    broken.push(format!(
                        "{}: a start does not say {word:?}:\n{log}",
                        case.name
                    ));
                }
            }
            if log.contains("panicked") || records(data.path()) != before {
                broken.push(format!(
                    "{}: it panicked, or changed records:\n{log}",
                    case.name
                ));
            }
        }
    }
    broken
}

/// The bytes of two logs that nothing may change.
fn records(dir: &Path) -> Vec<Option<Vec<u8>>> {
    [METADATA, "t-0/00000000000000000020.log"]
        .map(|file| {
            fs::read(dir.join(file))
                .ok()
                .filter(|content| !content.is_empty())
        })
        .into()
}

/// What is missing of all that a start over an undamaged directory serves.
fn not_served(dir: &Path) -> Option<String> {
    let killed = !dir.join("t-0/00000000000000000080.log").exists();
    let end = if killed { CLEAN_END } else { KILLED_END };
    let mut broker = Serve::spawn(&arguments(dir), &[]);
    let Some(line) = broker.ready_or_ended() else {
        return Some(broker.wait().1);
    };
    let mut client = WireClient::connect(Serve::port_in(&line));
    let mut missing = None;
    for partition in [0, 5, PARTITIONS - 1] {
        let reading = read(&mut client, partition);
        if reading.right.len() as i64 != end || reading.end != end {
            missing = Some(format!("partition {partition}: {reading:?}"));
        }
    }
    client.need_coordinator();
    let committed = client.committed(GROUP, TOPIC);
    if (committed.error_code, committed.committed_offset) != (ErrorCode::NONE, COMMITTED) {
        missing = Some(format!("{committed:?}"));
    }
    // A client that stays connected is waited for.
    drop(client);
    broker.signal("TERM");
    let (status, log) = broker.wait();
    let sound = status.success() && !log.contains("panicked");
    missing.or_else(|| (!sound).then_some(log))
}

#[test]
fn a_partition_whose_folder_is_missing_or_a_file_does_not_keep_the_others_from_being_served() {
    let data = copy(Clean);
    fs::remove_dir_all(data.path().join("t-7")).expect("removed");
    fs::remove_dir_all(data.path().join("t-8")).expect("removed");
    write(&data.path().join("t-8"), "a file");
    let (code, checked) = check(data.path(), &[]);
    assert_eq!(code, 1);
    for folder in ["t-7", "t-8"] {
        let lines = lines_about(&checked, &data.path().join(folder));
        assert!(
            lines.iter().any(|line| line.contains("is missing")),
            "{checked}"
        );
    }
    assert_eq!(not_served(data.path()), None);
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    let data = copy(Clean);
    let file = data.path().join(RECOVERY_POINTS);
    if !forbid(&file) {
        // This user may read everything.
        return;
    }
    let (code, checked) = check(data.path(), &[]);
    assert_eq!(code, 1);
    assert!(!lines_about(&checked, &file).is_empty(), "{checked}");
    let log = refusal(&arguments(data.path()));
    assert!(log.contains(RECOVERY_POINTS), "{log}");
}

#[test]
fn damage_in_the_offsets_of_groups_never_gives_a_group_another_offset() {
    for at in 0..3 {
        let data = copy(Clean);
        let log = data
            .path()
            .join("__consumer_offsets-0/00000000000000000000.log");
        let size = fs::metadata(&log).expect("a log").len();
        flip(&log, size * at / 3 + 70, 1);
        let (code, checked) = check(data.path(), &[]);
        assert_eq!(code, 1, "{checked}");
        let (mut broker, mut client) = serve(data.path());
        let committed = committed_or_error(&mut client);
        drop(client);
        assert!(
            committed.is_none_or(|offset| offset == COMMITTED || offset == -1),
            "{committed:?}"
        );
        broker.signal("TERM");
        let (_, log) = broker.wait();
        assert!(!log.contains("panicked"), "{log}");
        assert!(
            committed == Some(COMMITTED) || log.contains("__consumer_offsets-0"),
            "nobody is told: {log}"
        );
    }
}

/// What the group has committed; `None` is an answer with an error.
fn committed_or_error(client: &mut WireClient) -> Option<i64> {
    for _ in 0..200 {
        let request = OffsetFetchRequest {
            group_id: GROUP.into(),
            topics: Some(vec![OffsetFetchRequestTopic {
                name: TOPIC.into(),
                partition_indexes: vec![0],
                ..OffsetFetchRequestTopic::default()
            }]),
            ..OffsetFetchRequest::default()
        };
        let answer = client.call(OFFSET_FETCH, &request);
        match answer.error_code {
            ErrorCode::NONE => {
                let found = &answer.topics[0].partitions[0];
                return (found.error_code == ErrorCode::NONE).then_some(found.committed_offset);
            }
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => thread::sleep(Duration::from_millis(25)),
            _ => return None,
        }
    }
    None
}
