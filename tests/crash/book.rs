//! What the writer of a partition knows: what it sent, what was acknowledged, what it asked to be removed or remembered.
//!
//! A record's value says which one it is: CRC of the rest (4 bytes), topic (4), partition (4), number (8), bytes of noise.

use vltava::wire::records::Codec;
use vltava::wire::records::crc::crc32c;

use super::dice::Dice;

/// A topic that is written all the time.
pub struct Topic {
    pub name: &'static str,
    pub codecs: [Codec; 2],
    pub acks: i16,
    pub idempotent: bool,
    pub configs: &'static [(&'static str, &'static str)],
}

/// Partitions of each topic.
pub const PARTITIONS: i32 = 6;

/// Segments are so small, or last so shortly, that all of them roll.
pub const TOPICS: [Topic; 4] = [
    Topic {
        name: "plain",
        codecs: [Codec::None, Codec::Lz4],
        acks: 1,
        idempotent: false,
        configs: &[("segment.bytes", "1048576")],
    },
    Topic {
        name: "synced",
        codecs: [Codec::Snappy, Codec::None],
        acks: -1,
        idempotent: false,
        configs: &[("flush.messages", "1"), ("segment.ms", "400")],
    },
    Topic {
        name: "idempotent",
        codecs: [Codec::Zstd, Codec::None],
        acks: -1,
        idempotent: true,
        configs: &[("segment.bytes", "1048576")],
    },
    Topic {
        name: "idempotent-synced",
        codecs: [Codec::Gzip, Codec::None],
        acks: -1,
        idempotent: true,
        configs: &[("flush.messages", "1"), ("segment.ms", "400")],
    },
];

/// An acknowledged batch.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    pub base_offset: i64,
    pub first: u64,
    pub count: u64,
}

/// One partition as its writer knows it.
pub struct Book {
    pub topic: usize,
    pub partition: i32,
    /// The number of the next record; all below were sent.
    pub next: u64,
    pub producer: Option<(i64, i16)>,
    pub acknowledged: Vec<Acknowledged>,
    /// The log begins here or later: a DeleteRecords was acknowledged, or it was seen.
    pub log_start_least: i64,
    /// The log begins here or earlier: nobody asked for more.
    pub log_start_most: i64,
    /// Acknowledged commits reach here; -1 is none.
    pub committed_least: i64,
    /// Commits that were tried reach here.
    pub committed_most: i64,
}

impl Book {
    /// Of a new partition.
    pub fn new(topic: usize, partition: i32) -> Book {
        Book {
            topic,
            partition,
            next: 0,
            producer: None,
            acknowledged: Vec::new(),
            log_start_least: 0,
            log_start_most: 0,
            committed_least: -1,
            committed_most: -1,
        }
    }

    /// The topic's row.
    pub fn topic(&self) -> &'static Topic {
        &TOPICS[self.topic]
    }

    /// The group that commits offsets of this partition.
    pub fn group(&self) -> String {
        format!("group-{}", self.partition)
    }

    /// The value of record `number`.
    pub fn value(&self, number: u64, dice: &mut Dice) -> Vec<u8> {
        let mut value = vec![0; 4];
        value.extend_from_slice(&(self.topic as u32).to_be_bytes());
        value.extend_from_slice(&self.partition.to_be_bytes());
        value.extend_from_slice(&number.to_be_bytes());
        for _ in 0..dice.below(150) {
            value.extend_from_slice(&dice.next().to_be_bytes());
        }
        let crc = crc32c(&value[4..]);
        value[..4].copy_from_slice(&crc.to_be_bytes());
        value
    }

    /// The number of the record with this value, which must be one of ours, whole.
    pub fn number_of(&self, value: &[u8], what: &str) -> u64 {
        assert!(value.len() >= 20, "{what}: a record that nobody wrote");
        let crc = u32::from_be_bytes(value[..4].try_into().expect("four bytes"));
        assert_eq!(crc, crc32c(&value[4..]), "{what}: a damaged record");
        let place = [
            &(self.topic as u32).to_be_bytes()[..],
            &self.partition.to_be_bytes(),
        ];
        assert_eq!(value[4..12], place.concat(), "{what}: of another partition");
        u64::from_be_bytes(value[12..20].try_into().expect("eight bytes"))
    }
}
