//! One file per API key: decode, ask the owner, encode.
//!
//! [`handle`] takes a frame to its handler. A handler sees all cores as one [`Shard`]; it knows the wire's messages and
//! Kafka's rules for them, never files or sockets. Domain errors become Kafka's codes in `faults` and nowhere else.

mod access_control;
mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod alter_configs;
mod api_versions;
mod broker_logger;
mod core_ids;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod elect_leaders;
mod end_txn;
mod faults;
mod fetch;
mod fetch_sessions;
mod find_coordinator;
mod groups;
mod heartbeat;
mod in_transaction;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod log_dirs;
mod metadata;
mod nodes;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod old_formats;
mod produce;
mod reassignments;
mod stored_codec;
mod sync_group;
mod transactions;
mod txn;
mod txn_offset_commit;
mod update_features;
mod write_txn_markers;

pub use core_ids::{CoreIdError, CoreIds};
pub use nodes::{CoreDoors, Door};

use crate::limits;
use crate::log::ReadPlan;
use crate::shard::{Shard, Signal};
use crate::wire::api::Lookup;
use crate::wire::records::Scratch;
use crate::wire::{ApiKey, Message, Piece, Reader, Request, RequestHeader, api, frame};
use bytes::Bytes;
use fetch_sessions::FetchSessions;
use glommio::sync::Semaphore;
use std::cell::RefCell;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;

/// The isolation level of readers who want no records of transactions that are open or aborted.
const READ_COMMITTED: i8 = 1;

/// What clients are told of a listener.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// The host that Metadata names.
    pub host: String,
    /// The port that Metadata names.
    pub port: u16,
}

/// What the handlers of one core work with.
pub struct Context {
    /// Partitions and metadata, on all cores.
    pub shard: Rc<Shard>,
    /// By index of the listener.
    doors: Vec<Door>,
    sessions: RefCell<FetchSessions>,
    scratch: RefCell<Scratch>,
    inflating: Semaphore,
}

impl Context {
    /// A core's context.
    pub fn new(shard: Rc<Shard>, doors: Vec<Door>) -> Rc<Context> {
        let slots = shard.config.fetch_session_slots as usize / shard.cores();
        Rc::new(Context {
            sessions: RefCell::new(FetchSessions::new(slots.max(1))),
            scratch: RefCell::default(),
            inflating: Semaphore::new(limits::INFLATING_PER_CORE),
            doors,
            shard,
        })
    }

    /// Whether a connection that came in by this listener stays on this core.
    pub fn is_to_one_core(&self, listener: usize) -> bool {
        self.doors[listener].to_one_core
    }
}

/// Who asks.
#[derive(Debug)]
pub struct Client {
    peer: SocketAddr,
    listener: usize,
    gone: Rc<Signal>,
}

impl Client {
    /// A client that has just connected through the listener with this index. `gone` is raised when it leaves.
    pub fn new(peer: SocketAddr, listener: usize, gone: Rc<Signal>) -> Client {
        Client {
            peer,
            listener,
            gone,
        }
    }
}

/// A framed answer: its pieces, and the file ranges that its external pieces stand for, by token.
#[derive(Debug)]
pub struct Answer {
    /// In the order of sending.
    pub pieces: Vec<Piece>,
    /// Where record data lies.
    pub plans: Vec<ReadPlan>,
}

/// What becomes of a request in the end.
#[derive(Debug)]
pub enum Outcome {
    /// This is sent.
    Answer(Answer),
    /// Nothing is sent (acks=0).
    Silence,
    /// The connection is closed.
    Close,
}

/// What a handler gives back when the request is dispatched.
pub enum Handled {
    /// It is answered already.
    Now(Outcome),
    /// It will be.
    Later(Pin<Box<dyn Future<Output = Outcome>>>),
}

impl Handled {
    fn close(client: &Client, why: impl std::fmt::Display) -> Handled {
        log::debug!("{} is disconnected: {why}", client.peer);
        Handled::Now(Outcome::Close)
    }
}

/// Whether a request may be dispatched while one before it on the same connection is not answered yet.
pub fn may_overtake(frame: &[u8]) -> bool {
    frame
        .first_chunk::<2>()
        .is_some_and(|key| i16::from_be_bytes(*key) == ApiKey::Produce as i16)
}

/// A request on its way to its handler.
struct Asked<'a> {
    context: &'a Rc<Context>,
    client: &'a Rc<Client>,
    header: RequestHeader,
    reader: Reader,
}

impl Asked<'_> {
    fn version(&self) -> i16 {
        self.header.api_version
    }

    /// Decodes the body. A malformed one closes the connection, as Kafka does.
    fn decode<R: Request>(&mut self) -> Result<R, Handled> {
        R::decode(&mut self.reader, self.header.api_version)
            .map_err(|error| Handled::close(self.client, error))
    }

    fn answer<M: Message>(&self, key: ApiKey, body: &M) -> Handled {
        self.answer_with(key, body, Vec::new())
    }

    fn answer_with<M: Message>(&self, key: ApiKey, body: &M, plans: Vec<ReadPlan>) -> Handled {
        let header = &self.header;
        let pieces = frame::encode_response(header.correlation_id, key, header.api_version, body);
        Handled::Now(Outcome::Answer(Answer { pieces, plans }))
    }
}

