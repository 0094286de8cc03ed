//! The language in which messages are declared: one declaration gives the struct, its decoding and its encoding.
//!
//! ```ignore
//! schema! {
//!     /// What the message is for.
//!     message ProduceResponse (versions 0..=13, flexible 9) {
//!         /// Only versions 1 and later have this field; others leave it at its default.
//!         throttle_time_ms: i32 [1..],
//!         /// `Option` is a nullable field; here version 1 has the field but cannot say null.
//!         error_message: Option<Text> [1..] nullable [2..],
//!         /// A default that is not the type's own.
//!         log_start_offset: i64 [5..] = -1,
//!         /// A tagged field: sent only when it differs from its default. Declared in ascending order of tags.
//!         current_leader: LeaderIdAndEpoch [10..] tag 0,
//!         /// A field that ended with version 12.
//!         name: Text [0..=12],
//!     }
//!
//!     /// A structure inside messages: its versions are those of the message it stands in.
//!     struct LeaderIdAndEpoch { ... }
//! }
//! ```
//!
//! A field that a version does not have is left out when encoding, whatever it holds: the versions of one message are
//! meant to be filled the same way. Null in a version that has no null is encoded as empty.
//!
//! The rules come from Kafka's message generator (`generator/`, KIP-482); the schemas themselves are Kafka's
//! `common/message/*.json`. Leaf: knows no message. Any core.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use super::api::ApiKey;
use super::error::WireError;
use super::reader::Reader;
use super::writer::Writer;

/// What decides the layout of a field besides its type: the message's version, and whether that version is flexible
/// (compact lengths, tagged fields).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Version of the message.
    pub version: i16,
    /// Whether this version of the message is flexible.
    pub flexible: bool,
}

/// A value that can stand in a message.
pub trait Field: Sized + Default + PartialEq {
    /// Reads one.
    fn decode_field(r: &mut Reader, d: Dialect) -> Result<Self, WireError>;
    /// Writes it.
    fn encode_field(&self, w: &mut Writer, d: Dialect);
    /// The fewest bytes one can take: bounds arrays before memory is taken for them.
    fn min_size(d: Dialect) -> usize;
}

/// A value that has a null form on the wire, so that `Option` of it is a field too.
pub trait Nullable: Field {
    /// Reads one, or null.
    fn decode_nullable(r: &mut Reader, d: Dialect) -> Result<Option<Self>, WireError>;
    /// Writes it, or null.
    fn encode_nullable(value: Option<&Self>, w: &mut Writer, d: Dialect);
    /// The fewest bytes it can take; null may be the shortest.
    fn min_nullable_size(d: Dialect) -> usize;
}

/// A request, a response or a record: declared with `schema!`.
pub trait Message: Sized + Default + Clone + Debug + PartialEq {
    /// Kafka's name of the schema.
    const NAME: &'static str;
    /// The versions whose layout is declared. Which ones are served is another question: see [`super::api`].
    const VERSIONS: RangeInclusive<i16>;
    /// First flexible version.
    const FLEXIBLE_FROM: i16;

    /// Reads one from where `r` stands; bytes after it stay unread.
    ///
    /// # Errors
    /// A version outside of [`Message::VERSIONS`], or bytes that are not such a message.
    fn decode(r: &mut Reader, version: i16) -> Result<Self, WireError>;

    /// Writes it. `version` must be one of [`Message::VERSIONS`].
    fn encode(&self, w: &mut Writer, version: i16);
}

/// A request, with the key it is sent under and the type of its answer.
pub trait Request: Message {
    /// Its API key.
    const KEY: ApiKey;
    /// What answers it, in the same version.
    type Response: Message;
}

/// Encodes null as the empty value, for versions of a field which have no null.
pub(crate) fn encode_or_empty<T: Nullable>(value: &Option<T>, w: &mut Writer, d: Dialect) {
    match value {
        Some(value) => value.encode_field(w, d),
        None => T::default().encode_field(w, d),
    }
}

