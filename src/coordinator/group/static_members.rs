//! A static member that comes back: a new process with the `group.instance.id` of an old one takes its place and its share.

use super::answer::{GroupAnswer, WriteFault};
use super::member::Terms;
use super::request::{JoinRequest, RequestId};
use super::state::{Group, State};
use super::turn::{Replacement, Then, Turn, not_stored};
use super::{GroupError, encode};

impl Group {
    /// `request` comes without a member id from the instance whose member so far is `old_id`.
    pub fn replace_static(
        &mut self,
        turn: &mut Turn,
        id: RequestId,
        request: &JoinRequest,
        old_id: &str,
        new_id: &str,
    ) {
        let Some(instance_id) = &request.instance_id else {
            return;
        };
        let Some(old_terms) = self.member(old_id).map(|member| member.terms.clone()) else {
            return;
        };
        let old_leader = self.leader.clone();
        self.rename_static(turn, instance_id, old_id, new_id);
        self.set_terms(new_id, Terms::of(request));
        self.park_join(turn, new_id, id);
        self.touch(turn, new_id);
        let keeps_its_share = self.state == State::Stable && self.vote() == self.protocol;
        if !keeps_its_share {
            // The leader may already have been told of the old id: what it assigns would miss the new one.
            self.rebalance_or_complete(turn);
            return;
        }
        self.find_subscriptions();
        let replacement = Replacement {
            join: id,
            instance_id: instance_id.clone(),
            old_id: old_id.to_owned(),
            new_id: new_id.to_owned(),
            old_terms,
            old_leader,
            generation: self.generation,
            may_skip_assignment: request.may_skip_assignment,
        };
        let record = self.record();
        turn.write(
            self,
            vec![record],
            vec![],
            Then::Replaced(Box::new(replacement)),
        );
    }

    /// The group as it is.
    pub fn record(&self) -> super::LogRecord {
        encode::group(self, |id| {
            let member = self.member(id);
            member
                .map(|member| member.assignment.clone())
                .unwrap_or_default()
        })
    }

    /// The log knows the new id, or will not: the member is told.
    pub fn replaced(
        &mut self,
        turn: &mut Turn,
        replacement: Replacement,
        outcome: Result<(), WriteFault>,
    ) {
        let waits = self
            .member(&replacement.new_id)
            .and_then(|member| member.join);
        let undisturbed = self.state == State::Stable
            && self.generation == replacement.generation
            && waits == Some(replacement.join);
        // Otherwise it was put out or replaced, and told; or it waits in the rebalance that has begun meanwhile.
        if !undisturbed {
            return;
        }
        self.unpark_join(&replacement.new_id);
        match outcome {
            Ok(()) => self.tell_replaced(turn, &replacement),
            Err(fault) => self.undo_replacement(turn, &replacement, not_stored(fault)),
        }
    }

    fn tell_replaced(&mut self, turn: &mut Turn, replacement: &Replacement) {
        let new_id = &replacement.new_id;
        self.touch(turn, new_id);
        let leads = self.is_leader(new_id);
        let mut joined = self.joined(new_id, leads && replacement.may_skip_assignment);
        if replacement.may_skip_assignment {
            joined.skip_assignment = leads;
        } else {
            // Under the leader's old id nobody takes itself for the leader, and nobody assigns.
            joined.leader = replacement.old_leader.clone().unwrap_or_default();
        }
        turn.answer(replacement.join, GroupAnswer::Join(Ok(joined)));
    }

    fn undo_replacement(&mut self, turn: &mut Turn, replacement: &Replacement, error: GroupError) {
        let Replacement {
            instance_id,
            old_id,
            new_id,
            ..
        } = replacement;
        self.set_terms(new_id, replacement.old_terms.clone());
        self.rename_static(turn, instance_id, new_id, old_id);
        self.find_subscriptions();
        self.touch(turn, old_id);
        turn.refuse_join(replacement.join, error, "");
    }
}
