//! The file `<base offset>.txnindex`: the transactions whose abort marker lies in the segment.
//!
//! Layout of Kafka's `AbortedTxn`, big-endian, one entry after the other in the order of the markers:
//! ```text
//! version i16 = 0 | producer id i64 | first offset i64 | last offset i64 | last stable offset i64
//! ```
//! The last offset is the marker's; the last stable offset is what it will be once the marker is committed. So whoever looks
//! for what overlaps a range need not look behind an entry whose last stable offset is at or past the range's end. A segment
//! without such a marker has no file, or an empty one.

use zerocopy::byteorder::big_endian::{I16, I64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::types::Offset;

const VERSION: i16 = 0;

/// An aborted transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AbortedTransaction {
    /// Its producer.
    pub producer_id: i64,
    /// Where it began.
    pub first_offset: Offset,
    /// The offset of its marker.
    pub last_offset: Offset,
    /// Where the last stable offset is when the marker is committed.
    pub last_stable_offset: Offset,
}

/// One entry of the file.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Entry {
    version: I16,
    producer_id: I64,
    first_offset: I64,
    pub(super) last_offset: I64,
    last_stable_offset: I64,
}

/// The size of one entry in bytes.
pub const ENTRY_BYTES: usize = size_of::<Entry>();

impl AbortedTransaction {
    /// Whether records between the offsets, the second exclusive, may be its.
    pub fn overlaps(&self, from: Offset, end: Offset) -> bool {
        self.last_offset >= from && self.first_offset < end
    }
}

/// The content of a file.
pub fn encode(transactions: &[AbortedTransaction]) -> Vec<u8> {
    let mut content = Vec::with_capacity(transactions.len() * ENTRY_BYTES);
    for transaction in transactions {
        let entry = Entry {
            version: VERSION.into(),
            producer_id: transaction.producer_id.into(),
            first_offset: transaction.first_offset.0.into(),
            last_offset: transaction.last_offset.0.into(),
            last_stable_offset: transaction.last_stable_offset.0.into(),
        };
        content.extend_from_slice(entry.as_bytes());
    }
    content
}

/// The transactions in a file's content, or in a piece of whole entries of it; what is wrong with it otherwise. `base` is the
/// segment's base offset, before which no marker can lie.
///
/// # Errors
/// A sentence for the operator.
pub fn decode(content: &[u8], base: Offset) -> Result<Vec<AbortedTransaction>, String> {
    let entries = <[Entry]>::ref_from_bytes(content).map_err(|_| {
        let rest = content.len() % ENTRY_BYTES;
        format!("ends with {rest} bytes that are no entry")
    })?;
    let mut transactions: Vec<AbortedTransaction> = Vec::with_capacity(entries.len());
    for entry in entries {
        let transaction = AbortedTransaction {
            producer_id: entry.producer_id.get(),
            first_offset: Offset(entry.first_offset.get()),
            last_offset: Offset(entry.last_offset.get()),
            last_stable_offset: Offset(entry.last_stable_offset.get()),
        };
        if entry.version.get() != VERSION {
            return Err(format!(
                "an entry has the unknown version {}",
                entry.version
            ));
        }
        let AbortedTransaction {
            first_offset: first,
            last_offset: last,
            ..
        } = transaction;
        if first.0 < 0 || first >= last {
            return Err(format!("an entry is of the offsets {first} to {last}"));
        }
        let before = transactions.last().map(|before| before.last_offset);
        if last < base || before >= Some(last) {
            let due = before.map_or(base, |before| before + 1);
            return Err(format!("an entry ends at offset {last}, before {due}"));
        }
        transactions.push(transaction);
    }
    Ok(transactions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aborted(first: i64, last: i64) -> AbortedTransaction {
        AbortedTransaction {
            producer_id: 7,
            first_offset: Offset(first),
            last_offset: Offset(last),
            last_stable_offset: Offset(last + 1),
        }
    }

    #[test]
    fn transactions_come_back_from_their_file() {
        let transactions = [aborted(3, 12), aborted(10, 13)];
        let content = encode(&transactions);
        assert_eq!(content.len(), 2 * 34);
        assert_eq!(decode(&content, Offset(10)).unwrap(), transactions);
        assert_eq!(decode(&[], Offset(10)).unwrap(), []);
    }

    #[test]
    fn what_cannot_be_is_no_index() {
        let content = encode(&[aborted(3, 12), aborted(4, 13)]);
        for cut in 1..34 {
            assert!(decode(&content[..content.len() - cut], Offset(0)).is_err());
        }
        let before_the_segment = decode(&content, Offset(13)).unwrap_err();
        assert!(before_the_segment.contains("before 13"));
        let disordered = encode(&[aborted(3, 12), aborted(4, 12)]);
        assert!(decode(&disordered, Offset(0)).is_err());
        let endless = encode(&[aborted(12, 12)]);
        assert!(decode(&endless, Offset(0)).is_err());
        let mut newer = content;
        newer[1] = 1;
        assert!(decode(&newer, Offset(0)).unwrap_err().contains("version"));
    }

    #[test]
    fn overlap_is_of_the_range_from_the_first_record_to_the_marker() {
        let one = aborted(3, 12);
        assert!(one.overlaps(Offset(12), Offset(13)) && one.overlaps(Offset(0), Offset(4)));
        assert!(!one.overlaps(Offset(13), Offset(14)) && !one.overlaps(Offset(0), Offset(3)));
    }
}
