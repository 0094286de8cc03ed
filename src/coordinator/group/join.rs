//! JoinGroup: becoming a member, and staying one.

use super::answer::{GroupAnswer, GroupError, Joined};
use super::member::{Member, Terms};
use super::request::{JoinRequest, RequestId};
use super::state::{Group, State};
use super::turn::Turn;
use crate::limits::{MEMBER_ID_NAME_MAX_BYTES, NEW_MEMBER_JOIN_TIMEOUT, PENDING_MEMBERS_PER_GROUP};

impl Group {
    /// Decides on a JoinGroup; group id and session timeout are in order.
    pub fn join(&mut self, turn: &mut Turn, id: RequestId, request: &JoinRequest) {
        if !self.has_room(turn, request) {
            self.put_out(turn, &request.member_id);
            turn.refuse_join(id, GroupError::GroupMaxSizeReached, "");
            // It may have been the one that the others wait for.
            self.maybe_complete_join(turn);
            return;
        }
        if !self.supports(&request.protocol_type, &Terms::of(request)) {
            let error = GroupError::InconsistentGroupProtocol;
            turn.refuse_join(id, error, &request.member_id);
            return;
        }
        if request.member_id.is_empty() {
            self.join_without_id(turn, id, request);
        } else {
            self.join_with_id(turn, id, request);
        }
    }

    /// `group.max.size`. In a rebalance those who wait count: the last to come are left out where the limit was lowered.
    fn has_room(&self, turn: &Turn, request: &JoinRequest) -> bool {
        let member = self.member(&request.member_id);
        let room = turn.settings.max_size;
        let fits = match self.state {
            State::Empty => true,
            State::Preparing => {
                member.is_some_and(|member| member.join.is_some()) || self.joins_waiting() < room
            }
            State::Completing | State::Stable => member.is_some() || self.size() < room,
        };
        let would_be_pending = request.member_id.is_empty() && request.must_know_its_id;
        fits && !(would_be_pending && self.pending.len() >= PENDING_MEMBERS_PER_GROUP)
    }

    fn join_without_id(&mut self, turn: &mut Turn, id: RequestId, request: &JoinRequest) {
        let new_id = new_member_id(request);
        if let Some(instance_id) = &request.instance_id {
            return match self.static_member(instance_id).map(str::to_owned) {
                Some(old_id) => self.replace_static(turn, id, request, &old_id, &new_id),
                None => self.take_in(turn, id, request, new_id),
            };
        }
        if !request.must_know_its_id {
            return self.take_in(turn, id, request, new_id);
        }
        let due = turn.in_ms(request.session_timeout_ms);
        turn.refuse_join(id, GroupError::MemberIdRequired, &new_id);
        self.pending.insert(new_id, due);
        self.wake_by(due);
    }

    fn join_with_id(&mut self, turn: &mut Turn, id: RequestId, request: &JoinRequest) {
        let member_id = &request.member_id;
        let instance_id = request.instance_id.as_deref();
        if instance_id.is_none() && self.pending.contains_key(member_id) {
            return self.take_in(turn, id, request, member_id.clone());
        }
        if let Err(error) = self.check_member(member_id, instance_id) {
            return turn.refuse_join(id, error, member_id);
        }
        let same = |group: &Group| {
            let member = group.member(member_id);
            member.is_some_and(|m| m.terms.protocols == Terms::of(request).protocols)
        };
        match self.state {
            State::Preparing => self.rejoin(turn, id, request),
            // It may not have got its answer: it gets it again.
            State::Completing if same(self) => self.answer_again(turn, id, member_id),
            State::Completing => self.rejoin(turn, id, request),
            // A leader joins again to have everything assigned anew.
            State::Stable if self.is_leader(member_id) || !same(self) => {
                self.rejoin(turn, id, request);
            }
            State::Stable => self.answer_again(turn, id, member_id),
            State::Empty => turn.refuse_join(id, GroupError::UnknownMemberId, member_id),
        }
    }

    fn rejoin(&mut self, turn: &mut Turn, id: RequestId, request: &JoinRequest) {
        self.set_terms(&request.member_id, Terms::of(request));
        self.park_join(turn, &request.member_id, id);
        self.rebalance_or_complete(turn);
    }

    fn answer_again(&self, turn: &mut Turn, id: RequestId, member_id: &str) {
        let tell_members = self.state == State::Completing && self.is_leader(member_id);
        let joined = self.joined(member_id, tell_members);
        turn.answer(id, GroupAnswer::Join(Ok(joined)));
    }

    /// A member's place in the generation there is.
    pub fn joined(&self, member_id: &str, tell_members: bool) -> Joined {
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol_name: self.protocol.clone().unwrap_or_default(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member_id.to_owned(),
            members: if tell_members {
                self.members_for_leader()
            } else {
                Vec::new()
            },
            skip_assignment: false,
        }
    }

    fn take_in(&mut self, turn: &mut Turn, id: RequestId, request: &JoinRequest, new_id: String) {
        if self.state == State::Preparing && self.initial {
            self.new_member_added = true;
        }
        // It cannot heartbeat while it waits, nor does anybody see its connection close: it must ask again in time.
        let wait_ms = u64::try_from(NEW_MEMBER_JOIN_TIMEOUT.as_millis()).unwrap_or(u64::MAX);
        let due = turn.now.monotonic_ms.saturating_add(wait_ms);
        let mut member = Member::joining(new_id, request);
        member.join = Some(id);
        member.due = Some(due);
        self.add(member, &request.protocol_type);
        self.wake_by(due);
        self.rebalance_or_complete(turn);
    }
}

/// `<client id or instance id>-<uuid>`.
fn new_member_id(request: &JoinRequest) -> String {
    let name = request.instance_id.as_deref();
    let name = name.unwrap_or(&request.client_id);
    let end = name.floor_char_boundary(MEMBER_ID_NAME_MAX_BYTES);
    format!("{}-{}", &name[..end], request.fresh_id)
}
