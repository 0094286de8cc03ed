//! Read views and plans: whole batches, limits, the high watermark.

use super::*;

#[test]
fn a_read_begins_with_the_batch_that_holds_the_offset() {
    with_log(LogConfig::default(), async |log| {
        for _ in 0..10 {
            append_committed(&log, &batch(5)).await;
        }
        let bytes = read(&log, 23, 1).await.unwrap();
        assert_eq!(offsets(&bytes), [(20, 24)]);
        let view = log.read_view(Offset(23)).unwrap();
        assert_eq!(
            view.plan(1, true).await.unwrap().unwrap().base_offset,
            Offset(20)
        );
    });
}

#[test]
fn a_read_takes_as_many_whole_batches_as_fit() {
    with_log(LogConfig::default(), async |log| {
        let size = batch(5).bytes.len() as u32;
        for _ in 0..10 {
            append_committed(&log, &batch(5)).await;
        }
        for (max_bytes, batches) in [(size, 1), (2 * size - 1, 1), (2 * size, 2), (100 * size, 8)] {
            let bytes = read(&log, 10, max_bytes).await.unwrap();
            assert_eq!(offsets(&bytes).len(), batches, "max_bytes {max_bytes}");
        }
        let view = log.read_view(Offset(10)).unwrap();
        assert!(
            view.plan(size - 1, false).await.unwrap().is_none(),
            "no batch fits and none is forced"
        );
    });
}

#[test]
fn old_records_are_found_through_the_index_as_new_ones_are_from_memory() {
    let config = LogConfig {
        index_interval_bytes: 2000,
        ..LogConfig::default()
    };
    with_log(config, async |log| {
        for _ in 0..1000 {
            append(&log, &batch(3));
        }
        log.committed(Offset(3000)).await.unwrap();
        let size = batch(3).bytes.len() as u32;
        for from in (0..3000).step_by(37) {
            let bytes = read(&log, from, 7 * size + 3).await.unwrap();
            let first = from / 3 * 3;
            let expected: Vec<_> = (0..7)
                .map(|n| (first + 3 * n, first + 3 * n + 2))
                .filter(|(base, _)| *base < 3000)
                .collect();
            assert_eq!(offsets(&bytes), expected, "from {from}");
        }
    });
}

#[test]
fn readers_see_nothing_past_the_high_watermark() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &batch(2)).await;
        append(&log, &batch(2));
        assert_eq!(log.log_end_offset(), Offset(4));
        assert_eq!(offsets(&read(&log, 0, u32::MAX).await.unwrap()), [(0, 1)]);
        for at in 2..=4 {
            let view = log.read_view(Offset(at)).unwrap();
            assert_eq!(view.high_watermark, Offset(2));
        }
    });
}

#[test]
fn the_ends_of_the_log_are_the_bounds_of_what_can_be_asked() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &batch(2)).await;
        assert!(
            read(&log, 2, 100).await.is_none(),
            "the log end is no error"
        );
        let range = ReadError::OutOfRange {
            start: Offset(0),
            end: Offset(2),
        };
        assert_eq!(log.read_view(Offset(3)).unwrap_err(), range);
        assert_eq!(log.read_view(Offset(-1)).unwrap_err(), range);
    });
}
