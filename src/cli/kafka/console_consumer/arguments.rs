//! What the console consumer is asked for: its options, and those of its properties that are in force.

use std::io::Write;
use std::time::Duration;

use regex_lite::Regex;

use super::super::CommandError;
use super::super::client_options::{Renamed, Sources, plain_properties, tell_renamed};
use super::super::connecting::{self, BROKER_LIST, HELP, VERSION, ZOOKEEPER};
use super::super::group_options::group_options;
use super::super::group_printer::GroupPrinter;
use super::super::options::{Opt, Options, help_or_version};
use super::super::record_printer::RecordPrinter;
use crate::cli::client_properties::{self, ClientProperties};
use crate::client::group::{GroupOptions, OffsetReset};
use crate::client::{ClientError, Cluster, ClusterOptions, ConsumerOptions, Timeouts};
use crate::config::client_table::ClientSide;

pub const OPTIONS: &[Opt] = &[
    Opt::value(
        "bootstrap-server",
        "String: server to connect to",
        "REQUIRED: The server(s) to connect to.",
    ),
    BROKER_LIST,
    Opt::value(
        "command-config",
        "String: config file",
        "Consumer config properties file. --command-property takes precedence over it.",
    ),
    Opt::value(
        "command-property",
        "String: consumer_prop",
        "A consumer property in the form key=value.",
    ),
    Opt::value(
        "consumer-property",
        "String: consumer_prop",
        "The older name of --command-property.",
    ),
    Opt::value(
        "consumer.config",
        "String: config file",
        "The older name of --command-config.",
    ),
    Opt::flag(
        "enable-systest-events",
        "Print shutdown_complete at the end. (This is specific for system tests.)",
    ),
    Opt::value(
        "formatter",
        "String: class",
        "The class that formats records: org.apache.kafka.tools.consumer.DefaultMessageFormatter (default), NoOpMessageFormatter, OffsetsMessageFormatter or GroupMetadataMessageFormatter.",
    ),
    Opt::value(
        "formatter-config",
        "String: config file",
        "Config properties file of the formatter. --formatter-property takes precedence over it.",
    ),
    Opt::value(
        "formatter-property",
        "String: prop",
        "A property of the formatter: print.timestamp, print.key, print.offset, print.epoch, print.partition, print.headers, print.value=true|false; key.separator, line.separator, headers.separator, null.literal=TEXT; key.deserializer, value.deserializer, headers.deserializer=CLASS.",
    ),
    Opt::flag(
        "from-beginning",
        "If the consumer does not already have an established offset to consume from, start with the earliest message present in the log rather than the latest message.",
    ),
    Opt::value(
        "group",
        "String: consumer group id",
        "The consumer group id of the consumer.",
    ),
    HELP,
    Opt::value(
        "include",
        "String: regex",
        "Regular expression specifying list of topics to include for consumption.",
    ),
    Opt::value(
        "isolation-level",
        "String",
        "read_committed leaves out what transactions have not committed. (default: read_uncommitted)",
    ),
    Opt::value(
        "key-deserializer",
        "String: deserializer for keys",
        "The name of the class to use for deserializing keys.",
    ),
    Opt::value(
        "max-messages",
        "Integer: num_messages",
        "The maximum number of messages to consume before exiting. If not set, consumption is continual.",
    ),
    Opt::flag(
        "new-consumer",
        "Older spelling, without effect: there is no other.",
    ),
    Opt::value(
        "offset",
        "String: consume offset",
        "The offset to consume from (a non-negative number), or 'earliest' which means from beginning, or 'latest' which means from end (default: latest)",
    ),
    Opt::value(
        "partition",
        "Integer: partition",
        "The partition to consume from. Consumption starts from the end of the partition unless '--offset' is specified.",
    ),
    Opt::value(
        "property",
        "String: prop",
        "The older name of --formatter-property.",
    ),
    Opt::flag(
        "skip-message-on-error",
        "If there is an error when processing a message, skip it instead of halt.",
    ),
    Opt::value(
        "timeout-ms",
        "Long: timeout_ms",
        "If specified, exit if no message is available for consumption for the specified interval.",
    ),
    Opt::value("topic", "String: topic", "The topic to consume from."),
    Opt::value(
        "value-deserializer",
        "String: deserializer for values",
        "The name of the class to use for deserializing values.",
    ),
    VERSION,
    Opt::value("whitelist", "String: regex", "The older name of --include."),
    ZOOKEEPER,
];

