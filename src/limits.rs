//! The bounds of everything that comes from outside, and how they relate.
//!
//! Leaf: numbers only. What an operator may set lies in `config/`; here is what no setting moves. The relations at the end
//! are checked when the broker is compiled.

use std::time::Duration;

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
/// Names and values in one request that changes settings, in bytes: they go into one batch of the metadata log.
pub const CONFIG_CHANGES_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Settings in one answer to DescribeConfigs: thousands of topics, and still bounded memory.
pub const DESCRIBED_SETTINGS_MAX: usize = 250_000;

/// Groups that the coordinator of one partition of `__consumer_offsets` keeps.
pub const GROUPS_PER_COORDINATOR: usize = 100_000;
/// Ids given to clients of one group that have not come back with them.
pub const GROUP_PENDING_MEMBERS: usize = 10_000;
/// Assignors that one member may know.
pub const GROUP_MEMBER_PROTOCOLS: usize = 100;
/// What one member may bring for its assignors, in bytes. Only what fits a batch of `__consumer_offsets` can be kept anyway.
pub const GROUP_MEMBER_METADATA_BYTES: usize = 8 * 1024 * 1024;
/// How much of a client's name a member's id begins with, in bytes: with a UUID the id is still a string of the protocol.
pub const GROUP_MEMBER_NAME_BYTES: usize = 32_767 - 37;

/// Records that a group's coordinator writes at once where it forgets many positions.
pub const GROUP_RECORDS_PER_WRITE: usize = 1_000;

/// Transactional ids that the coordinator of one partition of `__transaction_state` keeps.
pub const TRANSACTIONAL_IDS_PER_COORDINATOR: usize = 100_000;
/// What the ids and partitions of one coordinator may take, in bytes.
pub const TRANSACTION_BYTES_PER_COORDINATOR: usize = 32 * 1024 * 1024;
/// Partitions of one transaction, and their names in bytes: with all of them its record still fits a batch of the usual size.
pub const PARTITIONS_PER_TRANSACTION: usize = 10_000;
/// See [`PARTITIONS_PER_TRANSACTION`].
pub const TRANSACTION_PARTITION_BYTES: usize = 512 * 1024;

/// What receives land in while nobody knows whose frame they are, in bytes; one a core.
pub const RECEIVE_SCRATCH_BYTES: usize = 64 * 1024;

/// Memory that one core may hold in request frames, in bytes, where `queued.max.request.bytes` says nothing.
pub const FRAME_MEMORY_PER_CORE: usize = 256 * 1024 * 1024;

/// The least that a core is given for request frames, in bytes: small requests always get through.
pub const FRAME_MEMORY_MIN: usize = 1024 * 1024;

/// Memory that one connection may hold in requests that are not answered yet, in bytes: some batches of the usual largest
/// size, so that produces share a write. One larger request gets through by itself.
pub const FRAME_MEMORY_PER_CONNECTION: usize = 8 * 1024 * 1024;

/// Frames of one connection that wait for the dispatcher.
pub const QUEUED_FRAMES_PER_CONNECTION: usize = 8;

/// Answers of one connection that are owed or not yet sent.
pub const REPLIES_PER_CONNECTION: usize = 64;

/// Cold reads of 1 MiB that one core has in memory at a time.
pub const COLD_READS_PER_CORE: u64 = 16;

/// A reader that takes nothing for this long is looked at: it is closed if what it reads has been deleted.
pub const STALLED_READER_CHECK: Duration = Duration::from_secs(10);

/// How often a core forgets idempotent producers that have been silent too long.
pub const PRODUCER_EXPIRY_CHECK: Duration = Duration::from_secs(600);

/// The shortest interval at which a core has synced what nobody asked to have synced.
pub const SYNC_BEHIND_CHECK: Duration = Duration::from_secs(1);

/// How often a core looks whether the files that it writes to are still there.
pub const FILES_LOOKED_AFTER: Duration = Duration::from_secs(5);

/// What is kept free on the disk behind the metadata log: on a full disk topics can then be deleted and the broker starts.
pub const METADATA_ROOM_KEPT: u64 = 256 << 10;

/// How often a core tries again to open logs that found no room.
pub const OFFLINE_RETRY: Duration = Duration::from_secs(5);

/// How often a core looks for connections that are idle or hoard memory.
pub const CONNECTION_SWEEP: Duration = Duration::from_secs(5);

/// While memory is short, a connection that has sent half a frame and then nothing, or has taken nothing of an answer, for
/// this long is closed.
pub const STALLED_WHEN_SHORT: Duration = Duration::from_secs(10);

/// How long a stopping broker waits for clients to take their answers.
pub const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// Messages from one core to another that are under way at once; more wait at the sender.
pub const MESH_CHANNEL_MESSAGES: usize = 1024;

/// Registered memory of one core's rings, in bytes. Log files are buffered and do not use it; the runtime wants some.
pub const REGISTERED_MEMORY_PER_CORE: usize = 64 * 1024;

/// Locked memory that one core needs, in KiB: its registered memory and the rings.
pub const LOCKED_MEMORY_PER_CORE_KIB: usize = 512;

/// Bytes of a batch that are checked before the core looks after others: well below the 500 µs that one slice may take.
pub const VALIDATED_BYTES_A_SLICE: usize = 256 * 1024;

/// Large compressed batches that one core inflates at the same time: each may need a window of 128 MiB.
pub const INFLATING_PER_CORE: u64 = 2;

/// What a message set of an old producer may inflate to, in bytes: it is converted in memory.
pub const CONVERTED_SET_BYTES: u64 = 64 * 1024 * 1024;

/// Record data that one fetch of an old client gets, in bytes: it is converted in memory. One larger record gets through by itself.
pub const DOWN_CONVERTED_BYTES: u32 = 8 * 1024 * 1024;

/// Bytes a batch may inflate to before it is given up.
pub const INFLATED_BATCH_BYTES: u64 = 512 * 1024 * 1024;

/// The longest that a fetch waits, whatever it asks for.
pub const LONGEST_FETCH_WAIT: Duration = Duration::from_secs(5 * 60);

/// Logs that one core opens or makes at the same time.
pub const LOGS_OPENED_TOGETHER: usize = 64;

/// Most records of one metadata transaction: they wait in memory for its end. What a controller writes in one is the
/// bootstrap, or one operation of at most 10 000 partitions.
pub const METADATA_TRANSACTION_MAX_RECORDS: usize = 100_000;

/// What is read of the metadata log at a time, in bytes.
pub const METADATA_READ_BYTES: u32 = 1024 * 1024;

const _: () = assert!(
    REGISTERED_MEMORY_PER_CORE < LOCKED_MEMORY_PER_CORE_KIB * 1024,
    "the registered memory can be locked"
);
const _: () = assert!(
    FRAME_MEMORY_MIN <= FRAME_MEMORY_PER_CORE && RECEIVE_SCRATCH_BYTES < FRAME_MEMORY_MIN,
    "a core can hold what it receives"
);
const _: () = assert!(
    PARTITIONS_PER_TOPIC_MAX <= PARTITIONS_PER_CREATE_MAX,
    "any topic fits one request"
);
// `<topic>-<partition>` with the most digits a partition can have; the directory of a deleted one is cut to fit.
const _: () = assert!(
    TOPIC_NAME_MAX_BYTES + "-9999".len() <= FILE_NAME_MAX_BYTES,
    "a partition's directory has a legal name"
);
