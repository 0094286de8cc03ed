//! The command line: one file per command, each a client of the wire protocol like any other (`dump-log` reads files).
//!
//! It must never know the broker's insides: what a command can learn of a broker, any Kafka client can learn. `tune` looks at the
//! host instead.
//! Runs on the main thread with blocking sockets; no runtime.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done; also when the reader of our standard output went away, as `vltava consume x \| head` does |
//! | 1 | the operation failed: the reason is on standard error |
//! | 2 | the command line is wrong |

pub mod args;
pub mod check_args;
pub mod client_properties;
mod config_check;
mod consume;
mod dump_log;
pub mod format;
mod input;
pub mod install_links;
pub mod kafka;
mod line;
mod produce;
pub mod serve_args;
mod topics;
pub mod tune;
mod values;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use thiserror::Error;

use crate::client::{ClientError, Cluster, ClusterOptions, Timeouts};
use args::{ConnectArgs, ConsumeArgs, DumpLogArgs, ProduceArgs, TopicsArgs};
use check_args::CheckArgs;
use serve_args::ServeArgs;

/// The whole command line of `vltava`.
#[derive(Parser, Debug)]
#[command(
    name = "vltava",
    version,
    about = "A message broker that speaks Apache Kafka's protocol",
    long_about = "A message broker that speaks Apache Kafka's protocol and keeps Apache Kafka's files.\n\n\
                  `serve` runs the broker, `check` looks at its files, `tune` at its host. The other commands are clients: they work against any \
                  Kafka broker.",
    after_help = EXAMPLES,
    max_term_width = 110,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  vltava serve                                          a broker on 127.0.0.1:9092, data in ./vltava-data
  vltava topics create orders --partitions 6
  echo 'hello' | vltava produce orders
  vltava consume orders --from-beginning --max-messages 1
  vltava check ./vltava-data                            is everything whole? (while no broker runs)
  vltava tune                                           what this host should give it

Kafka's own commands work by their names: `vltava kafka-topics --help`, and as links from `vltava install-links DIR`.

`vltava COMMAND --help` has more of each.";

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the broker
    Serve(Box<ServeArgs>),
    /// Check a data directory that no broker runs on, and repair what can be
    Check(CheckArgs),
    /// Look at this host: what is worth changing for the broker, why, and how to undo it
    Tune(Box<tune::TuneArgs>),
    /// A client command
    #[command(flatten)]
    Client(ClientCommand),
}

/// The commands that talk to a broker, or read its files.
#[derive(Subcommand, Debug)]
pub enum ClientCommand {
    /// Create, list, describe and delete topics
    Topics(TopicsArgs),
    /// Send the lines of standard input as records
    Produce(ProduceArgs),
    /// Print the records of a topic
    Consume(ConsumeArgs),
    /// Explain a property file, line by line
    Config(config_check::ConfigArgs),
    /// Print what a file of a partition's log holds, and check it
    #[command(name = "dump-log")]
    DumpLog(DumpLogArgs),
    /// Make a folder with Kafka's commands and property files
    #[command(name = "install-links")]
    InstallLinks(install_links::InstallLinksArgs),
}

/// Why a command ends with exit code 1, or 0 where only our reader went away.
#[derive(Debug, Error)]
pub enum CliError {
    /// The cluster, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// Options that contradict each other.
    #[error("{0}")]
    Usage(String),
    /// Anything else, as a sentence.
    #[error("{0}")]
    Failed(String),
    /// What failed is on standard error already.
    #[error("some of it failed")]
    Reported,
}

/// The exit code for a command line that is wrong; clap's own.
const USAGE: u8 = 2;

/// Bytes gathered before they go to standard output.
const OUTPUT_BUFFER_BYTES: usize = 64 * 1024;

/// Runs a client command to its end: prints what it found to standard output, what failed to standard error.
pub fn run(command: &ClientCommand) -> ExitCode {
    let mut out = BufWriter::with_capacity(OUTPUT_BUFFER_BYTES, io::stdout().lock());
    let done = match command {
        ClientCommand::Topics(args) => topics::run(args, &mut out),
        ClientCommand::Produce(args) => produce::run(args),
        ClientCommand::Consume(args) => consume::run(args, &mut out),
        ClientCommand::Config(args) => config_check::run(args, &mut out),
        ClientCommand::DumpLog(args) => dump_log::run(args, &mut out),
        ClientCommand::InstallLinks(args) => install_links::run(args, &mut out),
    };
    let written = out.flush().map_err(CliError::Output);
    exit_code(done.and(written))
}

fn exit_code(done: Result<(), CliError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(CliError::Reported) => ExitCode::FAILURE,
        Err(error @ CliError::Usage(_)) => {
            eprintln!("vltava: {error}");
            ExitCode::from(USAGE)
        }
        Err(error) => {
            eprintln!("vltava: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reaches the cluster that the options name.
fn connect(args: &ConnectArgs) -> Result<Cluster, CliError> {
    let timeout = args.timeout();
    let timeouts = Timeouts {
        connect: timeout.min(Timeouts::default().connect),
        request: timeout,
    };
    Ok(Cluster::connect(ClusterOptions {
        bootstrap: args.bootstrap_server.clone(),
        client_id: args.client_id.clone(),
        timeouts,
        patience: timeout,
    })?)
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
    fn every_option_is_read_as_what_it_is_declared() {
        for line in [
            "check d --repair --records",
            "tune --config f --data-dir d --cores 1,2 --pid 3 --json --root r --host h",
            "tune --apply --dry-run",
            "tune --undo --dry-run",
            "serve a.properties --override a=b --listen h:1 --data-dir d --cores 1,2 --core-listeners --strict --log-level debug",
            "serve --core-listeners=PLAINTEXT://:9192 a.properties",
            "topics create a b -p 3 -r 1 -c a=b --if-not-exists --validate-only -b h:1,i:2 --timeout-ms 5 --client-id c",
            "topics list --exclude-internal",
            "topics describe a --configs",
            "topics delete a --if-exists",
            "produce t -k \\t --headers -H a=b --null-marker N -p 1 -a all -z lz4 --idempotent --batch-bytes 9 --linger-ms 1",
            "consume t -o -5 -p 1 -n 3 -e -f %k%v --null-marker N --read-committed --fetch-bytes 9",
            "consume t --from-beginning",
            "config check f --as consumer --strict",
            "dump-log f g -r --cluster-metadata --max-bytes 3",
        ] {
            let parsed = Cli::try_parse_from(["vltava"].into_iter().chain(line.split(' ')));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn every_command_shows_examples_in_its_help() {
        for command in Cli::command()
            .get_subcommands()
            .filter(|c| c.get_name() != "help")
        {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains(&format!("vltava {}", command.get_name())),
                "{}: {help}",
                command.get_name()
            );
        }
    }
}
