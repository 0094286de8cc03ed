//! What each line of a property file means here: for a broker, a consumer or a producer.
//!
//! Pure. Whoever asks shows the lines to a person, or takes from them what is in force.

use super::client_table::{ClientSide, modern_value};
use super::error::ConfigError;
use super::lenient;
use super::property::{Property, Status, Unit};
use super::reader::{Entry, is_name, read_properties};
use super::settings::Origin;
use super::table::{broker_property, nearest};
use super::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// `server.properties`
    Broker,
    /// `consumer.properties` or `producer.properties`
    Client(ClientSide),
}

/// A line that sets something, or tries to.
#[derive(Clone, Debug)]
pub struct ExplainedLine {
    /// From 1.
    pub line: usize,
    /// The name as it is written.
    pub key: String,
    /// The value as it is written, or `[hidden]`.
    pub written: String,
    /// What it means.
    pub meaning: Meaning,
}

/// What a line means.
#[derive(Clone, Debug)]
pub enum Meaning {
    /// It holds.
    InForce(Holds),
    /// It sets another property, whose name it is older than.
    Mapped {
        /// The property.
        to: &'static Property,
        /// Its value.
        holds: Holds,
    },
    /// It says nothing, and the default holds.
    Unset {
        /// The property.
        property: &'static Property,
    },
    /// A later line sets the same property.
    Replaced {
        /// That line.
        by_line: usize,
    },
    /// It is known and changes nothing.
    WithoutEffect {
        /// The value that is kept and shown.
        holds: Holds,
        /// Why.
        why: &'static str,
    },
    /// It is a line of text and no property: such a name has none.
    NoProperty,
    /// Nobody knows the name.
    Unknown {
        /// The known name most like it.
        nearest: Option<&'static str>,
    },
    /// The value is none that the property takes.
    Wrong {
        /// The property.
        property: &'static Property,
        /// What is wrong.
        why: String,
        /// What would be right.
        right: String,
    },
    /// It promises what is not given.
    Refused {
        /// What is missing.
        why: String,
    },
}

/// A value that holds.
#[derive(Clone, Debug)]
pub struct Holds {
    /// The property.
    pub property: &'static Property,
    /// The value.
    pub value: Value,
}

impl Holds {
    /// The value as Kafka's tools show it, with its unit where it has one.
    pub fn shown(&self) -> String {
        if self.property.is_sensitive() {
            return "[hidden]".to_owned();
        }
        let value = &self.value;
        match (self.property.unit(), value) {
            (Unit::Milliseconds, Value::Number(_)) => format!("{value} ms"),
            (Unit::Seconds, Value::Number(_)) => format!("{value} s"),
            (Unit::Minutes, Value::Number(_)) => format!("{value} min"),
            (Unit::Hours, Value::Number(_)) => format!("{value} h"),
            (Unit::Bytes, Value::Number(_)) => format!("{value} bytes"),
            _ => value.to_string(),
        }
    }
}

impl FileKind {
    /// The property of such a file called `name`.
    pub fn property(self, name: &str) -> Option<&'static Property> {
        match self {
            FileKind::Broker => broker_property(name),
            FileKind::Client(side) => side.property(name),
        }
    }

    /// The name of such a file most like `name`.
    fn nearest(self, name: &str) -> Option<&'static str> {
        match self {
            FileKind::Broker => super::table::nearest_name(name),
            FileKind::Client(side) => nearest(name, side.properties().map(|row| row.name)),
        }
    }
}

/// The lines of `text`, in their order.
///
/// # Errors
/// [`ConfigError::Malformed`] when it is no property file at all; `file` names it.
pub fn explain(kind: FileKind, file: &str, text: &str) -> Result<Vec<ExplainedLine>, ConfigError> {
    let entries = read_properties(text).map_err(|malformed| ConfigError::Malformed {
        origin: Origin::Line {
            file: Arc::from(file),
            line: malformed.line,
        },
        why: malformed.to_string(),
    })?;
    Ok(explain_entries(kind, &entries))
}

/// As [`explain`], of entries that were read already.
pub fn explain_entries(kind: FileKind, entries: &[Entry]) -> Vec<ExplainedLine> {
    let last: BTreeMap<&str, usize> = entries
        .iter()
        .map(|entry| (entry.key.as_str(), entry.line))
        .collect();
    let explained = entries.iter().map(|entry| {
        let by_line = last[entry.key.as_str()];
        let mut line = explained(kind, entry);
        let can_be_replaced = !line.meaning.stops() && !matches!(line.meaning, Meaning::NoProperty);
        if by_line != entry.line && can_be_replaced {
            line.meaning = Meaning::Replaced { by_line };
        }
        line
    });
    explained.collect()
}

impl Meaning {
    /// Whether nothing starts with such a line.
    pub fn stops(&self) -> bool {
        matches!(self, Meaning::Wrong { .. } | Meaning::Refused { .. })
    }
}

fn explained(kind: FileKind, entry: &Entry) -> ExplainedLine {
    let property = kind.property(&entry.key);
    let hidden = property.is_some_and(Property::is_sensitive) && !entry.value.is_empty();
    ExplainedLine {
        line: entry.line,
        key: entry.key.clone(),
        written: if hidden {
            "[hidden]".to_owned()
        } else {
            entry.value.clone()
        },
        meaning: match property {
            Some(property) => meaning(kind, property, &entry.value),
            None if entry.key.starts_with("listener.name.") && kind == FileKind::Broker => {
                Meaning::Refused {
                    why: "settings of a single listener are not served yet".to_owned(),
                }
            }
            None if !is_name(&entry.key) => Meaning::NoProperty,
            None => Meaning::Unknown {
                nearest: kind.nearest(&entry.key),
            },
        },
    }
}

fn meaning(kind: FileKind, property: &'static Property, text: &str) -> Meaning {
    let Some(plain) = lenient::plain(property, text) else {
        return Meaning::Unset { property };
    };
    let value = match property.parse(&plain) {
        Ok(value) => value,
        Err(invalid) => {
            return Meaning::Wrong {
                property,
                why: invalid.why,
                right: property.kind.expectation(),
            };
        }
    };
    match property.status {
        Status::InForce => Meaning::InForce(Holds { property, value }),
        Status::AcceptedWithoutEffect => Meaning::WithoutEffect {
            why: property.doc,
            holds: Holds { property, value },
        },
        Status::Guarded(_) if Some(&value) == property.default_value().as_ref() => {
            Meaning::InForce(Holds { property, value })
        }
        Status::Guarded(why) => Meaning::Refused {
            why: why.to_owned(),
        },
        Status::Mapped(target) => mapped(kind, property, target, value),
    }
}

fn mapped(
    kind: FileKind,
    property: &'static Property,
    target: &'static str,
    value: Value,
) -> Meaning {
    let Some(to) = kind.property(target) else {
        return Meaning::WithoutEffect {
            why: property.doc,
            holds: Holds { property, value },
        };
    };
    let value = match super::load::carried_text(property, &value, to) {
        // Listeners are put together from several names.
        None => value,
        Some(text) => match to.parse(&modern_value(property.name, text)) {
            Ok(value) => value,
            Err(invalid) => {
                return Meaning::Wrong {
                    property,
                    why: invalid.why,
                    right: to.kind.expectation(),
                };
            }
        },
    };
    let property = to;
    Meaning::Mapped {
        to,
        holds: Holds { property, value },
    }
}
