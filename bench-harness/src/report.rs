//! What a run came to, for people, for programs (JSON) and for HdrHistogram's tools (.hgrm).

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::args::CommonArgs;
use crate::run::BenchError;
use crate::supervise::Totals;

/// Everything a run found out.
#[derive(Debug, Default)]
pub struct Report {
    /// `produce`, `consume` or `latency`.
    pub command: &'static str,
    /// How and where it ran.
    pub settings: Settings,
    /// Time, records, bytes, CPU.
    pub totals: Totals,
    /// What `latency_ns` is the time of.
    pub latency_of: &'static str,
    /// To the acknowledgement.
    pub latency_ns: Option<Histogram<u64>>,
    /// From when a record was due to when its consumer had it.
    pub end_to_end_ns: Option<Histogram<u64>>,
    /// How late the generator itself was.
    pub lateness_ns: Option<Histogram<u64>>,
    /// Sent and acknowledged, and never consumed.
    pub lost_records: u64,
}

/// How and where a run was made.
#[derive(Debug, Default, Serialize)]
pub struct Settings {
    /// The command line.
    command_line: Vec<String>,
    /// The CPU's name, as `/proc/cpuinfo` has it.
    cpu: String,
    /// How many of them this process may use.
    cpus: usize,
    /// The kernel's release.
    kernel: String,
}

impl Settings {
    /// Of this process and machine.
    pub fn of(command_line: impl Iterator<Item = String>) -> Settings {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        Settings {
            command_line: command_line.collect(),
            cpu: model
                .map_or("unknown", |name| name.trim_start_matches([' ', '\t', ':']))
                .to_owned(),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
        }
    }
}

/// Points of a distribution, in microseconds.
#[derive(Debug, Serialize)]
struct Percentiles {
    count: u64,
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    p9999: f64,
    max: f64,
}

/// The JSON file.
#[derive(Debug, Serialize)]
struct JsonReport<'a> {
    command: &'a str,
    settings: &'a Settings,
    #[serde(flatten)]
    totals: &'a Totals,
    mb_per_s: f64,
    records_per_s: f64,
    broker_cpu_s_per_gb: Option<f64>,
    generator_cpu_s_per_gb: f64,
    latency_of: &'a str,
    latency_us: Option<Percentiles>,
    end_to_end_us: Option<Percentiles>,
    generator_lateness_us: Option<Percentiles>,
    lost_records: u64,
}

impl Report {
    /// The figures as lines of text.
    pub fn text(&self) -> String {
        let totals = &self.totals;
        let mut text = format!(
            "{}: {:.1} MB in {:.2} s: {:.2} MB/s, {:.0} records/s{}\n",
            self.command,
            totals.bytes as f64 / 1e6,
            totals.seconds,
            self.mb_per_s(),
            totals.records as f64 / totals.seconds.max(1e-9),
            if totals.interrupted {
                " (interrupted)"
            } else {
                ""
            }
        );
        if let Some(broker) = &totals.broker {
            let _ = writeln!(
                text,
                "broker: {:.2} CPU s ({:.2} user, {:.2} system), {:.3} CPU s/GB, {:.1} MB resident, {:.1} MB at most\n\
                 \x20       (kernel threads that write back pages or receive packets are not counted)",
                broker.cpu_s(),
                broker.user_s,
                broker.system_s,
                self.per_gb(broker.cpu_s()),
                broker.rss_bytes as f64 / 1e6,
                broker.peak_rss_bytes as f64 / 1e6
            );
        }
        let generator = totals.generator.cpu_s();
        let _ = writeln!(
            text,
            "generator: {generator:.2} CPU s, {:.3} CPU s/GB",
            self.per_gb(generator)
        );
        let latencies = [
            (self.latency_of, &self.latency_ns),
            ("record, due to consumed", &self.end_to_end_ns),
            ("generator's lateness", &self.lateness_ns),
        ];
        for (what, histogram) in latencies {
            if let Some(histogram) = histogram {
                let _ = writeln!(text, "{}", percentile_line(what, &percentiles(histogram)));
            }
        }
        if self.lost_records > 0 {
            let _ = writeln!(
                text,
                "LOST: {} records were sent and never consumed",
                self.lost_records
            );
        }
        text
    }

