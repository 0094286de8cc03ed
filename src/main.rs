//! The `vltava` command: parse the command line, run, exit code. Nothing else.

use clap::Parser;
use std::process::ExitCode;
use std::time::Instant;
use vltava::check::{self, CheckOptions};
use vltava::cli::check_args::CheckArgs;
use vltava::cli::serve_args::ServeArgs;
use vltava::cli::{Cli, Command};
use vltava::config::listener::listen_overrides;
use vltava::server::{self, ServeOptions};

fn main() -> ExitCode {
    let began = Instant::now();
    if let Some(code) = vltava::cli::kafka::run_if_named(std::env::args_os()) {
        return code;
    }
    match Cli::parse().command {
        Command::Serve(args) => serve(*args, began),
        Command::Check(args) => check(args),
        Command::Tune(args) => vltava::cli::tune::run(&args, &mut std::io::stdout().lock()),
        Command::Client(command) => vltava::cli::run(&command),
    }
}

fn serve(args: ServeArgs, began: Instant) -> ExitCode {
    server::logger::start(args.log_level.into());
    match server::serve(&options(args), began) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The exit code of a check that could not be made.
const CANNOT_CHECK: u8 = 2;

fn check(args: CheckArgs) -> ExitCode {
    let options = CheckOptions {
        dirs: args.dirs,
        repair: args.repair,
        records: args.records,
    };
    match check::check(&options, &mut std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("vltava: {error}");
            ExitCode::from(CANNOT_CHECK)
        }
    }
}

/// What the flags say wins over `--override`, and both over the file; but what clients are told of the addresses in `--listen`
/// can be set by `--override`.
fn options(args: ServeArgs) -> ServeOptions {
    let listen = listen_overrides(&args.listen);
    let (mut overrides, listeners): (Vec<_>, Vec<_>) = listen
        .into_iter()
        .partition(|(name, _)| name == "advertised.listeners");
    overrides.extend(args.overrides);
    overrides.extend(listeners);
    let dirs: Vec<_> = args
        .data_dir
        .iter()
        .map(|dir| dir.display().to_string())
        .collect();
    if !dirs.is_empty() {
        overrides.push(("log.dirs".to_owned(), dirs.join(",")));
    }
    if let Some(list) = args.core_listeners {
        overrides.push(("core.listeners".to_owned(), list));
    }
    ServeOptions {
        properties: args.properties,
        overrides,
        strict: args.strict,
        cores: args.cores,
    }
}
