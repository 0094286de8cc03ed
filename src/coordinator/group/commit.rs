//! OffsetCommit and OffsetFetch.

use super::answer::{GroupAnswer, GroupError};
use super::encode;
use super::offsets::Position;
use super::request::{CommitRequest, CommittedOffset, FetchOffsetsRequest, MemberClaim, RequestId};
use super::state::{Group, State};
use super::turn::{Then, Turn};
use crate::types::TimestampMs;

/// A position of each partition that was asked for, or of all.
type Positions = Vec<((String, i32), Option<CommittedOffset>)>;

impl Group {
    /// Decides on an OffsetCommit.
    pub fn commit(&mut self, turn: &mut Turn, id: RequestId, request: CommitRequest) {
        if let Err(error) = self.check_commit(&request.claim) {
            let outcomes = vec![Err(error); request.offsets.len()];
            return turn.answer(id, GroupAnswer::Commit(outcomes));
        }
        if matches!(self.state, State::Stable | State::Preparing) {
            self.touch(turn, &request.claim.member_id);
        }
        let now = turn.now.wall;
        let expires = request
            .retention_ms
            .map(|kept| TimestampMs(now.0.saturating_add(kept)));
        let commit_timestamp = request.commit_timestamp.unwrap_or(now);
        let longest = turn.settings.offset_metadata_max_bytes;
        let (mut outcomes, mut records, mut changes) = (vec![], vec![], vec![]);
        for ((topic, partition), committed) in request.offsets {
            if is_longer(&committed.metadata, longest) {
                outcomes.push(Err(GroupError::OffsetMetadataTooLarge));
                continue;
            }
            outcomes.push(Ok(()));
            let position = Position {
                committed,
                commit_timestamp,
                expires,
            };
            records.push(encode::offset(&self.name, &topic, partition, &position));
            changes.push(((topic, partition), Some(position)));
        }
        let write =
            (!records.is_empty()).then(|| turn.write(self, records, changes, Then::Nothing));
        turn.answer_when(write, id, GroupAnswer::Commit(outcomes));
    }

    fn check_commit(&self, claim: &MemberClaim) -> Result<(), GroupError> {
        if claim.generation < 0 && self.state == State::Empty {
            // From no member: nobody is there whom it could confuse.
            return Ok(());
        }
        let claims_membership =
            claim.generation >= 0 || !claim.member_id.is_empty() || claim.instance_id.is_some();
        if !claims_membership {
            return Err(GroupError::UnknownMemberId);
        }
        self.check_member(&claim.member_id, claim.instance_id.as_deref())?;
        if claim.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            // It is of the new generation already, and can commit as soon as that is stable.
            State::Completing => Err(GroupError::RebalanceInProgress),
            State::Empty | State::Preparing | State::Stable => Ok(()),
        }
    }

    /// What is written.
    pub fn positions(&self, request: FetchOffsetsRequest) -> Positions {
        let Some(partitions) = request.partitions else {
            let written = self.offsets.written();
            return written
                .map(|(topic, partition, position)| {
                    let key = (topic.to_owned(), partition);
                    (key, Some(position.committed.clone()))
                })
                .collect();
        };
        partitions
            .into_iter()
            .map(|(topic, partition)| {
                let position = self.offsets.get(&topic, partition);
                let committed = position.map(|position| position.committed.clone());
                ((topic, partition), committed)
            })
            .collect()
    }
}

/// Kafka measures in UTF-16 units.
fn is_longer(metadata: &str, longest: usize) -> bool {
    metadata.len() > longest && metadata.encode_utf16().count() > longest
}

/// What is answered of a group that does not exist.
pub(super) fn no_positions(request: FetchOffsetsRequest) -> Positions {
    let partitions = request.partitions.into_iter().flatten();
    partitions.map(|partition| (partition, None)).collect()
}
