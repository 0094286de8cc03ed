//! The state of the cluster after a prefix of the metadata log.
//!
//! Immutable once made and shared between cores behind an `Arc`: a reader keeps what it has, a change makes the next
//! image (see [`apply`](super::apply)), which shares with the last everything the change did not touch. Knows no record
//! and no file.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::promises::Promises;
use crate::config::topic::{Configs, DynamicConfigs};
use crate::types::{LeaderEpoch, Offset, TopicId};
use crate::wire::metadata_records::MetadataRecord;

/// The whole state.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// End of the prefix: the offset of the next record to apply.
    pub(super) end: Offset,
    pub(super) brokers: BTreeMap<i32, Arc<Broker>>,
    pub(super) topics: Arc<BTreeMap<TopicId, Arc<Topic>>>,
    pub(super) ids_by_name: Arc<BTreeMap<Arc<str>, TopicId>>,
    /// Names by the form in which they collide; only those that can.
    pub(super) names_by_unified: Arc<BTreeMap<String, Arc<str>>>,
    /// Values by kind and name of the resource, topics excepted.
    pub(super) configs: Arc<BTreeMap<(i8, String), Configs>>,
    pub(super) features: Arc<BTreeMap<String, i16>>,
    pub(super) next_producer_id: i64,
    /// Records of a transaction that has not ended yet; they do not count before.
    pub(super) open_transaction: Option<Arc<Vec<MetadataRecord>>>,
    /// What the log promises and this broker does not keep.
    pub(super) promises: Arc<Promises>,
    /// Epoch of the newest batch.
    pub(super) epoch: LeaderEpoch,
}

/// A registered broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broker {
    /// Its node id.
    pub id: i32,
    /// Epoch of its registration; a new one fences the old.
    pub epoch: i64,
    /// Id of its process.
    pub incarnation_id: Uuid,
    /// Where clients reach it.
    pub endpoints: Vec<Endpoint>,
    /// Its rack.
    pub rack: Option<String>,
    /// Whether it must not lead: registered, but not heard of.
    pub fenced: bool,
    /// Whether it is shutting down.
    pub in_controlled_shutdown: bool,
    /// Ids of its data directories.
    pub log_dirs: Vec<Uuid>,
    /// Those among them that take no new partitions.
    pub cordoned_log_dirs: Vec<Uuid>,
}

/// An address of a broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Name of the listener.
    pub listener: String,
    /// Host as clients are told.
    pub host: String,
    /// Port as clients are told.
    pub port: u16,
}

impl Broker {
    /// Whether a restart as `other` would change nothing that the cluster needs to hear.
    pub(super) fn stands_for(&self, other: &Broker) -> bool {
        self.is_active()
            && self.endpoints == other.endpoints
            && self.rack == other.rack
            && self.log_dirs == other.log_dirs
    }

    /// Whether it takes part: not fenced and not shutting down.
    pub fn is_active(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }
}

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: Arc<str>,
    /// Its partitions by index.
    pub partitions: BTreeMap<i32, Partition>,
    /// Its own settings.
    pub configs: Configs,
}

/// A partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Node ids of its replicas, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Node ids of the replicas in sync.
    pub isr: Vec<i32>,
    /// Replicas on their way out.
    pub removing_replicas: Vec<i32>,
    /// Replicas on their way in.
    pub adding_replicas: Vec<i32>,
    /// Node id of the leader; -1 is none.
    pub leader: i32,
    /// Whether the leader was elected uncleanly and has not recovered yet.
    pub is_recovering: bool,
    /// Epoch of the leader.
    pub leader_epoch: LeaderEpoch,
    /// Count of the partition's changes.
    pub partition_epoch: i32,
    /// Data directory of each replica.
    pub directories: Vec<Uuid>,
    /// Replicas out of sync that may still become leader.
    pub eligible_leader_replicas: Vec<i32>,
    /// The last of those that were known.
    pub last_known_eligible: Vec<i32>,
}

/// What became of topics between two images.
#[derive(Clone, Default, Debug)]
pub struct TopicChanges {
    /// Topics that were not there.
    pub created: Vec<Arc<Topic>>,
    /// Topics that are there no more. A recreated one stands here with its old id and in `created` with its new one.
    pub removed: Vec<Arc<Topic>>,
    /// Topics of which anything changed, as they are now.
    pub changed: Vec<Arc<Topic>>,
}

