//! The command line of `vltava-bench`: its commands, and the options that several of them have. What only one command
//! has stands with the command. Only words and syntax.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::output::Files;
use crate::units::{Size, parse_ms, parse_rate, parse_seconds};

/// Load generator and latency histograms for any broker of the Kafka protocol.
#[derive(Parser, Debug)]
#[command(
    name = "vltava-bench",
    version,
    max_term_width = 110,
    arg_required_else_help = true,
    after_help = "\
Examples:
  vltava-bench produce --bytes 4GB --connections 2 --server-pid $(pgrep -x vltava)
      as fast as it goes; CPU seconds of the broker for each GB
  vltava-bench end-to-end --rate 20 --duration 60 --hlog run.hlog --json run.json
      20 MB/s: from when each record was due to its acknowledgement, and to its consumer

MB and GB are millions and thousands of millions of bytes of record values. Every result can be written with --json.

Exit status: 0 the figures stand, 1 there are none or records were lost, 2 the command line is wrong,
3 the figures are not the broker's: the load generator itself was late."
)]
pub struct Cli {
    /// What to measure.
    #[command(subcommand)]
    pub command: Command,
}

/// What to measure.
#[derive(Subcommand, Debug, Clone)]
pub enum Command {
    /// How fast records can be written, and at what cost
    Produce(commands::produce::ProduceArgs),
    /// How fast records can be read, and at what cost
    Consume(commands::consume::ConsumeArgs),
    /// How long acknowledgements take under a given load
    Latency(commands::latency::LatencyArgs),
    /// How long records take to their consumers under a given load
    EndToEnd(commands::end_to_end::EndToEndArgs),
    /// Producers, consumers at the tail and readers of old records, all at once
    Mixed(commands::mixed::MixedArgs),
    /// The same load while the broker compacts or deletes another topic
    Upkeep(commands::upkeep::UpkeepArgs),
    /// Many connections, idle or with a record now and then
    Connections(commands::connections::ConnectionsArgs),
    /// How long a consumer group takes to stand again
    Groups(commands::groups::GroupsArgs),
    /// The same load over more and more partitions
    Partitions(commands::partitions::PartitionsArgs),
    /// How long a broker that was killed takes until it works again
    Recovery(commands::recovery::RecoveryArgs),
    /// What a broker costs that nobody uses
    Idle(commands::idle::IdleArgs),
    /// Where a broker's CPU time goes under a load, as a picture
    Flamegraph(commands::flamegraph::FlamegraphArgs),
    /// What this machine can do at all: the floor under every broker
    Limits(commands::limits::LimitsArgs),
    /// Two or three brokers under the same load, in turn
    Compare(commands::compare::CompareArgs),
    /// More and more load until latency breaks a limit
    Sweep(commands::sweep::SweepArgs),
    /// One page with plots, of results that were written with --json
    Report(commands::report::ReportArgs),
}

impl Command {
    /// Where the load goes, if it is a command that puts load on a broker.
    pub fn common_mut(&mut self) -> Option<&mut CommonArgs> {
        match self {
            Command::Produce(args) => Some(&mut args.common),
            Command::Consume(args) => Some(&mut args.common),
            Command::Latency(args) => Some(&mut args.common),
            Command::EndToEnd(args) => Some(&mut args.common),
            Command::Mixed(args) => Some(&mut args.common),
            Command::Partitions(args) => Some(&mut args.common),
            Command::Connections(args) => Some(&mut args.common),
            Command::Groups(args) => Some(&mut args.common),
            Command::Upkeep(args) => Some(&mut args.common),
            Command::Recovery(_)
            | Command::Idle(_)
            | Command::Flamegraph(_)
            | Command::Limits(_)
            | Command::Compare(_)
            | Command::Sweep(_)
            | Command::Report(_) => None,
        }
    }

    /// The files that its result goes to.
    pub fn files(&self) -> Files {
        let mut command = self.clone();
        match (command.common_mut(), self) {
            (Some(common), _) => Files {
                json: common.json.clone(),
                hgrm: common.hgrm.clone(),
            },
            (None, Command::Recovery(args)) => Files::json(&args.json),
            (None, Command::Idle(args)) => Files::json(&args.json),
            (None, Command::Limits(args)) => Files::json(&args.json),
            (None, Command::Compare(args)) => Files::json(&args.json),
            (None, Command::Sweep(args)) => Files::json(&args.json),
            (None, _) => Files::default(),
        }
    }
}

