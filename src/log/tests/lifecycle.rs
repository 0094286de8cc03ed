//! Create, close, open after a clean stop, delete.

use super::*;

#[test]
fn a_new_log_has_kafkas_files() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        assert_eq!(
            files(&dir),
            [
                "00000000000000000000.log",
                "leader-epoch-checkpoint",
                "partition.metadata"
            ]
        );
        assert_eq!(
            (log.log_start_offset(), log.log_end_offset()),
            (Offset(0), Offset(0))
        );
        let again = PartitionLog::create(dir.clone(), TOPIC_ID, LogConfig::default(), EPOCH).await;
        assert!(again.is_err(), "a log is not created over another");
    });
}

#[test]
fn after_a_clean_stop_everything_is_as_it_was() {
    with_dir(async |dir| {
        let config = LogConfig {
            segment_bytes: 20_000,
            index_interval_bytes: 500,
            ..LogConfig::default()
        };
        let log = create(&dir, config.clone()).await;
        for n in 0..100 {
            append_committed(&log, &idempotent(7, 2, 2 * n)).await;
        }
        let before = all_offsets(&log).await;
        log.close().await.unwrap();

        let (log, report) = open_with(&dir, config, Trust::CleanShutdown).await;
        assert_eq!(
            (report.checked_bytes, report.rebuilt_indexes, &report.cut),
            (0, 0, &None)
        );
        assert_eq!(
            (
                report.log_end_offset,
                log.high_watermark(),
                log.recovery_point()
            ),
            (Offset(200), Offset(200), Offset(200))
        );
        assert_eq!(log.topic_id(), Some(TOPIC_ID));
        assert_eq!(log.latest_epoch(), Some(EPOCH));
        assert_eq!(all_offsets(&log).await, before);
        let repeated = append(&log, &idempotent(7, 2, 198));
        assert!(
            repeated.duplicate,
            "the producers came back with the snapshot"
        );
        append_committed(&log, &idempotent(7, 2, 200)).await;
        assert_eq!(all_offsets(&log).await.len(), 101);
    });
}

#[test]
fn a_log_that_was_only_opened_and_closed_keeps_its_files_untouched() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        append_committed(&log, &batch(3)).await;
        log.close().await.unwrap();
        let times = || -> Vec<_> {
            files(&dir)
                .iter()
                .map(|name| {
                    std::fs::metadata(dir.join(name))
                        .unwrap()
                        .modified()
                        .unwrap()
                })
                .collect()
        };
        let before = times();
        let (log, _) = open(&dir, Trust::CleanShutdown).await;
        log.close().await.unwrap();
        assert_eq!(times(), before);
    });
}

#[test]
fn an_empty_log_opens_again() {
    with_dir(async |dir| {
        create(&dir, LogConfig::default())
            .await
            .close()
            .await
            .unwrap();
        let (log, _) = open(&dir, Trust::CleanShutdown).await;
        assert_eq!(log.log_end_offset(), Offset(0));
        append_committed(&log, &batch(1)).await;
    });
}

#[test]
fn lost_index_and_snapshot_files_are_made_again() {
    with_dir(async |dir| {
        let config = LogConfig {
            segment_bytes: 5000,
            index_interval_bytes: 500,
            ..LogConfig::default()
        };
        let log = create(&dir, config.clone()).await;
        for n in 0..60 {
            append_committed(&log, &idempotent(7, 0, 2 * n)).await;
        }
        let before = all_offsets(&log).await;
        log.close().await.unwrap();
        let kept = |name: &String| {
            name.ends_with("index")
                .then(|| std::fs::read(dir.join(name)).unwrap())
        };
        let indexes: Vec<_> = files(&dir).iter().map(kept).collect();
        for name in files(&dir) {
            if name.ends_with("index") || name.ends_with("snapshot") {
                std::fs::remove_file(dir.join(name)).unwrap();
            }
        }
        let (log, report) = open_with(&dir, config, Trust::CleanShutdown).await;
        assert_eq!(report.rebuilt_indexes, log.segments_len());
        assert_eq!(all_offsets(&log).await, before);
        assert!(append(&log, &idempotent(7, 0, 118)).duplicate);
        log.close().await.unwrap();
        let after: Vec<_> = files(&dir).iter().map(kept).collect();
        assert_eq!(
            indexes.iter().flatten().collect::<Vec<_>>(),
            after.iter().flatten().collect::<Vec<_>>()
        );
    });
}

