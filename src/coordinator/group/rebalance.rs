//! The rebalance: members gather, a generation begins, the leader's assignment is handed out.
//!
//! ```text
//!           join                    all joined, or time is up             assignment written
//!  Empty ─────────▶ PreparingRebalance ─────────────▶ CompletingRebalance ─────────▶ Stable
//!    ▲                │    ▲    ▲                             │                        │
//!    └── nobody left ─┘    │    └─ somebody joins or leaves ──┘                        │
//!                          └──────── somebody joins, leaves or falls silent ───────────┘
//! ```

use super::outbox::{AfterWrite, Stage};
use super::state::{Group, State};
use super::timers::Due;
use super::{GroupError, Synced};
use bytes::Bytes;
use std::collections::BTreeMap;

/// A rebalance waits at least so long, whatever the members ask for: a group of static members that stay away waits again and
/// again.
const SHORTEST_WAIT_MS: u64 = 100;

impl Group {
    /// Somebody came, went or changed: gather anew, or see whether the gathering is over.
    pub fn rebalance_or_complete_join(&mut self, stage: &mut Stage<'_>) {
        if self.state == State::PreparingRebalance {
            self.maybe_complete_join(stage);
        } else {
            self.prepare_rebalance(stage);
        }
    }

    /// Has the members gather.
    pub fn prepare_rebalance(&mut self, stage: &mut Stage<'_>) {
        if self.state == State::CompletingRebalance {
            self.take_back_assignment(GroupError::RebalanceInProgress, stage);
        }
        self.pending_sync.clear();
        stage.timers.cancel(self.sync_round.take());
        let initial = self.state == State::Empty;
        self.become_state(State::PreparingRebalance, stage.now.wall);
        if initial {
            let delay_ms = stage.settings.initial_rebalance_delay_ms;
            let remaining_ms = self.rebalance_timeout_ms().saturating_sub(delay_ms);
            self.wait_for_first_members(delay_ms, remaining_ms, stage);
        } else if self.all_joined() {
            self.complete_join(stage);
        } else {
            self.wait_for_joins(stage);
        }
    }

    /// Goes on to the assignment if nobody is missing. The first rebalance of a group waits its time instead.
    pub fn maybe_complete_join(&mut self, stage: &mut Stage<'_>) {
        if self.state == State::PreparingRebalance
            && self.previous != State::Empty
            && self.all_joined()
        {
            self.complete_join(stage);
        }
    }

    /// A member is gone that others waited for.
    pub fn after_removal(&mut self, stage: &mut Stage<'_>) {
        match self.state {
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(stage),
            State::PreparingRebalance if self.all_joined() => self.complete_join(stage),
            State::PreparingRebalance | State::Empty => {}
        }
    }

    /// Begins the next generation with whoever has joined.
    pub fn complete_join(&mut self, stage: &mut Stage<'_>) {
        stage.timers.cancel(self.join_round.take());
        let absent = |member: &&super::member::Member| {
            member.awaiting_join.is_none() && member.instance_id.is_none()
        };
        let absent: Vec<_> = self
            .members
            .values()
            .filter(absent)
            .map(|m| m.id.clone())
            .collect();
        for member in absent {
            self.remove(&member);
        }
        if !self.members.is_empty() && !self.elect_joined_leader() {
            // Nobody has joined: static members have until their sessions end.
            self.wait_for_joins(stage);
            return;
        }
        // Past the largest number it begins anew; a group gets there after years of rebalances.
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.pending_sync.clear();
        if self.members.is_empty() {
            self.protocol = None;
            self.subscribed = self.subscribed_topics();
            self.become_state(State::Empty, stage.now.wall);
            let record = self.record(&BTreeMap::new());
            stage.out.write(vec![record], AfterWrite::Nothing);
        } else {
            self.begin_generation(stage);
        }
    }

