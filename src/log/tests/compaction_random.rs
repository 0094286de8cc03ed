//! Random keyed writes, tombstones, compactions, crashes and reads against a map: the newest value of every key is always there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compaction::{cleaning, keyed, left, settle};
use super::*;
use crate::io::power_loss::Dice;

/// The newest offset and value of each key; none is a tombstone.
type Model = BTreeMap<String, (i64, Option<String>)>;

async fn write_some(log: &Rc<PartitionLog>, random: &mut Dice, model: &mut Model) {
    for _ in 0..1 + random.below(20) {
        let pairs: Vec<(String, Option<String>)> = (0..1 + random.below(4))
            .map(|_| {
                let value = format!(
                    "{:0>1$}",
                    random.below(1_000_000),
                    1 + random.below(60) as usize
                );
                let key = format!("k{}", random.below(25));
                (key, (random.below(5) > 0).then_some(value))
            })
            .collect();
        let borrowed: Vec<_> = pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
            .collect();
        let codec = Codec::ALL[random.below(5) as usize];
        let batch = keyed(codec, &borrowed).build_validated();
        let base = append_committed(log, &batch).await.base_offset.0;
        for (n, (key, value)) in (0..).zip(pairs) {
            model.insert(key, (base + n, value));
        }
    }
}

/// Offsets only grow, the newest of each key is there (a tombstone may have gone), and no older one without its newer.
async fn check(log: &Rc<PartitionLog>, model: &Model, seed: u64) {
    let found = left(log).await;
    let mut newest = BTreeMap::new();
    let mut before = -1;
    for (offset, key, value) in found {
        assert!(offset > before, "seed {seed}: {offset} follows {before}");
        before = offset;
        newest.insert(key, (offset, value));
    }
    for (key, (offset, value)) in model {
        match (newest.get(key), value) {
            (None, None) => {}
            (found, _) => assert_eq!(found, Some(&(*offset, value.clone())), "seed {seed}: {key}"),
        }
    }
}

async fn live(dir: PathBuf, seed: u64) {
    let mut random = Dice::new(seed);
    let mut model = Model::new();
    let config = LogConfig {
        segment_bytes: 500 + random.below(1500) as u32,
        index_interval_bytes: 50 + random.below(300) as u32,
        ..LogConfig::default()
    };
    let mut log = create(&dir, config.clone()).await;
    let (mut compacted, mut now) = (None, NOW.0);
    for _ in 0..25 {
        match random.below(4) {
            0 | 1 => write_some(&log, &mut random, &mut model).await,
            2 => {
                settle(&log).await;
                now += random.below(200) as i64;
                let mut run = cleaning(100, now);
                run.buffers.map_bytes = 24 * (5 + random.below(40) as usize);
                run.throttle = Arc::new(Throttle::new(f64::MAX));
                if let Some(dirty) = log.dirty(compacted, &run.rules, run.now).await.unwrap() {
                    let cleaned = log.clean(&dirty, run).await.unwrap();
                    compacted = Some(cleaned.first_dirty);
                }
            }
            _ => {
                let recovery_point = log.recovery_point();
                log.close().await.unwrap();
                let trust = match random.below(2) {
                    0 => Trust::CleanShutdown,
                    _ => Trust::Recover { recovery_point },
                };
                // The checkpoint of a crash may be behind.
                compacted = compacted.filter(|_| random.below(3) > 0);
                let (opened, report) = open_with(&dir, config.clone(), trust).await;
                assert_eq!(report.cut, None, "seed {seed}");
                log = opened;
            }
        }
        check(&log, &model, seed).await;
    }
    log.close().await.unwrap();
}

#[test]
fn the_newest_value_of_every_key_is_always_there() {
    for seed in 1..=25 {
        with_dir(async |dir| live(dir, seed).await);
    }
}
