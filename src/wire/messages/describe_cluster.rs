//! DescribeCluster (key 60): brokers and controller (KIP-700). Flexible from version 0 on.
//!
//! | version | change |
//! |---|---|
//! | 1 | endpoint type, both ways (KIP-919) |
//! | 2 | fenced brokers (KIP-1073) |

use super::metadata::OPERATIONS_NOT_ASKED;
use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for DescribeClusterRequest {
    const KEY: ApiKey = ApiKey::DescribeCluster;
    type Response = DescribeClusterResponse;
}

schema! {
    /// Asks for the cluster.
    message DescribeClusterRequest (versions 0..=2, flexible 0) {
        /// Whether to say what the client may do with the cluster.
        include_cluster_authorized_operations: bool [0..],
        /// 1 asks for brokers, 2 for controllers.
        endpoint_type: i8 [1..] = 1,
        /// Whether to list fenced brokers too.
        include_fenced_brokers: bool [2..],
    }

    /// The cluster.
    message DescribeClusterResponse (versions 0..=2, flexible 0) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why it cannot be described.
        error_code: ErrorCode [0..],
        /// The same in words.
        error_message: Option<Text> [0..],
        /// 1: the nodes are brokers, 2: controllers.
        endpoint_type: i8 [1..] = 1,
        /// The cluster's id.
        cluster_id: Text [0..],
        /// Node id of the controller, or -1.
        controller_id: i32 [0..] = -1,
        /// The nodes.
        brokers: Vec<DescribeClusterBroker> [0..],
        /// Bit field of what the client may do with the cluster.
        cluster_authorized_operations: i32 [0..] = OPERATIONS_NOT_ASKED,
    }

    /// A node and where to reach it.
    struct DescribeClusterBroker {
        /// Its node id.
        broker_id: i32 [0..],
        /// Its host.
        host: Text [0..],
        /// Its port.
        port: i32 [0..],
        /// Its rack.
        rack: Option<Text> [0..],
        /// Whether it is fenced.
        is_fenced: bool [2..],
    }
}
