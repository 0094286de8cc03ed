//! Accepting connections on one core, and sharing them out.

use super::core::CoreParts;
use super::seldom::Seldom;
use crate::net::connection;
use crate::shard::Signal;
use crate::types::ShardId;
use futures_lite::future::or;
use glommio::net::{AcceptedTcpStream, TcpListener};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// After a failed accept (mostly: no descriptors left) the next try waits this long.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Accepts on the listener with this index until the broker stops.
pub async fn accept_for_ever(parts: Rc<CoreParts>, listener: TcpListener, index: usize) {
    let draining: Rc<Signal> = Rc::clone(&parts.shard.draining);
    let refusals = Seldom::default();
    loop {
        let accepted = async { Some(listener.shared_accept().await) };
        let stopped = async {
            draining.wait().await;
            None
        };
        match or(stopped, accepted).await {
            None => return,
            Some(Ok(socket)) => admit(&parts, socket, index, &refusals),
            Some(Err(error)) => {
                log::warn!(
                    "accepting a connection failed: {error}; is LimitNOFILE (ulimit -n) high enough?"
                );
                glommio::timer::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// Serves the connection on the core that should have it, or closes it where a bound is reached.
fn admit(parts: &Rc<CoreParts>, socket: AcceptedTcpStream, index: usize, refusals: &Seldom) {
    let Ok(peer) = socket.peer_addr() else {
        // Gone already: taking it over closes the descriptor.
        return drop(socket.bind_to_executor());
    };
    let here = parts.shard.me();
    let stays = parts.net.api.is_to_one_core(index);
    match parts.admission.admit(peer.ip(), here.0, stays) {
        None => {
            // Clients without a back-off are back a thousand times a second.
            if let Some(others) = refusals.may_say(Instant::now()) {
                log::warn!(
                    "{peer} is refused: max.connections or max.connections.per.ip is reached (and {others} others since this was said last)"
                );
            }
            drop(socket.bind_to_executor());
        }
        Some((admitted, core)) if core == here.0 => {
            connection::serve(Rc::clone(&parts.net), socket, index, admitted);
        }
        Some((admitted, core)) => {
            parts
                .shard
                .hand_over(ShardId(core), socket, index, admitted);
        }
    }
}
