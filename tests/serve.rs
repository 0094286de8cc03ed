//! Starting and stopping: every start that cannot be is refused in a sentence that says what to do, and a stop is clean.
//!
//! Setup: the real binary with a directory, a port, a file or a property that is wrong in one way. Expectation: exit code 1 and the
//! sentence on stderr; nothing on stdout, which has the ready line alone.

mod harness;

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use harness::serve::{Serve, refusal};
use harness::wire_client::WireClient;
use tempfile::TempDir;

const ANY_PORT: &str = "127.0.0.1:0";

fn folder() -> TempDir {
    tempfile::tempdir_in(harness::scratch_dir()).expect("a scratch folder")
}

/// Arguments for a broker on a free port over this directory.
fn over(dir: &Path) -> Vec<String> {
    [
        "--listen",
        ANY_PORT,
        "--data-dir",
        &dir.display().to_string(),
    ]
    .map(str::to_owned)
    .into()
}

/// Arguments for a broker with this text as its properties file, which is named first.
fn with_properties(dir: &TempDir, text: &str) -> Vec<String> {
    let file = dir.path().join("server.properties");
    fs::write(&file, text).expect("a scratch file");
    let mut arguments = vec![file.display().to_string()];
    arguments.extend(over(&dir.path().join("data")));
    arguments
}

fn assert_says(log: &str, words: &[&str]) {
    for word in words {
        assert!(log.contains(word), "{word:?} is not in:\n{log}");
    }
}

#[test]
fn the_ready_line_has_addresses_cores_partitions_and_time() {
    let dir = folder();
    let mut broker = Serve::spawn(&over(dir.path()), &[]);
    let line = broker.ready();
    assert_says(
        &line,
        &[
            "is ready on PLAINTEXT://127.0.0.1:",
            " 1 cores",
            " 0 partitions found",
            " ms",
        ],
    );
    WireClient::connect(Serve::port_in(&line)).create_topic("t", 3);
    broker.signal("TERM");
    assert!(broker.wait().0.success());
    let mut broker = Serve::spawn(&over(dir.path()), &[]);
    assert_says(&broker.ready(), &[" 3 partitions found"]);
}

#[test]
fn a_second_broker_on_the_same_directory_is_refused() {
    let dir = folder();
    let mut first = Serve::spawn(&over(dir.path()), &[]);
    let line = first.ready();
    let log = refusal(&over(dir.path()));
    assert_says(
        &log,
        &[
            "running broker",
            ".lock",
            "--data-dir",
            &dir.path().display().to_string(),
        ],
    );
    WireClient::connect(Serve::port_in(&line)).assert_serves();
}

#[test]
fn a_port_that_another_program_uses_is_refused() {
    let dir = folder();
    let other = TcpListener::bind(ANY_PORT).expect("a free port");
    let address = other.local_addr().expect("bound").to_string();
    let mut arguments = over(dir.path());
    arguments[1].clone_from(&address);
    assert_says(&refusal(&arguments), &[&address, "in use", "--listen"]);
}

#[test]
fn a_port_that_another_broker_uses_is_refused() {
    let (dir, another) = (folder(), folder());
    let mut first = Serve::spawn(&over(dir.path()), &[]);
    let port = Serve::port_in(&first.ready());
    let mut arguments = over(another.path());
    arguments[1] = format!("127.0.0.1:{port}");
    assert_says(&refusal(&arguments), &[&arguments[1], "in use", "--listen"]);
    WireClient::connect(port).assert_serves();
}

#[test]
fn a_directory_that_cannot_be_made_is_refused() {
    let dir = folder();
    let file = dir.path().join("file");
    fs::write(&file, "in the way").expect("a scratch file");
    let below = file.join("data");
    let log = refusal(&over(&below));
    assert_says(&log, &[&below.display().to_string(), "own this directory"]);
    // A path of a read-only file system that is on every Linux machine.
    assert_says(
        &refusal(&over(Path::new("/proc/vltava-data"))),
        &["/proc/vltava-data"],
    );
}

#[test]
fn a_directory_of_another_node_is_refused() {
    let dir = folder();
    let mut first = Serve::spawn(&over(dir.path()), &[]);
    first.ready();
    first.signal("TERM");
    assert!(first.wait().0.success());
    let mut arguments = over(dir.path());
    arguments.extend(["--override".to_owned(), "node.id=77".to_owned()]);
    assert_says(
        &refusal(&arguments),
        &["meta.properties", "node 1", "node.id is 77"],
    );
}

