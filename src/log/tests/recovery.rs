//! Opening after an unclean stop: torn and damaged batches, lost files, what must not be trusted.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use super::*;

/// Makes a log of `batches` batches of two records and leaves it without closing; returns the size of one batch.
async fn abandoned(dir: &Path, config: LogConfig, batches: i64) -> u64 {
    let log = create(dir, config).await;
    for n in 0..batches {
        append_committed(&log, &idempotent(7, 0, 2 * n as i32)).await;
    }
    idempotent(7, 0, 0).bytes.len() as u64
}

fn log_file(dir: &Path, base: i64) -> PathBuf {
    dir.join(format!("{base:020}.log"))
}

#[test]
fn an_unclean_stop_loses_nothing_that_was_written() {
    with_dir(async |dir| {
        abandoned(&dir, LogConfig::default(), 20).await;
        let (log, report) = open(&dir, UNCLEAN).await;
        assert_eq!((report.log_end_offset, &report.cut), (Offset(40), &None));
        assert_eq!(
            report.checked_bytes,
            fs::metadata(log_file(&dir, 0)).unwrap().len()
        );
        assert_eq!(all_offsets(&log).await.len(), 20);
        assert!(
            append(&log, &idempotent(7, 0, 38)).duplicate,
            "the producers are known again"
        );
        append_committed(&log, &idempotent(7, 0, 40)).await;
        assert_eq!(log.segments_len(), 1, "without a cut the segment goes on");
    });
}

#[test]
fn a_last_batch_torn_at_any_byte_is_cut_off_and_reported() {
    with_dir(async |dir| {
        let size = abandoned(&dir, LogConfig::default(), 3).await;
        let content = fs::read(log_file(&dir, 0)).unwrap();
        for torn in 1..size {
            let copy = dir.with_file_name(format!("torn-{torn}"));
            fs::create_dir(&copy).unwrap();
            fs::write(log_file(&copy, 0), &content[..(2 * size + torn) as usize]).unwrap();
            let (log, report) = open(&copy, UNCLEAN).await;
            let cut = report.cut.expect("a cut");
            assert_eq!(
                (cut.position, cut.offset, cut.lost_bytes),
                (2 * size, Offset(4), torn),
                "{}",
                cut.reason
            );
            assert_eq!(log.high_watermark(), Offset(4));
            drop(log);
            fs::remove_dir_all(&copy).unwrap();
        }
    });
}

#[test]
fn a_damaged_byte_anywhere_in_a_batch_cuts_the_log_there() {
    with_dir(async |dir| {
        let size = abandoned(&dir, LogConfig::default(), 4).await;
        let content = fs::read(log_file(&dir, 0)).unwrap();
        // All but the leader epoch (bytes 12 to 15), which no checksum covers.
        for at in (0..size).filter(|at| !(12..16).contains(at)) {
            let copy = dir.with_file_name(format!("damaged-{at}"));
            fs::create_dir(&copy).unwrap();
            let mut damaged = content.clone();
            damaged[(2 * size + at) as usize] ^= 0x40;
            fs::write(log_file(&copy, 0), &damaged).unwrap();
            let (log, report) = open(&copy, UNCLEAN).await;
            // No checksum covers the base offset: the batch behind it tells that it is wrong.
            assert_eq!(
                report.cut.map(|cut| (cut.position, cut.lost_bytes)),
                Some((2 * size, 2 * size)),
                "byte {at}"
            );
            assert_eq!(log.high_watermark(), Offset(4));
            drop(log);
            fs::remove_dir_all(&copy).unwrap();
        }
    });
}

#[test]
fn after_a_cut_appends_go_to_a_new_file() {
    with_dir(async |dir| {
        let size = abandoned(&dir, LogConfig::default(), 3).await;
        OpenOptions::new()
            .write(true)
            .open(log_file(&dir, 0))
            .unwrap()
            .set_len(3 * size - 1)
            .unwrap();
        let (log, _) = open(&dir, UNCLEAN).await;
        append_committed(&log, &idempotent(7, 0, 4)).await;
        assert_eq!(fs::metadata(log_file(&dir, 0)).unwrap().len(), 2 * size);
        assert_eq!(fs::metadata(log_file(&dir, 4)).unwrap().len(), size);
        assert_eq!(all_offsets(&log).await, [(0, 1), (2, 3), (4, 5)]);
        log.close().await.unwrap();
        let (log, _) = open(&dir, Trust::CleanShutdown).await;
        assert_eq!(all_offsets(&log).await, [(0, 1), (2, 3), (4, 5)]);
    });
}

#[test]
fn a_segment_cut_to_nothing_gives_way_to_a_new_one() {
    with_dir(async |dir| {
        abandoned(&dir, LogConfig::default(), 1).await;
        fs::write(log_file(&dir, 0), [0; 5000]).unwrap(); // as a power cut may leave it
        let (log, report) = open(&dir, UNCLEAN).await;
        assert_eq!(report.cut.map(|cut| cut.lost_bytes), Some(5000));
        assert_eq!((log.log_end_offset(), log.segments_len()), (Offset(0), 1));
        append_committed(&log, &batch(1)).await;
        assert_eq!(all_offsets(&log).await, [(0, 0)]);
    });
}

