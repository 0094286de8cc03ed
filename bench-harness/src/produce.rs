//! `vltava-bench produce`: how fast records can be written, and what that costs the broker.

use std::time::Duration;

use vltava::wire::records::Codec;

use crate::args::{Compression, ProduceArgs};
use crate::load::{Load, LoadResult};
use crate::pace::Pace;
use crate::report::{Report, Settings};
use crate::run::{BenchError, Run};
use crate::supervise::{Measured, supervise};
use crate::target::{Lane, Target};
use crate::template::{Template, VALUE_BYTES_MIN};

/// Without `--duration` and `--bytes`.
const DURATION_DEFAULT: Duration = Duration::from_secs(10);

/// Runs the load and reports.
///
/// # Errors
/// When the load could not run as asked.
pub fn run(args: &ProduceArgs) -> Result<Report, BenchError> {
    let template = template(args)?;
    let mut target = Target::find(&args.common, Some(&args.topic))?;
    let lanes = target.lanes(args.load.connections as usize)?;
    let duration = args
        .duration
        .or(args.bytes.is_none().then_some(DURATION_DEFAULT));
    let measured = supervise(&args.common, Duration::ZERO, duration, |run| {
        send_on_all(args, &lanes, &target, &template, run)
    })?;
    let Measured {
        result: (latency_ns, lateness_ns),
        totals,
    } = measured;
    Ok(Report {
        command: "produce",
        settings: Settings::of(std::env::args()),
        totals,
        latency_of: if args.rate.is_some() {
            "record, due to acknowledged"
        } else {
            "request, sent to acknowledged"
        },
        latency_ns: (args.load.acks.wire() != 0).then_some(latency_ns),
        end_to_end_ns: None,
        lateness_ns: args.rate.is_some().then_some(lateness_ns),
        lost_records: 0,
    })
}

fn template(args: &ProduceArgs) -> Result<Template, BenchError> {
    if args.rate.is_some() && args.compression != Compression::None {
        return Err(BenchError::Other(
            "--rate and --compression do not go together: batches are compressed once".into(),
        ));
    }
    let template = sized_template(args.load.record_size.0, args.batch_size.0)?;
    Ok(template.compressed(match args.compression {
        Compression::None => Codec::None,
        Compression::Gzip => Codec::Gzip,
        Compression::Snappy => Codec::Snappy,
        Compression::Lz4 => Codec::Lz4,
        Compression::Zstd => Codec::Zstd,
    }))
}

/// A template of these sizes, which came from the command line.
///
/// # Errors
/// When no batch can be so.
pub fn sized_template(record_bytes: u64, batch_bytes: u64) -> Result<Template, BenchError> {
    const BATCH_BYTES_MAX: u64 = 256 << 20;
    if !(VALUE_BYTES_MIN as u64..=BATCH_BYTES_MAX).contains(&record_bytes)
        || batch_bytes > BATCH_BYTES_MAX
    {
        let sentence = format!(
            "records have {VALUE_BYTES_MIN} bytes at least, and batches {BATCH_BYTES_MAX} at most"
        );
        return Err(BenchError::Other(sentence));
    }
    Ok(Template::new(record_bytes as usize, batch_bytes as usize))
}

type Histograms = (hdrhistogram::Histogram<u64>, hdrhistogram::Histogram<u64>);

fn send_on_all(
    args: &ProduceArgs,
    lanes: &[Lane],
    target: &Target,
    template: &Template,
    run: &Run,
) -> Result<Histograms, BenchError> {
    let share = lanes.len() as u64;
    let value_bytes = template.value_bytes() as u64;
    let records_max = args
        .bytes
        .map_or(u64::MAX, |bytes| (bytes.0 / value_bytes / share).max(1));
    let records_per_s = args
        .rate
        .map(|rate| rate * 1e6 / value_bytes as f64 / share as f64);
    let linger_ns = (args.linger_ms * 1e6) as u64;
    let loads = lanes.iter().enumerate().map(|(index, lane)| Load {
        lane: lane.clone(),
        topic: &target.topic,
        acks: args.load.acks.wire(),
        in_flight: args.load.in_flight as usize,
        template: template.clone(),
        pace: records_per_s.map(|rate| {
            Pace::new(
                run.clock.now_ns(),
                rate,
                linger_ns,
                template.records() as u64,
            )
        }),
        // Whole batches: a compressed one cannot be cut.
        records_max: records_max
            .div_ceil(template.records() as u64)
            .saturating_mul(template.records() as u64),
        pin: (&args.common.pin, index * 2),
    });
    let mut merged = (
        crate::load::duration_histogram(),
        crate::load::duration_histogram(),
    );
    for LoadResult {
        latency_ns,
        lateness_ns,
        ..
    } in run_loads(loads.collect(), run)?
    {
        merged.0 += latency_ns;
        merged.1 += lateness_ns;
    }
    Ok(merged)
}

/// Runs every connection's load in threads of its own, to the end of all.
///
/// # Errors
/// The first that failed.
pub fn run_loads(loads: Vec<Load<'_>>, run: &Run) -> Result<Vec<LoadResult>, BenchError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = loads
            .into_iter()
            .map(|load| scope.spawn(|| load.run(run)))
            .collect();
        let joined = threads.into_iter().map(|t| {
            t.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect::<Vec<_>>().into_iter().collect()
    })
}
