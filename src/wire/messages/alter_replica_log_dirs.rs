//! AlterReplicaLogDirs (key 34): which data directory a partition lies in (KIP-113).
//!
//! | version | change |
//! |---|---|
//! | 2 | flexible |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for AlterReplicaLogDirsRequest {
    const KEY: ApiKey = ApiKey::AlterReplicaLogDirs;
    type Response = AlterReplicaLogDirsResponse;
}

schema! {
    /// Directories and what is to lie there.
    message AlterReplicaLogDirsRequest (versions 0..=2, flexible 2) {
        /// The directories.
        dirs: Vec<AlterReplicaLogDir> [0..],
    }

    /// A directory.
    struct AlterReplicaLogDir {
        /// Its absolute path.
        path: Text [0..],
        /// The topics.
        topics: Vec<AlterReplicaLogDirTopic> [0..],
    }

    /// A topic.
    struct AlterReplicaLogDirTopic {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<i32> [0..],
    }

    /// What became of each partition.
    message AlterReplicaLogDirsResponse (versions 0..=2, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// The topics.
        results: Vec<AlterReplicaLogDirTopicResult> [0..],
    }

    /// A topic.
    struct AlterReplicaLogDirTopicResult {
        /// Its name.
        topic_name: Text [0..],
        /// Its partitions.
        partitions: Vec<AlterReplicaLogDirPartitionResult> [0..],
    }

    /// A partition.
    struct AlterReplicaLogDirPartitionResult {
        /// Its index.
        partition_index: i32 [0..],
        /// Why it stays where it is.
        error_code: ErrorCode [0..],
    }
}
