//! CreateTopics decided: every check a Kafka 4.3 controller makes, in its order, and the records of what passes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::Refusal;
use super::directories::Directories;
use crate::config::settings::Settings;
use crate::config::topic::{Configs, DynamicConfigs, validate_topic_overrides};
use crate::limits::{CONFIG_VALUE_MAX_BYTES, PARTITIONS_PER_CREATE_MAX};
use crate::metadata::image::{Image, TOPIC_RESOURCE};
use crate::metadata::topic_name;
use crate::types::TopicId;
use crate::wire::Text;
use crate::wire::metadata_records::{ConfigRecord, MetadataRecord, PartitionRecord, TopicRecord};

/// A topic that is asked for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Count of partitions; -1 takes the default.
    pub partitions: i32,
    /// Count of replicas; -1 takes the default.
    pub replication_factor: i16,
    /// Replicas by partition, when the client places them itself; both counts are -1 then.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// Its own settings; a null value is refused.
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that passed every check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreatedTopic {
    /// Its id.
    pub id: TopicId,
    /// Count of partitions.
    pub partitions: i32,
    /// Count of replicas.
    pub replication_factor: i16,
    /// Its own settings.
    pub configs: Configs,
}

/// What a topic gets that does not say.
#[derive(Clone, Copy, Debug)]
pub struct TopicDefaults<'a> {
    /// `num.partitions`.
    pub partitions: i32,
    /// `default.replication.factor`.
    pub replication_factor: i16,
    /// What the broker was started with.
    pub settings: &'a Settings,
    /// Broker settings of the metadata log.
    pub dynamic: &'a DynamicConfigs,
}

/// Decides on `topics`: the records that create those that pass, and an outcome for each, in their order. A request that
/// only wants validation drops the records. `new_id` makes random ids that are not reserved.
pub fn create_topics(
    image: &Image,
    defaults: TopicDefaults<'_>,
    topics: &[NewTopic],
    mut new_id: impl FnMut() -> TopicId,
) -> (Vec<MetadataRecord>, Vec<Result<CreatedTopic, Refusal>>) {
    let mut mentions: HashMap<&str, usize> = HashMap::new();
    for topic in topics {
        *mentions.entry(&topic.name).or_default() += 1;
    }
    let mut records = Vec::new();
    let mut directories = Directories::of(image);
    let mut room = PARTITIONS_PER_CREATE_MAX;
    let decide = |topic: &NewTopic| {
        if mentions[topic.name.as_str()] > 1 {
            return Err(Refusal::InvalidRequest("Duplicate topic name.".to_owned()));
        }
        let (placement, configs) = check(image, defaults, topic, room)?;
        room -= placement.len() as i32;
        let created = CreatedTopic {
            id: new_id(),
            partitions: placement.len() as i32,
            replication_factor: placement
                .values()
                .next()
                .map_or(0, |replicas| replicas.len() as i16),
            configs,
        };
        records.extend(records_of(
            &mut directories,
            &topic.name,
            &created,
            placement,
        ));
        Ok(created)
    };
    let outcomes = topics.iter().map(decide).collect();
    (records, outcomes)
}

/// Replicas of each partition.
pub(super) type Placement = BTreeMap<i32, Vec<i32>>;

fn check(
    image: &Image,
    defaults: TopicDefaults<'_>,
    topic: &NewTopic,
    room: i32,
) -> Result<(Placement, Configs), Refusal> {
    check_name(image, &topic.name)?;
    let configs = check_configs(defaults, &topic.configs)?;
    let placement = if topic.assignments.is_empty() {
        place(image, defaults, topic, room)?
    } else {
        check_assignment(image, topic, room)?
    };
    Ok((placement, configs))
}

fn check_name(image: &Image, name: &str) -> Result<(), Refusal> {
    if name == topic_name::CLUSTER_METADATA_TOPIC {
        return Err(Refusal::InvalidRequest(format!(
            "Creation of internal topic {name} is prohibited."
        )));
    }
    topic_name::validate(name).map_err(|invalid| Refusal::InvalidTopic(invalid.to_string()))?;
    if image.topic_by_name(name).is_some() {
        return Err(Refusal::TopicAlreadyExists(name.to_owned()));
    }
    match image.colliding_topic(name) {
        Some(other) => Err(Refusal::InvalidTopic(format!(
            "Topic '{name}' collides with existing topic: {other}"
        ))),
        None => Ok(()),
    }
}

