//! `vltava-bench mixed`: producers, consumers at the tail and readers of old records, all at once.

use clap::Args;

use super::produce::{Compression, ProduceArgs};
use crate::args::{CommonArgs, LoadArgs, PacedArgs, TopicArgs, paced_help};
use crate::paced::{Paced, Readers};
use crate::result::{Figure, RunResult};
use crate::run::BenchError;
use crate::units::Size;

/// Options of `vltava-bench mixed`.
#[derive(Args, Debug, Clone)]
#[command(after_help = concat!("\
Examples:
  vltava-bench mixed --rate 20 --duration 60
      how much slower a consumer at the tail is while another reads everything from the start
  vltava-bench mixed --preload 40GB --old-readers 4 --partitions 8
      old records that do not fit into memory are read from the disk

The run is made twice: first without readers of old records, then with them. What is reported is the second, and its p99 as a \
ratio to that of the first.", paced_help!()))]
pub struct MixedArgs {
    /// Where to.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Readers of old records
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub old_readers: u32,
    /// Fill the topic with so much first
    #[arg(long, value_name = "SIZE", default_value = "1GB")]
    pub preload: Size,
    /// The topic is full already
    #[arg(long)]
    pub no_preload: bool,
    /// Not without readers of old records first
    #[arg(long)]
    pub no_baseline: bool,
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

/// What is written beforehand goes in batches of this.
const PRELOAD_BATCH: Size = Size(1_000_000);

/// Fills the topic, and runs the load without and with readers of old records.
///
/// # Errors
/// When the load could not run as asked.
pub fn run(args: &MixedArgs) -> Result<RunResult, BenchError> {
    if !args.no_preload {
        fill(&args.common, &args.topic, &args.load, args.preload, None)?;
    }
    let quiet = CommonArgs {
        hlog: None,
        ..args.common.clone()
    };
    let with = |common, readers| {
        let paced = Paced {
            command: "mixed",
            common,
            topic: &args.topic,
            load: &args.load,
            paced: &args.paced,
            readers,
        };
        paced.run()
    };
    let alone = match args.no_baseline {
        true => None,
        false => Some(with(&quiet, Readers::Tail)?),
    };
    let old = Readers::TailAndOld(args.old_readers);
    let mut result = with(&args.common, old)?;
    let p99_us = |result: &RunResult| result.headline().map(|latency| latency.p99_us);
    let ratio = alone.as_ref().and_then(|alone| {
        let (alone_us, beside_us) = (p99_us(alone)?, p99_us(&result)?);
        Some((alone_us / 1e3, beside_us / alone_us))
    });
    if let Some((alone_ms, ratio)) = ratio {
        result.figures.extend([
            Figure::cost(
                "p99 to the consumer without readers of old records",
                alone_ms,
                "ms",
            ),
            Figure::cost("p99 to the consumer, with them / without", ratio, "x"),
        ]);
    }
    if let Some(alone) = alone {
        let complaints = alone.invalid_because.into_iter();
        let complaints =
            complaints.map(|reason| format!("without readers of old records, {reason}"));
        result.invalid_because.extend(complaints);
        result.lost_records += alone.lost_records;
    }
    Ok(result)
}

/// Writes so much into the topic, as fast as it goes, with so many different keys if any.
///
/// # Errors
/// When that is not possible.
pub fn fill(
    common: &CommonArgs,
    topic: &TopicArgs,
    load: &LoadArgs,
    bytes: Size,
    keys: Option<u64>,
) -> Result<RunResult, BenchError> {
    super::produce::run(&ProduceArgs {
        common: CommonArgs {
            hlog: None,
            quiet: true,
            ..common.clone()
        },
        topic: topic.clone(),
        load: load.clone(),
        batch_size: PRELOAD_BATCH,
        compression: Compression::None,
        keys,
        duration: None,
        bytes: Some(bytes),
    })
}
