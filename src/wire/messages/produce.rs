//! Produce (key 0): record batches to append.
//!
//! | version | change |
//! |---|---|
//! | 1, 2 | response: throttle time; log append time |
//! | 3 | request: transactional id; record batches of format 2 |
//! | 5 | response: log start offset |
//! | 7 | records may be compressed with zstd |
//! | 8 | response: which records were refused and why (KIP-467) |
//! | 9 | flexible |
//! | 10 | response: the current leader and its endpoint (KIP-951) |
//! | 11, 12 | TRANSACTION_ABORTABLE; partitions join a transaction by being produced to (KIP-890) |
//! | 13 | topic ids in place of names (KIP-516) |

use uuid::Uuid;

use super::leaders::{LeaderIdAndEpoch, NodeEndpoint};
use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Records, Text};

impl Request for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;
    type Response = ProduceResponse;
}

schema! {
    /// Record batches for some partitions.
    message ProduceRequest (versions 0..=13, flexible 9) {
        /// The transaction's id, when there is one.
        transactional_id: Option<Text> [3..],
        /// Acknowledgements wanted: 0 none (and no answer), 1 the leader's, -1 that of all in-sync replicas.
        acks: i16 [0..],
        /// How long to wait for them, in milliseconds.
        timeout_ms: i32 [0..],
        /// The topics.
        topic_data: Vec<TopicProduceData> [0..],
    }

    /// A topic to append to.
    struct TopicProduceData {
        /// Its name.
        name: Text [0..=12],
        /// Its id.
        topic_id: Uuid [13..],
        /// Its partitions.
        partition_data: Vec<PartitionProduceData> [0..],
    }

    /// A partition to append to.
    struct PartitionProduceData {
        /// Its index.
        index: i32 [0..],
        /// What to append.
        records: Records [0..],
    }

    /// What became of each partition.
    message ProduceResponse (versions 0..=13, flexible 9) {
        /// The topics, as in the request.
        responses: Vec<TopicProduceResponse> [0..],
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [1..],
        /// Where to reach the leaders named in the partitions.
        node_endpoints: Vec<NodeEndpoint> [10..] tag 0,
    }

    /// A topic.
    struct TopicProduceResponse {
        /// Its name.
        name: Text [0..=12],
        /// Its id.
        topic_id: Uuid [13..],
        /// Its partitions.
        partition_responses: Vec<PartitionProduceResponse> [0..],
    }

    /// A partition.
    struct PartitionProduceResponse {
        /// Its index.
        index: i32 [0..],
        /// Why nothing was appended.
        error_code: ErrorCode [0..],
        /// Offset of the first record appended, or -1.
        base_offset: i64 [0..],
        /// The broker's time stamped on the records, or -1 when the producer's was kept.
        log_append_time_ms: i64 [2..] = -1,
        /// First offset of the log, or -1.
        log_start_offset: i64 [5..] = -1,
        /// Records that made the batch be refused.
        record_errors: Vec<BatchIndexAndErrorMessage> [8..],
        /// Why the batch was refused, in words.
        error_message: Option<Text> [8..],
        /// The leader to go to instead.
        current_leader: LeaderIdAndEpoch [10..] tag 0,
    }

    /// A record that made its batch be refused.
    struct BatchIndexAndErrorMessage {
        /// Its index in the batch.
        batch_index: i32 [8..],
        /// What is wrong with it.
        batch_index_error_message: Option<Text> [8..],
    }
}
