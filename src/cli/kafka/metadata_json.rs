//! Records of the metadata log as JSON, as Kafka's `DumpLogSegments --cluster-metadata-decoder` prints them.
//!
//! Names and their order are those of Kafka's schemas; a field is there in the versions that have it, a tagged one only if it says
//! something. Pure.

use bytes::Bytes;
use uuid::Uuid;

use super::json::Json;
use crate::types::kafka_uuid;
use crate::wire::control_records::{ControlRecord, LeaderChangeMessage, Voter};
use crate::wire::metadata_records::{
    BrokerEndpoint, BrokerFeature, BrokerRegistrationChangeRecord, MetadataRecord,
    PartitionChangeRecord, PartitionRecord, RegisterBrokerRecord,
};
use crate::wire::{Reader, Text, WireError};

/// The value of a record: its type, version and fields.
///
/// # Errors
/// It is none that Kafka knows.
pub fn metadata_json(value: &Bytes) -> Result<Json, WireError> {
    let record = MetadataRecord::decode(value.clone())?;
    let mut head = Reader::new(value.clone());
    let (_frame, record_type, version) = (head.uvarint()?, head.uvarint()?, head.uvarint()?);
    let kind = match &record {
        MetadataRecord::Uninterpreted { .. } => Json::number(record_type),
        known => Json::text(&screaming(known.name())),
    };
    Ok(Json::object([
        ("type", kind),
        ("version", Json::number(version)),
        ("data", Json::Object(fields(&record, version).0)),
    ]))
}

/// A control record of the metadata log as Kafka's command tells it; `None` for those it has no words of its own for.
pub fn control_text(key: &[u8], value: &[u8]) -> Option<String> {
    let &[_, _, high, low, ..] = key else {
        return None;
    };
    let kind = i16::from_be_bytes([high, low]);
    let record = ControlRecord::decode(kind, Bytes::copy_from_slice(value)).ok()??;
    Some(match record {
        ControlRecord::LeaderChange(it) => format!("LeaderChange: {}", leader_change(&it)),
        ControlRecord::SnapshotHeader(it) => {
            let json = Json::object([
                ("version", Json::number(it.version)),
                (
                    "lastContainedLogTimestamp",
                    Json::number(it.last_contained_log_timestamp),
                ),
            ]);
            format!("SnapshotHeader {json}")
        }
        ControlRecord::SnapshotFooter(it) => {
            let json = Json::object([("version", Json::number(it.version))]);
            format!("SnapshotFooter {json}")
        }
        ControlRecord::KRaftVersion(it) => {
            let json = Json::object([
                ("version", Json::number(it.version)),
                ("kRaftVersion", Json::number(it.k_raft_version)),
            ]);
            format!("KRaftVersion {json}")
        }
        ControlRecord::KRaftVoters(_) => return None,
    })
}

fn leader_change(it: &LeaderChangeMessage) -> Json {
    let voters = |list: &[Voter]| {
        let voter = |one: &Voter| {
            Json::Object(
                Fields::of([("voterId", Json::number(one.voter_id))])
                    .and_if(
                        it.version >= 1,
                        "voterDirectoryId",
                        id(one.voter_directory_id),
                    )
                    .0,
            )
        };
        Json::List(list.iter().map(voter).collect())
    };
    Json::object([
        ("version", Json::number(it.version)),
        ("leaderId", Json::number(it.leader_id)),
        ("voters", voters(&it.voters)),
        ("grantingVoters", voters(&it.granting_voters)),
    ])
}

/// `TopicRecord` as `TOPIC_RECORD`.
fn screaming(name: &str) -> String {
    let mut screaming = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !screaming.is_empty() {
            screaming.push('_');
        }
        screaming.push(letter.to_ascii_uppercase());
    }
    screaming
}

/// The fields of an object, in order.
struct Fields(Vec<(String, Json)>);

impl Fields {
    fn of<const N: usize>(pairs: [(&str, Json); N]) -> Fields {
        Fields(Vec::new()).and(pairs)
    }

    fn and<const N: usize>(mut self, pairs: [(&str, Json); N]) -> Fields {
        let owned = |(name, value): (&str, Json)| (name.to_owned(), value);
        self.0.extend(pairs.into_iter().map(owned));
        self
    }

    /// A field that is there only if `there`: of a later version, or a tagged one without a value.
    fn and_if(mut self, there: bool, name: &str, value: Json) -> Fields {
        if there {
            self.0.push((name.to_owned(), value));
        }
        self
    }

    /// A tagged list: there unless it is null.
    fn and_some(self, name: &str, list: Option<&Vec<i32>>) -> Fields {
        let value = list.map_or(Json::Null, |list| numbers(list));
        self.and_if(list.is_some(), name, value)
    }

    fn and_some_ids(self, name: &str, list: Option<&Vec<Uuid>>) -> Fields {
        let value = list.map_or(Json::Null, |list| ids(list));
        self.and_if(list.is_some(), name, value)
    }
}

