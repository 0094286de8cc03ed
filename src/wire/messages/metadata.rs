//! Metadata (key 3): brokers, topics, partitions and who leads them.
//!
//! | version | change |
//! |---|---|
//! | 1 | request: null asks for all topics, an empty array for none (in 0 empty asks for all); response: racks, controller, internal flag |
//! | 2, 3 | response: cluster id; throttle time |
//! | 4 | request: whether to create topics |
//! | 5, 7 | response: offline replicas; leader epoch |
//! | 8 | authorized operations of cluster (8 to 10) and topic |
//! | 9 | flexible |
//! | 10 | topic ids; 12: a topic may be asked for by id alone |
//! | 13 | response: error code of the whole request (KIP-1102) |

use uuid::Uuid;

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
    type Response = MetadataResponse;
}

/// An authorized-operations field that was not asked for.
pub const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

schema! {
    /// Asks for brokers and topics.
    message MetadataRequest (versions 0..=13, flexible 9) {
        /// Which topics; null is all.
        topics: Option<Vec<MetadataRequestTopic>> [0..] nullable [1..] = Some(Vec::new()),
        /// Whether topics that do not exist may be created.
        allow_auto_topic_creation: bool [4..] = true,
        /// Whether to say what the client may do with the cluster.
        include_cluster_authorized_operations: bool [8..=10],
        /// Whether to say what the client may do with each topic.
        include_topic_authorized_operations: bool [8..],
    }

    /// A topic asked for, by id or by name.
    struct MetadataRequestTopic {
        /// Its id; zero when asked for by name.
        topic_id: Uuid [10..],
        /// Its name; null when asked for by id.
        name: Option<Text> [0..] nullable [10..] = Some(Text::EMPTY),
    }

    /// Brokers and topics.
    message MetadataResponse (versions 0..=13, flexible 9) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [3..],
        /// Brokers that are alive.
        brokers: Vec<MetadataResponseBroker> [0..],
        /// The cluster's id.
        cluster_id: Option<Text> [2..],
        /// Node id of the controller, or -1.
        controller_id: i32 [1..] = -1,
        /// The topics asked for.
        topics: Vec<MetadataResponseTopic> [0..],
        /// Bit field of what the client may do with the cluster.
        cluster_authorized_operations: i32 [8..=10] = OPERATIONS_NOT_ASKED,
        /// An error of the whole request.
        error_code: ErrorCode [13..],
    }

    /// A broker and where to reach it.
    struct MetadataResponseBroker {
        /// Its node id.
        node_id: i32 [0..],
        /// Its host.
        host: Text [0..],
        /// Its port.
        port: i32 [0..],
        /// Its rack.
        rack: Option<Text> [1..],
    }

    /// A topic.
    struct MetadataResponseTopic {
        /// Why the topic cannot be described.
        error_code: ErrorCode [0..],
        /// Its name; null when an id asked for is unknown.
        name: Option<Text> [0..] nullable [12..] = Some(Text::EMPTY),
        /// Its id.
        topic_id: Uuid [10..],
        /// Whether it is one of the broker's own.
        is_internal: bool [1..],
        /// Its partitions.
        partitions: Vec<MetadataResponsePartition> [0..],
        /// Bit field of what the client may do with the topic.
        topic_authorized_operations: i32 [8..] = OPERATIONS_NOT_ASKED,
    }

    /// A partition.
    struct MetadataResponsePartition {
        /// Why the partition cannot be used.
        error_code: ErrorCode [0..],
        /// Its index.
        partition_index: i32 [0..],
        /// Node id of its leader, or -1.
        leader_id: i32 [0..],
        /// Epoch of that leader, or -1.
        leader_epoch: i32 [7..] = -1,
        /// Node ids of all replicas.
        replica_nodes: Vec<i32> [0..],
        /// Node ids of the replicas in sync.
        isr_nodes: Vec<i32> [0..],
        /// Node ids of the replicas that are offline.
        offline_replicas: Vec<i32> [5..],
    }
}
