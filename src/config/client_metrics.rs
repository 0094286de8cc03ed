//! Properties of client metrics subscriptions (`ClientMetricsConfigs` of Kafka 4.3).
//!
//! Leaf: a table and its checks. No client is asked for metrics; the values are kept and shown.

use super::property::Kind::*;
use super::property::Status::*;
use super::property::{ANY, Property, properties};
use super::topic::Configs;
use super::value::Value;

/// Sorted by name.
pub(super) static CLIENT_METRICS_PROPERTIES: &[Property] = properties! {
    "interval.ms", Int(ANY), "300000", Medium, AcceptedWithoutEffect,
        "How often clients report. None is asked to: this broker takes no reports.";
    "match", List, "", Medium, AcceptedWithoutEffect,
        "Which clients report, as selector=pattern.";
    "metrics", List, "", Medium, AcceptedWithoutEffect,
        "What they report, by the beginnings of names.";
};

/// What a client can be matched by.
const CLIENT_SELECTORS: &[&str] = &[
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Least and greatest `interval.ms` of client metrics.
const INTERVAL_MS: (i64, i64) = (100, 3_600_000);

/// Why properties of a client metrics subscription are refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidSubscription {
    /// INVALID_REQUEST
    #[error("{0}")]
    Request(String),
    /// INVALID_CONFIG
    #[error("{0}")]
    Config(String),
}

/// The client metrics property called `name`.
pub fn client_metrics_property(name: &str) -> Option<&'static Property> {
    CLIENT_METRICS_PROPERTIES
        .iter()
        .find(|row| row.name == name)
}

/// Checks the properties of a client metrics subscription together.
///
/// # Errors
/// [`InvalidSubscription`] of the first that is refused.
pub fn validate_client_metrics(configs: &Configs) -> Result<(), InvalidSubscription> {
    for (name, text) in configs {
        let Some(property) = client_metrics_property(name) else {
            return Err(InvalidSubscription::Request(format!(
                "Unknown client metrics configuration: {name}"
            )));
        };
        let value = property
            .parse(text)
            .map_err(|invalid| InvalidSubscription::Request(invalid.to_string()))?;
        match value {
            Value::Number(ms) if ms < INTERVAL_MS.0 || ms > INTERVAL_MS.1 => {
                return Err(InvalidSubscription::Request(format!(
                    "Invalid value {ms} for interval.ms, interval must be between 100 and 3600000 (1 hour)"
                )));
            }
            Value::List(patterns) if name == "match" => check_patterns(&patterns)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_patterns(patterns: &[String]) -> Result<(), InvalidSubscription> {
    let is_legal = |pattern: &&String| {
        pattern.split_once('=').is_some_and(|(selector, value)| {
            CLIENT_SELECTORS.contains(&selector.trim()) && !value.trim().is_empty()
        })
    };
    match patterns.iter().find(|pattern| !is_legal(pattern)) {
        Some(pattern) => Err(InvalidSubscription::Config(format!(
            "Illegal client matching pattern: {pattern}"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configs(pairs: &[(&str, &str)]) -> Configs {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn client_metrics_are_refused_in_the_words_of_kafka() {
        use InvalidSubscription::{Config, Request};
        for (name, text, words) in [
            ("x", "1", Request("Unknown client metrics configuration: x".to_owned())),
            ("interval.ms", "1", Request("Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)".to_owned())),
            ("match", "zzz=1", Config("Illegal client matching pattern: zzz=1".to_owned())),
        ] {
            assert_eq!(validate_client_metrics(&configs(&[(name, text)])), Err(words));
        }
        let fine = [
            ("interval.ms", "1000"),
            ("match", "client_id=a.*"),
            ("metrics", "org.a,org.b"),
        ];
        assert_eq!(validate_client_metrics(&configs(&fine)), Ok(()));
    }
}
