//! `written-position-checkpoint`: how far logs were written, for a start after the process died and the machine did not.
//!
//! A dead process takes nothing along that a finished write has handed to the kernel: it is in the page cache, or on the
//! device. So what lies below these positions need not be checked, wherever the recovery point is. After a power cut none of
//! that holds, and the recovery point is all that counts. The file is our own; Kafka passes over files it does not know.
//!
//! ```text
//! 0                                                    version
//! 4f6c…-…-… 12                                         boot id, disk sequence
//! 1                                                    number of entries
//! orders 0 1048576 734003200 1500000 66305 12 17642085253456789
//! topic, partition, segment's base offset, position in it, next offset, the file's device, inode and birth in ns
//! 1c291ca3                                             CRC-32C of all lines before
//! ```
//!
//! When it is not believed, and the log is checked from its recovery point as if there were no such file:
//!
//! | what may have happened | how it is noticed |
//! |---|---|
//! | another boot: a power cut, a copy on another machine | boot id |
//! | the disk was taken away with writes outstanding, and came back | disk sequence |
//! | the file system was taken away by force and came back; pages were dropped | each page that is vouched for must be in the page cache now: what is not is checked |
//! | a write or sync failed: clean pages may not be what the device has | the file is removed at once, and failed logs are left out of the next |
//! | a start did not come to its end | the file counts once: a start removes it before it opens a log, and so does a clean stop |
//! | files were restored from a backup, or replaced | device, inode and birth of the segment |
//! | another broker ran since: the segment was cut, or written on | its size, and a batch that ends exactly at the position with that offset |
//! | the file is torn or was edited | the CRC |
//!
//! One case is left: pages were dropped, and something else has read the files back into the page cache before the start. A file
//! system that lost pages loses the file's size with them, nearly always.
//!
//! What is vouched for is still not synced: the recovery point stays where it is until a sync.

use std::collections::HashMap;
use std::fmt::Write;

use crate::io::lifetime::{Era, FileIdentity};
use crate::types::Offset;
use crate::wire::records::crc;

/// The file's name, in the data directory.
pub const WRITTEN_POSITIONS: &str = "written-position-checkpoint";

/// Up to where the writes of a log had ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrittenMark {
    /// Base offset of the segment that was written last.
    pub segment: Offset,
    /// Everything before, in this segment, and all earlier segments were written.
    pub position: u64,
    /// The offset that follows the batch that ends there.
    pub next_offset: Offset,
    /// Which file the segment is.
    pub file: FileIdentity,
}

/// Marks by topic and partition.
pub type WrittenMarks = HashMap<(String, i32), WrittenMark>;

/// The text of the checkpoint, its entries sorted.
pub fn render(era: &Era, marks: &WrittenMarks) -> String {
    let mut entries: Vec<_> = marks.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    let mut text = format!(
        "0\n{} {}\n{}\n",
        era.boot_id,
        era.disk_sequence,
        entries.len()
    );
    for ((topic, partition), mark) in entries {
        let WrittenMark {
            segment,
            position,
            next_offset,
            file,
        } = mark;
        let FileIdentity {
            device,
            inode,
            born_ns,
        } = file;
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{topic} {partition} {segment} {position} {next_offset} {device} {inode} {born_ns}"
        );
    }
    let checksum = crc::crc32c(text.as_bytes());
    let _ = writeln!(text, "{checksum:08x}");
    text
}

/// The marks, if they were written in `era`.
///
/// # Errors
/// Why they do not count, for the operator.
pub fn parse(text: &str, era: &Era) -> Result<WrittenMarks, String> {
    let damaged = || "it is damaged".to_owned();
    let body = text
        .strip_suffix('\n')
        .and_then(|text| text.rfind('\n'))
        .map(|last| text.split_at(last + 1));
    let (body, checksum) = body.ok_or_else(damaged)?;
    let checksum = u32::from_str_radix(checksum.trim_end(), 16).map_err(|_| damaged())?;
    if checksum != crc::crc32c(body.as_bytes()) {
        return Err(damaged());
    }
    let mut lines = body.lines();
    let version = lines.next().unwrap_or_default();
    if version != "0" {
        return Err(format!("version {version:?} is not known (0 is)"));
    }
    let now = format!("{} {}", era.boot_id, era.disk_sequence);
    if lines.next() != Some(&now) {
        return Err(
            "the machine was started, or the disk attached, after it was written".to_owned(),
        );
    }
    let announced = lines.next().and_then(|line| line.parse().ok());
    let marks: Option<WrittenMarks> = lines.map(parse_entry).collect();
    marks
        .filter(|marks| Some(marks.len()) == announced)
        .ok_or_else(damaged)
}

fn parse_entry(line: &str) -> Option<((String, i32), WrittenMark)> {
    let mut words = line.split(' ');
    let key = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    let mark = WrittenMark {
        segment: Offset(words.next()?.parse().ok()?),
        position: words.next()?.parse().ok()?,
        next_offset: Offset(words.next()?.parse().ok()?),
        file: FileIdentity {
            device: words.next()?.parse().ok()?,
            inode: words.next()?.parse().ok()?,
            born_ns: words.next()?.parse().ok()?,
        },
    };
    words.next().is_none().then_some((key, mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn era(boot_id: &str, disk_sequence: &str) -> Era {
        Era {
            boot_id: boot_id.to_owned(),
            disk_sequence: disk_sequence.to_owned(),
        }
    }

    fn marks() -> WrittenMarks {
        let mark = |n: u64| WrittenMark {
            segment: Offset(n as i64),
            position: n * 100,
            next_offset: Offset(n as i64 + 7),
            file: FileIdentity {
                device: n,
                inode: n + 1,
                born_ns: n + 2,
            },
        };
        [("b", 1, 5), ("a", 10, 0)]
            .into_iter()
            .map(|(topic, partition, n)| ((topic.to_owned(), partition), mark(n)))
            .collect()
    }

    #[test]
    fn what_is_rendered_is_read_back_in_the_same_era() {
        let text = render(&era("x", "3"), &marks());
        assert!(text.starts_with("0\nx 3\n2\na 10 0 0 7 0 1 2\nb 1 5 500 12 5 6 7\n"));
        assert_eq!(parse(&text, &era("x", "3")), Ok(marks()));
        assert!(parse(&text, &era("y", "3")).is_err(), "another boot");
        assert!(parse(&text, &era("x", "4")).is_err(), "another attachment");
        let empty = WrittenMarks::new();
        let text = render(&era("x", "3"), &empty);
        assert_eq!(parse(&text, &era("x", "3")), Ok(empty));
    }

    #[test]
    fn any_damage_is_noticed() {
        let text = render(&era("x", "3"), &marks());
        for at in 0..text.len() {
            let torn = parse(&text[..at], &era("x", "3"));
            assert!(torn.is_err(), "cut at {at}");
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(parse(&changed, &era("x", "3")).is_err(), "changed at {at}");
        }
    }
}
