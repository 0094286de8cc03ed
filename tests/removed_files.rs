//! Somebody removes files of the broker, stopped or running: it says what is missing and goes on.
//!
//! Setup: a topic with records; a folder, a file or everything is removed. Expectation: the broker never ends and never panics; other topics
//! do not notice; the topic can be deleted and made again.

mod harness;

use std::fs;
use std::path::{Path, PathBuf};

use harness::batches;
use harness::broker::Broker;
use harness::requests::{LIST_OFFSETS, data_of};
use harness::wire_client::{WireClient, wait_until};
use vltava::wire::ErrorCode;

const TOPIC: &str = "t";
const OTHER: &str = "other";

/// A broker with ten records in partition 0 of [`TOPIC`] and one of [`OTHER`].
fn start() -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    for topic in [TOPIC, OTHER] {
        client.create_topic(topic, 1);
    }
    for number in 0..10 {
        client.write(TOPIC, 0, &[&format!("record {number}")]);
    }
    client.write(OTHER, 0, &["elsewhere"]);
    (broker, client)
}

fn folder(broker: &Broker) -> PathBuf {
    broker.data_dir().join(format!("{TOPIC}-0"))
}

fn remove_folder(path: &Path) {
    fs::remove_dir_all(path).expect("the folder is there to be removed");
}

/// How the broker ends before the files are looked at again.
#[derive(Clone, Copy, Debug)]
enum End {
    Stop,
    Kill,
}

const ENDS: [End; 2] = [End::Stop, End::Kill];

fn end(broker: &mut Broker, how: End) {
    match how {
        End::Stop => drop(broker.stop()),
        End::Kill => broker.kill(),
    }
}

/// Starts the broker again; whoever was not touched has everything.
fn restart(broker: &mut Broker) -> WireClient {
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    assert_eq!(
        client.read_all(OTHER, 0),
        [(0, "elsewhere".to_owned())],
        "the other topic"
    );
    assert!(!broker.log().contains("panicked"), "{}", broker.log());
    client
}

fn assert_can_be_made_again(client: &mut WireClient) {
    assert_eq!(client.delete_topic(TOPIC), ErrorCode::NONE);
    client.create_topic(TOPIC, 1);
    assert_eq!(client.write(TOPIC, 0, &["anew"]), 0);
    assert_eq!(client.read_all(TOPIC, 0), [(0, "anew".to_owned())]);
}

fn error_of_produce(client: &mut WireClient) -> ErrorCode {
    client
        .produce(TOPIC, 0, &batches::batch(&["one more"]))
        .error_code
}

/// The topic's files with this ending.
fn files(broker: &Broker, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(broker)).expect("the folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    paths
}

#[test]
fn a_folder_that_is_removed_while_the_broker_is_stopped_begins_empty_and_is_named() {
    for how in ENDS {
        let (mut broker, _) = start();
        end(&mut broker, how);
        remove_folder(&folder(&broker));
        let mut client = restart(&mut broker);
        let words = format!("{TOPIC}-0: its directory was missing");
        assert!(broker.log().contains(&words), "{how:?}: {}", broker.log());
        assert_eq!(client.read_all(TOPIC, 0), []);
        assert_eq!(client.write(TOPIC, 0, &["first"]), 0);
        assert_can_be_made_again(&mut client);
        assert!(broker.is_running());
    }
}

#[test]
fn a_folder_that_is_removed_under_the_running_broker_takes_no_more_records_and_the_log_says_so() {
    let (mut broker, mut client) = start();
    remove_folder(&folder(&broker));
    wait_until("the broker notices", || {
        error_of_produce(&mut client) == ErrorCode::KAFKA_STORAGE_ERROR
    });
    assert!(
        broker.log().contains("removed under the running broker"),
        "{}",
        broker.log()
    );
    assert_eq!(client.write(OTHER, 0, &["still"]), 1);
    let fetched = client.fetch(TOPIC, 0, 0).error_code;
    assert!(
        [ErrorCode::NONE, ErrorCode::KAFKA_STORAGE_ERROR].contains(&fetched),
        "{fetched:?}"
    );
    assert_can_be_made_again(&mut client);
    assert!(broker.stop().success(), "{}", broker.log());
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    assert_eq!(client.read_all(TOPIC, 0), [(0, "anew".to_owned())]);
    assert!(!broker.log().contains("panicked"), "{}", broker.log());
}

