//! The `vltava` command: parse the command line, run, exit code. Nothing else.

use std::process::ExitCode;

use clap::Parser;
use vltava::cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(_) => ExitCode::FAILURE,
        Command::Client(command) => vltava::cli::run(&command),
    }
}
