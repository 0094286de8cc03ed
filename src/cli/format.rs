//! `--format` of `vltava consume`: a text with placeholders, parsed once, printed for every record.
//!
//! Printing allocates nothing: bytes go from the record to the writer.

use std::io::{self, Write};
use std::str::FromStr;

use thiserror::Error;

/// What is wrong with a format or an escape.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FormatError {
    /// `%` and a letter that stands for nothing.
    #[error("%{0} stands for nothing: known are %v %k %o %p %T %t %h %%")]
    UnknownPlaceholder(char),
    /// `%` at the end.
    #[error("a % at the end stands for nothing: write %% for a percent sign")]
    EndsInPercent,
    /// `\` and a letter that stands for nothing, or fewer than two hexadecimal digits after `\x`.
    #[error("\\{0} stands for nothing: known are \\n \\t \\r \\0 \\\\ \\xNN")]
    UnknownEscape(String),
}

/// One record as the format sees it.
#[derive(Debug, Clone, Copy)]
pub struct FormatInput<'a, H> {
    /// The topic's name.
    pub topic: &'a str,
    /// The partition's index.
    pub partition: i32,
    /// The record's offset.
    pub offset: i64,
    /// Milliseconds since 1970, or -1 where there is none.
    pub timestamp_ms: i64,
    /// The key's bytes; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value's bytes; `None` is null.
    pub value: Option<&'a [u8]>,
    /// Gives name and value of each header, in the record's order, as often as it is asked: nobody need collect them.
    pub headers: H,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    Value,
    Headers,
}

/// A parsed `--format`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFormat {
    parts: Vec<Part>,
}

impl FromStr for RecordFormat {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<RecordFormat, FormatError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(percent) = rest.find('%') {
            push_literal(&mut parts, unescape(&rest[..percent])?);
            let letter = rest[percent + 1..]
                .chars()
                .next()
                .ok_or(FormatError::EndsInPercent)?;
            match letter {
                '%' => push_literal(&mut parts, b"%".to_vec()),
                other => parts.push(placeholder(other)?),
            }
            rest = &rest[percent + 1 + letter.len_utf8()..];
        }
        push_literal(&mut parts, unescape(rest)?);
        Ok(RecordFormat { parts })
    }
}

fn placeholder(letter: char) -> Result<Part, FormatError> {
    Ok(match letter {
        'T' => Part::Topic,
        'p' => Part::Partition,
        'o' => Part::Offset,
        't' => Part::Timestamp,
        'k' => Part::Key,
        'v' => Part::Value,
        'h' => Part::Headers,
        other => return Err(FormatError::UnknownPlaceholder(other)),
    })
}

fn push_literal(parts: &mut Vec<Part>, bytes: Vec<u8>) {
    match parts.last_mut() {
        _ if bytes.is_empty() => {}
        Some(Part::Literal(before)) => before.extend(bytes),
        _ => parts.push(Part::Literal(bytes)),
    }
}

/// Replaces `\n \t \r \0 \\` and `\xNN` (any byte, two hexadecimal digits) by what they stand for.
///
/// # Errors
/// [`FormatError::UnknownEscape`] for any other letter after a backslash, and for a backslash at the end.
pub fn unescape(text: &str) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(backslash) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..backslash]);
        let after = &rest[backslash + 1..];
        let (byte, length) = escaped_byte(after)
            .ok_or_else(|| FormatError::UnknownEscape(after.chars().take(1).collect()))?;
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// The byte an escape stands for, and how many bytes follow its backslash.
fn escaped_byte(after_backslash: &str) -> Option<(u8, usize)> {
    let byte = match after_backslash.bytes().next()? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'0' => 0,
        b'\\' => b'\\',
        b'x' => {
            let digits = after_backslash.get(1..3)?;
            let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
            return plain
                .then(|| u8::from_str_radix(digits, 16).ok())
                .flatten()
                .map(|byte| (byte, 3));
        }
        _ => return None,
    };
    Some((byte, 1))
}

impl RecordFormat {
    /// Writes one record; a null key or value as `null_marker`. Adds nothing of its own, also no line end.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write<'a, W, H, I>(
        &self,
        out: &mut W,
        record: &FormatInput<'a, H>,
        null_marker: &[u8],
    ) -> io::Result<()>
    where
        W: Write,
        H: Fn() -> I,
        I: Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    {
        for part in &self.parts {
            match part {
                Part::Literal(bytes) => out.write_all(bytes)?,
                Part::Topic => out.write_all(record.topic.as_bytes())?,
                Part::Partition => write!(out, "{}", record.partition)?,
                Part::Offset => write!(out, "{}", record.offset)?,
                Part::Timestamp => write!(out, "{}", record.timestamp_ms)?,
                Part::Key => out.write_all(record.key.unwrap_or(null_marker))?,
                Part::Value => out.write_all(record.value.unwrap_or(null_marker))?,
                Part::Headers => write_headers(out, (record.headers)(), null_marker)?,
            }
        }
        Ok(())
    }
}

/// `name:value,name:value`, as Kafka's console consumer prints them.
fn write_headers<'a, W, H>(out: &mut W, headers: H, null_marker: &[u8]) -> io::Result<()>
where
    W: Write,
    H: Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
{
    for (index, (name, value)) in headers.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        out.write_all(name)?;
        out.write_all(b":")?;
        out.write_all(value.unwrap_or(null_marker))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(format: &str, key: Option<&[u8]>, headers: &[(&[u8], Option<&[u8]>)]) -> Vec<u8> {
        let record = FormatInput {
            topic: "orders",
            partition: 3,
            offset: 41,
            timestamp_ms: 1_700_000_000_123,
            key,
            value: Some(b"va\xfflue"),
            headers: || headers.iter().copied(),
        };
        let mut out = Vec::new();
        let format: RecordFormat = format.parse().unwrap();
        format.write(&mut out, &record, b"null").unwrap();
        out
    }

    #[test]
    fn every_placeholder_prints_its_part_of_the_record() {
        let headers = [(&b"a"[..], Some(&b"1"[..])), (b"a", None)];
        assert_eq!(
            print("%T/%p@%o %t %k=%v [%h]\\n", Some(b"k"), &headers),
            b"orders/3@41 1700000000123 k=va\xfflue [a:1,a:null]\n"
        );
    }

    #[test]
    fn escapes_and_percent_signs_are_literal_bytes() {
        assert_eq!(print("100%%\\t\\x00\\\\n%%v", None, &[]), b"100%\t\0\\n%v");
    }

    #[test]
    fn a_null_key_prints_the_marker_and_an_empty_one_nothing() {
        assert_eq!(print("<%k>", None, &[]), b"<null>");
        assert_eq!(print("<%k>", Some(b""), &[]), b"<>");
    }

    #[test]
    fn what_stands_for_nothing_is_refused() {
        let error = |text: &str| text.parse::<RecordFormat>().unwrap_err();
        assert_eq!(error("%q"), FormatError::UnknownPlaceholder('q'));
        assert_eq!(error("%v%"), FormatError::EndsInPercent);
        assert_eq!(error("\\q"), FormatError::UnknownEscape("q".to_owned()));
        assert_eq!(error("a\\"), FormatError::UnknownEscape(String::new()));
        assert_eq!(error("\\x4"), FormatError::UnknownEscape("x".to_owned()));
        assert_eq!(error("\\x+4"), FormatError::UnknownEscape("x".to_owned()));
        assert_eq!(error("\\xž1"), FormatError::UnknownEscape("x".to_owned()));
        assert_eq!(error("%ž"), FormatError::UnknownPlaceholder('ž'));
    }
}
