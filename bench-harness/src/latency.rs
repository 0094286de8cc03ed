//! `vltava-bench latency`: how long records take at a steady rate, from when each was due to its acknowledgement and to
//! its consumer. Producers and consumers are threads of this process and share its clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use vltava::client::OffsetQuery;
use vltava::wire::records::BatchHeader;

use crate::args::LatencyArgs;
use crate::fetcher::Fetcher;
use crate::load::{Load, duration_histogram};
use crate::pace::Pace;
use crate::produce::{run_loads, sized_template};
use crate::report::{Report, Settings};
use crate::run::{BenchError, Run, pin_thread};
use crate::supervise::{Measured, supervise};
use crate::target::{Lane, Target};
use crate::template::Template;

/// What is not there so long after the last record was sent is lost.
const CONSUMER_PATIENCE: Duration = Duration::from_secs(5);
/// The most a consumer asks for at a time.
const FETCH_BYTES: i32 = 8 << 20;
/// Connections are open and consumers wait before the first record is due.
const START_DELAY_NS: u64 = 200_000_000;

/// Runs producers at their pace and consumers behind them, and reports.
///
/// # Errors
/// When the load could not run as asked, or a consumer met what was not sent by it.
pub fn run(args: &LatencyArgs) -> Result<Report, BenchError> {
    let template = sized_template(args.load.record_size.0, args.batch_size.0)?;
    let mut target = Target::find(&args.common, Some(&args.topic))?;
    let lanes = target.lanes(args.load.connections as usize)?;
    let starts = target.offsets(OffsetQuery::Latest)?;
    // Each partition has one consumer, however many connections produce to it.
    let consumers = target.lanes(lanes.len().min(target.topic.partitions.len()))?;
    let bench = Bench {
        args,
        target,
        lanes,
        consumers,
        starts,
        template,
    };
    let Measured { result, totals } =
        supervise(&args.common, args.warmup, Some(args.duration), |run| {
            bench.run_all(run)
        })?;
    Ok(Report {
        command: "latency",
        settings: Settings::of(std::env::args()),
        totals,
        latency_of: "record, due to acknowledged",
        latency_ns: (args.load.acks.wire() != 0).then_some(result.acknowledged_ns),
        end_to_end_ns: (!args.no_consumers).then_some(result.consumed_ns),
        lateness_ns: Some(result.lateness_ns),
        lost_records: result.lost_records,
    })
}

struct Bench<'a> {
    args: &'a LatencyArgs,
    target: Target,
    lanes: Vec<Lane>,
    consumers: Vec<Lane>,
    starts: BTreeMap<i32, i64>,
    template: Template,
}

struct Figures {
    acknowledged_ns: Histogram<u64>,
    consumed_ns: Histogram<u64>,
    lateness_ns: Histogram<u64>,
    lost_records: u64,
}

/// How the consumers learn when they are done.
#[derive(Default)]
struct Progress {
    /// Set when `sent` is final.
    all_sent: AtomicBool,
    sent: AtomicU64,
    consumed: AtomicU64,
}

