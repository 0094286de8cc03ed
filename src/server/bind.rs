//! From `listeners` and `advertised.listeners` to claimed ports and the addresses that clients are told.

use crate::config::{Advertised, BrokerConfig, Listener};
use crate::net::listener::{self, Claim, ListenError};
use std::net::{SocketAddr, ToSocketAddrs};
use thiserror::Error;

/// Why an address cannot be used.
#[derive(Debug, Error)]
pub enum BindError {
    /// The host of a listener is not an address of this machine, or not known.
    #[error("the host of listener {listener} cannot be resolved: {reason}")]
    Resolve {
        /// As configured.
        listener: String,
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
    /// Its name, e.g. PLAINTEXT.
    pub name: String,
    /// The claimed port.
    pub claim: Claim,
    /// The host that Metadata names.
    pub advertised_host: String,
    /// The port that Metadata names.
    pub advertised_port: u16,
}

/// Claims the port of every listener.
///
/// Resolving names may sleep, so this runs before any core is started.
///
/// # Errors
/// See [`BindError`].
pub fn bind_all(config: &BrokerConfig) -> Result<Vec<Bound>, BindError> {
    config
        .listeners
        .iter()
        .map(|listener| bind(listener, config))
        .collect()
}
