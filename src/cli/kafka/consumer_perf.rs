//! `kafka-consumer-perf-test`: reads a topic as fast as it can and says how fast that was; Kafka's `ConsumerPerformance`.
//!
//! It reads as the member of a group, one of its own unless --group names another, and commits as its properties say.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::group_options::group_options;
use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connect, connecting, dates};
use crate::cli::client_properties::{self, ClientProperties};
use crate::cli::serve_args::parse_key_value;
use crate::client::group::{GroupConsumer, GroupOptions, OffsetReset};
use crate::client::{ConsumerOptions, FetchedPartition, FetchedRecords};
use crate::config::client_table::ClientSide;

pub const OPTIONS: &[Opt] = &[
    connecting::BOOTSTRAP_SERVER,
    connecting::BROKER_LIST,
    Opt::value("topic", "topic", "REQUIRED: The topic to consume from."),
    Opt::value(
        "num-records",
        "count",
        "REQUIRED: The number of records to consume.",
    ),
    Opt::value(
        "messages",
        "count",
        "(DEPRECATED) The older name of --num-records.",
    ),
    Opt::value(
        "group",
        "gid",
        "The group id to consume on. (default: perf-consumer-NNNNN, a group of its own)",
    ),
    Opt::value(
        "fetch-size",
        "size",
        "The amount of data to fetch of a partition in a single request. (default: 1048576)",
    ),
    Opt::flag(
        "from-latest",
        "Start with what arrives from now on rather than with the earliest record.",
    ),
    Opt::value(
        "socket-buffer-size",
        "size",
        "Has no effect: the system chooses.",
    ),
    Opt::value("threads", "count", "Older: has no effect."),
    Opt::value("num-fetch-threads", "count", "Older: has no effect."),
    Opt::value(
        "consumer.config",
        "config file",
        "(DEPRECATED) The older name of --command-config.",
    ),
    Opt::value(
        "command-config",
        "config file",
        "Properties of the consumer in a file.",
    ),
    Opt::list(
        "command-property",
        "prop1=val1",
        "Properties of the consumer; before those of --command-config.",
    ),
    Opt::flag("print-metrics", "Print out the metrics."),
    Opt::flag(
        "show-detailed-stats",
        "If set, stats are reported for each reporting interval as configured by reporting-interval",
    ),
    Opt::value(
        "timeout",
        "milliseconds",
        "The maximum allowed time in milliseconds between returned records. (default: 10000)",
    ),
    Opt::value(
        "reporting-interval",
        "interval_ms",
        "Interval in milliseconds at which to print progress info. (default: 5000)",
    ),
    Opt::value(
        "date-format",
        "date format",
        "How times are written, in the letters y M d H m s S. UTC. (default: yyyy-MM-dd HH:mm:ss:SSS)",
    ),
    Opt::flag(
        "hide-header",
        "If set, skips printing the header for the stats",
    ),
    connecting::HELP,
    connecting::VERSION,
];

const PATIENCE: Duration = Duration::from_secs(60);
/// How long one poll waits.
const POLL_MS: i32 = 100;
const FETCH_BYTES: i32 = 1 << 20;
const MEGABYTE: f64 = 1024.0 * 1024.0;

struct Test {
    topic: String,
    records: u64,
    timeout_ms: i64,
    interval_ms: i64,
    detailed: bool,
    header: bool,
    metrics: bool,
    date_format: String,
}

/// Runs the test.
///
/// # Errors
/// When the command line is wrong, or what the cluster refuses.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let options = Options::parse(OPTIONS, args)?;
    let about = "This tool is used to verify the consumer performance.";
    if help_or_version(&options, about, out)? {
        return Ok(());
    }
    let test = Test::of(&options, out)?;
    let properties = properties(&options)?;
    connecting::warn(&properties);
    let named = properties.bootstrap.as_ref().map(|list| list.join(","));
    let bootstrap = connecting::brokers(&options)?
        .or(named)
        .ok_or_else(|| CommandError::usage("Missing required argument \"[bootstrap-server]\""))?;
    let client_id = properties
        .client_id
        .as_deref()
        .unwrap_or("perf-consumer-client");
    if test.header {
        let first = match test.detailed {
            true => "time, threadId",
            false => "start.time, end.time",
        };
        writeln!(
            out,
            "{first}, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, \
             fetch.MB.sec, fetch.nMsg.sec"
        )?;
    }
    let connect_anew = Box::new(|| connect(&bootstrap, client_id, PATIENCE));
    // The leader shares out what is there.
    connect_anew()?.topic(&test.topic, false)?;
    let group = membership(&options, &properties)?;
    let consumer = GroupConsumer::new(connect_anew, vec![test.topic.clone()], group)?;
    Reading::start(test).run(consumer, out)
}

