//! DescribeLogDirs (35) and AlterReplicaLogDirs (34): there is one data directory, and everything lies in it.
//!
//! DescribeLogDirs has versions 0–5: 2 is flexible, 3 has an error for the whole, 4 the size of the volume, 5 whether the directory
//! takes new partitions. AlterReplicaLogDirs has versions 0–2: 2 is flexible.

use super::{Asked, Handled};
use crate::metadata::Image;
use crate::shard::{PartitionQuestion, Question, Reply};
use crate::types::PartitionKey;
use crate::wire::messages::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
};
use crate::wire::messages::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse,
    DescribeLogDirsResult, DescribeLogDirsTopic,
};
use crate::wire::{ApiKey, ErrorCode, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Partitions by topic; each once, whatever a client repeats.
type Wanted = BTreeMap<String, BTreeSet<i32>>;

pub(super) async fn describe(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeLogDirsRequest = asked.decode()?;
    let shard = asked.context.shard.clone();
    let wanted = wanted(&request, &shard.image());
    let topics = describe_topics(asked, &wanted).await;
    let mut result = DescribeLogDirsResult {
        log_dir: Text::from(shard.data_dir().to_string_lossy().into_owned()),
        topics,
        ..DescribeLogDirsResult::default()
    };
    match shard.volume().await {
        Ok(volume) => {
            result.total_bytes = i64::try_from(volume.total_bytes).unwrap_or(i64::MAX);
            result.usable_bytes = i64::try_from(volume.usable_bytes).unwrap_or(i64::MAX);
        }
        Err(error) => {
            log::error!("{}: {error}", shard.data_dir().display());
            result.topics.clear();
            result.error_code = ErrorCode::KAFKA_STORAGE_ERROR;
        }
    }
    let response = DescribeLogDirsResponse {
        results: vec![result],
        ..DescribeLogDirsResponse::default()
    };
    Ok(asked.answer(ApiKey::DescribeLogDirs, &response))
}

fn wanted(request: &DescribeLogDirsRequest, image: &Image) -> Wanted {
    let Some(topics) = &request.topics else {
        let all = image.topics();
        return all
            .map(|topic| {
                (
                    topic.name.to_string(),
                    topic.partitions.keys().copied().collect(),
                )
            })
            .collect();
    };
    let mut wanted = Wanted::new();
    for topic in topics {
        let partitions = wanted.entry(topic.topic.to_string()).or_default();
        partitions.extend(&topic.partitions);
    }
    wanted
}

/// What is not here is left out, as in Kafka.
async fn describe_topics(asked: &Asked<'_>, wanted: &Wanted) -> Vec<DescribeLogDirsTopic> {
    let shard = &asked.context.shard;
    let image = shard.image();
    let (mut questions, mut names) = (Vec::new(), Vec::new());
    for (name, partitions) in wanted {
        let Some(topic) = image.topic_by_name(name) else {
            continue;
        };
        for &partition in partitions {
            names.push((name, partition));
            questions.push(PartitionQuestion {
                key: PartitionKey {
                    topic_id: topic.id,
                    partition,
                },
                question: Question::Size,
            });
        }
    }
    let replies = shard.ask_partitions(questions).await;
    let mut topics: Vec<DescribeLogDirsTopic> = Vec::new();
    for ((name, partition_index), reply) in names.into_iter().zip(replies) {
        let Ok(Reply::Size(bytes)) = reply else {
            continue;
        };
        if topics.last().is_none_or(|last| last.name.as_str() != name) {
            topics.push(DescribeLogDirsTopic {
                name: Text::from(name.as_str()),
                ..DescribeLogDirsTopic::default()
            });
        }
        if let Some(last) = topics.last_mut() {
            last.partitions.push(DescribeLogDirsPartition {
                partition_index,
                partition_size: i64::try_from(bytes).unwrap_or(i64::MAX),
                offset_lag: 0,
                is_future_key: false,
            });
        }
    }
    topics
}

pub(super) fn alter(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: AlterReplicaLogDirsRequest = asked.decode()?;
    let shard = &asked.context.shard;
    let image = shard.image();
    let mut response = AlterReplicaLogDirsResponse::default();
    for dir in &request.dirs {
        let known = std::path::Path::new(dir.path.as_str()) == shard.data_dir();
        for topic in &dir.topics {
            let partitions = topic.partitions.iter().map(|&partition_index| {
                let here = image
                    .topic_by_name(&topic.name)
                    .is_some_and(|topic| topic.partitions.contains_key(&partition_index));
                AlterReplicaLogDirPartitionResult {
                    partition_index,
                    error_code: match (known, here) {
                        (false, _) => ErrorCode::LOG_DIR_NOT_FOUND,
                        (true, false) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                        (true, true) => ErrorCode::NONE,
                    },
                }
            });
            response.results.push(AlterReplicaLogDirTopicResult {
                topic_name: topic.name.clone(),
                partitions: partitions.collect(),
            });
        }
    }
    Ok(asked.answer(ApiKey::AlterReplicaLogDirs, &response))
}
