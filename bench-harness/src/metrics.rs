//! What the threads of a run record, and the supervisor collects once a second.
//!
//! Threads share a few histograms a metric, each behind its own lock and taken once an answer: a histogram of its own for
//! each of ten thousand connections would take gigabytes.

use std::sync::{Mutex, PoisonError};

use hdrhistogram::Histogram;

/// What is measured in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Each record from when it was due to its acknowledgement.
    Acknowledged,
    /// Each record from when it was due to when its consumer had it.
    Consumed,
    /// Each request from when it was sent to its answer: closed loop, no time a record waited.
    Request,
    /// Each connection from its first packet to the answer to its first request.
    Connect,
    /// How much later than it could have the generator sent each record.
    Lateness,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 5] = [
        Metric::Acknowledged,
        Metric::Consumed,
        Metric::Request,
        Metric::Connect,
        Metric::Lateness,
    ];

    /// Its name in files: a tag of the interval log, a key of the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Acknowledged => "acknowledged",
            Metric::Consumed => "consumed",
            Metric::Request => "request",
            Metric::Connect => "connect",
            Metric::Lateness => "lateness",
        }
    }

    /// For people.
    pub fn describe(name: &str) -> &str {
        match name {
            "acknowledged" => "record, due to acknowledged",
            "consumed" => "record, due to consumed",
            "request" => "request, sent to answered",
            "connect" => "connection, to its first answer",
            "lateness" => "the generator's own lateness",
            other => other,
        }
    }
}

/// Locks a metric: threads take turns on so many histograms.
const SHARDS: usize = 8;

/// All histograms of a run.
#[derive(Debug)]
pub struct Metrics {
    shards: Vec<Mutex<Histogram<u64>>>,
}

/// A histogram of durations up to a minute, in nanoseconds, to three digits.
pub fn duration_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these bounds are valid")
}

impl Metrics {
    /// Empty.
    pub fn new() -> Metrics {
        let count = Metric::ALL.len() * SHARDS;
        Metrics {
            shards: (0..count)
                .map(|_| Mutex::new(duration_histogram()))
                .collect(),
        }
    }

    /// Gives the histogram of a metric to `record`; `thread` is any number that differs from thread to thread.
    pub fn record(&self, metric: Metric, thread: usize, record: impl FnOnce(&mut Histogram<u64>)) {
        let shard = &self.shards[metric as usize * SHARDS + thread % SHARDS];
        record(&mut shard.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Moves what was recorded of a metric since the last time into `into`.
    pub fn take(&self, metric: Metric, into: &mut Histogram<u64>) {
        let first = metric as usize * SHARDS;
        for shard in &self.shards[first..first + SHARDS] {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if !shard.is_empty() {
                *into += &*shard;
                shard.reset();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_taken_once_and_of_all_threads() {
        let metrics = Metrics::new();
        for thread in 0..20 {
            metrics.record(Metric::Consumed, thread, |h| h.saturating_record(5));
        }
        let mut taken = duration_histogram();
        metrics.take(Metric::Acknowledged, &mut taken);
        assert_eq!(taken.len(), 0);
        metrics.take(Metric::Consumed, &mut taken);
        metrics.take(Metric::Consumed, &mut taken);
        assert_eq!(taken.len(), 20);
    }

    #[test]
    fn every_metric_has_its_own_name_and_words() {
        for (index, metric) in Metric::ALL.iter().enumerate() {
            assert_eq!(*metric as usize, index);
            assert_ne!(Metric::describe(metric.name()), metric.name());
        }
    }
}
