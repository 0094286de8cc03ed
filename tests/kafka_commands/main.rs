//! Kafka's own commands, by their names, against a real broker and its files: what they print, and how they end.
//!
//! One theme a file; every test has a broker of its own.

#[path = "../harness/mod.rs"]
mod harness;

mod files;
mod perf;
mod server;
mod zookeeper;

use std::process::Command;

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
