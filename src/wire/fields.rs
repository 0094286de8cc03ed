//! How each field type of the protocol stands in a frame, classic and flexible.
//!
//! The Rust type of a field alone decides its layout: `Text` is a string, `Option<Text>` a nullable one, `Vec<T>` an
//! array, and so on. Arrays check their length against the frame before they take memory.

use bytes::Bytes;
use uuid::Uuid;

use super::error::WireError;
use super::error_code::ErrorCode;
use super::reader::Reader;
use super::schema::{Dialect, Field, Nullable};
use super::text::Text;
use super::writer::Writer;

macro_rules! integer_fields {
    ($($int:ty),*) => {$(
        impl Field for $int {
            fn decode_field(r: &mut Reader, _: Dialect) -> Result<$int, WireError> {
                Ok(<$int>::from_be_bytes(r.array()?))
            }
            fn encode_field(&self, w: &mut Writer, _: Dialect) {
                w.slice(&self.to_be_bytes());
            }
            fn min_size(_: Dialect) -> usize {
                size_of::<$int>()
            }
        }
    )*};
}

integer_fields!(i8, i16, u16, i32, u32, i64, f64);

impl Field for bool {
    /// As in Kafka, any byte but 0 is true.
    fn decode_field(r: &mut Reader, _: Dialect) -> Result<bool, WireError> {
        Ok(r.i8()? != 0)
    }
    fn encode_field(&self, w: &mut Writer, _: Dialect) {
        w.i8(i8::from(*self));
    }
    fn min_size(_: Dialect) -> usize {
        1
    }
}

impl Field for Uuid {
    fn decode_field(r: &mut Reader, _: Dialect) -> Result<Uuid, WireError> {
        r.uuid()
    }
    fn encode_field(&self, w: &mut Writer, _: Dialect) {
        w.uuid(*self);
    }
    fn min_size(_: Dialect) -> usize {
        16
    }
}

impl Field for ErrorCode {
    fn decode_field(r: &mut Reader, _: Dialect) -> Result<ErrorCode, WireError> {
        r.i16().map(ErrorCode)
    }
    fn encode_field(&self, w: &mut Writer, _: Dialect) {
        w.i16(self.0);
    }
    fn min_size(_: Dialect) -> usize {
        2
    }
}

/// `Field` of a type that has a null form on the wire: the same bytes, only null is refused.
macro_rules! never_null {
    ($type:ty $(, $param:ident: $bound:ident)?) => {
        impl$(<$param: $bound>)? Field for $type {
            fn decode_field(r: &mut Reader, d: Dialect) -> Result<Self, WireError> {
                Self::decode_nullable(r, d)?.ok_or(WireError::UnexpectedNull { position: r.position() })
            }
            fn encode_field(&self, w: &mut Writer, d: Dialect) {
                Self::encode_nullable(Some(self), w, d);
            }
            fn min_size(d: Dialect) -> usize {
                <Self as Nullable>::min_nullable_size(d)
            }
        }
    };
}

never_null!(Text);
never_null!(Bytes);
never_null!(Vec<T>, T: Field);

impl Nullable for Text {
    fn decode_nullable(r: &mut Reader, d: Dialect) -> Result<Option<Text>, WireError> {
        r.nullable_text(d.flexible)
    }
    fn encode_nullable(text: Option<&Text>, w: &mut Writer, d: Dialect) {
        w.nullable_text(text.map(Text::as_str), d.flexible);
    }
    fn min_nullable_size(d: Dialect) -> usize {
        if d.flexible { 1 } else { 2 }
    }
}

impl Nullable for Bytes {
    fn decode_nullable(r: &mut Reader, d: Dialect) -> Result<Option<Bytes>, WireError> {
        r.nullable_bytes(d.flexible)
    }
    fn encode_nullable(bytes: Option<&Bytes>, w: &mut Writer, d: Dialect) {
        w.nullable_bytes(bytes.map(Bytes::as_ref), d.flexible);
    }
    fn min_nullable_size(d: Dialect) -> usize {
        if d.flexible { 1 } else { 4 }
    }
}

impl<T: Field> Nullable for Vec<T> {
    fn decode_nullable(r: &mut Reader, d: Dialect) -> Result<Option<Vec<T>>, WireError> {
        let Some(length) = r.array_length(d.flexible, T::min_size(d), size_of::<T>())? else {
            return Ok(None);
        };
        let mut elements = Vec::with_capacity(length);
        for _ in 0..length {
            elements.push(T::decode_field(r, d)?);
        }
        Ok(Some(elements))
    }
    fn encode_nullable(elements: Option<&Vec<T>>, w: &mut Writer, d: Dialect) {
        w.long_length(elements.map(Vec::len), d.flexible);
        for element in elements.into_iter().flatten() {
            element.encode_field(w, d);
        }
    }
    fn min_nullable_size(d: Dialect) -> usize {
        if d.flexible { 1 } else { 4 }
    }
}

impl<T: Nullable> Field for Option<T> {
    fn decode_field(r: &mut Reader, d: Dialect) -> Result<Option<T>, WireError> {
        T::decode_nullable(r, d)
    }
    fn encode_field(&self, w: &mut Writer, d: Dialect) {
        T::encode_nullable(self.as_ref(), w, d);
    }
    fn min_size(d: Dialect) -> usize {
        T::min_nullable_size(d)
    }
}
