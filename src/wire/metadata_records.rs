//! The records of the metadata log `__cluster_metadata`: brokers, topics, partitions, configurations.
//!
//! ```text
//! value of a record   frame version uvarint = 1 | record type uvarint | version uvarint | body, flexible
//! ```
//!
//! Sources: KIP-631 and the schemas of Kafka 4.3 (`metadata/src/main/resources/common/metadata/*.json`). What the records
//! mean together is the metadata image's business. A record that must be understood and is not stops the broker:
//! decoding says so and never skips. Any core.

use bytes::Bytes;
use uuid::Uuid;

use super::error::WireError;
use super::reader::Reader;
use super::schema::{Message, schema};
use super::text::Text;
use super::writer::Writer;

/// The only frame version there is.
const FRAME_VERSION: u32 = 1;

schema! {
    /// A broker registered; a registration of the same id replaces the one before.
    message RegisterBrokerRecord (versions 0..=4, flexible 0) {
        /// Its node id.
        broker_id: i32 [0..],
        /// Whether it is being migrated from ZooKeeper.
        is_migrating_zk_broker: bool [2..],
        /// Random id of the broker's process.
        incarnation_id: Uuid [0..],
        /// Its broker epoch: the offset of this record.
        broker_epoch: i64 [0..],
        /// Its listeners.
        end_points: Vec<BrokerEndpoint> [0..],
        /// Features it can do.
        features: Vec<BrokerFeature> [0..],
        /// Its rack.
        rack: Option<Text> [0..],
        /// Whether it is fenced.
        fenced: bool [0..] = true,
        /// Whether it is shutting down.
        in_controlled_shutdown: bool [1..],
        /// Ids of its log directories.
        log_dirs: Vec<Uuid> [3..] tag 0,
        /// Ids of log directories that take no new partitions.
        cordoned_log_dirs: Option<Vec<Uuid>> [4..] tag 1,
    }

    /// A listener of a broker.
    struct BrokerEndpoint {
        /// Its name.
        name: Text [0..],
        /// Its host.
        host: Text [0..],
        /// Its port.
        port: u16 [0..],
        /// Its security protocol: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
        security_protocol: i16 [0..],
    }

    /// A feature a broker can do.
    struct BrokerFeature {
        /// Its name.
        name: Text [0..],
        /// Lowest level.
        min_supported_version: i16 [0..],
        /// Highest level.
        max_supported_version: i16 [0..],
    }

    /// A broker is gone for good.
    message UnregisterBrokerRecord (versions 0..=0, flexible 0) {
        /// Its node id.
        broker_id: i32 [0..],
        /// Its broker epoch.
        broker_epoch: i64 [0..],
    }

    /// A topic was created.
    message TopicRecord (versions 0..=0, flexible 0) {
        /// Its name.
        name: Text [0..],
        /// Its id.
        topic_id: Uuid [0..],
    }

    /// A partition, whole.
    message PartitionRecord (versions 0..=2, flexible 0) {
        /// Its index.
        partition_id: i32 [0..] = -1,
        /// Id of its topic.
        topic_id: Uuid [0..],
        /// Node ids of its replicas, the preferred leader first.
        replicas: Vec<i32> [0..],
        /// Node ids of the replicas in sync.
        isr: Vec<i32> [0..],
        /// Replicas on their way out.
        removing_replicas: Vec<i32> [0..],
        /// Replicas on their way in.
        adding_replicas: Vec<i32> [0..],
        /// Node id of the leader, or -1.
        leader: i32 [0..] = -1,
        /// 0: recovered, 1: recovering after an unclean election.
        leader_recovery_state: i8 [0..] tag 0,
        /// Epoch of the leader.
        leader_epoch: i32 [0..] = -1,
        /// Count of the partition's changes.
        partition_epoch: i32 [0..] = -1,
        /// Log directory id for each of `replicas`.
        directories: Vec<Uuid> [1..],
        /// Replicas out of sync that may still become leader.
        eligible_leader_replicas: Option<Vec<i32>> [2..] tag 1,
        /// The last of those that were known.
        last_known_elr: Option<Vec<i32>> [2..] tag 2,
    }

    /// A configuration was set or, with a null value, removed.
    message ConfigRecord (versions 0..=0, flexible 0) {
        /// 2 is a topic, 4 a broker.
        resource_type: i8 [0..],
        /// Topic name or node id; empty is the default of all brokers.
        resource_name: Text [0..],
        /// The configuration.
        name: Text [0..],
        /// Its value.
        value: Option<Text> [0..],
    }

    /// What changed of a partition: null, -1 and -2 mean no change.
    message PartitionChangeRecord (versions 0..=2, flexible 0) {
        /// Its index.
        partition_id: i32 [0..] = -1,
        /// Id of its topic.
        topic_id: Uuid [0..],
        /// New in-sync replicas.
        isr: Option<Vec<i32>> [0..] tag 0,
        /// New leader, -1 for none; -2: no change. Any other value starts a new leader epoch.
        leader: i32 [0..] tag 1 = -2,
        /// New replicas.
        replicas: Option<Vec<i32>> [0..] tag 2,
        /// New replicas on their way out.
        removing_replicas: Option<Vec<i32>> [0..] tag 3,
        /// New replicas on their way in.
        adding_replicas: Option<Vec<i32>> [0..] tag 4,
        /// New recovery state.
        leader_recovery_state: i8 [0..] tag 5 = -1,
        /// New eligible leader replicas.
        eligible_leader_replicas: Option<Vec<i32>> [2..] tag 6,
        /// New last known eligible leader replicas.
        last_known_elr: Option<Vec<i32>> [2..] tag 7,
        /// New log directory ids, one for each replica.
        directories: Option<Vec<Uuid>> [1..] tag 8,
    }

    /// A broker was fenced (old metadata versions).
    message FenceBrokerRecord (versions 0..=0, flexible 0) {
        /// Its node id.
        id: i32 [0..],
        /// Its broker epoch.
        epoch: i64 [0..],
    }

    /// A broker was unfenced (old metadata versions).
    message UnfenceBrokerRecord (versions 0..=0, flexible 0) {
        /// Its node id.
        id: i32 [0..],
        /// Its broker epoch.
        epoch: i64 [0..],
    }

    /// A topic was deleted, with its partitions.
    message RemoveTopicRecord (versions 0..=0, flexible 0) {
        /// Its id.
        topic_id: Uuid [0..],
    }

    /// The level of a feature; level 0 removes it.
    message FeatureLevelRecord (versions 0..=0, flexible 0) {
        /// The feature.
        name: Text [0..],
        /// Its level.
        feature_level: i16 [0..],
    }

    /// A block of producer ids was given to a broker.
    message ProducerIdsRecord (versions 0..=0, flexible 0) {
        /// The broker.
        broker_id: i32 [0..],
        /// Its broker epoch, or -1.
        broker_epoch: i64 [0..] = -1,
        /// First id of the next block.
        next_producer_id: i64 [0..],
    }

    /// What changed of a broker's registration: 0 and null mean no change.
    message BrokerRegistrationChangeRecord (versions 0..=3, flexible 0) {
        /// Its node id.
        broker_id: i32 [0..],
        /// Its broker epoch.
        broker_epoch: i64 [0..],
        /// 1: fenced, -1: unfenced.
        fenced: i8 [0..] tag 0,
        /// 1: shutting down.
        in_controlled_shutdown: i8 [1..] tag 1,
        /// New log directory ids; empty: no change.
        log_dirs: Vec<Uuid> [2..] tag 2,
        /// New ids of log directories that take no new partitions.
        cordoned_log_dirs: Option<Vec<Uuid>> [3..] tag 3,
    }

    /// Nothing, to move the offset on.
    message NoOpRecord (versions 0..=0, flexible 0) {}

    /// Records from here on count only once the transaction ends.
    message BeginTransactionRecord (versions 0..=0, flexible 0) {
        /// What the transaction is for.
        name: Option<Text> [0..] tag 0,
    }

    /// The records since the beginning of the transaction count.
    message EndTransactionRecord (versions 0..=0, flexible 0) {}

    /// The records since the beginning of the transaction do not count.
    message AbortTransactionRecord (versions 0..=0, flexible 0) {
        /// Why.
        reason: Option<Text> [0..] tag 0,
    }

    /// The eligible leader replicas of a topic's partitions are void.
    message ClearElrRecord (versions 0..=0, flexible 0) {
        /// The topic; empty is all.
        topic_name: Text [0..],
    }
}

