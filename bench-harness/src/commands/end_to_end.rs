//! `vltava-bench end-to-end`: how long records take to their consumers under a given load, and to their acknowledgement.
//! Producers and consumers are threads of this process and share its clock.

use clap::Args;

use crate::args::{CommonArgs, LoadArgs, PacedArgs, TopicArgs, paced_help};
use crate::paced::{Paced, Readers};
use crate::result::RunResult;
use crate::run::BenchError;

/// Options of `vltava-bench end-to-end`.
#[derive(Args, Debug, Clone)]
#[command(after_help = concat!("\
Examples:
  vltava-bench end-to-end --rate 20 --duration 60 --json run.json
  vltava-bench end-to-end --rate 20 --arrivals poisson --hlog run.hlog --hgrm run.hgrm

Each partition has one consumer, which asks for what follows as soon as it has an answer. Nobody else may write to the \
topic meanwhile. Records that never arrive are reported as lost.", paced_help!()))]
pub struct EndToEndArgs {
    /// Where to.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The topic.
    #[command(flatten)]
    pub topic: TopicArgs,
    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Its times.
    #[command(flatten)]
    pub paced: PacedArgs,
}

/// Runs producers at their pace and consumers behind them, and reports.
///
/// # Errors
/// When the load could not run as asked, or a consumer met what was not sent by it.
pub fn run(args: &EndToEndArgs) -> Result<RunResult, BenchError> {
    Paced {
        command: "end-to-end",
        common: &args.common,
        topic: &args.topic,
        load: &args.load,
        paced: &args.paced,
        readers: Readers::Tail,
    }
    .run()
}
