//! Messages made from random bytes, for tests: every field that a version has takes every shape it can have there.
//!
//! Bytes rather than a random number generator, so that a failing message shrinks as its bytes do; bytes that have run
//! out are zeros, which make the smallest message.

use bytes::Bytes;
use uuid::Uuid;

use super::error_code::ErrorCode;
use super::record_data::Records;
use super::schema::{Dialect, Nullable};
use super::text::Text;
use super::writer::COPY_LIMIT;

/// Random bytes that are used up one after the other.
pub(crate) struct Entropy<'a>(pub &'a [u8]);

impl Entropy<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// A length: mostly short, now and then long enough for a varint of two bytes.
    fn length(&mut self) -> usize {
        match self.byte() {
            long @ 240.. => 120 + usize::from(long - 240) * 10,
            short => usize::from(short % 12),
        }
    }
}

/// A value that can be made from random bytes.
pub(crate) trait Sample: Sized {
    /// One that this version can carry without loss.
    fn sample(e: &mut Entropy<'_>, d: Dialect) -> Self;
}

macro_rules! sample_integers {
    ($($int:ty),*) => {$(
        impl Sample for $int {
            fn sample(e: &mut Entropy<'_>, _: Dialect) -> $int {
                match e.byte() {
                    0 => 0,
                    1 => <$int>::MAX,
                    2 => <$int>::MIN,
                    _ => <$int>::from_be_bytes(e.array()),
                }
            }
        }
    )*};
}

sample_integers!(i8, i16, u16, i32, u32, i64);

impl Sample for bool {
    fn sample(e: &mut Entropy<'_>, _: Dialect) -> bool {
        e.byte() % 2 == 1
    }
}

impl Sample for Bytes {
    fn sample(e: &mut Entropy<'_>, _: Dialect) -> Bytes {
        (0..e.length()).map(|_| e.byte()).collect()
    }
}

impl Sample for Uuid {
    fn sample(e: &mut Entropy<'_>, _: Dialect) -> Uuid {
        Uuid::from_bytes(e.array())
    }
}

impl Sample for ErrorCode {
    fn sample(e: &mut Entropy<'_>, d: Dialect) -> ErrorCode {
        ErrorCode(i16::sample(e, d))
    }
}

impl Sample for Text {
    fn sample(e: &mut Entropy<'_>, _: Dialect) -> Text {
        let length = e.length();
        let characters = ['a', 'z', '-', '.', '0', 'č', '€', '😀'];
        (0..length)
            .map(|_| characters[usize::from(e.byte()) % characters.len()])
            .collect::<String>()
            .into()
    }
}

impl Sample for Records {
    fn sample(e: &mut Entropy<'_>, _: Dialect) -> Records {
        let shape = e.byte();
        let length = match shape % 4 {
            0 => return Records::Null,
            1 => COPY_LIMIT + usize::from(shape),
            _ => e.length(),
        };
        Records::Bytes(Bytes::from(vec![shape; length]))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(e: &mut Entropy<'_>, d: Dialect) -> Vec<T> {
        let length = e.byte() % 4;
        (0..length).map(|_| T::sample(e, d)).collect()
    }
}

impl<T: Sample + Nullable> Sample for Option<T> {
    fn sample(e: &mut Entropy<'_>, d: Dialect) -> Option<T> {
        if e.byte().is_multiple_of(3) {
            None
        } else {
            Some(T::sample(e, d))
        }
    }
}