impl Bench<'_> {
    fn run_all(&self, run: &Run) -> Result<Figures, BenchError> {
        let progress = Progress::default();
        std::thread::scope(|scope| {
            let consumers: Vec<_> = match self.args.no_consumers {
                true => Vec::new(),
                false => self
                    .consumers
                    .iter()
                    .enumerate()
                    .map(|(index, lane)| {
                        let progress = &progress;
                        scope.spawn(move || {
                            self.consume(index, lane, progress, run)
                                .inspect_err(|_| run.stop())
                        })
                    })
                    .collect(),
            };
            let loads = run_loads(self.loads(run), run);
            if let Ok(results) = &loads {
                progress.sent.store(
                    results.iter().map(|result| result.sent_records).sum(),
                    Ordering::Relaxed,
                );
            }
            progress.all_sent.store(true, Ordering::Release);
            let mut consumed_ns = duration_histogram();
            for consumer in consumers {
                consumed_ns += consumer
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            let (mut acknowledged_ns, mut lateness_ns) =
                (duration_histogram(), duration_histogram());
            for result in loads? {
                acknowledged_ns += result.latency_ns;
                lateness_ns += result.lateness_ns;
            }
            let lost = progress
                .sent
                .load(Ordering::Relaxed)
                .saturating_sub(progress.consumed.load(Ordering::Relaxed));
            let lost_records = if self.args.no_consumers { 0 } else { lost };
            Ok(Figures {
                acknowledged_ns,
                consumed_ns,
                lateness_ns,
                lost_records,
            })
        })
    }

    fn loads(&self, run: &Run) -> Vec<Load<'_>> {
        let connections = self.lanes.len();
        let value_bytes = self.template.value_bytes() as f64;
        let records_per_s = self.args.rate * 1e6 / value_bytes / connections as f64;
        let linger_ns = (self.args.linger_ms * 1e6) as u64;
        let start_ns = run.clock.now_ns() + START_DELAY_NS;
        // Connections take turns, or their records would all be due at the same moment.
        let stagger_ns = 1e9 / records_per_s / connections as f64;
        let load = |(index, lane): (usize, &Lane)| Load {
            lane: lane.clone(),
            topic: &self.target.topic,
            acks: self.args.load.acks.wire(),
            in_flight: self.args.load.in_flight as usize,
            template: self.template.clone(),
            pace: Some(Pace::new(
                start_ns + (index as f64 * stagger_ns) as u64,
                records_per_s,
                linger_ns,
                self.template.records() as u64,
            )),
            records_max: u64::MAX,
            pin: (&self.args.common.pin, index * 2),
        };
        self.lanes.iter().enumerate().map(load).collect()
    }

    /// One consumer, until it has seen what was sent or nothing comes any more.
    fn consume(
        &self,
        index: usize,
        lane: &Lane,
        progress: &Progress,
        run: &Run,
    ) -> Result<Histogram<u64>, BenchError> {
        pin_thread(&self.args.common.pin, self.lanes.len() * 2 + index)?;
        let from =
            |&partition: &i32| (partition, self.starts.get(&partition).copied().unwrap_or(0));
        let positions = lane.partitions.iter().map(from).collect();
        let mut fetcher = Fetcher::start(lane, &self.target.topic, positions, FETCH_BYTES)?;
        let mut consumed_ns = duration_histogram();
        let mut last_record = Instant::now();
        loop {
            let mut records = 0;
            let mut arrived_ns = 0;
            fetcher.poll(|header: &BatchHeader, batch: &[u8]| {
                if arrived_ns == 0 {
                    arrived_ns = run.clock.now_ns();
                }
                records += self.record_batch(header, batch, arrived_ns, run, &mut consumed_ns)?;
                Ok(())
            })?;
            if records > 0 {
                last_record = Instant::now();
            }
            let consumed = progress.consumed.fetch_add(records, Ordering::Relaxed) + records;
            if progress.all_sent.load(Ordering::Acquire) {
                let all = consumed >= progress.sent.load(Ordering::Relaxed);
                if all || last_record.elapsed() > CONSUMER_PATIENCE {
                    return Ok(consumed_ns);
                }
            }
        }
    }

    /// Takes the time each record of a batch was due from its value.
    fn record_batch(
        &self,
        header: &BatchHeader,
        batch: &[u8],
        arrived_ns: u64,
        run: &Run,
        consumed_ns: &mut Histogram<u64>,
    ) -> Result<u64, BenchError> {
        let records = usize::try_from(header.record_count()).unwrap_or(0);
        let values = self.template.value_positions().get(..records);
        let Some(values) = values.filter(|_| self.template.is_length_of(records, batch.len()))
        else {
            let offset = header.base_offset();
            return Err(BenchError::Other(format!(
                "somebody else writes to the topic: the batch at {offset} is not ours"
            )));
        };
        for &at in values {
            let due_ns = u64::from_be_bytes(batch[at..at + 8].try_into().expect("eight bytes"));
            if due_ns >= run.measure_from_ns {
                consumed_ns.saturating_record(arrived_ns.saturating_sub(due_ns).max(1));
            }
        }
        Ok(records as u64)
    }
}
