//! `vltava config check`, and the tutorial's own `server.properties`: explained line by line, and booted as it is printed.
//!
//! Setup: property files, good and bad. Expectation: each line is told with its number; the exit code says whether a broker starts.

mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::scratch_dir;
use harness::serve::{Serve, refusal};
use harness::wire_client::WireClient;

const TUTORIAL: &str = "src/config/load/testdata/tutorial.properties";
const TUTORIAL_CONSUMER: &str = "src/cli/client_properties/testdata/tutorial-consumer.properties";
const TUTORIAL_PRODUCER: &str = "src/cli/client_properties/testdata/tutorial-producer.properties";

/// Exit code, standard output, standard error.
fn check(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vltava"))
        .args(["config", "check"])
        .args(args)
        .output()
        .expect("the binary runs");
    (
        output.status.code().expect("no signal"),
        String::from_utf8(output.stdout).expect("UTF-8"),
        String::from_utf8(output.stderr).expect("UTF-8"),
    )
}

/// A property file with this text.
fn file(home: &Path, name: &str, text: &str) -> PathBuf {
    let path = home.join(name);
    fs::write(&path, text).expect("a scratch folder can be written");
    path
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir_in(scratch_dir()).expect("a scratch folder")
}

fn of_repository(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// What is said of line `number`.
fn said(out: &str, number: usize) -> &str {
    let start = format!("{number:>4}  ");
    out.lines()
        .find(|line| line.starts_with(&start))
        .unwrap_or_else(|| panic!("nothing of line {number}: {out}"))
}

#[test]
fn the_tutorials_server_file_boots_as_it_is_printed() {
    let home = home();
    let data = home.path().join("data");
    let data = data.to_str().expect("UTF-8");
    let tutorial = of_repository(TUTORIAL);
    let args = [
        tutorial.as_str(),
        "--override",
        "port=0",
        "--override",
        "host.name=127.0.0.1",
        "--data-dir",
        data,
    ];
    let mut serve = Serve::spawn(&args, &[]);
    let ready = serve.ready();
    let mut client = WireClient::connect(Serve::port_in(&ready));
    client.create_topic("t", 1);
    client.write("t", 0, &["hello"]);
    assert_eq!(client.read_all("t", 0), [(0, "hello".to_owned())]);
    let (_, log) = serve.end();
    assert!(
        log.contains("known, but without effect in this version"),
        "{log}"
    );
    assert!(log.contains("zookeeper.connect"), "{log}");
}

#[test]
fn each_line_of_the_tutorials_server_file_is_told_with_what_it_means() {
    let (code, out, err) = check(&[&of_repository(TUTORIAL)]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for (line, words) in [
        (3, "sets node.id: 1"),
        (9, "sets listeners: 6667"),
        (27, "host.name"),
        (36, "102400 bytes  (written 100*1024)"),
        (49, "168 h  (written 24*7)"),
        (56, "10080 min"),
        (58, "no property, ignored"),
        (59, "sets log.retention.check.interval.ms: 60000 ms"),
        (66, "300000 ms"),
        (107, "the default holds: 9223372036854775807"),
        (123, "no property, ignored"),
        (196, "without effect in this version"),
    ] {
        assert!(said(&out, line).contains(words), "{line}: {out}");
    }
    assert!(
        out.contains(":6667 and keep its data in /tmp/kafka-logs."),
        "{out}"
    );
    assert!(
        out.ends_with("A broker would start with this file.\n"),
        "{out}"
    );
}

#[test]
fn the_tutorials_client_files_are_known_by_their_names_or_by_what_is_in_them() {
    let home = home();
    for (path, whose) in [
        (TUTORIAL_CONSUMER, "consumer"),
        (TUTORIAL_PRODUCER, "producer"),
    ] {
        let (code, out, _) = check(&[&of_repository(path)]);
        assert_eq!(code, 0, "{out}");
        let text = fs::read_to_string(of_repository(path)).expect("a file of the repository");
        let unnamed = file(home.path(), "my.properties", &text);
        let (code, by_content, _) = check(&[unnamed.to_str().expect("UTF-8")]);
        assert_eq!(code, 0);
        for out in [out, by_content] {
            assert!(out.contains(&format!("read as a {whose}'s file")), "{out}");
            assert!(
                out.contains(&format!("A {whose} would start with this file.")),
                "{out}"
            );
        }
    }
}

#[test]
fn a_wrong_line_is_told_with_what_would_be_right_and_fails() {
    let home = home();
    let path = file(
        home.path(),
        "server.properties",
        "num.partitions=few\nlog.retention.ms=5\n",
    );
    let path = path.to_str().expect("UTF-8");
    let (code, out, _) = check(&[path]);
    assert_eq!(code, 1);
    assert!(
        said(&out, 1).contains("WRONG: few: Not a number of type INT; it takes a whole number"),
        "{out}"
    );
    assert!(out.contains("1 wrong"), "{out}");
    assert!(
        out.contains("A broker would not start with this file: "),
        "{out}"
    );
    assert!(!refusal(&[path]).is_empty());
}

#[test]
fn a_promise_that_is_not_kept_is_told_and_fails_and_secrets_are_hidden() {
    let home = home();
    let text = "ssl.keystore.password=hush\nssl.client.auth=required\nsecurity.inter.broker.protocol=PLAINTEXT\n";
    let path = file(home.path(), "server.properties", text);
    let (code, out, err) = check(&[path.to_str().expect("UTF-8")]);
    assert_eq!(code, 1);
    assert!(
        said(&out, 1).contains("REFUSED: TLS is not served yet"),
        "{out}"
    );
    assert!(said(&out, 2).contains("REFUSED"), "{out}");
    assert!(said(&out, 3).ends_with("PLAINTEXT"), "{out}");
    assert!(!out.contains("hush") && !err.contains("hush"), "{out}");
    let client = file(
        home.path(),
        "consumer.properties",
        "security.protocol=SSL\n",
    );
    let (code, out, _) = check(&[client.to_str().expect("UTF-8")]);
    assert_eq!(code, 1, "{out}");
    assert!(said(&out, 1).contains("REFUSED"), "{out}");
}

#[test]
fn what_does_not_go_together_fails_although_each_line_is_right() {
    let home = home();
    let path = file(home.path(), "server.properties", "broker.id=1\nnode.id=2\n");
    let path = path.to_str().expect("UTF-8");
    let (code, out, _) = check(&[path]);
    assert_eq!(code, 1);
    assert!(
        out.contains("would not start") && out.contains("two names of one number"),
        "{out}"
    );
    assert!(!refusal(&[path]).is_empty());
}

#[test]
fn unknown_and_repeated_names_are_told_and_stop_only_what_is_strict() {
    let home = home();
    let text = "num.partition=3\nnum.partitions=4\nnum.partitions=5\n";
    let path = file(home.path(), "server.properties", text);
    let path = path.to_str().expect("UTF-8");
    let (code, out, _) = check(&[path]);
    assert_eq!(code, 0, "{out}");
    assert!(
        said(&out, 1).contains("unknown, ignored (did you mean num.partitions?)"),
        "{out}"
    );
    assert!(said(&out, 2).contains("replaced by line 3"), "{out}");
    assert!(said(&out, 3).ends_with('5'), "{out}");
    let (code, out, _) = check(&[path, "--strict"]);
    assert_eq!(code, 1, "{out}");
    assert!(!refusal(&[path, "--strict"]).is_empty());
}

#[test]
fn no_file_and_no_property_file_are_failures_of_their_own() {
    let (code, out, err) = check(&["/nonexistent/server.properties"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.contains("cannot read /nonexistent/server.properties"),
        "{err}"
    );
    let home = home();
    let path = file(home.path(), "server.properties", "a=\\u12\n");
    let (code, _, err) = check(&[path.to_str().expect("UTF-8")]);
    assert_eq!(code, 1);
    assert!(err.contains(":1: \\u must be followed"), "{err}");
    assert_eq!(check(&[]).0, 2);
}

#[test]
fn the_help_says_what_the_exit_code_means() {
    let (code, out, _) = check(&["--help"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("Exit code: 0 if a broker (or client) would start"),
        "{out}"
    );
}
