//! DescribeLogDirs (key 35): a broker's data directories, and how large its partitions are.
//!
//! | version | change |
//! |---|---|
//! | 1 | as 0 |
//! | 2 | flexible |
//! | 3 | response: error code of the whole |
//! | 4 | response: size of the volume |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DescribeLogDirsRequest {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
    type Response = DescribeLogDirsResponse;
}

schema! {
    /// Asks for partitions.
    message DescribeLogDirsRequest (versions 0..=4, flexible 2) {
        /// Of which topics; null is all.
        topics: Option<Vec<DescribableLogDirTopic>> [0..],
    }

    /// A topic.
    struct DescribableLogDirTopic {
        /// Its name.
        topic: Text [0..],
        /// Which partitions.
        partitions: Vec<i32> [0..],
    }

    /// The directories.
    message DescribeLogDirsResponse (versions 0..=4, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why there are none.
        error_code: ErrorCode [3..],
        /// One for each.
        results: Vec<DescribeLogDirsResult> [0..],
    }

    /// A directory.
    struct DescribeLogDirsResult {
        /// Why it cannot be read.
        error_code: ErrorCode [0..],
        /// Its path.
        log_dir: Text [0..],
        /// The topics in it.
        topics: Vec<DescribeLogDirsTopic> [0..],
        /// Bytes of its volume, or -1.
        total_bytes: i64 [4..] = -1,
        /// Free bytes of its volume, or -1.
        usable_bytes: i64 [4..] = -1,
    }

    /// A topic.
    struct DescribeLogDirsTopic {
        /// Its name.
        name: Text [0..],
        /// One for each partition.
        partitions: Vec<DescribeLogDirsPartition> [0..],
    }

    /// A partition.
    struct DescribeLogDirsPartition {
        /// Its index.
        partition_index: i32 [0..],
        /// Bytes of its segments.
        partition_size: i64 [0..],
        /// How far its log end offset is behind the high watermark.
        offset_lag: i64 [0..],
        /// Whether it is being moved here.
        is_future_key: bool [0..],
    }
}
