//! The broker that the host is looked at for: which CPUs, which directories, which sockets.
//!
//! What the command line says counts; then what the broker that runs was started with; then the file that the package
//! installs; then the defaults.

use std::path::{Path, PathBuf};

use clap::Parser;

use super::TuneArgs;
use super::host::{Host, Tree};
use crate::cli::serve_args::ServeArgs;
use crate::cli::{Cli, Command};
use crate::config::CoreChoice;
use crate::config::load::load;

/// What the broker will use.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Its CPUs, one executor each.
    pub cpus: Vec<usize>,
    /// Its data directories, absolute and without links.
    pub data_dirs: Vec<PathBuf>,
    /// `socket.send.buffer.bytes`; `None` leaves it to the kernel.
    pub send_buffer: Option<u32>,
    /// `socket.receive.buffer.bytes`, likewise.
    pub receive_buffer: Option<u32>,
    /// `socket.listen.backlog.size`
    pub backlog: u32,
    /// Where that is known from, as the end of a sentence.
    pub known_from: String,
}

/// Where the package puts the broker's settings.
const INSTALLED_PROPERTIES: &str = "/etc/vltava/server.properties";

impl Plan {
    /// Puts together what the broker will use on this host.
    ///
    /// # Errors
    /// A sentence: a property file cannot be read or is wrong, or there are fewer CPUs than asked for.
    pub fn make(args: &TuneArgs, host: &Host, tree: &Tree) -> Result<Plan, String> {
        let running = serve_args(&host.process.command_line);
        let has_installed = tree.is_here() && tree.has(INSTALLED_PROPERTIES);
        let (serve, known_from) = match (&args.config, running) {
            (Some(file), _) => (with_file(file), format!("as {} says", file.display())),
            (None, Some(serve)) => (
                from_folder(serve, host.process.folder.as_deref()),
                "as the broker that runs was told".to_owned(),
            ),
            (None, None) if has_installed => {
                let file = Path::new(INSTALLED_PROPERTIES);
                (with_file(file), format!("as {INSTALLED_PROPERTIES} says"))
            }
            (None, None) => (ServeArgs::default(), "by default".to_owned()),
        };
        let config = load(serve.properties.as_deref(), &serve.overrides, false)
            .map_err(|error| error.to_string())?
            .config;
        let first_filled = |dirs: [&[PathBuf]; 2]| {
            dirs.into_iter()
                .find(|dirs| !dirs.is_empty())
                .map(<[_]>::to_vec)
        };
        let dirs = first_filled([&args.data_dir, &serve.data_dir]).unwrap_or(config.log_dirs);
        Ok(Plan {
            cpus: cpus(args.cores.as_ref().or(serve.cores.as_ref()), host)?,
            data_dirs: dirs.iter().filter_map(|dir| absolute(dir, tree)).collect(),
            send_buffer: config.socket_send_buffer_bytes,
            receive_buffer: config.socket_receive_buffer_bytes,
            backlog: config.socket_listen_backlog,
            known_from,
        })
    }
}

fn with_file(file: &Path) -> ServeArgs {
    ServeArgs {
        properties: Some(file.to_owned()),
        ..ServeArgs::default()
    }
}

/// The options of a running `vltava serve`.
fn serve_args(command_line: &[String]) -> Option<ServeArgs> {
    match Cli::try_parse_from(command_line).ok()?.command {
        Command::Serve(args) => Some(*args),
        _ => None,
    }
}

/// Relative names lead from where the broker started.
fn from_folder(mut serve: ServeArgs, folder: Option<&Path>) -> ServeArgs {
    if let Some(folder) = folder {
        let names = serve.data_dir.iter_mut().chain(&mut serve.properties);
        names.for_each(|name| *name = folder.join(&*name));
    }
    serve
}

/// A relative folder is one below where we stand.
fn absolute(dir: &Path, tree: &Tree) -> Option<PathBuf> {
    tree.resolved(&std::path::absolute(dir).ok()?)
}

/// As the broker chooses: what it was told, or as many as affinity and quota allow.
fn cpus(choice: Option<&CoreChoice>, host: &Host) -> Result<Vec<usize>, String> {
    let mut allowed = host.process.cpus.clone();
    match choice {
        None => allowed.truncate(host.process.quota.unwrap_or(usize::MAX)),
        Some(CoreChoice::List(cpus)) => return Ok(cpus.clone()),
        Some(CoreChoice::Count(count)) if *count > allowed.len() => {
            return Err(format!(
                "--cores {count} is more than the {} CPUs that are allowed here",
                allowed.len()
            ));
        }
        Some(CoreChoice::Count(count)) => allowed.truncate(*count),
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::super::host::Process;
    use super::*;

    fn host(command_line: &[&str]) -> Host {
        Host {
            process: Process {
                command_line: command_line.iter().map(ToString::to_string).collect(),
                cpus: vec![0, 1, 2, 3],
                quota: Some(3),
                ..Process::default()
            },
            ..Host::default()
        }
    }

    fn nowhere() -> Tree {
        Tree::at(Path::new("/no/such/root"))
    }

    #[test]
    fn the_options_of_the_broker_that_runs_are_taken_over() {
        let broker =
            "vltava serve --data-dir /tmp --cores 2 --override socket.send.buffer.bytes=-1";
        let broker: Vec<_> = broker.split(' ').collect();
        let plan = Plan::make(
            &TuneArgs::default(),
            &host(&broker),
            &Tree::at(Path::new("/")),
        )
        .unwrap();
        assert_eq!(plan.cpus, [0, 1]);
        assert_eq!(plan.data_dirs, [PathBuf::from("/tmp")]);
        assert_eq!(
            (plan.send_buffer, plan.receive_buffer),
            (None, Some(102_400))
        );
    }

    #[test]
    fn what_the_command_line_says_counts_before_the_broker_that_runs() {
        let args = TuneArgs {
            cores: Some(CoreChoice::List(vec![3])),
            ..TuneArgs::default()
        };
        let plan = Plan::make(
            &args,
            &host(&["vltava", "serve", "--cores", "2"]),
            &nowhere(),
        )
        .unwrap();
        assert_eq!(plan.cpus, [3]);
    }

    #[test]
    fn without_a_word_the_broker_uses_what_the_quota_allows() {
        let plan = Plan::make(&TuneArgs::default(), &host(&[]), &nowhere()).unwrap();
        assert_eq!(plan.cpus, [0, 1, 2]);
        assert_eq!(plan.known_from, "by default");
    }

    #[test]
    fn more_cores_than_there_are_is_said() {
        let args = TuneArgs {
            cores: Some(CoreChoice::Count(5)),
            ..TuneArgs::default()
        };
        let error = Plan::make(&args, &host(&[]), &nowhere()).unwrap_err();
        assert!(
            error.contains("--cores 5") && error.contains("4 CPUs"),
            "{error}"
        );
    }
}
