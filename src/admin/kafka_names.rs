//! Metrics under the names that dashboards for Kafka ask for: those of Kafka's MBeans as the JMX exporter's usual rules write
//! them, in lower case (`kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec` is `kafka_server_brokertopicmetrics_messagesin_total`).

use super::prometheus::{Labels, Page, with};
use crate::metrics::{CoreReport, Count, Named, PartitionRow, Stage, Stats, Values};

const QUANTILES: [(&str, f64); 6] = [
    ("0.5", 0.5),
    ("0.75", 0.75),
    ("0.95", 0.95),
    ("0.98", 0.98),
    ("0.99", 0.99),
    ("0.999", 0.999),
];
/// Partitions that are named one by one; of more than these a scrape would be megabytes, and only the sums are there.
const PARTITIONS_NAMED: usize = 2_000;
/// Kafka's number of the state in which a broker serves (`BrokerState`), while it starts, and while it stops.
const RUNNING: f64 = 3.0;
const STARTING: f64 = 1.0;
const SHUTTING_DOWN: f64 = 7.0;

/// All of them. Quantiles are of what came after `base`.
pub fn write(page: &mut Page, stats: &Stats, base: Option<&Stats>, partitions: &[PartitionRow]) {
    traffic(page, stats);
    replicas(page, stats, partitions);
    requests(page, stats, base);
    logs(page, partitions);
}

fn traffic(page: &mut Page, stats: &Stats) {
    let out = [Count::SendfileBytes, Count::GatheredBytes, Count::ColdBytes];
    let out: u64 = out.iter().map(|&count| stats.count(count)).sum();
    let api = |name: &str| {
        let values = stats.merged(name, |core| &core.requests);
        values.map_or(0, |values| values.count())
    };
    for (name, help, value) in [
        (
            "messagesin",
            "Records appended.",
            stats.count(Count::Records),
        ),
        (
            "bytesin",
            "Bytes of record batches appended.",
            stats.count(Count::BatchBytes),
        ),
        ("bytesout", "Bytes of record data sent to consumers.", out),
        ("totalproducerequests", "Produce requests.", api("Produce")),
        ("totalfetchrequests", "Fetch requests.", api("Fetch")),
        (
            "failedproducerequests",
            "Partitions of produce requests that failed.",
            stats.count(Count::FailedAppends),
        ),
        (
            "failedfetchrequests",
            "Partitions of fetch requests that failed.",
            stats.count(Count::FailedReads),
        ),
    ] {
        let name = format!("kafka_server_brokertopicmetrics_{name}_total");
        page.single(&name, "counter", help, value as f64);
    }
    let name = "kafka_server_socket_server_metrics_connection_count";
    page.metric(name, "gauge", "Connections, by core.");
    for core in &stats.cores {
        let opened = core.count(Count::ConnectionsOpened);
        let open = opened.saturating_sub(core.count(Count::ConnectionsClosed));
        page.sample(
            name,
            &[("networkprocessor", &core.core.to_string())],
            open as f64,
        );
    }
}

fn replicas(page: &mut Page, stats: &Stats, partitions: &[PartitionRow]) {
    let reports = || stats.cores.iter().filter_map(|core| core.report.as_ref());
    let sum = |of: fn(&CoreReport) -> u64| reports().map(of).sum::<u64>() as f64;
    let first = |of: fn(&CoreReport) -> u64| reports().next().map_or(0, of) as f64;
    let here = partitions.len() as f64;
    let offline = sum(|report| report.offline);
    let state = match stats.phase {
        crate::metrics::Phase::Starting => STARTING,
        crate::metrics::Phase::Ready => RUNNING,
        crate::metrics::Phase::Draining => SHUTTING_DOWN,
    };
    for (name, help, value) in [
        (
            "server_kafkaserver_brokerstate",
            "Kafka's number of the broker's state: 1 starting, 3 running, 7 shutting down.",
            state,
        ),
        (
            "server_replicamanager_partitioncount",
            "Partitions on this broker.",
            here + offline,
        ),
        (
            "server_replicamanager_leadercount",
            "Partitions that this broker leads.",
            here,
        ),
        (
            "server_replicamanager_offlinereplicacount",
            "Partitions whose log could not be opened.",
            offline,
        ),
        (
            "server_replicamanager_underreplicatedpartitions",
            "Partitions that lack replicas: none, as each has one.",
            0.0,
        ),
        (
            "server_replicamanager_underminisrpartitioncount",
            "Partitions with fewer replicas in sync than they want: none.",
            0.0,
        ),
        (
            "controller_kafkacontroller_activecontrollercount",
            "1: the broker is its own controller.",
            1.0,
        ),
        (
            "controller_kafkacontroller_globaltopiccount",
            "Topics of the cluster.",
            first(|report| report.topics),
        ),
        (
            "controller_kafkacontroller_globalpartitioncount",
            "Partitions of the cluster.",
            first(|report| report.all_partitions),
        ),
        (
            "controller_kafkacontroller_offlinepartitionscount",
            "Partitions without a leader.",
            offline,
        ),
    ] {
        page.single(&format!("kafka_{name}"), "gauge", help, value);
    }
    let waiting = "kafka_server_delayedoperationpurgatory_purgatorysize";
    page.metric(waiting, "gauge", "Requests that wait.");
    let fetches = sum(|report| report.fetches_waiting);
    page.sample(waiting, &[("delayedoperation", "Fetch")], fetches);
}

