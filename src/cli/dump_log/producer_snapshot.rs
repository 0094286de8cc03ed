//! `.snapshot`: what a partition remembers of its producers, as Kafka's `ProducerStateManager` writes it.
//!
//! ```text
//! i16 version (1) | u32 CRC-32C of what follows | i32 count | count times 46 bytes:
//! i64 producer id | i16 epoch | i32 last sequence | i64 last offset | i32 offset delta of the last batch
//! | i64 timestamp | i32 coordinator epoch | i64 first offset of the open transaction, or -1
//! ```

use std::io::Write;

use super::DumpError;
use crate::wire::records::crc::crc32c;

const HEADER_BYTES: usize = 2 + 4 + 4;
const ENTRY_BYTES: usize = 46;

/// Prints a producer snapshot.
///
/// # Errors
/// [`DumpError::Damaged`] when it is of another version, its CRC is wrong, or its length is not that of its entries.
pub fn dump_producer_snapshot(bytes: &[u8], out: &mut dyn Write) -> Result<(), DumpError> {
    let entries = checked_entries(bytes)?;
    for entry in entries.chunks_exact(ENTRY_BYTES) {
        print_producer(entry, out)?;
    }
    writeln!(out, "{} producers", entries.len() / ENTRY_BYTES)?;
    Ok(())
}

/// Prints a producer snapshot in the words of Kafka's `DumpLogSegments`, and counts its producers.
///
/// # Errors
/// As [`dump_producer_snapshot`].
pub fn print_as_kafka(bytes: &[u8], out: &mut dyn Write) -> Result<usize, DumpError> {
    let entries = checked_entries(bytes)?;
    for entry in entries.chunks_exact(ENTRY_BYTES) {
        let (last_sequence, delta) = (
            i32::from_be_bytes(field(entry, 10)),
            i32::from_be_bytes(field(entry, 22)),
        );
        let first_offset = match i64::from_be_bytes(field(entry, 38)) {
            -1 => "OptionalLong.empty".to_owned(),
            offset => format!("OptionalLong[{offset}]"),
        };
        let timestamp = i64::from_be_bytes(field(entry, 26));
        writeln!(
            out,
            "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {first_offset} \
             lastTimestamp: {timestamp} firstSequence: {} lastSequence: {last_sequence} lastOffset: {} \
             offsetDelta: {delta} timestamp: {timestamp}",
            i64::from_be_bytes(field(entry, 0)),
            i16::from_be_bytes(field(entry, 8)),
            i32::from_be_bytes(field(entry, 34)),
            last_sequence.wrapping_sub(delta),
            i64::from_be_bytes(field(entry, 14)),
        )?;
    }
    Ok(entries.len() / ENTRY_BYTES)
}

/// The entries of a snapshot whose version, CRC and length are as they should be.
fn checked_entries(bytes: &[u8]) -> Result<&[u8], DumpError> {
    if bytes.len() < HEADER_BYTES {
        return Err(DumpError::damaged(format!(
            "{} bytes are no producer snapshot",
            bytes.len()
        )));
    }
    let version = i16::from_be_bytes([bytes[0], bytes[1]]);
    if version != 1 {
        return Err(DumpError::damaged(format!(
            "a producer snapshot of version {version}; known is 1"
        )));
    }
    let declared = u32::from_be_bytes(field(bytes, 2));
    let computed = crc32c(&bytes[6..]);
    if declared != computed {
        return Err(DumpError::damaged(format!(
            "its CRC is {computed:#010x}, not the {declared:#010x} it declares"
        )));
    }
    let count = i32::from_be_bytes(field(bytes, 6));
    let entries = &bytes[HEADER_BYTES..];
    if usize::try_from(count)
        .ok()
        .and_then(|n| n.checked_mul(ENTRY_BYTES))
        != Some(entries.len())
    {
        return Err(DumpError::damaged(format!(
            "it declares {count} producers in {} bytes",
            entries.len()
        )));
    }
    Ok(entries)
}

fn print_producer(entry: &[u8], out: &mut dyn Write) -> Result<(), DumpError> {
    let (last_sequence, offset_delta) = (
        i32::from_be_bytes(field(entry, 10)),
        i32::from_be_bytes(field(entry, 22)),
    );
    let transaction = match i64::from_be_bytes(field(entry, 38)) {
        -1 => "none".to_owned(),
        offset => offset.to_string(),
    };
    writeln!(
        out,
        "producerId: {} producerEpoch: {} lastSequence: {last_sequence} lastOffset: {} offsetDelta: {offset_delta} \
         lastTimestamp: {} coordinatorEpoch: {} currentTransactionFirstOffset: {transaction}",
        i64::from_be_bytes(field(entry, 0)),
        i16::from_be_bytes(field(entry, 8)),
        i64::from_be_bytes(field(entry, 14)),
        i64::from_be_bytes(field(entry, 26)),
        i32::from_be_bytes(field(entry, 34)),
    )?;
    Ok(())
}

/// `N` bytes at `at`, which the caller knows to be there.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("N bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot_of_one() -> Vec<u8> {
        let mut body = 1_i32.to_be_bytes().to_vec();
        body.extend(4000_i64.to_be_bytes());
        body.extend(2_i16.to_be_bytes());
        body.extend(99_i32.to_be_bytes());
        body.extend(1234_i64.to_be_bytes());
        body.extend(9_i32.to_be_bytes());
        body.extend(1_700_000_000_000_i64.to_be_bytes());
        body.extend((-1_i32).to_be_bytes());
        body.extend((-1_i64).to_be_bytes());
        let mut bytes = 1_i16.to_be_bytes().to_vec();
        bytes.extend(crc32c(&body).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    #[test]
    fn every_field_of_a_producer_is_printed() {
        let mut out = Vec::new();
        dump_producer_snapshot(&snapshot_of_one(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "producerId: 4000 producerEpoch: 2 lastSequence: 99 lastOffset: 1234 offsetDelta: 9 \
             lastTimestamp: 1700000000000 coordinatorEpoch: -1 currentTransactionFirstOffset: none\n1 producers\n"
        );
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let good = snapshot_of_one();
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 0x10;
            assert!(
                dump_producer_snapshot(&bad, &mut Vec::new()).is_err(),
                "byte {index}"
            );
        }
    }

    #[test]
    fn a_snapshot_cut_off_anywhere_is_noticed() {
        let good = snapshot_of_one();
        for length in 0..good.len() {
            assert!(
                dump_producer_snapshot(&good[..length], &mut Vec::new()).is_err(),
                "{length} bytes"
            );
        }
    }
}
