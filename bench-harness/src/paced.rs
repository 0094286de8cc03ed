//! An open loop: producers that send each record when it is due, and consumers behind them. `latency`, `end-to-end` and
//! `mixed` are this with other readers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use vltava::client::OffsetQuery;
use vltava::wire::records::BatchHeader;

use crate::args::{ArrivalKind, CommonArgs, LoadArgs, PacedArgs, TopicArgs};
use crate::fetcher::Fetcher;
use crate::load::{Load, run_loads};
use crate::metrics::Metric;
use crate::pace::{Arrivals, Pace};
use crate::result::{Figure, RunResult};
use crate::run::{BenchError, Run, pin_thread};
use crate::supervise::supervise;
use crate::target::{Lane, Target};
use crate::template::{Template, sized_template};

/// What is not there so long after the last record was sent is lost.
const CONSUMER_PATIENCE: Duration = Duration::from_secs(5);
/// The most a consumer asks for at a time.
const FETCH_BYTES: i32 = 8 << 20;
/// Connections are open and consumers wait before the first record is due.
const START_DELAY_NS: u64 = 200_000_000;

/// What to run.
pub struct Paced<'a> {
    /// Its name in the result.
    pub command: &'static str,
    /// Where to.
    pub common: &'a CommonArgs,
    /// The topic.
    pub topic: &'a TopicArgs,
    /// The load.
    pub load: &'a LoadArgs,
    /// Its times.
    pub paced: &'a PacedArgs,
    /// Who reads.
    pub readers: Readers,
}

/// Who reads while the load runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Nobody.
    None,
    /// One consumer a partition, at its end.
    Tail,
    /// And so many that read what is old, from the start again and again, as fast as they can.
    TailAndOld(u32),
}

impl Paced<'_> {
    /// Runs it.
    ///
    /// # Errors
    /// When the load could not run as asked, or a consumer met what was not sent by it.
    pub fn run(&self) -> Result<RunResult, BenchError> {
        let template = sized_template(self.load.record_size.0, self.paced.batch_size.0, None)?;
        let mut target = Target::find(self.common, Some(self.topic))?;
        let lanes = target.lanes(self.load.connections as usize)?;
        let starts = target.offsets(OffsetQuery::Latest)?;
        // Each partition has one consumer, however many connections produce to it.
        let consumers = match self.readers {
            Readers::None => Vec::new(),
            Readers::Tail | Readers::TailAndOld(_) => {
                target.lanes(lanes.len().min(target.topic.partitions.len()))?
            }
        };
        let old_readers = match self.readers {
            Readers::TailAndOld(count) => target.lanes(count as usize)?,
            Readers::None | Readers::Tail => Vec::new(),
        };
        let bench = Bench {
            settings: self,
            old_readers,
            oldest: target.offsets(OffsetQuery::Earliest)?,
            old_bytes: AtomicU64::new(0),
            target,
            lanes,
            consumers,
            starts,
            template,
        };
        let PacedArgs {
            warmup, duration, ..
        } = *self.paced;
        // No record is due in the first moment: it is no time to count.
        let warmup = warmup + Duration::from_nanos(START_DELAY_NS);
        let measured = supervise(self.common, warmup, Some(duration), |run| {
            bench.run_all(run)
        })?;
        let mut result = RunResult::of(self.command, self.common.server_pid, &measured);
        result.lost_records = measured.result;
        if !bench.old_readers.is_empty() {
            let megabytes = bench.old_bytes.load(Ordering::Relaxed) as f64 / 1e6;
            let rate = megabytes / duration.as_secs_f64().min(result.totals.seconds.max(1e-9));
            let figure = Figure::gain("readers of old records", rate, "MB/s");
            result.figures.push(figure);
        }
        Ok(result)
    }
}

