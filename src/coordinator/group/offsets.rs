//! Positions: committed, fetched, forgotten.
//!
//! What is remembered is what has been written; a commit that is still on its way is nobody's position yet.

use super::outbox::{AfterWrite, Key, Stage};
use super::records;
use super::request::{CommitRequest, CommittedOffset, DeleteOffsetsRequest};
use super::state::{Group, State};
use super::{GroupAnswer, GroupError, LogRecord, PositionFound, RequestId};
use crate::limits::GROUP_RECORDS_PER_WRITE;
use crate::types::TimestampMs;
use std::collections::{BTreeMap, BTreeSet};

/// A remembered position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Position {
    /// What the client committed.
    pub committed: CommittedOffset,
    /// When.
    pub committed_at: TimestampMs,
    /// When it expires by the client's own wish.
    pub expires_at: Option<TimestampMs>,
    /// Which write it came with, or which record it was: later in the log is greater.
    pub order: u64,
}

impl Group {
    /// Remembers positions, once they are written.
    pub fn commit(&mut self, request: RequestId, commit: CommitRequest, stage: &mut Stage<'_>) {
        let count = commit.offsets.len();
        if let Err(error) = self.check_commit(&commit) {
            stage
                .out
                .answer(request, GroupAnswer::Commit(vec![Err(error); count]));
            return;
        }
        if matches!(self.state, State::Stable | State::PreparingRebalance)
            && let Some(member) = self.members.get_mut(&commit.claim.member_id)
        {
            member.heard(&self.name, stage);
        }
        let now = stage.now.wall;
        let expires_at = commit
            .retention_ms
            .map(|kept| TimestampMs(now.0.saturating_add(kept)));
        let order = stage.out.coming_order();
        let (mut positions, mut outcomes, mut written) = (Vec::new(), Vec::new(), Vec::new());
        for (key, committed) in commit.offsets {
            // Kafka counts as Java does.
            let length = committed.metadata.encode_utf16().count();
            if length > stage.settings.offset_metadata_max_bytes {
                outcomes.push(Err(GroupError::OffsetMetadataTooLarge));
                continue;
            }
            let dated = commit.commit_timestamps.get(&key).copied();
            let position = Position {
                committed,
                committed_at: dated.unwrap_or(now),
                expires_at,
                order,
            };
            written.push(records::position(&self.name, &key, Some(&position)));
            match commit.producer {
                None => *self.in_flight.entry(key.clone()).or_default() += 1,
                Some(producer) => self.hold(producer.id, key.clone(), position.clone()),
            }
            positions.push((key, position));
            outcomes.push(Ok(()));
        }
        if positions.is_empty() {
            stage.out.answer(request, GroupAnswer::Commit(outcomes));
            return;
        }
        let then = AfterWrite::Committed {
            group: self.name.clone(),
            request,
            producer: commit.producer,
            positions,
            outcomes,
        };
        match commit.producer {
            None => stage.out.write(written, then),
            Some(producer) => stage.out.write_for(producer, written, then),
        }
    }

