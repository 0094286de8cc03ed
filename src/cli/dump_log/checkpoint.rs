//! The text checkpoints: `leader-epoch-checkpoint` of a partition, and those of a data directory
//! (`recovery-point-offset-checkpoint`, `replication-offset-checkpoint`, `log-start-offset-checkpoint`,
//! `cleaner-offset-checkpoint`), as Kafka's `CheckpointFile` writes them.
//!
//! ```text
//! 0                  version
//! 2                  number of lines that follow
//! 0 0                leader epoch, start offset      (or: topic partition offset)
//! 3 1200
//! ```

use std::io::Write;

use super::DumpError;

/// What the lines of a checkpoint say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointKind {
    /// `EPOCH START-OFFSET`, both growing.
    LeaderEpochs,
    /// `TOPIC PARTITION OFFSET`.
    Offsets,
}

/// Prints a checkpoint.
///
/// # Errors
/// [`DumpError::Damaged`] for another version, a count that is not that of the lines, or a line that says something else.
pub fn dump_checkpoint(
    text: &str,
    kind: CheckpointKind,
    out: &mut dyn Write,
) -> Result<(), DumpError> {
    let mut lines = text.lines();
    match lines.next() {
        Some("0") => {}
        other => {
            return Err(DumpError::damaged(format!(
                "it starts with {:?}, not version 0",
                other.unwrap_or("")
            )));
        }
    }
    let declared = lines.next().unwrap_or("");
    let mut count = 0;
    let mut last_epoch = None;
    for line in lines {
        match kind {
            CheckpointKind::LeaderEpochs => last_epoch = Some(print_epoch(line, last_epoch, out)?),
            CheckpointKind::Offsets => print_offset(line, out)?,
        }
        count += 1;
    }
    if declared.parse() != Ok(count) {
        return Err(DumpError::damaged(format!(
            "it declares {declared:?} lines and has {count}"
        )));
    }
    writeln!(out, "{count} entries")?;
    Ok(())
}

fn print_epoch(
    line: &str,
    last: Option<(i32, i64)>,
    out: &mut dyn Write,
) -> Result<(i32, i64), DumpError> {
    let entry = line
        .split_once(' ')
        .and_then(|(epoch, offset)| Some((epoch.parse().ok()?, offset.parse().ok()?)));
    let entry: (i32, i64) = entry.ok_or_else(|| {
        DumpError::damaged(format!("{line:?} is no leader epoch and start offset"))
    })?;
    if last.is_some_and(|before| entry.0 <= before.0 || entry.1 < before.1) {
        return Err(DumpError::damaged(format!(
            "{line:?} stands after a later epoch or offset"
        )));
    }
    writeln!(out, "leaderEpoch: {} startOffset: {}", entry.0, entry.1)?;
    Ok(entry)
}

fn print_offset(line: &str, out: &mut dyn Write) -> Result<(), DumpError> {
    let fields: Vec<&str> = line.split(' ').collect();
    match fields[..] {
        [topic, partition, offset]
            if partition.parse::<i32>().is_ok() && offset.parse::<i64>().is_ok() =>
        {
            writeln!(
                out,
                "topic: {topic} partition: {partition} offset: {offset}"
            )?;
            Ok(())
        }
        _ => Err(DumpError::damaged(format!(
            "{line:?} is no topic, partition and offset"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(text: &str, kind: CheckpointKind) -> Result<String, String> {
        let mut out = Vec::new();
        dump_checkpoint(text, kind, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn epochs_are_printed_with_their_start_offsets() {
        assert_eq!(
            dump("0\n2\n0 0\n3 1200\n", CheckpointKind::LeaderEpochs).unwrap(),
            "leaderEpoch: 0 startOffset: 0\nleaderEpoch: 3 startOffset: 1200\n2 entries\n"
        );
    }

    #[test]
    fn offsets_are_printed_by_topic_and_partition() {
        assert_eq!(
            dump("0\n1\norders 2 77\n", CheckpointKind::Offsets).unwrap(),
            "topic: orders partition: 2 offset: 77\n1 entries\n"
        );
    }

    #[test]
    fn a_checkpoint_that_contradicts_itself_is_damaged() {
        use CheckpointKind::{LeaderEpochs, Offsets};
        for (text, kind, reason) in [
            ("", LeaderEpochs, "not version 0"),
            ("1\n0\n", LeaderEpochs, "not version 0"),
            ("0\n2\n0 0\n", LeaderEpochs, "has 1"),
            ("0\n", LeaderEpochs, "declares \"\""),
            ("0\n1\nx 0\n", LeaderEpochs, "no leader epoch"),
            ("0\n2\n3 9\n3 12\n", LeaderEpochs, "after a later"),
            ("0\n2\n3 9\n4 8\n", LeaderEpochs, "after a later"),
            ("0\n1\norders 2\n", Offsets, "no topic, partition"),
        ] {
            let error = dump(text, kind).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
