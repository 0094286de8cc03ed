//! What the endpoint sees of the broker.

use super::{Questions, proc};
use crate::metrics::{CoreMetrics, CoreReport, CoreStats, PartitionRow, Phase, Stats};
use crate::wire::ApiKey;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

/// The broker from outside of its cores.
pub struct View {
    cores: Vec<(usize, &'static CoreMetrics)>,
    questions: Questions,
    phase: AtomicU8,
    began: Instant,
}

impl View {
    /// Of a broker that is starting: each core's CPU and numbers, and where they are asked.
    pub fn new(
        cores: Vec<(usize, &'static CoreMetrics)>,
        questions: Questions,
        began: Instant,
    ) -> View {
        View {
            cores,
            questions,
            phase: AtomicU8::new(Phase::Starting as u8),
            began,
        }
    }

    /// The broker has come so far.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Where in its life it is.
    pub fn phase(&self) -> Phase {
        let phase = self.phase.load(Ordering::Acquire);
        [Phase::Starting, Phase::Ready, Phase::Draining]
            .into_iter()
            .find(|known| *known as u8 == phase)
            .unwrap_or(Phase::Starting)
    }

    /// Asks every core; those that did not answer in time, by number.
    pub fn silent_cores(&self) -> Vec<usize> {
        let reports = self.questions.ask();
        (0..reports.len())
            .filter(|&core| reports[core].is_none())
            .collect()
    }

    /// Everything, and the partitions of all cores.
    pub fn look(&self) -> (Stats, Vec<PartitionRow>) {
        let reports = self.questions.ask();
        let mut partitions = Vec::new();
        let cores = self.cores.iter().zip(reports).enumerate();
        let cores = cores
            .map(|(number, ((cpu, metrics), report))| {
                let mut stats = CoreStats::of(number, *cpu, metrics, api_name);
                stats.times = proc::core_times(*cpu);
                stats.report = report.map(|mut report: CoreReport| {
                    partitions.append(&mut report.partitions);
                    report
                });
                stats
            })
            .collect();
        partitions.sort_unstable_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        let stats = Stats {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            phase: self.phase(),
            uptime_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            resident_bytes: proc::process().resident_bytes,
            cores,
        };
        (stats, partitions)
    }
}

fn api_name(key: i16) -> Option<String> {
    ApiKey::from_number(key).map(|key| key.to_string())
}
