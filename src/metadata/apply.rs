//! Records of the metadata log to the next image.
//!
//! Pure. A record that does not fit the image means that the log is damaged or made by something this broker does not
//! understand: it is an error and never stepped over. Rules that are not in the records themselves:
//!
//! | record | also means |
//! |---|---|
//! | PartitionChange | partition epoch + 1; leader epoch + 1 if the leader is named, even when it is the same |
//! | RemoveTopic | its partitions and settings go too |
//! | Config of a topic that is not there | nothing |
//! | BeginTransaction | nothing counts until EndTransaction; AbortTransaction drops it all |

use std::sync::Arc;

use super::image::{Broker, Endpoint, Image, Partition, TOPIC_RESOURCE, Topic};
use super::topic_name;
use crate::config::topic::Configs;
use crate::limits::METADATA_TRANSACTION_MAX_RECORDS;
use crate::types::{LeaderEpoch, Offset, TopicId};
use crate::wire::WireError;
use crate::wire::metadata_records::{
    BrokerRegistrationChangeRecord, ClearElrRecord, ConfigRecord, FeatureLevelRecord,
    MetadataRecord, PartitionChangeRecord, PartitionRecord, ProducerIdsRecord,
    RegisterBrokerRecord, RemoveTopicRecord, TopicRecord,
};

/// A record that does not fit what came before it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("at offset {offset}: {record} {problem}")]
pub struct ApplyError {
    /// Offset of the record.
    pub offset: Offset,
    /// Kafka's name of the record.
    pub record: &'static str,
    /// Why it does not fit.
    pub problem: Problem,
}

/// Why a record does not fit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// It is about a topic that is not there.
    #[error("names topic id {0}, which does not exist")]
    UnknownTopicId(TopicId),
    /// It is about a topic that is not there.
    #[error("names topic {0:?}, which does not exist")]
    UnknownTopic(String),
    /// It creates a topic that is there.
    #[error("creates topic {0:?}, which exists")]
    TopicExists(String),
    /// It changes a partition that is not there.
    #[error("changes partition {partition} of topic {topic:?}, which does not exist")]
    UnknownPartition {
        /// Name of the topic.
        topic: String,
        /// Index of the partition.
        partition: i32,
    },
    /// It changes a broker that is not registered.
    #[error("changes broker {0}, which is not registered")]
    UnknownBroker(i32),
    /// It changes an older or newer registration of a broker.
    #[error("is for epoch {found} of broker {broker}, whose epoch is {current}")]
    BrokerEpoch {
        /// Node id of the broker.
        broker: i32,
        /// Epoch in the record.
        found: i64,
        /// Epoch in the image.
        current: i64,
    },
    /// Its body is not what its type says.
    #[error("cannot be read: {0}")]
    Unreadable(WireError),
    /// A transaction begins within another.
    #[error("begins a transaction within a transaction")]
    NestedTransaction,
    /// A transaction ends that never began.
    #[error("ends a transaction that has not begun")]
    NoTransaction,
    /// A transaction holds more than is ever taken in one.
    #[error(
        "is one more than the {METADATA_TRANSACTION_MAX_RECORDS} records a transaction may hold"
    )]
    TransactionTooLarge,
}

impl Image {
    /// The image after `records` too. They are consecutive, and `end` is the offset after the last of them.
    ///
    /// # Errors
    /// [`ApplyError`] at the first record that does not fit; this image stays what it is.
    pub fn apply(&self, records: &[MetadataRecord], end: Offset) -> Result<Image, ApplyError> {
        let mut next = self.clone();
        next.replay(records, end)?;
        Ok(next)
    }

