//! Groups without sockets and without sleep, through the coordinator's door alone.
//!
//! [`World`] stands for the shard: it asks, keeps the log, tells how writes ended and lets time pass. Whatever a test does, it
//! checks that every request is answered exactly once and that nothing happens before the deadline that was given.

mod administration;
mod commits;
mod durability;
mod joining;
mod membership;
mod random;
mod retention;
mod static_members;
mod syncing;

use super::*;
use crate::types::TimestampMs;
use bytes::Bytes;
use std::collections::{HashMap, HashSet, VecDeque};

pub(super) const SESSION_MS: u64 = 10_000;
pub(super) const REBALANCE_MS: u64 = 60_000;
pub(super) const DELAY_MS: u64 = 3_000;
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
pub(super) const GROUP: &str = "g";

pub(super) fn settings() -> GroupSettings {
    GroupSettings {
        min_session_timeout_ms: 6_000,
        max_session_timeout_ms: 1_800_000,
        initial_rebalance_delay_ms: DELAY_MS,
        max_size: i32::MAX as usize,
        offsets_retention_ms: 7 * DAY_MS as i64,
        offsets_retention_check_interval_ms: 600_000,
        offset_metadata_max_bytes: 4_096,
    }
}

/// The shard, as far as a coordinator knows it.
pub(super) struct World {
    pub coordinator: Coordinator,
    pub settings: GroupSettings,
    pub now: Now,
    /// Whether writes succeed at once.
    pub writes_at_once: bool,
    pub under_way: VecDeque<(WriteId, Vec<LogRecord>)>,
    pub log: Vec<LogRecord>,
    next_request: u64,
    waiting: HashSet<RequestId>,
    answers: HashMap<RequestId, GroupAnswer>,
}

impl World {
    pub fn new() -> World {
        World::with(settings())
    }

    pub fn with(settings: GroupSettings) -> World {
        let mut world = World {
            coordinator: Coordinator::new(settings),
            settings,
            now: Now {
                monotonic_ms: 1_000,
                wall: TimestampMs(1_700_000_000_000),
            },
            writes_at_once: true,
            under_way: VecDeque::new(),
            log: Vec::new(),
            next_request: 0,
            waiting: HashSet::new(),
            answers: HashMap::new(),
        };
        let effects = world.coordinator.loaded(world.now);
        world.take(effects);
        world
    }

