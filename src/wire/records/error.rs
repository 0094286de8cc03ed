//! Everything that can be wrong with a batch, in the words an operator or a client's developer needs.
//!
//! The variants of [`BatchError`] are the classes Kafka answers differently; which error code each becomes is not known
//! here.

use super::codec::Codec;
use super::inflate::InflateError;

/// Why bytes are not an acceptable record batch.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch does. When reading a log or a fetch answer: the tail is cut off.
    #[error("the batch is cut off: {have} bytes of {need}")]
    Truncated {
        /// Bytes there are.
        have: usize,
        /// Bytes there should be at least.
        need: usize,
    },
    /// The bytes were damaged on the way (Kafka: CORRUPT_MESSAGE; a client may send them again).
    #[error("Record is corrupt ({reason})")]
    Corrupt {
        /// What shows it.
        reason: Corruption,
    },
    /// What the sender meant is not allowed (Kafka: INVALID_RECORD; sending it again is of no use).
    #[error("{reason}")]
    Invalid {
        /// Which rule it breaks.
        reason: Invalid,
    },
    /// The batch, as sent, is larger than the topic takes (Kafka: MESSAGE_TOO_LARGE).
    #[error(
        "The record batch size is {size} bytes which exceeds the maximum configured value of {max}"
    )]
    TooLarge {
        /// Bytes of the batch.
        size: usize,
        /// `max.message.bytes`.
        max: usize,
    },
    /// Single records break a rule of the topic (Kafka: INVALID_TIMESTAMP if any does so by its timestamp, else
    /// INVALID_RECORD; either with a message for each record).
    #[error("One or more records have been rejected ({total} of the batch, the first: {first})",
        first = .records.first().map_or_else(String::new, |r| r.reason.to_string()))]
    Rejected {
        /// The first of them, at most [`MOST_REJECTED_LISTED`].
        records: Vec<RejectedRecord>,
        /// How many there are.
        total: u32,
        /// Whether any of them, listed or not, was rejected for its timestamp.
        any_timestamp: bool,
    },
    /// A codec number without meaning (Kafka: UNSUPPORTED_COMPRESSION_TYPE).
    #[error("Unknown compression type id: {id}")]
    UnsupportedCompression {
        /// Bits 0 to 2 of the attributes.
        id: u8,
    },
    /// A message set of an older format (0 or 1), where a v2 batch is asked for.
    #[error("record batches with magic version {magic} are not allowed here, only version 2")]
    UnsupportedMagic {
        /// The format.
        magic: i8,
    },
}

/// How many rejected records are listed; the answer to a hostile batch stays small.
pub const MOST_REJECTED_LISTED: usize = 100;

/// What shows that bytes were damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Corruption {
    /// The length field cannot be right.
    #[error("batch length {declared} is less than the minimum record overhead")]
    Length {
        /// What it says.
        declared: i32,
    },
    /// No format has this magic.
    #[error("invalid magic {magic}")]
    Magic {
        /// The byte.
        magic: i8,
    },
    /// The checksum differs.
    #[error("stored crc = {stored}, computed crc = {computed}")]
    Crc {
        /// What the batch carries.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
}