    /// As [`apply`](Self::apply), but in place, so that a whole log takes time in proportion to its length.
    ///
    /// # Errors
    /// [`ApplyError`] at the first record that does not fit; this image is then of no more use.
    pub fn replay(&mut self, records: &[MetadataRecord], end: Offset) -> Result<(), ApplyError> {
        let first = end - Offset(records.len() as i64);
        for (index, record) in records.iter().enumerate() {
            self.take(record).map_err(|problem| ApplyError {
                offset: Offset(first + index as i64),
                record: record.name(),
                problem,
            })?;
        }
        self.end = end;
        Ok(())
    }

    /// Takes one record, minding transactions.
    fn take(&mut self, record: &MetadataRecord) -> Result<(), Problem> {
        match (record, &mut self.open_transaction) {
            (MetadataRecord::BeginTransactionRecord(_), Some(_)) => Err(Problem::NestedTransaction),
            (MetadataRecord::BeginTransactionRecord(_), none) => {
                *none = Some(Arc::default());
                Ok(())
            }
            (MetadataRecord::EndTransactionRecord(_), transaction) => {
                let records = transaction.take().ok_or(Problem::NoTransaction)?;
                records.iter().try_for_each(|record| self.change(record))
            }
            (MetadataRecord::AbortTransactionRecord(_), transaction) => {
                transaction.take().map(drop).ok_or(Problem::NoTransaction)
            }
            (_, Some(waiting)) if waiting.len() >= METADATA_TRANSACTION_MAX_RECORDS => {
                Err(Problem::TransactionTooLarge)
            }
            (record, Some(waiting)) => {
                Arc::make_mut(waiting).push(record.clone());
                Ok(())
            }
            (record, None) => self.change(record),
        }
    }

    /// Changes the state by one record that counts.
    fn change(&mut self, record: &MetadataRecord) -> Result<(), Problem> {
        match record {
            MetadataRecord::RegisterBrokerRecord(record) => self.register_broker(record),
            MetadataRecord::UnregisterBrokerRecord(record) => {
                self.registered(record.broker_id, record.broker_epoch)?;
                self.brokers.remove(&record.broker_id);
            }
            MetadataRecord::BrokerRegistrationChangeRecord(record) => {
                self.change_registration(record)?
            }
            MetadataRecord::FenceBrokerRecord(record) => {
                self.registered(record.id, record.epoch)?.fenced = true
            }
            MetadataRecord::UnfenceBrokerRecord(record) => {
                self.registered(record.id, record.epoch)?.fenced = false
            }
            MetadataRecord::TopicRecord(record) => self.create_topic(record)?,
            MetadataRecord::RemoveTopicRecord(record) => self.remove_topic(record)?,
            MetadataRecord::PartitionRecord(record) => self.put_partition(record)?,
            MetadataRecord::PartitionChangeRecord(record) => self.change_partition(record)?,
            MetadataRecord::ClearElrRecord(record) => self.clear_eligible_leaders(record)?,
            MetadataRecord::ConfigRecord(record) => self.set_config(record)?,
            MetadataRecord::FeatureLevelRecord(record) => self.set_feature(record),
            MetadataRecord::ProducerIdsRecord(ProducerIdsRecord {
                next_producer_id, ..
            }) => {
                self.next_producer_id = *next_producer_id;
            }
            MetadataRecord::Uninterpreted {
                record_type,
                version,
                body,
            } => Arc::make_mut(&mut self.promises)
                .take(*record_type, *version, body)
                .map_err(Problem::Unreadable)?,
            MetadataRecord::NoOpRecord(_)
            | MetadataRecord::BeginTransactionRecord(_)
            | MetadataRecord::EndTransactionRecord(_)
            | MetadataRecord::AbortTransactionRecord(_) => {}
        }
        Ok(())
    }

