//! Which partition a record goes to: by key as every Kafka client would, without a key one partition for a whole batch.
//!
//! Pure. The hash is murmur2 in the variant of Kafka's Java client (`Utils.murmur2`): equal keys must meet in one
//! partition whichever client sent them.

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;
const ROTATION: u32 = 24;

/// The partition of a record with this key, of `partitions` many (at least one).
///
/// # Panics
/// If `partitions` is 0: a topic has at least one.
pub fn partition_for_key(key: &[u8], partitions: u32) -> u32 {
    assert!(partitions > 0, "a topic has at least one partition");
    (murmur2(key) & 0x7fff_ffff) % partitions
}

/// Austin Appleby's MurmurHash2, 32 bits, seeded and byte-ordered (little-endian) as Kafka does it.
pub fn murmur2(data: &[u8]) -> u32 {
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k =
            u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(MULTIPLIER);
        k ^= k >> ROTATION;
        hash = hash.wrapping_mul(MULTIPLIER) ^ k.wrapping_mul(MULTIPLIER);
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        for (index, &byte) in tail.iter().enumerate() {
            hash ^= u32::from(byte) << (8 * index);
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

/// The partition of records without a key: the same until its batch has gone, then the next.
#[derive(Debug, Clone)]
pub struct StickyPartition {
    current: u32,
}

impl StickyPartition {
    /// Starts at a partition that `seed` chooses, so that many short-lived producers do not all start at 0.
    pub fn new(seed: u32) -> StickyPartition {
        StickyPartition { current: seed }
    }

    /// The partition to use now, of `partitions` many.
    ///
    /// # Panics
    /// If `partitions` is 0.
    pub fn current(&self, partitions: u32) -> u32 {
        assert!(partitions > 0, "a topic has at least one partition");
        self.current % partitions
    }

    /// A batch of `partition` was closed: go on with the next one, if that was ours.
    pub fn batch_closed(&mut self, partition: u32, partitions: u32) {
        if self.current(partitions) == partition {
            self.current = (partition + 1) % partitions;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected numbers were printed by Apache Kafka 4.3's `Utils.murmur2`.
    #[test]
    fn hashes_are_those_of_the_java_client() {
        for (key, hash) in [
            ("", 275646681_i32),
            ("v", 353328881),
            ("vl", 2135559234),
            ("vlt", -590728959),
            ("vlta", -565244349),
            ("Vltava", 1483807100),
            ("Smetana 1874", 1603161103),
            ("příliš žluťoučký kůň", 112925987),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key:?}");
        }
        assert_eq!(murmur2(&[0xff, 0xfe, 0x80, 0x7f, 0xfd]) as i32, -689892247);
    }

    #[test]
    fn keys_of_every_tail_length_stay_within_the_partitions() {
        let key = [0xffu8; 9];
        for length in 0..=key.len() {
            for partitions in [1, 2, 7, 1000] {
                assert!(partition_for_key(&key[..length], partitions) < partitions);
            }
        }
    }

    #[test]
    fn records_without_a_key_change_partition_only_when_their_batch_is_closed() {
        let mut sticky = StickyPartition::new(5);
        assert_eq!(sticky.current(3), 2);
        sticky.batch_closed(1, 3);
        assert_eq!(sticky.current(3), 2);
        sticky.batch_closed(2, 3);
        assert_eq!(sticky.current(3), 0);
    }
}
