//! The fetches that wait for this core's partitions to advance.
//!
//! A watch is told once, when the partitions it names hold enough bytes or one of them has failed or gone; then it is forgotten.

use super::message::Watch;
use crate::types::{PartitionKey, ShardId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// One waiting fetch, as its owner sees it.
#[derive(Debug)]
struct Watcher {
    core: ShardId,
    id: u64,
    bytes: Cell<u64>,
    enough: u64,
    committed: bool,
}

/// All watches on one core's partitions.
#[derive(Debug, Default)]
pub struct Watches {
    by_partition: RefCell<HashMap<PartitionKey, Vec<Rc<Watcher>>>>,
    keys: RefCell<HashMap<(ShardId, u64), Vec<PartitionKey>>>,
}

impl Watches {
    /// Enters a watch on `keys`.
    pub fn add(&self, core: ShardId, watch: Watch, keys: Vec<PartitionKey>) {
        let watcher = Rc::new(Watcher {
            core,
            id: watch.id,
            bytes: Cell::new(0),
            enough: watch.bytes,
            committed: watch.committed,
        });
        let mut by_partition = self.by_partition.borrow_mut();
        for key in &keys {
            by_partition
                .entry(*key)
                .or_default()
                .push(Rc::clone(&watcher));
        }
        self.keys.borrow_mut().insert((core, watch.id), keys);
    }

    /// Counts bytes that were found at planning; only a later advance tells the waiter.
    pub fn credit(&self, core: ShardId, id: u64, keys: &[PartitionKey], bytes: u64) {
        let by_partition = self.by_partition.borrow();
        let watchers = keys.first().and_then(|key| by_partition.get(key));
        for watcher in watchers.into_iter().flatten() {
            if watcher.core == core && watcher.id == id {
                watcher.bytes.set(watcher.bytes.get().saturating_add(bytes));
            }
        }
    }

    /// Forgets a watch, if it is still there.
    pub fn remove(&self, core: ShardId, id: u64) {
        let Some(keys) = self.keys.borrow_mut().remove(&(core, id)) else {
            return;
        };
        let mut by_partition = self.by_partition.borrow_mut();
        for key in keys {
            if let Some(watchers) = by_partition.get_mut(&key) {
                watchers.retain(|watcher| watcher.core != core || watcher.id != id);
                if watchers.is_empty() {
                    by_partition.remove(&key);
                }
            }
        }
    }

    /// The partition has `bytes` more to read, or `stable_bytes` for those who read committed records: returns who is to be
    /// told, and forgets them.
    pub fn advanced(
        &self,
        key: &PartitionKey,
        bytes: u64,
        stable_bytes: u64,
    ) -> Vec<(ShardId, u64)> {
        self.told(key, |watcher| {
            let bytes = match watcher.committed {
                true => stable_bytes,
                false => bytes,
            };
            watcher.bytes.set(watcher.bytes.get().saturating_add(bytes));
            watcher.bytes.get() >= watcher.enough
        })
    }

    /// The partition has failed or gone: returns who is to be told, and forgets them.
    pub fn ended(&self, key: &PartitionKey) -> Vec<(ShardId, u64)> {
        self.told(key, |_| true)
    }

    fn told(&self, key: &PartitionKey, due: impl Fn(&Watcher) -> bool) -> Vec<(ShardId, u64)> {
        let told: Vec<_> = match self.by_partition.borrow().get(key) {
            None => return Vec::new(),
            Some(watchers) => watchers
                .iter()
                .filter(|watcher| due(watcher))
                .map(|watcher| (watcher.core, watcher.id))
                .collect(),
        };
        for &(core, id) in &told {
            self.remove(core, id);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TopicId;

    fn key(partition: i32) -> PartitionKey {
        PartitionKey {
            topic_id: TopicId::from_u128(7),
            partition,
        }
    }

    fn watch(committed: bool) -> Watch {
        Watch {
            id: 9,
            bytes: 100,
            committed,
        }
    }

    #[test]
    fn who_reads_committed_records_waits_for_those() {
        let watches = Watches::default();
        watches.add(ShardId(1), watch(true), vec![key(0)]);
        assert!(watches.advanced(&key(0), 1000, 0).is_empty());
        assert_eq!(watches.advanced(&key(0), 0, 100), [(ShardId(1), 9)]);
    }

    #[test]
    fn a_watch_is_told_once_when_enough_bytes_have_come_over_all_its_partitions() {
        let watches = Watches::default();
        let keys = vec![key(0), key(1)];
        watches.add(ShardId(1), watch(false), keys.clone());
        watches.credit(ShardId(1), 9, &keys, 30);
        assert!(watches.advanced(&key(0), 40, 0).is_empty());
        assert_eq!(watches.advanced(&key(1), 30, 0), [(ShardId(1), 9)]);
        assert!(watches.advanced(&key(1), 1000, 0).is_empty());
        assert!(watches.by_partition.borrow().is_empty() && watches.keys.borrow().is_empty());
    }

    #[test]
    fn a_deleted_partition_ends_the_wait_of_whoever_watches_it() {
        let watches = Watches::default();
        watches.add(ShardId(0), watch(false), vec![key(0)]);
        assert_eq!(watches.ended(&key(0)), [(ShardId(0), 9)]);
    }
}