fn fields(record: &MetadataRecord, version: u32) -> Fields {
    match record {
        MetadataRecord::RegisterBrokerRecord(it) => registration(it, version),
        MetadataRecord::UnregisterBrokerRecord(it) => Fields::of([
            ("brokerId", Json::number(it.broker_id)),
            ("brokerEpoch", Json::number(it.broker_epoch)),
        ]),
        MetadataRecord::TopicRecord(it) => {
            Fields::of([("name", text(&it.name)), ("topicId", id(it.topic_id))])
        }
        MetadataRecord::PartitionRecord(it) => partition(it, version),
        MetadataRecord::ConfigRecord(it) => Fields::of([
            ("resourceType", Json::number(it.resource_type)),
            ("resourceName", text(&it.resource_name)),
            ("name", text(&it.name)),
            ("value", it.value.as_ref().map_or(Json::Null, text)),
        ]),
        MetadataRecord::PartitionChangeRecord(it) => partition_change(it),
        MetadataRecord::FenceBrokerRecord(it) => Fields::of([
            ("id", Json::number(it.id)),
            ("epoch", Json::number(it.epoch)),
        ]),
        MetadataRecord::UnfenceBrokerRecord(it) => Fields::of([
            ("id", Json::number(it.id)),
            ("epoch", Json::number(it.epoch)),
        ]),
        MetadataRecord::RemoveTopicRecord(it) => Fields::of([("topicId", id(it.topic_id))]),
        MetadataRecord::FeatureLevelRecord(it) => Fields::of([
            ("name", text(&it.name)),
            ("featureLevel", Json::number(it.feature_level)),
        ]),
        MetadataRecord::ProducerIdsRecord(it) => Fields::of([
            ("brokerId", Json::number(it.broker_id)),
            ("brokerEpoch", Json::number(it.broker_epoch)),
            ("nextProducerId", Json::number(it.next_producer_id)),
        ]),
        MetadataRecord::BrokerRegistrationChangeRecord(it) => registration_change(it),
        MetadataRecord::NoOpRecord(_) | MetadataRecord::EndTransactionRecord(_) => Fields::of([]),
        MetadataRecord::BeginTransactionRecord(it) => {
            let name = it.name.as_ref().map_or(Json::Null, text);
            Fields::of([]).and_if(it.name.is_some(), "name", name)
        }
        MetadataRecord::AbortTransactionRecord(it) => {
            let reason = it.reason.as_ref().map_or(Json::Null, text);
            Fields::of([]).and_if(it.reason.is_some(), "reason", reason)
        }
        MetadataRecord::ClearElrRecord(it) => Fields::of([("topicName", text(&it.topic_name))]),
        // What it says is not known here: how much it is at least.
        MetadataRecord::Uninterpreted { body, .. } => Fields::of([(
            "bytes",
            Json::number(i64::try_from(body.len()).unwrap_or(i64::MAX)),
        )]),
    }
}

fn registration(it: &RegisterBrokerRecord, version: u32) -> Fields {
    Fields::of([("brokerId", Json::number(it.broker_id))])
        .and_if(
            version >= 2,
            "isMigratingZkBroker",
            Json::Bool(it.is_migrating_zk_broker),
        )
        .and([
            ("incarnationId", id(it.incarnation_id)),
            ("brokerEpoch", Json::number(it.broker_epoch)),
            (
                "endPoints",
                Json::List(it.end_points.iter().map(endpoint).collect()),
            ),
            (
                "features",
                Json::List(it.features.iter().map(feature).collect()),
            ),
            ("rack", it.rack.as_ref().map_or(Json::Null, text)),
            ("fenced", Json::Bool(it.fenced)),
        ])
        .and_if(
            version >= 1,
            "inControlledShutdown",
            Json::Bool(it.in_controlled_shutdown),
        )
        .and_if(!it.log_dirs.is_empty(), "logDirs", ids(&it.log_dirs))
        .and_some_ids("cordonedLogDirs", it.cordoned_log_dirs.as_ref())
}

fn registration_change(it: &BrokerRegistrationChangeRecord) -> Fields {
    let shutdown = it.in_controlled_shutdown;
    Fields::of([
        ("brokerId", Json::number(it.broker_id)),
        ("brokerEpoch", Json::number(it.broker_epoch)),
    ])
    .and_if(it.fenced != 0, "fenced", Json::number(it.fenced))
    .and_if(
        shutdown != 0,
        "inControlledShutdown",
        Json::number(shutdown),
    )
    .and_if(!it.log_dirs.is_empty(), "logDirs", ids(&it.log_dirs))
    .and_some_ids("cordonedLogDirs", it.cordoned_log_dirs.as_ref())
}

fn partition(it: &PartitionRecord, version: u32) -> Fields {
    let recovery = it.leader_recovery_state;
    Fields::of([
        ("partitionId", Json::number(it.partition_id)),
        ("topicId", id(it.topic_id)),
        ("replicas", numbers(&it.replicas)),
        ("isr", numbers(&it.isr)),
        ("removingReplicas", numbers(&it.removing_replicas)),
        ("addingReplicas", numbers(&it.adding_replicas)),
        ("leader", Json::number(it.leader)),
    ])
    .and_if(recovery != 0, "leaderRecoveryState", Json::number(recovery))
    .and([
        ("leaderEpoch", Json::number(it.leader_epoch)),
        ("partitionEpoch", Json::number(it.partition_epoch)),
    ])
    .and_if(version >= 1, "directories", ids(&it.directories))
    .and_some(
        "eligibleLeaderReplicas",
        it.eligible_leader_replicas.as_ref(),
    )
    .and_some("lastKnownElr", it.last_known_elr.as_ref())
}

