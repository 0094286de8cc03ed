//! Domain errors to Kafka's error codes: the one place.

use crate::coordinator::group::GroupError;
use crate::coordinator::transaction::TransactionError;
use crate::log::{AppendError, LogError};
use crate::metadata::Refusal;
use crate::shard::{ChangeError, CoordinatorFault, PartitionFault};
use crate::wire::ErrorCode;
use crate::wire::messages::produce::BatchIndexAndErrorMessage;
use crate::wire::records::BatchError;

/// The code for a partition that did not do what was asked; `by_id` when the request named the topic by its id.
pub(super) fn partition(fault: &PartitionFault, by_id: bool) -> ErrorCode {
    match fault {
        PartitionFault::NotHere if by_id => ErrorCode::UNKNOWN_TOPIC_ID,
        PartitionFault::NotHere | PartitionFault::NoSuchPartition => {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        }
        PartitionFault::FencedEpoch => ErrorCode::FENCED_LEADER_EPOCH,
        PartitionFault::UnknownEpoch => ErrorCode::UNKNOWN_LEADER_EPOCH,
        PartitionFault::OutOfRange(_) => ErrorCode::OFFSET_OUT_OF_RANGE,
        PartitionFault::Refused(error) => append(error),
        PartitionFault::NeverDeletes => ErrorCode::POLICY_VIOLATION,
        PartitionFault::UnknownCodec => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
        PartitionFault::Failed(LogError::Corrupt { .. }) => ErrorCode::CORRUPT_MESSAGE,
        PartitionFault::NotKept(_) | PartitionFault::Failed(_) | PartitionFault::Offline => {
            ErrorCode::KAFKA_STORAGE_ERROR
        }
    }
}

fn append(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::Log(_) | AppendError::OffsetsExhausted { .. } => {
            ErrorCode::KAFKA_STORAGE_ERROR
        }
        AppendError::BatchTooLarge { .. } => ErrorCode::RECORD_LIST_TOO_LARGE,
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
        AppendError::InvalidProducerEpoch { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
        AppendError::InvalidTransactionState { .. } => ErrorCode::INVALID_TXN_STATE,
        AppendError::CoordinatorFenced { .. } => ErrorCode::TRANSACTION_COORDINATOR_FENCED,
    }
}

/// The code for a batch that does not pass its checks.
pub(super) fn batch(error: &BatchError) -> ErrorCode {
    match error {
        BatchError::Truncated { .. } | BatchError::Corrupt { .. } => ErrorCode::CORRUPT_MESSAGE,
        BatchError::Invalid { .. } | BatchError::UnsupportedMagic { .. } => {
            ErrorCode::INVALID_RECORD
        }
        BatchError::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
        BatchError::Rejected {
            any_timestamp: true,
            ..
        } => ErrorCode::INVALID_TIMESTAMP,
        BatchError::Rejected { .. } => ErrorCode::INVALID_RECORD,
        BatchError::UnsupportedCompression { .. } => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
    }
}

/// The records that are to blame, where single ones are.
pub(super) fn records(error: &BatchError) -> Vec<BatchIndexAndErrorMessage> {
    let BatchError::Rejected { records, .. } = error else {
        return Vec::new();
    };
    records
        .iter()
        .map(|record| BatchIndexAndErrorMessage {
            batch_index: record.index.cast_signed(),
            batch_index_error_message: super::text(record.reason.to_string()),
        })
        .collect()
}

/// The code where no coordinator decides.
pub(super) fn coordinator(fault: &CoordinatorFault) -> ErrorCode {
    match fault {
        CoordinatorFault::Loading => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
        CoordinatorFault::NotCoordinator => ErrorCode::NOT_COORDINATOR,
        CoordinatorFault::NotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
    }
}

