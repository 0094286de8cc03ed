//! One event's surroundings: the time, the effects so far, and the writes that are under way.

use super::answer::{Effect, GroupAnswer, GroupError, JoinRefusal, LogRecord, WriteFault, WriteId};
use super::member::Terms;
use super::offsets::Position;
use super::request::{Now, RequestId};
use super::settings::GroupSettings;
use super::state::Group;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// A position that a write sets, or forgets with `None`.
pub(super) type OffsetChange = ((String, i32), Option<Position>);

/// A write that is not known to have ended.
pub(super) struct PendingWrite {
    pub group: Rc<str>,
    pub offsets: Vec<OffsetChange>,
    pub then: Then,
    pub answer: Option<(RequestId, GroupAnswer)>,
    /// A write before it that belongs with it has failed.
    pub spoiled: bool,
}

/// What a group does when a write has ended, besides taking over its offsets.
#[derive(Debug)]
pub(super) enum Then {
    /// Nothing.
    Nothing,
    /// It is the first that the log has of the group.
    Created,
    /// The log has the group as it is.
    Stored,
    /// The assignment is to be handed out.
    Assigned {
        generation: i32,
        assignments: HashMap<String, Bytes>,
    },
    /// A static member goes on under a new id.
    Replaced(Box<Replacement>),
    /// A part of forgetting the group.
    PartlyForgotten,
    /// The group is forgotten.
    Forgotten,
}

/// What it takes to tell, or to undo, that a static member came back.
#[derive(Debug)]
pub(super) struct Replacement {
    pub join: RequestId,
    pub instance_id: String,
    pub old_id: String,
    pub new_id: String,
    pub old_terms: Terms,
    pub old_leader: Option<String>,
    pub generation: i32,
    pub may_skip_assignment: bool,
}

/// All writes that are under way, in order.
#[derive(Default)]
pub(super) struct Writes {
    next: u64,
    pending: BTreeMap<WriteId, PendingWrite>,
}

impl Writes {
    /// What the write was for. `None` if nobody knows of it.
    pub fn finish(&mut self, id: WriteId) -> Option<PendingWrite> {
        self.pending.remove(&id)
    }

    /// The write will count as failed towards whoever waits for it.
    pub fn spoil(&mut self, id: WriteId) {
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.spoiled = true;
        }
    }

    /// Everyone who waits for a write.
    pub fn take_answers(&mut self) -> Vec<(RequestId, GroupAnswer)> {
        let pending = std::mem::take(&mut self.pending);
        pending
            .into_values()
            .filter_map(|pending| pending.answer)
            .collect()
    }
}

/// One event's surroundings.
pub(super) struct Turn<'a> {
    pub now: Now,
    pub settings: &'a GroupSettings,
    pub writes: &'a mut Writes,
    pub effects: Vec<Effect>,
}

impl Turn<'_> {
    /// The moment so many milliseconds from now; negative counts as none.
    pub fn in_ms(&self, ms: i32) -> u64 {
        self.now
            .monotonic_ms
            .saturating_add(u64::try_from(ms).unwrap_or(0))
    }

    pub fn answer(&mut self, id: RequestId, answer: GroupAnswer) {
        self.effects.push(Effect::Answer(id, answer));
    }

    pub fn refuse_join(&mut self, id: RequestId, error: GroupError, member_id: &str) {
        let member_id = member_id.to_owned();
        self.answer(id, GroupAnswer::Join(Err(JoinRefusal { error, member_id })));
    }

    pub fn refuse_sync(&mut self, id: RequestId, error: GroupError) {
        self.answer(id, GroupAnswer::Sync(Err(error)));
    }

    /// Has records of a group written.
    pub fn write(
        &mut self,
        group: &mut Group,
        records: Vec<LogRecord>,
        offsets: Vec<OffsetChange>,
        then: Then,
    ) -> WriteId {
        let id = WriteId(self.writes.next);
        self.writes.next += 1;
        group.writes_under_way += 1;
        for ((topic, partition), _) in &offsets {
            group.offsets.stage(topic, *partition);
        }
        self.writes.pending.insert(
            id,
            PendingWrite {
                group: Rc::clone(&group.name),
                offsets,
                then,
                answer: None,
                spoiled: false,
            },
        );
        self.effects.push(Effect::Write(id, records));
        id
    }

    /// Answers when the write has ended; at once when there is none to wait for.
    pub fn answer_when(&mut self, write: Option<WriteId>, id: RequestId, answer: GroupAnswer) {
        let pending = write.and_then(|write| self.writes.pending.get_mut(&write));
        match pending {
            Some(pending) => pending.answer = Some((id, answer)),
            None => self.answer(id, answer),
        }
    }
}

/// Why a group's state was not written, to whoever waits for it.
pub(super) fn not_stored(fault: WriteFault) -> GroupError {
    match fault {
        WriteFault::TooLarge => GroupError::StateTooLarge,
        WriteFault::Storage => GroupError::CoordinatorNotAvailable,
    }
}

/// The answer of the same kind that says that nothing came of it.
pub(super) fn failed(answer: GroupAnswer, fault: WriteFault) -> GroupAnswer {
    let error = not_stored(fault);
    match answer {
        GroupAnswer::Commit(outcomes) => {
            let error = match fault {
                WriteFault::TooLarge => GroupError::InvalidCommitOffsetSize,
                WriteFault::Storage => GroupError::CoordinatorNotAvailable,
            };
            let outcome = |outcome: Result<(), GroupError>| outcome.and(Err(error));
            GroupAnswer::Commit(outcomes.into_iter().map(outcome).collect())
        }
        GroupAnswer::Leave(_) => GroupAnswer::Leave(Err(error)),
        GroupAnswer::Delete(_) => GroupAnswer::Delete(Err(error)),
        GroupAnswer::DeleteOffsets(_) => GroupAnswer::DeleteOffsets(Err(error)),
        GroupAnswer::Join(_) => {
            let member_id = String::new();
            GroupAnswer::Join(Err(JoinRefusal { error, member_id }))
        }
        GroupAnswer::Sync(_) => GroupAnswer::Sync(Err(error)),
        GroupAnswer::Heartbeat(_) => GroupAnswer::Heartbeat(Err(error)),
        GroupAnswer::FetchOffsets(_) => GroupAnswer::FetchOffsets(Err(error)),
        GroupAnswer::Describe(_) => GroupAnswer::Describe(Err(error)),
        GroupAnswer::List(groups) => GroupAnswer::List(groups),
    }
}
