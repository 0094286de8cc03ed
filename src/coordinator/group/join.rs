//! Joining: who becomes a member, under which id, and when that makes the group rebalance.

use super::member::{Member, NEW_MEMBER_JOIN_TIMEOUT_MS};
use super::outbox::{AfterWrite, Stage};
use super::request::{JoinRequest, MemberClaim};
use super::state::{Group, State};
use super::timers::Due;
use super::{GroupError, RequestId};
use crate::limits::{
    GROUP_MEMBER_METADATA_BYTES, GROUP_MEMBER_NAME_BYTES, GROUP_MEMBER_PROTOCOLS,
    GROUP_PENDING_MEMBERS,
};
use bytes::Bytes;

impl Group {
    /// A client wants to be a member.
    pub fn join(&mut self, request: RequestId, join: &JoinRequest, stage: &mut Stage<'_>) {
        if !self.has_room_for(&join.member_id, stage) {
            self.answer_gone(&join.member_id, stage);
            self.remove(&join.member_id);
            stage
                .out
                .not_joined(request, GroupError::GroupMaxSizeReached, "");
        } else if !within_limits(&join.protocols) {
            stage
                .out
                .not_joined(request, GroupError::InvalidRequest, &join.member_id);
        } else if !self.accepts(&join.protocol_type, &join.protocols) {
            stage.out.not_joined(
                request,
                GroupError::InconsistentGroupProtocol,
                &join.member_id,
            );
        } else if join.member_id.is_empty() {
            self.join_new(request, join, stage);
        } else {
            self.join_known(request, join, stage);
        }
    }

    /// Members count that are there; while they gather, those that have come.
    fn has_room_for(&self, member_id: &str, stage: &Stage<'_>) -> bool {
        let known = self.members.get(member_id);
        match self.state {
            State::Empty => true,
            State::PreparingRebalance => {
                known.is_some_and(|member| member.awaiting_join.is_some())
                    || self.awaiting_join() < stage.settings.max_size
            }
            State::CompletingRebalance | State::Stable => {
                known.is_some() || self.members.len() < stage.settings.max_size
            }
        }
    }

    fn join_new(&mut self, request: RequestId, join: &JoinRequest, stage: &mut Stage<'_>) {
        let named_after = join.instance_id.as_ref().unwrap_or(&join.client_id);
        let named_after = &named_after[..named_after.floor_char_boundary(GROUP_MEMBER_NAME_BYTES)];
        let id = format!("{named_after}-{}", join.fresh_id);
        let replaced = join
            .instance_id
            .as_ref()
            .and_then(|id| self.instances.get(id))
            .cloned();
        match (&join.instance_id, replaced) {
            (Some(_), Some(old)) => self.replace_static(request, join, &old, id, stage),
            (None, _) if join.must_know_its_id && self.pending.len() >= GROUP_PENDING_MEMBERS => {
                let error = GroupError::GroupMaxSizeReached;
                stage.out.not_joined(request, error, "");
            }
            (None, _) if join.must_know_its_id => {
                let timeout_ms = super::member::positive(join.session_timeout_ms);
                let until = stage.now.monotonic_ms.saturating_add(timeout_ms);
                self.pending.insert(id.clone(), until);
                let member = id.clone();
                stage.timers.set(until, &self.name, Due::Pending { member });
                stage
                    .out
                    .not_joined(request, GroupError::MemberIdRequired, &id);
            }
            _ => self.add(request, join, id, stage),
        }
    }

    fn join_known(&mut self, request: RequestId, join: &JoinRequest, stage: &mut Stage<'_>) {
        let id = &join.member_id;
        if join.instance_id.is_none() && self.pending.contains_key(id) {
            self.add(request, join, id.clone(), stage);
            return;
        }
        let claim = MemberClaim {
            member_id: id.clone(),
            instance_id: join.instance_id.clone(),
            ..MemberClaim::default()
        };
        if let Err(error) = self.check_member(&claim) {
            stage.out.not_joined(request, error, id);
            return;
        }
        let unchanged = self.members[id].protocols == join.protocols;
        let keeps_generation = match self.state {
            // It may not have received the answer to its join.
            State::CompletingRebalance => unchanged,
            // A leader that joins again wants to assign anew.
            State::Stable => unchanged && !self.is_leader(id),
            State::PreparingRebalance | State::Empty => false,
        };
        match self.state {
            State::Empty => stage
                .out
                .not_joined(request, GroupError::UnknownMemberId, id),
            _ if keeps_generation => stage.out.joined(request, self.joined(id)),
            _ => {
                self.await_join(request, join, id, stage);
                self.rebalance_or_complete_join(stage);
            }
        }
    }

