//! One line of input as a record, by the properties of Kafka's `LineMessageReader`.
//!
//! ```text
//! [HEADERS headers.delimiter] [KEY key.separator] VALUE     HEADERS = NAME headers.key.separator VALUE, headers.separator between them
//! ```
//!
//! Pure; keys and values are slices of the line, no byte is copied.

/// How lines are to be read.
#[derive(Debug, Clone)]
pub struct LineReader {
    parse_key: bool,
    key_separator: String,
    parse_headers: bool,
    headers_delimiter: String,
    headers_separator: String,
    headers_key_separator: String,
    ignore_error: bool,
    null_marker: Option<String>,
}

impl Default for LineReader {
    fn default() -> LineReader {
        LineReader {
            parse_key: false,
            key_separator: "\t".to_owned(),
            parse_headers: false,
            headers_delimiter: "\t".to_owned(),
            headers_separator: ",".to_owned(),
            headers_key_separator: ":".to_owned(),
            ignore_error: false,
            null_marker: None,
        }
    }
}

/// Name and value of a header.
pub type Header<'a> = (&'a str, Option<&'a [u8]>);

/// A record as its line says it.
#[derive(Debug, PartialEq, Eq)]
pub struct ParsedLine<'a> {
    /// The key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null.
    pub value: Option<&'a [u8]>,
    /// The headers, in order.
    pub headers: Vec<Header<'a>>,
}

impl LineReader {
    /// A reader with these properties, and one sentence for each that it does not have.
    ///
    /// # Errors
    /// Kafka's sentence where two separators are the same.
    pub fn new(properties: &[(String, String)]) -> Result<(LineReader, Vec<String>), String> {
        let mut reader = LineReader::default();
        let mut unknown = Vec::new();
        for (name, value) in properties {
            let yes = value.trim().eq_ignore_ascii_case("true");
            match name.as_str() {
                "parse.key" => reader.parse_key = yes,
                "key.separator" => reader.key_separator.clone_from(value),
                "parse.headers" => reader.parse_headers = yes,
                "headers.delimiter" => reader.headers_delimiter.clone_from(value),
                "headers.separator" => reader.headers_separator.clone_from(value),
                "headers.key.separator" => reader.headers_key_separator.clone_from(value),
                "ignore.error" => reader.ignore_error = yes,
                "null.marker" => reader.null_marker = Some(value.clone()),
                // Kafka's own reader is told the topic so.
                "topic" => {}
                other => unknown.push(format!("the reader has no property {other}")),
            }
        }
        reader.check()?;
        Ok((reader, unknown))
    }

    fn check(&self) -> Result<(), String> {
        let null = self.null_marker.as_deref();
        let (delimiter, separator, key_separator) = (
            self.headers_delimiter.as_str(),
            self.headers_separator.as_str(),
            self.headers_key_separator.as_str(),
        );
        let same = [
            (
                delimiter == separator,
                "headers.delimiter and headers.separator",
            ),
            (
                delimiter == key_separator,
                "headers.delimiter and headers.key.separator",
            ),
            (
                separator == key_separator,
                "headers.separator and headers.key.separator",
            ),
            (
                null == Some(&self.key_separator),
                "null.marker and key.separator",
            ),
            (null == Some(separator), "null.marker and headers.separator"),
            (null == Some(delimiter), "null.marker and headers.delimiter"),
            (
                null == Some(key_separator),
                "null.marker and headers.key.separator",
            ),
        ];
        match same.iter().find(|(same, _)| *same) {
            Some((_, which)) => Err(format!("{which} may not be equal")),
            None => Ok(()),
        }
    }

    /// Reads one line, without its end; `number` counts from 1.
    ///
    /// # Errors
    /// Kafka's sentence where a part is missing and `ignore.error` is not set.
    pub fn read<'a>(&self, line: &'a [u8], number: u64) -> Result<ParsedLine<'a>, String> {
        let missing = |what: &str| {
            let text = String::from_utf8_lossy(line);
            format!("No {what} found on line number {number}: '{text}'")
        };
        let mut rest = line;
        let mut part = |wanted: bool, separator: &str, what: &str| {
            let found = match wanted {
                true => split(rest, separator.as_bytes()),
                false => return Ok(None),
            };
            match found {
                Some((before, after)) => {
                    rest = after;
                    Ok(Some(before))
                }
                None if self.ignore_error => Ok(None),
                None => Err(missing(what)),
            }
        };
        let headers = part(
            self.parse_headers,
            &self.headers_delimiter,
            "headers delimiter",
        )?;
        let key = part(self.parse_key, &self.key_separator, "key separator")?;
        let headers = headers.and_then(|text| self.unless_null(text));
        Ok(ParsedLine {
            key: key.and_then(|key| self.unless_null(key)),
            value: self.unless_null(rest),
            headers: headers.map_or(Ok(Vec::new()), |text| self.headers(text, number))?,
        })
    }

    fn headers<'a>(&self, text: &'a [u8], number: u64) -> Result<Vec<Header<'a>>, String> {
        let text = std::str::from_utf8(text)
            .map_err(|_| format!("The headers on line number {number} are not UTF-8"))?;
        text.split(self.headers_separator.as_str())
            .map(|pair| match pair.split_once(self.headers_key_separator.as_str()) {
                None if self.ignore_error => Ok((pair, None)),
                None => Err(format!(
                    "No header key separator found in pair '{pair}' on line number {number}"
                )),
                Some((name, _)) if self.null_marker.as_deref() == Some(name) => Err(format!(
                    "Header keys should not be equal to the null marker '{name}' as they can't be null"
                )),
                Some((name, value)) => Ok((name, self.unless_null(value.as_bytes()))),
            })
            .collect()
    }

    fn unless_null<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let null = self.null_marker.as_deref().map(str::as_bytes);
        Some(text).filter(|text| null != Some(text))
    }
}

