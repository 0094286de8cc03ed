//! Apache Kafka's wire protocol: bytes to messages and back.
//!
//! Must never know: the runtime, files, configuration, what a request means.

pub mod records;
