//! `.index`, `.timeindex` and `.txnindex` of a segment, entry by entry, as Kafka's `OffsetIndex`, `TimeIndex` and
//! `TransactionIndex` write them. All numbers are big-endian.
//!
//! ```text
//! .index      u32 offset - base offset | u32 position in .log                             8 bytes an entry
//! .timeindex  i64 largest timestamp so far (ms) | u32 offset - base offset               12 bytes an entry
//! .txnindex   i16 version 0 | i64 producer id | i64 first | i64 last | i64 last stable   34 bytes an entry
//! ```
//!
//! The first two are preallocated while their segment is active: zeros after the last entry are no damage.

use std::io::Write;
use std::ops::ControlFlow;

use super::DumpError;

/// Bytes of an entry of `.index`.
const OFFSET_ENTRY_BYTES: usize = 8;
/// Bytes of an entry of `.timeindex`.
const TIME_ENTRY_BYTES: usize = 12;
/// Bytes of an entry of `.txnindex`.
const ABORTED_ENTRY_BYTES: usize = 34;

/// Prints an offset index.
///
/// # Errors
/// [`DumpError::Damaged`] at the first entry that does not grow, or when the file ends inside one.
pub fn dump_offset_index(
    bytes: &[u8],
    base_offset: i64,
    out: &mut dyn Write,
) -> Result<(), DumpError> {
    let entries = offset_entries(bytes, base_offset, out)?;
    writeln!(out, "{entries} entries")?;
    Ok(())
}

/// Prints the entries of an offset index and counts them.
///
/// # Errors
/// As [`dump_offset_index`].
pub fn offset_entries(
    bytes: &[u8],
    base_offset: i64,
    out: &mut dyn Write,
) -> Result<usize, DumpError> {
    let mut last: Option<(u32, u32)> = None;
    each_entry(bytes, OFFSET_ENTRY_BYTES, |entry| {
        let (relative, position) = (be_u32(&entry[..4]), be_u32(&entry[4..]));
        match last {
            Some(_) if (relative, position) == (0, 0) => return Ok(ControlFlow::Break(())),
            Some(before) if relative <= before.0 || position <= before.1 => {
                return Err(DumpError::damaged(format!(
                    "offset {} at position {position} stands after offset {} at position {}",
                    base_offset.saturating_add(relative.into()),
                    base_offset.saturating_add(before.0.into()),
                    before.1
                )));
            }
            // A lone entry of zeros is the preallocated space of an index without entries.
            None if (relative, position) == (0, 0) => return Ok(ControlFlow::Break(())),
            _ => last = Some((relative, position)),
        }
        writeln!(
            out,
            "offset: {} position: {position}",
            base_offset.saturating_add(relative.into())
        )?;
        Ok(ControlFlow::Continue(()))
    })
}

/// Prints a time index.
///
/// # Errors
/// As [`dump_offset_index`].
pub fn dump_time_index(
    bytes: &[u8],
    base_offset: i64,
    out: &mut dyn Write,
) -> Result<(), DumpError> {
    let entries = time_entries(bytes, base_offset, out)?;
    writeln!(out, "{entries} entries")?;
    Ok(())
}

/// Prints the entries of a time index and counts them.
///
/// # Errors
/// As [`dump_time_index`].
pub fn time_entries(
    bytes: &[u8],
    base_offset: i64,
    out: &mut dyn Write,
) -> Result<usize, DumpError> {
    let mut last: Option<(i64, u32)> = None;
    each_entry(bytes, TIME_ENTRY_BYTES, |entry| {
        let (timestamp, relative) = (be_i64(&entry[..8]), be_u32(&entry[8..]));
        if (timestamp, relative) == (0, 0) {
            return Ok(ControlFlow::Break(()));
        }
        match last {
            Some(before) if timestamp < before.0 || relative < before.1 => {
                return Err(DumpError::damaged(format!(
                    "timestamp {timestamp} with offset {} stands after timestamp {} with offset {}",
                    base_offset.saturating_add(relative.into()),
                    before.0,
                    base_offset.saturating_add(before.1.into()),
                )));
            }
            _ => last = Some((timestamp, relative)),
        }
        writeln!(
            out,
            "timestamp: {timestamp} offset: {}",
            base_offset.saturating_add(relative.into())
        )?;
        Ok(ControlFlow::Continue(()))
    })
}

/// Prints an index of aborted transactions.
///
/// # Errors
/// [`DumpError::Damaged`] at an entry of another version, or when the file ends inside one.
pub fn dump_aborted_transactions(bytes: &[u8], out: &mut dyn Write) -> Result<(), DumpError> {
    let entries = aborted_entries(bytes, out)?;
    writeln!(out, "{entries} entries")?;
    Ok(())
}