const ABOUT: &str =
    "This tool helps to read data from Kafka topics and outputs it to standard output.";
const RENAMED: &[Renamed] = &[
    Renamed {
        older: "property",
        today: "formatter-property",
    },
    Renamed {
        older: "consumer-property",
        today: "command-property",
    },
    Renamed {
        older: "consumer.config",
        today: "command-config",
    },
    Renamed {
        older: "whitelist",
        today: "include",
    },
];
const SOURCES: Sources<'static> = Sources {
    side: ClientSide::Consumer,
    files: &["command-config", "consumer.config"],
    pairs: &["command-property", "consumer-property"],
    stand_for: &[("isolation-level", "isolation.level")],
};
const PATIENCE: Duration = Duration::from_secs(30);

/// Which topics are read.
pub enum Topics {
    One(String),
    Matching(Regex),
}

/// Where each partition is read from, without a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Beginning,
    End,
    At(i64),
}

/// How records are printed.
pub enum Formatter {
    Default(Box<RecordPrinter>),
    Group(GroupPrinter),
    Nothing,
}

/// A command line that makes sense.
pub struct Arguments {
    brokers: String,
    client_id: String,
    patience: Duration,
    pub topics: Topics,
    pub partition: Option<i32>,
    pub start: Start,
    pub reset: OffsetReset,
    pub fetch: ConsumerOptions,
    pub group: Option<GroupOptions>,
    pub formatter: Formatter,
    pub max_messages: Option<u64>,
    pub timeout: Option<Duration>,
    pub skip_errors: bool,
    pub systest_events: bool,
}

impl Arguments {
    /// Reads the command line; `None` if it asked for the version only.
    ///
    /// # Errors
    /// In the words of Kafka's command where it refuses the same.
    pub fn read(args: &[String], out: &mut dyn Write) -> Result<Option<Arguments>, CommandError> {
        if args.is_empty() {
            return Err(CommandError::usage(ABOUT));
        }
        let options = Options::parse(OPTIONS, args)?;
        if help_or_version(&options, ABOUT, out)? {
            return Ok(None);
        }
        let topics = topics(&options)?;
        let start = start(&options)?;
        tell_renamed(&options, RENAMED);
        let properties = SOURCES.read(&options)?;
        let brokers = connecting::brokers(&options)?;
        let brokers = brokers.or(properties
            .bootstrap
            .as_ref()
            .map(|brokers| brokers.join(",")));
        let brokers = match brokers {
            Some(brokers) => brokers,
            None => options.required("bootstrap-server")?.to_owned(),
        };
        let reset = reset(&options, &properties)?;
        let fetch = fetch(&properties);
        let timeout: Option<i64> = options.number("timeout-ms")?;
        let timeout = timeout.map(|ms| u64::try_from(ms).ok().map(Duration::from_millis));
        Ok(Some(Arguments {
            brokers,
            client_id: properties
                .client_id
                .clone()
                .unwrap_or_else(|| "console-consumer".to_owned()),
            patience: properties.request_timeout.unwrap_or(PATIENCE),
            topics,
            partition: options.number("partition")?,
            start,
            reset,
            group: group(&options, &properties, reset, &fetch)?,
            fetch,
            formatter: formatter(&options)?,
            max_messages: max_messages(&options)?,
            timeout: timeout.unwrap_or(properties.consumer.idle_timeout),
            skip_errors: options.has("skip-message-on-error"),
            systest_events: options.has("enable-systest-events"),
        }))
    }

    /// Reaches the cluster.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn connect(&self) -> Result<Cluster, ClientError> {
        // A rebalance may hold JoinGroup back for as long as its slowest member takes.
        let longest = self
            .group
            .as_ref()
            .map_or(Duration::ZERO, |group| group.rebalance_timeout);
        Cluster::connect(ClusterOptions {
            bootstrap: self
                .brokers
                .split(',')
                .map(|address| address.trim().to_owned())
                .collect(),
            client_id: self.client_id.clone(),
            timeouts: Timeouts {
                request: self.patience.max(longest) + Duration::from_secs(5),
                ..Timeouts::default()
            },
            patience: self.patience,
        })
    }
}

