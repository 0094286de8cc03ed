//! Whole files: the tutorial's, Kafka's own, and wrong ones.

use super::*;

fn loaded(text: &str) -> Loaded {
    load_text(Some(("server.properties", text)), &[], false)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(text: &str, strict: bool) -> String {
    load_text(Some(("server.properties", text)), &[], strict)
        .expect_err(text)
        .to_string()
}

#[test]
fn a_bad_value_is_refused_with_file_line_name_and_what_would_be_right() {
    assert_eq!(
        refusal("\nnum.partitions = none of them", false),
        "server.properties:2: num.partitions=none of them: Not a number of type INT; it takes a whole number from 1 to 2147483647"
    );
    assert_eq!(
        refusal("log.roll.hours=24*x", false),
        "server.properties:1: log.roll.hours=24*x: Not a number of type INT; it takes a whole number from 1 to 2147483647"
    );
    let overrides = [("delete.topic.enable".to_owned(), "maybe".to_owned())];
    assert_eq!(
        load_text(None, &overrides, false)
            .expect_err("maybe is no boolean")
            .to_string(),
        "--override: delete.topic.enable=maybe: Expected value to be either true or false; it takes true or false"
    );
}

#[test]
fn an_unknown_name_is_a_warning_with_the_nearest_known_one_and_stops_only_when_strict() {
    let text = "num.partition=3\nteapot=1";
    assert_eq!(
        loaded(text).warnings,
        [
            "server.properties:1: unknown property num.partition is ignored (did you mean num.partitions?)",
            "server.properties:2: unknown property teapot is ignored",
        ]
    );
    assert_eq!(
        refusal(text, true),
        "server.properties:1: unknown property num.partition (did you mean num.partitions?)"
    );
}

#[test]
fn properties_without_effect_make_one_warning_together() {
    let warnings = loaded("num.io.threads=8\nlog.local.retention.ms=5").warnings;
    assert_eq!(
        warnings,
        ["known, but without effect in this version: log.local.retention.ms, num.io.threads"]
    );
}

#[test]
fn what_promises_protection_and_is_not_in_force_stops_the_start() {
    let sentence = refusal("security.inter.broker.protocol=SSL", false);
    assert!(
        sentence
            .starts_with("server.properties:1: security.inter.broker.protocol cannot be honoured"),
        "{sentence}"
    );
    assert!(refusal("listener.name.internal.max.connections=1", false).contains("not served yet"));
    loaded("security.inter.broker.protocol=PLAINTEXT");
}

#[test]
fn an_override_goes_before_the_file_and_may_unset_what_is_guarded() {
    let overrides = [
        ("num.partitions", "5"),
        ("max.connection.creation.rate", ""),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()));
    let text = "num.partitions=3\nmax.connection.creation.rate=10";
    let loaded = load_text(Some(("f", text)), &overrides, true).unwrap();
    assert_eq!(loaded.config.num_partitions, 5);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn the_last_line_of_a_name_holds_and_its_repetition_is_told() {
    let loaded = loaded("num.partitions=3\nnum.partitions=4");
    assert_eq!(loaded.config.num_partitions, 4);
    assert_eq!(
        loaded.warnings,
        ["server.properties:2: num.partitions replaces its value of line 1"]
    );
}

#[test]
fn an_empty_value_is_unset() {
    assert_eq!(
        loaded("num.partitions=\nhost.name").config.num_partitions,
        1
    );
}

#[test]
fn older_names_carry_their_value_in_the_unit_of_the_new_one() {
    let loaded = loaded("log.delete.delay.ms=5\nlog.cleanup.interval.mins=2");
    assert_eq!(loaded.config.topic_defaults.file_delete_delay_ms, 5);
    let interval = loaded
        .config
        .settings
        .value("log.retention.check.interval.ms");
    assert_eq!(interval, Some(Value::Number(120_000)));
}

#[test]
fn an_older_name_beside_the_new_one_has_no_effect_and_says_so() {
    let loaded = loaded("log.delete.delay.ms=5\nlog.segment.delete.delay.ms=6");
    assert_eq!(loaded.config.topic_defaults.file_delete_delay_ms, 6);
    assert_eq!(
        loaded.warnings,
        [
            "server.properties:1: log.delete.delay.ms has no effect beside log.segment.delete.delay.ms"
        ]
    );
}

#[test]
fn a_malformed_escape_is_refused_with_its_line() {
    assert_eq!(
        refusal("\nbroker.rack=\\u12", false),
        "server.properties:2: \\u must be followed by four hexadecimal digits"
    );
}

#[test]
fn a_file_that_is_missing_or_huge_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.properties");
    let sentence = load(Some(&missing), &[], false)
        .expect_err("there is no file")
        .to_string();
    assert!(
        sentence.contains("missing.properties") && sentence.contains("No such file"),
        "{sentence}"
    );
    let huge = directory.path().join("huge.properties");
    std::fs::write(&huge, vec![b'#'; PROPERTIES_FILE_MAX_BYTES + 1]).unwrap();
    assert!(matches!(
        load(Some(&huge), &[], false),
        Err(ConfigError::TooLarge { .. })
    ));
    std::fs::write(&huge, "num.partitions=2").unwrap();
    assert_eq!(
        load(Some(&huge), &[], false).unwrap().config.num_partitions,
        2
    );
}

