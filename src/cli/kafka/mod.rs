//! Kafka's own commands: their names, options, output and exit codes, so that what was written for Kafka's scripts goes on.
//!
//! Each is a client of the wire protocol like any other, or reads files; none knows the broker's insides.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, as far as Kafka's own command says so |
//! | 1 | it failed, or the command line is wrong |

mod consumer_groups;
mod get_offsets;
mod java_errors;
mod options;
mod perf_stats;
mod producer_perf;
mod server_start;
mod server_stop;
mod storage;
mod topic_filter;
mod zookeeper;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use thiserror::Error;

use super::client_properties::{self, ClientProperties};
use crate::client::{ClientError, Cluster, ClusterOptions, Timeouts};
use crate::config::client_table::ClientSide;

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
        name: "kafka-consumer-groups",
        run: consumer_groups::run,
        options: consumer_groups::OPTIONS,
    },
    KafkaCommand {
        name: "kafka-get-offsets",
        run: get_offsets::run,
        options: get_offsets::OPTIONS,
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

/// Reaches the cluster that the options of a command name, by today's name of the option or an older one; the properties of
/// `--command-config` count where the command line says nothing.
fn connect_by(
    options: &options::Options,
    client_id: &str,
    patience: Duration,
) -> Result<Cluster, CommandError> {
    let mut properties = ClientProperties::default();
    if let Some(path) = options.value("command-config") {
        properties = client_properties::read(ClientSide::Consumer, Path::new(path))
            .map_err(|error| CommandError::failed(error.to_string()))?;
        for warning in &properties.warnings {
            eprintln!("WARN {warning}");
        }
    }
    let named = properties.bootstrap.map(|addresses| addresses.join(","));
    let bootstrap = match options.value("bootstrap-server") {
        Some(bootstrap) => bootstrap.to_owned(),
        None => older_bootstrap(options).or(named).ok_or_else(|| {
            CommandError::usage("Missing required argument \"[bootstrap-server]\"")
        })?,
    };
    connect(
        &bootstrap,
        properties.client_id.as_deref().unwrap_or(client_id),
        patience,
    )
}

/// `--broker-list`, and `--zookeeper HOST:2181/path`, which means the broker on that host.
fn older_bootstrap(options: &options::Options) -> Option<String> {
    if let Some(list) = options.value("broker-list") {
        eprintln!("WARN --broker-list is called --bootstrap-server today");
        return Some(list.to_owned());
    }
    let zookeeper = options.value("zookeeper")?;
    let hosts = zookeeper.split('/').next().unwrap_or(zookeeper);
    let broker = |host: &str| match host.rsplit_once(':') {
        Some((host, _)) => format!("{host}:{BROKER_PORT}"),
        None => format!("{host}:{BROKER_PORT}"),
    };
    let brokers: Vec<String> = hosts.split(',').map(broker).collect();
    let brokers = brokers.join(",");
    eprintln!(
        "WARN there is no ZooKeeper: --zookeeper {zookeeper} is taken for --bootstrap-server {brokers}"
    );
    Some(brokers)
}

/// Where a broker listens unless it is told otherwise.
const BROKER_PORT: u16 = 9092;

/// Reaches a cluster by `--bootstrap-server`.
fn connect(bootstrap: &str, client_id: &str, patience: Duration) -> Result<Cluster, CommandError> {
    Ok(Cluster::connect(ClusterOptions {
        bootstrap: bootstrap.split(',').map(|a| a.trim().to_owned()).collect(),
        client_id: client_id.to_owned(),
        timeouts: Timeouts {
            request: patience.max(Duration::from_secs(1)),
            ..Timeouts::default()
        },
        patience,
    })?)
}
