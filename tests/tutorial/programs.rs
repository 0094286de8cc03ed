//! Each printed Python program, on kafka-python of 2017, 2019, 2020 and today, and on the package `kafka`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::broker::Broker;
use crate::harness::toolchain::{self, OldPython};
use crate::harness::wire_client::WireClient;
use crate::harness::{child, package_dir};

/// Rebalances, and a program that sleeps 2 s ten times.
const DEADLINE: Duration = Duration::from_secs(150);

/// What a release wants said otherwise than printed: (program, old, new).
type Changes = &'static [(&'static str, &'static str, &'static str)];

const NO_SLEEP: (&str, &str, &str) = ("create_topic", ", sleep=False", "");
/// The page goes on with its producer of JSON and has it send bytes. Until 1.3.5 the failure goes to the error callback, later it raises.
const PRODUCER_OF_BYTES: (&str, &str, &str) = (
    "producer",
    "# produce asynchronously\n",
    "producer.flush()\nproducer = KafkaProducer()\n",
);

/// `poll(sleep=)` went with 1.3.5.
const SINCE_1_3_5: Changes = &[NO_SLEEP];
const SINCE_1_4: Changes = &[NO_SLEEP, PRODUCER_OF_BYTES];
/// A string is no list of topics any more; the raw client is gone, the admin client is there.
const SINCE_3: Changes = &[
    PRODUCER_OF_BYTES,
    ("consumer_pause", "topics=('test')", "topics=['test']"),
];

