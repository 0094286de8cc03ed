//! Strings of the protocol: UTF-8 that stays where it arrived, in the frame.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytes::Bytes;

/// A UTF-8 string that shares the memory of the frame it was read from: cloning and decoding copy nothing.
///
/// It keeps that whole frame alive. What outlives its request is better copied out with `to_string()`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Bytes);

impl Text {
    /// The empty string.
    pub const EMPTY: Text = Text(Bytes::new());

    /// A string that lives as long as the program.
    pub const fn from_static(text: &'static str) -> Text {
        Text(Bytes::from_static(text.as_bytes()))
    }

    /// Checks that `bytes` are UTF-8 and takes them as they are.
    ///
    /// # Errors
    /// Where the first invalid byte stands.
    pub fn from_utf8(bytes: Bytes) -> Result<Text, std::str::Utf8Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Text(bytes))
    }

    /// The string itself.
    pub fn as_str(&self) -> &str {
        // The bytes are checked on every way in, and the room has no unsafe code: a second check of a short name is
        // cheaper than a promise to the compiler that nothing tests.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bytes of the string, shared.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl Hash for Text {
    /// As `str` hashes, so that a map keyed by `Text` can be asked with a `&str`.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(Bytes::from(text.into_bytes()))
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        assert!(Text::from_utf8(Bytes::from_static(&[0xc3, 0x28])).is_err());
        assert_eq!(
            Text::from_utf8(Bytes::from_static("čaj".as_bytes())).unwrap(),
            "čaj"
        );
    }

    #[test]
    fn a_map_keyed_by_text_answers_to_str() {
        let map = HashMap::from([(Text::from("topic"), 7)]);
        assert_eq!(map.get("topic"), Some(&7));
        assert_eq!(map.get("other"), None);
    }

    #[test]
    fn display_honours_the_width() {
        assert_eq!(format!("[{:>6}]", Text::from("abc")), "[   abc]");
    }
}
