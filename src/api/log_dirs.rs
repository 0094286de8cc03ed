//! DescribeLogDirs (35) and AlterReplicaLogDirs (34): what lies in which data directory. Nothing is moved to another while the
//! broker runs.
//!
//! DescribeLogDirs has versions 0–5: 2 is flexible, 3 has an error for the whole, 4 the size of the volume, 5 whether the directory
//! takes new partitions; clients ask every node, so a core's own address tells the partitions of that core. AlterReplicaLogDirs has versions 0–2: 2 is flexible.

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
use std::path::Path;

/// Partitions by topic; each once, whatever a client repeats.
type Wanted = BTreeMap<String, BTreeSet<i32>>;

pub(super) async fn describe(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeLogDirsRequest = asked.decode()?;
    let shard = asked.context.shard.clone();
    let wanted = wanted(&request, &shard.image());
    let mut topics = describe_topics(asked, &wanted).await;
    let mut response = DescribeLogDirsResponse::default();
    for (place, dir) in shard.dirs().all().iter().enumerate() {
        let mut result = DescribeLogDirsResult {
            log_dir: Text::from(dir.path.to_string_lossy().into_owned()),
            topics: topics.remove(&place).unwrap_or_default(),
            ..DescribeLogDirsResult::default()
        };
        let volume = match dir.loss() {
            None => shard.volume(dir.path.clone()).await,
            Some(reason) => Err(std::io::Error::other(reason.to_owned())),
        };
        match volume {
            Ok(volume) => {
                result.total_bytes = i64::try_from(volume.total_bytes).unwrap_or(i64::MAX);
                result.usable_bytes = i64::try_from(volume.usable_bytes).unwrap_or(i64::MAX);
            }
            Err(error) => {
                log::debug!("{}: {error}", dir.path.display());
                result.topics.clear();
                result.error_code = ErrorCode::KAFKA_STORAGE_ERROR;
            }
        }
        response.results.push(result);
    }
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

/// By the places of the data directories. What is not here is left out, as in Kafka.
async fn describe_topics(
    asked: &Asked<'_>,
    wanted: &Wanted,
) -> BTreeMap<usize, Vec<DescribeLogDirsTopic>> {
    let shard = &asked.context.shard;
    let image = shard.image();
    let only_this_core = asked.nodes().only_this_core();
    let (mut questions, mut names) = (Vec::new(), Vec::new());
    for (name, partitions) in wanted {
        let Some(topic) = image.topic_by_name(name) else {
            continue;
        };
        for &partition in partitions {
            let key = PartitionKey {
                topic_id: topic.id,
                partition,
            };
            if only_this_core && shard.owner(&key) != shard.me() {
                continue;
            }
            names.push((name, partition));
            questions.push(PartitionQuestion {
                key,
                question: Question::Size,
            });
        }
    }
    let replies = shard.ask_partitions(questions).await;
    let mut by_place: BTreeMap<usize, Vec<DescribeLogDirsTopic>> = BTreeMap::new();
    for ((name, partition_index), reply) in names.into_iter().zip(replies) {
        let Ok(Reply::Size { bytes, dir }) = reply else {
            continue;
        };
        let topics = by_place.entry(dir).or_default();
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
    by_place
}

pub(super) async fn alter(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: AlterReplicaLogDirsRequest = asked.decode()?;
    let shard = asked.context.shard.clone();
    let mut response = AlterReplicaLogDirsResponse::default();
    for dir in &request.dirs {
        let mut all = shard.dirs().all().iter();
        let place = all.position(|known| known.path == Path::new(dir.path.as_str()));
        for topic in &dir.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for &partition_index in &topic.partitions {
                let lies_in = place_of(asked, &topic.name, partition_index).await;
                let error_code = match (place, lies_in) {
                    (None, _) => ErrorCode::LOG_DIR_NOT_FOUND,
                    (_, Err(code)) => code,
                    (Some(wanted), Ok(here)) if wanted == here => ErrorCode::NONE,
                    // It can be moved while no broker runs.
                    (Some(_), Ok(_)) => ErrorCode::INVALID_REQUEST,
                };
                partitions.push(AlterReplicaLogDirPartitionResult {
                    partition_index,
                    error_code,
                });
            }
            response.results.push(AlterReplicaLogDirTopicResult {
                topic_name: topic.name.clone(),
                partitions,
            });
        }
    }
    Ok(asked.answer(ApiKey::AlterReplicaLogDirs, &response))
}

async fn place_of(asked: &Asked<'_>, topic: &Text, partition: i32) -> Result<usize, ErrorCode> {
    let shard = &asked.context.shard;
    let image = shard.image();
    let known = image
        .topic_by_name(topic)
        .filter(|topic| topic.partitions.contains_key(&partition))
        .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let question = PartitionQuestion {
        key: PartitionKey {
            topic_id: known.id,
            partition,
        },
        question: Question::Size,
    };
    match shard.ask_partitions(vec![question]).await.pop() {
        Some(Ok(Reply::Size { dir, .. })) => Ok(dir),
        _ => Err(ErrorCode::KAFKA_STORAGE_ERROR),
    }
}
