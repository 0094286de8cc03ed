//! The records of `__transaction_state`: a transactional id, and how far its transaction is.
//!
//! ```text
//! key     version i16 (0) | TransactionLogKey
//! value   version i16 (0 or 1) | TransactionLogValue, a null value is a tombstone
//! ```
//!
//! Sources: the schemas of Kafka 4.3 (`transaction-coordinator/src/main/resources/common/message/*.json`). Version 1 is flexible
//! and is written from the feature level `transaction.version` 1 on. What the records mean is the coordinator's business. Any core.

use bytes::Bytes;

use super::error::WireError;
use super::group_records::versioned;
use super::reader::Reader;
use super::schema::{Message, schema};
use super::text::Text;

schema! {
    /// Key of a transactional id.
    message TransactionLogKey (versions 0..=0, flexible 32767) {
        /// The id.
        transactional_id: Text [0..],
    }

    /// A transactional id's producer and transaction.
    message TransactionLogValue (versions 0..=1, flexible 1) {
        /// The producer's id.
        producer_id: i64 [0..],
        /// The id it had in the last transaction that ended.
        previous_producer_id: i64 [1..] tag 0 = -1,
        /// The id it has been promised for when this transaction has ended.
        next_producer_id: i64 [1..] tag 1 = -1,
        /// The producer's epoch.
        producer_epoch: i16 [0..],
        /// How long a transaction may take, in milliseconds.
        transaction_timeout_ms: i32 [0..],
        /// The state, by Kafka's number for it.
        transaction_status: i8 [0..],
        /// What the transaction has written to; null where there is none.
        transaction_partitions: Option<Vec<PartitionsSchema>> [0..],
        /// When this was last changed, in milliseconds.
        transaction_last_update_timestamp_ms: i64 [0..],
        /// When the transaction began, in milliseconds; -1 before the first.
        transaction_start_timestamp_ms: i64 [0..],
        /// The protocol that the client speaks (`transaction.version`).
        client_transaction_version: i16 [1..] tag 2,
    }

    /// A topic in a transaction.
    struct PartitionsSchema {
        /// Its name.
        topic: Text [0..],
        /// Its partitions.
        partition_ids: Vec<i32> [0..],
    }
}

impl TransactionLogKey {
    /// Reads the key of a record; `None` for one of a version that is not known, to be passed over as Kafka does.
    ///
    /// # Errors
    /// A malformed body of a known version.
    pub fn decode_key(key: Bytes) -> Result<Option<TransactionLogKey>, WireError> {
        let mut r = Reader::new(key);
        match r.i16()? {
            0 => TransactionLogKey::decode(&mut r, 0).map(Some),
            _ => Ok(None),
        }
    }

    /// The key of the record.
    pub fn encode_key(&self) -> Bytes {
        versioned(self, 0)
    }
}

impl TransactionLogValue {
    /// Reads the value of a record.
    ///
    /// # Errors
    /// An unknown version, or a malformed body.
    pub fn decode_value(value: Bytes) -> Result<TransactionLogValue, WireError> {
        let mut r = Reader::new(value);
        let version = r.i16()?;
        TransactionLogValue::decode(&mut r, version)
    }

    /// The value of the record, in this version.
    pub fn encode_value(&self, version: i16) -> Bytes {
        versioned(self, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> TransactionLogValue {
        TransactionLogValue {
            producer_id: 9,
            producer_epoch: 3,
            transaction_timeout_ms: 60_000,
            transaction_status: 1,
            transaction_partitions: Some(vec![PartitionsSchema {
                topic: Text::from_static("t"),
                partition_ids: vec![0, 2],
            }]),
            transaction_last_update_timestamp_ms: 7,
            transaction_start_timestamp_ms: 5,
            ..TransactionLogValue::default()
        }
    }

    #[test]
    fn a_key_stands_as_kafka_writes_it_and_unknown_ones_are_passed_over() {
        let key = TransactionLogKey {
            transactional_id: Text::from_static("tx"),
        };
        assert_eq!(key.encode_key()[..], *b"\0\0\0\x02tx");
        let back = TransactionLogKey::decode_key(key.encode_key()).unwrap();
        assert_eq!(back, Some(key));
        let future = Bytes::from_static(b"\0\x01anything");
        assert_eq!(TransactionLogKey::decode_key(future).unwrap(), None);
        assert!(TransactionLogKey::decode_key(Bytes::from_static(b"\0\0\0\x03tx")).is_err());
    }

    #[test]
    fn both_versions_of_a_value_stand_as_kafka_writes_them() {
        let old = b"\0\0\0\0\0\0\0\0\0\x09\0\x03\0\0\xea\x60\x01\0\0\0\x01\0\x01t\0\0\0\x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x05";
        assert_eq!(value().encode_value(0)[..], old[..]);
        let newer = b"\0\x01\0\0\0\0\0\0\0\x09\0\x03\0\0\xea\x60\x01\x02\x02t\x03\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x05\0";
        assert_eq!(value().encode_value(1)[..], newer[..]);
        let tagged = TransactionLogValue {
            previous_producer_id: 8,
            next_producer_id: 10,
            client_transaction_version: 2,
            ..value()
        };
        for (written, version) in [(value(), 0), (value(), 1), (tagged, 1)] {
            let bytes = written.encode_value(version);
            assert_eq!(TransactionLogValue::decode_value(bytes).unwrap(), written);
        }
        assert!(TransactionLogValue::decode_value(Bytes::from_static(b"\0\x02")).is_err());
    }
}
