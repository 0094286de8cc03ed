//! `vltava tune`: what this host gives to a broker, what is worth changing, why, what it buys, and how to undo it.
//!
//! ```text
//! /proc /sys /etc ──▶ host::Host ─┐
//! command line, properties ──▶ plan::Plan ─┴─▶ rules ──▶ findings ──▶ report
//!                                                           └──▶ written: two files ──▶ files: apply, undo
//! ```
//!
//! It looks without privileges, and without `--apply` it changes nothing. What it writes are two files of its own, which it shows whole
//! before; it never touches a file that it did not write, or that somebody changed.

mod files;
mod finding;
mod host;
mod plan;
mod report;
mod rules;
mod written;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::CliError;
use crate::config::CoreChoice;
use host::{Host, Tree};
use plan::Plan;
use report::Report;

/// Options of `vltava tune`.
#[derive(Args, Debug, Clone, Default)]
#[command(after_help = HELP)]
pub struct TuneArgs {
    /// The broker's server.properties [default: that of the broker that runs, or /etc/vltava/server.properties if there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where the data is or will be; may be given several times [default: log.dirs]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Vec<PathBuf>,

    /// How many cores the broker will use, or which: 4, or 0,2,4-7 [default: all that affinity and cgroup allow]
    #[arg(long, value_name = "N|LIST")]
    pub cores: Option<CoreChoice>,

    /// Look at the limits of this process [default: the broker that runs, or this command]
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,

    /// Print one object of JSON
    #[arg(long, conflicts_with_all = ["apply", "undo"])]
    pub json: bool,

    /// Show the two files of settings, and write them
    #[arg(long, conflicts_with = "undo")]
    pub apply: bool,

    /// Remove the files that --apply wrote
    #[arg(long)]
    pub undo: bool,

    /// With --apply or --undo: only show
    #[arg(long)]
    pub dry_run: bool,

    /// With --apply or --undo: in the tree below this folder, as of an image that is being made
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,

    /// Look at the files of /proc, /sys and /etc below this folder: a copy from another host
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub host: PathBuf,
}

const HELP: &str = "\
Without --apply nothing is changed, and no privileges are needed; what cannot be seen is said. Run it while the broker runs, as its
user or as root: then limits, CPUs and directories are the broker's own.

--apply writes /etc/sysctl.d/60-vltava.conf and /etc/systemd/system/vltava.service.d/tuning.conf, exactly as it shows them before,
and nothing else; it says how to load them. What is to be done by hand is only said. --undo removes the two files, unless
somebody else wrote or changed them.

Exit code: 0 nothing has to be changed (or it was done), 1 something is worth changing, 2 it could not look, write or undo.

Examples:
  vltava tune
  vltava tune --config /etc/vltava/server.properties --cores 2-5
  vltava tune --apply --dry-run
  sudo vltava tune --apply && sudo sysctl --system
  vltava tune --json | jq '.findings[] | select(.verdict == \"change\")'";

/// The exit code when it could not look, write or undo.
const COULD_NOT: u8 = 2;

/// Looks, and does what is asked.
pub fn run(args: &TuneArgs, out: &mut dyn Write) -> ExitCode {
    let done = look(args, out);
    let written = out.flush().map_err(CliError::Output);
    match done.and_then(|is_due| written.map(|()| is_due)) {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        // Our reader went away: it has seen what it wanted.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("vltava: {error}");
            ExitCode::from(COULD_NOT)
        }
    }
}

/// Whether something is to be changed that was not.
fn look(args: &TuneArgs, out: &mut dyn Write) -> Result<bool, CliError> {
    if args.dry_run && !args.apply && !args.undo {
        return Err(CliError::Usage(
            "--dry-run goes with --apply or --undo".to_owned(),
        ));
    }
    if args.undo {
        files::undo(&args.root, args.dry_run, out)?;
        return Ok(false);
    }
    let tree = Tree::at(&args.host);
    if !tree.has("/proc") || !tree.has("/sys") {
        let at = args.host.display();
        return Err(CliError::Failed(format!(
            "{at} has no /proc and /sys to look at"
        )));
    }
    let host = Host::read(&tree, args.pid);
    if args.pid.is_some() && host.process.cpus.is_empty() {
        return Err(CliError::Failed(
            "that process is not there, or cannot be read".to_owned(),
        ));
    }
    let plan = Plan::make(args, &host, &tree).map_err(CliError::Failed)?;
    let findings = rules::look(&host, &plan);
    let planned = may_write(args, &host).and_then(|()| files::plan(&args.root, &findings));
    if args.apply {
        files::apply(&planned?, args.dry_run, out)?;
        return Ok(false);
    }
    let refusal = planned
        .as_ref()
        .err()
        .map(ToString::to_string)
        .unwrap_or_default();
    let report = Report {
        host: &host,
        plan: &plan,
        findings: &findings,
        files: planned.as_deref().map_err(|_| refusal.as_str()),
    };
    if args.json {
        writeln!(out, "{}", report::json(&report))?;
    } else {
        report::print(&report, out)?;
    }
    Ok(findings.iter().any(|finding| finding.verdict.is_due()))
}

/// A container reads neither file; an image that is made in one may.
fn may_write(args: &TuneArgs, host: &Host) -> Result<(), CliError> {
    if host.is_container && args.root == Path::new("/") {
        let why = "this is a container, which reads neither file: run it on the host, or name an image with --root";
        return Err(CliError::Failed(why.to_owned()));
    }
    Ok(())
}