fn partition_change(it: &PartitionChangeRecord) -> Fields {
    /// No change of the leader, and of the recovery state.
    const SAME_LEADER: i32 = -2;
    const SAME_STATE: i8 = -1;
    let recovery = it.leader_recovery_state;
    Fields::of([
        ("partitionId", Json::number(it.partition_id)),
        ("topicId", id(it.topic_id)),
    ])
    .and_some("isr", it.isr.as_ref())
    .and_if(it.leader != SAME_LEADER, "leader", Json::number(it.leader))
    .and_some("replicas", it.replicas.as_ref())
    .and_some("removingReplicas", it.removing_replicas.as_ref())
    .and_some("addingReplicas", it.adding_replicas.as_ref())
    .and_if(
        recovery != SAME_STATE,
        "leaderRecoveryState",
        Json::number(recovery),
    )
    .and_some_ids("directories", it.directories.as_ref())
    .and_some(
        "eligibleLeaderReplicas",
        it.eligible_leader_replicas.as_ref(),
    )
    .and_some("lastKnownElr", it.last_known_elr.as_ref())
}

fn endpoint(it: &BrokerEndpoint) -> Json {
    Json::object([
        ("name", text(&it.name)),
        ("host", text(&it.host)),
        ("port", Json::number(it.port)),
        ("securityProtocol", Json::number(it.security_protocol)),
    ])
}

fn feature(it: &BrokerFeature) -> Json {
    Json::object([
        ("name", text(&it.name)),
        (
            "minSupportedVersion",
            Json::number(it.min_supported_version),
        ),
        (
            "maxSupportedVersion",
            Json::number(it.max_supported_version),
        ),
    ])
}

fn text(text: &Text) -> Json {
    Json::text(text)
}

fn id(id: Uuid) -> Json {
    Json::text(&kafka_uuid::encode(id))
}

fn ids(list: &[Uuid]) -> Json {
    Json::List(list.iter().map(|one| id(*one)).collect())
}

fn numbers(list: &[i32]) -> Json {
    Json::List(list.iter().map(|number| Json::number(*number)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::metadata_records::{FeatureLevelRecord, NoOpRecord, TopicRecord};

    fn printed(record: impl Into<MetadataRecord>) -> String {
        let json = metadata_json(&record.into().encode()).expect("a record of ours");
        json.to_string()
    }

    #[test]
    fn a_record_is_told_with_its_type_version_and_fields() {
        let topic = TopicRecord {
            name: "t".into(),
            topic_id: Uuid::from_u128(1),
        };
        assert_eq!(
            printed(topic),
            r#"{"type":"TOPIC_RECORD","version":0,"data":{"name":"t","topicId":"AAAAAAAAAAAAAAAAAAAAAQ"}}"#
        );
        let level = FeatureLevelRecord {
            name: "metadata.version".into(),
            feature_level: 29,
        };
        assert_eq!(
            printed(level),
            r#"{"type":"FEATURE_LEVEL_RECORD","version":0,"data":{"name":"metadata.version","featureLevel":29}}"#
        );
        assert_eq!(
            printed(NoOpRecord {}),
            r#"{"type":"NO_OP_RECORD","version":0,"data":{}}"#
        );
    }

    #[test]
    fn the_leader_of_the_metadata_log_is_told() {
        let change = LeaderChangeMessage {
            version: 0,
            leader_id: 1,
            voters: vec![Voter {
                voter_id: 1,
                ..Voter::default()
            }],
            granting_voters: vec![],
        };
        let record = ControlRecord::LeaderChange(change);
        let text = control_text(&record.key(), &record.encode());
        assert_eq!(
            text.as_deref(),
            Some(
                r#"LeaderChange: {"version":0,"leaderId":1,"voters":[{"voterId":1}],"grantingVoters":[]}"#
            )
        );
        assert_eq!(
            control_text(&[0, 0, 0, 0], &[0, 0, 0, 0, 0, 0]),
            None,
            "a transaction's"
        );
    }

    #[test]
    fn a_tagged_field_is_told_if_it_says_something() {
        let change = PartitionChangeRecord {
            partition_id: 3,
            topic_id: Uuid::from_u128(1),
            isr: Some(vec![1, 2]),
            leader: -2,
            leader_recovery_state: -1,
            ..PartitionChangeRecord::default()
        };
        assert_eq!(
            printed(change),
            r#"{"type":"PARTITION_CHANGE_RECORD","version":2,"data":{"partitionId":3,"topicId":"AAAAAAAAAAAAAAAAAAAAAQ","isr":[1,2]}}"#
        );
    }
}
