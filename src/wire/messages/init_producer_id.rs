//! InitProducerId (key 22): an identity for an idempotent or transactional producer.
//!
//! | version | change |
//! |---|---|
//! | 2 | flexible |
//! | 3 | request: the id and epoch the producer has, to go on with (KIP-360) |
//! | 4, 5 | PRODUCER_FENCED; TRANSACTION_ABORTABLE |

use crate::wire::error_code::ErrorCode;
use crate::wire::schema::{Request, schema};
use crate::wire::{ApiKey, Text};

impl Request for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;
    type Response = InitProducerIdResponse;
}

schema! {
    /// Asks for a producer id.
    message InitProducerIdRequest (versions 0..=5, flexible 2) {
        /// The transactional id; null for an idempotent producer.
        transactional_id: Option<Text> [0..],
        /// How long a transaction may stay open, in milliseconds.
        transaction_timeout_ms: i32 [0..],
        /// The id the producer has, or -1.
        producer_id: i64 [3..] = -1,
        /// The epoch the producer has, or -1.
        producer_epoch: i16 [3..] = -1,
    }

    /// A producer id.
    message InitProducerIdResponse (versions 0..=5, flexible 2) {
        /// How long the client is being held back, in milliseconds.
        throttle_time_ms: i32 [0..],
        /// Why there is none.
        error_code: ErrorCode [0..],
        /// The id, or -1.
        producer_id: i64 [0..] = -1,
        /// Its epoch.
        producer_epoch: i16 [0..],
    }
}
