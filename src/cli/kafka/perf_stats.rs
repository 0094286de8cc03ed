//! Counts and latencies of a producer's test, and the lines that Kafka's `ProducerPerformance` prints of them.
//!
//! Pure but for the clock. Latencies are kept one by one, of many records every n-th: percentiles are those of what is kept.

use std::time::{Duration, Instant};

/// Kafka keeps at most so many latencies.
const KEPT_MAX: u64 = 500_000;
const MEGABYTE: f64 = 1024.0 * 1024.0;

/// What was acknowledged since the start, and since the last line.
#[derive(Debug)]
pub struct LatencyStats {
    began: Instant,
    reporting: Duration,
    sampling: u64,
    latencies_ms: Vec<u64>,
    all: Counts,
    window: Counts,
    window_began: Instant,
}

#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    records: u64,
    bytes: u64,
    max_ms: u64,
    total_ms: u64,
}

impl Counts {
    fn add(&mut self, latency_ms: u64, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
        self.max_ms = self.max_ms.max(latency_ms);
        self.total_ms += latency_ms;
    }

    fn average_ms(&self) -> f64 {
        self.total_ms as f64 / self.records as f64
    }

    fn per_second(&self, elapsed: Duration) -> (f64, f64) {
        let elapsed_ms = elapsed.as_secs_f64().max(0.001) * 1000.0;
        let records = 1000.0 * self.records as f64 / elapsed_ms;
        (records, 1000.0 * self.bytes as f64 / elapsed_ms / MEGABYTE)
    }
}

impl LatencyStats {
    /// The clock starts now; so many records are to come.
    pub fn start(records: u64, reporting: Duration) -> LatencyStats {
        let now = Instant::now();
        LatencyStats {
            began: now,
            reporting,
            sampling: (records / records.clamp(1, KEPT_MAX)).max(1),
            latencies_ms: Vec::new(),
            all: Counts::default(),
            window: Counts::default(),
            window_began: now,
        }
    }

    /// Counts an acknowledged record; a line of progress when it is time for one.
    pub fn record(&mut self, latency: Duration, bytes: usize) -> Option<String> {
        let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        if self.all.records.is_multiple_of(self.sampling) {
            self.latencies_ms.push(latency_ms);
        }
        self.all.add(latency_ms, bytes);
        self.window.add(latency_ms, bytes);
        let elapsed = self.window_began.elapsed();
        if elapsed < self.reporting {
            return None;
        }
        let line = progress(&self.window, elapsed);
        self.window = Counts::default();
        self.window_began = Instant::now();
        Some(line)
    }

    /// How many were acknowledged.
    pub fn count(&self) -> u64 {
        self.all.records
    }

    /// Their bytes, values only.
    pub fn bytes(&self) -> u64 {
        self.all.bytes
    }

    /// Of all, since the start.
    pub fn records_per_second(&self) -> f64 {
        self.all.per_second(self.began.elapsed()).0
    }

    /// The last line.
    pub fn total(&mut self, what: &str) -> String {
        let (records, megabytes) = self.all.per_second(self.began.elapsed());
        let [p50, p95, p99, p999] = self.percentiles([0.5, 0.95, 0.99, 0.999]);
        format!(
            "{} {what}, {records:.6} records/sec ({megabytes:.2} MB/sec), {:.2} ms avg latency, {:.2} ms max latency, \
             {p50} ms 50th, {p95} ms 95th, {p99} ms 99th, {p999} ms 99.9th.\n",
            self.all.records,
            self.all.average_ms(),
            self.all.max_ms as f64,
        )
    }

    fn percentiles<const N: usize>(&mut self, wanted: [f64; N]) -> [u64; N] {
        self.latencies_ms.sort_unstable();
        let kept = &self.latencies_ms;
        wanted.map(|part| {
            let index = (part * kept.len() as f64) as usize;
            kept.get(index).copied().unwrap_or_default()
        })
    }
}

fn progress(window: &Counts, elapsed: Duration) -> String {
    let (records, megabytes) = window.per_second(elapsed);
    format!(
        "{} records sent, {records:.1} records/sec ({megabytes:.2} MB/sec), {:.1} ms avg latency, {:.1} ms max latency.\n",
        window.records,
        window.average_ms(),
        window.max_ms as f64,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_latencies() {
        let mut stats = LatencyStats::start(1000, Duration::MAX);
        for ms in (0..1000).rev() {
            assert!(stats.record(Duration::from_millis(ms), 10).is_none());
        }
        assert_eq!(
            stats.percentiles([0.5, 0.95, 0.99, 0.999]),
            [500, 950, 990, 999]
        );
        let line = stats.total("records sent");
        assert!(line.starts_with("1000 records sent, "), "{line}");
        assert!(
            line.ends_with("499.50 ms avg latency, 999.00 ms max latency, 500 ms 50th, 950 ms 95th, 990 ms 99th, 999 ms 99.9th.\n"),
            "{line}"
        );
    }

    #[test]
    fn of_many_records_only_some_latencies_are_kept() {
        let mut stats = LatencyStats::start(KEPT_MAX * 4, Duration::MAX);
        for _ in 0..40 {
            stats.record(Duration::ZERO, 1);
        }
        assert_eq!((stats.latencies_ms.len(), stats.count()), (10, 40));
    }

    #[test]
    fn progress_is_told_of_the_time_since_the_last_line() {
        let window = Counts {
            records: 2500,
            bytes: 250_000,
            max_ms: 425,
            total_ms: 37_250,
        };
        assert_eq!(
            progress(&window, Duration::from_secs(5)),
            "2500 records sent, 500.0 records/sec (0.05 MB/sec), 14.9 ms avg latency, 425.0 ms max latency.\n"
        );
    }
}
