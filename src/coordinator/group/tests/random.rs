//! Clients that do whatever they like, a log that fails, a broker that is killed: whatever the order, the promises hold.
//!
//! * Generations of a group go up, and within one no partition has two owners.
//! * Every request is answered once ([`World`] sees to that), also when the coordinator is unloaded.
//! * What is fetched is what was last written, and what was answered was written.
//! * Nothing that must expire is later than the deadline the coordinator tells.
//! * Left alone with well-behaved clients, every group becomes stable, and all partitions have owners.

use super::super::state::{Group, State};
use super::*;
use crate::wire::group_records::{GroupRecordKey, OffsetCommitValue};

const RUNS: u64 = 24;
const STEPS: usize = 1_500;
const PARTITIONS: usize = 7;
const GROUPS: [&str; 2] = ["g0", "g1"];

/// Numbers that look random: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
    }
}

/// What a client takes itself for.
#[derive(Default, Debug)]
struct Client {
    group: usize,
    instance: Option<String>,
    subscribed: usize,
    member_id: String,
    generation: i32,
    /// What it must bring to its sync, if it has joined and not synced.
    joined: Option<Vec<(String, Bytes)>>,
    share: Option<Bytes>,
    waits: Option<RequestId>,
}

impl Client {
    fn claim(&self) -> MemberClaim {
        MemberClaim {
            group: GROUPS[self.group].to_owned(),
            member_id: self.member_id.clone(),
            instance_id: self.instance.clone(),
            generation: self.generation,
        }
    }

    fn owner(&self) -> String {
        self.instance
            .clone()
            .unwrap_or_else(|| self.member_id.clone())
    }

    fn must_join(&mut self) {
        self.joined = None;
        self.share = None;
    }

    fn forget(&mut self) {
        self.must_join();
        self.member_id.clear();
        self.generation = -1;
        self.waits = None;
    }

    fn refused(&mut self, error: GroupError) {
        match error {
            GroupError::UnknownMemberId | GroupError::FencedInstanceId => self.forget(),
            GroupError::CoordinatorNotAvailable => {}
            _ => self.must_join(),
        }
    }
}

struct Crowd {
    dice: Dice,
    world: World,
    clients: Vec<Client>,
    asked: BTreeMap<RequestId, usize>,
    commits: BTreeMap<RequestId, i64>,
    /// Highest generation seen of each group.
    generations: [i32; 2],
    /// Shares by group, life of the broker and of the group, generation and owner.
    shares: BTreeMap<(usize, usize, i32), BTreeMap<String, Bytes>>,
    lives: usize,
    /// What the log says, by group and partition.
    positions: BTreeMap<(String, (String, i32)), i64>,
    landed: BTreeSet<i64>,
    next_offset: i64,
}

impl Crowd {
    fn new(seed: u64) -> Crowd {
        let mut world = World::with(GroupSettings {
            offsets_retention_check_interval_ms: 60_000,
            ..settings()
        });
        world.holds_writes = true;
        let clients = (0..10).map(|number| Client {
            group: number % 2,
            instance: (number < 4).then(|| format!("instance-{number}")),
            generation: -1,
            ..Client::default()
        });
        Crowd {
            dice: Dice(seed),
            world,
            clients: clients.collect(),
            asked: BTreeMap::new(),
            commits: BTreeMap::new(),
            generations: [0; 2],
            shares: BTreeMap::new(),
            lives: 0,
            positions: BTreeMap::new(),
            landed: BTreeSet::new(),
            next_offset: 0,
        }
    }

    fn step(&mut self) {
        let client = self.dice.roll(self.clients.len());
        match self.dice.roll(40) {
            0..=15 => self.behave(client),
            16 => self.stale(client),
            17..=19 => self.commit(client),
            20 => self.leave(client),
            21 => self.clients[client].forget(),
            22 => self.clients[client].subscribed += 1,
            23..=26 => {
                let ms = [10, 1_000, 4_000, 15_000][self.dice.roll(4)];
                self.world.pass(ms);
            }
            27..=34 => self.land(true),
            35 => self.land(false),
            36 => self.fetch(),
            37 if self.dice.roll(12) == 0 => self.restart(),
            38 => self.delete(),
            _ => self.early_tick(),
        }
        self.hear();
        for group in self.world.coordinator.groups.values() {
            check(group, &self.world.coordinator);
        }
    }

