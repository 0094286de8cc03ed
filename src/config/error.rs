//! Why a configuration stops the start: each a sentence an operator can act on.

use std::io;
use std::path::PathBuf;

use super::settings::Origin;

/// A configuration that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than any sane one.
    #[error("{file} is larger than {limit} bytes: is it a server.properties?")]
    TooLarge {
        /// The file, as it was named.
        file: String,
        /// Largest size that is read, in bytes.
        limit: usize,
    },
    /// The text is not in the format of Java properties.
    #[error("{origin}: {why}")]
    Malformed {
        /// Where.
        origin: Origin,
        /// What is wrong.
        why: String,
    },
    /// A value its property does not take.
    #[error("{origin}: {name}={value}: {why}; it takes {right}")]
    BadValue {
        /// Where it was written.
        origin: Origin,
        /// The property.
        name: &'static str,
        /// The value as written, or `[hidden]`.
        value: String,
        /// What is wrong with it.
        why: String,
        /// What would be right.
        right: String,
    },
    /// A name nobody knows, when that is to stop the start.
    #[error("{origin}: unknown property {name}{}", did_you_mean(.nearest))]
    Unknown {
        /// Where it was written.
        origin: Origin,
        /// The name.
        name: String,
        /// The known name most like it.
        nearest: Option<&'static str>,
    },
    /// It promises security, durability or isolation that is not given.
    #[error(
        "{origin}: {name} cannot be honoured: {why}. Take it out, or set it to its default, to start without it"
    )]
    NotInForce {
        /// Where it was written.
        origin: Origin,
        /// The property.
        name: String,
        /// What is missing.
        why: String,
    },
    /// Properties that do not go together, or that ask for what is not served.
    #[error("{0}")]
    Conflict(String),
}

/// ` (did you mean x?)`, or nothing.
pub fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}
