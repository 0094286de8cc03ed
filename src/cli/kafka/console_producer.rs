//! `kafka-console-producer`: each line of standard input becomes a record; Kafka's `ConsoleProducer`.
//!
//! On a terminal a `>` asks for the next line. What has arrived is sent when a batch is full or the input pauses. The exit code
//! is 0 only if every record was acknowledged; Kafka's own ends with 0 whatever became of them, unless `--sync` is given.
//! Older spellings work and are told on standard error with those of today (Kafka 4.3 tells them on standard output).

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use super::client_options::{Renamed, Sources, plain_properties, tell_renamed};
use super::connecting::{self, BROKER_LIST, HELP, VERSION, ZOOKEEPER};
use super::line_reader::LineReader;
use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connect, words};
use crate::cli::client_properties::ClientProperties;
use crate::cli::input::{Input, LineInput};
use crate::cli::values::{Acks, Compression};
use crate::client::{OutgoingRecord, Producer, ProducerOptions};
use crate::config::client_table::ClientSide;
use crate::types::TimestampMs;

pub const OPTIONS: &[Opt] = &[
    Opt::value(
        "batch-size",
        "Integer: size",
        "Bytes of a batch before compression; the property batch.size. (default: 16384)",
    ),
    Opt::value(
        "bootstrap-server",
        "String: server to connect to",
        "REQUIRED: The server(s) to connect to in the form HOST1:PORT1,HOST2:PORT2.",
    ),
    BROKER_LIST,
    Opt::value(
        "command-config",
        "String: config file",
        "Producer config properties file. --command-property takes precedence over it.",
    ),
    Opt::value(
        "command-property",
        "String: producer_prop",
        "A producer property in the form key=value.",
    ),
    Opt::maybe(
        "compression-codec",
        "String: compression-codec",
        "The compression codec: either 'none', 'gzip', 'snappy', 'lz4', or 'zstd'. If specified without value, then it defaults to 'gzip'",
    ),
    HELP,
    Opt::value(
        "line-reader",
        "String: reader_class",
        "The class that reads lines. org.apache.kafka.tools.LineMessageReader is the only one there is here.",
    ),
    Opt::value(
        "max-block-ms",
        "Long: max block on send",
        "The property max.block.ms.",
    ),
    Opt::value(
        "max-memory-bytes",
        "Long: total memory in bytes",
        "The property buffer.memory.",
    ),
    Opt::value(
        "max-partition-memory-bytes",
        "Integer: memory in bytes per partition",
        "The older name of --batch-size.",
    ),
    Opt::value(
        "message-send-max-retries",
        "Integer",
        "The property retries.",
    ),
    Opt::value(
        "metadata-expiry-ms",
        "Long: metadata expiration interval",
        "The property metadata.max.age.ms.",
    ),
    Opt::value(
        "producer-property",
        "String: producer_prop",
        "The older name of --command-property.",
    ),
    Opt::value(
        "producer.config",
        "String: config file",
        "The older name of --command-config.",
    ),
    Opt::value(
        "property",
        "String: prop",
        "The older name of --reader-property.",
    ),
    Opt::value(
        "reader-config",
        "String: config file",
        "Config properties file for the message reader. --reader-property takes precedence over it.",
    ),
    Opt::value(
        "reader-property",
        "String: prop",
        "A property of the message reader in the form key=value: parse.key=false, parse.headers=false, ignore.error=false, key.separator=\\t, headers.delimiter=\\t, headers.separator=,, headers.key.separator=:, null.marker= (fields equal to it are null).",
    ),
    Opt::value(
        "request-required-acks",
        "String: request required acks",
        "The required `acks` of the producer requests (default: -1)",
    ),
    Opt::value(
        "request-timeout-ms",
        "Integer: request timeout ms",
        "The property request.timeout.ms. (default: 30000)",
    ),
    Opt::value("retry-backoff-ms", "Long", "The property retry.backoff.ms."),
    Opt::value(
        "socket-buffer-size",
        "Integer: size",
        "The property send.buffer.bytes.",
    ),
    Opt::flag(
        "sync",
        "If set, each record is acknowledged before the next is sent.",
    ),
    Opt::value(
        "timeout",
        "Long: timeout_ms",
        "How long a record waits for others at most; the property linger.ms. (default: 10)",
    ),
    Opt::value(
        "topic",
        "String: topic",
        "REQUIRED: The topic name to produce messages to.",
    ),
    VERSION,
    ZOOKEEPER,
];

