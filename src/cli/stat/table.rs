//! The table that `vltava stat` shows, as text: from two looks at a broker, or from one since its start.

use crate::metrics::{CoreStats, Count, Named, Stats, Unit, Values};
use std::fmt::Write as _;

/// What is shown.
pub struct Shown<'a> {
    now: &'a Stats,
    before: Option<&'a Stats>,
    core: Option<usize>,
}

/// What a column shows of a core: its head, its width, its number now and before.
type Column = (&'static str, usize, fn(&Interval<'_>) -> String);

/// A core between two looks.
struct Interval<'a> {
    now: &'a CoreStats,
    before: Option<&'a CoreStats>,
    seconds: f64,
}

const COLUMNS: &[Column] = &[
    ("CPU", 6, |core| format!("{:.0} %", core.busy_percent())),
    ("requests/s", 11, |core| short(core.rate(&[Count::Answers]))),
    ("records/s", 10, |core| short(core.rate(&[Count::Records]))),
    ("in/s", 9, |core| bytes(core.rate(&[Count::BatchBytes]))),
    ("sendfile/s", 11, |core| {
        bytes(core.rate(&[Count::SendfileBytes]))
    }),
    ("read/s", 9, |core| {
        bytes(core.rate(&[Count::GatheredBytes]))
    }),
    ("cold/s", 9, |core| bytes(core.rate(&[Count::ColdBytes]))),
    ("mesh/s", 8, |core| short(core.rate(&[Count::MeshMessages]))),
    ("batches a write", 16, |core| core.batches_a_write()),
    ("sleeps/s", 9, |core| {
        short(core.per_second(|stats| stats.times.parks))
    }),
    ("connections", 12, |core| core.connections().to_string()),
    ("partitions", 11, |core| {
        let report = core.now.report.as_ref();
        report.map_or_else(
            || "silent".to_owned(),
            |report| report.partition_count.to_string(),
        )
    }),
];

impl<'a> Shown<'a> {
    /// What happened between two looks, or since the start; times of one core or of all.
    pub fn new(now: &'a Stats, before: Option<&'a Stats>, core: Option<usize>) -> Shown<'a> {
        // A broker that was started anew in between has counted from 0 again.
        let before = before.filter(|before| before.uptime_ms <= now.uptime_ms);
        Shown { now, before, core }
    }

    /// All of it.
    pub fn text(&self) -> String {
        let mut text = format!(
            "vltava {}  {:?} for {}  {} cores  {}B memory\n\n",
            self.now.version,
            self.now.phase,
            age(self.now.uptime_ms),
            self.now.cores.len(),
            short(self.now.resident_bytes as f64)
        )
        .replace("Ready", "ready")
        .replace("Starting", "starting")
        .replace("Draining", "stopping");
        self.cores(&mut text);
        text.push('\n');
        self.times(&mut text);
        text
    }

    fn cores(&self, text: &mut String) {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "{:<14}", "");
        for (head, width, _) in COLUMNS {
            let _ = write!(text, "{head:>width$}");
        }
        text.push('\n');
        for (index, now) in self.now.cores.iter().enumerate() {
            let interval = Interval {
                now,
                before: self.before.and_then(|before| before.cores.get(index)),
                seconds: self.seconds(),
            };
            let name = format!("core {} (CPU {})", now.core, now.cpu);
            let _ = write!(text, "{name:<14}");
            for (_, width, show) in COLUMNS {
                let _ = write!(text, "{:>width$}", show(&interval));
            }
            text.push('\n');
        }
    }

    fn times(&self, text: &mut String) {
        let of = self
            .core
            .map_or("all cores".to_owned(), |core| format!("core {core}"));
        let heads = ["count", "50 %", "90 %", "99 %", "99.9 %", "longest"];
        let _ = write!(text, "{of:<20}");
        for head in heads {
            let _ = write!(text, "{head:>11}");
        }
        text.push('\n');
        let kinds: [fn(&CoreStats) -> &[Named]; 3] = [
            |core| &core.requests,
            |core| &core.stages,
            |core| &core.sizes,
        ];
        for of in kinds {
            for name in names(self.now, of) {
                self.row(text, name, of);
            }
        }
    }

    fn row(&self, text: &mut String, name: &str, of: fn(&CoreStats) -> &[Named]) {
        let chosen = |stats: &Stats| {
            stats.merged(name, |core| match self.core {
                Some(chosen) if chosen != core.core => &[],
                _ => of(core),
            })
        };
        let Some(now) = chosen(self.now) else { return };
        let values = match self.before.and_then(chosen) {
            Some(before) => now.since(&before),
            None => now,
        };
        let _ = write!(text, "{name:<20}{:>11}", short(values.count() as f64));
        for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
            let _ = write!(text, "{:>11}", quantile(&values, share));
        }
        text.push('\n');
    }

    fn seconds(&self) -> f64 {
        let began = self.before.map_or(0, |before| before.uptime_ms);
        (self.now.uptime_ms - began).max(1) as f64 / 1e3
    }
}

