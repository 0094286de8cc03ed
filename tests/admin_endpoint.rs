//! The admin endpoint: metrics, health, the page, and `vltava stat`, asked while a broker works.
//!
//! Setup: a broker with `admin.listener` on a free port, records written and read. Expectation: the numbers are those of the work,
//! the page draws them in a real browser, and whoever misbehaves on this port is refused and disturbs nobody.

mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use harness::broker::Broker;
use harness::in_ci;
use harness::serve::refusal;
use harness::wire_client::WireClient;
use vltava::client::http::{self, HttpError};
use vltava::metrics::Stats;

const PATIENCE: Duration = Duration::from_secs(20);
const RECORDS: usize = 200;

/// A broker whose numbers can be asked for, and where.
fn start() -> (Broker, String) {
    let broker = Broker::start(&[("admin.listener", "127.0.0.1:0")]);
    let line = broker.ready_line();
    let address = line
        .split("admin on http://")
        .nth(1)
        .expect("the ready line names it");
    let address = address
        .split([':', ','])
        .take(2)
        .collect::<Vec<_>>()
        .join(":");
    (broker, address)
}

/// Writes to two partitions, on different cores or not, and reads it back.
fn work(broker: &Broker) {
    let mut client = WireClient::connect(broker.port());
    client.create_topic("orders", 2);
    for number in 0..RECORDS {
        client.write("orders", (number % 2) as i32, &[&format!("order {number}")]);
    }
    let read = Command::new(env!("CARGO_BIN_EXE_vltava"))
        .args([
            "consume",
            "orders",
            "--from-beginning",
            "--exit-at-end",
            "-b",
            &broker.bootstrap(),
        ])
        .output()
        .expect("the binary runs");
    let lines = String::from_utf8_lossy(&read.stdout).lines().count();
    assert_eq!(lines, RECORDS, "{}", String::from_utf8_lossy(&read.stderr));
}

fn get(address: &str, path: &str) -> String {
    http::get(address, path, PATIENCE).unwrap_or_else(|error| panic!("{error}"))
}

/// The values of all samples of one name, of whatever labels.
fn samples(page: &str, name: &str) -> Vec<f64> {
    let lines = page.lines().filter(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '{']))
    });
    let value = |line: &str| line.rsplit(' ').next().and_then(|text| text.parse().ok());
    lines.map(|line| value(line).expect("a number")).collect()
}

fn sum(page: &str, name: &str) -> f64 {
    samples(page, name).iter().sum()
}

#[test]
fn what_was_written_and_read_stands_in_the_metrics_under_kafkas_names() {
    let (broker, address) = start();
    work(&broker);
    let page = get(&address, "/metrics");
    let records = RECORDS as f64;
    // Who consumes without a group writes nothing else.
    assert_eq!(
        sum(&page, "kafka_server_brokertopicmetrics_messagesin_total"),
        records
    );
    assert_eq!(sum(&page, "kafka_log_log_logendoffset"), records);
    assert_eq!(sum(&page, "vltava_batches_total"), records);
    assert_eq!(sum(&page, "vltava_batch_bytes_count"), records);
    assert_eq!(sum(&page, "vltava_produce_commit_seconds_count"), records);
    assert_eq!(
        sum(&page, "kafka_server_replicamanager_partitioncount"),
        2.0
    );
    assert_eq!(sum(&page, "vltava_core_up"), 2.0);
    // Every byte came in as a batch and went out by one of the paths, once or more.
    let bytes_in = sum(&page, "kafka_server_brokertopicmetrics_bytesin_total");
    assert_eq!(sum(&page, "kafka_log_log_size"), bytes_in);
    assert!(sum(&page, "kafka_server_brokertopicmetrics_bytesout_total") >= bytes_in);
    for stage in [
        "write_wait",
        "write",
        "mesh_hop",
        "produce_send",
        "fetch_plan",
        "fetch_send",
    ] {
        let name = format!("vltava_{stage}_seconds_count");
        assert!(sum(&page, &name) > 0.0, "{name} in {page}");
    }
    let produce = page.lines().find(|line| {
        line.starts_with(
            "kafka_network_requestmetrics_totaltimems{request=\"Produce\",quantile=\"0.99\"}",
        )
    });
    assert!(produce.is_some(), "{page}");
    assert!(sum(&page, "process_resident_memory_bytes") > 1e6);
}

#[test]
fn probes_hear_that_the_broker_lives_and_accepts_and_unknown_paths_what_there_is() {
    let (broker, address) = start();
    assert_eq!(get(&address, "/healthz"), "ok\n");
    assert_eq!(get(&address, "/readyz"), "ready\n");
    let unknown = http::get(&address, "/nothing", PATIENCE);
    assert!(matches!(unknown, Err(HttpError::Refused { status, .. }) if status.contains("404")));
    work(&broker);
    let distribution = get(&address, "/latency.hgrm?name=Produce");
    assert!(distribution.contains("1/(1-Percentile)"), "{distribution}");
    let total = format!("Total count    = {RECORDS:>12}]");
    assert!(distribution.contains(&total), "{distribution}");
    let of_cores: u64 = (0..2)
        .filter_map(|core| {
            http::get(
                &address,
                &format!("/latency.hgrm?name=write&core={core}"),
                PATIENCE,
            )
            .ok()
        })
        .filter_map(|text| {
            text.split("Total count    =")
                .nth(1)?
                .split(']')
                .next()?
                .trim()
                .parse::<u64>()
                .ok()
        })
        .sum();
    assert!(of_cores > 0);
}

