//! What comes due when: one ordered set for all groups of a coordinator.
//!
//! Timers of members are not taken out early. One that fires says for what it was set, and whoever owns that looks whether it still
//! holds; so a heartbeat moves a number and touches no timer. The waits of a rebalance may be as long as a member likes, and
//! are taken out when they are over.

use std::collections::{BTreeMap, HashMap};

/// What a timer was set for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// A member may have been silent too long.
    Session {
        /// Its id.
        member: String,
    },
    /// A member that was given an id may not have come back with it.
    Pending {
        /// The id.
        member: String,
    },
    /// The members of an empty group have had time to arrive.
    InitialJoin {
        /// Which wait it was.
        round: u64,
        /// How long this wait took, in milliseconds.
        waited_ms: u64,
        /// How much longer the group may wait, in milliseconds.
        remaining_ms: u64,
    },
    /// A rebalance has waited long enough for members to join.
    Join {
        /// Which wait it was.
        round: u64,
    },
    /// A rebalance has waited long enough for members to fetch their assignment.
    Sync {
        /// Which wait it was.
        round: u64,
    },
}

/// All timers of a coordinator.
#[derive(Default, Debug)]
pub(super) struct Timers {
    by_time: BTreeMap<(u64, u64), (String, Due)>,
    /// Where in `by_time` the waits stand.
    rounds: HashMap<u64, (u64, u64)>,
    count: u64,
}

impl Timers {
    /// Has `due` of `group` fire at `at`, in milliseconds of the monotonic clock.
    pub fn set(&mut self, at: u64, group: &str, due: Due) {
        self.count += 1;
        self.by_time
            .insert((at, self.count), (group.to_owned(), due));
    }

    /// Begins a wait of `group`, which `due` names after its number. It replaces the wait `before`.
    pub fn wait(
        &mut self,
        before: Option<u64>,
        at: u64,
        group: &str,
        due: impl FnOnce(u64) -> Due,
    ) -> u64 {
        self.cancel(before);
        let round = self.count + 1;
        self.set(at, group, due(round));
        self.rounds.insert(round, (at, round));
        round
    }

    /// Ends a wait.
    pub fn cancel(&mut self, round: Option<u64>) {
        if let Some(key) = round.and_then(|round| self.rounds.remove(&round)) {
            self.by_time.remove(&key);
        }
    }

    /// When the first one fires.
    pub fn next(&self) -> Option<u64> {
        self.by_time.keys().next().map(|(at, _)| *at)
    }

    /// How many are set.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// The first one that is due by `now`, with its time, group and purpose.
    pub fn pop(&mut self, now: u64) -> Option<(u64, String, Due)> {
        let first = self.by_time.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let ((at, count), (group, due)) = first.remove_entry();
        self.rounds.remove(&count);
        Some((at, group, due))
    }
}
