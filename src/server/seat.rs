//! A core's place before its executor runs: everything it takes along to its thread.

use super::core::assemble;
use super::life::{self, Boot, Ended};
use super::start::ServeError;
use crate::api::Door;
use crate::limits;
use crate::shard::{Admission, MeshEntrance, Shard, Startup};
use crate::types::ShardId;
use glommio::{ExecutorJoinHandle, LocalExecutorBuilder, Placement};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

/// What one core begins with.
pub struct Seat {
    /// The CPU it is pinned to.
    pub cpu: usize,
    /// The mesh to join.
    pub mesh: MeshEntrance,
    /// A listening socket of its own for each address.
    pub listeners: Vec<TcpListener>,
    /// What clients are told who come in by them.
    pub doors: Vec<Door>,
    /// Settings and identity.
    pub boot: Boot,
    /// What the last run left.
    pub startup: Startup,
    /// Who may connect, over all cores.
    pub admission: Arc<Admission>,
    /// A byte comes out when the broker is to stop; taken by the first core.
    pub signals: Arc<Mutex<Option<UnixStream>>>,
    /// Where the first core reports the end, with the epoch of the broker's registration.
    pub ended: Sender<Result<Ended, String>>,
}

impl Seat {
    /// Starts the core's thread and executor.
    ///
    /// # Errors
    /// When the runtime cannot make either.
    pub fn spawn(self) -> Result<ExecutorJoinHandle<()>, ServeError> {
        let cpu = self.cpu;
        LocalExecutorBuilder::new(Placement::Fixed(cpu))
            .name(&format!("vltava-{cpu}"))
            .io_memory(limits::REGISTERED_MEMORY_PER_CORE)
            .spawn(move || self.live())
            .map_err(|error| ServeError::Executor {
                cpu,
                reason: error.to_string(),
            })
    }

    async fn live(self) {
        let joined = match self.mesh.join().await {
            Ok(joined) => joined,
            Err(error) => {
                let reason = format!("CPU {} cannot join the other cores: {error}", self.cpu);
                return drop(self.ended.send(Err(reason)));
            }
        };
        let shard = Shard::start(
            joined,
            Arc::clone(&self.boot.config),
            &self.boot.identity,
            Arc::clone(&self.boot.dirs),
            self.startup,
        );
        let _parts = assemble(&shard, self.listeners, self.doors, &self.admission);
        if shard.me() == ShardId(0) {
            let signals = self
                .signals
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let outcome = life::lead(shard, self.boot, signals).await;
            // The receiver waits for exactly this.
            drop(self.ended.send(outcome));
        }
        futures_lite::future::pending().await
    }
}
