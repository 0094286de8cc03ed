//! What transactions run with.

use super::broker::{known, number};
use super::settings::Settings;
use std::time::Duration;

/// What transactions run with.
#[derive(Clone, Copy, Debug)]
pub struct TransactionConfig {
    /// `transaction.max.timeout.ms`.
    pub max_timeout_ms: i32,
    /// `transactional.id.expiration.ms`.
    pub id_expiration_ms: i64,
    /// `transaction.abort.timed.out.transaction.cleanup.interval.ms`.
    pub abort_check_interval_ms: u64,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`.
    pub expiry_check_interval_ms: u64,
    /// `transaction.partition.verification.enable`.
    pub verify_partitions: bool,
    /// `add.partitions.to.txn.retry.backoff.ms`.
    pub add_pause: Duration,
    /// `add.partitions.to.txn.retry.backoff.max.ms`.
    pub add_patience: Duration,
    /// `transaction.state.log.load.buffer.size`.
    pub load_buffer_bytes: u32,
    /// `transaction.state.log.num.partitions`.
    pub topic_partitions: i32,
    /// `transaction.state.log.replication.factor`.
    pub topic_replication_factor: i16,
    /// `transaction.state.log.min.isr`.
    pub topic_min_isr: i32,
    /// `transaction.state.log.segment.bytes`.
    pub topic_segment_bytes: i32,
}

impl TransactionConfig {
    pub(super) fn from_settings(settings: &Settings) -> TransactionConfig {
        let ms = |name| known(settings, name).max(0).unsigned_abs();
        TransactionConfig {
            max_timeout_ms: number(settings, "transaction.max.timeout.ms"),
            id_expiration_ms: known(settings, "transactional.id.expiration.ms"),
            abort_check_interval_ms: ms(
                "transaction.abort.timed.out.transaction.cleanup.interval.ms",
            ),
            expiry_check_interval_ms: ms(
                "transaction.remove.expired.transaction.cleanup.interval.ms",
            ),
            verify_partitions: settings.boolean("transaction.partition.verification.enable"),
            add_pause: Duration::from_millis(ms("add.partitions.to.txn.retry.backoff.ms")),
            add_patience: Duration::from_millis(ms("add.partitions.to.txn.retry.backoff.max.ms")),
            load_buffer_bytes: number(settings, "transaction.state.log.load.buffer.size"),
            topic_partitions: number(settings, "transaction.state.log.num.partitions"),
            topic_replication_factor: number(settings, "transaction.state.log.replication.factor"),
            topic_min_isr: number(settings, "transaction.state.log.min.isr"),
            topic_segment_bytes: number(settings, "transaction.state.log.segment.bytes"),
        }
    }
}
