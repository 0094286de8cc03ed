//! `kafka-console-producer` and `kafka-console-consumer`: lines in, lines out.

use std::fs;

use crate::harness::broker::Broker;
use crate::harness::scratch_dir;
use crate::{Ended, run, run_with_input};

/// Far more than a record needs to arrive, far less than a test may last.
const IDLE_MS: &str = "5000";

fn produce(at: &str, line: &str, input: &str) -> Ended {
    let mut args = vec!["--bootstrap-server", at];
    args.extend(line.split(' '));
    run_with_input("kafka-console-producer", &args, input)
}

fn sent(at: &str, line: &str, input: &str) {
    let ended = produce(at, line, input);
    assert_eq!(
        (ended.code, ended.out.as_str(), ended.err.as_str()),
        (0, "", ""),
        "{line}"
    );
}

fn consume(at: &str, line: &str) -> Ended {
    let mut args = vec!["--bootstrap-server", at];
    args.extend(line.split(' '));
    run("kafka-console-consumer", &args)
}

#[test]
fn lines_become_records_and_records_lines() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    sent(&at, "--topic t", "a\nb\r\nlast");
    let ended = consume(&at, "--topic t --from-beginning --max-messages 3");
    assert_eq!((ended.code, ended.out.as_str()), (0, "a\nb\nlast\n"));
    assert_eq!(ended.err, "Processed a total of 3 messages\n");
    let ended = consume(
        &at,
        &format!("--topic t --partition 0 --offset 1 --timeout-ms {IDLE_MS}"),
    );
    assert_eq!((ended.code, ended.out.as_str()), (0, "b\nlast\n"));
    assert_eq!(ended.err, "Processed a total of 2 messages\n");
}

#[test]
fn keys_headers_and_nulls_are_read_and_printed_as_their_properties_say() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let reader = "--reader-property parse.key=true --reader-property parse.headers=true --reader-property key.separator== --reader-property null.marker=NULL";
    sent(
        &at,
        &format!("--topic t --sync --compression-codec {reader}"),
        "h1:v1,h2:v2\tk1=one\nNULL\tk2=NULL\n",
    );
    let columns = "--formatter-property print.key=true --formatter-property print.headers=true --formatter-property print.offset=true --formatter-property print.partition=true --formatter-property null.literal=NIL";
    let ended = consume(
        &at,
        &format!("--topic t --from-beginning --max-messages 2 {columns}"),
    );
    assert_eq!(
        ended.out,
        "Partition:0\tOffset:0\th1:v1,h2:v2\tk1\tone\nPartition:0\tOffset:1\tNO_HEADERS\tk2\tNIL\n"
    );
}

#[test]
fn a_line_that_is_no_record_stops_the_producer_and_what_was_before_it_arrives() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let ended = produce(
        &at,
        "--topic t --reader-property parse.key=true",
        "k\tv\nnone\nk\tw\n",
    );
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.err,
        "No key separator found on line number 2: 'none'\n"
    );
    let ended = consume(
        &at,
        &format!("--topic t --from-beginning --timeout-ms {IDLE_MS}"),
    );
    assert_eq!(ended.out, "v\n");
}

#[test]
fn the_older_spellings_of_the_tutorial_work() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let ended = run_with_input(
        "kafka-console-producer.sh",
        &[
            "--broker-list",
            &at,
            "--topic",
            "test",
            "--property",
            "parse.key=true",
        ],
        "k\tThis is a message\n",
    );
    assert_eq!((ended.code, ended.out.as_str()), (0, ""));
    for today in ["--bootstrap-server", "--reader-property"] {
        assert!(ended.err.contains(today), "{}", ended.err);
    }
    let ended = consume(
        &at,
        "--topic test --from-beginning --new-consumer --max-messages 1 --property print.key=true",
    );
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "k\tThis is a message\n")
    );
    assert!(ended.err.contains("--formatter-property"), "{}", ended.err);
}

#[test]
fn property_files_set_what_they_say_and_warn_of_what_they_say_in_vain() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let folder = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
    let file = folder.path().join("producer.properties");
    fs::write(&file, "metadata.broker.list=127.0.0.1:1\nproducer.type=sync\nserializer.class=kafka.serializer.DefaultEncoder\n").unwrap();
    let line = format!("--topic t --producer.config {}", file.display());
    let ended = produce(&at, &line, "a\n");
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{}", ended.err);
    assert!(
        ended
            .err
            .contains("metadata.broker.list is called bootstrap.servers today"),
        "{}",
        ended.err
    );
    let file = folder.path().join("consumer.properties");
    fs::write(
        &file,
        "auto.offset.reset=smallest\nconsumer.timeout.ms=5000\nbogus=1\n",
    )
    .unwrap();
    let ended = consume(
        &at,
        &format!(
            "--topic t --from-beginning --consumer.config {}",
            file.display()
        ),
    );
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "a\n"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("bogus") && ended.err.ends_with("Processed a total of 1 messages\n"),
        "{}",
        ended.err
    );
}

#[test]
fn topics_are_chosen_by_an_expression() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    for topic in ["ab", "ac", "b"] {
        sent(&at, &format!("--topic {topic}"), &format!("{topic}\n"));
    }
    let ended = consume(&at, "--include a. --from-beginning --max-messages 2");
    let mut lines: Vec<&str> = ended.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["ab", "ac"]);
}
