//! No room in the middle of each thing a log does, beside a device that fails there: what producers hear, what readers see, and that
//! the first resumes by itself while the second takes no more records.

use std::time::Duration;

use super::faulty_storage::{Fault, FaultyStorage, Operation, Shared};
use super::*;

const ENOSPC: Fault = Fault::Errno(libc::ENOSPC);
const EIO: Fault = Fault::Errno(libc::EIO);

/// Two batches of four records fit a segment.
fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 1200,
        segment_ms: i64::MAX,
        index_interval_bytes: 100,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    }
}

fn flush_each() -> LogConfig {
    LogConfig {
        flush_messages: 1,
        ..LogConfig::default()
    }
}

fn with_faults<F: Future<Output = ()>>(
    config: LogConfig,
    test: impl FnOnce(Rc<PartitionLog>, Rc<FaultyStorage>, PathBuf) -> F,
) {
    with_dir(async |dir| {
        let storage = FaultyStorage::new();
        let log = create_on(Rc::new(Shared(storage.clone())), &dir, config).await;
        test(log, storage, dir).await;
    });
}

/// Appends a batch that must be refused, and returns why.
async fn refused(log: &Rc<PartitionLog>, batch: &ValidatedBatch) -> LogError {
    let appended = append(log, batch);
    let outcome = log.committed(appended.last_offset + 1).await;
    outcome.expect_err("the batch is refused")
}

/// Waits until what happens beside the writer has come to this.
async fn until(done: impl Fn() -> bool) {
    while !done() {
        glommio::timer::sleep(Duration::from_millis(2)).await;
    }
}

fn has(dir: &Path, name: &str) -> bool {
    files(dir).iter().any(|known| known == name)
}

fn all_settled(log: &PartitionLog) -> bool {
    let state = log.state.borrow();
    let (_, sealed) = state.segments.split_last().expect("a log has a segment");
    sealed.iter().all(|segment| segment.settled.get())
}

fn is_full(log: &PartitionLog) -> bool {
    log.failure().is_none()
}

#[test]
fn a_batch_that_is_written_gets_its_sync_though_the_next_finds_no_room() {
    with_faults(flush_each(), async |log, storage, _| {
        let size = batch(2).bytes.len();
        storage.fail_writes([Fault::Short(size), ENOSPC]);
        let (first, second) = (append(&log, &batch(2)), append(&log, &batch(2)));
        let waits = [first, second].map(|appended| log.committed(appended.last_offset + 1));
        let [first, second] = waits;
        first.await.unwrap();
        assert!(second.await.unwrap_err().is_no_space());
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
        append_committed(&log, &batch(2)).await;
        assert_eq!(all_offsets(&log).await, [(0, 1), (2, 3)]);
    });
}

#[test]
fn a_first_sync_that_finds_no_room_for_the_small_files_refuses_and_is_done_later() {
    with_faults(flush_each(), async |log, storage, dir| {
        storage.fail_replacements([ENOSPC]);
        assert!(refused(&log, &idempotent(9, 0, 0)).await.is_no_space());
        assert_eq!(
            (log.high_watermark(), log.log_end_offset()),
            (Offset(0), Offset(0))
        );
        assert!(read(&log, 0, 1 << 20).await.is_none());
        let again = append_committed(&log, &idempotent(9, 0, 0)).await;
        assert_eq!((again.base_offset, again.duplicate), (Offset(0), false));
        log.close().await.unwrap();
        let (log, report) = open(&dir, UNCLEAN).await;
        assert_eq!(report.cut, None);
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
    });
}

#[test]
fn a_flush_that_finds_no_room_for_the_small_files_is_told_and_keeps_the_records() {
    with_faults(LogConfig::default(), async |log, storage, _| {
        append_committed(&log, &batch(2)).await;
        storage.fail_replacements([ENOSPC]);
        assert!(log.flush().await.unwrap_err().is_no_space());
        assert_eq!(log.recovery_point(), Offset(0));
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
        append_committed(&log, &batch(2)).await;
        log.flush().await.unwrap();
        assert_eq!(log.recovery_point(), Offset(4));
        log.close().await.unwrap();
    });
}

#[test]
fn small_files_that_the_device_refuses_end_the_log() {
    with_faults(flush_each(), async |log, storage, _| {
        storage.fail_replacements([EIO]);
        refused(&log, &batch(2)).await;
        assert!(!is_full(&log));
    });
}

