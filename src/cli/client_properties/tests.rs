//! The consumer and producer files of a tutorial for Kafka 0.8, and those of today.

use super::*;

const CONSUMER: &str = include_str!("testdata/tutorial-consumer.properties");
const PRODUCER: &str = include_str!("testdata/tutorial-producer.properties");

fn consumer(text: &str) -> ClientProperties {
    parse(ClientSide::Consumer, "c", text).unwrap()
}

fn producer(text: &str) -> ClientProperties {
    parse(ClientSide::Producer, "p", text).unwrap()
}

fn refusal(side: ClientSide, text: &str) -> String {
    parse(side, "f", text)
        .expect_err("must be refused")
        .to_string()
}

#[test]
fn the_tutorials_consumer_file_sets_what_has_a_meaning_today() {
    let properties = consumer(CONSUMER);
    let expected = ConsumerProperties {
        offset_reset: Some(OffsetReset::Latest),
        auto_commit: Some(true),
        auto_commit_interval: Some(Duration::from_secs(60)),
        fetch_min_bytes: Some(1),
        partition_fetch_bytes: Some(1 << 20),
        fetch_max_wait_ms: Some(100),
        ..ConsumerProperties::default()
    };
    assert_eq!(properties.consumer, expected);
    assert_eq!(properties.client_id.as_deref(), Some("group id value"));
    assert_eq!(properties.request_timeout, Some(Duration::from_secs(30)));
    assert_eq!(properties.producer, ProducerProperties::default());
}

#[test]
fn the_tutorials_producer_file_sets_what_has_a_meaning_today() {
    let properties = producer(PRODUCER);
    let expected = ProducerProperties {
        acks: Some(Acks::None),
        compression: Some(Compression::None),
        linger: Some(Duration::from_secs(5)),
        retries: Some(3),
        sync: Some(true),
        ..ProducerProperties::default()
    };
    assert_eq!(properties.producer, expected);
    assert_eq!(properties.bootstrap, None);
    assert_eq!(properties.request_timeout, Some(Duration::from_secs(10)));
}

/// Each line either sets something, or says nothing (an empty value), or there is a sentence for it.
#[test]
fn no_line_of_the_tutorial_is_passed_over_in_silence() {
    for (side, text) in [
        (ClientSide::Consumer, CONSUMER),
        (ClientSide::Producer, PRODUCER),
    ] {
        let warnings = parse(side, "f", text).unwrap().warnings;
        for line in explain(FileKind::Client(side), "f", text).unwrap() {
            let warned = warnings.iter().any(|warning| {
                warning.starts_with(&format!("f:{}: {} ", line.line, line.key))
                    || warning.starts_with(&format!("f:{}: unknown", line.line))
            });
            let silent = matches!(line.meaning, Meaning::InForce(_) | Meaning::Unset { .. });
            assert_ne!(warned, silent, "{line:?}");
        }
    }
}

#[test]
fn names_of_today_are_taken_without_a_word() {
    let properties = consumer(
        "bootstrap.servers=a:1, b:2\ngroup.id=g\ngroup.instance.id=i\nauto.offset.reset=earliest\nenable.auto.commit=false\n\
         session.timeout.ms=10000\nheartbeat.interval.ms=1000\nmax.poll.interval.ms=60000\nisolation.level=read_committed\n\
         consumer.timeout.ms=5000\nsecurity.protocol=PLAINTEXT\nfetch.max.bytes=9",
    );
    assert_eq!(properties.warnings, [""; 0]);
    assert_eq!(
        properties.bootstrap,
        Some(vec!["a:1".to_owned(), "b:2".to_owned()])
    );
    let expected = ConsumerProperties {
        group_id: Some("g".to_owned()),
        group_instance_id: Some("i".to_owned()),
        offset_reset: Some(OffsetReset::Earliest),
        auto_commit: Some(false),
        session_timeout: Some(Duration::from_secs(10)),
        heartbeat_interval: Some(Duration::from_secs(1)),
        max_poll_interval: Some(Duration::from_secs(60)),
        read_committed: Some(true),
        idle_timeout: Some(Duration::from_secs(5)),
        fetch_max_bytes: Some(9),
        ..ConsumerProperties::default()
    };
    assert_eq!(properties.consumer, expected);
    let properties = producer(
        "acks=all\ncompression.type=zstd\nbatch.size=9\nenable.idempotence=true\nlinger.ms=0",
    );
    assert_eq!(properties.warnings, [""; 0]);
    assert_eq!(properties.producer.acks, Some(Acks::All));
    assert_eq!(properties.producer.compression, Some(Compression::Zstd));
}

#[test]
fn every_property_in_force_goes_somewhere() {
    for side in [ClientSide::Consumer, ClientSide::Producer] {
        for property in side.properties() {
            if property.status != crate::config::property::Status::InForce {
                continue;
            }
            let value = property.default.unwrap_or("x");
            let text = format!("{}={value}", property.name);
            let set = parse(side, "f", &text).unwrap();
            // A negative time and an empty text say nothing.
            let says_nothing = ["consumer.timeout.ms", "client.id"].contains(&property.name);
            assert_ne!(set == ClientProperties::default(), !says_nothing, "{text}");
        }
    }
}

#[test]
fn codecs_of_kafka_0_8_are_words_or_numbers() {
    for (text, codec) in [
        ("2", Compression::Snappy),
        ("1", Compression::Gzip),
        ("0", Compression::None),
        ("snappy", Compression::Snappy),
    ] {
        let properties = producer(&format!("compression.codec={text}"));
        assert_eq!(properties.producer.compression, Some(codec), "{text}");
    }
}

#[test]
fn what_is_wrong_or_not_given_is_refused_with_file_and_line() {
    assert_eq!(
        refusal(ClientSide::Producer, "\nacks=2"),
        "f:2: acks=2: String must be one of: 0, 1, -1, all; it takes one of 0, 1, -1, all"
    );
    let words = refusal(ClientSide::Consumer, "ssl.truststore.location=/x");
    assert!(
        words.starts_with("f:1: ssl.truststore.location cannot be honoured"),
        "{words}"
    );
    for text in [
        "security.protocol=SSL",
        "sasl.mechanism=PLAIN",
        "transactional.id=x",
    ] {
        refusal(ClientSide::Producer, text);
    }
}

#[test]
fn names_that_nobody_knows_are_named_with_what_may_be_meant() {
    assert_eq!(
        consumer("grup.id=g").warnings,
        ["c:1: unknown consumer property grup.id is ignored (did you mean group.id?)"]
    );
    assert_eq!(
        consumer("acks=1").warnings,
        ["c:1: unknown consumer property acks is ignored"]
    );
}

#[test]
fn the_command_line_goes_before_the_file() {
    let pairs = [("group.id".to_owned(), "line".to_owned())];
    let line = parse_pairs(ClientSide::Consumer, "--consumer-property", &pairs).unwrap();
    let both = line.or(consumer("group.id=file\nfetch.min.bytes=7"));
    assert_eq!(both.consumer.group_id.as_deref(), Some("line"));
    assert_eq!(both.consumer.fetch_min_bytes, Some(7));
}
