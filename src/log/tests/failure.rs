//! Failed and short writes, failed syncs, a full disk: what is taken back, who is told, what still works.

use super::faulty_storage::{Fault, FaultyStorage, Operation, Shared};
use super::*;

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

const EIO: Fault = Fault::Errno(libc::EIO);
const ENOSPC: Fault = Fault::Errno(libc::ENOSPC);

#[test]
fn a_short_write_goes_on_with_the_rest() {
    with_faults(LogConfig::default(), async |log, storage, _| {
        let size = batch(2).bytes.len();
        storage.fail_writes([Fault::Short(size + 30), Fault::Short(7), Fault::Short(size)]);
        for _ in 0..4 {
            append(&log, &batch(2));
        }
        log.committed(Offset(8)).await.unwrap();
        assert_eq!(all_offsets(&log).await, [(0, 1), (2, 3), (4, 5), (6, 7)]);
        assert_eq!(
            storage.count(|operation| matches!(operation, Operation::Write { .. })),
            4
        );
    });
}

#[test]
fn a_failed_write_makes_the_log_read_only_and_takes_back_what_was_not_written() {
    with_faults(LogConfig::default(), async |log, storage, _| {
        append_committed(&log, &idempotent(9, 0, 0)).await;
        storage.fail_writes([EIO]);
        let lost = append(&log, &idempotent(9, 0, 2));
        let also_lost = append(&log, &batch(3));
        let (first, second) = (
            log.committed(lost.last_offset + 1),
            log.committed(also_lost.last_offset + 1),
        );
        assert!(matches!(
            first.await.unwrap_err(),
            LogError::Storage {
                operation: "write",
                ..
            }
        ));
        assert!(second.await.is_err());
        assert_eq!(
            (log.high_watermark(), log.log_end_offset()),
            (Offset(2), Offset(2))
        );
        let refused = log.append(&batch(1), EPOCH, NOW).unwrap_err();
        assert!(
            matches!(refused, AppendError::Log(LogError::Storage { .. })),
            "{refused}"
        );
        assert!(log.committed(Offset(3)).await.is_err());
        log.committed(Offset(2)).await.unwrap();
        assert_eq!(all_offsets(&log).await, [(0, 1)], "readers go on");
    });
}

#[test]
fn a_failed_sync_takes_back_everything_unsynced_and_is_never_tried_again() {
    with_faults(LogConfig::default(), async |log, storage, _| {
        append_committed(&log, &batch(2)).await;
        log.flush().await.unwrap();
        append_committed(&log, &batch(2)).await;
        storage.take_operations();
        storage.fail_syncs([EIO]);
        let failed = log.flush().await.unwrap_err();
        assert!(matches!(
            failed,
            LogError::Storage {
                operation: "fdatasync",
                ..
            }
        ));
        assert_eq!(
            (log.high_watermark(), log.log_end_offset()),
            (Offset(2), Offset(2))
        );
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
        assert!(log.flush().await.is_ok(), "what is left is synced");
        assert!(
            log.close().await.is_err(),
            "such a log has not closed cleanly"
        );
        assert_eq!(
            storage.count(|operation| *operation == Operation::Fdatasync),
            1
        );
    });
}

#[test]
fn with_flush_messages_1_a_failed_sync_fails_the_append() {
    let config = LogConfig {
        flush_messages: 1,
        ..LogConfig::default()
    };
    with_faults(config, async |log, storage, _| {
        append_committed(&log, &batch(2)).await;
        storage.fail_syncs([EIO]);
        let appended = append(&log, &batch(2));
        assert!(log.committed(appended.last_offset + 1).await.is_err());
        assert_eq!(log.log_end_offset(), Offset(2));
    });
}

