//! The codec against an independent one: the `kafka-protocol` crate, whose code is generated from Kafka's schemas.
//!
//! For random messages of every version: what we write, the other reads to the last byte and writes again to the same
//! bytes, and we read back what we wrote. Versions which the other lacks are held by the bytes in `vectors` and
//! `administration_vectors`.

use std::fmt::Debug;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use proptest::prelude::*;

use super::api::{self, ApiKey};
use super::messages as ours;
use super::sample::{Entropy, Sample};
use super::schema::Dialect;
use super::{Message, Piece, Reader, Request, Writer, encode_request, encode_response};

mod administration_vectors;
mod transaction_vectors;
mod vectors;

fn sampled<M: Message + Sample>(entropy: &[u8], version: i16) -> M {
    M::sample(
        &mut Entropy(entropy),
        Dialect {
            version,
            flexible: version >= M::FLEXIBLE_FROM,
        },
    )
}

fn encoded<M: Message>(message: &M, version: i16) -> Bytes {
    let mut w = Writer::default();
    message.encode(&mut w, version);
    w.finish_bytes()
}

/// Versions that both codecs have.
fn common_versions<Ours: Message, Theirs: kafka_protocol::protocol::Message>()
-> impl Iterator<Item = i16> {
    Ours::VERSIONS.filter(|version| (Theirs::VERSIONS.min..=Theirs::VERSIONS.max).contains(version))
}

fn check_own_round_trip<M: Message + Sample>(entropy: &[u8]) -> Result<(), TestCaseError> {
    for version in M::VERSIONS {
        let message: M = sampled(entropy, version);
        let mut r = Reader::new(encoded(&message, version));
        let read = M::decode(&mut r, version)
            .map_err(|fault| TestCaseError::fail(format!("v{version}: {fault}")))?;
        prop_assert_eq!(read, message, "version {}", version);
        prop_assert_eq!(r.remaining(), 0, "version {}", version);
    }
    Ok(())
}

fn check_theirs_agrees<Ours, Theirs>(entropy: &[u8]) -> Result<(), TestCaseError>
where
    Ours: Message + Sample,
    Theirs: kafka_protocol::protocol::Message + Encodable + Decodable + Debug,
{
    for version in common_versions::<Ours, Theirs>() {
        let bytes = encoded(&sampled::<Ours>(entropy, version), version);
        let mut rest = bytes.clone();
        let read = Theirs::decode(&mut rest, version)
            .map_err(|fault| TestCaseError::fail(format!("v{version}: {fault}")))?;
        prop_assert!(
            !rest.has_remaining(),
            "version {}: bytes left over",
            version
        );
        prop_assert!(knows_every_tag(&read), "version {}: {:?}", version, read);
        let mut again = BytesMut::new();
        read.encode(&mut again, version)
            .map_err(|fault| TestCaseError::fail(format!("v{version}: {fault}")))?;
        prop_assert_eq!(again.freeze(), bytes, "version {}", version);
    }
    Ok(())
}

/// Their messages keep tagged fields they do not know and would write them again: a wrong tag would go unseen.
fn knows_every_tag(message: &impl Debug) -> bool {
    let printed = format!("{message:?}");
    printed.matches("unknown_tagged_fields: {").count()
        == printed.matches("unknown_tagged_fields: {}").count()
}

/// A damaged message is read or refused, and whatever is read can be written and read again.
fn check_damage_is_survived<M: Message + Sample>(
    entropy: &[u8],
    damage: &[(u16, u8)],
) -> Result<(), TestCaseError> {
    for version in M::VERSIONS {
        let mut bytes = encoded(&sampled::<M>(entropy, version), version).to_vec();
        for (at, byte) in damage {
            let at = usize::from(*at) % bytes.len().max(1);
            if let Some(target) = bytes.get_mut(at) {
                *target = *byte;
            }
        }
        if let Ok(read) = M::decode(&mut Reader::new(Bytes::from(bytes)), version) {
            let again = M::decode(&mut Reader::new(encoded(&read, version)), version);
            prop_assert_eq!(again, Ok(read), "version {}", version);
        }
    }
    Ok(())
}

