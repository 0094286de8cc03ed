//! Whose turn it is to be compacted.
//!
//! Each core looks for the dirtiest of its own logs and has a thread compact it; how many threads there are at a time, the bytes
//! they read and write a second, and the file that says how far each log got are the broker's ([`Compaction`]), shared by all
//! cores. Kafka's `LogCleanerManager`.

use super::compacted::Compacted;
use super::{Partition, Shard};
use crate::config::TopicConfig;
use crate::config::broker::CleanerConfig;
use crate::io::blocking;
use crate::log::offset_checkpoint::OffsetCheckpoint;
use crate::log::{Buffers, CleanError, Cleaned, Cleaning, CompactionRules, Dirty, Throttle};
use crate::types::{Offset, PartitionKey, TimestampMs};
use futures_lite::future::or;
use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often a core looks whether a thread is free for it, and the least pause between two rounds over its logs.
const TURN_CHECK: Duration = Duration::from_millis(50);
/// How long a core that had a turn lets others look first.
const TURN_LEFT_TO_OTHERS: Duration = Duration::from_millis(120);
/// The longest a pause goes on without a look at the settings.
const SETTINGS_CHECK: Duration = Duration::from_secs(1);

/// What compaction shares between cores.
#[derive(Debug)]
pub struct Compaction {
    /// By the place of the data directory.
    compacted: Vec<Compacted>,
    running: AtomicUsize,
    /// Cores that wait for a turn.
    waiting: AtomicUsize,
    throttle: Arc<Throttle>,
}

impl Compaction {
    /// Compaction in these data directories, with what was read of each.
    pub fn new<'a>(dirs: impl IntoIterator<Item = (&'a Path, OffsetCheckpoint)>) -> Compaction {
        let compacted = dirs.into_iter();
        Compaction {
            compacted: compacted
                .map(|(dir, offsets)| Compacted::new(dir, offsets))
                .collect(),
            running: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            throttle: Arc::new(Throttle::new(f64::MAX)),
        }
    }

    /// The partition is gone from its directory: another of its name begins anew.
    pub(super) fn forget(&self, topic: &str, partition: i32, place: usize) {
        self.compacted[place].forget(topic, partition);
    }

    /// Writes the checkpoints that are not as they should be.
    pub(super) async fn write_down(self: &Arc<Self>) {
        let this = Arc::clone(self);
        blocking(move || this.compacted.iter().for_each(Compacted::write_down)).await;
    }

    /// A thread's turn, if fewer than `threads` have one.
    fn turn(self: &Arc<Self>, threads: usize) -> Option<Turn> {
        let one_more = |running: usize| (running < threads).then_some(running + 1);
        let taken = self
            .running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        taken.is_ok().then(|| Turn(Arc::clone(self)))
    }
}

