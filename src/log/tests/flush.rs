//! What the flush policies promise: which answers wait for which syncs.

use std::time::Duration;

use super::faulty_storage::{Fault, FaultyStorage, Operation, Shared};
use super::*;

fn with_counted<F: Future<Output = ()>>(
    config: LogConfig,
    test: impl FnOnce(Rc<PartitionLog>, Rc<FaultyStorage>) -> F,
) {
    with_dir(async |dir| {
        let storage = FaultyStorage::new();
        let log = create_on(Rc::new(Shared(storage.clone())), &dir, config).await;
        storage.take_operations();
        test(log, storage).await;
    });
}

fn flushing_every(messages: u64) -> LogConfig {
    LogConfig {
        flush_messages: messages,
        ..LogConfig::default()
    }
}

fn is_sync(operation: &Operation) -> bool {
    *operation == Operation::Fdatasync
}

#[test]
fn with_flush_messages_1_no_answer_comes_before_its_sync() {
    with_counted(flushing_every(1), async |log, storage| {
        for n in 1..=3 {
            append_committed(&log, &batch(2)).await;
            assert_eq!(storage.count(is_sync), n);
            assert_eq!(log.recovery_point(), log.high_watermark());
        }
        let order = storage.take_operations();
        let written = order
            .iter()
            .position(|operation| matches!(operation, Operation::Write { .. }));
        assert!(
            written < order.iter().position(is_sync),
            "the sync follows the write"
        );
    });
}

#[test]
fn one_sync_serves_all_who_wait() {
    with_counted(flushing_every(1), async |log, storage| {
        let waits: Vec<_> = (0..100)
            .map(|_| {
                let appended = append(&log, &batch(1));
                log.committed(appended.last_offset + 1)
            })
            .collect();
        for wait in waits {
            wait.await.unwrap();
        }
        assert_eq!(storage.count(is_sync), 1);
        assert_eq!(
            storage.count(|operation| matches!(operation, Operation::Write { .. })),
            1
        );
    });
}

#[test]
fn the_first_sync_makes_the_names_durable_before_it_counts() {
    with_counted(flushing_every(1), async |log, storage| {
        append_committed(&log, &batch(1)).await;
        let after_data: Vec<_> = storage
            .take_operations()
            .into_iter()
            .skip_while(|operation| !is_sync(operation))
            .collect();
        let names = ["leader-epoch-checkpoint", "partition.metadata"]
            .map(|name| Operation::Replace(name.into()));
        assert_eq!(
            after_data[1..],
            [
                names[0].clone(),
                names[1].clone(),
                Operation::SyncDir,
                Operation::SyncDir
            ]
        );
        append_committed(&log, &batch(1)).await;
        assert_eq!(
            storage.count(|operation| *operation == Operation::SyncDir),
            0,
            "once is enough"
        );
    });
}

#[test]
fn with_flush_messages_n_only_the_nth_record_waits() {
    with_counted(flushing_every(5), async |log, storage| {
        for _ in 0..2 {
            append_committed(&log, &batch(2)).await;
        }
        assert_eq!(
            (storage.count(is_sync), log.recovery_point()),
            (0, Offset(0))
        );
        append_committed(&log, &batch(2)).await; // six records unsynced: the threshold is passed
        assert_eq!(
            (storage.count(is_sync), log.recovery_point()),
            (1, Offset(6))
        );
        append_committed(&log, &batch(4)).await;
        assert_eq!(storage.count(is_sync), 1);
    });
}

#[test]
fn without_a_policy_nothing_is_synced_until_somebody_asks() {
    with_counted(LogConfig::default(), async |log, storage| {
        append_committed(&log, &batch(2)).await;
        let staged = append(&log, &batch(2));
        assert_eq!(storage.count(is_sync), 0);
        log.flush().await.unwrap();
        assert_eq!(
            log.recovery_point(),
            staged.last_offset + 1,
            "what was staged is part of the flush"
        );
        log.flush().await.unwrap();
        assert_eq!(storage.count(is_sync), 1, "a clean log is not synced again");
    });
}

#[test]
fn flush_ms_syncs_later_and_holds_no_answer_back() {
    let config = LogConfig {
        flush_ms: 20,
        ..LogConfig::default()
    };
    with_counted(config, async |log, storage| {
        append_committed(&log, &batch(2)).await;
        append_committed(&log, &batch(2)).await;
        assert_eq!(storage.count(is_sync), 0);
        glommio::timer::sleep(Duration::from_millis(100)).await;
        assert_eq!(
            (storage.count(is_sync), log.recovery_point()),
            (1, Offset(4))
        );
        glommio::timer::sleep(Duration::from_millis(60)).await;
        assert_eq!(
            storage.count(is_sync),
            1,
            "nothing ticks when nothing is dirty"
        );
    });
}

#[test]
fn a_changed_policy_counts_from_the_next_append() {
    with_counted(LogConfig::default(), async |log, storage| {
        append_committed(&log, &batch(2)).await;
        log.update_config(flushing_every(1));
        append_committed(&log, &batch(2)).await;
        assert_eq!(
            (storage.count(is_sync), log.recovery_point()),
            (1, Offset(4))
        );
    });
}

#[test]
fn what_nobody_asked_to_have_synced_is_synced_behind() {
    with_counted(LogConfig::default(), async |log, storage| {
        append_committed(&log, &batch(3)).await;
        assert!(!log.sync_older().await.unwrap(), "it is too new");
        assert_eq!(log.recovery_point(), Offset::ZERO);
        append_committed(&log, &batch(2)).await;
        assert!(log.sync_older().await.unwrap());
        assert_eq!(log.recovery_point(), Offset(5));
        let is_piece =
            |operation: &Operation| matches!(operation, Operation::WriteOut { position: 0, .. });
        assert_eq!(storage.count(is_piece), 1);
        assert!(!log.sync_older().await.unwrap(), "nothing is left");
    });
}

#[test]
fn a_sync_that_failed_is_not_repeated_by_one_that_waited_for_it() {
    with_counted(LogConfig::default(), async |log, storage| {
        append_committed(&log, &batch(3)).await;
        log.sync_older().await.unwrap();
        storage.fail_syncs([Fault::LateErrno(libc::EIO)]);
        let behind = {
            let log = log.clone();
            glommio::spawn_local(async move { log.sync_older().await })
        };
        while storage.count(is_sync) == 0 {
            futures_lite::future::yield_now().await;
        }
        // The second would succeed, and deny what the first has lost.
        log.flush().await.unwrap_err();
        behind.await.unwrap_err();
        assert_eq!(storage.count(is_sync), 1);
        assert!(log.failure().is_some());
        assert_eq!(log.high_watermark(), Offset::ZERO);
    });
}

#[test]
fn a_log_that_is_closed_ends_a_sync_behind() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &batch(3)).await;
        log.sync_older().await.unwrap();
        let behind = {
            let log = log.clone();
            glommio::spawn_local(async move { log.sync_older().await })
        };
        log.close().await.unwrap();
        behind.await.unwrap();
        assert!(!log.sync_older().await.unwrap());
    });
}