struct Bench<'a> {
    settings: &'a Paced<'a>,
    target: Target,
    lanes: Vec<Lane>,
    consumers: Vec<Lane>,
    starts: BTreeMap<i32, i64>,
    template: Template,
    old_readers: Vec<Lane>,
    /// The first offsets there are.
    oldest: BTreeMap<i32, i64>,
    /// What was read of old records, since it counts.
    old_bytes: AtomicU64,
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
    /// Runs all threads to their end: how many records never arrived.
    fn run_all(&self, run: &Run) -> Result<u64, BenchError> {
        let progress = Progress::default();
        std::thread::scope(|scope| {
            let consume = |(index, lane)| {
                let progress = &progress;
                scope.spawn(move || {
                    self.consume(index, lane, progress, run)
                        .inspect_err(|_| run.stop())
                })
            };
            let consumers: Vec<_> = self.consumers.iter().enumerate().map(consume).collect();
            for (index, lane) in self.old_readers.iter().enumerate() {
                scope.spawn(move || {
                    // An old reader that fails leaves a load that is not the one to be measured.
                    let read = self.read_old(index, lane, run);
                    read.inspect_err(|error| {
                        eprintln!("a reader of old records: {error}");
                        run.stop();
                    })
                });
            }
            let sent = run_loads(self.loads(run), run);
            if let Ok(sent) = sent {
                progress.sent.store(sent, Ordering::Relaxed);
            }
            progress.all_sent.store(true, Ordering::Release);
            for consumer in consumers {
                consumer
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            let consumed = progress.consumed.load(Ordering::Relaxed);
            match self.consumers.is_empty() {
                true => sent.map(|_| 0),
                false => Ok(sent?.saturating_sub(consumed)),
            }
        })
    }

    fn loads(&self, run: &Run) -> Vec<Load<'_>> {
        let Paced { load, paced, .. } = self.settings;
        let connections = self.lanes.len();
        let records_per_s =
            paced.rate * 1e6 / self.template.value_bytes() as f64 / connections as f64;
        let start_ns = run.clock.now_ns() + START_DELAY_NS;
        // Connections take turns, or their records would all be due at the same moment.
        let stagger_ns = 1e9 / records_per_s / connections as f64;
        let of_lane = |(index, lane): (usize, &Lane)| {
            let start_ns = start_ns + (index as f64 * stagger_ns) as u64;
            let arrivals = match paced.arrivals {
                ArrivalKind::Constant => Arrivals::constant(start_ns, records_per_s),
                ArrivalKind::Poisson => {
                    let seed = paced.seed.wrapping_mul(1 << 20).wrapping_add(index as u64);
                    Arrivals::poisson(start_ns, records_per_s, seed)
                }
            };
            let linger_ns = (paced.linger_ms * 1e6) as u64;
            Load {
                lane: lane.clone(),
                topic: &self.target.topic,
                acks: load.acks.wire(),
                in_flight: load.in_flight as usize,
                template: self.template.clone(),
                pace: Some(Pace::new(arrivals, linger_ns, self.template.records())),
                records_max: u64::MAX,
                pin: (&self.settings.common.pin, index * 2),
            }
        };
        self.lanes.iter().enumerate().map(of_lane).collect()
    }

    /// One consumer, until it has seen what was sent or nothing comes any more.
    fn consume(
        &self,
        index: usize,
        lane: &Lane,
        progress: &Progress,
        run: &Run,
    ) -> Result<(), BenchError> {
        let thread = self.lanes.len() * 2 + index;
        pin_thread(&self.settings.common.pin, thread)?;
        let mut fetcher = Fetcher::start(
            lane,
            &self.target.topic,
            lane.positions(&self.starts),
            FETCH_BYTES,
        )?;
        let mut last_record = Instant::now();
        loop {
            let mut records = 0;
            let mut arrived_ns = 0;
            fetcher.poll(|header: &BatchHeader, batch: &[u8]| {
                if arrived_ns == 0 {
                    arrived_ns = run.clock.now_ns();
                }
                let mut recorded = Ok(0);
                run.metrics.record(Metric::Consumed, thread, |histogram| {
                    recorded = self.record_batch(header, batch, arrived_ns, run, histogram);
                });
                records += recorded?;
                Ok(())
            })?;
            if records > 0 {
                last_record = Instant::now();
            }
            let consumed = progress.consumed.fetch_add(records, Ordering::Relaxed) + records;
            if progress.all_sent.load(Ordering::Acquire) {
                let all = consumed >= progress.sent.load(Ordering::Relaxed);
                if all || last_record.elapsed() > CONSUMER_PATIENCE {
                    return Ok(());
                }
            }
        }
    }

    /// Reads a lane's old records, from the start again at their end, while the run goes on.
    fn read_old(&self, index: usize, lane: &Lane, run: &Run) -> Result<(), BenchError> {
        let thread = self.lanes.len() * 2 + self.consumers.len() + index;
        pin_thread(&self.settings.common.pin, thread)?;
        let begin = lane.positions(&self.oldest);
        let ends = lane.positions(&self.starts);
        let fetcher = Fetcher::start(lane, &self.target.topic, begin.clone(), FETCH_BYTES)?;
        let mut fetcher = fetcher.round_and_round(begin, ends);
        while !run.stopping() {
            let mut bytes = 0;
            fetcher.poll(|_: &BatchHeader, batch: &[u8]| {
                bytes += batch.len() as u64;
                Ok(())
            })?;
            if run.clock.now_ns() >= run.measure_from_ns {
                self.old_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
        }
        Ok(())
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
