//! The three delivery semantics, while clients and the broker are killed at random.
//!
//! Setup: an idempotent producer that numbers its records and sends as fast as it may, three members of one group that write what
//! they process to a database, and, at moments that the printed seed decides: members killed, members paused for longer than their
//! session and woken again (the group has gone on without them), the broker killed or stopped, and started again. Expectation: at most once never processes a record twice, at
//! least once processes every one, exactly once (the offset kept in the application's own database) each exactly once.
//!
//! `VLTAVA_TEST_SEED` repeats a run, `VLTAVA_TEST_KILLS` makes it longer.

mod harness;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use harness::broker::Broker;
use harness::group_requests::join_request;
use harness::wire_client::WireClient;
use harness::{child, package_dir, scratch_dir, toolchain};
use vltava::wire::messages::join_group::JoinGroupRequest;

const TOPIC: &str = "numbers";
const RECORDS: usize = 10_000;
/// Longer than the members' session.
const PAUSE: Duration = Duration::from_millis(1_600);
/// Reading all that is left takes seconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(180);

/// A small generator of random numbers (SplitMix64): reproducible from its seed.
struct Dice(u64);

impl Dice {
    fn from_environment() -> Dice {
        let drawn = || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.expect("a clock after 1970").as_nanos() as u64
        };
        let seed = number_of("VLTAVA_TEST_SEED").unwrap_or_else(drawn);
        eprintln!("VLTAVA_TEST_SEED={seed}");
        Dice(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Children that are killed when the test ends, however it ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Killed {
    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill is everywhere").success(), "it has ended");
    }
}

/// What really happened.
#[derive(Default, Debug)]
struct Counts {
    broker_ends: usize,
    members_killed: usize,
    members_paused: usize,
}

/// The generation that a member joins into: how often the group has rebalanced.
fn newest_generation(client: &mut WireClient, group: &str) -> i32 {
    // Forgotten soon: the group is still needed.
    let request = JoinGroupRequest {
        session_timeout_ms: 500,
        rebalance_timeout_ms: 500,
        ..join_request(group, "")
    };
    client.join(&request).generation_id
}

fn delivery(python: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(python);
    command
        .arg(package_dir().join("tests/clients/python/delivery.py"))
        .args(arguments);
    command
}

/// Runs one semantics through its kills and returns how often each number was processed.
fn processed_under_kills(mode: &str) -> Option<BTreeMap<usize, usize>> {
    let python = toolchain::python()?;
    let mut broker = Broker::start(&[
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "100"),
        ("offsets.topic.num.partitions", "3"),
    ]);
    WireClient::connect(broker.port()).create_topic(TOPIC, 3);
    let home = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
    let database = home.path().join("rows.db");
    let database = database.to_str().expect("a path in UTF-8");
    let bootstrap = broker.bootstrap();
    let member = || {
        let mut member = delivery(python, &[mode, &bootstrap, TOPIC, database]);
        let started = member.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Killed(started.expect("Python starts"))
    };
    let count = RECORDS.to_string();
    let mut producer = delivery(python, &["produce", &bootstrap, TOPIC, &count]);
    let producer_started = producer.stderr(Stdio::null()).spawn();
    let mut producer = Killed(producer_started.expect("Python starts"));
    let mut members = [member(), member(), member()];
    let mut dice = Dice::from_environment();
    let mut counts = Counts::default();
    // Each kind of trouble comes at least once.
    let first = dice.below(4);
    for step in 0..number_of("VLTAVA_TEST_KILLS").unwrap_or(8) {
        thread::sleep(Duration::from_millis(300 + dice.below(900)));
        let unlucky = dice.below(members.len() as u64) as usize;
        match if step < 4 {
            (step + first) % 4
        } else {
            dice.below(4)
        } {
            0 => {
                broker.kill();
                broker.restart();
                counts.broker_ends += 1;
            }
            1 => {
                broker.stop();
                broker.restart();
                counts.broker_ends += 1;
            }
            2 => {
                members[unlucky] = member();
                counts.members_killed += 1;
            }
            _ => {
                members[unlucky].signal("STOP");
                thread::sleep(PAUSE);
                members[unlucky].signal("CONT");
                counts.members_paused += 1;
            }
        }
    }
    let produced = child::wait(&mut producer.0, DEADLINE).expect("the producer ends");
    assert!(produced.success(), "every record is acknowledged");
    // What a member did late, it did by now.
    thread::sleep(PAUSE);
    drop(members);
    let generation = newest_generation(&mut WireClient::connect(broker.port()), mode);
    let mut last = delivery(python, &[mode, &bootstrap, TOPIC, database, "end"]);
    child::run(&mut last, b"", DEADLINE).unwrap_or_else(|error| panic!("{error}"));
    let rows = child::run(&mut delivery(python, &["rows", database]), b"", DEADLINE);
    let rows = rows.unwrap_or_else(|error| panic!("{error}")).stdout;
    let mut processed = BTreeMap::new();
    for line in String::from_utf8(rows).expect("numbers").lines() {
        *processed
            .entry(line.parse().expect("a number"))
            .or_default() += 1;
    }
    eprintln!(
        "{mode}: {} of {RECORDS} numbers processed; {counts:?}, {generation} generations",
        processed.len()
    );
    assert!(counts.broker_ends > 1 && counts.members_killed > 0 && counts.members_paused > 0);
    assert!(generation > 2, "the group hardly rebalanced");
    Some(processed)
}

fn assert_none_twice(processed: &BTreeMap<usize, usize>) {
    let twice: Vec<_> = processed.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "processed more than once: {twice:?}");
}

fn assert_none_lost(processed: &BTreeMap<usize, usize>) {
    let lost: Vec<_> = (0..RECORDS)
        .filter(|number| !processed.contains_key(number))
        .collect();
    assert!(lost.is_empty(), "never processed: {lost:?}");
}

#[test]
fn at_most_once_processes_no_record_twice() {
    let Some(processed) = processed_under_kills("at-most-once") else {
        return;
    };
    assert_none_twice(&processed);
    assert!(
        processed.len() > RECORDS / 2,
        "hardly anything was processed"
    );
}

#[test]
fn at_least_once_loses_no_record() {
    if let Some(processed) = processed_under_kills("at-least-once") {
        assert_none_lost(&processed);
    }
}

#[test]
fn exactly_once_with_the_offset_in_the_applications_database() {
    if let Some(processed) = processed_under_kills("exactly-once") {
        assert_none_twice(&processed);
        assert_none_lost(&processed);
    }
}
