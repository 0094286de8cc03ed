//! What each core counts and times: plain numbers, written by the core alone and read by whoever likes.
//!
//! A core finds its own numbers with [`here`] and adds to them with two plain instructions: it is the only writer, so there is no
//! lock, no atomic read-modify-write and nothing to send. Readers on other threads see each number as of about now, never torn.
//! A histogram takes its memory with its first value, so what never happens costs nothing.
//!
//! Leaf: knows neither runtime nor sockets nor API keys by name. What only a core itself can say (its partitions, its queues)
//! is a [`CoreReport`] that it makes when it is asked.

mod core;
mod counter;
mod hgrm;
mod histogram;
mod report;
mod stats;

pub use self::core::{CoreMetrics, Count, Size, Stage, enter, here};
pub use self::counter::Counter;
pub use self::hgrm::percentile_distribution;
pub use self::histogram::{Histogram, Unit, Values};
pub use self::report::{CoreReport, PartitionRow};
pub use self::stats::{CoreStats, CpuTimes, Named, Phase, Stats};
