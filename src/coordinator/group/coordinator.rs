//! All groups of one partition of `__consumer_offsets`: events in, effects out.

use super::outbox::{AfterWrite, Outbox, Stage, commit_fault, state_fault};
use super::records::read_position;
use super::settings::GroupSettings;
use super::state::Group;
use super::timers::{Due, Timers};
use super::{
    CommitRequest, Effect, FetchOffsetsRequest, GroupAnswer, GroupError, GroupRequest, JoinRequest,
    ListFilter, LogRecord, Now, Producer, RequestId, StateMachine, WriteFault, WriteId,
};
use crate::coordinator::RecordError;
use crate::limits::GROUPS_PER_COORDINATOR;
use crate::wire::group_records::{GroupMetadataValue, GroupRecordKey, OffsetCommitValue};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::convert::Infallible;

/// Groups whose positions are looked at in one go.
const CHECKED_AT_ONCE: usize = 64;

/// The coordinator of one partition.
#[derive(Debug)]
pub struct Coordinator {
    settings: GroupSettings,
    /// By name.
    pub(super) groups: BTreeMap<String, Group>,
    /// Groups with positions in a producer's open transaction.
    pub(super) transactions: HashMap<i64, BTreeSet<String>>,
    timers: Timers,
    out: Outbox,
    next_check_ms: u64,
    /// Groups whose positions are still to be looked at in this check.
    to_check: VecDeque<String>,
}

impl StateMachine for Coordinator {
    type Settings = GroupSettings;
    type Request = GroupRequest;
    type Answer = GroupAnswer;
    type Errand = Infallible;
    const SUBJECTS: &'static str = "groups";

    fn new(settings: GroupSettings) -> Coordinator {
        Coordinator {
            settings,
            groups: BTreeMap::new(),
            transactions: HashMap::new(),
            timers: Timers::default(),
            out: Outbox::default(),
            next_check_ms: 0,
            to_check: VecDeque::new(),
        }
    }

    fn set_settings(&mut self, settings: GroupSettings) {
        self.settings = settings;
    }

    fn replay(&mut self, record: LogRecord, producer: Option<Producer>) -> Result<(), RecordError> {
        let LogRecord { key, value } = record;
        match GroupRecordKey::decode(key)? {
            GroupRecordKey::Offset(key) => {
                let value = value.map(OffsetCommitValue::decode_value).transpose()?;
                let name = key.group.to_string();
                let group = self
                    .groups
                    .entry(name.clone())
                    .or_insert_with(|| Group::new(&name));
                let key = (key.topic.to_string(), key.partition);
                let order = self.out.next_order();
                match (value.map(|value| read_position(&value, order)), producer) {
                    (Some(position), None) => drop(group.positions.insert(key, position)),
                    (Some(position), Some(producer)) => {
                        group.hold(producer.id, key, position);
                        let groups = self.transactions.entry(producer.id).or_default();
                        groups.insert(name.clone());
                    }
                    (None, _) => group.forget_position(&key, order),
                }
                self.drop_if_void(&name);
            }
            GroupRecordKey::Group(key) => {
                let value = value.map(GroupMetadataValue::decode_value).transpose()?;
                let name = key.group.to_string();
                let group = self
                    .groups
                    .entry(name.clone())
                    .or_insert_with(|| Group::new(&name));
                group.take_over(&value.unwrap_or_default());
                self.drop_if_void(&name);
            }
            GroupRecordKey::Other { .. } => {}
        }
        Ok(())
    }

    fn transaction_ended(&mut self, producer_id: i64, committed: bool) {
        self.settle(producer_id, committed);
    }

    /// Members have a session's time to be heard of.
    fn loaded(&mut self, now: Now) -> Vec<Effect> {
        self.next_check_ms = now.monotonic_ms + self.settings.offsets_retention_check_interval_ms;
        let names: Vec<String> = self.groups.keys().cloned().collect();
        for name in names {
            self.on(now, &name, |group, stage| {
                for member in group.members.values_mut() {
                    member.heard(&group.name, stage);
                }
                if group.members.len() > stage.settings.max_size {
                    group.prepare_rebalance(stage);
                }
            });
        }
        self.out.take()
    }

