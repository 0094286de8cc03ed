//! Walking the records of a batch that may arrive in pieces, holding none of them.
//!
//! A record that lies whole in a piece is read where it is. One that is cut by a piece's end is read field by field, and
//! only its numbers are kept, so memory does not grow with the record. Both ways must accept and refuse the same bytes.
//! Must never know the codec or the topic's rules.

use super::error::{BatchError, Invalid, Malformed};
use super::record::RawRecord;
use super::varint;

/// What the rules of a topic want to know of a record.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RecordFacts {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// Milliseconds after the batch's base timestamp.
    pub timestamp_delta: i64,
    /// What it says its place is.
    pub offset_delta: i32,
    /// Whether its key is not null.
    pub has_key: bool,
}

/// Where a walk stands: between two records, or inside one that began in an earlier piece.
pub struct RecordWalk {
    count: u32,
    index: u32,
    cut: CutRecord,
}

impl RecordWalk {
    /// The walk over a batch that declares `count` records.
    pub fn new(count: u32) -> RecordWalk {
        RecordWalk {
            count,
            index: 0,
            cut: CutRecord::default(),
        }
    }

    /// Walks the next piece, telling `visit` of every record that ends in it.
    ///
    /// # Errors
    /// [`Invalid::Record`], [`Invalid::TrailingBytes`], and whatever `visit` gives.
    pub fn feed(
        &mut self,
        mut piece: &[u8],
        mut visit: impl FnMut(RecordFacts) -> Result<(), BatchError>,
    ) -> Result<(), BatchError> {
        loop {
            if self.cut.is_between_records() {
                piece = self.walk_whole_records(piece, &mut visit)?;
            }
            if piece.is_empty() {
                return Ok(());
            }
            if self.index == self.count {
                return Err(Invalid::TrailingBytes.into());
            }
            if let Some(facts) = self
                .cut
                .feed(&mut piece)
                .map_err(|malformed| self.malformed(malformed))?
            {
                self.end_record(facts, &mut visit)?;
            }
        }
    }

    /// Checks that the declared records have all been there.
    ///
    /// # Errors
    /// [`Invalid::MissingRecords`].
    pub fn finish(&self) -> Result<(), BatchError> {
        if self.index != self.count || !self.cut.is_between_records() {
            let (found, count) = (self.index, self.count);
            return Err(Invalid::MissingRecords { found, count }.into());
        }
        Ok(())
    }

    /// Walks records for as long as they lie whole in `piece`; gives what is left.
    fn walk_whole_records<'a>(
        &mut self,
        mut piece: &'a [u8],
        visit: &mut impl FnMut(RecordFacts) -> Result<(), BatchError>,
    ) -> Result<&'a [u8], BatchError> {
        while self.index < self.count {
            let mut rest = piece;
            let length = match varint::take_i32(&mut rest) {
                Ok(length) => length,
                Err(Malformed::Ends) => break,
                Err(malformed) => return Err(self.malformed(malformed)),
            };
            let length =
                usize::try_from(length).map_err(|_| self.malformed(Malformed::Size(length)))?;
            let Some((body, after)) = rest.split_at_checked(length) else {
                break;
            };
            let record = RawRecord::parse(body).map_err(|malformed| self.malformed(malformed))?;
            piece = after;
            let facts = RecordFacts {
                index: 0,
                timestamp_delta: record.timestamp_delta,
                offset_delta: record.offset_delta,
                has_key: record.key.is_some(),
            };
            self.end_record(facts, visit)?;
        }
        Ok(piece)
    }

    #[inline(always)]
    fn end_record(
        &mut self,
        facts: RecordFacts,
        visit: &mut impl FnMut(RecordFacts) -> Result<(), BatchError>,
    ) -> Result<(), BatchError> {
        let index = self.index;
        self.index += 1;
        visit(RecordFacts { index, ..facts })
    }

    #[cold]
    fn malformed(&self, malformed: Malformed) -> BatchError {
        let index = self.index;
        Invalid::Record { index, malformed }.into()
    }
}

/// The field of a cut record that the next byte belongs to, in the order they come.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Field {
    #[default]
    Length,
    Attributes,
    TimestampDelta,
    OffsetDelta,
    KeyLength,
    Key,
    ValueLength,
    Value,
    HeaderCount,
    HeaderKeyLength,
    HeaderKey,
    HeaderValueLength,
    HeaderValue,
}

/// A record read field by field.
#[derive(Default)]
struct CutRecord {
    field: Field,
    /// The groups of an unfinished varint, and how many there are.
    varint: u64,
    groups: u32,
    /// Bytes of the record not yet read.
    left: usize,
    /// Bytes of the current key or value not yet read.
    skip: usize,
    headers_left: u32,
    facts: RecordFacts,
}

