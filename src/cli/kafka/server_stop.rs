//! `kafka-server-stop`: finds the brokers of this machine in `/proc` and sends each a signal, SIGTERM unless `$SIGNAL` says otherwise.
//!
//! A broker is a process of this very program whose first argument is `serve`. Which node it is, its properties file and
//! its overrides tell, as Kafka's script has it.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, ffi::OsString};

use super::options::{Opt, Options, help_or_version};
use super::server_start::{properties_text, property};
use super::{CommandError, connecting};
use crate::cli::serve_args::parse_key_value;

pub const OPTIONS: &[Opt] = &[
    Opt::value(
        "process-role",
        "role",
        "Only brokers whose process.roles is this.",
    ),
    Opt::value(
        "node-id",
        "id",
        "Only the broker whose node.id is this; wins over --process-role.",
    ),
    connecting::HELP,
    connecting::VERSION,
];

/// A running broker.
struct Broker {
    pid: u32,
    cwd: PathBuf,
    /// Its arguments behind `serve`.
    args: Vec<String>,
}

/// Sends the signal.
///
/// # Errors
/// [`CommandError::Reported`] when there is none to stop, as Kafka's script; a signal that cannot be sent.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let options = Options::parse(OPTIONS, args)?;
    if help_or_version(
        &options,
        "This command stops the brokers of this machine.",
        out,
    )? {
        return Ok(());
    }
    let (node, role) = (options.value("node-id"), options.value("process-role"));
    if node.is_some() && role.is_some() {
        writeln!(
            out,
            "When both node-id and process-role are provided, the value for node-id will take precedence"
        )?;
    }
    let mut running = brokers();
    running.retain(|broker| match (node, role) {
        (Some(node), _) => broker.is_node(node),
        (None, Some(role)) => broker.property("process.roles").as_deref() == Some(role),
        (None, None) => true,
    });
    if running.is_empty() {
        writeln!(out, "No kafka server to stop")?;
        return Err(CommandError::Reported);
    }
    let signal = env::var("SIGNAL").unwrap_or_else(|_| "TERM".to_owned());
    for broker in running {
        send(&signal, broker.pid)?;
    }
    Ok(())
}

impl Broker {
    /// What its overrides or its file say.
    fn property(&self, name: &str) -> Option<String> {
        let mut file = None;
        let mut overrides = Vec::new();
        let mut args = self.args.iter();
        while let Some(arg) = args.next() {
            match arg.strip_prefix("--override") {
                Some("") => {
                    overrides.extend(args.next().and_then(|pair| parse_key_value(pair).ok()))
                }
                Some(joined) => {
                    overrides.extend(parse_key_value(joined.trim_start_matches('=')).ok())
                }
                None if arg.starts_with("--") => {
                    // Every other option of `serve` but this one has a value.
                    if arg != "--strict" && !arg.contains('=') {
                        args.next();
                    }
                }
                None => file = Some(self.cwd.join(arg)),
            }
        }
        let text = file
            .and_then(|path| properties_text(&path).ok())
            .unwrap_or_default();
        property(&text, &overrides, name)
    }

    fn is_node(&self, id: &str) -> bool {
        let named = self
            .property("node.id")
            .or_else(|| self.property("broker.id"));
        named.as_deref().unwrap_or("1") == id
    }
}

/// The brokers among the processes; those that we may not look into are somebody else's.
fn brokers() -> Vec<Broker> {
    let Ok(list) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let us = env::current_exe().ok();
    let pids = list
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut found: Vec<Broker> = pids.filter_map(|pid| broker(pid, us.as_deref())).collect();
    found.sort_by_key(|broker| broker.pid);
    found
}

fn broker(pid: u32, us: Option<&Path>) -> Option<Broker> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let program = fs::read_link(process.join("exe")).ok()?;
    let name = program.file_name()?.to_str()?;
    // A program that was replaced on the disk while it runs has " (deleted)" behind its name.
    let same_name = us
        .and_then(Path::file_name)
        .and_then(|us| us.to_str())
        .is_some_and(|us| name.strip_suffix(" (deleted)").unwrap_or(name) == us);
    if !same_name {
        return None;
    }
    let line = fs::read(process.join("cmdline")).ok()?;
    let mut words = line.split(|byte| *byte == 0).map(|word| {
        OsString::from_vec(word.to_vec())
            .to_string_lossy()
            .into_owned()
    });
    words.next()?;
    if words.next()? != "serve" {
        return None;
    }
    let cwd = fs::read_link(process.join("cwd")).unwrap_or_default();
    let args = words.filter(|word| !word.is_empty()).collect();
    Some(Broker { pid, cwd, args })
}

/// By the shell's own `kill`, as Kafka's script does.
fn send(signal: &str, pid: u32) -> Result<(), CommandError> {
    let cannot = |why: String| CommandError::failed(format!("cannot stop process {pid}: {why}"));
    let status = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal])
        .arg(pid.to_string())
        .status()
        .map_err(|error| cannot(error.to_string()))?;
    match status.success() {
        true => Ok(()),
        false => Err(cannot(format!("the signal {signal} was not taken"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(line: &str) -> Broker {
        Broker {
            pid: 1,
            cwd: PathBuf::from("/"),
            args: line.split_whitespace().map(ToOwned::to_owned).collect(),
        }
    }

    #[test]
    fn a_node_is_known_by_its_overrides() {
        let it = broker(
            "--listen 127.0.0.1:1 --override node.id=7 --strict --override=process.roles=broker",
        );
        assert!(it.is_node("7") && !it.is_node("1"));
        assert_eq!(it.property("process.roles").as_deref(), Some("broker"));
        assert!(broker("").is_node("1"));
    }

    #[test]
    fn a_node_is_known_by_its_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("s.properties"), "broker.id=3\n").unwrap();
        let mut it = broker("--cores 2 s.properties");
        it.cwd = dir.path().to_owned();
        assert!(it.is_node("3"));
    }
}
