//! One record of a v2 batch, as it lies inside the batch.
//!
//! ```text
//! length varint, then length bytes:
//!   attributes i8 (unused) | timestampDelta varlong | offsetDelta varint
//!   keyLength varint (negative: null) | key | valueLength varint (negative: null) | value
//!   headerCount varint | each: keyLength varint | key | valueLength varint (negative: null) | value
//! ```
//!
//! Source: the Apache Kafka documentation, "Record". Must never know whether the batch was compressed.

use super::error::Malformed;
use super::varint;

/// A record's fields, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// Milliseconds after the batch's `baseTimestamp`.
    pub timestamp_delta: i64,
    /// Its offset less the batch's base offset.
    pub offset_delta: i32,
    /// The key, if there is one; an empty key is not a missing key.
    pub key: Option<&'a [u8]>,
    /// The value; a missing one is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, in the order they were given.
    pub headers: RawHeaders<'a>,
}

/// The headers of a record: the same key may come more than once.
#[derive(Clone, Copy, Debug)]
pub struct RawHeaders<'a> {
    count: u32,
    bytes: &'a [u8],
}

/// A header's key and value.
pub type RawHeader<'a> = (&'a [u8], Option<&'a [u8]>);

impl<'a> RawRecord<'a> {
    /// Reads the record whose bytes, without the leading length, are exactly `body`.
    ///
    /// # Errors
    /// Whatever of the layout above does not hold.
    #[inline]
    pub fn parse(body: &'a [u8]) -> Result<RawRecord<'a>, Malformed> {
        let (_attributes, mut rest) = body.split_first().ok_or(Malformed::Ends)?;
        let timestamp_delta = varint::take_i64(&mut rest)?;
        let offset_delta = varint::take_i32(&mut rest)?;
        let key = take_nullable(&mut rest)?;
        let value = take_nullable(&mut rest)?;
        let headers = RawHeaders::parse(rest)?;
        Ok(RawRecord {
            timestamp_delta,
            offset_delta,
            key,
            value,
            headers,
        })
    }
}

impl<'a> RawHeaders<'a> {
    #[inline]
    fn parse(mut rest: &'a [u8]) -> Result<RawHeaders<'a>, Malformed> {
        let count = varint::take_i32(&mut rest)?;
        let headers = RawHeaders {
            count: u32::try_from(count).map_err(|_| Malformed::HeaderCount(count))?,
            bytes: rest,
        };
        if headers.count as usize > rest.len() {
            return Err(Malformed::HeaderCount(count));
        }
        for _ in 0..headers.count {
            take_header(&mut rest)?;
        }
        match rest.len() {
            0 => Ok(headers),
            left => Err(Malformed::Left(left)),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Each header in turn.
    pub fn iter(&self) -> impl Iterator<Item = RawHeader<'a>> + use<'a> {
        let mut rest = self.bytes;
        // Parsing has read them all once, so none fails here.
        (0..self.count).map_while(move |_| take_header(&mut rest).ok())
    }
}

#[inline]
fn take_header<'a>(rest: &mut &'a [u8]) -> Result<RawHeader<'a>, Malformed> {
    let length = varint::take_i32(rest)?;
    let length = usize::try_from(length).map_err(|_| Malformed::HeaderKey(length))?;
    let key = take(rest, length)?;
    Ok((key, take_nullable(rest)?))
}

#[inline(always)]
fn take_nullable<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
    match usize::try_from(varint::take_i32(rest)?) {
        Ok(length) => take(rest, length).map(Some),
        Err(_) => Ok(None),
    }
}

#[inline(always)]
fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (taken, after) = rest.split_at_checked(length).ok_or(Malformed::Ends)?;
    *rest = after;
    Ok(taken)
}
