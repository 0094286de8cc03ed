//! Which names a topic may have: Kafka's rules (`org.apache.kafka.common.internals.Topic`), in its words.
//!
//! Leaf: pure.

use crate::limits::TOPIC_NAME_MAX_BYTES;

/// Consumer groups keep their state in it.
pub const GROUP_METADATA_TOPIC: &str = "__consumer_offsets";
/// Transactions keep their state in it.
pub const TRANSACTION_STATE_TOPIC: &str = "__transaction_state";
/// Share groups keep their state in it.
pub const SHARE_GROUP_STATE_TOPIC: &str = "__share_group_state";
/// The metadata log; no topic that clients see.
pub const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";

/// Whether the broker itself keeps its state in the topic.
pub fn is_internal(name: &str) -> bool {
    [
        GROUP_METADATA_TOPIC,
        TRANSACTION_STATE_TOPIC,
        SHARE_GROUP_STATE_TOPIC,
    ]
    .contains(&name)
}

/// A name no topic may have. Reads as Kafka's message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Topic name is invalid: {0}")]
pub struct InvalidTopicName(String);

/// Checks a name.
///
/// # Errors
/// [`InvalidTopicName`] when it is empty, `.`, `..`, longer than 249 characters, or has others than
/// ASCII letters, digits, `.`, `_` and `-`.
pub fn validate(name: &str) -> Result<(), InvalidTopicName> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let why = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        _ if name.chars().count() > TOPIC_NAME_MAX_BYTES => {
            format!(
                "the length of '{name}' is longer than the max allowed length {TOPIC_NAME_MAX_BYTES}"
            )
        }
        _ if !name.chars().all(legal) => {
            format!(
                "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
            )
        }
        _ => return Ok(()),
    };
    Err(InvalidTopicName(why))
}

/// The form in which names that differ only in `.` and `_` are the same: metrics cannot tell those apart. `None` for a name
/// with neither, which collides with nothing.
pub fn unified(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for name in [
            "a",
            "Packages-1.0_x",
            "...",
            "__consumer_offsets",
            &"x".repeat(249),
        ] {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn other_names_are_refused_in_the_words_of_kafka() {
        let long = "x".repeat(250);
        let cases = [
            ("", "Topic name is invalid: the empty string is not allowed".to_owned()),
            (".", "Topic name is invalid: '.' is not allowed".to_owned()),
            ("..", "Topic name is invalid: '..' is not allowed".to_owned()),
            (&long, format!("Topic name is invalid: the length of '{long}' is longer than the max allowed length 249")),
            (
                "a b",
                "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
                    .to_owned(),
            ),
        ];
        for (name, words) in cases {
            assert_eq!(validate(name).unwrap_err().to_string(), words);
        }
        for name in ["a/b", "../a", "a\0", "řeka", "a\n"] {
            assert!(validate(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn dots_and_underscores_are_the_same_where_names_collide() {
        assert_eq!(unified("a.b"), unified("a_b"));
        assert_ne!(unified("a.b"), unified("a.c"));
        assert_eq!(unified("a-b"), None);
    }
}
