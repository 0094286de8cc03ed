//! `vltava-bench latency`: how long acknowledgements take under a given load, from when each record was due.

use clap::Args;

use crate::args::{CommonArgs, LoadArgs, PacedArgs, TopicArgs, paced_help};
use crate::paced::{Paced, Readers};
use crate::result::RunResult;
use crate::run::BenchError;

/// Options of `vltava-bench latency`.
#[derive(Args, Debug, Clone)]
#[command(after_help = concat!("\
Examples:
  vltava-bench latency --rate 20 --duration 60
  vltava-bench latency --rate 20 --arrivals poisson --partitions 8 --connections 4 --acks all --pin 2,3
  vltava-bench latency --rate 5 --topic durable --config flush.messages=1
      each acknowledgement after an fdatasync", paced_help!()))]
pub struct LatencyArgs {
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

/// Runs producers at their pace, and reports.
///
/// # Errors
/// When the load could not run as asked.
pub fn run(args: &LatencyArgs) -> Result<RunResult, BenchError> {
    Paced {
        command: "latency",
        common: &args.common,
        topic: &args.topic,
        load: &args.load,
        paced: &args.paced,
        readers: Readers::None,
    }
    .run()
}
