//! Retention: what is past keeping goes by itself, and nothing else.
//!
//! Setup: topics with small segments and records of chosen ages, on a broker that looks often. Expectation: Kafka's rules for age
//! and size; the log start moves, also across a crash; space comes back; readers finish what they began.

mod harness;

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use harness::batches;
use harness::broker::Broker;
use harness::record::now_ms;
use harness::requests::{FETCH, LIST_OFFSETS, PLENTY_BYTES, fetch_partition, fetch_request};
use harness::wire_client::{WireClient, wait_until};
use vltava::wire::ErrorCode;
use vltava::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use vltava::wire::records::{BatchBuilder, Codec};

const TOPIC: &str = "t";
const HOUR_MS: i64 = 3_600_000;
const MIB: u64 = 1 << 20;

/// Three such batches fit a segment of the smallest legal size.
const BATCH_BYTES: usize = 300 << 10;

/// Files go at once, and the broker looks ten times a second.
const EAGER: [(&str, &str); 3] = [
    ("log.retention.check.interval.ms", "100"),
    ("log.initial.task.delay.ms", "0"),
    ("log.segment.delete.delay.ms", "0"),
];

fn start(more: &[(&str, &str)]) -> (Broker, WireClient) {
    let broker = Broker::start(&[&EAGER, more].concat());
    let client = WireClient::connect(broker.port());
    (broker, client)
}

fn create(client: &mut WireClient, name: &str, more: &[(&str, &str)]) {
    let small = ("segment.bytes", "1048576");
    client.create_topic_with(name, 1, &[&[small], more].concat());
}

/// A record of [`BATCH_BYTES`] with this timestamp, in a batch of its own.
fn batch_at(timestamp: i64) -> Bytes {
    let mut builder = BatchBuilder::new(Codec::None);
    builder.append(timestamp, Some(b"key"), Some(&[7; BATCH_BYTES]), &[]);
    builder.build()
}

/// Writes one batch for each age; each is one record.
fn write_aged(client: &mut WireClient, topic: &str, ages_ms: &[i64]) {
    for age in ages_ms {
        client.write_batch(topic, 0, &batch_at(now_ms() - age));
    }
}

fn log_start(client: &mut WireClient, topic: &str) -> i64 {
    let earliest = client.list_offset(LIST_OFFSETS, topic, 0, -2);
    assert_eq!(earliest.error_code, ErrorCode::NONE);
    earliest.offset
}

fn wait_for_start(client: &mut WireClient, topic: &str, start: i64) {
    wait_until(&format!("{topic} to start at {start}"), || {
        log_start(client, topic) == start
    });
}

/// Partitions of a topic, so many that every core has some.
const EVERYWHERE: i32 = 16;

/// Returns after every core has looked at all its partitions: topics made for it have lost their old records.
fn let_it_look(client: &mut WireClient, name: &str) {
    // The first look may have been under way already.
    for look in ["first", "second"] {
        let name = format!("{name}-{look}");
        client.create_topic_with(&name, EVERYWHERE, &[("retention.ms", "1000")]);
        let old = batches::batch_at(&[now_ms() - HOUR_MS]);
        for partition in 0..EVERYWHERE {
            client.write_batch(&name, partition, &old);
        }
        for partition in 0..EVERYWHERE {
            wait_until("a look at the topic", || {
                client
                    .list_offset(LIST_OFFSETS, &name, partition, -2)
                    .offset
                    == 1
            });
        }
    }
}

/// Until then a crash may bring the segment back.
fn wait_for_the_first_name_to_go(broker: &Broker) {
    wait_until("the first file to lose its name", || {
        !has(broker, "00000000000000000000.log")
    });
}

fn folder(broker: &Broker) -> PathBuf {
    broker.data_dir().join(format!("{TOPIC}-0"))
}

fn names(broker: &Broker) -> Vec<String> {
    let entries = fs::read_dir(folder(broker)).expect("the partition's folder");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries
        .map(|entry| name(entry.expect("an entry")))
        .collect()
}

fn has(broker: &Broker, name: &str) -> bool {
    names(broker).iter().any(|known| known == name)
}

/// What the partition's folder takes on the disk, files that are about to go included.
fn disk_use(broker: &Broker) -> u64 {
    let entries = fs::read_dir(folder(broker)).expect("the partition's folder");
    // A file may go between the listing and the look.
    let blocks = entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.blocks()));
    blocks.sum::<u64>() * 512
}

