//! Consumer groups on their cores: requests to the coordinator that owns the group, and what coordinators want done.
//!
//! A group belongs to one partition of `__consumer_offsets`; the core that owns the partition is the one that decides for
//! the group. [`host`] carries out what a [`Coordinator`](crate::coordinator::group::Coordinator) wants: answers to whoever waits,
//! records to the partition's log. [`load`] feeds it the log after a start, [`alarm`] wakes it when somebody's time is up.

mod alarm;
mod host;
mod load;

use super::message::{Answer, Call};
use super::{Change, ChangeError, ChangeOutcome, Partition, Shard};
use crate::config::BrokerConfig;
use crate::coordinator::group::{
    GroupAnswer, GroupListing, GroupRequest, GroupSettings, ListFilter, Now,
};
use crate::metadata::Topic;
use crate::metadata::changes::NewTopic;
use crate::metadata::topic_name::GROUP_METADATA_TOPIC;
use crate::types::{PartitionKey, ShardId, TimestampMs};
use alarm::Alarm;
use host::Host;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Why no coordinator decides for a group, here and now. Clients try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum GroupFault {
    /// It is still reading what it knew before the start.
    #[error("the coordinator is loading")]
    Loading,
    /// There is none for this group: its partition does not exist, or could not be loaded.
    #[error("this is not the group's coordinator")]
    NotCoordinator,
    /// The broker is stopping.
    #[error("the coordinator is not available")]
    NotAvailable,
}

/// What became of a request to a group.
pub type GroupOutcome = Result<GroupAnswer, GroupFault>;

/// The coordinators of one core.
pub(super) struct Groups {
    hosts: RefCell<HashMap<i32, Rc<Host>>>,
    settings: Cell<GroupSettings>,
    alarm: Rc<Alarm>,
    began: Instant,
    told_of_replication: Cell<bool>,
}

impl Groups {
    /// No coordinator yet.
    pub fn new(config: &BrokerConfig) -> Groups {
        Groups {
            hosts: RefCell::default(),
            settings: Cell::new(settings(config)),
            alarm: Rc::default(),
            began: Instant::now(),
            told_of_replication: Cell::new(false),
        }
    }

    /// The time, as coordinators see it.
    fn now(&self) -> Now {
        Now {
            monotonic_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            wall: TimestampMs::now(),
        }
    }

    /// Works with new settings.
    pub fn follow(&self, config: &BrokerConfig) {
        self.settings.set(settings(config));
        for host in self.all() {
            host.follow(self.settings.get());
        }
    }

    fn all(&self) -> Vec<Rc<Host>> {
        self.hosts.borrow().values().cloned().collect()
    }

    fn host(&self, partition: i32) -> Result<Rc<Host>, GroupFault> {
        let hosts = self.hosts.borrow();
        hosts
            .get(&partition)
            .cloned()
            .ok_or(GroupFault::NotCoordinator)
    }
}

/// What groups need to know of the broker's settings.
fn settings(config: &BrokerConfig) -> GroupSettings {
    let config = config.groups;
    GroupSettings {
        min_session_timeout_ms: config.min_session_timeout_ms,
        max_session_timeout_ms: config.max_session_timeout_ms,
        initial_rebalance_delay_ms: config.initial_rebalance_delay_ms,
        max_size: config.max_size,
        offsets_retention_ms: config.offsets_retention_ms,
        offsets_retention_check_interval_ms: config.offsets_retention_check_interval_ms,
        offset_metadata_max_bytes: config.offset_metadata_max_bytes,
    }
}

/// The partition of `__consumer_offsets` that a group belongs to: Kafka's `abs(groupId.hashCode()) % partitions`, with
/// the hash that Java gives a string and its way to make it positive.
fn partition_of(group: &str, partitions: usize) -> i32 {
    let hash = group.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    let positive = hash & i32::MAX;
    positive % i32::try_from(partitions.max(1)).unwrap_or(i32::MAX)
}

impl Shard {
    /// Asks the coordinator of `group`. A join or a sync may take as long as a rebalance.
    ///
    /// Cancel safety: dropping the future abandons the answer, not what was asked.
    pub async fn group(self: &Rc<Self>, group: &str, request: GroupRequest) -> GroupOutcome {
        let (partition, owner) = self.coordinator_of(group)?;
        if owner == self.me() {
            return self.ask_group_here(partition, request).await;
        }
        let call = Call::Group(partition, Box::new(request));
        match self.mesh.call(owner, call).await {
            Answer::Group(outcome) => *outcome,
            other => unreachable!("a group request was answered with {other:?}"),
        }
    }