    fn register_broker(&mut self, record: &RegisterBrokerRecord) {
        let endpoint = |point: &crate::wire::metadata_records::BrokerEndpoint| Endpoint {
            listener: point.name.to_string(),
            host: point.host.to_string(),
            port: point.port,
        };
        let broker = Broker {
            id: record.broker_id,
            epoch: record.broker_epoch,
            incarnation_id: record.incarnation_id,
            endpoints: record.end_points.iter().map(endpoint).collect(),
            rack: record.rack.as_ref().map(ToString::to_string),
            fenced: record.fenced,
            in_controlled_shutdown: record.in_controlled_shutdown,
            log_dirs: record.log_dirs.clone(),
            cordoned_log_dirs: record.cordoned_log_dirs.clone().unwrap_or_default(),
        };
        self.brokers.insert(broker.id, Arc::new(broker));
    }

    /// The broker of exactly this registration, to change.
    fn registered(&mut self, id: i32, epoch: i64) -> Result<&mut Broker, Problem> {
        let broker = self
            .brokers
            .get_mut(&id)
            .ok_or(Problem::UnknownBroker(id))?;
        if broker.epoch != epoch {
            return Err(Problem::BrokerEpoch {
                broker: id,
                found: epoch,
                current: broker.epoch,
            });
        }
        Ok(Arc::make_mut(broker))
    }

    fn change_registration(
        &mut self,
        record: &BrokerRegistrationChangeRecord,
    ) -> Result<(), Problem> {
        let broker = self.registered(record.broker_id, record.broker_epoch)?;
        match record.fenced {
            0 => {}
            change => broker.fenced = change > 0,
        }
        if record.in_controlled_shutdown != 0 {
            broker.in_controlled_shutdown = true;
        }
        if !record.log_dirs.is_empty() {
            broker.log_dirs.clone_from(&record.log_dirs);
        }
        if let Some(cordoned) = &record.cordoned_log_dirs {
            broker.cordoned_log_dirs.clone_from(cordoned);
        }
        Ok(())
    }

    fn create_topic(&mut self, record: &TopicRecord) -> Result<(), Problem> {
        let name: Arc<str> = record.name.as_str().into();
        if self.ids_by_name.contains_key(&name) || self.topics.contains_key(&record.topic_id) {
            return Err(Problem::TopicExists(name.to_string()));
        }
        if let Some(unified) = topic_name::unified(&name) {
            Arc::make_mut(&mut self.names_by_unified).insert(unified, Arc::clone(&name));
        }
        Arc::make_mut(&mut self.ids_by_name).insert(Arc::clone(&name), record.topic_id);
        let topic = Topic {
            id: record.topic_id,
            name,
            partitions: Default::default(),
            configs: Default::default(),
        };
        Arc::make_mut(&mut self.topics).insert(record.topic_id, Arc::new(topic));
        Ok(())
    }

    fn remove_topic(&mut self, record: &RemoveTopicRecord) -> Result<(), Problem> {
        let id = record.topic_id;
        let topic = Arc::make_mut(&mut self.topics)
            .remove(&id)
            .ok_or(Problem::UnknownTopicId(id))?;
        Arc::make_mut(&mut self.ids_by_name).remove(&topic.name);
        if let Some(unified) = topic_name::unified(&topic.name)
            && self.names_by_unified.get(&unified) == Some(&topic.name)
        {
            Arc::make_mut(&mut self.names_by_unified).remove(&unified);
        }
        Ok(())
    }

    /// A topic, to change.
    fn known_topic(&mut self, id: TopicId) -> Result<&mut Topic, Problem> {
        let topic = Arc::make_mut(&mut self.topics)
            .get_mut(&id)
            .ok_or(Problem::UnknownTopicId(id))?;
        Ok(Arc::make_mut(topic))
    }

    fn put_partition(&mut self, record: &PartitionRecord) -> Result<(), Problem> {
        let partition = Partition {
            replicas: record.replicas.clone(),
            isr: record.isr.clone(),
            removing_replicas: record.removing_replicas.clone(),
            adding_replicas: record.adding_replicas.clone(),
            leader: record.leader,
            is_recovering: record.leader_recovery_state == 1,
            leader_epoch: LeaderEpoch(record.leader_epoch),
            partition_epoch: record.partition_epoch,
            directories: record.directories.clone(),
            eligible_leader_replicas: record.eligible_leader_replicas.clone().unwrap_or_default(),
            last_known_eligible: record.last_known_elr.clone().unwrap_or_default(),
        };
        self.known_topic(record.topic_id)?
            .partitions
            .insert(record.partition_id, partition);
        Ok(())
    }

