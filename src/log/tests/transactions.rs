//! Transactions as the log's users see them: markers, the last stable offset, what readers of committed records get, and what
//! is left of it after a stop.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::compaction::settle;
use super::*;
use crate::wire::records::{EndTransaction, Scratch, batches};

/// Offset, key, value.
pub(super) type Seen = (i64, String, String);

/// A batch of one record of a transaction.
pub(super) fn of_transaction(producer_id: i64, epoch: i16, sequence: i32) -> ValidatedBatch {
    of_key(producer_id, epoch, sequence, "k", "v")
}

pub(super) fn of_key(
    producer_id: i64,
    epoch: i16,
    sequence: i32,
    key: &str,
    value: &str,
) -> ValidatedBatch {
    let mut builder = BatchBuilder::new(Codec::None)
        .producer(producer_id, epoch, sequence)
        .transactional();
    builder.append(NOW.0, Some(key.as_bytes()), Some(value.as_bytes()), &[]);
    builder.build_validated()
}

pub(super) fn marker(producer_id: i64, epoch: i16, committed: bool) -> Marker {
    Marker {
        producer_id,
        epoch,
        end: EndTransaction {
            committed,
            coordinator_epoch: 0,
        },
        transaction_version: 0,
    }
}

/// Ends a producer's transaction and waits until that is committed.
pub(super) async fn end(
    log: &Rc<PartitionLog>,
    producer_id: i64,
    epoch: i16,
    committed: bool,
) -> i64 {
    let marker = marker(producer_id, epoch, committed);
    let appended = log.append_marker(&marker, EPOCH, NOW).expect("a marker");
    log.committed(appended.last_offset + 1).await.unwrap();
    appended.base_offset.0
}

/// What a consumer of committed records makes of what it gets from `from` on, as Kafka's clients do.
pub(super) async fn committed_from(log: &Rc<PartitionLog>, from: i64, max_bytes: u32) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut next = from;
    loop {
        let view = log.read_view(Offset(next)).expect("the offset is in range");
        let (plan, mut aborted) = view.plan_committed(max_bytes, true).await.expect("a plan");
        let Some(plan) = plan else { return seen };
        let bytes = plan.file.read_at(plan.position, plan.len as usize).await;
        aborted.sort_by_key(|one| std::cmp::Reverse(one.first_offset));
        let mut aborting = HashSet::new();
        for batch in batches(bytes.expect("the planned bytes")) {
            let batch = batch.unwrap();
            let header = batch.header();
            while let Some(one) = aborted.pop_if(|one| one.first_offset <= header.last_offset()) {
                aborting.insert(one.producer_id);
            }
            let end = EndTransaction::of_batch(batch.bytes()).unwrap();
            if end.is_some_and(|end| !end.committed) {
                aborting.remove(&header.producer_id());
            }
            let attributes = header.attributes();
            let hidden = attributes.is_control()
                || attributes.is_transactional() && aborting.contains(&header.producer_id());
            if !hidden {
                let records = batch.records(1 << 20, &mut Scratch::default()).unwrap();
                for record in &records {
                    let record = record.unwrap();
                    let text = |bytes: Option<&[u8]>| {
                        String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap()
                    };
                    if record.offset.0 >= next {
                        seen.push((record.offset.0, text(record.key), text(record.value)));
                    }
                }
            }
            next = header.next_offset().0;
        }
        assert!(next <= log.last_stable_offset().0, "past what is stable");
    }
}

/// What the log knows of transactions is what its batches, read from offset 0, say.
pub(super) async fn assert_agrees_with_its_batches(log: &Rc<PartitionLog>, what: &str) {
    let (mut open, mut ended) = (BTreeMap::new(), BTreeSet::new());
    let mut next = 0;
    while let Some(bytes) = read(log, next, 1 << 20).await {
        for batch in batches(bytes) {
            let batch = batch.unwrap();
            let header = batch.header();
            let (producer_id, base) = (header.producer_id(), header.base_offset());
            next = header.next_offset().0;
            match EndTransaction::of_batch(batch.bytes()).unwrap() {
                Some(end) => {
                    let first = open.remove(&producer_id).filter(|_| !end.committed);
                    ended.extend(first.map(|first| (producer_id, first)));
                }
                None if header.attributes().is_transactional() => {
                    open.entry(producer_id).or_insert(base);
                }
                None => {}
            }
        }
    }
    let first_open = open.values().min().copied();
    let stable = log.last_stable_offset();
    assert_eq!(stable, first_open.unwrap_or(log.high_watermark()), "{what}");
    let mut listed = BTreeSet::new();
    let mut next = Offset::ZERO;
    while next < stable {
        let view = log.read_view(next).unwrap();
        let (plan, aborted) = view.plan_committed(300, true).await.unwrap();
        let Some(plan) = plan else { break };
        listed.extend(
            aborted
                .iter()
                .map(|one| (one.producer_id, one.first_offset)),
        );
        let bytes = plan.file.read_at(plan.position, plan.len as usize).await;
        let last = batches(bytes.unwrap()).last().expect("a plan is not empty");
        next = last.unwrap().header().next_offset();
    }
    ended.retain(|(_, first)| *first < stable);
    assert_eq!(listed, ended, "{what}");
}