#[test]
fn a_closed_log_takes_and_gives_nothing() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &batch(1)).await;
        let waiting = log.committed(Offset(100));
        log.close().await.unwrap();
        assert!(matches!(
            waiting.await.unwrap_err(),
            LogError::Closed { .. }
        ));
        assert!(matches!(
            log.append(&batch(1), EPOCH, NOW).unwrap_err(),
            AppendError::Log(LogError::Closed { .. })
        ));
        assert_eq!(log.read_view(Offset(0)).unwrap_err(), ReadError::Closed);
    });
}

#[test]
fn closing_writes_and_syncs_what_is_staged() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        append(&log, &batch(5));
        log.close().await.unwrap();
        let (log, _) = open(&dir, Trust::CleanShutdown).await;
        assert_eq!(all_offsets(&log).await, [(0, 4)]);
    });
}

#[test]
fn a_deleted_partition_leaves_its_name_to_a_new_one_and_readers_finish() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        append_committed(&log, &batch(2)).await;
        let plan = log
            .read_view(Offset(0))
            .unwrap()
            .plan(u32::MAX, true)
            .await
            .unwrap()
            .unwrap();
        let staged = append(&log, &batch(2));
        let waiting = log.committed(staged.last_offset + 1);
        let renamed = log.mark_deleted().await.unwrap();
        assert!(waiting.await.is_err());
        let name = renamed.file_name().unwrap().to_str().unwrap();
        assert!(
            name.starts_with("topic-0.") && name.ends_with(DELETED_DIR_ENDING),
            "{name}"
        );

        let fresh = create(&dir, LogConfig::default()).await;
        assert!(read(&fresh, 0, u32::MAX).await.is_none());
        remove_deleted(&renamed).await.unwrap();
        assert!(!renamed.exists());
        let bytes = plan
            .file
            .read_at(plan.position, plan.len as usize)
            .await
            .unwrap();
        assert_eq!(offsets(&bytes), [(0, 1)]);
    });
}

#[test]
fn nothing_of_a_deleted_partition_reaches_the_one_that_took_its_name() {
    with_dir(async |dir| {
        let config = LogConfig {
            flush_ms: 20,
            segment_bytes: 600,
            ..LogConfig::default()
        };
        let log = create(&dir, config).await;
        for _ in 0..4 {
            append_committed(&log, &batch(4)).await; // each rolls, so that segments are being sealed
        }
        log.mark_deleted().await.unwrap();
        let id = TopicId::from_u128(7);
        let _fresh = PartitionLog::create(dir.clone(), id, LogConfig::default(), EPOCH)
            .await
            .unwrap();
        glommio::timer::sleep(std::time::Duration::from_millis(80)).await; // past flush.ms
        assert_eq!(
            files(&dir),
            [
                "00000000000000000000.log",
                "leader-epoch-checkpoint",
                "partition.metadata"
            ]
        );
        let metadata = std::fs::read_to_string(dir.join("partition.metadata")).unwrap();
        assert_eq!(
            metadata,
            format!(
                "version: 0\ntopic_id: {}\n",
                crate::types::kafka_uuid::encode(id)
            )
        );
    });
}

#[test]
fn of_the_snapshots_only_those_that_can_be_needed_stay() {
    with_dir(async |dir| {
        let config = LogConfig {
            segment_bytes: 1200,
            ..LogConfig::default()
        };
        create(&dir, config.clone()).await.close().await.unwrap();
        for _ in 0..3 {
            let (log, _) = open_with(&dir, config.clone(), Trust::CleanShutdown).await;
            append_committed(&log, &batch(4)).await; // two fit a segment
            log.close().await.unwrap();
        }
        let snapshots: Vec<_> = files(&dir)
            .into_iter()
            .filter(|name| name.ends_with("snapshot"))
            .collect();
        assert_eq!(
            snapshots,
            [
                "00000000000000000008.snapshot",
                "00000000000000000012.snapshot"
            ]
        );
    });
}

#[test]
fn logs_that_close_together_share_their_sync() {
    with_dir(async |dir| {
        let mut closing = Vec::new();
        for n in 0..50 {
            let log = create(
                &dir.with_file_name(format!("topic-{n}")),
                LogConfig::default(),
            )
            .await;
            append_committed(&log, &batch(1)).await;
            closing.push(glommio::spawn_local(async move {
                log.close().await.unwrap();
                assert_eq!(log.recovery_point(), Offset(1));
            }));
        }
        for task in closing {
            task.await;
        }
        let (log, report) = open(&dir.with_file_name("topic-49"), Trust::CleanShutdown).await;
        assert_eq!(
            (report.rebuilt_indexes, all_offsets(&log).await),
            (0, vec![(0, 0)])
        );
    });
}
