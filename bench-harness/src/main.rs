//! `vltava-bench`: a load generator with honest latencies, for any broker of the Kafka protocol.
//!
//! One core of it can send and read more than a core of a broker can take: batches are made once and stamped anew,
//! requests are on their way several at a time, and what is read is not looked into beyond its batch headers.
//!
//! | file | what it is for |
//! |---|---|
//! | `args`, `units` | the command line: what several commands have; numbers with units |
//! | `commands/` | a file a command: its options and its run |
//! | `paced`, `pace` | the open loop; when records are due |
//! | `target` | the topic, its leaders, which connection has which partitions |
//! | `template` | batches made once |
//! | `load`, `window` | sending: a connection's two threads, what is on its way |
//! | `fetcher`, `frames` | reading |
//! | `run`, `clock`, `supervise` | what threads share; signals, progress, CPU time |
//! | `metrics`, `hdr_files` | histograms while they are recorded, and as files |
//! | `result`, `validity`, `fingerprint`, `broker_process` | what a run came to, whether it counts, where it was made, what the broker cost |
//! | `limits/` | what the machine can do without a broker |
//! | `output` | results to the terminal and to files |

mod args;
mod broker_process;
mod clock;
mod commands;
mod fetcher;
mod fingerprint;
mod frames;
mod hdr_files;
mod limits;
mod load;
mod metrics;
mod output;
mod pace;
mod paced;
mod result;
mod run;
mod supervise;
mod target;
mod template;
mod units;
mod validity;
mod window;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use output::Files;
use result::RunResult;
use run::BenchError;

/// The figures are not the broker's.
const EXIT_INVALID: u8 = 3;

fn main() -> ExitCode {
    match run_command(&Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("vltava-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(command: &Command) -> Result<ExitCode, BenchError> {
    let (files, result) = match command {
        Command::Produce(args) => (Files::of(&args.common), commands::produce::run(args)?),
        Command::Consume(args) => (Files::of(&args.common), commands::consume::run(args)?),
        Command::Latency(args) => (Files::of(&args.common), commands::latency::run(args)?),
        Command::EndToEnd(args) => (Files::of(&args.common), commands::end_to_end::run(args)?),
        Command::Limits(args) => (Files::json(&args.json), commands::limits::run(args)?),
    };
    output::print(&result.text())?;
    files.write(&result)?;
    verdict(&result)
}

fn verdict(result: &RunResult) -> Result<ExitCode, BenchError> {
    match result.lost_records {
        0 if result.is_valid() => Ok(ExitCode::SUCCESS),
        0 => Ok(ExitCode::from(EXIT_INVALID)),
        lost => Err(BenchError::Other(format!("{lost} records were lost"))),
    }
}
