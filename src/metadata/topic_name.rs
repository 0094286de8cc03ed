//! What a topic may be called.

use thiserror::Error;

/// The longest name, in bytes: with a dash and a partition it still is a file name.
pub const MAX_BYTES: usize = 249;

/// Why a topic cannot be called so, in Kafka's words.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TopicNameError {
    /// No name at all.
    #[error("Topic name is invalid: the empty string is not allowed")]
    Empty,
    /// A name that a file system gives another meaning.
    #[error("Topic name cannot be \".\" or \"..\"")]
    Dots,
    /// Longer than [`MAX_BYTES`].
    #[error("Topic name is invalid: the length of '{0}' is longer than the max allowed length 249")]
    TooLong(String),
    /// A character that may not be used.
    #[error(
        "Topic name is invalid: '{0}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    )]
    Character(String),
}

/// Whether a topic may have this name.
///
/// # Errors
/// See [`TopicNameError`].
pub fn check(name: &str) -> Result<(), TopicNameError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match name {
        "" => Err(TopicNameError::Empty),
        "." | ".." => Err(TopicNameError::Dots),
        name if name.len() > MAX_BYTES => Err(TopicNameError::TooLong(name.to_owned())),
        name if !name.bytes().all(legal) => Err(TopicNameError::Character(name.to_owned())),
        _ => Ok(()),
    }
}

/// Two names that differ only in dots and underscores would have the same metric names.
pub fn collides(one: &str, other: &str) -> bool {
    one != other && one.replace('.', "_") == other.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_not_too_long() {
        for good in ["a", "A.b_c-9", &"x".repeat(249), "..."] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "ä", "a\n", &"x".repeat(250)] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_dot_and_an_underscore_in_the_same_place_collide() {
        assert!(collides("a.b", "a_b"));
        assert!(!collides("a.b", "a.b") && !collides("a.b", "a.c"));
    }
}
