//! From the text of a `server.properties` and the command line to a [`BrokerConfig`], or a sentence saying why not.
//!
//! Only [`load`] and [`read_bounded`] touch a file; everything else is pure.
//!
//! Order of precedence: `--override`, then the file, then the defaults of the table. Without a file the broker listens on
//! loopback only and keeps its data below the working directory, so that trying it out needs no configuration.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::broker::BrokerConfig;
use super::error::{ConfigError, did_you_mean};
use super::lenient;
use super::property::{Property, Status};
use super::reader::{Entry, is_name, read_properties};
use super::settings::{Origin, Setting, Settings};
use super::table::{broker_property, nearest_name};
use super::value::Value;
use crate::limits::PROPERTIES_FILE_MAX_BYTES;

/// Where the broker listens when no file says otherwise.
pub const NO_FILE_LISTENER: &str = "PLAINTEXT://127.0.0.1:9092";
/// Data directory when no file says otherwise.
pub const NO_FILE_LOG_DIR: &str = "vltava-data";

/// A configuration, and what the operator should hear about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What holds.
    pub config: BrokerConfig,
    /// One sentence each: unknown names, properties without effect, properties that overrule each other.
    pub warnings: Vec<String>,
}

/// Reads `file`, if given, and applies `overrides` (name, value) on top. With `strict`, unknown names stop the start.
///
/// # Errors
/// [`ConfigError`]: the file cannot be read, or what it says cannot be served.
pub fn load(
    file: Option<&Path>,
    overrides: &[(String, String)],
    strict: bool,
) -> Result<Loaded, ConfigError> {
    let Some(path) = file else {
        return load_text(None, overrides, strict);
    };
    let text = read_bounded(path)?;
    load_text(
        Some((&path.display().to_string(), &text)),
        overrides,
        strict,
    )
}

