//! The main job on real input: the machine's own Debian package index, tens of thousands of stanzas keyed by package, goes
//! into a topic of several partitions through one client and comes back bit for bit through another; the same after the
//! broker was killed and started again.
//!
//! The index is what `apt-get update` leaves in `/var/lib/apt/lists`, or else dpkg's list of what is installed.

mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use harness::broker::{Broker, Target};
use harness::child;
use harness::clients::Client::{self, FranzGo, Java, KafkaPython, Librdkafka, Rskafka};
use harness::record::{
    Record, assert_offsets_without_gap, assert_order_kept, assert_same_records, now_ms,
};

const PARTITIONS: i32 = 4;

/// The header that says where in the index a stanza stood.
const POSITION: &str = "position";

/// One journey of the index: who writes it, in which codec, and who reads it.
#[derive(Clone, Copy)]
struct Journey {
    codec: &'static str,
    producer: Client,
    consumer: Client,
    /// Who reads it again after the crash.
    second_consumer: Client,
}

const JOURNEYS: [Journey; 7] = [
    journey("none", Librdkafka, Java, FranzGo),
    journey("gzip", Java, FranzGo, Librdkafka),
    journey("snappy", FranzGo, Librdkafka, Java),
    journey("lz4", Java, Librdkafka, FranzGo),
    journey("zstd", Librdkafka, FranzGo, Librdkafka),
    journey("zstd", KafkaPython, Rskafka, Java),
    journey("lz4", Rskafka, KafkaPython, Rskafka),
];

const fn journey(
    codec: &'static str,
    producer: Client,
    consumer: Client,
    second_consumer: Client,
) -> Journey {
    Journey {
        codec,
        producer,
        consumer,
        second_consumer,
    }
}

#[test]
fn the_package_index_comes_back_bit_for_bit_also_after_a_crash() {
    let index = read_package_index();
    let stanzas = split_stanzas(&index);
    eprintln!("{} stanzas, {} bytes", stanzas.len(), index.len());
    let clients = Client::available();
    let mut target = Target::start();
    let journeys = JOURNEYS.map(|journey| journey.with_clients_from(&clients));

    let mut written = Vec::new();
    for (number, journey) in journeys.iter().enumerate() {
        let topic = target.topic(&format!("packages-{number}-{}", journey.codec));
        let records = write_index(&target.bootstrap, journey, &topic, &stanzas);
        read_index(&target.bootstrap, journey.consumer, &records, &index);
        written.push(records);
    }

    let Some(broker) = target.broker.as_mut() else {
        eprintln!("SKIPPED: killing the broker, which is not ours");
        return;
    };
    broker.kill();
    restart(broker);
    for (journey, records) in journeys.iter().zip(&written) {
        read_index(&target.bootstrap, journey.second_consumer, records, &index);
    }
    for (journey, records) in journeys.iter().zip(&mut written) {
        offsets_go_on_where_they_ended(&target.bootstrap, journey, records);
    }

    assert!(broker.stop().success(), "SIGTERM ends in exit code 0");
    restart(broker);
    for records in &written {
        let read = Rskafka.consume(&target.bootstrap, &[&records[0].topic]);
        assert_same_records(records.clone(), &read, "after a clean stop");
    }
}

impl Journey {
    /// The same journey with the Rust client, which is always here, for those that are missing.
    fn with_clients_from(self, available: &[Client]) -> Journey {
        let or_rskafka = |client| {
            if available.contains(&client) {
                client
            } else {
                Rskafka
            }
        };
        Journey {
            codec: self.codec,
            producer: or_rskafka(self.producer),
            consumer: or_rskafka(self.consumer),
            second_consumer: or_rskafka(self.second_consumer),
        }
    }
}

fn restart(broker: &mut Broker) {
    let started = Instant::now();
    broker.restart();
    eprintln!(
        "ready again in {:.1?}: {}",
        started.elapsed(),
        broker.ready_line()
    );
}

/// Writes the stanzas, and gives back the records with the places that the broker answered.
fn write_index(bootstrap: &str, journey: &Journey, topic: &str, stanzas: &[&[u8]]) -> Vec<Record> {
    // Timestamps count up from here, a millisecond a stanza.
    let hour_ago_ms = now_ms() - 3_600_000;
    let numbered = stanzas.iter().enumerate();
    let records: Vec<Record> = numbered
        .map(|(number, stanza)| stanza_record(topic, hour_ago_ms, number, stanza))
        .collect();
    let (producer, codec) = (journey.producer, journey.codec);
    producer.create_topics(bootstrap, &[topic], PARTITIONS);
    let started = Instant::now();
    let written = producer.produce(bootstrap, codec, true, &records);
    eprintln!(
        "{topic}: written by {} in {:.1?}",
        producer.name(),
        started.elapsed()
    );
    assert_offsets_without_gap(&written, topic);
    assert_order_kept(&written, topic);
    written
}

