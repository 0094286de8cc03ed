//! Every byte of a small log damaged, one at a time: what is wrong is told with its place, and what can be put right is.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::io::disk::tests::on_executor;
use crate::log::{LogConfig, PartitionLog};
use crate::types::{LeaderEpoch, TimestampMs};
use crate::wire::records::{BatchBuilder, Codec};

const TOPIC_ID: TopicId = TopicId::from_u128(7);
const DAY_MS: i64 = 24 * 3600 * 1000;
const NOW: i64 = 4_000_000_000_000;

#[derive(Default)]
struct Heard {
    findings: Vec<Finding>,
    notes: usize,
    passed: u64,
}

impl Listener for Heard {
    fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn note(&mut self, _: &str) {
        self.notes += 1;
    }

    fn passed(&mut self, bytes: u64) {
        self.passed += bytes;
    }

    fn batch(&mut self, _: &Path, _: u64, _: &[u8]) {}
}

/// Three segments of four batches of two records each, closed in order; the size of a batch.
fn make(dir: &Path) -> u64 {
    let config = LogConfig {
        segment_ms: DAY_MS / 2,
        index_interval_bytes: 0,
        ..LogConfig::default()
    };
    let path = dir.to_owned();
    let mut size = 0;
    on_executor(async {
        let log = PartitionLog::create(path, TOPIC_ID, config, LeaderEpoch(3))
            .await
            .unwrap();
        for n in 0..12 {
            let mut batch = BatchBuilder::new(Codec::None).producer(7, 0, 2 * n);
            let timestamp = NOW + i64::from(n / 4) * DAY_MS + i64::from(n);
            for _ in 0..2 {
                batch.append(timestamp, None, Some(b"value"), &[]);
            }
            let batch = batch.build_validated();
            size = batch.bytes.len() as u64;
            let appended = log
                .append(&batch, LeaderEpoch(3), TimestampMs(timestamp))
                .unwrap();
            log.committed(appended.last_offset + 1).await.unwrap();
        }
        log.close().await.unwrap();
    });
    size
}

/// Runs a test with such a log.
fn with_log(test: impl FnOnce(&Path, u64)) {
    let dir = TempDir::new().unwrap();
    let log = dir.path().join("t-0");
    let size = make(&log);
    test(&log, size);
}

fn expected() -> Expected {
    Expected {
        topic_id: Some(TOPIC_ID),
        clean: true,
        recovery_point: Offset(24),
        batches: true,
        ..Expected::default()
    }
}

fn check_with(dir: &Path, expected: &Expected) -> (Facts, Heard) {
    let mut heard = Heard::default();
    let facts = check_partition(dir, expected, &mut heard).unwrap();
    assert_eq!(heard.passed, segment_bytes(dir));
    (facts, heard)
}

fn found(dir: &Path) -> Vec<Finding> {
    check_with(dir, &expected()).1.findings
}

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(name)
}

/// Flips one bit of each byte in turn.
fn flip_each(path: &Path, mut test: impl FnMut(usize)) {
    let content = fs::read(path).unwrap();
    for at in 0..content.len() {
        let mut damaged = content.clone();
        damaged[at] ^= 0x10;
        fs::write(path, &damaged).unwrap();
        test(at);
    }
    fs::write(path, &content).unwrap();
}

#[test]
fn nothing_is_wrong_with_a_log_that_was_closed() {
    with_log(|dir, _| {
        let (facts, heard) = check_with(dir, &expected());
        assert!(heard.findings.is_empty(), "{:?}", heard.findings);
        assert_eq!((facts.start, facts.end), (Offset(0), Offset(24)));
        assert_eq!((facts.segments, facts.batches), (3, 12));
    });
}

#[test]
fn a_last_batch_torn_at_any_byte_is_told_and_cut_and_its_bytes_are_kept() {
    with_log(|dir, size| {
        let log = path(dir, "00000000000000000016.log");
        let content = fs::read(&log).unwrap();
        for torn in 1..size {
            let bytes = &content[..(3 * size + torn) as usize];
            fs::write(&log, bytes).unwrap();
            let findings = found(dir);
            // At first there is a snapshot of the producers at the end that was, too.
            assert!(findings.len() <= 2, "{torn}: {findings:?}");
            assert_eq!(findings[0].path, log);
            assert_eq!(findings[0].position, Some(3 * size));
            assert_eq!(findings[0].offset, Some(Offset(22)));
            for finding in &findings {
                repair(finding.repair.as_ref().expect("a repair")).unwrap();
            }
            let (facts, heard) = check_with(dir, &expected());
            assert!(heard.findings.is_empty(), "{torn}: {:?}", heard.findings);
            assert_eq!((facts.end, heard.notes), (Offset(22), 1));
            let kept = path(dir, "00000000000000000016.log.0.damaged");
            assert_eq!(fs::read(&kept).unwrap(), bytes[(3 * size) as usize..]);
            fs::remove_file(kept).unwrap();
        }
    });
}

