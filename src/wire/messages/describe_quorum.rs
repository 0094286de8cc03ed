//! DescribeQuorum (key 55): who replicates the metadata log (KIP-595). Flexible from version 0 on.
//!
//! | version | change |
//! |---|---|
//! | 1 | response: when each replica fetched and had caught up (KIP-836) |
//! | 2 | response: words for errors, directories, addresses of the nodes (KIP-853) |

use uuid::Uuid;

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DescribeQuorumRequest {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
    type Response = DescribeQuorumResponse;
}

schema! {
    /// Partitions whose quorum is asked for.
    message DescribeQuorumRequest (versions 0..=2, flexible 0) {
        /// The topics.
        topics: Vec<RequestedTopic> [0..],
    }

    /// A topic.
    struct RequestedTopic {
        /// Its name.
        topic_name: Text [0..],
        /// Its partitions.
        partitions: Vec<RequestedPartition> [0..],
    }

    /// A partition.
    struct RequestedPartition {
        /// Its index.
        partition_index: i32 [0..],
    }

    /// The quorums.
    message DescribeQuorumResponse (versions 0..=2, flexible 0) {
        /// Why nothing can be told.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [2..],
        /// The topics.
        topics: Vec<TopicData> [0..],
        /// The nodes that vote.
        nodes: Vec<Node> [2..],
    }

    /// A topic.
    struct TopicData {
        /// Its name.
        topic_name: Text [0..],
        /// Its partitions.
        partitions: Vec<PartitionData> [0..],
    }

    /// A partition.
    struct PartitionData {
        /// Its index.
        partition_index: i32 [0..],
        /// Why nothing can be told of it.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [2..],
        /// Node id of its leader, or -1.
        leader_id: i32 [0..],
        /// The leader's epoch.
        leader_epoch: i32 [0..],
        /// Its high watermark.
        high_watermark: i64 [0..],
        /// Those who vote.
        current_voters: Vec<ReplicaState> [0..],
        /// Those who only follow.
        observers: Vec<ReplicaState> [0..],
    }

    /// A replica.
    struct ReplicaState {
        /// Its node id.
        replica_id: i32 [0..],
        /// Id of its data directory.
        replica_directory_id: Uuid [2..],
        /// Its log end offset, or -1.
        log_end_offset: i64 [0..],
        /// When the leader last heard of it, in milliseconds, or -1.
        last_fetch_timestamp: i64 [1..] = -1,
        /// When it last had everything, in milliseconds, or -1.
        last_caught_up_timestamp: i64 [1..] = -1,
    }

    /// A node that votes.
    struct Node {
        /// Its node id.
        node_id: i32 [2..],
        /// Where it is reached.
        listeners: Vec<Listener> [2..],
    }

    /// An address.
    struct Listener {
        /// Name of the listener.
        name: Text [2..],
        /// Its host.
        host: Text [2..],
        /// Its port.
        port: u16 [2..],
    }
}
