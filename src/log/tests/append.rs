//! Offsets, stamps, order, and idempotent producers.

use super::*;
use crate::wire::records::TimestampType;

#[test]
fn batches_get_consecutive_offsets_and_are_read_back_as_they_were_sent() {
    with_log(LogConfig::default(), async |log| {
        let sent = [batch(3), batch(1), batch(5)];
        for batch in &sent {
            append_committed(&log, batch).await;
        }
        assert_eq!(log.log_end_offset(), Offset(9));
        let bytes = read(&log, 0, u32::MAX).await.unwrap();
        assert_eq!(offsets(&bytes), [(0, 2), (3, 3), (4, 8)]);
        let mut rest = &bytes[..];
        for batch in &sent {
            let (got, behind) = rest.split_at(batch.bytes.len());
            assert_eq!(
                got[16..],
                batch.bytes[16..],
                "only offset and leader epoch differ"
            );
            rest = behind;
        }
    });
}

#[test]
fn many_appends_at_once_share_writes_and_stay_in_order() {
    with_log(LogConfig::default(), async |log| {
        let waits: Vec<_> = (0..500)
            .map(|_| {
                let appended = append(&log, &batch(2));
                log.committed(appended.last_offset + 1)
            })
            .collect();
        assert_eq!(
            log.high_watermark(),
            Offset::ZERO,
            "nothing is committed before it is written"
        );
        assert!(log.staged_bytes() > 0);
        for wait in waits {
            wait.await.unwrap();
        }
        assert_eq!(log.high_watermark(), Offset(1000));
        assert_eq!(log.staged_bytes(), 0);
        let expected: Vec<_> = (0..500).map(|n| (2 * n, 2 * n + 1)).collect();
        assert_eq!(all_offsets(&log).await, expected);
    });
}

#[test]
fn a_topic_with_log_append_time_stamps_the_batch() {
    let config = LogConfig {
        timestamp_type: TimestampType::LogAppendTime,
        ..LogConfig::default()
    };
    with_log(config, async |log| {
        let appended = append_committed(&log, &batch_at(5, 1)).await;
        assert_eq!(appended.log_append_time, NOW.0);
        let bytes = read(&log, 0, u32::MAX).await.unwrap();
        let header = BatchHeader::read_checked(&bytes).unwrap();
        assert_eq!(header.max_timestamp(), NOW.0);
        assert_eq!(
            header.attributes().timestamp_type(),
            TimestampType::LogAppendTime
        );
    });
}

#[test]
fn a_repeated_batch_gets_the_original_offsets_and_waits_for_the_original() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &batch(4)).await;
        let original = append(&log, &idempotent(9, 0, 0));
        let repeated = append(&log, &idempotent(9, 0, 0));
        assert!(repeated.duplicate && !original.duplicate);
        assert_eq!(
            (repeated.base_offset, repeated.last_offset),
            (Offset(4), Offset(5))
        );
        assert_eq!(
            log.high_watermark(),
            Offset(4),
            "the original is still in flight"
        );
        log.committed(repeated.last_offset + 1).await.unwrap();
        assert_eq!(all_offsets(&log).await, [(0, 3), (4, 5)]);
    });
}

#[test]
fn gaps_and_old_epochs_are_refused_and_leave_the_log_alone() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &idempotent(9, 1, 0)).await;
        let gap = log.append(&idempotent(9, 1, 3), EPOCH, NOW).unwrap_err();
        assert!(matches!(
            gap,
            AppendError::OutOfOrderSequence {
                sequence: 3,
                last_sequence: 1,
                ..
            }
        ));
        let old = log.append(&idempotent(9, 0, 2), EPOCH, NOW).unwrap_err();
        assert!(matches!(
            old,
            AppendError::InvalidProducerEpoch {
                current_epoch: 1,
                ..
            }
        ));
        assert_eq!(log.log_end_offset(), Offset(2));
        append_committed(&log, &idempotent(9, 1, 2)).await;
        append_committed(&log, &idempotent(9, 2, 0)).await;
        assert_eq!(log.high_watermark(), Offset(6));
    });
}

#[test]
fn a_batch_larger_than_a_segment_is_refused() {
    let config = LogConfig {
        segment_bytes: 1000,
        ..LogConfig::default()
    };
    with_log(config, async |log| {
        let refused = log.append(&batch(20), EPOCH, NOW).unwrap_err();
        assert!(matches!(
            refused,
            AppendError::BatchTooLarge {
                segment_bytes: 1000,
                ..
            }
        ));
        append_committed(&log, &batch(2)).await;
    });
}

#[test]
fn everyone_is_told_when_the_high_watermark_moves() {
    with_log(LogConfig::default(), async |log| {
        let news = Rc::new(std::cell::RefCell::new(Vec::new()));
        let heard = news.clone();
        log.set_on_advance(Box::new(move |advance| heard.borrow_mut().push(advance)));
        let sent = batch(3);
        append_committed(&log, &sent).await;
        assert_eq!(
            news.borrow()[..],
            [Advance {
                high_watermark: Offset(3),
                bytes: sent.bytes.len() as u64,
                stable_bytes: sent.bytes.len() as u64,
                cause: AdvanceCause::Committed
            }]
        );
    });
}

#[test]
fn a_dropped_wait_drops_no_write() {
    with_log(LogConfig::default(), async |log| {
        for _ in 0..50 {
            let appended = append(&log, &batch(1));
            drop(log.committed(appended.last_offset + 1));
        }
        log.committed(Offset(50)).await.unwrap();
        assert_eq!(all_offsets(&log).await.len(), 50);
    });
}

#[test]
fn leader_epochs_are_kept_with_the_offsets_where_they_begin() {
    with_dir(async |dir| {
        let log = create(&dir, LogConfig::default()).await;
        append_committed(&log, &batch(4)).await;
        log.append(&batch(1), LeaderEpoch(5), NOW).unwrap();
        log.committed(Offset(5)).await.unwrap();
        assert_eq!(log.latest_epoch(), Some(LeaderEpoch(5)));
        assert_eq!(
            log.end_offset_for_epoch(LeaderEpoch(4)),
            (LeaderEpoch(3), Offset(4))
        );
        assert_eq!(
            log.end_offset_for_epoch(LeaderEpoch(5)),
            (LeaderEpoch(5), Offset(5))
        );
        assert_eq!(
            log.end_offset_for_epoch(LeaderEpoch(6)),
            (LeaderEpoch(-1), Offset(-1))
        );
        let file = std::fs::read_to_string(dir.join("leader-epoch-checkpoint")).unwrap();
        assert_eq!(file, "0\n2\n3 0\n5 4\n");
    });
}
