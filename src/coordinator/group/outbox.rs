//! What an event amounts to: effects in order, and what is to follow once a write is done.

use super::answer::{Effect, GroupAnswer, JoinRefusal, Joined, Synced};
use super::member::Member;
use super::offsets::Position;
use super::settings::GroupSettings;
use super::timers::Timers;
use super::{GroupError, LogRecord, Now, Producer, RequestId, WriteFault, WriteId};
use bytes::Bytes;
use std::collections::BTreeMap;

/// A topic and a partition of it.
pub(super) type Key = (String, i32);

/// What follows when records have been written, or could not be.
#[derive(Debug)]
pub(super) enum AfterWrite {
    /// Nothing.
    Nothing,
    /// The leader's assignment holds.
    Assigned {
        /// The group.
        group: String,
        /// The generation it is for.
        generation: i32,
        /// Assignment by member id.
        assignment: BTreeMap<String, Bytes>,
    },
    /// A static member has a new id.
    Replaced {
        /// The group.
        group: String,
        /// Its new id.
        member_id: String,
        /// Who waits.
        request: RequestId,
        /// The client understands `skip_assignment`.
        may_skip: bool,
        /// Who led before.
        leader_before: String,
        /// The member as it was.
        before: Box<Member>,
    },
    /// Positions are remembered.
    Committed {
        /// The group.
        group: String,
        /// Who waits.
        request: RequestId,
        /// In whose transaction, if in one.
        producer: Option<Producer>,
        /// What is remembered.
        positions: Vec<(Key, Position)>,
        /// What was refused already, by place.
        outcomes: Vec<Result<(), GroupError>>,
    },
    /// Positions, or the whole group, are forgotten.
    Forgotten {
        /// The group.
        group: String,
        /// The positions.
        keys: Vec<Key>,
        /// The group too, unless it has come to life again.
        whole: bool,
        /// The next write goes on with it.
        more: bool,
        /// A write before it that belongs with it has failed.
        spoiled: Option<WriteFault>,
        /// Who waits, and for which answer.
        answer: Option<(RequestId, GroupAnswer)>,
    },
}

impl AfterWrite {
    /// Who waits for this write.
    pub fn request(&self) -> Option<RequestId> {
        match self {
            AfterWrite::Nothing | AfterWrite::Assigned { .. } => None,
            AfterWrite::Replaced { request, .. } | AfterWrite::Committed { request, .. } => {
                Some(*request)
            }
            AfterWrite::Forgotten { answer, .. } => answer.as_ref().map(|(request, _)| *request),
        }
    }
}

/// Effects, and the writes that are on their way.
#[derive(Default, Debug)]
pub(super) struct Outbox {
    effects: Vec<Effect>,
    writes: BTreeMap<WriteId, AfterWrite>,
    next_write: u64,
}

impl Outbox {
    /// Answers a request.
    pub fn answer(&mut self, request: RequestId, answer: GroupAnswer) {
        self.effects.push(Effect::Answer(request, answer));
    }

    /// Answers a join.
    pub fn joined(&mut self, request: RequestId, joined: Joined) {
        self.answer(request, GroupAnswer::Join(Ok(joined)));
    }

    /// Answers a join with a no.
    pub fn not_joined(&mut self, request: RequestId, error: GroupError, member_id: &str) {
        let member_id = member_id.to_owned();
        self.answer(
            request,
            GroupAnswer::Join(Err(JoinRefusal { error, member_id })),
        );
    }

    /// Answers a sync.
    pub fn synced(&mut self, request: RequestId, outcome: Result<Synced, GroupError>) {
        self.answer(request, GroupAnswer::Sync(outcome));
    }

    /// Has records written.
    pub fn write(&mut self, records: Vec<LogRecord>, then: AfterWrite) {
        let id = WriteId(self.next_order());
        self.writes.insert(id, then);
        self.effects.push(Effect::Write(id, records));
    }

    /// Has records written as a part of a producer's transaction.
    pub fn write_for(&mut self, producer: Producer, records: Vec<LogRecord>, then: AfterWrite) {
        let id = WriteId(self.next_order());
        self.writes.insert(id, then);
        self.effects.push(Effect::WriteFor(id, producer, records));
    }

    /// The number of the next write, or of a record that is replayed: what is later in the log has a greater one.
    pub fn next_order(&mut self) -> u64 {
        let order = self.next_write;
        self.next_write += 1;
        order
    }

    /// The number that the next write will have.
    pub fn coming_order(&self) -> u64 {
        self.next_write
    }

    /// What was to follow a write.
    pub fn done(&mut self, id: WriteId) -> Option<AfterWrite> {
        self.writes.remove(&id)
    }

    /// The write after this one belongs with it: together they have not done what was asked.
    pub fn spoil_next(&mut self, id: WriteId, fault: WriteFault) {
        if let Some(AfterWrite::Forgotten { spoiled, .. }) = self.writes.get_mut(&WriteId(id.0 + 1))
        {
            *spoiled = Some(fault);
        }
    }

    /// Every write that nobody has told of yet.
    pub fn abandon(&mut self) -> Vec<AfterWrite> {
        std::mem::take(&mut self.writes).into_values().collect()
    }

    /// The effects so far.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}

/// What a group works with while it deals with one event.
pub(super) struct Stage<'a> {
    /// The time.
    pub now: Now,
    /// The settings.
    pub settings: &'a GroupSettings,
    /// What comes due.
    pub timers: &'a mut Timers,
    /// What the event amounts to.
    pub out: &'a mut Outbox,
}

/// The error for whoever waited for a commit that was not written.
pub(super) fn commit_fault(fault: WriteFault) -> GroupError {
    match fault {
        WriteFault::TooLarge => GroupError::InvalidCommitOffsetSize,
        WriteFault::Fenced => GroupError::ProducerFenced,
        WriteFault::Storage => GroupError::CoordinatorNotAvailable,
    }
}

/// The error for whoever waited for a group's state that was not written.
pub(super) fn state_fault(fault: WriteFault) -> GroupError {
    match fault {
        WriteFault::TooLarge => GroupError::StateTooLarge,
        WriteFault::Fenced | WriteFault::Storage => GroupError::CoordinatorNotAvailable,
    }
}
