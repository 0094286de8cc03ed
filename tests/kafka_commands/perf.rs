//! The tests of speed: their lines, not their numbers.

use crate::harness::broker::Broker;
use crate::succeed;

#[test]
fn a_producer_and_a_consumer_count_the_same_records() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let sent = succeed(
        "kafka-producer-perf-test",
        &[
            "--topic",
            "t",
            "--num-records",
            "500",
            "--record-size",
            "100",
            "--throughput",
            "-1",
            "--bootstrap-server",
            &at,
        ],
    );
    assert!(sent.starts_with("500 records sent, "), "{sent}");
    assert!(sent.ends_with(" ms 99.9th.\n"), "{sent}");

    let read = succeed(
        "kafka-consumer-perf-test",
        &[
            "--bootstrap-server",
            &at,
            "--topic",
            "t",
            "--num-records",
            "500",
        ],
    );
    let lines: Vec<&str> = read.lines().collect();
    assert_eq!(
        lines[0],
        "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, \
         fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec"
    );
    let columns: Vec<&str> = lines[1].split(", ").collect();
    assert_eq!(
        (columns.len(), columns[2], columns[4]),
        (10, "0.0477", "500")
    );
}

#[test]
fn a_consumer_reads_on_from_what_its_group_has_committed() {
    let broker = Broker::start(&[("group.initial.rebalance.delay.ms", "0")]);
    let at = broker.bootstrap();
    let sent = "--topic t --num-records 500 --record-size 100 --throughput -1 --bootstrap-server";
    let mut args: Vec<&str> = sent.split(' ').collect();
    args.push(&at);
    succeed("kafka-producer-perf-test", &args);
    for records in ["200", "300"] {
        let read = [
            "--bootstrap-server",
            &at,
            "--topic",
            "t",
            "--num-records",
            records,
            "--group",
            "speed",
        ];
        let read = succeed("kafka-consumer-perf-test", &read);
        let columns: Vec<&str> = read
            .lines()
            .nth(1)
            .expect("two lines")
            .split(", ")
            .collect();
        assert_eq!(columns[4], records, "{read}");
    }
    let group = ["--bootstrap-server", &at, "--describe", "--group", "speed"];
    let described = succeed("kafka-consumer-groups", &group);
    let words: Vec<&str> = described.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "speed");
    let at = at.expect("the group is described");
    assert_eq!(
        words[at..at + 6],
        ["speed", "t", "0", "500", "500", "0"],
        "{described}"
    );
}

#[test]
fn a_consumer_that_waits_in_vain_says_so() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    succeed(
        "kafka-producer-perf-test",
        &[
            "--topic",
            "t",
            "--num-records",
            "5",
            "--record-size",
            "10",
            "--throughput",
            "-1",
            "--bootstrap-server",
            &at,
        ],
    );
    let read = succeed(
        "kafka-consumer-perf-test",
        &[
            "--bootstrap-server",
            &at,
            "--topic",
            "t",
            "--num-records",
            "6",
            "--timeout",
            "300",
            "--hide-header",
        ],
    );
    assert!(
        read.starts_with("WARNING: Exiting before consuming the expected number of records: timeout (300 ms) exceeded."),
        "{read}"
    );
}