/// Prints the entries of an index of aborted transactions and counts them.
///
/// # Errors
/// As [`dump_aborted_transactions`].
pub fn aborted_entries(bytes: &[u8], out: &mut dyn Write) -> Result<usize, DumpError> {
    each_entry(bytes, ABORTED_ENTRY_BYTES, |entry| {
        let version = i16::from_be_bytes([entry[0], entry[1]]);
        if version != 0 {
            return Err(DumpError::damaged(format!(
                "an entry of version {version}; known is 0"
            )));
        }
        let number = |at: usize| be_i64(&entry[at..at + 8]);
        writeln!(
            out,
            "version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}",
            number(2),
            number(10),
            number(18),
            number(26)
        )?;
        Ok(ControlFlow::Continue(()))
    })
}

/// Calls `print` for each whole entry until it breaks; how many it printed.
fn each_entry(
    bytes: &[u8],
    entry_bytes: usize,
    mut print: impl FnMut(&[u8]) -> Result<ControlFlow<()>, DumpError>,
) -> Result<usize, DumpError> {
    let mut entries = bytes.chunks_exact(entry_bytes);
    let mut printed = 0;
    for entry in &mut entries {
        if print(entry)?.is_break() {
            return Ok(printed);
        }
        printed += 1;
    }
    let rest = entries.remainder().len();
    if rest > 0 {
        return Err(DumpError::damaged(format!(
            "{rest} bytes at the end are no whole entry of {entry_bytes}"
        )));
    }
    Ok(printed)
}

fn be_u32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

fn be_i64(bytes: &[u8]) -> i64 {
    i64::from_be_bytes(bytes.try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset_entries(entries: &[(u32, u32)]) -> Vec<u8> {
        entries
            .iter()
            .flat_map(|(o, p)| [o.to_be_bytes(), p.to_be_bytes()].concat())
            .collect()
    }

    fn printed(
        dump: impl FnOnce(&mut dyn Write) -> Result<(), DumpError>,
    ) -> Result<String, String> {
        let mut out = Vec::new();
        dump(&mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn offsets_are_printed_from_the_base_offset() {
        let bytes = offset_entries(&[(5, 4096), (9, 8200)]);
        assert_eq!(
            printed(|out| dump_offset_index(&bytes, 100, out)).unwrap(),
            "offset: 105 position: 4096\noffset: 109 position: 8200\n2 entries\n"
        );
    }

    #[test]
    fn preallocated_zeros_end_an_index() {
        let bytes = offset_entries(&[(5, 4096), (0, 0), (0, 0)]);
        assert!(
            printed(|out| dump_offset_index(&bytes, 0, out))
                .unwrap()
                .ends_with("1 entries\n")
        );
        assert_eq!(
            printed(|out| dump_offset_index(&[0; 80], 0, out)).unwrap(),
            "0 entries\n"
        );
        assert_eq!(
            printed(|out| dump_time_index(&[0; 120], 0, out)).unwrap(),
            "0 entries\n"
        );
    }

    #[test]
    fn an_index_that_does_not_grow_is_damaged() {
        let bytes = offset_entries(&[(5, 4096), (5, 8200)]);
        assert!(
            printed(|out| dump_offset_index(&bytes, 0, out))
                .unwrap_err()
                .contains("offset 5 at position 8200")
        );
        let mut times = Vec::new();
        for (timestamp, relative) in [(2000_i64, 3_u32), (1000, 4)] {
            times.extend(timestamp.to_be_bytes());
            times.extend(relative.to_be_bytes());
        }
        assert!(
            printed(|out| dump_time_index(&times, 0, out))
                .unwrap_err()
                .contains("timestamp 1000")
        );
    }

    #[test]
    fn a_cut_off_entry_is_damage() {
        let bytes = offset_entries(&[(5, 4096), (9, 8200)]);
        let error = printed(|out| dump_offset_index(&bytes[..15], 0, out)).unwrap_err();
        assert!(error.contains("7 bytes at the end"), "{error}");
    }

    #[test]
    fn aborted_transactions_are_printed_with_their_offsets() {
        let mut bytes = 0_i16.to_be_bytes().to_vec();
        for number in [7_i64, 10, 20, 15] {
            bytes.extend(number.to_be_bytes());
        }
        assert_eq!(
            printed(|out| dump_aborted_transactions(&bytes, out)).unwrap(),
            "version: 0 producerId: 7 firstOffset: 10 lastOffset: 20 lastStableOffset: 15\n1 entries\n"
        );
        bytes[1] = 9;
        assert!(
            printed(|out| dump_aborted_transactions(&bytes, out))
                .unwrap_err()
                .contains("version 9")
        );
    }
}