#[test]
fn the_file_of_a_single_kafka_node_boots() {
    let loaded = loaded(include_str!("testdata/single_node.properties"));
    assert_eq!(loaded.config.node_id, Some(1));
    assert_eq!(loaded.config.listeners.len(), 1);
    assert!(
        loaded
            .warnings
            .iter()
            .all(|warning| !warning.contains("unknown")),
        "{:?}",
        loaded.warnings
    );
}

#[test]
fn the_file_of_an_old_tutorial_boots() {
    let loaded = loaded(include_str!("testdata/tutorial.properties"));
    let config = &loaded.config;
    assert_eq!(config.node_id, Some(1));
    assert_eq!(config.listeners[0].port, 6667);
    assert_eq!(config.socket_send_buffer_bytes, Some(102_400));
    assert_eq!(config.socket_request_max_bytes, 104_857_600);
    assert_eq!(config.topic_defaults.max_message_bytes, 1_000_000);
    assert_eq!(config.topic_defaults.segment_ms, 604_800_000);
    assert_eq!(config.topic_defaults.segment_bytes, 1 << 30);
    assert_eq!(config.topic_defaults.flush_messages, i64::MAX as u64);
    assert_eq!(config.topic_defaults.flush_ms, 3_000);
    assert_eq!(
        config.settings.value("log.retention.minutes"),
        Some(Value::Number(10_080))
    );
    assert_eq!(
        config.settings.value("log.cleaner.io.max.bytes.per.second"),
        Some(Value::Fraction(f64::MAX))
    );
    assert_eq!(
        config.settings.value("log.retention.check.interval.ms"),
        Some(Value::Number(300_000))
    );
}

/// What the tutorial for Kafka 0.8 names, with its values, and what came of the names since.
const TUTORIAL_ROWS: &[(&str, &str, Option<&str>)] = &[
    ("broker.id", "1", Some("node.id")),
    ("log.dirs", "/tmp/kafka-logs", None),
    ("port", "6667", Some("listeners")),
    ("host.name", "127.0.0.1", Some("listeners")),
    (
        "advertised.host.name",
        "example",
        Some("advertised.listeners"),
    ),
    ("advertised.port", "6668", Some("advertised.listeners")),
    ("listeners", "PLAINTEXT://:9092", None),
    ("message.max.bytes", "1000000", None),
    ("num.network.threads", "3", None),
    ("num.io.threads", "8", None),
    ("background.threads", "4", None),
    ("queued.max.requests", "500", None),
    ("socket.send.buffer.bytes", "100*1024", None),
    ("socket.receive.buffer.bytes", "100*1024", None),
    ("socket.request.max.bytes", "100*1024*1024", None),
    ("log.segment.bytes", "1024*1024*1024", None),
    ("log.roll.hours", "24*7", None),
    ("log.cleanup.policy", "delete", None),
    ("log.retention.minutes", "7days", None),
    (
        "log.cleanup.interval.mins",
        "1",
        Some("log.retention.check.interval.ms"),
    ),
    ("log.retention.bytes", "-1", None),
    ("log.retention.check.interval.ms", "5minutes", None),
    ("log.cleaner.enable", "false", None),
    ("log.cleaner.threads", "1", None),
    ("log.cleaner.io.max.bytes.per.second", "1000000", None),
    ("log.cleaner.dedupe.buffer.size", "500*1024*1024", None),
    ("log.cleaner.io.buffer.size", "512*1024", None),
    ("log.cleaner.io.buffer.load.factor", "0.9", None),
    ("log.cleaner.backoff.ms", "15000", None),
    ("log.cleaner.min.cleanable.ratio", "0.5", None),
    ("log.cleaner.delete.retention.ms", "1day", None),
    ("log.index.size.max.bytes", "10*1024*1024", None),
    ("log.index.interval.bytes", "4096", None),
    ("log.flush.interval.messages", "10000", None),
    ("log.flush.interval.ms", "1000", None),
    ("log.flush.scheduler.interval.ms", "3000", None),
    (
        "log.delete.delay.ms",
        "60000",
        Some("log.segment.delete.delay.ms"),
    ),
    ("log.flush.offset.checkpoint.interval.ms", "60000", None),
    ("auto.create.topics.enable", "true", None),
    ("default.replication.factor", "1", None),
    ("num.partitions", "1", None),
    ("controller.socket.timeout.ms", "30000", None),
    ("controller.message.queue.size", "10", None),
    ("replica.lag.time.max.ms", "10000", None),
    ("replica.lag.max.messages", "4000", None),
    ("replica.socket.timeout.ms", "30*1000", None),
    ("replica.socket.receive.buffer.bytes", "64*1024", None),
    ("replica.fetch.max.bytes", "1024*1024", None),
    ("replica.fetch.wait.max.ms", "500", None),
    ("replica.fetch.min.bytes", "1", None),
    ("num.replica.fetchers", "1", None),
    (
        "replica.high.watermark.checkpoint.interval.ms",
        "5000",
        None,
    ),
    ("controlled.shutdown.enable", "false", None),
    ("controlled.shutdown.max.retries", "3", None),
    ("controlled.shutdown.retry.backoff.ms", "5000", None),
    ("auto.leader.rebalance.enable", "false", None),
    ("leader.imbalance.per.broker.percentage", "10", None),
    ("leader.imbalance.check.interval.seconds", "300", None),
    ("offset.metadata.max.bytes", "4096", None),
    ("zookeeper.connect", "localhost:2181", None),
    ("zookeeper.session.timeout.ms", "6000", None),
    ("zookeeper.connection.timeout.ms", "6000", None),
    ("zookeeper.sync.time.ms", "2000", None),
    ("delete.topic.enable", "true", None),
    ("min.insync.replicas", "1", None),
    ("unclean.leader.election.enable", "false", None),
    ("offsets.topic.num.partitions", "50", None),
    ("transaction.state.log.num.partitions", "50", None),
    ("group.min.session.timeout.ms", "6000", None),
    ("group.max.session.timeout.ms", "1800000", None),
    ("group.initial.rebalance.delay.ms", "3000", None),
    ("connections.max.idle.ms", "600000", None),
    ("compression.type", "producer", None),
    ("log.message.timestamp.type", "CreateTime", None),
];

