//! JSON, as much of it as Kafka's commands read and print. Pure.
//!
//! Depth and size are bounded: the caller bounds the text, [`DEPTH_MAX`] the nesting.

use std::fmt::{self, Write};

/// Deeper than any file of Kafka's commands.
const DEPTH_MAX: usize = 32;

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// In the order in which the keys stand.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A text.
    pub fn text(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    /// A number.
    pub fn number(number: impl Into<i64>) -> Json {
        Json::Number(number.into().to_string())
    }

    /// An object with these keys.
    pub fn object<const N: usize>(pairs: [(&str, Json); N]) -> Json {
        let owned = |(key, value): (&str, Json)| (key.to_owned(), value);
        Json::Object(pairs.into_iter().map(owned).collect())
    }

    /// Reads a text that is one value.
    ///
    /// # Errors
    /// A sentence with the place.
    pub fn parse(text: &str) -> Result<Json, String> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        parser.space();
        match parser.rest().is_empty() {
            true => Ok(value),
            false => Err(parser.wrong("something stands after the end")),
        }
    }

    /// The value of an object's key.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// A list's values.
    pub fn list(&self) -> Option<&[Json]> {
        match self {
            Json::List(values) => Some(values),
            _ => None,
        }
    }

    /// A text's characters.
    pub fn str(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn integer<N: std::str::FromStr>(&self) -> Option<N> {
        match self {
            Json::Number(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(text) => f.write_str(text),
            Json::Text(text) => write_text(f, text),
            Json::List(values) => {
                f.write_char('[')?;
                for (index, value) in values.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    write!(f, "{value}")?;
                }
                f.write_char(']')
            }
            Json::Object(pairs) => {
                f.write_char('{')?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    write_text(f, key)?;
                    write!(f, ":{value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if u32::from(c) < 0x20 => write!(f, "\\u{:04X}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn wrong(&self, what: &str) -> String {
        let line = self.text[..self.at].matches('\n').count() + 1;
        format!("line {line}: {what}")
    }

    fn space(&mut self) {
        let left = self
            .rest()
            .trim_start_matches([' ', '\t', '\r', '\n'])
            .len();
        self.at = self.text.len() - left;
    }

    fn take(&mut self, expected: &str) -> bool {
        let there = self.rest().starts_with(expected);
        if there {
            self.at += expected.len();
        }
        there
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEPTH_MAX {
            return Err(self.wrong("it is nested too deeply"));
        }
        self.space();
        for (word, value) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
        ] {
            if self.take(word) {
                return Ok(value);
            }
        }
        match self.rest().chars().next() {
            Some('"') => Ok(Json::Text(self.string()?)),
            Some('[') => self.list_of(depth),
            Some('{') => self.object_of(depth),
            Some('-' | '0'..='9') => self.number(),
            _ => Err(self.wrong("no value of JSON stands here")),
        }
    }

    fn number(&mut self) -> Result<Json, String> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9'))
            .unwrap_or(rest.len());
        let digits = rest[..end].to_owned();
        if digits.parse::<f64>().is_err() {
            return Err(self.wrong("this is no number"));
        }
        self.at += end;
        Ok(Json::Number(digits))
    }

    fn list_of(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut values = Vec::new();
        self.space();
        if self.take("]") {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Ok(Json::List(values));
            }
            if !self.take(",") {
                return Err(self.wrong("a comma or `]` is missing"));
            }
        }
    }

    fn object_of(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut pairs = Vec::new();
        self.space();
        if self.take("}") {
            return Ok(Json::Object(pairs));
        }
        loop {
            self.space();
            if !self.rest().starts_with('"') {
                return Err(self.wrong("a key in quotation marks is missing"));
            }
            let key = self.string()?;
            self.space();
            if !self.take(":") {
                return Err(self.wrong("`:` is missing"));
            }
            pairs.push((key, self.value(depth + 1)?));
            self.space();
            if self.take("}") {
                return Ok(Json::Object(pairs));
            }
            if !self.take(",") {
                return Err(self.wrong("a comma or `}` is missing"));
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.wrong("a text has no end"));
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(text),
                '\\' => text.push(self.escaped()?),
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, String> {
        let c = self.rest().chars().next().unwrap_or(' ');
        self.at += c.len_utf8().min(self.rest().len());
        match c {
            '"' | '\\' | '/' => Ok(c),
            'n' => Ok('\n'),
            't' => Ok('\t'),
            'r' => Ok('\r'),
            'b' => Ok('\u{8}'),
            'f' => Ok('\u{c}'),
            'u' => {
                let digits = self
                    .rest()
                    .get(..4)
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let c = digits.and_then(char::from_u32);
                self.at += 4.min(self.rest().len());
                c.ok_or_else(|| self.wrong("this escape is no character"))
            }
            _ => Err(self.wrong("this escape is unknown")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_back_as_it_was_printed() {
        let text = r#"{"a":[1,-2.5e3,null,true],"b\n\"":{"c":"x\\ü"},"d":[],"e":{}}"#;
        assert_eq!(Json::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn values_are_found_by_key() {
        let json = Json::parse(
            " { \"version\" : 1 , \"partitions\" : [ { \"topic\" : \"a\\u0062\" } ] } ",
        )
        .unwrap();
        assert_eq!(json.get("version").and_then(Json::integer::<i32>), Some(1));
        let first = &json.get("partitions").and_then(Json::list).unwrap()[0];
        assert_eq!(first.get("topic").and_then(Json::str), Some("ab"));
    }

    #[test]
    fn other_texts_are_refused_with_the_line() {
        for text in [
            "",
            "{",
            "[1",
            "[1 2]",
            "{\"a\" 1}",
            "{a:1}",
            "\"a",
            "\"\\",
            "\"\\u12",
            "\"\\x\"",
            "1 2",
            "-",
            "nul",
        ] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        assert!(
            Json::parse(&"[".repeat(1000))
                .unwrap_err()
                .contains("nested")
        );
        assert!(
            Json::parse("{\n\"a\": ?}")
                .unwrap_err()
                .starts_with("line 2")
        );
    }
}
