//! What the metadata log says, up to an offset: brokers, topics, partitions, settings.
//!
//! An image never changes; applying records makes the next one, which shares with this one all topics that stayed as they were. So
//! every core can hold one, and comparing two topics is comparing two pointers.

use crate::types::{Offset, TopicId};
use crate::wire::metadata_records::{
    BrokerRegistrationChangeRecord, ConfigRecord, MetadataRecord, PartitionChangeRecord,
    PartitionRecord, RegisterBrokerRecord,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// `ConfigRecord.resource_type` of a topic, as in Kafka's ConfigResource.
pub(super) const TOPIC_RESOURCE: i8 = 2;
/// `ConfigRecord.resource_type` of a broker.
pub(super) const BROKER_RESOURCE: i8 = 4;
/// `PartitionChangeRecord.leader`: no change.
const SAME_LEADER: i32 = -2;

/// A partition, as the controller has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionState {
    /// Node ids.
    pub replicas: Vec<i32>,
    /// Those in sync.
    pub isr: Vec<i32>,
    /// Node id of the leader, -1 for none.
    pub leader: i32,
    /// Grows with each change of leader.
    pub leader_epoch: i32,
    /// Grows with each change.
    pub partition_epoch: i32,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its id, for its whole life.
    pub id: TopicId,
    /// Its name.
    pub name: String,
    /// By index.
    pub partitions: Vec<PartitionState>,
    /// What is set for this topic, by property.
    pub configs: BTreeMap<String, String>,
}

impl Topic {
    /// Whether the broker itself keeps its state there.
    pub fn is_internal(&self) -> bool {
        matches!(
            self.name.as_str(),
            "__consumer_offsets" | "__transaction_state"
        )
    }
}

/// A registered broker, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Listener name, host and port.
    pub end_points: Vec<(String, String, u16)>,
    /// Whether it may not lead.
    pub fenced: bool,
}

