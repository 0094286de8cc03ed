//! The clients that run as programs of their own: how to start each driver and how to talk with it.
//!
//! The command line and the lines are those of `tests/clients/README.md`.

use std::process::Command;
use std::time::Duration;

use super::record::Record;
use super::{child, package_dir, toolchain};

/// A driver gives up by itself a little earlier, with a better message.
const DEADLINE: Duration = Duration::from_secs(150);

/// The command that starts a driver, ready for its arguments; `None` if its toolchain is missing.
pub type Start = fn() -> Option<Command>;

pub fn librdkafka() -> Option<Command> {
    python_script("librdkafka_driver.py")
}

pub fn kafka_python() -> Option<Command> {
    python_script("kafka_python_driver.py")
}

pub fn franz_go() -> Option<Command> {
    toolchain::go_driver().map(Command::new)
}

pub fn java() -> Option<Command> {
    let classes = toolchain::java_classes()?;
    let mut command = Command::new("java");
    // Short-lived and on few cores: the simplest collector and compiler start soonest.
    command.args([
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xmx1g",
        "-cp",
    ]);
    command.arg(format!("{0}:{0}/*", classes.display()));
    command.arg("Driver");
    Some(command)
}

fn python_script(name: &str) -> Option<Command> {
    let mut command = Command::new(toolchain::python()?);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(package_dir().join("tests/clients/python").join(name));
    Some(command)
}

/// The programs that show what members of a group see.
pub fn group_programs() -> Vec<(&'static str, Command)> {
    programs("Groups", &["librdkafka", "kafka-python"])
}

/// The programs of a theme, by client: the Java class of this name, the same word in small letters for the others. Those whose
/// toolchain is missing are left out (in CI that is a failure).
pub fn programs(theme: &str, pythons: &[&'static str]) -> Vec<(&'static str, Command)> {
    let word = theme.to_lowercase();
    let mut programs = Vec::new();
    if let Some(classes) = toolchain::java_classes() {
        let mut command = Command::new("java");
        let path = format!("{0}:{0}/*", classes.display());
        command.args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", &path, theme]);
        programs.push(("java", command));
    }
    if let Some(driver) = toolchain::go_driver() {
        let mut command = Command::new(driver);
        command.arg(&word);
        programs.push(("franz-go", command));
    }
    if let Some(python) = toolchain::python() {
        for client in pythons {
            let mut command = Command::new(python);
            command.arg("-u");
            let script = format!("tests/clients/python/{word}.py");
            command.arg(package_dir().join(script));
            command.arg(client);
            programs.push((client, command));
        }
    }
    programs
}

/// The client library's name and version.
pub fn version(start: Start) -> String {
    call(start, &["version"], "").trim().to_owned()
}

pub fn create_topics(start: Start, bootstrap: &str, topics: &[&str], partitions: i32) {
    let partitions = partitions.to_string();
    let mut arguments = vec![
        "create",
        "--bootstrap",
        bootstrap,
        "--partitions",
        &partitions,
    ];
    push_topics(&mut arguments, topics);
    call(start, &arguments, "");
}

/// Sets all that can be changed of a topic and a broker back to what it is, then `max.message.bytes=4242` on the topic; gives back the
/// topic's settings: name, value, source.
pub fn settings(start: Start, bootstrap: &str, topic: &str) -> Vec<[String; 3]> {
    let arguments = ["settings", "--bootstrap", bootstrap, "--topic", topic];
    let output = call(start, &arguments, "");
    let fields = |line: &str| -> Vec<String> { line.split('\t').map(ToOwned::to_owned).collect() };
    output
        .lines()
        .map(|line| fields(line).try_into().expect("name TAB value TAB source"))
        .collect()
}

/// Writes `records` and gives them back with the places that the broker answered.
pub fn produce(
    start: Start,
    bootstrap: &str,
    codec: &str,
    idempotent: bool,
    records: &[Record],
) -> Vec<Record> {
    let idempotent = if idempotent { "true" } else { "false" };
    let mut input = String::new();
    for record in records {
        record.write_line(&mut input);
    }
    let arguments = [
        "produce",
        "--bootstrap",
        bootstrap,
        "--codec",
        codec,
        "--idempotent",
        idempotent,
    ];
    let output = call(start, &arguments, &input);
    let mut places = output.lines().map(|line| {
        let (partition, offset) = line.split_once('\t').expect("partition TAB offset");
        (
            partition.parse().expect("a partition"),
            offset.parse().expect("an offset"),
        )
    });
    let placed = records
        .iter()
        .map(|record| {
            let (partition, offset) = places.next().expect("a place for every record");
            Record {
                partition: Some(partition),
                offset: Some(offset),
                ..record.clone()
            }
        })
        .collect();
    assert_eq!(places.next(), None, "more places than records");
    placed
}

/// Reads every record of `topics`, in no particular order.
pub fn consume(start: Start, bootstrap: &str, topics: &[&str]) -> Vec<Record> {
    let mut arguments = vec!["consume", "--bootstrap", bootstrap];
    push_topics(&mut arguments, topics);
    call(start, &arguments, "")
        .lines()
        .map(Record::parse_line)
        .collect()
}

fn push_topics<'a>(arguments: &mut Vec<&'a str>, topics: &[&'a str]) {
    for topic in topics {
        arguments.extend(["--topic", topic]);
    }
}

fn call(start: Start, arguments: &[&str], input: &str) -> String {
    let mut command = start().expect("only clients that are available are called");
    let finished = child::run(command.args(arguments), input.as_bytes(), DEADLINE)
        .unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(finished.stdout).expect("drivers print ASCII")
}
