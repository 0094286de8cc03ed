//! What was set, where, and what therefore holds: explicit values over the table's defaults.
//!
//! Knows names and values of the table, not what they do.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::table::broker_property;
use super::value::Value;

/// Where a value was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A line of a file, from 1.
    Line {
        /// The file, as it was named.
        file: Arc<str>,
        /// The line, from 1.
        line: usize,
    },
    /// `--override` on the command line.
    Override,
    /// What holds when no file is given.
    NoFile,
    /// `meta.properties` of the data directory.
    DataDirectory,
    /// The metadata log.
    Metadata,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Line { file, line } => write!(f, "{file}:{line}"),
            Origin::Override => f.write_str("--override"),
            Origin::NoFile => f.write_str("built in"),
            Origin::DataDirectory => f.write_str("meta.properties"),
            Origin::Metadata => f.write_str("metadata log"),
        }
    }
}

/// One explicit value.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// The value, legal for its property.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
}

/// Explicit values by the property's name; everything else is at its default.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Settings {
    explicit: BTreeMap<&'static str, Setting>,
}

impl Settings {
    /// The explicit value of `name`.
    pub fn explicit(&self, name: &str) -> Option<&Setting> {
        self.explicit.get(name)
    }

    /// Whether any of `names` is set.
    pub fn sets_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.explicit.contains_key(name))
    }

    /// Every explicit value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Setting)> {
        self.explicit.iter().map(|(name, setting)| (*name, setting))
    }

    /// Sets `name`, in place of what it was; gives back what it was.
    pub(super) fn set(&mut self, name: &'static str, setting: Setting) -> Option<Setting> {
        self.explicit.insert(name, setting)
    }

    /// Puts `name` back to its default.
    pub(super) fn unset(&mut self, name: &str) -> Option<Setting> {
        self.explicit.remove(name)
    }

    /// The value that holds for `name`: explicit, else default, else none.
    ///
    /// # Panics
    /// If the table has no such property: callers name rows of the table.
    pub fn value(&self, name: &str) -> Option<Value> {
        let property =
            broker_property(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        self.explicit(name)
            .map(|setting| setting.value.clone())
            .or_else(|| property.default_value())
    }

    /// The whole number that holds for `name`, if it has one.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Number(number) => Some(number),
            other => unreachable!("{name} is no whole number: {other:?}"),
        }
    }

    /// The fraction that holds for `name`; every property of that kind has a default.
    pub(super) fn fraction(&self, name: &str) -> f64 {
        match self.value(name) {
            Some(Value::Fraction(value)) => value,
            other => unreachable!("{name} is no fraction: {other:?}"),
        }
    }

    /// The truth that holds for `name`; every boolean property has a default.
    pub(super) fn boolean(&self, name: &str) -> bool {
        match self.value(name) {
            Some(Value::Boolean(value)) => value,
            other => unreachable!("{name} is no boolean: {other:?}"),
        }
    }

    /// The text that holds for `name`, if it has one.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            other => unreachable!("{name} is no text: {other:?}"),
        }
    }

    /// The entries that hold for `name`; none when it is unset.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::List(entries)) => entries,
            None => Vec::new(),
            other => unreachable!("{name} is no list: {other:?}"),
        }
    }
}
