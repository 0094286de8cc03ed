//! Bytes of records as text that a terminal can show and a person can read back.

use std::fmt::{self, Write};

/// Shows bytes between quotation marks, anything unprintable as `\xNN`; nothing as `null`.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub Option<&'a [u8]>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bytes) = self.0 else {
            return f.write_str("null");
        };
        f.write_char('"')?;
        for chunk in bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '"' | '\\' => write!(f, "\\{character}")?,
                    '\n' => f.write_str("\\n")?,
                    '\t' => f.write_str("\\t")?,
                    '\r' => f.write_str("\\r")?,
                    character if character.is_control() => {
                        write!(f, "\\x{:02x}", u32::from(character))?
                    }
                    character => f.write_char(character)?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_terminal_would_act_upon_is_escaped() {
        assert_eq!(
            Quoted(Some(b"a\"b\\c\n\x1b[1m\xff\xc3\xa9")).to_string(),
            "\"a\\\"b\\\\c\\n\\x1b[1m\\xff\u{e9}\""
        );
        assert_eq!(Quoted(None).to_string(), "null");
        assert_eq!(Quoted(Some(b"")).to_string(), "\"\"");
    }
}
