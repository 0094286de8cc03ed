//! The command line of `vltava serve`: what the operator may say without a properties file.
//!
//! Only the words and their syntax; what they mean for the broker is the server's affair. Every option here has a
//! property of Kafka's behind it and wins over the file.

use std::path::PathBuf;

use clap::Args;

use crate::config::CoreChoice;

/// Options of `vltava serve`.
#[derive(Args, Debug, Clone, Default)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Kafka's server.properties; without it every property has its default
    #[arg(value_name = "SERVER.PROPERTIES")]
    pub properties: Option<PathBuf>,

    /// Set one property, over the file; may be given several times, the last one of a name counts
    #[arg(long = "override", value_name = "KEY=VALUE", value_parser = parse_key_value)]
    pub overrides: Vec<(String, String)>,

    /// Accept clients on this address, in place of the property `listeners`; may be given several times
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Vec<String>,

    /// Keep the data here, in place of the property `log.dirs` [default: ./vltava-data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Vec<PathBuf>,

    /// How many cores to use, or which: 4, or 0,2,4-7 [default: all that affinity and cgroup allow]
    #[arg(long, value_name = "N|LIST")]
    pub cores: Option<CoreChoice>,

    /// Let each core also listen at a port of its own, which clients of these listeners are told: NAME or NAME://HOST:FIRST-PORT,
    /// in place of the property `core.listeners` [without a list: all listeners, at the ports after theirs]
    #[arg(
        long,
        value_name = "LIST",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "*"
    )]
    pub core_listeners: Option<String>,

    /// Stop at a property that is not known, which is otherwise a warning
    #[arg(long)]
    pub strict: bool,

    /// How much to log on standard error
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub log_level: LogLevel,
}

const EXAMPLES: &str = "\
Examples:
  vltava serve
      127.0.0.1:9092, data in ./vltava-data, every core the process may use

  vltava serve /etc/kafka/server.properties --strict
      the properties of an Apache Kafka broker; a misspelt one stops the start

  vltava serve --listen 0.0.0.0:9092 --override advertised.listeners=PLAINTEXT://broker1.example:9092
      reachable from other machines (without encryption)

  vltava serve --data-dir /srv/vltava --cores 2,3 --override flush.messages=1
      two cores, chosen; nothing acknowledged before it is on the disk

  vltava serve --core-listeners
      clients still begin at 127.0.0.1:9092 and then talk to each core directly, at 9093 and the ports that follow

SIGTERM or SIGINT stops cleanly: requests are answered, files flushed. A second one stops at once.";

/// How much the broker logs.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// Nothing
    Off,
    /// What is broken
    Error,
    /// And what should be looked at
    Warn,
    /// And what an operator wants to know afterwards
    #[default]
    Info,
    /// And what each part decides
    Debug,
    /// And each request
    Trace,
}

impl From<LogLevel> for log::LevelFilter {
    fn from(level: LogLevel) -> log::LevelFilter {
        match level {
            LogLevel::Off => log::LevelFilter::Off,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        }
    }
}

/// Splits `KEY=VALUE` at the first `=`; the key is trimmed and not empty, the value may be.
///
/// # Errors
/// A sentence for the command line when there is no `=` or no key.
pub fn parse_key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| format!("'{text}' has no '=': write KEY=VALUE"))?;
    let key = key.trim();
    if key.is_empty() {
        return Err(format!("'{text}' has no key before '='"));
    }
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_splits_at_the_first_equals_sign() {
        let pair = |k: &str, v: &str| Ok((k.to_owned(), v.to_owned()));
        assert_eq!(parse_key_value("a=b=c"), pair("a", "b=c"));
        assert_eq!(parse_key_value(" a ="), pair("a", ""));
        assert!(parse_key_value("a").is_err());
        assert!(parse_key_value("=b").is_err());
    }
}
