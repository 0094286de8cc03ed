//! What only a core itself can say of its state, made when it is asked.

use serde::{Deserialize, Serialize};

/// A core's state at one moment.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CoreReport {
    /// Which question this answers.
    #[serde(skip)]
    pub question: u8,
    /// Partitions that the core owns and serves; told one by one only to whoever asks for them.
    #[serde(skip)]
    pub partitions: Vec<PartitionRow>,
    /// How many these are.
    pub partition_count: u64,
    /// Partitions of the core whose log could not be opened.
    pub offline: u64,
    /// Partitions that take no records: read-only after a failure, or without room.
    pub read_only: u64,
    /// Bytes that are staged and not yet written.
    pub staged_bytes: u64,
    /// Bytes of request frames in memory.
    pub frame_bytes: u64,
    /// Messages to other cores that wait for room.
    pub mesh_waiting: u64,
    /// Fetches of the core's connections that wait for records.
    pub fetches_waiting: u64,
    /// Topics of the whole broker.
    pub topics: u64,
    /// Partitions of the whole broker.
    pub all_partitions: u64,
    /// Times the executor's scheduler chose what to run.
    pub scheduler_runs: u64,
    /// Tasks that were run.
    pub tasks_run: u64,
    /// Time spent in tasks and in reaping completions, in nanoseconds: without sleep and without spinning.
    pub busy_ns: u64,
    /// File reads through the ring, and their bytes.
    pub ring_reads: (u64, u64),
    /// File writes through the ring, and their bytes.
    pub ring_writes: (u64, u64),
}

/// One partition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartitionRow {
    /// Name of the topic.
    pub topic: String,
    /// Number in the topic.
    pub partition: i32,
    /// First offset.
    pub log_start_offset: i64,
    /// Offset after the last record.
    pub log_end_offset: i64,
    /// Consumers see offsets below.
    pub high_watermark: i64,
    /// Bytes of all segments.
    pub size_bytes: u64,
    /// How many segments.
    pub segments: u64,
}