/// What every measurement has.
#[derive(Args, Debug, Clone)]
pub struct CommonArgs {
    /// Any broker of the cluster, or several with commas between them
    #[arg(
        long,
        short = 'b',
        value_name = "HOST:PORT",
        env = "VLTAVA_BOOTSTRAP",
        default_value = "127.0.0.1:9092",
        value_delimiter = ','
    )]
    pub bootstrap_server: Vec<String>,
    /// The topic to use
    #[arg(long, value_name = "NAME", default_value = "vltava-bench")]
    pub topic: String,
    /// Run the load on these CPUs only, one thread after the other
    #[arg(long, value_name = "CPU,...", value_delimiter = ',')]
    pub pin: Vec<usize>,
    /// The broker's process, on this machine: its CPU time and memory are reported
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,
    /// Write everything here too, for `report` and for programs
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the percentile distribution here too, in ms, for HdrHistogram's plotter; of several metrics, the others go
    /// beside it under their names
    #[arg(long, value_name = "FILE")]
    pub hgrm: Option<PathBuf>,
    /// Write a histogram a second here while it runs, as HdrHistogram's log tools read them, tagged by metric
    #[arg(long, value_name = "FILE")]
    pub hlog: Option<PathBuf>,
    /// No line a second while it runs
    #[arg(long, short)]
    pub quiet: bool,
}

/// How the topic is made if it is not there.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "The topic, if it has to be created")]
pub struct TopicArgs {
    /// Its partitions
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    pub partitions: i32,
    /// Replicas of each partition [default: the broker's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    pub replication_factor: Option<i16>,
    /// A property of the topic; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = vltava::cli::serve_args::parse_key_value)]
    pub config: Vec<(String, String)>,
}

/// What the records are like, and how they are sent.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "The load")]
pub struct LoadArgs {
    /// Bytes of each record's value
    #[arg(long, value_name = "SIZE", default_value = "1Ki")]
    pub record_size: Size,
    /// Whose acknowledgement to wait for: 0 nobody's, 1 the leader's, all every in-sync replica's
    #[arg(long, value_enum, default_value_t)]
    pub acks: Acks,
    /// Connections to produce on, each with a partition or more of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Requests on their way on each connection
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub in_flight: u32,
}

/// An open loop: records are due at given times, whatever becomes of those before.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "The load")]
pub struct PacedArgs {
    /// All connections together, in MB of values a second
    #[arg(long, value_name = "MB/s", default_value = "20", value_parser = parse_rate)]
    pub rate: f64,
    /// When records are due: at even intervals, or at random as from many clients
    #[arg(long, value_enum, default_value_t)]
    pub arrivals: ArrivalKind,
    /// Of the random intervals: the same seed has the same moments
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Bytes of a batch, at most
    #[arg(long, value_name = "SIZE", default_value = "64Ki")]
    pub batch_size: Size,
    /// How long a batch may wait for more records
    #[arg(long, value_name = "MS", default_value_t = 0.0, value_parser = parse_ms)]
    pub linger_ms: f64,
    /// Measure for so long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = parse_seconds)]
    pub duration: Duration,
    /// Run for so long before it counts
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = parse_seconds)]
    pub warmup: Duration,
}

/// What the help of every open loop ends with.
macro_rules! paced_help {
    () => {
        "

Latency counts from when a record was due, not from when it could be sent: a broker that stands still for a second \
makes every record of that second late, and each of them counts. A generator that is late does the same, which would be \
blamed on the broker: how late it was is reported, and where that makes up half of a latency the run is called invalid."
    };
}
pub(crate) use paced_help;

/// `--arrivals`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArrivalKind {
    /// At even intervals
    #[default]
    Constant,
    /// At random, independent of each other (a Poisson process)
    Poisson,
}

/// `--acks`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acks {
    /// Nobody's
    #[value(name = "0")]
    None,
    /// The leader's
    #[default]
    #[value(name = "1")]
    Leader,
    /// Every in-sync replica's
    #[value(name = "all", alias = "-1")]
    All,
}

impl Acks {
    /// The number in a Produce request.
    pub fn wire(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            let example = format!("vltava-bench {}", command.get_name());
            assert!(help.unwrap_or_default().contains(&example), "{example}");
        }
    }
}