    fn ask(&mut self, client: usize, request: GroupRequest) -> RequestId {
        self.world.asked += 1;
        let id = RequestId(self.world.asked);
        self.asked.insert(id, client);
        self.world.waiting.insert(id);
        let effects = self.world.coordinator.handle(self.world.now(), id, request);
        self.world.apply(effects);
        id
    }

    /// What a proper client does next.
    fn behave(&mut self, number: usize) {
        let client = &self.clients[number];
        if client.waits.is_some() {
            return;
        }
        let waits = if let Some(assignments) = client.joined.clone() {
            let claim = client.claim();
            self.ask(
                number,
                GroupRequest::Sync(SyncRequest {
                    claim,
                    assignments,
                    ..SyncRequest::default()
                }),
            )
        } else if client.share.is_some() {
            let claim = client.claim();
            self.ask(number, GroupRequest::Heartbeat(claim))
        } else {
            let topic = format!("topic-{}", client.subscribed % 3);
            let join = JoinRequest {
                group: GROUPS[client.group].to_owned(),
                member_id: client.member_id.clone(),
                instance_id: client.instance.clone(),
                protocols: vec![("range".to_owned(), subscription(&[&topic]))],
                must_know_its_id: number.is_multiple_of(3) && client.instance.is_none(),
                may_skip_assignment: number.is_multiple_of(2),
                fresh_id: Uuid::from_u128(u128::from(self.world.asked) + 1),
                ..join()
            };
            self.ask(number, GroupRequest::Join(join))
        };
        self.clients[number].waits = Some(waits);
    }

    /// A request that was under way for long.
    fn stale(&mut self, number: usize) {
        let mut claim = self.clients[number].claim();
        claim.generation -= 1;
        let request = match self.dice.roll(3) {
            0 => GroupRequest::Heartbeat(claim),
            1 => GroupRequest::Sync(SyncRequest {
                assignments: vec![(claim.member_id.clone(), bytes("0,1,2,3,4,5,6"))],
                claim,
                ..SyncRequest::default()
            }),
            _ => GroupRequest::Commit(CommitRequest {
                claim,
                offsets: vec![(("stale".to_owned(), 0), position(-7))],
                ..CommitRequest::default()
            }),
        };
        let id = self.ask(number, request);
        self.asked.remove(&id);
    }

    fn commit(&mut self, number: usize) {
        let topic = format!("topic-{}", self.dice.roll(3));
        let partition = i32::try_from(self.dice.roll(3)).unwrap();
        self.next_offset += 1;
        let offset = self.next_offset;
        let mut claim = self.clients[number].claim();
        if self.dice.roll(4) == 0 {
            claim = MemberClaim {
                group: claim.group,
                ..no_claim()
            };
        }
        let commit = CommitRequest {
            claim,
            offsets: vec![((topic, partition), position(offset))],
            ..CommitRequest::default()
        };
        let id = self.ask(number, GroupRequest::Commit(commit));
        self.commits.insert(id, offset);
    }

    fn leave(&mut self, number: usize) {
        let client = &self.clients[number];
        let member_id = match client.instance {
            Some(_) if self.dice.roll(2) == 0 => String::new(),
            _ => client.member_id.clone(),
        };
        let leave = LeaveRequest {
            group: GROUPS[client.group].to_owned(),
            members: vec![LeavingMember {
                member_id,
                instance_id: client.instance.clone(),
                reason: None,
            }],
        };
        self.ask(number, GroupRequest::Leave(leave));
        self.clients[number].forget();
    }

    fn delete(&mut self) {
        let group = GROUPS[self.dice.roll(2)].to_owned();
        match self.dice.roll(3) {
            0 => drop(self.world.ask(GroupRequest::Delete { group })),
            1 => drop(
                self.world
                    .ask(GroupRequest::DeleteOffsets(DeleteOffsetsRequest {
                        group,
                        partitions: (0..3).map(|at| ("topic-1".to_owned(), at)).collect(),
                    })),
            ),
            _ => {
                let (now, names) = (self.world.now(), ["topic-2".to_owned()]);
                let effects = self.world.coordinator.topics_deleted(now, &names);
                self.world.apply(effects);
            }
        }
    }

