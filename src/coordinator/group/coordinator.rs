//! The door: events in, effects out.

use super::answer::{Effect, GroupAnswer, GroupError, WriteFault, WriteId};
use super::commit::no_positions;
use super::encode;
use super::request::{CommitRequest, GroupRequest, JoinRequest, Now, RequestId};
use super::settings::GroupSettings;
use super::state::{Group, State};
use super::turn::{PendingWrite, Then, Turn, Writes, failed, not_stored};
use crate::limits::EXPIRY_OFFSETS_A_SLICE;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// The groups of one partition of `__consumer_offsets`.
pub struct Coordinator {
    settings: GroupSettings,
    pub(super) groups: HashMap<Rc<str>, Group>,
    writes: Writes,
    /// Groups by the moment of which none of them is due earlier.
    alarms: BTreeSet<(u64, Rc<str>)>,
    /// When expired offsets are looked for next.
    expiry_due: Option<u64>,
    /// Groups whose offsets are still to be looked at this time.
    expiry_left: Vec<Rc<str>>,
}

impl Coordinator {
    /// One without groups, to be fed with records.
    pub fn new(settings: GroupSettings) -> Coordinator {
        Coordinator {
            settings,
            groups: HashMap::new(),
            writes: Writes::default(),
            alarms: BTreeSet::new(),
            expiry_due: None,
            expiry_left: Vec::new(),
        }
    }

    /// Works with other settings from now on.
    pub fn set_settings(&mut self, settings: GroupSettings) {
        self.settings = settings;
    }

    /// All records have been replayed: members have their session timeout from now.
    pub fn loaded(&mut self, now: Now) -> Vec<Effect> {
        let interval = self.settings.offsets_retention_check_interval_ms;
        self.expiry_due = Some(now.monotonic_ms.saturating_add(interval));
        let mut effects = Vec::new();
        let names: Vec<Rc<str>> = self.groups.keys().cloned().collect();
        for name in names {
            effects.extend(self.in_group(now, &name, |group, turn| {
                // Where only offsets were written, since when it stands is not known.
                if group.protocol_type.is_none() {
                    group.state_since = Some(now.wall);
                }
                for id in group.member_ids() {
                    group.touch(turn, &id);
                }
                if group.size() > turn.settings.max_size {
                    // The limit was lowered: whoever comes last does not come back in.
                    group.prepare_rebalance(turn);
                }
            }));
        }
        effects
    }

    /// Somebody asks. Every request is answered exactly once, now or with a later event.
    pub fn handle(&mut self, now: Now, id: RequestId, request: GroupRequest) -> Vec<Effect> {
        match request {
            GroupRequest::Join(request) => self.join(now, id, &request),
            GroupRequest::Commit(request) => self.commit(now, id, request),
            GroupRequest::List(filter) => {
                let listed = self
                    .groups
                    .values()
                    .filter_map(|group| group.listing(&filter));
                vec![Effect::Answer(id, GroupAnswer::List(listed.collect()))]
            }
            other => self.of_a_known_group(now, id, other),
        }
    }

    fn join(&mut self, now: Now, id: RequestId, request: &JoinRequest) -> Vec<Effect> {
        let allowed = self.settings.min_session_timeout_ms..=self.settings.max_session_timeout_ms;
        let known = self.groups.contains_key(request.group.as_str());
        let error = if request.group.is_empty() {
            Some(GroupError::InvalidGroupId)
        } else if !allowed.contains(&request.session_timeout_ms) {
            Some(GroupError::InvalidSessionTimeout)
        } else if !known && !request.member_id.is_empty() {
            Some(GroupError::UnknownMemberId)
        } else {
            None
        };
        if let Some(error) = error {
            return self.turn(now, |turn| turn.refuse_join(id, error, &request.member_id));
        }
        let name = self.group_named(&request.group, now);
        self.in_group(now, &name, |group, turn| {
            let unwritten = !known || group.forgetting.is_some();
            group.join(turn, id, request);
            if unwritten && (group.size() > 0 || !group.pending.is_empty()) {
                group.forgetting = None;
                let record = encode::empty_group(group);
                turn.write(group, vec![record], vec![], Then::Created);
            }
        })
    }

