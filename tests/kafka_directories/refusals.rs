//! What cannot be taken over: each refused by name, and the directory is what it was, byte for byte.
//!
//! Setup: a directory of this broker with one topic, to which records are added as Kafka would have written them. No Kafka is needed.

use std::fs;

use bytes::Bytes;
use uuid::Uuid;
use vltava::wire::control_records::{
    ControlRecord, KRaftVersionRecord, VoterWithEndpoints, VotersRecord,
};
use vltava::wire::metadata_records::{
    ConfigRecord, FeatureLevelRecord, MetadataRecord, PartitionChangeRecord, RegisterBrokerRecord,
};
use vltava::wire::records::{BatchBuilder, Codec};

use crate::crafted::{Directory, FIRST_SEGMENT, METADATA, contents};
use crate::harness::serve::refusal;
use crate::harness::wire_client::wait_until;
use crate::kafka::Kafka;
use crate::{Vltava, arguments, home};

fn feature(name: &'static str, feature_level: i16) -> MetadataRecord {
    FeatureLevelRecord {
        name: name.into(),
        feature_level,
    }
    .into()
}

fn setting(
    resource_type: i8,
    resource: &'static str,
    name: &'static str,
    value: &'static str,
) -> MetadataRecord {
    ConfigRecord {
        resource_type,
        resource_name: resource.into(),
        name: name.into(),
        value: Some(value.into()),
    }
    .into()
}

fn security(record_type: u32, body: &'static [u8]) -> MetadataRecord {
    MetadataRecord::Uninterpreted {
        record_type,
        version: 0,
        body: Bytes::from_static(body),
    }
}

/// An entry that lets User:b read topic "a", a credential of "u", a quota of 1 byte a second for user "u".
const ACL: &[u8] = b"0123456789abcdef\x02\x02a\x03\x07User:b\x02*\x03\x03\x00";
const SCRAM: &[u8] = b"\x02u\x01\x02s\x02k\x02k\x00\x00\x10\x00\x00";
const QUOTA: &[u8] = b"\x02\x05user\x02u\x00\x13producer_byte_rate\x3f\xf0\0\0\0\0\0\0\x00\x00";

#[test]
fn a_cluster_of_several_nodes_is_refused() {
    let directory = Directory::new();
    let other = RegisterBrokerRecord {
        broker_id: 2,
        broker_epoch: 9,
        ..RegisterBrokerRecord::default()
    };
    let with = directory.copy();
    with.add_record(&other.into());
    with.assert_refused(&[
        "brokers 2 are part of the cluster",
        "nothing in it was changed",
    ]);

    let with = directory.copy();
    let change = PartitionChangeRecord {
        partition_id: 0,
        topic_id: directory.topic_id,
        replicas: Some(vec![1, 2]),
        ..PartitionChangeRecord::default()
    };
    with.add_record(&change.into());
    with.assert_refused(&[
        "partitions t-0 are not on node 1 alone",
        "kafka-reassign-partitions.sh",
    ]);

    let with = directory.copy();
    let change = PartitionChangeRecord {
        partition_id: 0,
        topic_id: directory.topic_id,
        directories: Some(vec![Uuid::from_u128(1 << 100)]),
        ..PartitionChangeRecord::default()
    };
    with.add_record(&change.into());
    with.assert_refused(&["partitions t-0 lie in another of the node's directories"]);

    let with = directory.copy();
    let voter = |voter_id| VoterWithEndpoints {
        voter_id,
        ..VoterWithEndpoints::default()
    };
    let voters = VotersRecord {
        version: 0,
        voters: vec![voter(1), voter(2), voter(3)],
    };
    with.add_control(&ControlRecord::KRaftVoters(voters));
    with.assert_refused(&["the voters of its quorum are 1, 2, 3"]);

    let with = directory.copy();
    let state = r#"{"clusterId":"","leaderId":2,"leaderEpoch":4,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":2}],"data_version":0}"#;
    fs::write(with.data.join(METADATA).join("quorum-state"), state).expect("a file of ours");
    with.assert_refused(&["the voters of its quorum are 2", "as node 1"]);
}