    pub fn ask(&mut self, request: GroupRequest) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.waiting.insert(id);
        let effects = self.coordinator.handle(self.now, id, request);
        self.take(effects);
        id
    }

    pub fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Answer(id, answer) => {
                    assert!(
                        self.waiting.remove(&id),
                        "{id:?} was answered twice: {answer:?}"
                    );
                    self.answers.insert(id, answer);
                }
                Effect::Write(id, records) => {
                    assert!(!records.is_empty(), "an empty batch");
                    self.under_way.push_back((id, records));
                }
            }
        }
        while self.writes_at_once && !self.under_way.is_empty() {
            self.end_write(Ok(()));
        }
    }

    /// The oldest write ends.
    pub fn end_write(&mut self, outcome: Result<(), WriteFault>) {
        let (id, records) = self.under_way.pop_front().expect("a write is under way");
        if outcome.is_ok() {
            self.log.extend(records);
        }
        let effects = self.coordinator.written(self.now, id, outcome);
        self.take(effects);
    }

    pub fn waits(&self, id: RequestId) -> bool {
        self.waiting.contains(&id)
    }

    pub fn requests_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The answer, if there is one that was not taken yet.
    pub fn answer(&mut self, id: RequestId) -> Option<GroupAnswer> {
        self.answers.remove(&id)
    }

    #[track_caller]
    pub fn answered(&mut self, id: RequestId) -> GroupAnswer {
        self.answer(id).expect("an answer")
    }

    /// Time passes, deadline by deadline. Nothing may happen before the deadline that was given.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now.monotonic_ms + ms;
        loop {
            let due = self.coordinator.next_deadline().filter(|due| *due <= end);
            let until = due.unwrap_or(end);
            if until > self.now.monotonic_ms + 1 {
                self.go_to(until - 1);
                let before = self.picture();
                let early = self.coordinator.tick(self.now);
                assert_eq!(early, [], "something was due before the deadline");
                assert_eq!(
                    before,
                    self.picture(),
                    "something changed before the deadline"
                );
            }
            self.go_to(until.max(self.now.monotonic_ms));
            if due.is_none() {
                return;
            }
            let effects = self.coordinator.tick(self.now);
            self.take(effects);
        }
    }

    fn go_to(&mut self, monotonic_ms: u64) {
        let passed = monotonic_ms - self.now.monotonic_ms;
        self.now.monotonic_ms = monotonic_ms;
        self.now.wall.0 += i64::try_from(passed).unwrap();
    }

    /// All groups in full, sorted.
    pub fn picture(&mut self) -> Vec<String> {
        let mut groups = Vec::new();
        for listing in self.list(ListFilter::default()) {
            groups.push(format!("{listing:?} {:?}", self.describe(&listing.group)));
        }
        groups.sort();
        groups
    }

    /// The process ends and another begins with what was written. Who waits is told.
    pub fn restart(&mut self) {
        let effects = self.coordinator.unload();
        self.under_way.clear();
        self.take(effects);
        assert_eq!(
            self.waiting.len(),
            0,
            "somebody waits for a coordinator that is gone"
        );
        self.coordinator = Coordinator::new(self.settings);
        for record in &self.log {
            let (key, value) = (record.key.clone(), record.value.clone());
            self.coordinator.replay(key, value).unwrap();
        }
        let effects = self.coordinator.loaded(self.now);
        self.take(effects);
    }

    pub fn list(&mut self, filter: ListFilter) -> Vec<GroupListing> {
        let id = self.ask(GroupRequest::List(filter));
        match self.answered(id) {
            GroupAnswer::List(groups) => groups,
            other => panic!("{other:?}"),
        }
    }

    pub fn describe(&mut self, group: &str) -> Result<GroupDescription, GroupError> {
        let group = group.to_owned();
        let id = self.ask(GroupRequest::Describe { group });
        match self.answered(id) {
            GroupAnswer::Describe(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    pub fn state(&mut self) -> &'static str {
        self.describe(GROUP).map_or("Dead", |group| group.state)
    }

    pub fn join(&mut self, request: JoinRequest) -> RequestId {
        self.ask(GroupRequest::Join(request))
    }

    #[track_caller]
    pub fn joined(&mut self, id: RequestId) -> Joined {
        match self.answered(id) {
            GroupAnswer::Join(Ok(joined)) => joined,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub fn refused(&mut self, id: RequestId) -> JoinRefusal {
        match self.answered(id) {
            GroupAnswer::Join(Err(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    pub fn sync(&mut self, member: &Joined, assignments: &[(&str, &str)]) -> RequestId {
        self.ask(GroupRequest::Sync(SyncRequest {
            claim: claim(member),
            protocol_type: None,
            protocol_name: None,
            assignments: assignments
                .iter()
                .map(|(id, share)| ((*id).to_owned(), Bytes::copy_from_slice(share.as_bytes())))
                .collect(),
        }))
    }

    #[track_caller]
    pub fn synced(&mut self, id: RequestId) -> Result<Bytes, GroupError> {
        match self.answered(id) {
            GroupAnswer::Sync(outcome) => outcome.map(|synced| synced.assignment),
            other => panic!("{other:?}"),
        }
    }

    pub fn heartbeat(&mut self, claim: MemberClaim) -> Result<(), GroupError> {
        let id = self.ask(GroupRequest::Heartbeat(claim));
        match self.answered(id) {
            GroupAnswer::Heartbeat(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    pub fn leave(&mut self, members: &[(&str, Option<&str>)]) -> Vec<Result<(), GroupError>> {
        let members = members.iter().map(|(id, instance)| LeavingMember {
            member_id: (*id).to_owned(),
            instance_id: instance.map(str::to_owned),
            reason: None,
        });
        let id = self.ask(GroupRequest::Leave(LeaveRequest {
            group: GROUP.to_owned(),
            members: members.collect(),
        }));
        match self.answered(id) {
            GroupAnswer::Leave(Ok(outcomes)) => outcomes,
            other => panic!("{other:?}"),
        }
    }

    /// Commits `offset` for partition 0 of `topic`.
    pub fn commit(&mut self, claim: MemberClaim, topic: &str, offset: i64) -> RequestId {
        self.ask(GroupRequest::Commit(commit_of(claim, topic, offset)))
    }

    #[track_caller]
    pub fn committed(&mut self, id: RequestId) -> Result<(), GroupError> {
        match self.answered(id) {
            GroupAnswer::Commit(outcomes) => outcomes[0],
            other => panic!("{other:?}"),
        }
    }

    /// The offset of partition 0 of `topic`.
    pub fn position(&mut self, topic: &str) -> Option<i64> {
        let id = self.ask(GroupRequest::FetchOffsets(FetchOffsetsRequest {
            group: GROUP.to_owned(),
            partitions: Some(vec![(topic.to_owned(), 0)]),
            member: None,
        }));
        match self.answered(id) {
            GroupAnswer::FetchOffsets(Ok(found)) => {
                assert_eq!(found[0].0, (topic.to_owned(), 0));
                found[0].1.as_ref().map(|committed| committed.offset)
            }
            other => panic!("{other:?}"),
        }
    }

    /// A stable group of members with these instance ids, `None` for a dynamic one. The share of each is its place. The
    /// first leads.
    pub fn stable(&mut self, members: &[Option<&str>]) -> Vec<Joined> {
        let joins: Vec<_> = members
            .iter()
            .map(|instance| self.join(newcomer(*instance)))
            .collect();
        self.pass(DELAY_MS * 3);
        let joined: Vec<Joined> = joins.into_iter().map(|id| self.joined(id)).collect();
        let shares: Vec<_> = (0..joined.len()).map(|place| place.to_string()).collect();
        let pairs = joined.iter().zip(&shares);
        let shares: Vec<(&str, &str)> = pairs
            .map(|(member, share)| (member.member_id.as_str(), share.as_str()))
            .collect();
        let mut syncs: Vec<_> = joined[1..].iter().map(|m| self.sync(m, &[])).collect();
        syncs.push(self.sync(&joined[0], &shares));
        for sync in syncs {
            self.synced(sync).unwrap();
        }
        assert_eq!(self.state(), "Stable");
        joined
    }
}

/// The beginning of a consumer's metadata of version 0 that subscribes to these.
pub(super) fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend((-1i32).to_be_bytes());
    Bytes::from(bytes)
}

/// A consumer of topic `t` that comes without an id and need not come back with one.
pub(super) fn newcomer(instance_id: Option<&str>) -> JoinRequest {
    JoinRequest {
        group: GROUP.to_owned(),
        instance_id: instance_id.map(str::to_owned),
        client_id: "client".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        session_timeout_ms: SESSION_MS as i32,
        rebalance_timeout_ms: REBALANCE_MS as i32,
        protocol_type: "consumer".to_owned(),
        protocols: vec![("range".to_owned(), subscription(&["t"]))],
        may_skip_assignment: true,
        fresh_id: uuid::Uuid::new_v4(),
        ..JoinRequest::default()
    }
}

/// The same member again.
pub(super) fn again(member: &Joined) -> JoinRequest {
    JoinRequest {
        member_id: member.member_id.clone(),
        ..newcomer(None)
    }
}

pub(super) fn knowing(protocols: &[&str]) -> JoinRequest {
    JoinRequest {
        protocols: protocols
            .iter()
            .map(|name| ((*name).to_owned(), subscription(&["t"])))
            .collect(),
        ..newcomer(None)
    }
}

pub(super) fn claim(member: &Joined) -> MemberClaim {
    MemberClaim {
        group: GROUP.to_owned(),
        member_id: member.member_id.clone(),
        instance_id: None,
        generation: member.generation,
    }
}

/// From no member.
pub(super) fn nobody() -> MemberClaim {
    MemberClaim {
        group: GROUP.to_owned(),
        generation: -1,
        ..MemberClaim::default()
    }
}

pub(super) fn commit_of(claim: MemberClaim, topic: &str, offset: i64) -> CommitRequest {
    let committed = CommittedOffset {
        offset,
        leader_epoch: 4,
        metadata: "note".to_owned(),
    };
    CommitRequest {
        claim,
        retention_ms: None,
        commit_timestamp: None,
        offsets: vec![((topic.to_owned(), 0), committed)],
    }
}
