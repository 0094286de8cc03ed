//! Retention at work: what goes and what stays, on real files, and what a crash at any point leaves.

use std::cell::Cell;
use std::time::Duration;

use super::faulty_storage::{Fault, FaultyStorage, Operation, Shared};
use super::*;

/// Two batches of four records fit a segment; nothing is limited.
fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 1200,
        segment_ms: i64::MAX,
        index_interval_bytes: 100,
        retention_ms: -1,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    }
}

fn keep_ms(retention_ms: i64) -> LogConfig {
    LogConfig {
        retention_ms,
        ..small_segments()
    }
}

fn keep_bytes(retention_bytes: i64) -> LogConfig {
    LogConfig {
        retention_bytes,
        ..small_segments()
    }
}

/// Appends batches of four records with these first timestamps.
async fn append_at(log: &Rc<PartitionLog>, timestamps: &[i64]) {
    for &timestamp in timestamps {
        append_committed(log, &batch_at(timestamp, 4)).await;
    }
}

async fn retire(log: &Rc<PartitionLog>) -> Option<Retired> {
    log.apply_retention(NOW).await.unwrap()
}

fn bases(log: &PartitionLog) -> Vec<i64> {
    let state = log.state.borrow();
    let base = |segment: &Rc<super::super::segment::Segment>| segment.base_offset.0;
    state.segments.iter().map(base).collect()
}

async fn no_leftovers(dir: &Path) {
    while files(dir).iter().any(|name| name.ends_with(".deleted")) {
        glommio::timer::sleep(Duration::from_millis(2)).await;
    }
}

/// Three segments of two batches, the last active: 0 to 7 old, 8 to 15 newer, 16 to 23 newest.
async fn three_segments(dir: &Path, config: LogConfig) -> Rc<PartitionLog> {
    let log = create(dir, config).await;
    let day = 86_400_000;
    let (old, newer) = (NOW.0 - 3 * day, NOW.0 - day);
    append_at(&log, &[old, old, newer, newer, NOW.0, NOW.0]).await;
    assert_eq!(bases(&log), [0, 8, 16]);
    log
}

#[test]
fn segments_older_than_retention_ms_go_and_readers_below_are_told() {
    with_dir(async |dir| {
        let log = three_segments(&dir, keep_ms(2 * 86_400_000)).await;
        let retired = retire(&log).await.unwrap();
        assert_eq!((retired.segments, retired.by_time), (1, 1));
        assert_eq!(retired.log_start_offset, Offset(8));
        assert!(matches!(
            log.read_view(Offset(7)),
            Err(ReadError::OutOfRange {
                start: Offset(8),
                ..
            })
        ));
        assert_eq!(
            all_offsets(&log).await,
            [(8, 11), (12, 15), (16, 19), (20, 23)]
        );
        assert_eq!(retire(&log).await, None, "nothing more is past keeping");
        no_leftovers(&dir).await;
        assert!(
            !files(&dir)
                .iter()
                .any(|name| name.starts_with("00000000000000000000"))
        );
    });
}

#[test]
fn if_everything_is_old_an_empty_segment_takes_its_place() {
    with_dir(async |dir| {
        let log = three_segments(&dir, small_segments()).await;
        append_at(&log, &[NOW.0]).await;
        log.update_config(keep_bytes(0));
        let retired = retire(&log).await.unwrap();
        assert_eq!(retired.by_size, 4);
        assert_eq!(bases(&log), [28]);
        assert_eq!(log.log_start_offset(), Offset(28));
        assert_eq!(retire(&log).await, None, "the empty one stays");
        append_at(&log, &[NOW.0]).await;
        assert_eq!(all_offsets(&log).await, [(28, 31)]);
        no_leftovers(&dir).await;
        log.close().await.unwrap();
        for trust in [Trust::CleanShutdown, UNCLEAN] {
            let (log, _) = open_with(&dir, keep_bytes(0), trust).await;
            assert_eq!(log.log_start_offset(), Offset(28));
            assert_eq!(all_offsets(&log).await, [(28, 31)]);
        }
    });
}

#[test]
fn a_log_that_is_all_gone_opens_where_it_ended() {
    for trust in [Trust::CleanShutdown, UNCLEAN] {
        with_dir(async |dir| {
            let log = create(&dir, keep_bytes(0)).await;
            append_committed(&log, &idempotent(7, 0, 0)).await;
            append_committed(&log, &idempotent(7, 0, 2)).await;
            assert_eq!(retire(&log).await.unwrap().segments, 1);
            if matches!(trust, Trust::CleanShutdown) {
                log.close().await.unwrap();
            }
            drop(log);
            let (log, _) = open_with(&dir, keep_bytes(0), trust).await;
            assert_eq!(
                (log.log_start_offset(), log.log_end_offset()),
                (Offset(4), Offset(4))
            );
            assert_eq!(
                log.producers_len(),
                1,
                "the snapshot at its end outlives the records"
            );
            assert_eq!(append(&log, &idempotent(7, 0, 4)).base_offset, Offset(4));
        });
    }
}

