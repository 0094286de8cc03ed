//! Versions the oracle does not have, as bytes that the serializers of Kafka 3.9 (and of 4.3 for ListOffsets 11) write
//! for the same message.

use super::ours::create_topics::*;
use super::ours::delete_topics::*;
use super::ours::describe_configs::*;
use super::ours::fetch::*;
use super::ours::list_offsets::*;
use super::ours::offset_commit::*;
use super::ours::offset_fetch::*;
use super::ours::produce::*;
use super::*;
use crate::wire::{ErrorCode, Records, Text};

/// What the tests below hold, and those in `administration_vectors`.
pub(super) const COVERED: &[(ApiKey, i16)] = &[
    (ApiKey::Produce, 0),
    (ApiKey::Produce, 1),
    (ApiKey::Produce, 2),
    (ApiKey::Fetch, 0),
    (ApiKey::Fetch, 1),
    (ApiKey::Fetch, 2),
    (ApiKey::Fetch, 3),
    (ApiKey::ListOffsets, 0),
    (ApiKey::ListOffsets, 11),
    (ApiKey::OffsetCommit, 0),
    (ApiKey::OffsetCommit, 1),
    (ApiKey::OffsetCommit, 10),
    (ApiKey::OffsetFetch, 0),
    (ApiKey::OffsetFetch, 10),
    (ApiKey::CreateTopics, 0),
    (ApiKey::CreateTopics, 1),
    (ApiKey::DeleteTopics, 0),
    (ApiKey::OffsetForLeaderEpoch, 0),
    (ApiKey::OffsetForLeaderEpoch, 1),
    (ApiKey::WriteTxnMarkers, 0),
    (ApiKey::WriteTxnMarkers, 2),
    (ApiKey::DescribeAcls, 0),
    (ApiKey::CreateAcls, 0),
    (ApiKey::DeleteAcls, 0),
    (ApiKey::DescribeConfigs, 0),
    (ApiKey::AlterReplicaLogDirs, 0),
    (ApiKey::DescribeLogDirs, 0),
    (ApiKey::DescribeLogDirs, 5),
];

#[track_caller]
pub(super) fn check<M: Message>(message: M, versions: impl IntoIterator<Item = i16>, hex: &str) {
    let expected = unhex(hex);
    for version in versions {
        let bytes = encoded(&message, version);
        assert_eq!(bytes, expected, "{} version {version}", M::NAME);
        let read = M::decode(&mut Reader::new(bytes.clone()), version).unwrap();
        assert_eq!(
            encoded(&read, version),
            expected,
            "{} version {version} read and written again",
            M::NAME
        );
    }
}

fn unhex(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

pub(super) fn text(text: &str) -> Text {
    Text::from(text)
}

fn records() -> Records {
    Records::Bytes(Bytes::from_static(&[1, 2, 3]))
}

#[test]
fn produce_before_record_batches() {
    let partition_data = vec![PartitionProduceData {
        index: 2,
        records: records(),
    }];
    let topic_data = vec![TopicProduceData {
        name: text("tea"),
        partition_data,
        ..Default::default()
    }];
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data,
        ..Default::default()
    };
    check(
        request,
        0..=2,
        "ffff 00007530 00000001 0003746561 00000001 00000002 00000003 010203",
    );

    let partition = PartitionProduceResponse {
        index: 2,
        error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        base_offset: 77,
        log_append_time_ms: 1000,
        ..Default::default()
    };
    let topic = TopicProduceResponse {
        name: text("tea"),
        partition_responses: vec![partition],
        ..Default::default()
    };
    let response = ProduceResponse {
        responses: vec![topic],
        throttle_time_ms: 9,
        ..Default::default()
    };
    let head = "00000001 0003746561 00000001 00000002 0003 000000000000004d";
    check(response.clone(), [0], head);
    check(response.clone(), [1], &format!("{head} 00000009"));
    check(response, [2], &format!("{head} 00000000000003e8 00000009"));
}

#[test]
fn fetch_before_isolation_levels() {
    let partition = FetchPartition {
        partition: 2,
        fetch_offset: 77,
        partition_max_bytes: 4096,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: text("tea"),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![topic],
        ..Default::default()
    };
    let topics = "00000001 0003746561 00000001 00000002 000000000000004d 00001000";
    check(
        request.clone(),
        0..=2,
        &format!("ffffffff 000001f4 00000001 {topics}"),
    );
    check(
        request,
        [3],
        &format!("ffffffff 000001f4 00000001 00100000 {topics}"),
    );

    let partition = PartitionData {
        partition_index: 2,
        error_code: ErrorCode::OFFSET_OUT_OF_RANGE,
        high_watermark: 80,
        records: records(),
        ..Default::default()
    };
    let topic = FetchableTopicResponse {
        topic: text("tea"),
        partitions: vec![partition],
        ..Default::default()
    };
    let response = FetchResponse {
        throttle_time_ms: 9,
        responses: vec![topic],
        ..Default::default()
    };
    let topics = "00000001 0003746561 00000001 00000002 0001 0000000000000050 00000003 010203";
    check(response.clone(), [0], topics);
    check(response, 1..=3, &format!("00000009 {topics}"));
}

