//! The API keys, and the one table of versions that are advertised and served.
//!
//! Whoever asks "do we speak this?" asks here: the answer to ApiVersions, the dispatch of requests and the client all
//! read the same rows. Knows no handler. Any core.

use std::fmt;
use std::ops::RangeInclusive;

use super::messages::add_offsets_to_txn::AddOffsetsToTxnRequest;
use super::messages::add_partitions_to_txn::AddPartitionsToTxnRequest;
use super::messages::alter_configs::AlterConfigsRequest;
use super::messages::alter_partition_reassignments::AlterPartitionReassignmentsRequest;
use super::messages::alter_replica_log_dirs::AlterReplicaLogDirsRequest;
use super::messages::api_versions::ApiVersionsRequest;
use super::messages::create_acls::CreateAclsRequest;
use super::messages::create_partitions::CreatePartitionsRequest;
use super::messages::create_topics::CreateTopicsRequest;
use super::messages::delete_acls::DeleteAclsRequest;
use super::messages::delete_groups::DeleteGroupsRequest;
use super::messages::delete_records::DeleteRecordsRequest;
use super::messages::delete_topics::DeleteTopicsRequest;
use super::messages::describe_acls::DescribeAclsRequest;
use super::messages::describe_cluster::DescribeClusterRequest;
use super::messages::describe_configs::DescribeConfigsRequest;
use super::messages::describe_groups::DescribeGroupsRequest;
use super::messages::describe_log_dirs::DescribeLogDirsRequest;
use super::messages::describe_producers::DescribeProducersRequest;
use super::messages::describe_quorum::DescribeQuorumRequest;
use super::messages::describe_topic_partitions::DescribeTopicPartitionsRequest;
use super::messages::describe_transactions::DescribeTransactionsRequest;
use super::messages::elect_leaders::ElectLeadersRequest;
use super::messages::end_txn::EndTxnRequest;
use super::messages::fetch::FetchRequest;
use super::messages::find_coordinator::FindCoordinatorRequest;
use super::messages::heartbeat::HeartbeatRequest;
use super::messages::incremental_alter_configs::IncrementalAlterConfigsRequest;
use super::messages::init_producer_id::InitProducerIdRequest;
use super::messages::join_group::JoinGroupRequest;
use super::messages::leave_group::LeaveGroupRequest;
use super::messages::list_config_resources::ListConfigResourcesRequest;
use super::messages::list_groups::ListGroupsRequest;
use super::messages::list_offsets::ListOffsetsRequest;
use super::messages::list_partition_reassignments::ListPartitionReassignmentsRequest;
use super::messages::list_transactions::ListTransactionsRequest;
use super::messages::metadata::MetadataRequest;
use super::messages::offset_commit::OffsetCommitRequest;
use super::messages::offset_delete::OffsetDeleteRequest;
use super::messages::offset_fetch::OffsetFetchRequest;
use super::messages::offset_for_leader_epoch::OffsetForLeaderEpochRequest;
use super::messages::produce::ProduceRequest;
use super::messages::sync_group::SyncGroupRequest;
use super::messages::txn_offset_commit::TxnOffsetCommitRequest;
use super::messages::update_features::UpdateFeaturesRequest;
use super::messages::write_txn_markers::WriteTxnMarkersRequest;
use super::schema::{Message, Request};

macro_rules! api_keys {
    ($($name:ident = $number:literal,)*) => {
        /// The API keys of Apache Kafka 4.3 by name, `ApiKeys` there. Being named here does not mean being served.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(i16)]
        #[allow(missing_docs, reason = "the names are Kafka's own; https://kafka.apache.org/protocol describes each")]
        pub enum ApiKey {
            $($name = $number,)*
        }

        impl ApiKey {
            /// The key of this number, if Kafka has one.
            pub const fn from_number(number: i16) -> Option<ApiKey> {
                match number {
                    $($number => Some(ApiKey::$name),)*
                    _ => None,
                }
            }

            /// Kafka's name of the API.
            pub const fn name(self) -> &'static str {
                match self {
                    $(ApiKey::$name => stringify!($name),)*
                }
            }
        }
    };
}