#[test]
fn a_timestamp_ahead_keeps_a_segment_until_its_time() {
    with_dir(async |dir| {
        let log = create(&dir, keep_ms(1_000)).await;
        let (old, ahead) = (NOW.0 - 9_000, NOW.0 + 60_000);
        append_at(&log, &[old, ahead, old, old, old]).await;
        assert_eq!(retire(&log).await, None);
        let later = TimestampMs(ahead + 1_000 + 4);
        let retired = log.apply_retention(later).await.unwrap().unwrap();
        assert_eq!(retired.by_time, 3);
    });
}

#[test]
fn size_keeps_at_least_what_is_asked_for() {
    with_dir(async |dir| {
        let log = three_segments(&dir, small_segments()).await;
        let size = log.size_bytes();
        let third = i64::try_from(size / 3).unwrap();
        log.update_config(keep_bytes(2 * third + 1));
        assert_eq!(retire(&log).await, None);
        log.update_config(keep_bytes(2 * third));
        assert_eq!(retire(&log).await.unwrap().by_size, 1);
        assert_eq!(log.size_bytes(), 2 * size / 3);
    });
}

#[test]
fn without_delete_in_the_policy_only_what_lies_before_the_log_start_goes() {
    with_dir(async |dir| {
        let config = LogConfig {
            delete: false,
            retention_ms: 0,
            retention_bytes: 0,
            ..small_segments()
        };
        let log = three_segments(&dir, config).await;
        log.flush().await.unwrap();
        assert_eq!(retire(&log).await, None);
        log.state.borrow_mut().move_start(Offset(10));
        let retired = retire(&log).await.unwrap();
        assert_eq!((retired.segments, retired.by_start), (1, 1));
        assert_eq!(log.log_start_offset(), Offset(10));
    });
}

#[test]
fn the_largest_timestamps_are_known_after_a_restart() {
    for trust in [Trust::CleanShutdown, UNCLEAN] {
        with_dir(async |dir| {
            let log = three_segments(&dir, small_segments()).await;
            log.close().await.unwrap();
            drop(log);
            let (log, _) = open_with(&dir, keep_ms(2 * 86_400_000), trust).await;
            assert_eq!(retire(&log).await.unwrap().by_time, 1);
            assert_eq!(bases(&log), [8, 16]);
        });
    }
}

#[test]
fn what_was_committed_a_moment_ago_is_not_taken_while_more_comes() {
    with_dir(async |dir| {
        let log = create(&dir, keep_bytes(0)).await;
        append_at(&log, &[NOW.0]).await;
        append(&log, &batch(4));
        assert_eq!(
            retire(&log).await,
            None,
            "past the high watermark nothing goes"
        );
        log.committed(Offset(8)).await.unwrap();
        assert_eq!(all_offsets(&log).await, [(0, 3), (4, 7)]);
    });
}

#[test]
fn a_reader_of_a_deleted_segment_finishes_and_keeps_no_handle_in_the_log() {
    with_dir(async |dir| {
        let log = three_segments(&dir, keep_bytes(0)).await;
        log.flush().await.unwrap();
        let view = log.read_view(Offset(0)).unwrap();
        let plan = view.plan(1 << 20, true).await.unwrap().unwrap();
        retire(&log).await.unwrap();
        no_leftovers(&dir).await;
        assert!(plan.file.is_deleted().unwrap());
        let bytes = plan.file.read_at(plan.position, plan.len as usize).await;
        assert_eq!(offsets(&bytes.unwrap()), [(0, 3), (4, 7)]);
        drop(plan);
        drop(view);
        // The remover closes what was the last handle; what is asked of it next comes after.
        log.storage.remove_file(&dir.join("none")).await.unwrap();
        assert_eq!(deleted_handles(&dir), Vec::<PathBuf>::new());
    });
}

/// The deleted files of `dir` that this process has open.
fn deleted_handles(dir: &Path) -> Vec<PathBuf> {
    let handles = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = handles.filter_map(|handle| std::fs::read_link(handle.ok()?.path()).ok());
    let gone = |target: &PathBuf| {
        target.starts_with(dir) && target.to_string_lossy().ends_with(" (deleted)")
    };
    targets.filter(gone).collect()
}

