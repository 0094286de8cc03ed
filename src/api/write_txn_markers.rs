//! WriteTxnMarkers (27): the ends of transactions, from a coordinator elsewhere or an administrator who aborts one that hangs.
//!
//! Versions 0–2: 1 is flexible, 2 says by which `transaction.version` the coordinator goes. Each partition's result stands for
//! itself, and comes when its marker is as durable as with acks=all.

use super::{Asked, Handled, faults};
use crate::shard::MarkerPart;
use crate::types::PartitionKey;
use crate::wire::messages::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};
use crate::wire::{ApiKey, ErrorCode};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: WriteTxnMarkersRequest = asked.decode()?;
    let mut response = WriteTxnMarkersResponse::default();
    for marker in &request.markers {
        response.markers.push(write(asked, marker).await);
    }
    Ok(asked.answer(ApiKey::WriteTxnMarkers, &response))
}

async fn write(asked: &Asked<'_>, marker: &WritableTxnMarker) -> WritableTxnMarkerResult {
    let shard = &asked.context.shard;
    let image = shard.image();
    let mut result = WritableTxnMarkerResult {
        producer_id: marker.producer_id,
        topics: Vec::with_capacity(marker.topics.len()),
    };
    let (mut parts, mut places) = (Vec::new(), Vec::new());
    for topic in &marker.topics {
        let known = image.topic_by_name(&topic.name);
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for &partition_index in &topic.partition_indexes {
            let mut error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            if let Some(known) = known {
                error_code = ErrorCode::NONE;
                places.push((result.topics.len(), partitions.len()));
                let key = PartitionKey {
                    topic_id: known.id,
                    partition: partition_index,
                };
                parts.push(part(marker, key));
            }
            partitions.push(WritableTxnMarkerPartitionResult {
                partition_index,
                error_code,
            });
        }
        result.topics.push(WritableTxnMarkerTopicResult {
            name: topic.name.clone(),
            partitions,
        });
    }
    let version = marker.transaction_version.into();
    let written = shard.write_markers_of(version, parts).await;
    for ((topic, partition), written) in places.into_iter().zip(written) {
        if let Err(fault) = written {
            result.topics[topic].partitions[partition].error_code =
                faults::partition(&fault, false);
        }
    }
    result
}

fn part(marker: &WritableTxnMarker, key: PartitionKey) -> MarkerPart {
    MarkerPart {
        key,
        producer_id: marker.producer_id,
        producer_epoch: marker.producer_epoch,
        coordinator_epoch: marker.coordinator_epoch,
        committed: marker.transaction_result,
    }
}