/// Types that Kafka 4.3 has and this broker gives no meaning to: delegation tokens (10, 26), SCRAM credentials (11, 22),
/// client quotas (14), ACLs (18, 19), ZooKeeper migration (21) and controllers (27).
const UNINTERPRETED_TYPES: [u32; 9] = [10, 11, 14, 18, 19, 21, 22, 26, 27];

/// The levels of `metadata.version` from which on a controller writes, and a broker reads, later versions of some records
/// (Kafka's `MetadataVersion`): migration from ZooKeeper 3.4-IV0, directories 3.7-IV2, eligible leaders 4.0-IV1, cordoned directories
/// 4.3-IV0.
const MIGRATION_LEVEL: i16 = 8;
const DIRECTORIES_LEVEL: i16 = 17;
const ELIGIBLE_LEADERS_LEVEL: i16 = 23;
const CORDONED_LEVEL: i16 = 30;

impl RegisterBrokerRecord {
    fn version_at(&self, level: i16) -> i16 {
        match level {
            CORDONED_LEVEL.. => 4,
            DIRECTORIES_LEVEL.. => 3,
            MIGRATION_LEVEL.. => 2,
            _ => 1,
        }
    }
}

/// The version of records about a partition.
fn partition_version_at(level: i16) -> i16 {
    match level {
        ELIGIBLE_LEADERS_LEVEL.. => 2,
        DIRECTORIES_LEVEL.. => 1,
        _ => 0,
    }
}

