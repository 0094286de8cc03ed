//! SyncGroup: the leader's assignment is written, then everybody gets their share.

use super::answer::{GroupAnswer, GroupError, Synced, WriteFault};
use super::encode;
use super::request::{RequestId, SyncRequest};
use super::state::{Group, State};
use super::turn::{Then, Turn, not_stored};
use bytes::Bytes;
use std::collections::HashMap;

impl Group {
    /// Decides on a SyncGroup.
    pub fn sync(&mut self, turn: &mut Turn, id: RequestId, request: SyncRequest) {
        if let Err(error) = self.check_sync(&request) {
            return turn.refuse_sync(id, error);
        }
        let member_id = request.claim.member_id.clone();
        self.has_synced(&member_id);
        if self.state == State::Stable {
            let synced = self.share_of(&member_id);
            return turn.answer(id, GroupAnswer::Sync(Ok(synced)));
        }
        let before = self.member_mut(&member_id).and_then(|m| m.sync.replace(id));
        if let Some(before) = before {
            // Only one of them can be heard.
            turn.refuse_sync(before, GroupError::RebalanceInProgress);
        }
        if self.is_leader(&member_id) && self.assigning != Some(self.generation) {
            self.store_assignment(turn, request);
        }
    }

    fn check_sync(&self, request: &SyncRequest) -> Result<(), GroupError> {
        let claim = &request.claim;
        if self.state == State::Empty {
            return Err(GroupError::UnknownMemberId);
        }
        self.check_member(&claim.member_id, claim.instance_id.as_deref())?;
        let differs = |said: &Option<String>, is: &Option<String>| {
            said.is_some() && is.is_some() && said != is
        };
        if claim.generation != self.generation {
            Err(GroupError::IllegalGeneration)
        } else if differs(&request.protocol_type, &self.protocol_type)
            || differs(&request.protocol_name, &self.protocol)
        {
            Err(GroupError::InconsistentGroupProtocol)
        } else if self.state == State::Preparing {
            Err(GroupError::RebalanceInProgress)
        } else {
            Ok(())
        }
    }

    fn has_synced(&mut self, member_id: &str) {
        self.pending_sync.remove(member_id);
        if self.pending_sync.is_empty() {
            self.sync_due = None;
        }
    }

    fn store_assignment(&mut self, turn: &mut Turn, request: SyncRequest) {
        let assignments: HashMap<String, Bytes> = request.assignments.into_iter().collect();
        let record = encode::group(self, |id| assignments.get(id).cloned().unwrap_or_default());
        let generation = self.generation;
        self.assigning = Some(generation);
        let then = Then::Assigned {
            generation,
            assignments,
        };
        turn.write(self, vec![record], vec![], then);
    }

    /// The assignment is in the log, or will not be.
    pub fn assigned(
        &mut self,
        turn: &mut Turn,
        generation: i32,
        mut assignments: HashMap<String, Bytes>,
        outcome: Result<(), WriteFault>,
    ) {
        if self.assigning == Some(generation) {
            self.assigning = None;
        }
        // Otherwise somebody came or went meanwhile, and everybody was told.
        if self.state != State::Completing || self.generation != generation {
            return;
        }
        if let Err(fault) = outcome {
            self.withdraw_assignment(turn, not_stored(fault));
            self.prepare_rebalance(turn);
            return;
        }
        self.enter(State::Stable, turn.now);
        for id in self.member_ids() {
            let Some(member) = self.member_mut(&id) else {
                continue;
            };
            member.assignment = assignments.remove(&id).unwrap_or_default();
            if let Some(sync) = member.sync.take() {
                let synced = self.share_of(&id);
                turn.answer(sync, GroupAnswer::Sync(Ok(synced)));
                self.touch(turn, &id);
            }
        }
    }

    fn share_of(&self, member_id: &str) -> Synced {
        let member = self.member(member_id);
        Synced {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol_name: self.protocol.clone().unwrap_or_default(),
            assignment: member.map(|m| m.assignment.clone()).unwrap_or_default(),
        }
    }
}