/// What their default message is in bytes, ours reads and writes again to the same bytes.
fn check_their_default<Ours, Theirs>()
where
    Ours: Message,
    Theirs: kafka_protocol::protocol::Message + Encodable + Default,
{
    for version in common_versions::<Ours, Theirs>() {
        let mut bytes = BytesMut::new();
        Theirs::default()
            .encode(&mut bytes, version)
            .expect("their default can be written");
        let bytes = bytes.freeze();
        let read = Ours::decode(&mut Reader::new(bytes.clone()), version)
            .expect("their default can be read");
        assert_eq!(encoded(&read, version), bytes, "{} {version}", Ours::NAME);
    }
}

/// Of this one the oracle knows the flexible version alone and takes every version for one.
const HEADER_UNKNOWN: (ApiKey, i16) = (ApiKey::WriteTxnMarkers, 0);

/// Headers and length prefix around an empty body, read with their header types.
fn check_frames<R: Request, Theirs: HeaderVersion, TheirAnswer: HeaderVersion>()
where
    R::Response: Message,
{
    let known = R::VERSIONS.filter(|version| (R::KEY, *version) != HEADER_UNKNOWN);
    for version in known {
        let mut frame = joined(encode_request(Some("client"), 77, version, &R::default()));
        assert_eq!(frame.get_i32() as usize, frame.remaining());
        let header =
            theirs::RequestHeader::decode(&mut frame, Theirs::header_version(version)).unwrap();
        assert_eq!(header.request_api_key, R::KEY as i16);
        assert_eq!(header.request_api_version, version);
        assert_eq!(header.correlation_id, 77);
        assert_eq!(header.client_id.as_deref(), Some("client"));
        assert_eq!(frame, encoded(&R::default(), version));

        let mut frame = joined(encode_response(
            77,
            R::KEY,
            version,
            &R::Response::default(),
        ));
        assert_eq!(frame.get_i32() as usize, frame.remaining());
        let header =
            theirs::ResponseHeader::decode(&mut frame, TheirAnswer::header_version(version))
                .unwrap();
        assert_eq!(header.correlation_id, 77);
        assert_eq!(frame, encoded(&R::Response::default(), version));
    }
}

fn joined(pieces: Vec<Piece>) -> Bytes {
    let mut frame = BytesMut::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => frame.extend_from_slice(&bytes),
            Piece::External { .. } => panic!("no external piece expected"),
        }
    }
    frame.freeze()
}

macro_rules! apis {
    ($($module:ident: $request:ident, $response:ident;)*) => {
        $(mod $module {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(256))]

                #[test]
                fn random_messages_read_back(entropy in prop::collection::vec(any::<u8>(), 0..1500)) {
                    check_own_round_trip::<ours::$module::$request>(&entropy)?;
                    check_own_round_trip::<ours::$module::$response>(&entropy)?;
                }

                #[test]
                fn random_messages_are_read_and_written_alike_by_the_oracle(
                    entropy in prop::collection::vec(any::<u8>(), 0..1500),
                ) {
                    check_theirs_agrees::<ours::$module::$request, theirs::$request>(&entropy)?;
                    check_theirs_agrees::<ours::$module::$response, theirs::$response>(&entropy)?;
                }

                #[test]
                fn damaged_messages_are_survived(
                    entropy in prop::collection::vec(any::<u8>(), 0..300),
                    damage in prop::collection::vec(any::<(u16, u8)>(), 1..6),
                ) {
                    check_damage_is_survived::<ours::$module::$request>(&entropy, &damage)?;
                    check_damage_is_survived::<ours::$module::$response>(&entropy, &damage)?;
                }
            }

            #[test]
            fn what_the_oracle_writes_is_read() {
                check_their_default::<ours::$module::$request, theirs::$request>();
                check_their_default::<ours::$module::$response, theirs::$response>();
            }

            #[test]
            fn frames_have_the_headers_the_oracle_expects() {
                check_frames::<ours::$module::$request, theirs::$request, theirs::$response>();
            }
        })*

        #[test]
        fn every_row_of_the_table_is_checked() {
            let checked = [$(ours::$module::$request::KEY),*];
            for row in api::TABLE {
                assert!(checked.contains(&row.key), "{}", row.key);
            }
        }

        #[test]
        fn versions_the_oracle_lacks_are_held_by_vectors() {
            let mut lacking = Vec::new();
            $(for version in ours::$module::$request::VERSIONS {
                let common = common_versions::<ours::$module::$request, theirs::$request>();
                if !common.into_iter().any(|has| has == version) {
                    lacking.push((ours::$module::$request::KEY, version));
                }
            })*
            lacking.sort();
            assert_eq!(lacking, vectors::COVERED);
        }
    };
}

