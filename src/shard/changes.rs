//! Changing the metadata: one change at a time, on the first core.
//!
//! ```text
//! decide on the image ─▶ metadata log, on the disk ─▶ next image ─▶ every core works with it ─▶ answer
//! ```

use super::Shard;
use super::controller::Controller;
use super::message::{Answer, Call, PartitionCheckpoint};
use crate::config::property::Status;
use crate::config::table::broker_property;
use crate::config::topic_properties::topic_property;
use crate::metadata::changes::{
    self, AlterRules, Altering, ConfigChange, CreatedTopic, DeletedTopic, FeatureUpdate, NewTopic,
    Refusal, TopicDefaults, TopicGrowth, TopicToDelete,
};
use crate::metadata::image::{BROKER_RESOURCE, GROUP_RESOURCE, TOPIC_RESOURCE};
use crate::types::{ShardId, kafka_uuid};
use crate::wire::metadata_records::{BrokerRegistrationChangeRecord, MetadataRecord};
use futures_lite::future::or;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;
use thiserror::Error;

/// The core that changes the metadata.
pub const LEADER: ShardId = ShardId(0);

/// What can be changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// Make topics.
    CreateTopics {
        /// Which.
        topics: Vec<NewTopic>,
        /// Check and change nothing.
        validate_only: bool,
    },
    /// Make topics with the broker's defaults, since a client asked for them.
    AutoCreate(Vec<String>),
    /// Delete topics.
    DeleteTopics(Vec<TopicToDelete>),
    /// Give topics more partitions.
    CreatePartitions {
        /// Which.
        topics: Vec<TopicGrowth>,
        /// Check and change nothing.
        validate_only: bool,
    },
    /// Set levels of features.
    UpdateFeatures {
        /// Which.
        updates: Vec<FeatureUpdate>,
        /// Check and change nothing.
        validate_only: bool,
    },
    /// Change settings.
    AlterConfigs {
        /// Whose, and how.
        changes: Vec<ConfigChange>,
        /// Check and change nothing.
        validate_only: bool,
    },
    /// Reserve a block of producer ids.
    AllocateProducerIds,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub enum ChangeOutcome {
    /// Of [`Change::CreateTopics`], in order.
    Created(Vec<Result<CreatedTopic, ChangeError>>),
    /// Of [`Change::AutoCreate`]: the names that could not be made.
    AutoCreated(Vec<(String, ChangeError)>),
    /// Of [`Change::DeleteTopics`], in order.
    Deleted(Vec<Result<DeletedTopic, ChangeError>>),
    /// Of [`Change::CreatePartitions`], in order.
    Grown(Vec<Result<(), ChangeError>>),
    /// Of [`Change::UpdateFeatures`].
    FeaturesUpdated(Result<(), ChangeError>),
    /// Of [`Change::AlterConfigs`], in order.
    Altered(Vec<Result<(), ChangeError>>),
    /// Of [`Change::AllocateProducerIds`].
    ProducerIds(Result<Range<i64>, ChangeError>),
}

/// Why a change is not made. The text is for the client.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ChangeError {
    /// It would not be right.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Deletion is switched off (`delete.topic.enable`).
    #[error("Topic deletion is disabled.")]
    DeletionDisabled,
    /// It did not come through in time; it still may.
    #[error("The request timed out.")]
    TimedOut,
    /// Every producer id has been handed out.
    #[error("There are no more producer ids.")]
    ProducerIdsExhausted,
    /// The metadata log or a partition's log failed.
    #[error("{0}")]
    Storage(String),
}

/// An outcome for each thing that was asked for.
type Outcomes<T> = Vec<Result<T, ChangeError>>;

impl Shard {
    /// This core leads from now on.
    pub fn lead_with(&self, controller: Rc<Controller>) {
        *self.controller.borrow_mut() = Some(controller);
    }

    /// Changes the metadata; answered when every core works with the new image.
    pub async fn change(self: &Rc<Self>, change: Change) -> ChangeOutcome {
        if self.me() == LEADER {
            return self.change_here(change).await;
        }
        match self.mesh.call(LEADER, Call::Change(Box::new(change))).await {
            Answer::Changed(outcome) => *outcome,
            other => unreachable!("a change was answered with {other:?}"),
        }
    }

