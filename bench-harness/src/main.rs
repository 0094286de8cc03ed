//! `vltava-bench`: a load generator with honest latencies, for any broker of the Kafka protocol.
//!
//! One core of it can send and read more than a core of a broker can take: batches are made once and stamped anew,
//! requests are on their way several at a time, and what is read is not looked into beyond its batch headers.
//!
//! | file | what it is for |
//! |---|---|
//! | `args` | the command line |
//! | `produce`, `consume`, `latency` | a command each |
//! | `target` | the topic, its leaders, which connection has which partitions |
//! | `template` | batches made once |
//! | `load`, `window`, `pace` | sending: a connection's two threads, what is on its way, when records are due |
//! | `fetcher`, `frames` | reading |
//! | `run`, `clock`, `supervise` | what threads share; signals, progress, CPU time |
//! | `broker_process`, `report` | the broker's cost; the figures as text, JSON and .hgrm |

mod args;
mod broker_process;
mod clock;
mod consume;
mod fetcher;
mod frames;
mod latency;
mod load;
mod pace;
mod produce;
mod report;
mod run;
mod supervise;
mod target;
mod template;
mod window;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use run::BenchError;

fn main() -> ExitCode {
    match run_command(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vltava-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(command: &Command) -> Result<(), BenchError> {
    let (common, report) = match command {
        Command::Produce(args) => (&args.common, produce::run(args)?),
        Command::Consume(args) => (&args.common, consume::run(args)?),
        Command::Latency(args) => (&args.common, latency::run(args)?),
    };
    let printed = std::io::stdout().lock().write_all(report.text().as_bytes());
    printed.map_err(|source| BenchError::File {
        path: "standard output".into(),
        source,
    })?;
    report.write_files(common)?;
    match report.lost_records {
        0 => Ok(()),
        lost => Err(BenchError::Other(format!("{lost} records were lost"))),
    }
}