    /// Writes the files that were asked for.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write_files(&self, common: &CommonArgs) -> Result<(), BenchError> {
        if let Some(path) = &common.json {
            let json = serde_json::to_string_pretty(&self.json()).map_err(|error| {
                BenchError::Other(format!("cannot make JSON of the figures: {error}"))
            })?;
            write(path, &(json + "\n"))?;
        }
        let histogram = self.end_to_end_ns.as_ref().or(self.latency_ns.as_ref());
        if let (Some(path), Some(histogram)) = (&common.hgrm, histogram) {
            write(path, &hgrm(histogram))?;
        }
        Ok(())
    }

    fn json(&self) -> JsonReport<'_> {
        let totals = &self.totals;
        JsonReport {
            command: self.command,
            settings: &self.settings,
            totals,
            mb_per_s: self.mb_per_s(),
            records_per_s: totals.records as f64 / totals.seconds.max(1e-9),
            broker_cpu_s_per_gb: totals.broker.map(|broker| self.per_gb(broker.cpu_s())),
            generator_cpu_s_per_gb: self.per_gb(totals.generator.cpu_s()),
            latency_of: self.latency_of,
            latency_us: self.latency_ns.as_ref().map(percentiles),
            end_to_end_us: self.end_to_end_ns.as_ref().map(percentiles),
            generator_lateness_us: self.lateness_ns.as_ref().map(percentiles),
            lost_records: self.lost_records,
        }
    }

    fn mb_per_s(&self) -> f64 {
        self.totals.bytes as f64 / 1e6 / self.totals.seconds.max(1e-9)
    }

    fn per_gb(&self, cpu_s: f64) -> f64 {
        cpu_s / (self.totals.bytes as f64 / 1e9).max(1e-9)
    }
}

fn write(path: &Path, text: &str) -> Result<(), BenchError> {
    fs::write(path, text).map_err(|source| BenchError::File {
        path: path.to_owned(),
        source,
    })
}

fn percentiles(histogram_ns: &Histogram<u64>) -> Percentiles {
    let at = |quantile| histogram_ns.value_at_quantile(quantile) as f64 / 1e3;
    Percentiles {
        count: histogram_ns.len(),
        mean: histogram_ns.mean() / 1e3,
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p999: at(0.999),
        p9999: at(0.9999),
        max: histogram_ns.max() as f64 / 1e3,
    }
}

fn percentile_line(what: &str, us: &Percentiles) -> String {
    format!(
        "{what:<29} p50 {:.0} us  p90 {:.0}  p99 {:.0}  p99.9 {:.0}  p99.99 {:.0}  max {:.0}  ({} counted)",
        us.p50, us.p90, us.p99, us.p999, us.p9999, us.max, us.count
    )
}

/// The percentile distribution as HdrHistogram's plotter reads it, in microseconds.
fn hgrm(histogram_ns: &Histogram<u64>) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut total = 0;
    for step in histogram_ns.iter_quantiles(5) {
        total += step.count_since_last_iteration();
        let (value_us, quantile) = (
            step.value_iterated_to() as f64 / 1e3,
            step.quantile_iterated_to(),
        );
        let _ = write!(text, "{value_us:12.3} {quantile:2.12} {total:10}");
        let _ = if quantile < 1.0 {
            writeln!(text, " {:14.2}", 1.0 / (1.0 - quantile))
        } else {
            writeln!(text)
        };
    }
    let (mean, deviation) = (histogram_ns.mean() / 1e3, histogram_ns.stdev() / 1e3);
    let _ = writeln!(
        text,
        "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]"
    );
    let (max, count) = (histogram_ns.max() as f64 / 1e3, histogram_ns.len());
    let _ = writeln!(text, "#[Max     = {max:12.3}, Total count    = {count:12}]");
    let (buckets, sub_buckets) = (histogram_ns.buckets(), histogram_ns.distinct_values());
    let _ = writeln!(
        text,
        "#[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn microseconds(values: impl Iterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = crate::load::duration_histogram();
        values.for_each(|us| histogram.saturating_record(us * 1000));
        histogram
    }

    #[test]
    fn percentiles_are_in_microseconds() {
        let found = percentiles(&microseconds(1..=1000));
        assert!(
            (found.p50 - 500.0).abs() < 1.0 && (found.p99 - 990.0).abs() < 1.5,
            "{found:?}"
        );
        assert!(
            (found.max - 1000.0).abs() < 1.0 && found.count == 1000,
            "{found:?}"
        );
    }

    #[test]
    fn a_distribution_counts_every_value_once_and_ends_at_one() {
        let text = hgrm(&microseconds(1..=1000));
        let last = text.lines().rfind(|line| !line.starts_with('#')).unwrap();
        let fields: Vec<&str> = last.split_whitespace().collect();
        assert_eq!((fields[1], fields[2]), ("1.000000000000", "1000"), "{text}");
        assert!(text.contains("Total count    =         1000"), "{text}");
    }

    #[test]
    fn cost_is_for_each_gigabyte_and_lost_records_are_told() {
        let mut report = Report {
            command: "latency",
            lost_records: 3,
            ..Report::default()
        };
        report.totals = Totals {
            seconds: 2.0,
            bytes: 4_000_000_000,
            records: 10,
            ..Totals::default()
        };
        report.totals.broker = Some(crate::broker_process::Usage {
            user_s: 1.0,
            system_s: 1.0,
            ..Default::default()
        });
        let text = report.text();
        assert!(text.contains("2000.00 MB/s, 5 records/s"), "{text}");
        assert!(
            text.contains("0.500 CPU s/GB") && text.contains("LOST: 3 records"),
            "{text}"
        );
    }
}
