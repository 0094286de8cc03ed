//! Bad input against the real binary over raw sockets: what Kafka answers is answered, what is hostile is closed, everyone
//! else is served meanwhile, memory stays bounded, and nothing acknowledged is lost.
//!
//! One theme a file; the bystanders of `harness/bystanders.rs` are everyone else.

#[path = "../harness/mod.rs"]
mod harness;

mod administration;
mod batches;
mod bombs;
mod crowds;
mod frames;
mod requests;
mod slow_clients;