#[test]
fn a_folder_that_is_removed_at_the_last_moment_hinders_neither_the_end_nor_the_next_start() {
    for how in ENDS {
        let (mut broker, mut client) = start();
        remove_folder(&folder(&broker));
        // Written to a file that has no name any more, or refused.
        error_of_produce(&mut client);
        end(&mut broker, how);
        let mut client = restart(&mut broker);
        assert!(
            broker.log().contains("its directory was missing"),
            "{how:?}: {}",
            broker.log()
        );
        assert_can_be_made_again(&mut client);
    }
}

#[test]
fn a_topic_can_be_deleted_and_made_again_right_after_its_folder_was_removed() {
    let (mut broker, mut client) = start();
    remove_folder(&folder(&broker));
    assert_can_be_made_again(&mut client);
    assert!(broker.is_running() && !broker.log().contains("panicked"));
}

#[test]
fn a_lost_file_that_can_be_made_again_costs_no_record() {
    for how in ENDS {
        for ending in [
            ".index",
            ".timeindex",
            ".snapshot",
            "leader-epoch-checkpoint",
            "partition.metadata",
        ] {
            let (mut broker, _) = start();
            end(&mut broker, how);
            let lost = files(&broker, ending);
            for path in &lost {
                fs::remove_file(path).expect("the file is there to be removed");
            }
            let mut client = restart(&mut broker);
            let log = broker.log();
            let expected = match ending {
                ".index" | ".timeindex" if matches!(how, End::Stop) => "made again",
                "leader-epoch-checkpoint" => "leader-epoch-checkpoint: missing",
                "partition.metadata" => "partition.metadata: missing; it is written again",
                _ => "",
            };
            assert!(!lost.is_empty() || expected.is_empty(), "{how:?} {ending}");
            assert!(log.contains(expected), "{how:?} {ending}: {log}");
            assert_eq!(client.read_all(TOPIC, 0).len(), 10, "{how:?} {ending}");
            assert_eq!(client.write(TOPIC, 0, &["next"]), 10, "{how:?} {ending}");
            assert!(
                files(&broker, "partition.metadata").len() == 1,
                "it knows whose folder it is"
            );
            assert_can_be_made_again(&mut client);
        }
    }
}

#[test]
fn a_lost_log_file_is_named_and_the_partition_goes_on_without_its_records() {
    for how in ENDS {
        let (mut broker, _) = start();
        // Only what was on the disk for certain is known to be missing.
        broker.stop();
        if matches!(how, End::Kill) {
            broker.restart();
            broker.kill();
        }
        for path in files(&broker, ".log") {
            fs::remove_file(path).expect("the file is there to be removed");
        }
        let mut client = restart(&mut broker);
        let log = broker.log();
        assert!(log.contains("no segment is there"), "{how:?}: {log}");
        assert!(
            log.contains("records up to offset 10 were on the disk: files of it were removed"),
            "{how:?}: {log}"
        );
        assert_eq!(client.read_all(TOPIC, 0), []);
        assert_eq!(client.write(TOPIC, 0, &["first"]), 0);
        broker.kill();
        let mut client = restart(&mut broker);
        assert_eq!(client.read_all(TOPIC, 0), [(0, "first".to_owned())]);
        assert_can_be_made_again(&mut client);
    }
}

