//! From `listeners` and `advertised.listeners` to claimed ports and the addresses that clients are told.

use crate::api::Endpoint;
use crate::config::BrokerConfig;
use crate::config::listener::Listener;
use crate::net::listener::{self, Claim, ListenError};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use thiserror::Error;

/// Why an address cannot be used.
#[derive(Debug, Error)]
pub enum BindError {
    /// The host of a listener is not known.
    #[error("listener {listener}: the host {host:?} cannot be resolved: {reason}")]
    Resolve {
        /// The listener's name.
        listener: String,
        /// As configured.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The port cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A listener that is ready to accept, and what clients are told of it.
#[derive(Debug)]
pub struct Bound {
    /// The claimed port.
    pub claim: Claim,
    /// What clients are told.
    pub endpoint: Endpoint,
}

/// Claims the port of every listener. Resolving names may sleep, so this runs before any core is started.
///
/// # Errors
/// See [`BindError`].
pub fn bind_all(config: &BrokerConfig) -> Result<Vec<Bound>, BindError> {
    let backlog = config.socket_listen_backlog.cast_signed();
    let bind = |listener| bind(listener, backlog);
    config.listeners.iter().map(bind).collect()
}

/// What clients are told, by index of the listener.
pub fn endpoints(bound: &[Bound]) -> Vec<Endpoint> {
    bound.iter().map(|bound| bound.endpoint.clone()).collect()
}

fn bind(listener: &Listener, backlog: i32) -> Result<Bound, BindError> {
    let address = resolve(listener)?;
    let claim = listener::claim(address, backlog)?;
    if !address.ip().is_loopback() {
        log::warn!(
            "listener {} on {} can be reached from other machines and is not encrypted (PLAINTEXT)",
            listener.name,
            claim.address
        );
    }
    let told = &listener.advertised;
    let host = match &told.host {
        Some(host) => host.clone(),
        None => {
            let host = own_host_name();
            log::warn!(
                "listener {} listens on every address and has no advertised.listeners: clients are told {host}",
                listener.name
            );
            host
        }
    };
    let endpoint = Endpoint {
        name: listener.name.clone(),
        host,
        port: told
            .port
            .filter(|&port| port != 0)
            .unwrap_or(claim.address.port()),
    };
    Ok(Bound { claim, endpoint })
}

fn resolve(listener: &Listener) -> Result<SocketAddr, BindError> {
    if listener.host.is_empty() {
        return Ok(SocketAddr::new(
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            listener.port,
        ));
    }
    let failed = |reason: String| BindError::Resolve {
        listener: listener.name.clone(),
        host: listener.host.clone(),
        reason,
    };
    (listener.host.as_str(), listener.port)
        .to_socket_addrs()
        .map_err(|error| failed(error.to_string()))?
        .next()
        .ok_or_else(|| failed("it has no address".to_owned()))
}

/// The name that other machines know this one by, as far as it can be found; clients on this machine reach it in any case.
fn own_host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let known = !name.is_empty() && (name, 0).to_socket_addrs().is_ok();
    if known { name } else { "localhost" }.to_owned()
}
