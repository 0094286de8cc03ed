//! `vltava-bench compare`: two or three brokers under the same load, in turn.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::{Args, Parser};

use crate::affinity::{self, Sides};
use crate::args::{Cli, Command, CommonArgs};
use crate::comparison::{Comparison, Workload, order};
use crate::fingerprint::Fingerprint;
use crate::peer::{Peer, PeerSpec, Setting};
use crate::result::RunResult;
use crate::run::BenchError;
use crate::signals::interrupted;
use crate::units::Size;
use crate::warm;

/// Options of `vltava-bench compare`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench compare vltava=127.0.0.1:9092,4711 other=127.0.0.1:9192,4712 --run 'produce --bytes 2GB'
      two brokers that run, with their process ids
  KAFKA_LIBS=/opt/kafka/libs vltava-bench compare bench-harness/peers/vltava bench-harness/peers/kafka \\
      --run 'produce --bytes 2GB' --run 'consume' --run 'latency --rate 20 --duration 20' --json compare.json
      brokers that are started for it
  vltava-bench compare before=bench-harness/peers/vltava after=bench-harness/peers/vltava \\
      --set before:VLTAVA=./vltava-0.1.0 --run 'produce --bytes 2GB' --rounds 10
      one build against another

Each round runs every broker once, every second round the other way round. Memory is touched before each run, brokers and load \
have CPUs of their own, and all brokers run all the time: a JVM stays warm. Figures of one round are held against each other, since \
the machine is another one a minute later; what is told is the median of those ratios, with the lowest and the highest. \
A ratio whose spread crosses 1 says nothing.")]
pub struct CompareArgs {
    /// Two or three: `[NAME=]HOST:PORT[,PID]`, or `[NAME=]RECIPE`, a program that becomes the broker (see bench-harness/peers)
    #[arg(required = true, num_args = 2..=3, value_name = "BROKER")]
    pub peers: Vec<PeerSpec>,
    /// What to run: a command with its options; may be given several times
    #[arg(
        long,
        value_name = "COMMAND",
        default_value = "latency --rate 20 --duration 20"
    )]
    pub run: Vec<String>,
    /// Run this once with each broker beforehand, and do not count it
    #[arg(long, value_name = "COMMAND")]
    pub prepare: Vec<String>,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// CPUs of brokers that are started here [default: the first half]
    #[arg(long, value_name = "CPU,...", value_delimiter = ',')]
    pub pin_server: Vec<usize>,
    /// CPUs of the load [default: the second half]
    #[arg(long, value_name = "CPU,...", value_delimiter = ',')]
    pub pin_load: Vec<usize>,
    /// Pin nobody
    #[arg(long, conflicts_with_all = ["pin_server", "pin_load"])]
    pub no_pin: bool,
    /// Touch so much memory before each run [default: half of what is free, up to 5GB]
    #[arg(long, value_name = "SIZE")]
    pub warm_memory: Option<Size>,
    /// A variable for the recipe of one broker; may be given several times
    #[arg(long, value_name = "NAME:VARIABLE=VALUE")]
    pub set: Vec<Setting>,
    /// Where brokers that are started here keep their data
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub work_dir: PathBuf,
    /// Write everything here too, for `report` and for programs
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// No line a run while it goes on
    #[arg(long, short)]
    pub quiet: bool,
}

