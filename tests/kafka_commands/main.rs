//! Kafka's own commands, by their names, against a real broker and its files: what they print, and how they end.
//!
//! One theme a file; every test has a broker of its own.

#[path = "../harness/mod.rs"]
mod harness;

mod configs;
mod console;
mod files;
mod groups;
mod links;
mod perf;
mod server;
mod topics;
mod zookeeper;

use std::io::Write;
use std::process::{Command, Stdio};

/// How a command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

/// Runs `vltava NAME ARGS...` to its end.
fn run(name: &str, args: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
    ended(command.arg(name).args(args))
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().expect("the binary runs");
    Ended {
        code: output.status.code().expect("no signal"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Runs a command that is to do what it is asked for; its standard output.
fn succeed(name: &str, args: &[&str]) -> String {
    let ended = run(name, args);
    assert_eq!(
        ended.code, 0,
        "{name} {args:?}: {} {}",
        ended.out, ended.err
    );
    ended.out
}

/// Runs `vltava NAME ARGS...` with this on its standard input.
fn run_with_input(name: &str, args: &[&str], input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
    command.arg(name).args(args).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("the binary runs");
    let mut stdin = process.stdin.take().expect("piped");
    let input = input.as_bytes().to_vec();
    // The command may end before it has read everything.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = process
        .wait_with_output()
        .expect("waiting for a child of ours");
    feeder.join().expect("the feeder does not panic");
    Ended {
        code: output.status.code().expect("no signal"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}
