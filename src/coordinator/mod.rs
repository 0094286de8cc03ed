//! Coordinators: pure state machines that decide for many clients at once.
//!
//! What this room is for: who belongs to a group, who may commit which offsets, whose transaction is open and how it ends, when
//! somebody has been silent for too long. What it must never know: sockets, files, timers, tasks, API keys, error codes. A
//! coordinator is fed events and the time, and gives back effects; [`crate::shard`] carries them out on the core that owns
//! the coordinator's partition.

mod contract;
pub mod group;
pub mod transaction;

pub use contract::*;
