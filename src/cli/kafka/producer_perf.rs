//! `kafka-producer-perf-test`: sends records as fast as asked and says how fast that was; Kafka's `ProducerPerformance`.
//!
//! A record's latency is the time from [`Producer::send`] until the acknowledgement was taken from the socket. Kafka
//! acknowledges in the order of each partition; across partitions the oldest unacknowledged records are taken to be meant.

use std::collections::VecDeque;
use std::fs;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::options::{Opt, Options, help_or_version};
use super::perf_stats::LatencyStats;
use super::{CommandError, connect, connecting};
use crate::cli::client_properties::{self, ClientProperties};
use crate::cli::serve_args::parse_key_value;
use crate::client::{OutgoingRecord, Producer, ProducerOptions};
use crate::config::client_table::ClientSide;

pub const OPTIONS: &[Opt] = &[
    Opt::value(
        "bootstrap-server",
        "BOOTSTRAP-SERVER",
        "The server(s) to connect to; before bootstrap.servers of the properties.",
    ),
    Opt::value("topic", "TOPIC", "Produce records to this topic."),
    Opt::value(
        "num-records",
        "NUM-RECORDS",
        "Number of records to produce.",
    ),
    Opt::value("record-size", "RECORD-SIZE", "Record size in bytes."),
    Opt::value(
        "payload-file",
        "PAYLOAD-FILE",
        "File of UTF-8 text whose parts are sent in a random order.",
    ),
    Opt::flag("payload-monotonic", "The payload is a number that grows."),
    Opt::value(
        "payload-delimiter",
        "PAYLOAD-DELIMITER",
        "What stands between the parts of --payload-file. (default: \\n)",
    ),
    Opt::value(
        "throughput",
        "THROUGHPUT",
        "Records a second, approximately; -1 for as many as possible.",
    ),
    Opt::list(
        "producer-props",
        "PROP-NAME=PROP-VALUE",
        "(DEPRECATED) Use --command-property instead.",
    ),
    Opt::list(
        "command-property",
        "PROP-NAME=PROP-VALUE",
        "Properties of the producer; before those of --command-config.",
    ),
    Opt::value(
        "producer.config",
        "CONFIG-FILE",
        "(DEPRECATED) Use --command-config instead.",
    ),
    Opt::value(
        "command-config",
        "CONFIG-FILE",
        "Properties of the producer in a file.",
    ),
    Opt::flag(
        "print-metrics",
        "Print what the producer counted at the end of the test.",
    ),
    Opt::value(
        "transactional-id",
        "TRANSACTIONAL-ID",
        "Refused: this producer has no transactions.",
    ),
    Opt::value(
        "transaction-duration-ms",
        "MS",
        "Refused: this producer has no transactions.",
    ),
    Opt::value(
        "warmup-records",
        "WARMUP-RECORDS",
        "So many first records are left out of a second summary. (default: 0)",
    ),
    Opt::value(
        "reporting-interval",
        "INTERVAL-MS",
        "Print progress so often. (default: 5000)",
    ),
    connecting::HELP,
    connecting::VERSION,
];

/// Kafka's defaults of a producer.
const BATCH_BYTES: u32 = 16 * 1024;
const LINGER: Duration = Duration::from_millis(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A record of more cannot be sent to any broker.
const RECORD_BYTES_MAX: usize = 1 << 30;
const PAYLOAD_FILE_BYTES_MAX: u64 = 1 << 30;

struct Test {
    topic: String,
    records: u64,
    warmup: u64,
    /// Records a second; not positive: no limit.
    throughput: f64,
    payload: Payload,
    reporting: Duration,
    print_metrics: bool,
}

/// Runs the test.
///
/// # Errors
/// When the command line is wrong, or what the cluster refuses.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let options = Options::parse(OPTIONS, args)?;
    if help_or_version(
        &options,
        "This tool is used to verify the producer performance.",
        out,
    )? {
        return Ok(());
    }
    let test = Test::of(&options, out)?;
    let properties = properties(&options)?;
    for warning in &properties.warnings {
        eprintln!("WARN {warning}");
    }
    let bootstrap = match (options.value("bootstrap-server"), &properties.bootstrap) {
        (Some(given), _) => given.to_owned(),
        (None, Some(named)) => named.join(","),
        (None, None) => {
            return Err(CommandError::usage(
                "At least one of --bootstrap-server, --command-property, --producer-props, --producer.config or \
                 --command-config must be specified.",
            ));
        }
    };
    let client_id = properties
        .client_id
        .as_deref()
        .unwrap_or("perf-producer-client");
    let timeout = properties.request_timeout.unwrap_or(REQUEST_TIMEOUT);
    let cluster = connect(&bootstrap, client_id, timeout)?;
    let producer = Producer::open(cluster, &test.topic, producer_options(&properties))?;
    let linger = properties.producer.linger.unwrap_or(LINGER);
    Running::new(test, producer, linger).run(out)
}