/// Takes a request to its handler. When this returns, a produce has been staged (or is on its way to the owner) and
/// anything else has been answered.
pub async fn handle(context: &Rc<Context>, client: &Rc<Client>, request: Bytes) -> Handled {
    let mut reader = Reader::new(request);
    let header = match frame::decode_request_header(&mut reader) {
        Ok(header) => header,
        Err(error) => return Handled::close(client, error),
    };
    let mut asked = Asked {
        context,
        client,
        header,
        reader,
    };
    match api::lookup(asked.header.api_key, asked.header.api_version) {
        Lookup::Served(row) => dispatch(&mut asked, row.key)
            .await
            .unwrap_or_else(|closed| closed),
        Lookup::UnsupportedVersion(row) if row.key == ApiKey::ApiVersions => {
            api_versions::unsupported(&asked)
        }
        Lookup::UnsupportedVersion(row) => Handled::close(
            client,
            format_args!("{} version {} is not served", row.key, asked.version()),
        ),
        Lookup::UnknownKey => Handled::close(
            client,
            format_args!("API key {} is not served", asked.header.api_key),
        ),
    }
}

async fn dispatch(asked: &mut Asked<'_>, key: ApiKey) -> Result<Handled, Handled> {
    match key {
        ApiKey::Produce => produce::handle(asked).await,
        ApiKey::Fetch => fetch::handle(asked).await,
        ApiKey::ListOffsets => list_offsets::handle(asked).await,
        ApiKey::Metadata => metadata::handle(asked).await,
        ApiKey::ApiVersions => api_versions::handle(asked),
        ApiKey::CreateTopics => create_topics::handle(asked).await,
        ApiKey::DeleteTopics => delete_topics::handle(asked).await,
        ApiKey::InitProducerId => init_producer_id::handle(asked).await,
        ApiKey::OffsetForLeaderEpoch => offset_for_leader_epoch::handle(asked).await,
        ApiKey::DescribeConfigs => describe_configs::handle(asked).await,
        ApiKey::AlterConfigs => alter_configs::handle(asked).await,
        ApiKey::IncrementalAlterConfigs => alter_configs::handle_incremental(asked).await,
        ApiKey::ListConfigResources => list_config_resources::handle(asked),
        ApiKey::DescribeCluster => describe_cluster::handle(asked),
        ApiKey::DescribeTopicPartitions => describe_topic_partitions::handle(asked),
        ApiKey::FindCoordinator => find_coordinator::handle(asked).await,
        ApiKey::JoinGroup => join_group::handle(asked).await,
        ApiKey::SyncGroup => sync_group::handle(asked).await,
        ApiKey::Heartbeat => heartbeat::handle(asked).await,
        ApiKey::LeaveGroup => leave_group::handle(asked).await,
        ApiKey::OffsetCommit => offset_commit::handle(asked).await,
        ApiKey::OffsetFetch => offset_fetch::handle(asked).await,
        ApiKey::OffsetDelete => offset_delete::handle(asked).await,
        ApiKey::DescribeGroups => describe_groups::handle(asked).await,
        ApiKey::ListGroups => list_groups::handle(asked).await,
        ApiKey::DeleteGroups => delete_groups::handle(asked).await,
        ApiKey::DeleteRecords => delete_records::handle(asked).await,
        ApiKey::DescribeAcls => access_control::describe(asked),
        ApiKey::CreateAcls => access_control::create(asked),
        ApiKey::DeleteAcls => access_control::delete(asked),
        ApiKey::AlterReplicaLogDirs => log_dirs::alter(asked).await,
        ApiKey::DescribeLogDirs => log_dirs::describe(asked).await,
        ApiKey::CreatePartitions => create_partitions::handle(asked).await,
        ApiKey::ElectLeaders => elect_leaders::handle(asked),
        ApiKey::AlterPartitionReassignments => reassignments::alter(asked),
        ApiKey::ListPartitionReassignments => reassignments::list(asked),
        ApiKey::DescribeQuorum => describe_quorum::handle(asked),
        ApiKey::UpdateFeatures => update_features::handle(asked).await,
        ApiKey::DescribeProducers => describe_producers::handle(asked).await,
        ApiKey::AddPartitionsToTxn => add_partitions_to_txn::handle(asked).await,
        ApiKey::AddOffsetsToTxn => add_offsets_to_txn::handle(asked).await,
        ApiKey::EndTxn => end_txn::handle(asked).await,
        ApiKey::TxnOffsetCommit => txn_offset_commit::handle(asked).await,
        ApiKey::DescribeTransactions => transactions::describe(asked).await,
        ApiKey::ListTransactions => transactions::list(asked).await,
        ApiKey::WriteTxnMarkers => write_txn_markers::handle(asked).await,
        other => unreachable!("{other} is in the table of served keys and has no handler"),
    }
}

/// An optional text of the protocol.
fn text(words: impl Into<String>) -> Option<crate::wire::Text> {
    Some(crate::wire::Text::from(words.into()))
}
