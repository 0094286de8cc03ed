//! The broker's administration as the admin clients of others see it.
//!
//! Setup: a fresh broker and a client's program, which asks everything that its client can ask, right and wrong (tests/clients/README.md).
//! Expectation: line for line what the same program is told by a broker of Kafka 4.3 (tests/admin_clients/), the words of errors included.

mod harness;

use std::fs;
use std::process::Command;
use std::time::Duration;

use harness::broker::Broker;
use harness::{child, package_dir, toolchain};

const DEADLINE: Duration = Duration::from_secs(180);

#[test]
fn java_is_answered_as_by_kafka() {
    let Some(classes) = toolchain::java_classes() else {
        return;
    };
    let mut program = Command::new("java");
    program.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"]);
    program.arg("-cp");
    program.arg(format!("{0}:{0}/*", classes.display()));
    program.arg("Admin");
    answers_are_those_of_kafka(program, "java.txt");
}

#[test]
fn librdkafka_is_answered_as_by_kafka() {
    let Some(python) = toolchain::python() else {
        return;
    };
    let mut program = Command::new(python);
    program.env("PYTHONDONTWRITEBYTECODE", "1");
    program.arg(package_dir().join("tests/clients/python/librdkafka_admin.py"));
    answers_are_those_of_kafka(program, "librdkafka.txt");
}

#[test]
fn franz_go_is_answered_as_by_kafka() {
    if let Some(program) = toolchain::go_admin() {
        answers_are_those_of_kafka(Command::new(program), "franz-go.txt");
    }
}

/// Runs the program against a broker of our own and compares its lines with those expected.
fn answers_are_those_of_kafka(mut program: Command, expected: &str) {
    let broker = Broker::start(&[("group.initial.rebalance.delay.ms", "0")]);
    let finished = child::run(program.arg(broker.bootstrap()), b"", DEADLINE)
        .unwrap_or_else(|error| panic!("{error}"));
    let seen = String::from_utf8(finished.stdout).expect("programs print UTF-8");
    let path = package_dir().join("tests/admin_clients").join(expected);
    let expected =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (seen, expected) in seen.lines().zip(expected.lines()) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen.lines().count(), expected.lines().count(), "{seen}");
}
