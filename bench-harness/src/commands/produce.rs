//! `vltava-bench produce`: how fast records can be written, and what that costs the broker.

use std::time::Duration;

use clap::{Args, ValueEnum};
use vltava::wire::records::Codec;

use crate::args::{CommonArgs, LoadArgs, TopicArgs};
use crate::load::{Load, run_loads};
use crate::result::RunResult;
use crate::run::{BenchError, Run};
use crate::supervise::supervise;
use crate::target::{Lane, Target};
use crate::template::{Template, sized_template};
use crate::units::{Size, parse_seconds};

/// Options of `vltava-bench produce`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench produce --duration 30 --batch-size 1MB
  vltava-bench produce --bytes 4GB --connections 2 --partitions 4 --server-pid $(pgrep -x vltava)
      the broker's CPU seconds for each GB, which say more than MB/s where the generator is the slower one

As fast as the window of requests in flight allows: a closed loop. For latencies under a given load see `latency`.")]
pub struct ProduceArgs {
    /// Where to.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Bytes of a batch, at most
    #[arg(long, value_name = "SIZE", default_value = "1MB")]
    pub batch_size: Size,
    /// How batches are compressed; they are compressed once and sent again and again
    #[arg(long, value_enum, default_value_t, value_name = "CODEC")]
    pub compression: Compression,
    /// Give records keys: so many different ones, at random
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "compression")]
    pub keys: Option<u64>,
    /// Stop after so long [default: 10 without --bytes]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub duration: Option<Duration>,
    /// Stop after so much
    #[arg(long, value_name = "SIZE")]
    pub bytes: Option<Size>,
    /// The topic.
    #[command(flatten)]
    pub topic: TopicArgs,
    /// The load.
    #[command(flatten)]
    pub load: LoadArgs,
}

/// `--compression`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Without `--duration` and `--bytes`.
const DURATION_DEFAULT: Duration = Duration::from_secs(10);

/// Runs the load and reports.
///
/// # Errors
/// When the load could not run as asked.
pub fn run(args: &ProduceArgs) -> Result<RunResult, BenchError> {
    let template = sized_template(args.load.record_size.0, args.batch_size.0, args.keys)?;
    let template = template.compressed(match args.compression {
        Compression::None => Codec::None,
        Compression::Gzip => Codec::Gzip,
        Compression::Snappy => Codec::Snappy,
        Compression::Lz4 => Codec::Lz4,
        Compression::Zstd => Codec::Zstd,
    });
    let mut target = Target::find(&args.common, Some(&args.topic))?;
    let lanes = target.lanes(args.load.connections as usize)?;
    let duration = args
        .duration
        .or(args.bytes.is_none().then_some(DURATION_DEFAULT));
    let measured = supervise(&args.common, Duration::ZERO, duration, |run| {
        send_on_all(args, &lanes, &target, &template, run)
    })?;
    Ok(RunResult::of("produce", args.common.server_pid, &measured))
}

fn send_on_all(
    args: &ProduceArgs,
    lanes: &[Lane],
    target: &Target,
    template: &Template,
    run: &Run,
) -> Result<u64, BenchError> {
    let (share, batch) = (lanes.len() as u64, template.records() as u64);
    let value_bytes = template.value_bytes() as u64;
    let records_max = args
        .bytes
        .map_or(u64::MAX, |bytes| (bytes.0 / value_bytes / share).max(1));
    let loads = lanes.iter().enumerate().map(|(index, lane)| Load {
        lane: lane.clone(),
        topic: &target.topic,
        acks: args.load.acks.wire(),
        in_flight: args.load.in_flight as usize,
        template: template.clone(),
        pace: None,
        // Whole batches: a compressed one cannot be cut.
        records_max: records_max.div_ceil(batch).saturating_mul(batch),
        pin: (&args.common.pin, index * 2),
    });
    run_loads(loads.collect(), run)
}
