//! What in the metadata of a directory keeps a single node from going on with it.
//!
//! Pure: the metadata in, sentences out. Each says what is in the way, where, and how to get it out of the way where it came from;
//! whoever asks has changed nothing yet. Nothing is guessed: what is not known to be harmless is in the way.

use std::fmt;

use uuid::Uuid;

use super::features::METADATA_VERSION;
use super::image::{BROKER_RESOURCE, Image, Partition};
use super::quorum::{KRAFT_VERSION_MAX, Quorum};
use super::topic_name::SHARE_GROUP_STATE_TOPIC;
use crate::config::property::{Property, Status};
use crate::config::table::broker_property;
use crate::config::topic::Configs;
use crate::config::topic_properties::topic_property;

/// Where Kafka keeps what it has moved to a remote store.
const REMOTE_LOG_METADATA_TOPIC: &str = "__remote_log_metadata";

/// Levels of features that leave the files as this broker knows them, whatever they promise to clients: a client is only
/// told of those that are served.
const HARMLESS_FEATURES: [(&str, i16); 5] = [
    ("eligible.leader.replicas.version", 1),
    ("group.version", 1),
    ("share.version", 1),
    ("streams.version", 1),
    ("transaction.version", 2),
];

/// Ids of directories that are none: not assigned yet, and moving from a release without them.
const NO_DIRECTORY: [u128; 2] = [0, 1];

/// Names at most so many of the same kind; the rest is a number.
const NAMED: usize = 3;

/// Who wants to go on with the metadata.
#[derive(Clone, Debug)]
pub struct Successor {
    /// Its node id.
    pub node_id: i32,
    /// The ids of its directories; `None` if not all are known, and a partition may lie in any.
    pub directories: Option<Vec<Uuid>>,
}

/// What is in the way.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Obstacle {
    /// The quorum is not this node alone.
    #[error(
        "the voters of its quorum are {}, and this broker works alone, as node {node_id}: with Kafka, move everything to that node and remove the other voters (kafka-metadata-quorum.sh remove-controller)",
        List(voters)
    )]
    Voters {
        /// Who votes.
        voters: Vec<i32>,
        /// Who wants to.
        node_id: i32,
    },
    /// The quorum speaks a newer protocol.
    #[error(
        "its kraft.version is {0}, this broker knows versions up to {KRAFT_VERSION_MAX}: start a newer one"
    )]
    KRaftVersion(i16),
    /// The records are of versions this broker does not know.
    #[error(
        "it is at {name} {0}, this broker knows versions {min} to {max}: for a newer level start a newer one, an older raise with Kafka (kafka-features.sh upgrade)",
        name = METADATA_VERSION.name, min = METADATA_VERSION.min, max = METADATA_VERSION.max
    )]
    MetadataVersion(i16),
    /// A feature that this broker does not know.
    #[error(
        "it is at {name} {level}, which this broker does not know: start a newer one, or lower it with Kafka (kafka-features.sh downgrade --feature {name}=0)"
    )]
    Feature {
        /// The feature.
        name: String,
        /// Its level.
        level: i16,
    },
    /// Other brokers are part of the cluster.
    #[error(
        "brokers {} are part of the cluster, and this broker works alone: with Kafka, move their partitions here (kafka-reassign-partitions.sh) and take them out (kafka-cluster.sh unregister --id ID)",
        List(.0)
    )]
    Brokers(Vec<i32>),
    /// Partitions have replicas elsewhere.
    #[error(
        "partitions {} are not on node {node_id} alone: with Kafka, reassign them to it (kafka-reassign-partitions.sh) and let that finish",
        List(partitions)
    )]
    Replicas {
        /// `topic-partition` each.
        partitions: Vec<String>,
        /// The node.
        node_id: i32,
    },
    /// Partitions lie in another directory.
    #[error(
        "partitions {} lie in another of the node's directories: name it in log.dirs too",
        List(.0)
    )]
    Directories(Vec<String>),
    /// A topic that only means something to services this broker does not have.
    #[error(
        "it has the topic {topic}, the state of {what}, which this broker does not serve: with Kafka, end its use and delete the topic (kafka-topics.sh --delete --topic {topic})"
    )]
    Topic {
        /// Its name.
        topic: &'static str,
        /// Whose state it is.
        what: &'static str,
    },
    /// A setting that is not kept.
    #[error(
        "{resource} sets {name}={value}, which is not in force here ({why}): with Kafka, remove it (kafka-configs.sh --alter --delete-config {name})"
    )]
    Setting {
        /// Of what.
        resource: String,
        /// The setting.
        name: String,
        /// Its value.
        value: String,
        /// Why not.
        why: &'static str,
    },
    /// Access control and the like.
    #[error(
        "it holds {0}, which this broker does not enforce: remove them where they were made, or start with another `log.dirs`"
    )]
    Promises(String),
}

