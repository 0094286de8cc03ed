//! One partition's log: segments, append, flush, lookup, recovery.
//!
//! What this room is for: keeping record batches in Kafka's files, in order, and saying truthfully how far they have come.
//! What it must never know: API keys, error codes, other partitions, the table of settings. It sees batches that are already
//! validated, and a plain [`LogConfig`].
//!
//! Everything here lives on the core that owns the partition; only a [`ReadPlan`] leaves it. Read top-down:
//!
//! | file | what it is for |
//! |---|---|
//! | `partition_log` | the face: create, open, wait, ask |
//! | `state` | everything that changes |
//! | `append` | a batch into the staging buffer: sequence check, roll, stamps |
//! | `writer` | the one task that writes and syncs |
//! | `progress` | how far each byte has come; what a failure takes back |
//! | `behind` | syncs what nobody asked to have synced, so that the recovery point follows |
//! | `seal` | a full segment gets its index files and its sync |
//! | `read` | from an offset to a read plan |
//! | `committed_read` | the same without what is not committed, and with what was aborted |
//! | `lookup` | from a timestamp to an offset |
//! | `load`, `recovery`, `loader` | opening, after a clean and an unclean stop |
//! | `survey` | reading the files without opening the log |
//! | `written_checkpoint`, `written_file`, `vouched` | what a dead process left that need not be checked |
//! | `recovered` | what is not certain to be on the device after an unclean stop |
//! | `cleaner` | compaction, a room of its own |
//! | `check` | looking at a directory offline, and putting right what can be |
//! | `log_start`, `retention`, `retire`, `removal` | what goes from the old end: on demand, by which rules, when; and how |
//! | `room` | blocks on the disk for records to come |
//! | `lifecycle`, `presence` | closing and deleting; what somebody else deleted |
//! | `segment`, `index`, `index_file`, `recent`, `waiters`, `scan`, `walker` | the parts |
//! | `transactions`, `transaction_index` | which transactions are open, and the file of the aborted ones |
//! | `producer_state`, `producer_snapshot`, `leader_epochs`, `partition_metadata`, `file_names` | what else is kept, and its files |

mod append;
mod behind;
pub mod check;
mod cleaner;
mod committed_read;
mod config;
mod error;
mod file_names;
mod index;
mod index_file;
mod leader_epochs;
mod lifecycle;
mod load;
mod loader;
mod log_start;
mod lookup;
pub mod offset_checkpoint;
mod partition_log;
mod partition_metadata;
mod presence;
mod producer_snapshot;
mod producer_state;
mod progress;
mod read;
mod recent;
mod recovered;
mod recovery;
mod removal;
mod retention;
mod retire;
mod room;
mod scan;
mod seal;
mod segment;
mod state;
pub mod survey;
#[cfg(test)]
mod tests;
pub mod transaction_index;
mod transactions;
mod vouched;
mod waiters;
mod walker;
mod writer;
pub mod written_checkpoint;
mod written_file;

pub use append::Appended;
pub use cleaner::{Buffers, CleanError, Cleaned, Cleaning, CompactionRules, Dirty, Throttle};
pub use config::LogConfig;
pub use error::{AppendError, LogError, ReadError, is_no_space};
pub use file_names::{
    DELETED_DIR_ENDING, FileKind, STRAY_DIR_ENDING, is_leftover, parse as parse_file_name,
    parse_partition_dir, partition_dir_name,
};
pub use lifecycle::{Foreign, remove_deleted, set_aside_deleted, set_aside_foreign};
pub use load::{Cut, RecoveryReport, Trust};
pub use log_start::LogStartError;
pub use lookup::TimestampedOffset;
pub use partition_log::{Advance, AdvanceCause, PartitionLog};
pub use presence::a_partition_in;
pub use producer_state::{Marker, ProducerEntry};
pub use read::{ReadPlan, ReadView};
pub use recovered::Written;
pub use retire::Retired;
pub use transaction_index::AbortedTransaction;
pub use written_checkpoint::{WrittenMark, WrittenMarks};
pub use written_file::{WrittenCheckpoint, WrittenPositions};
