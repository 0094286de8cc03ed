//! The client commands of the real binary against a real broker: what they print, where they print it, how they end.
//!
//! Setup: one broker a test; commands run as a shell would run them, with pipes for all three streams.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::broker::Broker;
use harness::child;

/// A command that is to end by itself does so in far less, on a busy machine too.
const DEADLINE: Duration = Duration::from_secs(60);

/// How a command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

fn vltava(bootstrap: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
    command.args(args).env("VLTAVA_BOOTSTRAP", bootstrap);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command to its end with this on its standard input.
fn run(bootstrap: &str, args: &[&str], input: &[u8]) -> Ended {
    let mut process = vltava(bootstrap, args).spawn().expect("the binary runs");
    let mut stdin = process.stdin.take().expect("piped");
    let input = input.to_vec();
    // The command may end before it has read everything.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = process
        .wait_with_output()
        .expect("waiting for a child of ours");
    feeder.join().expect("the feeder does not panic");
    Ended {
        code: output.status.code().expect("no signal"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn succeed(bootstrap: &str, args: &[&str], input: &str) -> String {
    let ended = run(bootstrap, args, input.as_bytes());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
    ended.out
}

fn fail(bootstrap: &str, args: &[&str], code: i32, reason: &str) {
    let ended = run(bootstrap, args, b"a line\n");
    assert_eq!(ended.code, code, "{args:?}: {}", ended.err);
    assert!(ended.err.contains(reason), "{args:?}: {}", ended.err);
    assert_eq!(ended.out, "", "{args:?}");
}

fn exit_code(process: &mut Child) -> i32 {
    let status = child::wait(process, DEADLINE).expect("it ends by itself");
    status.code().expect("no signal")
}

#[test]
fn topics_are_created_listed_described_and_deleted() {
    let broker = Broker::start(&[("num.partitions", "2")]);
    let at = broker.bootstrap();
    assert_eq!(succeed(&at, &["topics", "list"], ""), "");
    let created = succeed(
        &at,
        &[
            "topics",
            "create",
            "a",
            "b",
            "-p",
            "3",
            "-c",
            "retention.ms=1000",
        ],
        "",
    );
    assert_eq!(created, "created topic a\ncreated topic b\n");
    assert_eq!(
        succeed(&at, &["topics", "create", "c", "--validate-only"], ""),
        "could create topic c\n"
    );
    succeed(&at, &["topics", "create", "d"], "");
    assert_eq!(succeed(&at, &["topics", "list"], ""), "a\nb\nd\n");
    let described = succeed(&at, &["topics", "describe", "a", "d", "--configs"], "");
    assert!(described.contains("  partition 2  leader "), "{described}");
    assert!(
        described.contains("retention.ms=1000  (set on the topic)"),
        "{described}"
    );
    assert_eq!(
        described.matches("  partition ").count(),
        3 + 2,
        "{described}"
    );
    fail(&at, &["topics", "create", "a"], 1, "TOPIC_ALREADY_EXISTS");
    assert_eq!(
        succeed(&at, &["topics", "create", "a", "--if-not-exists"], ""),
        ""
    );
    assert_eq!(
        succeed(&at, &["topics", "delete", "a"], ""),
        "deleted topic a\n"
    );
    fail(
        &at,
        &["topics", "delete", "a"],
        1,
        "UNKNOWN_TOPIC_OR_PARTITION",
    );
    assert_eq!(
        succeed(&at, &["topics", "delete", "a", "--if-exists"], ""),
        ""
    );
    assert_eq!(succeed(&at, &["topics", "list"], ""), "b\nd\n");
}

#[test]
fn lines_come_back_with_keys_headers_and_nulls_in_every_codec() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let lines = "h:1,h:2\tkey=>value\n\tNULL=>žluť\n\tk=>NULL\n\t=>\n";
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let produce = [
            "produce",
            codec,
            "-z",
            codec,
            "--headers",
            "-k",
            "=>",
            "--null-marker",
            "NULL",
        ];
        assert_eq!(
            succeed(&at, &[&produce[..], &["--partition", "0"]].concat(), lines),
            ""
        );
        let format = "%T %p %o [%h] <%k> <%v>\\n";
        let consume = [
            "consume",
            codec,
            "--from-beginning",
            "--exit-at-end",
            "-f",
            format,
            "--null-marker",
            "-",
        ];
        let expected = "T 0 0 [h:1,h:2] <key> <value>\nT 0 1 [] <-> <žluť>\nT 0 2 [] <k> <->\nT 0 3 [] <> <>\n";
        assert_eq!(
            succeed(&at, &consume, ""),
            expected.replace('T', codec),
            "{codec}"
        );
    }
}

#[test]
fn many_records_arrive_once_and_in_order_and_equal_keys_together() {
    let broker = Broker::start(&[("num.partitions", "4")]);
    let at = broker.bootstrap();
    let lines: String = (0..50_000)
        .map(|n| format!("key-{}:{n}\n", n % 100))
        .collect();
    let produce = [
        "produce",
        "t",
        "-k",
        ":",
        "--idempotent",
        "--batch-bytes",
        "20000",
        "-z",
        "lz4",
    ];
    succeed(&at, &produce, &lines);
    let read = succeed(
        &at,
        &[
            "consume",
            "t",
            "--from-beginning",
            "-e",
            "-f",
            "%p %k %v\\n",
        ],
        "",
    );
    let mut partition_of = BTreeMap::new();
    let mut values: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for line in read.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let known = partition_of
            .entry(fields[1].to_owned())
            .or_insert_with(|| fields[0].to_owned());
        assert_eq!(known, fields[0], "{} is in two partitions", fields[1]);
        values
            .entry(fields[1].to_owned())
            .or_default()
            .push(fields[2].parse().unwrap());
    }
    assert_eq!(values.values().map(Vec::len).sum::<usize>(), 50_000);
    assert!(
        values
            .values()
            .all(|values| values.is_sorted_by(|a, b| a < b)),
        "out of order, or twice"
    );
    let used: std::collections::BTreeSet<_> = partition_of.values().collect();
    assert_eq!(used.len(), 4, "100 keys are in all partitions");
}

#[test]
fn reading_starts_where_it_is_told_to() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let lines: String = (0..1000).map(|n| format!("{n}\n")).collect();
    succeed(&at, &["produce", "t", "--batch-bytes", "500"], &lines);
    let read = |options: &[&str]| succeed(&at, &[&["consume", "t"], options].concat(), "");
    assert_eq!(read(&["--offset", "997", "-e"]), "997\n998\n999\n");
    assert_eq!(read(&["--offset", "-2", "-e"]), "998\n999\n");
    assert_eq!(read(&["--offset", "-5000", "-n", "2"]), "0\n1\n");
    assert_eq!(read(&["--offset", "@0", "-n", "1"]), "0\n");
    assert_eq!(read(&["--offset", "end", "-e"]), "");
    assert_eq!(
        read(&[
            "--partition",
            "0",
            "--from-beginning",
            "-n",
            "1",
            "-f",
            "%o"
        ]),
        "0"
    );
    fail(
        &at,
        &["consume", "t", "--offset", "1001", "-e"],
        1,
        "the log has 0 up to 1000",
    );
    fail(
        &at,
        &["consume", "t", "--partition", "1"],
        1,
        "t has no partition 1",
    );
}

