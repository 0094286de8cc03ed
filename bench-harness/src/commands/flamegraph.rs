//! `vltava-bench flamegraph`: where a broker's CPU time goes under one of a few loads, as a picture.
//!
//! `perf` looks, the crate `inferno` folds and draws; the broker is started here, on CPUs of its own.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};
use std::time::Duration;

use clap::{Args, ValueEnum};
use inferno::collapse::Collapse;
use inferno::collapse::perf::{Folder, Options as FolderOptions};
use inferno::flamegraph::{Options, Palette, from_reader};

use super::compare::{once, parse};
use crate::affinity;
use crate::args::Command;
use crate::fingerprint::Fingerprint;
use crate::peer::{Peer, PeerSpec, Recipe, Setting, new_folder};
use crate::result::{Figure, RunResult};
use crate::run::BenchError;
use crate::units::parse_seconds;
use crate::warm;

/// Options of `vltava-bench flamegraph`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  RUSTFLAGS='-C force-frame-pointers=yes' cargo build --profile profiling --workspace
  VLTAVA=target/profiling/vltava vltava-bench flamegraph produce-1k bench-harness/peers/vltava
      produce-1k.svg: width is CPU time, kernel frames included; open it in a browser to search and zoom
  vltava-bench flamegraph fsync bench-harness/peers/vltava -o fsync-after.svg --seconds 10

Needs `perf` (Debian: linux-perf) and the right to look at the kernel: root, or kernel.perf_event_paranoid=-1.")]
pub struct FlamegraphArgs {
    /// The load
    #[arg(value_enum)]
    pub scenario: Scenario,
    /// `[NAME=]RECIPE`, a program that becomes the broker (see bench-harness/peers)
    #[arg(value_name = "BROKER")]
    pub broker: PeerSpec,
    /// Where the picture goes [default: SCENARIO.svg]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Look for so long
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = parse_seconds)]
    pub seconds: Duration,
    /// Samples a second of each CPU
    #[arg(long, value_name = "HZ", default_value_t = 1999, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub frequency: u32,
    /// How stacks are found: `fp` by frame pointers, `dwarf` without, at some cost
    #[arg(long, value_enum, default_value_t, value_name = "WAY")]
    pub call_graph: CallGraph,
    /// The broker's CPUs [default: the first half]
    #[arg(long, value_name = "CPU,...", value_delimiter = ',')]
    pub pin_server: Vec<usize>,
    /// The load's CPUs [default: the other half]
    #[arg(long, value_name = "CPU,...", value_delimiter = ',')]
    pub pin_load: Vec<usize>,
    /// A variable for the recipe; may be given several times
    #[arg(long, value_name = "NAME:VARIABLE=VALUE")]
    pub set: Vec<Setting>,
    /// Where the broker keeps its data
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub work_dir: PathBuf,
}

/// `SCENARIO`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Records of 1 KiB in batches of 1 MB, as fast as it goes
    #[value(name = "produce-1k")]
    Produce1k,
    /// Records of 100 B in batches of 1 MB, as fast as it goes
    #[value(name = "produce-100")]
    Produce100,
    /// Batches of 4 KiB from 50 connections to 50 partitions, one on its way each
    SmallRequests,
    /// Records that are in the page cache, read as fast as it goes
    ConsumeHot,
    /// The same records after they have left the page cache
    ConsumeCold,
    /// 20 MB/s, each acknowledgement after an fdatasync
    Fsync,
    /// Nothing at all
    Idle,
}

/// `--call-graph`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallGraph {
    #[default]
    Fp,
    Dwarf,
}

/// The load runs for so long before it is looked at.
const WARMUP: Duration = Duration::from_secs(1);
/// And for so long afterwards, since `perf` takes a moment to begin.
const REST: Duration = Duration::from_secs(2);

impl Scenario {
    fn name(self) -> String {
        let value = self.to_possible_value().expect("no scenario is hidden");
        value.get_name().to_owned()
    }

    /// What is done before.
    fn prepare(self) -> Option<&'static str> {
        match self {
            Scenario::ConsumeHot | Scenario::ConsumeCold => {
                Some("produce --bytes 8GB --partitions 4 --connections 1")
            }
            _ => None,
        }
    }

    /// The load, but for how long it goes on.
    fn load(self) -> Option<&'static str> {
        Some(match self {
            Scenario::Produce1k => "produce --batch-size 1MB",
            Scenario::Produce100 => "produce --record-size 100 --batch-size 1MB",
            Scenario::SmallRequests => {
                "produce --batch-size 4Ki --partitions 50 --connections 50 --in-flight 1"
            }
            Scenario::ConsumeHot | Scenario::ConsumeCold => "consume",
            Scenario::Fsync => "latency --rate 20 --warmup 0.5 --config flush.messages=1",
            Scenario::Idle => return None,
        })
    }
}