    fn commit(&mut self, now: Now, id: RequestId, request: CommitRequest) -> Vec<Effect> {
        let group = &request.claim.group;
        if !self.groups.contains_key(group.as_str()) && request.claim.generation >= 0 {
            let outcomes = vec![Err(GroupError::IllegalGeneration); request.offsets.len()];
            return vec![Effect::Answer(id, GroupAnswer::Commit(outcomes))];
        }
        let name = self.group_named(group, now);
        self.in_group(now, &name, |group, turn| group.commit(turn, id, request))
    }

    /// Requests that make no group.
    fn of_a_known_group(&mut self, now: Now, id: RequestId, request: GroupRequest) -> Vec<Effect> {
        let name = request.group().to_owned();
        let may_be_empty = matches!(request, GroupRequest::FetchOffsets(_));
        if name.is_empty() && !may_be_empty {
            let answer = refusal(request, GroupError::InvalidGroupId);
            return vec![Effect::Answer(id, answer)];
        }
        if !self.groups.contains_key(name.as_str()) {
            return vec![Effect::Answer(id, answer_without_group(request))];
        }
        self.in_group(now, &name, |group, turn| match request {
            GroupRequest::Sync(request) => group.sync(turn, id, request),
            GroupRequest::Heartbeat(claim) => {
                let outcome = group.heartbeat(turn, &claim);
                turn.answer(id, GroupAnswer::Heartbeat(outcome));
            }
            GroupRequest::Leave(request) => group.leave(turn, id, &request),
            GroupRequest::FetchOffsets(request) => {
                let positions = group.positions(request);
                turn.answer(id, GroupAnswer::FetchOffsets(Ok(positions)));
            }
            GroupRequest::Describe { .. } => {
                turn.answer(id, GroupAnswer::Describe(Ok(group.describe())));
            }
            GroupRequest::Delete { .. } => group.delete(turn, id),
            GroupRequest::DeleteOffsets(request) => group.delete_offsets(turn, id, request),
            GroupRequest::Join(_) | GroupRequest::Commit(_) | GroupRequest::List(_) => {
                unreachable!("these may come from and to no group")
            }
        })
    }

    /// A write has ended. Writes end in the order in which they were wanted.
    pub fn written(
        &mut self,
        now: Now,
        id: WriteId,
        outcome: Result<(), WriteFault>,
    ) -> Vec<Effect> {
        let Some(pending) = self.writes.finish(id) else {
            return Vec::new();
        };
        let name = Rc::clone(&pending.group);
        self.in_group(now, &name, |group, turn| {
            end_write(group, turn, id, pending, outcome);
        })
    }

    /// Whatever is due is done.
    pub fn tick(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let due = self
            .alarms
            .iter()
            .take_while(|(due, _)| *due <= now.monotonic_ms);
        let names: Vec<Rc<str>> = due.map(|(_, name)| Rc::clone(name)).collect();
        for name in names {
            effects.extend(self.in_group(now, &name, |group, turn| group.expire(turn)));
        }
        if self.expiry_due.is_some_and(|due| due <= now.monotonic_ms) {
            effects.extend(self.forget_expired(now));
        }
        effects
    }

