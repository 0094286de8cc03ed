//! Transactions without sockets and without sleep: one theme a file, and a world in which producers do whatever they like.

mod ending;
mod epochs;
mod initializing;
mod loading;
mod looking;
mod partitions;
mod random;
mod upkeep;

use super::*;
use crate::types::TimestampMs;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const TIMEOUT_MS: i32 = 60_000;
const MAX_TIMEOUT_MS: i32 = 900_000;
const EXPIRATION_MS: i64 = 7 * 24 * 3_600_000;
const ABORT_CHECK_MS: u64 = 10_000;
const EXPIRY_CHECK_MS: u64 = 3_600_000;
const EPOCH_MS: i64 = 1_700_000_000_000;
/// The first producer id that the world gives away.
const FIRST_ID: i64 = 1_000;

fn settings(version: i16) -> TransactionSettings {
    TransactionSettings {
        max_timeout_ms: MAX_TIMEOUT_MS,
        id_expiration_ms: EXPIRATION_MS,
        abort_check_interval_ms: ABORT_CHECK_MS,
        expiry_check_interval_ms: EXPIRY_CHECK_MS,
        version,
    }
}

/// A coordinator with a clock, a log and producer ids of its own.
struct World {
    coordinator: Coordinator,
    settings: TransactionSettings,
    now_ms: u64,
    asked: u64,
    waiting: BTreeSet<RequestId>,
    answers: BTreeMap<RequestId, TransactionAnswer>,
    /// Writes that are on their way; none if they land at once.
    writes: VecDeque<(WriteId, Vec<LogRecord>)>,
    holds_writes: bool,
    /// Markers that are on their way; none if they are written at once.
    markers: Vec<Ending>,
    holds_markers: bool,
    /// Markers that are written.
    marked: Vec<Ending>,
    next_producer_id: i64,
    /// No more producer ids can be had.
    gives_no_ids: bool,
    log: Vec<LogRecord>,
}

