//! DescribeLogDirs (key 35): data directories and the sizes of the partitions in them.
//!
//! | version | change |
//! |---|---|
//! | 2 | flexible |
//! | 3 | response: error code of the whole |
//! | 4 | response: size of the volume (KIP-827) |
//! | 5 | response: whether the directory takes no new partitions (KIP-1066) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DescribeLogDirsRequest {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
    type Response = DescribeLogDirsResponse;
}

schema! {
    /// Asks for the data directories.
    message DescribeLogDirsRequest (versions 0..=5, flexible 2) {
        /// The topics to tell of; null is all.
        topics: Option<Vec<DescribableLogDirTopic>> [0..],
    }

    /// A topic.
    struct DescribableLogDirTopic {
        /// Its name.
        topic: Text [0..],
        /// Its partitions.
        partitions: Vec<i32> [0..],
    }

    /// The data directories.
    message DescribeLogDirsResponse (versions 0..=5, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why nothing can be told.
        error_code: ErrorCode [3..],
        /// The directories.
        results: Vec<DescribeLogDirsResult> [0..],
    }

    /// A directory.
    struct DescribeLogDirsResult {
        /// Why nothing can be told of it.
        error_code: ErrorCode [0..],
        /// Its absolute path.
        log_dir: Text [0..],
        /// The topics with partitions in it.
        topics: Vec<DescribeLogDirsTopic> [0..],
        /// Size of its volume in bytes, or -1.
        total_bytes: i64 [4..] = -1,
        /// What is free on it, in bytes, or -1.
        usable_bytes: i64 [4..] = -1,
        /// Whether it takes no new partitions.
        is_cordoned: bool [5..],
    }

    /// A topic.
    struct DescribeLogDirsTopic {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<DescribeLogDirsPartition> [0..],
    }

    /// A partition.
    struct DescribeLogDirsPartition {
        /// Its index.
        partition_index: i32 [0..],
        /// The size of its segments, in bytes.
        partition_size: i64 [0..],
        /// How far it is behind the high watermark, or a future replica behind the current one.
        offset_lag: i64 [0..],
        /// Whether it is on its way into this directory.
        is_future_key: bool [0..],
    }
}
