//! The newest offset of each key, in memory of a size that is fixed beforehand.
//!
//! One flat allocation of slots of 24 bytes, as Kafka's `SkimpyOffsetMap` has it: 16 bytes of the key's hash, 8 of the offset. The
//! key itself is not kept. The hash is SipHash of 128 bits under a secret drawn for each map: two keys meet by chance once in
//! 2^64 keys, and nobody who chooses keys can make them meet.

use std::hash::{BuildHasher, Hasher, RandomState};

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::types::Offset;

/// Bytes of one slot.
pub(super) const SLOT_BYTES: usize = size_of::<Slot>();

/// Hash and offset + 1; an offset field of 0 is a free slot.
type Slot = [u64; 3];

const OFFSET: usize = 2;

/// The map.
pub(super) struct OffsetMap {
    slots: Vec<Slot>,
    taken: usize,
    /// As many keys as may go in, so that looking for one stays short.
    most: usize,
    secret: SipHasher24,
    latest_offset: Option<Offset>,
}

impl OffsetMap {
    /// A map in `bytes` of memory, filled up to the share `load_factor`; in less memory if `keys` fit into less.
    pub(super) fn new(bytes: usize, load_factor: f64, keys: u64) -> OffsetMap {
        let load_factor = load_factor.clamp(0.01, 0.99);
        let affordable = bytes / SLOT_BYTES;
        let wanted = ((keys as f64 / load_factor).ceil() as usize).saturating_add(2);
        let slots = affordable.min(wanted);
        let random = RandomState::new();
        OffsetMap {
            most: (slots as f64 * load_factor) as usize,
            slots: vec![[0; 3]; slots],
            taken: 0,
            secret: SipHasher24::new_with_keys(random.hash_one(0), random.hash_one(1)),
            latest_offset: None,
        }
    }

    /// Remembers `offset`, which is the newest so far, for `key`. False, and nothing is remembered, once the map is full.
    pub(super) fn put(&mut self, key: &[u8], offset: Offset) -> bool {
        if self.taken >= self.most {
            return false;
        }
        let (at, hash) = self.find(key);
        self.taken += usize::from(self.slots[at][OFFSET] == 0);
        self.slots[at] = [hash.0, hash.1, offset.0 as u64 + 1];
        self.covers_up_to(offset);
        true
    }

    /// The newest offset of `key`, if it was met.
    pub(super) fn get(&self, key: &[u8]) -> Option<Offset> {
        if self.taken == 0 {
            return None;
        }
        let (at, _) = self.find(key);
        let stored = self.slots[at][OFFSET];
        Some(Offset(stored.checked_sub(1)? as i64))
    }

    /// Everything up to `offset` has been looked at.
    pub(super) fn covers_up_to(&mut self, offset: Offset) {
        self.latest_offset = self.latest_offset.max(Some(offset));
    }

    /// The last offset that the map knows about.
    pub(super) fn latest_offset(&self) -> Option<Offset> {
        self.latest_offset
    }

    /// How many keys it holds.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// How many it may hold.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The slot of `key`, or the free one where it belongs. One is always free.
    fn find(&self, key: &[u8]) -> (usize, (u64, u64)) {
        let mut hasher = self.secret;
        hasher.write(key);
        let hash = hasher.finish128();
        let hash = (hash.h1, hash.h2);
        let slots = self.slots.len();
        let mut at = ((u128::from(hash.0) * slots as u128) >> 64) as usize;
        loop {
            let slot = &self.slots[at];
            if slot[OFFSET] == 0 || (slot[0], slot[1]) == hash {
                return (at, hash);
            }
            at = if at + 1 == slots { 0 } else { at + 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn the_newest_offset_of_each_key_is_found_and_no_other_key() {
        let mut map = OffsetMap::new(SLOT_BYTES * 4_000, 0.9, u64::MAX);
        let mut model = HashMap::new();
        for n in 0..9_000_u64 {
            let key = (n * n % 3_001).to_be_bytes();
            assert!(map.put(&key, Offset(n as i64)));
            model.insert(key, Offset(n as i64));
        }
        assert_eq!(map.len(), model.len());
        for n in 0..4_000_u64 {
            let key = n.to_be_bytes();
            assert_eq!(map.get(&key), model.get(&key).copied(), "{n}");
        }
        assert_eq!(map.get(b""), None);
        assert_eq!(map.latest_offset(), Some(Offset(8_999)));
    }

    #[test]
    fn a_full_map_takes_nothing_more_and_keeps_what_it_has() {
        let mut map = OffsetMap::new(SLOT_BYTES * 100, 0.5, u64::MAX);
        for n in 0..50_u8 {
            assert!(map.put(&[n], Offset(n.into())));
        }
        assert!(!map.put(&[50], Offset(50)));
        assert_eq!((map.len(), map.most()), (50, 50));
        assert_eq!(map.latest_offset(), Some(Offset(49)));
        assert_eq!(map.get(&[49]), Some(Offset(49)));
        assert_eq!(map.get(&[50]), None);
    }

    #[test]
    fn a_map_for_few_keys_takes_little_memory() {
        let map = OffsetMap::new(128 << 20, 0.9, 10);
        assert!(map.slots.len() < 20 && map.most() >= 10);
    }

    #[test]
    fn memory_for_no_key_makes_a_map_that_is_full_from_the_start() {
        let mut map = OffsetMap::new(SLOT_BYTES, 0.9, 10);
        assert!(!map.put(b"k", Offset(0)));
        assert_eq!(map.get(b"k"), None);
    }

    #[test]
    fn two_maps_place_keys_differently() {
        let place = |map: &OffsetMap| map.find(b"key").1;
        let (one, other) = (OffsetMap::new(4096, 0.5, 9), OffsetMap::new(4096, 0.5, 9));
        assert_ne!(place(&one), place(&other));
    }
}
