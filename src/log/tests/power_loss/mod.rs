//! The power goes while a log is at work: at thousands of moments, with any outcome that the syncs so far allow.
//!
//! Setup: a log whose every change of the disk is recorded; then, for a moment and an outcome drawn from a seed, the disk that is
//! found, opened as after an unclean stop, with the newest recovery point that a checkpoint may hold. Expectation: it opens; what
//! was acknowledged as synced is there; nothing is there that was not written; what is not past keeping has no gap; and the log
//! goes on. `VLTAVA_TEST_SEED` repeats a run, `VLTAVA_TEST_IMAGES` makes it longer.

mod story;

use std::sync::Arc;
use std::time::Duration;

use super::compaction::{cleaning, settle};
use super::*;
use crate::log::cleaner::RealNames;
use story::{Story, survives};

fn synced() -> LogConfig {
    LogConfig {
        index_interval_bytes: 200,
        flush_messages: 1,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    }
}

fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 1500,
        ..synced()
    }
}

/// Several batches at a time, each acknowledged when it is synced.
async fn append_some(story: &mut Story, log: &Rc<PartitionLog>, rounds: usize) {
    for _ in 0..rounds {
        let batches = 1 + story.random.below(3);
        let ends: Vec<_> = (0..batches)
            .map(|_| {
                let records = 1 + story.random.below(3) as usize;
                story.append(log, records)
            })
            .collect();
        for end in ends {
            log.committed(end).await.unwrap();
            story.promise(end);
            story.note_point(log);
        }
    }
}

/// Until the remover has done what it was asked for.
async fn removed(story: &Story) {
    for _ in 0..200 {
        let names = files(&story.dir);
        if !names.iter().any(|name| name.ends_with(".deleted")) {
            return;
        }
        glommio::timer::sleep(Duration::from_millis(5)).await;
    }
    panic!("deleted files stay");
}

#[test]
fn appends_that_were_acknowledged_survive() {
    survives("append", async |mut story| {
        let log = story.create(synced()).await;
        append_some(&mut story, &log, 40).await;
        log.close().await.unwrap();
        story
    });
}

#[test]
fn transactions_are_as_far_as_their_markers_that_survive() {
    survives("transactions", async |mut story| {
        let log = story.create(small_segments()).await;
        for _ in 0..50 {
            let producer = story.random.below(3).cast_signed();
            let end = match story.random.below(4) {
                0 => story.append(&log, 1),
                1 => story.end_transaction(&log, producer),
                _ => story.append_in_transaction(&log, producer),
            };
            log.committed(end).await.unwrap();
            story.promise(end);
            story.note_point(&log);
        }
        log.close().await.unwrap();
        story
    });
}

#[test]
fn rolls_lose_nothing_that_was_acknowledged() {
    survives("roll", async |mut story| {
        let log = story.create(small_segments()).await;
        append_some(&mut story, &log, 30).await;
        settle(&log).await;
        story.note_point(&log);
        append_some(&mut story, &log, 10).await;
        log.close().await.unwrap();
        story
    });
}

#[test]
fn without_syncs_the_log_is_a_beginning_of_what_was_written() {
    survives("unsynced appends", async |mut story| {
        let config = LogConfig {
            flush_messages: u64::MAX,
            ..small_segments()
        };
        let log = story.create(config).await;
        for round in 0..60 {
            let records = 1 + story.random.below(3) as usize;
            let end = story.append(&log, records);
            log.committed(end).await.unwrap();
            story.note_point(&log);
            if round % 25 == 24 {
                log.flush().await.unwrap();
                story.promise(end);
                story.note_point(&log);
            }
        }
        let end = log.log_end_offset();
        log.close().await.unwrap();
        story.promise(end);
        story
    });
}

#[test]
fn what_is_synced_behind_is_what_the_recovery_point_says() {
    survives("syncs behind", async |mut story| {
        let config = LogConfig {
            flush_messages: u64::MAX,
            ..small_segments()
        };
        let log = story.create(config).await;
        for _ in 0..60 {
            let records = 1 + story.random.below(3) as usize;
            let end = story.append(&log, records);
            log.committed(end).await.unwrap();
            log.sync_older().await.unwrap();
            story.note_point(&log);
        }
        settle(&log).await;
        assert!(log.recovery_point() > Offset::ZERO);
        log.close().await.unwrap();
        story
    });
}

#[test]
fn retention_takes_only_what_is_past_keeping() {
    survives("retention", async |mut story| {
        let config = LogConfig {
            retention_bytes: 3000,
            ..small_segments()
        };
        let log = story.create(config).await;
        for _ in 0..4 {
            append_some(&mut story, &log, 10).await;
            settle(&log).await;
            let began = story.now();
            let retired = log.apply_retention(NOW).await.unwrap();
            if let Some(retired) = retired {
                story.let_go(began, retired.log_start_offset);
            }
            append_some(&mut story, &log, 2).await;
            removed(&story).await;
        }
        log.close().await.unwrap();
        story
    });
}

#[test]
fn deleted_records_stay_deleted_and_no_others_go() {
    survives("deletion of records", async |mut story| {
        let log = story.create(small_segments()).await;
        for _ in 0..4 {
            append_some(&mut story, &log, 8).await;
            settle(&log).await;
            let (start, end) = (log.log_start_offset(), log.log_end_offset());
            let start = start + (end - start) / 2;
            story.let_go(story.now(), start);
            log.advance_log_start(start).await.unwrap();
            story.promise_gone(start);
            append_some(&mut story, &log, 2).await;
            removed(&story).await;
        }
        log.close().await.unwrap();
        story
    });
}

#[test]
fn compaction_leaves_the_newest_record_of_each_key() {
    survives("compaction", async |mut story| {
        let config = LogConfig {
            delete: false,
            ..small_segments()
        };
        let log = story.create(config).await;
        let mut compacted = None;
        story.compacted();
        for _ in 0..4 {
            append_some(&mut story, &log, 10).await;
            settle(&log).await;
            let run = cleaning(0, NOW.0);
            let dirty = log.dirty(compacted, &run.rules, run.now).await.unwrap();
            let names = Arc::new(RealNames);
            let cleaned = log.clean_with(names, &dirty.unwrap(), run).await.unwrap();
            compacted = Some(cleaned.first_dirty);
            append_some(&mut story, &log, 2).await;
            removed(&story).await;
        }
        log.close().await.unwrap();
        story
    });
}
