//! The first core leads: it loads the metadata, has every core open its partitions, opens the doors, and later closes them.

use super::bind::Bound;
use super::checkpoints::{self, Checkpoint};
use super::ready;
use crate::config::BrokerConfig;
use crate::io::{blocking, stop_signal};
use crate::log::{WrittenCheckpoint, partition_dir_name};
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::metadata::{self, Broker, MetaProperties, bootstrap};
use crate::shard::{Controller, ControllerError, Dirs, Inherited, Shard};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
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
    pub dirs: Arc<Dirs>,
    /// The last run stopped cleanly, everywhere.
    pub last_run_clean: bool,
    /// What was read of the metadata.
    pub inherited: Inherited,
    /// How many cores there are.
    pub cores: usize,
    /// When the process began.
    pub began: Instant,
}

/// How a stop went.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The epoch of the registration that ends.
    pub broker_epoch: i64,
    /// By the place of the data directory: everything in it was closed in order.
    pub clean: Vec<bool>,
    /// What was not, in a sentence.
    pub complaint: Option<String>,
}

/// The broker's life, on its first core. Returns after a stop, or with the reason why there is none.
pub async fn lead(
    shard: Rc<Shard>,
    mut boot: Boot,
    signals: Option<UnixStream>,
) -> Result<Ended, String> {
    let inherited = std::mem::take(&mut boot.inherited);
    let controller = Controller::open(&shard, &itself(&boot), inherited)
        .await
        .map_err(|error| unusable(boot.dirs.metadata(), &error))?;
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
    for (name, reason) in &report.waiting {
        log::error!("{name} is offline until there is room: {reason}");
    }
    if !report.failures.is_empty() || !report.moved.is_empty() {
        match controller.heed(&report).await {
            Ok(()) => drop(shard.install_everywhere(&controller.image()).await),
            Err(error) => {
                log::error!("the metadata does not say which partitions are offline: {error}");
            }
        }
    }
    shard.lead_with(controller);
    shard.open_everywhere().await;
    ready::announce(&boot, report.partitions);
    checkpoints::keep(&shard, boot.last_run_clean);
    if !boot.last_run_clean && report.partitions > 0 {
        let shard = Rc::clone(&shard);
        glommio::spawn_local(async move { shard.sync_recovered().await }).detach();
    }
    if let Some(signals) = signals {
        stop_signal(signals).await;
    } else {
        futures_lite::future::pending::<()>().await;
    }
    let (clean, complaint) = stop(&shard).await;
    let image = shard.image();
    let registered = image.broker(boot.identity.node_id);
    Ok(Ended {
        broker_epoch: registered.map_or(-1, |registered| registered.epoch),
        clean,
        complaint,
    })
}

/// Why there is no start without the metadata, and what to do.
fn unusable(data_dir: &Path, error: &ControllerError) -> String {
    let folder = data_dir.join(partition_dir_name(CLUSTER_METADATA_TOPIC, 0));
    let folder = folder.display();
    let data_dir = data_dir.display();
    match error.is_damage() {
        true => format!(
            "the metadata log in {folder} cannot be used: {error}. No topic is touched. `vltava check {data_dir}` tells all that is wrong; \
             restore the folder from a copy"
        ),
        false => format!("the metadata log in {folder} cannot be used: {error}"),
    }
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
        boot.dirs.usable_ids(),
    )
}

/// Drains, flushes and closes. The caller writes the clean-shutdown marks where it went well.
async fn stop(shard: &Rc<Shard>) -> (Vec<bool>, Option<String>) {
    log::info!("stopping: answering what was received, then flushing");
    ready::stopping();
    shard.drain_everywhere().await;
    let points = shard.close_everywhere().await;
    let all = shard.dirs().all().iter();
    let mut clean: Vec<bool> = all.map(|dir| dir.loss().is_none()).collect();
    let mut failed = Vec::new();
    for point in points.iter().filter(|point| point.failed) {
        clean[point.dir] = false;
        failed.push(format!("{}-{}", point.topic, point.partition));
    }
    let dirs = Arc::clone(shard.dirs());
    let take_all = move || {
        // The next start need not look, and whoever starts in between does not know of it.
        for (_, dir) in dirs.usable() {
            drop(WrittenCheckpoint::take(&dir.path, true));
        }
    };
    blocking(take_all).await;
    let mut complaints = Vec::new();
    if !failed.is_empty() {
        complaints.push(format!(
            "these partitions could not be closed and are checked at the next start: {}",
            failed.join(", ")
        ));
    }
    for (place, reason) in checkpoints::write(shard.dirs(), &points, &Checkpoint::ALL).await {
        clean[place] = false;
        complaints.push(format!("checkpoints: {reason}"));
    }
    if complaints.is_empty() {
        log::info!("stopped cleanly");
        return (clean, None);
    }
    (clean, Some(complaints.join("; ")))
}
