//! What brokers keep on their disks: DeleteRecords, DescribeLogDirs.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::error::ClientError;
use super::group_admin::TopicPartition;
use crate::wire::ErrorCode;
use crate::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use crate::wire::messages::describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResult};

/// The first offset that is left, or why nothing was deleted.
pub type Deleted = Result<i64, ClientError>;

/// Deletes what stands before these offsets; -1 is the high watermark. One outcome for each partition.
///
/// # Errors
/// When a leader cannot be reached.
pub fn delete_records(
    cluster: &mut Cluster,
    offsets: &[(TopicPartition, i64)],
) -> Result<BTreeMap<TopicPartition, Deleted>, ClientError> {
    let mut outcomes = BTreeMap::new();
    for ((topic, partition), offset) in offsets {
        let outcome = delete_of(cluster, topic, *partition, *offset);
        match outcome {
            Err(error) if error.breaks_connection() => return Err(error),
            outcome => outcomes.insert((topic.clone(), *partition), outcome),
        };
    }
    Ok(outcomes)
}

fn delete_of(cluster: &mut Cluster, topic: &str, partition_index: i32, offset: i64) -> Deleted {
    let timeout_ms = i32::try_from(cluster.patience().as_millis()).unwrap_or(i32::MAX);
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: topic.into(),
            partitions: vec![DeleteRecordsPartition {
                partition_index,
                offset,
            }],
        }],
        timeout_ms,
    };
    cluster.patiently(|cluster| {
        let leader = cluster.leader(topic, partition_index)?;
        let answer = cluster.node(leader)?.call(&request)?;
        let mut results = answer.topics.iter().flat_map(|topic| &topic.partitions);
        let refused = |code| ClientError::Broker {
            what: format!("the records of {topic}-{partition_index}"),
            code,
            message: None,
        };
        match results.next() {
            Some(result) if result.error_code == ErrorCode::NONE => Ok(result.low_watermark),
            Some(result) => {
                cluster.forget(topic);
                Err(refused(result.error_code))
            }
            None => Err(refused(ErrorCode::UNKNOWN_SERVER_ERROR)),
        }
    })
}

/// The data directories of a broker with every partition in them.
///
/// # Errors
/// When it cannot be reached, or refuses.
pub fn describe_log_dirs(
    cluster: &mut Cluster,
    node: i32,
) -> Result<Vec<DescribeLogDirsResult>, ClientError> {
    let request = DescribeLogDirsRequest { topics: None };
    cluster.patiently(|cluster| {
        let answer = cluster.node(node)?.call(&request)?;
        match answer.error_code {
            ErrorCode::NONE => Ok(answer.results),
            code => Err(ClientError::Broker {
                what: format!("the data directories of node {node}"),
                code,
                message: None,
            }),
        }
    })
}
