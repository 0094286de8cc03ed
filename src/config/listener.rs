//! Listeners: where the broker listens, and what clients are told to connect to.
//!
//! Pure: resolves no name and opens no socket. A listener on every interface that is told to clients under no name of
//! its own is told under the machine's host name, as Kafka does; finding that name is the caller's.

mod cores;

pub use cores::{CorePorts, check_layout};

use super::error::ConfigError;
use super::settings::Settings;

/// One address clients connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Its name, in capitals.
    pub name: String,
    /// Host to listen on, without brackets; empty is every interface.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// What clients are told.
    pub advertised: Advertised,
    /// Where each core listens for itself, if clients are told of cores.
    pub cores: Option<CorePorts>,
}

/// The address clients are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advertised {
    /// Host; `None` means the machine's canonical host name, which the caller finds.
    pub host: Option<String>,
    /// Port; `None` means the port that is listened on.
    pub port: Option<u16>,
}

impl Listener {
    /// Whether it listens on every interface.
    pub fn is_wildcard(&self) -> bool {
        is_wildcard(&self.host)
    }

    /// Whether only this machine can reach it, as far as the text tells.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

/// `NAME://host:port`, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Endpoint {
    name: String,
    host: String,
    port: u16,
}

/// The properties that stand for `--listen HOST:PORT` flags: one listener each, told to clients as they are unless an
/// override that comes after says otherwise. Without a flag there are none, and the file's listeners hold.
pub fn listen_overrides(addresses: &[String]) -> Vec<(String, String)> {
    if addresses.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = (1..=addresses.len())
        .map(|nth| {
            if nth == 1 {
                "PLAINTEXT".to_owned()
            } else {
                format!("PLAINTEXT_{nth}")
            }
        })
        .collect();
    let listeners: Vec<String> = names
        .iter()
        .zip(addresses)
        .map(|(name, address)| format!("{name}://{address}"))
        .collect();
    let protocols: Vec<String> = names
        .iter()
        .map(|name| format!("{name}:PLAINTEXT"))
        .collect();
    vec![
        ("listeners".to_owned(), listeners.join(",")),
        (
            "listener.security.protocol.map".to_owned(),
            protocols.join(","),
        ),
        ("advertised.listeners".to_owned(), String::new()),
    ]
}

/// The listeners that `settings` ask for, without those of the controller.
///
/// # Errors
/// [`ConfigError::Conflict`] with a sentence: an address that cannot be read, a name without or with an unserved security
/// protocol, a name or address given twice, an advertised name that nothing listens on, nothing left to listen on.
pub fn listeners(settings: &Settings) -> Result<Vec<Listener>, ConfigError> {
    let protocols = protocol_map(settings)?;
    let controller: Vec<String> = settings
        .list("controller.listener.names")
        .iter()
        .map(|name| name.to_uppercase())
        .collect();
    let mut endpoints = endpoints("listeners", &listener_texts(settings))?;
    endpoints.retain(|endpoint| !controller.contains(&endpoint.name));
    require_distinct(&endpoints)?;
    for endpoint in &endpoints {
        require_plaintext(&endpoint.name, &protocols)?;
    }
    let mut advertised = self::endpoints(
        "advertised.listeners",
        &advertised_texts(settings, &endpoints),
    )?;
    advertised.retain(|endpoint| !controller.contains(&endpoint.name));
    require_listened_on(&advertised, &endpoints)?;
    if endpoints.is_empty() {
        return Err(ConfigError::Conflict(
            "listeners: none is left for clients; add one, e.g. PLAINTEXT://:9092".to_owned(),
        ));
    }
    let with_advertised = |endpoint| with_advertised(endpoint, &advertised);
    let mut listeners: Vec<_> = endpoints.into_iter().map(with_advertised).collect();
    cores::add_core_ports(&mut listeners, settings)?;
    Ok(listeners)
}

/// `listeners`, or what the older `host.name` and `port` say.
fn listener_texts(settings: &Settings) -> Vec<String> {
    if settings.explicit("listeners").is_none() && settings.sets_any(&["host.name", "port"]) {
        let host = settings.text("host.name").unwrap_or_default();
        let port = settings.number("port").unwrap_or(9092);
        return vec![format!("PLAINTEXT://{}:{port}", bracketed(&host))];
    }
    settings.list("listeners")
}

/// `advertised.listeners`, or what the older `advertised.host.name` and `advertised.port` say of the first listener.
fn advertised_texts(settings: &Settings, endpoints: &[Endpoint]) -> Vec<String> {
    let older = settings.sets_any(&["advertised.host.name", "advertised.port"]);
    match endpoints.first() {
        Some(first) if older && settings.explicit("advertised.listeners").is_none() => {
            let host = settings
                .text("advertised.host.name")
                .unwrap_or_else(|| first.host.clone());
            let port = settings
                .number("advertised.port")
                .unwrap_or(first.port.into());
            vec![format!("{}://{}:{port}", first.name, bracketed(&host))]
        }
        _ => settings.list("advertised.listeners"),
    }
}

