//! Compaction of a running broker: the newest record of each key stays, whatever stops the broker meanwhile.
//!
//! Setup: topics that roll a segment every second of their records' timestamps, and a cleaner that does not wait. Expectation:
//! old values go and the newest stay at their offsets, tombstones go after their time, and a restart or a kill in the middle
//! changes nothing about it.

mod harness;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use harness::broker::Broker;
use harness::clients::Client::Rskafka;
use harness::record::{Record, now_ms};
use harness::requests::{data_of, fetch_partition, fetch_request, only_partition};
use harness::wire_client::{WireClient, wait_until};
use vltava::wire::ErrorCode;
use vltava::wire::messages::fetch::FetchPartition;
use vltava::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use vltava::wire::records::message_set::messages;
use vltava::wire::records::{BatchBuilder, BatchHeader, Codec, Scratch, batches};

const DEADLINE: Duration = Duration::from_secs(60);

/// What a compacted topic of these tests has.
const COMPACTED: &[(&str, &str)] = &[
    ("cleanup.policy", "compact"),
    ("segment.ms", "1000"),
    ("min.cleanable.dirty.ratio", "0.01"),
    ("file.delete.delay.ms", "0"),
];

const EAGER: &[(&str, &str)] = &[
    ("log.cleaner.backoff.ms", "50"),
    ("group.initial.rebalance.delay.ms", "0"),
];

/// Offset, key, value.
type Told = (i64, String, Option<String>);

/// Every record of a partition, as a consumer goes through its batches.
fn read(client: &mut WireClient, topic: &str) -> Vec<Told> {
    let mut next = 0;
    let mut told = Vec::new();
    loop {
        let answer = client.fetch(topic, 0, next);
        assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
        let data = data_of(&answer);
        if data.is_empty() {
            assert_eq!(next, answer.high_watermark, "the end is not reached");
            return told;
        }
        for batch in batches(data) {
            let batch = batch.expect("a sound batch");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let records = batch
                .records(1 << 30, &mut Scratch::default())
                .expect("sound records");
            for record in &records {
                let record = record.expect("a sound record");
                let key = record.key.map(text).expect("every record has a key");
                told.push((record.offset.0, key, record.value.map(text)));
            }
            assert!(batch.header().next_offset().0 > next, "offsets only grow");
            next = batch.header().next_offset().0;
        }
    }
}

/// Reads until what is read is as it should be.
#[track_caller]
fn read_until(
    broker: &Broker,
    client: &mut WireClient,
    topic: &str,
    what: &str,
    done: impl Fn(&[Told]) -> bool,
) -> Vec<Told> {
    let began = Instant::now();
    loop {
        let told = read(client, topic);
        if done(&told) {
            return told;
        }
        assert!(
            began.elapsed() < DEADLINE,
            "{topic}: {what} does not come about: {told:?}\n{}",
            broker.log()
        );
        thread::sleep(Duration::from_millis(50));
    }
}

/// A record of a key, `second` seconds on: each second begins a segment.
fn keyed(topic: &str, second: i64, key: &str, value: Option<&str>) -> Record {
    Record {
        partition: Some(0),
        timestamp_ms: now_ms() - 1_000_000 + 2_000 * second,
        ..Record::new(topic, Some(key.into()), value.map(Into::into))
    }
}

/// Writes records one batch each, so that segments roll between them.
fn write_each(broker: &Broker, codec: &str, records: &[Record]) {
    for record in records {
        Rskafka.produce(
            &broker.bootstrap(),
            codec,
            false,
            std::slice::from_ref(record),
        );
    }
}

fn offset_of(told: &[Told], key: &str) -> Vec<i64> {
    told.iter()
        .filter(|record| record.1 == key)
        .map(|record| record.0)
        .collect()
}

fn set(client: &mut WireClient, kind: i8, name: &str, config: &str, value: &str) {
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            configs: vec![AlterableConfig {
                name: config.into(),
                config_operation: 0,
                value: Some(value.into()),
            }],
        }],
        validate_only: false,
    };
    let answer = client.call(1, &request);
    assert_eq!(
        answer.responses[0].error_code,
        ErrorCode::NONE,
        "{answer:?}"
    );
}

