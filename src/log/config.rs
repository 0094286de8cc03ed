//! What a log needs to know of its topic's configuration: plain values, resolved by whoever opens it.

use crate::wire::records::TimestampType;

/// The settings of one partition's log. Each field has the meaning of Kafka's topic property of that name.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `segment.bytes`: the largest size of a segment file.
    pub segment_bytes: u32,
    /// `segment.ms`: how far a record's timestamp may lie behind the segment's first before the segment is rolled.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: the most that is taken off `segment_ms`, drawn for each segment, so that partitions do not all roll
    /// at once.
    pub segment_jitter_ms: i64,
    /// `index.interval.bytes`: log bytes between two index entries.
    pub index_interval_bytes: u32,
    /// `segment.index.bytes`: the largest size of an index file.
    pub index_max_bytes: u32,
    /// `flush.messages`: records that may be acknowledged without a sync; 1 syncs before every answer, `u64::MAX` and
    /// `i64::MAX as u64` never.
    pub flush_messages: u64,
    /// `flush.ms`: the longest a record waits for a sync in milliseconds; `i64::MAX` never.
    pub flush_ms: i64,
    /// `message.timestamp.type`: whether batches are stamped with the time of the append.
    pub timestamp_type: TimestampType,
    /// `producer.id.expiration.ms`: how long a silent producer is remembered.
    pub producer_id_expiration_ms: i64,
    /// `cleanup.policy` has delete: `retention_ms` and `retention_bytes` count.
    pub delete: bool,
    /// `retention.ms`: how old a segment may become; negative is without end.
    pub retention_ms: i64,
    /// `retention.bytes`: how many bytes the log keeps at least when it grows; negative is without end.
    pub retention_bytes: i64,
    /// `file.delete.delay.ms`: how long a file without its name is kept.
    pub file_delete_delay_ms: u64,
    /// `preallocate`: whether a new segment's blocks are reserved at once.
    pub preallocate: bool,
}

impl Default for LogConfig {
    /// Kafka's defaults.
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3600 * 1000,
            segment_jitter_ms: 0,
            index_interval_bytes: 4096,
            index_max_bytes: 10 << 20,
            flush_messages: i64::MAX as u64,
            flush_ms: i64::MAX,
            timestamp_type: TimestampType::CreateTime,
            producer_id_expiration_ms: 24 * 3600 * 1000,
            delete: true,
            retention_ms: 7 * 24 * 3600 * 1000,
            retention_bytes: -1,
            file_delete_delay_ms: 60_000,
            preallocate: false,
        }
    }
}
