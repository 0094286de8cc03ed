//! The text is read back by a strict reader of the format.

use super::*;
use crate::metrics::{CoreMetrics, CoreReport, Phase};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A sample: its name, labels in order, value.
type Sample = (String, Vec<(String, String)>, f64);

/// Reads one sample line to its end.
fn sample(line: &str) -> Sample {
    let is_name = |text: &str| {
        !text.is_empty()
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
    };
    let end = line.find(['{', ' ']).expect("a value");
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, text) = rest.split_once("=\"").expect("a label");
            assert!(is_name(label) && !label.contains(':'), "{line}");
            let (mut value, mut chars) = (String::new(), text.char_indices());
            let after = loop {
                match chars.next().expect("a closing quote") {
                    (_, '\\') => match chars.next().expect("an escape").1 {
                        'n' => value.push('\n'),
                        c @ ('\\' | '"') => value.push(c),
                        c => panic!("\\{c} is no escape: {line}"),
                    },
                    (at, '"') => break &text[at + 1..],
                    (_, c) => value.push(c),
                }
            };
            labels.push((label.to_owned(), value));
            rest = match after.strip_prefix(',') {
                Some(more) => more,
                None => break rest = after.strip_prefix('}').expect("a closing brace"),
            };
        }
    }
    let value = rest.strip_prefix(' ').expect("one space").parse();
    (name.to_owned(), labels, value.expect("a number"))
}

/// Reads a whole page and checks what the format asks of it.
fn read(page: &str) -> Vec<Sample> {
    assert!(page.ends_with('\n'));
    let (mut kinds, mut current) = (HashMap::new(), String::new());
    let (mut samples, mut seen) = (Vec::new(), HashSet::new());
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            current = help.split_once(' ').expect("words").0.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a kind");
            assert_eq!(name, current, "TYPE follows its HELP");
            assert!(["counter", "gauge", "histogram", "summary"].contains(&kind));
            let twice = kinds.insert(name.to_owned(), kind.to_owned());
            assert!(twice.is_none(), "{name} stands twice");
            assert!(kind != "counter" || name.ends_with("_total"), "{name}");
        } else {
            let sample = sample(line);
            let ends = match kinds[&current].as_str() {
                "histogram" => ["_bucket", "_sum", "_count"].as_slice(),
                "summary" => &["", "_sum", "_count"],
                _ => &[""],
            };
            let belongs = ends.iter().any(|end| sample.0 == format!("{current}{end}"));
            assert!(belongs, "{line} stands among {current}");
            assert!(
                seen.insert((sample.0.clone(), sample.1.clone())),
                "{line} stands twice"
            );
            samples.push(sample);
        }
    }
    samples
}

fn stats_with(metrics: &CoreMetrics) -> Stats {
    let mut core = CoreStats::of(0, 3, metrics, |key| Some(format!("Api{key}")));
    core.report = Some(CoreReport::default());
    Stats {
        version: "1.\"2\\3\n".to_owned(),
        phase: Phase::Ready,
        uptime_ms: 1,
        resident_bytes: 1,
        cores: vec![core],
    }
}

#[test]
fn a_strict_reader_understands_every_line_and_odd_names_come_back_as_they_were() {
    let metrics = CoreMetrics::new();
    metrics.appended(10, 1000);
    metrics.time(Stage::Write, Duration::from_micros(100));
    metrics.request(0, Duration::from_millis(3));
    let row = PartitionRow {
        topic: "a\\b\"c\nd".to_owned(),
        partition: 4,
        log_start_offset: 1,
        log_end_offset: 9,
        high_watermark: 8,
        size_bytes: 77,
        segments: 2,
    };
    let samples = read(&text(&stats_with(&metrics), None, &[row]));
    let find = |name: &str| samples.iter().find(|sample| sample.0 == name).expect(name);
    assert_eq!(find("kafka_log_log_size").1[0].1, "a\\b\"c\nd");
    assert_eq!(find("kafka_log_log_logendoffset").2, 9.0);
    assert_eq!(find("vltava_build_info").1[0].1, "1.\"2\\3\n");
    assert_eq!(
        find("kafka_server_brokertopicmetrics_messagesin_total").2,
        10.0
    );
    assert_eq!(
        find("kafka_server_brokertopicmetrics_bytesin_total").2,
        1000.0
    );
    assert_eq!(find("kafka_network_requestmetrics_requests_total").2, 1.0);
    assert_eq!(find("kafka_server_kafkaserver_brokerstate").2, 3.0);
}

#[test]
fn buckets_of_a_histogram_rise_to_its_count() {
    let metrics = CoreMetrics::new();
    for us in [1, 10, 100, 1000, 1_000_000] {
        metrics.time(Stage::Write, Duration::from_micros(us));
    }
    let samples = read(&text(&stats_with(&metrics), None, &[]));
    let buckets: Vec<(f64, f64)> = samples
        .iter()
        .filter(|sample| sample.0 == "vltava_write_seconds_bucket")
        .map(|(_, labels, count)| (labels[1].1.parse().expect("a number"), *count))
        .collect();
    assert!(buckets.is_sorted() && buckets.len() > 20, "{buckets:?}");
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, 5.0)));
    let up_to_a_millisecond = buckets.iter().rfind(|bucket| bucket.0 < 0.0009);
    assert_eq!(up_to_a_millisecond.map(|bucket| bucket.1), Some(3.0));
}

#[test]
fn quantiles_forget_what_is_older_than_their_base() {
    let metrics = CoreMetrics::new();
    metrics.request(1, Duration::from_secs(9));
    let base = stats_with(&metrics);
    let p99 = |base: Option<&Stats>| {
        let samples = read(&text(&stats_with(&metrics), base, &[]));
        let quantile = |sample: &&Sample| {
            sample.0 == "kafka_network_requestmetrics_totaltimems" && sample.1[1].1 == "0.99"
        };
        samples
            .iter()
            .find(quantile)
            .map(|sample| sample.2)
            .expect("a quantile")
    };
    assert!(p99(Some(&base)).is_nan(), "nothing since");
    metrics.request(1, Duration::from_millis(2));
    assert!((2.0..2.1).contains(&p99(Some(&base))));
    assert!((9000.0..9300.0).contains(&p99(None)));
}