impl Test {
    fn of(options: &Options, out: &mut dyn Write) -> Result<Test, CommandError> {
        if options.has("transactional-id") || options.has("transaction-duration-ms") {
            return Err(CommandError::failed(
                "this producer has no transactions: leave --transactional-id and --transaction-duration-ms out",
            ));
        }
        let required = |name: &'static str| {
            CommandError::usage(format!(
                "kafka-producer-perf-test: error: argument --{name} is required"
            ))
        };
        let topic = options.value("topic").ok_or_else(|| required("topic"))?;
        let records = options
            .number("num-records")?
            .ok_or_else(|| required("num-records"))?;
        if records == 0 {
            return Err(CommandError::usage(
                "--num-records should be greater than zero",
            ));
        }
        let warmup = options.number("warmup-records")?.unwrap_or(0);
        if warmup >= records {
            return Err(CommandError::usage(
                "The value for --warmup-records must be strictly fewer than the number of records in the test, --num-records.",
            ));
        }
        let reporting = options.number("reporting-interval")?.unwrap_or(5000);
        Ok(Test {
            topic: topic.to_owned(),
            records,
            warmup,
            throughput: options
                .number("throughput")?
                .ok_or_else(|| required("throughput"))?,
            payload: Payload::of(options, out)?,
            reporting: Duration::from_millis(reporting),
            print_metrics: options.has("print-metrics"),
        })
    }
}

/// What the records hold.
enum Payload {
    /// Capital letters, different in each record.
    Letters(Vec<u8>),
    Parts(Vec<Vec<u8>>),
    Number(String),
}

impl Payload {
    fn of(options: &Options, out: &mut dyn Write) -> Result<Payload, CommandError> {
        let size = options.number::<usize>("record-size")?;
        let file = options.value("payload-file");
        match (size, file, options.has("payload-monotonic")) {
            (Some(0), ..) => Err(CommandError::usage(
                "--record-size should be greater than zero",
            )),
            (Some(size), None, false) if size <= RECORD_BYTES_MAX => {
                Ok(Payload::Letters(vec![b'A'; size]))
            }
            (Some(size), None, false) => Err(CommandError::usage(format!(
                "no broker takes a record of {size} bytes"
            ))),
            (None, Some(path), false) => {
                payload_file(path, options.value("payload-delimiter"), out)
            }
            (None, None, true) => Ok(Payload::Number(String::new())),
            (None, None, false) => Err(CommandError::usage(
                "kafka-producer-perf-test: error: one of the arguments --record-size --payload-file --payload-monotonic is required",
            )),
            _ => Err(CommandError::usage(
                "you must provide exactly one of --record-size, --payload-file or --payload-monotonic",
            )),
        }
    }

    fn next(&mut self, index: u64, random: &mut Random) -> &[u8] {
        match self {
            Payload::Letters(bytes) => {
                for byte in bytes.iter_mut() {
                    *byte = b'A' + random.below(26) as u8;
                }
                bytes
            }
            Payload::Parts(parts) => &parts[random.below(parts.len() as u64) as usize],
            Payload::Number(text) => {
                *text = index.to_string();
                text.as_bytes()
            }
        }
    }
}

fn payload_file(
    path: &str,
    delimiter: Option<&str>,
    out: &mut dyn Write,
) -> Result<Payload, CommandError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    writeln!(out, "Reading payloads from: {}", absolute.display())?;
    let size = fs::metadata(path).map_or(0, |found| found.len());
    if size == 0 {
        return Err(CommandError::failed(
            "File does not exist or empty file provided.",
        ));
    }
    if size > PAYLOAD_FILE_BYTES_MAX {
        return Err(CommandError::failed(format!(
            "{path} is larger than {PAYLOAD_FILE_BYTES_MAX} bytes"
        )));
    }
    let text = fs::read_to_string(path)
        .map_err(|error| CommandError::failed(format!("{path}: {error}")))?;
    let delimiter = match delimiter {
        None | Some("\\n") => "\n",
        Some(other) => other,
    };
    let mut parts: Vec<Vec<u8>> = text
        .split(delimiter)
        .map(|part| part.as_bytes().to_vec())
        .collect();
    while parts.len() > 1 && parts.last().is_some_and(Vec::is_empty) {
        parts.pop();
    }
    writeln!(out, "Number of records read: {}", parts.len())?;
    Ok(Payload::Parts(parts))
}

/// The properties of the command line, then those of a file.
fn properties(options: &Options) -> Result<ClientProperties, CommandError> {
    let wrong = |error: crate::config::ConfigError| CommandError::failed(error.to_string());
    let mut all = ClientProperties::default();
    for (name, today) in [
        ("command-property", "command-property"),
        ("producer-props", "command-property"),
    ] {
        let pairs: Result<Vec<_>, String> = options
            .values(name)
            .into_iter()
            .map(parse_key_value)
            .collect();
        let pairs = pairs.map_err(CommandError::Usage)?;
        warn_of_older(options, name, today);
        let option = format!("--{name}");
        all = all.or(
            client_properties::parse_pairs(ClientSide::Producer, &option, &pairs).map_err(wrong)?,
        );
    }
    for (name, today) in [
        ("command-config", "command-config"),
        ("producer.config", "command-config"),
    ] {
        warn_of_older(options, name, today);
        if let Some(path) = options.value(name) {
            all = all
                .or(client_properties::read(ClientSide::Producer, path.as_ref()).map_err(wrong)?);
        }
    }
    Ok(all)
}

