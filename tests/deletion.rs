//! A topic that is deleted and made again under the same name.
//!
//! Setup: a topic with a record in it, deleted. Expectation: the new topic of the name is empty and takes records, whatever the
//! deletion had time for before a crash.

mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::broker::Broker;
use harness::clients::Client::Rskafka;
use harness::record::Record;

const TOPIC: &str = "again";

fn delete(broker: &Broker) {
    let deleted = Command::new(env!("CARGO_BIN_EXE_vltava"))
        .args([
            "topics",
            "delete",
            TOPIC,
            "--bootstrap-server",
            &broker.bootstrap(),
        ])
        .status()
        .expect("the command line runs");
    assert!(deleted.success(), "deleting said {deleted}");
}

/// Makes the topic, writes `values` one after the other, and reads what is there.
fn create_write_read(broker: &Broker, values: &[&str]) -> Vec<String> {
    Rskafka.create_topics(&broker.bootstrap(), &[TOPIC], 1);
    let records: Vec<_> = values
        .iter()
        .map(|value| Record::new(TOPIC, None, Some(value.as_bytes().to_vec())))
        .collect();
    Rskafka.produce(&broker.bootstrap(), "none", false, &records);
    read(broker)
}

fn read(broker: &Broker) -> Vec<String> {
    let read = Rskafka.consume(&broker.bootstrap(), &[TOPIC]);
    let value = |record: Record| String::from_utf8(record.value.unwrap_or_default());
    read.into_iter()
        .map(|record| value(record).expect("text"))
        .collect()
}

fn put_away_dirs(data_dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data_dir).expect("the data directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.to_string_lossy().ends_with("-delete"))
        .collect()
}

#[test]
fn a_deletion_frees_the_name_before_it_is_answered() {
    let broker = Broker::start(&[]);
    for round in 0..20 {
        let value = format!("round {round}");
        assert_eq!(create_write_read(&broker, &[&value]), [value]);
        delete(&broker);
        assert!(!broker.data_dir().join(format!("{TOPIC}-0")).exists());
    }
}

#[test]
fn a_new_topic_never_shows_what_a_crash_left_of_its_namesake() {
    let mut broker = Broker::start(&[]);
    create_write_read(&broker, &["old"]);
    delete(&broker);
    broker.kill();
    // As if the crash had come before the rename.
    let dir = broker.data_dir().join(format!("{TOPIC}-0"));
    let put_away = put_away_dirs(&broker.data_dir());
    assert_eq!(put_away.len(), 1, "{put_away:?}");
    fs::rename(&put_away[0], &dir).expect("the directory gets its name back");

    broker.restart();
    assert_eq!(create_write_read(&broker, &["new"]), ["new"]);
    broker.stop();
    broker.restart();
    assert_eq!(read(&broker), ["new"]);
}

#[test]
fn a_topic_whose_making_a_crash_interrupted_begins_empty_in_place_of_its_namesake() {
    let mut broker = Broker::start(&[]);
    create_write_read(&broker, &["old"]);
    let dir = broker.data_dir().join(format!("{TOPIC}-0"));
    delete(&broker);
    Rskafka.create_topics(&broker.bootstrap(), &[TOPIC], 1);
    broker.kill();
    // As if neither the rename nor the new directory had come to be.
    let put_away = put_away_dirs(&broker.data_dir());
    fs::remove_dir_all(&dir).expect("the new directory goes");
    fs::rename(&put_away[0], &dir).expect("the old one comes back");

    broker.restart();
    assert_eq!(read(&broker), Vec::<String>::new());
}
