//! The integers inside records: base 128, lowest group first, zig-zag signed.
//!
//! An `i32` takes at most 5 bytes and an `i64` at most 10; bits beyond the type's width are dropped, as Kafka's readers do.
//! Source: Kafka's documentation ("Record", varint fields) and the protocol buffers encoding it names.

use super::error::Malformed;

/// Takes an `i32` off the front of `bytes`.
#[inline(always)]
pub fn take_i32(bytes: &mut &[u8]) -> Result<i32, Malformed> {
    let raw = match bytes.split_first() {
        Some((&first, rest)) if first < 0x80 => {
            *bytes = rest;
            u32::from(first)
        }
        _ => take_unsigned(bytes, 5)? as u32,
    };
    Ok(unzigzag_i32(raw))
}

/// Takes an `i64` off the front of `bytes`.
#[inline(always)]
pub fn take_i64(bytes: &mut &[u8]) -> Result<i64, Malformed> {
    let raw = match bytes.split_first() {
        Some((&first, rest)) if first < 0x80 => {
            *bytes = rest;
            u64::from(first)
        }
        _ => take_unsigned(bytes, 10)?,
    };
    Ok(unzigzag_i64(raw))
}

fn take_unsigned(bytes: &mut &[u8], longest: usize) -> Result<u64, Malformed> {
    let mut value = 0u64;
    for (group, &byte) in bytes.iter().take(longest).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * group);
        if byte < 0x80 {
            *bytes = &bytes[group + 1..];
            return Ok(value);
        }
    }
    Err(if bytes.len() < longest {
        Malformed::Ends
    } else {
        Malformed::Varint
    })
}

/// The signed number behind a zig-zag `u32`.
#[inline(always)]
pub fn unzigzag_i32(raw: u32) -> i32 {
    (raw >> 1) as i32 ^ -((raw & 1) as i32)
}

/// The signed number behind a zig-zag `u64`.
#[inline(always)]
pub fn unzigzag_i64(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ -((raw & 1) as i64)
}

/// Appends `value` to `out`; an `i32` widened to `i64` has the same bytes.
pub fn put(out: &mut Vec<u8>, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// Bytes [`put`] writes for `value`.
pub fn size_of(value: i64) -> usize {
    let raw = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (raw | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_comes_back_from_as_many_bytes_as_announced(long in any::<i64>(), shift in 0u32..64) {
            let long = long >> shift;
            let mut bytes = Vec::new();
            put(&mut bytes, long);
            prop_assert_eq!(bytes.len(), size_of(long));
            let mut rest = &bytes[..];
            prop_assert_eq!(take_i64(&mut rest), Ok(long));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn every_i32_comes_back(int in any::<i32>(), shift in 0u32..32) {
            let int = int >> shift;
            let mut bytes = Vec::new();
            put(&mut bytes, i64::from(int));
            let mut rest = &bytes[..];
            prop_assert_eq!(take_i32(&mut rest), Ok(int));
            prop_assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_number_that_does_not_end_is_told_from_one_that_is_cut_off() {
        assert_eq!(take_i32(&mut &[0x80; 5][..]), Err(Malformed::Varint));
        assert_eq!(take_i32(&mut &[0x80; 4][..]), Err(Malformed::Ends));
        assert_eq!(take_i64(&mut &[0x80; 10][..]), Err(Malformed::Varint));
        assert_eq!(take_i64(&mut &[][..]), Err(Malformed::Ends));
    }
}
