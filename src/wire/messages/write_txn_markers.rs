//! WriteTxnMarkers (key 27): the ends of transactions, to the partitions that took part.
//!
//! | version | change |
//! |---|---|
//! | 1 | flexible |
//! | 2 | request: the coordinator's `transaction.version` (KIP-1228) |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for WriteTxnMarkersRequest {
    const KEY: ApiKey = ApiKey::WriteTxnMarkers;
    type Response = WriteTxnMarkersResponse;
}

schema! {
    /// Markers to write.
    message WriteTxnMarkersRequest (versions 0..=2, flexible 1) {
        /// One of each transaction.
        markers: Vec<WritableTxnMarker> [0..],
    }

    /// The end of a transaction.
    struct WritableTxnMarker {
        /// Its producer.
        producer_id: i64 [0..],
        /// The producer's epoch.
        producer_epoch: i16 [0..],
        /// Committed, or aborted.
        transaction_result: bool [0..],
        /// Where its records are.
        topics: Vec<WritableTxnMarkerTopic> [0..],
        /// The epoch of the coordinator that decided.
        coordinator_epoch: i32 [0..],
        /// `transaction.version` of that coordinator.
        transaction_version: i8 [2..],
    }

    /// A topic.
    struct WritableTxnMarkerTopic {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partition_indexes: Vec<i32> [0..],
    }

    /// What became of the markers.
    message WriteTxnMarkersResponse (versions 0..=2, flexible 1) {
        /// By transaction.
        markers: Vec<WritableTxnMarkerResult> [0..],
    }

    /// A transaction.
    struct WritableTxnMarkerResult {
        /// Its producer.
        producer_id: i64 [0..],
        /// The topics.
        topics: Vec<WritableTxnMarkerTopicResult> [0..],
    }

    /// A topic.
    struct WritableTxnMarkerTopicResult {
        /// Its name.
        name: Text [0..],
        /// Its partitions.
        partitions: Vec<WritableTxnMarkerPartitionResult> [0..],
    }

    /// A partition.
    struct WritableTxnMarkerPartitionResult {
        /// Its index.
        partition_index: i32 [0..],
        /// Why it has no marker.
        error_code: ErrorCode [0..],
    }
}
