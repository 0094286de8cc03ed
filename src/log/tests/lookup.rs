//! Finding records by their time.

use super::*;

/// A batch whose records have these timestamps.
fn batch_of(timestamps: &[i64], codec: Codec) -> ValidatedBatch {
    let mut builder = BatchBuilder::new(codec);
    for timestamp in timestamps {
        builder.append(*timestamp, None, Some(&[7; 50]), &[]);
    }
    builder.build_validated()
}

async fn find(log: &Rc<PartitionLog>, timestamp: i64) -> Option<(i64, i64)> {
    let found = log.offset_for_timestamp(timestamp).await.unwrap()?;
    assert_eq!(found.leader_epoch, EPOCH);
    Some((found.offset.0, found.timestamp))
}

#[test]
fn the_first_record_at_or_after_a_time_is_found_though_times_go_back() {
    with_log(LogConfig::default(), async |log| {
        for timestamps in [[100, 300, 200], [50, 60, 70], [500, 400, 600]] {
            append_committed(&log, &batch_of(&timestamps, Codec::None)).await;
        }
        assert_eq!(find(&log, 0).await, Some((0, 100)));
        assert_eq!(find(&log, 101).await, Some((1, 300)));
        assert_eq!(find(&log, 301).await, Some((6, 500)));
        assert_eq!(find(&log, 501).await, Some((8, 600)));
        assert_eq!(find(&log, 601).await, None);
    });
}

#[test]
fn compressed_batches_are_searched_record_by_record() {
    with_log(LogConfig::default(), async |log| {
        for codec in Codec::ALL {
            append_committed(&log, &batch_of(&[10, 20, 30], codec)).await;
        }
        assert_eq!(find(&log, 15).await, Some((1, 20)));
        let max = log.offset_of_max_timestamp().await.unwrap().unwrap();
        assert_eq!(
            (max.offset, max.timestamp),
            (Offset(2), 30),
            "the first that has the largest"
        );
    });
}

#[test]
fn every_time_is_found_in_every_segment_sealed_or_not() {
    with_dir(async |dir| {
        let config = LogConfig {
            segment_bytes: 3000,
            index_interval_bytes: 300,
            ..LogConfig::default()
        };
        let log = create(&dir, config.clone()).await;
        for n in 0..300 {
            append_committed(&log, &batch_at(1000 * n, 2)).await;
        }
        let check = async |log: &Rc<PartitionLog>| {
            for n in 0..300 {
                assert_eq!(find(log, 1000 * n).await, Some((2 * n, 1000 * n)));
                assert_eq!(
                    find(log, 1000 * n + 1).await,
                    Some((2 * n + 1, 1000 * n + 1))
                );
            }
            assert_eq!(find(log, 299_002).await, None);
            let max = log.offset_of_max_timestamp().await.unwrap().unwrap();
            assert_eq!((max.offset, max.timestamp), (Offset(599), 299_001));
        };
        check(&log).await;
        assert!(log.segments_len() > 10);
        log.close().await.unwrap();
        let (log, _) = open_with(&dir, config, Trust::CleanShutdown).await;
        check(&log).await;
    });
}

#[test]
fn an_empty_log_has_no_times() {
    with_log(LogConfig::default(), async |log| {
        assert_eq!(find(&log, 0).await, None);
        assert_eq!(log.offset_of_max_timestamp().await.unwrap(), None);
    });
}

#[test]
fn a_record_in_flight_is_found_once_it_is_committed() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &batch_of(&[10], Codec::None)).await;
        append(&log, &batch_of(&[20], Codec::None));
        assert_eq!(find(&log, 15).await, None);
        let max = log.offset_of_max_timestamp().await.unwrap().unwrap();
        assert_eq!((max.offset, max.timestamp), (Offset(1), 20));
    });
}
