//! Metadata (3): brokers, topics, partitions and who leads them; topics that are not there may be made.
//!
//! Versions 0–13. In version 0 an empty list asks for all topics, later null does and an empty list for none; 4 lets the client
//! forbid creation, 8 asks for authorized operations, 10 knows topic ids, 12 asks by them. A topic that is made by the
//! request is answered with an error first: the client asks again and finds it.

use super::nodes::{Node, Nodes};
use super::{Asked, Handled};
use crate::metadata::{Image, Partition, Topic, topic_name};
use crate::shard::{Change, ChangeOutcome};
use crate::types::PartitionKey;
use crate::wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use std::collections::BTreeSet;
use uuid::Uuid;

/// All operations on a topic, as bits of their codes in Kafka's AclOperation: read, write, create, delete, alter, describe,
/// describe configs, alter configs. Without an authorizer everyone may do everything.
pub(super) const TOPIC_OPERATIONS: i32 =
    1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11;
/// All operations on the cluster: create, alter, describe, cluster action, describe configs, alter configs, idempotent write.
pub(super) const CLUSTER_OPERATIONS: i32 =
    1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: MetadataRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let topics = match &request.topics {
        Some(topics) if !(topics.is_empty() && asked.version() == 0) => {
            named(asked, &image, topics, &request).await
        }
        _ => {
            let nodes = asked.nodes();
            let topics = image.topics();
            topics.map(|topic| described(nodes, topic)).collect()
        }
    };
    let mut response = frame_of(asked);
    response.topics = topics;
    if request.include_topic_authorized_operations {
        for topic in &mut response.topics {
            if topic.error_code == ErrorCode::NONE {
                topic.topic_authorized_operations = TOPIC_OPERATIONS;
            }
        }
    }
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    Ok(asked.answer(ApiKey::Metadata, &response))
}

/// The response without topics: the nodes, as the client's listener sees them.
fn frame_of(asked: &Asked<'_>) -> MetadataResponse {
    let shard = &asked.context.shard;
    let nodes = asked.nodes();
    let broker = |node: Node<'_>| MetadataResponseBroker {
        node_id: node.id,
        host: Text::from(node.endpoint.host.as_str()),
        port: i32::from(node.endpoint.port),
        rack: shard.config.rack.as_deref().map(Text::from),
    };
    MetadataResponse {
        brokers: nodes.all().into_iter().map(broker).collect(),
        cluster_id: super::text(shard.cluster_id.as_str()),
        controller_id: nodes.controller(),
        ..MetadataResponse::default()
    }
}

async fn named(
    asked: &Asked<'_>,
    image: &Image,
    topics: &[MetadataRequestTopic],
    request: &MetadataRequest,
) -> Vec<MetadataResponseTopic> {
    let may_create =
        asked.context.shard.config.auto_create_topics && request.allow_auto_topic_creation;
    let mut missing = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut answers = Vec::with_capacity(topics.len());
    for topic in topics {
        let name = topic.name.as_ref().filter(|name| !name.is_empty());
        // A name that is asked for twice is answered once.
        if name.is_some_and(|name| !seen.insert(name.clone())) {
            continue;
        }
        let known = match name {
            Some(name) => image.topic_by_name(name),
            None => image.topic(topic.topic_id),
        };
        answers.push(match known {
            Some(known) => described(asked.nodes(), known),
            None => unknown(name, topic.topic_id, may_create, &mut missing),
        });
    }
    if !missing.is_empty() {
        create(asked, &mut answers, missing).await;
    }
    answers
}

fn unknown(
    name: Option<&Text>,
    topic_id: Uuid,
    may_create: bool,
    missing: &mut BTreeSet<Text>,
) -> MetadataResponseTopic {
    let error_code = match name {
        None => ErrorCode::UNKNOWN_TOPIC_ID,
        Some(name) if topic_name::validate(name).is_err() => ErrorCode::INVALID_TOPIC_EXCEPTION,
        Some(name) => {
            if may_create {
                missing.insert(name.clone());
            }
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        }
    };
    MetadataResponseTopic {
        error_code,
        name: name.cloned(),
        topic_id,
        ..MetadataResponseTopic::default()
    }
}

/// Makes topics with the broker's defaults. The answer still is that they are not there: the client asks again.
async fn create(asked: &Asked<'_>, answers: &mut [MetadataResponseTopic], names: BTreeSet<Text>) {
    let names = names.iter().map(|name| name.to_string()).collect();
    let outcome = asked.context.shard.change(Change::AutoCreate(names)).await;
    let ChangeOutcome::AutoCreated(refused) = outcome else {
        unreachable!("an automatic creation was answered with {outcome:?}")
    };
    for answer in answers {
        let name = answer.name.as_deref().unwrap_or_default();
        if let Some((_, error)) = refused.iter().find(|(refused, _)| refused == name) {
            answer.error_code = super::faults::change(error);
        }
    }
}

fn described(nodes: Nodes<'_>, topic: &Topic) -> MetadataResponseTopic {
    let partition = |(&index, state): (&i32, &Partition)| partition(nodes, topic.id, index, state);
    MetadataResponseTopic {
        error_code: ErrorCode::NONE,
        name: super::text(&*topic.name),
        topic_id: topic.id,
        is_internal: topic_name::is_internal(&topic.name),
        partitions: topic.partitions.iter().map(partition).collect(),
        ..MetadataResponseTopic::default()
    }
}

fn partition(
    nodes: Nodes<'_>,
    topic_id: Uuid,
    partition: i32,
    state: &Partition,
) -> MetadataResponsePartition {
    let told = nodes.with_partition(PartitionKey {
        topic_id,
        partition,
    });
    let all_told = |nodes: &[i32]| nodes.iter().copied().map(told).collect();
    // Who has no leader here has its only replica in a directory that cannot be used.
    let is_offline = state.leader < 0;
    MetadataResponsePartition {
        error_code: if is_offline {
            ErrorCode::LEADER_NOT_AVAILABLE
        } else {
            ErrorCode::NONE
        },
        partition_index: partition,
        leader_id: told(state.leader),
        leader_epoch: state.leader_epoch.0,
        replica_nodes: all_told(&state.replicas),
        isr_nodes: all_told(&state.isr),
        offline_replicas: if is_offline {
            all_told(&state.replicas)
        } else {
            Vec::new()
        },
    }
}
