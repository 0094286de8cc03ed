//! Deleting records: what readers see, which files go, and what an open afterwards finds.

use std::time::Duration;

use super::*;

/// Two batches of four records fit a segment.
fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 1200,
        index_interval_bytes: 100,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    }
}

/// A log of five batches in three segments, the old ones sealed.
async fn three_segments(dir: &Path) -> Rc<PartitionLog> {
    let log = create(dir, small_segments()).await;
    for _ in 0..5 {
        append_committed(&log, &batch(4)).await;
    }
    log.flush().await.unwrap();
    while !has(dir, "00000000000000000008.timeindex") || !sealed(&log) {
        glommio::timer::sleep(Duration::from_millis(5)).await;
    }
    log
}

fn sealed(log: &PartitionLog) -> bool {
    let state = log.state.borrow();
    state.segments[..2]
        .iter()
        .all(|segment| segment.settled.get())
}

fn has(dir: &Path, name: &str) -> bool {
    files(dir).iter().any(|known| known == name)
}

async fn delete_before(log: &Rc<PartitionLog>, start: i64) -> Result<Offset, LogStartError> {
    log.advance_log_start(Offset(start)).await
}

#[test]
fn records_before_the_new_start_cannot_be_read() {
    with_dir(async |dir| {
        let log = three_segments(&dir).await;
        assert_eq!(delete_before(&log, 10).await.unwrap(), Offset(10));
        assert_eq!(log.log_start_offset(), Offset(10));
        assert!(matches!(
            log.read_view(Offset(9)),
            Err(ReadError::OutOfRange {
                start: Offset(10),
                end: Offset(20)
            })
        ));
        // Batches are not cut: the one that holds offset 10 is read whole.
        assert_eq!(all_offsets(&log).await, [(8, 11), (12, 15), (16, 19)]);
    });
}

#[test]
fn the_start_never_goes_back_nor_past_the_high_watermark() {
    with_dir(async |dir| {
        let log = three_segments(&dir).await;
        assert!(matches!(
            delete_before(&log, 21).await,
            Err(LogStartError::OutOfRange { .. })
        ));
        assert_eq!(log.log_start_offset(), Offset(0));
        delete_before(&log, 20).await.unwrap();
        assert_eq!(delete_before(&log, 5).await.unwrap(), Offset(20));
        append_committed(&log, &batch(4)).await;
        assert_eq!(all_offsets(&log).await, [(20, 23)]);
    });
}

#[test]
fn whole_segments_before_the_start_go_and_their_readers_finish() {
    with_dir(async |dir| {
        let log = three_segments(&dir).await;
        let view = log.read_view(Offset(0)).unwrap();
        let plan = view.plan(1 << 20, true).await.unwrap().unwrap();
        delete_before(&log, 17).await.unwrap();
        assert_eq!(log.segments_len(), 1);
        assert!(!has(&dir, "00000000000000000000.log"));
        while files(&dir).iter().any(|name| name.ends_with(".deleted")) {
            glommio::timer::sleep(Duration::from_millis(5)).await;
        }
        for gone in ["00000000000000000000", "00000000000000000008"] {
            assert!(!files(&dir).iter().any(|name| name.starts_with(gone)));
        }
        let bytes = plan.file.read_at(plan.position, plan.len as usize).await;
        assert_eq!(offsets(&bytes.unwrap()), [(0, 3), (4, 7)]);
    });
}

#[test]
fn the_start_is_kept_by_an_open_after_any_stop() {
    for clean in [true, false] {
        with_dir(async |dir| {
            let log = three_segments(&dir).await;
            delete_before(&log, 10).await.unwrap();
            let trust = if clean {
                log.close().await.unwrap();
                Trust::CleanShutdown
            } else {
                UNCLEAN
            };
            drop(log);
            let opened =
                PartitionLog::open_from(dir.clone(), small_segments(), trust, Offset(10)).await;
            let (log, _) = opened.unwrap();
            assert_eq!(log.log_start_offset(), Offset(10), "clean: {clean}");
            assert_eq!(log.log_end_offset(), Offset(20), "clean: {clean}");
        });
    }
}

#[test]
fn a_start_that_is_not_the_logs_own_hides_nothing() {
    with_dir(async |dir| {
        let log = three_segments(&dir).await;
        log.close().await.unwrap();
        let opened = PartitionLog::open_from(
            dir.clone(),
            small_segments(),
            Trust::CleanShutdown,
            Offset(10),
        );
        let (log, _) = opened.await.unwrap();
        assert_eq!(log.log_start_offset(), Offset(0));
        assert_eq!(all_offsets(&log).await.len(), 5);
    });
}
