//! Opening after the process died and the machine did not: what the mark vouches for is not checked, whatever else it finds is.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::io::Crew;
use crate::io::page_cache::{is_certainly_resident, tests::forget};

const BATCHES: i64 = 10;

fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 1000,
        ..LogConfig::default()
    }
}

fn first_segment(dir: &Path) -> PathBuf {
    dir.join("00000000000000000000.log")
}

fn mark_of(log: &PartitionLog) -> WrittenMark {
    let written = log.written_end().expect("something is not synced");
    WrittenMark {
        segment: written.segment,
        position: written.position,
        next_offset: written.next_offset,
        file: written.file.identity().expect("a file system with births"),
    }
}

/// Batches of two records each, [`BATCHES`] before the mark is taken and `more` after it; returns mark and size of a batch. The log
/// is left without closing.
async fn abandoned(dir: &Path, config: LogConfig, more: i64) -> (WrittenMark, u64) {
    let log = create(dir, config).await;
    for n in 0..BATCHES {
        append_committed(&log, &idempotent(7, 0, 2 * n as i32)).await;
    }
    let mark = mark_of(&log);
    for n in BATCHES..BATCHES + more {
        append_committed(&log, &idempotent(7, 0, 2 * n as i32)).await;
    }
    (mark, idempotent(7, 0, 0).bytes.len() as u64)
}

fn dead(recovery_point: i64, written: WrittenMark) -> Trust {
    Trust::DeadProcess {
        recovery_point: Offset(recovery_point),
        written,
    }
}

/// Whether this machine tells what is in its page cache.
fn tells_residency(dir: &Path) -> bool {
    is_certainly_resident(&File::open(first_segment(dir)).unwrap(), 0, 1)
}

#[test]
fn only_what_lies_behind_the_mark_is_checked() {
    with_dir(async |dir| {
        let (mark, size) = abandoned(&dir, LogConfig::default(), 3).await;
        let expected = match tells_residency(&dir) {
            true => 3 * size,
            false => (BATCHES as u64 + 3) * size,
        };
        let (log, report) = open(&dir, dead(0, mark)).await;
        assert_eq!((report.checked_bytes, &report.cut), (expected, &None));
        assert_eq!(all_offsets(&log).await.len() as i64, BATCHES + 3);
        let last = append(&log, &idempotent(7, 0, 2 * (BATCHES as i32 + 2)));
        assert!(last.duplicate, "the producers are known again");
    });
}

#[test]
fn the_part_behind_the_mark_is_cut_where_it_is_damaged() {
    with_dir(async |dir| {
        let (mark, size) = abandoned(&dir, LogConfig::default(), 3).await;
        let torn = (BATCHES as u64 + 2) * size - 1;
        let file = OpenOptions::new().write(true).open(first_segment(&dir));
        file.unwrap().set_len(torn).unwrap();
        let (log, report) = open(&dir, dead(0, mark)).await;
        assert_eq!(
            report.cut.map(|cut| cut.position),
            Some((BATCHES as u64 + 1) * size)
        );
        assert_eq!(log.high_watermark(), Offset(2 * (BATCHES + 1)));
    });
}

#[test]
fn what_was_found_stays_unsynced_until_somebody_has_synced_it() {
    with_dir(async |dir| {
        let (mark, _) = abandoned(&dir, small_segments(), 1).await;
        let crew = Crew::new(2, vec![]);
        let opened = PartitionLog::open_with(
            &crew,
            dir.clone(),
            small_segments(),
            dead(4, mark),
            Offset::ZERO,
            Arc::new(AtomicU64::new(0)),
        );
        let (log, _) = opened.await.unwrap();
        let end = Offset(2 * (BATCHES + 1));
        assert_eq!(
            (log.recovery_point(), log.high_watermark()),
            (Offset(4), end)
        );
        append_committed(&log, &batch(1)).await;
        assert_eq!(log.recovery_point(), Offset(4), "a write is no sync");
        log.recovered_is_synced();
        assert_eq!(
            log.recovery_point(),
            end,
            "what came after the opening was not in that sync"
        );
        log.flush().await.unwrap();
        assert_eq!(log.recovery_point(), end + 1);
        log.close().await.unwrap();
        let (log, _) = open_with(&dir, small_segments(), Trust::CleanShutdown).await;
        assert_eq!(log.high_watermark(), end + 1);
    });
}

#[test]
fn a_log_of_which_nothing_was_synced_is_synced_by_itself_if_the_sync_of_all_fails() {
    with_dir(async |dir| {
        let (mark, _) = abandoned(&dir, small_segments(), 1).await;
        let crew = Crew::new(1, vec![]);
        let checked = Arc::new(AtomicU64::new(0));
        let opened = PartitionLog::open_with(
            &crew,
            dir.clone(),
            small_segments(),
            dead(0, mark),
            Offset::ZERO,
            checked.clone(),
        );
        let (log, report) = opened.await.unwrap();
        assert_eq!(checked.load(Ordering::Relaxed), report.checked_bytes);
        log.sync_recovered();
        log.flush().await.unwrap();
        assert_eq!(log.recovery_point(), Offset(2 * (BATCHES + 1)));
        log.close().await.unwrap();
    });
}

