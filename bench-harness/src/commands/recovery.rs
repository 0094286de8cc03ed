//! `vltava-bench recovery`: a broker is killed, and started again over what it left: how long until it works.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use rustix::process::Signal;

use super::mixed::fill;
use crate::args::{Acks, CommonArgs, LoadArgs, TopicArgs};
use crate::load::{Load, run_loads};
use crate::peer::{Peer, PeerSpec, Recipe, Setting, new_folder};
use crate::probe;
use crate::result::{Figure, RunResult};
use crate::run::{BenchError, Run};
use crate::signals::interrupted;
use crate::statistics::Spread;
use crate::target::{Lane, Target};
use crate::template::sized_template;
use crate::units::{Size, three_digits};

/// Options of `vltava-bench recovery`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench recovery bench-harness/peers/vltava --bytes 2GB --partitions 100
  vltava-bench recovery bench-harness/peers/vltava --under-load --rounds 10
      killed while records are being written
  KAFKA_LIBS=/opt/kafka/libs vltava-bench recovery bench-harness/peers/kafka --stop term
      after a clean stop

The broker is started over an empty folder, filled, stopped, and started again over what it left, several times. Every record that \
was acknowledged has to be there again: what is missing is reported as lost.")]
pub struct RecoveryArgs {
    /// `[NAME=]RECIPE`, a program that becomes the broker (see bench-harness/peers)
    #[arg(value_name = "RECIPE")]
    pub broker: PeerSpec,
    /// Fill the topic with so much first
    #[arg(long, value_name = "SIZE", default_value = "1GB")]
    pub bytes: Size,
    /// How it ends
    #[arg(long, value_enum, default_value_t)]
    pub stop: Stop,
    /// Stop it while records are being written, not at rest; what was not acknowledged yet may be there or not, and can hide
    /// as many records that were lost
    #[arg(long)]
    pub under_load: bool,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// The broker's CPUs
    #[arg(long, value_name = "CPU,...", value_delimiter = ',')]
    pub pin_server: Vec<usize>,
    /// A variable for the recipe; may be given several times
    #[arg(long, value_name = "NAME:VARIABLE=VALUE")]
    pub set: Vec<Setting>,
    /// Where it keeps its data
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub work_dir: PathBuf,
    /// Write everything here too, for `report` and for programs
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// No line a round while it runs
    #[arg(long, short)]
    pub quiet: bool,
    /// The topic.
    #[command(flatten)]
    pub topic: TopicArgs,
    /// What it is filled with.
    #[command(flatten)]
    pub load: LoadArgs,
}

/// `--stop`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    /// SIGKILL: as a crash of the broker, not of the machine
    #[default]
    Kill,
    /// SIGTERM: a clean stop
    Term,
}

/// How long records are written before the broker is stopped.
const LOAD_TIME: Duration = Duration::from_millis(500);
const LOAD_BATCH_BYTES: u64 = 64 << 10;

/// What one round took, in milliseconds since the start.
#[derive(Debug, Default, Clone, Copy)]
struct Times {
    /// Not a time: the records that were acknowledged in the round, and have to be there after it.
    acknowledged: u64,
    stopped: f64,
    first_answer: f64,
    first_write: f64,
    first_read: f64,
}

/// One of them.
type Point = fn(&Times) -> f64;

/// Fills, stops, starts, and looks.
///
/// # Errors
/// When the broker does not start, or does not work again.
pub fn run(args: &RecoveryArgs) -> Result<RunResult, BenchError> {
    if args.load.acks == Acks::None {
        let sentence = "with --acks 0 nothing is acknowledged: nothing could be missing";
        return Err(BenchError::Other(sentence.to_owned()));
    }
    let interrupted = interrupted()?;
    let dir = new_folder(&args.work_dir)?;
    let recipe = Recipe::of(&args.broker, &args.set, &args.pin_server, dir.path())?;
    let mut peer = recipe.start(&args.broker.name)?;
    let common = common(&peer);
    let filled = fill(&common, &args.topic, &args.load, args.bytes, None)?;
    let mut acknowledged = filled.totals.records;
    let mut rounds = Vec::new();
    let mut lost = 0;
    while rounds.len() < args.rounds as usize && !interrupted.load(Ordering::Relaxed) {
        let times = once(args, &recipe, &mut peer, &common)?;
        acknowledged += times.acknowledged;
        lost = acknowledged.saturating_sub(probe::count_records(&common)?);
        rounds.push(times);
        if !args.quiet {
            let [answer, write] = [times.first_answer, times.first_write].map(three_digits);
            eprintln!(
                "first answer after {answer} ms, first write after {write} ms, {lost} records lost"
            );
        }
    }
    let mut result = RunResult::of_figures("recovery", peer.pid, figures(args, &rounds));
    result.lost_records = lost;
    result.totals.interrupted = interrupted.load(Ordering::Relaxed);
    Ok(result)
}