#[test]
fn each_property_of_the_tutorial_does_what_it_says_or_is_named_once_as_without_effect() {
    for (name, text, mapped_to) in TUTORIAL_ROWS {
        let property = broker_property(name).unwrap_or_else(|| panic!("{name} is unknown"));
        let Loaded { config, warnings } = loaded(&format!("{name} = {text}"));
        let named = warnings.iter().filter(|warning| warning.contains(name));
        let idle = property.status == Status::AcceptedWithoutEffect;
        assert_eq!(named.count(), usize::from(idle), "{name}: {warnings:?}");
        let set = config.settings.explicit(name);
        assert!(set.is_some(), "{name} is shown");
        match (mapped_to, property.status) {
            (Some(target), Status::Mapped(to)) => assert_eq!(*target, to, "{name}"),
            (None, Status::InForce | Status::AcceptedWithoutEffect) => {}
            (expected, status) => panic!("{name}: {status:?}, not {expected:?}"),
        }
    }
}

#[test]
fn what_the_tutorial_maps_holds_under_the_names_of_today() {
    let config = loaded(
        "broker.id=7\nport=6667\nhost.name=127.0.0.1\nadvertised.host.name=example\nadvertised.port=6668\n\
         log.cleanup.interval.mins=1\nlog.delete.delay.ms=5",
    )
    .config;
    assert_eq!(config.node_id, Some(7));
    let listener = &config.listeners[0];
    assert_eq!((listener.host.as_str(), listener.port), ("127.0.0.1", 6667));
    assert_eq!(listener.advertised.host.as_deref(), Some("example"));
    assert_eq!(listener.advertised.port, Some(6668));
    assert_eq!(
        config.settings.value("log.retention.check.interval.ms"),
        Some(Value::Number(60_000))
    );
    assert_eq!(config.topic_defaults.file_delete_delay_ms, 5);
}

#[test]
fn headings_between_the_lines_are_no_properties_and_stop_nothing() {
    let loaded = loaded("---------- LOG ----------\nnum.partitions=3\n\u{6307}\u{5b9a}\n");
    assert_eq!(loaded.config.num_partitions, 3);
    assert_eq!(
        loaded.warnings,
        [
            "server.properties:1: ---------- is no property and is ignored",
            "server.properties:3: \u{6307}\u{5b9a} is no property and is ignored"
        ]
    );
}