    fn land(&mut self, succeeds: bool) {
        let Some((_, records)) = self.world.writes.front() else {
            return;
        };
        if succeeds {
            for record in records.clone() {
                self.remember(record);
            }
        }
        let fault = [WriteFault::Storage, WriteFault::TooLarge][self.dice.roll(2)];
        self.world.land(if succeeds { Ok(()) } else { Err(fault) });
    }

    fn remember(&mut self, record: LogRecord) {
        match GroupRecordKey::decode(record.key).unwrap() {
            GroupRecordKey::Offset(key) => {
                let place = (
                    key.group.to_string(),
                    (key.topic.to_string(), key.partition),
                );
                match record.value {
                    Some(value) => {
                        let offset = OffsetCommitValue::decode_value(value).unwrap().offset;
                        self.landed.insert(offset);
                        self.positions.insert(place, offset);
                    }
                    None => drop(self.positions.remove(&place)),
                }
            }
            GroupRecordKey::Group(key) if record.value.is_none() => {
                // The group may begin anew.
                let group = GROUPS.iter().position(|group| key.group == *group);
                self.generations[group.unwrap()] = 0;
                self.lives += 1;
            }
            _ => {}
        }
    }

    fn fetch(&mut self) {
        for group in GROUPS {
            let id = self
                .world
                .ask(GroupRequest::FetchOffsets(FetchOffsetsRequest {
                    group: group.to_owned(),
                    ..FetchOffsetsRequest::default()
                }));
            let GroupAnswer::FetchOffsets(Ok(found)) = self.world.answer(id) else {
                panic!("not offsets");
            };
            let found: BTreeMap<_, _> = found
                .into_iter()
                .map(|(key, position)| (key, position.unwrap().unwrap().offset))
                .collect();
            let written = self.positions.iter().filter(|((of, _), _)| of == group);
            let written: BTreeMap<_, _> = written
                .map(|((_, key), offset)| (key.clone(), *offset))
                .collect();
            assert_eq!(found, written);
        }
    }

    fn restart(&mut self) {
        self.world.restart();
        self.asked.clear();
        self.commits.clear();
        self.generations = [0; 2];
        self.lives += 1;
        for client in &mut self.clients {
            client.waits = None;
        }
    }

    /// Before its deadline a coordinator has nothing to do.
    fn early_tick(&mut self) {
        let Some(at) = self.world.coordinator.next_deadline() else {
            return;
        };
        let now = Now {
            monotonic_ms: at.saturating_sub(1).max(self.world.now_ms),
            ..self.world.now()
        };
        if now.monotonic_ms < at {
            assert_eq!(self.world.coordinator.tick(now), []);
            self.world.now_ms = now.monotonic_ms;
        }
    }

    /// Clients take their answers.
    fn hear(&mut self) {
        for (id, answer) in std::mem::take(&mut self.world.answers) {
            if let (GroupAnswer::Commit(outcomes), Some(offset)) =
                (&answer, self.commits.remove(&id))
            {
                assert!(outcomes[0].is_err() || self.landed.contains(&offset));
            }
            let Some(number) = self.asked.remove(&id) else {
                continue;
            };
            if self.clients[number].waits == Some(id) {
                self.clients[number].waits = None;
                self.take(number, answer);
            }
        }
    }

    fn take(&mut self, number: usize, answer: GroupAnswer) {
        let client = &mut self.clients[number];
        match answer {
            GroupAnswer::Join(Ok(joined)) => {
                let highest = &mut self.generations[client.group];
                assert!(joined.generation >= *highest, "{joined:?} after {highest}");
                *highest = joined.generation;
                client.joined = Some(assignment(&joined));
                client.member_id = joined.member_id;
                client.generation = joined.generation;
            }
            GroupAnswer::Join(Err(refusal)) if refusal.error == GroupError::MemberIdRequired => {
                client.member_id = refusal.member_id;
            }
            GroupAnswer::Sync(Ok(synced)) => {
                client.joined = None;
                client.share = Some(synced.assignment.clone());
                let generation = (client.group, self.lives, client.generation);
                let shares = self.shares.entry(generation).or_default();
                shares.insert(client.owner(), synced.assignment);
                let owned: Vec<&str> = shares.values().flat_map(partitions).collect();
                let distinct: BTreeSet<_> = owned.iter().collect();
                assert_eq!(owned.len(), distinct.len(), "{generation:?}: {shares:?}");
            }
            GroupAnswer::Join(Err(refusal)) => client.refused(refusal.error),
            GroupAnswer::Sync(Err(error)) | GroupAnswer::Heartbeat(Err(error)) => {
                client.refused(error);
            }
            _ => {}
        }
    }

