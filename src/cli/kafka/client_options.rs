//! What the console producer and consumer are told of their client: property files, single properties, options that stand for one.
//!
//! ```text
//! option that stands for a property  ─▶ before ─▶  NAME=VALUE on the command line  ─▶ before ─▶  the file
//! ```
//!
//! What a property says in vain is told on standard error, and so is each option that goes by an older name.

use std::path::Path;

use super::options::Options;
use super::{CommandError, connecting};
use crate::cli::client_properties::{self, ClientProperties};
use crate::config::client_table::ClientSide;
use crate::config::load::read_bounded;
use crate::config::reader::read_properties;

/// An option by its older names and today's.
pub struct Renamed {
    pub older: &'static str,
    pub today: &'static str,
}

/// Tells of every option that was given by an older name.
pub fn tell_renamed(options: &Options, renamed: &[Renamed]) {
    for Renamed { older, today } in renamed.iter().filter(|option| options.has(option.older)) {
        eprintln!("--{older} is an older spelling; today's is --{today}");
    }
}

/// Where a command takes its client's properties from.
pub struct Sources<'a> {
    pub side: ClientSide,
    /// Options with a file.
    pub files: &'a [&'a str],
    /// Options with `NAME=VALUE`.
    pub pairs: &'a [&'a str],
    /// Options that stand for a property: the option, the property.
    pub stand_for: &'a [(&'a str, &'a str)],
}

impl Sources<'_> {
    /// All that is said, the more special first.
    ///
    /// # Errors
    /// A file that cannot be read, a value that is wrong, or one that promises what our clients do not give.
    pub fn read(&self, options: &Options) -> Result<ClientProperties, CommandError> {
        let failed = |error: crate::config::ConfigError| CommandError::failed(error.to_string());
        let mut properties = ClientProperties::default();
        for (option, property) in self.stand_for {
            if let Some(value) = options.value(option) {
                let pair = [((*property).to_owned(), value.to_owned())];
                let told = client_properties::parse_pairs(self.side, &format!("--{option}"), &pair);
                properties = properties.or(told.map_err(failed)?);
            }
        }
        for option in self.pairs {
            let given = key_values(&options.values(option));
            let told = client_properties::parse_pairs(self.side, &format!("--{option}"), &given);
            properties = properties.or(told.map_err(failed)?);
        }
        for option in self.files {
            if let Some(path) = options.value(option) {
                let told = client_properties::read(self.side, Path::new(path));
                properties = properties.or(told.map_err(failed)?);
            }
        }
        connecting::warn(&properties);
        Ok(properties)
    }
}

/// `NAME=VALUE` of each; a name alone has an empty value.
pub fn key_values(given: &[&str]) -> Vec<(String, String)> {
    let pair = |text: &&str| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => ((*text).to_owned(), String::new()),
    };
    given.iter().map(pair).collect()
}

/// Properties of a reader or formatter: those of the files, then those of the command line, which win.
///
/// # Errors
/// A file that cannot be read.
pub fn plain_properties(
    options: &Options,
    file: &str,
    pairs: &[&str],
) -> Result<Vec<(String, String)>, CommandError> {
    let mut properties = Vec::new();
    if let Some(path) = options.value(file) {
        let text = read_bounded(Path::new(path));
        let text = text.map_err(|error| CommandError::failed(error.to_string()))?;
        let entries = read_properties(&text)
            .map_err(|error| CommandError::failed(format!("{path}:{}: {error}", error.line)))?;
        properties.extend(entries.into_iter().map(|entry| (entry.key, entry.value)));
    }
    for option in pairs {
        properties.extend(key_values(&options.values(option)));
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::kafka::options::Opt;

    #[test]
    fn an_option_wins_over_a_property_and_both_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("producer.properties");
        std::fs::write(&path, "batch.size=100\nlinger.ms=7\nclient.id=file\n").unwrap();
        let accepted = [
            Opt::value("config", "file", ""),
            Opt::value("property", "pair", ""),
            Opt::value("timeout", "ms", ""),
        ];
        let args = format!(
            "--config {} --property linger.ms=8 --property client.id=pair --timeout 9",
            path.display()
        );
        let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
        let options = Options::parse(&accepted, &args).unwrap();
        let sources = Sources {
            side: ClientSide::Producer,
            files: &["config"],
            pairs: &["property"],
            stand_for: &[("timeout", "linger.ms")],
        };
        let told = sources.read(&options).unwrap();
        assert_eq!(told.producer.linger.unwrap().as_millis(), 9);
        assert_eq!(told.client_id.as_deref(), Some("pair"));
        assert_eq!(told.producer.batch_bytes, Some(100));
    }

    #[test]
    fn a_name_alone_has_an_empty_value_and_a_value_may_have_an_equals_sign() {
        assert_eq!(
            key_values(&["a", "b=c=d"]),
            [
                ("a".to_owned(), String::new()),
                ("b".to_owned(), "c=d".to_owned())
            ]
        );
    }
}
