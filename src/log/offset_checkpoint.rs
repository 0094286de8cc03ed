//! The text format of Kafka's offset checkpoints: `recovery-point-offset-checkpoint`, `replication-offset-checkpoint`,
//! `log-start-offset-checkpoint`, `cleaner-offset-checkpoint`.
//!
//! ```text
//! 0                   version
//! 2                   number of entries
//! orders 0 1500       topic partition offset
//! orders 1 900
//! ```

use crate::types::Offset;
use std::collections::HashMap;
use thiserror::Error;

/// The checkpoint of log start offsets, in the data directory.
pub const LOG_STARTS: &str = "log-start-offset-checkpoint";

/// The checkpoint of compaction: everything below these offsets has been compacted, in the data directory.
pub const COMPACTED: &str = "cleaner-offset-checkpoint";

/// Offsets by topic and partition.
pub type OffsetCheckpoint = HashMap<(String, i32), Offset>;

/// Why a checkpoint cannot be believed.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CheckpointError {
    /// A version this broker does not know.
    #[error("version {0:?} is not known (0 is)")]
    Version(String),
    /// A line is not what it should be.
    #[error("line {line} is {text:?}, not \"topic partition offset\"")]
    Line {
        /// Counted from 1.
        line: usize,
        /// As it stands.
        text: String,
    },
    /// The number of entries is not the one announced.
    #[error("{found} entries stand where {announced:?} are announced")]
    Count {
        /// Entries that stand there.
        found: usize,
        /// The second line.
        announced: String,
    },
}

/// Reads a checkpoint's text. An empty one has no entries: Kafka makes the file when it starts and fills it a minute later.
///
/// # Errors
/// See [`CheckpointError`].
pub fn parse(text: &str) -> Result<OffsetCheckpoint, CheckpointError> {
    if text.is_empty() {
        return Ok(OffsetCheckpoint::new());
    }
    let mut lines = text.lines();
    let version = lines.next().unwrap_or_default();
    if version != "0" {
        return Err(CheckpointError::Version(version.to_owned()));
    }
    let announced = lines.next().unwrap_or_default();
    let mut offsets = OffsetCheckpoint::new();
    for (index, line) in lines.enumerate() {
        let entry = parse_entry(line).ok_or_else(|| CheckpointError::Line {
            line: index + 3,
            text: line.to_owned(),
        })?;
        offsets.insert(entry.0, entry.1);
    }
    if announced.parse() != Ok(offsets.len()) {
        return Err(CheckpointError::Count {
            found: offsets.len(),
            announced: announced.to_owned(),
        });
    }
    Ok(offsets)
}

fn parse_entry(line: &str) -> Option<((String, i32), Offset)> {
    let mut words = line.split(' ');
    let topic = words.next()?.to_owned();
    let partition = words.next()?.parse().ok()?;
    let offset = words.next()?.parse().ok()?;
    words
        .next()
        .is_none()
        .then_some(((topic, partition), Offset(offset)))
}

/// The text of a checkpoint, its entries sorted.
pub fn render(offsets: &OffsetCheckpoint) -> String {
    let mut entries: Vec<_> = offsets.iter().collect();
    entries.sort();
    let mut text = format!("0\n{}\n", entries.len());
    for ((topic, partition), offset) in entries {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rendered_is_read_back() {
        let offsets = OffsetCheckpoint::from([
            (("b".to_owned(), 1), Offset(7)),
            (("a".to_owned(), 10), Offset(0)),
        ]);
        let text = render(&offsets);
        assert_eq!(text, "0\n2\na 10 0\nb 1 7\n");
        assert_eq!(parse(&text), Ok(offsets));
    }

    #[test]
    fn a_checkpoint_that_was_never_filled_has_no_entries() {
        assert_eq!(parse(""), Ok(OffsetCheckpoint::new()));
    }

    #[test]
    fn a_torn_or_foreign_checkpoint_is_not_believed() {
        assert!(matches!(parse("1\n0\n"), Err(CheckpointError::Version(_))));
        assert!(matches!(parse("\n"), Err(CheckpointError::Version(_))));
        assert!(matches!(
            parse("0\n2\na 0 1\n"),
            Err(CheckpointError::Count { found: 1, .. })
        ));
        assert!(matches!(
            parse("0\n1\na 0\n"),
            Err(CheckpointError::Line { line: 3, .. })
        ));
    }
}
