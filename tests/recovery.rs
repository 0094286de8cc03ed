//! A start after the process was killed: nothing is lost, and only what need be is checked again.
//!
//! Setup: a topic of many partitions with records of which nothing was synced, a broker that writes its checkpoints often, SIGKILL,
//! and files changed before the next start. Expectation: all acknowledged records are there; the log says how many bytes were
//! checked: none below the written positions of this boot, all of them where these cannot be believed.

mod harness;

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::path::Path;

use harness::batches::batch_of_bytes;
use harness::broker::Broker;
use harness::wire_client::{WireClient, wait_until};

const TOPIC: &str = "t";
const PARTITIONS: i32 = 40;
const CHECKPOINT: &str = "written-position-checkpoint";
const CHECKPOINTS_OFTEN: (&str, &str) = ("log.flush.offset.checkpoint.interval.ms", "20");
const NO_CHECKPOINTS: (&str, &str) = ("log.flush.offset.checkpoint.interval.ms", "3600000");

/// A broker with two batches in every partition, nothing of it synced.
fn broker_with_records(checkpoints: (&str, &str)) -> Broker {
    let broker = Broker::start(&[checkpoints]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic(TOPIC, PARTITIONS);
    for partition in 0..PARTITIONS {
        for _ in 0..2 {
            client.write_batch(TOPIC, partition, &batch_of_bytes(3000));
        }
    }
    broker
}

fn segment(broker: &Broker, partition: i32) -> std::path::PathBuf {
    let name = format!("{TOPIC}-{partition}/00000000000000000000.log");
    broker.data_dir().join(name)
}

fn bytes_in(broker: &Broker, partition: i32) -> u64 {
    let metadata = fs::metadata(segment(broker, partition));
    metadata.expect("the partition's segment").len()
}

fn all_bytes(broker: &Broker) -> u64 {
    (0..PARTITIONS)
        .map(|partition| bytes_in(broker, partition))
        .sum()
}

/// Positions by partition, as the checkpoint has them now.
fn positions(dir: &Path) -> HashMap<i32, u64> {
    let text = fs::read_to_string(dir.join(CHECKPOINT)).unwrap_or_default();
    let entry = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let known = words.first() == Some(&TOPIC) && words.len() == 8;
        known.then(|| (words[1].parse().unwrap(), words[3].parse().unwrap()))
    };
    text.lines().filter_map(entry).collect()
}

/// Waits until the checkpoint has all that was written, and kills the broker.
fn kill_after_checkpoint(broker: &mut Broker) {
    wait_until("everything written is in the checkpoint", || {
        let positions = positions(&broker.data_dir());
        (0..PARTITIONS)
            .all(|partition| positions.get(&partition) == Some(&bytes_in(broker, partition)))
    });
    broker.kill();
}

/// Restarts; returns what this start has logged.
fn restart(broker: &mut Broker) -> String {
    let before = broker.log().len();
    broker.restart();
    broker.log().split_off(before)
}

/// The last word on the opening: bytes checked.
fn checked_bytes(log: &str) -> u64 {
    let line = log
        .lines()
        .find(|line| {
            line.contains(&format!(
                "opened partitions: {PARTITIONS} of {PARTITIONS}, "
            ))
        })
        .unwrap_or_else(|| panic!("no word on the opening:\n{log}"));
    let (before, _) = line.split_once(" bytes checked").expect("bytes checked");
    let (_, number) = before.rsplit_once(' ').expect("a number");
    number.parse().expect("a number")
}

fn records_in(broker: &Broker, partition: i32) -> usize {
    WireClient::connect(broker.port())
        .read_all(TOPIC, partition)
        .len()
}

fn assert_all_there(broker: &Broker) {
    for partition in 0..PARTITIONS {
        assert_eq!(records_in(broker, partition), 2, "partition {partition}");
    }
}

/// Kernels before 6.5 do not tell what is in the page cache: everything is checked there.
fn page_cache_is_told() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("Linux");
    let mut numbers = release.split(['.', '-']).map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
    (next(), next()) >= (6, 5)
}