impl PartitionRecord {
    fn version_at(&self, level: i16) -> i16 {
        partition_version_at(level)
    }
}

impl PartitionChangeRecord {
    fn version_at(&self, level: i16) -> i16 {
        partition_version_at(level)
    }
}

impl BrokerRegistrationChangeRecord {
    /// The lowest version that says everything that changed, as Kafka's controller chooses it.
    fn version_at(&self, _: i16) -> i16 {
        if self.cordoned_log_dirs.is_some() {
            3
        } else if !self.log_dirs.is_empty() {
            2
        } else if self.in_controlled_shutdown != 0 {
            1
        } else {
            0
        }
    }
}

/// The table of records: type, and the version to write at a level of `metadata.version` where there is more than one.
macro_rules! metadata_records {
    (@version $record:ident, $value:ident, $level:ident) => { *$record::VERSIONS.end() };
    (@version $record:ident, $value:ident, $level:ident, $version:path) => { $version($value, $level) };
    ($($record:ident = $record_type:literal $(in $version:path)?,)*) => {
        /// A record of the metadata log.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each is documented as the record it holds")]
        pub enum MetadataRecord {
            $($record($record),)*
            /// A record whose type Kafka knows and which means nothing to this broker yet; kept as it is.
            Uninterpreted {
                /// Its type.
                record_type: u32,
                /// Its version.
                version: u32,
                /// Its body.
                body: Bytes,
            },
        }

        $(impl From<$record> for MetadataRecord {
            fn from(record: $record) -> MetadataRecord {
                MetadataRecord::$record(record)
            }
        })*

        impl MetadataRecord {
            /// Kafka's name of the record's type.
            pub fn name(&self) -> &'static str {
                match self {
                    $(MetadataRecord::$record(_) => $record::NAME,)*
                    MetadataRecord::Uninterpreted { .. } => "Uninterpreted",
                }
            }

            fn decode_body(r: &mut Reader, record_type: u32, version: u32) -> Result<MetadataRecord, WireError> {
                let unknown = WireError::UnknownRecordType { record_type, version };
                let Ok(schema_version) = i16::try_from(version) else { return Err(unknown) };
                match record_type {
                    $($record_type => $record::decode(r, schema_version).map(MetadataRecord::$record),)*
                    known if UNINTERPRETED_TYPES.contains(&known) => {
                        let body = r.take(r.remaining())?;
                        Ok(MetadataRecord::Uninterpreted { record_type, version, body })
                    }
                    _ => Err(unknown),
                }
            }

            /// Type, version and body. The version is the one that a cluster at this level writes.
            fn encode_body(&self, w: &mut Writer, level: i16) {
                match self {
                    $(MetadataRecord::$record(record) => {
                        let version = metadata_records!(@version $record, record, level $(, $version)?);
                        w.uvarint($record_type);
                        w.uvarint(version as u32);
                        record.encode(w, version);
                    })*
                    MetadataRecord::Uninterpreted { record_type, version, body } => {
                        w.uvarint(*record_type);
                        w.uvarint(*version);
                        w.slice(body);
                    }
                }
            }
        }
    };
}

metadata_records! {
    RegisterBrokerRecord = 0 in RegisterBrokerRecord::version_at,
    UnregisterBrokerRecord = 1,
    TopicRecord = 2,
    PartitionRecord = 3 in PartitionRecord::version_at,
    ConfigRecord = 4,
    PartitionChangeRecord = 5 in PartitionChangeRecord::version_at,
    FenceBrokerRecord = 7,
    UnfenceBrokerRecord = 8,
    RemoveTopicRecord = 9,
    FeatureLevelRecord = 12,
    ProducerIdsRecord = 15,
    BrokerRegistrationChangeRecord = 17 in BrokerRegistrationChangeRecord::version_at,
    NoOpRecord = 20,
    BeginTransactionRecord = 23,
    EndTransactionRecord = 24,
    AbortTransactionRecord = 25,
    ClearElrRecord = 28,
}

impl MetadataRecord {
    /// Reads the value of a record.
    ///
    /// # Errors
    /// Another frame version, an unknown type or version (never to be skipped), or a malformed body.
    pub fn decode(value: Bytes) -> Result<MetadataRecord, WireError> {
        let mut r = Reader::new(value);
        let found = r.uvarint()?;
        if found != FRAME_VERSION {
            return Err(WireError::UnknownFrameVersion { found });
        }
        let record_type = r.uvarint()?;
        let version = r.uvarint()?;
        MetadataRecord::decode_body(&mut r, record_type, version)
    }

    /// The value of the record in the newest versions.
    pub fn encode(&self) -> Bytes {
        self.encode_at(i16::MAX)
    }

    /// The value of the record as a cluster at this level of `metadata.version` writes it, so that all its brokers can read it. What
    /// the level has no word for is left out.
    pub fn encode_at(&self, level: i16) -> Bytes {
        let mut w = Writer::with_capacity(128);
        w.uvarint(FRAME_VERSION);
        self.encode_body(&mut w, level);
        w.finish_bytes()
    }
}

#[cfg(test)]
mod tests;
