//! `vltava-bench limits`: what this machine can do at all, so that a broker's figures can be held against it.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use crate::limits::{self, Bench};
use crate::result::{Figure, RunResult};
use crate::run::BenchError;
use crate::signals::interrupted;
use crate::units::parse_seconds;

/// Options of `vltava-bench limits`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench limits --dir /srv/vltava --json limits.json
  vltava-bench limits --pin 2,3 --seconds 5
      two cores that share a cache wake each other faster than two that do not: try several

A broker that copies a byte through the page cache to a socket once costs at least a write, a send and a receive of it. What \
is measured on one core is written as CPU seconds for each GB too: add those up, and you have the floor.")]
pub struct LimitsArgs {
    /// Where to write files: on the file system that the broker will use
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// The two CPUs to use [default: the first two this process may use]
    #[arg(long, value_name = "CPU,CPU", value_delimiter = ',')]
    pub pin: Vec<usize>,
    /// How long to measure each
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = parse_seconds)]
    pub seconds: Duration,
    /// Write everything here too, for `report` and for programs
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Nothing while it runs
    #[arg(long, short)]
    pub quiet: bool,
}

/// One kind of work at a time.
type Measure = fn(&Bench) -> Result<Vec<Figure>, BenchError>;

const MEASURES: [(&str, Measure); 7] = [
    ("memcpy", limits::memory::copy),
    ("CRC-32C", limits::memory::crc32c),
    ("writes to the page cache", limits::files::write),
    ("writes and fdatasync", limits::files::write_and_sync),
    ("loopback, send", limits::sockets::send),
    ("loopback, sendfile", limits::sockets::send_file),
    ("waking a thread", limits::wake_up::measure),
];

/// Measures one after the other.
///
/// # Errors
/// When the directory cannot be written, or a CPU not be used.
pub fn run(args: &LimitsArgs) -> Result<RunResult, BenchError> {
    let interrupted = interrupted()?;
    let bench = Bench::new(&args.dir, &args.pin, args.seconds)?;
    let mut figures = Vec::new();
    for (what, measure) in MEASURES {
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        if !args.quiet {
            eprintln!("{what} ...");
        }
        figures.extend(measure(&bench)?);
    }
    let mut result = RunResult::of_figures("limits", None, figures);
    result.totals.interrupted = interrupted.load(Ordering::Relaxed);
    Ok(result)
}