#[test]
fn what_has_arrived_is_sent_while_the_input_pauses_and_a_reader_sees_it() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    succeed(&at, &["topics", "create", "t"], "");
    let mut reader = vltava(&at, &["consume", "t", "--offset", "0"])
        .spawn()
        .unwrap();
    let mut writer = vltava(&at, &["produce", "t"]).spawn().unwrap();
    let mut input = writer.stdin.take().unwrap();
    let mut output = BufReader::new(reader.stdout.take().unwrap());
    for line in ["first\n", "second\n"] {
        input.write_all(line.as_bytes()).unwrap();
        let mut seen = String::new();
        output.read_line(&mut seen).unwrap();
        assert_eq!(seen, line);
    }
    drop(input);
    assert_eq!(exit_code(&mut writer), 0);
    reader.kill().unwrap();
    reader.wait().unwrap();
}

#[test]
fn consume_ends_quietly_when_its_reader_has_seen_enough() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let lines: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    succeed(&at, &["produce", "t"], &lines);
    let mut process = vltava(&at, &["consume", "t", "--from-beginning"])
        .spawn()
        .unwrap();
    let mut first = [0; 4];
    process
        .stdout
        .take()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    assert_eq!(&first, b"0\n1\n");
    assert_eq!(exit_code(&mut process), 0);
    let mut err = String::new();
    process
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!(err, "");
}

