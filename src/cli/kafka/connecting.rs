//! How a command of Kafka's finds its cluster: today's option, those of older scripts, and what is refused.
//!
//! | option | meaning |
//! |---|---|
//! | `--bootstrap-server` | the brokers to ask |
//! | `--broker-list` | the older name of the same |
//! | `--zookeeper HOST:2181[/CHROOT]` | the broker on that host, port 9092 or what the environment variable `VLTAVA_BROKER_PORT` says |
//! | `--bootstrap-controller` | refused: the controller is inside the broker |
//! | `--command-config FILE` | properties of the client; `bootstrap.servers` counts where no option names a broker |
//!
//! An older spelling goes on working and is told on standard error, once, with the spelling of today.

use std::env;
use std::path::Path;
use std::time::Duration;

use super::options::{Opt, Options};
use super::{CommandError, connect};
use crate::cli::client_properties::{self, ClientProperties};
use crate::client::Cluster;
use crate::config::client_table::ClientSide;

pub const BOOTSTRAP_SERVER: Opt = Opt::value(
    "bootstrap-server",
    "String: server to connect to",
    "REQUIRED: The brokers to connect to, HOST:PORT with commas between them.",
);
pub const BOOTSTRAP_CONTROLLER: Opt = Opt::value(
    "bootstrap-controller",
    "String: controller to connect to",
    "Refused: the controller is inside the broker. Name the broker with --bootstrap-server.",
);
pub const BROKER_LIST: Opt = Opt::value(
    "broker-list",
    "String: broker-list",
    "The older name of --bootstrap-server.",
);
pub const ZOOKEEPER: Opt = Opt::value(
    "zookeeper",
    "String: urls",
    "Older spelling: there is no ZooKeeper. HOST:2181 means the broker on HOST, port 9092 (or VLTAVA_BROKER_PORT).",
);
pub const COMMAND_CONFIG: Opt = Opt::value(
    "command-config",
    "String: command config property file",
    "Property file of the client. bootstrap.servers counts if no option names a broker.",
);
pub const HELP: Opt = Opt::flag("help", "Print usage information.");
pub const VERSION: Opt = Opt::flag("version", "Display Kafka version.");

/// The port of the broker beside a ZooKeeper, where nothing else is said.
const BROKER_PORT: u16 = 9092;
/// The environment variable that says another.
pub const BROKER_PORT_VARIABLE: &str = "VLTAVA_BROKER_PORT";
/// How long a command tries what may pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// The brokers that the options name, with commas between them; `None` where they name none.
///
/// # Errors
/// A controller is named, or ZooKeeper's option makes no sense.
pub fn brokers(options: &Options) -> Result<Option<String>, CommandError> {
    if options.has("bootstrap-controller") {
        return Err(CommandError::failed(
            "--bootstrap-controller is refused: the controller is inside the broker. Name the broker with --bootstrap-server.",
        ));
    }
    if let Some(brokers) = options.value("bootstrap-server") {
        return Ok(Some(brokers.to_owned()));
    }
    if let Some(brokers) = options.value("broker-list") {
        eprintln!("--broker-list is an older spelling; today's is --bootstrap-server {brokers}");
        return Ok(Some(brokers.to_owned()));
    }
    let Some(zookeepers) = options.value("zookeeper") else {
        return Ok(None);
    };
    let brokers = beside_zookeeper(zookeepers, broker_port()?);
    eprintln!(
        "--zookeeper is an older spelling: there is no ZooKeeper, the broker is asked. Today's is --bootstrap-server {brokers} \
         ({BROKER_PORT_VARIABLE}=PORT names another port than {BROKER_PORT})"
    );
    Ok(Some(brokers))
}

fn broker_port() -> Result<u16, CommandError> {
    match env::var(BROKER_PORT_VARIABLE) {
        Err(_) => Ok(BROKER_PORT),
        Ok(text) => text
            .parse()
            .map_err(|_| CommandError::failed(format!("{BROKER_PORT_VARIABLE}={text} is no port"))),
    }
}

/// `a:2181,b:2181/chroot` as `a:9092,b:9092`.
fn beside_zookeeper(zookeepers: &str, port: u16) -> String {
    let hosts = zookeepers.split('/').next().unwrap_or_default();
    let broker = |address: &str| {
        let address = address.trim();
        // An IPv6 address stands in brackets, or alone and full of colons.
        let host = match address.rsplit_once(':') {
            Some((host, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => address,
        };
        let host = if host.is_empty() { "localhost" } else { host };
        format!("{host}:{port}")
    };
    hosts.split(',').map(broker).collect::<Vec<_>>().join(",")
}

/// The properties of `--command-config`; what it says in vain is told on standard error.
///
/// # Errors
/// The file cannot be read, or a value in it is wrong or promises what our clients do not give.
pub fn command_config(options: &Options) -> Result<ClientProperties, CommandError> {
    let Some(path) = options.value("command-config") else {
        return Ok(ClientProperties::default());
    };
    let properties = client_properties::read(ClientSide::Consumer, Path::new(path))
        .map_err(|error| CommandError::failed(error.to_string()))?;
    warn(&properties);
    Ok(properties)
}

/// Tells on standard error what properties say in vain.
pub fn warn(properties: &ClientProperties) {
    for warning in &properties.warnings {
        eprintln!("WARNING: {warning}");
    }
}

/// Reaches the cluster of an administrative command.
///
/// # Errors
/// `missing` where no broker is named; else as [`brokers`] and [`command_config`], or when none answers.
pub fn administer(options: &Options, missing: &str) -> Result<Cluster, CommandError> {
    let properties = command_config(options)?;
    let brokers = match brokers(options)? {
        Some(brokers) => brokers,
        None => match &properties.bootstrap {
            Some(brokers) => brokers.join(","),
            None => return Err(CommandError::failed(missing)),
        },
    };
    let client_id = properties.client_id.as_deref().unwrap_or("adminclient-1");
    let patience = properties.request_timeout.unwrap_or(PATIENCE);
    Ok(connect(&brokers, client_id, patience)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_stands_beside_the_zookeeper() {
        for (zookeeper, broker) in [
            ("localhost:2181", "localhost:9092"),
            ("localhost", "localhost:9092"),
            ("a:2181,b:2182/kafka", "a:9092,b:9092"),
            ("[::1]:2181/x/y", "[::1]:9092"),
            (":2181", "localhost:9092"),
        ] {
            assert_eq!(beside_zookeeper(zookeeper, 9092), broker);
        }
        assert_eq!(beside_zookeeper("a:2181", 6667), "a:6667");
    }

    #[test]
    fn a_controller_is_refused_in_words() {
        let accepted = [BOOTSTRAP_SERVER, BOOTSTRAP_CONTROLLER];
        let args = ["--bootstrap-controller", "a:1"].map(ToOwned::to_owned);
        let options = Options::parse(&accepted, &args).unwrap();
        let refused = brokers(&options).unwrap_err().to_string();
        assert!(refused.contains("--bootstrap-server"), "{refused}");
    }
}
