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
//! | `trickle`, `group` | many connections with little to do; members of consumer groups |
//! | `fetcher`, `frames`, `probe` | reading; one record in and out |
//! | `run`, `clock`, `supervise`, `signals` | what threads share; progress, CPU time, Ctrl-C |
//! | `metrics`, `hdr_files` | histograms while they are recorded, and as files |
//! | `result`, `validity`, `fingerprint`, `broker_process` | what a run came to, whether it counts, where it was made, what the broker cost |
//! | `limits/` | what the machine can do without a broker |
//! | `comparison`, `curve`, `statistics` | what several runs came to |
//! | `peer`, `affinity`, `warm` | brokers that are started here, on CPUs of their own, with warm memory |
//! | `document`, `output` | results to the terminal and to files |
//! | `page/`, `plot/` | the report: one HTML page with plots |

mod affinity;
mod args;
mod broker_process;
mod clock;
mod commands;
mod comparison;
mod curve;
mod document;
mod fetcher;
mod fingerprint;
mod frames;
mod group;
mod hdr_files;
mod limits;
mod load;
mod metrics;
mod output;
mod pace;
mod paced;
mod page;
mod peer;
mod plot;
mod probe;
mod result;
mod run;
mod signals;
mod statistics;
mod supervise;
mod target;
mod template;
mod trickle;
mod units;
mod validity;
mod warm;
mod window;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use document::Document;
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
    let document = match command {
        Command::Compare(args) => Document::Compare(commands::compare::run(args)?),
        Command::Sweep(args) => {
            let sweep = commands::sweep::run(args)?;
            if let Some(path) = &args.data {
                output::write(path, &sweep.columns())?;
            }
            Document::Sweep(sweep)
        }
        Command::Report(args) => {
            return commands::report::run(args).map(|()| ExitCode::SUCCESS);
        }
        run => Document::Run(Box::new(commands::execute(run)?)),
    };
    output::print(&document.text())?;
    command.files().write(&document)?;
    verdict(&document)
}

fn verdict(document: &Document) -> Result<ExitCode, BenchError> {
    let Document::Run(result) = document else {
        return Ok(ExitCode::SUCCESS);
    };
    match result.lost_records {
        0 if result.is_valid() => Ok(ExitCode::SUCCESS),
        0 => Ok(ExitCode::from(EXIT_INVALID)),
        lost => Err(BenchError::Other(format!("{lost} records were lost"))),
    }
}