impl Interval<'_> {
    fn per_second(&self, of: impl Fn(&CoreStats) -> u64) -> f64 {
        let before = self.before.map_or(0, &of);
        of(self.now).saturating_sub(before) as f64 / self.seconds
    }

    fn rate(&self, counts: &[Count]) -> f64 {
        self.per_second(|stats| counts.iter().map(|count| stats.count(*count)).sum())
    }

    fn busy_percent(&self) -> f64 {
        self.per_second(|stats| stats.times.user_ms + stats.times.system_ms) / 10.0
    }

    fn connections(&self) -> u64 {
        let closed = self.now.count(Count::ConnectionsClosed);
        self.now
            .count(Count::ConnectionsOpened)
            .saturating_sub(closed)
    }

    fn batches_a_write(&self) -> String {
        let find = |stats: &CoreStats| {
            let sizes = &stats.sizes;
            let named = sizes.iter().find(|named| named.name == "batches_per_write");
            named.map(|named| named.values.clone())
        };
        let Some(now) = find(self.now) else {
            return "-".to_owned();
        };
        let values = match self.before.and_then(find) {
            Some(before) => now.since(&before),
            None => now,
        };
        match values.count() {
            0 => "-".to_owned(),
            _ => format!("{:.1}", values.mean()),
        }
    }
}

/// Names of the histograms, in the order of the first core that has them.
fn names(stats: &Stats, of: fn(&CoreStats) -> &[Named]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for named in stats.cores.iter().flat_map(of) {
        if !names.contains(&named.name.as_str()) {
            names.push(&named.name);
        }
    }
    names
}

fn quantile(values: &Values, share: f64) -> String {
    match (values.count(), values.unit) {
        (0, _) => "-".to_owned(),
        (_, Unit::Nanoseconds) => time(values.quantile(share)),
        (_, Unit::Count) => short(values.quantile(share) as f64),
    }
}

fn time(ns: u64) -> String {
    let ns = ns as f64;
    match ns {
        _ if ns < 1e3 => format!("{ns:.0} ns"),
        _ if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        _ if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

fn short(number: f64) -> String {
    match number {
        _ if number >= 1e9 => format!("{:.2} G", number / 1e9),
        _ if number >= 1e6 => format!("{:.2} M", number / 1e6),
        _ if number >= 1e4 => format!("{:.1} k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

fn bytes(number: f64) -> String {
    format!("{}B", short(number))
        .replace("0B", "0 B")
        .replace(" 0 B", "0 B")
}

fn age(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{CoreMetrics, Phase, Size, Stage};
    use std::time::Duration;

    fn stats(metrics: &[&CoreMetrics], uptime_ms: u64) -> Stats {
        let api = |key| (key == 0).then(|| "Produce".to_owned());
        let cores = metrics.iter().enumerate();
        Stats {
            version: "1.0".to_owned(),
            phase: Phase::Ready,
            uptime_ms,
            resident_bytes: 20_000_000,
            cores: cores
                .map(|(n, metrics)| CoreStats::of(n, n, metrics, api))
                .collect(),
        }
    }

    fn line<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
        let found = text.lines().find(|line| line.starts_with(begin));
        found
            .unwrap_or_else(|| panic!("{begin} in {text}"))
            .split("  ")
            .filter(|cell| !cell.is_empty())
            .map(str::trim)
            .collect()
    }

    #[test]
    fn rates_and_times_are_of_the_interval_and_totals_of_the_whole_life() {
        let (one, other) = (CoreMetrics::new(), CoreMetrics::new());
        one.count(Count::Records, 500_000);
        one.time(Stage::Write, Duration::from_secs(5));
        let before = stats(&[&one, &other], 10_000);
        one.count(Count::Records, 3000);
        one.size(Size::BatchesPerWrite, 4);
        one.time(Stage::Write, Duration::from_micros(10));
        other.time(Stage::Write, Duration::from_micros(20));
        other.request(0, Duration::from_millis(2));
        let now = stats(&[&one, &other], 12_000);

        let interval = Shown::new(&now, Some(&before), None).text();
        assert_eq!(line(&interval, "core 0")[3], "1500", "{interval}");
        assert_eq!(line(&interval, "write ")[1], "2", "{interval}");
        assert!(line(&interval, "Produce")[2].ends_with("ms"), "{interval}");
        let of_one = Shown::new(&now, Some(&before), Some(0)).text();
        assert_eq!(line(&of_one, "write ")[1], "1", "{of_one}");
        let life = Shown::new(&now, None, None).text();
        assert_eq!(line(&life, "write ")[1], "3", "{life}");
        assert!(line(&life, "write ")[6].ends_with(" s"), "{life}");
    }

    #[test]
    fn a_broker_that_was_started_anew_is_shown_from_its_start() {
        let (long, short) = (CoreMetrics::new(), CoreMetrics::new());
        long.time(Stage::Write, Duration::from_secs(1));
        let before = stats(&[&long], 90_000);
        short.time(Stage::Write, Duration::from_micros(9));
        let now = stats(&[&short], 1_000);
        let text = Shown::new(&now, Some(&before), None).text();
        assert_eq!(line(&text, "write ")[1], "1", "{text}");
    }
}