/// Tags must be declared in the order in which they are sent.
pub(crate) const fn assert_ascending(tags: &[u32]) {
    let mut i = 1;
    while i < tags.len() {
        assert!(
            tags[i - 1] < tags[i],
            "declare tagged fields in ascending order of their tags"
        );
        i += 1;
    }
}

/// Declares messages and the structures inside them; see the head of this file.
macro_rules! schema {
    () => {};
    (
        $(#[$meta:meta])*
        message $name:ident (versions $versions:expr, flexible $flexible:literal) { $($fields:tt)* }
        $($rest:tt)*
    ) => {
        $crate::wire::schema::structure! { $(#[$meta])* $name { $($fields)* } }

        impl $crate::wire::Message for $name {
            const NAME: &'static str = stringify!($name);
            const VERSIONS: std::ops::RangeInclusive<i16> = $versions;
            const FLEXIBLE_FROM: i16 = $flexible;

            fn decode(r: &mut $crate::wire::Reader, version: i16) -> Result<Self, $crate::wire::WireError> {
                if !Self::VERSIONS.contains(&version) {
                    return Err($crate::wire::WireError::UnsupportedVersion { message: Self::NAME, version });
                }
                let dialect = $crate::wire::schema::Dialect { version, flexible: version >= $flexible };
                <Self as $crate::wire::schema::Field>::decode_field(r, dialect)
            }

            fn encode(&self, w: &mut $crate::wire::Writer, version: i16) {
                debug_assert!(Self::VERSIONS.contains(&version), "{} has no version {version}", Self::NAME);
                let dialect = $crate::wire::schema::Dialect { version, flexible: version >= $flexible };
                $crate::wire::schema::Field::encode_field(self, w, dialect);
            }
        }

        $crate::wire::schema::schema! { $($rest)* }
    };
    ($(#[$meta:meta])* struct $name:ident { $($fields:tt)* } $($rest:tt)*) => {
        $crate::wire::schema::structure! { $(#[$meta])* $name { $($fields)* } }
        $crate::wire::schema::schema! { $($rest)* }
    };
}

/// One struct with its decoding and encoding, from the list of its fields.
macro_rules! structure {
    (
        $(#[$meta:meta])*
        $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident : $type:ty [$($versions:tt)+]
                    $(nullable [$($nullable:tt)+])? $(tag $tag:literal)? $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        const _: () = $crate::wire::schema::assert_ascending(&[$($($tag,)?)*]);

        impl Default for $name {
            fn default() -> Self {
                $name { $($field: $crate::wire::schema::default_value!($type $(, $default)?),)* }
            }
        }

        #[allow(unused_variables, unused_mut, clippy::redundant_closure_call)]
        impl $crate::wire::schema::Field for $name {
            fn decode_field(
                r: &mut $crate::wire::Reader,
                d: $crate::wire::schema::Dialect,
            ) -> Result<Self, $crate::wire::WireError> {
                let mut value = Self::default();
                $($crate::wire::schema::untagged! { [$($tag)?]
                    if ($($versions)+).contains(&d.version) {
                        value.$field = <$type as $crate::wire::schema::Field>::decode_field(r, d)
                            $(.and_then(|field| {
                                if field.is_none() && !($($nullable)+).contains(&d.version) {
                                    return Err($crate::wire::WireError::UnexpectedNull { position: r.position() });
                                }
                                Ok(field)
                            }))?
                            .map_err(|fault| fault.in_field(stringify!($name), stringify!($field)))?;
                    }
                })*
                if d.flexible {
                    r.tagged_fields(|r, tag| {
                        $($crate::wire::schema::tagged! { [$($tag)?] number =>
                            if tag == number && ($($versions)+).contains(&d.version) {
                                value.$field = <$type as $crate::wire::schema::Field>::decode_field(r, d)
                                    .map_err(|fault| fault.in_field(stringify!($name), stringify!($field)))?;
                                return Ok(true);
                            }
                        })*
                        Ok(false)
                    })?;
                }
                Ok(value)
            }

            fn encode_field(&self, w: &mut $crate::wire::Writer, d: $crate::wire::schema::Dialect) {
                $($crate::wire::schema::untagged! { [$($tag)?]
                    if ($($versions)+).contains(&d.version) {
                        $crate::wire::schema::encode_nullable!(self.$field, w, d $(, $($nullable)+)?);
                    }
                })*
                if d.flexible {
                    let mut count = 0;
                    $($crate::wire::schema::tagged! { [$($tag)?] _number =>
                        if ($($versions)+).contains(&d.version)
                            && self.$field != $crate::wire::schema::default_value!($type $(, $default)?)
                        {
                            count += 1;
                        }
                    })*
                    w.uvarint(count);
                    $($crate::wire::schema::tagged! { [$($tag)?] number =>
                        if ($($versions)+).contains(&d.version)
                            && self.$field != $crate::wire::schema::default_value!($type $(, $default)?)
                        {
                            w.tagged_field(number, |w| $crate::wire::schema::Field::encode_field(&self.$field, w, d));
                        }
                    })*
                }
            }

            fn min_size(d: $crate::wire::schema::Dialect) -> usize {
                let mut size = usize::from(d.flexible);
                $($crate::wire::schema::untagged! { [$($tag)?]
                    if ($($versions)+).contains(&d.version) {
                        size += <$type as $crate::wire::schema::Field>::min_size(d);
                    }
                })*
                size.max(1)
            }
        }

        impl $crate::wire::schema::Nullable for $name {
            fn decode_nullable(
                r: &mut $crate::wire::Reader,
                d: $crate::wire::schema::Dialect,
            ) -> Result<Option<Self>, $crate::wire::WireError> {
                if r.i8()? < 0 {
                    return Ok(None);
                }
                <Self as $crate::wire::schema::Field>::decode_field(r, d).map(Some)
            }

            fn encode_nullable(
                value: Option<&Self>,
                w: &mut $crate::wire::Writer,
                d: $crate::wire::schema::Dialect,
            ) {
                w.i8(if value.is_some() { 1 } else { -1 });
                if let Some(value) = value {
                    $crate::wire::schema::Field::encode_field(value, w, d);
                }
            }

            fn min_nullable_size(_: $crate::wire::schema::Dialect) -> usize {
                1
            }
        }

        #[cfg(test)]
        #[allow(unused_variables, unused_mut)]
        impl $crate::wire::sample::Sample for $name {
            fn sample(e: &mut $crate::wire::sample::Entropy<'_>, d: $crate::wire::schema::Dialect) -> Self {
                let mut value = Self::default();
                $(if ($($versions)+).contains(&d.version) {
                    value.$field = <$type as $crate::wire::sample::Sample>::sample(e, d);
                    $(if !($($nullable)+).contains(&d.version) {
                        value.$field.get_or_insert_default();
                    })?
                })*
                value
            }
        }
    };
}

/// A field's default: the one declared, or its type's.
macro_rules! default_value {
    ($type:ty) => {
        <$type as Default>::default()
    };
    ($type:ty, $default:expr) => {
        $default
    };
}

/// Keeps the code of fields without a tag.
macro_rules! untagged {
    ([] $($code:tt)*) => { $($code)* };
    ([$tag:literal] $($code:tt)*) => {};
}

/// Keeps the code of tagged fields, with the tag under a name of the caller's.
macro_rules! tagged {
    ([] $number:ident => $($code:tt)*) => {};
    ([$tag:literal] $number:ident => $($code:tt)*) => {
        {
            let $number: u32 = $tag;
            $($code)*
        }
    };
}

/// Encodes a field; null becomes empty outside of the versions that have null.
macro_rules! encode_nullable {
    ($value:expr, $w:ident, $d:ident) => {
        $crate::wire::schema::Field::encode_field(&$value, $w, $d)
    };
    ($value:expr, $w:ident, $d:ident, $($nullable:tt)+) => {
        if ($($nullable)+).contains(&$d.version) {
            $crate::wire::schema::Field::encode_field(&$value, $w, $d)
        } else {
            $crate::wire::schema::encode_or_empty(&$value, $w, $d)
        }
    };
}

pub(crate) use {default_value, encode_nullable, schema, structure, tagged, untagged};

#[cfg(test)]
mod tests;
