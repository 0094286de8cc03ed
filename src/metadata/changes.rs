//! Requests that change the metadata: image and request in, records out.
//!
//! Pure functions of the single node's controller: they decide, the metadata log makes it true. Every item of a request has
//! its own outcome; the records of all items that are accepted go into the log together. The words of errors are Kafka's,
//! since scripts look for them.

use super::image::{Image, TOPIC_RESOURCE};
use super::topic_name::{self, TopicNameError};
use crate::config::settings::Settings;
use crate::config::topic::validate_topic_override;
use crate::config::topic::{Configs, DynamicConfigs, InvalidConfig, validate_topic_overrides};
use crate::limits;
use crate::types::TopicId;
use crate::types::id_text;
use crate::wire::Text;
use crate::wire::metadata_records::{
    ConfigRecord, MetadataRecord, PartitionRecord, ProducerIdsRecord, RemoveTopicRecord,
    TopicRecord,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use thiserror::Error;
use uuid::Uuid;

/// `num_partitions` and `replication_factor` of a request that leaves them to the broker.
const DEFAULT: i32 = -1;

/// A topic that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions, -1 for the broker's default.
    pub partitions: i32,
    /// How many replicas, -1 for the broker's default.
    pub replication_factor: i16,
    /// Node ids by partition, in place of both numbers.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// Settings of its own.
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that was made, or would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: i32,
    /// How many replicas.
    pub replication_factor: i16,
    /// Its own settings.
    pub configs: Configs,
}

/// What a deletion names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicRef {
    /// By name.
    Name(String),
    /// By id.
    Id(TopicId),
}

/// Why a change is not made, in Kafka's words.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ChangeError {
    /// The name is taken.
    #[error("Topic '{0}' already exists.")]
    TopicExists(String),
    /// The name cannot be.
    #[error(transparent)]
    TopicName(#[from] TopicNameError),
    /// The name would have another topic's metric names.
    #[error("Topic '{name}' collides with existing topic: {existing}")]
    Collision {
        /// Asked for.
        name: String,
        /// In the way.
        existing: String,
    },
    /// The number of partitions cannot be.
    #[error("{0}")]
    Partitions(String),
    /// The replication factor cannot be.
    #[error("{0}")]
    ReplicationFactor(String),
    /// The assignment cannot be.
    #[error("{0}")]
    Assignment(String),
    /// A setting cannot be.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// The request contradicts itself.
    #[error("{0}")]
    Request(String),
    /// More than the broker takes at once.
    #[error("{0}")]
    Policy(String),
    /// No topic of this name.
    #[error("This server does not host this topic-partition.")]
    UnknownTopic,
    /// No topic of this id.
    #[error("This server does not host this topic ID.")]
    UnknownTopicId,
    /// Deletion is switched off (`delete.topic.enable`).
    #[error("Topic deletion is disabled.")]
    DeletionDisabled,
    /// The change did not come through in time; it still may.
    #[error("The request timed out.")]
    TimedOut,
    /// The metadata log or a partition's log failed.
    #[error("{0}")]
    Storage(String),
}

/// The broker as the checks of a new topic see it.
#[derive(Clone, Copy, Debug)]
pub struct TopicDefaults<'a> {
    /// The only node.
    pub node_id: i32,
    /// Its data directory's id.
    pub directory_id: Uuid,
    /// `num.partitions`
    pub partitions: i32,
    /// `default.replication.factor`
    pub replication_factor: i16,
    /// What topic settings fall back to.
    pub settings: &'a Settings,
}

