//! One record in, one record out: whether a topic can be used, and how long that took.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use vltava::client::OffsetQuery;
use vltava::types::TimestampMs;
use vltava::wire::messages::produce::ProduceRequest;
use vltava::wire::records::BatchHeader;

use crate::args::CommonArgs;
use crate::fetcher::Fetcher;
use crate::load::produce_request;
use crate::run::BenchError;
use crate::supervise::interrupted;
use crate::target::{Lane, Target};
use crate::template::{Template, VALUE_BYTES_MIN};

/// A broker that cannot be used for so long is not coming back.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two tries.
const TICK: Duration = Duration::from_millis(1);
/// Enough to see a record.
const FETCH_BYTES: i32 = 1 << 20;

/// Tries until it works: how long that was.
///
/// # Errors
/// The last failure, when nothing worked for too long or a signal came.
pub fn until_it_works(
    mut work: impl FnMut() -> Result<(), BenchError>,
) -> Result<Duration, BenchError> {
    let began = Instant::now();
    loop {
        match work() {
            Ok(()) => return Ok(began.elapsed()),
            Err(error) if began.elapsed() > PATIENCE => return Err(error),
            Err(error) if interrupted()?.load(Ordering::Relaxed) => return Err(error),
            Err(_) => std::thread::sleep(TICK),
        }
    }
}

/// Writes one record to a partition, and waits for its acknowledgement by all replicas.
///
/// # Errors
/// When the broker refuses, or has no leader for the partition.
pub fn write_one(common: &CommonArgs, partition: i32) -> Result<(), BenchError> {
    let mut target = Target::find(common, None)?;
    let lane = lane_of(&mut target, partition)?;
    let mut connection = lane.connect()?;
    let mut template = Template::new(VALUE_BYTES_MIN, VALUE_BYTES_MIN);
    let batch = template.stamped(1, TimestampMs::now().0, std::iter::empty(), |batch| batch);
    let request: ProduceRequest = produce_request(&target.topic, partition, -1, batch);
    let answer = connection.call(&request)?;
    let partitions = answer.responses.iter().flat_map(|t| &t.partition_responses);
    let codes = partitions.map(|partition| partition.error_code);
    match codes.into_iter().next() {
        Some(code) if code.is_none() => Ok(()),
        Some(code) => Err(BenchError::Refused {
            what: format!("partition {partition}"),
            code,
        }),
        None => Err(BenchError::Other(
            "the answer leaves the partition out".to_owned(),
        )),
    }
}

/// Reads the oldest batch of a partition.
///
/// # Errors
/// When the broker refuses, or has nothing.
pub fn read_one(common: &CommonArgs, partition: i32) -> Result<(), BenchError> {
    let mut target = Target::find(common, None)?;
    let begin = target.offsets(OffsetQuery::Earliest)?;
    let lane = lane_of(&mut target, partition)?;
    let mut fetcher = Fetcher::start(&lane, &target.topic, lane.positions(&begin), FETCH_BYTES)?;
    let mut batches = 0;
    fetcher.poll(|_: &BatchHeader, _: &[u8]| {
        batches += 1;
        Ok(())
    })?;
    match batches {
        0 => Err(BenchError::Other(format!("partition {partition} is empty"))),
        _ => Ok(()),
    }
}

/// How many records a topic has, between the first and the last offsets of its partitions.
///
/// # Errors
/// When the broker does not say.
pub fn count_records(common: &CommonArgs) -> Result<u64, BenchError> {
    let mut target = Target::find(common, None)?;
    let first = target.offsets(OffsetQuery::Earliest)?;
    let next = target.offsets(OffsetQuery::Latest)?;
    let span = |(partition, next): (&i32, &i64)| next - first.get(partition).unwrap_or(&0);
    Ok(next.iter().map(span).sum::<i64>().try_into().unwrap_or(0))
}

fn lane_of(target: &mut Target, partition: i32) -> Result<Lane, BenchError> {
    // A connection a partition: each leader has one then.
    let partitions = target.topic.partitions.len();
    let lanes = target.lanes(partitions)?;
    let found = lanes
        .into_iter()
        .find(|lane| lane.partitions == [partition]);
    found.ok_or_else(|| BenchError::Other(format!("there is no partition {partition}")))
}
