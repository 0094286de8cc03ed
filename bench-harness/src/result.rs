//! What a run came to: for people as text, for programs as JSON, which `report` and `compare` read again.
//!
//! Everything that can be compared is a [`Figure`]; the latencies are there as whole histograms too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprint;
use crate::hdr_files;
use crate::metrics::Metric;
use crate::supervise::{Measured, Totals};
use crate::units::three_digits;
use crate::validity;

/// Everything a run found out.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// `produce`, `latency`, ...
    pub command: String,
    /// Why the figures are not the broker's; empty if they are.
    pub invalid_because: Vec<String>,
    /// Where and how.
    pub fingerprint: Fingerprint,
    /// Time, records, bytes, CPU.
    pub totals: Totals,
    /// What can be compared, the most telling first.
    pub figures: Vec<Figure>,
    /// By name of the metric.
    pub latencies: BTreeMap<String, Latency>,
    /// Second by second, the warm-up left out.
    pub timeline: Vec<Second>,
    /// Sent and acknowledged, and never consumed.
    pub lost_records: u64,
}

/// One number that a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// For people.
    pub name: String,
    /// In `unit`.
    pub value: f64,
    /// Of `value`; may be empty.
    pub unit: String,
    /// Which way is good.
    pub better: Better,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Costs, times.
    Lower,
    /// Throughput.
    Higher,
    /// Neither: it says how the run was.
    Neither,
}

impl Figure {
    /// A number of which less is better.
    pub fn cost(name: impl Into<String>, value: f64, unit: &str) -> Figure {
        Figure::new(name, value, unit, Better::Lower)
    }

    /// A number of which more is better.
    pub fn gain(name: impl Into<String>, value: f64, unit: &str) -> Figure {
        Figure::new(name, value, unit, Better::Higher)
    }

    /// Any number.
    pub fn new(name: impl Into<String>, value: f64, unit: &str, better: Better) -> Figure {
        Figure {
            name: name.into(),
            value,
            unit: unit.to_owned(),
            better,
        }
    }
}

/// A distribution of times in microseconds, with the whole histogram.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many times were recorded.
    pub count: u64,
    /// Microseconds, as all below.
    pub mean_us: f64,
    /// Half were not longer than this.
    pub p50_us: f64,
    /// 90 %.
    pub p90_us: f64,
    /// 99 %.
    pub p99_us: f64,
    /// 99.9 %.
    pub p999_us: f64,
    /// 99.99 %.
    pub p9999_us: f64,
    /// The longest.
    pub max_us: f64,
    /// The histogram in nanoseconds: HdrHistogram's V2 form, deflated, base64.
    pub hdr: String,
}

impl Latency {
    /// Of a histogram in nanoseconds.
    pub fn of(histogram_ns: &Histogram<u64>) -> Latency {
        let at = |quantile| histogram_ns.value_at_quantile(quantile) as f64 / 1e3;
        Latency {
            count: histogram_ns.len(),
            mean_us: histogram_ns.mean() / 1e3,
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            p9999_us: at(0.9999),
            max_us: histogram_ns.max() as f64 / 1e3,
            hdr: hdr_files::encode(histogram_ns),
        }
    }

    fn line(&self, name: &str) -> String {
        let points = [
            ("p50", self.p50_us),
            ("p90", self.p90_us),
            ("p99", self.p99_us),
            ("p99.9", self.p999_us),
            ("p99.99", self.p9999_us),
            ("max", self.max_us),
        ];
        let points = points.map(|(point, us)| format!("{point} {}", three_digits(us / 1e3)));
        let what = Metric::describe(name);
        format!(
            "{what:<29} ms: {}  ({} counted)",
            points.join("  "),
            self.count
        )
    }
}

/// One second of a run.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Its end, seconds since the run began.
    pub at_s: f64,
    /// Acknowledged or read in it.
    pub mb_per_s: f64,
    /// Acknowledged or read in it.
    pub records_per_s: f64,
    /// By name of the metric.
    pub latencies: BTreeMap<String, SecondLatency>,
}

