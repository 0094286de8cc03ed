//! A full disk is waited out: nothing acknowledged is lost, whoever is refused hears a code that clients try again on, and all goes
//! on when there is room, without a restart.
//!
//! Setup: data directories on a tmpfs of 8 MiB, which a test fills to the last page and frees again. Mounting needs root, or
//! `sudo` without a password; without either the tests say so and are skipped (not in CI).

#[path = "../harness/mod.rs"]
mod harness;

mod administration;
mod file_size;
mod place;
mod producing;
mod small_disk;
mod starting;
