//! From `listeners`, `core.listeners` and what is advertised of them to claimed ports and the addresses that clients are told.

use crate::api::{CoreDoors, CoreIdError, CoreIds, Door, Endpoint};
use crate::config::listener::{Advertised, CorePorts, Listener, check_layout};
use crate::config::{BrokerConfig, ConfigError};
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
    /// There are not enough ports for the cores, or they are another listener's.
    #[error(transparent)]
    Layout(#[from] ConfigError),
    /// The port cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A listener that is ready to accept, and what clients are told of it.
#[derive(Debug)]
pub struct Bound {
    /// Where everyone connects: all cores accept here.
    pub shared: Address,
    /// Where each core accepts for itself, by core; empty without core listeners.
    pub cores: Vec<Address>,
}

/// An address that is this broker's.
#[derive(Debug)]
pub struct Address {
    /// The claimed port.
    pub claim: Claim,
    /// What clients are told.
    pub endpoint: Endpoint,
}

/// Claims the ports of every listener, for a broker of so many cores. Resolving names may sleep, so this runs before any core is
/// started.
///
/// # Errors
/// See [`BindError`].
pub fn bind_all(config: &BrokerConfig, cores: usize) -> Result<Vec<Bound>, BindError> {
    check_layout(&config.listeners, cores)?;
    let backlog = config.socket_listen_backlog.cast_signed();
    let bind = |listener| bind(listener, cores, backlog);
    config.listeners.iter().map(bind).collect()
}

/// What clients are told of the listeners, by index.
pub fn endpoints(bound: &[Bound]) -> Vec<Endpoint> {
    let endpoint = |bound: &Bound| bound.shared.endpoint.clone();
    bound.iter().map(endpoint).collect()
}

/// What a core listens on: the address of every listener, then its own of those that have core listeners. In the order of [`doors`].
pub fn addresses(bound: &[Bound], core: usize) -> impl Iterator<Item = &Address> {
    let shared = bound.iter().map(|bound| &bound.shared);
    shared.chain(bound.iter().filter_map(move |bound| bound.cores.get(core)))
}

/// What clients are told who come in by a core's addresses.
///
/// # Errors
/// When there are core listeners and the cores of this node cannot have ids.
pub fn doors(bound: &[Bound], node_id: i32, cores: usize) -> Result<Vec<Door>, CoreIdError> {
    let mut doors = Vec::with_capacity(bound.len());
    for bound in bound {
        let endpoints = bound.cores.iter().map(|address| address.endpoint.clone());
        let of_cores = match bound.cores.is_empty() {
            true => None,
            false => Some(CoreDoors {
                ids: CoreIds::new(node_id, cores)?,
                endpoints: endpoints.collect(),
            }),
        };
        doors.push(Door {
            listener: bound.shared.endpoint.clone(),
            cores: of_cores,
            to_one_core: false,
        });
    }
    let own = doors.iter().filter(|door| door.cores.is_some());
    let own = own.map(|door| Door {
        to_one_core: true,
        ..door.clone()
    });
    let own: Vec<_> = own.collect();
    doors.extend(own);
    Ok(doors)
}

/// Says where the cores are to be found, and as which nodes.
pub fn tell_of_cores(doors: &[Door]) {
    for door in doors.iter().filter(|door| !door.to_one_core) {
        let Some(cores) = &door.cores else { continue };
        let node = |(core, endpoint): (usize, &Endpoint)| {
            let id = cores.ids.of_core(core);
            format!("{id} at {}:{}", endpoint.host, endpoint.port)
        };
        let nodes: Vec<_> = cores.endpoints.iter().enumerate().map(node).collect();
        log::info!(
            "to clients of listener {} each core is a node: {}",
            door.listener.name,
            nodes.join(", ")
        );
    }
}

fn bind(listener: &Listener, cores: usize, backlog: i32) -> Result<Bound, BindError> {
    let own = Place {
        listener: &listener.name,
        host: &listener.host,
        port: listener.port,
        advertised: listener.advertised.clone(),
    };
    let shared = own.claim(backlog)?;
    let address = shared.claim.address;
    if !address.ip().is_loopback() {
        log::warn!(
            "listener {} on {address} can be reached from other machines and is not encrypted (PLAINTEXT)",
            listener.name
        );
    }
    if listener.advertised.host.is_none() {
        log::warn!(
            "listener {} listens on every address and has no advertised.listeners: clients are told {}",
            listener.name,
            shared.endpoint.host
        );
    }
    let told_host = |told: &Advertised| told.host.clone().unwrap_or(shared.endpoint.host.clone());
    let of_core = |ports: &CorePorts, core| {
        Place {
            listener: &listener.name,
            host: &ports.host,
            port: ports.port(core),
            advertised: Advertised {
                host: Some(told_host(&ports.advertised)),
                port: ports.advertised_port(core),
            },
        }
        .claim(backlog)
    };
    let cores = match &listener.cores {
        None => Vec::new(),
        Some(ports) => (0..cores)
            .map(|core| of_core(ports, core))
            .collect::<Result<_, _>>()?,
    };
    Ok(Bound { shared, cores })
}

/// An address as it is configured.
struct Place<'a> {
    listener: &'a str,
    host: &'a str,
    port: u16,
    advertised: Advertised,
}

impl Place<'_> {
    fn claim(&self, backlog: i32) -> Result<Address, BindError> {
        let claim = listener::claim(self.resolve()?, backlog)?;
        let told = &self.advertised;
        let endpoint = Endpoint {
            name: self.listener.to_owned(),
            host: told.host.clone().unwrap_or_else(own_host_name),
            port: told
                .port
                .filter(|&port| port != 0)
                .unwrap_or(claim.address.port()),
        };
        Ok(Address { claim, endpoint })
    }

    fn resolve(&self) -> Result<SocketAddr, BindError> {
        if self.host.is_empty() {
            return Ok(SocketAddr::new(
                IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                self.port,
            ));
        }
        let failed = |reason: String| BindError::Resolve {
            listener: self.listener.to_owned(),
            host: self.host.to_owned(),
            reason,
        };
        (self.host, self.port)
            .to_socket_addrs()
            .map_err(|error| failed(error.to_string()))?
            .next()
            .ok_or_else(|| failed("it has no address".to_owned()))
    }
}

/// The name that other machines know this one by, as far as it can be found; clients on this machine reach it in any case.
fn own_host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let known = !name.is_empty() && (name, 0).to_socket_addrs().is_ok();
    if known { name } else { "localhost" }.to_owned()
}
