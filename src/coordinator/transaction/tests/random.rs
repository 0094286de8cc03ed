//! Producers that do whatever they like, zombies among them, a log that fails, a broker that is killed: whatever the order, the
//! promises hold.
//!
//! * A transaction whose commit was answered gets commit markers in every partition, and never an abort; one whose abort was
//!   answered, or that timed out, the other way round. No transaction gets both.
//! * Every request is answered once ([`World`] sees to that).
//! * What is written down never goes back: producer id and epoch of an id only grow.
//! * Left alone, every transaction ends.

use super::*;
use crate::wire::transaction_records::TransactionLogValue;

const RUNS: u64 = 40;
const STEPS: usize = 1_500;

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

/// A process that uses the only transactional id.
#[derive(Default)]
struct Process {
    me: Option<Producer>,
    waits: Option<(RequestId, Wish)>,
    /// The partitions it has added since it last began.
    wrote: BTreeSet<TopicPartition>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Wish {
    Initialize,
    Add(usize),
    End { commit: bool },
}

struct Crowd {
    dice: Dice,
    world: World,
    processes: Vec<Process>,
    takes_epoch: bool,
    /// Commits that were answered with yes, by epoch, and whether they committed.
    decided: BTreeMap<Producer, bool>,
    checked: usize,
    seen: BTreeMap<(i64, i16), bool>,
    last: Option<(i64, i16)>,
}

impl Crowd {
    fn new(seed: u64, version: i16) -> Crowd {
        let mut world = World::new(version);
        world.holds_writes = true;
        world.holds_markers = true;
        Crowd {
            dice: Dice(seed),
            world,
            processes: (0..3).map(|_| Process::default()).collect(),
            takes_epoch: version == 2,
            decided: BTreeMap::new(),
            checked: 0,
            seen: BTreeMap::new(),
            last: None,
        }
    }

    fn step(&mut self) {
        let process = self.dice.roll(3);
        match self.dice.roll(24) {
            0..=9 => self.behave(process),
            10..=16 if !self.world.writes.is_empty() => self.world.land(Ok(())),
            17 if !self.world.writes.is_empty() => self.world.land(Err(WriteFault::Storage)),
            18..=20 if !self.world.markers.is_empty() => {
                let index = self.dice.roll(self.world.markers.len());
                self.world.mark(index);
            }
            21 => self
                .world
                .pass([10, 1_000, 30_000, 80_000][self.dice.roll(4)]),
            22 if self.dice.roll(8) == 0 => {
                self.world.restart();
                for process in &mut self.processes {
                    process.waits = None;
                }
            }
            23 if self.dice.roll(6) == 0 => self.processes[process] = Process::default(),
            _ => {}
        }
        self.hear();
        self.check();
    }

    fn behave(&mut self, index: usize) {
        if self.processes[index].waits.is_some() {
            return;
        }
        let Some(me) = self.processes[index].me else {
            let id = self.world.asks_to_initialize(None);
            self.processes[index].waits = Some((id, Wish::Initialize));
            return;
        };
        let wrote = !self.processes[index].wrote.is_empty();
        let (id, wish) = match self.dice.roll(5) {
            0 | 1 if wrote => {
                let commit = self.dice.roll(3) > 0;
                let id = self.world.asks_to_end(me, commit, self.takes_epoch);
                (id, Wish::End { commit })
            }
            _ => {
                let topic = self.dice.roll(4);
                let id = self.world.asks_to_add(me, &[&format!("t{topic}")]);
                (id, Wish::Add(topic))
            }
        };
        self.processes[index].waits = Some((id, wish));
    }

    fn hear(&mut self) {
        for process in &mut self.processes {
            let Some((id, wish)) = process.waits else {
                continue;
            };
            let Some(answer) = self.world.answers.remove(&id) else {
                continue;
            };
            process.waits = None;
            let error = match (answer, wish) {
                (TransactionAnswer::Initialized(Ok(me)), Wish::Initialize) => {
                    process.wrote.clear();
                    process.me = Some(me);
                    continue;
                }
                (TransactionAnswer::Added(Ok(())), Wish::Add(topic)) => {
                    process.wrote.insert((format!("t{topic}"), 0));
                    continue;
                }
                (TransactionAnswer::Ended(Ok(next)), Wish::End { commit }) => {
                    let marked = match self.takes_epoch {
                        true => Producer {
                            epoch: process.me.unwrap().epoch + 1,
                            ..process.me.unwrap()
                        },
                        false => next,
                    };
                    if self.takes_epoch {
                        let before = self.decided.insert(marked, commit);
                        assert!(before.is_none_or(|before| before == commit));
                    }
                    process.wrote.clear();
                    process.me = Some(next);
                    continue;
                }
                (TransactionAnswer::Initialized(Err(error)), _)
                | (TransactionAnswer::Added(Err(error)), _)
                | (TransactionAnswer::Ended(Err(error)), _) => error,
                other => panic!("{other:?}"),
            };
            match error {
                TransactionError::ConcurrentTransactions
                | TransactionError::CoordinatorNotAvailable => {}
                _ => *process = Process::default(),
            }
        }
    }

    fn check(&mut self) {
        // With an epoch a transaction, an epoch has one outcome.
        for ending in &self.world.marked[self.checked..] {
            let key = (ending.producer.id, ending.producer.epoch);
            if self.takes_epoch {
                let before = self.seen.insert(key, ending.commit);
                assert!(
                    before.is_none_or(|before| before == ending.commit),
                    "{key:?}"
                );
                let promised = self.decided.get(&ending.producer);
                assert!(
                    promised.is_none_or(|promised| *promised == ending.commit),
                    "{key:?}"
                );
            }
        }
        self.checked = self.world.marked.len();
        if let Some(value) = self
            .world
            .log
            .last()
            .and_then(|record| record.value.clone())
        {
            let value = TransactionLogValue::decode_value(value).unwrap();
            let now = (value.producer_id, value.producer_epoch);
            assert!(
                self.last.is_none_or(|last| last <= now),
                "{:?} then {now:?}",
                self.last
            );
            self.last = Some(now);
        }
    }

    /// Nobody does anything any more: what is open ends.
    fn calm(&mut self) {
        self.world.holds_writes = false;
        self.world.holds_markers = false;
        self.world.apply(Vec::new());
        self.hear();
        self.world.pass(TIMEOUT_MS as u64 + 2 * ABORT_CHECK_MS);
        self.check();
        let state = self.world.state();
        assert!(
            matches!(state, "none" | "Empty" | "CompleteCommit" | "CompleteAbort"),
            "{state}"
        );
        let left: Vec<_> = self.world.waiting.iter().collect();
        assert!(left.is_empty(), "{left:?} wait for ever");
        for (producer, commit) in &self.decided {
            let key = (producer.id, producer.epoch);
            assert_eq!(
                self.seen.get(&key),
                Some(commit),
                "the end of {key:?} was promised"
            );
        }
    }
}

#[test]
fn whatever_producers_do_and_whatever_fails_a_transaction_ends_one_way() {
    for seed in 0..RUNS {
        for version in [0, 2] {
            eprintln!("seed {seed}, transaction.version {version}");
            let mut crowd = Crowd::new(seed, version);
            for _ in 0..STEPS {
                crowd.step();
            }
            crowd.calm();
        }
    }
}
