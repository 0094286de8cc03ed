//! AlterPartitionReassignments (45) and ListPartitionReassignments (46): with one node nothing ever moves.
//!
//! AlterPartitionReassignments has versions 0–1 (1 says whether the number of replicas may change), ListPartitionReassignments
//! version 0. Asking for the replicas that are there is fine and changes nothing; everything else is refused as Kafka's
//! controller refuses it.

use super::nodes::Nodes;
use super::{Asked, Handled};
use crate::metadata::Image;
use crate::types::PartitionKey;
use crate::wire::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use crate::wire::messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
use crate::wire::{ApiKey, ErrorCode};

pub(super) fn list(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let _topics: ListPartitionReassignmentsRequest = asked.decode()?;
    let response = ListPartitionReassignmentsResponse {
        error_message: None,
        ..ListPartitionReassignmentsResponse::default()
    };
    Ok(asked.answer(ApiKey::ListPartitionReassignments, &response))
}

pub(super) fn alter(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: AlterPartitionReassignmentsRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let responses = request
        .topics
        .iter()
        .map(|topic| ReassignableTopicResponse {
            name: topic.name.clone(),
            partitions: topic
                .partitions
                .iter()
                .map(|partition| result(asked.nodes(), &image, &topic.name, partition))
                .collect(),
        });
    let response = AlterPartitionReassignmentsResponse {
        allow_replication_factor_change: request.allow_replication_factor_change,
        error_message: None,
        responses: responses.collect(),
        ..AlterPartitionReassignmentsResponse::default()
    };
    Ok(asked.answer(ApiKey::AlterPartitionReassignments, &response))
}

fn result(
    nodes: Nodes<'_>,
    image: &Image,
    topic: &str,
    partition: &ReassignablePartition,
) -> ReassignablePartitionResponse {
    let refused = check(nodes, image, topic, partition).err();
    let (error_code, words) = refused.unzip();
    ReassignablePartitionResponse {
        partition_index: partition.partition_index,
        error_code: error_code.unwrap_or(ErrorCode::NONE),
        error_message: words.and_then(super::text),
    }
}

fn check(
    nodes: Nodes<'_>,
    image: &Image,
    topic: &str,
    partition: &ReassignablePartition,
) -> Result<(), (ErrorCode, String)> {
    let index = partition.partition_index;
    let unknown = |words| Err((ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, words));
    let Some(known) = image.topic_by_name(topic) else {
        return unknown(format!("Unable to find a topic named {topic}."));
    };
    if !known.partitions.contains_key(&index) {
        return unknown(format!("Unable to find partition {topic}:{index}."));
    }
    match &partition.replicas {
        None => Err((
            ErrorCode::NO_REASSIGNMENT_IN_PROGRESS,
            "No partition reassignment is in progress.".to_owned(),
        )),
        Some(replicas) => {
            let key = PartitionKey {
                topic_id: known.id,
                partition: index,
            };
            check_cores(nodes, key, replicas)
                .and_then(|meant| check_replicas(image, meant))
                .map_err(|words| (ErrorCode::INVALID_REPLICA_ASSIGNMENT, words))
        }
    }
}

/// The nodes that are meant. Nobody chooses the core of a partition, so its own is the only one that can be asked for.
fn check_cores(nodes: Nodes<'_>, key: PartitionKey, replicas: &[i32]) -> Result<Vec<i32>, String> {
    let meant = |&id: &i32| {
        let node = nodes.meant_by(id);
        match node == id || nodes.with_partition(key)(node) == id {
            true => Ok(node),
            false => Err(format!(
                "Node {id} is a core of this broker, and a partition stays on the core that its topic and index give it."
            )),
        }
    };
    replicas.iter().map(meant).collect()
}

/// Every list that passes names the registered brokers once each: with one node, the replicas that are there already.
fn check_replicas(image: &Image, mut replicas: Vec<i32>) -> Result<(), String> {
    if replicas.is_empty() {
        return Err("The manual partition assignment includes an empty replica list.".to_owned());
    }
    replicas.sort_unstable();
    if let Some(id) = replicas.iter().find(|id| image.broker(**id).is_none()) {
        return Err(format!(
            "The manual partition assignment includes broker {id}, but no such broker is registered."
        ));
    }
    match replicas.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!(
            "The manual partition assignment includes the broker {} more than once.",
            pair[0]
        )),
        None => Ok(()),
    }
}