#[test]
fn levels_and_records_that_are_not_known_are_refused() {
    let directory = Directory::new();
    let cases = [
        (
            feature("metadata.version", 31),
            "it is at metadata.version 31",
        ),
        (
            feature("metadata.version", 6),
            "it is at metadata.version 6",
        ),
        (
            feature("transaction.version", 3),
            "it is at transaction.version 3",
        ),
        (feature("some.version", 1), "it is at some.version 1"),
    ];
    for (record, words) in cases {
        let with = directory.copy();
        with.add_record(&record);
        with.assert_refused(&[words]);
    }
    let with = directory.copy();
    let version = KRaftVersionRecord {
        version: 0,
        k_raft_version: 2,
    };
    with.add_control(&ControlRecord::KRaftVersion(version));
    with.assert_refused(&["its kraft.version is 2"]);

    let with = directory.copy();
    with.add_value(b"\x01\x63\x00\x00");
    with.assert_refused(&[
        "unknown metadata record type 99",
        "was this directory written by a newer version?",
    ]);

    // What only promises clients something else is no reason.
    let with = directory.copy();
    for (name, level) in [
        ("group.version", 1),
        ("transaction.version", 2),
        ("share.version", 1),
    ] {
        with.add_record(&feature(name, level));
    }
    Vltava::start(&with.data).stop();
}

#[test]
fn promises_that_are_not_kept_are_refused_until_they_are_taken_back() {
    let directory = Directory::new();
    let cases = [
        (security(18, ACL), "it holds access control lists"),
        (security(11, SCRAM), "it holds SCRAM credentials"),
        (security(14, QUOTA), "it holds client quotas"),
        (
            setting(2, "t", "remote.storage.enable", "true"),
            "topic t sets remote.storage.enable=true",
        ),
    ];
    for (record, words) in &cases {
        let with = directory.copy();
        with.add_record(record);
        with.assert_refused(&[words]);
    }
    let with = directory.copy();
    for (record, _) in &cases[..3] {
        with.add_record(record);
    }
    with.assert_refused(&["it holds access control lists, SCRAM credentials, client quotas"]);
    with.add_record(&security(19, b"0123456789abcdef\x00"));
    with.add_record(&security(22, b"\x02u\x01\x00"));
    with.assert_refused(&["it holds client quotas"]);
    let mut removed = QUOTA.to_vec();
    let at = removed.len() - 2;
    removed[at] = 1;
    with.add_record(&security(14, removed.leak()));
    Vltava::start(&with.data).stop();
}

#[test]
fn state_of_services_that_are_not_there_is_refused() {
    let directory = Directory::new();
    for (topic, words) in [
        ("__share_group_state", "the state of share groups"),
        ("__remote_log_metadata", "the state of tiered storage"),
    ] {
        let with = directory.copy();
        with.add_topic(topic);
        with.assert_refused(&[topic, words, "kafka-topics.sh --delete --topic"]);
    }
}

/// The coordinator's record of a transactional id: int16 1, producer 5, epoch 0, timeout 60 s, state, nothing else.
fn transaction(state: u8) -> Vec<u8> {
    let mut value = vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0xea, 0x60, state];
    value.extend([0; 18]);
    value
}

const TRANSACTIONAL_ID: &[u8] = b"\0\0\0\x02tx";
const STATES: &str = "__transaction_state-0";

#[test]
fn transactions_are_carried_over_and_what_was_decided_ends() {
    let directory = Directory::new();
    directory.add_topic("__transaction_state");
    for (state, expected) in [
        (1, "Ongoing"),
        (2, "CompleteCommit"),
        (3, "CompleteAbort"),
        (4, "CompleteCommit"),
    ] {
        let with = directory.copy();
        for (offset, state) in [(0, 0), (1, state)] {
            let batch = BatchBuilder::new(Codec::None);
            with.write(STATES, offset, batch, TRANSACTIONAL_ID, &transaction(state));
        }
        let vltava = Vltava::start(&with.data);
        let mut client = vltava.client();
        wait_until("the transaction's state", || {
            let told = client.describe_transaction("tx");
            told.transaction_state == expected && told.producer_id == 5
        });
        vltava.kill();
    }
}