#[test]
fn list_offsets_with_many_offsets_and_with_the_newest_version() {
    let request = |partition: ListOffsetsPartition| ListOffsetsRequest {
        isolation_level: 1,
        topics: vec![ListOffsetsTopic {
            name: text("tea"),
            partitions: vec![partition],
        }],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let base = ListOffsetsPartition {
        partition_index: 2,
        ..Default::default()
    };
    let old = ListOffsetsPartition {
        timestamp: EARLIEST_TIMESTAMP,
        max_num_offsets: 5,
        ..base.clone()
    };
    let head = "ffffffff 00000001 0003746561 00000001 00000002";
    check(
        request(old),
        [0],
        &format!("{head} fffffffffffffffe 00000005"),
    );
    let new = ListOffsetsPartition {
        timestamp: EARLIEST_PENDING_UPLOAD_TIMESTAMP,
        current_leader_epoch: 4,
        ..base
    };
    let bytes = "ffffffff 01 02 04746561 02 00000002 00000004 fffffffffffffffa 00 00 00007530 00";
    check(request(new), [11], bytes);

    let partition = ListOffsetsPartitionResponse {
        partition_index: 2,
        old_style_offsets: vec![77, 0],
        timestamp: 1000,
        offset: 77,
        leader_epoch: 4,
        ..Default::default()
    };
    let topics = vec![ListOffsetsTopicResponse {
        name: text("tea"),
        partitions: vec![partition],
    }];
    let response = ListOffsetsResponse {
        throttle_time_ms: 9,
        topics,
    };
    let offsets = "00000002 000000000000004d 0000000000000000";
    let bytes = format!("00000001 0003746561 00000001 00000002 0000 {offsets}");
    check(response.clone(), [0], &bytes);
    let bytes =
        "00000009 02 04746561 02 00000002 0000 00000000000003e8 000000000000004d 00000004 00 00 00";
    check(response, [11], bytes);
}

#[test]
fn create_topics_before_throttling() {
    let config = |name: &str, value| CreatableTopicConfig {
        name: text(name),
        value,
    };
    let topic = CreatableTopic {
        name: text("tea"),
        num_partitions: -1,
        replication_factor: -1,
        assignments: vec![CreatableReplicaAssignment {
            partition_index: 0,
            broker_ids: vec![1, 2],
        }],
        configs: vec![config("k", Some(text("v"))), config("n", None)],
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: 30_000,
        validate_only: true,
    };
    let assignments = "00000001 00000000 00000002 00000001 00000002";
    let configs = "00000002 00016b 000176 00016e ffff";
    let v0 = format!("00000001 0003746561 ffffffff ffff {assignments} {configs} 00007530");
    check(request.clone(), [0], &v0);
    check(request, [1], &format!("{v0} 01"));

    let topic = CreatableTopicResult {
        name: text("tea"),
        error_code: ErrorCode::TOPIC_ALREADY_EXISTS,
        error_message: Some(text("exists")),
        ..Default::default()
    };
    let response = CreateTopicsResponse {
        topics: vec![topic],
        ..Default::default()
    };
    check(response.clone(), [0], "00000001 0003746561 0024");
    check(response, [1], "00000001 0003746561 0024 0006657869737473");
}

#[test]
fn delete_topics_before_throttling() {
    let topic_names = vec![text("tea"), text("pot")];
    let request = DeleteTopicsRequest {
        topic_names,
        timeout_ms: 30_000,
        ..Default::default()
    };
    check(request, [0], "00000002 0003746561 0003706f74 00007530");
    let topic = DeletableTopicResult {
        name: Some(text("tea")),
        error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ..Default::default()
    };
    let response = DeleteTopicsResponse {
        throttle_time_ms: 9,
        responses: vec![topic],
    };
    check(response, [0], "00000001 0003746561 0003");
}

#[test]
fn offset_for_leader_epoch_before_fencing() {
    use ours::offset_for_leader_epoch::*;

    let partition = OffsetForLeaderPartition {
        partition: 2,
        current_leader_epoch: 3,
        leader_epoch: 4,
    };
    let topics = vec![OffsetForLeaderTopic {
        topic: text("tea"),
        partitions: vec![partition],
    }];
    let request = OffsetForLeaderEpochRequest {
        topics,
        ..Default::default()
    };
    check(
        request,
        0..=1,
        "00000001 0003746561 00000001 00000002 00000004",
    );

    let end = EpochEndOffset {
        partition: 2,
        leader_epoch: 4,
        end_offset: 77,
        ..Default::default()
    };
    let topics = vec![OffsetForLeaderTopicResult {
        topic: text("tea"),
        partitions: vec![end],
    }];
    let response = OffsetForLeaderEpochResponse {
        throttle_time_ms: 9,
        topics,
    };
    let head = "00000001 0003746561 00000001 0000 00000002";
    check(response.clone(), [0], &format!("{head} 000000000000004d"));
    check(response, [1], &format!("{head} 00000004 000000000000004d"));
}

#[test]
fn describe_configs_before_synonyms() {
    let resource = |resource_type, name: &str, configuration_keys| DescribeConfigsResource {
        resource_type,
        resource_name: text(name),
        configuration_keys,
    };
    let resources = vec![
        resource(2, "tea", Some(vec![text("k")])),
        resource(4, "1", None),
    ];
    let request = DescribeConfigsRequest {
        resources,
        ..Default::default()
    };
    check(
        request,
        [0],
        "00000002 02 0003746561 00000001 00016b 04 000131 ffffffff",
    );

    let config = DescribeConfigsResourceResult {
        name: text("k"),
        value: Some(text("v")),
        is_default: true,
        ..Default::default()
    };
    let result = DescribeConfigsResult {
        resource_type: 2,
        resource_name: text("tea"),
        configs: vec![config],
        ..Default::default()
    };
    let response = DescribeConfigsResponse {
        throttle_time_ms: 9,
        results: vec![result],
    };
    check(
        response,
        [0],
        "00000009 00000001 0000 ffff 02 0003746561 00000001 00016b 000176 00 01 00",
    );
}

const TOPIC_ID: &str = "000102030405060708090a0b0c0d0e0f";

fn topic_id() -> uuid::Uuid {
    uuid::Uuid::parse_str(TOPIC_ID).unwrap()
}

fn commit_request() -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: text("g"),
        generation_id_or_member_epoch: 5,
        member_id: text("m"),
        topics: vec![OffsetCommitRequestTopic {
            name: text("tea"),
            topic_id: topic_id(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 2,
                committed_offset: 7,
                committed_leader_epoch: 3,
                commit_timestamp: 9,
                committed_metadata: Some(text("x")),
            }],
        }],
        ..Default::default()
    }
}

