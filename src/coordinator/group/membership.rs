//! What members say while they are members: sync, heartbeat, leave; and what silence says.

use super::answer::Synced;
use super::outbox::{AfterWrite, Stage};
use super::request::{LeavingMember, MemberClaim, SyncRequest};
use super::state::{Group, State};
use super::{GroupError, RequestId};
use bytes::Bytes;
use std::collections::BTreeMap;

impl Group {
    /// A member asks for its assignment; the leader brings it.
    pub fn sync(&mut self, request: RequestId, sync: SyncRequest, stage: &mut Stage<'_>) {
        if let Err(error) = self.check_sync(&sync) {
            stage.out.synced(request, Err(error));
            return;
        }
        let id = sync.claim.member_id.as_str();
        match self.state {
            State::Empty => stage.out.synced(request, Err(GroupError::UnknownMemberId)),
            State::PreparingRebalance => {
                stage
                    .out
                    .synced(request, Err(GroupError::RebalanceInProgress));
            }
            State::CompletingRebalance => self.await_assignment(request, sync, stage),
            State::Stable => {
                self.pending_sync.remove(id);
                let synced = Synced {
                    protocol_type: self.protocol_type.clone().unwrap_or_default(),
                    protocol_name: self.protocol.clone().unwrap_or_default(),
                    assignment: self.members[id].assignment.clone(),
                };
                stage.out.synced(request, Ok(synced));
            }
        }
    }

    fn check_sync(&self, sync: &SyncRequest) -> Result<(), GroupError> {
        self.check_member(&sync.claim)?;
        if sync.claim.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let differs =
            |theirs: &Option<String>, ours: &Option<String>| theirs.is_some() && theirs != ours;
        if differs(&sync.protocol_type, &self.protocol_type)
            || differs(&sync.protocol_name, &self.protocol)
        {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn await_assignment(&mut self, request: RequestId, sync: SyncRequest, stage: &mut Stage<'_>) {
        let id = sync.claim.member_id;
        self.pending_sync.remove(&id);
        if let Some(member) = self.members.get_mut(&id)
            && let Some(before) = member.awaiting_sync.replace(request)
        {
            stage
                .out
                .synced(before, Err(GroupError::RebalanceInProgress));
        }
        // A leader that repeats itself changes nothing: the log must end with what the members are told.
        if !self.is_leader(&id) || self.assigning == Some(self.generation) {
            return;
        }
        self.assigning = Some(self.generation);
        let given: BTreeMap<String, Bytes> = sync.assignments.into_iter().collect();
        let record = self.record(&given);
        let then = AfterWrite::Assigned {
            group: self.name.clone(),
            generation: self.generation,
            assignment: given,
        };
        stage.out.write(vec![record], then);
    }

    /// The leader's assignment is written, or could not be.
    pub fn assigned(
        &mut self,
        generation: i32,
        assignment: BTreeMap<String, Bytes>,
        outcome: Result<(), GroupError>,
        stage: &mut Stage<'_>,
    ) {
        if self.assigning == Some(generation) {
            self.assigning = None;
        }
        // Somebody may have joined or left meanwhile.
        if self.state != State::CompletingRebalance || self.generation != generation {
            return;
        }
        match outcome {
            Ok(()) => self.hand_out(assignment, stage),
            Err(error) => {
                self.take_back_assignment(error, stage);
                self.prepare_rebalance(stage);
            }
        }
    }

    /// A member is still there.
    ///
    /// # Errors
    /// What it should know: above all that the group rebalances.
    pub fn heartbeat(
        &mut self,
        claim: &MemberClaim,
        stage: &mut Stage<'_>,
    ) -> Result<(), GroupError> {
        self.check_member(claim)?;
        if claim.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let Some(member) = self.members.get_mut(&claim.member_id) else {
            return Err(GroupError::UnknownMemberId);
        };
        member.heard(&self.name, stage);
        match self.state {
            State::Empty => Err(GroupError::UnknownMemberId),
            State::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => Ok(()),
        }
    }

    /// Members leave.
    pub fn leave(
        &mut self,
        members: &[LeavingMember],
        stage: &mut Stage<'_>,
    ) -> Vec<Result<(), GroupError>> {
        let outcomes: Vec<_> = members
            .iter()
            .map(|one| self.leave_one(one, stage))
            .collect();
        if outcomes.iter().any(Result::is_ok) {
            match self.state {
                State::Stable | State::CompletingRebalance => self.prepare_rebalance(stage),
                State::PreparingRebalance => self.maybe_complete_join(stage),
                State::Empty => {}
            }
        }
        outcomes
    }

    fn leave_one(
        &mut self,
        leaving: &LeavingMember,
        stage: &mut Stage<'_>,
    ) -> Result<(), GroupError> {
        let id = if !leaving.member_id.is_empty() {
            leaving.member_id.clone()
        } else {
            // An operator puts out a static member by the name that it gave itself.
            let instance = leaving.instance_id.as_ref();
            let member = instance.and_then(|instance| self.instances.get(instance));
            member.cloned().ok_or(GroupError::UnknownMemberId)?
        };
        if !leaving.member_id.is_empty() && !self.pending.contains_key(&id) {
            self.check_member(&MemberClaim {
                member_id: id.clone(),
                instance_id: leaving.instance_id.clone(),
                ..MemberClaim::default()
            })?;
        }
        self.answer_gone(&id, stage);
        self.remove(&id);
        Ok(())
    }

    /// A member's timer fired, which was set for `at`: it is out if it was silent until now.
    pub fn session_over(&mut self, member_id: &str, at: u64, stage: &mut Stage<'_>) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        if member.timer_at != Some(at) {
            return;
        }
        member.timer_at = None;
        if member.waits() {
            // Its session begins anew when it is answered.
            return;
        }
        if member.deadline > stage.now.monotonic_ms {
            member.arm(&self.name, stage);
            return;
        }
        self.answer_gone(member_id, stage);
        self.remove(member_id);
        self.after_removal(stage);
    }

    /// A client did not come back with the id that it was given.
    pub fn pending_over(&mut self, member_id: &str, stage: &mut Stage<'_>) {
        let over = |until: &u64| *until <= stage.now.monotonic_ms;
        if self.pending.get(member_id).is_some_and(over) {
            self.remove(member_id);
            if self.state == State::PreparingRebalance && self.all_joined() {
                self.complete_join(stage);
            }
        }
    }
}