    fn handle(&mut self, now: Now, id: RequestId, request: GroupRequest) -> Vec<Effect> {
        match request {
            GroupRequest::Join(join) => self.join(now, id, join),
            GroupRequest::Sync(sync) => {
                let name = sync.claim.group.clone();
                let error = self.known(&name, GroupError::UnknownMemberId);
                match error {
                    Some(error) => self.out.synced(id, Err(error)),
                    None => self.on(now, &name, |group, stage| group.sync(id, sync, stage)),
                }
            }
            GroupRequest::Heartbeat(claim) => {
                let mut heard = Ok(());
                match self.known(&claim.group, GroupError::UnknownMemberId) {
                    Some(error) => heard = Err(error),
                    None => self.on(now, &claim.group, |group, stage| {
                        heard = group.heartbeat(&claim, stage);
                    }),
                }
                self.out.answer(id, GroupAnswer::Heartbeat(heard));
            }
            GroupRequest::Leave(leave) => {
                let mut left = Ok(Vec::new());
                match self.known(&leave.group, GroupError::UnknownMemberId) {
                    Some(GroupError::UnknownMemberId) => {
                        left = Ok(vec![Err(GroupError::UnknownMemberId); leave.members.len()]);
                    }
                    Some(error) => left = Err(error),
                    None => self.on(now, &leave.group, |group, stage| {
                        left = Ok(group.leave(&leave.members, stage));
                    }),
                }
                self.out.answer(id, GroupAnswer::Leave(left));
            }
            GroupRequest::Commit(commit) => self.commit(now, id, commit),
            GroupRequest::FetchOffsets(fetch) => self.fetch_offsets(id, fetch),
            GroupRequest::Describe { group } => {
                let error = self.known(&group, GroupError::GroupIdNotFound);
                let described = match (error, self.groups.get(&group)) {
                    (None, Some(group)) => Ok(group.describe()),
                    (error, _) => Err(error.unwrap_or(GroupError::GroupIdNotFound)),
                };
                self.out.answer(id, GroupAnswer::Describe(described));
            }
            GroupRequest::List(filter) => self.list(id, &filter),
            GroupRequest::Delete { group } => match self.known(&group, GroupError::GroupIdNotFound)
            {
                Some(error) => self.out.answer(id, GroupAnswer::Delete(Err(error))),
                None => self.on(now, &group, |group, stage| group.delete(id, stage)),
            },
            GroupRequest::DeleteOffsets(delete) => {
                match self.known(&delete.group, GroupError::GroupIdNotFound) {
                    Some(error) => self.out.answer(id, GroupAnswer::DeleteOffsets(Err(error))),
                    None => self.on(now, &delete.group, |group, stage| {
                        group.delete_offsets(id, &delete, stage);
                    }),
                }
            }
        }
        self.out.take()
    }

    fn written(&mut self, now: Now, id: WriteId, outcome: Result<(), WriteFault>) -> Vec<Effect> {
        match self.out.done(id) {
            None | Some(AfterWrite::Nothing) => {}
            Some(AfterWrite::Assigned {
                group,
                generation,
                assignment,
            }) => {
                let outcome = outcome.map_err(state_fault);
                self.on(now, &group, |group, stage| {
                    group.assigned(generation, assignment, outcome, stage);
                });
            }
            Some(AfterWrite::Replaced {
                group,
                member_id,
                request,
                may_skip,
                leader_before,
                before,
            }) => {
                let outcome = outcome.map_err(state_fault);
                self.on(now, &group, |group, stage| {
                    group.replaced(
                        &member_id,
                        request,
                        may_skip,
                        leader_before,
                        *before,
                        outcome,
                        stage,
                    );
                });
            }
            Some(committed @ AfterWrite::Committed { .. }) => self.committed(committed, outcome),
            Some(forgotten @ AfterWrite::Forgotten { .. }) => {
                self.forgotten(id, forgotten, outcome);
            }
        }
        self.out.take()
    }

    fn tick(&mut self, now: Now) -> Vec<Effect> {
        while let Some((at, name, due)) = self.timers.pop(now.monotonic_ms) {
            self.on(now, &name, |group, stage| fire(group, at, due, stage));
        }
        if now.monotonic_ms >= self.next_check_ms && !self.groups.is_empty() {
            let interval_ms = self.settings.offsets_retention_check_interval_ms.max(1);
            self.next_check_ms = now.monotonic_ms + interval_ms;
            self.to_check = self.groups.keys().cloned().collect();
        }
        // Not all at once: others wait for the core.
        let step = self.to_check.len().min(CHECKED_AT_ONCE);
        for name in self.to_check.drain(..step).collect::<Vec<_>>() {
            self.on(now, &name, |group, stage| group.expire(stage));
        }
        self.out.take()
    }

