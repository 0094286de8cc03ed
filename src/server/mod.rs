//! The running broker: configuration and data directory first, then one executor a core, then connections.
//!
//! Start, in order: settings, the data directory's lock and identity, the ports, the cores, the metadata log (first core), the
//! partitions (every core), and only then connections. Stop is the same road back. What is wrong is said before
//! anything is changed.

mod accept;
mod bind;
mod checkpoints;
mod core;
mod cores;
pub mod data_dir;
mod data_dirs;
mod life;
pub mod logger;
mod ready;
mod seat;
mod seldom;
mod start;
mod stop;
mod survey;
#[cfg(test)]
mod tests;

pub use start::{ServeError, ServeOptions, serve};
