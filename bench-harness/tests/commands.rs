//! Each command, run shortly against a real broker: that it does what it says, never how fast.
//!
//! A busy machine makes the load generator late, which makes a run invalid: exit status 3 is as good as 0 here.

mod support;

use support::{Broker, bench, json, run};

const FIGURES_STAND: i32 = 0;
const INVALID: i32 = 3;

/// Runs a command against the broker, and gives what it wrote with `--json`.
fn result_of(broker: &Broker, command: &str, options: &str) -> serde_json::Value {
    let path = broker.path(&format!("{command}.json"));
    let line = format!("{options} -q --server-pid {} --json {path}", broker.pid());
    let output = run(&[command, "-b", &broker.address()], &line);
    assert!(
        [FIGURES_STAND, INVALID].contains(&output.status),
        "{command}: {} {}",
        output.status,
        output.stderr
    );
    let result = json(&path);
    assert_eq!(result["command"], command);
    assert!(output.stdout.contains(command), "{}", output.stdout);
    result
}

fn figure(result: &serde_json::Value, name: &str) -> f64 {
    let figures = result["figures"].as_array().expect("figures");
    let figure = figures.iter().find(|figure| figure["name"] == name);
    figure.unwrap_or_else(|| panic!("{name} is in {result}"))["value"]
        .as_f64()
        .expect("a number")
}

#[test]
fn what_is_produced_is_consumed_and_costs_are_told() {
    let broker = Broker::start();
    let load = "--topic full --bytes 2MB --batch-size 100kB --partitions 3 --connections 2";
    let produced = result_of(&broker, "produce", load);
    let records = produced["totals"]["records"].as_u64().unwrap();
    assert!(records >= 1953, "{records}");
    assert!(figure(&produced, "broker, resident memory") > 0.0);
    assert!(figure(&produced, "throughput") > 0.0);
    let consumed = result_of(&broker, "consume", "--topic full --check-crc");
    assert_eq!(consumed["totals"]["records"], records);
    let line = produced["fingerprint"]["broker_command_line"].as_str();
    assert!(line.unwrap().contains("serve"), "{line:?}");
}

#[test]
fn open_loops_leave_histograms_that_other_tools_read() {
    let broker = Broker::start();
    let (hgrm, hlog) = (broker.path("run.hgrm"), broker.path("run.hlog"));
    let files = format!("--hgrm {hgrm} --hlog {hlog}");
    let load = "--topic paced --rate 0.5 --duration 2 --warmup 0.2";
    let result = result_of(&broker, "end-to-end", &format!("{load} {files}"));
    assert_eq!(result["lost_records"], 0);
    let count = |metric: &str| result["latencies"][metric]["count"].as_u64().unwrap();
    assert!(count("consumed") > 0 && count("consumed") == count("acknowledged"));
    assert!(std::fs::read_to_string(&hgrm).unwrap().contains("#[Mean"));
    assert!(std::fs::metadata(broker.path("run.lateness.hgrm")).is_ok());
    let log = std::fs::read_to_string(&hlog).unwrap();
    assert!(log.contains("\nTag=consumed,"), "{log}");
    let random = format!("{load} --arrivals poisson --acks all --partitions 2 --connections 2");
    let result = result_of(&broker, "latency", &random);
    assert!(result["latencies"]["acknowledged"]["count"].as_u64() > Some(0));
    assert!(result["latencies"]["consumed"].is_null());
}

#[test]
fn a_run_that_is_interrupted_reports_what_it_has() {
    let broker = Broker::start();
    let options = ["latency", "-b", &broker.address(), "--duration", "3600"];
    let child = bench(&options, "--topic long --rate 0.5 --warmup 0");
    let stderr = support::first_lines(&child, 2);
    assert!(stderr.contains("MB/s"), "{stderr}");
    let output = child.interrupt_and_wait();
    assert!([FIGURES_STAND, INVALID].contains(&output.status));
    assert!(output.stdout.contains("interrupted"), "{}", output.stdout);
    assert!(output.stdout.contains("due to acknowledged"));
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let output = run(&["latency", "-b", "127.0.0.1:1"], "");
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("127.0.0.1:1"), "{}", output.stderr);
}

#[test]
fn the_limits_of_the_machine_are_measured_without_a_broker() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().display();
    let output = run(
        &["limits"],
        &format!("-q --seconds 0.01 --dir {dir} --json {dir}/limits.json"),
    );
    assert_eq!(output.status, FIGURES_STAND, "{}", output.stderr);
    let result = json(&format!("{dir}/limits.json"));
    for name in [
        "loopback, send 1 MiB",
        "loopback, sendfile 1 MiB",
        "write 4 KiB to the page cache",
        "write 1 MiB and fdatasync: p99",
        "CRC-32C of 1 MiB",
        "memcpy, 64 KiB in the cache",
        "wake a thread on the same CPU: p50",
    ] {
        assert!(figure(&result, name) > 0.0, "{name}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
