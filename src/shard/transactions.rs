//! Transactions on their cores: requests to the coordinator that owns the transactional id, and its errands.
//!
//! A transaction that is prepared ends, however long that takes: its markers are written until every partition of it has one, or is
//! deleted.

use super::coordinators::{self, CoordinatorFault, Coordinators, Host};
use super::markers::MarkerPart;
use super::message::{Answer, Call, PartitionFault};
use super::{Partition, Shard};
use crate::config::BrokerConfig;
use crate::coordinator::transaction::{
    Coordinator, Ending, Errand, ListFilter, TopicPartition, TransactionAnswer, TransactionListing,
    TransactionRequest, TransactionSettings,
};
use crate::log::AppendError;
use crate::metadata::Image;
use crate::metadata::features::TRANSACTION_VERSION;
use crate::metadata::topic_name::TRANSACTION_STATE_TOPIC;
use crate::types::{PartitionKey, ShardId};
use crate::wire::records::Codec;
use std::future::Future;
use std::rc::{Rc, Weak};
use std::time::Duration;

/// What became of a request to a transaction.
pub type TransactionOutcome = Result<TransactionAnswer, CoordinatorFault>;

/// The coordinators of a core's transactions.
pub(super) type Transactions = Coordinators<Coordinator>;

/// The pause before a marker that could not be written is tried again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What transactions need to know of the broker's settings and the cluster's features.
pub(super) fn settings(config: &BrokerConfig, image: &Image) -> TransactionSettings {
    let config = &config.transactions;
    TransactionSettings {
        max_timeout_ms: config.max_timeout_ms,
        id_expiration_ms: config.id_expiration_ms,
        abort_check_interval_ms: config.abort_check_interval_ms,
        expiry_check_interval_ms: config.expiry_check_interval_ms,
        version: image.feature(TRANSACTION_VERSION.name),
    }
}

impl Shard {
    /// Asks the coordinator of a transactional id.
    ///
    /// Cancel safety: dropping the future abandons the answer, not what was asked.
    pub async fn transaction(
        self: &Rc<Self>,
        transactional_id: &str,
        request: TransactionRequest,
    ) -> TransactionOutcome {
        let (key, owner) = self.coordinator_of(TRANSACTION_STATE_TOPIC, transactional_id)?;
        if owner == self.me() {
            return self.transactions.ask(key.partition, request).await;
        }
        let call = Call::Transaction(key.partition, Box::new(request));
        match self.mesh.call(owner, call).await {
            Answer::Transaction(outcome) => *outcome,
            other => unreachable!("a transaction's request was answered with {other:?}"),
        }
    }

    /// The core that decides for a transactional id, once there is `__transaction_state`.
    pub fn transaction_owner(&self, transactional_id: &str) -> Option<ShardId> {
        let coordinator = self.coordinator_of(TRANSACTION_STATE_TOPIC, transactional_id);
        coordinator.ok().map(|(_, owner)| owner)
    }

    /// All transactions of all cores that fit.
    ///
    /// # Errors
    /// As soon as one coordinator is still loading.
    pub async fn list_transactions(
        self: &Rc<Self>,
        filter: ListFilter,
    ) -> Result<Vec<TransactionListing>, CoordinatorFault> {
        let here = self.list_transactions_here(filter.clone());
        let others = || Call::ListTransactions(Box::new(filter.clone()));
        self.gather(here, others, |answer| match answer {
            Answer::Transactions(outcome) => outcome,
            other => unreachable!("a list of transactions was answered with {other:?}"),
        })
        .await
    }

    /// One core's side of [`Shard::list_transactions`].
    pub fn list_transactions_here(
        &self,
        filter: ListFilter,
    ) -> impl Future<Output = Result<Vec<TransactionListing>, CoordinatorFault>> + 'static + use<>
    {
        let request = TransactionRequest::List(filter);
        self.transactions.ask_all(&request, |answer| match answer {
            TransactionAnswer::Listed(found) => found,
            other => unreachable!("a list of transactions was answered with {other:?}"),
        })
    }

    /// A partition of `__transaction_state` is this core's now: its coordinator loads.
    pub(super) fn host_transactions(self: &Rc<Self>, key: PartitionKey, partition: &Rc<Partition>) {
        let shard = Rc::downgrade(self);
        let run = Box::new(move |host: &Rc<Host<Coordinator>>, errand: Errand| {
            let Some(shard) = shard.upgrade() else { return };
            let host = Rc::downgrade(host);
            match errand {
                Errand::ProducerId => glommio::spawn_local(shard.fetch_producer_id(host)).detach(),
                Errand::Markers(ending) => {
                    glommio::spawn_local(shard.end_transaction(host, ending)).detach()
                }
            };
        });
        let host = self.transactions.begin(key, partition, Codec::None, run);
        let read_bytes = self.config.transactions.load_buffer_bytes;
        glommio::spawn_local(async move { coordinators::load(&host, read_bytes).await }).detach();
    }

    async fn fetch_producer_id(self: Rc<Self>, host: Weak<Host<Coordinator>>) {
        let got = self.producer_id().await;
        if let Err(error) = &got {
            log::error!("a transactional producer gets no id: {error}");
        }
        if let Some(host) = host.upgrade() {
            let now = host.now();
            host.decide(|machine| machine.producer_id(now, got.ok()));
        }
    }

    /// Writes the markers of a transaction until every partition has its own, and says so.
    async fn end_transaction(self: Rc<Self>, host: Weak<Host<Coordinator>>, ending: Ending) {
        let mut left = ending.partitions.clone();
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(host) = host.upgrade().filter(|host| host.is_active()) else {
                return;
            };
            // An image that does not name the coordinator's topic is older than the coordinator and says nothing of the others.
            if self.image().topic(host.topic_id()).is_some() {
                left = self.write_markers_once(&host, &ending, left).await;
                if left.is_empty() {
                    let now = host.now();
                    host.decide(|machine| machine.markers_written(now, &ending));
                    return;
                }
            }
            drop(host);
            glommio::timer::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Gives back the partitions that have no marker yet.
    async fn write_markers_once(
        self: &Rc<Self>,
        host: &Host<Coordinator>,
        ending: &Ending,
        wanted: Vec<TopicPartition>,
    ) -> Vec<TopicPartition> {
        let image = self.image();
        let there = |partition: TopicPartition| {
            let topic = image.topic_by_name(&partition.0)?;
            topic.partitions.contains_key(&partition.1).then_some(())?;
            let key = PartitionKey {
                topic_id: topic.id,
                partition: partition.1,
            };
            Some((partition, key))
        };
        let (mut left, keys): (Vec<_>, Vec<_>) = wanted.into_iter().filter_map(there).unzip();
        let part = |key| MarkerPart {
            key,
            producer_id: ending.producer.id,
            producer_epoch: ending.producer.epoch,
            coordinator_epoch: host.partition().leader_epoch.get().0,
            committed: ending.commit,
        };
        let parts = keys.into_iter().map(part).collect();
        let outcomes = self.write_markers_of(ending.version, parts).await;
        let mut outcomes = outcomes.into_iter();
        left.retain(|(topic, partition)| match outcomes.next() {
            Some(Err(PartitionFault::Refused(AppendError::InvalidProducerEpoch { .. }))) => {
                log::info!(
                    "{topic}-{partition}: the transaction of {} has been ended there before",
                    ending.transactional_id
                );
                false
            }
            Some(Err(fault)) => {
                log::debug!("{topic}-{partition}: no marker yet: {fault:?}");
                true
            }
            Some(Ok(())) | None => false,
        });
        left
    }
}