/// Everything in the way of `successor`, in the order in which it is best dealt with.
pub fn obstacles(image: &Image, quorum: &Quorum, successor: &Successor) -> Vec<Obstacle> {
    let mut found = Vec::new();
    check_quorum(quorum, successor.node_id, &mut found);
    check_features(image, &mut found);
    let others: Vec<i32> = image
        .brokers()
        .map(|broker| broker.id)
        .filter(|&id| id != successor.node_id)
        .collect();
    if !others.is_empty() {
        found.push(Obstacle::Brokers(others));
    }
    check_partitions(image, successor, &mut found);
    check_topics(image, &mut found);
    check_settings(image, successor.node_id, &mut found);
    let promises = image.unserved_promises();
    if !promises.is_empty() {
        found.push(Obstacle::Promises(promises.join(", ")));
    }
    found
}

fn check_quorum(quorum: &Quorum, node_id: i32, found: &mut Vec<Obstacle>) {
    if quorum.kraft_version > KRAFT_VERSION_MAX {
        found.push(Obstacle::KRaftVersion(quorum.kraft_version));
    }
    let alone = quorum.voters.iter().all(|&voter| voter == node_id);
    if !alone {
        let voters = quorum.voters.iter().copied().collect();
        found.push(Obstacle::Voters { voters, node_id });
    }
}

fn check_features(image: &Image, found: &mut Vec<Obstacle>) {
    for (name, level) in image.features() {
        if name == METADATA_VERSION.name {
            if !(METADATA_VERSION.min..=METADATA_VERSION.max).contains(&level) {
                found.push(Obstacle::MetadataVersion(level));
            }
            continue;
        }
        let known = HARMLESS_FEATURES.iter().find(|(known, _)| *known == name);
        if known.is_none_or(|(_, highest)| level > *highest) {
            let name = name.to_owned();
            found.push(Obstacle::Feature { name, level });
        }
    }
}

fn check_partitions(image: &Image, successor: &Successor, found: &mut Vec<Obstacle>) {
    let id = successor.node_id;
    let here_alone = |partition: &Partition| {
        partition.replicas == [id]
            && partition.adding_replicas.is_empty()
            && partition.removing_replicas.is_empty()
    };
    let in_this_directory = |partition: &Partition| {
        partition.directories.iter().all(|&directory| {
            let known = successor.directories.as_ref();
            known.is_none_or(|known| known.contains(&directory))
                || NO_DIRECTORY.contains(&directory.as_u128())
        })
    };
    let (mut elsewhere, mut misplaced) = (Vec::new(), Vec::new());
    for topic in image.topics() {
        for (index, partition) in &topic.partitions {
            let name = || format!("{}-{index}", topic.name);
            if !here_alone(partition) {
                elsewhere.push(name());
            } else if !in_this_directory(partition) {
                misplaced.push(name());
            }
        }
    }
    if !elsewhere.is_empty() {
        found.push(Obstacle::Replicas {
            partitions: elsewhere,
            node_id: id,
        });
    }
    if !misplaced.is_empty() {
        found.push(Obstacle::Directories(misplaced));
    }
}

fn check_topics(image: &Image, found: &mut Vec<Obstacle>) {
    let unserved = [
        (SHARE_GROUP_STATE_TOPIC, "share groups"),
        (REMOTE_LOG_METADATA_TOPIC, "tiered storage"),
    ];
    for (topic, what) in unserved {
        if image.topic_by_name(topic).is_some() {
            found.push(Obstacle::Topic { topic, what });
        }
    }
}

fn check_settings(image: &Image, node_id: i32, found: &mut Vec<Obstacle>) {
    for topic in image.topics() {
        let resource = format!("topic {}", topic.name);
        let row = |name: &str| topic_property(name).map(|topic| topic.property);
        check_configs(&resource, &topic.configs, row, found);
    }
    for broker in [node_id.to_string(), String::new()] {
        let Some(configs) = image.configs(BROKER_RESOURCE, &broker) else {
            continue;
        };
        let resource = match broker.as_str() {
            "" => "the cluster's default".to_owned(),
            id => format!("broker {id}"),
        };
        check_configs(&resource, configs, broker_property, found);
    }
}

/// Settings that promise what is not in force. Names that are not known change nothing here, as they change nothing in Kafka.
fn check_configs(
    resource: &str,
    configs: &Configs,
    row: impl Fn(&str) -> Option<&'static Property>,
    found: &mut Vec<Obstacle>,
) {
    for (name, value) in configs {
        let Some(property) = row(name) else { continue };
        let Status::Guarded(why) = property.status else {
            continue;
        };
        if property.parse(value).ok() != property.default_value() {
            found.push(Obstacle::Setting {
                resource: resource.to_owned(),
                name: name.clone(),
                value: value.clone(),
                why,
            });
        }
    }
}

/// The first few, and how many more there are.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, item) in self.0.iter().take(NAMED).enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{item}")?;
        }
        match self.0.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;
