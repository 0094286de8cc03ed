//! The first core leads: it loads the metadata, has every core open its partitions, opens the doors, and later closes them.

use super::bind::Bound;
use super::data_dir::{self, Checkpoints};
use super::ready;
use crate::config::BrokerConfig;
use crate::io::{blocking, stop_signal};
use crate::log::{WrittenCheckpoint, WrittenPositions};
use crate::metadata::{self, Broker, MetaProperties, bootstrap};
use crate::shard::{Controller, PartitionCheckpoint, Shard};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What the broker is started with, the same for every core.
#[derive(Clone)]
pub struct Boot {
    /// Settings.
    pub config: Arc<BrokerConfig>,
    /// Addresses.
    pub bound: Arc<Vec<Bound>>,
    /// Cluster and node id.
    pub identity: MetaProperties,
    /// Where the files are.
    pub data_dir: PathBuf,
    /// The last run stopped cleanly.
    pub last_run_clean: bool,
    /// How many cores there are.
    pub cores: usize,
    /// When the process began.
    pub began: Instant,
}

/// The broker's life, on its first core. Returns after a clean stop, or with the reason why there is none.
pub async fn lead(shard: Rc<Shard>, boot: Boot, signals: Option<UnixStream>) -> Result<(), String> {
    let controller = Controller::open(&shard, &itself(&boot), boot.last_run_clean)
        .await
        .map_err(|error| format!("the metadata log cannot be used: {error}"))?;
    let report = shard.install_everywhere(&controller.image()).await;
    for remark in &report.remarks {
        log::warn!("{remark}");
    }
    for (key, reason) in &report.failures {
        log::error!(
            "{} partition {} is offline: {reason}",
            key.topic_id,
            key.partition
        );
    }
    shard.lead_with(controller);
    shard.open_everywhere().await;
    ready::announce(&boot, report.partitions);
    glommio::spawn_local(checkpoint_for_ever(
        Rc::clone(&shard),
        boot.data_dir.clone(),
        boot.last_run_clean,
    ))
    .detach();
    if !boot.last_run_clean && report.partitions > 0 {
        let shard = Rc::clone(&shard);
        glommio::spawn_local(async move { shard.sync_recovered().await }).detach();
    }
    if let Some(signals) = signals {
        stop_signal(signals).await;
    } else {
        futures_lite::future::pending::<()>().await;
    }
    stop(&shard, boot.data_dir).await
}

/// This node, as it registers.
fn itself(boot: &Boot) -> Broker {
    let endpoints = super::bind::endpoints(&boot.bound)
        .into_iter()
        .map(|point| metadata::Endpoint {
            listener: point.name,
            host: point.host,
            port: point.port,
        })
        .collect();
    bootstrap::registration(
        boot.identity.node_id,
        Uuid::new_v4(),
        endpoints,
        boot.config.rack.clone(),
        boot.identity.directory_id,
    )
}

/// Drains, flushes and closes. The caller writes the clean-shutdown mark.
async fn stop(shard: &Rc<Shard>, data_dir: PathBuf) -> Result<(), String> {
    log::info!("stopping: answering what was received, then flushing");
    ready::stopping();
    shard.drain_everywhere().await;
    let points = shard.close_everywhere().await;
    let failed: Vec<_> = points
        .iter()
        .filter(|point| point.failed)
        .map(|point| format!("{}-{}", point.topic, point.partition))
        .collect();
    write(data_dir.clone(), points).await?;
    // The next start need not look, and whoever starts in between does not know of it.
    blocking(move || WrittenCheckpoint::take(&data_dir, true)).await;
    if failed.is_empty() {
        log::info!("stopped cleanly");
        return Ok(());
    }
    Err(format!(
        "these partitions could not be closed and are checked at the next start: {}",
        failed.join(", ")
    ))
}

/// Writes down every minute what a restart after a crash need not check again; at once, if what the last run wrote down has been
/// used up.
async fn checkpoint_for_ever(shard: Rc<Shard>, data_dir: PathBuf, last_run_clean: bool) {
    let every = Duration::from_millis(shard.config.recovery_point_checkpoint_interval_ms);
    let mut at_once = !last_run_clean;
    loop {
        if !std::mem::take(&mut at_once) {
            glommio::timer::sleep(every).await;
        }
        if shard.is_draining() {
            return;
        }
        let _turn = shard.checkpointing.acquire_permit(1).await;
        let (written, begun) = (Arc::clone(&shard.written), shard.written.begin());
        let mut points = shard.checkpoint_everywhere().await;
        let positions = written_positions(&mut points);
        if let Err(reason) = write(data_dir.clone(), points).await {
            log::error!("{reason}");
        }
        let dir = data_dir.clone();
        if let Err(error) = blocking(move || written.write(&dir, positions, begun)).await {
            log::error!("the checkpoint of written positions: {error}");
        }
    }
}

fn written_positions(points: &mut [PartitionCheckpoint]) -> WrittenPositions {
    let written = |point: &mut PartitionCheckpoint| {
        let written = point.written.take()?;
        Some(((point.topic.clone(), point.partition), written))
    };
    points.iter_mut().filter_map(written).collect()
}

async fn write(dir: PathBuf, points: Vec<PartitionCheckpoint>) -> Result<(), String> {
    let mut checkpoints = Checkpoints::default();
    for point in points {
        let key = (point.topic, point.partition);
        checkpoints
            .recovery_points
            .insert(key.clone(), point.recovery_point);
        checkpoints
            .high_watermarks
            .insert(key.clone(), point.high_watermark);
        if point.log_start.0 > 0 {
            checkpoints.log_starts.insert(key, point.log_start);
        }
    }
    blocking(move || data_dir::write_checkpoints(&dir, &checkpoints))
        .await
        .map_err(|error| format!("checkpoints: {error}"))
}