    /// One slice of looking for what has expired.
    fn forget_expired(&mut self, now: Now) -> Vec<Effect> {
        if self.expiry_left.is_empty() {
            self.expiry_left = self.groups.keys().cloned().collect();
        }
        let (mut effects, mut looked_at) = (Vec::new(), 0);
        while looked_at < EXPIRY_OFFSETS_A_SLICE {
            let Some(name) = self.expiry_left.pop() else {
                break;
            };
            looked_at += 1;
            effects.extend(self.in_group(now, &name, |group, turn| {
                looked_at += group.forget_expired(turn);
            }));
        }
        let wait = if self.expiry_left.is_empty() {
            self.settings.offsets_retention_check_interval_ms.max(1)
        } else {
            0
        };
        self.expiry_due = Some(now.monotonic_ms.saturating_add(wait));
        effects
    }

    /// When [`Coordinator::tick`] must be called at the latest, by the monotonic clock.
    pub fn next_deadline(&self) -> Option<u64> {
        let alarm = self.alarms.first().map(|(due, _)| *due);
        alarm.into_iter().chain(self.expiry_due).min()
    }

    /// Topics are gone: positions in them are forgotten.
    pub fn topics_deleted(&mut self, now: Now, names: &[String]) -> Vec<Effect> {
        let mut effects = Vec::new();
        let groups: Vec<Rc<str>> = self.groups.keys().cloned().collect();
        for name in groups {
            effects
                .extend(self.in_group(now, &name, |group, turn| group.topics_deleted(turn, names)));
        }
        effects
    }

    /// Answers everyone who waits, and forgets everything.
    pub fn unload(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (id, answer) in self.writes.take_answers() {
            effects.push(Effect::Answer(id, failed(answer, WriteFault::Storage)));
        }
        let now = Now {
            monotonic_ms: 0,
            wall: crate::types::TimestampMs(0),
        };
        let mut groups = std::mem::take(&mut self.groups);
        effects.extend(self.turn(now, |turn| {
            for group in groups.values_mut() {
                group.clear(turn, GroupError::CoordinatorNotAvailable);
            }
        }));
        *self = Coordinator::new(self.settings);
        effects
    }

    fn group_named(&mut self, name: &str, now: Now) -> Rc<str> {
        let name: Rc<str> = Rc::from(name);
        self.groups
            .entry(Rc::clone(&name))
            .or_insert_with_key(|name| Group::new(Rc::clone(name), now.wall));
        name
    }

    fn turn(&mut self, now: Now, decide: impl FnOnce(&mut Turn)) -> Vec<Effect> {
        let mut turn = Turn {
            now,
            settings: &self.settings,
            writes: &mut self.writes,
            effects: Vec::new(),
        };
        decide(&mut turn);
        turn.effects
    }

    /// Has a group decide, then notes when it is due next, or that nothing is left of it.
    fn in_group(
        &mut self,
        now: Now,
        name: &str,
        decide: impl FnOnce(&mut Group, &mut Turn),
    ) -> Vec<Effect> {
        let Some(group) = self.groups.get_mut(name) else {
            return Vec::new();
        };
        let mut turn = Turn {
            now,
            settings: &self.settings,
            writes: &mut self.writes,
            effects: Vec::new(),
        };
        decide(group, &mut turn);
        let effects = turn.effects;
        let forgotten = group.is_forgotten();
        let due = group.alarm.filter(|_| !forgotten);
        if due != group.noted_alarm {
            if let Some(noted) = group.noted_alarm {
                self.alarms.remove(&(noted, Rc::clone(&group.name)));
            }
            group.noted_alarm = due;
            self.alarms
                .extend(due.map(|due| (due, Rc::clone(&group.name))));
        }
        if forgotten {
            self.groups.remove(name);
        }
        effects
    }
}

