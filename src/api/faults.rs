//! Domain errors to Kafka's error codes: the one place.

use crate::log::AppendError;
use crate::shard::PartitionFault;
use crate::wire::ErrorCode;
use crate::wire::records::BatchError;

/// The code for a partition that did not do what was asked; `by_id` when the request named the topic by its id.
pub(super) fn partition(fault: &PartitionFault, by_id: bool) -> ErrorCode {
    match fault {
        PartitionFault::NotHere if by_id => ErrorCode::UNKNOWN_TOPIC_ID,
        PartitionFault::NotHere => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        PartitionFault::FencedEpoch => ErrorCode::FENCED_LEADER_EPOCH,
        PartitionFault::UnknownEpoch => ErrorCode::UNKNOWN_LEADER_EPOCH,
        PartitionFault::OutOfRange(_) => ErrorCode::OFFSET_OUT_OF_RANGE,
        PartitionFault::Refused(error) => append(error),
        PartitionFault::Failed(_) => ErrorCode::KAFKA_STORAGE_ERROR,
    }
}
