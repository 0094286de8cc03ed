//! What cores say to each other: the closed set of messages.
//!
//! A call is answered by exactly one answer that carries its ticket; everything else is one way.

use super::administration::{PartitionQuestion, PartitionReply};
use super::admission::Admitted;
use super::changes::{Change, ChangeOutcome};
use super::coordinators::CoordinatorFault;
use super::groups::GroupOutcome;
use super::markers::MarkerPart;
use super::read::{ReadCall, ReadOutcome};
use super::transactions::TransactionOutcome;
use crate::coordinator::group::{GroupListing, GroupRequest, ListFilter};
use crate::coordinator::transaction::{self, TransactionListing, TransactionRequest};
use crate::log::{AppendError, Appended, LogError, Written};
use crate::metadata::Image;
use crate::types::{LeaderEpoch, Offset, PartitionKey};
use crate::wire::records::ValidatedBatch;
use glommio::net::AcceptedTcpStream;
use std::sync::Arc;
use uuid::Uuid;

/// The asker's place for an answer.
pub type Ticket = usize;

/// One message from core to core.
#[derive(Debug)]
pub enum Message {
    /// Please do this and answer.
    Call(Ticket, Call),
    /// The answer to a call.
    Answer(Ticket, Answer),
    /// Something that a fetch of yours waits for has happened.
    Fired(u64),
    /// A fetch of mine no longer waits.
    Unwatch(u64),
    /// Serve this connection: you have fewer. With the index of the listener it came through.
    Adopt(AcceptedTcpStream, usize, Admitted),
}

/// What a core can be asked to do.
#[derive(Debug)]
pub enum Call {
    /// Append to partitions that the core owns; answered when the records are as durable as the flush policy says.
    Append(Vec<AppendPart>),
    /// Write markers that end transactions, by the rules of this `transaction.version`; answered like an append.
    Markers(i16, Vec<MarkerPart>),
    /// Plan reads of partitions that the core owns.
    Read(Box<ReadCall>),
    /// Look offsets up.
    Offsets(Vec<OffsetQuery>),
    /// Where leader epochs end.
    EpochEnds(Vec<EpochQuery>),
    /// Questions of administration to partitions that the core owns.
    Ask(Vec<PartitionQuestion>),
    /// Write log start offsets down (only the first core).
    KeepLogStarts,
    /// Work with this image from now on; answered when the core does.
    Install(Arc<Image>),
    /// Change the cluster's metadata (only the first core).
    Change(Box<Change>),
    /// Ask the coordinator of this partition of `__consumer_offsets`, which the core owns.
    Group(i32, Box<GroupRequest>),
    /// The groups that the core's coordinators have.
    ListGroups(ListFilter),
    /// Ask the coordinator of this partition of `__transaction_state`, which the core owns.
    Transaction(i32, Box<TransactionRequest>),
    /// The transactions that the core's coordinators have.
    ListTransactions(Box<transaction::ListFilter>),
    /// Accept connections.
    Open,
    /// Answer what was received and let every connection go; answered when the last has gone.
    Drain,
    /// Write down what a restart need not check again: the recovery point and high watermark of each partition.
    Checkpoint,
    /// What was found at the start is on the device, or must be synced log by log.
    Recovered(bool),
    /// Flush and close every log.
    Close,
}

/// Answers, one kind a call.
#[derive(Debug)]
pub enum Answer {
    /// To [`Call::Append`] and [`Call::Markers`], in their order.
    Append(Vec<AppendOutcome>),
    /// To [`Call::Read`], in its order.
    Read(Vec<ReadOutcome>),
    /// To [`Call::Offsets`], in its order.
    Offsets(Vec<OffsetOutcome>),
    /// To [`Call::EpochEnds`], in its order.
    EpochEnds(Vec<Result<(LeaderEpoch, Offset), PartitionFault>>),
    /// To [`Call::Ask`], in its order.
    Replies(Vec<PartitionReply>),
    /// To [`Call::KeepLogStarts`]: why they cannot be written.
    Kept(Result<(), String>),
    /// To [`Call::Install`].
    Installed(InstallReport),
    /// To [`Call::Change`].
    Changed(Box<ChangeOutcome>),
    /// To [`Call::Group`].
    Group(Box<GroupOutcome>),
    /// To [`Call::ListGroups`].
    Groups(Result<Vec<GroupListing>, CoordinatorFault>),
    /// To [`Call::Transaction`].
    Transaction(Box<TransactionOutcome>),
    /// To [`Call::ListTransactions`].
    Transactions(Result<Vec<TransactionListing>, CoordinatorFault>),
    /// To [`Call::Open`], [`Call::Drain`] and [`Call::Recovered`].
    Done,
    /// To [`Call::Checkpoint`] and [`Call::Close`].
    Checkpoint(Vec<PartitionCheckpoint>),
}

