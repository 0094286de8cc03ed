//! The bounds of everything that comes from outside, and how they relate.
//!
//! Leaf: numbers only. What an operator may set lies in `config/`; here is what no setting moves. The relations at the end
//! are checked when the broker is compiled.

/// Largest `server.properties` that is read.
pub const PROPERTIES_FILE_MAX_BYTES: usize = 1 << 20;

/// Longest topic name, in bytes: with the partition's number and the suffix of a deleted directory it fits a file name.
/// Kafka's number (`Topic.MAX_NAME_LENGTH`).
pub const TOPIC_NAME_MAX_BYTES: usize = 249;

/// Longest file name of the file systems in use (`NAME_MAX`).
pub const FILE_NAME_MAX_BYTES: usize = 255;

/// Most partitions of one topic: a directory, an open file and a task each.
pub const PARTITIONS_PER_TOPIC_MAX: i32 = 10_000;

/// Most partitions that one CreateTopics may ask for, all its topics together (Kafka's controller has the same bound).
pub const PARTITIONS_PER_CREATE_MAX: i32 = 10_000;

/// Producer ids that are handed out at once, so that the metadata log is written once in so many producers. Kafka's number.
pub const PRODUCER_ID_BLOCK: i64 = 1_000;

/// Largest value of one topic setting, in bytes: it is kept in memory and in the metadata log.
pub const CONFIG_VALUE_MAX_BYTES: usize = 32_767;

/// Most records of one metadata transaction: they wait in memory for its end. What a controller writes in one is the
/// bootstrap, or one operation of at most 10 000 partitions.
pub const METADATA_TRANSACTION_MAX_RECORDS: usize = 100_000;

const _: () = assert!(
    PARTITIONS_PER_TOPIC_MAX <= PARTITIONS_PER_CREATE_MAX,
    "any topic fits one request"
);
// `<topic>-<partition>` with the most digits a partition can have; the directory of a deleted one is cut to fit.
const _: () = assert!(
    TOPIC_NAME_MAX_BYTES + "-9999".len() <= FILE_NAME_MAX_BYTES,
    "a partition's directory has a legal name"
);