/// Reads the topic, compares every record, and puts the index together again.
fn read_index(bootstrap: &str, consumer: Client, written: &[Record], index: &[u8]) {
    let topic = &written[0].topic;
    let started = Instant::now();
    let read = consumer.consume(bootstrap, &[topic]);
    eprintln!(
        "{topic}: read by {} in {:.1?}",
        consumer.name(),
        started.elapsed()
    );
    assert_same_records(
        written.to_vec(),
        &read,
        &format!("{topic} read by {}", consumer.name()),
    );

    let mut by_position: Vec<(usize, &[u8])> = read
        .iter()
        .map(|record| (position(record), value(record)))
        .collect();
    by_position.sort_unstable();
    let together: Vec<u8> = by_position
        .into_iter()
        .flat_map(|(_, stanza)| stanza)
        .copied()
        .collect();
    assert!(
        together == index,
        "{topic}: the index put together again differs"
    );
}

/// Writes one more record: it gets the next offset of its partition, so nothing was lost and nothing is left out.
fn offsets_go_on_where_they_ended(bootstrap: &str, journey: &Journey, written: &mut Vec<Record>) {
    let last = written
        .iter()
        .max_by_key(|record| (record.partition, record.offset))
        .expect("stanzas were written");
    let next = Record {
        offset: last.offset.map(|offset| offset + 1),
        ..last.clone()
    };
    let placed =
        journey
            .producer
            .produce(bootstrap, journey.codec, true, std::slice::from_ref(&next));
    assert_eq!(
        placed[0].offset, next.offset,
        "{}: the next offset",
        next.topic
    );
    written.push(next);
}

fn stanza_record(topic: &str, first_timestamp_ms: i64, number: usize, stanza: &[u8]) -> Record {
    Record {
        timestamp_ms: first_timestamp_ms + number as i64,
        headers: vec![(POSITION.to_owned(), Some(number.to_string().into_bytes()))],
        ..Record::new(
            topic,
            Some(package_name(stanza).to_vec()),
            Some(stanza.to_vec()),
        )
    }
}

fn position(record: &Record) -> usize {
    let (name, content) = &record.headers[0];
    assert_eq!(name, POSITION);
    let content = content.as_deref().expect("never null");
    std::str::from_utf8(content)
        .expect("a number")
        .parse()
        .expect("a number")
}

fn value(record: &Record) -> &[u8] {
    record.value.as_deref().expect("a stanza is never null")
}

/// The index, from the largest list of packages that this machine has.
fn read_package_index() -> Vec<u8> {
    let lists = fs::read_dir("/var/lib/apt/lists")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    match lists.filter(|path| is_package_list(path)).max_by_key(size) {
        Some(list) => decompressed(&list),
        None => fs::read("/var/lib/dpkg/status")
            .expect("a machine with Debian's list of installed packages"),
    }
}

/// `..._Packages`, or the same compressed, as apt keeps it.
fn is_package_list(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.rsplit_once("_Packages")
            .is_some_and(|(_, end)| ["", ".lz4", ".gz", ".xz", ".zst"].contains(&end))
    })
}

/// apt itself knows every way in which it compresses its lists.
fn decompressed(list: &Path) -> Vec<u8> {
    let mut helper = Command::new("/usr/lib/apt/apt-helper");
    let finished = child::run(
        helper.arg("cat-file").arg(list),
        b"",
        Duration::from_secs(60),
    );
    finished.unwrap_or_else(|error| panic!("{error}")).stdout
}

/// The stanzas with the blank line that ends each, so that together they are the whole index.
fn split_stanzas(index: &[u8]) -> Vec<&[u8]> {
    let mut stanzas = Vec::new();
    let mut rest = index;
    while !rest.is_empty() {
        let end = rest
            .windows(2)
            .position(|pair| pair == b"\n\n")
            .map_or(rest.len(), |newline| newline + 2);
        let (stanza, after) = rest.split_at(end);
        stanzas.push(stanza);
        rest = after;
    }
    stanzas
}

fn package_name(stanza: &[u8]) -> &[u8] {
    let line = stanza
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    line.strip_prefix(b"Package: ")
        .unwrap_or_else(|| panic!("a stanza begins with {:?}", line.escape_ascii()))
}
