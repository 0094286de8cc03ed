//! What a configuration property is: its name, kind, default, bounds, meaning, and whether this broker honours it.
//!
//! Leaf: types only. The rows themselves stand in [`table`](super::table) and
//! [`topic_properties`](super::topic_properties), written with the `properties!` macro below.

use std::fmt;

/// One property, as Apache Kafka 4.3 defines it (`AbstractKafkaConfig`, `LogConfig`), or an older name that files still carry.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Kafka's name.
    pub name: &'static str,
    /// Which values are legal.
    pub kind: Kind,
    /// Text of the value that holds when none is given; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// How much an operator should care, in Kafka's scale.
    pub importance: Importance,
    /// Whether this broker honours it.
    pub status: Status,
    /// What it does, in one or two sentences.
    pub doc: &'static str,
}

/// Which values a property takes. The names of the wire types are those of `ConfigDef.Type`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Boolean,
    /// 16-bit whole number.
    Short(Bounds),
    /// 32-bit whole number.
    Int(Bounds),
    /// 64-bit whole number.
    Long(Bounds),
    /// Fraction between two bounds, both included.
    Double(f64, f64),
    /// `-1` (the codec's own default) or 1 to 9.
    GzipLevel,
    /// Any text.
    Text,
    /// One of these words, exactly.
    OneOf(&'static [&'static str]),
    /// One of these words, in any case.
    OneOfAnyCase(&'static [&'static str]),
    /// Words separated by commas.
    List,
    /// Words separated by commas, each one of these.
    ListOf(&'static [&'static str]),
    /// `*`, or `partition:broker` pairs separated by commas.
    ThrottledReplicas,
    /// Name of a Java class; this broker loads none.
    Class,
    /// Text that is never shown.
    Password,
}

/// Least and greatest legal number, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Least legal value; `i64::MIN` when only the type limits it.
    pub min: i64,
    /// Greatest legal value; `i64::MAX` when only the type limits it.
    pub max: i64,
}

/// Limited by the type only.
pub const ANY: Bounds = Bounds {
    min: i64::MIN,
    max: i64::MAX,
};

/// `min` and everything above it.
pub const fn at_least(min: i64) -> Bounds {
    Bounds { min, max: i64::MAX }
}

/// From `min` to `max`, both included.
pub const fn within(min: i64, max: i64) -> Bounds {
    Bounds { min, max }
}

/// Kafka's scale of how much a property matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Importance {
    /// Look at it before going to production.
    High,
    /// Worth knowing.
    Medium,
    /// Rarely touched.
    Low,
    /// Known so that files load, never listed.
    Internal,
}

/// Whether this broker honours a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Its value changes what the broker does.
    InForce,
    /// An older or other name: its value is carried to the property named here.
    Mapped(&'static str),
    /// Checked and echoed, but it changes nothing yet. Setting it is a warning.
    AcceptedWithoutEffect,
    /// It promises security, durability or isolation that is not given: any value but the default stops the start.
    /// The text says what is missing.
    Guarded(&'static str),
}

/// Unit of a number, told by the end of the property's name as Kafka names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// `.ms`
    Milliseconds,
    /// `.seconds`
    Seconds,
    /// `.minutes`, `.mins`
    Minutes,
    /// `.hours`
    Hours,
    /// `.bytes`
    Bytes,
    /// A bare number.
    Count,
}

impl Unit {
    /// Milliseconds in one of this unit; `None` when it is not a time.
    pub const fn milliseconds(self) -> Option<i64> {
        match self {
            Unit::Milliseconds => Some(1),
            Unit::Seconds => Some(1_000),
            Unit::Minutes => Some(60_000),
            Unit::Hours => Some(3_600_000),
            Unit::Bytes | Unit::Count => None,
        }
    }
}

impl Property {
    /// The unit of its number.
    pub fn unit(&self) -> Unit {
        match self.name.rsplit('.').next() {
            Some("ms" | "millis") => Unit::Milliseconds,
            Some("seconds" | "secs") => Unit::Seconds,
            Some("minutes" | "mins") => Unit::Minutes,
            Some("hours") => Unit::Hours,
            Some("bytes") => Unit::Bytes,
            _ => Unit::Count,
        }
    }

    /// Whether its value must never be shown or sent.
    pub fn is_sensitive(&self) -> bool {
        self.kind == Kind::Password
    }

    /// Whether tools list it.
    pub fn is_listed(&self) -> bool {
        self.importance != Importance::Internal
    }
}

impl Kind {
    /// Whether values are lists of entries.
    pub fn is_list(&self) -> bool {
        matches!(self, Kind::List | Kind::ListOf(_) | Kind::ThrottledReplicas)
    }

    /// What would be right, for the sentence that refuses a wrong value.
    pub fn expectation(&self) -> String {
        match self {
            Kind::Boolean => "true or false".to_owned(),
            Kind::Short(bounds) => bounds
                .narrowed(i16::MIN.into(), i16::MAX.into())
                .to_string(),
            Kind::Int(bounds) => bounds
                .narrowed(i32::MIN.into(), i32::MAX.into())
                .to_string(),
            Kind::Long(bounds) => bounds.to_string(),
            Kind::Double(min, max) if *max == f64::MAX => format!("a number of at least {min}"),
            Kind::Double(min, max) => format!("a number from {min} to {max}"),
            Kind::GzipLevel => "-1, or a whole number from 1 to 9".to_owned(),
            Kind::OneOf(words) | Kind::OneOfAnyCase(words) => {
                format!("one of {}", words.join(", "))
            }
            Kind::ListOf(words) => format!("a comma-separated list out of {}", words.join(", ")),
            Kind::ThrottledReplicas => "* or a list of partition:broker pairs".to_owned(),
            Kind::List => "a comma-separated list".to_owned(),
            Kind::Class => "the name of a class".to_owned(),
            Kind::Text | Kind::Password => "a text".to_owned(),
        }
    }
}

impl Bounds {
    /// These bounds within those of a narrower type.
    pub(super) fn narrowed(self, least: i64, greatest: i64) -> Bounds {
        Bounds {
            min: self.min.max(least),
            max: self.max.min(greatest),
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (i64::MIN, i64::MAX) => f.write_str("a whole number"),
            (min, i64::MAX) => write!(f, "a whole number of at least {min}"),
            (min, max) => write!(f, "a whole number from {min} to {max}"),
        }
    }
}

/// Rows of a property table, one a property:
/// `"name", Kind, "default" or unset, Importance, Status, "what it does";`
macro_rules! properties {
    (@default unset) => { None };
    (@default $text:literal) => { Some($text) };
    ($($name:literal, $kind:expr, $default:tt, $importance:ident, $status:expr, $doc:literal;)*) => {
        &[$($crate::config::property::Property {
            name: $name,
            kind: $kind,
            default: properties!(@default $default),
            importance: $crate::config::property::Importance::$importance,
            status: $status,
            doc: $doc,
        }),*]
    };
}
pub(super) use properties;