const ABOUT: &str = "This tool helps to read data from standard input and publish it to Kafka.";
const RENAMED: &[Renamed] = &[
    Renamed {
        older: "property",
        today: "reader-property",
    },
    Renamed {
        older: "producer-property",
        today: "command-property",
    },
    Renamed {
        older: "producer.config",
        today: "command-config",
    },
    Renamed {
        older: "max-partition-memory-bytes",
        today: "batch-size",
    },
];
const SOURCES: Sources<'static> = Sources {
    side: ClientSide::Producer,
    files: &["command-config", "producer.config"],
    pairs: &["command-property", "producer-property"],
    stand_for: &[
        ("timeout", "linger.ms"),
        ("request-required-acks", "acks"),
        ("request-timeout-ms", "request.timeout.ms"),
        ("message-send-max-retries", "retries"),
        ("retry-backoff-ms", "retry.backoff.ms"),
        ("socket-buffer-size", "send.buffer.bytes"),
        ("max-memory-bytes", "buffer.memory"),
        ("max-partition-memory-bytes", "batch.size"),
        ("batch-size", "batch.size"),
        ("metadata-expiry-ms", "metadata.max.age.ms"),
        ("max-block-ms", "max.block.ms"),
        ("compression-codec", "compression.type"),
    ],
};
/// Names of Kafka's reader of lines, today's and those of older releases.
const LINE_READERS: [&str; 3] = [
    "org.apache.kafka.tools.LineMessageReader",
    "kafka.tools.ConsoleProducer$LineMessageReader",
    "kafka.tools.ConsoleProducer.LineMessageReader",
];
const BATCH_BYTES: u32 = 16 * 1024;
const LINGER: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends standard input to a topic.
///
/// # Errors
/// A wrong command line; the first line that is no record (what came before it is sent); what the cluster refuses.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    if args.is_empty() {
        return Err(CommandError::usage(ABOUT));
    }
    let options = Options::parse(OPTIONS, args)?;
    if help_or_version(&options, ABOUT, out)? {
        return Ok(());
    }
    let topic = options.required("topic")?;
    tell_renamed(&options, RENAMED);
    let reader = line_reader(&options)?;
    let properties = SOURCES.read(&options)?;
    if let Some(retries) = properties.producer.retries {
        eprintln!(
            "WARNING: retries={retries} has no effect here: what may pass is tried again until request.timeout.ms is over"
        );
    }
    let brokers = connecting::brokers(&options)?;
    let brokers = brokers.or(properties
        .bootstrap
        .as_ref()
        .map(|brokers| brokers.join(",")));
    let brokers = brokers
        .ok_or_else(|| CommandError::usage("Error while validating the bootstrap address\n"))?;
    let client_id = properties
        .client_id
        .as_deref()
        .unwrap_or("console-producer");
    let patience = properties.request_timeout.unwrap_or(PATIENCE);
    let cluster = connect(&brokers, client_id, patience)?;
    let producer = producer_options(&options, &properties)?;
    let producer = Producer::open(cluster, topic, producer)
        .map_err(|error| not_sent(topic, 0, &words(&error)))?;
    Console {
        reader,
        producer,
        sync: options.has("sync") || properties.producer.sync == Some(true),
        linger: properties.producer.linger.unwrap_or(LINGER),
        prompts: io::stdin().is_terminal() && io::stdout().is_terminal(),
        line_number: 0,
        out,
    }
    .run(topic)
}

fn line_reader(options: &Options) -> Result<LineReader, CommandError> {
    if let Some(class) = options
        .value("line-reader")
        .filter(|class| !LINE_READERS.contains(class))
    {
        return Err(CommandError::failed(format!(
            "--line-reader {class}: there are no classes here; {} is the one that is known",
            LINE_READERS[0]
        )));
    }
    let properties = plain_properties(options, "reader-config", &["property", "reader-property"])?;
    let (reader, unknown) = LineReader::new(&properties).map_err(CommandError::failed)?;
    for sentence in unknown {
        eprintln!("WARNING: {sentence}; it is ignored");
    }
    Ok(reader)
}

fn producer_options(
    options: &Options,
    properties: &ClientProperties,
) -> Result<ProducerOptions, CommandError> {
    let told = &properties.producer;
    let acks = told.acks.unwrap_or(Acks::All);
    // The option alone, without a value, is gzip.
    let codec =
        match options.has("compression-codec") && options.value("compression-codec").is_none() {
            true => Compression::Gzip,
            false => told.compression.unwrap_or_default(),
        };
    if told.idempotent == Some(true) && acks != Acks::All {
        return Err(CommandError::failed(
            "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.",
        ));
    }
    Ok(ProducerOptions {
        acks: acks.wire(),
        codec: codec.into(),
        batch_bytes: told.batch_bytes.unwrap_or(BATCH_BYTES).max(1) as usize,
        idempotent: told.idempotent.unwrap_or(acks == Acks::All),
        create_topic: true,
    })
}