/// Points of one second's distribution.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SecondLatency {
    /// Half of its times.
    pub p50_us: f64,
    /// 99 % of its times.
    pub p99_us: f64,
    /// The longest.
    pub max_us: f64,
}

impl Second {
    /// Adds what was recorded of a metric in this second.
    pub fn record(&mut self, metric: Metric, histogram_ns: &Histogram<u64>) {
        let at = |quantile| histogram_ns.value_at_quantile(quantile) as f64 / 1e3;
        let points = SecondLatency {
            p50_us: at(0.5),
            p99_us: at(0.99),
            max_us: histogram_ns.max() as f64 / 1e3,
        };
        self.latencies.insert(metric.name().to_owned(), points);
    }

    /// The line that is shown while the run goes on.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:5.0} s  {:9.2} MB/s  {:10.0} records/s",
            self.at_s, self.mb_per_s, self.records_per_s
        );
        for (name, points) in &self.latencies {
            let (p50, p99) = (points.p50_us / 1e3, points.p99_us / 1e3);
            let _ = write!(
                text,
                "  {name} p50 {} p99 {} ms",
                three_digits(p50),
                three_digits(p99)
            );
        }
        text
    }
}

impl RunResult {
    /// Of a run with everything that was measured around it.
    pub fn of<T>(command: &str, broker_pid: Option<u32>, measured: &Measured<T>) -> RunResult {
        let latency =
            |(metric, histogram): (&Metric, _)| (metric.name().to_owned(), Latency::of(histogram));
        let mut result = RunResult {
            command: command.to_owned(),
            invalid_because: validity::complaints(&measured.histograms),
            fingerprint: Fingerprint::new(std::env::args().collect(), broker_pid),
            totals: measured.totals.clone(),
            latencies: measured.histograms.iter().map(latency).collect(),
            timeline: measured.timeline.clone(),
            ..RunResult::default()
        };
        result.figures = result.common_figures();
        result
    }

    /// Of something that has no load: figures alone.
    pub fn of_figures(command: &str, broker_pid: Option<u32>, figures: Vec<Figure>) -> RunResult {
        RunResult {
            command: command.to_owned(),
            fingerprint: Fingerprint::new(std::env::args().collect(), broker_pid),
            figures,
            ..RunResult::default()
        }
    }

    /// Whether the figures are the broker's.
    pub fn is_valid(&self) -> bool {
        self.invalid_because.is_empty()
    }

    /// The latency that the run is about: of the way to the consumer if that was measured.
    pub fn headline(&self) -> Option<&Latency> {
        let names = ["consumed", "acknowledged", "request"];
        names.iter().find_map(|name| self.latencies.get(*name))
    }