/// Starts the brokers, and runs the rounds.
///
/// # Errors
/// When a broker does not start, or a run cannot be made as asked.
pub fn run(args: &CompareArgs) -> Result<Comparison, BenchError> {
    let interrupted = interrupted()?;
    let sides = match args.no_pin {
        true => Sides::default(),
        false => affinity::sides(&args.pin_server, &args.pin_load, &affinity::usable()),
    };
    let prepare = parse_all(&args.prepare)?;
    let workloads = parse_all(&args.run)?;
    let open = |spec| Peer::open(spec, &args.set, &sides.server, &args.work_dir);
    let peers = args.peers.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut comparison = Comparison {
        fingerprint: Fingerprint::new(std::env::args().collect(), None),
        peers: peers.iter().map(|peer| peer.name.clone()).collect(),
        warm_bytes: args
            .warm_memory
            .map_or_else(warm::default_bytes, |size| size.0),
        pinned: (!args.no_pin).then(|| (sides.server.clone(), sides.load.clone())),
        workloads: args.run.iter().map(|command| workload(command)).collect(),
        ..Comparison::default()
    };
    for (peer, command) in peers
        .iter()
        .flat_map(|p| prepare.iter().map(move |c| (p, c)))
    {
        once(command, peer, &sides.load)?;
    }
    'rounds: for round in 0..args.rounds as usize {
        for (command, workload) in workloads.iter().zip(&mut comparison.workloads) {
            let mut results: Vec<Option<RunResult>> = vec![None; peers.len()];
            for index in order(round, peers.len()) {
                warm::touch(comparison.warm_bytes);
                let result = once(command, &peers[index], &sides.load)?;
                if interrupted.load(Ordering::Relaxed) {
                    break 'rounds;
                }
                if !args.quiet {
                    tell(args, round, &peers[index].name, &result);
                }
                results[index] = Some(result);
            }
            workload
                .rounds
                .push(results.into_iter().flatten().collect());
        }
    }
    comparison.interrupted = interrupted.load(Ordering::Relaxed);
    Ok(comparison)
}

fn workload(command: &str) -> Workload {
    Workload {
        command: command.to_owned(),
        rounds: Vec::new(),
    }
}

/// One run with one broker.
///
/// # Errors
/// Those of the command.
pub fn once(command: &Command, peer: &Peer, cpus: &[usize]) -> Result<RunResult, BenchError> {
    let mut command = command.clone();
    let common = common(&mut command)?;
    common.bootstrap_server = vec![peer.address.clone()];
    common.server_pid = peer.pid;
    common.quiet = true;
    if common.pin.is_empty() {
        common.pin = cpus.to_vec();
    }
    let result = super::execute(&command);
    result.map_err(|error| BenchError::Other(format!("{}: {error}", peer.name)))
}

fn tell(args: &CompareArgs, round: usize, name: &str, result: &RunResult) {
    let figures = result.figures.iter().take(3);
    let figures: Vec<String> = figures
        .map(|figure| {
            let value = crate::units::three_digits(figure.value);
            format!("{}: {value} {}", figure.name, figure.unit)
        })
        .collect();
    let (round, rounds) = (round + 1, args.rounds);
    let valid = if result.is_valid() { "" } else { "  INVALID" };
    let (command, figures) = (&result.command, figures.join(", "));
    eprintln!("round {round} of {rounds}  {name}  {command}  {figures}{valid}");
}

fn parse_all(lines: &[String]) -> Result<Vec<Command>, BenchError> {
    lines
        .iter()
        .map(|line| parse(line.split_whitespace()))
        .collect()
}

/// A command with its options, which must be one that puts load on a broker.
///
/// # Errors
/// What the command line's own error says.
pub fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Command, BenchError> {
    let parsed = Cli::try_parse_from(std::iter::once("vltava-bench").chain(words));
    let mut command = parsed
        .map_err(|error| BenchError::Other(error.to_string()))?
        .command;
    common(&mut command)?;
    Ok(command)
}

fn common(command: &mut Command) -> Result<&mut CommonArgs, BenchError> {
    command.common_mut().ok_or_else(|| {
        BenchError::Other("only a command that puts load on a broker can be repeated".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_a_command_with_a_load() {
        assert!(parse("latency --rate 5".split(' ')).is_ok());
        for wrong in ["limits", "nonsense", "", "latency --rate x"] {
            assert!(parse(wrong.split_whitespace()).is_err(), "{wrong}");
        }
    }
}