impl Image {
    /// The offset of the next record to apply.
    pub fn end(&self) -> Offset {
        self.end
    }

    /// The epoch in which the newest batch was written.
    pub fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// Says in which epoch the newest batch was written.
    pub fn written_in(&mut self, epoch: LeaderEpoch) {
        self.epoch = epoch;
    }

    /// A broker by its node id.
    pub fn broker(&self, id: i32) -> Option<&Arc<Broker>> {
        self.brokers.get(&id)
    }

    /// Every broker, by node id.
    pub fn brokers(&self) -> impl ExactSizeIterator<Item = &Arc<Broker>> {
        self.brokers.values()
    }

    /// A topic by its id.
    pub fn topic(&self, id: TopicId) -> Option<&Arc<Topic>> {
        self.topics.get(&id)
    }

    /// A topic by its name.
    pub fn topic_by_name(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topic(*self.ids_by_name.get(name)?)
    }

    /// Every topic, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.ids_by_name.values().filter_map(|id| self.topic(*id))
    }

    /// Count of topics.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// The topic whose name metrics could not tell from `name`, if there is one.
    pub fn colliding_topic(&self, name: &str) -> Option<&str> {
        let unified = super::topic_name::unified(name)?;
        self.names_by_unified.get(&unified).map(|other| &**other)
    }

    /// Broker settings of the log, for `node_id` and for all.
    pub fn dynamic_configs(&self, node_id: i32) -> DynamicConfigs {
        let of = |name: String| {
            self.configs
                .get(&(BROKER_RESOURCE, name))
                .cloned()
                .unwrap_or_default()
        };
        DynamicConfigs {
            broker: of(node_id.to_string()),
            cluster: of(String::new()),
        }
    }

    /// What is set for a resource that is no topic; nothing for one that nothing is set for.
    pub fn configs(&self, resource_type: i8, name: &str) -> Option<&Configs> {
        self.configs.get(&(resource_type, name.to_owned()))
    }

    /// The names of the resources of a kind that something is set for; topics excepted.
    pub fn configured(&self, resource_type: i8) -> impl Iterator<Item = &str> {
        let first = (resource_type, String::new());
        self.configs
            .range(first..)
            .take_while(move |((kind, _), _)| *kind == resource_type)
            .map(|((_, name), _)| name.as_str())
    }

    /// Every feature that is not off, with its level.
    pub fn features(&self) -> impl Iterator<Item = (&str, i16)> {
        let features = self.features.iter();
        features.map(|(name, level)| (name.as_str(), *level))
    }

    /// The level of a feature; 0 is off.
    pub fn feature(&self, name: &str) -> i16 {
        self.features.get(name).copied().unwrap_or(0)
    }

    /// The first producer id that was never handed out.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// What the log promises and this broker does not give yet: access control, quotas and the like, by name. A broker that
    /// serves such a cluster would serve what was forbidden.
    pub fn unserved_promises(&self) -> Vec<&'static str> {
        self.promises.kinds()
    }

    /// What became of topics since `earlier`.
    pub fn topic_changes_since(&self, earlier: &Image) -> TopicChanges {
        let mut changes = TopicChanges::default();
        if Arc::ptr_eq(&self.topics, &earlier.topics) {
            return changes;
        }
        for (id, topic) in self.topics.iter() {
            match earlier.topics.get(id) {
                None => changes.created.push(Arc::clone(topic)),
                Some(before) if !Arc::ptr_eq(before, topic) && before != topic => {
                    changes.changed.push(Arc::clone(topic))
                }
                Some(_) => {}
            }
        }
        let gone = earlier
            .topics
            .iter()
            .filter(|(id, _)| !self.topics.contains_key(id));
        changes
            .removed
            .extend(gone.map(|(_, topic)| Arc::clone(topic)));
        changes
    }
}

/// Kind of resource in a ConfigRecord, as everywhere in the protocol: a topic.
pub const TOPIC_RESOURCE: i8 = 2;
/// Kind of resource: a broker, or with an empty name all brokers.
pub const BROKER_RESOURCE: i8 = 4;
/// Kind of resource: the loggers of a broker. Never in a ConfigRecord.
pub const BROKER_LOGGER_RESOURCE: i8 = 8;
/// Kind of resource: a client metrics subscription.
pub const CLIENT_METRICS_RESOURCE: i8 = 16;
/// Kind of resource: a group.
pub const GROUP_RESOURCE: i8 = 32;