fn check_configs(
    defaults: TopicDefaults<'_>,
    asked: &[(String, Option<String>)],
) -> Result<Configs, Refusal> {
    let without_value: Vec<&str> = asked
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    if !without_value.is_empty() {
        return Err(Refusal::InvalidConfig(format!(
            "Null value not supported for topic configs: {}",
            without_value.join(",")
        )));
    }
    let configs: Configs = asked
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
        .collect();
    if configs
        .values()
        .any(|value| value.len() > CONFIG_VALUE_MAX_BYTES)
    {
        return Err(Refusal::InvalidConfig(format!(
            "The configuration value cannot be added because it exceeds the maximum value size of {CONFIG_VALUE_MAX_BYTES} bytes."
        )));
    }
    validate_topic_overrides(&configs, defaults.settings, defaults.dynamic)
        .map_err(|invalid| Refusal::InvalidConfig(invalid.message))?;
    Ok(configs)
}

/// Places the replicas of a topic that leaves it to the cluster: round robin over the active brokers.
fn place(
    image: &Image,
    defaults: TopicDefaults<'_>,
    topic: &NewTopic,
    room: i32,
) -> Result<Placement, Refusal> {
    if topic.replication_factor < -1 || topic.replication_factor == 0 {
        let words = "Replication factor must be larger than 0, or -1 to use the default value.";
        return Err(Refusal::InvalidReplicationFactor(words.to_owned()));
    }
    if topic.partitions < -1 || topic.partitions == 0 {
        let words = "Number of partitions was set to an invalid non-positive value.";
        return Err(Refusal::InvalidPartitions(words.to_owned()));
    }
    let or_default = |count, default| if count == -1 { default } else { count };
    let partitions = or_default(topic.partitions, defaults.partitions);
    let factor = or_default(
        topic.replication_factor.into(),
        defaults.replication_factor.into(),
    );
    require_room(partitions, room)?;
    place_replicas(image, 0..partitions, factor)
}

/// Replicas for partitions that leave their place to the cluster, in turn over the active brokers.
pub(super) fn place_replicas(
    image: &Image,
    partitions: Range<i32>,
    factor: i32,
) -> Result<Placement, Refusal> {
    let active: Vec<i32> = image
        .brokers()
        .filter(|broker| broker.is_active())
        .map(|broker| broker.id)
        .collect();
    let unable = |why: String| {
        Refusal::InvalidReplicationFactor(format!(
            "Unable to replicate the partition {factor} time(s): {why}"
        ))
    };
    if active.is_empty() {
        return Err(unable("All brokers are currently fenced.".to_owned()));
    }
    let registered = image.brokers().len();
    let replicas = usize::try_from(factor).unwrap_or(0);
    if replicas > registered {
        return Err(unable(format!(
            "The target replication factor of {factor} cannot be reached because only {registered} broker(s) are registered \
             or some brokers have all their log directories cordoned."
        )));
    }
    let inactive: Vec<i32> = image
        .brokers()
        .filter(|broker| !broker.is_active())
        .map(|broker| broker.id)
        .collect();
    let in_turn = |partition: i32| {
        let start = partition as usize % active.len();
        let (tail, head) = active.split_at(start);
        head.iter()
            .chain(tail)
            .chain(&inactive)
            .copied()
            .take(replicas)
            .collect()
    };
    Ok(partitions
        .map(|partition| (partition, in_turn(partition)))
        .collect())
}

pub(super) fn require_room(partitions: i32, room: i32) -> Result<(), Refusal> {
    if partitions > room {
        return Err(Refusal::PolicyViolation(
            "Excessively large number of partitions per request.".to_owned(),
        ));
    }
    Ok(())
}