#[test]
fn a_full_disk_fails_the_batches_it_has_no_room_for_and_the_next_append_tries_again() {
    with_faults(LogConfig::default(), async |log, storage, dir| {
        append_committed(&log, &idempotent(9, 0, 0)).await;
        let size = batch(2).bytes.len();
        storage.fail_writes([Fault::Short(size + 10), ENOSPC]);
        let fits = append(&log, &batch(2));
        let does_not = append(&log, &idempotent(9, 0, 2));
        let (fits, does_not) = (
            log.committed(fits.last_offset + 1),
            log.committed(does_not.last_offset + 1),
        );
        fits.await.unwrap();
        assert!(does_not.await.unwrap_err().is_no_space());
        assert_eq!(
            (log.high_watermark(), log.log_end_offset()),
            (Offset(4), Offset(4))
        );

        let again = append_committed(&log, &idempotent(9, 0, 2)).await;
        assert_eq!(
            (again.base_offset, again.duplicate),
            (Offset(4), false),
            "the lost batch is not remembered"
        );
        assert_eq!(all_offsets(&log).await, [(0, 1), (2, 3), (4, 5)]);
        log.close().await.unwrap();
        let (log, report) = open(&dir, UNCLEAN).await;
        assert_eq!(report.cut, None, "no half batch is left in the file");
        assert_eq!(all_offsets(&log).await.len(), 3);
    });
}

#[test]
fn a_wait_fails_even_if_others_have_taken_its_offsets_when_it_is_looked_at() {
    with_faults(LogConfig::default(), async |log, storage, _| {
        storage.fail_writes([ENOSPC]);
        let lost = append(&log, &batch(2));
        let wait = log.committed(lost.last_offset + 1);
        while log.log_end_offset() > Offset::ZERO {
            glommio::executor().yield_task_queue_now().await;
        }
        append_committed(&log, &batch(2)).await;
        assert!(wait.await.is_err());
    });
}

#[test]
fn a_segment_that_cannot_be_made_is_taken_back_and_made_when_there_is_room() {
    let config = LogConfig {
        segment_bytes: 600,
        ..LogConfig::default()
    };
    with_faults(config, async |log, storage, dir| {
        append_committed(&log, &batch(4)).await;
        storage.fail_creations([ENOSPC]);
        let lost = append(&log, &batch(4));
        assert!(
            log.committed(lost.last_offset + 1)
                .await
                .unwrap_err()
                .is_no_space()
        );
        assert_eq!((log.log_end_offset(), log.segments_len()), (Offset(4), 1));
        append_committed(&log, &batch(4)).await;
        assert_eq!((log.log_end_offset(), log.segments_len()), (Offset(8), 2));
        assert_eq!(all_offsets(&log).await, [(0, 3), (4, 7)]);
        log.close().await.unwrap();
        let (log, _) = open(&dir, Trust::CleanShutdown).await;
        assert_eq!(all_offsets(&log).await, [(0, 3), (4, 7)]);
    });
}

#[test]
fn everyone_is_told_of_a_failure() {
    with_faults(LogConfig::default(), async |log, storage, _| {
        let news = Rc::new(std::cell::RefCell::new(Vec::new()));
        let heard = news.clone();
        log.set_on_advance(Box::new(move |advance| {
            heard.borrow_mut().push(advance.cause)
        }));
        storage.fail_writes([EIO]);
        let lost = append(&log, &batch(2));
        assert!(log.committed(lost.last_offset + 1).await.is_err());
        assert_eq!(news.borrow()[..], [AdvanceCause::Failed]);
    });
}

#[test]
fn a_sync_that_fails_while_the_log_closes_fails_the_close() {
    with_faults(LogConfig::default(), async |log, storage, _| {
        append_committed(&log, &batch(2)).await;
        storage.fail_syncs([EIO]);
        assert!(log.close().await.is_err());
    });
}

#[test]
fn a_write_that_ends_after_a_sync_has_failed_does_not_count() {
    let config = LogConfig {
        segment_bytes: 600,
        ..LogConfig::default()
    };
    with_faults(config, async |log, storage, _| {
        append_committed(&log, &batch(4)).await;
        storage.fail_syncs([EIO]);
        // Rolls, so that the first segment is sealed, and its sync fails, while further batches are written.
        let waits: Vec<_> = (0..20)
            .map(|_| {
                let appended = append(&log, &batch(4));
                log.committed(appended.last_offset + 1)
            })
            .collect();
        let mut failed = 0;
        for wait in waits {
            failed += usize::from(wait.await.is_err());
        }
        assert!(failed > 0, "the sync failed before all was written");
        assert_eq!(
            (log.high_watermark(), log.log_end_offset()),
            (Offset(0), Offset(0))
        );
        assert!(matches!(
            log.failure(),
            Some(LogError::Storage {
                operation: "fdatasync",
                ..
            })
        ));
    });
}
