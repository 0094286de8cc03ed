//! Random appends, faults, retention, crashes and torn ends against a simple model: what was acknowledged stays, in order, from the
//! log start on, and the log start stays where retention put it.

use super::faulty_storage::{Fault, FaultyStorage, Shared};
use super::*;
use crate::io::power_loss::Dice;

/// What must be in the log: first and last offset of each acknowledged batch.
#[derive(Default)]
struct Model {
    acknowledged: Vec<(i64, i64)>,
    start: Offset,
}

impl Model {
    async fn check(&self, log: &Rc<PartitionLog>, seed: u64) {
        let found = all_offsets(log).await;
        for batch in &self.acknowledged {
            assert!(
                found.contains(batch),
                "seed {seed}: {batch:?} was acknowledged and is not in {found:?}"
            );
        }
        assert_eq!(log.log_start_offset(), self.start, "seed {seed}");
        let mut next = self.start.0;
        for (base, last) in found {
            assert_eq!(base, next, "seed {seed}: a gap");
            next = last + 1;
        }
    }
}

/// Appends a few batches, some of which may be lost to faults, and notes those that are acknowledged.
async fn append_some(
    log: &Rc<PartitionLog>,
    random: &mut Dice,
    storage: &FaultyStorage,
    model: &mut Model,
) {
    let size = batch(1).bytes.len() as u64;
    match random.below(4) {
        0 => storage.fail_writes([
            Fault::Short(random.below(3 * size) as usize),
            Fault::Errno(libc::ENOSPC),
        ]),
        1 => storage.fail_writes([Fault::Short(1 + random.below(size - 1) as usize)]),
        _ => {}
    }
    let waits: Vec<_> = (0..1 + random.below(6))
        .map(|_| {
            let appended = append(log, &batch(1 + random.below(3) as i32));
            (appended, log.committed(appended.last_offset + 1))
        })
        .collect();
    for (appended, wait) in waits {
        if wait.await.is_ok() {
            model
                .acknowledged
                .push((appended.base_offset.0, appended.last_offset.0));
        }
    }
}

/// Has retention take out what it may, and notes what has gone.
async fn retire_some(log: &Rc<PartitionLog>, model: &mut Model, retention_bytes: u64) {
    let Some(retired) = log.apply_retention(NOW).await.unwrap() else {
        return;
    };
    assert!(log.size_bytes() >= retention_bytes);
    model.start = retired.log_start_offset;
    let start = model.start.0;
    model.acknowledged.retain(|(base, _)| *base >= start);
}

async fn live_and_crash(dir: PathBuf, seed: u64) {
    let mut random = Dice::new(seed);
    let mut model = Model::default();
    let config = LogConfig {
        segment_bytes: 1500 + random.below(3000) as u32,
        index_interval_bytes: 300,
        flush_messages: [1, 3, u64::MAX][random.below(3) as usize],
        retention_bytes: random.below(9000) as i64,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    };
    let kept = config.retention_bytes.unsigned_abs();
    create(&dir, config.clone()).await.close().await.unwrap();
    let mut trust = Trust::CleanShutdown;
    for _ in 0..8 {
        let storage = FaultyStorage::new();
        let shared = Rc::new(Shared(storage.clone()));
        let (log, _) = PartitionLog::open_on(shared, dir.clone(), config.clone(), trust)
            .await
            .unwrap();
        model.check(&log, seed).await;
        for _ in 0..random.below(12) {
            append_some(&log, &mut random, &storage, &mut model).await;
            if random.below(3) == 0 {
                retire_some(&log, &mut model, kept).await;
            }
        }
        model.check(&log, seed).await;
        let recovery_point = log.recovery_point();
        let end = log.log_end_offset();
        log.close().await.unwrap();
        trust = match random.below(2) {
            0 => Trust::CleanShutdown,
            _ => {
                spoil(&dir, &mut random, end);
                Trust::Recover { recovery_point }
            }
        };
    }
}

/// Leaves the directory as a crash would: no closing files, and garbage where the next batch would have been.
fn spoil(dir: &Path, random: &mut Dice, end: Offset) {
    let names = files(dir);
    let active = names.iter().rfind(|name| name.ends_with(".log")).unwrap();
    for name in &names {
        let of_active =
            name.split('.').next() == active.split('.').next() && name.ends_with("index");
        if of_active || *name == format!("{:020}.snapshot", end.0) {
            std::fs::remove_file(dir.join(name)).unwrap();
        }
    }
    let mut content = std::fs::read(dir.join(active)).unwrap();
    let torn = builder_at(NOW.0, 2).placed(end, EPOCH).build();
    content.extend_from_slice(&torn[..random.below(torn.len() as u64) as usize]);
    std::fs::write(dir.join(active), content).unwrap();
}

#[test]
fn whatever_happens_no_acknowledged_batch_is_lost() {
    for seed in 1..=20 {
        with_dir(async |dir| live_and_crash(dir, seed).await);
    }
}
