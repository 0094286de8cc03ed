//! OffsetDelete (47): positions in topics that nobody in the group subscribes to are forgotten.
//!
//! Version 0.

use super::{Asked, Handled, faults, groups};
use crate::coordinator::group::{DeleteOffsetsRequest, GroupAnswer, GroupRequest};
use crate::metadata::Image;
use crate::wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse,
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use crate::wire::{ApiKey, ErrorCode};

pub(super) async fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: OffsetDeleteRequest = asked.decode()?;
    let image = asked.context.shard.image();
    let mut response = OffsetDeleteResponse {
        topics: request
            .topics
            .iter()
            .map(|topic| checked(&image, topic))
            .collect(),
        ..OffsetDeleteResponse::default()
    };
    let delete = GroupRequest::DeleteOffsets(DeleteOffsetsRequest {
        group: request.group_id.to_string(),
        partitions: existing(&response),
    });
    match groups::ask(asked, &request.group_id, delete).await? {
        Ok(GroupAnswer::DeleteOffsets(Ok(outcomes))) => {
            let mut outcomes = outcomes.into_iter();
            let answers = response
                .topics
                .iter_mut()
                .flat_map(|topic| &mut topic.partitions);
            for answer in answers.filter(|answer| answer.error_code == ErrorCode::NONE) {
                if let Some(Err(error)) = outcomes.next() {
                    answer.error_code = faults::group(error);
                }
            }
        }
        Ok(GroupAnswer::DeleteOffsets(Err(error))) => response = refused(faults::group(error)),
        Ok(other) => unreachable!("a deletion of offsets was answered with {other:?}"),
        Err(code) => response = refused(code),
    }
    Ok(asked.answer(ApiKey::OffsetDelete, &response))
}

fn checked(image: &Image, topic: &OffsetDeleteRequestTopic) -> OffsetDeleteResponseTopic {
    let known = image.topic_by_name(&topic.name);
    let partition = |index: i32| {
        let exists = known.is_some_and(|known| known.partitions.contains_key(&index));
        OffsetDeleteResponsePartition {
            partition_index: index,
            error_code: if exists {
                ErrorCode::NONE
            } else {
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
            },
        }
    };
    let partitions = topic.partitions.iter();
    OffsetDeleteResponseTopic {
        name: topic.name.clone(),
        partitions: partitions
            .map(|asked| partition(asked.partition_index))
            .collect(),
    }
}

/// The partitions of the answer that are there.
fn existing(response: &OffsetDeleteResponse) -> Vec<(String, i32)> {
    let mut existing = Vec::new();
    for topic in &response.topics {
        for partition in &topic.partitions {
            if partition.error_code == ErrorCode::NONE {
                existing.push((topic.name.to_string(), partition.partition_index));
            }
        }
    }
    existing
}

fn refused(error_code: ErrorCode) -> OffsetDeleteResponse {
    OffsetDeleteResponse {
        error_code,
        ..OffsetDeleteResponse::default()
    }
}
