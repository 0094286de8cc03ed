//! `vltava-bench consume`: how fast records can be read, and what that costs the broker.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use vltava::client::OffsetQuery;
use vltava::wire::records::BatchHeader;

use crate::args::CommonArgs;
use crate::fetcher::{Fetcher, is_read};
use crate::result::RunResult;
use crate::run::{BenchError, Run, pin_thread};
use crate::supervise::supervise;
use crate::target::{Lane, Target};
use crate::units::{Size, parse_seconds};

/// Options of `vltava-bench consume`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench consume --topic orders
      every record there is, once
  vltava-bench consume --duration 30 --connections 2 --fetch-bytes 4Mi
      for half a minute, from the start again whenever the end is reached")]
pub struct ConsumeArgs {
    /// Where from.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Connections to read on, each with partitions of its own, or all of them where there are not enough
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// The most to ask for at a time
    #[arg(long, value_name = "SIZE", default_value = "8Mi")]
    pub fetch_bytes: Size,
    /// Check the CRC of each batch
    #[arg(long)]
    pub check_crc: bool,
    /// Go on for so long, from the start again at the end [default: read all there is once]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub duration: Option<Duration>,
    /// Go on for so much, from the start again at the end
    #[arg(long, value_name = "SIZE")]
    pub bytes: Option<Size>,
}

/// Reads and reports.
///
/// # Errors
/// When the topic is empty, or cannot be read as asked.
pub fn run(args: &ConsumeArgs) -> Result<RunResult, BenchError> {
    let mut target = Target::find(&args.common, None)?;
    let lanes = target.lanes(args.connections as usize)?;
    let starts = target.offsets(OffsetQuery::Earliest)?;
    let ends = target.offsets(OffsetQuery::Latest)?;
    if ends
        .iter()
        .all(|(partition, end)| starts.get(partition) == Some(end))
    {
        let topic = &args.common.topic;
        return Err(BenchError::Other(format!(
            "{topic} is empty: fill it with vltava-bench produce"
        )));
    }
    let span = Span { starts, ends };
    let measured = supervise(&args.common, Duration::ZERO, args.duration, |run| {
        read_on_all(args, &lanes, &target, &span, run)
    })?;
    Ok(RunResult::of("consume", args.common.server_pid, &measured))
}

/// What of the topic is read: from the first offset of each partition to the one that was next when we began.
struct Span {
    starts: BTreeMap<i32, i64>,
    ends: BTreeMap<i32, i64>,
}

fn read_on_all(
    args: &ConsumeArgs,
    lanes: &[Lane],
    target: &Target,
    span: &Span,
    run: &Run,
) -> Result<(), BenchError> {
    std::thread::scope(|scope| {
        let read = |(index, lane)| {
            scope.spawn(move || {
                let done = read_lane(args, lane, target, span, (index, lanes.len()), run);
                done.inspect_err(|_| run.stop())
            })
        };
        let threads: Vec<_> = lanes.iter().enumerate().map(read).collect();
        let joined = threads.into_iter().map(|t| {
            t.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect::<Vec<_>>().into_iter().collect()
    })
}

/// One connection: to the end of its partitions, or round and round while there is time or are bytes left to read.
fn read_lane(
    args: &ConsumeArgs,
    lane: &Lane,
    target: &Target,
    span: &Span,
    (index, lanes): (usize, usize),
    run: &Run,
) -> Result<(), BenchError> {
    pin_thread(&args.common.pin, index)?;
    let fetch_bytes = i32::try_from(args.fetch_bytes.0).unwrap_or(i32::MAX);
    let bytes_max = args.bytes.map_or(u64::MAX, |bytes| bytes.0 / lanes as u64);
    let again = args.duration.is_some() || args.bytes.is_some();
    let (begin, ends) = (lane.positions(&span.starts), lane.positions(&span.ends));
    let mut fetcher = Fetcher::start(lane, &target.topic, begin.clone(), fetch_bytes)?;
    if again {
        fetcher = fetcher.round_and_round(begin, ends.clone());
    }
    let mut bytes = 0;
    while !run.stopping() && bytes < bytes_max {
        let (mut new_records, mut new_bytes) = (0, 0);
        fetcher.poll(|header: &BatchHeader, batch: &[u8]| {
            if args.check_crc {
                check_crc(batch, &lane.address)?;
            }
            new_records += u64::try_from(header.record_count()).unwrap_or(0);
            new_bytes += batch.len() as u64;
            Ok(())
        })?;
        bytes += new_bytes;
        run.count(new_records, new_bytes);
        if !again && is_read(fetcher.positions(), &ends) {
            break;
        }
    }
    Ok(())
}

fn check_crc(batch: &[u8], address: &str) -> Result<(), BenchError> {
    BatchHeader::read_checked(batch)
        .map(|_| ())
        .map_err(|error| BenchError::Other(format!("{address}: {error}")))
}
