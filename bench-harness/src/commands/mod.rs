//! A file a command: its options, and the run behind them. Each gives a result; none prints or writes files.

pub mod compare;
pub mod connections;
pub mod consume;
pub mod end_to_end;
pub mod flamegraph;
pub mod groups;
pub mod idle;
pub mod latency;
pub mod limits;
pub mod mixed;
pub mod partitions;
pub mod produce;
pub mod recovery;
pub mod report;
pub mod sweep;
pub mod upkeep;

use crate::args::Command;
use crate::result::RunResult;
use crate::run::BenchError;

/// Runs a command that is one run.
///
/// # Errors
/// Those of the command; for one that is not a run.
pub fn execute(command: &Command) -> Result<RunResult, BenchError> {
    match command {
        Command::Produce(args) => produce::run(args),
        Command::Consume(args) => consume::run(args),
        Command::Latency(args) => latency::run(args),
        Command::EndToEnd(args) => end_to_end::run(args),
        Command::Mixed(args) => mixed::run(args),
        Command::Connections(args) => connections::run(args),
        Command::Groups(args) => groups::run(args),
        Command::Partitions(args) => partitions::run(args),
        Command::Upkeep(args) => upkeep::run(args),
        Command::Recovery(args) => recovery::run(args),
        Command::Flamegraph(args) => flamegraph::run(args),
        Command::Idle(args) => idle::run(args),
        Command::Limits(args) => limits::run(args),
        Command::Compare(_) | Command::Sweep(_) | Command::Report(_) => {
            Err(BenchError::Other("this command is not one run".to_owned()))
        }
    }
}
