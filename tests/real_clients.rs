//! Real clients against the real binary: whatever one of them writes, every other reads bit for bit.
//!
//! Setup: one broker, each client's own driver. Expectation: the same partition, offset, timestamp, key, value and headers
//! come back, whoever wrote them, in whichever codec, with null and empty kept apart.

mod harness;

use harness::broker::Target;
use harness::clients::{CODECS, Client, in_parallel};
use harness::record::{
    Record, assert_offsets_without_gap, assert_order_kept, assert_same_records, now_ms,
};

const PARTITIONS: i32 = 3;

#[test]
fn every_client_reads_what_every_client_wrote_in_every_codec() {
    let clients = Client::available();
    let target = Target::start();
    let now_ms = now_ms();
    let written = in_parallel(&clients, |producer| {
        let topics =
            CODECS.map(|codec| target.topic(&format!("matrix-{}-{codec}", producer.name())));
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        producer.create_topics(&target.bootstrap, &names, PARTITIONS);
        let written = CODECS
            .iter()
            .zip(&topics)
            .enumerate()
            .map(|(index, (codec, topic))| {
                let mut records = shaped_records(topic, now_ms);
                records.extend(many_small_records(topic, now_ms));
                records.retain(|record| {
                    producer.can_write(record)
                        && Client::ALL.iter().all(|reader| reader.can_read(record))
                });
                // Both ways of writing are normal: clients differ in which one is their default.
                let idempotent = index % 2 == 0;
                let placed = producer.produce(&target.bootstrap, codec, idempotent, &records);
                assert_offsets_without_gap(&placed, topic);
                assert_order_kept(&placed, topic);
                placed
            });
        let written: Vec<Record> = written.flatten().collect();
        eprintln!("{} wrote {} records", producer.name(), written.len());
        (topics, written)
    });

    in_parallel(&clients, |consumer| {
        let topics: Vec<&str> = written
            .iter()
            .flat_map(|(topics, _)| topics)
            .map(String::as_str)
            .collect();
        let expected = written
            .iter()
            .flat_map(|(_, records)| records)
            .map(|record| consumer.view(record.clone()));
        let read = consumer.consume(&target.bootstrap, &topics);
        assert_same_records(
            expected.collect(),
            &read,
            &format!("read by {}", consumer.name()),
        );
        eprintln!("{} read {} records", consumer.name(), read.len());
    });
}

#[test]
fn null_header_values_are_not_empty_ones() {
    let clients = Client::available();
    let target = Target::start();
    let topic = target.topic("null-headers");
    let now_ms = now_ms();
    clients[0].create_topics(&target.bootstrap, &[&topic], PARTITIONS);
    let mut written = Vec::new();
    for &producer in &clients {
        let mut records = shaped_records(&topic, now_ms);
        records.retain(|record| producer.can_write(record) && !Client::Rskafka.can_read(record));
        if !records.is_empty() {
            written.extend(producer.produce(&target.bootstrap, "none", true, &records));
        }
    }
    assert!(
        !written.is_empty(),
        "no client here writes null header values"
    );
    for consumer in clients {
        if written.iter().all(|record| consumer.can_read(record)) {
            let read = consumer.consume(&target.bootstrap, &[&topic]);
            assert_same_records(
                written.clone(),
                &read,
                &format!("read by {}", consumer.name()),
            );
        }
    }
}

#[test]
fn a_topic_that_nobody_created_is_there_after_the_first_record() {
    let clients = Client::available();
    let target = Target::start();
    for &producer in &clients {
        // rskafka has no such request.
        if producer == Client::Rskafka {
            continue;
        }
        let topic = target.topic(&format!("first-seen-{}", producer.name()));
        let record = Record::new(&topic, Some(b"key".to_vec()), Some(b"value".to_vec()));
        let written = producer.produce(&target.bootstrap, "none", true, &[record]);
        let read = producer.consume(&target.bootstrap, &[&topic]);
        assert_same_records(written, &read, &topic);
    }
}

#[test]
fn settings_that_a_client_is_shown_it_can_set_back_and_change() {
    let target = Target::start();
    in_parallel(&Client::available_admins(), |admin| {
        let topic = target.topic(&format!("settings-{}", admin.name()));
        admin.create_topics(&target.bootstrap, &[&topic], 1);
        let settings = admin.settings(&target.bootstrap, &topic);
        assert_eq!(settings.len(), 33, "{settings:?}");
        let changed = ["max.message.bytes", "4242", "DYNAMIC_TOPIC_CONFIG"];
        assert!(
            settings.iter().any(|setting| setting.as_slice() == changed),
            "{} is shown {settings:?}",
            admin.name()
        );
    });
}

/// Every combination of null, empty, text and binary keys and values with headers of all kinds, with explicit and free
/// partitions and timestamps from the first millisecond to now.
fn shaped_records(topic: &str, now_ms: i64) -> Vec<Record> {
    let every_byte: Vec<u8> = (0..=255).collect();
    let keys = [
        None,
        Some(Vec::new()),
        Some("klíč".into()),
        Some(every_byte.clone()),
    ];
    let values = [
        None,
        Some(Vec::new()),
        Some("hodnota".into()),
        Some(every_byte),
        Some(noise(20_000)),
    ];
    let header = |name: &str, content: &[u8]| (name.to_owned(), Some(content.to_vec()));
    let headers = [
        vec![],
        vec![header("a", b"1"), header("b", b"")],
        vec![
            header("twice", b"1"),
            header("twice", b"1"),
            header("twice", b"2"),
        ],
        vec![header("z", b"later first"), header("a", b"\x00\xff")],
        vec![header("", b"no name"), header("řeka", "Vltava".as_bytes())],
        vec![("null".to_owned(), None), header("null", b"")],
    ];
    let timestamps = [1, 946_684_800_000, 1_700_000_000_123, now_ms];
    let mut records = Vec::new();
    for key in &keys {
        for value in &values {
            for headers in &headers {
                let number = records.len();
                let partition = [None, Some(0), Some(1), Some(2)][number % 4];
                let mut record = Record::new(topic, key.clone(), value.clone());
                record.timestamp_ms = timestamps[number / 4 % 4];
                record.partition = partition;
                record.headers = headers.clone();
                records.push(record);
            }
        }
    }
    records
}

/// Enough small records that batches hold many of them.
fn many_small_records(topic: &str, now_ms: i64) -> Vec<Record> {
    let record = |number: i64| {
        let key = format!("key {}", number % 50).into_bytes();
        let value = format!("value {number} of many that look alike").into_bytes();
        Record {
            timestamp_ms: now_ms - number,
            ..Record::new(topic, Some(key), Some(value))
        }
    };
    (0..1000).map(record).collect()
}

/// Bytes that do not compress, the same in every run (xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