fn warn_of_older(options: &Options, name: &str, today: &str) {
    if name != today && options.has(name) {
        eprintln!(
            "Option --{name} has been deprecated and will be removed in a future version. Use --{today} instead."
        );
    }
}

fn producer_options(properties: &ClientProperties) -> ProducerOptions {
    let acks = properties.producer.acks.unwrap_or_default().wire();
    ProducerOptions {
        acks,
        codec: properties.producer.compression.unwrap_or_default().into(),
        batch_bytes: properties
            .producer
            .batch_bytes
            .unwrap_or(BATCH_BYTES)
            .max(1) as usize,
        idempotent: properties.producer.idempotent.unwrap_or(acks == -1),
        create_topic: true,
    }
}

struct Running {
    test: Test,
    producer: Producer,
    linger: Duration,
    /// When each record without an acknowledgement was sent, and how long it is.
    open: VecDeque<(Instant, usize)>,
    acknowledged: u64,
    all: LatencyStats,
    /// Without the first records.
    steady: Option<LatencyStats>,
}

impl Running {
    fn new(test: Test, producer: Producer, linger: Duration) -> Running {
        Running {
            all: LatencyStats::start(test.records, test.reporting),
            steady: None,
            test,
            producer,
            linger,
            open: VecDeque::new(),
            acknowledged: 0,
        }
    }

    fn run(mut self, out: &mut dyn Write) -> Result<(), CommandError> {
        let mut random = Random(1);
        let began = Instant::now();
        let mut flushed = began;
        for index in 0..self.test.records {
            if self.test.warmup > 0 && index == self.test.warmup {
                let rest = self.test.records - self.test.warmup;
                self.steady = Some(LatencyStats::start(rest, self.test.reporting));
            }
            let value = self.test.payload.next(index, &mut random);
            let (sent, bytes) = (Instant::now(), value.len());
            self.open.push_back((sent, bytes));
            let timestamp_ms = now_ms();
            self.producer.send(&OutgoingRecord {
                value: Some(value),
                timestamp_ms,
                ..OutgoingRecord::default()
            })?;
            self.take_acknowledged(out)?;
            let ahead = self.ahead(index + 1, began);
            if ahead >= self.linger.max(Duration::from_millis(1)) || self.lingers(flushed, ahead) {
                self.producer.finish()?;
                self.take_acknowledged(out)?;
                flushed = Instant::now();
                thread::sleep(self.ahead(index + 1, began));
            }
        }
        self.producer.finish()?;
        self.take_acknowledged(out)?;
        out.write_all(self.all.total("records sent").as_bytes())?;
        if let Some(steady) = &mut self.steady {
            out.write_all(steady.total("steady state records sent").as_bytes())?;
        }
        if self.test.print_metrics {
            self.print_metrics(out)?;
        }
        Ok(())
    }

    /// How far we are before the time at which so many records are due.
    fn ahead(&self, sent: u64, began: Instant) -> Duration {
        if self.test.throughput <= 0.0 {
            return Duration::ZERO;
        }
        let due = Duration::try_from_secs_f64(sent as f64 / self.test.throughput)
            .unwrap_or(Duration::MAX);
        due.saturating_sub(began.elapsed())
    }

    /// Whether an open batch has waited long enough: only where records come slowly.
    fn lingers(&self, flushed: Instant, ahead: Duration) -> bool {
        !ahead.is_zero() && flushed.elapsed() >= self.linger
    }

    fn take_acknowledged(&mut self, out: &mut dyn Write) -> Result<(), CommandError> {
        let now = Instant::now();
        while self.acknowledged < self.producer.acknowledged_records() {
            let Some((sent, bytes)) = self.open.pop_front() else {
                break;
            };
            self.acknowledged += 1;
            let latency = now.duration_since(sent);
            if let Some(line) = self.all.record(latency, bytes) {
                out.write_all(line.as_bytes())?;
                out.flush()?;
            }
            if self.acknowledged > self.test.warmup
                && let Some(steady) = &mut self.steady
            {
                steady.record(latency, bytes);
            }
        }
        Ok(())
    }

    fn print_metrics(&self, out: &mut dyn Write) -> Result<(), CommandError> {
        let rows = [
            ("record-send-total", self.all.count() as f64),
            ("byte-total", self.all.bytes() as f64),
            ("record-send-rate", self.all.records_per_second()),
        ];
        writeln!(out, "\n{:<60} Value", "Metric Name")?;
        for (name, value) in rows {
            let name = format!("producer-metrics:{name}:{{client-id=perf-producer-client}}");
            writeln!(out, "{name:<60} : {value:.3}")?;
        }
        Ok(())
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// splitmix64: the same records in every run, as Kafka's own.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

#[cfg(test)]
mod tests;
