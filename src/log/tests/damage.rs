//! Files that are not as they were written: nothing is deleted because of them, nothing panics, and what was appended comes right
//! or as an error.

use std::fs;

use super::*;
use crate::io::power_loss::Dice;
use crate::log::check::{Expected, Finding, Listener, check_partition, repair};

const HOUR_MS: i64 = 3_600_000;

fn hourly_segments() -> LogConfig {
    LogConfig {
        segment_ms: HOUR_MS / 2,
        index_interval_bytes: 0,
        retention_ms: 24 * HOUR_MS,
        ..LogConfig::default()
    }
}

/// Four segments of three batches of two records, an hour apart, closed in order.
async fn closed(dir: &Path) {
    let log = create(dir, hourly_segments()).await;
    for n in 0..12 {
        let timestamp = NOW.0 - (4 - n / 3) * HOUR_MS + n;
        append_committed(&log, &batch_at(timestamp, 2)).await;
    }
    log.close().await.unwrap();
}

#[test]
fn a_time_index_that_dates_records_back_does_not_have_them_deleted() {
    with_dir(async |dir| {
        closed(&dir).await;
        let index = dir.join("00000000000000000000.timeindex");
        let before = fs::read(&index).unwrap();
        let long_ago = (NOW.0 - 9_000 * HOUR_MS).to_be_bytes();
        for at in (0..before.len()).step_by(12) {
            let mut damaged = before.clone();
            damaged[at..at + 8].copy_from_slice(&long_ago);
            fs::write(&index, &damaged).unwrap();
            let (log, _) = open_with(&dir, hourly_segments(), Trust::CleanShutdown).await;
            assert!(log.apply_retention(NOW).await.unwrap().is_none(), "{at}");
            assert_eq!(all_offsets(&log).await.len(), 12);
        }
        fs::write(&index, b"").unwrap();
        let (log, _) = open_with(&dir, hourly_segments(), Trust::CleanShutdown).await;
        assert!(log.apply_retention(NOW).await.unwrap().is_none());
        assert_eq!(fs::read(&index).unwrap(), before, "it is made again");
    });
}

#[test]
fn an_index_that_points_too_far_passes_over_no_batch() {
    with_dir(async |dir| {
        closed(&dir).await;
        let index = dir.join("00000000000000000000.index");
        let before = fs::read(&index).unwrap();
        // The last entry's offset becomes the one before the first: every offset would be looked for behind it.
        let mut damaged = before.clone();
        let last = damaged.len() - 8;
        damaged[last..last + 4].copy_from_slice(&0_i32.to_be_bytes());
        damaged.drain(..last);
        fs::write(&index, &damaged).unwrap();
        let (log, _) = open_with(&dir, hourly_segments(), Trust::CleanShutdown).await;
        assert_eq!(all_offsets(&log).await.len(), 12);
        let bytes = read(&log, 1, 1).await.expect("the batch of offset 1");
        assert_eq!(offsets(&bytes), [(0, 1)]);
        assert_eq!(fs::read(&index).unwrap(), before, "it is made again");
    });
}

/// Hears findings and does nothing else.
#[derive(Default)]
struct Heard(Vec<Finding>);

impl Listener for Heard {
    fn found(&mut self, finding: Finding) {
        self.0.push(finding);
    }
    fn note(&mut self, _: &str) {}
    fn passed(&mut self, _: u64) {}
    fn batch(&mut self, _: &Path, _: u64, _: &[u8]) {}
}

/// Damages some bytes of one file: changed, cut off, appended or overwritten.
fn damage(dir: &Path, random: &mut Dice) {
    let names = files(dir);
    let name = &names[random.below(names.len() as u64) as usize];
    let mut content = fs::read(dir.join(name)).unwrap();
    let at = random.below(content.len() as u64 + 1) as usize;
    match random.below(4) {
        0 => content.truncate(at),
        1 => content.extend((0..at).map(|n| n as u8)),
        2 => content[at..].iter_mut().take(20).for_each(|byte| *byte = 0),
        _ => content[at..]
            .iter_mut()
            .take(3)
            .for_each(|byte| *byte ^= 1 << (at % 8)),
    }
    fs::write(dir.join(name), content).unwrap();
}

/// Reads whatever can be read, from each offset.
async fn read_everything(log: &Rc<PartitionLog>) {
    let end = log.log_end_offset().0.min(40);
    for from in log.log_start_offset().0..end {
        let Ok(view) = log.read_view(Offset(from)) else {
            continue;
        };
        if let Ok(Some(plan)) = view.plan(200, true).await {
            assert!(plan.len > 0);
        }
    }
    for hour in 0..5 {
        // An error is as good an answer.
        let _ = log.offset_for_timestamp(NOW.0 - hour * HOUR_MS).await;
    }
}

#[test]
fn noise_in_any_file_makes_nobody_panic() {
    with_dir(async |whole| {
        closed(&whole).await;
        for seed in 0..60 {
            let mut random = Dice::new(seed);
            let dir = whole.with_file_name(format!("damaged-{seed}"));
            fs::create_dir(&dir).unwrap();
            for name in files(&whole) {
                fs::copy(whole.join(&name), dir.join(&name)).unwrap();
            }
            for _ in 0..=random.below(3) {
                damage(&dir, &mut random);
            }
            let mut heard = Heard::default();
            let expected = Expected {
                clean: random.below(2) == 0,
                batches: true,
                ..Expected::default()
            };
            check_partition(&dir, &expected, &mut heard).unwrap();
            if random.below(2) == 0 {
                for finding in &heard.0 {
                    // What is damaged itself cannot be made again.
                    let _ = finding.repair.as_ref().map(repair);
                }
            }
            for trust in [Trust::CleanShutdown, UNCLEAN] {
                let opened = PartitionLog::open(dir.clone(), hourly_segments(), trust).await;
                if let Ok((log, _)) = opened {
                    read_everything(&log).await;
                }
            }
            // What syncs in the background may still be making a file there.
            let _ = fs::remove_dir_all(&dir);
        }
    });
}
