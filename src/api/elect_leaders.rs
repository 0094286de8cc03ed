//! ElectLeaders (43): the single replica leads, so there is nothing to elect.
//!
//! Versions 0–2: 1 can ask for unclean elections and has an error for the whole, 2 is flexible. Asked for all partitions, Kafka
//! leaves out those that need no election: the topics are named, their partitions are not.

use super::{Asked, Handled};
use crate::metadata::Image;
use crate::wire::messages::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
};
use crate::wire::{ApiKey, ErrorCode, Text};

/// The preferred leader is wanted.
const PREFERRED: i8 = 0;
/// Any leader is wanted, even one that was not in sync.
const UNCLEAN: i8 = 1;

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: ElectLeadersRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let mut response = ElectLeadersResponse::default();
    if ![PREFERRED, UNCLEAN].contains(&request.election_type) {
        response.error_code = ErrorCode::INVALID_REQUEST;
        return Ok(asked.answer(ApiKey::ElectLeaders, &response));
    }
    response.replica_election_results = match &request.topic_partitions {
        None => image.topics().map(|topic| all_of(&topic.name)).collect(),
        Some(topics) => topics
            .iter()
            .map(|topic| ReplicaElectionResult {
                topic: topic.topic.clone(),
                partition_result: topic
                    .partitions
                    .iter()
                    .map(|&partition| result(&image, &topic.topic, partition))
                    .collect(),
            })
            .collect(),
    };
    Ok(asked.answer(ApiKey::ElectLeaders, &response))
}

fn all_of(topic: &str) -> ReplicaElectionResult {
    ReplicaElectionResult {
        topic: Text::from(topic),
        ..ReplicaElectionResult::default()
    }
}

fn result(image: &Image, name: &Text, partition_id: i32) -> PartitionResult {
    let (error_code, words) = match image.topic_by_name(name) {
        None => (
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            format!("No such topic as {name}"),
        ),
        Some(topic) if !topic.partitions.contains_key(&partition_id) => (
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            format!("No such partition as {name}-{partition_id}"),
        ),
        Some(_) => (
            ErrorCode::ELECTION_NOT_NEEDED,
            "Leader election not needed for topic partition.".to_owned(),
        ),
    };
    PartitionResult {
        partition_id,
        error_code,
        error_message: super::text(words),
    }
}
