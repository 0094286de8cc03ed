//! One record in, one record out: whether a topic can be used, and how long that took.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use vltava::client::OffsetQuery;
use vltava::types::TimestampMs;
use vltava::wire::records::BatchHeader;

use crate::args::CommonArgs;
use crate::fetcher::Fetcher;
use crate::load::produce_to_all;
use crate::run::BenchError;
use crate::signals::interrupted;
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

/// Writes a record to every partition that has not acknowledged one yet, in one request to each leader. `waiting` is left with
/// those that have not.
///
/// # Errors
/// When there are any.
pub fn write_to(common: &CommonArgs, waiting: &mut BTreeSet<i32>) -> Result<(), BenchError> {
    let mut target = Target::find(common, None)?;
    let leaders = target.leaders()?;
    let mut template = Template::new(VALUE_BYTES_MIN, VALUE_BYTES_MIN);
    let now_ms = TimestampMs::now().0;
    let batch = template.stamped(1, now_ms, std::iter::empty(), |batch| batch);
    let mut refused = None;
    for lane in leaders {
        let partitions = lane.partitions.iter().copied();
        let asked: Vec<i32> = partitions
            .filter(|partition| waiting.contains(partition))
            .collect();
        if asked.is_empty() {
            continue;
        }
        let request = produce_to_all(&target.topic, &asked, -1, &batch);
        let answer = lane.connect()?.call(&request)?;
        for answered in answer
            .responses
            .iter()
            .flat_map(|topic| &topic.partition_responses)
        {
            match answered.error_code.is_none() {
                true => drop(waiting.remove(&answered.index)),
                false => refused = Some((answered.index, answered.error_code)),
            }
        }
    }
    match (refused, waiting.first()) {
        (Some((partition, code)), _) => Err(BenchError::Refused {
            what: format!("partition {partition}"),
            code,
        }),
        (None, Some(partition)) => Err(BenchError::Other(format!(
            "partition {partition} is not there, or left out of the answer"
        ))),
        (None, None) => Ok(()),
    }
}

/// Reads the oldest batch of a partition.
///
/// # Errors
/// When the broker refuses, or has nothing.
pub fn read_one(common: &CommonArgs, partition: i32) -> Result<(), BenchError> {
    let mut target = Target::find(common, None)?;
    let begin = target.offsets(OffsetQuery::Earliest)?;
    let leader = target.leaders()?.into_iter();
    let lane = leader
        .filter(|lane| lane.partitions.contains(&partition))
        .map(|lane| Lane {
            partitions: vec![partition],
            ..lane
        })
        .next();
    let lane =
        lane.ok_or_else(|| BenchError::Other(format!("there is no partition {partition}")))?;
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
