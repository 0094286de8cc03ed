//! Each command, run shortly against a real broker: that it does what it says, never how fast.
//!
//! A busy machine makes the load generator late, which makes a run invalid: exit status 3 is as good as 0 here.

mod support;

use std::time::Duration;

use support::{Bench, Broker, Lines, bench, broker_binary, json, recipe, run, stand_still};

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
fn other_topics_are_compacted_and_deleted_beside_the_load() {
    let broker = Broker::start();
    let load = "--size 3MB --rate 0.5 --warmup 0.5";
    let compaction = "--topic c --work compaction --work-partitions 1 --keys 10 --duration 25";
    let compacted = result_of(&broker, "upkeep", &format!("{compaction} {load}"));
    let (before, after) = ("the other topic, before", "the other topic, at the end");
    assert!(figure(&compacted, after) < figure(&compacted, before));
    assert!(figure(&compacted, "p99, with it / without") > 0.0);
    let deletion = "--topic d --work deletion --work-partitions 2 --duration 3";
    let deleted = result_of(&broker, "upkeep", &format!("{deletion} {load}"));
    assert!(figure(&deleted, before) > 0.003);
    assert_eq!(figure(&deleted, after), 0.0);
}

#[test]
fn a_run_that_is_interrupted_reports_what_it_has() {
    let broker = Broker::start();
    let options = ["latency", "-b", &broker.address(), "--duration", "3600"];
    let child = bench(&options, "--topic long --rate 0.5 --warmup 0");
    let mut lines = Lines::of(&child);
    let stderr = lines.next(2);
    assert!(stderr.contains("MB/s"), "{stderr}");
    let output = child.interrupt_and_wait();
    assert!([FIGURES_STAND, INVALID].contains(&output.status));
    assert!(output.stdout.contains("interrupted"), "{}", output.stdout);
    assert!(output.stdout.contains("due to acknowledged"));
}

/// Runs an open loop of 488 records a second in which somebody stands still for this long, and gives its result.
fn with_a_pause(
    broker: &Broker,
    name: &str,
    who: impl Fn(&Bench) -> u32,
) -> (i32, serde_json::Value) {
    let path = broker.path(&format!("{name}.json"));
    let options = [
        "latency",
        "-b",
        &broker.address(),
        "--duration",
        "3600",
        "--topic",
        name,
    ];
    let child = bench(&options, &format!("--rate 0.5 --warmup 0 --json {path}"));
    let mut lines = Lines::of(&child);
    lines.next(1);
    stand_still(who(&child), PAUSE);
    lines.next(2);
    let output = child.interrupt_and_wait();
    (output.status, json(&path))
}

const PAUSE: Duration = Duration::from_millis(700);

#[test]
fn a_broker_that_stands_still_makes_every_record_of_that_time_late() {
    let broker = Broker::start();
    let (_, result) = with_a_pause(&broker, "broker-pauses", |_| broker.pid());
    let encoded = result["latencies"]["acknowledged"]["hdr"].as_str().unwrap();
    let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, encoded).unwrap();
    let histogram: hdrhistogram::Histogram<u64> = hdrhistogram::serialization::Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .unwrap();
    // One that waited for answers before it sent more would have a handful.
    let late = histogram.count_between(100_000_000, u64::MAX);
    assert!(late > 200, "{late}");
}

