//! `kafka-topics`: what it prints is what Kafka 4.3's prints, and what the tutorials of ten years type still works.

use std::process::Command;

use crate::harness::broker::Broker;
use crate::{Ended, ended, run, succeed};

fn topics(at: &str, line: &str) -> Ended {
    let mut args = vec!["--bootstrap-server", at];
    args.extend(line.split(' '));
    run("kafka-topics", &args)
}

fn printed(at: &str, line: &str) -> String {
    let ended = topics(at, line);
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (0, ""),
        "{line}: {}",
        ended.out
    );
    ended.out
}

/// The text with every topic id, which nobody can foresee, as `ID`.
fn without_ids(text: &str) -> String {
    let mut parts = text.split("TopicId: ");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        assert!(
            part.as_bytes()[22] == b'\t',
            "an id has 22 characters: {part}"
        );
        told += "TopicId: ID";
        told += &part[22..];
    }
    told
}

#[test]
fn a_topic_is_created_listed_described_and_deleted_in_kafkas_words() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    assert_eq!(printed(&at, "--list"), "\n");
    let create = "--create --topic test --partitions 2 --replication-factor 1 --config flush.messages=1 --config max.message.bytes=64000";
    assert_eq!(printed(&at, create), "Created topic test.\n");
    assert_eq!(printed(&at, &format!("{create} --if-not-exists")), "");
    let again = topics(&at, create);
    assert_eq!(
        (again.code, again.out.as_str()),
        (
            1,
            "Error while executing topic command : Topic 'test' already exists.\n"
        )
    );
    assert_eq!(
        printed(&at, "--create --topic te.st"),
        "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid \
         issues it is best to use either, but not both.\nCreated topic te.st.\n"
    );
    assert_eq!(printed(&at, "--list"), "te.st\ntest\n");
    let described = without_ids(&printed(&at, "--describe --topic test"));
    let mut lines = described.lines();
    let head = lines.next().expect("a line for the topic");
    assert!(
        head.starts_with(
            "Topic: test\tTopicId: ID\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: "
        ),
        "{head}"
    );
    for config in ["flush.messages=1", "max.message.bytes=64000"] {
        assert!(head.contains(config), "{head}");
    }
    for (partition, line) in lines.enumerate() {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(
            columns[..3],
            ["", "Topic: test", &format!("Partition: {partition}")]
        );
        let leader = columns[3].strip_prefix("Leader: ").expect("the leader");
        assert_eq!(columns[4], format!("Replicas: {leader}"));
        assert_eq!(columns[5], format!("Isr: {leader}"));
        assert!(
            columns[6].starts_with("Elr: ") && columns[7].starts_with("LastKnownElr: "),
            "{line}"
        );
        assert!(leader.parse::<i32>().is_ok(), "{leader}");
    }
    for report in [
        "--under-replicated-partitions",
        "--unavailable-partitions",
        "--under-min-isr-partitions",
    ] {
        assert_eq!(
            printed(&at, &format!("--describe {report}")),
            "",
            "{report}"
        );
    }
    let overridden = printed(&at, "--describe --topics-with-overrides");
    assert!(
        overridden.starts_with("Topic: test\t") && overridden.lines().count() == 1,
        "{overridden}"
    );
    assert_eq!(printed(&at, "--delete --topic te.*"), "");
    assert_eq!(printed(&at, "--list"), "\n");
}

#[test]
fn what_the_broker_refuses_stands_on_standard_output_with_exit_code_1() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    for (line, words) in [
        (
            "--describe --topic nix",
            "Topic 'nix' does not exist as expected",
        ),
        (
            "--delete --topic nix",
            "Topic 'nix' does not exist as expected",
        ),
        (
            "--create --topic a --partitions 0",
            "The partitions must be greater than 0",
        ),
        (
            "--create --topic a --config bogus=1",
            "Unknown topic config name: bogus",
        ),
        (
            "--create --topic a --config bogus",
            "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".",
        ),
    ] {
        let ended = topics(&at, line);
        let expected = format!("Error while executing topic command : {words}\n");
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (1, expected.as_str()),
            "{line}"
        );
    }
    let forgiven = topics(&at, "--delete --topic nix --if-exists");
    assert_eq!((forgiven.code, forgiven.out.as_str()), (0, ""));
}

