//! From one generation to the next: members are called to join, the last one to come or the end of the time closes the door.

use super::answer::{GroupAnswer, GroupError, WriteId};
use super::state::{Group, JoinTimer, State};
use super::turn::{Then, Turn};
use bytes::Bytes;

impl Group {
    /// Somebody came, went or changed. The write, if there is one, is that of a group that is now empty.
    pub fn rebalance_or_complete(&mut self, turn: &mut Turn) -> Option<WriteId> {
        match self.state {
            State::Empty | State::Completing | State::Stable => self.prepare_rebalance(turn),
            State::Preparing => self.maybe_complete_join(turn),
        }
    }

    /// Calls the members to join.
    pub fn prepare_rebalance(&mut self, turn: &mut Turn) -> Option<WriteId> {
        if self.state == State::Completing {
            self.withdraw_assignment(turn, GroupError::RebalanceInProgress);
        }
        self.pending_sync.clear();
        self.sync_due = None;
        self.initial = self.state == State::Empty;
        self.new_member_added = false;
        self.enter(State::Preparing, turn.now);
        if self.initial {
            let delay = turn.settings.initial_rebalance_delay_ms;
            let longest = self.rebalance_timeout_ms().unsigned_abs();
            self.wait_initially(turn, delay, u64::from(longest).saturating_sub(delay));
            return None;
        }
        if self.all_have_joined() {
            return self.complete_join(turn);
        }
        self.wait_for_joins(turn);
        None
    }

    /// Goes on when everybody has joined; not before the delay is over in a group that was empty.
    pub fn maybe_complete_join(&mut self, turn: &mut Turn) -> Option<WriteId> {
        let complete = self.state == State::Preparing && !self.initial && self.all_have_joined();
        complete.then(|| self.complete_join(turn)).flatten()
    }

    fn wait_for_joins(&mut self, turn: &Turn) {
        let at = turn.in_ms(self.rebalance_timeout_ms());
        self.join_timer = Some(JoinTimer { at, initial: None });
        self.wake_by(at);
    }

    fn wait_initially(&mut self, turn: &Turn, delay: u64, remaining: u64) {
        let at = turn.now.monotonic_ms.saturating_add(delay);
        let initial = Some((delay, remaining));
        self.join_timer = Some(JoinTimer { at, initial });
        self.wake_by(at);
    }

    /// The time to join is over.
    pub fn join_time_over(&mut self, turn: &mut Turn, timer: JoinTimer) {
        match timer.initial {
            Some((delay, remaining)) if self.new_member_added && remaining > 0 => {
                self.new_member_added = false;
                let next = turn.settings.initial_rebalance_delay_ms.min(remaining);
                self.wait_initially(turn, next, remaining.saturating_sub(delay));
            }
            _ => {
                self.complete_join(turn);
            }
        }
    }

    /// Closes the door: who has not come is out, unless it is a static member.
    pub fn complete_join(&mut self, turn: &mut Turn) -> Option<WriteId> {
        self.join_timer = None;
        let absent = self
            .members()
            .filter(|member| member.join.is_none() && member.instance_id.is_none());
        for id in absent.map(|member| member.id.clone()).collect::<Vec<_>>() {
            self.put_out(turn, &id);
        }
        if self.size() == 0 {
            return Some(self.become_empty(turn));
        }
        if !self.elect_leader_among_joined() {
            // Only absent static members are left; their sessions decide.
            self.wait_for_joins(turn);
            return None;
        }
        self.begin_generation(turn);
        None
    }

    fn elect_leader_among_joined(&mut self) -> bool {
        let leader = self.leader.as_deref().and_then(|id| self.member(id));
        if leader.is_some_and(|leader| leader.join.is_some()) {
            return true;
        }
        let joined = self.members().find(|member| member.join.is_some());
        let Some(new_leader) = joined.map(|member| member.id.clone()) else {
            return false;
        };
        self.leader = Some(new_leader);
        true
    }

    fn next_generation(&mut self) {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.pending_sync.clear();
        self.initial = false;
    }

    fn become_empty(&mut self, turn: &mut Turn) -> WriteId {
        self.next_generation();
        self.protocol = None;
        self.leader = None;
        self.find_subscriptions();
        self.enter(State::Empty, turn.now);
        let record = self.record();
        turn.write(self, vec![record], vec![], Then::Stored)
    }

    fn begin_generation(&mut self, turn: &mut Turn) {
        self.next_generation();
        self.protocol = self.vote();
        self.find_subscriptions();
        self.enter(State::Completing, turn.now);
        for id in self.member_ids() {
            if let Some(join) = self.unpark_join(&id) {
                let joined = self.joined(&id, self.is_leader(&id));
                turn.answer(join, GroupAnswer::Join(Ok(joined)));
            }
            self.touch(turn, &id);
            if let Some(member) = self.member_mut(&id) {
                member.is_new = false;
            }
            self.pending_sync.insert(id);
        }
        let due = turn.in_ms(self.rebalance_timeout_ms());
        self.sync_due = Some(due);
        self.wake_by(due);
    }

    /// Nobody has a share any more; whoever waits for one is told why.
    pub fn withdraw_assignment(&mut self, turn: &mut Turn, error: GroupError) {
        for id in self.member_ids() {
            let Some(member) = self.member_mut(&id) else {
                continue;
            };
            member.assignment = Bytes::new();
            if let Some(sync) = member.sync.take() {
                turn.refuse_sync(sync, error);
                self.touch(turn, &id);
            }
        }
    }

    /// The time to ask for the assignment is over: who has not is out.
    pub fn sync_time_over(&mut self, turn: &mut Turn) {
        self.sync_due = None;
        if self.pending_sync.is_empty() || !matches!(self.state, State::Completing | State::Stable)
        {
            return;
        }
        for id in std::mem::take(&mut self.pending_sync) {
            self.put_out(turn, &id);
        }
        self.prepare_rebalance(turn);
    }
}
