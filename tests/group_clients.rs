//! Groups as real clients see them.
//!
//! Setup: a broker with short delays; Java's client, librdkafka, franz-go and kafka-python of today, each with a program of its own
//! (tests/clients/README.md), and all of them in one group. Expectation: partitions are shared without two owners, nothing is lost or read
//! twice while nobody fails, cooperative and static members keep what they have, and what is made later is noticed.

mod harness;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use harness::broker::Broker;
use harness::child;
use harness::driver::group_programs;
use harness::wire_client::WireClient;

const DEADLINE: Duration = Duration::from_secs(180);

fn start() -> Broker {
    Broker::start(&[("group.initial.rebalance.delay.ms", "100")])
}

fn scenarios_run(client: &str) {
    let broker = start();
    for (_, mut command) in group_programs()
        .into_iter()
        .filter(|(name, _)| *name == client)
    {
        command.args(["scenarios", &broker.bootstrap()]);
        let finished = child::run(&mut command, b"", DEADLINE);
        let finished = finished.unwrap_or_else(|error| panic!("{client}: {error}"));
        let said = String::from_utf8(finished.stdout).expect("text");
        assert!(said.ends_with("ran to its end\n"), "{client}: {said}");
    }
}

#[test]
fn java_members_share_come_back_and_notice() {
    scenarios_run("java");
}

#[test]
fn librdkafka_members_share_come_back_and_notice() {
    scenarios_run("librdkafka");
}

#[test]
fn franz_go_members_share_come_back_and_notice() {
    scenarios_run("franz-go");
}

#[test]
fn kafka_python_members_share_and_notice() {
    scenarios_run("kafka-python");
}

/// A member in a process of its own, and the last that it said it owns.
struct Member {
    client: &'static str,
    process: Child,
    stdin: Option<ChildStdin>,
    owns: Arc<Mutex<Vec<i32>>>,
}

impl Member {
    fn join(client: &'static str, mut command: Command, bootstrap: &str, topic: &str) -> Member {
        command.args(["member", bootstrap, "mixed", topic]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the client's program starts");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let owns = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&owns);
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(list) = line.strip_prefix("owns ") {
                    let numbers = list.trim_matches(['[', ']']).split(", ");
                    let owned = numbers.filter_map(|number| number.parse().ok()).collect();
                    *heard.lock().expect("no panic") = owned;
                }
            }
        });
        Member {
            client,
            stdin: process.stdin.take(),
            process,
            owns,
        }
    }

    fn owns(&self) -> Vec<i32> {
        self.owns.lock().expect("no panic").clone()
    }

    /// Has it leave, and waits for its end.
    fn leave(mut self) {
        drop(self.stdin.take());
        let status = child::wait(&mut self.process, DEADLINE);
        assert!(
            status.is_some_and(|status| status.success()),
            "{} ended with {status:?}",
            self.client
        );
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until the members own all partitions of `0..partitions`, as evenly as can be, each once.
fn wait_until_shared(members: &[Member], partitions: i32) {
    let began = Instant::now();
    loop {
        let shares: Vec<_> = members.iter().map(Member::owns).collect();
        let mut owned = shares.concat();
        owned.sort_unstable();
        let sizes = shares.iter().map(Vec::len);
        let even = sizes.clone().max().unwrap_or(0) - sizes.min().unwrap_or(0) <= 1;
        if even && owned == (0..partitions).collect::<Vec<_>>() {
            return;
        }
        let clients: Vec<_> = members.iter().map(|member| member.client).collect();
        assert!(began.elapsed() < DEADLINE, "{clients:?} own {shares:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn members_of_different_clients_share_one_group() {
    let broker = start();
    WireClient::connect(broker.port()).create_topic("t", 8);
    let mut members = Vec::new();
    for (client, command) in group_programs() {
        members.push(Member::join(client, command, &broker.bootstrap(), "t"));
        wait_until_shared(&members, 8);
    }
    while members.len() > 1 {
        members.remove(0).leave();
        wait_until_shared(&members, 8);
    }
}
