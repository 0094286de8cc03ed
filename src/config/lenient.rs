//! Numbers as people write them in property files: `100*1024*1024`, `7days`, `5minutes`, `None`.
//!
//! Java's parser takes none of these, so no meaning of Kafka's is changed: what is a plain number stays as it is, and
//! what is not one of these forms is left for the strict parser to refuse.

use super::property::{Kind, Property};

/// The plain text that `text` stands for as a value of `property`; `None` when it means "not set".
pub(super) fn plain(property: &Property, text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if !matches!(
        property.kind,
        Kind::Short(_) | Kind::Int(_) | Kind::Long(_) | Kind::Double(..)
    ) {
        return Some(text.to_owned());
    }
    if text.eq_ignore_ascii_case("none") {
        return None;
    }
    let number = product(text).or_else(|| duration(property, text));
    Some(number.map_or_else(|| text.to_owned(), |number| number.to_string()))
}

/// `2*3*4`: whole factors; `None` when it is anything else or overflows.
fn product(text: &str) -> Option<i64> {
    if !text.contains('*') {
        return None;
    }
    text.split('*')
        .map(|factor| factor.trim().parse::<i64>().ok())
        .try_fold(1_i64, |product, factor| product.checked_mul(factor?))
}

/// `7days` in the property's own unit of time; `None` when it is anything else, or not whole in that unit.
fn duration(property: &Property, text: &str) -> Option<i64> {
    let unit_ms = property.unit().milliseconds()?;
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, word) = text.split_at(split);
    let ms = digits
        .parse::<i64>()
        .ok()?
        .checked_mul(word_ms(word.trim())?)?;
    (ms % unit_ms == 0).then_some(ms / unit_ms)
}

/// Milliseconds in a unit of time by its name.
fn word_ms(word: &str) -> Option<i64> {
    match word.to_ascii_lowercase().as_str() {
        "ms" | "millis" | "millisecond" | "milliseconds" => Some(1),
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1_000),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60_000),
        "h" | "hour" | "hours" => Some(3_600_000),
        "d" | "day" | "days" => Some(86_400_000),
        "w" | "week" | "weeks" => Some(604_800_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table::broker_property;

    fn read(name: &str, text: &str) -> Option<String> {
        plain(broker_property(name).expect("a broker property"), text)
    }

    #[test]
    fn products_and_durations_become_numbers_in_the_unit_of_the_property() {
        assert_eq!(
            read("socket.request.max.bytes", "100*1024*1024").as_deref(),
            Some("104857600")
        );
        assert_eq!(read("log.roll.hours", "24 * 7").as_deref(), Some("168"));
        assert_eq!(
            read("log.retention.minutes", "7days").as_deref(),
            Some("10080")
        );
        assert_eq!(
            read("log.retention.check.interval.ms", "5minutes").as_deref(),
            Some("300000")
        );
        assert_eq!(
            read("log.cleaner.delete.retention.ms", "1day").as_deref(),
            Some("86400000")
        );
    }

    #[test]
    fn none_and_nothing_mean_not_set() {
        assert_eq!(read("log.flush.interval.ms", "None"), None);
        assert_eq!(read("log.flush.interval.messages", " "), None);
        assert_eq!(
            read("broker.rack", "None").as_deref(),
            Some("None"),
            "a text may be called None"
        );
    }

    #[test]
    fn what_is_no_such_form_is_left_for_the_strict_parser() {
        for text in [
            "7fortnights",
            "2*x",
            "9223372036854775807*2",
            "90minutes",
            "-3",
            "*",
        ] {
            assert_eq!(read("log.roll.hours", text).as_deref(), Some(text));
        }
    }
}