#[test]
fn records_of_aborted_transactions_stay_hidden_from_readers_of_committed_ones() {
    let with = Directory::new();
    let of_transaction = || {
        BatchBuilder::new(Codec::None)
            .producer(5, 0, 0)
            .transactional()
    };
    with.write("t-0", 2, of_transaction(), b"k", b"aborted");
    fs::remove_file(with.data.join(".kafka_cleanshutdown")).expect("the mark of a clean stop");
    let marker = || {
        BatchBuilder::new(Codec::None)
            .producer(5, 0, -1)
            .transactional()
            .control()
    };
    with.write("t-0", 3, marker(), b"\0\0\0\0", b"\0\0\0\0\0\0");
    let vltava = Vltava::start(&with.data);
    let (seen, stable) = vltava.client().read_committed("t", 0);
    assert!(
        stable == 4 && !seen.contains(&"aborted".to_owned()),
        "{seen:?}"
    );
    vltava.kill();
}

#[test]
fn a_directory_that_is_not_whole_or_not_ours_is_refused() {
    let directory = Directory::new();
    let with = directory.copy();
    fs::remove_dir_all(with.data.join(METADATA)).expect("a directory of ours");
    with.assert_refused(&["has partitions (t-0 and others) but no metadata log"]);

    let with = directory.copy();
    fs::write(
        with.data.join("meta.properties"),
        "version=0\nbroker.id=1\n",
    )
    .expect("a file of ours");
    with.assert_refused(&["was written under ZooKeeper"]);

    let with = directory.copy();
    let text = fs::read_to_string(with.data.join("meta.properties")).expect("whose it is");
    let other = text.replace("node.id=1", "node.id=4");
    fs::write(with.data.join("meta.properties"), other).expect("a file of ours");
    with.assert_refused(&[
        "brokers 1 are part of the cluster",
        "are not on node 4 alone",
    ]);

    let with = directory.copy();
    let later = with
        .metadata_log()
        .with_file_name("00000000000000000900.log");
    fs::rename(with.metadata_log(), later).expect("a file of ours");
    with.assert_refused(&["the log begins at offset 900 and no snapshot"]);

    let with = directory.copy();
    let snapshot = with
        .metadata_log()
        .with_file_name("00000000000000000900-0000000001.checkpoint");
    fs::write(&snapshot, "").expect("a file of ours");
    with.assert_refused(&["the log ends before offset 900"]);
    fs::write(&snapshot, "no batch").expect("a file of ours");
    with.assert_refused(&[".checkpoint", "restore the file from a copy"]);

    let with = directory.copy();
    fs::write(with.data.join(METADATA).join("quorum-state"), "{}").expect("a file of ours");
    with.assert_refused(&["quorum-state: it has no leaderEpoch"]);
}

#[test]
fn what_a_directory_was_formatted_with_holds_from_the_first_start_on() {
    let Some(kafka) = Kafka::available() else {
        return;
    };
    let (_home, data) = home();
    kafka.format(&data, &[]);
    let vltava = Vltava::start(&data);
    let mut client = vltava.client();
    client.create_topic("t", 1);
    client.write("t", 0, &["a"]);
    vltava.stop();
    let log = fs::read(data.join(METADATA).join(FIRST_SEGMENT)).expect("a metadata log");
    let has = |words: &[u8]| log.windows(words.len()).any(|window| window == words);
    assert!(has(b"group.version\x00\x01") && has(b"metadata.version\x00\x1e"));

    let (_home, data) = home();
    let user = "SCRAM-SHA-256=[name=alice,password=secret]";
    kafka.format(&data, &["--add-scram", user]);
    let before = contents(&data);
    let said = refusal(&arguments(&data));
    assert!(said.contains("it holds SCRAM credentials"), "{said}");
    assert_eq!(contents(&data), before);
}