fn topics(options: &Options) -> Result<Topics, CommandError> {
    let regex = options.value("include").or(options.value("whitelist"));
    match (options.value("topic"), regex) {
        (Some(topic), None) => Ok(Topics::One(topic.to_owned())),
        (None, Some(text)) => {
            // Older releases took commas for "or".
            let text = text.replace(',', "|");
            let regex = Regex::new(&format!("^(?:{text})$"));
            regex.map(Topics::Matching).map_err(|error| {
                CommandError::failed(format!("{text} is an invalid regex: {error}"))
            })
        }
        _ => Err(CommandError::usage(
            "Exactly one of the following arguments is required: [topic], [include]",
        )),
    }
}

fn start(options: &Options) -> Result<Start, CommandError> {
    if options.has("partition") {
        if !options.has("topic") {
            return Err(CommandError::usage(
                "The topic is required when partition is specified.",
            ));
        }
        if options.has("from-beginning") && options.has("offset") {
            return Err(CommandError::usage(
                "Options from-beginning and offset cannot be specified together.",
            ));
        }
    } else if options.has("offset") {
        return Err(CommandError::usage(
            "The partition is required when offset is specified.",
        ));
    }
    match options.value("offset") {
        None if options.has("from-beginning") => Ok(Start::Beginning),
        None => Ok(Start::End),
        Some(text) if text.eq_ignore_ascii_case("earliest") => Ok(Start::Beginning),
        Some(text) if text.eq_ignore_ascii_case("latest") => Ok(Start::End),
        Some(text) => match text.parse() {
            Ok(offset) if offset >= 0 => Ok(Start::At(offset)),
            _ => Err(CommandError::usage(format!(
                "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long."
            ))),
        },
    }
}

fn reset(options: &Options, properties: &ClientProperties) -> Result<OffsetReset, CommandError> {
    let word = |reset| match reset {
        client_properties::OffsetReset::Earliest => ("earliest", OffsetReset::Earliest),
        client_properties::OffsetReset::Latest => ("latest", OffsetReset::Latest),
        client_properties::OffsetReset::None => ("none", OffsetReset::None),
    };
    match (
        options.has("from-beginning"),
        properties.consumer.offset_reset.map(word),
    ) {
        (true, Some((word, reset))) if reset != OffsetReset::Earliest => {
            Err(CommandError::failed(format!(
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset={word}', please remove one option"
            )))
        }
        (true, _) => Ok(OffsetReset::Earliest),
        (false, Some((_, reset))) => Ok(reset),
        (false, None) => Ok(OffsetReset::Latest),
    }
}

fn fetch(properties: &ClientProperties) -> ConsumerOptions {
    let told = &properties.consumer;
    let defaults = ConsumerOptions::default();
    let bounds = [told.fetch_max_bytes, told.partition_fetch_bytes];
    ConsumerOptions {
        max_wait_ms: told.fetch_max_wait_ms.unwrap_or(defaults.max_wait_ms),
        min_bytes: told.fetch_min_bytes.unwrap_or(defaults.min_bytes),
        // One bound for the answer and for each partition in it: the smaller of what is asked for.
        max_bytes: bounds
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(defaults.max_bytes),
        read_committed: told.read_committed.unwrap_or(false),
    }
}

fn group(
    options: &Options,
    properties: &ClientProperties,
    reset: OffsetReset,
    fetch: &ConsumerOptions,
) -> Result<Option<GroupOptions>, CommandError> {
    let told = &properties.consumer;
    let (given, elsewhere) = (options.value("group"), told.group_id.as_deref());
    if let (Some(given), Some(elsewhere)) = (given, elsewhere)
        && given != elsewhere
    {
        return Err(CommandError::usage(format!(
            "The group ids provided in different places (directly using '--group', via '--command-property', or via \
             '--command-config') do not match. Detected group ids: '{given}', '{elsewhere}'"
        )));
    }
    let Some(group_id) = given.or(elsewhere) else {
        if told.auto_commit == Some(true) {
            eprintln!(
                "WARNING: enable.auto.commit has no effect here: without --group there is nothing to commit to"
            );
        }
        return Ok(None);
    };
    if options.has("partition") {
        return Err(CommandError::usage(
            "Options group and partition cannot be specified together.",
        ));
    }
    Ok(Some(group_options(group_id, told, reset, fetch)))
}

fn max_messages(options: &Options) -> Result<Option<u64>, CommandError> {
    let given: Option<i64> = options.number("max-messages")?;
    // -1 is Kafka's word for no bound.
    Ok(given.and_then(|most| u64::try_from(most).ok()))
}

