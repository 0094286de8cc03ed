//! What a coordinator must know of the broker's settings.

/// Plain numbers; each is named after its property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransactionSettings {
    /// `transaction.max.timeout.ms`.
    pub max_timeout_ms: i32,
    /// `transactional.id.expiration.ms`.
    pub id_expiration_ms: i64,
    /// `transaction.abort.timed.out.transaction.cleanup.interval.ms`.
    pub abort_check_interval_ms: u64,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`.
    pub expiry_check_interval_ms: u64,
    /// The cluster's level of the feature `transaction.version`.
    pub version: i16,
}
