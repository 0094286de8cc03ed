//! One core from its first to its last task.

use super::accept::accept_for_ever;
use crate::api::{self, Door};
use crate::config::BrokerConfig;
use crate::io::into_runtime_listener;
use crate::limits;
use crate::net::budget::Budget;
use crate::net::connection::{self, Core};
use crate::net::registry::Registry;
use crate::net::send;
use crate::net::stream::SocketBuffers;
use crate::shard::{Admission, Shard};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What one core consists of, above its shard.
pub struct CoreParts {
    /// Partitions and messages.
    pub shard: Rc<Shard>,
    /// Connections.
    pub net: Rc<Core>,
    /// Who may connect, over all cores.
    pub admission: Arc<Admission>,
}

/// Puts a core together around its shard and lets it accept when the shard is opened.
pub fn assemble(
    shard: &Rc<Shard>,
    listeners: Vec<std::net::TcpListener>,
    doors: Vec<Door>,
    admission: &Arc<Admission>,
) -> Rc<CoreParts> {
    let config = Arc::clone(&shard.config);
    let cores = shard.cores();
    let registry: Rc<Registry> = Rc::default();
    let net = Rc::new(Core {
        api: api::Context::new(Rc::clone(shard), doors),
        budget: Budget::new(frame_memory(&config, cores)),
        slots: Budget::new((config.queued_max_requests as usize / cores).max(1)),
        cold_reads: send::cold_reads(limits::COLD_READS_PER_CORE),
        scratch: Rc::new(RefCell::new(
            vec![0; limits::RECEIVE_SCRATCH_BYTES].into_boxed_slice(),
        )),
        registry: Rc::clone(&registry),
        max_frame_bytes: config.socket_request_max_bytes as usize,
        socket_buffers: SocketBuffers {
            send: config.socket_send_buffer_bytes.map(|bytes| bytes as usize),
            receive: config
                .socket_receive_buffer_bytes
                .map(|bytes| bytes as usize),
        },
    });
    let parts = Rc::new(CoreParts {
        shard: Rc::clone(shard),
        net,
        admission: Arc::clone(admission),
    });
    let bounds = Arc::clone(admission);
    shard.on_live(Box::new(move |config| {
        bounds.set_bounds(
            config.max_connections as usize,
            config.max_connections_per_ip as usize,
        );
    }));
    let adopted = Rc::clone(&parts.net);
    shard.on_adopt(Box::new(move |socket, listener, admitted| {
        connection::serve(Rc::clone(&adopted), socket, listener, admitted);
    }));
    glommio::spawn_local(Rc::clone(&registry).sweep_for_ever(
        config.connections_max_idle_ms.map(Duration::from_millis),
        Rc::clone(&parts.net.budget),
    ))
    .detach();
    glommio::spawn_local(Rc::clone(shard).expire_producers_for_ever()).detach();
    glommio::spawn_local(Rc::clone(shard).apply_retention_for_ever()).detach();
    glommio::spawn_local(Rc::clone(shard).sync_behind_for_ever()).detach();
    glommio::spawn_local(Rc::clone(shard).look_after_files_for_ever()).detach();
    glommio::spawn_local(Rc::clone(shard).open_waiting_for_ever()).detach();
    shard.tick_coordinators();
    glommio::spawn_local(Rc::clone(shard).compact_for_ever()).detach();
    glommio::spawn_local(live(Rc::clone(&parts), listeners)).detach();
    parts
}

/// Accepts once the shard is opened, and lets the connections go when it drains.
async fn live(parts: Rc<CoreParts>, listeners: Vec<std::net::TcpListener>) {
    parts.shard.open.wait().await;
    for (index, listener) in listeners.into_iter().enumerate() {
        let listener = into_runtime_listener(listener);
        glommio::spawn_local(accept_for_ever(Rc::clone(&parts), listener, index)).detach();
    }
    parts.shard.draining.wait().await;
    parts.net.registry.drain(limits::DRAIN_GRACE).await;
    parts.shard.drained.raise();
}

/// A core's share of `queued.max.request.bytes`; without that setting a bound of our own.
fn frame_memory(config: &BrokerConfig, cores: usize) -> usize {
    let total = config
        .queued_max_request_bytes
        .map_or(limits::FRAME_MEMORY_PER_CORE * cores, |bytes| {
            bytes as usize
        });
    (total / cores).max(limits::FRAME_MEMORY_MIN)
}