/// What stands before and after the first `separator`; an empty one is found at once.
fn split<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = match separator {
        [] => 0,
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

    fn reader(properties: &str) -> Result<LineReader, String> {
        let pairs: Vec<(String, String)> = properties
            .split(' ')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (reader, unknown) = LineReader::new(&pairs)?;
        assert!(unknown.is_empty(), "{unknown:?}");
        Ok(reader)
    }

    #[test]
    fn a_line_is_a_value_a_key_and_a_value_or_headers_too() {
        let plain = reader("").unwrap().read(b"a\tb", 1).unwrap();
        assert_eq!((plain.key, plain.value), (None, Some(&b"a\tb"[..])));
        let keyed = reader("parse.key=true key.separator==>").unwrap();
        let line = keyed.read(b"k=>v=>w", 1).unwrap();
        assert_eq!(
            (line.key, line.value),
            (Some(&b"k"[..]), Some(&b"v=>w"[..]))
        );
        let all = reader("parse.key=TRUE parse.headers=true").unwrap();
        let line = all.read(b"h1:v1,h2:v2\tk\tv", 1).unwrap();
        assert_eq!(
            line.headers,
            [("h1", Some(&b"v1"[..])), ("h2", Some(&b"v2"[..]))]
        );
        assert_eq!((line.key, line.value), (Some(&b"k"[..]), Some(&b"v"[..])));
    }

    #[test]
    fn the_null_marker_stands_for_null_in_every_place() {
        let all = reader("parse.key=true parse.headers=true null.marker=NULL").unwrap();
        let line = all.read(b"h:NULL\tNULL\tNULL", 1).unwrap();
        assert_eq!(
            (line.key, line.value, line.headers),
            (None, None, vec![("h", None)])
        );
        let line = all.read(b"NULL\tk\tv", 1).unwrap();
        assert_eq!((line.key, line.headers), (Some(&b"k"[..]), vec![]));
        assert!(
            all.read(b"NULL:v\tk\tv", 1)
                .unwrap_err()
                .starts_with("Header keys should not")
        );
    }

    #[test]
    fn a_missing_part_is_an_error_in_kafkas_words_unless_errors_are_ignored() {
        let keyed = reader("parse.key=true").unwrap();
        assert_eq!(
            keyed.read(b"k1:v1", 4).unwrap_err(),
            "No key separator found on line number 4: 'k1:v1'"
        );
        let lenient = reader("parse.key=true parse.headers=true ignore.error=true").unwrap();
        let line = lenient.read(b"plain", 1).unwrap();
        assert_eq!((line.key, line.value), (None, Some(&b"plain"[..])));
        assert_eq!(lenient.read(b"h\tk\tv", 1).unwrap().headers, [("h", None)]);
        let headers = reader("parse.headers=true").unwrap();
        assert_eq!(
            headers.read(b"h\tv", 2).unwrap_err(),
            "No header key separator found in pair 'h' on line number 2"
        );
    }

    #[test]
    fn separators_that_are_the_same_are_refused() {
        for (properties, words) in [
            (
                "headers.delimiter=,",
                "headers.delimiter and headers.separator may not be equal",
            ),
            (
                "null.marker=:",
                "null.marker and headers.key.separator may not be equal",
            ),
            (
                "null.marker=x key.separator=x",
                "null.marker and key.separator may not be equal",
            ),
        ] {
            assert_eq!(reader(properties).unwrap_err(), words);
        }
        let pairs = [("bogus".to_owned(), String::new())];
        assert_eq!(
            LineReader::new(&pairs).unwrap().1,
            ["the reader has no property bogus"]
        );
    }
}
