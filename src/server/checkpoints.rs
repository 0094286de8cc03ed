//! The checkpoint files of the data directories: which there are, how often each is written, and what is in it.
//!
//! Lives on the first core, which asks the others. Each file has an interval of its own, as in Kafka; they are written one after
//! another, and all of them at a stop.

use super::data_dir::{self, DataDirError, HIGH_WATERMARKS, LOG_STARTS, RECOVERY_POINTS};
use crate::config::BrokerConfig;
use crate::io::blocking;
use crate::log::WrittenPositions;
use crate::log::offset_checkpoint::OffsetCheckpoint;
use crate::shard::{Dirs, PartitionCheckpoint, Shard};
use crate::types::Offset;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A checkpoint file of Kafka's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Checkpoint {
    /// `recovery-point-offset-checkpoint`, and our own positions of what is written beside it.
    RecoveryPoints,
    /// `replication-offset-checkpoint`.
    HighWatermarks,
    /// `log-start-offset-checkpoint`.
    LogStarts,
}

impl Checkpoint {
    pub(super) const ALL: [Checkpoint; 3] = [
        Checkpoint::RecoveryPoints,
        Checkpoint::HighWatermarks,
        Checkpoint::LogStarts,
    ];

    fn file_name(self) -> &'static str {
        match self {
            Checkpoint::RecoveryPoints => RECOVERY_POINTS,
            Checkpoint::HighWatermarks => HIGH_WATERMARKS,
            Checkpoint::LogStarts => LOG_STARTS,
        }
    }

    fn interval(self, config: &BrokerConfig) -> Duration {
        Duration::from_millis(match self {
            Checkpoint::RecoveryPoints => config.recovery_point_checkpoint_interval_ms,
            Checkpoint::HighWatermarks => config.high_watermark_checkpoint_interval_ms,
            Checkpoint::LogStarts => config.log_start_checkpoint_interval_ms,
        })
    }

    /// What stands in the file for a partition, if anything does.
    fn entry(self, point: &PartitionCheckpoint) -> Option<Offset> {
        match self {
            Checkpoint::RecoveryPoints => Some(point.recovery_point),
            Checkpoint::HighWatermarks => Some(point.high_watermark),
            Checkpoint::LogStarts => Some(point.log_start).filter(|start| *start > Offset::ZERO),
        }
    }
}

/// Writes each checkpoint by its interval until the broker drains: what a restart after a crash need not check or search again.
/// The recovery points at once, if what the last run wrote down has been used up.
pub(super) fn keep(shard: &Rc<Shard>, last_run_clean: bool) {
    for checkpoint in Checkpoint::ALL {
        let at_once = checkpoint == Checkpoint::RecoveryPoints && !last_run_clean;
        let shard = Rc::clone(shard);
        glommio::spawn_local(write_for_ever(shard, checkpoint, at_once)).detach();
    }
}

async fn write_for_ever(shard: Rc<Shard>, checkpoint: Checkpoint, mut at_once: bool) {
    let every = checkpoint.interval(&shard.config);
    loop {
        if !std::mem::take(&mut at_once) {
            glommio::timer::sleep(every).await;
        }
        if shard.is_draining() {
            return;
        }
        write_now(&shard, checkpoint).await;
        // As Kafka's scheduler: what has no period is done once.
        if every.is_zero() {
            return;
        }
    }
}

async fn write_now(shard: &Rc<Shard>, checkpoint: Checkpoint) {
    let _turn = shard.checkpointing.acquire_permit(1).await;
    let (written, begun) = (Arc::clone(&shard.written), shard.written.begin());
    let mut points = shard.checkpoint_everywhere().await;
    let dirs = Arc::clone(shard.dirs());
    for (place, error) in write(&dirs, &points, &[checkpoint]).await {
        match error.is_no_space() {
            true => log::error!("{error}: checkpoints are written when there is room"),
            false => shard.lose_dir(place, &error.to_string()).await,
        }
    }
    if checkpoint != Checkpoint::RecoveryPoints {
        return;
    }
    let mut positions = written_positions(&dirs, &mut points);
    let write_positions = move || {
        for (place, dir) in dirs.usable() {
            let positions = std::mem::take(&mut positions[place]);
            if let Err(error) = written.write(&dir.path, positions, begun) {
                log::error!("{}: the written positions: {error}", dir.path.display());
            }
        }
    };
    blocking(write_positions).await;
}

/// By the place of the data directory.
fn written_positions(dirs: &Dirs, points: &mut [PartitionCheckpoint]) -> Vec<WrittenPositions> {
    let mut positions = vec![WrittenPositions::new(); dirs.all().len()];
    for point in points {
        if let Some(written) = point.written.take() {
            let key = (point.topic.clone(), point.partition);
            positions[point.dir].push((key, written));
        }
    }
    positions
}

/// Writes these checkpoints of each data directory that can be used; returns where that failed.
pub(super) async fn write(
    dirs: &Arc<Dirs>,
    points: &[PartitionCheckpoint],
    checkpoints: &[Checkpoint],
) -> Vec<(usize, DataDirError)> {
    let files = |place| {
        let file = |checkpoint: &Checkpoint| {
            let here = points.iter().filter(|point| point.dir == place);
            let entry = |point: &PartitionCheckpoint| {
                let key = (point.topic.clone(), point.partition);
                Some((key, checkpoint.entry(point)?))
            };
            (checkpoint.file_name(), here.filter_map(entry).collect())
        };
        checkpoints.iter().map(file).collect()
    };
    let of_dirs: Vec<Vec<(&str, OffsetCheckpoint)>> = (0..dirs.all().len()).map(files).collect();
    let dirs = Arc::clone(dirs);
    let write_all = move || {
        let failed = dirs.usable().filter_map(|(place, dir)| {
            let mut files = of_dirs[place].iter();
            let written = files.try_for_each(|(name, offsets)| {
                data_dir::write_checkpoint(&dir.path, name, offsets)
            });
            Some((place, written.err()?))
        });
        failed.collect()
    };
    blocking(write_all).await
}