/// A batch for one partition.
#[derive(Debug)]
pub struct AppendPart {
    /// Where to.
    pub key: PartitionKey,
    /// What; checked already.
    pub batch: ValidatedBatch,
}

/// What became of one batch.
pub type AppendOutcome = Result<Appended, PartitionFault>;

/// Why a partition did not do what was asked.
#[derive(Clone, Debug)]
pub enum PartitionFault {
    /// The core has no such partition: it was deleted, or never was.
    NotHere,
    /// Its log could not be opened.
    Offline,
    /// The topic is here and does not have so many partitions.
    NoSuchPartition,
    /// The client's leader epoch is older than the partition's.
    FencedEpoch,
    /// The client's leader epoch is newer than the partition's.
    UnknownEpoch,
    /// The offset lies outside the log; with its log start offset.
    OutOfRange(Offset),
    /// The log refused the batch.
    Refused(AppendError),
    /// The topic is compacted only: its records are not deleted by offset.
    NeverDeletes,
    /// What was done could not be written down.
    NotKept(String),
    /// The topic's batches are in a codec that the client's version does not know.
    UnknownCodec,
    /// The log has failed.
    Failed(LogError),
}

/// Which offset of a partition is asked for.
#[derive(Clone, Copy, Debug)]
pub struct OffsetQuery {
    /// The partition.
    pub key: PartitionKey,
    /// The client's idea of the leader epoch, -1 for none.
    pub current_leader_epoch: i32,
    /// Which offset.
    pub wanted: Wanted,
    /// Only records below the last stable offset count.
    pub committed: bool,
}

/// The offsets that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The high watermark, or the last stable offset: where new records will be seen.
    Latest,
    /// The log start offset.
    Earliest,
    /// The first record at or after this time, in milliseconds.
    AtOrAfter(i64),
    /// The record with the largest timestamp.
    MaxTimestamp,
}

/// The offset found, with the timestamp and leader epoch of *that record* (-1 where there is none).
pub type OffsetOutcome = Result<FoundOffset, PartitionFault>;

/// An offset that was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    /// The offset, -1 when no record fits.
    pub offset: i64,
    /// The record's timestamp in milliseconds, -1 when the offset is not a record's.
    pub timestamp: i64,
    /// The leader epoch of the batch, -1 when unknown.
    pub leader_epoch: i32,
}

impl FoundOffset {
    /// No record fits the query.
    pub const NONE: FoundOffset = FoundOffset {
        offset: -1,
        timestamp: -1,
        leader_epoch: -1,
    };
}

/// A question where a leader epoch ends.
#[derive(Clone, Copy, Debug)]
pub struct EpochQuery {
    /// The partition.
    pub key: PartitionKey,
    /// The client's idea of the current leader epoch, -1 for none.
    pub current_leader_epoch: i32,
    /// The epoch asked about.
    pub epoch: LeaderEpoch,
}

/// What installing an image did on one core.
#[derive(Clone, Debug, Default)]
pub struct InstallReport {
    /// Partitions the core now owns.
    pub partitions: usize,
    /// What an operator should be told, a sentence each.
    pub remarks: Vec<String>,
    /// Partitions whose log could not be opened or made, with the reason.
    pub failures: Vec<(PartitionKey, String)>,
    /// Partitions, by name, whose log is opened or made when there is room, with the reason.
    pub waiting: Vec<(String, String)>,
    /// Partitions that lie in another directory than the metadata says, with the id of theirs.
    pub moved: Vec<(PartitionKey, Uuid)>,
}

/// What a restart need not check again.
#[derive(Clone, Debug)]
pub struct PartitionCheckpoint {
    /// Topic name.
    pub topic: String,
    /// Partition index.
    pub partition: i32,
    /// The place of its data directory.
    pub dir: usize,
    /// Everything below is on the disk.
    pub recovery_point: Offset,
    /// Everything below is committed.
    pub high_watermark: Offset,
    /// The first offset that can be read.
    pub log_start: Offset,
    /// How far it is written, if further than the recovery point.
    pub written: Option<Written>,
    /// The log could not be closed: the shutdown is not clean.
    pub failed: bool,
}

/// A fetch that wants to be told when an owner's partitions advance.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// Unique on the core that waits.
    pub id: u64,
    /// Tell once this many bytes are there, those available at planning included.
    pub bytes: u64,
    /// Bytes count when they are below the last stable offset, not the high watermark.
    pub committed: bool,
}
