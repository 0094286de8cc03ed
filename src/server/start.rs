//! From a command line to a running broker, and to its exit code.

use super::bind::{self, BindError, Bound};
use super::cores::{self, CoresError};
use super::data_dir::DataDirError;
use super::data_dirs::DataDirs;
use super::life::{Boot, Ended};
use super::observed::{Observed, observe};
use super::seat::Seat;
use super::stop;
use super::survey::{self, SurveyError};
use crate::admin::AdminError;
use crate::api::CoreIdError;
use crate::config::{BrokerConfig, ConfigError, CoreChoice, Loaded};
use crate::io::{RingError, ring_is_usable};
use crate::limits;
use crate::net::listener::{self, ListenError};
use crate::shard::{Admission, MeshEntrance, Opening};
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;
use thiserror::Error;

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// A `server.properties` file.
    pub properties: Option<PathBuf>,
    /// Properties that win over the file, in order.
    pub overrides: Vec<(String, String)>,
    /// Unknown properties stop the start.
    pub strict: bool,
    /// Which cores.
    pub cores: Option<CoreChoice>,
}

/// Why the broker did not start, or did not stop cleanly. Each says what to do.
#[derive(Debug, Error)]
pub enum ServeError {
    /// A property is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The cores cannot be used.
    #[error(transparent)]
    Cores(#[from] CoresError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The data directory cannot be gone on with.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// An address cannot be used.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The cores cannot be told to clients.
    #[error(transparent)]
    CoreIds(#[from] CoreIdError),
    /// A core cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Metrics and health cannot be served.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// io_uring cannot be used.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// A core's executor did not start.
    #[error("cannot start an executor on CPU {cpu}: {reason}")]
    Executor {
        /// The CPU.
        cpu: usize,
        /// What the runtime says.
        reason: String,
    },
    /// Signals cannot be received.
    #[error("cannot install the signal handlers: {0}")]
    Signals(io::Error),
    /// The metadata log or a partition cannot be used.
    #[error("{0}")]
    Logs(String),
}

/// Runs the broker until a signal stops it.
///
/// # Errors
/// See [`ServeError`]. Nothing has been changed on the disk if settings, directory, ports or cores are at fault.
pub fn serve(options: &ServeOptions, began: Instant) -> Result<(), ServeError> {
    crate::io::allocator::keep_large_buffers_warm();
    let mut config = load(options)?;
    let cpus = cores::choose(options.cores.as_ref())?;
    ring_is_usable(limits::LOCKED_MEMORY_PER_CORE_KIB * cpus.len())?;
    let bound = Arc::new(bind::bind_all(&config, cpus.len())?);
    let Observed { admin, seats } = observe(config.admin_listener.as_deref(), &cpus, began)?;
    let data_dirs = DataDirs::open(&config)?;
    config.settle_node_id(data_dirs.identity.node_id);
    let doors = bind::doors(&bound, data_dirs.identity.node_id, cpus.len())?;
    bind::tell_of_cores(&doors);
    let config = Arc::new(config);
    let signals = stop::on_signals().map_err(ServeError::Signals)?;
    let found = data_dirs.find_logs()?;
    let inherited = survey::survey(&data_dirs)?;
    let opening = Opening::new(cpus.len().max(config.recovery_threads), cpus.clone());
    let startup = data_dirs.take_over(found, opening)?;

    let boot = Boot {
        config: Arc::clone(&config),
        bound: Arc::clone(&bound),
        identity: data_dirs.identity.clone(),
        dirs: Arc::new(data_dirs.dirs()),
        last_run_clean: startup.clean.iter().all(|clean| *clean),
        inherited,
        cores: cpus.len(),
        admin,
        began,
    };
    let admission = Admission::new(
        cpus.len(),
        config.max_connections as usize,
        config.max_connections_per_ip as usize,
    );
    let mesh = MeshEntrance::for_cores(cpus.len());
    let (ended, outcome) = mpsc::channel();
    let signals = Arc::new(Mutex::new(Some(signals)));
    let mut executors = Vec::with_capacity(cpus.len());
    for (core, (&cpu, (metrics, inquiry))) in cpus.iter().zip(seats).enumerate() {
        let seat = Seat {
            cpu,
            mesh: mesh.clone(),
            listeners: listen_on_all(&bound, core, config.socket_listen_backlog.cast_signed())?,
            doors: doors.clone(),
            boot: boot.clone(),
            startup: startup.clone(),
            metrics,
            inquiry,
            admission: Arc::clone(&admission),
            signals: Arc::clone(&signals),
            ended: ended.clone(),
        };
        executors.push(seat.spawn()?);
    }
    drop(ended);
    // What is left of it is with the cores, until their logs are open.
    drop(startup);
    let ended = outcome
        .recv()
        .unwrap_or_else(|_| Err("a core has ended by itself".to_owned()))
        .map_err(ServeError::Logs);
    // The other executors wait for messages that no longer come; they end with the process.
    std::mem::forget(executors);
    let Ended {
        broker_epoch,
        clean,
        complaint,
    } = ended?;
    data_dirs.mark_clean(&clean, broker_epoch)?;
    match complaint {
        None => Ok(()),
        Some(complaint) => Err(ServeError::Logs(complaint)),
    }
}

fn load(options: &ServeOptions) -> Result<BrokerConfig, ServeError> {
    let Loaded {
        config, warnings, ..
    } = crate::config::load(
        options.properties.as_deref(),
        &options.overrides,
        options.strict,
    )?;
    for warning in warnings {
        log::warn!("{warning}");
    }
    Ok(config)
}

fn listen_on_all(
    bound: &[Bound],
    core: usize,
    backlog: i32,
) -> Result<Vec<TcpListener>, ServeError> {
    let mut listeners = Vec::new();
    for address in bind::addresses(bound, core) {
        listeners.push(listener::listen(&address.claim, backlog)?);
    }
    Ok(listeners)
}