/// The group takes over what was written, and whoever waited for it is told.
fn end_write(
    group: &mut Group,
    turn: &mut Turn,
    id: WriteId,
    pending: PendingWrite,
    outcome: Result<(), WriteFault>,
) {
    group.writes_under_way = group.writes_under_way.saturating_sub(1);
    if outcome.is_ok() {
        group.stored = true;
    }
    for ((topic, partition), position) in pending.offsets {
        match outcome {
            Ok(()) => group.offsets.settle(&topic, partition, position),
            Err(_) => group.offsets.abandon(&topic, partition),
        }
    }
    if let Some((request, answer)) = pending.answer {
        let answer = match outcome {
            Ok(()) if pending.spoiled => failed(answer, WriteFault::Storage),
            Ok(()) => answer,
            Err(fault) => failed(answer, fault),
        };
        turn.answer(request, answer);
    }
    match pending.then {
        Then::Nothing | Then::Stored => {}
        Then::Created => created(group, turn, outcome),
        Then::Assigned {
            generation,
            assignments,
        } => {
            group.assigned(turn, generation, assignments, outcome);
        }
        Then::Replaced(replacement) => group.replaced(turn, *replacement, outcome),
        Then::PartlyForgotten => {
            if let (Err(_), Some(last)) = (outcome, group.forgetting) {
                turn.writes.spoil(last);
            }
        }
        Then::Forgotten => group.forgotten(id, outcome.is_ok()),
    }
}

/// A group that could not be written down does not come to be, unless it has come further meanwhile: then later writes tell.
fn created(group: &mut Group, turn: &mut Turn, outcome: Result<(), WriteFault>) {
    let Err(fault) = outcome else { return };
    let gathering = group.state == State::Preparing && group.initial;
    if gathering || group.state == State::Empty {
        group.clear(turn, not_stored(fault));
    }
}

impl GroupRequest {
    /// The group it is about; empty for a list.
    fn group(&self) -> &str {
        match self {
            GroupRequest::Join(request) => &request.group,
            GroupRequest::Sync(request) => &request.claim.group,
            GroupRequest::Heartbeat(claim) => &claim.group,
            GroupRequest::Leave(request) => &request.group,
            GroupRequest::Commit(request) => &request.claim.group,
            GroupRequest::FetchOffsets(request) => &request.group,
            GroupRequest::Describe { group } | GroupRequest::Delete { group } => group,
            GroupRequest::List(_) => "",
            GroupRequest::DeleteOffsets(request) => &request.group,
        }
    }
}

/// The answer to a request about a group that does not exist.
fn answer_without_group(request: GroupRequest) -> GroupAnswer {
    match request {
        GroupRequest::Leave(request) => {
            let outcomes = vec![Err(GroupError::UnknownMemberId); request.members.len()];
            GroupAnswer::Leave(Ok(outcomes))
        }
        GroupRequest::FetchOffsets(request) => GroupAnswer::FetchOffsets(Ok(no_positions(request))),
        GroupRequest::Sync(_) | GroupRequest::Heartbeat(_) => {
            refusal(request, GroupError::UnknownMemberId)
        }
        other => refusal(other, GroupError::GroupIdNotFound),
    }
}

/// The answer of the request's kind that says no.
fn refusal(request: GroupRequest, error: GroupError) -> GroupAnswer {
    match request {
        GroupRequest::Join(request) => GroupAnswer::Join(Err(super::JoinRefusal {
            error,
            member_id: request.member_id,
        })),
        GroupRequest::Sync(_) => GroupAnswer::Sync(Err(error)),
        GroupRequest::Heartbeat(_) => GroupAnswer::Heartbeat(Err(error)),
        GroupRequest::Leave(_) => GroupAnswer::Leave(Err(error)),
        GroupRequest::Commit(request) => {
            GroupAnswer::Commit(vec![Err(error); request.offsets.len()])
        }
        GroupRequest::FetchOffsets(_) => GroupAnswer::FetchOffsets(Err(error)),
        GroupRequest::Describe { .. } => GroupAnswer::Describe(Err(error)),
        GroupRequest::List(_) => GroupAnswer::List(Vec::new()),
        GroupRequest::Delete { .. } => GroupAnswer::Delete(Err(error)),
        GroupRequest::DeleteOffsets(_) => GroupAnswer::DeleteOffsets(Err(error)),
    }
}
