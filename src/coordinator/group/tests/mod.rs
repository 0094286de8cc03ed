//! Groups without sockets and without sleep: one theme a file, and a world in which clients do whatever they like.

mod administration;
mod commits;
mod expiry;
mod heartbeats;
mod joining;
mod random;
mod static_members;
mod syncing;
mod transactional;
mod writing;

use super::*;
use crate::types::TimestampMs;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use uuid::Uuid;

const SESSION_MS: i32 = 10_000;
const REBALANCE_MS: i32 = 60_000;
const INITIAL_DELAY_MS: u64 = 3_000;
const RETENTION_MS: i64 = 7 * 24 * 3_600_000;
const CHECK_MS: u64 = 600_000;
const EPOCH_MS: i64 = 1_700_000_000_000;

fn settings() -> GroupSettings {
    GroupSettings {
        min_session_timeout_ms: 6_000,
        max_session_timeout_ms: 1_800_000,
        initial_rebalance_delay_ms: INITIAL_DELAY_MS,
        max_size: usize::MAX,
        offsets_retention_ms: RETENTION_MS,
        offsets_retention_check_interval_ms: CHECK_MS,
        offset_metadata_max_bytes: 4_096,
    }
}

/// What stands in the log.
#[derive(Clone, Debug)]
enum Logged {
    /// A record, and in whose transaction.
    Record(LogRecord, Option<Producer>),
    /// The end of a producer's transaction.
    End(i64, bool),
}

/// A coordinator with a clock and a log of its own.
struct World {
    coordinator: Coordinator,
    settings: GroupSettings,
    now_ms: u64,
    asked: u64,
    waiting: BTreeSet<RequestId>,
    answers: BTreeMap<RequestId, GroupAnswer>,
    /// Writes that are on their way; none if they land at once.
    writes: VecDeque<(WriteId, Vec<LogRecord>)>,
    /// Whose transaction a write belongs to.
    producers: BTreeMap<WriteId, Producer>,
    holds_writes: bool,
    log: Vec<Logged>,
}

impl World {
    fn new() -> World {
        World::with(settings())
    }

    fn with(settings: GroupSettings) -> World {
        let mut world = World {
            coordinator: Coordinator::new(settings),
            settings,
            now_ms: 0,
            asked: 0,
            waiting: BTreeSet::new(),
            answers: BTreeMap::new(),
            writes: VecDeque::new(),
            producers: BTreeMap::new(),
            holds_writes: false,
            log: Vec::new(),
        };
        let effects = world.coordinator.loaded(world.now());
        world.apply(effects);
        world
    }

    fn now(&self) -> Now {
        Now {
            monotonic_ms: self.now_ms,
            wall: TimestampMs(EPOCH_MS + i64::try_from(self.now_ms).unwrap()),
        }
    }

    fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Answer(id, answer) => {
                    assert!(self.waiting.remove(&id), "{id:?} got another {answer:?}");
                    self.answers.insert(id, answer);
                }
                Effect::Write(id, records) => {
                    assert!(!records.is_empty());
                    self.writes.push_back((id, records));
                }
                Effect::WriteFor(id, producer, records) => {
                    assert!(!records.is_empty());
                    self.producers.insert(id, producer);
                    self.writes.push_back((id, records));
                }
                Effect::Errand(errand) => match errand {},
            }
        }
        while !self.holds_writes && !self.writes.is_empty() {
            self.land(Ok(()));
        }
    }

    /// The oldest write is done, or has failed.
    fn land(&mut self, outcome: Result<(), WriteFault>) {
        let (id, records) = self.writes.pop_front().expect("a write is on its way");
        if outcome.is_ok() {
            let producer = self.producers.get(&id).copied();
            let logged = |record| Logged::Record(record, producer);
            self.log.extend(records.into_iter().map(logged));
        }
        let effects = self.coordinator.written(self.now(), id, outcome);
        self.apply(effects);
    }

    fn ask(&mut self, request: GroupRequest) -> RequestId {
        self.asked += 1;
        let id = RequestId(self.asked);
        self.waiting.insert(id);
        let effects = self.coordinator.handle(self.now(), id, request);
        self.apply(effects);
        id
    }

    fn answer(&mut self, id: RequestId) -> GroupAnswer {
        self.answers
            .remove(&id)
            .unwrap_or_else(|| panic!("{id:?} has not been answered"))
    }

    fn is_waiting(&self, id: RequestId) -> bool {
        self.waiting.contains(&id)
    }

    /// Lets time pass as the shard does: by nothing but the deadlines that the coordinator tells.
    fn pass(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while let Some(at) = self.coordinator.next_deadline().filter(|at| *at <= until) {
            self.now_ms = self.now_ms.max(at);
            let effects = self.coordinator.tick(self.now());
            self.apply(effects);
        }
        self.now_ms = until;
    }

    /// Lets time pass until nobody waits.
    #[track_caller]
    fn until_answered(&mut self) {
        for _ in 0..10_000 {
            if self.waiting.is_empty() {
                return;
            }
            self.pass(100);
        }
        panic!("nobody answers {:?}", self.waiting);
    }

    /// The broker is killed and comes back: who waited is gone, and so is what was not written.
    fn restart(&mut self) {
        self.waiting.clear();
        self.writes.clear();
        self.coordinator = Coordinator::new(self.settings);
        for logged in self.log.clone() {
            match logged {
                Logged::Record(record, producer) => {
                    self.coordinator.replay(record, producer).unwrap();
                }
                Logged::End(producer_id, committed) => {
                    self.coordinator.transaction_ended(producer_id, committed);
                }
            }
        }
        let effects = self.coordinator.loaded(self.now());
        self.apply(effects);
    }

    fn join(&mut self, join: &JoinRequest) -> RequestId {
        let mut join = join.clone();
        join.fresh_id = Uuid::from_u128(u128::from(self.asked) + 1);
        self.ask(GroupRequest::Join(join))
    }

    fn joined(&mut self, id: RequestId) -> Joined {
        match self.answer(id) {
            GroupAnswer::Join(Ok(joined)) => joined,
            other => panic!("not joined: {other:?}"),
        }
    }

    #[track_caller]
    fn refusal(&mut self, id: RequestId) -> JoinRefusal {
        match self.answer(id) {
            GroupAnswer::Join(Err(refusal)) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn sync(&mut self, joined: &Joined, assignments: &[(&str, &str)]) -> RequestId {
        self.ask(GroupRequest::Sync(SyncRequest {
            claim: claim(&joined.member_id, joined.generation),
            assignments: assignments
                .iter()
                .map(|(member, share)| (member.to_string(), bytes(share)))
                .collect(),
            ..SyncRequest::default()
        }))
    }

    fn synced(&mut self, id: RequestId) -> Result<Bytes, GroupError> {
        match self.answer(id) {
            GroupAnswer::Sync(outcome) => outcome.map(|synced| synced.assignment),
            other => panic!("not a sync: {other:?}"),
        }
    }

    fn heartbeat(&mut self, claim: MemberClaim) -> Result<(), GroupError> {
        let id = self.ask(GroupRequest::Heartbeat(claim));
        match self.answer(id) {
            GroupAnswer::Heartbeat(outcome) => outcome,
            other => panic!("not a heartbeat: {other:?}"),
        }
    }

    fn leave(&mut self, members: &[(&str, Option<&str>)]) -> Vec<Result<(), GroupError>> {
        let members = members.iter().map(|(member, instance)| LeavingMember {
            member_id: member.to_string(),
            instance_id: instance.map(str::to_owned),
            reason: None,
        });
        let id = self.ask(GroupRequest::Leave(LeaveRequest {
            group: "g".to_owned(),
            members: members.collect(),
        }));
        match self.answer(id) {
            GroupAnswer::Leave(outcome) => outcome.unwrap(),
            other => panic!("not a leave: {other:?}"),
        }
    }

    fn commit(&mut self, claim: MemberClaim, offsets: &[(&str, i64)]) -> RequestId {
        self.ask(GroupRequest::Commit(CommitRequest {
            claim,
            offsets: offsets
                .iter()
                .map(|(topic, offset)| ((topic.to_string(), 0), position(*offset)))
                .collect(),
            ..CommitRequest::default()
        }))
    }

    /// In a producer's transaction.
    fn commit_for(
        &mut self,
        producer_id: i64,
        claim: MemberClaim,
        offsets: &[(&str, i64)],
    ) -> RequestId {
        let offset = |(topic, offset): &(&str, i64)| ((topic.to_string(), 0), position(*offset));
        self.ask(GroupRequest::Commit(CommitRequest {
            claim,
            offsets: offsets.iter().map(offset).collect(),
            producer: Some(Producer {
                id: producer_id,
                epoch: 0,
            }),
            ..CommitRequest::default()
        }))
    }

    /// The marker of the producer's transaction is in the log.
    fn end(&mut self, producer_id: i64, committed: bool) {
        self.log.push(Logged::End(producer_id, committed));
        self.coordinator.transaction_ended(producer_id, committed);
    }

    fn committed(&mut self, id: RequestId) -> Vec<Result<(), GroupError>> {
        match self.answer(id) {
            GroupAnswer::Commit(outcomes) => outcomes,
            other => panic!("not a commit: {other:?}"),
        }
    }

    /// Everything the group remembers, as offsets of the partitions 0 of topics.
    fn offsets(&mut self, group: &str) -> Vec<(String, i64)> {
        let id = self.ask(GroupRequest::FetchOffsets(FetchOffsetsRequest {
            group: group.to_owned(),
            ..FetchOffsetsRequest::default()
        }));
        match self.answer(id) {
            GroupAnswer::FetchOffsets(Ok(found)) => found
                .into_iter()
                .map(|((topic, _), position)| (topic, position.unwrap().unwrap().offset))
                .collect(),
            other => panic!("not offsets: {other:?}"),
        }
    }

    fn describe(&mut self) -> Result<GroupDescription, GroupError> {
        let id = self.ask(GroupRequest::Describe {
            group: "g".to_owned(),
        });
        match self.answer(id) {
            GroupAnswer::Describe(outcome) => outcome,
            other => panic!("not a description: {other:?}"),
        }
    }

    fn state(&mut self) -> &'static str {
        self.describe().map_or("Dead", |group| group.state)
    }

    /// A group of these members, stable in its first generation; the first is the leader. Static ones say their instance.
    fn stable(&mut self, instances: &[Option<&str>]) -> Vec<Joined> {
        let joins: Vec<_> = instances
            .iter()
            .map(|instance| self.join(&static_join(*instance)))
            .collect();
        self.until_answered();
        let joined: Vec<Joined> = joins.into_iter().map(|id| self.joined(id)).collect();
        self.hand_out(&joined);
        assert_eq!(self.state(), "Stable");
        joined
    }

    /// The leader gives every member its own id as its share, and everyone fetches it.
    fn hand_out(&mut self, joined: &[Joined]) {
        let shares: Vec<_> = joined
            .iter()
            .map(|one| (one.member_id.as_str(), one.member_id.as_str()))
            .collect();
        let syncs: Vec<_> = joined.iter().map(|one| self.sync(one, &shares)).collect();
        for (one, sync) in joined.iter().zip(syncs) {
            assert_eq!(self.synced(sync), Ok(bytes(&one.member_id)));
        }
    }
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn claim(member_id: &str, generation: i32) -> MemberClaim {
    MemberClaim {
        group: "g".to_owned(),
        member_id: member_id.to_owned(),
        instance_id: None,
        generation,
    }
}

/// Of a consumer that is no member.
fn no_claim() -> MemberClaim {
    claim("", -1)
}

fn position(offset: i64) -> CommittedOffset {
    CommittedOffset {
        offset,
        leader_epoch: -1,
        metadata: String::new(),
    }
}

/// A consumer's subscription to topics.
fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend(u32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        bytes.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend([0xff; 4]);
    bytes.into()
}

/// A join of a client that does not ask for its id first.
fn join() -> JoinRequest {
    JoinRequest {
        group: "g".to_owned(),
        client_id: "client".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        protocol_type: "consumer".to_owned(),
        protocols: vec![("range".to_owned(), subscription(&["topic"]))],
        ..JoinRequest::default()
    }
}

/// A join of a client that takes its id and comes back with it.
fn polite_join() -> JoinRequest {
    JoinRequest {
        must_know_its_id: true,
        ..join()
    }
}

fn static_join(instance: Option<&str>) -> JoinRequest {
    JoinRequest {
        instance_id: instance.map(str::to_owned),
        ..join()
    }
}

/// The same client again, under the id it has.
fn rejoin(joined: &Joined) -> JoinRequest {
    JoinRequest {
        member_id: joined.member_id.clone(),
        ..join()
    }
}

fn with_protocols(join: JoinRequest, names: &[&str]) -> JoinRequest {
    JoinRequest {
        protocols: names
            .iter()
            .map(|name| (name.to_string(), subscription(&["topic"])))
            .collect(),
        ..join
    }
}