fn requests(page: &mut Page, stats: &Stats, base: Option<&Stats>) {
    let mut names: Vec<&str> = stats
        .cores
        .iter()
        .flat_map(|core| &core.requests)
        .map(|named| named.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let count = "kafka_network_requestmetrics_requests_total";
    page.metric(count, "counter", "Requests answered.");
    for name in &names {
        let values = stats.merged(name, |core| &core.requests);
        let answered = values.map_or(0, |values| values.count());
        page.sample(count, &[("request", name)], answered as f64);
    }
    let total = "kafka_network_requestmetrics_totaltimems";
    page.metric(total, "summary", "From a request's last byte in to its answer's last byte out; quantiles of the last five minutes.");
    for name in &names {
        let of = |stats: &Stats| stats.merged(name, |core| &core.requests);
        summary(
            page,
            total,
            &[("request", name)],
            of(stats),
            base.and_then(of),
        );
    }
    for (metric, help, stages) in [
        (
            "requestqueuetimems",
            "The wait for a request's turn on its connection.",
            [
                ("Produce", Stage::ProduceQueue),
                ("Fetch", Stage::FetchQueue),
            ]
            .as_slice(),
        ),
        (
            "localtimems",
            "The work of a request until it waits.",
            &[
                ("Produce", Stage::ProduceValidate),
                ("Fetch", Stage::FetchPlan),
            ],
        ),
        (
            "remotetimems",
            "The wait for the log, or for records.",
            &[
                ("Produce", Stage::ProduceCommit),
                ("Fetch", Stage::FetchWait),
            ],
        ),
        (
            "responsesendtimems",
            "From the answer being known to its leaving.",
            &[("Produce", Stage::ProduceSend), ("Fetch", Stage::FetchSend)],
        ),
    ] {
        let metric = format!("kafka_network_requestmetrics_{metric}");
        page.metric(&metric, "summary", help);
        for (request, stage) in stages {
            let of =
                |stats: &Stats| stats.merged(stage.name(), |core| -> &[Named] { &core.stages });
            summary(
                page,
                &metric,
                &[("request", request)],
                of(stats),
                base.and_then(of),
            );
        }
    }
}

/// In milliseconds. The quantiles are of what came after `base`; without values there are none.
fn summary(
    page: &mut Page,
    metric: &str,
    labels: Labels<'_>,
    now: Option<Values>,
    base: Option<Values>,
) {
    let Some(now) = now else { return };
    let recent = base.map_or_else(|| now.clone(), |base| now.since(&base));
    for (name, share) in QUANTILES {
        let value = match recent.count() {
            0 => f64::NAN,
            _ => recent.quantile(share) as f64 / 1e6,
        };
        page.sample(metric, &with(labels, "quantile", name), value);
    }
    page.sample(&format!("{metric}_sum"), labels, now.sum as f64 / 1e6);
    page.sample(&format!("{metric}_count"), labels, now.count() as f64);
}

fn logs(page: &mut Page, partitions: &[PartitionRow]) {
    let total: u64 = partitions.iter().map(|row| row.size_bytes).sum();
    page.single(
        "vltava_log_bytes",
        "gauge",
        "Bytes of all logs.",
        total as f64,
    );
    if partitions.len() > PARTITIONS_NAMED {
        return;
    }
    type OfRow = fn(&PartitionRow) -> f64;
    let metrics: [(&str, &str, OfRow); 5] = [
        ("size", "Bytes of a partition's log.", |row| {
            row.size_bytes as f64
        }),
        ("numlogsegments", "Segments of a partition's log.", |row| {
            row.segments as f64
        }),
        ("logstartoffset", "First offset of a partition.", |row| {
            row.log_start_offset as f64
        }),
        (
            "logendoffset",
            "Offset after a partition's last record.",
            |row| row.log_end_offset as f64,
        ),
        (
            "highwatermark",
            "Offset below which consumers see records.",
            |row| row.high_watermark as f64,
        ),
    ];
    for (name, help, value) in metrics {
        let name = format!("kafka_log_log_{name}");
        page.metric(&name, "gauge", help);
        for row in partitions {
            let partition = row.partition.to_string();
            let labels = [
                ("topic", row.topic.as_str()),
                ("partition", partition.as_str()),
            ];
            page.sample(&name, &labels, value(row));
        }
    }
}
