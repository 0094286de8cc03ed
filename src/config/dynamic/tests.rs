//! Which properties change while the broker runs, in what order of precedence, and Kafka's words for those that do not.

use super::*;
use crate::config::load::load_text;
use crate::config::table::broker_properties;

fn config(text: &str) -> BrokerConfig {
    load_text(Some(("f", text)), &[], true).unwrap().config
}

fn configs(pairs: &[(&str, &str)]) -> Configs {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn refusal(text: &str, pairs: &[(&str, &str)]) -> String {
    validate_broker_configs(&config(text).settings, &configs(pairs)).expect_err("must be refused")
}

#[test]
fn the_names_are_sorted_and_stand_in_the_table() {
    assert!(DYNAMIC.is_sorted());
    for name in DYNAMIC {
        assert!(broker_property(name).is_some(), "{name}");
    }
}

#[test]
fn what_is_set_for_this_broker_stands_before_all_brokers_before_the_file_before_the_default() {
    let file = config("max.connections=10");
    let mut dynamic = DynamicConfigs::default();
    let most = |dynamic: &DynamicConfigs| file.with_dynamic(dynamic).max_connections;
    assert_eq!(most(&dynamic), 10);
    dynamic.cluster = configs(&[("max.connections", "20")]);
    assert_eq!(most(&dynamic), 20);
    dynamic.broker = configs(&[("max.connections", "30")]);
    assert_eq!(most(&dynamic), 30);
    dynamic = DynamicConfigs::default();
    assert_eq!(most(&dynamic), 10);
    assert_eq!(
        config("").with_dynamic(&dynamic).max_connections,
        2_147_483_647
    );
}

#[test]
fn defaults_of_topics_follow_and_what_takes_a_restart_stays() {
    let file = config("listeners=PLAINTEXT://127.0.0.1:7000\nnum.partitions=3");
    let dynamic = DynamicConfigs {
        broker: configs(&[
            ("listeners", "PLAINTEXT://127.0.0.1:8000"),
            ("num.partitions", "9"),
            ("message.max.bytes", "5000"),
        ]),
        ..DynamicConfigs::default()
    };
    let now = file.with_dynamic(&dynamic);
    assert_eq!(now.topic_defaults.max_message_bytes, 5000);
    assert_eq!(now.num_partitions, 3);
    assert_eq!(now.listeners[0].port, 7000);
    assert_eq!(now.settings, file.settings);
}

#[test]
fn what_cannot_change_is_refused_in_the_words_of_kafka() {
    assert_eq!(
        refusal("", &[("num.partitions", "5"), ("node.id", "9")]),
        "Cannot update these configs dynamically: [node.id, num.partitions]"
    );
    for name in [
        "listeners",
        "ssl.keystore.location",
        "log.retention.hours",
        "port",
        "listener.name.x.max.connections",
    ] {
        let words = format!("Cannot update these configs dynamically: [{name}]");
        assert_eq!(refusal("", &[(name, "5")]), words);
    }
    assert_eq!(
        refusal("", &[("log.retention.ms", "x")]),
        "Invalid value x for configuration log.retention.ms: Not a number of type LONG"
    );
    assert_eq!(
        refusal("", &[("log.segment.bytes", "5")]),
        "Invalid value 5 for configuration log.segment.bytes: Value must be at least 1048576"
    );
    assert!(refusal("", &[("log.retention.ms", "-2")]).contains("log.retention.ms=-2"));
}

#[test]
fn every_value_that_is_shown_as_changeable_can_be_set_to_what_it_is() {
    let settings = config("").settings;
    for property in broker_properties().filter(|property| is_dynamic(property)) {
        if let Some(value) = settings.value(property.name) {
            let value = value.to_string();
            let set = validate_broker_configs(&settings, &configs(&[(property.name, &value)]));
            assert_eq!(set, Ok(()), "{}={value}", property.name);
        }
    }
}

#[test]
fn what_nobody_knows_and_what_changes_nothing_is_kept_and_named() {
    let kept = configs(&[
        ("a.plugins.name", "1"),
        ("num.io.threads", "9"),
        ("max.connections", "9"),
    ]);
    assert_eq!(validate_broker_configs(&config("").settings, &kept), Ok(()));
    assert_eq!(
        broker_configs_without_effect(&kept),
        ["a.plugins.name", "num.io.threads"]
    );
}

#[test]
fn the_cleaners_threads_change_by_no_more_than_half_or_double() {
    let settings = config("log.cleaner.threads=4").settings;
    let none = DynamicConfigs::default();
    let ask = |dynamic: &DynamicConfigs, threads: &str| {
        validate_cleaner_threads(
            &settings,
            dynamic,
            &configs(&[("log.cleaner.threads", threads)]),
        )
    };
    for threads in ["2", "4", "8"] {
        assert_eq!(ask(&none, threads), Ok(()), "{threads}");
    }
    assert!(ask(&none, "0").unwrap_err().contains("at least 1"));
    assert!(
        ask(&none, "1")
            .unwrap_err()
            .contains("less than half the current value 4")
    );
    assert!(
        ask(&none, "9")
            .unwrap_err()
            .contains("double the current value 4")
    );
    let eight = DynamicConfigs {
        cluster: configs(&[("log.cleaner.threads", "8")]),
        ..DynamicConfigs::default()
    };
    assert_eq!(ask(&eight, "16"), Ok(()));
    assert_eq!(
        validate_cleaner_threads(&settings, &none, &configs(&[])),
        Ok(())
    );
}