/// Checks every topic of a request; returns the records of those that can be made, and each one's outcome in order.
pub fn create_topics(
    image: &Image,
    defaults: &TopicDefaults<'_>,
    topics: &[NewTopic],
) -> (Vec<MetadataRecord>, Vec<Result<Created, ChangeError>>) {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for topic in topics {
        *named.entry(topic.name.as_str()).or_default() += 1;
    }
    let mut records = Vec::new();
    let mut accepted: BTreeSet<&str> = BTreeSet::new();
    let mut partitions = 0;
    let outcomes = topics
        .iter()
        .map(|topic| {
            if named[topic.name.as_str()] > 1 {
                return Err(ChangeError::Request("Duplicate topic name.".to_owned()));
            }
            let plan = plan(image, defaults, topic, &accepted)?;
            partitions += plan.replicas.len();
            if partitions > limits::PARTITIONS_PER_CREATE_MAX.unsigned_abs() as usize {
                return Err(ChangeError::Policy(
                    "Excessively large number of partitions per request.".to_owned(),
                ));
            }
            accepted.insert(&topic.name);
            Ok(write(defaults, topic, plan, &mut records))
        })
        .collect();
    (records, outcomes)
}

/// What a new topic will be, checked.
struct Plan {
    replicas: Vec<Vec<i32>>,
    configs: Configs,
}

fn plan(
    image: &Image,
    defaults: &TopicDefaults<'_>,
    topic: &NewTopic,
    accepted: &BTreeSet<&str>,
) -> Result<Plan, ChangeError> {
    check_name(image, &topic.name, accepted)?;
    let replicas = if topic.assignments.is_empty() {
        let count = check_partitions(topic.partitions, defaults.partitions)?;
        check_factor(topic.replication_factor, defaults.replication_factor)?;
        vec![vec![defaults.node_id]; count]
    } else {
        assigned(topic, defaults.node_id)?
    };
    let mut configs = Configs::new();
    for (name, value) in &topic.configs {
        validate_topic_override(name, value.as_deref())?;
        if let Some(value) = value {
            configs.insert(name.clone(), value.clone());
        }
    }
    validate_topic_overrides(&configs, defaults.settings, &DynamicConfigs::default())?;
    Ok(Plan { replicas, configs })
}

fn check_name(image: &Image, name: &str, accepted: &BTreeSet<&str>) -> Result<(), ChangeError> {
    topic_name::check(name)?;
    if image.topic(name).is_some() {
        return Err(ChangeError::TopicExists(name.to_owned()));
    }
    let present = image.topics().map(|topic| topic.name.as_str());
    let mut others = present.chain(accepted.iter().copied());
    match others.find(|other| topic_name::collides(other, name)) {
        Some(existing) => Err(ChangeError::Collision {
            name: name.to_owned(),
            existing: existing.to_owned(),
        }),
        None => Ok(()),
    }
}

fn check_partitions(asked: i32, default: i32) -> Result<usize, ChangeError> {
    let count = if asked == DEFAULT { default } else { asked };
    if count <= 0 {
        return Err(ChangeError::Partitions(
            "Number of partitions was set to an invalid non-positive value.".to_owned(),
        ));
    }
    if count > limits::PARTITIONS_PER_TOPIC_MAX {
        return Err(ChangeError::Partitions(format!(
            "{count} partitions are more than a topic may have ({})",
            limits::PARTITIONS_PER_TOPIC_MAX
        )));
    }
    Ok(count.unsigned_abs() as usize)
}

fn check_factor(asked: i16, default: i16) -> Result<(), ChangeError> {
    let factor = if i32::from(asked) == DEFAULT {
        default
    } else {
        asked
    };
    match factor {
        1 => Ok(()),
        ..=0 => Err(ChangeError::ReplicationFactor(
            "Replication factor was set to an invalid non-positive value.".to_owned(),
        )),
        _ => Err(ChangeError::ReplicationFactor(format!(
            "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot be reached because only 1 broker(s) are registered."
        ))),
    }
}

