//! What Kafka does and clients rely on, seen over the wire: each test is named after one behaviour.
//!
//! One theme a file; every test has a broker of its own.

#[path = "../harness/mod.rs"]
mod harness;

mod administration;
mod compression;
mod configs;
mod connection;
mod delete_records;
mod fetch;
mod fetch_sessions;
mod groups;
mod idempotence;
mod metadata;
mod offsets;
mod produce;
mod timestamps;
mod topics;
mod transactions;
mod transactions_log;
mod transactions_offsets;
