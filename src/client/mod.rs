//! A small blocking client of Kafka's protocol, for the command line, the load generator and the tests.
//!
//! It must never know the broker's insides: it works against any Kafka broker. No runtime: whoever calls, waits.
//!
//! | file | what it is for |
//! |---|---|
//! | `connection` | one broker: requests out, answers in, versions negotiated |
//! | `cluster` | who leads what; a connection to each broker in use; patience with what may pass |
//! | `admin` | create, delete and describe topics |
//! | `group_admin` | groups from outside: members, committed offsets, changes to them |
//! | `config_admin` | configurations of topics, brokers and groups |
//! | `group` | a member of a consumer group, and its share of the topics |
//! | `records_admin` | records to delete, and the directories they are in |
//! | `partitioner` | which partition a record goes to |
//! | `producer`, `outbox` | records into batches, batches to leaders, failures sent again |
//! | `offsets`, `consumer` | positions; batches from leaders |
//! | `fetched_records` | the records inside those batches |
//! | `error` | what can go wrong |

pub mod admin;
mod cluster;
pub mod config_admin;
mod connection;
mod consumer;
mod error;
mod fetched_records;
pub mod group;
pub mod group_admin;
pub mod http;
mod offsets;
mod outbox;
pub mod partitioner;
mod producer;
pub mod records_admin;
#[cfg(test)]
#[path = "tests/scripted_broker.rs"]
mod scripted_broker;

pub use cluster::{Backoff, Cluster, ClusterOptions, PartitionInfo, TopicInfo};
pub use connection::{Connection, Timeouts};
pub use consumer::{Consumer, ConsumerOptions, FetchedPartition};
pub use error::ClientError;
pub use fetched_records::FetchedRecords;
pub use offsets::{OffsetQuery, list_offsets};
pub use producer::{OutgoingRecord, Producer, ProducerOptions};