    /// The figures as lines of text.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.command, self.fingerprint.text());
        let totals = &self.totals;
        if totals.records > 0 {
            let (mb, seconds) = (totals.bytes as f64 / 1e6, totals.seconds);
            let _ = writeln!(text, "{mb:.1} MB in {seconds:.2} s");
        }
        if totals.interrupted {
            let _ = writeln!(text, "interrupted: the figures are of the time before");
        }
        for (name, latency) in &self.latencies {
            let _ = writeln!(text, "{}", latency.line(name));
        }
        let name_width = self.figures.iter().map(|figure| figure.name.len()).max();
        let name_width = name_width.unwrap_or(0);
        for figure in &self.figures {
            // The distributions above say more.
            if !figure.name.starts_with(LATENCY_PREFIX) {
                let value = three_digits(figure.value);
                let _ = writeln!(
                    text,
                    "{:<name_width$} {value:>10} {}",
                    figure.name, figure.unit
                );
            }
        }
        if self.lost_records > 0 {
            let lost = self.lost_records;
            let _ = writeln!(text, "LOST: {lost} records were sent and never consumed");
        }
        for reason in &self.invalid_because {
            let _ = writeln!(text, "INVALID: {reason}");
        }
        text
    }

    fn common_figures(&self) -> Vec<Figure> {
        let totals = &self.totals;
        let gigabytes = totals.bytes as f64 / 1e9;
        let seconds = totals.seconds.max(1e-9);
        let mut figures = Vec::new();
        for (name, latency) in &self.latencies {
            let better = match name == Metric::Lateness.name() {
                true => Better::Neither,
                false => Better::Lower,
            };
            let points = [
                ("p50", latency.p50_us),
                ("p99", latency.p99_us),
                ("p99.9", latency.p999_us),
            ];
            for (point, us) in points {
                let name = format!("{LATENCY_PREFIX}{}: {point}", Metric::describe(name));
                figures.push(Figure::new(name, us / 1e3, "ms", better));
            }
        }
        if totals.records > 0 {
            figures.push(Figure::gain(
                "throughput",
                totals.bytes as f64 / 1e6 / seconds,
                "MB/s",
            ));
            let records_per_s = totals.records as f64 / seconds;
            figures.push(Figure::gain("records", records_per_s, "records/s"));
        }
        if let Some(broker) = &totals.broker {
            let cpu = broker.cpu_s();
            if gigabytes > 0.0 {
                figures.push(Figure::cost(
                    "broker, CPU for each GB",
                    cpu / gigabytes,
                    "s/GB",
                ));
            }
            let switches = broker.switches() as f64 / seconds;
            figures.extend([
                Figure::cost("broker, CPU", 100.0 * cpu / seconds, "% of a core"),
                Figure::cost(
                    "broker, resident memory",
                    broker.rss_bytes as f64 / 1e6,
                    "MB",
                ),
                Figure::cost(
                    "broker, most memory so far",
                    broker.peak_rss_bytes as f64 / 1e6,
                    "MB",
                ),
                Figure::cost("broker, context switches", switches, "/s"),
            ]);
        }
        if gigabytes > 0.0 {
            let cpu = totals.generator.cpu_s() / gigabytes;
            figures.push(Figure::new(
                "generator, CPU for each GB",
                cpu,
                "s/GB",
                Better::Neither,
            ));
        }
        figures
    }
}

/// Figures of this name are points of a distribution that is in the result as a whole.
pub const LATENCY_PREFIX: &str = "latency of ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker_process::Usage;
    use crate::metrics::duration_histogram;

    fn measured() -> Measured<()> {
        let mut histogram = duration_histogram();
        (1..=1000).for_each(|us| histogram.saturating_record(us * 1000));
        Measured {
            result: (),
            totals: Totals {
                seconds: 2.0,
                bytes: 4_000_000_000,
                records: 10,
                broker: Some(Usage {
                    user_s: 1.0,
                    system_s: 1.0,
                    voluntary_switches: 6,
                    ..Usage::default()
                }),
                ..Totals::default()
            },
            histograms: BTreeMap::from([(Metric::Acknowledged, histogram)]),
            timeline: Vec::new(),
        }
    }

    #[test]
    fn percentiles_are_in_microseconds() {
        let result = RunResult::of("latency", None, &measured());
        let found = &result.latencies["acknowledged"];
        assert!((found.p50_us - 500.0).abs() < 1.0, "{found:?}");
        assert!((found.p99_us - 990.0).abs() < 1.5, "{found:?}");
        assert!((found.max_us - 1000.0).abs() < 1.0 && found.count == 1000);
    }

    #[test]
    fn cost_is_for_each_gigabyte_and_lost_records_are_told() {
        let mut result = RunResult::of("latency", None, &measured());
        let value = |name: &str| {
            result
                .figures
                .iter()
                .find(|f| f.name == name)
                .unwrap()
                .value
        };
        assert_eq!(value("broker, CPU for each GB"), 0.5);
        assert_eq!(value("throughput"), 2000.0);
        assert_eq!(value("broker, context switches"), 3.0);
        result.lost_records = 3;
        let text = result.text();
        assert!(text.contains("LOST: 3 records"), "{text}");
        assert!(text.contains("p99 0.99"), "{text}");
    }

    #[test]
    fn a_result_is_the_same_after_its_way_through_json() {
        let result = RunResult::of("latency", None, &measured());
        let json = serde_json::to_string(&result).unwrap();
        let read: RunResult = serde_json::from_str(&json).unwrap();
        assert_eq!(read.latencies, result.latencies);
        assert_eq!(read.figures.len(), result.figures.len());
    }
}
