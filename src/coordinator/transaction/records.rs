//! A transactional id as a record of `__transaction_state`, and back.

use super::state::{State, Transaction};
use super::{LogRecord, TopicPartition};
use crate::wire::transaction_records::{PartitionsSchema, TransactionLogKey, TransactionLogValue};
use bytes::Bytes;
use std::collections::BTreeMap;

/// The record of an id; the newer layout from level 1 of `transaction.version` on.
pub(super) fn record(id: &str, transaction: &Transaction, version: i16) -> LogRecord {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in &transaction.partitions {
        topics.entry(topic).or_default().push(*partition);
    }
    let partitions = topics
        .into_iter()
        .map(|(topic, partition_ids)| PartitionsSchema {
            topic: topic.into(),
            partition_ids,
        })
        .collect();
    let value = TransactionLogValue {
        producer_id: transaction.producer_id,
        previous_producer_id: transaction.previous_producer_id,
        next_producer_id: transaction.next_producer_id,
        producer_epoch: transaction.epoch,
        transaction_timeout_ms: transaction.timeout_ms,
        transaction_status: transaction.state as i8,
        transaction_partitions: (transaction.state != State::Empty).then_some(partitions),
        transaction_last_update_timestamp_ms: transaction.updated,
        transaction_start_timestamp_ms: transaction.started,
        client_transaction_version: transaction.version,
    };
    LogRecord {
        key: key(id),
        value: Some(value.encode_value(version.clamp(0, 1))),
    }
}

/// That an id is forgotten.
pub(super) fn tombstone(id: &str) -> LogRecord {
    LogRecord {
        key: key(id),
        value: None,
    }
}

fn key(id: &str) -> Bytes {
    let key = TransactionLogKey {
        transactional_id: id.into(),
    };
    key.encode_key()
}

/// An id as it was written; `None` if it is in a state that is never written. The last epoch is not in the record, so that a
/// producer which missed the answer that gave it an epoch is fenced when the coordinator has started anew meanwhile.
pub(super) fn read(value: &TransactionLogValue) -> Option<Transaction> {
    let topics = value.transaction_partitions.iter().flatten();
    let partitions = topics.flat_map(|topic| {
        let of = |&partition: &i32| -> TopicPartition { (topic.topic.to_string(), partition) };
        topic.partition_ids.iter().map(of)
    });
    let mut transaction = Transaction::new(value.producer_id, value.transaction_timeout_ms);
    transaction.previous_producer_id = value.previous_producer_id;
    transaction.next_producer_id = value.next_producer_id;
    transaction.epoch = value.producer_epoch;
    transaction.state = State::from_number(value.transaction_status)?;
    transaction.partitions = partitions.collect();
    transaction.started = value.transaction_start_timestamp_ms;
    transaction.updated = value.transaction_last_update_timestamp_ms;
    transaction.version = value.client_transaction_version;
    Some(transaction)
}