#[test]
fn a_bad_value_is_refused_with_file_line_name_and_what_would_be_right() {
    let dir = folder();
    let text = "# a comment\nnum.partitions=3\nlog.segment.bytes=large\n";
    let log = refusal(&with_properties(&dir, text));
    assert_says(
        &log,
        &["server.properties:3", "log.segment.bytes=large", "it takes"],
    );
    let log = refusal(&with_properties(&dir, "\nnum.partitions=0\n"));
    assert_says(
        &log,
        &["server.properties:2", "num.partitions=0", "it takes"],
    );
    let mut arguments = over(&dir.path().join("data"));
    arguments.extend(["--override".to_owned(), "num.partitions=many".to_owned()]);
    assert_says(&refusal(&arguments), &["--override", "num.partitions=many"]);
}

#[test]
fn a_properties_file_that_is_not_there_is_refused() {
    let dir = folder();
    let mut arguments = vec![dir.path().join("missing.properties").display().to_string()];
    arguments.extend(over(&dir.path().join("data")));
    assert_says(&refusal(&arguments), &["cannot read", "missing.properties"]);
}

#[test]
fn an_unknown_property_is_a_warning_that_names_the_nearest_one() {
    let dir = folder();
    let arguments = with_properties(&dir, "num.partition=3\n");
    let mut broker = Serve::spawn(&arguments, &[]);
    broker.ready();
    broker.signal("TERM");
    let (status, log) = broker.wait();
    assert!(status.success());
    assert_says(
        &log,
        &[
            "WARN",
            "server.properties:1",
            "num.partition ",
            "did you mean num.partitions?",
        ],
    );
}

#[test]
fn an_unknown_property_stops_a_strict_start() {
    let dir = folder();
    let mut arguments = with_properties(&dir, "num.partition=3\n");
    arguments.push("--strict".to_owned());
    let log = refusal(&arguments);
    assert_says(
        &log,
        &[
            "server.properties:1",
            "unknown property num.partition",
            "num.partitions",
        ],
    );
}

#[test]
fn a_setting_that_promises_what_is_not_in_force_stops_the_start() {
    let dir = folder();
    for setting in [
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "ssl.client.auth=required",
    ] {
        let (name, _) = setting.split_once('=').expect("a property");
        let log = refusal(&with_properties(&dir, setting));
        assert_says(&log, &["server.properties:1", name, "cannot be honoured"]);
    }
}

#[test]
fn a_known_property_without_effect_is_accepted_with_one_warning() {
    let dir = folder();
    let mut broker = Serve::spawn(&with_properties(&dir, "num.io.threads=8\n"), &[]);
    broker.ready();
    broker.signal("TERM");
    let (status, log) = broker.wait();
    assert!(status.success());
    let warnings: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("num.io.threads"))
        .collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert_says(warnings[0], &["WARN"]);
}

#[test]
fn sigterm_and_sigint_stop_cleanly_and_leave_the_mark() {
    for signal in ["TERM", "INT"] {
        let dir = folder();
        let mut broker = Serve::spawn(&over(dir.path()), &[]);
        let mut client = WireClient::connect(Serve::port_in(&broker.ready()));
        client.create_topic("t", 1);
        client.write("t", 0, &["kept"]);
        broker.signal(signal);
        let (status, log) = broker.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(dir.path().join(".kafka_cleanshutdown").exists());
        client.assert_closed("the broker has gone");

        let mut broker = Serve::spawn(&over(dir.path()), &[]);
        let mut client = WireClient::connect(Serve::port_in(&broker.ready()));
        assert!(
            !dir.path().join(".kafka_cleanshutdown").exists(),
            "it counts once"
        );
        assert_eq!(client.read_all("t", 0), [(0, "kept".to_owned())]);
    }
}

