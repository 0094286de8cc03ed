//! Typed values, precedence between names, and what does not go together.

use std::path::Path;

use crate::config::load::{Loaded, load_text};
use crate::config::{BrokerConfig, TimestampType};

fn config(text: &str) -> BrokerConfig {
    loaded(text).config
}

fn loaded(text: &str) -> Loaded {
    load_text(Some(("server.properties", text)), &[], true)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    load_text(Some(("server.properties", text)), &[], true)
        .expect_err(text)
        .to_string()
}

#[test]
fn an_empty_file_gives_the_defaults_of_kafka() {
    let config = config("");
    assert_eq!(config.node_id, None);
    assert_eq!(config.log_dirs, [Path::new("/tmp/kafka-logs")]);
    assert_eq!(config.num_partitions, 1);
    assert_eq!(config.socket_request_max_bytes, 104_857_600);
    assert_eq!(config.connections_max_idle_ms, Some(600_000));
    assert_eq!(config.queued_max_request_bytes, None);
    let topic = config.topic_defaults;
    assert_eq!(topic.segment_bytes, 1 << 30);
    assert_eq!(topic.segment_ms, 604_800_000);
    assert_eq!(
        (topic.flush_messages, topic.flush_ms),
        (i64::MAX as u64, i64::MAX)
    );
    assert_eq!(topic.max_message_bytes, 1_048_588);
    assert_eq!(topic.message_timestamp_type, TimestampType::CreateTime);
    assert!(!topic.compact && !topic.preallocate);
}

#[test]
fn without_a_file_the_broker_stays_on_loopback_and_below_the_working_directory() {
    let config = load_text(None, &[], true).unwrap().config;
    assert!(config.listeners[0].is_loopback());
    assert_eq!(config.log_dirs, [Path::new("vltava-data")]);
    let overrides = [
        ("log.dirs".to_owned(), "/data".to_owned()),
        ("port".to_owned(), "1".to_owned()),
    ];
    let config = load_text(None, &overrides, true).unwrap().config;
    assert_eq!(config.log_dirs, [Path::new("/data")]);
    assert!(
        config.listeners[0].is_wildcard(),
        "who names a port means Kafka's default host"
    );
}

#[test]
fn the_finer_name_goes_before_the_coarser() {
    let topic = config("log.roll.hours=1").topic_defaults;
    assert_eq!(topic.segment_ms, 3_600_000);
    let topic =
        config("log.roll.hours=1\nlog.roll.ms=7\nlog.roll.jitter.hours=2\nlog.roll.jitter.ms=5")
            .topic_defaults;
    assert_eq!((topic.segment_ms, topic.segment_jitter_ms), (7, 5));
    assert_eq!(
        config("log.flush.scheduler.interval.ms=9")
            .topic_defaults
            .flush_ms,
        9
    );
    assert_eq!(
        config("log.flush.scheduler.interval.ms=9\nlog.flush.interval.ms=4")
            .topic_defaults
            .flush_ms,
        4
    );
    let retention_ms = |file: &str| config(file).topic_defaults.retention_ms;
    assert_eq!(retention_ms(""), 604_800_000);
    assert_eq!(retention_ms("log.retention.hours=2"), 7_200_000);
    assert_eq!(
        retention_ms("log.retention.hours=2\nlog.retention.minutes=3"),
        180_000
    );
    assert_eq!(
        retention_ms("log.retention.minutes=3\nlog.retention.ms=9\nlog.retention.hours=2"),
        9
    );
    assert_eq!(retention_ms("log.retention.hours=-1"), -1);
    assert_eq!(
        config("log.dir=/a\nlog.dirs=/b").log_dirs,
        [Path::new("/b")]
    );
}

#[test]
fn node_id_and_broker_id_are_one_number() {
    assert_eq!(config("broker.id=7").node_id, Some(7));
    assert_eq!(config("node.id=7\nbroker.id=7").node_id, Some(7));
    assert_eq!(config("broker.id=-1").node_id, None);
    assert_eq!(config("node.id=3\nbroker.id=-1").node_id, Some(3));
    let sentence = refusal("node.id=1\nbroker.id=2");
    assert!(
        sentence
            .contains("server.properties:2: broker.id is 2 but node.id (server.properties:1) is 1"),
        "{sentence}"
    );
}

#[test]
fn negative_numbers_that_mean_none_become_none() {
    let config = config(
        "socket.send.buffer.bytes=-1\nsocket.receive.buffer.bytes=1024\nconnections.max.idle.ms=-1",
    );
    assert_eq!(config.socket_send_buffer_bytes, None);
    assert_eq!(config.socket_receive_buffer_bytes, Some(1024));
    assert_eq!(config.connections_max_idle_ms, None);
}

#[test]
fn what_is_not_served_is_refused_in_a_sentence() {
    let cases = [
        ("log.dirs=/a,/b,/a", "log.dirs names /a twice"),
        (
            "process.roles=broker",
            "joining other nodes is not served yet",
        ),
        (
            "controller.quorum.voters=1@a:1,2@b:1",
            "a quorum of several controllers is not served yet",
        ),
        (
            "queued.max.request.bytes=10",
            "must be larger or equal to socket.request.max.bytes",
        ),
        (
            "log.retention.ms=0",
            "must be unlimited (-1) or, greater than or equal to 1",
        ),
        ("default.replication.factor=0", "is no count of replicas"),
    ];
    for (text, words) in cases {
        let sentence = refusal(text);
        assert!(sentence.contains(words), "{text}: {sentence}");
    }
}

#[test]
fn a_factor_that_cannot_be_met_is_said_at_the_start() {
    let loaded = loaded("default.replication.factor=3");
    assert_eq!(loaded.config.default_replication_factor, 3);
    assert!(
        loaded.warnings[0].contains("this broker is alone"),
        "{:?}",
        loaded.warnings
    );
}