#[test]
fn what_cannot_be_done_is_a_sentence_and_an_exit_code() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    fail(&at, &["consume", "nope"], 1, "there is no topic nope");
    fail(
        &at,
        &["topics", "describe", "nope"],
        1,
        "there is no topic nope",
    );
    fail(
        &at,
        &["produce", "t", "-k", "=>"],
        1,
        "line 1: no key separator",
    );
    fail(
        &at,
        &["produce", "t", "--partition", "9"],
        1,
        "t has no partition 9",
    );
    fail(
        &at,
        &["produce", "no such name!"],
        1,
        "INVALID_TOPIC_EXCEPTION",
    );
    fail(
        &at,
        &["produce", "t", "--idempotent", "--acks", "1"],
        2,
        "--acks all",
    );
    fail(
        &at,
        &["consume", "t", "--format", "%q"],
        2,
        "stands for nothing",
    );
    fail(&at, &["topics", "lists"], 2, "lists");
    fail(
        "127.0.0.1:1",
        &["topics", "list"],
        1,
        "cannot connect to 127.0.0.1:1",
    );
    fail("no-port", &["topics", "list"], 1, "write HOST:PORT");
}

#[test]
fn a_record_too_large_for_the_topic_is_refused_and_what_came_before_it_is_not_lost() {
    let broker = Broker::start(&[("message.max.bytes", "2000")]);
    let at = broker.bootstrap();
    let lines = format!("small\n{}\n", "x".repeat(5000));
    let ended = run(
        &at,
        &["produce", "t", "--batch-bytes", "1"],
        lines.as_bytes(),
    );
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("MESSAGE_TOO_LARGE")
            && ended.err.contains("1 records were acknowledged"),
        "{}",
        ended.err
    );
    assert_eq!(
        succeed(&at, &["consume", "t", "--from-beginning", "-e"], ""),
        "small\n"
    );
}

#[test]
fn dump_log_reads_all_that_the_broker_wrote_and_names_what_is_damaged() {
    let mut broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let lines: String = (0..5000).map(|n| format!("value {n}\n")).collect();
    succeed(
        &at,
        &["produce", "t", "--batch-bytes", "10000", "--idempotent"],
        &lines,
    );
    assert!(broker.stop().success());
    let partition = broker.data_dir().join("t-0");
    let files = |dir: PathBuf| -> Vec<String> {
        let entries = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .map(|path| path.to_str().unwrap().to_owned())
            .collect()
    };
    let names = files(partition.clone());
    let args: Vec<&str> = ["dump-log", "--records"]
        .into_iter()
        .chain(names.iter().map(String::as_str))
        .collect();
    let dumped = succeed(&at, &args, "");
    for expected in [
        "baseOffset: 0 ",
        "| offset: 4999 ",
        "value: \"value 4999\"",
        "lastSequence: 4999",
        "1 producers",
    ] {
        assert!(dumped.contains(expected), "{expected} is not in\n{dumped}");
    }
    let metadata = broker
        .data_dir()
        .join("__cluster_metadata-0/00000000000000000000.log");
    let dumped = succeed(
        &at,
        &["dump-log", "--cluster-metadata", metadata.to_str().unwrap()],
        "",
    );
    assert!(
        dumped.contains("TopicRecord") && dumped.contains("name: \"t\""),
        "{dumped}"
    );

    let segment = partition.join("00000000000000000000.log");
    let mut bytes = fs::read(&segment).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&segment, bytes).unwrap();
    let ended = run(&at, &["dump-log", segment.to_str().unwrap()], b"");
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("damaged: at byte ") && ended.err.contains("crc"),
        "{}",
        ended.err
    );
}
