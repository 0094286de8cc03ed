//! Versions of administration that the oracle does not have, as bytes that follow from Kafka's schemas.

use super::ours::alter_replica_log_dirs::*;
use super::ours::create_acls::*;
use super::ours::delete_acls::*;
use super::ours::describe_acls::*;
use super::ours::describe_log_dirs::*;
use super::vectors::{check, text};
use crate::wire::ErrorCode;

#[test]
fn describe_log_dirs_at_both_ends() {
    let topic = DescribableLogDirTopic {
        topic: text("tea"),
        partitions: vec![1],
    };
    let request = DescribeLogDirsRequest {
        topics: Some(vec![topic]),
    };
    check(
        request.clone(),
        [0],
        "00000001 0003746561 00000001 00000001",
    );
    check(request, [5], "02 04746561 02 00000001 00 00");
    check(DescribeLogDirsRequest { topics: None }, [0], "ffffffff");

    let partition = DescribeLogDirsPartition {
        partition_index: 2,
        partition_size: 1024,
        offset_lag: 3,
        is_future_key: true,
    };
    let topic = DescribeLogDirsTopic {
        name: text("tea"),
        partitions: vec![partition],
    };
    let result = DescribeLogDirsResult {
        error_code: ErrorCode::KAFKA_STORAGE_ERROR,
        log_dir: text("/log"),
        topics: vec![topic],
        total_bytes: 4096,
        usable_bytes: 2048,
        is_cordoned: true,
    };
    let response = DescribeLogDirsResponse {
        throttle_time_ms: 9,
        results: vec![result],
        ..Default::default()
    };
    check(
        response.clone(),
        [0],
        "00000009 00000001 0038 00042f6c6f67 00000001 0003746561 00000001
         00000002 0000000000000400 0000000000000003 01",
    );
    check(
        response,
        [5],
        "00000009 0000 02 0038 052f6c6f67 02 04746561 02
         00000002 0000000000000400 0000000000000003 01 00 00
         0000000000001000 0000000000000800 01 00 00",
    );
}

#[test]
fn alter_replica_log_dirs_at_first() {
    let topic = AlterReplicaLogDirTopic {
        name: text("tea"),
        partitions: vec![2],
    };
    let dirs = vec![AlterReplicaLogDir {
        path: text("/log"),
        topics: vec![topic],
    }];
    check(
        AlterReplicaLogDirsRequest { dirs },
        [0],
        "00000001 00042f6c6f67 00000001 0003746561 00000001 00000002",
    );
    let partition = AlterReplicaLogDirPartitionResult {
        partition_index: 2,
        error_code: ErrorCode::LOG_DIR_NOT_FOUND,
    };
    let response = AlterReplicaLogDirsResponse {
        throttle_time_ms: 9,
        results: vec![AlterReplicaLogDirTopicResult {
            topic_name: text("tea"),
            partitions: vec![partition],
        }],
    };
    check(
        response,
        [0],
        "00000009 00000001 0003746561 00000001 00000002 0039",
    );
}

#[test]
fn acls_before_patterns_are_described() {
    let request = DescribeAclsRequest {
        resource_type_filter: 2,
        resource_name_filter: Some(text("tea")),
        principal_filter: None,
        host_filter: None,
        operation: 1,
        permission_type: 1,
        ..Default::default()
    };
    check(request, [0], "02 0003746561 ffff ffff 01 01");
    let acl = AclDescription {
        principal: text("u"),
        host: text("*"),
        operation: 3,
        permission_type: 2,
    };
    let resource = DescribeAclsResource {
        resource_type: 2,
        resource_name: text("tea"),
        acls: vec![acl],
        ..Default::default()
    };
    let response = DescribeAclsResponse {
        throttle_time_ms: 9,
        error_code: ErrorCode::SECURITY_DISABLED,
        error_message: Some(text("no")),
        resources: vec![resource],
    };
    check(
        response,
        [0],
        "00000009 0036 00026e6f 00000001 02 0003746561 00000001 000175 00012a 03 02",
    );
}

#[test]
fn acls_before_patterns_are_created() {
    let creation = AclCreation {
        resource_type: 2,
        resource_name: text("tea"),
        principal: text("u"),
        host: text("*"),
        operation: 3,
        permission_type: 2,
        ..Default::default()
    };
    let request = CreateAclsRequest {
        creations: vec![creation],
    };
    check(request, [0], "00000001 02 0003746561 000175 00012a 03 02");
    let result = AclCreationResult {
        error_code: ErrorCode::SECURITY_DISABLED,
        error_message: None,
    };
    let response = CreateAclsResponse {
        throttle_time_ms: 9,
        results: vec![result],
    };
    check(response, [0], "00000009 00000001 0036 ffff");
}

#[test]
fn acls_before_patterns_are_deleted() {
    let filter = DeleteAclsFilter {
        resource_type_filter: 2,
        resource_name_filter: None,
        principal_filter: Some(text("u")),
        host_filter: None,
        operation: 1,
        permission_type: 1,
        ..Default::default()
    };
    let request = DeleteAclsRequest {
        filters: vec![filter],
    };
    check(request, [0], "00000001 02 ffff 000175 ffff 01 01");
    let matching = DeleteAclsMatchingAcl {
        error_code: ErrorCode::NONE,
        error_message: None,
        resource_type: 2,
        resource_name: text("tea"),
        principal: text("u"),
        host: text("*"),
        operation: 3,
        permission_type: 2,
        ..Default::default()
    };
    let result = DeleteAclsFilterResult {
        error_code: ErrorCode::NONE,
        error_message: None,
        matching_acls: vec![matching],
    };
    let response = DeleteAclsResponse {
        throttle_time_ms: 9,
        filter_results: vec![result],
    };
    check(
        response,
        [0],
        "00000009 00000001 0000 ffff 00000001 0000 ffff 02 0003746561 000175 00012a 03 02",
    );
}
