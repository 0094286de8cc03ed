//! ListOffsets: where a partition begins and ends, and what stands at a time.

use std::collections::BTreeMap;

use super::cluster::{Cluster, TopicInfo};
use super::error::ClientError;
use crate::wire::ErrorCode;
use crate::wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};

/// What to ask for. The numbers are those of `ListOffsetsRequest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetQuery {
    /// The log start offset.
    Earliest,
    /// The offset the next record will have: the high watermark, or for readers of committed records the last stable
    /// offset.
    Latest,
    /// The first record of this time or later, in milliseconds since 1970; not negative.
    AtTime(i64),
    /// The record with the largest timestamp.
    MaxTimestamp,
    /// The first offset that is on the broker's own disk.
    EarliestLocal,
    /// The last offset that was moved to remote storage.
    LatestTiered,
}

impl OffsetQuery {
    fn timestamp(self) -> i64 {
        match self {
            OffsetQuery::Latest => -1,
            OffsetQuery::Earliest => -2,
            OffsetQuery::MaxTimestamp => -3,
            OffsetQuery::EarliestLocal => -4,
            OffsetQuery::LatestTiered => -5,
            OffsetQuery::AtTime(ms) => ms,
        }
    }
}

/// The offsets of these partitions; where no record is so late ([`OffsetQuery::AtTime`]) there is no entry.
///
/// # Errors
/// When a partition has no leader for longer than the cluster's patience, or a leader refuses.
pub fn list_offsets(
    cluster: &mut Cluster,
    topic: &TopicInfo,
    partitions: &[i32],
    query: OffsetQuery,
    read_committed: bool,
) -> Result<BTreeMap<i32, i64>, ClientError> {
    let mut found = BTreeMap::new();
    let mut open = partitions.to_vec();
    cluster.patiently(|cluster| {
        let mut by_leader: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for &partition in &open {
            by_leader
                .entry(cluster.leader(&topic.name, partition)?)
                .or_default()
                .push(partition);
        }
        for (leader, partitions) in by_leader {
            let asked = ask_leader(cluster, leader, topic, &partitions, query, read_committed);
            let offsets = asked.inspect_err(|_| cluster.forget(&topic.name))?;
            found.extend(offsets);
            open.retain(|partition| !partitions.contains(partition));
        }
        Ok(())
    })?;
    found.retain(|_, &mut offset| offset >= 0);
    Ok(found)
}

fn ask_leader(
    cluster: &mut Cluster,
    leader: i32,
    topic: &TopicInfo,
    partitions: &[i32],
    query: OffsetQuery,
    read_committed: bool,
) -> Result<Vec<(i32, i64)>, ClientError> {
    let of_partition = |&partition_index: &i32| ListOffsetsPartition {
        partition_index,
        current_leader_epoch: -1,
        timestamp: query.timestamp(),
        max_num_offsets: 1,
    };
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: read_committed.into(),
        topics: vec![ListOffsetsTopic {
            name: topic.name.as_str().into(),
            partitions: partitions.iter().map(of_partition).collect(),
        }],
        timeout_ms: i32::try_from(cluster.patience().as_millis()).unwrap_or(i32::MAX),
    };
    let answer = cluster.node(leader)?.call(&request)?;
    let mut offsets = Vec::with_capacity(partitions.len());
    for &partition in partitions {
        let result = answer
            .topics
            .iter()
            .flat_map(|t| &t.partitions)
            .find(|p| p.partition_index == partition);
        let (code, offset) = match result {
            Some(result) => (
                result.error_code,
                result
                    .old_style_offsets
                    .first()
                    .copied()
                    .unwrap_or(result.offset),
            ),
            None => (ErrorCode::UNKNOWN_SERVER_ERROR, -1),
        };
        if code != ErrorCode::NONE {
            let what = format!("the offsets of {}-{partition}", topic.name);
            return Err(ClientError::Broker {
                what,
                code,
                message: None,
            });
        }
        offsets.push((partition, offset));
    }
    Ok(offsets)
}
