//! The values that options of the client commands take: how they are written, and what is refused.

use std::str::FromStr;

use clap::ValueEnum;

/// `--acks`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acks {
    /// Nobody's: a lost record is not noticed
    #[value(name = "0")]
    None,
    /// The leader's
    #[value(name = "1")]
    Leader,
    /// Every in-sync replica's
    #[default]
    #[value(name = "all", alias = "-1")]
    All,
}

impl Acks {
    /// The number in a Produce request.
    pub fn wire(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// `--compression`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// `--offset`: where to start reading a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartOffset {
    /// The oldest record there is (the log start offset).
    Beginning,
    /// What arrives from now on.
    End,
    /// So many records before the end, or the beginning where there are fewer.
    BeforeEnd(i64),
    /// The first record of this time (ms since 1970) or later.
    Time(i64),
    /// This offset.
    Exactly(i64),
}

impl FromStr for StartOffset {
    type Err = String;

    fn from_str(text: &str) -> Result<StartOffset, String> {
        let wrong = || format!("'{text}' is neither an offset, nor beginning, end, -N or @MS");
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain
                .then(|| digits.parse::<i64>().ok())
                .flatten()
                .ok_or_else(wrong)
        };
        match text {
            "beginning" | "earliest" => Ok(StartOffset::Beginning),
            "end" | "latest" => Ok(StartOffset::End),
            _ if text.starts_with('-') => Ok(StartOffset::BeforeEnd(number(&text[1..])?)),
            _ if text.starts_with('@') => Ok(StartOffset::Time(number(&text[1..])?)),
            _ => Ok(StartOffset::Exactly(number(text)?)),
        }
    }
}

/// A separator as it was typed, with its escapes replaced; at least one byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Separator(pub Vec<u8>);

impl FromStr for Separator {
    type Err = String;

    fn from_str(text: &str) -> Result<Separator, String> {
        match super::format::unescape(text) {
            Ok(bytes) if bytes.is_empty() => Err("must not be empty".to_owned()),
            Ok(bytes) => Ok(Separator(bytes)),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_offset_is_a_word_a_number_or_a_distance() {
        assert_eq!("beginning".parse(), Ok(StartOffset::Beginning));
        assert_eq!("latest".parse(), Ok(StartOffset::End));
        assert_eq!("-7".parse(), Ok(StartOffset::BeforeEnd(7)));
        assert_eq!(
            "@1700000000000".parse(),
            Ok(StartOffset::Time(1_700_000_000_000))
        );
        assert_eq!("42".parse(), Ok(StartOffset::Exactly(42)));
    }

    #[test]
    fn a_start_offset_that_says_nothing_is_refused() {
        for text in [
            "",
            "-",
            "--1",
            "@",
            "@-1",
            "+1",
            "1.5",
            "begin",
            "99999999999999999999",
        ] {
            assert!(text.parse::<StartOffset>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_separator_may_be_written_as_an_escape_but_not_be_empty() {
        assert_eq!("\\t".parse(), Ok(Separator(b"\t".to_vec())));
        assert_eq!("=>".parse(), Ok(Separator(b"=>".to_vec())));
        assert!("".parse::<Separator>().is_err());
        assert!("\\q".parse::<Separator>().is_err());
    }
}