async fn committed_offsets(log: &Rc<PartitionLog>) -> Vec<i64> {
    let seen = committed_from(log, log.log_start_offset().0, 1 << 20).await;
    seen.into_iter().map(|(offset, ..)| offset).collect()
}

#[test]
fn an_open_transaction_holds_the_last_stable_offset_and_its_marker_lets_it_go() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &batch(1)).await;
        append_committed(&log, &of_transaction(7, 0, 0)).await;
        append_committed(&log, &batch(1)).await;
        assert_eq!(log.last_stable_offset(), Offset(1));
        assert!(log.has_open_transaction(7, 0) && !log.has_open_transaction(7, 1));
        assert_eq!(committed_offsets(&log).await, [0]);
        assert_eq!(all_offsets(&log).await.len(), 3, "others read on");
        end(&log, 7, 0, true).await;
        assert_eq!(log.last_stable_offset(), Offset(4));
        assert_eq!(committed_offsets(&log).await, [0, 1, 2]);
    });
}

#[test]
fn what_was_aborted_is_told_and_what_the_producer_writes_later_is_not_hidden() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &of_transaction(7, 0, 0)).await;
        append_committed(&log, &of_transaction(8, 0, 0)).await;
        assert_eq!(end(&log, 7, 0, false).await, 2);
        assert_eq!(log.last_stable_offset(), Offset(1));
        append_committed(&log, &of_transaction(7, 0, 1)).await;
        end(&log, 8, 0, true).await;
        end(&log, 7, 0, true).await;
        assert_eq!(committed_offsets(&log).await, [1, 3]);
        let view = log.read_view(Offset(0)).unwrap();
        let (_, aborted) = view.plan_committed(1 << 20, true).await.unwrap();
        let expected = AbortedTransaction {
            producer_id: 7,
            first_offset: Offset(0),
            last_offset: Offset(2),
            last_stable_offset: Offset(1),
        };
        assert_eq!(aborted, [expected]);
    });
}

#[test]
fn a_marker_of_an_older_epoch_or_coordinator_is_refused_and_one_without_a_transaction_is_not() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &of_transaction(7, 5, 0)).await;
        let older = log.append_marker(&marker(7, 4, true), EPOCH, NOW);
        assert!(matches!(
            older,
            Err(AppendError::InvalidProducerEpoch { .. })
        ));
        let mut first = marker(7, 5, true);
        first.end.coordinator_epoch = 3;
        log.append_marker(&first, EPOCH, NOW).unwrap();
        let fenced = log.append_marker(&marker(7, 5, true), EPOCH, NOW);
        assert!(matches!(fenced, Err(AppendError::CoordinatorFenced { .. })));
        log.append_marker(&first, EPOCH, NOW).unwrap();
        log.append_marker(&marker(99, 0, false), EPOCH, NOW)
            .unwrap();
    });
}

#[test]
fn a_batch_outside_of_the_open_transaction_is_refused() {
    with_log(LogConfig::default(), async |log| {
        append_committed(&log, &of_transaction(7, 0, 0)).await;
        let plain = log.append(&idempotent(7, 0, 1), EPOCH, NOW);
        assert!(matches!(
            plain,
            Err(AppendError::InvalidTransactionState { .. })
        ));
        end(&log, 7, 0, true).await;
        append_committed(&log, &idempotent(7, 0, 1)).await;
    });
}

fn three_a_segment() -> LogConfig {
    LogConfig {
        segment_bytes: 250,
        index_interval_bytes: 100,
        ..LogConfig::default()
    }
}

/// Transactions over several segments: of 7 aborted, of 8 committed, of 9 open.
async fn over_segments(log: &Rc<PartitionLog>) {
    for sequence in 0..4 {
        append_committed(log, &of_transaction(7, 0, sequence)).await;
        append_committed(log, &of_transaction(8, 0, sequence)).await;
    }
    end(log, 7, 0, false).await;
    append_committed(log, &of_transaction(9, 0, 0)).await;
    end(log, 8, 0, true).await;
    append_committed(log, &of_transaction(7, 0, 4)).await;
    end(log, 7, 0, false).await;
    settle(log).await;
}