/// The text of a property file; bytes that are no text become U+FFFD.
///
/// # Errors
/// [`ConfigError`]: it cannot be read, or is larger than any property file.
pub fn read_bounded(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let limit = PROPERTIES_FILE_MAX_BYTES;
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() > limit {
        let file = path.display().to_string();
        return Err(ConfigError::TooLarge { file, limit });
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// As [`load`], of a text already read: `file` is its name and its text.
///
/// # Errors
/// [`ConfigError`]: what the text says cannot be served.
pub fn load_text(
    file: Option<(&str, &str)>,
    overrides: &[(String, String)],
    strict: bool,
) -> Result<Loaded, ConfigError> {
    let mut loading = Loading {
        settings: Settings::default(),
        warnings: Vec::new(),
        strict,
    };
    if let Some((name, text)) = file {
        loading.take_file(name, text)?;
    }
    for (key, value) in overrides {
        loading.take(key.trim(), value, Origin::Override)?;
    }
    if file.is_none() {
        loading.fill_in_for_no_file();
    }
    loading.refuse_what_is_guarded()?;
    loading.carry_older_names()?;
    loading.warn_of_what_has_no_effect();
    let config = BrokerConfig::from_settings(loading.settings, &mut loading.warnings)?;
    Ok(Loaded {
        config,
        warnings: loading.warnings,
    })
}

struct Loading {
    settings: Settings,
    warnings: Vec<String>,
    strict: bool,
}

impl Loading {
    fn take_file(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let file: Arc<str> = name.into();
        let origin = |line| Origin::Line {
            file: Arc::clone(&file),
            line,
        };
        let entries = read_properties(text).map_err(|malformed| ConfigError::Malformed {
            origin: origin(malformed.line),
            why: malformed.to_string(),
        })?;
        for Entry { key, value, line } in entries {
            self.take(&key, &value, origin(line))?;
        }
        Ok(())
    }

    /// Takes one entry; a later one of the same name replaces it, an empty value puts the name back to its default.
    fn take(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), ConfigError> {
        let Some(property) = broker_property(key) else {
            return self.take_unknown(key, origin);
        };
        let earlier = match lenient::plain(property, text) {
            None => self.settings.unset(property.name),
            Some(plain) => {
                let value = parse(property, &plain, text, &origin)?;
                self.settings.set(
                    property.name,
                    Setting {
                        value,
                        origin: origin.clone(),
                    },
                )
            }
        };
        if let (
            Some(Setting {
                origin: Origin::Line { line, .. },
                ..
            }),
            Origin::Line { .. },
        ) = (earlier, &origin)
        {
            self.warnings
                .push(format!("{origin}: {key} replaces its value of line {line}"));
        }
        Ok(())
    }

    /// Settings of a single listener promise what is kept from others, so they are not waved through like other unknown names.
    fn take_unknown(&mut self, key: &str, origin: Origin) -> Result<(), ConfigError> {
        let name = key.to_owned();
        if key.starts_with("listener.name.") {
            let why = "settings of a single listener are not served yet".to_owned();
            return Err(ConfigError::NotInForce { origin, name, why });
        }
        let nearest = nearest_name(key);
        if self.strict {
            return Err(ConfigError::Unknown {
                origin,
                name,
                nearest,
            });
        }
        if !is_name(key) {
            self.warnings
                .push(format!("{origin}: {key} is no property and is ignored"));
            return Ok(());
        }
        self.warnings.push(format!(
            "{origin}: unknown property {key} is ignored{}",
            did_you_mean(&nearest)
        ));
        Ok(())
    }

    fn fill_in_for_no_file(&mut self) {
        let one = |text: &str| Setting {
            value: Value::List(vec![text.to_owned()]),
            origin: Origin::NoFile,
        };
        if !self.settings.sets_any(&["listeners", "host.name", "port"]) {
            self.settings.set("listeners", one(NO_FILE_LISTENER));
        }
        if !self.settings.sets_any(&["log.dir", "log.dirs"]) {
            self.settings.set("log.dir", one(NO_FILE_LOG_DIR));
        }
    }

    fn refuse_what_is_guarded(&self) -> Result<(), ConfigError> {
        for (name, setting) in self.settings.iter() {
            let property = row(name);
            if let Status::Guarded(why) = property.status
                && Some(&setting.value) != property.default_value().as_ref()
            {
                return Err(ConfigError::NotInForce {
                    origin: setting.origin.clone(),
                    name: name.to_owned(),
                    why: why.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Gives the value of an older name to the one that replaced it, unless that is set itself.
    fn carry_older_names(&mut self) -> Result<(), ConfigError> {
        for (name, setting) in self.settings.clone().iter() {
            let Status::Mapped(target) = row(name).status else {
                continue;
            };
            let target = row(target);
            if let Some(newer) = self.settings.explicit(target.name) {
                if name == "broker.id" {
                    require_one_id(setting, newer)?;
                } else {
                    self.warnings.push(format!(
                        "{}: {name} has no effect beside {}",
                        setting.origin, target.name
                    ));
                }
            } else if let Some(text) = carried_text(row(name), &setting.value, target) {
                let value = parse(target, &text, &text, &setting.origin)?;
                self.settings.set(
                    target.name,
                    Setting {
                        value,
                        origin: setting.origin.clone(),
                    },
                );
            }
        }
        Ok(())
    }

    fn warn_of_what_has_no_effect(&mut self) {
        let idle: Vec<&str> = self
            .settings
            .iter()
            .filter(|(name, _)| row(name).status == Status::AcceptedWithoutEffect)
            .map(|(name, _)| name)
            .collect();
        if !idle.is_empty() {
            self.warnings.push(format!(
                "known, but without effect in this version: {}",
                idle.join(", ")
            ));
        }
    }
}

fn row(name: &str) -> &'static Property {
    broker_property(name).expect("settings hold names of the table only")
}

fn parse(
    property: &Property,
    plain: &str,
    written: &str,
    origin: &Origin,
) -> Result<Value, ConfigError> {
    property
        .parse(plain)
        .map_err(|invalid| ConfigError::BadValue {
            origin: origin.clone(),
            name: invalid.name,
            value: if property.is_sensitive() {
                invalid.value
            } else {
                written.trim().to_owned()
            },
            why: invalid.why,
            right: property.kind.expectation(),
        })
}

/// What `target` is set to by its older name; listeners are put together from several names elsewhere, and an id of -1 is none.
pub(super) fn carried_text(older: &Property, value: &Value, target: &Property) -> Option<String> {
    match (target.name, value) {
        ("listeners" | "advertised.listeners", _) | ("node.id", Value::Number(-1)) => None,
        (_, Value::Number(number)) => {
            let scale = older
                .unit()
                .milliseconds()
                .zip(target.unit().milliseconds())
                .map_or(1, |(from, to)| from / to);
            Some(number.saturating_mul(scale).to_string())
        }
        (_, value) => Some(value.to_string()),
    }
}

fn require_one_id(older: &Setting, newer: &Setting) -> Result<(), ConfigError> {
    if older.value == newer.value || older.value == Value::Number(-1) {
        return Ok(());
    }
    Err(ConfigError::Conflict(format!(
        "{}: broker.id is {} but node.id ({}) is {}; they are two names of one number, keep one",
        older.origin, older.value, newer.origin, newer.value
    )))
}

#[cfg(test)]
mod tests;
