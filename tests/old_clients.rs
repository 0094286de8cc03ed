//! Clients of years ago, unmodified: what Kafka 4 no longer serves and the fleets out there still speak.
//!
//! Setup: one broker whose node id is 2; kafka-python from 1.3.4 on (message sets, Fetch 3, the first version of every group request),
//! also told by hand that the broker is 0.9 or 0.10, kcat likewise, and sarama told each version it knows. Expectation: the programs run to their end.

mod harness;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::broker::Broker;
use harness::toolchain::{self, OldPython};
use harness::{child, in_ci, package_dir};

/// The programs wait for rebalances and timeouts of their own.
const DEADLINE: Duration = Duration::from_secs(240);

fn start() -> Broker {
    Broker::start(&[
        ("node.id", "2"),
        ("group.initial.rebalance.delay.ms", "100"),
    ])
}

fn run(python: &Path, program: &str, arguments: &[&str]) -> String {
    let program = package_dir().join("tests/clients/python-old").join(program);
    let output = child::run(
        Command::new(python).arg(program).args(arguments),
        b"",
        DEADLINE,
    );
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    String::from_utf8(output.stdout).expect("text")
}

/// The last thing that `programs.py` says.
const LAST: &str = "subscribed by pattern\n";

#[test]
fn programs_of_every_old_release_run_to_their_end() {
    let broker = start();
    for release in OldPython::ALL {
        let Some(python) = release.interpreter() else {
            continue;
        };
        let topic = format!("programs-of-{release:?}");
        let said = run(&python, "programs.py", &[&broker.bootstrap(), &topic]);
        assert!(said.ends_with(LAST), "{release:?} said:\n{said}");
    }
}

#[test]
fn clients_that_are_told_an_old_version_by_hand_are_served() {
    let broker = start();
    let Some(python) = OldPython::KafkaPython202.interpreter() else {
        return;
    };
    for version in ["0.9", "0.10"] {
        let topic = format!("told-{version}-x");
        let said = run(
            &python,
            "programs.py",
            &[&broker.bootstrap(), &topic, version],
        );
        assert!(said.ends_with(LAST), "told {version}, it said:\n{said}");
    }
}

/// The versions at which sarama changes what it sends, and the newest it knows.
const TOLD_TO_SARAMA: [&str; 12] = [
    "0.8.2.0", "0.9.0.0", "0.10.0.0", "0.10.2.0", "0.11.0.0", "1.0.0", "1.1.0", "2.0.0", "2.1.0",
    "2.8.0", "3.6.0", "4.1.0",
];

#[test]
fn sarama_is_served_in_the_dialect_of_every_version_that_it_is_told() {
    let Some(driver) = toolchain::sarama_driver() else {
        return;
    };
    let broker = start();
    for version in TOLD_TO_SARAMA {
        let mut command = Command::new(driver);
        command.args([version, &broker.bootstrap(), &format!("sarama-{version}")]);
        let finished = child::run(&mut command, b"", DEADLINE);
        let finished = finished.unwrap_or_else(|error| panic!("told {version}: {error}"));
        let said = String::from_utf8(finished.stdout).expect("text");
        assert!(
            said.ends_with("ran to its end\n"),
            "told {version}, it said:\n{said}"
        );
    }
}

#[test]
fn kcat_reads_what_it_wrote_in_every_codec_and_every_old_dialect() {
    let installed = Command::new("kcat").arg("-V").output().is_ok();
    if !installed {
        assert!(!in_ci(), "kcat is not installed");
        eprintln!("SKIPPED: kcat, because it is not installed");
        return;
    }
    let broker = start();
    let dialects: [&[&str]; 3] = [
        &[],
        &[
            "-X",
            "broker.version.fallback=0.9.0",
            "-X",
            "api.version.request=false",
        ],
        &[
            "-X",
            "broker.version.fallback=0.10.0",
            "-X",
            "api.version.request=false",
        ],
    ];
    for codec in ["none", "gzip", "snappy", "lz4"] {
        let topic = format!("kcat-{codec}");
        let mut expected = String::new();
        for (number, dialect) in dialects.into_iter().enumerate() {
            let line = format!("{codec} {number}\n");
            let write = ["-P", "-t", &topic, "-z", codec];
            kcat(&broker, &write, dialect, line.as_bytes());
            write!(expected, "{line}").expect("a string grows");
        }
        for dialect in dialects {
            let read = ["-C", "-t", &topic, "-e", "-q", "-o", "beginning"];
            assert_eq!(
                kcat(&broker, &read, dialect, b""),
                expected,
                "{codec} {dialect:?}"
            );
        }
    }
}

fn kcat(broker: &Broker, what: &[&str], dialect: &[&str], input: &[u8]) -> String {
    let mut command = Command::new("kcat");
    command
        .args(["-b", &broker.bootstrap()])
        .args(what)
        .args(dialect);
    let output = child::run(&mut command, input, DEADLINE);
    let output = output.unwrap_or_else(|error| panic!("kcat {what:?} {dialect:?}: {error}"));
    String::from_utf8(output.stdout).expect("text")
}