#[test]
fn damage_in_an_earlier_segment_drops_the_later_ones() {
    with_dir(async |dir| {
        let config = LogConfig {
            segment_bytes: 1000,
            ..LogConfig::default()
        };
        let size = abandoned(&dir, config.clone(), 9).await; // three a segment
        OpenOptions::new()
            .write(true)
            .open(log_file(&dir, 6))
            .unwrap()
            .write_all_at(b"!", size + 70)
            .unwrap();
        let (log, report) = open_with(&dir, config, UNCLEAN).await;
        let cut = report.cut.expect("a cut");
        assert_eq!(
            (cut.offset, cut.lost_bytes, cut.dropped_segments),
            (Offset(8), 5 * size, 1)
        );
        assert_eq!(all_offsets(&log).await, [(0, 1), (2, 3), (4, 5), (6, 7)]);
        assert!(
            !append(&log, &idempotent(7, 0, 8)).duplicate,
            "the producers go back with the records"
        );
        log.committed(Offset(10)).await.unwrap();
        assert_eq!(all_offsets(&log).await.len(), 5);
    });
}

#[test]
fn batches_before_the_recovery_point_are_not_checked_again() {
    with_dir(async |dir| {
        let size = abandoned(&dir, LogConfig::default(), 10).await;
        let trust = Trust::Recover {
            recovery_point: Offset(12),
        };
        let (log, report) = open(&dir, trust).await;
        assert_eq!(report.checked_bytes, 4 * size);
        assert_eq!(
            (log.log_end_offset(), all_offsets(&log).await.len()),
            (Offset(20), 10)
        );
        assert!(append(&log, &idempotent(7, 0, 10)).base_offset >= Offset(10));
    });
}

#[test]
fn recovery_syncs_what_the_crash_left_in_the_page_cache() {
    with_dir(async |dir| {
        abandoned(&dir, LogConfig::default(), 10).await;
        let (log, _) = open(
            &dir,
            Trust::Recover {
                recovery_point: Offset(12),
            },
        )
        .await;
        assert_eq!(
            (log.recovery_point(), log.high_watermark()),
            (Offset(12), Offset(20))
        );
        log.flush().await.unwrap();
        assert_eq!(log.recovery_point(), Offset(20));
    });
}

#[test]
fn stray_files_are_removed() {
    with_dir(async |dir| {
        abandoned(&dir, LogConfig::default(), 2).await;
        for stray in [
            "00000000000000000000.index.tmp",
            "x.deleted",
            "00000000000000000000.log.swap",
            "00000000000000000099.snapshot",
            "00000000000000000099.index",
        ] {
            fs::write(dir.join(stray), b"stray").unwrap();
        }
        let (log, _) = open(&dir, UNCLEAN).await;
        assert_eq!(log.log_end_offset(), Offset(4));
        // What is large may take its time.
        while dir.join("x.deleted").exists() {
            glommio::timer::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert_eq!(
            files(&dir),
            [
                "00000000000000000000.log",
                "leader-epoch-checkpoint",
                "partition.metadata"
            ]
        );
    });
}

#[test]
fn a_damaged_snapshot_is_replaced_by_the_batches() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        append_committed(&log, &idempotent(7, 0, 0)).await;
        log.close().await.unwrap();
        fs::write(dir.join("00000000000000000002.snapshot"), b"nonsense").unwrap();
        let (log, _) = open(&dir, Trust::CleanShutdown).await;
        assert!(append(&log, &idempotent(7, 0, 0)).duplicate);
    });
}

#[test]
fn a_clean_mark_over_a_torn_segment_is_not_believed() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        let size = append_committed(&log, &batch(2)).await.last_offset.0 as u64; // 1
        append_committed(&log, &batch(2)).await;
        log.close().await.unwrap();
        let file = OpenOptions::new()
            .write(true)
            .open(log_file(&dir, 0))
            .unwrap();
        file.set_len(file.metadata().unwrap().len() - size).unwrap();
        let (log, report) = open(&dir, Trust::CleanShutdown).await;
        assert_eq!(report.cut.map(|cut| cut.offset), Some(Offset(2)));
        assert_eq!(all_offsets(&log).await, [(0, 1)]);
    });
}

#[test]
fn lost_epochs_are_taken_from_the_batches() {
    with_dir(async |dir| {
        abandoned(&dir, LogConfig::default(), 2).await;
        fs::remove_file(dir.join("leader-epoch-checkpoint")).unwrap();
        fs::write(dir.join("partition.metadata"), b"").unwrap();
        let (log, _) = open(&dir, UNCLEAN).await;
        assert_eq!(log.latest_epoch(), Some(EPOCH));
        assert_eq!(
            fs::read_to_string(dir.join("leader-epoch-checkpoint")).unwrap(),
            "0\n1\n3 0\n"
        );
        assert_eq!(log.topic_id(), None);
    });
}

#[test]
fn epochs_that_began_past_the_end_are_forgotten() {
    with_dir(async |dir| {
        abandoned(&dir, LogConfig::default(), 2).await;
        let epochs = dir.join("leader-epoch-checkpoint");
        fs::write(&epochs, b"0\n2\n3 0\n9 100\n").unwrap();
        let (log, _) = open(&dir, UNCLEAN).await;
        assert_eq!(log.log_end_offset(), Offset(4));
        assert_eq!(log.latest_epoch(), Some(EPOCH));
        assert_eq!(fs::read_to_string(&epochs).unwrap(), "0\n1\n3 0\n");
    });
}
