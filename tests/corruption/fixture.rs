//! The data directory that every case damages a copy of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;
use vltava::wire::ErrorCode;
use vltava::wire::records::{BatchBuilder, Codec};

use crate::harness::broker::Broker;
use crate::harness::record::now_ms;
use crate::harness::scratch_dir;
use crate::harness::serve::Serve;
use crate::harness::wire_client::WireClient;

pub const TOPIC: &str = "t";
/// One for each damage, and some to spare that stay whole.
pub const PARTITIONS: i32 = 64;
pub const RECORDS_PER_BATCH: i64 = 5;
pub const BATCHES_PER_SEGMENT: i64 = 4;
pub const RECORDS_PER_SEGMENT: i64 = RECORDS_PER_BATCH * BATCHES_PER_SEGMENT;
/// Records that were there at the clean stop: three segments.
pub const CLEAN_END: i64 = 3 * RECORDS_PER_SEGMENT;
/// Records that were there at the kill: two segments more.
pub const KILLED_END: i64 = 5 * RECORDS_PER_SEGMENT;
/// What the group has committed.
pub const COMMITTED: i64 = 7;
pub const GROUP: &str = "g";

const DAY_MS: i64 = 24 * 3600 * 1000;

/// How the broker ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Clean,
    Killed,
}

/// What every broker over the directory is started with.
pub const PROPERTIES: [&str; 1] = ["offsets.topic.num.partitions=1"];

/// A copy of the directory as it was left.
pub fn copy(state: State) -> TempDir {
    let made = made().join(format!("{state:?}"));
    let copy = tempfile::Builder::new()
        .prefix("corruption-")
        .tempdir_in(scratch_dir())
        .expect("a scratch folder");
    let copied = Command::new("cp")
        .arg("-a")
        .arg(format!("{}/.", made.display()))
        .arg(copy.path())
        .status();
    assert!(copied.expect("cp is everywhere").success());
    copy
}

/// The value of a record, which no other record has.
pub fn value(partition: i32, offset: i64) -> String {
    let filler = usize::try_from((offset * 31 + i64::from(partition) * 17) % 90).expect("positive");
    format!(
        "{partition}:{offset}:{}",
        "abcdefghi ".repeat(12)[..filler + 10].to_owned()
    )
}

/// The time of a record: a segment a day.
pub fn timestamp(first_ms: i64, offset: i64) -> i64 {
    first_ms + offset / RECORDS_PER_SEGMENT * DAY_MS + offset
}

/// Starts the broker on a directory; it must get ready.
pub fn serve(dir: &Path) -> (Serve, WireClient) {
    let mut broker = Serve::spawn(&arguments(dir), &[]);
    let port = Serve::port_in(&broker.ready());
    (broker, WireClient::connect(port))
}

pub fn arguments(dir: &Path) -> Vec<String> {
    let dir = dir.display().to_string();
    let mut arguments: Vec<String> = ["--listen", "127.0.0.1:0", "--data-dir", &dir]
        .map(str::to_owned)
        .into();
    for property in PROPERTIES {
        arguments.extend(["--override".to_owned(), property.to_owned()]);
    }
    arguments
}

/// The time of the first record of all.
pub fn first_ms() -> i64 {
    let text = fs::read_to_string(made().join("first-ms")).expect("the fixture's time");
    text.parse().expect("a number")
}

/// Made by the first test that asks.
fn made() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let dir = scratch_dir().join("corruption");
        // What an earlier run has left; not there is as good.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a scratch folder");
        make(&dir);
        dir
    })
}

fn make(dir: &Path) {
    let first = now_ms() - 20 * DAY_MS;
    fs::write(dir.join("first-ms"), first.to_string()).expect("a scratch file");
    let properties = PROPERTIES.map(|property| property.split_once('=').expect("a pair"));
    let mut broker = Broker::start(&properties);
    let mut client = WireClient::connect(broker.port());
    let half_a_day = (DAY_MS / 2).to_string();
    let configs = [
        ("segment.ms", half_a_day.as_str()),
        ("index.interval.bytes", "0"),
        ("retention.ms", "-1"),
    ];
    client.create_topic_with(TOPIC, PARTITIONS, &configs);
    write(&mut client, first, 0, CLEAN_END);
    client.need_coordinator();
    let member = client.join_alone(GROUP);
    assert_eq!(client.commit(&member, COMMITTED), ErrorCode::NONE);
    drop(client);
    assert!(broker.stop().success());
    keep(&broker, dir, State::Clean);
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    write(&mut client, first, CLEAN_END, KILLED_END);
    broker.kill();
    keep(&broker, dir, State::Killed);
}

fn write(client: &mut WireClient, first: i64, from: i64, to: i64) {
    for base in (from..to).step_by(RECORDS_PER_BATCH as usize) {
        let codec = Codec::ALL[(base / RECORDS_PER_BATCH) as usize % Codec::ALL.len()];
        for partition in 0..PARTITIONS {
            let mut batch = BatchBuilder::new(codec).producer(4242, 0, base as i32);
            for offset in base..base + RECORDS_PER_BATCH {
                let value = value(partition, offset);
                batch.append(timestamp(first, offset), None, Some(value.as_bytes()), &[]);
            }
            assert_eq!(client.write_batch(TOPIC, partition, &batch.build()), base);
        }
    }
}

fn keep(broker: &Broker, dir: &Path, state: State) {
    let kept = dir.join(format!("{state:?}"));
    let copied = Command::new("cp")
        .arg("-a")
        .arg(broker.data_dir())
        .arg(&kept)
        .status();
    assert!(copied.expect("cp is everywhere").success());
}
