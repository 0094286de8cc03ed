//! Properties of single groups (`GroupConfig` of Kafka 4.3).
//!
//! Leaf: a table and its checks. Nothing of it changes what this broker does yet; the values are kept and shown.

use super::property::Kind::*;
use super::property::Status::*;
use super::property::{Property, at_least, properties};
use super::settings::Settings;
use super::table::broker_property;
use super::topic::{Configs, DynamicConfigs, InvalidConfig, broker_value};
use super::value::Value;

/// Sorted by name.
pub(super) static GROUP_PROPERTIES: &[Property] = properties! {
    "consumer.assignment.interval.ms", Int(at_least(0)), unset, Medium, AcceptedWithoutEffect,
        "Least time between two assignments of the group.";
    "consumer.heartbeat.interval.ms", Int(at_least(1)), unset, Medium, AcceptedWithoutEffect,
        "Time between heartbeats that members are told.";
    "consumer.session.timeout.ms", Int(at_least(1)), unset, Medium, AcceptedWithoutEffect,
        "Time without a heartbeat after which a member is out.";
    "share.assignment.interval.ms", Int(at_least(0)), unset, Medium, AcceptedWithoutEffect,
        "Least time between two assignments of the share group.";
    "share.auto.offset.reset", Text, "latest", Medium, AcceptedWithoutEffect,
        "Where a share group begins: earliest, latest, or by_duration: and a time back from now.";
    "share.delivery.count.limit", Int(at_least(2)), unset, Medium, AcceptedWithoutEffect,
        "Times a record is given out before it is given up.";
    "share.heartbeat.interval.ms", Int(at_least(1)), unset, Medium, AcceptedWithoutEffect,
        "Time between heartbeats that members are told.";
    "share.isolation.level", OneOf(&["read_committed", "read_uncommitted"]), "read_uncommitted", Medium, AcceptedWithoutEffect,
        "Whether records of open and aborted transactions are given out.";
    "share.partition.max.record.locks", Int(at_least(100)), unset, Medium, AcceptedWithoutEffect,
        "Records of a partition that may be out at once.";
    "share.record.lock.duration.ms", Int(at_least(1000)), unset, Medium, AcceptedWithoutEffect,
        "Time a member has for a record before it is given to another.";
    "share.renew.acknowledge.enable", Boolean, "true", Medium, AcceptedWithoutEffect,
        "Whether a member may ask for more time for a record.";
    "share.session.timeout.ms", Int(at_least(1)), unset, Medium, AcceptedWithoutEffect,
        "Time without a heartbeat after which a member is out.";
    "streams.assignment.interval.ms", Int(at_least(0)), unset, Medium, AcceptedWithoutEffect,
        "Least time between two assignments of the streams group.";
    "streams.heartbeat.interval.ms", Int(at_least(1)), unset, Medium, AcceptedWithoutEffect,
        "Time between heartbeats that members are told.";
    "streams.initial.rebalance.delay.ms", Int(at_least(0)), unset, Medium, AcceptedWithoutEffect,
        "How long the first member of an empty group waits for others.";
    "streams.num.standby.replicas", Int(at_least(0)), unset, Medium, AcceptedWithoutEffect,
        "Copies of each task that stand by.";
    "streams.session.timeout.ms", Int(at_least(1)), unset, Medium, AcceptedWithoutEffect,
        "Time without a heartbeat after which a member is out.";
};

/// The group property called `name`.
pub fn group_property(name: &str) -> Option<&'static Property> {
    GROUP_PROPERTIES.iter().find(|row| row.name == name)
}

/// The broker property that gives the default of the group property `name`.
pub(super) fn behind_group_property(name: &str) -> Option<&'static Property> {
    broker_property(&format!("group.{name}"))
}

/// Checks the properties of a group together.
///
/// # Errors
/// [`InvalidConfig`] of the first that is refused.
pub fn validate_group_configs(
    configs: &Configs,
    settings: &Settings,
    dynamic: &DynamicConfigs,
) -> Result<(), InvalidConfig> {
    let refuse = |message: String| Err(InvalidConfig { message });
    if let Some(name) = configs.keys().find(|name| group_property(name).is_none()) {
        return refuse(format!("Unknown group config name: {name}"));
    }
    for (name, text) in configs {
        let Some(property) = group_property(name) else {
            continue;
        };
        let value = property.parse(text).map_err(|invalid| InvalidConfig {
            message: invalid.to_string(),
        })?;
        if name == "share.auto.offset.reset" && !is_offset_reset(text) {
            return refuse(format!(
                "Invalid value {text} for configuration {name}: Invalid value `{text}` for configuration {name}. The value \
                 must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
            ));
        }
        if let Value::Number(number) = value {
            check_limits(name, number, settings, dynamic)?;
        }
    }
    for kind in ["consumer", "share", "streams"] {
        let number =
            |what: &str| group_number(&format!("{kind}.{what}"), configs, settings, dynamic);
        if number("session.timeout.ms") <= number("heartbeat.interval.ms") {
            return refuse(format!(
                "{kind}.session.timeout.ms must be greater than {kind}.heartbeat.interval.ms"
            ));
        }
    }
    Ok(())
}