    /// All groups of all cores that fit.
    ///
    /// # Errors
    /// As soon as one coordinator is still loading.
    pub async fn list_groups(
        self: &Rc<Self>,
        filter: ListFilter,
    ) -> Result<Vec<GroupListing>, GroupFault> {
        let others: Vec<_> = (0..self.cores())
            .map(ShardId)
            .filter(|&core| core != self.me())
            .map(|core| self.mesh.call(core, Call::ListGroups(filter.clone())))
            .collect();
        let mut listings = self.list_groups_here(filter).await?;
        for pending in others {
            match pending.await {
                Answer::Groups(outcome) => listings.extend(outcome?),
                other => unreachable!("a list of groups was answered with {other:?}"),
            }
        }
        Ok(listings)
    }

    /// The owner's side of [`Shard::group`]. The coordinator has decided when this returns; the future is the wait.
    pub(super) fn ask_group_here(
        &self,
        partition: i32,
        request: GroupRequest,
    ) -> impl Future<Output = GroupOutcome> + 'static + use<> {
        let asked = self
            .groups
            .host(partition)
            .and_then(|host| host.ask(self.groups.now(), request));
        async move { asked?.await }
    }

    /// One core's side of [`Shard::list_groups`].
    pub fn list_groups_here(
        &self,
        filter: ListFilter,
    ) -> impl Future<Output = Result<Vec<GroupListing>, GroupFault>> + 'static + use<> {
        let now = self.groups.now();
        let asked: Vec<_> = self
            .groups
            .all()
            .iter()
            .map(|host| host.ask(now, GroupRequest::List(filter.clone())))
            .collect();
        async move {
            let mut listings = Vec::new();
            for answer in asked {
                match answer {
                    Ok(answer) => match answer.await? {
                        GroupAnswer::List(found) => listings.extend(found),
                        other => unreachable!("a list of groups was answered with {other:?}"),
                    },
                    // What cannot be loaded has no groups that could be listed.
                    Err(GroupFault::NotCoordinator) => {}
                    Err(fault) => return Err(fault),
                }
            }
            Ok(listings)
        }
    }

    /// The core that decides for a group, once there is `__consumer_offsets`.
    pub fn group_owner(&self, group: &str) -> Option<ShardId> {
        self.coordinator_of(group).ok().map(|(_, owner)| owner)
    }

    fn coordinator_of(&self, group: &str) -> Result<(i32, ShardId), GroupFault> {
        let image = self.image();
        let topic = image
            .topic_by_name(GROUP_METADATA_TOPIC)
            .ok_or(GroupFault::NotCoordinator)?;
        let partition = partition_of(group, topic.partitions.len());
        let key = PartitionKey {
            topic_id: topic.id,
            partition,
        };
        Ok((partition, self.owner(&key)))
    }

    /// Makes `__consumer_offsets` unless it is there.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub async fn need_offsets_topic(self: &Rc<Self>) -> Result<(), ChangeError> {
        if self.image().topic_by_name(GROUP_METADATA_TOPIC).is_some() {
            return Ok(());
        }
        let names = vec![GROUP_METADATA_TOPIC.to_owned()];
        match self.change(Change::AutoCreate(names)).await {
            ChangeOutcome::AutoCreated(refused) => match refused.into_iter().next() {
                Some((_, error)) => Err(error),
                None => Ok(()),
            },
            other => unreachable!("an automatic creation was answered with {other:?}"),
        }
    }

    /// `__consumer_offsets` as it is made, with Kafka's settings for it. A factor that this broker alone cannot give is
    /// lowered to what it can, as the default of three would leave a single node without groups.
    pub(super) fn offsets_topic(&self) -> NewTopic {
        let config = &self.config;
        let wanted = config.groups.offsets_topic_replication_factor;
        let brokers = i16::try_from(self.image().brokers().len()).unwrap_or(i16::MAX);
        // Kafka's default is three; only who asked for it must hear that it is not so.
        let asked_for = config
            .settings
            .explicit("offsets.topic.replication.factor")
            .is_some();
        if wanted > brokers && asked_for && !self.groups.told_of_replication.replace(true) {
            log::warn!(
                "{GROUP_METADATA_TOPIC} is made with {brokers} replica(s) where offsets.topic.replication.factor asks for {wanted}: there are no more brokers"
            );
        }
        let own = |name: &str, value: String| (name.to_owned(), Some(value));
        NewTopic {
            name: GROUP_METADATA_TOPIC.to_owned(),
            partitions: config.groups.offsets_topic_partitions,
            replication_factor: wanted.min(brokers).max(1),
            configs: vec![
                own("cleanup.policy", "compact".to_owned()),
                own("compression.type", "producer".to_owned()),
                own(
                    "segment.bytes",
                    config.groups.offsets_topic_segment_bytes.to_string(),
                ),
            ],
            ..NewTopic::default()
        }
    }

    /// A partition of `__consumer_offsets` is this core's now: its coordinator loads.
    pub(super) fn host_groups(self: &Rc<Self>, key: PartitionKey, partition: &Rc<Partition>) {
        if &*partition.topic != GROUP_METADATA_TOPIC {
            return;
        }
        let host = Host::start(
            key.topic_id,
            Rc::clone(partition),
            self.config.groups.offsets_topic_codec,
            self.groups.settings.get(),
            Rc::clone(&self.groups.alarm),
            self.groups.began,
        );
        self.groups
            .hosts
            .borrow_mut()
            .insert(key.partition, Rc::clone(&host));
        let read_bytes = self.config.groups.offsets_load_buffer_bytes;
        let shard = Rc::clone(self);
        glommio::spawn_local(async move {
            load::load(&host, read_bytes).await;
            shard.forget_topics_that_are_gone(&host);
        })
        .detach();
    }

    /// Topics are gone: so are the offsets in them, and with `__consumer_offsets` its coordinators.
    pub(super) fn forget_topics(&self, removed: &[Arc<Topic>]) {
        if removed.is_empty() {
            return;
        }
        for topic in removed {
            let mut hosts = self.groups.hosts.borrow_mut();
            let gone: Vec<_> = hosts
                .extract_if(|_, host| host.topic_id() == topic.id)
                .collect();
            drop(hosts);
            gone.iter().for_each(|(_, host)| host.unload());
        }
        let names: Vec<String> = removed.iter().map(|topic| topic.name.to_string()).collect();
        let now = self.groups.now();
        for host in self.groups.all() {
            host.topics_deleted(now, &names);
        }
    }

    /// The image names these topics now. Coordinators among their partitions that loaded before could not tell which topics
    /// there are.
    pub(super) fn name_topics(&self, created: &[Arc<Topic>]) {
        for topic in created {
            for host in self.groups.all() {
                if host.topic_id() == topic.id {
                    self.forget_topics_that_are_gone(&host);
                }
            }
        }
    }

    /// Topics that were deleted before their offsets could be forgotten, or while the coordinator was loading. An image that does
    /// not name the coordinator's own topic is older than the coordinator and says nothing of the others.
    fn forget_topics_that_are_gone(&self, host: &Rc<Host>) {
        let image = self.image();
        if image.topic(host.topic_id()).is_none() {
            return;
        }
        let mut names: Vec<String> = host.topics().into_iter().collect();
        names.retain(|name| image.topic_by_name(name).is_none());
        if !names.is_empty() {
            host.topics_deleted(self.groups.now(), &names);
        }
    }

    /// Answers everyone who waits and decides nothing more.
    pub(super) fn unload_groups(&self) {
        let hosts: Vec<_> = self.groups.hosts.borrow_mut().drain().collect();
        for (_, host) in hosts {
            host.unload();
        }
    }

    /// Wakes coordinators when somebody's time is up, for as long as the core runs. Nothing ticks when nothing is due.
    pub async fn tick_groups_for_ever(self: Rc<Self>) {
        loop {
            let due = self
                .groups
                .all()
                .iter()
                .filter_map(|host| host.next_deadline())
                .min();
            self.groups.alarm.set(due);
            match due {
                None => self.groups.alarm.moved().await,
                Some(due) => {
                    let wait = due.saturating_sub(self.groups.now().monotonic_ms);
                    let sleep = glommio::timer::sleep(Duration::from_millis(wait));
                    futures_lite::future::or(self.groups.alarm.moved(), sleep).await;
                }
            }
            let now = self.groups.now();
            for host in self.groups.all() {
                if host
                    .next_deadline()
                    .is_some_and(|due| due <= now.monotonic_ms)
                {
                    host.tick(now);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_belongs_to_the_partition_that_javas_hash_says() {
        // What Java says for ("...".hashCode() & 0x7fffffff) % 50.
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("my-group", 50), 36);
        assert_eq!(partition_of("console-consumer-1", 50), 24);
        assert_eq!(partition_of("ž😀", 50), 1);
    }
}
