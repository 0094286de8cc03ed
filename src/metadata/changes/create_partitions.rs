//! CreatePartitions decided: every check a Kafka 4.3 controller makes, in its order, and the records of the new partitions.

use std::collections::HashMap;

use super::Refusal;
use super::create_topics::{
    Placement, check_replicas, partition_records, place_replicas, require_room,
};
use super::directories::Directories;
use crate::limits::PARTITIONS_PER_CREATE_MAX;
use crate::metadata::image::{Image, Topic};
use crate::wire::metadata_records::MetadataRecord;

/// A topic that is to grow.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TopicGrowth {
    /// Its name.
    pub name: String,
    /// How many partitions it is to have.
    pub count: i32,
    /// Replicas of each new partition, when the client places them itself.
    pub assignments: Option<Vec<Vec<i32>>>,
}

/// Decides on `topics`: the records of the new partitions of those that may grow, and an outcome for each, in their order. A
/// request that only wants validation drops the records.
pub fn create_partitions(
    image: &Image,
    topics: &[TopicGrowth],
) -> (Vec<MetadataRecord>, Vec<Result<(), Refusal>>) {
    let mut mentions: HashMap<&str, usize> = HashMap::new();
    for topic in topics {
        *mentions.entry(&topic.name).or_default() += 1;
    }
    let mut records = Vec::new();
    let mut directories = Directories::of(image);
    let mut room = PARTITIONS_PER_CREATE_MAX;
    let decide = |growth: &TopicGrowth| {
        if mentions[growth.name.as_str()] > 1 {
            return Err(Refusal::InvalidRequest("Duplicate topic name.".to_owned()));
        }
        let topic = image
            .topic_by_name(&growth.name)
            .ok_or(Refusal::UnknownTopic)?;
        let placement = check(image, topic, growth, room)?;
        room -= placement.len() as i32;
        records.extend(partition_records(&mut directories, topic.id, placement));
        Ok(())
    };
    let outcomes = topics.iter().map(decide).collect();
    (records, outcomes)
}

fn check(
    image: &Image,
    topic: &Topic,
    growth: &TopicGrowth,
    room: i32,
) -> Result<Placement, Refusal> {
    let has = topic.partitions.len() as i32;
    if growth.count == has {
        let words = format!("Topic already has {has} partition(s).");
        return Err(Refusal::InvalidPartitions(words));
    }
    if growth.count < has {
        return Err(Refusal::InvalidPartitions(format!(
            "The topic {} currently has {has} partition(s); {} would not be an increase.",
            topic.name, growth.count
        )));
    }
    let additional = growth.count - has;
    let factor = topic
        .partitions
        .values()
        .next()
        .map_or(0, |partition| partition.replicas.len());
    match &growth.assignments {
        None => {
            require_room(additional, room)?;
            place_replicas(image, has..growth.count, factor as i32)
        }
        Some(assignments) => check_assignments(image, topic, assignments, additional, room),
    }
}

fn check_assignments(
    image: &Image,
    topic: &Topic,
    assignments: &[Vec<i32>],
    additional: i32,
    room: i32,
) -> Result<Placement, Refusal> {
    if usize::try_from(additional) != Ok(assignments.len()) {
        return Err(Refusal::InvalidReplicaAssignment(format!(
            "Attempted to add {additional} additional partition(s), but only {} assignment(s) were specified.",
            assignments.len()
        )));
    }
    require_room(additional, room)?;
    let like = topic
        .partitions
        .values()
        .next()
        .map(|first| &first.replicas);
    let first = topic.partitions.len() as i32;
    let mut placement = Placement::new();
    for (partition, replicas) in (first..).zip(assignments) {
        check_replicas(image, partition, replicas, like)?;
        placement.insert(partition, replicas.clone());
    }
    Ok(placement)
}

#[cfg(test)]
mod tests;
