//! Values of properties: from text, by the property's kind, and back, refused in Kafka's words.
//!
//! Leaf: knows one property and one text at a time, never where the text came from.

use std::fmt;

use super::property::{Bounds, Kind, Property};

/// A value that its property's kind allows.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Of [`Kind::Boolean`].
    Boolean(bool),
    /// Of the whole-number kinds.
    Number(i64),
    /// Of [`Kind::Double`].
    Fraction(f64),
    /// Of the text kinds.
    Text(String),
    /// Of the list kinds, each entry trimmed.
    List(Vec<String>),
}

/// A value its property does not take. Reads as Kafka's `ConfigException` does.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Invalid value {value} for configuration {name}: {why}")]
pub struct InvalidValue {
    /// The property.
    pub name: &'static str,
    /// The value as Kafka shows it.
    pub value: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Value {
    /// As tools show it and as it is read back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Boolean(value) => value.fmt(f),
            Value::Number(value) => value.fmt(f),
            // Java writes the exponent with a capital letter.
            Value::Fraction(value) => f.write_str(&format!("{value:?}").replace('e', "E")),
            Value::Text(value) => f.write_str(value),
            Value::List(entries) => f.write_str(&entries.join(",")),
        }
    }
}

impl Property {
    /// The value `text` stands for.
    ///
    /// # Errors
    /// [`InvalidValue`] when the kind does not allow it, in the words of Kafka's `ConfigDef`.
    pub fn parse(&self, text: &str) -> Result<Value, InvalidValue> {
        let text = text.trim();
        match self.kind {
            Kind::Boolean => self.parse_boolean(text),
            Kind::Short(bounds) => {
                self.parse_number(text, bounds, i16::MIN.into(), i16::MAX.into(), "SHORT")
            }
            Kind::Int(bounds) => {
                self.parse_number(text, bounds, i32::MIN.into(), i32::MAX.into(), "INT")
            }
            Kind::Long(bounds) => self.parse_number(text, bounds, i64::MIN, i64::MAX, "LONG"),
            Kind::Double(min, max) => self.parse_fraction(text, min, max),
            Kind::GzipLevel => self.parse_gzip_level(text),
            Kind::OneOf(words) if !words.contains(&text) => Err(self.not_one_of(text, words)),
            Kind::OneOfAnyCase(words)
                if !words.iter().any(|word| word.eq_ignore_ascii_case(text)) =>
            {
                Err(self.not_one_of(text, words))
            }
            Kind::List => Ok(Value::List(split_list(text))),
            Kind::ListOf(words) => self.parse_words(text, words),
            Kind::ThrottledReplicas => self.parse_throttled_replicas(text),
            Kind::Text | Kind::Class | Kind::Password | Kind::OneOf(_) | Kind::OneOfAnyCase(_) => {
                Ok(Value::Text(text.to_owned()))
            }
        }
    }

    /// The value that holds when none is given; `None` is Kafka's null.
    pub fn default_value(&self) -> Option<Value> {
        let text = self.default?;
        Some(
            self.parse(text)
                .expect("defaults in the table are legal; a test reads them all"),
        )
    }