#[test]
fn old_values_go_in_every_codec_and_what_a_client_wrote_last_stays() {
    let broker = Broker::start(EAGER);
    let mut client = WireClient::connect(broker.port());
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        client.create_topic_with(codec, 1, COMPACTED);
        let mut records = Vec::new();
        for second in 0..6 {
            let value = format!("{second}").repeat(100);
            let batch = [
                keyed(codec, second, "a", Some(&value)),
                keyed(codec, second, &format!("k{second}"), Some(&value)),
            ];
            Rskafka.produce(&broker.bootstrap(), codec, false, &batch);
            records.extend(batch);
        }
        write_each(&broker, codec, &[keyed(codec, 10, "last", Some("x"))]);
        let told = read_until(&broker, &mut client, codec, "compaction", |told| {
            offset_of(told, "a").len() == 1
        });
        assert_eq!(offset_of(&told, "a"), [10]);
        for second in 0..6 {
            assert_eq!(offset_of(&told, &format!("k{second}")), [2 * second + 1]);
        }
        // Other clients' libraries understand what is left.
        let read = Rskafka.consume(&broker.bootstrap(), &[codec]);
        let last = read
            .iter()
            .find(|record| record.key.as_deref() == Some(b"a"))
            .unwrap();
        assert_eq!(
            (last.offset, last.value.as_deref()),
            (Some(10), Some(&[b'5'; 100][..]))
        );
    }
    assert!(!broker.log().contains("ERROR"), "{}", broker.log());
}

#[test]
fn a_tombstone_hides_its_key_and_goes_after_delete_retention() {
    let broker = Broker::start(EAGER);
    let mut client = WireClient::connect(broker.port());
    let settings = [COMPACTED, &[("delete.retention.ms", "86400000")]].concat();
    client.create_topic_with("t", 1, &settings);
    let records = [
        keyed("t", 0, "a", Some("1")),
        keyed("t", 1, "b", Some("2")),
        keyed("t", 2, "a", None),
        keyed("t", 3, "c", Some("3")),
        keyed("t", 4, "d", Some("4")),
    ];
    write_each(&broker, "none", &records);
    let told = read_until(&broker, &mut client, "t", "compaction", |told| {
        offset_of(told, "a") == [2]
    });
    assert_eq!(told[1], (2, "a".to_owned(), None));
    assert_eq!(told.len(), 4);
    // The time of a tombstone is set by the compaction that meets it: with no retention it goes in the one after.
    set(&mut client, 2, "t", "delete.retention.ms", "0");
    for second in 10..14 {
        let again = [
            keyed("t", second, "e", Some("5")),
            keyed("t", second + 1, "e", None),
        ];
        write_each(&broker, "none", &again);
    }
    let second = Cell::new(20);
    let told = read_until(&broker, &mut client, "t", "the tombstone's end", |told| {
        // Compaction runs only where there is something new.
        second.set(second.get() + 1);
        write_each(
            &broker,
            "none",
            &[keyed("t", second.get(), "end", Some("x"))],
        );
        offset_of(told, "e").is_empty()
    });
    assert_eq!(offset_of(&told, "a"), [2], "its own time is still to come");
}

