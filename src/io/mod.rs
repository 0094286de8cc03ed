//! Files of the runtime, behind a small trait.
//!
//! What this room is for: positioned writes and reads through io_uring, reads that never sleep, page residency, and the
//! few operations on directories that must leave the core. What it must never know: what the bytes mean.
//!
//! Two handles to one open file: [`SegmentFile`] may be used from every core, for reading and `sendfile`;
//! [`AppendFile`] stays on the core that owns the partition, and is the only one that writes.
//!
//! With `wire::records::crc` this is the only room that may hold `unsafe`.

pub mod allocator;
mod answer;
pub mod append_file;
pub mod background;
pub mod blocking;
pub mod changes;
pub mod cpu_quota;
pub mod crew;
pub mod disk;
pub mod durable_write;
pub mod lifetime;
pub mod page_cache;
#[cfg(test)]
pub(crate) mod power_loss;
pub mod record_lock;
pub mod remover;
pub mod ring_check;
pub mod segment_file;
pub mod socket;
pub mod storage;
pub mod sync_group;
pub mod volume;
pub mod write_out;

pub use append_file::AppendFile;
pub use blocking::blocking;
pub use crew::Crew;
pub use disk::Disk;
pub use ring_check::{RingError, ring_is_usable};
pub use segment_file::SegmentFile;
pub use socket::{into_runtime_listener, stop_signal};
pub use storage::{IoFuture, Storage};