#[test]
fn a_stop_between_any_two_steps_leaves_a_log_that_opens_whole() {
    with_dir(async |dir| {
        let log = three_segments(&dir, small_segments()).await;
        log.flush().await.unwrap();
        log.close().await.unwrap();
        drop(log);
        let before = files(&dir);
        let moves: Vec<String> = ["00000000000000000000", "00000000000000000008"]
            .iter()
            .flat_map(|base| {
                ["snapshot", "txnindex", "timeindex", "index", "log"]
                    .map(|ending| format!("{base}.{ending}"))
            })
            .filter(|name| before.contains(name))
            .collect();
        assert!(moves.len() >= 6, "{moves:?}");
        for done in 0..=moves.len() {
            let copy = dir.with_file_name(format!("copy-{done}"));
            std::fs::create_dir(&copy).unwrap();
            for name in &before {
                let moved = moves[..done].contains(name);
                let to = if moved {
                    format!("{name}.deleted")
                } else {
                    name.clone()
                };
                std::fs::copy(dir.join(name), copy.join(to)).unwrap();
            }
            for trust in [UNCLEAN, Trust::CleanShutdown] {
                let (log, _) = open_with(&copy, keep_bytes(0), trust).await;
                let first = bases(&log)[0];
                assert_eq!(log.log_start_offset().0, first, "after {done} renames");
                assert_eq!(log.log_end_offset(), Offset(24));
                assert_eq!(all_offsets(&log).await.first().unwrap().0, first);
                no_leftovers(&copy).await;
                log.close().await.unwrap();
            }
        }
    });
}

#[test]
fn names_change_only_when_the_new_start_and_the_new_segment_are_durable() {
    with_dir(async |dir| {
        let storage = FaultyStorage::new();
        let log = create_on(Rc::new(Shared(storage.clone())), &dir, keep_bytes(0)).await;
        append_at(&log, &[NOW.0; 2]).await;
        log.flush().await.unwrap();
        storage.take_operations();
        retire(&log).await.unwrap();
        let asked = storage.take_operations();
        let at = |wanted: &Operation| {
            let found = asked.iter().position(|operation| operation == wanted);
            found.unwrap_or_else(|| panic!("no {wanted:?} in {asked:?}"))
        };
        let created = at(&Operation::Create("00000000000000000008.log".to_owned()));
        let kept = at(&Operation::Replace("leader-epoch-checkpoint".to_owned()));
        let renamed = at(&Operation::Rename("00000000000000000000.log".to_owned()));
        let synced = asked[kept..renamed].contains(&Operation::SyncDir);
        assert!(created < kept && kept < renamed && synced, "{asked:?}");
    });
}

#[test]
fn a_start_that_cannot_be_written_down_keeps_every_file_until_it_can() {
    with_dir(async |dir| {
        let storage = FaultyStorage::new();
        let log = create_on(Rc::new(Shared(storage.clone())), &dir, small_segments()).await;
        append_at(&log, &[NOW.0; 6]).await;
        log.flush().await.unwrap();
        settled(&log).await;
        log.update_config(keep_bytes(1));
        storage.fail_replacements([Fault::Errno(libc::EIO)]);
        log.apply_retention(NOW).await.unwrap_err();
        assert_eq!(bases(&log), [0, 8, 16]);
        let retired = retire(&log).await.unwrap();
        assert_eq!(retired.segments, 2);
    });
}

#[test]
fn a_full_disk_keeps_nothing_from_going() {
    with_dir(async |dir| {
        let storage = FaultyStorage::new();
        let log = create_on(Rc::new(Shared(storage.clone())), &dir, small_segments()).await;
        append_at(&log, &[NOW.0; 6]).await;
        log.flush().await.unwrap();
        settled(&log).await;
        log.update_config(keep_bytes(1));
        storage.fail_replacements([Fault::Errno(libc::ENOSPC)]);
        assert_eq!(retire(&log).await.unwrap().segments, 2);
        append_at(&log, &[NOW.0]).await;
        let epochs = std::fs::read_to_string(dir.join("leader-epoch-checkpoint")).unwrap();
        assert_eq!(epochs, "0\n1\n3 16\n", "it is written with the next record");
    });
}

async fn settled(log: &PartitionLog) {
    let all = || {
        let state = log.state.borrow();
        let (_, sealed) = state.segments.split_last().unwrap();
        sealed.iter().all(|segment| segment.settled.get())
    };
    while !all() {
        glommio::timer::sleep(Duration::from_millis(2)).await;
    }
}

#[test]
fn a_segment_that_cannot_be_made_ends_retention_and_not_the_log() {
    with_dir(async |dir| {
        let storage = FaultyStorage::new();
        let log = create_on(Rc::new(Shared(storage.clone())), &dir, keep_bytes(0)).await;
        append_at(&log, &[NOW.0]).await;
        storage.fail_creations([Fault::Errno(libc::ENOSPC)]);
        log.apply_retention(NOW).await.unwrap_err();
        assert_eq!(bases(&log), [0]);
        assert_eq!(all_offsets(&log).await, [(0, 3)]);
        assert_eq!(retire(&log).await.unwrap().segments, 1);
        append_at(&log, &[NOW.0]).await;
        assert_eq!(all_offsets(&log).await, [(4, 7)]);
    });
}

