//! What a core does from time to time.

use super::Shard;
use crate::limits;
use crate::types::TimestampMs;
use std::rc::Rc;

impl Shard {
    /// Forgets idempotent producers that have been silent for `producer.id.expiration.ms`, for as long as the core runs.
    pub async fn expire_producers_for_ever(self: Rc<Self>) {
        loop {
            glommio::timer::sleep(limits::PRODUCER_EXPIRY_CHECK).await;
            let partitions: Vec<_> = self.partitions.borrow().values().cloned().collect();
            for partition in partitions {
                partition.log.expire_producers(TimestampMs::now());
                glommio::executor().yield_if_needed().await;
            }
        }
    }
}