/// One of `log.cleaner.threads`, until it is dropped.
struct Turn(Arc<Compaction>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A log that is due.
struct Due {
    key: PartitionKey,
    partition: Rc<Partition>,
    config: Rc<TopicConfig>,
    dirty: Dirty,
}

/// Logs that are left out.
#[derive(Default)]
struct LeftOut {
    /// They cannot be compacted before the next start.
    for_good: HashSet<PartitionKey>,
    /// They could not be just now; others must not wait for them.
    this_round: HashSet<PartitionKey>,
}

impl LeftOut {
    fn contains(&self, key: &PartitionKey) -> bool {
        self.for_good.contains(key) || self.this_round.contains(key)
    }
}

impl Shard {
    /// Compacts this core's logs, the dirtiest first, for as long as the core runs.
    pub async fn compact_for_ever(self: Rc<Self>) {
        self.open.wait().await;
        let mut left_out = LeftOut::default();
        while !self.is_draining() && self.live().cleaner.enable {
            let cleaner = self.live().cleaner;
            let Some(turn) = self.compaction.turn(cleaner.threads) else {
                self.wait_for_turn(&cleaner).await;
                continue;
            };
            let due = self.dirtiest(&left_out).await;
            let is_round_over = due.is_none();
            if let Some(due) = due {
                self.compact(&due, &cleaner, &mut left_out).await;
            }
            drop(turn);
            if is_round_over {
                left_out.this_round.clear();
                self.back_off().await;
            } else if self.compaction.waiting.load(Ordering::Acquire) > 0 {
                self.pause(TURN_LEFT_TO_OTHERS).await;
            }
        }
    }

    async fn wait_for_turn(&self, cleaner: &CleanerConfig) {
        if cleaner.threads == 0 {
            return self.pause(SETTINGS_CHECK).await;
        }
        self.compaction.waiting.fetch_add(1, Ordering::AcqRel);
        self.pause(TURN_CHECK).await;
        self.compaction.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    async fn compact(&self, due: &Due, cleaner: &CleanerConfig, left_out: &mut LeftOut) {
        self.compaction
            .throttle
            .set_rate(cleaner.max_bytes_per_second);
        let cleaning = Cleaning {
            rules: rules(&due.config),
            buffers: buffers(cleaner),
            throttle: Arc::clone(&self.compaction.throttle),
            now: TimestampMs::now(),
        };
        let began = Instant::now();
        match due.partition.log.clean(&due.dirty, cleaning).await {
            Ok(cleaned) => {
                report(due, &cleaned, began.elapsed());
                self.note_compacted(due, cleaned.first_dirty).await;
            }
            Err(error) => {
                report_failure(due, &error);
                match error.is_passing() {
                    true => left_out.this_round.insert(due.key),
                    false => left_out.for_good.insert(due.key),
                };
            }
        }
    }

    async fn note_compacted(&self, due: &Due, compacted: Offset) {
        // A partition that was deleted meanwhile must leave nothing to the next of its name.
        let is_there = self
            .partition(&due.key)
            .is_ok_and(|known| Rc::ptr_eq(&known, &due.partition));
        if is_there {
            self.compaction.compacted[due.partition.dir].note(&due.partition, compacted);
            self.compaction.write_down().await;
        }
    }

    async fn dirtiest(&self, left_out: &LeftOut) -> Option<Due> {
        let partitions: Vec<_> = self
            .partitions
            .borrow()
            .iter()
            .filter(|(key, _)| !left_out.contains(key))
            .map(|(key, partition)| (*key, Rc::clone(partition)))
            .collect();
        let mut dirtiest: Option<Due> = None;
        for (key, partition) in partitions {
            let Some(config) = self
                .topic_config(&key.topic_id)
                .filter(|config| config.compact)
            else {
                continue;
            };
            let compacted = self.compaction.compacted[partition.dir].of(&partition);
            let rules = rules(&config);
            let dirty = match partition
                .log
                .dirty(compacted, &rules, TimestampMs::now())
                .await
            {
                Ok(dirty) => dirty.filter(|dirty| dirty.is_due(&rules)),
                Err(error) => {
                    log::warn!("{error}: the log is not compacted now");
                    None
                }
            };
            if let Some(dirty) = dirty
                && dirtiest
                    .as_ref()
                    .is_none_or(|most| dirty.ratio > most.dirty.ratio)
            {
                dirtiest = Some(Due {
                    key,
                    partition,
                    config,
                    dirty,
                });
            }
            glommio::executor().yield_if_needed().await;
        }
        dirtiest
    }

    /// `log.cleaner.backoff.ms`, as it is while the time passes.
    async fn back_off(&self) {
        let began = Instant::now();
        loop {
            let backoff = Duration::from_millis(self.live().cleaner.backoff_ms).max(TURN_CHECK);
            let left = backoff.saturating_sub(began.elapsed());
            if left.is_zero() || self.is_draining() {
                return;
            }
            self.pause(left.min(SETTINGS_CHECK)).await;
        }
    }

    /// Sleeps, unless the broker stops.
    async fn pause(&self, time: Duration) {
        or(self.draining.wait(), async {
            glommio::timer::sleep(time).await;
        })
        .await;
    }
}

fn rules(topic: &TopicConfig) -> CompactionRules {
    CompactionRules {
        min_cleanable_dirty_ratio: topic.min_cleanable_dirty_ratio,
        min_compaction_lag_ms: topic.min_compaction_lag_ms,
        max_compaction_lag_ms: topic.max_compaction_lag_ms,
        delete_retention_ms: topic.delete_retention_ms,
    }
}

/// One thread's share.
fn buffers(cleaner: &CleanerConfig) -> Buffers {
    let threads = cleaner.threads.max(1);
    Buffers {
        map_bytes: (cleaner.dedupe_buffer_bytes / threads).min(i32::MAX as usize),
        load_factor: cleaner.load_factor,
        // Half for what is read, half for what is written.
        io_bytes: cleaner.io_buffer_bytes / threads / 2,
    }
}

fn report(due: &Due, cleaned: &Cleaned, took: Duration) {
    log::info!(
        "{}-{}: compacted up to offset {}: {} bytes became {}, {} keys, {} bytes read in {:.1} s",
        due.partition.topic,
        due.partition.index,
        cleaned.first_dirty,
        cleaned.bytes_before,
        cleaned.bytes_after,
        cleaned.keys,
        cleaned.bytes_read,
        took.as_secs_f64(),
    );
}

fn report_failure(due: &Due, error: &CleanError) {
    let (topic, index) = (&due.partition.topic, due.partition.index);
    match error {
        CleanError::Stopped => {}
        CleanError::Changed => log::info!("{topic}-{index}: not compacted now: {error}"),
        error if error.is_passing() => {
            log::warn!("{topic}-{index}: not compacted: {error}; it is tried again");
        }
        error => log::error!("{topic}-{index}: it is not compacted before the next start: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_turns_as_threads() {
        let compaction = Arc::new(Compaction::new([]));
        let first = compaction.turn(2).unwrap();
        let _second = compaction.turn(2).unwrap();
        assert!(compaction.turn(2).is_none());
        assert!(
            compaction.turn(3).is_some(),
            "threads were added, and its turn is over"
        );
        drop(first);
        assert!(compaction.turn(2).is_some());
        assert!(compaction.turn(0).is_none());
    }

    #[test]
    fn threads_share_the_memory() {
        let cleaner = CleanerConfig {
            enable: true,
            threads: 2,
            dedupe_buffer_bytes: 128 << 20,
            load_factor: 0.9,
            io_buffer_bytes: 512 << 10,
            max_bytes_per_second: f64::MAX,
            backoff_ms: 15_000,
        };
        let buffers = buffers(&cleaner);
        assert_eq!((buffers.map_bytes, buffers.io_bytes), (64 << 20, 128 << 10));
    }
}