#[test]
fn a_generator_that_stands_still_spoils_the_run_and_says_so() {
    let broker = Broker::start();
    let (status, result) = with_a_pause(&broker, "generator-pauses", Bench::pid);
    assert_eq!(status, INVALID, "{result}");
    let reasons = result["invalid_because"].to_string();
    assert!(reasons.contains("the generator itself was"), "{reasons}");
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

#[test]
fn many_connections_many_partitions_and_groups_are_measured() {
    let broker = Broker::start();
    let idle = result_of(&broker, "connections", "--count 50 --duration 0.2");
    assert_eq!(idle["latencies"]["connect"]["count"], 50);
    let load = "--topic few --count 20 --trickle 200 --partitions 2 --duration 0.5";
    let trickling = result_of(&broker, "connections", load);
    assert!(trickling["totals"]["records"].as_u64() > Some(0));
    assert!(figure(&trickling, "broker, memory for each connection") >= 0.0);
    let counts = result_of(&broker, "partitions", "--counts 1,3 --duration 0.2");
    for name in ["1 partitions: created", "3 partitions: throughput"] {
        assert!(figure(&counts, name) > 0.0);
    }
    let groups = result_of(
        &broker,
        "groups",
        "--members 3 --rounds 1 --heartbeat-ms 10",
    );
    assert!(figure(&groups, "one more comes: median") > 0.0);
    assert!(figure(&groups, "one goes: median") > 0.0);
}

#[test]
fn readers_of_old_records_read_beside_those_at_the_tail() {
    let broker = Broker::start();
    let load = "--topic mixed --rate 0.3 --duration 1 --warmup 0.2 --preload 3MB";
    let result = result_of(&broker, "mixed", load);
    assert_eq!(result["lost_records"], 0);
    assert!(figure(&result, "readers of old records") > 0.0);
    assert!(figure(&result, "p99 to the consumer, with them / without") > 0.0);
}

#[test]
fn a_broker_that_a_recipe_starts_rests_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let (dir, recipe) = (directory.path().display(), recipe());
    let set = format!("--set vltava:VLTAVA={}", broker_binary().display());
    let shared = format!("{set} --work-dir {dir} --json {dir}/out.json");
    let rest = format!("--duration 0.2 --warmup 0 {shared}");
    let output = run(&["idle", &recipe], &rest);
    assert_eq!(output.status, FIGURES_STAND, "{}", output.stderr);
    let result = json(&format!("{dir}/out.json"));
    assert!(figure(&result, "start to the first answer") > 0.0);
    assert!(figure(&result, "resident memory at rest") > 0.0);
    for stop in ["kill", "term", "kill --under-load"] {
        let load = format!("--bytes 1MB --partitions 3 --rounds 2 -q {shared} --stop {stop}");
        let output = run(&["recovery", &recipe], &load);
        assert_eq!(output.status, FIGURES_STAND, "{}", output.stderr);
        let result = json(&format!("{dir}/out.json"));
        assert_eq!(result["lost_records"], 0);
    }
    // Brokers that were started here are gone, and what they kept.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// Where `perf` is missing or may not look, that is what must be said.
#[test]
fn a_broker_s_cpu_time_becomes_a_picture() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().display();
    let picture = format!("{dir}/small.svg");
    let set = format!("--set vltava:VLTAVA={}", broker_binary().display());
    let options = format!("--seconds 1 {set} --work-dir {dir} -o {picture}");
    let output = run(&["flamegraph", "small-requests", &recipe()], &options);
    if output.stderr.contains("perf") {
        assert_eq!(output.status, 1, "{}", output.stderr);
        return;
    }
    let stands = [FIGURES_STAND, INVALID].contains(&output.status);
    assert!(stands, "{} {}", output.status, output.stderr);
    let picture = std::fs::read_to_string(picture).expect("a picture");
    assert!(picture.contains("<svg") && picture.contains("vltava-bench produce --batch-size 4Ki"));
    assert!(picture.contains("glommio"), "the broker's own frames");
}

#[test]
fn brokers_are_compared_loads_swept_and_all_of_it_reported() {
    let broker = Broker::start();
    let (compared, swept) = (broker.path("compare.json"), broker.path("sweep.json"));
    let running = format!("one={},{}", broker.address(), broker.pid());
    let started = format!("two={}", recipe());
    let load = "produce --topic both --bytes 300kB --batch-size 50kB";
    let set = format!("--set two:VLTAVA={}", broker_binary().display());
    let options = format!("--rounds 2 --warm-memory 1MB {set} --json {compared}");
    let output = run(&["compare", &running, &started, "--run", load], &options);
    assert_eq!(output.status, FIGURES_STAND, "{}", output.stderr);
    assert!(output.stdout.contains("two / one"), "{}", output.stdout);
    let rounds = &json(&compared)["workloads"][0]["rounds"];
    assert_eq!(rounds.as_array().map(Vec::len), Some(2));
    assert_eq!(rounds[1].as_array().map(Vec::len), Some(2));

    let (data, address) = (broker.path("sweep.dat"), broker.address());
    let loads = "--from 0.2 --until 0.4 --factor 2 --refine 0 --limit-ms 60000";
    let command = format!("-- latency -b {address} --duration 0.5 --warmup 0.1");
    let files = format!("--json {swept} --data {data}");
    let line = format!("-q {loads} --over linger-ms=0,2 {files} {command}");
    let output = run(&["sweep"], &line);
    assert_eq!(output.status, FIGURES_STAND, "{}", output.stderr);
    let curves = &json(&swept)["curves"];
    assert_eq!(curves[1]["name"], "linger-ms=2");
    assert_ne!(curves[1]["ended_by"], "");
    assert!(curves[1]["points"][0]["mb_per_s"].as_f64() > Some(0.0));
    assert!(
        std::fs::read_to_string(&data)
            .unwrap()
            .contains("# linger-ms=0")
    );

    let page = broker.path("report.html");
    let output = run(&["report", &compared, &swept, "-o", &page], "");
    assert_eq!(output.status, FIGURES_STAND, "{}", output.stderr);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("<svg") && html.contains("linger-ms=2"));
    let output = run(&["report", &data], "");
    assert!(output.stderr.contains("no result of vltava-bench"));
}