fn endpoints(property: &str, texts: &[String]) -> Result<Vec<Endpoint>, ConfigError> {
    let endpoint = |text: &String| {
        parse_endpoint(text).ok_or_else(|| {
            ConfigError::Conflict(format!("{property}: {text:?} is no address; write NAME://host:port, e.g. PLAINTEXT://127.0.0.1:9092"))
        })
    };
    texts.iter().map(endpoint).collect()
}

/// `NAME://host:port`; the name may be left out and is PLAINTEXT then.
fn parse_endpoint(text: &str) -> Option<Endpoint> {
    let (name, address) = match text.split_once("://") {
        Some((name, address)) => (name, address),
        None => ("PLAINTEXT", text.strip_prefix("//").unwrap_or(text)),
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(legal) {
        return None;
    }
    let (host, port) = address.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .filter(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())?,
        None if host.contains([':', '/', ' ']) => return None,
        None => host,
    };
    Some(Endpoint {
        name: name.to_uppercase(),
        host: host.to_owned(),
        port: port.parse().ok()?,
    })
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn is_wildcard(host: &str) -> bool {
    host.is_empty()
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_unspecified())
}

fn protocol_map(settings: &Settings) -> Result<Vec<(String, String)>, ConfigError> {
    let text = settings
        .text("listener.security.protocol.map")
        .unwrap_or_default();
    let pair = |entry: String| match entry.split_once(':') {
        Some((name, protocol)) => Ok((name.trim().to_uppercase(), protocol.trim().to_uppercase())),
        None => Err(ConfigError::Conflict(format!(
            "listener.security.protocol.map: {entry:?} is not NAME:PROTOCOL"
        ))),
    };
    super::value::split_list(&text)
        .into_iter()
        .map(pair)
        .collect()
}

fn require_plaintext(name: &str, protocols: &[(String, String)]) -> Result<(), ConfigError> {
    match protocols.iter().find(|(known, _)| known == name) {
        Some((_, protocol)) if protocol == "PLAINTEXT" => Ok(()),
        Some((_, protocol)) => Err(ConfigError::Conflict(format!(
            "listeners: {name} asks for {protocol}, which is not served yet; only PLAINTEXT is, so nothing would protect it"
        ))),
        None => Err(ConfigError::Conflict(format!(
            "listeners: No security protocol defined for listener {name}; add {name}:PLAINTEXT to listener.security.protocol.map"
        ))),
    }
}

fn require_distinct(endpoints: &[Endpoint]) -> Result<(), ConfigError> {
    for (at, endpoint) in endpoints.iter().enumerate() {
        for earlier in &endpoints[..at] {
            if earlier.name == endpoint.name {
                return Err(ConfigError::Conflict(format!(
                    "listeners: Each listener must have a different name, {} stands twice",
                    endpoint.name
                )));
            }
            if endpoint.port != 0
                && (&earlier.host, earlier.port) == (&endpoint.host, endpoint.port)
            {
                return Err(ConfigError::Conflict(format!(
                    "listeners: {} and {} have the same address",
                    earlier.name, endpoint.name
                )));
            }
        }
    }
    Ok(())
}

fn require_listened_on(advertised: &[Endpoint], listened: &[Endpoint]) -> Result<(), ConfigError> {
    for (at, endpoint) in advertised.iter().enumerate() {
        if !listened
            .iter()
            .any(|listener| listener.name == endpoint.name)
        {
            return Err(ConfigError::Conflict(format!(
                "advertised.listeners: nothing listens as {}; its names must be among those of listeners",
                endpoint.name
            )));
        }
        if advertised[..at]
            .iter()
            .any(|earlier| earlier.name == endpoint.name)
        {
            return Err(ConfigError::Conflict(format!(
                "advertised.listeners: {} stands twice",
                endpoint.name
            )));
        }
        if !endpoint.host.is_empty() && is_wildcard(&endpoint.host) {
            return Err(ConfigError::Conflict(format!(
                "advertised.listeners cannot use the nonroutable meta-address {}. Use a routable IP address.",
                endpoint.host
            )));
        }
    }
    Ok(())
}

/// A listener with what clients are told: its own entry, else its own address unless that is every interface.
fn with_advertised(endpoint: Endpoint, advertised: &[Endpoint]) -> Listener {
    let told = advertised
        .iter()
        .find(|told| told.name == endpoint.name)
        .unwrap_or(&endpoint);
    let advertised = Advertised {
        host: (!is_wildcard(&told.host)).then(|| told.host.clone()),
        port: (told.port != 0).then_some(told.port),
    };
    Listener {
        name: endpoint.name,
        host: endpoint.host,
        port: endpoint.port,
        advertised,
        cores: None,
    }
}

#[cfg(test)]
mod tests;
