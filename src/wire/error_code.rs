//! Kafka's error codes: number, name, whether a client tries again, and a sentence.
//!
//! Numbers, names and retriability are those of `org.apache.kafka.common.protocol.Errors` in Kafka 4.3; the sentences are
//! our own. Which error a failure becomes is decided elsewhere.

use std::fmt;

/// An error code as it stands in a message. Codes of newer brokers, which have no name here, are kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ErrorCode(pub i16);

macro_rules! error_codes {
    ($($name:ident = $number:literal, $kind:ident, $message:literal;)*) => {
        impl ErrorCode {
            $(#[doc = $message] pub const $name: ErrorCode = ErrorCode($number);)*

            /// Every code that has a name, in ascending order.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$name),*];

            /// Kafka's name of the code; `None` for a number that has none.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// One sentence for people.
            pub const fn message(self) -> &'static str {
                match self.0 {
                    $($number => $message,)*
                    _ => "An error this version has no name for.",
                }
            }

            /// Whether the same request may succeed later: Kafka's `RetriableException`.
            pub const fn is_retriable(self) -> bool {
                match self.0 {
                    $($number => error_codes!(@retriable $kind),)*
                    _ => false,
                }
            }
        }
    };
    (@retriable retriable) => { true };
    (@retriable final) => { false };
}

