//! Vltava: a message broker that speaks Apache Kafka's wire protocol and keeps Apache Kafka's files.
//!
//! # The map of the house
//!
//! Dependencies point down only; `tests/architecture.rs` holds the arrows. Read top-down:
//!
//! | room | what it is for | what it must never know |
//! |---|---|---|
//! | `main.rs` | parse the command line, run, exit code | anything else |
//! | [`cli`] | `topics`, `produce`, `consume`, `dump-log`: clients of the wire protocol like any other | the broker's insides |
//! | [`check`] | a data directory offline: what is wrong with it, what can be put right | a running broker |
//! | [`client`] | a small blocking client of the protocol, for the command line, the bench and the tests | the broker's insides |
//! | [`server`] | start the cores, join the mesh, listen, drain, stop | what a request means |
//! | [`admin`] | metrics, health and one page over HTTP, on threads of its own | cores, records, settings |
//! | [`net`] | sockets: frames in, answers out in request order, `sendfile` | topics and partitions |
//! | [`api`] | one file per API key: decode, ask the owner, encode; domain errors to Kafka codes | files, sockets |
//! | [`shard`] | one core: partitions it owns, messages between cores, placement, waiting fetches, ticks | the wire's layout |
//! | [`coordinator`] | consumer groups and transactions: pure state machines, events and the time in, effects out | runtime, files, API keys, error codes |
//! | [`log`] | one partition's log: segments, append, flush, lookup, recovery | API keys, error codes, other partitions |
//! | [`io`] | files of the runtime behind a small trait, page residency | what the bytes mean |
//! | [`wire`] | the protocol: primitives, headers, the table of API keys, messages, record batches | runtime, files, configuration |
//! | [`metadata`] | metadata records, the image built from them, the changes that make new ones | runtime, files |
//! | [`config`] | every property in one table; the `server.properties` reader | runtime, files of the log |
//! | [`metrics`] | what each core counts and times, written by the core, read by anyone | runtime, sockets, API keys by name |
//! | [`limits`] | the bounds, and how they relate | everything |
//! | [`types`] | the words everyone uses: offset, topic id, shard | everything |

pub mod admin;
pub mod api;
pub mod check;
pub mod cli;
pub mod client;
pub mod config;
pub mod coordinator;
pub mod io;
pub mod limits;
pub mod log;
pub mod metadata;
pub mod metrics;
pub mod net;
pub mod server;
pub mod shard;
pub mod types;
pub mod wire;
