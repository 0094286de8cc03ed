//! Where the leader is now: structures that Produce and Fetch share (KIP-951), sent with NOT_LEADER_OR_FOLLOWER and
//! FENCED_LEADER_EPOCH so that clients need not ask Metadata.

use crate::wire::Text;
use crate::wire::schema::schema;

schema! {
    /// The current leader of a partition.
    struct LeaderIdAndEpoch {
        /// Its node id, or -1.
        leader_id: i32 [0..] = -1,
        /// Its epoch, or -1.
        leader_epoch: i32 [0..] = -1,
    }

    /// Where to reach a leader.
    struct NodeEndpoint {
        /// Its node id.
        node_id: i32 [0..],
        /// Its host.
        host: Text [0..],
        /// Its port.
        port: i32 [0..],
        /// Its rack.
        rack: Option<Text> [0..],
    }
}
