//! The listening thread, and a thread for each of a few connections.

use super::http::{self, Answered};
use super::{View, routes};
use crate::admin::recent::Recent;
use crate::io::background;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use thiserror::Error;

/// Connections at a time; one more is told to come back.
const CONNECTIONS: usize = 8;
/// After a failed accept (mostly: no descriptors left) the next try waits this long.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Why there is no endpoint.
#[derive(Debug, Error)]
pub enum AdminError {
    /// The address cannot be used.
    #[error(
        "cannot serve metrics and health on {address}: {reason}; change --admin (admin.listener)"
    )]
    Bind {
        /// The address asked for.
        address: String,
        /// What the system says.
        reason: io::Error,
    },
    /// There is no way to ask the cores.
    #[error("cannot make the sockets over which cores are asked: {0}")]
    Questions(io::Error),
    /// The system gives no thread.
    #[error("cannot start the thread that serves metrics and health: {0}")]
    Thread(io::Error),
}

/// The address, taken before anything else of the broker starts.
pub struct Admin {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Admin {
    /// Takes `address`, as host:port.
    ///
    /// # Errors
    /// When it cannot be listened on.
    pub fn bind(address: &str) -> Result<Admin, AdminError> {
        let wrong = |reason| AdminError::Bind {
            address: address.to_owned(),
            reason,
        };
        let listener = TcpListener::bind(address).map_err(wrong)?;
        let bound = listener.local_addr().map_err(wrong)?;
        Ok(Admin {
            listener,
            address: bound,
        })
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn serve(self, view: Arc<View>) -> Result<(), AdminError> {
        let site = Arc::new(Site {
            view,
            recent: Recent::default(),
            busy: AtomicUsize::new(0),
        });
        let accept = move || {
            for stream in self.listener.incoming() {
                match stream {
                    Ok(stream) => site.take(stream),
                    Err(error) => {
                        log::warn!("the admin endpoint cannot accept: {error}");
                        std::thread::sleep(PAUSE_AFTER_ERROR);
                    }
                }
            }
        };
        background::spawn("admin", accept).map_err(AdminError::Thread)
    }
}

/// What the connections share.
struct Site {
    view: Arc<View>,
    recent: Recent,
    busy: AtomicUsize,
}

/// One of the places for connections; free again on drop.
struct Place(Arc<Site>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Site {
    fn take(self: &Arc<Self>, mut stream: TcpStream) {
        let busy = self.busy.fetch_add(1, Ordering::AcqRel);
        let place = Place(Arc::clone(self));
        if busy >= CONNECTIONS {
            let full = Answered::words("503 Service Unavailable", "too many connections at a time");
            // It fits the socket's buffer; whoever does not take it is gone.
            let _ = stream.set_nonblocking(true);
            let _ = http::write(&mut stream, &full, false);
            return;
        }
        let spawned = background::spawn("admin-answer", move || {
            if let Err(error) = place.0.answer(stream) {
                log::debug!("the admin endpoint: {error}");
            }
        });
        if let Err(error) = spawned {
            log::warn!("the admin endpoint has no thread for a connection: {error}");
        }
    }

    fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let (answer, head_only) = match http::read(&mut stream)? {
            Ok(asked) => (
                routes::answer(&asked, &self.view, &self.recent),
                asked.head_only,
            ),
            Err(refused) => (refused, false),
        };
        http::write(&mut stream, &answer, head_only)
    }
}