    /// A commit has been written, or could not be.
    pub fn landed(&mut self, positions: Vec<(Key, Position)>, written: bool) {
        for (key, position) in positions {
            if let Some(count) = self.in_flight.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.in_flight.remove(&key);
                }
            }
            if written {
                self.settle_position(key, position);
            }
        }
    }

    /// Whether the group has a position there, or is about to.
    fn remembers(&self, key: &Key) -> bool {
        self.positions.contains_key(key) || self.in_flight.contains_key(key) || self.is_held(key)
    }

    /// Where the group has positions, or is about to.
    fn remembered(&self) -> BTreeSet<&Key> {
        let held = self.held.values().flat_map(BTreeMap::keys);
        let known = self.positions.keys().chain(self.in_flight.keys());
        known.chain(held).collect()
    }

    fn check_commit(&self, commit: &CommitRequest) -> Result<(), GroupError> {
        let claim = &commit.claim;
        let in_transaction = commit.producer.is_some();
        if claim.generation < 0 && self.state == State::Empty {
            // From outside, or from a consumer that is no member anywhere.
            return Ok(());
        }
        if claim.generation < 0 && claim.member_id.is_empty() && claim.instance_id.is_none() {
            // Producers of old clients say nothing of the group's members.
            return match in_transaction {
                true => Ok(()),
                false => Err(GroupError::UnknownMemberId),
            };
        }
        self.check_member(claim)?;
        if claim.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            State::CompletingRebalance if !in_transaction => Err(GroupError::RebalanceInProgress),
            State::CompletingRebalance
            | State::Empty
            | State::PreparingRebalance
            | State::Stable => Ok(()),
        }
    }

    /// The positions asked for, or all. One that a transaction is about to replace is none to a client that wants it stable.
    pub fn positions_of(
        &self,
        asked: Option<Vec<Key>>,
        require_stable: bool,
    ) -> Vec<PositionFound> {
        let found = |key: Key| {
            let position = match require_stable && self.is_held(&key) {
                true => Err(GroupError::UnstableOffsetCommit),
                false => Ok(self.positions.get(&key).map(|at| at.committed.clone())),
            };
            (key, position)
        };
        match asked {
            Some(keys) => keys.into_iter().map(found).collect(),
            None => self.positions.keys().cloned().map(found).collect(),
        }
    }

    /// Forgets positions in topics that nobody subscribes to.
    pub fn delete_offsets(
        &self,
        request: RequestId,
        delete: &DeleteOffsetsRequest,
        stage: &mut Stage<'_>,
    ) {
        if self.state != State::Empty && !self.has_consumers() {
            let refused = GroupAnswer::DeleteOffsets(Err(GroupError::NonEmptyGroup));
            stage.out.answer(request, refused);
            return;
        }
        let outcome = |key: &Key| match self.is_subscribed_to(&key.0) {
            true => Err(GroupError::GroupSubscribedToTopic),
            false => Ok(()),
        };
        let outcomes: Vec<_> = delete.partitions.iter().map(outcome).collect();
        let asked = delete.partitions.iter().zip(&outcomes);
        let keys: Vec<Key> = asked
            .filter(|(key, outcome)| outcome.is_ok() && self.remembers(key))
            .map(|(key, _)| key.clone())
            .collect();
        let answer = GroupAnswer::DeleteOffsets(Ok(outcomes));
        self.forget(keys, false, Some((request, answer)), stage);
    }

    /// Forgets the group with everything it remembers.
    pub fn delete(&self, request: RequestId, stage: &mut Stage<'_>) {
        if self.state != State::Empty {
            let refused = GroupAnswer::Delete(Err(GroupError::NonEmptyGroup));
            stage.out.answer(request, refused);
            return;
        }
        let keys = self.remembered().into_iter().cloned().collect();
        self.forget(
            keys,
            true,
            Some((request, GroupAnswer::Delete(Ok(())))),
            stage,
        );
    }

    /// Forgets what the topics' deletion has made meaningless.
    pub fn topics_deleted(&self, names: &[String], stage: &mut Stage<'_>) {
        let gone = |key: &&Key| names.contains(&key.0);
        let keys: Vec<Key> = self
            .remembered()
            .into_iter()
            .filter(gone)
            .cloned()
            .collect();
        self.forget(keys, false, None, stage);
    }

    /// Forgets what has expired; a group that nobody belongs to and that remembers nothing goes too.
    pub fn expire(&self, stage: &mut Stage<'_>) {
        let (now, retention_ms) = (stage.now.wall.0, stage.settings.offsets_retention_ms);
        let expired = |(key, position): &(&Key, &Position)| {
            let Some(since) = self.counts_from(position) else {
                return false;
            };
            let over = match position.expires_at {
                Some(at) => now >= at.0,
                None => now.saturating_sub(since.0) >= retention_ms,
            };
            let coming = self.in_flight.contains_key(*key) || self.is_held(key);
            over && !coming && !self.is_subscribed_to(&key.0)
        };
        let keys: Vec<Key> = self
            .positions
            .iter()
            .filter(expired)
            .map(|(key, _)| key.clone())
            .collect();
        let whole = self.is_idle() && keys.len() == self.remembered().len();
        self.forget(keys, whole, None, stage);
    }

    /// From when on a position's retention counts; `None` while it does not expire.
    fn counts_from(&self, position: &Position) -> Option<TimestampMs> {
        match (&self.protocol_type, self.state) {
            // Positions of a consumer that is no member: each on its own.
            (None, _) => Some(position.committed_at),
            (Some(_), State::Empty) => Some(self.since.unwrap_or(position.committed_at)),
            (Some(_), State::Stable) if self.has_consumers() && self.subscribed.is_some() => {
                Some(position.committed_at)
            }
            (Some(_), _) => None,
        }
    }

    /// Writes that positions, or the whole group, are forgotten; in several batches if they are many.
    fn forget(
        &self,
        keys: Vec<Key>,
        whole: bool,
        mut answer: Option<(RequestId, GroupAnswer)>,
        stage: &mut Stage<'_>,
    ) {
        let mut rest = keys;
        loop {
            let later = rest.split_off(rest.len().min(GROUP_RECORDS_PER_WRITE));
            let keys = std::mem::replace(&mut rest, later);
            let last = rest.is_empty();
            let mut written: Vec<LogRecord> = keys
                .iter()
                .map(|key| records::position(&self.name, key, None))
                .collect();
            if last && whole {
                written.push(records::no_group(&self.name));
            }
            if written.is_empty() {
                if let Some((request, answer)) = answer {
                    stage.out.answer(request, answer);
                }
                return;
            }
            let then = AfterWrite::Forgotten {
                group: self.name.clone(),
                keys,
                whole: last && whole,
                more: !last,
                spoiled: None,
                answer: if last { answer.take() } else { None },
            };
            stage.out.write(written, then);
            if last {
                return;
            }
        }
    }
}
