//! One line of input as a record: `[HEADERS <tab>] [KEY <separator>] VALUE`.
//!
//! Pure; keys and values are slices of the line, no byte is copied.

use thiserror::Error;

/// How the lines of `vltava produce` are to be read.
#[derive(Debug, Clone, Default)]
pub struct LineFormat {
    /// Between key and value; `None`: the line has no key.
    pub key_separator: Option<Vec<u8>>,
    /// Whether headers and a tab come first.
    pub headers: bool,
    /// A key or value that is this is null.
    pub null_marker: Option<Vec<u8>>,
}

/// A record as its line says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedLine<'a> {
    /// The key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null.
    pub value: Option<&'a [u8]>,
}

/// Why a line is no record.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LineError {
    /// Headers are expected and there is no tab to end them.
    #[error("no tab after the headers")]
    NoHeaders,
    /// A header without `:`, or whose name is not UTF-8.
    #[error("a header that is not NAME:VALUE")]
    BadHeader,
    /// A key is expected and its separator is not there.
    #[error("no key separator")]
    NoKey,
}

impl LineFormat {
    /// Reads one line (without its end). Its headers are added to `headers`, which the caller empties.
    ///
    /// # Errors
    /// [`LineError`] where the line lacks a part that the format calls for.
    pub fn parse<'a>(
        &self,
        line: &'a [u8],
        headers: &mut Vec<(&'a str, Option<&'a [u8]>)>,
    ) -> Result<ParsedLine<'a>, LineError> {
        let mut rest = line;
        if self.headers {
            let (text, after) = split_at(rest, b"\t").ok_or(LineError::NoHeaders)?;
            self.parse_headers(text, headers)?;
            rest = after;
        }
        let mut key = None;
        if let Some(separator) = &self.key_separator {
            let (text, after) = split_at(rest, separator).ok_or(LineError::NoKey)?;
            key = self.unless_null(text);
            rest = after;
        }
        Ok(ParsedLine {
            key,
            value: self.unless_null(rest),
        })
    }

    /// `NAME:VALUE,NAME:VALUE`, or nothing.
    fn parse_headers<'a>(
        &self,
        text: &'a [u8],
        headers: &mut Vec<(&'a str, Option<&'a [u8]>)>,
    ) -> Result<(), LineError> {
        if text.is_empty() {
            return Ok(());
        }
        for header in text.split(|&byte| byte == b',') {
            let (name, value) = split_at(header, b":").ok_or(LineError::BadHeader)?;
            let name = std::str::from_utf8(name).map_err(|_| LineError::BadHeader)?;
            headers.push((name, self.unless_null(value)));
        }
        Ok(())
    }

    fn unless_null<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        Some(text).filter(|text| self.null_marker.as_deref() != Some(text))
    }
}

/// What stands before and after the first `separator`, which is not empty.
fn split_at<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = match separator {
        [byte] => text.iter().position(|b| b == byte)?,
        _ => text
            .windows(separator.len())
            .position(|window| window == separator)?,
    };
    Some((&text[..at], &text[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(separator: &str) -> LineFormat {
        LineFormat {
            key_separator: Some(separator.into()),
            ..LineFormat::default()
        }
    }

    #[test]
    fn a_line_without_a_format_is_a_value() {
        let line = LineFormat::default()
            .parse(b"a\tb:c", &mut Vec::new())
            .unwrap();
        assert_eq!(
            line,
            ParsedLine {
                key: None,
                value: Some(b"a\tb:c")
            }
        );
    }

    #[test]
    fn the_first_separator_ends_the_key() {
        let line = keyed("=>").parse(b"k=v=>x=>y", &mut Vec::new()).unwrap();
        assert_eq!(
            line,
            ParsedLine {
                key: Some(b"k=v"),
                value: Some(b"x=>y")
            }
        );
        let line = keyed("\t").parse(b"\t", &mut Vec::new()).unwrap();
        assert_eq!(
            line,
            ParsedLine {
                key: Some(b""),
                value: Some(b"")
            }
        );
    }

    #[test]
    fn headers_stand_before_the_key_and_may_repeat() {
        let format = LineFormat {
            headers: true,
            ..keyed("|")
        };
        let mut headers = Vec::new();
        let line = format.parse(b"a:1,a:x:y,b:\tk|v", &mut headers).unwrap();
        assert_eq!(
            line,
            ParsedLine {
                key: Some(b"k"),
                value: Some(b"v")
            }
        );
        assert_eq!(
            headers,
            [
                ("a", Some(&b"1"[..])),
                ("a", Some(&b"x:y"[..])),
                ("b", Some(&b""[..]))
            ]
        );
        headers.clear();
        format.parse(b"\tk|v", &mut headers).unwrap();
        assert_eq!(headers, []);
    }

    #[test]
    fn the_null_marker_is_null_anywhere_and_only_whole() {
        let format = LineFormat {
            headers: true,
            null_marker: Some(b"NULL".to_vec()),
            ..keyed("|")
        };
        let mut headers = Vec::new();
        let line = format.parse(b"h:NULL\tNULL|NULL", &mut headers).unwrap();
        assert_eq!(
            line,
            ParsedLine {
                key: None,
                value: None
            }
        );
        assert_eq!(headers, [("h", None)]);
        let line = format.parse(b"\tNULLS|", &mut Vec::new()).unwrap();
        assert_eq!(
            line,
            ParsedLine {
                key: Some(b"NULLS"),
                value: Some(b"")
            }
        );
    }

    #[test]
    fn a_line_that_lacks_a_part_is_refused() {
        let headers = LineFormat {
            headers: true,
            ..LineFormat::default()
        };
        assert_eq!(
            keyed("=>").parse(b"no key", &mut Vec::new()),
            Err(LineError::NoKey)
        );
        assert_eq!(
            keyed("=>").parse(b"=", &mut Vec::new()),
            Err(LineError::NoKey)
        );
        assert_eq!(
            headers.parse(b"a:1 v", &mut Vec::new()),
            Err(LineError::NoHeaders)
        );
        assert_eq!(
            headers.parse(b"a\tv", &mut Vec::new()),
            Err(LineError::BadHeader)
        );
        assert_eq!(
            headers.parse(b"\xff:1\tv", &mut Vec::new()),
            Err(LineError::BadHeader)
        );
    }
}