/// How many files without a name the broker holds open.
fn deleted_handles(broker: &Broker) -> usize {
    let handles = fs::read_dir(format!("/proc/{}/fd", broker.pid())).expect("a process of ours");
    let targets = handles.filter_map(|handle| fs::read_link(handle.ok()?.path()).ok());
    let gone = |target: &PathBuf| {
        target.to_string_lossy().ends_with(".deleted (deleted)")
            || target.to_string_lossy().ends_with(".log (deleted)")
    };
    targets.filter(gone).count()
}

fn alter(client: &mut WireClient, (kind, resource): (i8, &str), name: &str, value: Option<&str>) {
    let config = AlterableConfig {
        name: name.into(),
        config_operation: i8::from(value.is_none()),
        value: value.map(Into::into),
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: kind,
            resource_name: resource.into(),
            configs: vec![config],
        }],
        validate_only: false,
    };
    let answer = client.call(1, &request);
    let made = &answer.responses[0];
    assert_eq!(made.error_code, ErrorCode::NONE, "{made:?}");
}

const OF_TOPIC: (i8, &str) = (2, TOPIC);
const OF_ALL_BROKERS: (i8, &str) = (4, "");

#[test]
fn segments_older_than_retention_ms_go_and_readers_before_the_start_are_told() {
    let (broker, mut client) = start(&[]);
    create(&mut client, TOPIC, &[("retention.ms", "-1")]);
    let old = 2 * HOUR_MS;
    write_aged(&mut client, TOPIC, &[old, old, old, old, old, old, 0]);
    alter(&mut client, OF_TOPIC, "retention.ms", Some("3600000"));
    wait_for_start(&mut client, TOPIC, 6);

    let before = client.fetch(TOPIC, 0, 5);
    assert_eq!(before.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    let at = client.fetch(TOPIC, 0, 6);
    assert_eq!((at.error_code, at.log_start_offset), (ErrorCode::NONE, 6));
    for gone in ["00000000000000000000", "00000000000000000003"] {
        wait_until("the old files to go", || {
            !names(&broker).iter().any(|name| name.starts_with(gone))
        });
    }
    assert!(has(&broker, "00000000000000000006.log"));
}

#[test]
fn the_active_segment_goes_too_when_all_of_it_is_old_and_offsets_go_on() {
    let (mut broker, mut client) = start(&[]);
    create(&mut client, TOPIC, &[("retention.ms", "3600000")]);
    write_aged(&mut client, TOPIC, &[2 * HOUR_MS, 2 * HOUR_MS]);
    wait_for_start(&mut client, TOPIC, 2);
    wait_for_the_first_name_to_go(&broker);
    for kill in [true, false] {
        if kill {
            broker.kill();
        } else {
            assert!(broker.stop().success());
        }
        broker.restart();
        client = WireClient::connect(broker.port());
        assert_eq!(log_start(&mut client, TOPIC), 2);
    }
    assert_eq!(client.write_batch(TOPIC, 0, &batch_at(now_ms())), 2);
}

#[test]
fn a_log_larger_than_retention_bytes_loses_its_oldest_segments_and_keeps_at_least_so_much() {
    let (broker, mut client) = start(&[]);
    create(&mut client, TOPIC, &[("retention.bytes", "1500000")]);
    write_aged(&mut client, TOPIC, &[0; 10]);
    // Segments begin at 0, 3, 6 and 9; without the second there would be less than asked for: 4 records of 300 KiB.
    wait_for_start(&mut client, TOPIC, 3);
    let_it_look(&mut client, "other");
    assert_eq!(log_start(&mut client, TOPIC), 3);
    wait_until("the oldest file to go", || {
        !has(&broker, "00000000000000000000.log.deleted")
    });
}

#[test]
fn a_record_dated_ahead_keeps_what_follows_from_going_by_age_but_not_by_size() {
    let (_broker, mut client) = start(&[]);
    create(&mut client, TOPIC, &[("retention.ms", "-1")]);
    let old = 2 * HOUR_MS;
    write_aged(
        &mut client,
        TOPIC,
        &[old, old, -HOUR_MS / 2, old, old, old, old],
    );
    alter(&mut client, OF_TOPIC, "retention.ms", Some("1000"));
    let_it_look(&mut client, "other");
    assert_eq!(log_start(&mut client, TOPIC), 0);
    alter(&mut client, OF_TOPIC, "retention.bytes", Some("1"));
    wait_for_start(&mut client, TOPIC, 7);
}

#[test]
fn the_start_survives_a_crash_and_a_stop() {
    let (mut broker, mut client) = start(&[]);
    create(&mut client, TOPIC, &[("retention.bytes", "700000")]);
    write_aged(&mut client, TOPIC, &[0; 7]);
    wait_for_start(&mut client, TOPIC, 3);
    wait_for_the_first_name_to_go(&broker);
    for kill in [true, false] {
        if kill {
            broker.kill();
        } else {
            assert!(broker.stop().success());
        }
        broker.restart();
        client = WireClient::connect(broker.port());
        assert_eq!(log_start(&mut client, TOPIC), 3);
        assert_eq!(
            client.fetch(TOPIC, 0, 2).error_code,
            ErrorCode::OFFSET_OUT_OF_RANGE
        );
        assert_eq!(client.fetch(TOPIC, 0, 3).high_watermark, 7);
    }
}

#[test]
fn what_an_interrupted_deletion_has_left_is_removed_at_the_start() {
    let (mut broker, mut client) = start(&[("log.segment.delete.delay.ms", "3600000")]);
    create(&mut client, TOPIC, &[("retention.bytes", "700000")]);
    write_aged(&mut client, TOPIC, &[0; 7]);
    wait_for_start(&mut client, TOPIC, 3);
    wait_until("the new name", || {
        has(&broker, "00000000000000000000.log.deleted")
    });
    broker.kill();
    broker.restart();
    wait_until("the leftovers to go", || {
        !names(&broker).iter().any(|name| name.ends_with(".deleted"))
    });
}

#[test]
fn the_topics_own_settings_go_before_the_brokers_and_policies_count() {
    let (_broker, mut client) = start(&[
        ("log.retention.hours", "1"),
        ("log.retention.minutes", "90"),
    ]);
    let topics: [(&str, &[(&str, &str)]); 4] = [
        ("inherits", &[]),
        ("for-ever", &[("retention.ms", "-1")]),
        ("compacts", &[("cleanup.policy", "compact")]),
        ("both", &[("cleanup.policy", "compact,delete")]),
    ];
    for (name, settings) in topics {
        create(&mut client, name, settings);
        write_aged(&mut client, name, &[80 * 60_000, 2 * HOUR_MS]);
    }
    let_it_look(&mut client, "other");
    // One segment, and its newest record is 80 minutes old.
    for (name, _) in topics {
        assert_eq!(log_start(&mut client, name), 0, "{name}");
    }
    alter(
        &mut client,
        OF_ALL_BROKERS,
        "log.retention.ms",
        Some("3600000"),
    );
    wait_for_start(&mut client, "inherits", 2);
    wait_for_start(&mut client, "both", 2);
    let_it_look(&mut client, "another");
    for kept in ["for-ever", "compacts"] {
        assert_eq!(log_start(&mut client, kept), 0, "{kept}");
    }
}

#[test]
fn a_changed_retention_holds_at_the_next_look() {
    let (_broker, mut client) = start(&[]);
    create(&mut client, TOPIC, &[("retention.ms", "-1")]);
    write_aged(&mut client, TOPIC, &[HOUR_MS; 4]);
    let_it_look(&mut client, "other");
    assert_eq!(log_start(&mut client, TOPIC), 0);
    alter(&mut client, OF_TOPIC, "retention.ms", Some("1000"));
    wait_for_start(&mut client, TOPIC, 4);
}

#[test]
fn a_record_more_than_segment_ms_after_the_first_begins_a_segment() {
    let (broker, mut client) = start(&[]);
    create(
        &mut client,
        TOPIC,
        &[("segment.ms", "1000"), ("retention.ms", "-1")],
    );
    let first = now_ms() - HOUR_MS;
    for after in [0, 900, 1000] {
        client.write_batch(TOPIC, 0, &batch_at_small(first + after));
    }
    assert!(
        !names(&broker)
            .iter()
            .any(|name| name.starts_with("00000000000000000002"))
    );
    client.write_batch(TOPIC, 0, &batch_at_small(first + 1001));
    assert!(has(&broker, "00000000000000000003.log"));
}

fn batch_at_small(timestamp: i64) -> Bytes {
    batches::batch_at(&[timestamp])
}

/// Longer than it takes anyway, on demand.
fn seconds_of_load() -> Duration {
    let seconds = std::env::var("VLTAVA_TEST_SECONDS");
    let seconds = seconds.ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

#[test]
fn under_a_steady_load_the_disk_use_stays_where_it_is_asked_to() {
    let (broker, mut client) = start(&[("log.segment.delete.delay.ms", "200")]);
    create(&mut client, TOPIC, &[("retention.bytes", "3145728")]);
    // What is to be kept, the segment that is one too many, and the one that is being written.
    let bound = 6 * MIB;
    let (began, seconds) = (Instant::now(), seconds_of_load());
    let mut rounds = 0;
    while rounds < 8 || began.elapsed() < seconds {
        write_aged(&mut client, TOPIC, &[0; 20]);
        wait_until("old segments to go", || disk_use(&broker) <= bound);
        rounds += 1;
    }
    eprintln!("{rounds} times 20 batches, and never more than {bound} bytes left");
    wait_until("their handles to be closed", || {
        deleted_handles(&broker) == 0
    });
    assert!(log_start(&mut client, TOPIC) > 100);
    assert!(disk_use(&broker) >= 3 * MIB);
}

/// A topic with 24 MiB in its one segment, and a client that has asked for all of it and has read nothing of the answer.
fn ask_for_all(client: &mut WireClient, port: u16) -> TcpStream {
    create(
        client,
        TOPIC,
        &[("segment.bytes", "33554432"), ("retention.ms", "-1")],
    );
    write_aged(client, TOPIC, &[HOUR_MS; 80]);
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let mut reader = WireClient::adopt(stream.try_clone().expect("a second handle"));
    let request = fetch_request(TOPIC, vec![fetch_partition(0, 0)]);
    const { assert!(PLENTY_BYTES > 24 << 20) };
    reader.send(FETCH, &request);
    // The answer is under way once its first bytes are here.
    let begun = |stream: &TcpStream| stream.peek(&mut [0; 4]).is_ok_and(|bytes| bytes == 4);
    wait_until("the answer to begin", || begun(&stream));
    stream
}

#[test]
fn a_slow_reader_finishes_a_segment_that_was_deleted_under_it() {
    let (broker, mut client) = start(&[]);
    let mut stream = ask_for_all(&mut client, broker.port());
    let mut answer = vec![0; 64 << 10];
    stream.read_exact(&mut answer).expect("the first bytes");
    let length = i32::from_be_bytes([answer[0], answer[1], answer[2], answer[3]]);
    let length = usize::try_from(length).expect("a length is not negative") + 4;
    alter(&mut client, OF_TOPIC, "retention.ms", Some("1000"));
    wait_until("the segment to go", || {
        // Slow, not stalled.
        let mut piece = vec![0; 16 << 10];
        stream.read_exact(&mut piece).expect("more of the answer");
        answer.extend(piece);
        deleted_handles(&broker) > 0
    });
    assert!(
        answer.len() < length,
        "the answer was read before its segment went"
    );
    let begun = answer.len();
    answer.resize(length, 0);
    stream
        .read_exact(&mut answer[begun..])
        .expect("the whole answer");
    let filled = answer.iter().filter(|&&byte| byte == 7).count();
    assert!(filled >= 80 * BATCH_BYTES, "{filled} bytes of records");
    drop(stream);
    wait_until("its space to come back", || deleted_handles(&broker) == 0);
}

#[test]
fn a_stalled_reader_does_not_hold_the_space_of_a_deleted_segment_for_ever() {
    let (broker, mut client) = start(&[]);
    let stream = ask_for_all(&mut client, broker.port());
    alter(&mut client, OF_TOPIC, "retention.ms", Some("1000"));
    wait_for_start(&mut client, TOPIC, 80);
    wait_until("the file to go", || deleted_handles(&broker) > 0);
    let began = Instant::now();
    while deleted_handles(&broker) > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(90),
            "the space is still held"
        );
        thread::sleep(Duration::from_millis(100));
    }
    drop(stream);
    assert_eq!(client.write_batch(TOPIC, 0, &batch_at(now_ms())), 80);
}