#[test]
fn who_misbehaves_is_refused_and_keeps_nobody_out() {
    let (broker, address) = start();
    let say = |words: &str| {
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // It may have answered and closed before all is said.
        let _ = stream.write_all(words.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    assert!(say("POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    assert!(say("hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
    assert!(say(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(8192))).starts_with("HTTP/1.1 431 "));
    // More than may be connected, who say nothing: a moment later they are gone, and the broker never noticed.
    let idle: Vec<_> = (0..20).map(|_| TcpStream::connect(&address)).collect();
    work(&broker);
    let deadline = Instant::now() + PATIENCE;
    while http::get(&address, "/healthz", PATIENCE).is_err() {
        assert!(Instant::now() < deadline, "silent connections are let go");
        thread::sleep(Duration::from_millis(100));
    }
    drop(idle);
}

#[test]
fn an_address_in_use_stops_the_start_with_its_name() {
    let (_broker, address) = start();
    let said = refusal(&[
        "--listen",
        "127.0.0.1:0",
        "--admin",
        &address,
        "--data-dir",
        "unused",
    ]);
    assert!(
        said.contains(&address) && said.contains("--admin"),
        "{said}"
    );
    assert!(!Path::new("unused").exists(), "nothing was changed");
}

fn stat(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
    command
        .arg("stat")
        .args(arguments)
        .output()
        .expect("the binary runs")
}

#[test]
fn stat_shows_a_row_a_core_and_the_times_of_the_stages() {
    let (broker, address) = start();
    work(&broker);
    let shown = stat(&["--admin", &address, "--once"]);
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(
        shown.status.success(),
        "{}",
        String::from_utf8_lossy(&shown.stderr)
    );
    for begin in [
        "core 0 (CPU ",
        "core 1 (CPU ",
        "Produce ",
        "produce_commit ",
        "batches_per_write ",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(begin)),
            "{begin}: {text}"
        );
    }
    let json = stat(&["--admin", &address, "--once", "--json"]);
    let stats: Stats = serde_json::from_slice(&json.stdout).expect("one line of JSON");
    assert_eq!(stats.cores.len(), 2);
    assert!(
        stats
            .cores
            .iter()
            .all(|core| core.times.user_ms + core.times.system_ms > 0 || core.times.parks > 0)
    );

    let nobody = stat(&["--admin", "127.0.0.1:1", "--once"]);
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert_eq!(nobody.status.code(), Some(1));
    assert!(said.contains("--admin 127.0.0.1:1"), "{said}");
}

/// What the page looks like to a browser after a few seconds: its document, and a picture where somebody may look at it.
fn in_browser(url: &str, picture: &Path) -> Option<String> {
    let browser = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            Command::new(name)
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success())
        });
    let Some(browser) = browser else {
        assert!(!in_ci(), "chromium is needed: apt-get install chromium");
        eprintln!("skipped: there is no chromium here");
        return None;
    };
    let run = |what: &str| {
        let profile =
            tempfile::tempdir_in(harness::scratch_dir()).expect("a folder for the browser");
        let output = Command::new(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
            ])
            .args([
                "--window-size=1280,1100",
                "--virtual-time-budget=6000",
                what,
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .output()
            .expect("the browser runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(&format!("--screenshot={}", picture.display()));
    Some(run("--dump-dom"))
}

#[test]
fn the_page_draws_percentile_curves_of_the_stages_in_a_browser() {
    let (broker, address) = start();
    work(&broker);
    let picture = harness::scratch_dir().join("admin-page.png");
    let url = format!("http://{address}/?span=0&core=each");
    let Some(document) = in_browser(&url, &picture) else {
        return;
    };
    let curves: Vec<&str> = document.split("<path class=\"curve\"").skip(1).collect();
    for stage in [
        // The connection's core is the kernel's choice; consecutive partitions lie on consecutive cores.
        "produce_validate, core ",
        "produce_commit, core ",
        "write, core 0\"",
        "write, core 1\"",
    ] {
        let name = format!("data-name=\"{stage}");
        let curve = curves.iter().find(|curve| curve.contains(&name));
        let curve = curve.unwrap_or_else(|| panic!("{stage} is drawn: {document}"));
        let path = curve
            .split(" d=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let points = path.expect("a path").split('L').count();
        assert!(points >= 4, "{stage} has {points} points");
        assert!(!path.expect("a path").contains("NaN"), "{curve}");
    }
    assert!(
        document.contains("core 1 <span"),
        "a row a core: {document}"
    );
    assert!(!document.contains("waiting for numbers"), "{document}");
    assert!(std::fs::metadata(&picture).is_ok_and(|file| file.len() > 10_000));
}