#[test]
fn a_sync_that_found_no_room_may_have_lost_pages_and_is_never_tried_again() {
    for errno in [libc::ENOSPC, libc::EDQUOT, libc::EIO] {
        with_faults(LogConfig::default(), async |log, storage, _| {
            append_committed(&log, &batch(2)).await;
            log.flush().await.unwrap();
            append_committed(&log, &batch(2)).await;
            storage.fail_syncs([Fault::Errno(errno)]);
            log.flush().await.unwrap_err();
            assert!(log.append(&batch(2), EPOCH, NOW).is_err());
            assert_eq!(all_offsets(&log).await, [(0, 1)], "up to what is synced");
            log.close().await.unwrap_err();
        });
    }
}

#[test]
fn a_directory_that_cannot_be_synced_ends_the_log_whatever_the_reason() {
    for fault in [ENOSPC, EIO] {
        with_faults(small_segments(), async |log, storage, _| {
            append_committed(&log, &batch(4)).await;
            log.flush().await.unwrap();
            append_committed(&log, &batch(4)).await;
            // The next segment's name.
            storage.fail_dir_syncs([fault]);
            append(&log, &batch(4));
            until(|| log.failure().is_some()).await;
            assert_eq!(all_offsets(&log).await, [(0, 3)]);
        });
    }
}

#[test]
fn a_new_segment_that_the_device_refuses_ends_the_log_and_one_without_room_does_not() {
    for (fault, goes_on) in [(ENOSPC, true), (EIO, false)] {
        with_faults(small_segments(), async |log, storage, _| {
            append_committed(&log, &batch(4)).await;
            append_committed(&log, &batch(4)).await;
            storage.fail_creations([fault]);
            assert_eq!(refused(&log, &batch(4)).await.is_no_space(), goes_on);
            assert_eq!(all_offsets(&log).await, [(0, 3), (4, 7)]);
            assert_eq!(is_full(&log), goes_on);
            if goes_on {
                append_committed(&log, &batch(4)).await;
                assert_eq!(log.segments_len(), 2);
            }
        });
    }
}

#[test]
fn indexes_and_snapshots_that_cannot_be_written_stay_in_memory_until_the_next_segment_is_sealed() {
    for fault in [ENOSPC, EIO] {
        for written_before in 0..3 {
            with_faults(small_segments(), async |log, storage, dir| {
                append_committed(&log, &batch(4)).await;
                log.flush().await.unwrap();
                append_committed(&log, &idempotent(9, 0, 0)).await;
                // Index, time index, snapshot.
                let good = std::iter::repeat_n(Fault::LateErrno(0), written_before);
                storage.fail_replacements(good.chain([fault]));
                append_committed(&log, &batch(4)).await;
                until(|| all_settled(&log)).await;
                let snapshot = "00000000000000000006.snapshot";
                assert!(!has(&dir, snapshot));
                assert_eq!(all_offsets(&log).await, [(0, 3), (4, 5), (6, 9)]);
                append_committed(&log, &batch(4)).await;
                append_committed(&log, &batch(4)).await;
                until(|| all_settled(&log) && has(&dir, "00000000000000000006.index")).await;
                for name in [
                    "00000000000000000000.index",
                    "00000000000000000000.timeindex",
                    snapshot,
                ] {
                    assert!(has(&dir, name), "{name}");
                }
                assert!(log.state.borrow().segments[0].index.borrow().is_none());
                log.close().await.unwrap();
                let (log, _) = open(&dir, Trust::CleanShutdown).await;
                assert_eq!(log.producers_len(), 1);
            });
        }
    }
}

#[test]
fn a_leader_epoch_that_finds_no_room_refuses_its_records_once_and_not_for_ever() {
    with_faults(LogConfig::default(), async |log, storage, dir| {
        append_committed(&log, &batch(2)).await;
        storage.set_full(true);
        storage.take_operations();
        let next = LeaderEpoch(EPOCH.0 + 1);
        let appended = log.append(&batch(2), next, NOW).unwrap();
        let refused = log.committed(appended.last_offset + 1).await.unwrap_err();
        assert!(refused.is_no_space());
        glommio::timer::sleep(Duration::from_millis(20)).await;
        let tries = storage.count(|operation| matches!(operation, Operation::Replace(_)));
        assert!(tries < 3, "{tries} tries with nothing to write");
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
        storage.set_full(false);
        let appended = log.append(&batch(2), next, NOW).unwrap();
        log.committed(appended.last_offset + 1).await.unwrap();
        let epochs = std::fs::read_to_string(dir.join("leader-epoch-checkpoint")).unwrap();
        assert_eq!(epochs, "0\n2\n3 0\n4 2\n");
        log.close().await.unwrap();
    });
}

