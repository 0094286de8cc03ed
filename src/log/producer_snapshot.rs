//! The file `<offset>.snapshot`: the producers as they were before that offset.
//!
//! Layout of Kafka's `ProducerSnapshot.json`, version 1, big-endian:
//! ```text
//! version i16 = 1 | crc u32 (CRC-32C of all that follows) | entries i32 | entry...
//! entry: producer id i64 | epoch i16 | last sequence i32 | last offset i64 | offset delta i32 | timestamp i64
//!        | coordinator epoch i32 | first offset of the open transaction i64 (-1: none)
//! ```
//! Only the newest batch of a producer is kept in it.

use zerocopy::byteorder::big_endian::{I16, I32, I64, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::producer_state::{ProducerEntry, ProducerStates, RememberedBatch};
use crate::wire::records::crc::crc32c;

const VERSION: i16 = 1;

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Head {
    version: I16,
    crc: U32,
    entries: I32,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Entry {
    producer_id: I64,
    epoch: I16,
    last_sequence: I32,
    last_offset: I64,
    offset_delta: I32,
    timestamp: I64,
    coordinator_epoch: I32,
    transaction_first_offset: I64,
}

/// The bytes before what the CRC covers.
const CRC_END: usize = 6;

/// The content of the file.
pub fn encode(states: &ProducerStates) -> Vec<u8> {
    let mut content = Vec::with_capacity(size_of::<Head>() + states.count() * size_of::<Entry>());
    let mut head = Head {
        version: I16::new(VERSION),
        crc: U32::ZERO,
        entries: I32::new(i32::try_from(states.count()).unwrap_or(i32::MAX)),
    };
    content.extend_from_slice(head.as_bytes());
    for (producer_id, entry) in states.iter() {
        content.extend_from_slice(encode_entry(producer_id, entry).as_bytes());
    }
    head.crc.set(crc32c(&content[CRC_END..]));
    content[..size_of::<Head>()].copy_from_slice(head.as_bytes());
    content
}

/// The producers in a file's content; what is wrong with it otherwise.
///
/// # Errors
/// A sentence for the operator.
pub fn decode(content: &[u8]) -> Result<ProducerStates, String> {
    let (head, rest) = Head::ref_from_prefix(content)
        .map_err(|_| format!("{} bytes are no snapshot", content.len()))?;
    if head.version.get() != VERSION {
        return Err(format!("version {} is not known", head.version));
    }
    let computed = crc32c(&content[CRC_END..]);
    if computed != head.crc.get() {
        return Err(format!(
            "CRC-32C is {computed:#010x}, not {:#010x}",
            head.crc
        ));
    }
    let entries = <[Entry]>::ref_from_bytes(rest).map_err(|_| "ends within an entry".to_owned())?;
    if i64::from(head.entries.get()) != entries.len() as i64 {
        return Err(format!(
            "holds {} entries, not {}",
            entries.len(),
            head.entries
        ));
    }
    let mut states = ProducerStates::default();
    for entry in entries {
        states.insert(entry.producer_id.get(), decode_entry(entry));
    }
    Ok(states)
}

fn encode_entry(producer_id: i64, entry: &ProducerEntry) -> Entry {
    let newest = entry.batches().last();
    Entry {
        producer_id: producer_id.into(),
        epoch: entry.epoch.into(),
        last_sequence: entry.last_sequence().into(),
        last_offset: newest.map_or(-1, |batch| batch.last_offset).into(),
        offset_delta: newest.map_or(0, |batch| batch.offset_delta).into(),
        timestamp: entry.last_timestamp.into(),
        coordinator_epoch: entry.coordinator_epoch.into(),
        transaction_first_offset: entry.transaction_first_offset.into(),
    }
}

fn decode_entry(entry: &Entry) -> ProducerEntry {
    let mut producer = ProducerEntry::new(entry.epoch.get());
    producer.coordinator_epoch = entry.coordinator_epoch.get();
    producer.last_timestamp = entry.timestamp.get();
    producer.transaction_first_offset = entry.transaction_first_offset.get();
    if entry.last_offset.get() >= 0 {
        producer.remember(RememberedBatch {
            last_sequence: entry.last_sequence.get(),
            last_offset: entry.last_offset.get(),
            offset_delta: entry.offset_delta.get(),
            timestamp: entry.timestamp.get(),
        });
    }
    producer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> ProducerStates {
        let mut states = ProducerStates::default();
        for id in 0..3 {
            let mut entry = ProducerEntry::new(id as i16);
            entry.last_timestamp = 1_700_000_000_000 + id;
            if id > 0 {
                let last_sequence = 10 * id as i32;
                entry.remember(RememberedBatch {
                    last_sequence,
                    last_offset: 100 * id,
                    offset_delta: 4,
                    timestamp: entry.last_timestamp,
                });
            }
            states.insert(id, entry);
        }
        states
    }

    #[test]
    fn producers_come_back_from_their_snapshot() {
        let before = states();
        let after = decode(&encode(&before)).unwrap();
        assert_eq!(after.count(), 3);
        for (id, entry) in before.iter() {
            assert_eq!(
                after.iter().find(|(known, _)| *known == id).unwrap().1,
                entry
            );
        }
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let content = encode(&states());
        for at in 0..content.len() {
            let mut damaged = content.clone();
            damaged[at] ^= 1;
            assert!(decode(&damaged).is_err(), "byte {at}");
            assert!(decode(&content[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_layout_is_kafkas() {
        let empty = encode(&ProducerStates::default());
        assert_eq!(empty[..2], [0, 1]);
        assert_eq!(empty.len(), 10);
        assert_eq!(encode(&states()).len(), 10 + 3 * 46);
    }
}
