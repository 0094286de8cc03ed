//! DescribeQuorum (55): this node alone votes on the metadata log.
//!
//! Versions 0–2: 1 says when each voter had caught up, 2 has words for errors, directories and addresses. What this core works with
//! is committed, so its end is the high watermark and the only voter's log end at once.

use super::{Asked, Context, Handled};
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::types::TimestampMs;
use crate::wire::messages::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, Listener, Node, PartitionData, ReplicaState,
    RequestedTopic, TopicData,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use uuid::Uuid;

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeQuorumRequest = asked.decode()?;
    let context = asked.context;
    let mut response = DescribeQuorumResponse::default();
    if is_the_metadata_partition(&request.topics) {
        response.topics = vec![TopicData {
            topic_name: Text::from_static(CLUSTER_METADATA_TOPIC),
            partitions: vec![quorum(context)],
        }];
        response.nodes = vec![node(context)];
    } else {
        response.topics = request.topics.into_iter().map(unknown).collect();
    }
    Ok(asked.answer(ApiKey::DescribeQuorum, &response))
}

/// Kafka answers for its one partition if exactly that is asked for.
fn is_the_metadata_partition(topics: &[RequestedTopic]) -> bool {
    let [topic] = topics else { return false };
    let [partition] = topic.partitions.as_slice() else {
        return false;
    };
    topic.topic_name.as_str() == CLUSTER_METADATA_TOPIC && partition.partition_index == 0
}

fn quorum(context: &Context) -> PartitionData {
    let shard = &context.shard;
    let image = shard.image();
    let now = TimestampMs::now().0;
    let directory = image
        .broker(shard.node_id)
        .and_then(|broker| broker.log_dirs.first().copied());
    let me = ReplicaState {
        replica_id: shard.node_id,
        replica_directory_id: directory.unwrap_or(Uuid::nil()),
        log_end_offset: image.end().0,
        last_fetch_timestamp: now,
        last_caught_up_timestamp: now,
    };
    PartitionData {
        leader_id: shard.node_id,
        leader_epoch: image.epoch().0,
        high_watermark: image.end().0,
        current_voters: vec![me],
        ..PartitionData::default()
    }
}

fn node(context: &Context) -> Node {
    let listener = |point: &super::Endpoint| Listener {
        name: Text::from(point.name.as_str()),
        host: Text::from(point.host.as_str()),
        port: point.port,
    };
    let doors = context.doors.iter().filter(|door| !door.to_one_core);
    Node {
        node_id: context.shard.node_id,
        listeners: doors.map(|door| listener(&door.listener)).collect(),
    }
}

fn unknown(topic: RequestedTopic) -> TopicData {
    let partitions = topic.partitions.iter().map(|partition| PartitionData {
        partition_index: partition.partition_index,
        error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        error_message: super::text("This server does not host this topic-partition."),
        ..PartitionData::default()
    });
    TopicData {
        partitions: partitions.collect(),
        topic_name: topic.topic_name,
    }
}