    fn parse_boolean(&self, text: &str) -> Result<Value, InvalidValue> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
            _ if text.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
            _ => Err(self.invalid(text, "Expected value to be either true or false")),
        }
    }

    fn parse_number(
        &self,
        text: &str,
        bounds: Bounds,
        least: i64,
        greatest: i64,
        type_name: &str,
    ) -> Result<Value, InvalidValue> {
        let number = text
            .parse::<i64>()
            .ok()
            .filter(|number| (least..=greatest).contains(number));
        let Some(number) = number else {
            return Err(self.invalid(text, format!("Not a number of type {type_name}")));
        };
        if number < bounds.min {
            return Err(self.invalid(text, format!("Value must be at least {}", bounds.min)));
        }
        if number > bounds.max {
            return Err(self.invalid(text, format!("Value must be no more than {}", bounds.max)));
        }
        Ok(Value::Number(number))
    }

    fn parse_fraction(&self, text: &str, min: f64, max: f64) -> Result<Value, InvalidValue> {
        let Some(fraction) = text
            .parse::<f64>()
            .ok()
            .filter(|fraction| !fraction.is_nan())
        else {
            return Err(self.invalid(text, "Not a number of type DOUBLE"));
        };
        let value = Value::Fraction(fraction);
        if fraction < min {
            return Err(self.invalid(&value.to_string(), format!("Value must be at least {min}")));
        }
        if fraction > max {
            return Err(self.invalid(
                &value.to_string(),
                format!("Value must be no more than {max}"),
            ));
        }
        Ok(value)
    }

    fn parse_gzip_level(&self, text: &str) -> Result<Value, InvalidValue> {
        match text.parse::<i32>() {
            Ok(level) if level == -1 || (1..=9).contains(&level) => Ok(Value::Number(level.into())),
            Ok(_) => Err(self.invalid(text, "Value must be between 1 and 9 or equal to -1")),
            Err(_) => Err(self.invalid(text, "Not a number of type INT")),
        }
    }

    fn parse_words(&self, text: &str, words: &[&str]) -> Result<Value, InvalidValue> {
        let entries = split_list(text);
        match entries
            .iter()
            .find(|entry| !words.contains(&entry.as_str()))
        {
            Some(stranger) => Err(self.not_one_of(stranger, words)),
            None => Ok(Value::List(entries)),
        }
    }

    fn parse_throttled_replicas(&self, text: &str) -> Result<Value, InvalidValue> {
        let entries = split_list(text);
        if text == "*" || entries.iter().all(|entry| is_replica_pair(entry)) {
            return Ok(Value::List(entries));
        }
        let why = format!(
            "{} must be the literal '*' or a list of replicas in the following format: \
             [partitionId]:[brokerId],[partitionId]:[brokerId],...",
            self.name
        );
        Err(self.invalid(&format!("[{}]", entries.join(", ")), why))
    }

    fn not_one_of(&self, text: &str, words: &[&str]) -> InvalidValue {
        self.invalid(text, format!("String must be one of: {}", words.join(", ")))
    }

    fn invalid(&self, value: &str, why: impl Into<String>) -> InvalidValue {
        let value = if self.is_sensitive() {
            "[hidden]"
        } else {
            value
        };
        InvalidValue {
            name: self.name,
            value: value.to_owned(),
            why: why.into(),
        }
    }
}

/// Entries between commas, trimmed; an empty text is an empty list.
pub(super) fn split_list(text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split(',')
        .map(|entry| entry.trim().to_owned())
        .collect()
}

fn is_replica_pair(entry: &str) -> bool {
    entry.split_once(':').is_some_and(|(partition, broker)| {
        partition.parse::<u32>().is_ok() && broker.parse::<u32>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::topic_properties::topic_property;

    fn refusal(name: &str, text: &str) -> String {
        topic_property(name)
            .expect("a topic property")
            .property
            .parse(text)
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn wrong_values_are_refused_in_the_words_of_kafka() {
        let cases = [
            (
                "retention.ms",
                "x",
                "Invalid value x for configuration retention.ms: Not a number of type LONG",
            ),
            (
                "retention.ms",
                "-2",
                "Invalid value -2 for configuration retention.ms: Value must be at least -1",
            ),
            (
                "segment.bytes",
                "5",
                "Invalid value 5 for configuration segment.bytes: Value must be at least 1048576",
            ),
            (
                "segment.bytes",
                "99999999999",
                "Invalid value 99999999999 for configuration segment.bytes: Not a number of type INT",
            ),
            (
                "preallocate",
                "yes",
                "Invalid value yes for configuration preallocate: Expected value to be either true or false",
            ),
            (
                "cleanup.policy",
                "compact,foo",
                "Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete",
            ),
            (
                "min.cleanable.dirty.ratio",
                "2",
                "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                "compression.gzip.level",
                "0",
                "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
            ),
            (
                "leader.replication.throttled.replicas",
                "x",
                "Invalid value [x] for configuration leader.replication.throttled.replicas: \
                 leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following \
                 format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
            ),
        ];
        for (name, text, words) in cases {
            assert_eq!(refusal(name, text), words);
        }
    }

    #[test]
    fn case_and_spaces_are_as_lenient_as_in_kafka() {
        let parse =
            |name: &str, text: &str| topic_property(name).unwrap().property.parse(text).unwrap();
        assert_eq!(parse("preallocate", " TRUE "), Value::Boolean(true));
        assert_eq!(
            parse("segment.bytes", " 1048576 "),
            Value::Number(1_048_576)
        );
        assert_eq!(
            parse("cleanup.policy", " compact , delete ").to_string(),
            "compact,delete"
        );
        assert_eq!(parse("cleanup.policy", ""), Value::List(Vec::new()));
        assert_eq!(
            parse("leader.replication.throttled.replicas", "*").to_string(),
            "*"
        );
        assert_eq!(
            parse("leader.replication.throttled.replicas", "0:1,1:2").to_string(),
            "0:1,1:2"
        );
    }

    #[test]
    fn fractions_are_written_as_java_writes_them() {
        assert_eq!(
            Value::Fraction(f64::MAX).to_string(),
            "1.7976931348623157E308"
        );
        assert_eq!(Value::Fraction(1.0).to_string(), "1.0");
    }
}