#[test]
fn files_are_kept_for_their_delay_and_a_deleted_partition_takes_them_along() {
    with_dir(async |dir| {
        let config = LogConfig {
            file_delete_delay_ms: 3_600_000,
            ..keep_bytes(0)
        };
        let log = three_segments(&dir, config).await;
        retire(&log).await.unwrap();
        let names = files(&dir);
        for gone in ["00000000000000000000.log", "00000000000000000016.log"] {
            assert!(names.contains(&format!("{gone}.deleted")), "{names:?}");
            assert!(!names.contains(&gone.to_owned()), "{names:?}");
        }
        let renamed = log.mark_deleted().await.unwrap();
        assert!(
            log.apply_retention(NOW).await.is_err(),
            "a deleted log is left alone"
        );
        remove_deleted(&renamed).await.unwrap();
        assert!(!renamed.exists());
    });
}

/// Reads from the log start on, over and over, until told to end; counts the batches.
async fn read_over_and_over(log: Rc<PartitionLog>, done: Rc<Cell<bool>>) -> usize {
    let mut batches = 0;
    let mut next = 0;
    while !done.get() {
        let view = match log.read_view(Offset(next)) {
            Ok(view) => view,
            Err(ReadError::OutOfRange { start, .. }) => {
                next = start.0;
                continue;
            }
            Err(ReadError::Closed) => panic!("nobody closes it"),
        };
        match view.plan(1, true).await.expect("no error, whatever goes") {
            Some(plan) => {
                let bytes = plan.file.read_at(plan.position, plan.len as usize).await;
                let found = offsets(&bytes.expect("planned bytes can be read"));
                next = found[0].1 + 1;
                batches += 1;
            }
            None => next = 0,
        }
        let found = log.offset_for_timestamp(NOW.0 + next).await;
        found.expect("no error, whatever goes");
        glommio::timer::sleep(Duration::from_micros(50)).await;
    }
    batches
}

#[test]
fn readers_and_lookups_meet_no_error_while_segments_go() {
    with_dir(async |dir| {
        let log = create(&dir, keep_bytes(1_500)).await;
        let done = Rc::new(Cell::new(false));
        let readers: Vec<_> = (0..3)
            .map(|_| glommio::spawn_local(read_over_and_over(log.clone(), done.clone())))
            .collect();
        let mut gone = 0;
        for n in 0..300 {
            append_committed(&log, &batch_at(NOW.0 + n, 4)).await;
            if n % 3 == 0 {
                gone += retire(&log).await.map_or(0, |retired| retired.segments);
            }
        }
        done.set(true);
        for reader in readers {
            assert!(reader.await > 0, "every reader has read something");
        }
        assert!(gone > 100, "{gone} segments went");
        assert!(log.log_start_offset() > Offset(1000));
    });
}

#[test]
fn a_log_that_is_closed_or_deleted_meanwhile_ends_both_and_its_namesake_keeps_its_files() {
    for pause_us in [0, 50, 200, 1_000, 5_000] {
        for delete in [false, true] {
            with_dir(async |dir| {
                let log = three_segments(&dir, keep_bytes(0)).await;
                let retiring = {
                    let log = log.clone();
                    glommio::spawn_local(async move { log.apply_retention(NOW).await })
                };
                glommio::timer::sleep(Duration::from_micros(pause_us)).await;
                if delete {
                    log.mark_deleted().await.unwrap();
                } else {
                    log.close().await.unwrap();
                    std::fs::rename(&dir, dir.with_file_name("old")).unwrap();
                }
                let namesake = three_segments(&dir, small_segments()).await;
                // It has retired all or nothing; an error says that the log was closed.
                if let Ok(Some(retired)) = retiring.await {
                    assert_eq!(retired.segments, 3);
                }
                assert_eq!(all_offsets(&namesake).await.len(), 6);
                assert!(files(&dir).contains(&"00000000000000000000.log".to_owned()));
            });
        }
    }
}

#[test]
fn a_sync_that_fails_while_the_active_segment_is_sealed_ends_retention() {
    with_dir(async |dir| {
        let storage = FaultyStorage::new();
        let log = create_on(Rc::new(Shared(storage.clone())), &dir, keep_bytes(0)).await;
        append_at(&log, &[NOW.0]).await;
        storage.fail_syncs([Fault::Errno(libc::EIO)]);
        log.apply_retention(NOW).await.unwrap_err();
        assert!(log.failure().is_some(), "what is not synced does not count");
        log.apply_retention(NOW).await.unwrap_err();
        log.close().await.unwrap_err();
    });
}
