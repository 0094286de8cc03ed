//! What comes due when: one ordered set for all groups of a coordinator.
//!
//! Nothing is ever taken out early. A timer that fires says for what it was set, and whoever owns that looks whether it still holds;
//! so a heartbeat moves a number and touches no timer.

use std::collections::BTreeMap;

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
    count: u64,
}

impl Timers {
    /// Has `due` of `group` fire at `at`, in milliseconds of the monotonic clock.
    pub fn set(&mut self, at: u64, group: &str, due: Due) {
        self.count += 1;
        self.by_time
            .insert((at, self.count), (group.to_owned(), due));
    }

    /// A number that no wait before had.
    pub fn next_round(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// When the first one fires.
    pub fn next(&self) -> Option<u64> {
        self.by_time.keys().next().map(|(at, _)| *at)
    }

    /// The first one that is due by `now`, with its time, group and purpose.
    pub fn pop(&mut self, now: u64) -> Option<(u64, String, Due)> {
        let first = self.by_time.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let ((at, _), (group, due)) = first.remove_entry();
        Some((at, group, due))
    }
}