impl Test {
    fn of(options: &Options, out: &mut dyn Write) -> Result<Test, CommandError> {
        for name in ["socket-buffer-size", "threads", "num-fetch-threads"] {
            if options.has(name) {
                eprintln!("WARNING: --{name} has no effect");
            }
        }
        if options.has("messages") {
            writeln!(
                out,
                "Warning: --messages is deprecated. Use --num-records instead."
            )?;
        }
        let records = match options.number("num-records")? {
            Some(records) => records,
            None => options.number("messages")?.ok_or_else(|| {
                CommandError::usage("Missing required argument \"[num-records]\"")
            })?,
        };
        let interval_ms = options.number("reporting-interval")?.unwrap_or(5000);
        if interval_ms <= 0 {
            return Err(CommandError::usage(
                "Reporting interval must be greater than 0.",
            ));
        }
        let date_format = options
            .value("date-format")
            .unwrap_or("yyyy-MM-dd HH:mm:ss:SSS");
        dates::format(date_format, 0).map_err(CommandError::Usage)?;
        Ok(Test {
            topic: options.required("topic")?.to_owned(),
            records,
            timeout_ms: options.number("timeout")?.unwrap_or(10_000),
            interval_ms,
            detailed: options.has("show-detailed-stats"),
            header: !options.has("hide-header"),
            metrics: options.has("print-metrics"),
            date_format: date_format.to_owned(),
        })
    }
}

fn properties(options: &Options) -> Result<ClientProperties, CommandError> {
    let wrong = |error: crate::config::ConfigError| CommandError::failed(error.to_string());
    let pairs: Result<Vec<_>, String> = options
        .values("command-property")
        .into_iter()
        .map(parse_key_value)
        .collect();
    let pairs = pairs.map_err(CommandError::Usage)?;
    let side = ClientSide::Consumer;
    let mut all =
        client_properties::parse_pairs(side, "--command-property", &pairs).map_err(wrong)?;
    for name in ["command-config", "consumer.config"] {
        if let Some(path) = options.value(name) {
            all = all.or(client_properties::read(side, Path::new(path)).map_err(wrong)?);
        }
    }
    Ok(all)
}

fn consumer_options(
    options: &Options,
    properties: &ClientProperties,
) -> Result<ConsumerOptions, CommandError> {
    let consumer = &properties.consumer;
    let max_bytes = match options.number("fetch-size")? {
        Some(bytes) => bytes,
        None => consumer.partition_fetch_bytes.unwrap_or(FETCH_BYTES),
    };
    Ok(ConsumerOptions {
        max_wait_ms: POLL_MS,
        min_bytes: consumer.fetch_min_bytes.unwrap_or(1),
        max_bytes,
        read_committed: consumer.read_committed.unwrap_or(false),
    })
}

fn membership(
    options: &Options,
    properties: &ClientProperties,
) -> Result<GroupOptions, CommandError> {
    let told = &properties.consumer;
    let of_its_own = || format!("perf-consumer-{}", now_ms() % 100_000);
    let group_id = options.value("group").or(told.group_id.as_deref());
    let group_id = group_id.map_or_else(of_its_own, str::to_owned);
    let reset = match options.has("from-latest") {
        true => OffsetReset::Latest,
        false => OffsetReset::Earliest,
    };
    let fetch = consumer_options(options, properties)?;
    Ok(group_options(&group_id, told, reset, &fetch))
}

/// Records and bytes, keys and values.
#[derive(Clone, Copy, Default)]
struct Counts {
    records: u64,
    bytes: u64,
}

impl Counts {
    fn megabytes(&self) -> f64 {
        self.bytes as f64 / MEGABYTE
    }
}

struct Reading {
    test: Test,
    began_ms: i64,
    all: Counts,
    reported: Counts,
    reported_ms: i64,
    /// Time for rebalances, all of it and what was reported.
    joining_ms: i64,
    reported_joining_ms: i64,
}

impl Reading {
    fn start(test: Test) -> Reading {
        let now = now_ms();
        Reading {
            test,
            began_ms: now,
            all: Counts::default(),
            reported: Counts::default(),
            reported_ms: now,
            joining_ms: 0,
            reported_joining_ms: 0,
        }
    }

