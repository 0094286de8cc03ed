//! What DescribeConfigs shows, held against what Apache Kafka 4.3 answers for the same settings.

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

fn topic(
    text: &str,
    dynamic: &DynamicConfigs,
    overrides: &[(&str, &str)],
    name: &str,
) -> Described {
    let described = describe_topic(&settings(text), dynamic, &configs(overrides));
    described
        .into_iter()
        .find(|described| described.name == name)
        .unwrap()
}

fn broker(text: &str, name: &str) -> Option<Described> {
    let described = describe_broker(&settings(text), &DynamicConfigs::default());
    described
        .into_iter()
        .find(|described| described.name == name)
}

fn places(described: &Described) -> Vec<(&str, &str, Source)> {
    let synonyms = described.synonyms.iter();
    synonyms
        .map(|synonym| {
            let value = synonym.value.as_deref().unwrap_or("null");
            (synonym.name, value, synonym.source)
        })
        .collect()
}

#[test]
fn a_topic_shows_every_property_that_kafka_shows() {
    let described = describe_topic(
        &Settings::default(),
        &DynamicConfigs::default(),
        &Configs::new(),
    );
    assert_eq!(described.len(), 33);
    assert!(described.is_sorted_by_key(|described| described.name));
    assert!(
        described
            .iter()
            .all(|described| described.is_default() && !described.read_only)
    );
    assert!(
        described
            .iter()
            .all(|described| described.value.is_some() && !described.documentation.is_empty())
    );
}

#[test]
fn a_topics_own_value_stands_before_the_brokers() {
    let own = [("max.message.bytes", "5000"), ("flush.ms", "7")];
    let described = topic("", &DynamicConfigs::default(), &own, "max.message.bytes");
    assert_eq!(
        (described.value.as_deref(), described.source),
        (Some("5000"), Source::Topic)
    );
    assert_eq!(
        places(&described),
        [
            ("max.message.bytes", "5000", Source::Topic),
            ("message.max.bytes", "1048588", Source::Default)
        ]
    );
    let described = topic("", &DynamicConfigs::default(), &own, "flush.ms");
    assert_eq!(places(&described), [("flush.ms", "7", Source::Topic)]);
}

#[test]
fn values_of_the_metadata_log_stand_between_topic_and_file() {
    let dynamic = DynamicConfigs {
        cluster: configs(&[("min.insync.replicas", "1")]),
        ..Default::default()
    };
    let described = topic(
        "min.insync.replicas=2",
        &dynamic,
        &[],
        "min.insync.replicas",
    );
    assert_eq!(
        (described.value.as_deref(), described.source),
        (Some("1"), Source::DynamicDefaultBroker)
    );
    assert_eq!(
        places(&described),
        [
            ("min.insync.replicas", "1", Source::DynamicDefaultBroker),
            ("min.insync.replicas", "2", Source::StaticBroker),
            ("min.insync.replicas", "1", Source::Default),
        ]
    );
}

#[test]
fn a_coarser_broker_property_shows_behind_the_finer_one_where_that_is_set() {
    let file = "log.roll.hours=2\nlog.retention.minutes=7";
    let none = DynamicConfigs::default();
    for (name, value) in [("segment.ms", "7200000"), ("retention.ms", "420000")] {
        let described = topic(file, &none, &[], name);
        let shown = (
            described.value.as_deref(),
            described.source,
            places(&described),
        );
        assert_eq!(shown, (Some(value), Source::Default, vec![]));
    }
    let dynamic = DynamicConfigs {
        broker: configs(&[("log.roll.ms", "99")]),
        cluster: configs(&[("log.retention.ms", "98")]),
    };
    let described = topic(file, &dynamic, &[], "segment.ms");
    assert_eq!(
        places(&described),
        [
            ("log.roll.ms", "99", Source::DynamicBroker),
            ("log.roll.hours", "2", Source::StaticBroker),
            ("log.roll.hours", "168", Source::Default),
        ]
    );
    let described = topic(file, &dynamic, &[], "retention.ms");
    assert_eq!(
        (described.value.as_deref(), described.source),
        (Some("98"), Source::DynamicDefaultBroker)
    );
    assert_eq!(
        places(&described),
        [
            ("log.retention.ms", "98", Source::DynamicDefaultBroker),
            ("log.retention.minutes", "7", Source::StaticBroker),
            ("log.retention.hours", "168", Source::Default),
        ]
    );
    let minutes = broker(file, "log.retention.minutes").unwrap();
    assert_eq!(
        places(&minutes),
        [
            ("log.retention.minutes", "7", Source::StaticBroker),
            ("log.retention.hours", "168", Source::Default),
        ]
    );
    let milliseconds = broker(file, "log.retention.ms").unwrap();
    assert_eq!(
        (milliseconds.value.as_deref(), places(&milliseconds)),
        (None, vec![])
    );
}

#[test]
fn a_broker_shows_what_is_set_and_what_it_would_be_otherwise() {
    let described = broker("num.partitions=4", "num.partitions").unwrap();
    assert_eq!(
        (
            described.value.as_deref(),
            described.source,
            described.config_type
        ),
        (Some("4"), Source::StaticBroker, 3)
    );
    assert!(described.read_only && !described.is_default());
    assert_eq!(
        places(&described),
        [
            ("num.partitions", "4", Source::StaticBroker),
            ("num.partitions", "1", Source::Default)
        ]
    );
    let unset = broker("", "log.flush.interval.ms").unwrap();
    assert_eq!((unset.value, unset.source), (None, Source::Default));
}

#[test]
fn names_that_kafka_does_not_have_show_only_where_they_are_set_and_internal_ones_never() {
    assert!(broker("", "zookeeper.connect").is_none());
    assert_eq!(
        broker("zookeeper.connect=localhost:2181", "zookeeper.connect")
            .unwrap()
            .value
            .as_deref(),
        Some("localhost:2181")
    );
    assert!(broker("", "core.listeners").is_none());
    assert!(broker("core.listeners=*", "core.listeners").is_some());
    assert!(
        broker(
            "unstable.api.versions.enable=false",
            "unstable.api.versions.enable"
        )
        .is_none()
    );
    assert_eq!(
        describe_broker(&Settings::default(), &DynamicConfigs::default()).len(),
        340,
        "as many as Kafka 4.3 shows"
    );
}

#[test]
fn what_is_secret_is_not_shown() {
    // A secret that is set would stop the start, so the place is made by hand.
    let mut settings = Settings::default();
    let value = Value::Text("abc".to_owned());
    settings.set(
        "ssl.key.password",
        crate::config::settings::Setting {
            value,
            origin: crate::config::settings::Origin::Override,
        },
    );
    let described = describe_broker(&settings, &DynamicConfigs::default());
    let secret = described
        .into_iter()
        .find(|described| described.name == "ssl.key.password")
        .unwrap();
    assert!(secret.is_sensitive && secret.value.is_none() && secret.source == Source::StaticBroker);
    assert_eq!(
        places(&secret),
        [("ssl.key.password", "null", Source::StaticBroker)]
    );
}

#[test]
fn the_settled_node_id_is_shown_under_both_names() {
    let mut config = load_text(Some(("f", "broker.id=-1")), &[], true)
        .unwrap()
        .config;
    config.settle_node_id(7);
    let described = describe_broker(&config.settings, &DynamicConfigs::default());
    let ids: Vec<_> = described
        .iter()
        .filter(|d| ["node.id", "broker.id"].contains(&d.name))
        .map(|d| d.value.as_deref())
        .collect();
    assert_eq!(ids, [Some("7"), Some("7")]);
}