/// The code for what a group says no to.
pub(super) fn group(error: GroupError) -> ErrorCode {
    match error {
        GroupError::InvalidGroupId => ErrorCode::INVALID_GROUP_ID,
        GroupError::GroupIdNotFound => ErrorCode::GROUP_ID_NOT_FOUND,
        GroupError::NonEmptyGroup => ErrorCode::NON_EMPTY_GROUP,
        GroupError::GroupSubscribedToTopic => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
        GroupError::UnknownMemberId => ErrorCode::UNKNOWN_MEMBER_ID,
        GroupError::MemberIdRequired => ErrorCode::MEMBER_ID_REQUIRED,
        GroupError::FencedInstanceId => ErrorCode::FENCED_INSTANCE_ID,
        GroupError::IllegalGeneration => ErrorCode::ILLEGAL_GENERATION,
        GroupError::RebalanceInProgress => ErrorCode::REBALANCE_IN_PROGRESS,
        GroupError::InconsistentGroupProtocol => ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        GroupError::InvalidSessionTimeout => ErrorCode::INVALID_SESSION_TIMEOUT,
        GroupError::GroupMaxSizeReached => ErrorCode::GROUP_MAX_SIZE_REACHED,
        GroupError::OffsetMetadataTooLarge => ErrorCode::OFFSET_METADATA_TOO_LARGE,
        GroupError::InvalidCommitOffsetSize => ErrorCode::INVALID_COMMIT_OFFSET_SIZE,
        GroupError::StateTooLarge => ErrorCode::UNKNOWN_SERVER_ERROR,
        GroupError::StaleMemberEpoch => ErrorCode::STALE_MEMBER_EPOCH,
        GroupError::UnstableOffsetCommit => ErrorCode::UNSTABLE_OFFSET_COMMIT,
        GroupError::ProducerFenced => ErrorCode::INVALID_PRODUCER_EPOCH,
        GroupError::InvalidRequest => ErrorCode::INVALID_REQUEST,
        GroupError::CoordinatorNotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
    }
}

/// The code for what a transaction's coordinator says no to.
pub(super) fn transaction(error: TransactionError) -> ErrorCode {
    match error {
        TransactionError::InvalidRequest => ErrorCode::INVALID_REQUEST,
        TransactionError::InvalidTransactionTimeout => ErrorCode::INVALID_TRANSACTION_TIMEOUT,
        TransactionError::ConcurrentTransactions => ErrorCode::CONCURRENT_TRANSACTIONS,
        TransactionError::ProducerFenced => ErrorCode::PRODUCER_FENCED,
        TransactionError::InvalidProducerIdMapping => ErrorCode::INVALID_PRODUCER_ID_MAPPING,
        TransactionError::InvalidTransactionState => ErrorCode::INVALID_TXN_STATE,
        TransactionError::TransactionAbortable => ErrorCode::TRANSACTION_ABORTABLE,
        TransactionError::TransactionalIdNotFound => ErrorCode::TRANSACTIONAL_ID_NOT_FOUND,
        TransactionError::StateTooLarge => ErrorCode::UNKNOWN_SERVER_ERROR,
        TransactionError::CoordinatorNotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
    }
}

/// The code for a change of the metadata that is not made.
pub(super) fn change(error: &ChangeError) -> ErrorCode {
    match error {
        ChangeError::Refused(refusal) => refused(refusal),
        ChangeError::DeletionDisabled => ErrorCode::TOPIC_DELETION_DISABLED,
        ChangeError::TimedOut => ErrorCode::REQUEST_TIMED_OUT,
        ChangeError::ProducerIdsExhausted => ErrorCode::UNKNOWN_SERVER_ERROR,
        ChangeError::Storage(_) => ErrorCode::KAFKA_STORAGE_ERROR,
    }
}

fn refused(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::InvalidTopic(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
        Refusal::TopicAlreadyExists(_) => ErrorCode::TOPIC_ALREADY_EXISTS,
        Refusal::InvalidPartitions(_) => ErrorCode::INVALID_PARTITIONS,
        Refusal::InvalidReplicationFactor(_) => ErrorCode::INVALID_REPLICATION_FACTOR,
        Refusal::InvalidReplicaAssignment(_) => ErrorCode::INVALID_REPLICA_ASSIGNMENT,
        Refusal::InvalidConfig(_) => ErrorCode::INVALID_CONFIG,
        Refusal::InvalidRequest(_) => ErrorCode::INVALID_REQUEST,
        Refusal::PolicyViolation(_) => ErrorCode::POLICY_VIOLATION,
        Refusal::InvalidUpdateVersion(_) => ErrorCode::INVALID_UPDATE_VERSION,
        Refusal::UnknownTopic | Refusal::NoSuchTopic(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Refusal::UnknownOperation => ErrorCode::UNKNOWN_SERVER_ERROR,
        Refusal::UnknownTopicId => ErrorCode::UNKNOWN_TOPIC_ID,
    }
}
