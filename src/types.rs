//! The words every room uses. Newtypes where two integers could be confused.
//!
//! Leaf: knows nothing of the runtime, the wire or the disk.

pub mod kafka_uuid;

use std::fmt;
use std::ops::{Add, Sub};

/// A record's position in its partition: 0 for the first record ever, +1 for each that follows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Offset(pub i64);

impl Offset {
    /// The first offset of a new partition.
    pub const ZERO: Offset = Offset(0);
}

impl Add<i64> for Offset {
    type Output = Offset;
    fn add(self, records: i64) -> Offset {
        Offset(self.0 + records)
    }
}

impl Sub for Offset {
    type Output = i64;
    /// The number of offsets between two positions.
    fn sub(self, other: Offset) -> i64 {
        self.0 - other.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A byte position in one file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct FilePosition(pub u64);

impl fmt::Display for FilePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often a partition's leadership has changed hands; stamped on every batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct LeaderEpoch(pub i32);

/// One core of the broker: 0 up to the number of cores, exclusive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct ShardId(pub usize);

/// Milliseconds since 1970-01-01 UTC, as record timestamps have it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct TimestampMs(pub i64);

impl TimestampMs {
    /// The wall clock now.
    pub fn now() -> TimestampMs {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        TimestampMs(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A topic's identity for its whole life; a recreated topic has another one.
pub type TopicId = uuid::Uuid;

/// A partition by identity: what a core owns and what requests are routed by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PartitionKey {
    /// The topic's id.
    pub topic_id: TopicId,
    /// The partition's index in the topic, from 0.
    pub partition: i32,
}
