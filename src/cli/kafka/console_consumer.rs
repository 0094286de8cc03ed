//! `kafka-console-consumer`: prints the records of topics; Kafka's `ConsoleConsumer`.
//!
//! With `--group` it is a member of that group and commits. Without, Kafka's makes up a group that commits nothing; ours reads
//! all partitions by itself, which prints the same and leaves no group behind.
//!
//! Records go to standard output, `Processed a total of N messages` to standard error. The exit code is 0 after `--max-messages`,
//! after `--timeout-ms` without a record, and when the reader of standard output is gone; an interrupt ends it as any program, after
//! the group was left.

mod arguments;
mod source;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use signal_hook::consts::{SIGINT, SIGTERM};

use super::record_printer::{PrintError, RecordPrinter};
use super::{CommandError, words};
use crate::client::{ClientError, FetchedPartition, FetchedRecords};
use arguments::{Arguments, Formatter};
use source::Source;

pub use arguments::OPTIONS;

/// Prints until there is a reason to stop.
///
/// # Errors
/// A wrong command line; what the cluster refuses; a record that cannot be printed, unless those are skipped.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let Some(arguments) = Arguments::read(args, out)? else {
        return Ok(());
    };
    let signal = Arc::new(AtomicUsize::new(0));
    for number in [SIGINT, SIGTERM] {
        let slot = Arc::clone(&signal);
        signal_hook::flag::register_usize(number, slot, number as usize)?;
    }
    let mut console = Console {
        arguments: &arguments,
        signal: &signal,
        processed: 0,
        last_record: Instant::now(),
        out,
    };
    let done = Source::open(&arguments)
        .map_err(CommandError::Client)
        .and_then(|mut source| {
            let consumed = console.consume(&mut source);
            consumed.and(source.close().map_err(CommandError::Client))
        });
    let flushed = console.out.flush().map_err(CommandError::Output);
    let done = done.and(flushed);
    if let Err(CommandError::Output(_)) = &done {
        eprintln!("Unable to write to standard out, closing consumer.");
    }
    eprintln!("Processed a total of {} messages", console.processed);
    if arguments.systest_events {
        writeln!(console.out, "shutdown_complete")?;
        console.out.flush()?;
    }
    end_by_signal(signal.load(Ordering::Relaxed));
    done.map_err(|error| match error {
        CommandError::Client(error) => CommandError::Failed(words(&error)),
        other => other,
    })
}

/// As a program that has no handler: whoever waits for us sees which signal it was.
fn end_by_signal(number: usize) {
    if let Some(number) = i32::try_from(number).ok().filter(|&number| number != 0) {
        // Fails for signals that do not end a program; ours do.
        drop(signal_hook::low_level::emulate_default_handler(number));
    }
}

/// What is printed, and how far it has come.
struct Console<'a> {
    arguments: &'a Arguments,
    signal: &'a AtomicUsize,
    processed: u64,
    last_record: Instant,
    out: &'a mut dyn Write,
}

impl Console<'_> {
    fn consume(&mut self, source: &mut Source<'_>) -> Result<(), CommandError> {
        while !self.done() {
            let fetched = source.poll()?;
            for (topic, fetched) in &fetched {
                let next = self.print_all(topic, fetched)?;
                source.consumed(topic, fetched.partition, next);
                if self.done() {
                    return Ok(());
                }
            }
            // What there is goes out before each wait.
            self.out.flush()?;
        }
        Ok(())
    }

    fn done(&self) -> bool {
        let idle = self
            .arguments
            .timeout
            .is_some_and(|limit| self.last_record.elapsed() > limit);
        self.enough() || idle || self.signal.load(Ordering::Relaxed) != 0
    }

    fn enough(&self) -> bool {
        self.arguments
            .max_messages
            .is_some_and(|most| self.processed >= most)
    }

    /// Prints what one answer has of one partition; gives back the offset of the next record to read.
    fn print_all(&mut self, topic: &str, fetched: &FetchedPartition) -> Result<i64, CommandError> {
        let damaged = |reason: String| {
            CommandError::Client(ClientError::Batch {
                topic: topic.to_owned(),
                partition: fetched.partition,
                offset: fetched.position,
                reason,
            })
        };
        let mut next = fetched.position;
        let mut batches = FetchedRecords::new(fetched);
        while let Some(batch) = batches.next_batch().map_err(|e| damaged(e.to_string()))? {
            let kind = batch.header().attributes().timestamp_type();
            for record in &batch {
                let record = record.map_err(|e| damaged(e.to_string()))?;
                if self.enough() {
                    return Ok(next);
                }
                if record.offset.0 < fetched.position {
                    continue;
                }
                self.processed += 1;
                let printed = match &self.arguments.formatter {
                    Formatter::Default(printer) => {
                        self.print(printer, fetched.partition, kind, &record)
                    }
                    Formatter::Group(printer) => {
                        let json = printer.json(record.key, record.value).unwrap_or_default();
                        self.out
                            .write_all(json.as_bytes())
                            .map_err(CommandError::Output)
                    }
                    Formatter::Nothing => Ok(()),
                };
                printed?;
                next = record.offset.0 + 1;
            }
        }
        self.last_record = Instant::now();
        Ok(fetched.next_position)
    }

    fn print(
        &mut self,
        printer: &RecordPrinter,
        partition: i32,
        kind: crate::wire::records::TimestampType,
        record: &crate::wire::records::Record<'_>,
    ) -> Result<(), CommandError> {
        match printer.print(partition, kind, record, &mut *self.out) {
            Ok(()) => Ok(()),
            Err(PrintError::Output(error)) => Err(error.into()),
            Err(PrintError::Record(why)) if self.arguments.skip_errors => {
                eprintln!("Error processing message, skipping this message: {why}");
                Ok(())
            }
            Err(PrintError::Record(why)) => Err(CommandError::Failed(why)),
        }
    }
}