fn not_sent(topic: &str, acknowledged: u64, why: &str) -> CommandError {
    CommandError::failed(format!(
        "Error when sending to topic {topic}: {why}\n{acknowledged} records were acknowledged before"
    ))
}

/// The input, and where it goes.
struct Console<'a> {
    reader: LineReader,
    producer: Producer,
    sync: bool,
    linger: Duration,
    prompts: bool,
    line_number: u64,
    out: &'a mut dyn Write,
}

/// Why the input was not sent to its end.
enum Stopped {
    /// The input itself is at fault.
    Input(String),
    /// The cluster is.
    Cluster(crate::client::ClientError),
    Output(io::Error),
}

impl Console<'_> {
    fn run(mut self, topic: &str) -> Result<(), CommandError> {
        let fed = self.feed();
        // Also after a bad line: what was read before it is to arrive.
        let finished = self.producer.finish().map_err(Stopped::Cluster);
        let acknowledged = self.producer.acknowledged_records();
        fed.and(finished).map_err(|stopped| match stopped {
            Stopped::Input(why) => CommandError::Failed(why),
            Stopped::Cluster(error) => not_sent(topic, acknowledged, &words(&error)),
            Stopped::Output(error) => CommandError::Output(error),
        })
    }

    fn feed(&mut self) -> Result<(), Stopped> {
        let mut input = LineInput::start(io::stdin());
        let mut unsent = false;
        self.prompt()?;
        loop {
            let next = input.next(unsent.then_some(self.linger));
            match next
                .map_err(|error| Stopped::Input(format!("cannot read standard input: {error}")))?
            {
                Input::Lines(lines) => {
                    for line in lines.split_inclusive(|&byte| byte == b'\n') {
                        self.send(line)?;
                        self.prompt()?;
                    }
                    unsent = !self.sync;
                }
                Input::Pause => {
                    self.producer.finish().map_err(Stopped::Cluster)?;
                    unsent = false;
                }
                Input::End => return Ok(()),
            }
        }
    }

    fn prompt(&mut self) -> Result<(), Stopped> {
        if self.prompts {
            let written = self.out.write_all(b">").and_then(|()| self.out.flush());
            written.map_err(Stopped::Output)?;
        }
        Ok(())
    }

    fn send(&mut self, line: &[u8]) -> Result<(), Stopped> {
        self.line_number += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let parsed = self
            .reader
            .read(line, self.line_number)
            .map_err(Stopped::Input)?;
        let sent = self.producer.send(&OutgoingRecord {
            partition: None,
            key: parsed.key,
            value: parsed.value,
            headers: &parsed.headers,
            timestamp_ms: TimestampMs::now().0,
        });
        let sent = match self.sync {
            true => sent.and_then(|()| self.producer.finish()),
            false => sent,
        };
        sent.map_err(Stopped::Cluster)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> (ProducerOptions, ClientProperties) {
        let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        let options = Options::parse(OPTIONS, &args).unwrap();
        let properties = SOURCES.read(&options).unwrap();
        (producer_options(&options, &properties).unwrap(), properties)
    }

    #[test]
    fn options_stand_for_the_properties_of_the_producer() {
        let (producer, properties) = options(
            "--topic t --batch-size 100 --timeout 7 --request-required-acks 1 --compression-codec lz4 --request-timeout-ms 900",
        );
        assert_eq!(
            (producer.batch_bytes, producer.acks, producer.idempotent),
            (100, 1, false)
        );
        assert_eq!(producer.codec, Compression::Lz4.into());
        assert_eq!(properties.producer.linger.unwrap().as_millis(), 7);
        assert_eq!(properties.request_timeout.unwrap().as_millis(), 900);
    }

    #[test]
    fn the_codec_without_a_name_is_gzip_and_records_are_sent_once_by_default() {
        let (producer, _) = options("--compression-codec --topic t");
        assert_eq!(producer.codec, Compression::Gzip.into());
        assert!(producer.idempotent && producer.acks == -1);
    }

    #[test]
    fn what_is_missing_or_unknown_is_said_in_kafkas_words() {
        for (line, words) in [
            (
                "--bootstrap-server h:1",
                "Missing required argument \"[topic]\"",
            ),
            (
                "--topic t",
                "Error while validating the bootstrap address\n",
            ),
            ("--topic t --bogus", "bogus is not a recognized option"),
        ] {
            let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
            let error = run(&args, &mut Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), words, "{line}");
        }
    }
}
