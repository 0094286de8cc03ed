//! Positions that were committed in a transaction: they count when it commits, and are forgotten when it aborts.
//!
//! They are held from the moment they are on their way to the log, so that nobody who asks for stable positions misses them. Of
//! two positions the one that is later in the log wins: a plain commit behind a transaction's is not undone by the transaction's
//! end (Kafka's `OffsetMetadataManager`).

use super::coordinator::Coordinator;
use super::offsets::Position;
use super::outbox::Key;
use super::state::Group;

impl Coordinator {
    /// What the producer's transaction committed counts now, or is forgotten.
    pub(super) fn settle(&mut self, producer_id: i64, committed: bool) {
        for name in self.transactions.remove(&producer_id).unwrap_or_default() {
            if let Some(group) = self.groups.get_mut(&name) {
                group.settle(producer_id, committed);
            }
            self.drop_if_void(&name);
        }
    }
}

impl Group {
    /// Holds a position until the producer's transaction ends.
    pub fn hold(&mut self, producer_id: i64, key: Key, position: Position) {
        let held = self.held.entry(producer_id).or_default();
        held.insert(key, position);
    }

    /// Whether a transaction is about to commit a position there.
    pub fn is_held(&self, key: &Key) -> bool {
        self.held.values().any(|held| held.contains_key(key))
    }

    /// Positions could not be written.
    pub fn drop_held(&mut self, producer_id: i64, positions: &[(Key, Position)]) {
        if let Some(held) = self.held.get_mut(&producer_id) {
            held.retain(|key, position| !positions.contains(&(key.clone(), position.clone())));
            if held.is_empty() {
                self.held.remove(&producer_id);
            }
        }
    }

    /// A position is remembered, unless one that is later in the log is known.
    pub fn settle_position(&mut self, key: Key, position: Position) {
        let known = self.positions.get(&key);
        if known.is_none_or(|known| known.order <= position.order) {
            self.positions.insert(key, position);
        }
    }

    /// A tombstone, which has this place in the log, is written: what came before it is forgotten.
    pub fn forget_position(&mut self, key: &Key, order: u64) {
        self.positions.remove(key);
        for held in self.held.values_mut() {
            if held.get(key).is_some_and(|position| position.order < order) {
                held.remove(key);
            }
        }
        self.held.retain(|_, held| !held.is_empty());
    }

    fn settle(&mut self, producer_id: i64, committed: bool) {
        let ended = self.held.remove(&producer_id).unwrap_or_default();
        if committed {
            for (key, position) in ended {
                self.settle_position(key, position);
            }
        }
    }
}