#[test]
fn what_a_topic_or_the_broker_is_told_while_it_runs_holds() {
    let broker = Broker::start(&[("log.cleaner.backoff.ms", "3600000")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic_with("t", 1, &[("segment.ms", "1000")]);
    let records: Vec<_> = (0..5)
        .map(|second| keyed("t", second, "a", Some("v")))
        .collect();
    write_each(&broker, "none", &records);
    set(&mut client, 2, "t", "cleanup.policy", "compact");
    set(&mut client, 2, "t", "min.cleanable.dirty.ratio", "0.0");
    assert_eq!(
        read(&mut client, "t").len(),
        5,
        "the cleaner rests for an hour"
    );
    set(&mut client, 4, "", "log.cleaner.backoff.ms", "50");
    let told = read_until(&broker, &mut client, "t", "compaction", |told| {
        told.len() == 2
    });
    assert_eq!(
        offset_of(&told, "a"),
        [3, 4],
        "the newest sealed one, and the active segment"
    );
}

#[test]
fn records_younger_than_the_compaction_lag_stay() {
    let broker = Broker::start(EAGER);
    let mut client = WireClient::connect(broker.port());
    for (topic, lag) in [("young", "86400000"), ("old", "1")] {
        let settings = [COMPACTED, &[("min.compaction.lag.ms", lag)]].concat();
        client.create_topic_with(topic, 1, &settings);
        let records: Vec<_> = (0..5)
            .map(|second| keyed(topic, second, "a", Some("v")))
            .collect();
        write_each(&broker, "none", &records);
    }
    read_until(&broker, &mut client, "old", "compaction", |told| {
        told.len() == 2
    });
    assert_eq!(read(&mut client, "young").len(), 5);
}

#[test]
fn records_do_not_wait_longer_than_the_longest_lag() {
    let broker = Broker::start(EAGER);
    let mut client = WireClient::connect(broker.port());
    // By its share alone no log would ever be compacted, and by segment.ms no segment be sealed.
    let settings = [
        ("cleanup.policy", "compact"),
        ("min.cleanable.dirty.ratio", "1.0"),
        ("max.compaction.lag.ms", "1000"),
    ];
    client.create_topic_with("t", 1, &settings);
    let records: Vec<_> = (0..5)
        .map(|second| keyed("t", second, "a", Some("v")))
        .collect();
    write_each(&broker, "none", &records);
    let told = read_until(&broker, &mut client, "t", "compaction", |told| {
        told.len() == 2
    });
    assert_eq!(offset_of(&told, "a"), [3, 4]);
}

#[test]
fn an_idempotent_producer_goes_on_where_its_records_were_compacted() {
    let mut broker = Broker::start(EAGER);
    let mut client = WireClient::connect(broker.port());
    client.create_topic_with("t", 1, COMPACTED);
    let producer = client.new_producer();
    let batch = |sequence: i32, second: i64, key: &str| {
        let mut builder = BatchBuilder::new(Codec::None).producer(producer.0, producer.1, sequence);
        let at = now_ms() - 1_000_000 + 2_000 * second;
        builder.append(at, Some(key.as_bytes()), Some(b"v"), &[]);
        builder.build()
    };
    for sequence in 0..4 {
        client.write_batch("t", 0, &batch(sequence, sequence.into(), "a"));
    }
    let others = [
        keyed("t", 5, "a", Some("newer")),
        keyed("t", 6, "b", Some("x")),
    ];
    write_each(&broker, "none", &others);
    read_until(&broker, &mut client, "t", "compaction", |told| {
        told.len() == 2
    });
    // Of the producer's records none is left, only where it stands.
    let header = data_of(&client.fetch("t", 0, 3));
    let header = BatchHeader::read_checked(&header).unwrap();
    assert_eq!((header.base_offset().0, header.record_count()), (3, 0));
    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    let repeated = client.produce("t", 0, &batch(3, 3, "a"));
    assert_eq!(
        (repeated.error_code, repeated.base_offset),
        (ErrorCode::NONE, 3)
    );
    assert_eq!(client.write_batch("t", 0, &batch(4, 7, "c")), 6);
}

#[test]
fn clients_of_message_sets_get_past_what_compaction_left() {
    let broker = Broker::start(EAGER);
    let mut client = WireClient::connect(broker.port());
    client.create_topic_with("t", 1, COMPACTED);
    let producer = client.new_producer();
    let mut builder = BatchBuilder::new(Codec::None).producer(producer.0, producer.1, 0);
    builder.append(now_ms() - 1_000_000, Some(b"a"), Some(b"v"), &[]);
    client.write_batch("t", 0, &builder.build());
    let others = [
        keyed("t", 1, "a", Some("newer")),
        keyed("t", 2, "b", Some("x")),
    ];
    write_each(&broker, "none", &others);
    read_until(&broker, &mut client, "t", "compaction", |told| {
        told.len() == 2
    });
    for version in [0, 2, 3] {
        // So little that the first answer would hold the header alone that is left at offset 0.
        let partition = FetchPartition {
            partition_max_bytes: 10,
            ..fetch_partition(0, 0)
        };
        let answer = client.call(version, &fetch_request("t", vec![partition]));
        let data = data_of(&only_partition(answer));
        let first = messages(&data).next().expect("a message").unwrap();
        assert_eq!(first.offset, 1, "version {version}");
        assert_eq!(first.value.as_deref(), Some(&b"newer"[..]));
    }
}

#[test]
fn positions_of_groups_outlive_the_compaction_of_their_topic() {
    let overrides = [
        EAGER,
        &[
            ("offsets.topic.num.partitions", "1"),
            ("log.cleaner.min.cleanable.ratio", "0.0"),
        ],
    ]
    .concat();
    let mut broker = Broker::start(&overrides);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    client.write("t", 0, &["1"; 100]);
    client.need_coordinator();
    let topic = "__consumer_offsets";
    let member = client.join_alone("g");
    // A segment with each commit, so that all but the newest can be compacted.
    set(&mut client, 2, topic, "segment.ms", "1");
    for offset in 1..=20 {
        assert_eq!(client.commit(&member, offset), ErrorCode::NONE);
        thread::sleep(Duration::from_millis(3));
    }
    wait_until("the groups' topic is compacted", || {
        assert_eq!(client.commit(&member, 20), ErrorCode::NONE);
        broker.log().contains("__consumer_offsets-0: compacted")
    });
    for restart in [Broker::kill as fn(&mut Broker), |broker| {
        broker.stop();
    }] {
        restart(&mut broker);
        broker.restart();
        let mut client = WireClient::connect(broker.port());
        client.need_coordinator();
        wait_until("the coordinator has loaded", || {
            client.describe_group(5, "g").error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
        });
        assert_eq!(client.committed("g", "t").committed_offset, 20);
    }
}

#[test]
fn kills_in_the_middle_of_compaction_lose_no_newest_value() {
    let seed = now_ms() as u64;
    eprintln!("seed {seed}");
    let mut random = seed;
    let mut below = move |bound: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % bound
    };
    // So slow that most kills find a run under way.
    let slow = ("log.cleaner.io.max.bytes.per.second", "100000");
    let mut broker = Broker::start(&[EAGER, &[slow]].concat());
    WireClient::connect(broker.port()).create_topic_with("t", 1, COMPACTED);
    let mut newest: BTreeMap<String, (i64, String)> = BTreeMap::new();
    let mut second = 0;
    for round in 0..8 {
        let mut client = WireClient::connect(broker.port());
        for _ in 0..40 {
            let mut builder = BatchBuilder::new(Codec::ALL[below(5) as usize]);
            let at = now_ms() - 10_000_000 + 2_000 * second;
            second += i64::from(below(3) == 0);
            let pairs: Vec<_> = (0..1 + below(20))
                .map(|_| {
                    (
                        format!("k{}", below(60)),
                        format!("{round}-{}", below(1_000_000)),
                    )
                })
                .collect();
            for (key, value) in &pairs {
                builder.append(at, Some(key.as_bytes()), Some(value.as_bytes()), &[]);
            }
            let base = client.write_batch("t", 0, &builder.build());
            for (offset, (key, value)) in (base..).zip(pairs) {
                newest.insert(key, (offset, value));
            }
        }
        thread::sleep(Duration::from_millis(below(400)));
        if below(3) > 0 {
            broker.kill();
        } else {
            broker.stop();
        }
        broker.restart();
        let mut client = WireClient::connect(broker.port());
        let mut found = BTreeMap::new();
        let told = read(&mut client, "t");
        assert!(
            told.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "offsets only grow"
        );
        for (offset, key, value) in told {
            found.insert(key, (offset, value.unwrap_or_default()));
        }
        assert_eq!(found, newest, "seed {seed}, round {round}");
    }
    let checkpoint = broker.data_dir().join("cleaner-offset-checkpoint");
    wait_until("something is compacted", || {
        std::fs::read_to_string(&checkpoint).is_ok_and(|text| text.contains("t 0 "))
    });
}

#[test]
fn a_topic_made_again_is_compacted_from_its_start() {
    let broker = Broker::start(EAGER);
    let mut client = WireClient::connect(broker.port());
    for _ in 0..2 {
        client.create_topic_with("t", 1, COMPACTED);
        let records: Vec<_> = (0..5)
            .map(|second| keyed("t", second, "a", Some("v")))
            .collect();
        write_each(&broker, "none", &records);
        read_until(&broker, &mut client, "t", "compaction", |told| {
            told.len() == 2
        });
        assert_eq!(client.delete_topic("t"), ErrorCode::NONE);
    }
}

#[test]
fn without_the_cleaner_nothing_is_compacted() {
    let mut broker = Broker::start(&[EAGER, &[("log.cleaner.enable", "false")]].concat());
    let mut client = WireClient::connect(broker.port());
    client.create_topic_with("t", 1, COMPACTED);
    let records: Vec<_> = (0..5)
        .map(|second| keyed("t", second, "a", Some("v")))
        .collect();
    write_each(&broker, "none", &records);
    broker.stop();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    assert_eq!(read(&mut client, "t").len(), 5);
    assert!(!broker.log().contains("compacted"));
}