    fn next_deadline(&self) -> Option<u64> {
        let check = match self.to_check.is_empty() {
            true => (!self.groups.is_empty()).then_some(self.next_check_ms),
            false => Some(0),
        };
        self.timers.next().into_iter().chain(check).min()
    }

    fn unload(&mut self) -> Vec<Effect> {
        let unavailable = GroupError::CoordinatorNotAvailable;
        for write in self.out.abandon() {
            let Some(request) = write.request() else {
                continue;
            };
            let answer = match write {
                // The member itself waits, see below.
                AfterWrite::Replaced { .. } | AfterWrite::Assigned { .. } | AfterWrite::Nothing => {
                    continue;
                }
                AfterWrite::Committed { outcomes, .. } => {
                    GroupAnswer::Commit(vec![Err(unavailable); outcomes.len()])
                }
                AfterWrite::Forgotten { answer, .. } => match answer {
                    Some((_, GroupAnswer::Delete(_))) => GroupAnswer::Delete(Err(unavailable)),
                    _ => GroupAnswer::DeleteOffsets(Err(unavailable)),
                },
            };
            self.out.answer(request, answer);
        }
        for group in std::mem::take(&mut self.groups).values_mut() {
            for member in group.members.values_mut() {
                if let Some(request) = member.awaiting_join.take() {
                    self.out.not_joined(request, unavailable, &member.id);
                }
                if let Some(request) = member.awaiting_sync.take() {
                    self.out.synced(request, Err(unavailable));
                }
            }
        }
        self.out.take()
    }
}

impl Coordinator {
    /// Topics are gone: positions in them mean nothing any more.
    pub fn topics_deleted(&mut self, now: Now, names: &[String]) -> Vec<Effect> {
        let groups: Vec<String> = self.groups.keys().cloned().collect();
        for group in groups {
            self.on(now, &group, |group, stage| {
                group.topics_deleted(names, stage)
            });
        }
        self.out.take()
    }

    /// The topics that some group has positions in.
    pub fn topics(&self) -> BTreeSet<String> {
        let positions = self
            .groups
            .values()
            .flat_map(|group| group.positions.keys());
        positions.map(|(topic, _)| topic.clone()).collect()
    }

    /// How many timers are set.
    #[cfg(test)]
    pub(super) fn timers_set(&self) -> usize {
        self.timers.len()
    }

    /// Why a group of this name cannot be asked; `missing` if there is none.
    fn known(&self, name: &str, missing: GroupError) -> Option<GroupError> {
        if name.is_empty() {
            return Some(GroupError::InvalidGroupId);
        }
        (!self.groups.contains_key(name)).then_some(missing)
    }

    /// Deals with an event of one group, if it is there.
    fn on(&mut self, now: Now, name: &str, event: impl FnOnce(&mut Group, &mut Stage<'_>)) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let mut stage = Stage {
            now,
            settings: &self.settings,
            timers: &mut self.timers,
            out: &mut self.out,
        };
        event(group, &mut stage);
        self.drop_if_void(name);
    }

