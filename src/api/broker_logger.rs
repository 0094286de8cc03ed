//! Levels of this broker's loggers, as DescribeConfigs and IncrementalAlterConfigs see them (KIP-412). There is one: `root`.
//!
//! A level holds for all cores at once and until the broker stops.

use crate::metadata::{Alteration, ConfigChange};
use crate::wire::ErrorCode;
use log::LevelFilter;

/// The one logger.
pub(super) const ROOT: &str = "root";

/// The levels in the order in which Kafka names them. `FATAL` is quieter than every line this broker writes.
const LEVELS: [(&str, LevelFilter); 6] = [
    ("DEBUG", LevelFilter::Debug),
    ("ERROR", LevelFilter::Error),
    ("FATAL", LevelFilter::Off),
    ("INFO", LevelFilter::Info),
    ("TRACE", LevelFilter::Trace),
    ("WARN", LevelFilter::Warn),
];

/// The level that holds.
pub(super) fn level() -> &'static str {
    let holds = log::max_level();
    LEVELS
        .iter()
        .find(|(_, level)| *level == holds)
        .map_or("INFO", |(name, _)| name)
}

/// Changes levels.
///
/// # Errors
/// Code and Kafka's words.
pub(super) fn alter(
    node_id: i32,
    change: &ConfigChange,
    validate_only: bool,
) -> Result<(), (ErrorCode, String)> {
    check_node(node_id, &change.resource_name)?;
    let mut wanted = None;
    for (logger, alteration) in &change.settings {
        wanted = Some(check(logger, alteration)?);
    }
    if let (Some(level), false) = (wanted, validate_only) {
        log::set_max_level(level);
    }
    Ok(())
}

fn check_node(node_id: i32, name: &str) -> Result<(), (ErrorCode, String)> {
    let words = match name.parse::<i32>() {
        Ok(id) if id == node_id => return Ok(()),
        Ok(other) => format!("Unexpected node id. Expected {node_id}, but received {other}"),
        Err(_) => format!("Node id must be an integer, but it is: {name}"),
    };
    Err((ErrorCode::INVALID_REQUEST, words))
}

fn check(logger: &str, alteration: &Alteration) -> Result<LevelFilter, (ErrorCode, String)> {
    let unknown = |logger| {
        let words = format!("Logger {logger} does not exist!");
        Err((ErrorCode::INVALID_CONFIG, words))
    };
    let refuse = |words: &str| Err((ErrorCode::INVALID_REQUEST, words.to_owned()));
    match alteration {
        Alteration::Set(_) | Alteration::Delete if logger != ROOT => unknown(logger),
        Alteration::Set(level) => {
            let asked = level.as_deref().unwrap_or_default();
            match LEVELS.iter().find(|(name, _)| *name == asked) {
                Some((_, level)) => Ok(*level),
                None => Err((
                    ErrorCode::INVALID_CONFIG,
                    format!(
                        "Cannot set the log level of {logger} to {asked} as it is not a supported log level. \
                         Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN"
                    ),
                )),
            }
        }
        Alteration::Delete => refuse("Removing the log level of the root logger is not allowed"),
        Alteration::Append(_) => {
            refuse("APPEND operation is not allowed for the BROKER_LOGGER resource")
        }
        Alteration::Subtract(_) => {
            refuse("SUBTRACT operation is not allowed for the BROKER_LOGGER resource")
        }
        Alteration::Unknown => refuse("Unknown operation type"),
    }
}