/// Replicas by partition, from a manual assignment.
fn assigned(topic: &NewTopic, node_id: i32) -> Result<Vec<Vec<i32>>, ChangeError> {
    if i32::from(topic.replication_factor) != DEFAULT {
        return Err(ChangeError::Request(
            "A manual partition assignment was specified, but replication factor was not set to -1.".to_owned(),
        ));
    }
    if topic.partitions != DEFAULT {
        return Err(ChangeError::Request(
            "A manual partition assignment was specified, but numPartitions was not set to -1."
                .to_owned(),
        ));
    }
    let mut replicas = BTreeMap::new();
    for (partition, nodes) in &topic.assignments {
        let wrong = |words: String| Err(ChangeError::Assignment(words));
        if nodes.is_empty() {
            return wrong(
                "The manual partition assignment includes an empty replica list.".to_owned(),
            );
        }
        if let Some(other) = nodes.iter().find(|&&node| node != node_id) {
            return wrong(format!(
                "The manual partition assignment includes broker {other}, but no such broker is registered."
            ));
        }
        if nodes.len() > 1 {
            return wrong(format!(
                "The manual partition assignment includes the broker {node_id} more than once."
            ));
        }
        if replicas.insert(*partition, nodes.clone()).is_some() {
            return wrong(format!(
                "Found multiple manual partition assignments for partition {partition}"
            ));
        }
    }
    check_partitions(i32::try_from(replicas.len()).unwrap_or(i32::MAX), 1)?;
    if !replicas.keys().copied().eq(0..replicas.len() as i32) {
        return Err(ChangeError::Assignment(
            "partitions should be a consecutive 0-based integer sequence".to_owned(),
        ));
    }
    Ok(replicas.into_values().collect())
}

fn write(
    defaults: &TopicDefaults<'_>,
    topic: &NewTopic,
    plan: Plan,
    records: &mut Vec<MetadataRecord>,
) -> Created {
    let id = id_text::random();
    let name = Text::from(topic.name.as_str());
    let created = TopicRecord {
        name: name.clone(),
        topic_id: id,
    };
    records.push(created.into());
    for (key, value) in &plan.configs {
        let config = ConfigRecord {
            resource_type: TOPIC_RESOURCE,
            resource_name: name.clone(),
            name: Text::from(key.as_str()),
            value: Some(Text::from(value.as_str())),
        };
        records.push(config.into());
    }
    let partitions = plan.replicas.len() as i32;
    for (partition, replicas) in (0..).zip(plan.replicas) {
        let record = PartitionRecord {
            partition_id: partition,
            topic_id: id,
            isr: replicas.clone(),
            leader: defaults.node_id,
            leader_epoch: 0,
            partition_epoch: 0,
            directories: vec![defaults.directory_id; replicas.len()],
            replicas,
            ..PartitionRecord::default()
        };
        records.push(record.into());
    }
    Created {
        id,
        partitions,
        replication_factor: 1,
        configs: plan.configs,
    }
}

/// The records that delete topics; outcomes are in order, with the name and id of what is deleted.
pub fn delete_topics(
    image: &Image,
    topics: &[TopicRef],
) -> (
    Vec<MetadataRecord>,
    Vec<Result<(String, TopicId), ChangeError>>,
) {
    let mut records = Vec::new();
    let mut seen = BTreeSet::new();
    let outcomes = topics
        .iter()
        .map(|topic| {
            let (found, missing) = match topic {
                TopicRef::Name(name) => (image.topic(name), ChangeError::UnknownTopic),
                TopicRef::Id(id) => (image.topic_by_id(id), ChangeError::UnknownTopicId),
            };
            let found = found.ok_or(missing)?;
            if !seen.insert(found.id) {
                return Err(ChangeError::Request("Duplicate topic name.".to_owned()));
            }
            let record = RemoveTopicRecord { topic_id: found.id };
            records.push(record.into());
            Ok((found.name.clone(), found.id))
        })
        .collect();
    (records, outcomes)
}

/// The next block of producer ids, and the record that keeps anyone else from getting them.
pub fn allocate_producer_ids(image: &Image, node_id: i32) -> (MetadataRecord, Range<i64>) {
    let first = image.next_producer_id();
    let next = first + limits::PRODUCER_ID_BLOCK;
    let record = ProducerIdsRecord {
        broker_id: node_id,
        next_producer_id: next,
        ..ProducerIdsRecord::default()
    };
    (record.into(), first..next)
}

#[cfg(test)]
mod tests;
