//! `kafka-configs`: settings of topics and brokers, described and changed in the words of Kafka 4.3's command.

use crate::harness::broker::Broker;
use crate::{Ended, run, succeed};

fn configs(at: &str, line: &str) -> Ended {
    let mut args = vec!["--bootstrap-server", at];
    args.extend(line.split(' '));
    run("kafka-configs", &args)
}

fn printed(at: &str, line: &str) -> String {
    let ended = configs(at, line);
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (0, ""),
        "{line}: {}",
        ended.out
    );
    ended.out
}

#[test]
fn a_topics_settings_are_changed_and_told_with_where_they_come_from() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    succeed(
        "kafka-topics",
        &["--bootstrap-server", &at, "--create", "--topic", "t"],
    );
    assert_eq!(
        printed(&at, "--describe --topic t"),
        "Dynamic configs for topic t are:\n"
    );
    assert_eq!(
        printed(
            &at,
            "--alter --topic t --add-config retention.ms=1000,cleanup.policy=[compact,delete]"
        ),
        "Completed updating config for topic t.\n"
    );
    let described = printed(&at, "--describe --entity-type topics --entity-name t");
    let lines: Vec<&str> = described.lines().collect();
    assert_eq!(lines.len(), 3, "{described}");
    assert!(
        lines[1].starts_with(
            "  cleanup.policy=compact,delete sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete, "
        ),
        "{described}"
    );
    assert!(
        lines[2].starts_with(
            "  retention.ms=1000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=1000"
        ),
        "{described}"
    );
    assert!(printed(&at, "--describe --topic t --all").lines().count() > 20);
    assert_eq!(
        printed(
            &at,
            "--alter --entity-type topics --entity-name t --delete-config retention.ms,cleanup.policy"
        ),
        "Completed updating config for topic t.\n"
    );
    assert_eq!(
        printed(&at, "--describe --entity-type topics"),
        "Dynamic configs for topic t are:\n"
    );
}

#[test]
fn the_default_of_all_brokers_is_set_and_taken_back() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let done = "Completed updating default config for brokers in the cluster.\n";
    assert_eq!(
        printed(
            &at,
            "--alter --broker-defaults --add-config log.retention.ms=5000"
        ),
        done
    );
    assert_eq!(
        printed(&at, "--describe --entity-type brokers --entity-default")
            .lines()
            .next(),
        Some("Default configs for brokers in the cluster are:")
    );
    let described = printed(&at, "--describe --broker-defaults");
    assert!(described.contains("  log.retention.ms=5000 sensitive=false synonyms={DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=5000"), "{described}");
    assert_eq!(
        printed(
            &at,
            "--alter --entity-type brokers --entity-default --delete-config log.retention.ms"
        ),
        done
    );
    assert!(!printed(&at, "--describe --broker-defaults").contains("log.retention.ms="));
}

#[test]
fn what_is_not_there_or_not_right_is_told_as_kafka_tells_it() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    succeed(
        "kafka-topics",
        &["--bootstrap-server", &at, "--create", "--topic", "t"],
    );
    assert_eq!(
        printed(&at, "--describe --topic nix"),
        "The topic 'nix' doesn't exist and doesn't have dynamic config.\n"
    );
    let ended = configs(&at, "--alter --topic t --add-config bogus=1");
    let expected = format!(
        "Error while executing config command with args '--bootstrap-server {at} --alter --topic t --add-config bogus=1'\n\
         Unknown topic config name: bogus\n"
    );
    assert_eq!((ended.code, ended.err), (1, expected));
    let ended = configs(&at, "--describe --user u");
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("topics, brokers and groups"),
        "{}",
        ended.err
    );
}