impl CutRecord {
    fn is_between_records(&self) -> bool {
        self.field == Field::Length && self.groups == 0
    }

    /// Reads on until the record ends or the piece does.
    fn feed(&mut self, piece: &mut &[u8]) -> Result<Option<RecordFacts>, Malformed> {
        while !piece.is_empty() {
            let field_ends = match self.field {
                Field::Key | Field::Value | Field::HeaderKey | Field::HeaderValue => {
                    let skipped = self.skip.min(piece.len());
                    *piece = &piece[skipped..];
                    self.left -= skipped;
                    self.skip -= skipped;
                    self.skip == 0
                }
                Field::Attributes => {
                    self.take_byte(piece)?;
                    true
                }
                _ => match self.take_varint(piece)? {
                    Some(raw) => {
                        self.on_varint(raw)?;
                        true
                    }
                    None => false,
                },
            };
            if field_ends && self.advance()? {
                return Ok(Some(std::mem::take(self).facts));
            }
        }
        Ok(None)
    }

    fn take_byte(&mut self, piece: &mut &[u8]) -> Result<u8, Malformed> {
        if self.field != Field::Length {
            self.left = self.left.checked_sub(1).ok_or(Malformed::Ends)?;
        }
        let (byte, rest) = piece.split_first().ok_or(Malformed::Ends)?;
        *piece = rest;
        Ok(*byte)
    }

    fn take_varint(&mut self, piece: &mut &[u8]) -> Result<Option<u64>, Malformed> {
        let longest = if self.field == Field::TimestampDelta {
            10
        } else {
            5
        };
        let byte = self.take_byte(piece)?;
        self.varint |= u64::from(byte & 0x7f) << (7 * self.groups);
        self.groups += 1;
        if byte < 0x80 {
            self.groups = 0;
            return Ok(Some(std::mem::take(&mut self.varint)));
        }
        if self.groups == longest {
            return Err(Malformed::Varint);
        }
        Ok(None)
    }

    /// Takes in the number of the current field.
    fn on_varint(&mut self, raw: u64) -> Result<(), Malformed> {
        let number = varint::unzigzag_i32(raw as u32);
        match self.field {
            Field::Length => {
                self.left = usize::try_from(number).map_err(|_| Malformed::Size(number))?;
            }
            Field::TimestampDelta => self.facts.timestamp_delta = varint::unzigzag_i64(raw),
            Field::OffsetDelta => self.facts.offset_delta = number,
            Field::KeyLength => {
                self.facts.has_key = number >= 0;
                self.skip_nullable(number)?;
            }
            Field::ValueLength | Field::HeaderValueLength => self.skip_nullable(number)?,
            Field::HeaderKeyLength if number < 0 => return Err(Malformed::HeaderKey(number)),
            Field::HeaderKeyLength => self.skip_nullable(number)?,
            Field::HeaderCount => {
                self.headers_left =
                    u32::try_from(number).map_err(|_| Malformed::HeaderCount(number))?;
                if self.headers_left as usize > self.left {
                    return Err(Malformed::HeaderCount(number));
                }
            }
            _ => unreachable!("not a number: {:?}", self.field),
        }
        Ok(())
    }

    fn skip_nullable(&mut self, length: i32) -> Result<(), Malformed> {
        self.skip = usize::try_from(length).unwrap_or(0);
        if self.skip > self.left {
            return Err(Malformed::Ends);
        }
        Ok(())
    }

    /// Goes on to the field after the current one, which is complete; true when the record is.
    fn advance(&mut self) -> Result<bool, Malformed> {
        self.field = match self.field {
            Field::Length => Field::Attributes,
            Field::Attributes => Field::TimestampDelta,
            Field::TimestampDelta => Field::OffsetDelta,
            Field::OffsetDelta => Field::KeyLength,
            Field::KeyLength if self.skip > 0 => Field::Key,
            Field::KeyLength | Field::Key => Field::ValueLength,
            Field::ValueLength if self.skip > 0 => Field::Value,
            Field::ValueLength | Field::Value => Field::HeaderCount,
            Field::HeaderKeyLength if self.skip > 0 => Field::HeaderKey,
            Field::HeaderKeyLength | Field::HeaderKey => Field::HeaderValueLength,
            Field::HeaderValueLength if self.skip > 0 => Field::HeaderValue,
            Field::HeaderCount => return self.next_header(),
            Field::HeaderValueLength | Field::HeaderValue => {
                self.headers_left -= 1;
                return self.next_header();
            }
        };
        Ok(false)
    }

    fn next_header(&mut self) -> Result<bool, Malformed> {
        if self.headers_left > 0 {
            self.field = Field::HeaderKeyLength;
            return Ok(false);
        }
        match self.left {
            0 => Ok(true),
            left => Err(Malformed::Left(left)),
        }
    }
}

#[cfg(test)]
mod tests;
