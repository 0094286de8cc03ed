//! When a new segment begins, and what becomes of the old one.

use std::fs;
use std::os::unix::fs::FileExt;

use super::*;

/// Two batches of four records fit a segment.
fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 1200,
        index_interval_bytes: 100,
        ..LogConfig::default()
    }
}

/// Appends one by one, and lets the sealing come to its end.
async fn append_all(log: &Rc<PartitionLog>, batches: &[ValidatedBatch]) {
    for batch in batches {
        append_committed(log, batch).await;
    }
    log.flush().await.unwrap();
    glommio::timer::sleep(std::time::Duration::from_millis(30)).await;
}

#[test]
fn a_full_segment_is_sealed_with_its_index_files_and_a_snapshot() {
    with_dir(async |dir| {
        let log = create(&dir, small_segments()).await;
        append_all(&log, &vec![batch(4); 5]).await;
        assert_eq!(log.segments_len(), 3);
        let names = files(&dir);
        for name in [
            "00000000000000000000.index",
            "00000000000000000000.log",
            "00000000000000000000.timeindex",
            "00000000000000000008.index",
            "00000000000000000008.snapshot",
            "00000000000000000016.log",
            "00000000000000000016.snapshot",
        ] {
            assert!(
                names.iter().any(|known| known == name),
                "{name} is missing in {names:?}"
            );
        }
        assert_eq!(
            all_offsets(&log).await,
            [(0, 3), (4, 7), (8, 11), (12, 15), (16, 19)]
        );
    });
}

#[test]
fn staged_batches_go_to_their_own_segments() {
    with_log(small_segments(), async |log| {
        for _ in 0..50 {
            append(&log, &batch(4));
        }
        log.committed(Offset(200)).await.unwrap();
        assert_eq!(log.segments_len(), 25);
        assert_eq!(all_offsets(&log).await.len(), 50);
    });
}

#[test]
fn sealed_segments_are_read_through_their_index_files() {
    with_dir(async |dir| {
        let config = LogConfig {
            segment_bytes: 20_000,
            index_interval_bytes: 1000,
            ..LogConfig::default()
        };
        let log = create(&dir, config).await;
        append_all(&log, &vec![batch(1); 1000]).await;
        let size = batch(1).bytes.len() as u32;
        for from in (0..1000).step_by(13) {
            let bytes = read(&log, from, 3 * size).await.unwrap();
            let found = offsets(&bytes);
            assert_eq!(found[0], (from, from), "from {from}");
            assert!(found.len() <= 3);
        }
        assert_eq!(all_offsets(&log).await.len(), 1000);
    });
}

#[test]
fn segment_ms_counts_from_the_first_records_timestamp() {
    let config = LogConfig {
        segment_ms: 1000,
        ..LogConfig::default()
    };
    with_log(config, async |log| {
        append_committed(&log, &batch_at(5000, 1)).await;
        append_committed(&log, &batch_at(6000, 1)).await;
        assert_eq!(log.segments_len(), 1);
        append_committed(&log, &batch_at(6001, 1)).await;
        assert_eq!(log.segments_len(), 2);
        append_committed(&log, &batch_at(5000, 1)).await;
        assert_eq!(log.segments_len(), 2, "an older record rolls nothing");
    });
}

#[test]
fn each_segment_is_rolled_early_by_a_jitter_of_its_own() {
    let config = LogConfig {
        segment_ms: 1000,
        segment_jitter_ms: 500,
        ..LogConfig::default()
    };
    with_log(config, async |log| {
        let mut lengths = std::collections::BTreeSet::new();
        let (mut first, mut segments) = (0, 0);
        for at in (0..30_000).step_by(20) {
            append_committed(&log, &batch_at(at, 1)).await;
            if log.segments_len() > segments {
                segments = log.segments_len();
                lengths.insert(at - first);
                first = at;
            }
        }
        lengths.remove(&0);
        assert!(lengths.len() > 3, "{lengths:?}");
        assert!(
            lengths.iter().all(|length| (500..=1020).contains(length)),
            "{lengths:?}"
        );
    });
}

#[test]
fn a_jitter_longer_than_segment_ms_leaves_a_segment_some_time() {
    let config = LogConfig {
        segment_ms: 1000,
        segment_jitter_ms: 1_000_000,
        ..LogConfig::default()
    };
    with_log(config, async |log| {
        for _ in 0..20 {
            append_committed(&log, &batch_at(NOW.0, 1)).await;
        }
        assert_eq!(log.segments_len(), 1);
        append_committed(&log, &batch_at(NOW.0 + 1001, 1)).await;
        assert_eq!(log.segments_len(), 2);
    });
}

#[test]
fn a_full_index_rolls_the_segment() {
    let config = LogConfig {
        index_interval_bytes: 0,
        index_max_bytes: 24,
        ..LogConfig::default()
    };
    with_log(config, async |log| {
        for n in 0..10 {
            append_committed(&log, &batch_at(1000 + n, 1)).await;
        }
        assert!(log.segments_len() > 2, "{} segments", log.segments_len());
        assert_eq!(all_offsets(&log).await.len(), 10);
    });
}

#[test]
fn a_sealed_segment_moves_the_recovery_point() {
    with_log(small_segments(), async |log| {
        for _ in 0..4 {
            append_committed(&log, &batch(4)).await;
        }
        glommio::timer::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(log.recovery_point(), Offset(8));
    });
}

#[test]
fn an_offset_that_an_index_entry_cannot_hold_begins_a_segment() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        append_committed(&log, &batch(2)).await;
        log.close().await.unwrap();
        // As if compaction had taken two thousand million records; no checksum covers the base offset.
        let last = i64::from(i32::MAX);
        let path = dir.join("00000000000000000000.log");
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.write_all_at(&(last - 2).to_be_bytes(), 0).unwrap();
        for kind in ["index", "timeindex", "snapshot"] {
            let _ = fs::remove_file(dir.join(format!("{:020}.{kind}", 0)));
        }
        let (log, report) = open(&dir, UNCLEAN).await;
        assert_eq!((report.log_end_offset, &report.cut), (Offset(last), &None));
        append_committed(&log, &batch(1)).await;
        assert_eq!(log.segments_len(), 1, "the last that can be held");
        append_committed(&log, &batch(2)).await;
        assert_eq!(log.segments_len(), 2);
        let expected = [(last - 2, last - 1), (last, last), (last + 1, last + 2)];
        assert_eq!(all_offsets(&log).await, expected);
    });
}
