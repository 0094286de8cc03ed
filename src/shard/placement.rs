//! Which core owns a partition.
//!
//! Stable for a topic id and a number of cores: consecutive partitions of a topic go to consecutive cores, so that one topic is
//! spread as evenly as it can be, and topics begin at different cores.

use crate::types::{PartitionKey, ShardId};

/// The owner of `key` among `cores` cores.
pub fn owner(key: &PartitionKey, cores: usize) -> ShardId {
    let (high, low) = key.topic_id.as_u64_pair();
    let first = (high ^ low) % cores as u64;
    let index = u64::from(key.partition.unsigned_abs());
    ShardId(((first + index) % cores as u64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TopicId;
    use std::collections::HashMap;

    #[test]
    fn partitions_of_one_topic_are_spread_evenly_over_the_cores() {
        for cores in 1..=7 {
            let topic_id = TopicId::from_u128(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);
            let mut load: HashMap<ShardId, usize> = HashMap::new();
            for partition in 0..100 {
                let key = PartitionKey {
                    topic_id,
                    partition,
                };
                *load.entry(owner(&key, cores)).or_default() += 1;
            }
            let (least, most) = (load.values().min().unwrap(), load.values().max().unwrap());
            assert!(load.len() == cores && most - least <= 1, "{load:?}");
        }
    }
}