async fn assert_over_segments(log: &Rc<PartitionLog>) {
    assert!(log.segments_len() > 2);
    assert_eq!(log.last_stable_offset(), Offset(9));
    assert_eq!(committed_offsets(log).await, [1, 3, 5, 7]);
    assert!(log.has_open_transaction(9, 0));
    assert!(!log.has_open_transaction(7, 0) && !log.has_open_transaction(8, 0));
}

#[test]
fn transactions_over_segments_are_as_they_were_after_any_stop() {
    for trust in [Trust::CleanShutdown, UNCLEAN] {
        with_dir(async |dir| {
            let log = create(&dir, three_a_segment()).await;
            over_segments(&log).await;
            assert_over_segments(&log).await;
            log.close().await.unwrap();
            let (log, report) = open_with(&dir, three_a_segment(), trust).await;
            assert_eq!(report.cut, None);
            assert_over_segments(&log).await;
            end(&log, 9, 0, false).await;
            assert_eq!(log.last_stable_offset(), log.high_watermark());
            assert_eq!(committed_offsets(&log).await, [1, 3, 5, 7]);
            log.close().await.unwrap();
        });
    }
}

#[test]
fn a_lost_transaction_index_is_made_again_with_the_other_indexes() {
    with_dir(async |dir| {
        let log = create(&dir, three_a_segment()).await;
        over_segments(&log).await;
        log.close().await.unwrap();
        let names = files(&dir);
        let indexes = names.iter().filter(|name| name.ends_with("index"));
        let before: Vec<_> = names
            .iter()
            .filter(|name| name.ends_with(".txnindex"))
            .map(|name| (name, std::fs::read(dir.join(name)).unwrap()))
            .collect();
        assert!(!before.is_empty());
        for name in indexes {
            std::fs::remove_file(dir.join(name)).unwrap();
        }
        let (log, _) = open_with(&dir, three_a_segment(), Trust::CleanShutdown).await;
        assert_over_segments(&log).await;
        log.close().await.unwrap();
        for (name, content) in before {
            assert_eq!(std::fs::read(dir.join(name)).unwrap(), content, "{name}");
        }
    });
}

#[test]
fn a_damaged_transaction_index_is_an_error_to_readers_of_committed_records_only() {
    with_dir(async |dir| {
        let log = create(&dir, three_a_segment()).await;
        over_segments(&log).await;
        end(&log, 9, 0, true).await;
        for _ in 0..4 {
            append_committed(&log, &batch(1)).await;
        }
        log.close().await.unwrap();
        let name = files(&dir)
            .into_iter()
            .find(|name| name.ends_with(".txnindex"));
        std::fs::write(dir.join(name.expect("an index")), [0xff; 34]).unwrap();
        let (log, _) = open_with(&dir, three_a_segment(), Trust::CleanShutdown).await;
        let view = log.read_view(Offset(0)).unwrap();
        let planned = view.plan_committed(1 << 20, true).await;
        assert!(matches!(planned, Err(LogError::Corrupt { .. })));
        assert!(read(&log, 0, 1 << 20).await.is_some());
    });
}

#[test]
fn retention_goes_on_below_an_open_transaction_and_a_deletion_of_records_past_it() {
    with_log(three_a_segment(), async |log| {
        append_committed(&log, &of_transaction(7, 0, 0)).await;
        append_committed(&log, &batch(1)).await;
        log.advance_log_start(Offset(2)).await.unwrap();
        assert_eq!(log.last_stable_offset(), Offset(2), "never before the log");
        append_committed(&log, &batch(1)).await;
        assert_eq!(log.last_stable_offset(), Offset(2));
        end(&log, 7, 0, true).await;
        assert_eq!(log.last_stable_offset(), Offset(4));
    });
}

#[test]
fn producers_with_an_open_transaction_do_not_expire() {
    let config = LogConfig {
        producer_id_expiration_ms: 1,
        ..LogConfig::default()
    };
    with_log(config, async |log| {
        append_committed(&log, &of_transaction(7, 0, 0)).await;
        append_committed(&log, &idempotent(8, 0, 0)).await;
        log.expire_producers(TimestampMs(NOW.0 + 10));
        assert_eq!(log.producers(|(id, _)| id), [7]);
        end(&log, 7, 0, true).await;
        log.expire_producers(TimestampMs(NOW.0 + 10));
        assert_eq!(log.producers_len(), 0);
    });
}