/// Records that contradict the image they are applied to.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ApplyError {
    /// A record speaks of a topic that there is not.
    #[error("{record} speaks of topic id {topic_id}, which there is not")]
    UnknownTopic {
        /// The record's name.
        record: &'static str,
        /// The topic.
        topic_id: TopicId,
    },
    /// A record speaks of a partition that there is not.
    #[error("{record} speaks of partition {partition} of {topic}, which there is not")]
    UnknownPartition {
        /// The record's name.
        record: &'static str,
        /// The topic's name.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// A transaction within a transaction, or an end without a beginning.
    #[error("{0} where the metadata log has no place for it")]
    Transaction(&'static str),
}

/// The metadata up to an offset.
#[derive(Clone, Debug, Default)]
pub struct Image {
    cluster_id: String,
    topics: BTreeMap<String, Arc<Topic>>,
    names: BTreeMap<TopicId, String>,
    brokers: BTreeMap<i32, Broker>,
    broker_configs: BTreeMap<(String, String), String>,
    features: BTreeMap<String, i16>,
    next_producer_id: i64,
    offset: Offset,
    /// Records of a transaction that has begun and not ended.
    transaction: Option<Vec<MetadataRecord>>,
}

impl Image {
    /// Nothing yet.
    pub fn empty(cluster_id: impl Into<String>) -> Image {
        Image {
            cluster_id: cluster_id.into(),
            ..Image::default()
        }
    }

    /// The cluster's id.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// All topics in the order of their names.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.values()
    }

    /// A topic by name.
    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.get(name)
    }

    /// A topic by id.
    pub fn topic_by_id(&self, id: &TopicId) -> Option<&Arc<Topic>> {
        self.topics.get(self.names.get(id)?)
    }

    /// A registered broker.
    pub fn broker(&self, node_id: i32) -> Option<&Broker> {
        self.brokers.get(&node_id)
    }

    /// Finalized features and their levels.
    pub fn features(&self) -> impl Iterator<Item = (&str, i16)> {
        self.features
            .iter()
            .map(|(name, level)| (name.as_str(), *level))
    }

    /// The first producer id that has not been given out.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// Everything below this offset of the metadata log is in the image.
    pub fn offset(&self) -> Offset {
        self.offset
    }

    /// The image after one batch of records, of which the last has the offset before `end`.
    ///
    /// # Errors
    /// See [`ApplyError`]; the metadata log must then not be used.
    pub fn apply(&self, records: &[MetadataRecord], end: Offset) -> Result<Image, ApplyError> {
        let mut next = self.clone();
        for record in records {
            next.take(record)?;
        }
        next.offset = end;
        Ok(next)
    }

    fn take(&mut self, record: &MetadataRecord) -> Result<(), ApplyError> {
        let misplaced = || Err(ApplyError::Transaction(record.name()));
        match (record, &mut self.transaction) {
            (MetadataRecord::BeginTransactionRecord(_), None) => {
                self.transaction = Some(Vec::new());
                Ok(())
            }
            (MetadataRecord::BeginTransactionRecord(_), Some(_))
            | (
                MetadataRecord::EndTransactionRecord(_) | MetadataRecord::AbortTransactionRecord(_),
                None,
            ) => misplaced(),
            (MetadataRecord::AbortTransactionRecord(_), Some(_)) => {
                self.transaction = None;
                Ok(())
            }
            (MetadataRecord::EndTransactionRecord(_), held @ Some(_)) => {
                let records = held.take().unwrap_or_default();
                records.iter().try_for_each(|record| self.replay(record))
            }
            (record, Some(held)) => {
                held.push(record.clone());
                Ok(())
            }
            (record, None) => self.replay(record),
        }
    }

    fn replay(&mut self, record: &MetadataRecord) -> Result<(), ApplyError> {
        match record {
            MetadataRecord::TopicRecord(topic) => {
                let name = topic.name.to_string();
                self.names.insert(topic.topic_id, name.clone());
                let topic = Topic {
                    id: topic.topic_id,
                    name: name.clone(),
                    partitions: Vec::new(),
                    configs: BTreeMap::new(),
                };
                self.topics.insert(name, Arc::new(topic));
            }
            MetadataRecord::PartitionRecord(partition) => self.place(partition)?,
            MetadataRecord::PartitionChangeRecord(change) => self.change(change)?,
            MetadataRecord::RemoveTopicRecord(removed) => {
                let name = self.names.remove(&removed.topic_id);
                let name = name.ok_or(ApplyError::UnknownTopic {
                    record: "RemoveTopicRecord",
                    topic_id: removed.topic_id,
                })?;
                self.topics.remove(&name);
            }
            MetadataRecord::ConfigRecord(config) => self.configure(config),
            MetadataRecord::FeatureLevelRecord(feature) => {
                let name = feature.name.to_string();
                match feature.feature_level {
                    0 => self.features.remove(&name),
                    level => self.features.insert(name, level),
                };
            }
            MetadataRecord::ProducerIdsRecord(ids) => self.next_producer_id = ids.next_producer_id,
            MetadataRecord::RegisterBrokerRecord(broker) => self.register(broker),
            MetadataRecord::BrokerRegistrationChangeRecord(change) => self.reregister(change),
            MetadataRecord::UnregisterBrokerRecord(broker) => {
                self.brokers.remove(&broker.broker_id);
            }
            MetadataRecord::FenceBrokerRecord(broker) => self.fence(broker.id, true),
            MetadataRecord::UnfenceBrokerRecord(broker) => self.fence(broker.id, false),
            // They carry nothing that this image holds.
            MetadataRecord::NoOpRecord(_)
            | MetadataRecord::ClearElrRecord(_)
            | MetadataRecord::Uninterpreted { .. } => {}
            MetadataRecord::BeginTransactionRecord(_)
            | MetadataRecord::EndTransactionRecord(_)
            | MetadataRecord::AbortTransactionRecord(_) => {
                return Err(ApplyError::Transaction(record.name()));
            }
        }
        Ok(())
    }

    fn topic_mut(
        &mut self,
        record: &'static str,
        topic_id: TopicId,
    ) -> Result<&mut Topic, ApplyError> {
        let name = self.names.get(&topic_id);
        let topic = name.and_then(|name| self.topics.get_mut(name));
        topic
            .map(Arc::make_mut)
            .ok_or(ApplyError::UnknownTopic { record, topic_id })
    }

    /// Partitions come in the order of their indexes; one that is there is replaced.
    fn place(&mut self, record: &PartitionRecord) -> Result<(), ApplyError> {
        const NAME: &str = "PartitionRecord";
        let topic = self.topic_mut(NAME, record.topic_id)?;
        let state = PartitionState {
            replicas: record.replicas.clone(),
            isr: record.isr.clone(),
            leader: record.leader,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
        };
        let index = usize::try_from(record.partition_id).unwrap_or(usize::MAX);
        match index.cmp(&topic.partitions.len()) {
            std::cmp::Ordering::Less => topic.partitions[index] = state,
            std::cmp::Ordering::Equal => topic.partitions.push(state),
            std::cmp::Ordering::Greater => {
                return Err(ApplyError::UnknownPartition {
                    record: NAME,
                    topic: topic.name.clone(),
                    partition: record.partition_id - 1,
                });
            }
        }
        Ok(())
    }

    /// Each change counts; a named leader, even the same one, begins a new leader epoch.
    fn change(&mut self, record: &PartitionChangeRecord) -> Result<(), ApplyError> {
        const NAME: &str = "PartitionChangeRecord";
        let topic = self.topic_mut(NAME, record.topic_id)?;
        let index = usize::try_from(record.partition_id).unwrap_or(usize::MAX);
        let Some(state) = topic.partitions.get_mut(index) else {
            return Err(ApplyError::UnknownPartition {
                record: NAME,
                topic: topic.name.clone(),
                partition: record.partition_id,
            });
        };
        if let Some(isr) = &record.isr {
            state.isr.clone_from(isr);
        }
        if let Some(replicas) = &record.replicas {
            state.replicas.clone_from(replicas);
        }
        if record.leader != SAME_LEADER {
            state.leader = record.leader;
            state.leader_epoch += 1;
        }
        state.partition_epoch += 1;
        Ok(())
    }

    fn configure(&mut self, record: &ConfigRecord) {
        let (resource, name) = (record.resource_name.to_string(), record.name.to_string());
        let value = record.value.as_ref().map(ToString::to_string);
        match record.resource_type {
            TOPIC_RESOURCE => {
                if let Some(topic) = self.topics.get_mut(&resource) {
                    set(&mut Arc::make_mut(topic).configs, name, value);
                }
            }
            BROKER_RESOURCE => set(&mut self.broker_configs, (resource, name), value),
            // Groups, client metrics: kept by those who serve them.
            _ => {}
        }
    }

    fn register(&mut self, record: &RegisterBrokerRecord) {
        let end_points = record
            .end_points
            .iter()
            .map(|point| (point.name.to_string(), point.host.to_string(), point.port))
            .collect();
        let broker = Broker {
            end_points,
            fenced: record.fenced,
        };
        self.brokers.insert(record.broker_id, broker);
    }

    fn reregister(&mut self, record: &BrokerRegistrationChangeRecord) {
        match record.fenced {
            1 => self.fence(record.broker_id, true),
            -1 => self.fence(record.broker_id, false),
            _ => {}
        }
    }

    fn fence(&mut self, node_id: i32, fenced: bool) {
        if let Some(broker) = self.brokers.get_mut(&node_id) {
            broker.fenced = fenced;
        }
    }
}

fn set<K: Ord>(configs: &mut BTreeMap<K, String>, key: K, value: Option<String>) {
    match value {
        Some(value) => drop(configs.insert(key, value)),
        None => drop(configs.remove(&key)),
    }
}

#[cfg(test)]
mod tests;