#[test]
fn any_damaged_byte_of_a_batch_is_told_with_the_batch_that_it_is_in() {
    with_log(|dir, size| {
        for (name, base) in [
            ("00000000000000000000.log", 0),
            ("00000000000000000008.log", 8),
            ("00000000000000000016.log", 16),
        ] {
            let log = path(dir, name);
            flip_each(&log, |at| {
                let findings = found(dir);
                let batch = at as u64 / size;
                let first = findings
                    .first()
                    .unwrap_or_else(|| panic!("{name}: byte {at}"));
                assert_eq!(first.path, log, "byte {at}: {first}");
                let last = base == 16 && batch == 3;
                // The base offset of the very last batch has none behind it that would contradict.
                assert_eq!(first.position, Some(batch * size), "byte {at}: {first}");
                assert_eq!(
                    first.offset,
                    Some(Offset(base + 2 * batch as i64)),
                    "byte {at}: {first}"
                );
                let cut = matches!(first.repair, Some(Repair::CutEnd { .. }));
                assert!(
                    !cut || last,
                    "byte {at}: a batch in the middle is never cut"
                );
            });
        }
    });
}

#[test]
fn any_damaged_byte_of_an_index_is_told_and_the_file_made_again() {
    with_log(|dir, _| {
        for name in [
            "00000000000000000000.index",
            "00000000000000000008.timeindex",
            "00000000000000000016.index",
            "00000000000000000016.timeindex",
        ] {
            let index = path(dir, name);
            let before = fs::read(&index).unwrap();
            assert!(before.len() >= 8, "{name}");
            flip_each(&index, |at| {
                let findings = found(dir);
                assert_eq!(findings.len(), 1, "{name}: byte {at}: {findings:?}");
                assert_eq!(findings[0].path, index, "byte {at}");
                let Some(repairing) = &findings[0].repair else {
                    panic!("{name}: byte {at} is not to be repaired");
                };
                repair(repairing).unwrap();
                assert!(found(dir).is_empty(), "{name}: byte {at}");
            });
        }
    });
}

#[test]
fn any_damaged_byte_of_a_small_file_is_told() {
    with_log(|dir, _| {
        for name in [
            "00000000000000000008.snapshot",
            "00000000000000000024.snapshot",
            "leader-epoch-checkpoint",
            "partition.metadata",
        ] {
            let file = path(dir, name);
            flip_each(&file, |at| {
                let findings = found(dir);
                // A digit may become another one, which the batches contradict.
                assert!(!findings.is_empty(), "{name}: byte {at}");
            });
        }
    });
}

#[test]
fn what_does_not_belong_is_told_and_what_a_stop_left_is_removed() {
    with_log(|dir, _| {
        let leftovers = [
            "00000000000000000000.index.3.tmp",
            "x.deleted",
            "00000000000000000000.log.cleaned",
        ];
        let foreign = ["0.log", "notes.txt", "00000000000000000099.index"];
        for name in leftovers.iter().chain(&foreign) {
            fs::write(path(dir, name), "").unwrap();
        }
        fs::create_dir(path(dir, "00000000000000000024.log")).unwrap();
        let findings = found(dir);
        let told: Vec<_> = findings
            .iter()
            .map(|finding| finding.path.file_name().unwrap().to_str().unwrap())
            .collect();
        for name in leftovers.iter().chain(&foreign) {
            assert!(told.contains(name), "{name}: {told:?}");
        }
        assert!(told.contains(&"00000000000000000024.log"), "{told:?}");
        for finding in &findings {
            if let Some(repairing) = &finding.repair {
                repair(repairing).unwrap();
            }
        }
        assert_eq!(found(dir).len(), 3, "the folder and the two foreign files");
    });
}

#[test]
fn missing_segments_are_told_with_the_offsets_they_held() {
    with_log(|dir, _| {
        for name in [
            "00000000000000000008.log",
            "00000000000000000008.index",
            "00000000000000000008.timeindex",
        ] {
            fs::remove_file(path(dir, name)).unwrap();
        }
        let findings = found(dir);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].offset, Some(Offset(8)));
        assert!(findings[0].what.contains("8 to 15"), "{}", findings[0]);
        let compacted = Expected {
            compacted: true,
            ..expected()
        };
        assert!(check_with(dir, &compacted).1.findings.is_empty());
    });
}

#[test]
fn after_a_crash_missing_indexes_behind_the_recovery_point_are_as_they_should_be() {
    with_log(|dir, _| {
        for name in [
            "00000000000000000016.index",
            "00000000000000000016.timeindex",
        ] {
            fs::remove_file(path(dir, name)).unwrap();
        }
        assert_eq!(found(dir).len(), 2);
        let crashed = Expected {
            clean: false,
            recovery_point: Offset(9),
            ..expected()
        };
        assert!(check_with(dir, &crashed).1.findings.is_empty());
    });
}
