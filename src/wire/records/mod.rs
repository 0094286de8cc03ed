//! Record batches: what producers send, segments hold and consumers read.
//!
//! Must never know: runtime, files, configuration, API keys, error codes. Plain functions and values that run on whatever
//! core calls them.
//!
//! | file | what it is for |
//! |---|---|
//! | [`batch`] | the 61-byte header of format v2, read in place |
//! | [`attributes`] | its codec, timestamp type and flags |
//! | [`crc`] | the two checksums: CRC-32C for batches, CRC-32 for the older message sets |
//! | [`codec`] | the codecs' names, and compressing |
//! | [`inflate`] | decompressing in pieces, in bounded memory |
//! | [`control`] | the record that ends a transaction |
//! | [`validate`] | what a broker checks once in a client's batch, in bounded steps |
//! | `stream`, `walk` | going through the records in steps, inflating as needed, holding none |
//! | [`stamp`] | what the log writes into a batch: offset, leader epoch, append time |
//! | [`record`] | one record's fields |
//! | [`read`] | reading batches and their records back, whole: clients and tools |
//! | [`retain`] | a batch without some of its records: compaction |
//! | [`lookup`] | finding a record of a batch by time |
//! | [`message_set`] | the formats before record batches, v0 and v1, and the way to batches |
//! | [`down_convert`] | the way back, for old consumers |
//! | `recompress` | a batch in another codec |
//! | [`builder`] | making batches: clients, tests, the metadata log |
//! | [`error`] | everything that can be wrong with a batch |
//! | `varint` | the zig-zag integers inside records |

pub mod attributes;
pub mod batch;
pub mod builder;
pub mod codec;
pub mod control;
pub mod crc;
pub mod down_convert;
pub mod error;
pub mod inflate;
pub mod lookup;
pub mod message_set;
pub mod read;
mod recompress;
pub mod record;
pub mod retain;
pub mod stamp;
mod stream;
pub mod validate;
mod varint;
mod walk;

pub use attributes::{Attributes, TimestampType};
pub use batch::{BatchHeader, HEADER_BYTES};
pub use builder::BatchBuilder;
pub use codec::Codec;
pub use control::EndTransaction;
pub use error::{BatchError, Corruption, Invalid, Malformed, RejectedReason, RejectedRecord};
pub use inflate::{InflateError, Scratch};
pub use lookup::{LookupProgress, RecordTime, TimeLookup, Wanted};
pub use read::{Batch, BatchRecords, Record, batches};
pub use validate::{BatchValidator, Progress, ValidatedBatch, ValidationRules};
