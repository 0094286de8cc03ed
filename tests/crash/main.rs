//! What is left after the broker was killed: everything that it had acknowledged, and nothing that nobody wrote.
//!
//! `VLTAVA_TEST_SECONDS` makes the long test longer, `VLTAVA_TEST_SEED` repeats its decisions; the seed is printed.

#[path = "../harness/mod.rs"]
mod harness;

mod book;
mod checker;
mod connection;
mod dice;
mod real_client;
mod short_lived;
mod worst_day;
mod writers;
