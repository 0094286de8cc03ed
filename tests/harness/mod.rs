//! What the black-box tests share: the broker as a child process, the real clients, and the records they exchange.
//!
//! Nothing here looks inside the broker: it is a binary, a port, a data directory and a log.

// Every test binary compiles this module and uses its own part of it.
#![allow(dead_code)]

pub mod batches;
pub mod broker;
pub mod bystanders;
pub mod child;
pub mod clients;
pub mod driver;
pub mod group_requests;
pub mod record;
pub mod requests;
pub mod rskafka_client;
pub mod serve;
pub mod toolchain;
pub mod transaction_requests;
pub mod wire_client;

use std::path::{Path, PathBuf};

/// The folder of this package, where the drivers' sources lie.
pub fn package_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder for what tests write, on the same disk as the build (a temporary folder may be in memory).
pub fn scratch_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// True where a missing toolchain is a failure and not a reason to skip.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