#[test]
fn older_spellings_work_and_are_told_today_s() {
    let broker = Broker::start(&[]);
    let old = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.env("VLTAVA_BROKER_PORT", broker.port().to_string());
        command.arg("kafka-topics.sh").args(line.split(' '));
        let ended = ended(&mut command);
        assert_eq!(ended.code, 0, "{line}: {} {}", ended.out, ended.err);
        let today = format!("Today's is --bootstrap-server 127.0.0.1:{}", broker.port());
        assert!(ended.err.contains(&today), "{line}: {}", ended.err);
        (ended.out, ended.err)
    };
    let at = "--zookeeper 127.0.0.1:2181";
    let create = "--create --topic my-topic --partitions 1 --replication-factor 1 --config max.message.bytes=64000 --config flush.messages=1";
    assert_eq!(
        old(&format!("{at} {create}")).0,
        "Created topic my-topic.\n"
    );
    for (change, configs) in [
        (
            "--config max.message.bytes=128000",
            "max.message.bytes=128000",
        ),
        ("--deleteConfig max.message.bytes", "flush.messages=1"),
        ("--delete-config flush.messages", ""),
    ] {
        let (out, err) = old(&format!("{at} --alter --topic my-topic {change}"));
        assert_eq!(out, "Updated config for topic my-topic.\n");
        assert!(err.contains("kafka-configs"), "{err}");
        let described = old(&format!("{at}/chroot --describe --topic my-topic")).0;
        let head = described.lines().next().expect("a line for the topic");
        assert!(
            head.split("Configs: ")
                .nth(1)
                .expect("configs")
                .contains(configs),
            "{head}"
        );
        assert_eq!(
            head.contains("max.message.bytes"),
            configs.starts_with("max"),
            "{head}"
        );
    }
    assert_eq!(old(&format!("--list {at}")).0, "my-topic\n");
    assert_eq!(old(&format!("--delete {at} --topic my-topic")).0, "");
    assert_eq!(old(&format!("{at} --list")).0, "\n");
}

#[test]
fn names_of_options_may_be_cut_short_and_help_and_version_are_kafkas() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let joined = format!("--bootstrap-server={at}");
    assert_eq!(
        succeed(
            "kafka-topics",
            &[&joined, "--creat", "--topic", "t", "--partitions", "3"]
        ),
        "Created topic t.\n"
    );
    assert_eq!(succeed("kafka-topics", &["--boot", &at, "--list"]), "t\n");
    assert!(succeed("kafka-topics", &["--version"]).starts_with("4.3.1 "));
    let help = run("kafka-topics", &["--help"]);
    assert_eq!((help.code, help.out.as_str()), (1, ""));
    assert!(
        help.err.starts_with(
            "This tool helps to create, delete, describe, or change a topic.\nOption "
        ),
        "{}",
        help.err
    );
    let wrong = run("kafka-topics", &["--bogus"]);
    assert_eq!(
        (wrong.code, wrong.err.as_str()),
        (1, "bogus is not a recognized option\n")
    );
}

#[test]
fn a_topic_grows_and_never_shrinks() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    printed(&at, "--create --topic t --partitions 2");
    assert_eq!(printed(&at, "--alter --topic t --partitions 4"), "");
    let described = printed(&at, "--describe --topic t");
    assert!(described.contains("\tPartitionCount: 4\t"), "{described}");
    assert_eq!(described.lines().count(), 5);
    let ended = topics(&at, "--alter --topic t --partitions 3");
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.starts_with("Error while executing topic command : The topic t currently has 4 partition(s); 3 would not be an increase."),
        "{}",
        ended.out
    );
}