fn check_assignment(image: &Image, topic: &NewTopic, room: i32) -> Result<Placement, Refusal> {
    if topic.replication_factor != -1 {
        let words = "A manual partition assignment was specified, but replication factor was not set to -1.";
        return Err(Refusal::InvalidRequest(words.to_owned()));
    }
    if topic.partitions != -1 {
        let words =
            "A manual partition assignment was specified, but numPartitions was not set to -1.";
        return Err(Refusal::InvalidRequest(words.to_owned()));
    }
    require_room(
        i32::try_from(topic.assignments.len()).unwrap_or(i32::MAX),
        room,
    )?;
    let mut placement = Placement::new();
    for (partition, replicas) in &topic.assignments {
        check_replicas(image, *partition, replicas, placement.values().next())?;
        if placement.insert(*partition, replicas.clone()).is_some() {
            let words =
                format!("Found multiple manual partition assignments for partition {partition}");
            return Err(Refusal::InvalidReplicaAssignment(words));
        }
    }
    if placement.keys().copied().ne(0..placement.len() as i32) {
        let words = "partitions should be a consecutive 0-based integer sequence";
        return Err(Refusal::InvalidReplicaAssignment(words.to_owned()));
    }
    Ok(placement)
}

pub(super) fn check_replicas(
    image: &Image,
    partition: i32,
    replicas: &[i32],
    earlier: Option<&Vec<i32>>,
) -> Result<(), Refusal> {
    let refuse = |words: String| Err(Refusal::InvalidReplicaAssignment(words));
    if replicas.is_empty() {
        return refuse(
            "The manual partition assignment includes an empty replica list.".to_owned(),
        );
    }
    let mut sorted = replicas.to_vec();
    sorted.sort_unstable();
    for (at, id) in sorted.iter().enumerate() {
        if image.broker(*id).is_none() {
            return refuse(format!(
                "The manual partition assignment includes broker {id}, but no such broker is registered."
            ));
        }
        if at > 0 && sorted[at - 1] == *id {
            return refuse(format!(
                "The manual partition assignment includes the broker {id} more than once."
            ));
        }
    }
    if let Some(earlier) = earlier.filter(|earlier| earlier.len() != replicas.len()) {
        return refuse(format!(
            "The manual partition assignment includes a partition with {} replica(s), but this is not consistent with \
             previous partitions, which have {} replica(s).",
            replicas.len(),
            earlier.len()
        ));
    }
    if !replicas.iter().any(|id| is_active(image, *id)) {
        return refuse(format!(
            "All brokers specified in the manual partition assignment for partition {partition} are fenced or in controlled shutdown."
        ));
    }
    Ok(())
}

fn is_active(image: &Image, id: i32) -> bool {
    image.broker(id).is_some_and(|broker| broker.is_active())
}

/// The topic, its settings, its partitions: the order in which Kafka writes them.
fn records_of(
    directories: &mut Directories<'_>,
    name: &str,
    created: &CreatedTopic,
    placement: Placement,
) -> Vec<MetadataRecord> {
    let mut records = Vec::with_capacity(1 + created.configs.len() + placement.len());
    records.push(
        TopicRecord {
            name: Text::from(name),
            topic_id: created.id,
        }
        .into(),
    );
    for (config, value) in &created.configs {
        let record = ConfigRecord {
            resource_type: TOPIC_RESOURCE,
            resource_name: Text::from(name),
            name: Text::from(config.as_str()),
            value: Some(Text::from(value.as_str())),
        };
        records.push(record.into());
    }
    records.extend(partition_records(directories, created.id, placement));
    records
}

/// New partitions, led by the first of their replicas that is active.
pub(super) fn partition_records(
    directories: &mut Directories<'_>,
    topic_id: TopicId,
    placement: Placement,
) -> impl Iterator<Item = MetadataRecord> {
    let image = directories.image;
    placement.into_iter().map(move |(partition_id, replicas)| {
        let isr: Vec<i32> = replicas
            .iter()
            .copied()
            .filter(|id| is_active(image, *id))
            .collect();
        PartitionRecord {
            partition_id,
            topic_id,
            leader: isr.first().copied().unwrap_or(-1),
            isr,
            leader_epoch: 0,
            partition_epoch: 0,
            directories: replicas.iter().map(|id| directories.next(*id)).collect(),
            replicas,
            ..PartitionRecord::default()
        }
        .into()
    })
}

#[cfg(test)]
mod tests;
