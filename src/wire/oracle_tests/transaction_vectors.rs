//! Versions of transactions that the oracle does not have, as bytes that follow from Kafka's schemas.

use super::ours::write_txn_markers::*;
use super::vectors::{check, text};
use crate::wire::ErrorCode;

#[test]
fn write_txn_markers_at_both_ends() {
    let marker = WritableTxnMarker {
        producer_id: 5,
        producer_epoch: 1,
        transaction_result: true,
        topics: vec![WritableTxnMarkerTopic {
            name: text("tea"),
            partition_indexes: vec![3],
        }],
        coordinator_epoch: 7,
        transaction_version: 0,
    };
    let request = |transaction_version| WriteTxnMarkersRequest {
        markers: vec![WritableTxnMarker {
            transaction_version,
            ..marker.clone()
        }],
    };
    check(
        request(0),
        [0],
        "00000001 0000000000000005 0001 01 00000001 0003746561 00000001 00000003 00000007",
    );
    check(
        request(2),
        [2],
        "02 0000000000000005 0001 01 02 04746561 02 00000003 00 00000007 02 00 00",
    );

    let response = WriteTxnMarkersResponse {
        markers: vec![WritableTxnMarkerResult {
            producer_id: 5,
            topics: vec![WritableTxnMarkerTopicResult {
                name: text("tea"),
                partitions: vec![WritableTxnMarkerPartitionResult {
                    partition_index: 3,
                    error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                }],
            }],
        }],
    };
    check(
        response.clone(),
        [0],
        "00000001 0000000000000005 00000001 0003746561 00000001 00000003 0003",
    );
    check(
        response,
        [2],
        "02 0000000000000005 02 04746561 02 00000003 0003 00 00 00 00",
    );
}
