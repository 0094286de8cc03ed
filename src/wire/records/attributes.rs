//! The attributes of a record batch: codec, timestamp type and flags, packed into 16 bits.
//!
//! Source: the Apache Kafka documentation, "Record Batch"; KIP-98 for the transactional and control bits, KIP-534 for the
//! delete horizon.

use super::codec::Codec;
use super::error::BatchError;

/// Whose clock the timestamps of a batch or topic are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum TimestampType {
    /// The producer's; each record has its own.
    #[default]
    CreateTime,
    /// The broker's at append; every record's time is the batch's `maxTimestamp`.
    LogAppendTime,
}

/// The `attributes` field. Bits 7 to 15 have no meaning and are ignored, as Kafka does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Attributes(pub i16);

impl Attributes {
    const CODEC: i16 = 0x07;
    const LOG_APPEND_TIME: i16 = 0x08;
    const TRANSACTIONAL: i16 = 0x10;
    const CONTROL: i16 = 0x20;
    const DELETE_HORIZON: i16 = 0x40;
    const KNOWN: i16 = 0x7f;

    /// How the records are compressed.
    ///
    /// # Errors
    /// [`BatchError::UnsupportedCompression`] for ids 5 to 7, which no version of Kafka has given a meaning.
    pub fn codec(self) -> Result<Codec, BatchError> {
        let id = (self.0 & Self::CODEC) as u8;
        Codec::from_id(id).ok_or(BatchError::UnsupportedCompression { id })
    }

    /// Whose clock the timestamps are.
    pub fn timestamp_type(self) -> TimestampType {
        match self.0 & Self::LOG_APPEND_TIME {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    /// Part of a transaction.
    pub fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Holds markers of the broker instead of a client's records.
    pub fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// `baseTimestamp` is the time from which compaction may drop tombstones (KIP-534).
    pub fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }

    /// The same with another codec.
    #[must_use]
    pub fn with_codec(self, codec: Codec) -> Attributes {
        Attributes((self.0 & !Self::CODEC) | i16::from(codec.id()))
    }

    /// The same, with the mark that `baseTimestamp` is a delete horizon.
    #[must_use]
    pub fn with_delete_horizon(self) -> Attributes {
        Attributes(self.0 | Self::DELETE_HORIZON)
    }

    /// The same without that mark.
    #[must_use]
    pub fn without_delete_horizon(self) -> Attributes {
        Attributes(self.0 & !Self::DELETE_HORIZON)
    }

    /// The same with another timestamp type; the bits without meaning are cleared, as Kafka does whenever it rewrites them.
    #[must_use]
    pub fn with_timestamp_type(self, timestamp_type: TimestampType) -> Attributes {
        let others = self.0 & Self::KNOWN & !Self::LOG_APPEND_TIME;
        Attributes(match timestamp_type {
            TimestampType::CreateTime => others,
            TimestampType::LogAppendTime => others | Self::LOG_APPEND_TIME,
        })
    }

    /// The same, part of a transaction.
    #[must_use]
    pub fn transactional(self) -> Attributes {
        Attributes(self.0 | Self::TRANSACTIONAL)
    }

    /// The same, holding control records.
    #[must_use]
    pub fn control(self) -> Attributes {
        Attributes(self.0 | Self::CONTROL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_says_one_thing() {
        let none = Attributes(0);
        assert_eq!(none.codec().unwrap(), Codec::None);
        assert_eq!(none.timestamp_type(), TimestampType::CreateTime);
        assert!(!none.is_transactional() && !none.is_control() && !none.has_delete_horizon());
        assert!(Attributes(0x10).is_transactional());
        assert!(Attributes(0x20).is_control());
        assert!(Attributes(0x40).has_delete_horizon());
        assert_eq!(
            Attributes(0x08).timestamp_type(),
            TimestampType::LogAppendTime
        );
    }

    #[test]
    fn codec_numbers_without_a_meaning_are_named() {
        for codec in Codec::ALL {
            assert_eq!(none_but(codec).codec(), Ok(codec));
        }
        for id in 5..8 {
            assert_eq!(
                Attributes(id).codec(),
                Err(BatchError::UnsupportedCompression { id: id as u8 })
            );
        }
    }

    fn none_but(codec: Codec) -> Attributes {
        Attributes::default().with_codec(codec)
    }

    #[test]
    fn another_timestamp_type_keeps_the_flags_and_clears_what_has_no_meaning() {
        let sent = Attributes(0x7fff_u16 as i16).with_timestamp_type(TimestampType::CreateTime);
        assert_eq!(sent, Attributes(0x77));
        assert_eq!(
            sent.with_timestamp_type(TimestampType::LogAppendTime),
            Attributes(0x7f)
        );
    }
}