fn once(
    args: &RecoveryArgs,
    recipe: &Recipe,
    peer: &mut Peer,
    common: &CommonArgs,
) -> Result<Times, BenchError> {
    let signal = match args.stop {
        Stop::Kill => Signal::KILL,
        Stop::Term => Signal::TERM,
    };
    let mut stopped = Duration::ZERO;
    let mut stop = || {
        let told = Instant::now();
        let done = peer.stop(signal);
        stopped = told.elapsed();
        done.map(|_| ())
    };
    let written = match args.under_load {
        true => while_writing(args, common, stop)?,
        false => stop().map(|()| 0)?,
    };
    let began = Instant::now();
    *peer = recipe.start(&args.broker.name)?;
    let first_answer = ms(began.elapsed());
    let mut waiting = (0..args.topic.partitions).collect();
    probe::until_it_works(|| probe::write_to(common, &mut waiting))?;
    let first_write = ms(began.elapsed());
    probe::until_it_works(|| probe::read_one(common, 0))?;
    // The probe is a record more in each partition.
    let probes = u64::from(args.topic.partitions.unsigned_abs());
    Ok(Times {
        acknowledged: written + probes,
        stopped: ms(stopped),
        first_answer,
        first_write,
        first_read: ms(began.elapsed()),
    })
}

/// Runs `stop` while records are being written: how many were acknowledged before it.
fn while_writing(
    args: &RecoveryArgs,
    common: &CommonArgs,
    stop: impl FnOnce() -> Result<(), BenchError>,
) -> Result<u64, BenchError> {
    let mut target = Target::find(common, None)?;
    let lanes = target.lanes(args.load.connections as usize)?;
    let template = sized_template(args.load.record_size.0, LOAD_BATCH_BYTES, None)?;
    let run = Run::start(Duration::ZERO, None, Arc::default());
    let load = |(index, lane): (usize, &Lane)| Load {
        lane: lane.clone(),
        topic: &target.topic,
        acks: -1,
        in_flight: args.load.in_flight as usize,
        template: template.clone(),
        pace: None,
        records_max: u64::MAX,
        pin: (&[], index * 2),
    };
    let loads: Vec<Load<'_>> = lanes.iter().enumerate().map(load).collect();
    std::thread::scope(|scope| {
        // It ends with an error: that of the connections that break.
        let writing = scope.spawn(|| run_loads(loads, &run));
        let began = Instant::now();
        while began.elapsed() < LOAD_TIME && !writing.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let early = writing.is_finished();
        let stopped = stop();
        run.stop();
        let written = writing
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        stopped?;
        match (early, written) {
            (true, Err(error)) => Err(error),
            _ => Ok(run.counted().0),
        }
    })
}

fn common(peer: &Peer) -> CommonArgs {
    CommonArgs {
        bootstrap_server: vec![peer.address.clone()],
        topic: "vltava-bench".to_owned(),
        pin: Vec::new(),
        server_pid: None,
        json: None,
        hgrm: None,
        hlog: None,
        quiet: true,
    }
}

fn figures(args: &RecoveryArgs, rounds: &[Times]) -> Vec<Figure> {
    let how = match args.stop {
        Stop::Kill => "after SIGKILL",
        Stop::Term => "after a clean stop",
    };
    let points: [(&str, Point); 4] = [
        ("start to the first answer", |times| times.first_answer),
        (
            "start to a write acknowledged by every partition",
            |times| times.first_write,
        ),
        ("start to the first old record read", |times| {
            times.first_read
        }),
        ("time to stop", |times| times.stopped),
    ];
    let mut figures = Vec::new();
    for (name, of) in points {
        if let Some(spread) = Spread::of(rounds.iter().map(of)) {
            let name = format!("{name}, {how}");
            figures.push(Figure::cost(format!("{name}: median"), spread.median, "ms"));
            figures.push(Figure::cost(format!("{name}: longest"), spread.high, "ms"));
        }
    }
    figures
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
