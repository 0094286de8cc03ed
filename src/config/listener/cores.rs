//! Core listeners: addresses at which a single core listens, so that clients talk to the core that owns a partition.
//!
//! `core.listeners` names the listeners whose clients are told of cores: each entry is NAME, `NAME://host:port`, or a single `*` for
//! all of them. Core n listens on the first port + n. Without an address the first port is the one after the
//! listener's own; port 0 takes a free one for each core. `advertised.core.listeners` says, in the same form, what clients are told
//! where that is something else (a container, a NAT): again the first port, and those after it.
//!
//! Pure. How many cores there are is known later, so [`check_layout`] is asked once more before anything is opened.

use super::{Advertised, Endpoint, Listener, is_wildcard, parse_endpoint};
use crate::config::error::ConfigError;
use crate::config::settings::Settings;
use std::fmt;

const LISTENED: &str = "core.listeners";
const TOLD: &str = "advertised.core.listeners";
/// All listeners.
const ALL: &str = "*";

/// Where the cores of one listener listen, each for itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CorePorts {
    /// Host to listen on, without brackets; empty is every interface.
    pub host: String,
    /// The first core's port; 0 takes a free one for each core.
    pub first_port: u16,
    /// What clients are told: of the port, the first.
    pub advertised: Advertised,
}

impl CorePorts {
    /// The port that this core listens on; 0 takes a free one.
    ///
    /// # Panics
    /// If there is none: [`check_layout`] has been asked.
    pub fn port(&self, core: usize) -> u16 {
        match self.first_port {
            0 => 0,
            first => nth_port(first, core).expect("the layout was checked"),
        }
    }

    /// The port that clients are told for this core; `None` is the one that is listened on.
    ///
    /// # Panics
    /// As [`CorePorts::port`].
    pub fn advertised_port(&self, core: usize) -> Option<u16> {
        let first = self.advertised.port.filter(|&port| port != 0)?;
        Some(nth_port(first, core).expect("the layout was checked"))
    }
}

fn nth_port(first: u16, core: usize) -> Option<u16> {
    u16::try_from(usize::from(first) + core).ok()
}

/// Gives the listeners that `settings` name their core ports.
///
/// # Errors
/// [`ConfigError::Conflict`] with a sentence: an entry that cannot be read, stands twice or names nothing that listens.
pub(super) fn add_core_ports(
    listeners: &mut [Listener],
    settings: &Settings,
) -> Result<(), ConfigError> {
    let mut entries = settings.list(LISTENED);
    if entries == [ALL] {
        let names = listeners.iter().map(|listener| listener.name.clone());
        entries = names.collect();
    }
    for text in &entries {
        let (name, address) = entry(text)?;
        let listener = named(listeners, &name, LISTENED)?;
        if listener.cores.is_some() {
            return conflict(format!("{LISTENED}: {name} stands twice"));
        }
        listener.cores = Some(core_ports(listener, address)?);
    }
    let mut told = Vec::new();
    for text in settings.list(TOLD) {
        let Some(endpoint) = parse_endpoint(&text) else {
            return unreadable(TOLD, &text);
        };
        if told.contains(&endpoint.name) {
            return conflict(format!("{TOLD}: {} stands twice", endpoint.name));
        }
        told.push(endpoint.name.clone());
        tell(listeners, endpoint)?;
    }
    match listeners
        .iter()
        .find(|listener| is_half_told(listener, &told))
    {
        Some(listener) => conflict(format!(
            "{TOLD}: clients are told another port of {0} than it listens on, so say where its cores are: {0}://:FIRST-PORT",
            listener.name
        )),
        None => Ok(()),
    }
}

/// Clients reach the listener through another port than its own, so they will not reach its cores through theirs.
fn is_half_told(listener: &Listener, told: &[String]) -> bool {
    let elsewhere = listener.port != 0
        && listener
            .advertised
            .port
            .is_some_and(|port| port != listener.port);
    listener.cores.is_some() && elsewhere && !told.contains(&listener.name)
}

/// NAME, or `NAME://host:port`.
fn entry(text: &str) -> Result<(String, Option<Endpoint>), ConfigError> {
    if !text.contains([':', '/', '*']) {
        return Ok((text.to_uppercase(), None));
    }
    match parse_endpoint(text) {
        Some(endpoint) => Ok((endpoint.name.clone(), Some(endpoint))),
        None => unreadable(LISTENED, text),
    }
}

/// At `address`, or right after the listener's own; told to clients by the listener's host unless it is another.
fn core_ports(listener: &Listener, address: Option<Endpoint>) -> Result<CorePorts, ConfigError> {
    let own_host = address
        .as_ref()
        .map(|address| address.host.clone())
        .filter(|host| !host.is_empty() && *host != listener.host);
    let first_port = match address {
        Some(address) => address.port,
        None if listener.port == 0 => 0,
        None => match listener.port.checked_add(1) {
            Some(port) => port,
            None => return conflict(no_room(&listener.name)),
        },
    };
    let told_host = own_host.clone().filter(|host| !is_wildcard(host));
    Ok(CorePorts {
        host: own_host.unwrap_or_else(|| listener.host.clone()),
        first_port,
        advertised: Advertised {
            host: told_host.or_else(|| listener.advertised.host.clone()),
            port: None,
        },
    })
}