error_codes! {
    UNKNOWN_SERVER_ERROR = -1, final, "The server met an error it did not expect.";
    NONE = 0, final, "No error.";
    OFFSET_OUT_OF_RANGE = 1, final, "The offset is outside of what the partition holds.";
    CORRUPT_MESSAGE = 2, retriable, "A record batch fails its CRC, its size limits or its structure, or lacks a key where the topic is compacted.";
    UNKNOWN_TOPIC_OR_PARTITION = 3, retriable, "This broker does not have the topic or partition.";
    INVALID_FETCH_SIZE = 4, final, "The fetch size is invalid.";
    LEADER_NOT_AVAILABLE = 5, retriable, "The partition has no leader at the moment.";
    NOT_LEADER_OR_FOLLOWER = 6, retriable, "This broker is not the leader, or not a replica, of the partition.";
    REQUEST_TIMED_OUT = 7, retriable, "The request was not completed in its time.";
    BROKER_NOT_AVAILABLE = 8, final, "The broker is not available.";
    REPLICA_NOT_AVAILABLE = 9, retriable, "The replica is not available here.";
    MESSAGE_TOO_LARGE = 10, final, "A record batch is larger than the topic accepts.";
    STALE_CONTROLLER_EPOCH = 11, final, "Another controller has taken over.";
    OFFSET_METADATA_TOO_LARGE = 12, final, "The metadata of an offset commit is too large.";
    NETWORK_EXCEPTION = 13, retriable, "The connection was lost before the answer came.";
    COORDINATOR_LOAD_IN_PROGRESS = 14, retriable, "The coordinator is still loading its state.";
    COORDINATOR_NOT_AVAILABLE = 15, retriable, "There is no coordinator at the moment.";
    NOT_COORDINATOR = 16, retriable, "This broker is not the coordinator asked for.";
    INVALID_TOPIC_EXCEPTION = 17, final, "The topic's name is invalid, or the operation is not for this topic.";
    RECORD_LIST_TOO_LARGE = 18, final, "A record batch is larger than a segment can be.";
    NOT_ENOUGH_REPLICAS = 19, retriable, "Refused: fewer replicas are in sync than required.";
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20, retriable, "Written, but fewer replicas are in sync than required.";
    INVALID_REQUIRED_ACKS = 21, final, "The number of acknowledgements must be -1, 0 or 1.";
    ILLEGAL_GENERATION = 22, final, "The group is not in the generation given.";
    INCONSISTENT_GROUP_PROTOCOL = 23, final, "The member's protocols do not match those of the group.";
    INVALID_GROUP_ID = 24, final, "The group's id is invalid.";
    UNKNOWN_MEMBER_ID = 25, final, "The coordinator does not know this member.";
    INVALID_SESSION_TIMEOUT = 26, final, "The session timeout is outside of the broker's limits.";
    REBALANCE_IN_PROGRESS = 27, final, "The group is rebalancing: join again.";
    INVALID_COMMIT_OFFSET_SIZE = 28, final, "The size of the offset commit is invalid.";
    TOPIC_AUTHORIZATION_FAILED = 29, final, "Not authorized for the topic.";
    GROUP_AUTHORIZATION_FAILED = 30, final, "Not authorized for the group.";
    CLUSTER_AUTHORIZATION_FAILED = 31, final, "Not authorized for the cluster.";
    INVALID_TIMESTAMP = 32, final, "A record's timestamp is outside of the limits.";
    UNSUPPORTED_SASL_MECHANISM = 33, final, "The SASL mechanism is not supported.";
    ILLEGAL_SASL_STATE = 34, final, "The request does not fit the state of the SASL exchange.";
    UNSUPPORTED_VERSION = 35, final, "The version of the API is not supported.";
    TOPIC_ALREADY_EXISTS = 36, final, "A topic of this name exists.";
    INVALID_PARTITIONS = 37, final, "The number of partitions is below 1.";
    INVALID_REPLICATION_FACTOR = 38, final, "The replication factor is below 1 or above the number of brokers.";
    INVALID_REPLICA_ASSIGNMENT = 39, final, "The assignment of replicas is invalid.";
    INVALID_CONFIG = 40, final, "The configuration is invalid.";
    NOT_CONTROLLER = 41, retriable, "This node is not the controller.";
    INVALID_REQUEST = 42, final, "The request is malformed or contradicts itself.";
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43, final, "The partition's message format cannot do this.";
    POLICY_VIOLATION = 44, final, "A policy of the broker forbids this.";
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45, final, "The producer's sequence number is not the next one.";
    DUPLICATE_SEQUENCE_NUMBER = 46, final, "The producer's sequence number was used before.";
    INVALID_PRODUCER_EPOCH = 47, final, "The producer's epoch is older than the one known.";
    INVALID_TXN_STATE = 48, final, "The transaction is not in a state that allows this.";
    INVALID_PRODUCER_ID_MAPPING = 49, final, "The producer id does not belong to this transactional id.";
    INVALID_TRANSACTION_TIMEOUT = 50, final, "The transaction timeout is longer than the broker allows.";
    CONCURRENT_TRANSACTIONS = 51, retriable, "Another operation on the same transaction is under way.";
    TRANSACTION_COORDINATOR_FENCED = 52, final, "The coordinator that sent the marker has been replaced.";
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53, final, "Not authorized for the transactional id.";
    SECURITY_DISABLED = 54, final, "Security is not enabled.";
    OPERATION_NOT_ATTEMPTED = 55, final, "Not attempted, as another operation of the request failed.";
    KAFKA_STORAGE_ERROR = 56, retriable, "The disk failed.";
    LOG_DIR_NOT_FOUND = 57, final, "The broker has no such log directory.";
    SASL_AUTHENTICATION_FAILED = 58, final, "Authentication failed.";
    UNKNOWN_PRODUCER_ID = 59, final, "Nothing is known of the producer id any more.";
    REASSIGNMENT_IN_PROGRESS = 60, final, "A reassignment of the partition is under way.";
    DELEGATION_TOKEN_AUTH_DISABLED = 61, final, "Delegation tokens are not enabled.";
    DELEGATION_TOKEN_NOT_FOUND = 62, final, "There is no such delegation token.";
    DELEGATION_TOKEN_OWNER_MISMATCH = 63, final, "The principal neither owns nor may renew the token.";
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64, final, "Delegation tokens cannot be managed over this kind of connection.";
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65, final, "Not authorized for the delegation token.";
    DELEGATION_TOKEN_EXPIRED = 66, final, "The delegation token has expired.";
    INVALID_PRINCIPAL_TYPE = 67, final, "The type of principal is not supported.";
    NON_EMPTY_GROUP = 68, final, "The group still has members.";
    GROUP_ID_NOT_FOUND = 69, final, "There is no such group.";
    FETCH_SESSION_ID_NOT_FOUND = 70, retriable, "There is no such fetch session.";
    INVALID_FETCH_SESSION_EPOCH = 71, retriable, "The fetch session is not at this epoch.";
    LISTENER_NOT_FOUND = 72, retriable, "The leader has no listener like the one asked.";
    TOPIC_DELETION_DISABLED = 73, final, "Deletion of topics is disabled.";
    FENCED_LEADER_EPOCH = 74, retriable, "The leader epoch given is older than the broker's.";
    UNKNOWN_LEADER_EPOCH = 75, retriable, "The leader epoch given is newer than the broker's.";
    UNSUPPORTED_COMPRESSION_TYPE = 76, final, "The compression type is not supported in this version.";
    STALE_BROKER_EPOCH = 77, final, "The broker's epoch has changed.";
    OFFSET_NOT_AVAILABLE = 78, retriable, "The high watermark has not caught up since the last election.";
    MEMBER_ID_REQUIRED = 79, final, "Join again with the member id given.";
    PREFERRED_LEADER_NOT_AVAILABLE = 80, retriable, "The preferred leader is not available.";
    GROUP_MAX_SIZE_REACHED = 81, final, "The group is full.";
    FENCED_INSTANCE_ID = 82, final, "Another member has taken this group instance id.";
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83, retriable, "No eligible leader is available.";
    ELECTION_NOT_NEEDED = 84, retriable, "The partition needs no election.";
    NO_REASSIGNMENT_IN_PROGRESS = 85, final, "No reassignment is under way.";
    GROUP_SUBSCRIBED_TO_TOPIC = 86, final, "The group is subscribed to the topic.";
    INVALID_RECORD = 87, final, "A record of the batch is invalid.";
    UNSTABLE_OFFSET_COMMIT = 88, retriable, "Offsets of an open transaction must be decided first.";
    THROTTLING_QUOTA_EXCEEDED = 89, retriable, "A quota is exceeded.";
    PRODUCER_FENCED = 90, final, "A newer producer has the same transactional id.";
    RESOURCE_NOT_FOUND = 91, final, "There is no such resource.";
    DUPLICATE_RESOURCE = 92, final, "The same resource is given twice.";
    UNACCEPTABLE_CREDENTIAL = 93, final, "The credential does not meet the requirements.";
    INCONSISTENT_VOTER_SET = 94, final, "Sender or receiver is not among the voters expected.";
    INVALID_UPDATE_VERSION = 95, final, "The update is based on another version.";
    FEATURE_UPDATE_FAILED = 96, final, "The features could not be updated.";
    PRINCIPAL_DESERIALIZATION_FAILURE = 97, final, "The principal of a forwarded request cannot be read.";
    SNAPSHOT_NOT_FOUND = 98, final, "There is no such snapshot.";
    POSITION_OUT_OF_RANGE = 99, final, "The position is outside of the snapshot.";
    UNKNOWN_TOPIC_ID = 100, retriable, "This broker does not have a topic of this id.";
    DUPLICATE_BROKER_REGISTRATION = 101, final, "The broker id is in use.";
    BROKER_ID_NOT_REGISTERED = 102, final, "The broker id is not registered.";
    INCONSISTENT_TOPIC_ID = 103, retriable, "The topic's id is not the one of its log.";
    INCONSISTENT_CLUSTER_ID = 104, final, "The cluster id is not this cluster's.";
    TRANSACTIONAL_ID_NOT_FOUND = 105, final, "There is no such transactional id.";
    FETCH_SESSION_TOPIC_ID_ERROR = 106, retriable, "The fetch session mixes requests with and without topic ids.";
    INELIGIBLE_REPLICA = 107, final, "A replica given cannot join those in sync.";
    NEW_LEADER_ELECTED = 108, final, "Done, and the leader has changed with it.";
    OFFSET_MOVED_TO_TIERED_STORAGE = 109, final, "The offset lies in tiered storage.";
    FENCED_MEMBER_EPOCH = 110, final, "The member's epoch is fenced: give up all partitions and join again.";
    UNRELEASED_INSTANCE_ID = 111, final, "The group instance id is still in use by another member.";
    UNSUPPORTED_ASSIGNOR = 112, final, "The group does not support the assignor.";
    STALE_MEMBER_EPOCH = 113, final, "The member's epoch is stale: get the new one by a heartbeat.";
    MISMATCHED_ENDPOINT_TYPE = 114, final, "The request is not for this type of endpoint.";
    UNSUPPORTED_ENDPOINT_TYPE = 115, final, "The type of endpoint is not supported.";
    UNKNOWN_CONTROLLER_ID = 116, final, "The controller id is not known.";
    UNKNOWN_SUBSCRIPTION_ID = 117, final, "The telemetry subscription is not known or out of date.";
    TELEMETRY_TOO_LARGE = 118, final, "The telemetry is larger than the broker accepts.";
    INVALID_REGISTRATION = 119, final, "The controller refuses the broker's registration.";
    TRANSACTION_ABORTABLE = 120, final, "The transaction failed; abort it and go on.";
    INVALID_RECORD_STATE = 121, final, "The record is not in a state that allows the acknowledgement.";
    SHARE_SESSION_NOT_FOUND = 122, retriable, "There is no such share session.";
    INVALID_SHARE_SESSION_EPOCH = 123, retriable, "The share session is not at this epoch.";
    FENCED_STATE_EPOCH = 124, final, "The state epoch of the share group does not match.";
    INVALID_VOTER_KEY = 125, final, "The voter's key is not the receiver's.";
    DUPLICATE_VOTER = 126, final, "The voter is one already.";
    VOTER_NOT_FOUND = 127, final, "There is no such voter.";
    INVALID_REGULAR_EXPRESSION = 128, final, "The regular expression is invalid.";
    REBOOTSTRAP_REQUIRED = 129, final, "The client's metadata is stale: start again from the bootstrap servers.";
    STREAMS_INVALID_TOPOLOGY = 130, final, "The topology is invalid.";
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131, final, "The epoch of the topology is invalid.";
    STREAMS_TOPOLOGY_FENCED = 132, final, "The epoch of the topology is out of date.";
    SHARE_SESSION_LIMIT_REACHED = 133, retriable, "There are as many share sessions as there can be.";
}

impl ErrorCode {
    /// True for [`ErrorCode::NONE`].
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "error code {}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_contiguous_from_minus_one() {
        for (i, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(code.0, i as i16 - 1);
        }
        assert_eq!(ErrorCode::ALL.len(), 135);
    }

    #[test]
    fn a_code_without_a_name_is_kept() {
        let code = ErrorCode(9999);
        assert_eq!((code.name(), code.is_retriable()), (None, false));
        assert_eq!(code.to_string(), "error code 9999");
    }

    #[test]
    fn clients_try_again_where_kafka_says_so() {
        assert!(ErrorCode::NOT_LEADER_OR_FOLLOWER.is_retriable());
        assert!(ErrorCode::KAFKA_STORAGE_ERROR.is_retriable());
        assert!(!ErrorCode::MESSAGE_TOO_LARGE.is_retriable());
        assert!(!ErrorCode::NONE.is_retriable());
        assert_eq!(
            format!("{:?}", ErrorCode::FENCED_LEADER_EPOCH),
            "FENCED_LEADER_EPOCH (74)"
        );
    }
}