#[test]
fn a_stop_answers_the_long_polls_that_wait() {
    use harness::requests::{FETCH, fetch_partition, fetch_request};
    use vltava::wire::messages::fetch::FetchRequest;
    let dir = folder();
    let mut broker = Serve::spawn(&over(dir.path()), &[]);
    let mut client = WireClient::connect(Serve::port_in(&broker.ready()));
    client.create_topic("t", 1);
    let mut poll = fetch_request("t", vec![fetch_partition(0, 0)]);
    poll.max_wait_ms = 60_000;
    client.send(FETCH, &poll);
    client.assert_silent(Duration::from_millis(200));
    let began = Instant::now();
    broker.signal("TERM");
    client.receive::<FetchRequest>(FETCH);
    assert!(broker.wait().0.success());
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_second_signal_exits_at_once() {
    use harness::batches::batch_of_bytes;
    use harness::requests::{FETCH, fetch_partition, fetch_request};
    let dir = folder();
    let mut broker = Serve::spawn(&over(dir.path()), &[]);
    let mut client = WireClient::connect(Serve::port_in(&broker.ready()));
    client.create_topic("t", 1);
    for _ in 0..20 {
        client.write_batch("t", 0, &batch_of_bytes(900_000));
    }
    // A client that does not take its answer: a stop waits some seconds for it.
    client.send(FETCH, &fetch_request("t", vec![fetch_partition(0, 0)]));
    std::thread::sleep(Duration::from_millis(300));
    broker.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    broker.signal("TERM");
    let (status, log) = broker.wait();
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(status.code(), Some(130), "{log}");
    assert!(
        !dir.path().join(".kafka_cleanshutdown").exists(),
        "it was not clean"
    );
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = folder();
    let mut broker = Serve::spawn(&over(dir.path()), &[]);
    let mut client = WireClient::connect(Serve::port_in(&broker.ready()));
    client.create_topic("t", 1);
    let values: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    for value in &values {
        client.write("t", 0, &[value]);
    }
    broker.end();
    let mut broker = Serve::spawn(&over(dir.path()), &[]);
    let mut client = WireClient::connect(Serve::port_in(&broker.ready()));
    let read: Vec<String> = client
        .read_all("t", 0)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    assert_eq!(read, values);
}

#[test]
fn systemd_is_told_when_the_broker_is_ready_and_when_it_stops() {
    let dir = folder();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a deadline");
    let environment = [("NOTIFY_SOCKET", path.as_os_str())];
    let mut broker = Serve::spawn(&over(&dir.path().join("data")), &environment);
    let told = || {
        let mut message = [0; 4096];
        let length = socket.recv(&mut message).expect("a message to systemd");
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    assert_says(&told(), &["READY=1"]);
    broker.ready();
    broker.signal("TERM");
    assert_says(&told(), &["STOPPING=1"]);
    assert!(broker.wait().0.success());
}

#[test]
fn lines_for_the_journal_carry_a_priority_in_place_of_the_time() {
    let dir = folder();
    let arguments = with_properties(&dir, "num.partition=3\n");
    let environment = [("JOURNAL_STREAM", OsStr::new("8:1"))];
    let mut broker = Serve::spawn(&arguments, &environment);
    broker.ready();
    broker.signal("TERM");
    let log = broker.wait().1;
    assert!(log.lines().all(|line| line.starts_with('<')), "{log}");
    assert_says(&log, &["<4>"]);
}

#[test]
fn the_listeners_of_the_file_hold_unless_the_command_line_says_otherwise() {
    let dir = folder();
    let data = dir.path().join("data").display().to_string();
    let told = |port: u16| {
        use vltava::wire::messages::metadata::MetadataRequest;
        let answer = WireClient::connect(port).call(1, &MetadataRequest::default());
        format!("{}:{}", answer.brokers[0].host, answer.brokers[0].port)
    };
    let file = dir.path().join("server.properties");
    let text = format!(
        "listeners=PLAINTEXT://127.0.0.1:0\nadvertised.listeners=PLAINTEXT://file.example:1\nlog.dirs={data}\n"
    );
    fs::write(&file, text).expect("a scratch file");
    let file = file.display().to_string();
    let start = |more: &[&str]| {
        let mut broker = Serve::spawn(&[&[file.as_str()], more].concat(), &[]);
        let port = Serve::port_in(&broker.ready());
        (told(port), port)
    };
    assert_eq!(start(&[]).0, "file.example:1");
    let (address, port) = start(&["--listen", ANY_PORT]);
    assert_eq!(address, format!("127.0.0.1:{port}"));
    let advertised = "advertised.listeners=PLAINTEXT://flag.example:2";
    let both = ["--listen", ANY_PORT, "--override", advertised];
    assert_eq!(start(&both).0, "flag.example:2");
}

#[test]
fn addresses_beyond_loopback_are_warned_of() {
    let dir = folder();
    let mut arguments = over(dir.path());
    arguments[1] = "0.0.0.0:0".to_owned();
    let mut broker = Serve::spawn(&arguments, &[]);
    broker.ready();
    broker.signal("TERM");
    let (status, log) = broker.wait();
    assert!(status.success());
    assert_says(&log, &["not encrypted", "clients are told"]);
}
