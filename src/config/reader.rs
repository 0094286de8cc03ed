//! Reads the text of a `server.properties`: the line format of `java.util.Properties`.
//!
//! Knows keys, values and line numbers; neither what a key means nor where the text came from.
//!
//! | in the text | means |
//! |---|---|
//! | `key=value`, `key: value`, `key value` | one entry; spaces around both are dropped |
//! | first non-space character `#` or `!` | a comment |
//! | odd number of `\` at the end | the entry goes on in the next line, whose indent is dropped |
//! | `\t \n \r \f \uXXXX` | the character; before any other character the `\` just vanishes |

use std::iter::Peekable;
use std::str::Chars;

/// One `key=value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The key, escapes resolved.
    pub key: String,
    /// The value, escapes resolved, without outer spaces; may be empty.
    pub value: String,
    /// Line it starts on, from 1.
    pub line: usize,
}

/// Whether a property could be called so: a letter, then letters, digits, dots and dashes. Headings between the lines of a file are read
/// as keys, too.
pub fn is_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// Text that is not in the format.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("\\u must be followed by four hexadecimal digits")]
pub struct MalformedEscape {
    /// Line of the entry, from 1.
    pub line: usize,
}

/// The entries of `text` in their order.
///
/// # Errors
/// [`MalformedEscape`] at the first `\u` without four hexadecimal digits, as Java has it.
pub fn read_properties(text: &str) -> Result<Vec<Entry>, MalformedEscape> {
    let mut entries = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, first)) = lines.next() {
        let first = first.trim_start();
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while continues(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start());
        }
        entries.push(entry(&logical, index + 1)?);
    }
    Ok(entries)
}

/// Whether a line ends in an odd number of backslashes.
fn continues(line: &str) -> bool {
    line.chars().rev().take_while(|&c| c == '\\').count() % 2 == 1
}

fn entry(logical: &str, line: usize) -> Result<Entry, MalformedEscape> {
    let (key, value) = split_entry(logical);
    let unescape = |text: &str| unescape(text).ok_or(MalformedEscape { line });
    Ok(Entry {
        key: unescape(key)?,
        value: unescape(value)?.trim().to_owned(),
        line,
    })
}

/// Splits at the first `=`, `:` or space that no backslash protects; a space may be followed by one `=` or `:`.
fn split_entry(logical: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in logical.char_indices() {
        if !escaped && (matches!(c, '=' | ':') || c.is_whitespace()) {
            let rest = logical[at..].trim_start();
            return (
                &logical[..at],
                rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start(),
            );
        }
        escaped = c == '\\' && !escaped;
    }
    (logical, "")
}

/// Resolves escapes; `None` at a malformed `\u`.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => plain.push('\t'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => plain.push(utf16_escape(&mut chars)?),
            Some(other) => plain.push(other),
            None => {}
        }
    }
    Some(plain)
}

/// The character of a `\uXXXX`, or of two that form a surrogate pair; half a pair becomes U+FFFD.
fn utf16_escape(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    let high = four_hex(chars)?;
    let mut units = vec![high];
    if (0xd800..0xdc00).contains(&high) {
        let mut ahead = chars.clone();
        if ahead.next() == Some('\\') && ahead.next() == Some('u') {
            let low = four_hex(&mut ahead)?;
            if (0xdc00..0xe000).contains(&low) {
                units.push(low);
                *chars = ahead;
            }
        }
    }
    char::decode_utf16(units)
        .next()
        .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn four_hex(chars: &mut Peekable<Chars<'_>>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = chars.next()?.to_digit(16)?;
        unit = unit << 4 | u16::try_from(digit).ok()?;
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        read_properties(text)
            .unwrap()
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect()
    }

    fn pair(line: &str) -> (String, String) {
        let [only] = <[_; 1]>::try_from(pairs(line)).expect("one entry");
        only
    }

    fn expect(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn equals_colon_and_space_all_separate_key_from_value() {
        for line in ["k=v", "k:v", "k v", "  k = v  ", "k\t:\tv", "k  =v"] {
            assert_eq!(pair(line), expect("k", "v"), "{line:?}");
        }
        assert_eq!(pair("k==v"), expect("k", "=v"));
        assert_eq!(
            pair("listeners=PLAINTEXT://:9092"),
            expect("listeners", "PLAINTEXT://:9092")
        );
        assert_eq!(pair("a\\=b\\:c\\ d=v"), expect("a=b:c d", "v"));
    }

    #[test]
    fn a_key_may_stand_alone() {
        assert_eq!(pair("host.name"), expect("host.name", ""));
        assert_eq!(pair("=v"), expect("", "v"));
    }

    #[test]
    fn comments_and_blank_lines_are_skipped_and_lines_are_counted() {
        let entries =
            read_properties("# one\n\n  ! two\nk=v # part of the value\r\nlast=1").unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].line, entries[0].value.as_str()),
            (4, "v # part of the value")
        );
        assert_eq!((entries[1].line, entries[1].key.as_str()), (5, "last"));
    }

    #[test]
    fn an_odd_backslash_at_the_end_continues_the_entry() {
        assert_eq!(
            pairs("k=a,\\\n    b\nnext=1"),
            [expect("k", "a,b"), expect("next", "1")]
        );
        assert_eq!(
            pairs("k=a\\\\\nb=c"),
            [expect("k", "a\\"), expect("b", "c")],
            "two backslashes are one character"
        );
        assert_eq!(pairs("k=a\\"), [expect("k", "a")], "the text may end there");
        assert_eq!(
            pairs("# comment \\\nk=v"),
            [expect("k", "v")],
            "comments do not go on"
        );
        assert_eq!(
            pairs("k=\\\n# no comment here"),
            [expect("k", "# no comment here")]
        );
    }

    #[test]
    fn escapes_become_characters() {
        assert_eq!(pair("k=a\\tb\\nc\\q\\\\"), expect("k", "a\tb\ncq\\"));
        assert_eq!(pair("k=\\u0041\\u00e9\\ud83d\\ude00"), expect("k", "Aé😀"));
        assert_eq!(pair("k=\\ud83dx"), expect("k", "\u{fffd}x"));
    }

    #[test]
    fn a_malformed_unicode_escape_is_refused_with_its_line() {
        for text in ["\nk=\\u12", "\nk=\\uzzzz", "\nk=\\u"] {
            assert_eq!(
                read_properties(text),
                Err(MalformedEscape { line: 2 }),
                "{text:?}"
            );
        }
    }
}
