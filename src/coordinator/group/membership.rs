//! Heartbeat, LeaveGroup, and members of whom nothing is heard.

use super::answer::{GroupAnswer, GroupError};
use super::request::{LeaveRequest, LeavingMember, MemberClaim, RequestId};
use super::state::{Group, State};
use super::turn::Turn;

impl Group {
    /// Decides on a Heartbeat.
    ///
    /// # Errors
    /// What the member must know: it is none, or must join again.
    pub fn heartbeat(&mut self, turn: &Turn, claim: &MemberClaim) -> Result<(), GroupError> {
        self.check_member(&claim.member_id, claim.instance_id.as_deref())?;
        if claim.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            State::Empty => Err(GroupError::UnknownMemberId),
            State::Preparing => {
                self.touch(turn, &claim.member_id);
                Err(GroupError::RebalanceInProgress)
            }
            State::Completing | State::Stable => {
                self.touch(turn, &claim.member_id);
                Ok(())
            }
        }
    }

    /// Decides on a LeaveGroup.
    pub fn leave(&mut self, turn: &mut Turn, id: RequestId, request: &LeaveRequest) {
        let outcomes: Vec<_> = request
            .members
            .iter()
            .map(|leaving| self.let_go(turn, leaving))
            .collect();
        let somebody_left = outcomes.iter().any(Result::is_ok);
        let write = match self.state {
            State::Empty => None,
            State::Preparing | State::Completing | State::Stable => somebody_left
                .then(|| self.rebalance_or_complete(turn))
                .flatten(),
        };
        turn.answer_when(write, id, GroupAnswer::Leave(Ok(outcomes)));
    }

    fn let_go(&mut self, turn: &mut Turn, leaving: &LeavingMember) -> Result<(), GroupError> {
        let instance_id = leaving.instance_id.as_deref();
        if leaving.member_id.is_empty() {
            // An administrator names a static member by its instance alone.
            let known = instance_id.and_then(|instance_id| self.static_member(instance_id));
            let id = known.ok_or(GroupError::UnknownMemberId)?.to_owned();
            self.put_out(turn, &id);
            return Ok(());
        }
        if self.pending.remove(&leaving.member_id).is_some() {
            return Ok(());
        }
        self.check_member(&leaving.member_id, instance_id)?;
        self.put_out(turn, &leaving.member_id);
        Ok(())
    }

    /// Whatever is due is done.
    pub fn expire(&mut self, turn: &mut Turn) {
        let now = turn.now.monotonic_ms;
        self.expire_pending(turn);
        self.expire_members(turn);
        if let Some(timer) = self.join_timer.filter(|timer| timer.at <= now) {
            self.join_timer = None;
            self.join_time_over(turn, timer);
        }
        if self.sync_due.is_some_and(|due| due <= now) {
            self.sync_time_over(turn);
        }
        self.alarm = self.earliest_due();
    }

    fn expire_pending(&mut self, turn: &mut Turn) {
        let before = self.pending.len();
        self.pending.retain(|_, due| *due > turn.now.monotonic_ms);
        if self.pending.len() < before {
            self.complete_join_if_all_have_joined(turn);
        }
    }

    fn expire_members(&mut self, turn: &mut Turn) {
        let now = turn.now.monotonic_ms;
        let due = self
            .members()
            .filter(|m| m.due.is_some_and(|due| due <= now));
        let due: Vec<String> = due.map(|member| member.id.clone()).collect();
        for id in due {
            // What became of those before it may have given it time.
            let Some(member) = self.member_mut(&id) else {
                continue;
            };
            if member.due.is_none_or(|due| due > now) {
                continue;
            }
            if member.is_owed_an_answer() {
                member.due = None;
                continue;
            }
            self.put_out(turn, &id);
            match self.state {
                State::Stable | State::Completing => {
                    self.prepare_rebalance(turn);
                }
                State::Preparing => self.complete_join_if_all_have_joined(turn),
                State::Empty => {}
            }
        }
    }

    fn complete_join_if_all_have_joined(&mut self, turn: &mut Turn) {
        if self.state == State::Preparing && self.all_have_joined() {
            self.complete_join(turn);
        }
    }
}
