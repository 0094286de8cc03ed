//! `vltava-bench idle`: what a broker costs that nobody uses, and how long it takes to start.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;

use crate::broker_process::Usage;
use crate::peer::{Peer, PeerSpec, Setting};
use crate::result::{Figure, RunResult};
use crate::run::BenchError;
use crate::signals::interrupted;
use crate::units::parse_seconds;

/// Options of `vltava-bench idle`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench idle 127.0.0.1:9092,$(pgrep -x vltava)
  vltava-bench idle bench-harness/peers/vltava --duration 60
      started for it over an empty folder: how long that takes is told too")]
pub struct IdleArgs {
    /// `[NAME=]HOST:PORT,PID` of a broker that runs, or `[NAME=]RECIPE`, a program that becomes one (see bench-harness/peers)
    #[arg(value_name = "BROKER")]
    pub broker: PeerSpec,
    /// Look on for so long
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_seconds)]
    pub duration: Duration,
    /// Let it settle for so long before
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = parse_seconds)]
    pub warmup: Duration,
    /// CPUs of a broker that is started here
    #[arg(long, value_name = "CPU,...", value_delimiter = ',')]
    pub pin_server: Vec<usize>,
    /// A variable for the recipe; may be given several times
    #[arg(long, value_name = "NAME:VARIABLE=VALUE")]
    pub set: Vec<Setting>,
    /// Where a broker that is started here keeps its data
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub work_dir: PathBuf,
    /// Write everything here too, for `report` and for programs
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Looks on.
///
/// # Errors
/// When the broker does not start, or its process cannot be looked at.
pub fn run(args: &IdleArgs) -> Result<RunResult, BenchError> {
    let peer = Peer::open(&args.broker, &args.set, &args.pin_server, &args.work_dir)?;
    let Some(pid) = peer.pid else {
        let name = &peer.name;
        return Err(BenchError::Other(format!(
            "the process of {name} is not known: write {},PID",
            peer.address
        )));
    };
    wait(args.warmup)?;
    let (before, began) = (Usage::of(pid)?, Instant::now());
    wait(args.duration)?;
    let spent = Usage::of(pid)?.since(&before);
    let seconds = began.elapsed().as_secs_f64().max(1e-9);
    let mut figures = Vec::new();
    if let Some(started_in) = peer.started_in {
        let ms = started_in.as_secs_f64() * 1e3;
        figures.push(Figure::cost("start to the first answer", ms, "ms"));
    }
    figures.extend([
        Figure::cost(
            "CPU at rest",
            100.0 * spent.cpu_s() / seconds,
            "% of a core",
        ),
        Figure::cost(
            "context switches at rest",
            spent.switches() as f64 / seconds,
            "/s",
        ),
        Figure::cost(
            "resident memory at rest",
            spent.rss_bytes as f64 / 1e6,
            "MB",
        ),
        Figure::cost("threads", spent.threads as f64, ""),
    ]);
    let mut result = RunResult::of_figures("idle", Some(pid), figures);
    result.totals.interrupted = interrupted()?.load(Ordering::Relaxed);
    Ok(result)
}

/// Sleeps, unless a signal comes.
fn wait(length: Duration) -> Result<(), BenchError> {
    const LOOK_UP: Duration = Duration::from_millis(20);
    let (interrupted, began) = (interrupted()?, Instant::now());
    while began.elapsed() < length && !interrupted.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK_UP.min(length.saturating_sub(began.elapsed())));
    }
    Ok(())
}
