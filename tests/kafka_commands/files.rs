//! Commands that read a broker's files and offsets.

use crate::harness::broker::Broker;
use crate::{run, succeed};

#[test]
fn what_was_produced_is_dumped_and_counted() {
    let broker = Broker::start(&[("num.partitions", "2")]);
    let at = broker.bootstrap();
    let property = format!("bootstrap.servers={at}");
    let produce = [
        "--topic",
        "orders",
        "--num-records",
        "20",
        "--payload-monotonic",
        "--throughput",
        "-1",
        "--command-property",
        &property,
    ];
    succeed("kafka-producer-perf-test", &produce);

    let latest = succeed(
        "kafka-get-offsets",
        &["--bootstrap-server", &at, "--topic", "ord.*"],
    );
    let offsets: Vec<(&str, i64)> = latest
        .lines()
        .map(|line| line.rsplit_once(':').expect("topic:partition:offset"))
        .map(|(partition, offset)| (partition, offset.parse().expect("a number")))
        .collect();
    assert_eq!((offsets[0].0, offsets[1].0), ("orders:0", "orders:1"));
    assert_eq!(offsets.iter().map(|(_, offset)| offset).sum::<i64>(), 20);
    let earliest = succeed(
        "kafka-get-offsets",
        &[
            "--bootstrap-server",
            &at,
            "--topic-partitions",
            "orders:1-",
            "--time",
            "-2",
        ],
    );
    assert_eq!(earliest, "orders:1:0\n");

    let mut printed = 0;
    for partition in 0..2 {
        let file = broker
            .data_dir()
            .join(format!("orders-{partition}/00000000000000000000.log"));
        let text = succeed(
            "kafka-dump-log",
            &["--files", file.to_str().expect("UTF-8"), "--print-data-log"],
        );
        assert!(text.contains("\nLog starting offset: 0\n"), "{text}");
        printed += text
            .lines()
            .filter(|line| line.contains(" payload: "))
            .count();
        assert!(!text.contains("isvalid: false"), "{text}");
    }
    assert_eq!(printed, 20);
}

#[test]
fn the_metadata_log_is_dumped_as_kafkas_command_does_it() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let create = "--create --topic orders --config retention.ms=5000 --bootstrap-server";
    let mut args: Vec<&str> = create.split(' ').collect();
    args.push(&at);
    succeed("kafka-topics", &args);
    let file = broker
        .data_dir()
        .join("__cluster_metadata-0/00000000000000000000.log");
    let files = file.to_str().expect("UTF-8");
    let decoder = ["--cluster-metadata-decoder", "--files", files];
    let text = succeed("kafka-dump-log", &decoder);
    for part in [
        "headerKeys: [] LeaderChange: {\"version\":0,\"leaderId\":1,\"voters\":[{\"voterId\":1}],",
        "payload: {\"type\":\"FEATURE_LEVEL_RECORD\",\"version\":0,\"data\":{\"name\":\"metadata.version\",",
        "payload: {\"type\":\"TOPIC_RECORD\",\"version\":0,\"data\":{\"name\":\"orders\",\"topicId\":\"",
        "\"resourceName\":\"orders\",\"name\":\"retention.ms\",\"value\":\"5000\"}}",
        "\"replicas\":[1],\"isr\":[1],\"removingReplicas\":[],\"addingReplicas\":[],\"leader\":1,\"leaderEpoch\":0,",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

#[test]
fn a_filter_that_meets_nothing_is_an_error() {
    let broker = Broker::start(&[]);
    let ended = run(
        "kafka-get-offsets",
        &["--bootstrap-server", &broker.bootstrap(), "--topic", "nix"],
    );
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert_eq!(
        ended.err,
        "Error occurred: Could not match any topic-partitions with the specified filters\n"
    );
}

#[test]
fn records_are_deleted_and_directories_described() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let produce = [
        "--topic",
        "t",
        "--num-records",
        "20",
        "--record-size",
        "10",
        "--throughput",
        "-1",
        "--bootstrap-server",
        &at,
    ];
    succeed("kafka-producer-perf-test", &produce);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let offsets = r#"{"partitions": [{"topic": "t", "partition": 0, "offset": 5}], "version": 1}"#;
    std::fs::write(file.path(), offsets).expect("it can be written");
    let path = file.path().to_str().expect("UTF-8");
    let deleted = succeed(
        "kafka-delete-records",
        &["--bootstrap-server", &at, "--offset-json-file", path],
    );
    assert_eq!(
        deleted,
        "Executing records delete operation\nRecords delete operation completed:\n\
         partition: t-0\tlow_watermark: 5\n"
    );
    let earliest = [
        "--bootstrap-server",
        &at,
        "--topic",
        "t",
        "--time",
        "earliest",
    ];
    assert_eq!(succeed("kafka-get-offsets", &earliest), "t:0:5\n");

    let described = succeed(
        "kafka-log-dirs",
        &["--bootstrap-server", &at, "--describe", "--topic-list", "t"],
    );
    let json = described.lines().last().expect("a line of JSON");
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let partition = &json["brokers"][0]["logDirs"][0]["partitions"][0];
    assert_eq!(partition["partition"], "t-0");
    assert!(partition["size"].as_i64().expect("a size") > 0);
}