#[test]
fn a_mark_in_an_earlier_segment_vouches_for_no_later_one() {
    with_dir(async |dir| {
        let (mark, size) = abandoned(&dir, small_segments(), 6).await;
        if !tells_residency(&dir) {
            return;
        }
        assert!(mark.segment > Offset::ZERO);
        let (log, report) = open_with(&dir, small_segments(), dead(0, mark)).await;
        assert_eq!(report.checked_bytes, 6 * size);
        assert_eq!(all_offsets(&log).await.len() as i64, BATCHES + 6);
    });
}

/// Opens with a mark that must not be believed; everything must be checked.
async fn must_check_all(dir: &Path, mark: WrittenMark, size: u64) {
    let (log, report) = open(dir, dead(0, mark)).await;
    assert_eq!(report.cut, None);
    assert_eq!(report.checked_bytes, BATCHES as u64 * size);
    assert_eq!(all_offsets(&log).await.len() as i64, BATCHES);
    assert!(append(&log, &idempotent(7, 0, 2 * (BATCHES as i32 - 1))).duplicate);
}

#[test]
fn a_mark_that_does_not_fit_the_file_is_not_believed() {
    with_dir(async |dir| {
        let (mark, size) = abandoned(&dir, LogConfig::default(), 0).await;
        let elsewhere = |change: &dyn Fn(&mut WrittenMark)| {
            let mut wrong = mark;
            change(&mut wrong);
            wrong
        };
        for wrong in [
            elsewhere(&|mark| mark.segment = Offset(4)),
            elsewhere(&|mark| mark.position += 1),
            elsewhere(&|mark| mark.position -= 1),
            elsewhere(&|mark| mark.position -= size),
            elsewhere(&|mark| mark.next_offset = Offset(7)),
            elsewhere(&|mark| mark.file.inode += 1),
            elsewhere(&|mark| mark.file.device += 1),
            elsewhere(&|mark| mark.file.born_ns += 1),
        ] {
            must_check_all(&dir, wrong, size).await;
        }
    });
}

#[test]
fn a_restored_copy_is_checked_whole() {
    with_dir(async |dir| {
        let (mark, size) = abandoned(&dir, LogConfig::default(), 0).await;
        let content = fs::read(first_segment(&dir)).unwrap();
        fs::remove_file(first_segment(&dir)).unwrap();
        fs::write(first_segment(&dir), content).unwrap();
        must_check_all(&dir, mark, size).await;
    });
}

#[test]
fn what_the_page_cache_no_longer_has_is_checked() {
    with_dir(async |dir| {
        let (mark, size) = abandoned(&dir, LogConfig::default(), 0).await;
        let file = File::open(first_segment(&dir)).unwrap();
        forget(&file);
        let gone = !is_certainly_resident(&file, 0, 1);
        let (_, report) = open(&dir, dead(0, mark)).await;
        let expected = if gone { BATCHES as u64 * size } else { 0 };
        assert_eq!(report.checked_bytes, expected);
    });
}

#[test]
fn a_log_that_shrank_below_the_mark_is_checked_and_cut() {
    with_dir(async |dir| {
        let (mark, size) = abandoned(&dir, LogConfig::default(), 0).await;
        let file = OpenOptions::new().write(true).open(first_segment(&dir));
        file.unwrap().set_len(3 * size + 5).unwrap();
        let (log, report) = open(&dir, dead(0, mark)).await;
        assert_eq!(report.checked_bytes, 3 * size);
        assert_eq!(report.cut.map(|cut| cut.lost_bytes), Some(5));
        assert_eq!(log.high_watermark(), Offset(6));
    });
}

#[test]
fn a_damaged_head_before_the_mark_has_all_checked() {
    with_dir(async |dir| {
        let (mark, size) = abandoned(&dir, LogConfig::default(), 0).await;
        let file = OpenOptions::new().write(true).open(first_segment(&dir));
        file.unwrap().write_all_at(&[0xff], 4 * size + 8).unwrap(); // the fifth batch's length
        let (log, report) = open(&dir, dead(0, mark)).await;
        assert_eq!(report.checked_bytes, 4 * size);
        assert_eq!(report.cut.map(|cut| cut.position), Some(4 * size));
        assert_eq!(log.high_watermark(), Offset(8));
    });
}

#[test]
fn a_log_that_has_failed_or_is_synced_has_no_mark() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &batch(2)).await;
        assert_eq!(
            log.written_end().map(|end| end.next_offset),
            Some(Offset(2))
        );
        log.flush().await.unwrap();
        assert!(
            log.written_end().is_none(),
            "the recovery point says it all"
        );
        append_committed(&log, &batch(2)).await;
        let lost = LogError::storage("fdatasync", log.dir(), std::io::Error::other("lost"));
        log.sync_failed(lost);
        assert!(log.written_end().is_none());
    });
}

#[test]
fn a_snapshot_of_records_that_are_gone_is_not_taken_for_the_producers() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        for n in 0..BATCHES {
            append_committed(&log, &idempotent(7, 0, 2 * n as i32)).await;
        }
        log.close().await.unwrap(); // leaves a snapshot at the end
        let size = idempotent(7, 0, 0).bytes.len() as u64;
        let file = OpenOptions::new().write(true).open(first_segment(&dir));
        file.unwrap().set_len(4 * size).unwrap();
        let (log, report) = open(&dir, UNCLEAN).await;
        assert_eq!((report.log_end_offset, report.cut), (Offset(8), None));
        assert!(append(&log, &idempotent(7, 0, 6)).duplicate);
        assert!(!append(&log, &idempotent(7, 0, 8)).duplicate);
    });
}
