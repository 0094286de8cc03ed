//! What all threads of one run share: the clock, when to stop, how far it is; and what ends a run early.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use vltava::client::ClientError;

use crate::clock::Clock;
use crate::metrics::Metrics;

/// Why a run gives no figures.
#[derive(Debug, Error)]
pub enum BenchError {
    /// The cluster, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A connection of the load.
    #[error("{address}: {source}")]
    Connection {
        /// The broker's.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The broker answers with an error: the load is not what was to be measured.
    #[error("{what}: {code}")]
    Refused {
        /// The partition or request.
        what: String,
        /// Kafka's error code.
        code: vltava::wire::ErrorCode,
    },
    /// A file of the run.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Anything else, as a sentence.
    #[error("{0}")]
    Other(String),
}

impl BenchError {
    /// Names the broker an I/O error belongs to.
    pub fn connection(address: &str) -> impl FnOnce(io::Error) -> BenchError + use<'_> {
        move |source| BenchError::Connection {
            address: address.to_owned(),
            source,
        }
    }
}

/// Shared by the threads of one run.
#[derive(Debug)]
pub struct Run {
    /// The run's clock; 0 is when it was made.
    pub clock: Clock,
    /// What is due before this does not count; [`Clock`] nanoseconds.
    pub measure_from_ns: u64,
    /// Nothing is sent after this.
    pub end_ns: u64,
    /// What the threads measure.
    pub metrics: Metrics,
    /// Set by a signal, or by a thread that failed.
    stop: Arc<AtomicBool>,
    /// Since the measuring began.
    bytes: AtomicU64,
    records: AtomicU64,
    /// When anything was counted last.
    last_ns: AtomicU64,
}

impl Run {
    /// A run that begins now, counts after `warmup` and ends after `duration` more (`None`: when its work is done).
    pub fn start(warmup: Duration, duration: Option<Duration>, stop: Arc<AtomicBool>) -> Run {
        let measure_from_ns = warmup.as_nanos() as u64;
        let end_ns = duration.map_or(u64::MAX, |duration| {
            measure_from_ns + duration.as_nanos() as u64
        });
        Run {
            clock: Clock::start(),
            measure_from_ns,
            end_ns,
            metrics: Metrics::new(),
            stop,
            bytes: AtomicU64::new(0),
            records: AtomicU64::new(0),
            last_ns: AtomicU64::new(measure_from_ns),
        }
    }

    /// Whether threads should come to an end.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.clock.now_ns() >= self.end_ns
    }

    /// Makes all threads come to an end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Counts what was done, if measuring has begun.
    pub fn count(&self, records: u64, bytes: u64) {
        let now_ns = self.clock.now_ns();
        if records > 0 && now_ns >= self.measure_from_ns {
            self.records.fetch_add(records, Ordering::Relaxed);
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.last_ns.fetch_max(now_ns, Ordering::Relaxed);
        }
    }

    /// Records and bytes counted so far.
    pub fn counted(&self) -> (u64, u64) {
        (
            self.records.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        )
    }

    /// Seconds from when the measuring began to what was counted last: threads that wait to see whether more comes
    /// do not make a run longer.
    pub fn measured_s(&self) -> f64 {
        let last_ns = self.last_ns.load(Ordering::Relaxed);
        last_ns.saturating_sub(self.measure_from_ns) as f64 / 1e9
    }
}

/// Runs the calling thread on the `index`th of the chosen CPUs, round and round; without a choice, anywhere.
///
/// # Errors
/// When there is no such CPU, or this process may not use it.
pub fn pin_thread(cpus: &[usize], index: usize) -> Result<(), BenchError> {
    let Some(&id) = cpus.get(index % cpus.len().max(1)) else {
        return Ok(());
    };
    match core_affinity::set_for_current(core_affinity::CoreId { id }) {
        true => Ok(()),
        false => Err(BenchError::Other(format!(
            "cannot run on CPU {id}: it is not there, or not for this process"
        ))),
    }
}