fn tell(listeners: &mut [Listener], endpoint: Endpoint) -> Result<(), ConfigError> {
    if !endpoint.host.is_empty() && is_wildcard(&endpoint.host) {
        return conflict(format!(
            "{TOLD} cannot use the nonroutable meta-address {}. Use a routable IP address.",
            endpoint.host
        ));
    }
    let listener = named(listeners, &endpoint.name, TOLD)?;
    let Some(cores) = &mut listener.cores else {
        return conflict(format!(
            "{TOLD}: {} has no core listeners; add it to {LISTENED}",
            endpoint.name
        ));
    };
    if !endpoint.host.is_empty() {
        cores.advertised.host = Some(endpoint.host);
    }
    cores.advertised.port = (endpoint.port != 0).then_some(endpoint.port);
    Ok(())
}

fn named<'a>(
    listeners: &'a mut [Listener],
    name: &str,
    property: &str,
) -> Result<&'a mut Listener, ConfigError> {
    let found = listeners.iter_mut().find(|known| known.name == name);
    found.ok_or_else(|| {
        ConfigError::Conflict(format!(
            "{property}: nothing listens as {name}; its names must be among those of listeners"
        ))
    })
}

fn unreadable<T>(property: &str, text: &str) -> Result<T, ConfigError> {
    conflict(format!(
        "{property}: {text:?} is no address; write NAME://host:port, e.g. PLAINTEXT://:9192"
    ))
}

fn no_room(name: &str) -> String {
    format!(
        "{LISTENED}: there are not enough ports for the cores of {name}; give the first one, e.g. {name}://:9192"
    )
}

fn conflict<T>(words: String) -> Result<T, ConfigError> {
    Err(ConfigError::Conflict(words))
}

/// Ports in a row at one host, and whose they are.
struct Span<'a> {
    listener: &'a str,
    of_cores: bool,
    host: &'a str,
    first: u16,
    last: u16,
}

impl fmt::Display for Span<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of_cores {
            true => write!(f, "the cores of {}", self.listener),
            false => f.write_str(self.listener),
        }
    }
}

/// Whether every core of so many has ports of its own, both to listen on and to be told of.
///
/// # Errors
/// [`ConfigError::Conflict`] with the two that get in each other's way, or the one whose ports do not suffice.
pub fn check_layout(listeners: &[Listener], cores: usize) -> Result<(), ConfigError> {
    let (mut listened, mut told) = (Vec::new(), Vec::new());
    for listener in listeners {
        let Listener {
            name, host, port, ..
        } = listener;
        let advertised = &listener.advertised;
        listened.extend(span((name, false), host, *port, 1)?);
        let told_host = advertised.host.as_deref().unwrap_or_default();
        let told_port = advertised.port.unwrap_or(*port);
        told.extend(span((name, false), told_host, told_port, 1)?);
        let Some(ports) = &listener.cores else {
            continue;
        };
        listened.extend(span((name, true), &ports.host, ports.first_port, cores)?);
        let told_host = ports.advertised.host.as_deref().unwrap_or_default();
        let told_port = ports.advertised.port.unwrap_or(ports.first_port);
        told.extend(span((name, true), told_host, told_port, cores)?);
    }
    let same_place = |a: &str, b: &str| a == b || is_wildcard(a) || is_wildcard(b);
    apart(&listened, LISTENED, same_place)?;
    apart(&told, TOLD, |a, b| a == b)
}

/// `None` where each takes a free port.
fn span<'a>(
    (listener, of_cores): (&'a str, bool),
    host: &'a str,
    first: u16,
    count: usize,
) -> Result<Option<Span<'a>>, ConfigError> {
    if first == 0 {
        return Ok(None);
    }
    match nth_port(first, count.saturating_sub(1)) {
        None => conflict(no_room(listener)),
        Some(last) => Ok(Some(Span {
            listener,
            of_cores,
            host,
            first,
            last,
        })),
    }
}

/// What listeners have among themselves is looked at elsewhere; here a span of cores is always one of the two.
fn apart(
    spans: &[Span<'_>],
    property: &str,
    same_host: impl Fn(&str, &str) -> bool,
) -> Result<(), ConfigError> {
    for (at, span) in spans.iter().enumerate() {
        let overlaps = |other: &&Span<'_>| {
            (span.of_cores || other.of_cores)
                && same_host(span.host, other.host)
                && span.first <= other.last
                && other.first <= span.last
        };
        if let Some(other) = spans[..at].iter().find(overlaps) {
            let port = span.first.max(other.first);
            let movable = if span.of_cores { span } else { other };
            return conflict(format!(
                "{property}: {other} and {span} would both have port {port}; give the cores other ones, e.g. {}://:9192",
                movable.listener
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