/// Changes a line of the checkpoint and makes its checksum right again.
fn rewrite(broker: &Broker, change: impl Fn(&str) -> String) {
    let path = broker.data_dir().join(CHECKPOINT);
    let text = fs::read_to_string(&path).expect("the checkpoint");
    let (body, _) = text.trim_end().rsplit_once('\n').expect("lines");
    let body = change(&format!("{body}\n"));
    let checksum = vltava::wire::records::crc::crc32c(body.as_bytes());
    fs::write(&path, format!("{body}{checksum:08x}\n")).expect("the checkpoint");
}

#[test]
fn what_was_written_before_the_kill_is_there_and_is_not_checked_again() {
    let mut broker = broker_with_records(CHECKPOINTS_OFTEN);
    kill_after_checkpoint(&mut broker);
    let log = restart(&mut broker);
    let expected = match page_cache_is_told() {
        true => 0,
        false => all_bytes(&broker),
    };
    assert_eq!(checked_bytes(&log), expected, "{log}");
    assert_all_there(&broker);
    // And once more: a start that has come to its end writes its own checkpoint.
    wait_until("the next checkpoint", || {
        broker.data_dir().join(CHECKPOINT).exists()
    });
    broker.kill();
    assert_eq!(checked_bytes(&restart(&mut broker)), expected);
    assert_all_there(&broker);
}

#[test]
fn without_a_checkpoint_everything_is_checked_and_nothing_is_lost() {
    let mut broker = broker_with_records(NO_CHECKPOINTS);
    broker.kill();
    let log = restart(&mut broker);
    assert_eq!(checked_bytes(&log), all_bytes(&broker));
    assert_all_there(&broker);
}

#[test]
fn a_checkpoint_of_another_boot_is_not_believed() {
    let mut broker = broker_with_records(CHECKPOINTS_OFTEN);
    kill_after_checkpoint(&mut broker);
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("Linux");
    let other = "00000000-0000-4000-8000-000000000000";
    rewrite(&broker, |text| {
        assert!(text.contains(boot_id.trim()));
        text.replace(boot_id.trim(), other)
    });
    let log = restart(&mut broker);
    assert!(log.contains("the machine was started"), "{log}");
    assert_eq!(checked_bytes(&log), all_bytes(&broker));
    assert_all_there(&broker);
}

#[test]
fn a_damaged_checkpoint_is_not_believed() {
    let mut broker = broker_with_records(CHECKPOINTS_OFTEN);
    kill_after_checkpoint(&mut broker);
    let path = broker.data_dir().join(CHECKPOINT);
    let text = fs::read_to_string(&path).expect("the checkpoint");
    fs::write(&path, &text[..text.len() / 2]).expect("the checkpoint");
    let log = restart(&mut broker);
    assert!(log.contains("it is damaged"), "{log}");
    assert_eq!(checked_bytes(&log), all_bytes(&broker));
    assert_all_there(&broker);
}

#[test]
fn a_log_that_shrank_is_checked_and_the_others_are_not() {
    let mut broker = broker_with_records(CHECKPOINTS_OFTEN);
    kill_after_checkpoint(&mut broker);
    let whole = bytes_in(&broker, 3);
    let file = OpenOptions::new().write(true).open(segment(&broker, 3));
    file.unwrap().set_len(whole - 1).unwrap();
    let log = restart(&mut broker);
    assert!(
        log.contains(&format!("{TOPIC}-3: cut off at offset 1 ")),
        "{log}"
    );
    if page_cache_is_told() {
        assert_eq!(checked_bytes(&log), whole / 2);
    }
    assert_eq!(records_in(&broker, 3), 1);
    assert_eq!(records_in(&broker, 4), 2);
}

#[test]
fn a_clean_stop_leaves_nothing_to_check() {
    let mut broker = broker_with_records(CHECKPOINTS_OFTEN);
    assert!(broker.stop().success());
    assert!(!broker.data_dir().join(CHECKPOINT).exists());
    let log = restart(&mut broker);
    // Only a slow start has a word on it.
    assert!(
        !log.contains("opened partitions") || checked_bytes(&log) == 0,
        "{log}"
    );
    assert_all_there(&broker);
}
