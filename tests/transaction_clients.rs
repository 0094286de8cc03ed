//! Transactions as real clients see them.
//!
//! Setup: a broker; Java's client, librdkafka and franz-go, each with a program of its own (tests/clients/README.md). Expectation: what
//! was committed is read once, what was aborted never, a chain of reading, working and writing copies every record once although
//! half of its transactions are given up, and a zombie is fenced.

mod harness;

use std::time::Duration;

use harness::broker::Broker;
use harness::{child, driver};

const DEADLINE: Duration = Duration::from_secs(240);

fn scenarios_run(client: &str) {
    let broker = Broker::start(&[("group.initial.rebalance.delay.ms", "0")]);
    let programs = driver::programs("Transactions", &["librdkafka"]);
    for (_, mut command) in programs.into_iter().filter(|(name, _)| *name == client) {
        command.args(["scenarios", &broker.bootstrap()]);
        let finished = child::run(&mut command, b"", DEADLINE);
        let finished = finished.unwrap_or_else(|error| panic!("{client}: {error}"));
        let said = String::from_utf8(finished.stdout).expect("text");
        assert!(said.ends_with("ran to its end\n"), "{client}: {said}");
        eprintln!("{client}: {said}");
    }
}

#[test]
fn java_commits_aborts_copies_once_and_is_fenced() {
    scenarios_run("java");
}

#[test]
fn librdkafka_commits_aborts_copies_once_and_is_fenced() {
    scenarios_run("librdkafka");
}

#[test]
fn franz_go_commits_aborts_and_copies_once() {
    scenarios_run("franz-go");
}