api_keys! {
    Produce = 0,
    Fetch = 1,
    ListOffsets = 2,
    Metadata = 3,
    LeaderAndIsr = 4,
    StopReplica = 5,
    UpdateMetadata = 6,
    ControlledShutdown = 7,
    OffsetCommit = 8,
    OffsetFetch = 9,
    FindCoordinator = 10,
    JoinGroup = 11,
    Heartbeat = 12,
    LeaveGroup = 13,
    SyncGroup = 14,
    DescribeGroups = 15,
    ListGroups = 16,
    SaslHandshake = 17,
    ApiVersions = 18,
    CreateTopics = 19,
    DeleteTopics = 20,
    DeleteRecords = 21,
    InitProducerId = 22,
    OffsetForLeaderEpoch = 23,
    AddPartitionsToTxn = 24,
    AddOffsetsToTxn = 25,
    EndTxn = 26,
    WriteTxnMarkers = 27,
    TxnOffsetCommit = 28,
    DescribeAcls = 29,
    CreateAcls = 30,
    DeleteAcls = 31,
    DescribeConfigs = 32,
    AlterConfigs = 33,
    AlterReplicaLogDirs = 34,
    DescribeLogDirs = 35,
    SaslAuthenticate = 36,
    CreatePartitions = 37,
    CreateDelegationToken = 38,
    RenewDelegationToken = 39,
    ExpireDelegationToken = 40,
    DescribeDelegationToken = 41,
    DeleteGroups = 42,
    ElectLeaders = 43,
    IncrementalAlterConfigs = 44,
    AlterPartitionReassignments = 45,
    ListPartitionReassignments = 46,
    OffsetDelete = 47,
    DescribeClientQuotas = 48,
    AlterClientQuotas = 49,
    DescribeUserScramCredentials = 50,
    AlterUserScramCredentials = 51,
    Vote = 52,
    BeginQuorumEpoch = 53,
    EndQuorumEpoch = 54,
    DescribeQuorum = 55,
    AlterPartition = 56,
    UpdateFeatures = 57,
    Envelope = 58,
    FetchSnapshot = 59,
    DescribeCluster = 60,
    DescribeProducers = 61,
    BrokerRegistration = 62,
    BrokerHeartbeat = 63,
    UnregisterBroker = 64,
    DescribeTransactions = 65,
    ListTransactions = 66,
    AllocateProducerIds = 67,
    ConsumerGroupHeartbeat = 68,
    ConsumerGroupDescribe = 69,
    ControllerRegistration = 70,
    GetTelemetrySubscriptions = 71,
    PushTelemetry = 72,
    AssignReplicasToDirs = 73,
    ListConfigResources = 74,
    DescribeTopicPartitions = 75,
    ShareGroupHeartbeat = 76,
    ShareGroupDescribe = 77,
    ShareFetch = 78,
    ShareAcknowledge = 79,
    AddRaftVoter = 80,
    RemoveRaftVoter = 81,
    UpdateRaftVoter = 82,
    InitializeShareGroupState = 83,
    ReadShareGroupState = 84,
    WriteShareGroupState = 85,
    DeleteShareGroupState = 86,
    ReadShareGroupStateSummary = 87,
    StreamsGroupHeartbeat = 88,
    StreamsGroupDescribe = 89,
    DescribeShareGroupOffsets = 90,
    AlterShareGroupOffsets = 91,
    DeleteShareGroupOffsets = 92,
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is offered for one API key.
#[derive(Debug)]
pub struct Row {
    /// The key.
    pub key: ApiKey,
    /// What ApiVersions says, as Kafka 4.3 says it with the minimum at 0 where old layouts are served.
    pub advertised: RangeInclusive<i16>,
    /// What is answered; the rest of `advertised` gets UNSUPPORTED_VERSION.
    pub served: RangeInclusive<i16>,
    /// First version with compact lengths and tagged fields, in header and body.
    pub flexible_from: i16,
}

/// What the table says about a key and a version.
#[derive(Debug)]
pub enum Lookup {
    /// Decode it and answer.
    Served(&'static Row),
    /// The key is served, this version of it is not.
    UnsupportedVersion(&'static Row),
    /// Nothing is known about requests of this key.
    UnknownKey,
}

/// A row that cannot be served, because the schema lacks a version or request and response disagree on the first
/// flexible one, does not compile.
const fn row_of<R: Request>(advertised: RangeInclusive<i16>, served: RangeInclusive<i16>) -> Row {
    const {
        assert!(R::FLEXIBLE_FROM == R::Response::FLEXIBLE_FROM);
    }
    assert!(*R::VERSIONS.start() <= *served.start() && *served.end() <= *R::VERSIONS.end());
    Row {
        key: R::KEY,
        advertised,
        served,
        flexible_from: R::FLEXIBLE_FROM,
    }
}

/// The table, in ascending order of keys.
///
/// Produce is advertised from 0 as Kafka 4 does it: librdkafka takes a broker without Produce 0 to be unable to read
/// compressed records (KAFKA-18659). InitProducerId 6 is unstable in Kafka 4.3 and left out, as there.
pub static TABLE: &[Row] = &[
    row_of::<ProduceRequest>(0..=13, 0..=13),
    row_of::<FetchRequest>(0..=18, 0..=18),
    row_of::<ListOffsetsRequest>(0..=11, 0..=11),
    row_of::<MetadataRequest>(0..=13, 0..=13),
    row_of::<OffsetCommitRequest>(0..=10, 0..=10),
    row_of::<OffsetFetchRequest>(0..=10, 0..=10),
    row_of::<FindCoordinatorRequest>(0..=6, 0..=6),
    row_of::<JoinGroupRequest>(0..=9, 0..=9),
    row_of::<HeartbeatRequest>(0..=4, 0..=4),
    row_of::<LeaveGroupRequest>(0..=5, 0..=5),
    row_of::<SyncGroupRequest>(0..=5, 0..=5),
    row_of::<DescribeGroupsRequest>(0..=6, 0..=6),
    row_of::<ListGroupsRequest>(0..=5, 0..=5),
    row_of::<ApiVersionsRequest>(0..=4, 0..=4),
    row_of::<CreateTopicsRequest>(0..=7, 0..=7),
    row_of::<DeleteTopicsRequest>(0..=6, 0..=6),
    row_of::<DeleteRecordsRequest>(0..=2, 0..=2),
    row_of::<InitProducerIdRequest>(0..=5, 0..=5),
    row_of::<OffsetForLeaderEpochRequest>(0..=4, 0..=4),
    row_of::<AddPartitionsToTxnRequest>(0..=5, 0..=5),
    row_of::<AddOffsetsToTxnRequest>(0..=4, 0..=4),
    row_of::<EndTxnRequest>(0..=5, 0..=5),
    row_of::<WriteTxnMarkersRequest>(0..=2, 0..=2),
    row_of::<TxnOffsetCommitRequest>(0..=5, 0..=5),
    row_of::<DescribeAclsRequest>(0..=3, 0..=3),
    row_of::<CreateAclsRequest>(0..=3, 0..=3),
    row_of::<DeleteAclsRequest>(0..=3, 0..=3),
    row_of::<DescribeConfigsRequest>(0..=4, 0..=4),
    row_of::<AlterConfigsRequest>(0..=2, 0..=2),
    row_of::<AlterReplicaLogDirsRequest>(0..=2, 0..=2),
    row_of::<DescribeLogDirsRequest>(0..=5, 0..=5),
    row_of::<CreatePartitionsRequest>(0..=3, 0..=3),
    row_of::<DeleteGroupsRequest>(0..=2, 0..=2),
    row_of::<ElectLeadersRequest>(0..=2, 0..=2),
    row_of::<IncrementalAlterConfigsRequest>(0..=1, 0..=1),
    row_of::<AlterPartitionReassignmentsRequest>(0..=1, 0..=1),
    row_of::<ListPartitionReassignmentsRequest>(0..=0, 0..=0),
    row_of::<OffsetDeleteRequest>(0..=0, 0..=0),
    row_of::<DescribeQuorumRequest>(0..=2, 0..=2),
    row_of::<UpdateFeaturesRequest>(0..=2, 0..=2),
    row_of::<DescribeClusterRequest>(0..=2, 0..=2),
    row_of::<DescribeProducersRequest>(0..=0, 0..=0),
    row_of::<DescribeTransactionsRequest>(0..=0, 0..=0),
    row_of::<ListTransactionsRequest>(0..=2, 0..=2),
    row_of::<ListConfigResourcesRequest>(0..=1, 0..=1),
    row_of::<DescribeTopicPartitionsRequest>(0..=0, 0..=0),
];

/// The row of a key.
pub fn row(key: i16) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.key as i16 == key)
}

/// Whether a request of this key and version is served.
pub fn lookup(key: i16, version: i16) -> Lookup {
    match row(key) {
        Some(row) if row.served.contains(&version) => Lookup::Served(row),
        Some(row) => Lookup::UnsupportedVersion(row),
        None => Lookup::UnknownKey,
    }
}

#[cfg(test)]
mod tests;
