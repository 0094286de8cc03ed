//! Where a topic's values come from, and which it may not have.

use super::*;
use crate::config::load::load_text;

fn settings(text: &str) -> Settings {
    load_text(Some(("f", text)), &[], true)
        .unwrap()
        .config
        .settings
}

fn configs(pairs: &[(&str, &str)]) -> Configs {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn refusal(name: &str, value: Option<&str>) -> String {
    validate_topic_override(name, value)
        .expect_err(name)
        .message
}

#[test]
fn the_topic_goes_before_the_broker_and_the_broker_before_the_default() {
    let settings = settings("message.max.bytes=2000\nlog.segment.bytes=2097152");
    let config = TopicConfig::resolve(
        &settings,
        &DynamicConfigs::default(),
        &configs(&[("max.message.bytes", "100")]),
    );
    assert_eq!(config.max_message_bytes, 100);
    assert_eq!(config.segment_bytes, 2_097_152);
    assert_eq!(config.index_interval_bytes, 4096);
}

#[test]
fn values_of_the_metadata_log_go_between_topic_and_file() {
    let settings = settings("min.insync.replicas=2");
    let mut dynamic = DynamicConfigs {
        cluster: configs(&[("min.insync.replicas", "3")]),
        ..Default::default()
    };
    let replicas = |dynamic: &DynamicConfigs, own: &Configs| {
        TopicConfig::resolve(&settings, dynamic, own).min_insync_replicas
    };
    assert_eq!(replicas(&dynamic, &Configs::new()), 3);
    dynamic.broker = configs(&[("min.insync.replicas", "4")]);
    assert_eq!(replicas(&dynamic, &Configs::new()), 4);
    assert_eq!(
        replicas(&dynamic, &configs(&[("min.insync.replicas", "5")])),
        5
    );
}

#[test]
fn compaction_and_timestamp_type_are_read_from_their_words() {
    let own = configs(&[
        ("cleanup.policy", "delete,compact"),
        ("message.timestamp.type", "LogAppendTime"),
        ("preallocate", "TRUE"),
    ]);
    let config = TopicConfig::resolve(&Settings::default(), &DynamicConfigs::default(), &own);
    assert!(config.compact && config.preallocate);
    assert_eq!(config.message_timestamp_type, TimestampType::LogAppendTime);
}

#[test]
fn a_compacted_segment_is_sealed_within_the_longest_lag_of_compaction() {
    let limits = [("segment.ms", "5000"), ("max.compaction.lag.ms", "700")];
    let sealed_after = |policy: &str, limits: &[(&str, &str)]| {
        let own = configs(&[limits, &[("cleanup.policy", policy)]].concat());
        TopicConfig::resolve(&Settings::default(), &DynamicConfigs::default(), &own)
            .max_segment_ms()
    };
    assert_eq!(sealed_after("compact", &limits), 700);
    assert_eq!(sealed_after("delete", &limits), 5_000);
    assert_eq!(sealed_after("compact", &limits[..1]), 5_000);
}

#[test]
fn a_stored_value_that_is_not_legal_counts_as_absent() {
    let own = configs(&[("segment.bytes", "12"), ("of.another.version", "x")]);
    let config = TopicConfig::resolve(&Settings::default(), &DynamicConfigs::default(), &own);
    assert_eq!(config.segment_bytes, 1 << 30);
}

#[test]
fn what_a_topic_may_not_have_is_refused_in_the_words_of_kafka() {
    assert_eq!(
        refusal("nope", Some("1")),
        "Unknown topic config name: nope"
    );
    assert_eq!(
        refusal("retention.ms", None),
        "Null value not supported for topic configs: retention.ms"
    );
    assert_eq!(
        refusal("retention.ms", Some("x")),
        "Invalid value x for configuration retention.ms: Not a number of type LONG"
    );
    assert_eq!(
        refusal("remote.storage.enable", Some("true")),
        "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."
    );
    assert_eq!(
        validate_topic_override("remote.storage.enable", Some("false")),
        Ok(())
    );
    assert_eq!(
        validate_topic_override("cleanup.policy", Some("compact")),
        Ok(())
    );
}

#[test]
fn settings_that_exclude_each_other_are_refused_together() {
    let own = configs(&[
        ("min.compaction.lag.ms", "100"),
        ("max.compaction.lag.ms", "10"),
    ]);
    assert_eq!(
        validate_topic_overrides(&own, &Settings::default(), &DynamicConfigs::default())
            .unwrap_err()
            .message,
        "conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (10)"
    );
    let settings = settings("log.cleaner.max.compaction.lag.ms=50");
    let own = configs(&[("min.compaction.lag.ms", "100")]);
    assert!(
        validate_topic_overrides(&own, &settings, &DynamicConfigs::default()).is_err(),
        "the broker's default counts"
    );
    assert_eq!(
        validate_topic_overrides(&own, &Settings::default(), &DynamicConfigs::default()),
        Ok(())
    );
}

#[test]
fn settings_that_change_nothing_can_be_told() {
    let own = configs(&[
        ("local.retention.ms", "1"),
        ("retention.ms", "1"),
        ("of.another.version", "x"),
    ]);
    assert_eq!(
        overrides_without_effect(&own),
        ["local.retention.ms", "of.another.version"]
    );
}