/// The broker says between what a group may choose.
fn check_limits(
    name: &str,
    number: i64,
    settings: &Settings,
    dynamic: &DynamicConfigs,
) -> Result<(), InvalidConfig> {
    let Some((kind, what)) = name.split_once('.') else {
        return Ok(());
    };
    let what = what.strip_prefix("num.").unwrap_or(what);
    for (bound, than) in [("min", "greater"), ("max", "less")] {
        let limit_name = format!("group.{kind}.{bound}.{what}");
        let limit = broker_property(&limit_name)
            .and_then(|property| broker_value(settings, dynamic, property));
        let Some(Value::Number(limit)) = limit else {
            continue;
        };
        if (bound == "min" && number < limit) || (bound == "max" && number > limit) {
            let message = format!("{name} must be {than} than or equal to {limit_name}");
            return Err(InvalidConfig { message });
        }
    }
    Ok(())
}

fn group_number(
    name: &str,
    configs: &Configs,
    settings: &Settings,
    dynamic: &DynamicConfigs,
) -> Option<i64> {
    let own = configs.get(name).and_then(|text| text.parse().ok());
    own.or_else(|| {
        let broker = behind_group_property(name)?;
        match broker_value(settings, dynamic, broker)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    })
}

/// `earliest`, `latest`, or `by_duration:` with a duration of ISO 8601 that is not negative.
fn is_offset_reset(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    match text.strip_prefix("by_duration:") {
        Some(duration) => is_duration(duration),
        None => matches!(text.as_str(), "earliest" | "latest"),
    }
}

/// `pNdTNhNmN.Ns`, in lower case, with at least one part and the parts in order.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('p') else {
        return false;
    };
    let (days, time) = match rest.split_once('t') {
        Some((_, "")) => return false,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    let has_parts = |mut text: &str, units: &[char]| {
        for unit in units {
            let digits =
                text.trim_start_matches(|c: char| c.is_ascii_digit() || (*unit == 's' && c == '.'));
            if digits.len() < text.len()
                && let Some(after) = digits.strip_prefix(*unit)
            {
                text = after;
            }
        }
        text.is_empty()
    };
    !(days.is_empty() && time.is_empty())
        && has_parts(days, &['d'])
        && has_parts(time, &['h', 'm', 's'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::load_text;

    fn configs(pairs: &[(&str, &str)]) -> Configs {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        validate_group_configs(
            &configs(pairs),
            &Settings::default(),
            &DynamicConfigs::default(),
        )
        .expect_err("must be refused")
        .message
    }

    #[test]
    fn rows_are_sorted_and_those_without_a_default_have_a_broker_property_behind_them() {
        assert!(GROUP_PROPERTIES.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(GROUP_PROPERTIES.len(), 17, "as many as Kafka 4.3 shows");
        for row in GROUP_PROPERTIES {
            assert_eq!(
                row.default_value().is_none(),
                behind_group_property(row.name).is_some(),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn groups_are_refused_in_the_words_of_kafka() {
        for (name, text, words) in [
            ("x", "1", "Unknown group config name: x"),
            (
                "consumer.session.timeout.ms",
                "x",
                "Invalid value x for configuration consumer.session.timeout.ms: Not a number of type INT",
            ),
            (
                "consumer.session.timeout.ms",
                "1",
                "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms",
            ),
            (
                "consumer.session.timeout.ms",
                "999999",
                "consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms",
            ),
            (
                "share.delivery.count.limit",
                "1",
                "Invalid value 1 for configuration share.delivery.count.limit: Value must be at least 2",
            ),
            (
                "streams.num.standby.replicas",
                "9",
                "streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas",
            ),
            (
                "share.auto.offset.reset",
                "zzz",
                "Invalid value zzz for configuration share.auto.offset.reset: Invalid value `zzz` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.",
            ),
        ] {
            assert_eq!(refusal(&[(name, text)]), words);
        }
    }

    #[test]
    fn limits_are_those_of_the_broker() {
        let asked = configs(&[("consumer.session.timeout.ms", "55000")]);
        let dynamic = DynamicConfigs::default();
        let text = "group.consumer.max.session.timeout.ms=50000";
        let file = load_text(Some(("f", text)), &[], true).unwrap();
        assert!(validate_group_configs(&asked, &file.config.settings, &dynamic).is_err());
        assert_eq!(
            validate_group_configs(&asked, &Settings::default(), &dynamic),
            Ok(())
        );
    }

    #[test]
    fn a_share_group_may_begin_a_while_ago() {
        for text in [
            "earliest",
            "LATEST",
            "by_duration:PT1H",
            "by_duration:P2DT3H4M5.5S",
            "by_duration:p1d",
        ] {
            assert!(is_offset_reset(text), "{text}");
        }
        for text in [
            "",
            "by_duration:",
            "by_duration:P",
            "by_duration:PT",
            "by_duration:PT1D",
            "by_duration:-PT1H",
            "by_duration:PT1S1H",
        ] {
            assert!(!is_offset_reset(text), "{text}");
        }
    }
}
