//! A swap that is stopped at each of its file operations: the next start finds the old segments or the new one, never half.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::compaction::{cleaning, compact_with, left, put, seal, settle, small_segments};
use super::*;
use crate::log::cleaner::{Names, RealNames};

/// Names that stop changing after so many operations, as if the machine had stopped.
struct StopsAfter {
    left: AtomicUsize,
    done: AtomicUsize,
}

impl StopsAfter {
    fn new(operations: usize) -> Arc<StopsAfter> {
        Arc::new(StopsAfter {
            left: AtomicUsize::new(operations),
            done: AtomicUsize::new(0),
        })
    }

    fn next(&self) -> io::Result<()> {
        let take = |left: usize| left.checked_sub(1);
        let taken = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        match taken {
            Ok(_) => {
                self.done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
            Err(_) => Err(io::Error::other("the machine stopped")),
        }
    }
}

impl Names for StopsAfter {
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.next()?;
        RealNames.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.next()?;
        RealNames.remove(path)
    }

    fn sync(&self, dir: &Path) -> io::Result<()> {
        self.next()?;
        RealNames.sync(dir)
    }
}

async fn fill(log: &Rc<PartitionLog>) {
    for n in 0..12 {
        let value = format!("{n:050}");
        put(log, &[("a", Some(&value)), (&format!("k{n}"), Some("v"))]).await;
    }
    seal(log).await;
}

/// Stops after `operations`; returns whether there were as many.
async fn stop_and_reopen(dir: PathBuf, operations: usize, trust: Trust) -> bool {
    let config = LogConfig {
        segment_bytes: 600,
        ..small_segments()
    };
    let log = create(&dir, config.clone()).await;
    fill(&log).await;
    let newest: Vec<_> = left(&log).await;
    let names = StopsAfter::new(operations);
    let run = compact_with(&log, names.clone(), None, cleaning(0, NOW.0)).await;
    let stopped = run.is_err();
    let seen = left(&log).await;
    let after_reopening = crash(&log, &dir, trust, config).await;
    // What one reads before and after the stop is each the old records or the new ones, segment by segment.
    for records in [seen, after_reopening] {
        for n in 0..12 {
            let key = format!("k{n}");
            let found = records.iter().filter(|record| record.1 == key).count();
            assert_eq!(found, 1, "{key} after {operations} operations");
        }
        let last_a = newest.iter().rfind(|record| record.1 == "a");
        assert_eq!(records.iter().rfind(|record| record.1 == "a"), last_a);
        assert!(records.iter().all(|record| newest.contains(record)));
    }
    stopped
}

async fn crash(
    log: &Rc<PartitionLog>,
    dir: &Path,
    trust: Trust,
    config: LogConfig,
) -> Vec<super::compaction::Left> {
    let end = log.log_end_offset();
    log.close().await.unwrap();
    let (log, report) = open_with(dir, config.clone(), trust).await;
    assert_eq!((report.cut, report.log_end_offset), (None, end));
    let names = files(dir);
    for ending in [".swap", ".cleaned"] {
        assert!(
            !names.iter().any(|name| name.ends_with(ending)),
            "{names:?}"
        );
    }
    // And compaction works on what was found.
    let found = left(&log).await;
    settle(&log).await;
    compact_with(&log, Arc::new(RealNames), None, cleaning(0, NOW.0))
        .await
        .unwrap();
    let again = left(&log).await;
    assert_eq!(again.iter().filter(|record| record.1 == "a").count(), 1);
    log.close().await.unwrap();
    found
}

#[test]
fn a_swap_that_stops_anywhere_leaves_the_old_segments_or_the_new() {
    for trust in [Trust::CleanShutdown, UNCLEAN] {
        let mut operations = 0;
        loop {
            let stopped = std::cell::Cell::new(false);
            with_dir(async |dir| {
                stopped.set(stop_and_reopen(dir, operations, trust).await);
            });
            if !stopped.get() {
                break;
            }
            operations += 1;
        }
        assert!(operations > 30, "only {operations} operations");
    }
}

#[test]
fn a_recovery_that_stops_anywhere_is_ended_by_the_next() {
    // After the new files have their .swap names and one old file is renamed.
    for begun in 5..12 {
        for operations in 0..20 {
            with_dir(async |dir| {
                let log = create(&dir, small_segments()).await;
                fill(&log).await;
                let newest = left(&log).await;
                let names = StopsAfter::new(begun);
                let _ = compact_with(&log, names, None, cleaning(0, NOW.0)).await;
                log.close().await.unwrap();
                let _ = crate::log::cleaner::recover_with(&*StopsAfter::new(operations), &dir);
                let (log, report) = open_with(&dir, small_segments(), UNCLEAN).await;
                assert_eq!(report.cut, None);
                let found = left(&log).await;
                assert_eq!(found.last(), newest.last(), "{begun}, {operations}");
                for n in 0..12 {
                    let key = format!("k{n}");
                    assert_eq!(found.iter().filter(|record| record.1 == key).count(), 1);
                }
                log.close().await.unwrap();
            });
        }
    }
}

/// Names under which the thread meets a mistake.
struct Panics;

impl Names for Panics {
    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        panic!("on purpose");
    }
}

#[test]
fn a_thread_that_panics_leaves_a_log_that_can_be_read_and_closed() {
    with_dir(async |dir| {
        let log = create(&dir, small_segments()).await;
        fill(&log).await;
        let before = left(&log).await;
        let run = compact_with(&log, Arc::new(Panics), None, cleaning(0, NOW.0)).await;
        assert!(matches!(run, Err(CleanError::Panicked)), "{run:?}");
        assert_eq!(left(&log).await, before);
        log.close().await.unwrap();
    });
}

#[test]
fn what_kafka_leaves_is_ended_or_taken_back_as_kafka_does() {
    with_dir(async |dir| {
        let log = create(&dir, small_segments()).await;
        fill(&log).await;
        let before = left(&log).await;
        log.close().await.unwrap();
        // Written to the half, and one whose names were only begun: both are taken back.
        std::fs::write(dir.join("00000000000000000000.log.cleaned"), b"half").unwrap();
        std::fs::write(dir.join("00000000000000000002.log.swap"), b"half").unwrap();
        // Its log has its name already.
        let index = dir.join("00000000000000000000.index");
        let content = std::fs::read(&index).unwrap();
        let (log, _) = open_with(&dir, small_segments(), Trust::CleanShutdown).await;
        assert_eq!(left(&log).await, before);
        log.close().await.unwrap();
        std::fs::rename(&index, dir.join("00000000000000000000.index.swap")).unwrap();
        let (log, report) = open_with(&dir, small_segments(), Trust::CleanShutdown).await;
        assert_eq!(report.rebuilt_indexes, 0);
        assert_eq!(std::fs::read(&index).unwrap(), content);
        assert_eq!(left(&log).await, before);
    });
}
