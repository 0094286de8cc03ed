//! Prometheus' text exposition format, version 0.0.4: `# HELP`, `# TYPE`, then the samples of one metric together.

use super::kafka_names;
use super::proc;
use crate::metrics::{CoreStats, Count, Named, PartitionRow, Size, Stage, Stats, Unit, Values};
use std::fmt::Write as _;

/// The text that is built.
#[derive(Default)]
pub struct Page(String);

/// A sample's labels.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    /// Begins a metric; its samples follow.
    pub fn metric(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample.
    pub fn sample(&mut self, name: &str, labels: Labels<'_>, value: f64) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    /// A metric with one sample.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.metric(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The samples of one histogram: a bucket for each power of two, those of nanoseconds in seconds.
    fn histogram(&mut self, name: &str, labels: Labels<'_>, values: &Values) {
        let (unit, octaves) = match values.unit {
            Unit::Nanoseconds => (1e9, 10..=37),
            Unit::Count => (1.0, 0..=32),
        };
        let (bucket, total) = (format!("{name}_bucket"), values.count() as f64);
        for octave in octaves {
            let limit = (1u64 << octave) - 1;
            let end = (limit as f64 / unit).to_string();
            let labels = with(labels, "le", &end);
            self.sample(&bucket, &labels, values.up_to(limit) as f64);
        }
        self.sample(&bucket, &with(labels, "le", "+Inf"), total);
        self.sample(&format!("{name}_sum"), labels, values.sum as f64 / unit);
        self.sample(&format!("{name}_count"), labels, total);
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// These labels and one more.
pub fn with<'a>(labels: Labels<'a>, name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut all = labels.to_vec();
    all.push((name, value));
    all
}

/// All metrics. Quantiles are of what came after `base`.
pub fn text(stats: &Stats, base: Option<&Stats>, partitions: &[PartitionRow]) -> String {
    let mut page = Page::default();
    kafka_names::write(&mut page, stats, base, partitions);
    process(&mut page);
    let info = "Version of the broker.";
    page.metric("vltava_build_info", "gauge", info);
    page.sample("vltava_build_info", &[("version", &stats.version)], 1.0);
    counts(&mut page, stats);
    cores(&mut page, stats);
    for stage in Stage::ALL {
        let name = format!("vltava_{}_seconds", stage.name());
        histograms(
            &mut page,
            stats,
            &name,
            stage.name(),
            stage.help(),
            |core| &core.stages,
        );
    }
    for size in Size::ALL {
        let name = format!("vltava_{}", size.name());
        histograms(&mut page, stats, &name, size.name(), size.help(), |core| {
            &core.sizes
        });
    }
    requests(&mut page, stats);
    page.0
}

fn process(page: &mut Page) {
    let process = proc::process();
    let seconds = process.cpu_ms as f64 / 1e3;
    for (name, kind, help, value) in [
        (
            "process_cpu_seconds_total",
            "counter",
            "CPU time of all threads.",
            seconds,
        ),
        (
            "process_resident_memory_bytes",
            "gauge",
            "Memory in use.",
            process.resident_bytes as f64,
        ),
        (
            "process_virtual_memory_bytes",
            "gauge",
            "Address space.",
            process.virtual_bytes as f64,
        ),
        (
            "process_open_fds",
            "gauge",
            "Open descriptors.",
            process.open_fds as f64,
        ),
        (
            "process_max_fds",
            "gauge",
            "Descriptors there may be.",
            process.max_fds as f64,
        ),
        (
            "process_threads",
            "gauge",
            "Threads.",
            process.threads as f64,
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "When the process started, in seconds since 1970.",
            process.start_seconds,
        ),
    ] {
        page.single(name, kind, help, value);
    }
}

fn counts(page: &mut Page, stats: &Stats) {
    for count in Count::ALL {
        let name = format!("vltava_{}_total", count.name());
        page.metric(&name, "counter", count.help());
        for core in &stats.cores {
            page.sample(
                &name,
                &[("core", &core.core.to_string())],
                core.count(*count) as f64,
            );
        }
    }
}

/// One number of a core.
type OfCore = fn(&CoreStats) -> Option<f64>;

/// What the kernel and the core itself say.
const OF_CORES: &[(&str, &str, &str, OfCore)] = &[
    (
        "vltava_core_up",
        "gauge",
        "1 if the core answered within two seconds.",
        |core| Some(f64::from(u8::from(core.report.is_some()))),
    ),
    (
        "vltava_core_user_seconds_total",
        "counter",
        "CPU time of the core's thread in user mode.",
        |core| Some(core.times.user_ms as f64 / 1e3),
    ),
    (
        "vltava_core_system_seconds_total",
        "counter",
        "CPU time of the core's thread in the kernel.",
        |core| Some(core.times.system_ms as f64 / 1e3),
    ),
    (
        "vltava_core_parks_total",
        "counter",
        "Times the core's thread went to sleep because there was nothing to do.",
        |core| Some(core.times.parks as f64),
    ),
    (
        "vltava_core_preemptions_total",
        "counter",
        "Times the core's thread was put aside for another.",
        |core| Some(core.times.preemptions as f64),
    ),
    (
        "vltava_core_busy_seconds_total",
        "counter",
        "Time in tasks and in reaping completions, without sleep and without spinning.",
        |core| {
            core.report
                .as_ref()
                .map(|report| report.busy_ns as f64 / 1e9)
        },
    ),
    (
        "vltava_core_tasks_total",
        "counter",
        "Tasks the executor has run.",
        |core| core.report.as_ref().map(|report| report.tasks_run as f64),
    ),
    (
        "vltava_core_scheduler_runs_total",
        "counter",
        "Times the executor chose what to run.",
        |core| {
            core.report
                .as_ref()
                .map(|report| report.scheduler_runs as f64)
        },
    ),
    (
        "vltava_core_ring_reads_total",
        "counter",
        "File reads through the ring.",
        |core| {
            core.report
                .as_ref()
                .map(|report| report.ring_reads.0 as f64)
        },
    ),
    (
        "vltava_core_ring_writes_total",
        "counter",
        "File writes through the ring.",
        |core| {
            core.report
                .as_ref()
                .map(|report| report.ring_writes.0 as f64)
        },
    ),
    (
        "vltava_core_connections",
        "gauge",
        "Connections that the core serves.",
        |core| {
            let open = core.count(Count::ConnectionsOpened);
            Some(open.saturating_sub(core.count(Count::ConnectionsClosed)) as f64)
        },
    ),
    (
        "vltava_core_staged_bytes",
        "gauge",
        "Bytes that are staged and not yet written.",
        |core| {
            core.report
                .as_ref()
                .map(|report| report.staged_bytes as f64)
        },
    ),
    (
        "vltava_core_frame_bytes",
        "gauge",
        "Bytes of request frames in memory.",
        |core| core.report.as_ref().map(|report| report.frame_bytes as f64),
    ),
    (
        "vltava_core_mesh_waiting",
        "gauge",
        "Messages to other cores that wait for room.",
        |core| {
            core.report
                .as_ref()
                .map(|report| report.mesh_waiting as f64)
        },
    ),
    (
        "vltava_core_fetches_waiting",
        "gauge",
        "Fetches that wait for records.",
        |core| {
            core.report
                .as_ref()
                .map(|report| report.fetches_waiting as f64)
        },
    ),
];

fn cores(page: &mut Page, stats: &Stats) {
    for (name, kind, help, value) in OF_CORES {
        page.metric(name, kind, help);
        for core in &stats.cores {
            if let Some(value) = value(core) {
                page.sample(name, &[("core", &core.core.to_string())], value);
            }
        }
    }
}

fn histograms(
    page: &mut Page,
    stats: &Stats,
    metric: &str,
    name: &str,
    help: &str,
    of: fn(&CoreStats) -> &[Named],
) {
    page.metric(metric, "histogram", help);
    for core in &stats.cores {
        if let Some(named) = of(core).iter().find(|named| named.name == name) {
            page.histogram(metric, &[("core", &core.core.to_string())], &named.values);
        }
    }
}

fn requests(page: &mut Page, stats: &Stats) {
    let name = "vltava_request_seconds";
    page.metric(
        name,
        "histogram",
        "From a request's last byte in to its answer's last byte out.",
    );
    for core in &stats.cores {
        for named in &core.requests {
            let labels = [("core", &*core.core.to_string()), ("api", &*named.name)];
            page.histogram(name, &labels, &named.values);
        }
    }
}

#[cfg(test)]
#[path = "prometheus/tests.rs"]
mod tests;