#[test]
fn a_broker_that_is_killed_while_segments_go_always_starts_and_has_what_it_kept() {
    let (mut broker, mut client) = start(&[
        ("log.retention.check.interval.ms", "5"),
        ("log.segment.delete.delay.ms", "20"),
    ]);
    create(&mut client, TOPIC, &[("retention.bytes", "0")]);
    let mut end = 0;
    for round in 0..12_u64 {
        write_aged(&mut client, TOPIC, &[0; 5]);
        end += 5;
        let start = log_start(&mut client, TOPIC);
        thread::sleep(Duration::from_millis(round * 3));
        broker.kill();
        broker.restart();
        client = WireClient::connect(broker.port());
        let again = log_start(&mut client, TOPIC);
        assert!(
            again <= end,
            "round {round}: starts at {again}, ends at {end}"
        );
        let latest = client.list_offset(LIST_OFFSETS, TOPIC, 0, -1).offset;
        assert_eq!(latest, end, "round {round}");
        let read = client.fetch(TOPIC, 0, again.max(start));
        assert!(
            [ErrorCode::NONE, ErrorCode::OFFSET_OUT_OF_RANGE].contains(&read.error_code),
            "round {round}: {read:?}"
        );
    }
    wait_for_start(&mut client, TOPIC, end);
    assert!(!broker.log().contains("cut off"), "{}", broker.log());
}