    fn begin_generation(&mut self, stage: &mut Stage<'_>) {
        self.protocol = self.select_protocol();
        self.subscribed = self.subscribed_topics();
        self.become_state(State::CompletingRebalance, stage.now.wall);
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let joined = self.joined(&id);
            self.pending_sync.insert(id.clone());
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            if let Some(request) = member.awaiting_join.take() {
                stage.out.joined(request, joined);
            }
            member.is_new = false;
            member.heard(&self.name, stage);
        }
        let wait_ms = self.rebalance_timeout_ms().max(SHORTEST_WAIT_MS);
        let at = stage.now.monotonic_ms.saturating_add(wait_ms);
        let due = |round| Due::Sync { round };
        self.sync_round = Some(stage.timers.wait(self.sync_round, at, &self.name, due));
    }

    /// Makes sure that the leader is among those who have joined; false if nobody is.
    fn elect_joined_leader(&mut self) -> bool {
        let has_joined = |id: &String| {
            self.members
                .get(id)
                .is_some_and(|member| member.awaiting_join.is_some())
        };
        if self.leader.as_ref().is_some_and(has_joined) {
            return true;
        }
        let joined = self.members.keys().find(|id| has_joined(id)).cloned();
        let found = joined.is_some();
        if found {
            self.leader = joined;
        }
        found
    }

    fn wait_for_joins(&mut self, stage: &mut Stage<'_>) {
        let wait_ms = self.rebalance_timeout_ms().max(SHORTEST_WAIT_MS);
        let at = stage.now.monotonic_ms.saturating_add(wait_ms);
        let due = |round| Due::Join { round };
        self.join_round = Some(stage.timers.wait(self.join_round, at, &self.name, due));
    }

    fn wait_for_first_members(&mut self, wait_ms: u64, remaining_ms: u64, stage: &mut Stage<'_>) {
        let at = stage.now.monotonic_ms.saturating_add(wait_ms);
        let due = |round| Due::InitialJoin {
            round,
            waited_ms: wait_ms,
            remaining_ms,
        };
        self.join_round = Some(stage.timers.wait(self.join_round, at, &self.name, due));
    }

    /// The wait for the first members is over, unless one came meanwhile and there is time for more.
    pub fn initial_wait_over(&mut self, waited_ms: u64, remaining_ms: u64, stage: &mut Stage<'_>) {
        if self.new_member_added && remaining_ms > 0 {
            self.new_member_added = false;
            let wait_ms = stage.settings.initial_rebalance_delay_ms.min(remaining_ms);
            let remaining_ms = remaining_ms.saturating_sub(waited_ms);
            self.wait_for_first_members(wait_ms, remaining_ms, stage);
        } else {
            self.complete_join(stage);
        }
    }

    /// The wait for syncs is over: members that have not fetched their assignment are out.
    pub fn sync_wait_over(&mut self, stage: &mut Stage<'_>) {
        self.sync_round = None;
        let assigned = matches!(self.state, State::CompletingRebalance | State::Stable);
        if !assigned || self.pending_sync.is_empty() {
            return;
        }
        for member in std::mem::take(&mut self.pending_sync) {
            self.answer_gone(&member, stage);
            self.remove(&member);
        }
        self.prepare_rebalance(stage);
    }

    /// The assignment is written: everyone gets a share, those the leader forgot an empty one.
    pub fn hand_out(&mut self, mut assignment: BTreeMap<String, Bytes>, stage: &mut Stage<'_>) {
        let (protocol_type, protocol) = (self.protocol_type.clone(), self.protocol.clone());
        for member in self.members.values_mut() {
            member.assignment = assignment.remove(&member.id).unwrap_or_default();
            if let Some(request) = member.awaiting_sync.take() {
                let synced = Synced {
                    protocol_type: protocol_type.clone().unwrap_or_default(),
                    protocol_name: protocol.clone().unwrap_or_default(),
                    assignment: member.assignment.clone(),
                };
                stage.out.synced(request, Ok(synced));
                member.heard(&self.name, stage);
            }
        }
        self.become_state(State::Stable, stage.now.wall);
    }

    /// There is no assignment after all.
    pub fn take_back_assignment(&mut self, why: GroupError, stage: &mut Stage<'_>) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
            if let Some(request) = member.awaiting_sync.take() {
                stage.out.synced(request, Err(why));
                member.heard(&self.name, stage);
            }
        }
    }

    /// Whoever waits for a member that is no more is told to begin anew.
    pub fn answer_gone(&mut self, member_id: &str, stage: &mut Stage<'_>) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        if let Some(request) = member.awaiting_join.take() {
            stage
                .out
                .not_joined(request, GroupError::UnknownMemberId, "");
        }
        if let Some(request) = member.awaiting_sync.take() {
            stage.out.synced(request, Err(GroupError::UnknownMemberId));
        }
    }
}
