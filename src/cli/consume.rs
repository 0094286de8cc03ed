//! `vltava consume`: prints the records of a topic.
//!
//! Records of one partition come in order; partitions are interleaved as their brokers answer. What is printed goes
//! out before each wait, so that a reader at the other end of a pipe sees it.

use std::collections::BTreeMap;
use std::io::Write;

use super::args::ConsumeArgs;
use super::format::FormatInput;
use super::values::StartOffset;
use super::{CliError, connect};
use crate::client::{
    ClientError, Cluster, Consumer, ConsumerOptions, FetchedPartition, FetchedRecords, OffsetQuery,
    TopicInfo, list_offsets,
};
use crate::wire::records::Record;

/// Prints records until there is a reason to stop: `--max-messages`, `--exit-at-end`, or an error.
///
/// # Errors
/// What the cluster refuses; a start offset that is not in the log; damaged batches; output that cannot be written.
pub fn run(args: &ConsumeArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let mut cluster = connect(&args.connect)?;
    let topic = cluster.topic(&args.topic, false)?;
    let partitions = chosen_partitions(args, &topic)?;
    let positions = start_positions(args, &mut cluster, &topic, &partitions)?;
    let ends = match args.exit_at_end {
        true => list_offsets(
            &mut cluster,
            &topic,
            &partitions,
            OffsetQuery::Latest,
            args.read_committed,
        )?,
        false => BTreeMap::new(),
    };
    let mut reading = Reading {
        args,
        topic: &topic.name,
        ends,
        printed: 0,
    };
    // A start beyond the end is the broker's to refuse.
    let positions: BTreeMap<i32, i64> = positions
        .into_iter()
        .filter(|(partition, from)| reading.ends.get(partition) != Some(from))
        .collect();
    reading
        .ends
        .retain(|partition, _| positions.contains_key(partition));
    let options = ConsumerOptions {
        max_bytes: i32::try_from(args.fetch_bytes).unwrap_or(i32::MAX),
        read_committed: args.read_committed,
        ..ConsumerOptions::default()
    };
    let mut consumer = Consumer::new(cluster, &topic, positions, options);
    while !reading.done() {
        for fetched in consumer.poll()? {
            reading.print(&fetched, out)?;
            if reading
                .ends
                .get(&fetched.partition)
                .is_some_and(|&end| fetched.next_position >= end)
            {
                reading.ends.remove(&fetched.partition);
                consumer.drop_partition(fetched.partition);
            }
        }
        out.flush()?;
    }
    Ok(())
}

/// What is being read, and how far it has come.
struct Reading<'a> {
    args: &'a ConsumeArgs,
    topic: &'a str,
    /// Of the partitions not yet at their end; empty from the start when there is no end.
    ends: BTreeMap<i32, i64>,
    printed: u64,
}

impl Reading<'_> {
    fn done(&self) -> bool {
        (self.args.exit_at_end && self.ends.is_empty())
            || self.args.max_messages.is_some_and(|n| self.printed >= n)
    }

    /// Prints what one answer has of one partition.
    fn print(
        &mut self,
        fetched: &FetchedPartition,
        mut out: &mut dyn Write,
    ) -> Result<(), CliError> {
        let end = self
            .ends
            .get(&fetched.partition)
            .copied()
            .unwrap_or(i64::MAX);
        let damaged = |reason: String| ClientError::Batch {
            topic: self.topic.to_owned(),
            partition: fetched.partition,
            offset: fetched.position,
            reason,
        };
        let mut batches = FetchedRecords::new(fetched);
        while let Some(batch) = batches.next_batch().map_err(|e| damaged(e.to_string()))? {
            for record in &batch {
                let record = record.map_err(|e| damaged(e.to_string()))?;
                if self.args.max_messages.is_some_and(|n| self.printed >= n)
                    || record.offset.0 >= end
                {
                    return Ok(());
                }
                if record.offset.0 >= fetched.position {
                    self.print_record(fetched.partition, &record, &mut out)?;
                }
            }
        }
        Ok(())
    }

    fn print_record(
        &mut self,
        partition: i32,
        record: &Record<'_>,
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        let input = FormatInput {
            topic: self.topic,
            partition,
            offset: record.offset.0,
            timestamp_ms: record.timestamp,
            key: record.key,
            value: record.value,
            headers: || record.headers.iter(),
        };
        self.args
            .format
            .write(out, &input, self.args.null_marker.as_bytes())?;
        self.printed += 1;
        Ok(())
    }
}

/// Those asked for, which must be there, or all.
fn chosen_partitions(args: &ConsumeArgs, topic: &TopicInfo) -> Result<Vec<i32>, CliError> {
    let count = topic.partitions.len();
    if args.partition.is_empty() {
        return Ok(topic
            .partitions
            .iter()
            .map(|partition| partition.index)
            .collect());
    }
    let mut chosen = args.partition.clone();
    chosen.sort_unstable();
    chosen.dedup();
    match chosen
        .iter()
        .find(|&&partition| usize::try_from(partition).map_or(true, |index| index >= count))
    {
        Some(&partition) => Err(ClientError::NoSuchPartition {
            topic: topic.name.clone(),
            partition,
            count,
        }
        .into()),
        None => Ok(chosen),
    }
}

/// Where each partition is read from.
fn start_positions(
    args: &ConsumeArgs,
    cluster: &mut Cluster,
    topic: &TopicInfo,
    partitions: &[i32],
) -> Result<BTreeMap<i32, i64>, CliError> {
    let mut ask = |query| list_offsets(cluster, topic, partitions, query, args.read_committed);
    let start = if args.from_beginning {
        StartOffset::Beginning
    } else {
        args.offset
    };
    Ok(match start {
        StartOffset::Beginning => ask(OffsetQuery::Earliest)?,
        StartOffset::End => ask(OffsetQuery::Latest)?,
        StartOffset::Exactly(offset) => partitions
            .iter()
            .map(|&partition| (partition, offset))
            .collect(),
        StartOffset::BeforeEnd(count) => {
            let earliest = ask(OffsetQuery::Earliest)?;
            let mut from = ask(OffsetQuery::Latest)?;
            for (partition, offset) in &mut from {
                *offset = offset
                    .saturating_sub(count)
                    .max(earliest.get(partition).copied().unwrap_or(0));
            }
            from
        }
        StartOffset::Time(ms) => {
            // Where nothing is so late, what will come is.
            let mut from = ask(OffsetQuery::Latest)?;
            from.extend(ask(OffsetQuery::AtTime(ms))?);
            from
        }
    })
}