apis! {
    offset_commit: OffsetCommitRequest, OffsetCommitResponse;
    offset_fetch: OffsetFetchRequest, OffsetFetchResponse;
    join_group: JoinGroupRequest, JoinGroupResponse;
    heartbeat: HeartbeatRequest, HeartbeatResponse;
    leave_group: LeaveGroupRequest, LeaveGroupResponse;
    sync_group: SyncGroupRequest, SyncGroupResponse;
    describe_groups: DescribeGroupsRequest, DescribeGroupsResponse;
    list_groups: ListGroupsRequest, ListGroupsResponse;
    delete_groups: DeleteGroupsRequest, DeleteGroupsResponse;
    offset_delete: OffsetDeleteRequest, OffsetDeleteResponse;
    produce: ProduceRequest, ProduceResponse;
    fetch: FetchRequest, FetchResponse;
    list_offsets: ListOffsetsRequest, ListOffsetsResponse;
    metadata: MetadataRequest, MetadataResponse;
    find_coordinator: FindCoordinatorRequest, FindCoordinatorResponse;
    api_versions: ApiVersionsRequest, ApiVersionsResponse;
    create_topics: CreateTopicsRequest, CreateTopicsResponse;
    delete_topics: DeleteTopicsRequest, DeleteTopicsResponse;
    delete_records: DeleteRecordsRequest, DeleteRecordsResponse;
    init_producer_id: InitProducerIdRequest, InitProducerIdResponse;
    add_partitions_to_txn: AddPartitionsToTxnRequest, AddPartitionsToTxnResponse;
    add_offsets_to_txn: AddOffsetsToTxnRequest, AddOffsetsToTxnResponse;
    end_txn: EndTxnRequest, EndTxnResponse;
    write_txn_markers: WriteTxnMarkersRequest, WriteTxnMarkersResponse;
    txn_offset_commit: TxnOffsetCommitRequest, TxnOffsetCommitResponse;
    offset_for_leader_epoch: OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    describe_acls: DescribeAclsRequest, DescribeAclsResponse;
    create_acls: CreateAclsRequest, CreateAclsResponse;
    delete_acls: DeleteAclsRequest, DeleteAclsResponse;
    describe_configs: DescribeConfigsRequest, DescribeConfigsResponse;
    alter_configs: AlterConfigsRequest, AlterConfigsResponse;
    alter_replica_log_dirs: AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse;
    describe_log_dirs: DescribeLogDirsRequest, DescribeLogDirsResponse;
    create_partitions: CreatePartitionsRequest, CreatePartitionsResponse;
    elect_leaders: ElectLeadersRequest, ElectLeadersResponse;
    incremental_alter_configs: IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
    alter_partition_reassignments: AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse;
    list_partition_reassignments: ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse;
    describe_quorum: DescribeQuorumRequest, DescribeQuorumResponse;
    update_features: UpdateFeaturesRequest, UpdateFeaturesResponse;
    describe_cluster: DescribeClusterRequest, DescribeClusterResponse;
    describe_producers: DescribeProducersRequest, DescribeProducersResponse;
    describe_transactions: DescribeTransactionsRequest, DescribeTransactionsResponse;
    list_transactions: ListTransactionsRequest, ListTransactionsResponse;
    list_config_resources: ListConfigResourcesRequest, ListConfigResourcesResponse;
    describe_topic_partitions: DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
}
