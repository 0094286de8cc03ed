//! Random transactions of several producers, aborts, plain batches, rolls, stops of both kinds, compaction, and reads under both
//! isolation levels, against a list of what was written: readers of committed records get what was committed and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compaction::{cleaning, settle};
use super::transactions::{committed_from, end, of_key};
use super::*;
use crate::io::power_loss::Dice;

const PRODUCERS: u64 = 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Plain,
    Open,
    Committed,
    Aborted,
}

struct Written {
    producer: i64,
    key: String,
    value: String,
    fate: Fate,
}

#[derive(Default)]
struct Model {
    written: BTreeMap<i64, Written>,
    /// Next sequence number, epoch, and where the open transaction began.
    producers: BTreeMap<i64, (i32, i16, Option<i64>)>,
    compacted: bool,
}

impl Model {
    fn last_stable(&self, end: i64) -> i64 {
        let open = self.producers.values().filter_map(|(.., first)| *first);
        open.min().unwrap_or(end)
    }

    /// What a reader of committed records may see from `from` on.
    fn visible(&self, from: i64, end: i64) -> Vec<(i64, String, String)> {
        let stable = self.last_stable(end);
        let seen = self.written.range(from..stable.max(from));
        seen.filter(|(_, record)| matches!(record.fate, Fate::Plain | Fate::Committed))
            .map(|(offset, record)| (*offset, record.key.clone(), record.value.clone()))
            .collect()
    }

    async fn check(&self, log: &Rc<PartitionLog>, random: &mut Dice, what: &str) {
        let end = log.high_watermark().0;
        assert_eq!(log.last_stable_offset().0, self.last_stable(end), "{what}");
        for (id, (_, epoch, first)) in &self.producers {
            assert_eq!(
                log.has_open_transaction(*id, *epoch),
                first.is_some(),
                "{what}: producer {id}"
            );
        }
        for from in [0, random.below(end.unsigned_abs() + 1).cast_signed()] {
            let max_bytes = [1, 300, 1 << 20][random.below(3) as usize];
            let seen = committed_from(log, from, max_bytes).await;
            let visible = self.visible(from, end);
            if !self.compacted {
                assert_eq!(seen, visible, "{what}, from {from}");
                continue;
            }
            let mut newest = BTreeMap::new();
            for record in &visible {
                newest.insert(&record.1, record);
            }
            for record in &seen {
                assert!(visible.contains(record), "{what}, from {from}: {record:?}");
            }
            for record in newest.into_values() {
                assert!(seen.contains(record), "{what}, from {from}: {record:?}");
            }
        }
    }

    async fn write(&mut self, log: &Rc<PartitionLog>, random: &mut Dice) {
        let id = random.below(PRODUCERS).cast_signed();
        let (sequence, epoch, first) = self.producers.entry(id).or_default();
        let key = format!("k{}", random.below(6));
        let value = format!(
            "{}{}",
            random.below(1000),
            "x".repeat(random.below(60) as usize)
        );
        let transactional = first.is_some() || random.below(3) > 0;
        let batch = match transactional {
            true => of_key(id, *epoch, *sequence, &key, &value),
            false => {
                let mut builder = BatchBuilder::new(Codec::None).producer(id, *epoch, *sequence);
                builder.append(NOW.0, Some(key.as_bytes()), Some(value.as_bytes()), &[]);
                builder.build_validated()
            }
        };
        let offset = append_committed(log, &batch).await.base_offset.0;
        *sequence += 1;
        let fate = match transactional {
            true => Fate::Open,
            false => Fate::Plain,
        };
        if transactional {
            first.get_or_insert(offset);
        }
        let record = Written {
            producer: id,
            key,
            value,
            fate,
        };
        self.written.insert(offset, record);
    }

    async fn end(&mut self, log: &Rc<PartitionLog>, random: &mut Dice) {
        let id = random.below(PRODUCERS).cast_signed();
        let committed = random.below(2) == 0;
        let (sequence, epoch, first) = self.producers.entry(id).or_default();
        if random.below(3) == 0 {
            // The transaction ends in an epoch of its own.
            (*sequence, *epoch) = (0, *epoch + 1);
        }
        end(log, id, *epoch, committed).await;
        *first = None;
        let fate = match committed {
            true => Fate::Committed,
            false => Fate::Aborted,
        };
        let of_it = |record: &&mut Written| record.producer == id && record.fate == Fate::Open;
        for record in self.written.values_mut().filter(of_it) {
            record.fate = fate;
        }
    }
}

async fn live(dir: PathBuf, seed: u64) {
    let mut random = Dice::new(seed);
    let mut model = Model::default();
    let config = LogConfig {
        segment_bytes: 300 + random.below(1500) as u32,
        index_interval_bytes: 50 + random.below(300) as u32,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    };
    let compacts = random.below(2) == 0;
    let mut log = create(&dir, config.clone()).await;
    let (mut compacted, mut now) = (None, NOW.0);
    for step in 0..120 {
        match random.below(12) {
            0..=6 => model.write(&log, &mut random).await,
            7..=9 => model.end(&log, &mut random).await,
            10 if compacts => {
                settle(&log).await;
                now += random.below(200).cast_signed();
                let mut run = cleaning(100, now);
                run.throttle = Arc::new(Throttle::new(f64::MAX));
                if let Some(dirty) = log.dirty(compacted, &run.rules, run.now).await.unwrap() {
                    assert!(dirty.first_uncleanable <= log.last_stable_offset());
                    model.compacted = true;
                    compacted = Some(log.clean(&dirty, run).await.unwrap().first_dirty);
                }
            }
            10 => settle(&log).await,
            _ => {
                let recovery_point = log.recovery_point();
                log.close().await.unwrap();
                let trust = match random.below(2) {
                    0 => Trust::CleanShutdown,
                    _ => Trust::Recover { recovery_point },
                };
                let (opened, report) = open_with(&dir, config.clone(), trust).await;
                assert_eq!(report.cut, None, "seed {seed}");
                log = opened;
            }
        }
        let what = format!("seed {seed}, step {step}");
        model.check(&log, &mut random, &what).await;
    }
    log.close().await.unwrap();
}

#[test]
fn readers_of_committed_records_get_what_was_committed_and_nothing_else() {
    for seed in 1..=30 {
        with_dir(async |dir| live(dir, seed).await);
    }
}
