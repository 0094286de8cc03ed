//! Around every run: signals, a line a second, the broker's and our own CPU time from the moment that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::args::CommonArgs;
use crate::broker_process::Usage;
use crate::run::{BenchError, Run};

/// How often the supervisor looks.
const TICK: Duration = Duration::from_millis(20);

/// What a run came to.
#[derive(Debug, Clone, Default, Serialize)]
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
    /// The rest.
    pub totals: Totals,
}

/// Runs `work` with everything around it. SIGINT and SIGTERM end the run early, and it is reported all the same; a
/// second one ends the process.
///
/// # Errors
/// Those of `work`; when the broker's process cannot be looked at.
pub fn supervise<T: Send>(
    common: &CommonArgs,
    warmup: Duration,
    duration: Option<Duration>,
    work: impl FnOnce(&Run) -> Result<T, BenchError> + Send,
) -> Result<Measured<T>, BenchError> {
    let interrupted = stop_on_signals()?;
    // Fails now rather than after the run.
    common.server_pid.map(usage).transpose()?;
    let stop = Arc::new(AtomicBool::new(false));
    let run = Run::start(warmup, duration, Arc::clone(&stop));
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| work(&run));
        watch_until(&run, common, &interrupted, || {
            worker.is_finished() || run.clock.now_ns() >= run.measure_from_ns
        });
        let broker_before = common.server_pid.map(usage).transpose()?;
        let generator_before = usage(std::process::id())?;
        watch_until(&run, common, &interrupted, || worker.is_finished());
        let seconds = run.measured_s();
        let broker_after = common.server_pid.map(usage).transpose()?;
        let generator = usage(std::process::id())?.since(&generator_before);
        let result = worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let (records, bytes) = run.counted();
        let broker = broker_after
            .zip(broker_before)
            .map(|(after, before)| after.since(&before));
        let interrupted = interrupted.load(Ordering::Relaxed);
        Ok(Measured {
            result,
            totals: Totals {
                seconds,
                records,
                bytes,
                interrupted,
                broker,
                generator,
            },
        })
    })
}

fn usage(pid: u32) -> Result<Usage, BenchError> {
    Usage::of(pid).map_err(|source| BenchError::File {
        path: format!("/proc/{pid}").into(),
        source,
    })
}

/// Set by the first signal; the second one ends the process.
fn stop_on_signals() -> Result<Arc<AtomicBool>, BenchError> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(|error| {
                BenchError::Other(format!("cannot wait for signal {signal}: {error}"))
            })?;
    }
    Ok(flag)
}

/// Waits for `done`, passing signals on and printing a line a second.
fn watch_until(
    run: &Run,
    common: &CommonArgs,
    interrupted: &AtomicBool,
    mut done: impl FnMut() -> bool,
) {
    let mut last = (run.clock.now_ns(), run.counted());
    while !done() {
        std::thread::sleep(TICK);
        if interrupted.load(Ordering::Relaxed) {
            run.stop();
        }
        let now = run.clock.now_ns();
        let seconds = (now - last.0) as f64 / 1e9;
        if seconds >= 1.0 && !common.quiet {
            let counted = run.counted();
            eprintln!(
                "{:5.0} s  {:9.2} MB/s  {:10.0} records/s",
                now as f64 / 1e9,
                (counted.1 - last.1.1) as f64 / 1e6 / seconds,
                (counted.0 - last.1.0) as f64 / seconds
            );
            last = (now, counted);
        }
    }
}
