//! Compaction as the log's users see it: the newest record of each key, at its offset, and everything else as before.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::io::power_loss::Dice;
use crate::log::cleaner::{Names, RealNames};
use crate::wire::records::{Scratch, batches};

/// A key and its value; none is a tombstone.
pub(super) type Pair<'a> = (&'a str, Option<&'a str>);

/// Offset, key, value.
pub(super) type Left = (i64, String, Option<String>);

pub(super) fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 400,
        index_interval_bytes: 100,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    }
}

pub(super) fn keyed(codec: Codec, pairs: &[Pair<'_>]) -> BatchBuilder {
    let mut builder = BatchBuilder::new(codec);
    for (key, value) in pairs {
        builder.append(NOW.0, Some(key.as_bytes()), value.map(str::as_bytes), &[]);
    }
    builder
}

pub(super) async fn put(log: &Rc<PartitionLog>, pairs: &[Pair<'_>]) -> i64 {
    let batch = keyed(Codec::None, pairs).build_validated();
    append_committed(log, &batch).await.base_offset.0
}

/// Fills segments until all that was appended before is in sealed ones.
pub(super) async fn seal(log: &Rc<PartitionLog>) {
    let filler = "f".repeat(250);
    for n in 0..2 {
        put(log, &[(&format!("filler-{n}"), Some(&filler))]).await;
    }
    settle(log).await;
}

/// Waits until all but the active segment have their index files.
pub(super) async fn settle(log: &Rc<PartitionLog>) {
    log.flush().await.unwrap();
    while log.state.borrow().sealing || log.state.borrow().writer.running {
        glommio::timer::sleep(Duration::from_millis(1)).await;
    }
}

pub(super) fn cleaning(delete_retention_ms: i64, now: i64) -> Cleaning {
    Cleaning {
        rules: CompactionRules {
            min_cleanable_dirty_ratio: 0.0,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
            delete_retention_ms,
        },
        buffers: Buffers {
            map_bytes: 1 << 20,
            load_factor: 0.9,
            io_bytes: 300,
        },
        throttle: Arc::new(Throttle::new(f64::MAX)),
        now: TimestampMs(now),
    }
}

/// Compacts everything that is sealed, once.
pub(super) async fn compact(
    log: &Rc<PartitionLog>,
    cleaning: Cleaning,
) -> Result<Cleaned, CleanError> {
    compact_with(log, Arc::new(RealNames), None, cleaning).await
}

pub(super) async fn compact_with(
    log: &Rc<PartitionLog>,
    names: Arc<dyn Names>,
    compacted: Option<Offset>,
    cleaning: Cleaning,
) -> Result<Cleaned, CleanError> {
    let dirty = log
        .dirty(compacted, &cleaning.rules, cleaning.now)
        .await
        .unwrap();
    log.clean_with(names, &dirty.expect("something is dirty"), cleaning)
        .await
}

/// Every record from the log's start on, as a consumer reads it; fillers are left out.
pub(super) async fn left(log: &Rc<PartitionLog>) -> Vec<Left> {
    let mut found = Vec::new();
    let mut next = log.log_start_offset().0;
    while let Some(bytes) = read(log, next, 1 << 20).await {
        for batch in batches(bytes) {
            let batch = batch.unwrap();
            let records = batch.records(1 << 20, &mut Scratch::default()).unwrap();
            for record in &records {
                let record = record.unwrap();
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                let key = record.key.map(text).unwrap_or_default();
                if !key.starts_with("filler") {
                    found.push((record.offset.0, key, record.value.map(text)));
                }
            }
            assert!(batch.header().next_offset().0 > next, "offsets only grow");
            next = batch.header().next_offset().0;
        }
    }
    assert_eq!(next, log.high_watermark().0);
    found
}

fn told(left: &[Left]) -> Vec<(i64, &str, Option<&str>)> {
    left.iter()
        .map(|(offset, key, value)| (*offset, key.as_str(), value.as_deref()))
        .collect()
}

#[test]
fn the_newest_record_of_each_key_stays_at_its_offset() {
    with_log(small_segments(), async |log| {
        for n in 0..20 {
            let value = format!("{n:040}");
            put(
                &log,
                &[("a", Some(&value)), (&format!("k{}", n % 3), Some(&value))],
            )
            .await;
        }
        let before = log.size_bytes();
        seal(&log).await;
        let cleaned = compact(&log, cleaning(0, NOW.0)).await.unwrap();
        assert!(cleaned.bytes_after < cleaned.bytes_before && log.size_bytes() < before);
        let left = left(&log).await;
        let offsets: Vec<_> = told(&left)
            .iter()
            .map(|record| (record.0, record.1))
            .collect();
        assert_eq!(offsets, [(35, "k2"), (37, "k0"), (38, "a"), (39, "k1")]);
        // An offset whose record is gone gives the next that is there.
        for offset in 0..36 {
            let bytes = read(&log, offset, 1).await.unwrap();
            let header = BatchHeader::read_checked(&bytes).unwrap();
            assert!(
                header.last_offset().0 >= offset && header.base_offset().0 <= 36,
                "{offset}"
            );
        }
    });
}

#[test]
fn small_segments_become_one_and_the_active_one_stays() {
    with_log(small_segments(), async |log| {
        for n in 0..40 {
            put(&log, &[("a", Some(&format!("{n:050}")))]).await;
        }
        seal(&log).await;
        let segments = log.segments_len();
        assert!(segments > 8);
        let active = log.active_file().unwrap();
        let end = log.state.borrow().active().base_offset;
        let cleaned = compact(&log, cleaning(0, NOW.0)).await.unwrap();
        assert_eq!(cleaned.first_dirty, end);
        assert_eq!(log.active_file().unwrap(), active);
        // A second run finds nothing that is dirty.
        let rules = cleaning(0, NOW.0).rules;
        assert_eq!(log.dirty(Some(end), &rules, NOW).await.unwrap(), None);
        // Now that they are small, a run over all of them brings them together.
        compact(&log, cleaning(0, NOW.0)).await.unwrap();
        assert!(log.segments_len() <= 3, "{}", log.segments_len());
        assert_eq!(log.active_file().unwrap(), active);
        assert_eq!(told(&left(&log).await).len(), 1);
    });
}

#[test]
fn a_tombstone_stays_for_delete_retention_and_is_gone_after_it() {
    with_log(small_segments(), async |log| {
        put(&log, &[("a", Some("1")), ("b", Some("2"))]).await;
        put(&log, &[("a", None)]).await;
        seal(&log).await;
        compact(&log, cleaning(1_000, 50_000)).await.unwrap();
        assert_eq!(
            told(&left(&log).await),
            [(1, "b", Some("2")), (2, "a", None)]
        );
        compact(&log, cleaning(1_000, 50_999)).await.unwrap();
        assert_eq!(left(&log).await.len(), 2, "its horizon stays the first one");
        compact(&log, cleaning(1_000, 51_000)).await.unwrap();
        assert_eq!(told(&left(&log).await), [(1, "b", Some("2"))]);
    });
}

#[test]
fn every_codec_is_rewritten_in_itself() {
    for codec in Codec::ALL {
        with_log(small_segments(), async |log| {
            let batch = keyed(
                codec,
                &[("a", Some("1")), ("b", Some("2")), ("c", Some("3"))],
            );
            append_committed(&log, &batch.build_validated()).await;
            put(&log, &[("b", Some("4"))]).await;
            seal(&log).await;
            compact(&log, cleaning(0, NOW.0)).await.unwrap();
            let expected = [
                (0, "a", Some("1")),
                (2, "c", Some("3")),
                (3, "b", Some("4")),
            ];
            assert_eq!(told(&left(&log).await), expected, "{codec:?}");
            let bytes = read(&log, 0, 1).await.unwrap();
            let header = BatchHeader::read_checked(&bytes).unwrap();
            assert_eq!(header.attributes().codec(), Ok(codec));
        });
    }
}

#[test]
fn a_map_that_is_too_small_for_all_keys_takes_several_runs() {
    with_log(small_segments(), async |log| {
        for round in 0..2 {
            for n in 0..30 {
                put(&log, &[(&format!("k{n:02}"), Some(&format!("{round}")))]).await;
            }
        }
        seal(&log).await;
        let tight = Cleaning {
            buffers: Buffers {
                map_bytes: 24 * 10,
                ..cleaning(0, 0).buffers
            },
            ..cleaning(0, NOW.0)
        };
        let (mut compacted, mut runs) = (None, 0);
        while let Some(dirty) = log.dirty(compacted, &tight.rules, NOW).await.unwrap() {
            let cleaned = log.clean(&dirty, tight.clone()).await.unwrap();
            assert!(
                Some(cleaned.first_dirty) > compacted,
                "each run gets further"
            );
            (compacted, runs) = (Some(cleaned.first_dirty), runs + 1);
        }
        assert!(runs > 5, "{runs}");
        let left = left(&log).await;
        assert_eq!(left.len(), 30);
        assert!(left.iter().all(|record| record.2.as_deref() == Some("1")));
    });
}

#[test]
fn a_map_without_room_for_one_key_is_an_error_that_says_what_to_do() {
    with_log(small_segments(), async |log| {
        put(&log, &[("a", Some("1"))]).await;
        seal(&log).await;
        let none = Cleaning {
            buffers: Buffers {
                map_bytes: 20,
                ..cleaning(0, 0).buffers
            },
            ..cleaning(0, NOW.0)
        };
        let error = compact(&log, none).await.unwrap_err();
        assert!(
            error.to_string().contains("log.cleaner.dedupe.buffer.size"),
            "{error}"
        );
    });
}

#[test]
fn an_idempotent_producer_goes_on_after_compaction_and_a_crash() {
    with_dir(async |dir| {
        let log = create(&dir, small_segments()).await;
        for n in 0..3 {
            append_committed(&log, &idempotent(7, 0, 2 * n)).await;
        }
        put(&log, &[("key", Some("newer"))]).await;
        seal(&log).await;
        let recovery_point = log.recovery_point();
        compact(&log, cleaning(0, NOW.0)).await.unwrap();
        let header = BatchHeader::read_checked(&read(&log, 4, 1).await.unwrap())
            .unwrap()
            .to_owned();
        assert_eq!(
            (header.base_offset(), header.record_count()),
            (Offset(4), 0)
        );
        drop(log);
        for name in files(&dir)
            .iter()
            .filter(|name| name.ends_with(".snapshot"))
        {
            std::fs::remove_file(dir.join(name)).unwrap();
        }
        let trust = Trust::Recover { recovery_point };
        let (log, report) = open_with(&dir, small_segments(), trust).await;
        assert_eq!(report.cut, None);
        assert!(append(&log, &idempotent(7, 0, 4)).duplicate);
        assert!(!append(&log, &idempotent(7, 0, 6)).duplicate);
    });
}

#[test]
fn what_was_compacted_is_found_by_time_and_after_every_way_of_opening() {
    for trust in [Trust::CleanShutdown, UNCLEAN] {
        with_dir(async |dir| {
            let log = create(&dir, small_segments()).await;
            for n in 0..30_i64 {
                let mut builder = BatchBuilder::new(Codec::None);
                let key = format!("k{}", if n == 11 { 100 } else { n % 3 });
                builder.append(NOW.0 + n, Some(key.as_bytes()), Some(&[b'v'; 30]), &[]);
                append_committed(&log, &builder.build_validated()).await;
            }
            seal(&log).await;
            compact(&log, cleaning(0, NOW.0)).await.unwrap();
            let expected = left(&log).await;
            assert_eq!(expected.len(), 4);
            log.close().await.unwrap();
            let (log, report) = open_with(&dir, small_segments(), trust).await;
            assert_eq!((report.cut, report.log_end_offset), (None, Offset(32)));
            assert_eq!(left(&log).await, expected);
            for (time, offset) in [(0, 11), (11, 11), (12, 27), (28, 28), (29, 29)] {
                let found = log.offset_for_timestamp(NOW.0 + time).await.unwrap();
                assert_eq!(
                    found.map(|found| found.offset),
                    Some(Offset(offset)),
                    "{time}"
                );
            }
        });
    }
}

#[test]
fn readers_that_planned_before_the_swap_read_what_they_planned() {
    with_log(small_segments(), async |log| {
        for n in 0..6 {
            put(&log, &[("a", Some(&format!("{n:050}")))]).await;
        }
        seal(&log).await;
        let view = log.read_view(Offset(0)).unwrap();
        let plan = view.plan(1 << 20, true).await.unwrap().unwrap();
        let before = plan
            .file
            .read_at(plan.position, plan.len as usize)
            .await
            .unwrap();
        compact(&log, cleaning(0, NOW.0)).await.unwrap();
        let after = plan
            .file
            .read_at(plan.position, plan.len as usize)
            .await
            .unwrap();
        assert_eq!(before, after);
        assert_eq!(offsets(&before)[0], (0, 0));
    });
}

#[test]
fn readers_meet_no_error_while_segments_are_replaced() {
    with_log(small_segments(), async |log| {
        put(&log, &[("a", Some("first"))]).await;
        let running = Rc::new(Cell::new(true));
        let reads = Rc::new(Cell::new(0));
        let readers: Vec<_> = (1..4)
            .map(|seed| {
                let (log, running, reads) = (log.clone(), running.clone(), reads.clone());
                glommio::spawn_local(async move {
                    let mut random = Dice::new(seed);
                    while running.get() {
                        read_somewhere(&log, &mut random).await;
                        reads.set(reads.get() + 1);
                        glommio::timer::sleep(Duration::from_micros(50)).await;
                    }
                })
            })
            .collect();
        let mut runs = 0;
        for n in 0..60_i64 {
            let mut builder = BatchBuilder::new(Codec::None);
            let key = format!("k{}", n % 11);
            builder.append(NOW.0 + n, Some(key.as_bytes()), Some(&[b'v'; 60]), &[]);
            append_committed(&log, &builder.build_validated()).await;
            let rules = cleaning(0, 0).rules;
            if let Some(dirty) = log.dirty(None, &rules, NOW).await.unwrap() {
                log.clean(&dirty, cleaning(0, NOW.0)).await.unwrap();
                runs += 1;
            }
        }
        running.set(false);
        for reader in readers {
            reader.await;
        }
        assert!(
            runs > 10 && reads.get() > 50,
            "{runs} runs, {} reads",
            reads.get()
        );
    });
}

/// Reads from some offset, and looks up some time: what is found is sound, and at or behind what was asked for.
async fn read_somewhere(log: &Rc<PartitionLog>, random: &mut Dice) {
    let from = random.below(log.high_watermark().0 as u64) as i64;
    let max_bytes = 1 + random.below(2_000) as u32;
    let bytes = read(log, from, max_bytes).await.expect("something follows");
    let found = offsets(&bytes);
    assert!(found[0].1 >= from, "{found:?} for {from}");
    assert!(
        found.windows(2).all(|pair| pair[0].1 < pair[1].0),
        "{found:?}"
    );
    let time = NOW.0 + random.below(200) as i64;
    if let Some(found) = log.offset_for_timestamp(time).await.expect("a lookup") {
        assert!(found.timestamp >= time);
    }
    log.offset_of_max_timestamp().await.expect("a lookup");
}

#[test]
fn the_old_files_are_removed_and_nothing_else_is_left() {
    with_log(small_segments(), async |log| {
        for n in 0..20 {
            put(&log, &[("a", Some(&format!("{n:050}")))]).await;
        }
        seal(&log).await;
        compact(&log, cleaning(0, NOW.0)).await.unwrap();
        let is_leftover = |name: &String| {
            [".deleted", ".swap", ".cleaned"]
                .iter()
                .any(|ending| name.ends_with(ending))
        };
        for _ in 0..500 {
            if !files(log.dir()).iter().any(is_leftover) {
                break;
            }
            glommio::timer::sleep(Duration::from_millis(10)).await;
        }
        let names = files(log.dir());
        assert!(!names.iter().any(is_leftover), "{names:?}");
        let logs = names.iter().filter(|name| name.ends_with(".log")).count();
        assert_eq!(logs, log.segments_len());
    });
}

#[test]
fn closing_stops_a_run_and_waits_for_it() {
    with_dir(async |dir| {
        let log = create(&dir, small_segments()).await;
        for n in 0..20 {
            put(&log, &[("a", Some(&format!("{n:050}")))]).await;
        }
        seal(&log).await;
        let slow = Cleaning {
            throttle: Arc::new(Throttle::new(1.0)),
            ..cleaning(0, NOW.0)
        };
        let run = {
            let log = log.clone();
            glommio::spawn_local(async move { compact(&log, slow).await })
        };
        while log.state.borrow().cleaning.is_none() {
            glommio::timer::sleep(Duration::from_millis(1)).await;
        }
        log.close().await.unwrap();
        assert!(log.state.borrow().cleaning.is_none());
        assert!(matches!(run.await, Err(CleanError::Stopped)));
        let names = files(&dir);
        assert!(
            !names.iter().any(|name| name.ends_with(".cleaned")),
            "{names:?}"
        );
    });
}

#[test]
fn records_deleted_during_a_run_stay_deleted() {
    with_log(small_segments(), async |log| {
        for n in 0..20 {
            put(&log, &[(&format!("k{n}"), Some(&format!("{n:050}")))]).await;
        }
        seal(&log).await;
        let slow = Cleaning {
            throttle: Arc::new(Throttle::new(20_000.0)),
            ..cleaning(0, NOW.0)
        };
        let run = {
            let log = log.clone();
            glommio::spawn_local(async move { compact(&log, slow).await })
        };
        while log.state.borrow().cleaning.is_none() {
            glommio::timer::sleep(Duration::from_millis(1)).await;
        }
        log.advance_log_start(Offset(15)).await.unwrap();
        match run.await {
            Ok(_) | Err(CleanError::Changed) => {}
            Err(error) => panic!("{error}"),
        }
        let left = left(&log).await;
        assert_eq!(left.iter().filter(|record| record.0 >= 15).count(), 5);
        compact(&log, cleaning(0, NOW.0)).await.unwrap();
    });
}

#[test]
fn a_damaged_segment_is_reported_and_left_as_it_is() {
    with_log(small_segments(), async |log| {
        put(&log, &[("a", Some("1")), ("a", Some("2"))]).await;
        seal(&log).await;
        let path = log.dir().join("00000000000000000000.log");
        let mut content = std::fs::read(&path).unwrap();
        content[70] ^= 1;
        std::fs::write(&path, &content).unwrap();
        let error = compact(&log, cleaning(0, NOW.0)).await.unwrap_err();
        assert!(!error.is_passing(), "{error}");
        assert!(
            error.to_string().contains("00000000000000000000.log"),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), content);
    });
}

#[test]
fn compaction_and_retention_take_turns() {
    let config = LogConfig {
        delete: true,
        retention_bytes: 1_500,
        retention_ms: -1,
        ..small_segments()
    };
    with_log(config, async |log| {
        let running = Rc::new(Cell::new(true));
        let retention = {
            let (log, running) = (log.clone(), running.clone());
            glommio::spawn_local(async move {
                while running.get() {
                    log.apply_retention(NOW).await.unwrap();
                    glommio::timer::sleep(Duration::from_micros(300)).await;
                }
            })
        };
        let mut runs = 0;
        for n in 0..100 {
            let value = format!("{n:050}");
            let key = format!("k{}", n % 40);
            put(&log, &[("a", Some(&value)), (&key, Some(&value))]).await;
            let rules = cleaning(0, 0).rules;
            if let Some(dirty) = log.dirty(None, &rules, NOW).await.unwrap() {
                match log.clean(&dirty, cleaning(0, NOW.0)).await {
                    Ok(_) => runs += 1,
                    Err(error) => assert!(matches!(error, CleanError::Changed), "{error}"),
                }
            }
        }
        running.set(false);
        retention.await;
        assert!(runs > 5, "{runs}");
        // What is left is readable, and holds the newest.
        let left = left(&log).await;
        assert_eq!(left.iter().rfind(|record| record.1 == "a").unwrap().0, 198);
        log.close().await.unwrap();
        let (again, report) = open_with(log.dir(), LogConfig::default(), UNCLEAN).await;
        assert_eq!((report.cut, report.log_end_offset), (None, Offset(200)));
        again.close().await.unwrap();
    });
}
