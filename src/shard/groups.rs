//! Consumer groups on their cores: requests to the coordinator that owns the group, and what it must hear of topics.

use super::coordinators::{self, CoordinatorFault, Coordinators, Host};
use super::markers::MarkerPart;
use super::message::{Answer, Call};
use super::{Partition, Shard};
use crate::config::BrokerConfig;
use crate::coordinator::group::{
    Coordinator, GroupAnswer, GroupListing, GroupRequest, GroupSettings, ListFilter,
};
use crate::metadata::Topic;
use crate::metadata::topic_name::GROUP_METADATA_TOPIC;
use crate::types::{PartitionKey, ShardId};
use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

/// What became of a request to a group.
pub type GroupOutcome = Result<GroupAnswer, CoordinatorFault>;

/// The coordinators of a core's groups.
pub(super) type Groups = Coordinators<Coordinator>;

/// What groups need to know of the broker's settings.
pub(super) fn settings(config: &BrokerConfig) -> GroupSettings {
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

impl Shard {
    /// Asks the coordinator of `group`. A join or a sync may take as long as a rebalance.
    ///
    /// Cancel safety: dropping the future abandons the answer, not what was asked.
    pub async fn group(self: &Rc<Self>, group: &str, request: GroupRequest) -> GroupOutcome {
        let (key, owner) = self.coordinator_of(GROUP_METADATA_TOPIC, group)?;
        if owner == self.me() {
            return self.groups.ask(key.partition, request).await;
        }
        let call = Call::Group(key.partition, Box::new(request));
        match self.mesh.call(owner, call).await {
            Answer::Group(outcome) => *outcome,
            other => unreachable!("a group request was answered with {other:?}"),
        }
    }

    /// The core that decides for a group, once there is `__consumer_offsets`.
    pub fn group_owner(&self, group: &str) -> Option<ShardId> {
        let (_, owner) = self.coordinator_of(GROUP_METADATA_TOPIC, group).ok()?;
        Some(owner)
    }

    /// The partition of `__consumer_offsets` that keeps the group's offsets, once that is there.
    pub fn offsets_partition(&self, group: &str) -> Option<i32> {
        let (key, _) = self.coordinator_of(GROUP_METADATA_TOPIC, group).ok()?;
        Some(key.partition)
    }

    /// All groups of all cores that fit.
    ///
    /// # Errors
    /// As soon as one coordinator is still loading.
    pub async fn list_groups(
        self: &Rc<Self>,
        filter: ListFilter,
    ) -> Result<Vec<GroupListing>, CoordinatorFault> {
        let here = self.list_groups_here(filter.clone());
        let others = || Call::ListGroups(filter.clone());
        self.gather(here, others, |answer| match answer {
            Answer::Groups(outcome) => outcome,
            other => unreachable!("a list of groups was answered with {other:?}"),
        })
        .await
    }

    /// One core's side of [`Shard::list_groups`].
    pub fn list_groups_here(
        &self,
        filter: ListFilter,
    ) -> impl Future<Output = Result<Vec<GroupListing>, CoordinatorFault>> + 'static + use<> {
        let request = GroupRequest::List(filter);
        self.groups.ask_all(&request, |answer| match answer {
            GroupAnswer::List(found) => found,
            other => unreachable!("a list of groups was answered with {other:?}"),
        })
    }

    /// A partition of `__consumer_offsets` is this core's now: its coordinator loads.
    pub(super) fn host_groups(self: &Rc<Self>, key: PartitionKey, partition: &Rc<Partition>) {
        let config = &self.config.groups;
        let no_errand = Box::new(|_: &Rc<Host<Coordinator>>, errand: Infallible| match errand {});
        let codec = config.offsets_topic_codec;
        let host = self.groups.begin(key, partition, codec, no_errand);
        let read_bytes = config.offsets_load_buffer_bytes;
        let shard = Rc::clone(self);
        glommio::spawn_local(async move {
            coordinators::load(&host, read_bytes).await;
            shard.forget_topics_that_are_gone(&host);
        })
        .detach();
    }

    /// The wait until a coordinator of groups knows of a marker in its partition; none in any other partition. It begins when the
    /// marker is committed.
    pub(super) fn offsets_settled(
        &self,
        marker: &MarkerPart,
        partition: &Partition,
    ) -> impl Future<Output = ()> + 'static + use<> {
        let host = (&*partition.topic == GROUP_METADATA_TOPIC)
            .then(|| self.groups.host(marker.key.partition).ok())
            .flatten();
        let (producer_id, committed) = (marker.producer_id, marker.committed);
        async move {
            if let Some(host) = host {
                host.transaction_ended(producer_id, committed).await;
            }
        }
    }

    /// Topics are gone: so are the offsets in them.
    pub(super) fn forget_offsets(&self, removed: &[Arc<Topic>]) {
        if removed.is_empty() {
            return;
        }
        let names: Vec<String> = removed.iter().map(|topic| topic.name.to_string()).collect();
        let now = self.groups.now();
        for host in self.groups.all() {
            host.decide(|machine| machine.topics_deleted(now, &names));
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
    fn forget_topics_that_are_gone(&self, host: &Rc<Host<Coordinator>>) {
        let image = self.image();
        if image.topic(host.topic_id()).is_none() {
            return;
        }
        let mut names: Vec<String> = host.look(Coordinator::topics).into_iter().collect();
        names.retain(|name| image.topic_by_name(name).is_none());
        if !names.is_empty() {
            let now = self.groups.now();
            host.decide(|machine| machine.topics_deleted(now, &names));
        }
    }
}
