//! What a core does from time to time.

use super::{Partition, Shard};
use crate::limits;
use crate::log::{LogError, Retired};
use crate::types::TimestampMs;
use std::rc::Rc;
use std::time::{Duration, Instant};

impl Shard {
    /// Forgets idempotent producers that have been silent for `producer.id.expiration.ms`, for as long as the core runs.
    pub async fn expire_producers_for_ever(self: Rc<Self>) {
        loop {
            glommio::timer::sleep(limits::PRODUCER_EXPIRY_CHECK).await;
            let partitions: Vec<_> = self.partitions.borrow().values().cloned().collect();
            for partition in partitions {
                partition.log.expire_producers(TimestampMs::now());
                glommio::executor().yield_if_needed().await;
            }
        }
    }

    /// Every `log.flush.offset.checkpoint.interval.ms` has synced what was there the time before, one log after the other, for as
    /// long as the core runs: the recovery points that are written down then follow the log, though nobody asks for flushes.
    pub async fn sync_behind_for_ever(self: Rc<Self>) {
        let interval = Duration::from_millis(self.config.recovery_point_checkpoint_interval_ms);
        loop {
            glommio::timer::sleep(interval.max(limits::SYNC_BEHIND_CHECK)).await;
            let partitions: Vec<_> = self.partitions.borrow().values().cloned().collect();
            for partition in partitions {
                let began = Instant::now();
                // What failed has been said, and the partition is read-only.
                if partition.log.sync_older().await.unwrap_or(false) {
                    glommio::timer::sleep(began.elapsed()).await;
                }
                glommio::executor().yield_if_needed().await;
            }
        }
    }

    /// Takes out segments that are past keeping every `log.retention.check.interval.ms`, for as long as the core runs.
    pub async fn apply_retention_for_ever(self: Rc<Self>) {
        let delay = Duration::from_millis(self.config.initial_task_delay_ms);
        let interval = Duration::from_millis(self.config.retention_check_interval_ms);
        glommio::timer::sleep(delay).await;
        loop {
            self.apply_retention().await;
            glommio::timer::sleep(interval).await;
        }
    }

    async fn apply_retention(self: &Rc<Self>) {
        let partitions: Vec<_> = self.partitions.borrow().values().cloned().collect();
        let mut moved = false;
        for partition in partitions {
            match partition.log.apply_retention(TimestampMs::now()).await {
                Ok(None) => {}
                Ok(Some(retired)) => {
                    moved = true;
                    tell_of(&partition, &retired);
                }
                // Why it takes no records has been said; a closed one is no longer here.
                Err(_) if partition.log.failure().is_some() => {}
                Err(error) => tell_of_failure(&partition, &error),
            }
            glommio::executor().yield_if_needed().await;
        }
        if moved && let Err(reason) = self.keep_log_starts().await {
            log::warn!("{reason}: log start offsets are written with the next checkpoint");
        }
    }
}

fn tell_of(partition: &Partition, retired: &Retired) {
    let Retired {
        segments,
        bytes,
        by_start,
        by_size,
        by_time,
        log_start_offset,
    } = retired;
    log::info!(
        "{}-{}: {segments} segments of {bytes} bytes are deleted ({by_time} by retention.ms, {by_size} by retention.bytes, \
         {by_start} before the log start); the log starts at offset {log_start_offset}",
        partition.topic,
        partition.index
    );
}

fn tell_of_failure(partition: &Partition, error: &LogError) {
    log::error!(
        "{}-{}: retention has deleted nothing: {error}; it is tried again at the next check",
        partition.topic,
        partition.index
    );
}
