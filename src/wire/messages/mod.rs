//! The messages, one file per API: its request, its response, and what each version changed.
//!
//! Layouts are those of Apache Kafka 4.3 (`clients/src/main/resources/common/message/*.json`), with the old versions that
//! Kafka 4 dropped as Kafka 3.9 had them. Fields are Kafka's, in Kafka's order. A file says how the bytes stand, never
//! what a broker does with them.

pub mod api_versions;
pub mod metadata;