fn formatter(options: &Options) -> Result<Formatter, CommandError> {
    let class = options
        .value("formatter")
        .unwrap_or("DefaultMessageFormatter");
    let name = class.rsplit(['.', '$']).next().unwrap_or(class);
    match name {
        "DefaultMessageFormatter" => {}
        "NoOpMessageFormatter" => return Ok(Formatter::Nothing),
        "OffsetsMessageFormatter" => return Ok(Formatter::Group(GroupPrinter::Offsets)),
        "GroupMetadataMessageFormatter" => return Ok(Formatter::Group(GroupPrinter::Groups)),
        _ => {
            return Err(CommandError::usage(format!(
                "--formatter {class}: there are no classes here; known are Default-, NoOp-, Offsets- and GroupMetadataMessageFormatter"
            )));
        }
    }
    let mut properties = Vec::new();
    for (option, property) in [
        ("key-deserializer", "key.deserializer"),
        ("value-deserializer", "value.deserializer"),
    ] {
        let given = options.value(option).filter(|class| !class.is_empty());
        properties.extend(given.map(|class| (property.to_owned(), class.to_owned())));
    }
    properties.extend(plain_properties(
        options,
        "formatter-config",
        &["property", "formatter-property"],
    )?);
    let (printer, unknown) = RecordPrinter::new(&properties).map_err(CommandError::Failed)?;
    for sentence in unknown {
        eprintln!("WARNING: {sentence}; it is ignored");
    }
    Ok(Formatter::Default(Box::new(printer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, String> {
        let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        let read = Arguments::read(&args, &mut Vec::new());
        read.map(|arguments| arguments.expect("no version was asked for"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_kafkas_words() {
        for (line, words) in [
            (
                "--bootstrap-server h:1",
                "Exactly one of the following arguments is required: [topic], [include]",
            ),
            (
                "--bootstrap-server h:1 --topic t --include u",
                "Exactly one of the following arguments is required: [topic], [include]",
            ),
            (
                "--topic t",
                "Missing required argument \"[bootstrap-server]\"",
            ),
            (
                "--bootstrap-server h:1 --topic t --offset 3",
                "The partition is required when offset is specified.",
            ),
            (
                "--bootstrap-server h:1 --topic t --partition 0 --offset x",
                "The provided offset value 'x' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.",
            ),
            (
                "--bootstrap-server h:1 --include t --partition 0",
                "The topic is required when partition is specified.",
            ),
            (
                "--bootstrap-server h:1 --topic t --partition 0 --group g",
                "Options group and partition cannot be specified together.",
            ),
            (
                "--bootstrap-server h:1 --topic t --from-beginning --command-property auto.offset.reset=latest",
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset=latest', please remove one option",
            ),
        ] {
            assert_eq!(read(line).err().as_deref(), Some(words), "{line}");
        }
        let mismatch =
            read("--bootstrap-server h:1 --topic t --group a --command-property group.id=b");
        assert!(
            mismatch
                .err()
                .unwrap()
                .ends_with("Detected group ids: 'a', 'b'")
        );
    }

    #[test]
    fn properties_become_what_the_consumer_does() {
        let read = read(
            "--bootstrap-server h:1 --topic t --group g --consumer-property auto.commit.interval.ms=700 \
             --consumer-property session.timeout.ms=9000 --isolation-level read_committed --timeout-ms 5 --max-messages 2",
        )
        .unwrap();
        let group = read.group.unwrap();
        assert_eq!(group.commit_interval, Some(Duration::from_millis(700)));
        assert_eq!(group.session_timeout, Duration::from_secs(9));
        assert_eq!(group.reset, OffsetReset::Latest);
        assert!(read.fetch.read_committed);
        assert_eq!(
            (read.timeout, read.max_messages),
            (Some(Duration::from_millis(5)), Some(2))
        );
    }

    #[test]
    fn a_start_is_an_end_of_the_log_or_an_offset() {
        let start = |line: &str| {
            read(&format!("--bootstrap-server h:1 --topic t {line}"))
                .unwrap()
                .start
        };
        assert_eq!(start("--partition 0 --offset Earliest"), Start::Beginning);
        assert_eq!(start("--partition 0 --offset 12"), Start::At(12));
        assert_eq!(start("--from-beginning"), Start::Beginning);
        assert_eq!(start("--partition 0"), Start::End);
    }
}