    /// A new member.
    fn add(&mut self, request: RequestId, join: &JoinRequest, id: String, stage: &mut Stage<'_>) {
        if self.state == State::PreparingRebalance && self.previous == State::Empty {
            self.new_member_added = true;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(id.clone());
        }
        if let Some(instance) = &join.instance_id {
            self.instances.insert(instance.clone(), id.clone());
        }
        self.pending.remove(&id);
        let mut member = Member::new(id.clone(), join);
        member.awaiting_join = Some(request);
        member.expect_within(NEW_MEMBER_JOIN_TIMEOUT_MS, &self.name, stage);
        self.members.insert(id, member);
        self.rebalance_or_complete_join(stage);
    }

    /// A member's join waits from now on; one that waited before is let go.
    fn await_join(
        &mut self,
        request: RequestId,
        join: &JoinRequest,
        id: &str,
        stage: &mut Stage<'_>,
    ) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        member.update(join);
        if let Some(before) = member.awaiting_join.replace(request) {
            stage
                .out
                .not_joined(before, GroupError::RebalanceInProgress, id);
        }
    }

    /// A static member is back under a new id: it takes the place of the old one, with its assignment.
    fn replace_static(
        &mut self,
        request: RequestId,
        join: &JoinRequest,
        old_id: &str,
        new_id: String,
        stage: &mut Stage<'_>,
    ) {
        let leader_before = self.leader.clone().unwrap_or_default();
        let Some(before) = self.rename(old_id, &new_id, stage) else {
            return;
        };
        if let Some(member) = self.members.get_mut(&new_id) {
            member.update(join);
            member.awaiting_join = Some(request);
            member.heard(&self.name, stage);
        }
        match self.state {
            State::Stable if self.protocol == self.select_protocol() => {
                let record = self.record(&self.assignments());
                let then = AfterWrite::Replaced {
                    group: self.name.clone(),
                    member_id: new_id,
                    request,
                    may_skip: join.may_skip_assignment,
                    leader_before,
                    before: Box::new(before),
                };
                stage.out.write(vec![record], then);
            }
            State::Stable => self.rebalance_or_complete_join(stage),
            // The leader may already know the old id: what it assigns would not fit.
            State::CompletingRebalance => self.prepare_rebalance(stage),
            State::PreparingRebalance | State::Empty => self.maybe_complete_join(stage),
        }
    }

    /// Gives a static member another id. Whoever waits under the old one is fenced.
    pub(super) fn rename(
        &mut self,
        old_id: &str,
        new_id: &str,
        stage: &mut Stage<'_>,
    ) -> Option<Member> {
        let mut member = self.members.remove(old_id)?;
        if let Some(request) = member.awaiting_join.take() {
            stage
                .out
                .not_joined(request, GroupError::FencedInstanceId, old_id);
        }
        if let Some(request) = member.awaiting_sync.take() {
            stage.out.synced(request, Err(GroupError::FencedInstanceId));
        }
        let before = member.clone();
        if self.is_leader(old_id) {
            self.leader = Some(new_id.to_owned());
        }
        if let Some(instance) = &member.instance_id {
            self.instances.insert(instance.clone(), new_id.to_owned());
        }
        if self.pending_sync.remove(old_id) {
            self.pending_sync.insert(new_id.to_owned());
        }
        member.id = new_id.to_owned();
        member.timer_at = None;
        member.is_new = false;
        self.members.insert(new_id.to_owned(), member);
        Some(before)
    }

    /// A static member's new id is written, or could not be.
    #[allow(
        clippy::too_many_arguments,
        reason = "the fields of one write's follow-up"
    )]
    pub(super) fn replaced(
        &mut self,
        member_id: &str,
        request: RequestId,
        may_skip: bool,
        leader_before: String,
        before: Member,
        outcome: Result<(), GroupError>,
        stage: &mut Stage<'_>,
    ) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        // A rebalance that began meanwhile answers it, or did.
        if member.awaiting_join != Some(request) || self.state != State::Stable {
            return;
        }
        member.awaiting_join = None;
        match outcome {
            Ok(()) => {
                member.heard(&self.name, stage);
                let mut joined = self.joined(member_id);
                if may_skip {
                    joined.skip_assignment = self.is_leader(member_id);
                } else {
                    // Led to believe that it does not lead, it does not assign.
                    joined.leader = leader_before;
                    joined.members = Vec::new();
                }
                stage.out.joined(request, joined);
            }
            Err(error) => {
                let old_id = before.id.clone();
                self.rename(member_id, &old_id, stage);
                if let Some(member) = self.members.get_mut(&old_id) {
                    member.protocols = before.protocols;
                    member.session_timeout_ms = before.session_timeout_ms;
                    member.rebalance_timeout_ms = before.rebalance_timeout_ms;
                    member.heard(&self.name, stage);
                }
                stage.out.not_joined(request, error, "");
            }
        }
    }
}

/// Whether a member may bring so much: it stays in memory for as long as the member does.
fn within_limits(protocols: &[(String, Bytes)]) -> bool {
    let sizes = protocols
        .iter()
        .map(|(name, metadata)| name.len() + metadata.len());
    protocols.len() <= GROUP_MEMBER_PROTOCOLS && sizes.sum::<usize>() <= GROUP_MEMBER_METADATA_BYTES
}