#[test]
fn a_leader_epoch_that_the_device_refuses_ends_the_log() {
    with_faults(LogConfig::default(), async |log, storage, _| {
        append_committed(&log, &batch(2)).await;
        storage.fail_replacements([EIO]);
        let next = LeaderEpoch(EPOCH.0 + 1);
        let appended = log.append(&batch(2), next, NOW).unwrap();
        log.committed(appended.last_offset + 1).await.unwrap_err();
        assert!(!is_full(&log));
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
    });
}

#[test]
fn a_log_that_closes_without_room_for_its_files_is_synced_and_not_clean() {
    with_faults(LogConfig::default(), async |log, storage, dir| {
        append_committed(&log, &idempotent(9, 0, 0)).await;
        storage.set_full(true);
        assert!(refused(&log, &batch(2)).await.is_no_space());
        assert!(log.close().await.unwrap_err().is_no_space());
        assert_eq!(log.recovery_point(), Offset(2), "the records are safe");
        let (log, report) = open(&dir, UNCLEAN).await;
        assert_eq!(report.cut, None);
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
        assert_eq!(log.producers_len(), 1);
    });
}

/// Three segments of two batches, all but the last sealed, and a disk that is full from here on.
async fn three_segments(log: &Rc<PartitionLog>, storage: &FaultyStorage) {
    for _ in 0..6 {
        append_committed(log, &batch(4)).await;
    }
    log.flush().await.unwrap();
    until(|| log.segments_len() == 3 && all_settled(log)).await;
    storage.set_full(true);
}

#[test]
fn records_that_are_deleted_on_a_full_disk_make_room_and_nobody_is_told_before_it_is_durable() {
    with_faults(small_segments(), async |log, storage, dir| {
        three_segments(&log, &storage).await;
        for _ in 0..2 {
            let refused = log.advance_log_start(Offset(12)).await.unwrap_err();
            assert!(matches!(refused, LogStartError::Log(error) if error.is_no_space()));
        }
        assert!(
            log.read_view(Offset(11)).is_err(),
            "they are gone for readers"
        );
        until(|| {
            !files(&dir)
                .iter()
                .any(|name| name.starts_with("00000000000000000000."))
        })
        .await;
        storage.set_full(false);
        assert_eq!(log.advance_log_start(Offset(12)).await.unwrap(), Offset(12));
        let epochs = std::fs::read_to_string(dir.join("leader-epoch-checkpoint")).unwrap();
        assert_eq!(epochs, "0\n1\n3 12\n");
        append_committed(&log, &batch(4)).await;
    });
}

#[test]
fn retention_without_room_for_a_new_segment_takes_out_the_others() {
    with_faults(small_segments(), async |log, storage, _| {
        three_segments(&log, &storage).await;
        log.update_config(LogConfig {
            retention_bytes: 0,
            ..small_segments()
        });
        let retired = log.apply_retention(NOW).await.unwrap().unwrap();
        assert_eq!((retired.segments, log.log_start_offset()), (2, Offset(16)));
        assert!(log.apply_retention(NOW).await.unwrap_err().is_no_space());
        assert_eq!(all_offsets(&log).await, [(16, 19), (20, 23)]);
        storage.set_full(false);
        assert_eq!(log.apply_retention(NOW).await.unwrap().unwrap().segments, 1);
        append_committed(&log, &batch(4)).await;
        assert_eq!(all_offsets(&log).await, [(24, 27)]);
    });
}

#[test]
fn room_that_is_kept_is_told_apart_from_none() {
    with_faults(LogConfig::default(), async |log, storage, dir| {
        append_committed(&log, &batch(2)).await;
        log.keep_room(64 << 10).await.unwrap();
        let path = dir.join("00000000000000000000.log");
        let len = std::fs::metadata(&path).unwrap().len();
        assert_eq!(len, batch(2).bytes.len() as u64, "the size stays");
        storage.set_full(true);
        assert!(log.keep_room(64 << 10).await.unwrap_err().is_no_space());
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
    });
}
