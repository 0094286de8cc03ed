//! Listening: every core accepts on the same port, and connections are spread evenly.
//!
//! SO_REUSEPORT lets each core have a socket of its own on one port, but it also hides a port that is in use and spreads
//! long-lived connections by chance. So a port is first claimed for this broker alone ([`claim`]), and an accepting core hands
//! a socket on when another core has fewer.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixListener};
use std::time::{Duration, Instant};
use thiserror::Error;

/// How long the kernel may take to give back the port of a killed broker.
const DYING_PREDECESSOR: Duration = Duration::from_secs(2);

/// Why a port cannot be listened on.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Somebody listens there.
    #[error(
        "{address} is in use by another program: stop it, or choose another address with --listen, `listeners` or `core.listeners`"
    )]
    InUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Anything else that `bind(2)` or `listen(2)` says.
    #[error("cannot listen on {address}: {source}")]
    Io {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A port that belongs to this broker for as long as the claim lives.
#[derive(Debug)]
pub struct Claim {
    /// The address to listen on, its port filled in where 0 was asked for.
    pub address: SocketAddr,
    _lock: UnixListener,
}

/// Makes sure that nobody else listens on `address`, and keeps other brokers of this kind away.
///
/// The lock is an abstract Unix socket: it lives in the network namespace, as ports do, and dies with the process. A port
/// may outlive its process a little, since the kernel takes a killed process's rings down in the background; so a busy port
/// that no broker has locked is tried again for a while.
///
/// # Errors
/// See [`ListenError`].
pub fn claim(address: SocketAddr, backlog: i32) -> Result<Claim, ListenError> {
    let failed = |source| refused(address, source);
    let early = (address.port() != 0).then(|| lock(address));
    let early = early.transpose().map_err(failed)?;
    let probe = probe(address, backlog).map_err(failed)?;
    let address = probe
        .local_addr()
        .map_err(failed)?
        .as_socket()
        .unwrap_or(address);
    let lock = match early {
        Some(lock) => lock,
        None => lock(address).map_err(failed)?,
    };
    Ok(Claim {
        address,
        _lock: lock,
    })
}

fn lock(address: SocketAddr) -> io::Result<UnixListener> {
    let name = UnixAddr::from_abstract_name(format!("vltava-{address}"))?;
    UnixListener::bind_addr(&name)
}

/// Listens without sharing. SO_REUSEADDR lets a restarted broker take a port over whose old connections linger; it does not
/// hide a listener.
fn probe(address: SocketAddr, backlog: i32) -> io::Result<Socket> {
    let listening = || {
        let socket = bound(address, |socket| socket.set_reuse_address(true))?;
        socket.listen(backlog)?;
        Ok(socket)
    };
    let began = Instant::now();
    loop {
        match listening() {
            Err(error) if is_busy(&error) && began.elapsed() < DYING_PREDECESSOR => {
                std::thread::sleep(Duration::from_millis(5));
            }
            settled => return settled,
        }
    }
}

fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrInUse
}

fn refused(address: SocketAddr, source: io::Error) -> ListenError {
    if is_busy(&source) {
        ListenError::InUse { address }
    } else {
        ListenError::Io { address, source }
    }
}

/// One core's listening socket on a claimed address.
///
/// # Errors
/// See [`ListenError`].
pub fn listen(claim: &Claim, backlog: i32) -> Result<TcpListener, ListenError> {
    let address = claim.address;
    let listening = || {
        let socket = bound(address, |socket| {
            socket.set_reuse_address(true)?;
            socket.set_reuse_port(true)
        })?;
        socket.listen(backlog)?;
        Ok(TcpListener::from(socket))
    };
    listening().map_err(|source| refused(address, source))
}

fn bound(
    address: SocketAddr,
    prepare: impl FnOnce(&Socket) -> io::Result<()>,
) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.cloexec(),
        Some(Protocol::TCP),
    )?;
    prepare(&socket)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1:0";

    #[test]
    fn a_port_that_another_program_listens_on_is_refused() {
        let other = std::net::TcpListener::bind(LOOPBACK).unwrap();
        let taken = other.local_addr().unwrap();
        assert!(matches!(
            claim(taken, 16),
            Err(ListenError::InUse { address }) if address == taken
        ));
    }

    #[test]
    fn a_second_claim_on_a_claimed_port_is_refused_although_the_cores_share_it() {
        let first = claim(LOOPBACK.parse().unwrap(), 16).unwrap();
        let cores = [listen(&first, 16).unwrap(), listen(&first, 16).unwrap()];
        assert!(matches!(
            claim(first.address, 16),
            Err(ListenError::InUse { .. })
        ));
        drop(cores);
        drop(first);
    }
}