    fn change_partition(&mut self, record: &PartitionChangeRecord) -> Result<(), Problem> {
        let topic = self.known_topic(record.topic_id)?;
        let Some(partition) = topic.partitions.get_mut(&record.partition_id) else {
            return Err(Problem::UnknownPartition {
                topic: topic.name.to_string(),
                partition: record.partition_id,
            });
        };
        partition.take(record);
        Ok(())
    }

    fn clear_eligible_leaders(&mut self, record: &ClearElrRecord) -> Result<(), Problem> {
        let ids = match record.topic_name.as_str() {
            "" => self.topics.keys().copied().collect(),
            name => vec![self.id_of(name)?],
        };
        for id in ids {
            for partition in self.known_topic(id)?.partitions.values_mut() {
                partition.eligible_leader_replicas.clear();
                partition.last_known_eligible.clear();
            }
        }
        Ok(())
    }

    fn id_of(&self, name: &str) -> Result<TopicId, Problem> {
        self.ids_by_name
            .get(name)
            .copied()
            .ok_or_else(|| Problem::UnknownTopic(name.to_owned()))
    }

    fn set_config(&mut self, record: &ConfigRecord) -> Result<(), Problem> {
        let set = |configs: &mut Configs| match &record.value {
            Some(value) => drop(configs.insert(record.name.to_string(), value.to_string())),
            None => drop(configs.remove(record.name.as_str())),
        };
        if record.resource_type == TOPIC_RESOURCE {
            // Kafka's snapshots keep settings of topics that were made and deleted between two of them.
            let Ok(id) = self.id_of(&record.resource_name) else {
                return Ok(());
            };
            set(&mut self.known_topic(id)?.configs);
            return Ok(());
        }
        let resource = (record.resource_type, record.resource_name.to_string());
        let all = Arc::make_mut(&mut self.configs);
        let configs = all.entry(resource.clone()).or_default();
        set(configs);
        // Whoever asks what has settings is told of nothing that has none.
        if configs.is_empty() {
            all.remove(&resource);
        }
        Ok(())
    }

    fn set_feature(&mut self, record: &FeatureLevelRecord) {
        let features = Arc::make_mut(&mut self.features);
        match record.feature_level {
            0 => drop(features.remove(record.name.as_str())),
            level => drop(features.insert(record.name.to_string(), level)),
        }
    }
}

/// `leader` of a PartitionChangeRecord that leaves the leader alone.
const NO_LEADER_CHANGE: i32 = -2;

impl Partition {
    fn take(&mut self, record: &PartitionChangeRecord) {
        let replace = |ours: &mut Vec<i32>, theirs: &Option<Vec<i32>>| {
            if let Some(theirs) = theirs {
                ours.clone_from(theirs);
            }
        };
        replace(&mut self.isr, &record.isr);
        replace(&mut self.replicas, &record.replicas);
        replace(&mut self.removing_replicas, &record.removing_replicas);
        replace(&mut self.adding_replicas, &record.adding_replicas);
        replace(
            &mut self.eligible_leader_replicas,
            &record.eligible_leader_replicas,
        );
        replace(&mut self.last_known_eligible, &record.last_known_elr);
        if let Some(directories) = &record.directories {
            self.directories.clone_from(directories);
        }
        if record.leader_recovery_state >= 0 {
            self.is_recovering = record.leader_recovery_state == 1;
        }
        if record.leader != NO_LEADER_CHANGE {
            self.leader = record.leader;
            self.leader_epoch.0 += 1;
        }
        self.partition_epoch += 1;
    }
}

#[cfg(test)]
mod tests;