impl World {
    /// Of a cluster at this level of `transaction.version`.
    fn new(version: i16) -> World {
        let settings = settings(version);
        let mut world = World {
            coordinator: Coordinator::new(settings),
            settings,
            now_ms: 0,
            asked: 0,
            waiting: BTreeSet::new(),
            answers: BTreeMap::new(),
            writes: VecDeque::new(),
            holds_writes: false,
            markers: Vec::new(),
            holds_markers: false,
            marked: Vec::new(),
            next_producer_id: FIRST_ID,
            gives_no_ids: false,
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
                Effect::WriteFor(..) => panic!("its own records belong to no transaction"),
                Effect::Errand(Errand::ProducerId) => self.give_producer_id(),
                Effect::Errand(Errand::Markers(ending)) => self.markers.push(ending),
            }
        }
        while !self.holds_writes && !self.writes.is_empty() {
            self.land(Ok(()));
        }
        while !self.holds_markers && !self.markers.is_empty() {
            self.mark(0);
        }
    }

    fn give_producer_id(&mut self) {
        let id = (!self.gives_no_ids).then_some(self.next_producer_id);
        self.next_producer_id += 1;
        let effects = self.coordinator.producer_id(self.now(), id);
        self.apply(effects);
    }

    /// The oldest write is done, or has failed.
    fn land(&mut self, outcome: Result<(), WriteFault>) {
        let (id, records) = self.writes.pop_front().expect("a write is on its way");
        if outcome.is_ok() {
            self.log.extend(records);
        }
        let effects = self.coordinator.written(self.now(), id, outcome);
        self.apply(effects);
    }

    /// Every partition of an ending has its marker.
    fn mark(&mut self, index: usize) {
        let ending = self.markers.remove(index);
        self.marked.push(ending.clone());
        let effects = self.coordinator.markers_written(self.now(), &ending);
        self.apply(effects);
    }

    fn ask(&mut self, request: TransactionRequest) -> RequestId {
        self.asked += 1;
        let id = RequestId(self.asked);
        self.waiting.insert(id);
        let effects = self.coordinator.handle(self.now(), id, request);
        self.apply(effects);
        id
    }

    #[track_caller]
    fn answer(&mut self, id: RequestId) -> TransactionAnswer {
        self.answers
            .remove(&id)
            .unwrap_or_else(|| panic!("{id:?} has not been answered"))
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

    /// The broker is killed and comes back: who waited is gone, and so is what was not written.
    fn restart(&mut self) {
        self.waiting.clear();
        self.writes.clear();
        self.markers.clear();
        self.coordinator = Coordinator::new(self.settings);
        for record in self.log.clone() {
            self.coordinator.replay(record, None).unwrap();
        }
        let effects = self.coordinator.loaded(self.now());
        self.apply(effects);
    }

    fn asks_to_initialize(&mut self, before: Option<Producer>) -> RequestId {
        self.ask(TransactionRequest::Initialize(InitializeRequest {
            transactional_id: "tx".to_owned(),
            timeout_ms: TIMEOUT_MS,
            before,
        }))
    }

    #[track_caller]
    fn initialized(&mut self, id: RequestId) -> Result<Producer, TransactionError> {
        match self.answer(id) {
            TransactionAnswer::Initialized(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn initialize(&mut self) -> Producer {
        let id = self.asks_to_initialize(None);
        self.initialized(id).unwrap()
    }

    #[track_caller]
    fn go_on(&mut self, before: Producer) -> Result<Producer, TransactionError> {
        let id = self.asks_to_initialize(Some(before));
        self.initialized(id)
    }

    fn asks_to_add(&mut self, producer: Producer, topics: &[&str]) -> RequestId {
        self.ask(TransactionRequest::Add(claim(producer), partitions(topics)))
    }

    #[track_caller]
    fn added(&mut self, id: RequestId) -> Result<(), TransactionError> {
        match self.answer(id) {
            TransactionAnswer::Added(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn add(&mut self, producer: Producer, topics: &[&str]) -> Result<(), TransactionError> {
        let id = self.asks_to_add(producer, topics);
        self.added(id)
    }

    fn asks_to_end(&mut self, producer: Producer, commit: bool, takes_epoch: bool) -> RequestId {
        self.ask(TransactionRequest::End(EndRequest {
            claim: claim(producer),
            commit,
            takes_epoch,
        }))
    }

    #[track_caller]
    fn ended(&mut self, id: RequestId) -> Result<Producer, TransactionError> {
        match self.answer(id) {
            TransactionAnswer::Ended(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    /// With the classic protocol.
    #[track_caller]
    fn end(&mut self, producer: Producer, commit: bool) -> Result<Producer, TransactionError> {
        let id = self.asks_to_end(producer, commit, false);
        self.ended(id)
    }

    /// With an epoch a transaction.
    #[track_caller]
    fn end_for_next(
        &mut self,
        producer: Producer,
        commit: bool,
    ) -> Result<Producer, TransactionError> {
        let id = self.asks_to_end(producer, commit, true);
        self.ended(id)
    }

    #[track_caller]
    fn described(&mut self) -> Result<TransactionDescription, TransactionError> {
        let id = self.ask(TransactionRequest::Describe {
            transactional_id: "tx".to_owned(),
        });
        match self.answer(id) {
            TransactionAnswer::Described(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn state(&mut self) -> &'static str {
        self.described().map_or("none", |told| told.state)
    }
}

fn claim(producer: Producer) -> ProducerClaim {
    ProducerClaim {
        transactional_id: "tx".to_owned(),
        producer,
    }
}

fn partitions(topics: &[&str]) -> Vec<TopicPartition> {
    topics.iter().map(|&topic| (topic.to_owned(), 0)).collect()
}

fn producer(id: i64, epoch: i16) -> Producer {
    Producer { id, epoch }
}

/// Brings the epoch of the only transactional id to the last that a producer works with.
fn exhaust(world: &mut World) -> Producer {
    use crate::wire::transaction_records::TransactionLogValue;
    let first = world.initialize();
    let record = world.log.last_mut().unwrap();
    let mut value = TransactionLogValue::decode_value(record.value.clone().unwrap()).unwrap();
    value.producer_epoch = i16::MAX - 1;
    record.value = Some(value.encode_value(1));
    world.restart();
    producer(first.id, i16::MAX - 1)
}
