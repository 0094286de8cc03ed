//! Around every run: signals, a line a second, the interval log, the broker's and our own CPU time from the moment that
//! counts.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::args::CommonArgs;
use crate::broker_process::Usage;
use crate::hdr_files::{self, Interval};
use crate::metrics::{Metric, duration_histogram};
use crate::result::Second;
use crate::run::{BenchError, Run};
use crate::signals::interrupted;

/// How often the supervisor looks.
const TICK: Duration = Duration::from_millis(20);
const TICK_NS: u64 = TICK.as_nanos() as u64;
/// Length of an interval of the log.
const INTERVAL_NS: u64 = 1_000_000_000;

/// What is shorter is not shown.
const WORTH_A_LINE_S: f64 = 0.5;

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Seconds measured.
    pub seconds: f64,
    /// Records in them.
    pub records: u64,
    /// Bytes in them: of values when producing, of record batches when consuming.
    pub bytes: u64,
    /// Whether a signal ended it early.
    pub interrupted: bool,
    /// The broker's process, if its id was given.
    pub broker: Option<Usage>,
    /// Our own.
    pub generator: Usage,
}

/// A run's result and what it came to.
pub struct Measured<T> {
    /// What the work gave.
    pub result: T,
    /// Time, records, bytes, CPU.
    pub totals: Totals,
    /// Everything that was recorded, by metric.
    pub histograms: BTreeMap<Metric, Histogram<u64>>,
    /// The same in time: a line a second.
    pub timeline: Vec<Second>,
}

/// Runs `work` with everything around it. SIGINT and SIGTERM end the run early, and it is reported all the same; a
/// second one ends the process.
///
/// # Errors
/// Those of `work`; when the broker's process cannot be looked at, or the interval log not be written.
pub fn supervise<T: Send>(
    common: &CommonArgs,
    warmup: Duration,
    duration: Option<Duration>,
    work: impl FnOnce(&Run) -> Result<T, BenchError> + Send,
) -> Result<Measured<T>, BenchError> {
    let interrupted = interrupted()?;
    // Fails now rather than after the run.
    common.server_pid.map(Usage::of).transpose()?;
    let run = Run::start(warmup, duration, Arc::new(AtomicBool::new(false)));
    let command_line = std::env::args().collect::<Vec<_>>().join(" ");
    let log_path = common.hlog.as_deref();
    let measured = hdr_files::with_interval_log(log_path, &command_line, |write| {
        let mut collector = Collector::new(&run, common.quiet, write);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| work(&run));
            let warmed = || run.clock.now_ns() >= run.measure_from_ns;
            watch_until(&run, &mut collector, interrupted, || {
                worker.is_finished() || warmed()
            })?;
            // The first second that counts begins now, not in the middle of one.
            collector.collect().inspect_err(|_| run.stop())?;
            let broker_before = common.server_pid.map(Usage::of).transpose()?;
            let generator_before = Usage::of(std::process::id())?;
            watch_until(&run, &mut collector, interrupted, || worker.is_finished())?;
            let broker_after = common.server_pid.map(Usage::of).transpose()?;
            let generator = Usage::of(std::process::id())?.since(&generator_before);
            let result = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            collector.collect()?;
            let (records, bytes) = run.counted();
            let broker = broker_after.zip(broker_before);
            Ok(Measured {
                result,
                totals: Totals {
                    seconds: run.measured_s(),
                    records,
                    bytes,
                    interrupted: interrupted.load(Ordering::Relaxed),
                    broker: broker.map(|(after, before)| after.since(&before)),
                    generator,
                },
                histograms: std::mem::take(&mut collector.totals),
                timeline: std::mem::take(&mut collector.timeline),
            })
        })
    });
    measured.map_err(|source| BenchError::File {
        path: common.hlog.clone().unwrap_or_default(),
        source,
    })?
}

/// Waits for `done`, passing signals on and collecting once a second.
fn watch_until(
    run: &Run,
    collector: &mut Collector<'_>,
    interrupted: &AtomicBool,
    mut done: impl FnMut() -> bool,
) -> Result<(), BenchError> {
    while !done() {
        std::thread::sleep(TICK);
        if interrupted.load(Ordering::Relaxed) {
            run.stop();
        }
        if run.clock.now_ns() >= collector.last_ns + INTERVAL_NS {
            // The worker must come to an end before the error can be told.
            collector.collect().inspect_err(|_| run.stop())?;
        }
    }
    Ok(())
}

type WriteInterval<'a> = &'a mut dyn FnMut(&Interval<'_>) -> io::Result<()>;

/// Takes what the threads recorded, second by second.
struct Collector<'a> {
    run: &'a Run,
    quiet: bool,
    write: WriteInterval<'a>,
    totals: BTreeMap<Metric, Histogram<u64>>,
    timeline: Vec<Second>,
    scratch: Histogram<u64>,
    last_ns: u64,
    last_counted: (u64, u64),
}

impl<'a> Collector<'a> {
    fn new(run: &'a Run, quiet: bool, write: WriteInterval<'a>) -> Collector<'a> {
        Collector {
            run,
            quiet,
            write,
            totals: BTreeMap::new(),
            timeline: Vec::new(),
            scratch: duration_histogram(),
            last_ns: run.clock.now_ns(),
            last_counted: run.counted(),
        }
    }

    fn collect(&mut self) -> Result<(), BenchError> {
        let now_ns = self.run.clock.now_ns();
        let counted = self.run.counted();
        // Nothing is sent after the end: that time is not part of the last second.
        let until_ns = now_ns.min(self.run.end_ns.max(self.last_ns));
        let seconds = ((until_ns - self.last_ns) as f64 / 1e9).max(1e-9);
        let mut second = Second {
            at_s: now_ns as f64 / 1e9,
            mb_per_s: (counted.1 - self.last_counted.1) as f64 / 1e6 / seconds,
            records_per_s: (counted.0 - self.last_counted.0) as f64 / seconds,
            ..Second::default()
        };
        for metric in Metric::ALL {
            self.scratch.reset();
            self.run.metrics.take(metric, &mut self.scratch);
            if self.scratch.is_empty() {
                continue;
            }
            let interval = Interval {
                start: Duration::from_nanos(self.last_ns),
                length: Duration::from_nanos(now_ns - self.last_ns),
                metric,
                histogram: &self.scratch,
            };
            (self.write)(&interval).map_err(|source| BenchError::File {
                path: "the interval log".into(),
                source,
            })?;
            second.record(metric, &self.scratch);
            *self.totals.entry(metric).or_insert_with(duration_histogram) += &self.scratch;
        }
        let began_ns = std::mem::replace(&mut self.last_ns, now_ns);
        self.last_counted = counted;
        if !self.quiet && seconds >= WORTH_A_LINE_S {
            eprintln!("{}", second.text());
        }
        // A second that is partly warm-up would look like a weak one.
        let whole = began_ns + TICK_NS >= self.run.measure_from_ns && seconds >= WORTH_A_LINE_S;
        if whole {
            self.timeline.push(second);
        }
        Ok(())
    }
}