#[test]
fn a_lost_segment_among_others_ends_no_broker() {
    for how in ENDS {
        for lost in [0, 1, 2] {
            let (mut broker, mut client) = start();
            client.delete_topic(TOPIC);
            client.create_topic_with(TOPIC, 1, &[("segment.bytes", "1048576")]);
            for _ in 0..12 {
                client.write_batch(TOPIC, 0, &batches::batch_of_bytes(300_000));
            }
            let end_offset = client.list_offset(LIST_OFFSETS, TOPIC, 0, -1).offset;
            end(&mut broker, how);
            let segments = files(&broker, ".log");
            assert!(segments.len() > 3, "{segments:?}");
            fs::remove_file(&segments[lost]).expect("the file is there to be removed");
            let mut client = restart(&mut broker);
            for offset in 0..=end_offset {
                let answer = client.fetch(TOPIC, 0, offset);
                let fetched = answer.error_code;
                let stuck = fetched == ErrorCode::NONE && data_of(&answer).is_empty();
                assert!(
                    !stuck || offset + 1 >= end_offset,
                    "{how:?} {lost}: nothing at {offset} of {end_offset}, and no error"
                );
                let expected = [
                    ErrorCode::NONE,
                    ErrorCode::OFFSET_OUT_OF_RANGE,
                    ErrorCode::KAFKA_STORAGE_ERROR,
                ];
                assert!(
                    expected.contains(&fetched),
                    "{how:?} {lost} {offset}: {fetched:?}"
                );
            }
            assert!(
                broker.is_running() && !broker.log().contains("panicked"),
                "{}",
                broker.log()
            );
            assert_can_be_made_again(&mut client);
        }
    }
}

#[test]
fn files_that_are_removed_one_by_one_under_the_running_broker_end_nothing() {
    let (mut broker, mut client) = start();
    client.delete_topic(TOPIC);
    client.create_topic_with(TOPIC, 1, &[("segment.bytes", "1048576")]);
    for _ in 0..8 {
        client.write_batch(TOPIC, 0, &batches::batch_of_bytes(300_000));
        for ending in [
            ".index",
            ".timeindex",
            ".snapshot",
            "leader-epoch-checkpoint",
            "partition.metadata",
        ] {
            for path in files(&broker, ending) {
                // The broker may write it at this moment.
                drop(fs::remove_file(path));
            }
        }
    }
    assert!(broker.is_running());
    for path in files(&broker, ".log") {
        drop(fs::remove_file(path));
    }
    wait_until("the broker notices", || {
        error_of_produce(&mut client) == ErrorCode::KAFKA_STORAGE_ERROR
    });
    client.fetch(TOPIC, 0, 0);
    broker.stop();
    let mut client = restart(&mut broker);
    assert_can_be_made_again(&mut client);
}

#[test]
fn a_folder_of_the_offsets_topic_is_a_folder_like_any_other() {
    for how in ENDS {
        let (mut broker, mut client) = start();
        client.create_topic("__consumer_offsets", 3);
        end(&mut broker, how);
        remove_folder(&broker.data_dir().join("__consumer_offsets-1"));
        restart(&mut broker);
        let words = "__consumer_offsets-1: its directory was missing";
        assert!(broker.log().contains(words), "{how:?}: {}", broker.log());
    }
}

/// Removes all that the data directory holds.
fn empty(data_dir: &Path) {
    for entry in fs::read_dir(data_dir).expect("the data directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            remove_folder(&path);
        } else {
            fs::remove_file(&path).expect("a file is there to be removed");
        }
    }
}

#[test]
fn an_emptied_data_directory_is_a_new_one() {
    let (mut broker, _) = start();
    broker.stop();
    empty(&broker.data_dir());
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    client.create_topic(TOPIC, 1);
    assert_eq!(client.write(TOPIC, 0, &["anew"]), 0);
}

#[test]
fn a_data_directory_that_is_emptied_under_the_running_broker_refuses_records_and_topics() {
    let (mut broker, mut client) = start();
    empty(&broker.data_dir());
    wait_until("the partitions notice", || {
        error_of_produce(&mut client) == ErrorCode::KAFKA_STORAGE_ERROR
    });
    let mut topics = 0;
    wait_until("the metadata log notices", || {
        topics += 1;
        let topic = harness::requests::new_topic(&format!("late-{topics}"), 1, &[]);
        client.try_create(topic).error_code == ErrorCode::KAFKA_STORAGE_ERROR
    });
    client.assert_serves();
    assert!(broker.is_running());
    broker.stop();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    client.create_topic(TOPIC, 1);
    assert_eq!(client.write(TOPIC, 0, &["anew"]), 0);
    assert!(!broker.log().contains("panicked"), "{}", broker.log());
}