    fn run(
        mut self,
        mut consumer: GroupConsumer<'_>,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let (mut now, mut consumed_ms) = (self.began_ms, self.began_ms);
        while self.all.records < self.test.records && now - consumed_ms <= self.test.timeout_ms {
            let fetched = consumer.poll()?;
            self.joining_ms = as_ms(consumer.time_joining());
            now = now_ms();
            let before = self.all.records;
            for (topic, partition) in &fetched {
                let next = self.take(partition)?;
                consumer.consumed(topic, partition.partition, next);
            }
            if self.all.records > before {
                consumed_ms = now;
                self.report(now, out)?;
            }
        }
        if self.all.records < self.test.records {
            writeln!(
                out,
                "WARNING: Exiting before consuming the expected number of records: timeout ({} ms) exceeded. \
                 You can use the --timeout option to increase the timeout.",
                self.test.timeout_ms
            )?;
        }
        let end = now_ms();
        consumer.leave()?;
        self.finish(end, out)
    }

    /// Counts what one answer has of one partition; the offset after the last record counted.
    fn take(&mut self, fetched: &FetchedPartition) -> Result<i64, CommandError> {
        let mut next = fetched.position;
        let damaged = |why: String| {
            CommandError::failed(format!(
                "a batch of partition {} near offset {} is damaged: {why}",
                fetched.partition, fetched.position
            ))
        };
        let mut batches = FetchedRecords::new(fetched);
        while let Some(batch) = batches.next_batch().map_err(|e| damaged(e.to_string()))? {
            for record in &batch {
                let record = record.map_err(|e| damaged(e.to_string()))?;
                if record.offset.0 < fetched.position {
                    continue;
                }
                if self.all.records >= self.test.records {
                    return Ok(next);
                }
                next = record.offset.0 + 1;
                let length = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| bytes.len() as u64);
                self.all.records += 1;
                self.all.bytes += length(record.key) + length(record.value);
            }
        }
        Ok(next)
    }

    fn time(&self, ms: i64) -> String {
        // The pattern was tried when it was read.
        dates::format(&self.test.date_format, ms).unwrap_or_default()
    }

    /// A line for what came since the last one, when it is time.
    fn report(&mut self, now: i64, out: &mut dyn Write) -> io::Result<()> {
        let elapsed = now - self.reported_ms;
        if elapsed < self.test.interval_ms {
            return Ok(());
        }
        if self.test.detailed {
            let since = Counts {
                records: self.all.records - self.reported.records,
                bytes: self.all.bytes - self.reported.bytes,
            };
            let joining = self.joining_ms - self.reported_joining_ms;
            writeln!(
                out,
                "{}, 0, {:.4}, {:.4}, {}, {:.4}, {}",
                self.time(now),
                self.all.megabytes(),
                per_second(since.megabytes(), elapsed),
                self.all.records,
                per_second(since.records as f64, elapsed),
                extended(since, joining, elapsed),
            )?;
            out.flush()?;
        }
        self.reported = self.all;
        self.reported_ms = now;
        self.reported_joining_ms = self.joining_ms;
        Ok(())
    }

    fn finish(&self, end: i64, out: &mut dyn Write) -> Result<(), CommandError> {
        let elapsed = end - self.began_ms;
        if !self.test.detailed {
            writeln!(out, "{}", self.summary(end))?;
        }
        if self.test.metrics {
            let rate = self.all.records as f64 / (elapsed.max(1) as f64 / 1000.0);
            writeln!(out, "\n{:<70} Value", "Metric Name")?;
            for (name, value) in [
                ("records-consumed-total", self.all.records as f64),
                ("bytes-consumed-total", self.all.bytes as f64),
                ("records-consumed-rate", rate),
            ] {
                let name = format!(
                    "consumer-fetch-manager-metrics:{name}:{{client-id=perf-consumer-client}}"
                );
                writeln!(out, "{name:<70} : {value:.3}")?;
            }
        }
        Ok(())
    }

    fn summary(&self, end: i64) -> String {
        let elapsed = end - self.began_ms;
        format!(
            "{}, {}, {:.4}, {:.4}, {}, {:.4}, {}",
            self.time(self.began_ms),
            self.time(end),
            self.all.megabytes(),
            per_second(self.all.megabytes(), elapsed),
            self.all.records,
            per_second(self.all.records as f64, elapsed),
            extended(self.all, self.joining_ms, elapsed),
        )
    }
}

/// The last four columns: time for rebalances and for fetching, and what was fetched in the latter.
fn extended(counts: Counts, joining_ms: i64, elapsed_ms: i64) -> String {
    let fetching_ms = elapsed_ms - joining_ms;
    format!(
        "{joining_ms}, {fetching_ms}, {:.4}, {:.4}",
        per_second(counts.megabytes(), fetching_ms),
        per_second(counts.records as f64, fetching_ms)
    )
}

/// An amount in so many milliseconds; nothing can be said of less than one.
fn per_second(amount: f64, ms: i64) -> f64 {
    amount / (ms.max(1) as f64 / 1000.0)
}

fn as_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn now_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
