//! `vltava produce`: each line of standard input becomes a record.
//!
//! What has arrived is sent when a batch is full or when the input pauses; the exit code is 0 only if every record was
//! acknowledged.

use std::io;
use std::time::Duration;

use super::args::ProduceArgs;
use super::input::{Input, LineInput};
use super::line::LineFormat;
use super::values::{Acks, Compression};
use super::{CliError, connect};
use crate::client::{OutgoingRecord, Producer, ProducerOptions};
use crate::types::TimestampMs;
use crate::wire::records::Codec;

/// Sends standard input to a topic.
///
/// # Errors
/// The first line that is no record by the options given (what came before it is sent), or what the cluster refuses.
pub fn run(args: &ProduceArgs) -> Result<(), CliError> {
    if args.idempotent && args.acks != Acks::All {
        return Err(CliError::Usage("--idempotent needs --acks all".to_owned()));
    }
    let options = ProducerOptions {
        acks: args.acks.wire(),
        codec: args.compression.into(),
        batch_bytes: args.batch_bytes as usize,
        idempotent: args.idempotent,
        create_topic: true,
    };
    let mut producer = Producer::open(connect(&args.connect)?, &args.topic, options)?;
    let fed = feed(args, &mut producer);
    // Also after a bad line: what was read before it is to arrive.
    let finished = producer.finish().map_err(CliError::from);
    fed.and(finished)
        .map_err(|error| with_progress(error, producer.acknowledged_records()))
}

/// Reads lines until the input ends.
fn feed(args: &ProduceArgs, producer: &mut Producer) -> Result<(), CliError> {
    let format = LineFormat {
        key_separator: args
            .key_separator
            .as_ref()
            .map(|separator| separator.0.clone()),
        headers: args.headers,
        null_marker: args
            .null_marker
            .as_ref()
            .map(|marker| marker.clone().into_bytes()),
    };
    let linger = Duration::from_millis(args.linger_ms.into());
    let mut input = LineInput::start(io::stdin());
    let mut line_number = 0;
    let mut unsent = false;
    loop {
        let next = input.next(unsent.then_some(linger));
        match next
            .map_err(|error| CliError::Failed(format!("cannot read standard input: {error}")))?
        {
            Input::Lines(lines) => {
                send_lines(args, &format, lines, &mut line_number, producer)?;
                unsent = true;
            }
            Input::Pause => {
                producer.finish()?;
                unsent = false;
            }
            Input::End => return Ok(()),
        }
    }
}

/// Sends each line of a block as a record of the present moment.
fn send_lines(
    args: &ProduceArgs,
    format: &LineFormat,
    lines: &[u8],
    line_number: &mut u64,
    producer: &mut Producer,
) -> Result<(), CliError> {
    let timestamp_ms = TimestampMs::now().0;
    let mut headers = Vec::new();
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        *line_number += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        headers.clear();
        headers.extend(
            args.header
                .iter()
                .map(|(name, value)| (name.as_str(), Some(value.as_bytes()))),
        );
        let parsed = format.parse(line, &mut headers);
        let parsed =
            parsed.map_err(|error| CliError::Failed(format!("line {line_number}: {error}")))?;
        producer.send(&OutgoingRecord {
            partition: args.partition,
            key: parsed.key,
            value: parsed.value,
            headers: &headers,
            timestamp_ms,
        })?;
    }
    Ok(())
}

/// How far we came, for who must decide what to send again.
fn with_progress(error: CliError, acknowledged: u64) -> CliError {
    CliError::Failed(format!(
        "{error}\n        {acknowledged} records were acknowledged before"
    ))
}

impl From<Compression> for Codec {
    fn from(compression: Compression) -> Codec {
        match compression {
            Compression::None => Codec::None,
            Compression::Gzip => Codec::Gzip,
            Compression::Snappy => Codec::Snappy,
            Compression::Lz4 => Codec::Lz4,
            Compression::Zstd => Codec::Zstd,
        }
    }
}