    /// [`Shard::change`], but waits no longer than `patience`; the change then goes on by itself.
    pub async fn change_within(
        self: &Rc<Self>,
        change: Change,
        patience: Duration,
    ) -> Option<ChangeOutcome> {
        let shard = Rc::clone(self);
        let work = glommio::spawn_local(async move { shard.change(change).await }).detach();
        let patience = async {
            glommio::timer::sleep(patience).await;
            None
        };
        // `work` is `None` only if the task was cancelled: the executor ends.
        or(work, patience).await
    }

    pub(super) async fn change_here(self: &Rc<Self>, change: Change) -> ChangeOutcome {
        let controller = self.controller.borrow().clone();
        let controller =
            controller.expect("connections are accepted after the controller is there");
        let _turn = controller.turn.acquire_permit(1).await;
        match change {
            Change::CreateTopics {
                topics,
                validate_only,
            } => ChangeOutcome::Created(
                self.create_topics(&controller, &topics, validate_only)
                    .await,
            ),
            Change::AutoCreate(names) => {
                ChangeOutcome::AutoCreated(self.auto_create(&controller, names).await)
            }
            Change::DeleteTopics(topics) => {
                let (records, outcomes) = changes::delete_topics(&controller.image(), &topics);
                ChangeOutcome::Deleted(self.settle(&controller, &records, outcomes).await)
            }
            Change::CreatePartitions {
                topics,
                validate_only,
            } => {
                let (mut records, outcomes) =
                    changes::create_partitions(&controller.image(), &topics);
                if validate_only {
                    records.clear();
                }
                ChangeOutcome::Grown(self.settle(&controller, &records, outcomes).await)
            }
            Change::UpdateFeatures {
                updates,
                validate_only,
            } => ChangeOutcome::FeaturesUpdated(
                self.update_features(&controller, &updates, validate_only)
                    .await,
            ),
            Change::AlterConfigs {
                changes,
                validate_only,
            } => ChangeOutcome::Altered(
                self.alter_configs(&controller, &changes, validate_only)
                    .await,
            ),
            Change::AllocateProducerIds => {
                ChangeOutcome::ProducerIds(self.allocate_producer_ids(&controller).await)
            }
        }
    }

    async fn create_topics(
        self: &Rc<Self>,
        controller: &Controller,
        topics: &[NewTopic],
        validate_only: bool,
    ) -> Outcomes<CreatedTopic> {
        let image = controller.image();
        let defaults = TopicDefaults {
            partitions: self.config.num_partitions,
            replication_factor: self.config.default_replication_factor,
            settings: &self.config.settings,
            dynamic: &image.dynamic_configs(self.node_id),
        };
        let (mut records, outcomes) =
            changes::create_topics(&image, defaults, topics, kafka_uuid::random);
        if validate_only {
            records.clear();
        }
        self.settle(controller, &records, outcomes).await
    }

    async fn auto_create(
        self: &Rc<Self>,
        controller: &Controller,
        names: Vec<String>,
    ) -> Vec<(String, ChangeError)> {
        let automatic = |name| self.automatic_topic(name);
        let topics: Vec<_> = names.into_iter().map(automatic).collect();
        let outcomes = self.create_topics(controller, &topics, false).await;
        // Where somebody else was faster, there is what was wanted.
        let exists = |error: &ChangeError| {
            matches!(error, ChangeError::Refused(Refusal::TopicAlreadyExists(_)))
        };
        topics
            .into_iter()
            .zip(outcomes)
            .filter_map(|(topic, outcome)| Some((topic.name, outcome.err()?)))
            .filter(|(_, error)| !exists(error))
            .collect()
    }

    async fn update_features(
        self: &Rc<Self>,
        controller: &Controller,
        updates: &[FeatureUpdate],
        validate_only: bool,
    ) -> Result<(), ChangeError> {
        let mut records = changes::update_features(&controller.image(), updates)?;
        if validate_only {
            records.clear();
        }
        self.make_true(controller, &records).await
    }