    /// Makes a group of this name if there is none.
    ///
    /// # Errors
    /// There are as many groups as one coordinator keeps.
    fn make(&mut self, name: &str) -> Result<(), GroupError> {
        if self.groups.contains_key(name) {
            return Ok(());
        }
        if self.groups.len() >= GROUPS_PER_COORDINATOR {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        self.groups.insert(name.to_owned(), Group::new(name));
        Ok(())
    }

    pub(super) fn drop_if_void(&mut self, name: &str) {
        if self.groups.get(name).is_some_and(Group::is_void) {
            self.groups.remove(name);
        }
    }

    fn join(&mut self, now: Now, id: RequestId, join: JoinRequest) {
        let session = self.settings.min_session_timeout_ms..=self.settings.max_session_timeout_ms;
        let error = if join.group.is_empty() {
            Some(GroupError::InvalidGroupId)
        } else if !session.contains(&join.session_timeout_ms) {
            Some(GroupError::InvalidSessionTimeout)
        } else if !join.member_id.is_empty() {
            self.known(&join.group, GroupError::UnknownMemberId)
        } else {
            None
        };
        let name = join.group.clone();
        if let Some(error) = error.or_else(|| self.make(&name).err()) {
            self.out.not_joined(id, error, &join.member_id);
            return;
        }
        self.on(now, &name, |group, stage| group.join(id, &join, stage));
    }

    fn commit(&mut self, now: Now, id: RequestId, commit: CommitRequest) {
        let name = commit.claim.group.clone();
        let known = if self.groups.contains_key(&name) {
            Ok(())
        } else if commit.claim.generation >= 0 {
            Err(GroupError::GroupIdNotFound)
        } else {
            self.make(&name)
        };
        if let Err(error) = known {
            let refused = vec![Err(error); commit.offsets.len()];
            self.out.answer(id, GroupAnswer::Commit(refused));
            return;
        }
        if let Some(producer) = commit.producer {
            let groups = self.transactions.entry(producer.id).or_default();
            groups.insert(name.clone());
        }
        self.on(now, &name, |group, stage| group.commit(id, commit, stage));
    }

    fn committed(&mut self, committed: AfterWrite, outcome: Result<(), WriteFault>) {
        let AfterWrite::Committed {
            group: name,
            request,
            producer,
            positions,
            mut outcomes,
        } = committed
        else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&name) {
            match producer {
                None => group.landed(positions, outcome.is_ok()),
                Some(producer) if outcome.is_err() => group.drop_held(producer.id, &positions),
                Some(_) => {}
            }
        }
        if let Err(fault) = outcome {
            let waited = outcomes.iter_mut().filter(|outcome| outcome.is_ok());
            waited.for_each(|outcome| *outcome = Err(commit_fault(fault)));
        }
        self.drop_if_void(&name);
        self.out.answer(request, GroupAnswer::Commit(outcomes));
    }

    fn forgotten(&mut self, id: WriteId, forgotten: AfterWrite, outcome: Result<(), WriteFault>) {
        let AfterWrite::Forgotten {
            group: name,
            keys,
            whole,
            more,
            spoiled,
            answer,
        } = forgotten
        else {
            return;
        };
        if outcome.is_ok()
            && let Some(group) = self.groups.get_mut(&name)
        {
            for key in &keys {
                group.forget_position(key, id.0);
            }
            if whole && group.is_idle() {
                group.forget_membership();
            }
            self.drop_if_void(&name);
        }
        let outcome = outcome.and(spoiled.map_or(Ok(()), Err));
        if let Err(fault) = outcome
            && more
        {
            self.out.spoil_next(id, fault);
        }
        let Some((request, answer)) = answer else {
            return;
        };
        let answer = match (outcome, answer) {
            (Ok(()), answer) => answer,
            (Err(fault), GroupAnswer::Delete(_)) => GroupAnswer::Delete(Err(state_fault(fault))),
            (Err(fault), _) => GroupAnswer::DeleteOffsets(Err(state_fault(fault))),
        };
        self.out.answer(request, answer);
    }

    fn fetch_offsets(&mut self, id: RequestId, fetch: FetchOffsetsRequest) {
        let nobody = Group::default();
        let group = self.groups.get(&fetch.group).unwrap_or(&nobody);
        let found = group.positions_of(fetch.partitions, fetch.require_stable);
        self.out.answer(id, GroupAnswer::FetchOffsets(Ok(found)));
    }

    fn list(&mut self, id: RequestId, filter: &ListFilter) {
        let groups = self.groups.values();
        let listed = groups.filter_map(|group| group.listing(filter)).collect();
        self.out.answer(id, GroupAnswer::List(listed));
    }
}

/// A timer has fired. Those that no longer hold change nothing.
fn fire(group: &mut Group, at: u64, due: Due, stage: &mut Stage<'_>) {
    match due {
        Due::Session { member } => group.session_over(&member, at, stage),
        Due::Pending { member } => group.pending_over(&member, stage),
        Due::InitialJoin {
            round,
            waited_ms,
            remaining_ms,
        } if group.join_round == Some(round) => {
            group.initial_wait_over(waited_ms, remaining_ms, stage)
        }
        Due::Join { round } if group.join_round == Some(round) => group.complete_join(stage),
        Due::Sync { round } if group.sync_round == Some(round) => group.sync_wait_over(stage),
        Due::InitialJoin { .. } | Due::Join { .. } | Due::Sync { .. } => {}
    }
}