    /// Nothing fails and everyone is well-behaved until every group is stable.
    fn calm(&mut self) {
        for _ in 0..2_000 {
            for number in 0..self.clients.len() {
                self.behave(number);
                self.hear();
            }
            while !self.world.writes.is_empty() {
                self.land(true);
            }
            self.hear();
            if self.is_stable() {
                return;
            }
            self.world.pass(1_000);
            self.hear();
        }
        panic!("never stable: {:?}", self.clients);
    }

    fn is_stable(&self) -> bool {
        (0..GROUPS.len()).all(|group| {
            let members: Vec<_> = self.clients.iter().filter(|c| c.group == group).collect();
            let shares: Option<Vec<_>> = members.iter().map(|c| c.share.as_ref()).collect();
            let one_generation = members
                .windows(2)
                .all(|w| w[0].generation == w[1].generation);
            shares.is_some_and(|shares| {
                let owned: BTreeSet<&str> = shares.into_iter().flat_map(partitions).collect();
                one_generation && owned.len() == PARTITIONS
            })
        })
    }
}

/// What a leader brings: every partition to one of the members.
fn assignment(joined: &Joined) -> Vec<(String, Bytes)> {
    if joined.skip_assignment || joined.members.is_empty() {
        return Vec::new();
    }
    let count = joined.members.len();
    let share = |at: usize| {
        let share: Vec<_> = (0..PARTITIONS).filter(|p| p % count == at).collect();
        let share: Vec<_> = share.iter().map(ToString::to_string).collect();
        bytes(&share.join(","))
    };
    let members = joined.members.iter().enumerate();
    members
        .map(|(at, member)| (member.member_id.clone(), share(at)))
        .collect()
}

fn partitions(share: &Bytes) -> Vec<&str> {
    let text = std::str::from_utf8(share).unwrap();
    text.split(',').filter(|one| !one.is_empty()).collect()
}

/// What always holds within a group.
#[track_caller]
fn check(group: &Group, coordinator: &Coordinator) {
    let next = coordinator.next_deadline().unwrap_or(u64::MAX);
    for (id, member) in &group.members {
        assert_eq!(*id, member.id);
        assert!(member.waits() || member.timer_at.is_some_and(|at| at <= member.deadline));
        assert!(member.waits() || next <= member.deadline);
        if let Some(instance) = &member.instance_id {
            assert_eq!(group.instances.get(instance), Some(id));
        }
    }
    assert!(group.pending.values().all(|until| next <= *until));
    assert!(
        group
            .instances
            .values()
            .all(|id| group.members.contains_key(id))
    );
    assert!(
        group
            .pending_sync
            .iter()
            .all(|id| group.members.contains_key(id))
    );
    let is_member = |id: &String| group.members.contains_key(id);
    match group.state {
        State::Empty => assert!(group.members.is_empty()),
        State::PreparingRebalance => assert!(group.join_round.is_some()),
        State::CompletingRebalance => {
            // Once everybody has asked, only the write is waited for, however long it takes.
            let being_written = group.assigning == Some(group.generation);
            let all_asked = group.pending_sync.is_empty() && being_written;
            assert!(group.sync_round.is_some() || all_asked);
            assert!(group.leader.as_ref().is_some_and(is_member));
        }
        State::Stable => assert!(group.leader.as_ref().is_some_and(is_member)),
    }
}

fn run(seed: u64) {
    eprintln!("seed {seed}");
    let mut crowd = Crowd::new(seed);
    for _ in 0..STEPS {
        crowd.step();
    }
    crowd.calm();
    crowd.fetch();
    crowd.behave(0);
    crowd.commit(1);
    let effects = crowd.world.coordinator.unload();
    crowd.world.apply(effects);
    assert!(crowd.world.waiting.is_empty(), "{:?}", crowd.world.waiting);
}

#[test]
fn whatever_clients_and_the_log_do_the_promises_hold() {
    let first = u64::try_from(TimestampMs::now().0).unwrap();
    for number in 0..RUNS {
        run(first.wrapping_add(number));
    }
}

#[test]
fn the_promises_hold_for_these_seeds_too() {
    (0..4).for_each(run);
}