    async fn alter_configs(
        self: &Rc<Self>,
        controller: &Controller,
        changes: &[ConfigChange],
        validate_only: bool,
    ) -> Outcomes<()> {
        let rules = AlterRules {
            node_id: self.node_id,
            settings: &self.config.settings,
        };
        let image = controller.image();
        let altering = Altering::new(&image, rules, changes);
        let mut records = Vec::new();
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            let decided = altering.decide(change);
            outcomes.push(decided.map(|made| records.extend(made)));
            // There may be thousands.
            glommio::executor().yield_if_needed().await;
        }
        if validate_only {
            records.clear();
        }
        warn_of_what_has_no_effect(&records);
        self.settle(controller, &records, outcomes).await
    }

    async fn allocate_producer_ids(
        self: &Rc<Self>,
        controller: &Controller,
    ) -> Result<Range<i64>, ChangeError> {
        let (record, block) = changes::allocate_producer_ids(&controller.image(), self.node_id)
            .ok_or(ChangeError::ProducerIdsExhausted)?;
        self.make_true(controller, &[record]).await?;
        Ok(block)
    }

    /// Makes what was decided true. What was not refused has failed if that fails.
    async fn settle<T>(
        self: &Rc<Self>,
        controller: &Controller,
        records: &[MetadataRecord],
        decided: Vec<Result<T, Refusal>>,
    ) -> Outcomes<T> {
        let made = self.make_true(controller, records).await;
        decided
            .into_iter()
            .map(|outcome| {
                let accepted = outcome?;
                made.clone().map(|()| accepted)
            })
            .collect()
    }

    /// Commits records and has every core work with them.
    async fn make_true(
        self: &Rc<Self>,
        controller: &Controller,
        records: &[MetadataRecord],
    ) -> Result<(), ChangeError> {
        if records.is_empty() {
            return Ok(());
        }
        let failed = |words: String| {
            log::error!("the metadata cannot be changed: {words}");
            ChangeError::Storage(words)
        };
        controller
            .commit(records)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let report = self.install_everywhere(&controller.image()).await;
        for (name, reason) in &report.waiting {
            log::error!("{name}: its log is made when there is room: {reason}");
        }
        match report.failures.first() {
            None => Ok(()),
            Some((key, reason)) => Err(failed(format!("partition {}: {reason}", key.partition))),
        }
    }

    /// A data directory cannot be used from here on: it is said once, and new partitions go elsewhere. On the first core.
    pub async fn lose_dir(self: &Rc<Self>, place: usize, reason: &str) {
        if !self.dirs.all()[place].lose(reason) {
            return;
        }
        let controller = self.controller.borrow().clone();
        let Some(controller) = controller else { return };
        let _turn = controller.turn.acquire_permit(1).await;
        let image = controller.image();
        let Some(me) = image.broker(self.node_id) else {
            return;
        };
        let change = BrokerRegistrationChangeRecord {
            broker_id: me.id,
            broker_epoch: me.epoch,
            log_dirs: self.dirs.usable_ids(),
            ..BrokerRegistrationChangeRecord::default()
        };
        // What fails here has been said.
        let _ = self.make_true(&controller, &[change.into()]).await;
    }

    /// Closes the metadata log.
    pub(super) async fn close_controller(&self) -> Option<PartitionCheckpoint> {
        let controller = self.controller.borrow_mut().take()?;
        Some(controller.close(self.dirs.metadata_place()).await)
    }
}

/// Says which of the settings that change are only kept and shown, one line a resource.
fn warn_of_what_has_no_effect(records: &[MetadataRecord]) {
    let mut idle: BTreeMap<(i8, &str), Vec<&str>> = BTreeMap::new();
    for record in records {
        if let MetadataRecord::ConfigRecord(set) = record
            && set.value.is_some()
            && !has_effect(set.resource_type, &set.name)
        {
            let names = idle.entry((set.resource_type, &set.resource_name));
            names.or_default().push(&set.name);
        }
    }
    for ((resource_type, name), settings) in idle {
        log::warn!(
            "{}: kept and shown, but without effect in this version: {}",
            resource(resource_type, name),
            settings.join(", ")
        );
    }
}

fn has_effect(resource_type: i8, name: &str) -> bool {
    let property = match resource_type {
        TOPIC_RESOURCE => topic_property(name).map(|topic| topic.property),
        BROKER_RESOURCE => broker_property(name),
        _ => None,
    };
    property.is_some_and(|property| property.status != Status::AcceptedWithoutEffect)
}

fn resource(resource_type: i8, name: &str) -> String {
    match resource_type {
        TOPIC_RESOURCE => format!("topic {name}"),
        BROKER_RESOURCE if name.is_empty() => "all brokers".to_owned(),
        BROKER_RESOURCE => format!("broker {name}"),
        GROUP_RESOURCE => format!("group {name}"),
        _ => format!("client metrics {name}"),
    }
}
