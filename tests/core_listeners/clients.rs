//! Real clients, of every language: nothing they ask of partitions and groups crosses the mesh.

use super::harness::broker::Broker;
use super::harness::child;
use super::harness::clients::{Client, in_parallel};
use super::harness::driver::group_programs;
use super::harness::record::{Record, assert_same_records};
use super::harness::wire_client::WireClient;
use super::{CORE_LISTENERS, ports, set, start};
use std::time::Duration;
use vltava::wire::ErrorCode;

/// The protocol's number for a broker's loggers.
const BROKER_LOGGER: i8 = 8;
const DEADLINE: Duration = Duration::from_secs(180);

/// What each core has sent to others, by its own account at the end.
fn crossings(broker: &mut Broker) -> Vec<String> {
    // A core's node id is as good a name for the broker's logger as its own.
    let mut client = WireClient::connect(broker.port());
    let told = ports(&mut client)[0].0.to_string();
    let altered = set(&mut client, BROKER_LOGGER, &told, "root", "DEBUG");
    assert_eq!(altered, ErrorCode::NONE);
    drop(client);
    assert!(broker.stop().success(), "{}", broker.log());
    let log = broker.log();
    let sent = log.lines().filter_map(|line| {
        let (_, counts) = line.split_once("has sent to other cores: ")?;
        Some(counts.to_owned())
    });
    sent.collect()
}

/// Has a client make a topic, write to every partition, read it all, and share it in groups.
fn work(client: Client, bootstrap: &str) {
    let topic = format!("t-{}", client.name());
    client.create_topics(bootstrap, &[&topic], 6);
    let record = |n: i32| Record {
        partition: Some(n % 6),
        ..Record::new(&topic, Some(vec![b'k']), Some(format!("{n}").into()))
    };
    let records: Vec<_> = (0..600).map(record).collect();
    let written = client.produce(bootstrap, "lz4", true, &records);
    let read = client.consume(bootstrap, &[&topic]);
    assert_same_records(written, &read, client.name());
}

fn share_in_groups(client: Client, bootstrap: &str) {
    let programs = group_programs().into_iter();
    for (_, mut program) in programs.filter(|(name, _)| *name == client.name()) {
        program.args(["scenarios", bootstrap]);
        let finished = child::run(&mut program, b"", DEADLINE);
        finished.unwrap_or_else(|error| panic!("{}: {error}", client.name()));
    }
}

#[test]
fn nothing_that_clients_ask_of_partitions_and_groups_crosses_the_mesh() {
    for client in Client::available() {
        let mut broker = start(&[CORE_LISTENERS]);
        work(client, &broker.bootstrap());
        share_in_groups(client, &broker.bootstrap());
        let none = "0 appends, 0 reads, 0 lookups, 0 group requests";
        assert_eq!(crossings(&mut broker), [none, none], "{}", client.name());
        eprintln!("{}: nothing crossed", client.name());
    }
}

#[test]
fn without_core_listeners_half_of_it_does() {
    let mut broker = start(&[]);
    let client = Client::available()[0];
    work(client, &broker.bootstrap());
    let crossed = crossings(&mut broker);
    assert!(
        crossed.len() == 2
            && crossed
                .iter()
                .all(|counts| counts.starts_with(char::is_numeric)),
        "{crossed:?}"
    );
    let none = |counts: &String| counts.starts_with("0 appends, 0 reads");
    assert!(!crossed.iter().all(none), "{crossed:?}");
}

#[test]
fn settings_go_through_the_cores_as_real_admin_clients_know_them() {
    let broker = start(&[CORE_LISTENERS]);
    in_parallel(&Client::available_admins(), |admin| {
        let topic = format!("settings-{}", admin.name());
        admin.create_topics(&broker.bootstrap(), &[&topic], 1);
        let settings = admin.settings(&broker.bootstrap(), &topic);
        let changed = ["max.message.bytes", "4242", "DYNAMIC_TOPIC_CONFIG"];
        assert!(settings.iter().any(|setting| setting.as_slice() == changed));
    });
}
