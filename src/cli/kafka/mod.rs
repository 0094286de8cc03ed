//! Kafka's own commands: their names, options, output and exit codes, so that what was written for Kafka's scripts goes on.
//!
//! Each is a client of the wire protocol like any other, or reads files; none knows the broker's insides.
//!
//! A command is called by the name of the program (a link to it, with or without `.sh`) or as the first argument of `vltava`.
//! Standard output has what Kafka's command prints there; standard error its complaints, and a line for each option that goes by
//! an older name.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, as far as Kafka's own command says so |
//! | 1 | it failed, or the command line is wrong |

mod broker_api_versions;
mod client_options;
mod cluster;
mod configs;
mod connecting;
mod console_consumer;
mod console_producer;
mod consumer_groups;
mod consumer_perf;
mod dates;
mod delete_records;
mod dump_log;
mod features;
mod get_offsets;
mod group_options;
mod group_printer;
mod java_errors;
pub(in crate::cli) mod json;
mod line_reader;
mod log_dirs;
mod metadata_json;
mod options;
mod perf_stats;
mod producer_perf;
mod record_printer;
mod server_start;
mod server_stop;
mod storage;
mod topic_filter;
mod topics;
mod zookeeper;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use thiserror::Error;

use crate::client::{ClientError, Cluster, ClusterOptions, Timeouts};

/// Why a command ends with exit code 1.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The command line is wrong; the options are printed with it.
    #[error("{0}")]
    Usage(String),
    /// A sentence for standard error.
    #[error("{0}")]
    Failed(String),
    /// It is said already.
    #[error("some of it failed")]
    Reported,
    /// The cluster, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl CommandError {
    fn usage(text: impl Into<String>) -> CommandError {
        CommandError::Usage(text.into())
    }

    fn failed(text: impl Into<String>) -> CommandError {
        CommandError::Failed(text.into())
    }
}

type Run = fn(&[String], &mut dyn Write) -> Result<(), CommandError>;

/// One of Kafka's commands.
struct KafkaCommand {
    name: &'static str,
    run: Run,
    /// The options, for the help behind a usage error.
    options: &'static [options::Opt],
}

const COMMANDS: &[KafkaCommand] = &[
    KafkaCommand {
        name: "kafka-broker-api-versions",
        run: broker_api_versions::run,
        options: broker_api_versions::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-cluster",
        run: cluster::run,
        options: cluster::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-configs",
        run: configs::run,
        options: configs::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-console-consumer",
        run: console_consumer::run,
        options: console_consumer::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-console-producer",
        run: console_producer::run,
        options: console_producer::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-consumer-groups",
        run: consumer_groups::run,
        options: consumer_groups::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-consumer-perf-test",
        run: consumer_perf::run,
        options: consumer_perf::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-delete-records",
        run: delete_records::run,
        options: delete_records::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-dump-log",
        run: dump_log::run,
        options: dump_log::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-features",
        run: features::run,
        options: features::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-get-offsets",
        run: get_offsets::run,
        options: get_offsets::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-log-dirs",
        run: log_dirs::run,
        options: log_dirs::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-producer-perf-test",
        run: producer_perf::run,
        options: producer_perf::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-server-start",
        run: server_start::run,
        options: &[],
    },
    KafkaCommand {
        name: "kafka-server-stop",
        run: server_stop::run,
        options: server_stop::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-storage",
        run: storage::run,
        options: storage::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-topics",
        run: topics::run,
        options: topics::OPTIONS,
    },
    KafkaCommand {
        name: "zookeeper-client",
        run: zookeeper::shell,
        options: &[],
    },
    KafkaCommand {
        name: "zookeeper-server-start",
        run: zookeeper::start,
        options: &[],
    },
    KafkaCommand {
        name: "zookeeper-server-stop",
        run: zookeeper::stop,
        options: &[],
    },
    KafkaCommand {
        name: "zookeeper-shell",
        run: zookeeper::shell,
        options: &[],
    },
];

/// Runs one of Kafka's commands, if the program was called by its name (a link) or the first argument is one; else `None`.
pub fn run_if_named(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter();
    let program = args.next()?;
    let text = |arg: OsString| arg.to_string_lossy().into_owned();
    let mut rest: Vec<String> = args.map(text).collect();
    let called = Path::new(&program)
        .file_name()?
        .to_string_lossy()
        .into_owned();
    let command = match find(&called) {
        Some(command) => command,
        None => {
            let command = find(rest.first()?)?;
            rest.remove(0);
            command
        }
    };
    Some(run(command, &rest))
}

/// The names of Kafka's commands that there are, without `.sh`.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|command| command.name)
}

fn find(name: &str) -> Option<&'static KafkaCommand> {
    let name = name.strip_suffix(".sh").unwrap_or(name);
    COMMANDS.iter().find(|command| command.name == name)
}

fn run(command: &KafkaCommand, args: &[String]) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = (command.run)(args, &mut out);
    let written = out.flush().map_err(CommandError::Output);
    match done.and(written) {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(CommandError::Reported) => ExitCode::FAILURE,
        Err(CommandError::Usage(text)) => {
            eprintln!("{text}");
            if !command.options.is_empty() {
                eprint!("{}", options::help(command.options));
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Reaches the cluster that the options of a command name, for as long as its own option says.
fn connect_by(
    options: &options::Options,
    client_id: &str,
    patience: Duration,
) -> Result<Cluster, CommandError> {
    let properties = connecting::command_config(options)?;
    let named = properties.bootstrap.map(|addresses| addresses.join(","));
    let bootstrap = connecting::brokers(options)?
        .or(named)
        .ok_or_else(|| CommandError::usage("Missing required argument \"[bootstrap-server]\""))?;
    let client_id = properties.client_id.as_deref().unwrap_or(client_id);
    Ok(connect(&bootstrap, client_id, patience)?)
}

/// Reaches a cluster by `--bootstrap-server`.
fn connect(bootstrap: &str, client_id: &str, patience: Duration) -> Result<Cluster, ClientError> {
    Cluster::connect(ClusterOptions {
        bootstrap: bootstrap.split(',').map(|a| a.trim().to_owned()).collect(),
        client_id: client_id.to_owned(),
        timeouts: Timeouts {
            request: patience.max(Duration::from_secs(1)),
            ..Timeouts::default()
        },
        patience,
    })
}

/// A failure in the broker's own words, where it has any: what Kafka's commands print of an exception.
fn words(error: &ClientError) -> String {
    match error {
        ClientError::Broker {
            message: Some(message),
            ..
        } if !message.is_empty() => message.clone(),
        ClientError::Broker { code, .. } => code.message().to_owned(),
        ClientError::GaveUp { last, .. } => words(last),
        other => other.to_string(),
    }
}