/// A printed program at work, and what it has said so far.
struct Program {
    name: &'static str,
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Program {
    fn start(release: &Release, name: &'static str, more: &[&str]) -> Program {
        let mut child = release
            .command(name, more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("Python starts");
        let mut stdout = child.stdout.take().expect("piped");
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]);
                heard.lock().expect("no panic").push_str(&text);
            }
        });
        Program { name, child, said }
    }

    fn said(&self) -> String {
        self.said.lock().expect("no panic").clone()
    }

    /// The beginning of what it said, for a person who wonders why it is not done.
    fn began_with(&self) -> String {
        self.said().chars().take(500).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Most of them never end by themselves.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Release {
    python: PathBuf,
    changes: Changes,
    bootstrap: String,
}

impl Release {
    fn command(&self, name: &str, more: &[&str]) -> Command {
        let folder = package_dir().join("tests/tutorial");
        let program = folder.join("programs").join(name).with_extension("py");
        let mut command = Command::new(&self.python);
        command.arg("-u").arg(folder.join("run.py"));
        command.arg(program).arg(&self.bootstrap).args(more);
        command.env("PYTHONIOENCODING", "utf-8");
        for (of, old, new) in self.changes {
            if *of == name {
                command.args([old, new]);
            }
        }
        command
    }

    /// Runs a program that ends by itself; its output.
    fn run(&self, name: &str) -> String {
        let finished = child::run(&mut self.command(name, &[]), b"", DEADLINE);
        let finished = finished.unwrap_or_else(|error| panic!("{name}: {error}"));
        String::from_utf8(finished.stdout).expect("text")
    }
}

/// Runs every program of the page on one release, against a broker of its own whose id is 2, as the page has it.
fn every_program_runs(python: Option<&Path>, changes: Changes, raw_client: bool) {
    let Some(python) = python else { return };
    let broker = Broker::start(&[
        ("node.id", "2"),
        ("group.initial.rebalance.delay.ms", "100"),
    ]);
    let release = Release {
        python: python.to_owned(),
        changes,
        bootstrap: broker.bootstrap(),
    };
    let mut client = WireClient::connect(broker.port());
    for topic in ["test", "test0"] {
        client.create_topic(topic, 1);
    }
    for number in 0..10 {
        client.write("test", 0, &[&format!("m{number}")]);
    }
    the_producer_runs(&release, &mut client);
    if raw_client {
        topics_are_created_on_a_raw_client(&release);
    }
    the_consumers_run(&release, &mut client);
}

fn the_producer_runs(release: &Release, client: &mut WireClient) {
    let said = release.run("producer");
    assert!(said.starts_with("my-topic\n0\n0\n"), "{said}");
    assert!(said.ends_with("ran to its end\n"), "{said}");
    assert_eq!(
        client.read_all("my-topic", 0)[0],
        (0, "raw_bytes".to_owned())
    );
    let json = client.read_all("json-topic", 0);
    assert_eq!(json, [(0, r#"{"key": "value"}"#.to_owned())]);
}

fn topics_are_created_on_a_raw_client(release: &Release) {
    let first = release.run("create_topic");
    let created = "[(topic='made-by-hand', error_code=0)]";
    assert!(
        first.contains("CREATE TOPIC RESPONSE: ") && first.contains(created),
        "{first}"
    );
    assert_eq!(
        release.run("create_topic"),
        "Topic already exists!\nran to its end\n"
    );
}

/// Whether a consumer has shown all that it has to show.
fn is_done(program: &str, said: &str) -> bool {
    let has = |words: &str| said.contains(words);
    match program {
        "consumer" => has("test:0:") && has("value=b'm"),
        "consumer_earliest" => has("test:0:0: key=None value=b'm0'\ntest:0:1:"),
        "consumer_seek" => {
            has("{0}\n") && has("{'test'}\n") && has("test:0:5: key=None value=b'm5'")
        }
        "consumer_topics" => has("'test0'") && has("test:0:") && has("test0:0:"),
        "consumer_poll" => has("topic='test'") && has("topic='test0'"),
        "consumer_pause" => has("resume......\n10\nset()\n") && has("topic='test'"),
        "consumer_demo" => has("my-topic:0:") && said.ends_with("ran to its end\n"),
        _ => panic!("no program of the page is called {program}"),
    }
}

fn the_consumers_run(release: &Release, client: &mut WireClient) {
    let mut waiting = vec![Program::start(release, "consumer_demo", &["--end-loop"])];
    for name in [
        "consumer",
        "consumer_earliest",
        "consumer_seek",
        "consumer_topics",
        "consumer_poll",
        "consumer_pause",
    ] {
        waiting.push(Program::start(release, name, &[]));
    }
    let group = [(); 2].map(|()| Program::start(release, "consumer_group", &[]));
    let in_group = |group: &[Program; 2]| group.iter().map(Program::said).collect::<Vec<_>>();
    let began = Instant::now();
    let mut number = 10;
    while !waiting.is_empty() || in_group(&group).concat().is_empty() {
        // The demo ends its first loop when nothing more comes.
        let demo = waiting.iter().find(|one| one.name == "consumer_demo");
        let topics: &[&str] = match demo {
            Some(demo) if demo.said().is_empty() => &["test", "test0", "my-topic"],
            _ => &["test", "test0"],
        };
        for topic in topics {
            client.write(topic, 0, &[&format!("m{number}")]);
        }
        number += 1;
        thread::sleep(Duration::from_millis(200));
        waiting.retain(|program| !is_done(program.name, &program.said()));
        if began.elapsed() > DEADLINE {
            let lacking = waiting.iter().map(|one| (one.name, one.began_with()));
            let group = group.iter().map(Program::began_with);
            panic!(
                "{:?}, group: {:?}",
                lacking.collect::<Vec<_>>(),
                group.collect::<Vec<_>>()
            );
        }
    }
    let said = in_group(&group);
    let twice = said[0]
        .lines()
        .find(|line| said[1].lines().any(|other| other == *line));
    assert_eq!(twice, None, "both members of the group were given it");
}

fn every_program_runs_on(release: OldPython, changes: Changes) {
    every_program_runs(release.interpreter().as_deref(), changes, true);
}

#[test]
fn every_program_runs_as_printed_on_the_release_it_was_written_for() {
    every_program_runs_on(OldPython::KafkaPython134, &[]);
}

#[test]
fn every_program_runs_on_the_package_kafka_that_the_page_installs() {
    every_program_runs_on(OldPython::Kafka135, SINCE_1_3_5);
}

#[test]
fn every_program_runs_on_kafka_python_of_2019() {
    every_program_runs_on(OldPython::KafkaPython147, SINCE_1_4);
}

#[test]
fn every_program_runs_on_kafka_python_of_2020() {
    every_program_runs_on(OldPython::KafkaPython202, SINCE_1_4);
}

/// Its raw client is gone: our own page has the topic made with the admin client.
#[test]
fn every_program_runs_on_kafka_python_of_today() {
    every_program_runs(toolchain::python(), SINCE_3, false);
}
