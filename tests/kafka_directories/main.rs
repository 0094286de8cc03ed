//! One data directory under Apache Kafka and under this broker, in turn: what one wrote the other serves, whole.
//!
//! Setup: a node of Apache Kafka as one process, broker and controller in one, from its registry by name and version, and the broker
//! under test on the same directory. Expectation: records, offsets, settings and groups are the same on both sides, after clean stops and
//! after kills; Kafka's own tools find nothing to complain about; and what cannot be taken over is refused by name, with not a byte changed.
//!
//! Without Java and Maven the tests that need Kafka say SKIPPED and do nothing.

#[path = "../harness/mod.rs"]
mod harness;

mod crafted;
mod kafka;
mod refusals;
mod seen;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use harness::scratch_dir;
use harness::serve::Serve;
use harness::wire_client::WireClient;
use kafka::{Kafka, Quorum};
use seen::{Work, look};
use tempfile::TempDir;

/// The node's id, on both sides.
const NODE_ID: &str = "1";

/// A data directory of its own.
fn home() -> (TempDir, PathBuf) {
    let home = tempfile::Builder::new()
        .prefix("directory-")
        .tempdir_in(scratch_dir())
        .expect("a scratch folder");
    let data = home.path().join("data");
    (home, data)
}

/// This broker on a directory.
struct Vltava {
    serve: Serve,
    port: u16,
}

impl Vltava {
    fn start(data: &Path) -> Vltava {
        let mut serve = Serve::spawn(&arguments(data), &[]);
        let port = Serve::port_in(&serve.ready());
        Vltava { serve, port }
    }

    fn client(&self) -> WireClient {
        WireClient::connect(self.port)
    }

    /// Stops in order; what it logged must not complain.
    fn stop(mut self) {
        self.serve.signal("TERM");
        let (status, log) = self.serve.wait();
        assert!(status.success(), "{log}");
        for line in log.lines() {
            assert!(!line.contains("WARN") && !line.contains("ERROR"), "{log}");
        }
    }

    fn kill(mut self) {
        self.serve.end();
    }
}

fn arguments(data: &Path) -> Vec<String> {
    let data = data.to_str().expect("UTF-8");
    let mut arguments = vec![
        "--listen".to_owned(),
        "127.0.0.1:0".to_owned(),
        "--data-dir".to_owned(),
        data.to_owned(),
    ];
    for property in [
        "group.initial.rebalance.delay.ms=0",
        "log.cleaner.backoff.ms=50",
        "offsets.topic.num.partitions=3",
    ] {
        arguments.extend(["--override".to_owned(), property.to_owned()]);
    }
    arguments
}

#[test]
fn a_directory_of_kafka_is_served_with_everything_in_it_and_goes_back() {
    let Some(kafka) = Kafka::available() else {
        return;
    };
    let (_home, data) = home();
    kafka.format(&data, &[]);
    let running = kafka.start(&data, Quorum::InTheLog, &[]);
    let mut work = Work::begin(&mut running.client());
    kafka.use_new_groups_and_transactions(&running);
    let before = look(&mut running.client());
    running.stop();

    let vltava = Vltava::start(&data);
    assert_eq!(look(&mut vltava.client()), before, "Kafka stopped in order");
    work.go_on(&mut vltava.client());
    let before = look(&mut vltava.client());
    vltava.stop();

    let running = kafka.start(&data, Quorum::InTheLog, &[]);
    assert_eq!(
        look(&mut running.client()),
        before,
        "this broker stopped in order"
    );
    work.go_on(&mut running.client());
    let before = look(&mut running.client());
    running.kill();

    let vltava = Vltava::start(&data);
    assert_eq!(look(&mut vltava.client()), before, "Kafka was killed");
    work.go_on(&mut vltava.client());
    let before = look(&mut vltava.client());
    vltava.kill();

    let running = kafka.start(&data, Quorum::InTheLog, kafka::MANY_SNAPSHOTS);
    assert_eq!(
        look(&mut running.client()),
        before,
        "this broker was killed"
    );
    running.wait_for_snapshot(&data);
    running.stop();
    let removed = trim_metadata(&data);
    assert!(removed > 0, "no segment lies before the newest snapshot");

    let vltava = Vltava::start(&data);
    assert_eq!(
        look(&mut vltava.client()),
        before,
        "the metadata begins with a snapshot"
    );
    work.go_on(&mut vltava.client());
    vltava.stop();
}

#[test]
fn a_directory_of_this_broker_is_clean_for_kafkas_tools_and_served_by_kafka() {
    let Some(kafka) = Kafka::available() else {
        return;
    };
    let (_home, data) = home();
    let vltava = Vltava::start(&data);
    let mut work = Work::begin(&mut vltava.client());
    let before = look(&mut vltava.client());
    vltava.stop();
    let dumped = tools::check_every_file(&kafka, &data);
    assert!(dumped > before.records(), "{dumped} records were dumped");

    let running = kafka.start(&data, Quorum::InTheFile, &[]);
    assert_eq!(look(&mut running.client()), before);
    work.go_on(&mut running.client());
    let before = look(&mut running.client());
    running.stop_without_complaint();

    let vltava = Vltava::start(&data);
    assert_eq!(look(&mut vltava.client()), before);
    vltava.stop();
    tools::check_every_file(&kafka, &data);
}

/// Removes the segments of the metadata log that end before its newest snapshot, as Kafka does after a while; returns how many.
fn trim_metadata(data: &Path) -> usize {
    let dir = data.join("__cluster_metadata-0");
    let snapshot = kafka::snapshots(&dir).into_iter().max();
    let snapshot = snapshot.expect("a snapshot");
    let mut bases: Vec<i64> = names(&dir)
        .iter()
        .filter_map(|name| name.strip_suffix(".log")?.parse().ok())
        .collect();
    bases.sort_unstable();
    let covered = bases.windows(2).filter(|pair| pair[1] <= snapshot);
    let covered: Vec<i64> = covered.map(|pair| pair[0]).collect();
    for base in &covered {
        for name in names(&dir) {
            if name.starts_with(&format!("{base:020}.")) {
                fs::remove_file(dir.join(name)).expect("a file of ours");
            }
        }
    }
    covered.len()
}

/// The names in a directory.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("UTF-8")
    };
    entries.map(name).collect()
}
