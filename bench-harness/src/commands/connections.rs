//! `vltava-bench connections`: many connections, idle or with a record now and then: what each costs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use vltava::client::Connection;

use crate::args::{ArrivalKind, CommonArgs, TopicArgs};
use crate::broker_process::Usage;
use crate::metrics::Metric;
use crate::pace::Arrivals;
use crate::result::{Figure, RunResult};
use crate::run::{BenchError, Run, pin_thread};
use crate::supervise::supervise;
use crate::target::{Lane, Target};
use crate::trickle::Trickle;
use crate::units::{Size, parse_rate, parse_seconds};

/// Options of `vltava-bench connections`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench connections --count 10000 --server-pid $(pgrep -x vltava)
      idle: memory of the broker for each connection, and its CPU time for all
  vltava-bench connections --count 5000 --trickle 2000 --arrivals poisson --duration 60
      2000 records a second, each on another connection, in batches of one: from when it was due to its acknowledgement

Each connection needs a file descriptor here and in the broker, and a port of this machine for each address of the broker: 28 000 \
unless net.ipv4.ip_local_port_range says otherwise.")]
pub struct ConnectionsArgs {
    /// Where to.
    #[command(flatten)]
    pub common: CommonArgs,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// Records a second on all connections together [default: none, all are idle]
    #[arg(long, value_name = "RECORDS/s", value_parser = parse_rate)]
    pub trickle: Option<f64>,
    /// When records are due: at even intervals, or at random
    #[arg(long, value_enum, default_value_t)]
    pub arrivals: ArrivalKind,
    /// Of the random intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Bytes of each record's value
    #[arg(long, value_name = "SIZE", default_value = "100")]
    pub record_size: Size,
    /// Stay for so long
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_seconds)]
    pub duration: Duration,
    /// The topic.
    #[command(flatten)]
    pub topic: TopicArgs,
}

/// What this process has open besides.
const OTHER_FILES: u64 = 64;
/// Idle connections are looked after this often.
const LOOK_UP: Duration = Duration::from_millis(20);

/// Opens the connections, and stays.
///
/// # Errors
/// When they cannot be opened, or one breaks.
pub fn run(args: &ConnectionsArgs) -> Result<RunResult, BenchError> {
    allow_files(u64::from(args.count) + OTHER_FILES)?;
    let mut target = Target::find(&args.common, Some(&args.topic))?;
    let lanes = target.lanes(args.count as usize)?;
    let usage = || args.common.server_pid.map(Usage::of).transpose();
    let before = usage()?;
    let opened_ns = AtomicU64::new(0);
    let rss_bytes = AtomicU64::new(0);
    // How long opening takes is not known: it is a warm-up that ends when it ends.
    let measured = supervise(&args.common, Duration::ZERO, None, |run| {
        pin_thread(&args.common.pin, 0)?;
        let mut connections = open_all(&lanes, run)?;
        opened_ns.store(run.clock.now_ns(), Ordering::Relaxed);
        let opened = usage()?;
        stay(args, &target, &lanes, &mut connections, run)?;
        let spent = usage()?.zip(opened).map(|(now, opened)| now.since(&opened));
        rss_bytes.store(spent.map_or(0, |spent| spent.rss_bytes), Ordering::Relaxed);
        Ok((connections.len(), spent))
    })?;
    let mut result = RunResult::of("connections", args.common.server_pid, &measured);
    // The broker's figures of the whole run have the opening in them: these are better.
    result
        .figures
        .retain(|figure| !figure.name.starts_with("broker"));
    let (count, spent) = measured.result;
    let mut figures = vec![Figure::new(
        "connections",
        count as f64,
        "",
        crate::result::Better::Neither,
    )];
    let opening_s = opened_ns.load(Ordering::Relaxed) as f64 / 1e9;
    figures.push(Figure::cost("opening all of them", opening_s, "s"));
    if let (Some(before), Some(spent)) = (before, spent) {
        let rss = rss_bytes.load(Ordering::Relaxed);
        let grown = rss.saturating_sub(before.rss_bytes) as f64;
        let seconds = args.duration.as_secs_f64().max(1e-9);
        figures.extend([
            Figure::cost(
                "broker, memory for each connection",
                grown / 1024.0 / count as f64,
                "KiB",
            ),
            Figure::cost("broker, resident memory", rss as f64 / 1e6, "MB"),
            Figure::cost(
                "broker, CPU while they are open",
                100.0 * spent.cpu_s() / seconds,
                "% of a core",
            ),
            Figure::cost(
                "broker, context switches while they are open",
                spent.switches() as f64 / seconds,
                "/s",
            ),
        ]);
    }
    result.figures.extend(figures);
    Ok(result)
}

/// Opens a connection a lane, one after the other, and asks each for the versions it speaks.
fn open_all(lanes: &[Lane], run: &Run) -> Result<VecDeque<Connection>, BenchError> {
    let mut connections = VecDeque::with_capacity(lanes.len());
    for lane in lanes {
        if run.stopping() {
            break;
        }
        let began = Instant::now();
        connections.push_back(lane.connect()?);
        let took_ns = began.elapsed().as_nanos() as u64;
        run.metrics.record(Metric::Connect, 0, |histogram| {
            histogram.saturating_record(took_ns);
        });
    }
    Ok(connections)
}

/// Keeps the connections open for as long as was asked, with a record now and then if that was.
fn stay(
    args: &ConnectionsArgs,
    target: &Target,
    lanes: &[Lane],
    connections: &mut VecDeque<Connection>,
    run: &Run,
) -> Result<(), BenchError> {
    let end_ns = run.clock.now_ns() + args.duration.as_nanos() as u64;
    let Some(rate) = args.trickle else {
        while run.clock.now_ns() < end_ns && !run.stopping() {
            std::thread::sleep(LOOK_UP);
        }
        return Ok(());
    };
    let start_ns = run.clock.now_ns();
    let arrivals = match args.arrivals {
        ArrivalKind::Constant => Arrivals::constant(start_ns, rate),
        ArrivalKind::Poisson => Arrivals::poisson(start_ns, rate, args.seed),
    };
    let connections: Vec<&Connection> = connections.iter().collect();
    let trickle = Trickle::new(&connections, lanes, &target.topic, args.record_size.0)?;
    trickle.run(arrivals, end_ns, run)
}

/// Makes room for so many open files.
fn allow_files(files: u64) -> Result<(), BenchError> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= files) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < files) {
        return Err(BenchError::Other(format!(
            "{files} open files are needed, and this process may have {}: raise `ulimit -n`",
            limit.maximum.unwrap_or(0)
        )));
    }
    let wanted = Rlimit {
        current: Some(files),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, wanted)
        .map_err(|error| BenchError::Other(format!("cannot have {files} open files: {error}")))
}