/// Which rule a batch breaks.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Invalid {
    /// There is not one whole batch.
    #[error("there must be at least one record batch per partition")]
    NoBatch,
    /// A second batch follows.
    #[error("there must be exactly one record batch per partition")]
    SeveralBatches,
    /// Producers count from 0; the log gives the offset.
    #[error("The baseOffset of the record batch should be 0, but it is {base_offset}")]
    BaseOffset {
        /// What it is.
        base_offset: i64,
    },
    /// Declared count and offsets do not describe at least one record each, in step.
    #[error(
        "Inconsistent batch offset range [0, {last_offset_delta}] and count of records {count}"
    )]
    Count {
        /// `lastOffsetDelta`.
        last_offset_delta: i32,
        /// `recordCount`.
        count: i32,
    },
    /// Control records are the broker's to write.
    #[error("Clients are not allowed to write control records")]
    Control,
    /// A producer id without a sequence number.
    #[error(
        "Invalid sequence number {base_sequence} in record batch with producerId {producer_id}"
    )]
    Sequence {
        /// `producerId`.
        producer_id: i64,
        /// `baseSequence`.
        base_sequence: i32,
    },
    /// A record's bytes do not follow the format.
    #[error("Invalid record {index}: {malformed}")]
    Record {
        /// Its place in the batch, from 0.
        index: u32,
        /// What is wrong with it.
        malformed: Malformed,
    },
    /// An inner message of a wrapper, or a message of a set, has another format than the rest or is a wrapper itself.
    #[error(
        "Message {index} of the set has another format than the rest or is compressed once more"
    )]
    Inner {
        /// Its place in the set, from 0.
        index: u32,
    },
    /// Records are not numbered 0, 1, 2 and so on.
    #[error("Record {index} has the offset delta {offset_delta}")]
    OffsetDelta {
        /// Its place in the batch, from 0.
        index: u32,
        /// What it says.
        offset_delta: i32,
    },
    /// The batch ends before its declared count of records.
    #[error("Incorrect declared batch size: {found} of {count} records are there")]
    MissingRecords {
        /// Whole records there are.
        found: u32,
        /// `recordCount`.
        count: u32,
    },
    /// Bytes follow the last record.
    #[error("Incorrect declared batch size, records still remaining")]
    TrailingBytes,
    /// The compressed records do not inflate.
    #[error("Failed to decompress the {codec:?} record stream: {problem}")]
    Decompress {
        /// The batch's codec.
        codec: Codec,
        /// What the codec says.
        problem: InflateError,
    },
    /// The records inflate to more than the broker is willing to look at.
    #[error("Records inflate to more than {max} bytes")]
    Inflates {
        /// The limit.
        max: u64,
    },
}

/// What is wrong with one record's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// A variable-length integer does not end.
    #[error("a variable-length integer does not end")]
    Varint,
    /// A field goes on behind the record's end.
    #[error("a field goes on behind the end of the record")]
    Ends,
    /// The record says it has a negative size.
    #[error("negative size {0}")]
    Size(i32),
    /// Bytes are left after the last header.
    #[error("{0} bytes are left after the last field")]
    Left(usize),
    /// A negative count, or more headers than bytes.
    #[error("invalid number of headers {0}")]
    HeaderCount(i32),
    /// A header without a key.
    #[error("negative header key size {0}")]
    HeaderKey(i32),
}

/// One record a rule of the topic turns away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RejectedRecord {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// The rule.
    pub reason: RejectedReason,
}

/// Which rule of the topic a record breaks; the text is what a client's user reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RejectedReason {
    /// A compacted topic is ordered by key.
    #[error("Compacted topic cannot accept message without key")]
    Keyless,
    /// `message.timestamp.before.max.ms` or `message.timestamp.after.max.ms`.
    #[error(
        "Timestamp {timestamp} of message with offset {index} is out of range. The timestamp should be within [{earliest}, {latest}]"
    )]
    TimestampRange {
        /// Its place in the batch, from 0: to the producer, its offset.
        index: u32,
        /// The record's, in milliseconds.
        timestamp: i64,
        /// The oldest allowed.
        earliest: i64,
        /// The newest allowed.
        latest: i64,
    },
    /// The append time is the broker's to set.
    #[error("Producer should not set timestamp type to LogAppendTime")]
    TimestampType,
}

impl From<Corruption> for BatchError {
    fn from(reason: Corruption) -> BatchError {
        BatchError::Corrupt { reason }
    }
}

impl From<Invalid> for BatchError {
    fn from(reason: Invalid) -> BatchError {
        BatchError::Invalid { reason }
    }
}