/// Starts the broker, has the load run, looks, and draws.
///
/// # Errors
/// When the broker does not start, `perf` is not there or may not look, or nothing was seen.
pub fn run(args: &FlamegraphArgs) -> Result<RunResult, BenchError> {
    let sides = affinity::sides(&args.pin_server, &args.pin_load, &affinity::usable());
    let dir = new_folder(&args.work_dir)?;
    let recipe = Recipe::of(&args.broker, &args.set, &sides.server, dir.path())?;
    let peer = recipe.start(&args.broker.name)?;
    if let Some(line) = args.scenario.prepare() {
        once(&parse(line.split(' '))?, &peer, &sides.load)?;
    }
    if args.scenario == Scenario::ConsumeCold {
        evict(dir.path())?;
    } else {
        warm::touch(warm::default_bytes());
    }
    let samples = dir.path().join("perf.data");
    let load = args.scenario.load().map(|line| load(args, line));
    let load = load.transpose()?;
    let under_load = std::thread::scope(|scope| {
        let running = load
            .as_ref()
            .map(|command| scope.spawn(|| once(command, &peer, &sides.load)));
        std::thread::sleep(WARMUP);
        let recorded = record(args, &peer, &samples);
        let ran = running.map(|thread| {
            let joined = thread.join();
            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        recorded.map(|()| ran)
    })?;
    let result = under_load.transpose()?;
    let name = args.scenario.name();
    let output = args.output.clone();
    let output = output.unwrap_or_else(|| PathBuf::from(format!("{name}.svg")));
    let seen = draw(&samples, &output, &title(args, load.is_some()))?;
    Ok(report(&peer, seen, result))
}

/// The load for as long as it is looked at, and a bit.
fn load(args: &FlamegraphArgs, line: &str) -> Result<Command, BenchError> {
    let seconds = (WARMUP + args.seconds + REST).as_secs_f64();
    let line = format!("{line} --duration {seconds}");
    parse(line.split(' '))
}

/// Has the kernel forget what it keeps of the files below `dir`.
fn evict(dir: &Path) -> Result<(), BenchError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| BenchError::File { path, source }
    };
    for entry in std::fs::read_dir(dir).map_err(failed(dir))? {
        let path = entry.map_err(failed(dir))?.path();
        if path.is_dir() {
            evict(&path)?;
        } else if let Ok(file) = File::open(&path) {
            // What was not written yet cannot be forgotten.
            file.sync_all().map_err(failed(&path))?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)
                .map_err(|error| failed(&path)(error.into()))?;
        }
    }
    Ok(())
}

/// Looks at the broker for a while.
fn record(args: &FlamegraphArgs, peer: &Peer, samples: &Path) -> Result<(), BenchError> {
    let pid = peer.pid.expect("a broker that was started here has one");
    let call_graph = match args.call_graph {
        CallGraph::Fp => "fp",
        CallGraph::Dwarf => "dwarf",
    };
    let mut perf = Program::new("perf");
    perf.args(["record", "-q", "-F", &args.frequency.to_string()])
        .args(["--call-graph", call_graph, "-p", &pid.to_string(), "-o"])
        .arg(samples)
        .args(["--", "sleep", &args.seconds.as_secs_f64().to_string()]);
    output_of(&mut perf).map(drop)
}

fn output_of(program: &mut Program) -> Result<Vec<u8>, BenchError> {
    let name = program.get_program().to_string_lossy().into_owned();
    let output = program.stdin(Stdio::null()).output();
    let output = output.map_err(|error| {
        BenchError::Other(format!(
            "{name}: {error}; flame graphs need it (Debian: linux-perf)"
        ))
    })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(BenchError::Other(format!("{name}: {}", words.trim())));
    }
    Ok(output.stdout)
}

/// The two lines above the picture: what it shows, and where it was made.
fn title(args: &FlamegraphArgs, loaded: bool) -> [String; 2] {
    let load = match args.scenario.load().filter(|_| loaded) {
        Some(line) => format!("vltava-bench {line}"),
        None => "no load".to_owned(),
    };
    [
        format!("{}: {load}", args.broker.name),
        Fingerprint::new(Vec::new(), None).text(),
    ]
}

/// Draws what was seen: how many samples.
fn draw(samples: &Path, output: &Path, title: &[String; 2]) -> Result<usize, BenchError> {
    let mut perf = Program::new("perf");
    perf.args(["script", "--force", "-i"]).arg(samples);
    let stacks = output_of(&mut perf)?;
    let broken = |error: std::io::Error| BenchError::Other(format!("flame graph: {error}"));
    let mut folded = Vec::new();
    Folder::from(FolderOptions::default())
        .collapse(BufReader::new(Cursor::new(stacks)), &mut folded)
        .map_err(broken)?;
    let seen = samples_in(&String::from_utf8_lossy(&folded));
    if seen == 0 {
        return Ok(0);
    }
    let mut options = Options::default();
    options.title = title[0].clone();
    options.subtitle = Some(title[1].clone());
    options.colors = Palette::Multi(inferno::flamegraph::color::MultiPalette::Rust);
    options.hash = true;
    options.count_name = "samples".to_owned();
    let file = File::create(output).map_err(|source| BenchError::File {
        path: output.to_owned(),
        source,
    })?;
    from_reader(&mut options, Cursor::new(folded), file).map_err(broken)?;
    Ok(seen)
}

/// Of lines of `frame;frame;frame COUNT`.
fn samples_in(folded: &str) -> usize {
    let count = |line: &str| line.rsplit_once(' ')?.1.parse::<usize>().ok();
    folded.lines().filter_map(count).sum()
}

/// The load's figures, and how much was seen.
fn report(peer: &Peer, seen: usize, load: Option<RunResult>) -> RunResult {
    let samples = Figure::new(
        "samples in the picture",
        seen as f64,
        "",
        crate::result::Better::Neither,
    );
    let mut result = load.unwrap_or_else(|| RunResult::of_figures("idle", peer.pid, Vec::new()));
    result.figures.push(samples);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_a_load_that_can_be_run() {
        for scenario in Scenario::value_variants() {
            for line in scenario.prepare().into_iter().chain(scenario.load()) {
                let line = format!("{line} --duration 3");
                assert!(parse(line.split(' ')).is_ok(), "{scenario:?}: {line}");
            }
        }
    }

    #[test]
    fn samples_are_counted_over_all_stacks() {
        assert_eq!(samples_in("a;b 3\na;c d;e 4\n"), 7);
        assert_eq!(samples_in(""), 0);
    }
}