#[test]
fn offsets_committed_before_members_and_by_topic_id() {
    let tea = "00000001 0003746561 00000001 00000002 0000000000000007";
    check(commit_request(), [0], &format!("000167 {tea} 000178"));
    check(
        commit_request(),
        [1],
        &format!("000167 00000005 00016d {tea} 0000000000000009 000178"),
    );
    let by_id = format!(
        "0267 00000005 026d 00 02 {TOPIC_ID} 02 00000002 0000000000000007 00000003 0278 00 00 00"
    );
    check(commit_request(), [10], &by_id);
    let response = OffsetCommitResponse {
        topics: vec![OffsetCommitResponseTopic {
            name: text("tea"),
            topic_id: topic_id(),
            partitions: vec![OffsetCommitResponsePartition {
                partition_index: 2,
                error_code: ErrorCode::UNKNOWN_TOPIC_ID,
            }],
        }],
        ..Default::default()
    };
    check(
        response.clone(),
        [0, 1],
        "00000001 0003746561 00000001 00000002 0064",
    );
    let by_id = format!("00000000 02 {TOPIC_ID} 02 00000002 0064 00 00 00");
    check(response, [10], &by_id);
}

#[test]
fn offsets_fetched_by_the_oldest_clients_and_by_topic_id() {
    let topics = || {
        Some(vec![OffsetFetchRequestTopic {
            name: text("tea"),
            topic_id: topic_id(),
            partition_indexes: vec![2],
        }])
    };
    let old = OffsetFetchRequest {
        group_id: text("g"),
        topics: topics(),
        ..Default::default()
    };
    check(old, [0], "000167 00000001 0003746561 00000001 00000002");
    let new = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: text("g"),
            topics: topics(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let by_id = format!("02 0267 00 ffffffff 02 {TOPIC_ID} 02 00000002 00 00 00 00");
    check(new, [10], &by_id);
    let found = || {
        vec![OffsetFetchResponseTopic {
            name: text("tea"),
            topic_id: topic_id(),
            partitions: vec![OffsetFetchResponsePartition {
                partition_index: 2,
                committed_offset: 7,
                committed_leader_epoch: 3,
                metadata: Some(text("x")),
                error_code: ErrorCode::NONE,
            }],
        }]
    };
    let old = OffsetFetchResponse {
        topics: found(),
        ..Default::default()
    };
    check(
        old,
        [0],
        "00000001 0003746561 00000001 00000002 0000000000000007 000178 0000",
    );
    let new = OffsetFetchResponse {
        groups: vec![OffsetFetchResponseGroup {
            group_id: text("g"),
            topics: found(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let by_id = format!(
        "00000000 02 0267 02 {TOPIC_ID} 02 00000002 0000000000000007 00000003 0278 0000 00 00 0000 00 00"
    );
    check(new, [10], &by_id);
}
