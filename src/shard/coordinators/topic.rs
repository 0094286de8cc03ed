//! The topics in which coordinators keep what they know: made when somebody first asks for a coordinator, with Kafka's settings.

use crate::metadata::changes::NewTopic;
use crate::metadata::topic_name::{GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC};
use crate::shard::{Change, ChangeError, ChangeOutcome, Shard};
use std::rc::Rc;

impl Shard {
    /// Makes `__consumer_offsets` unless it is there.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub async fn need_offsets_topic(self: &Rc<Self>) -> Result<(), ChangeError> {
        self.need_topic(GROUP_METADATA_TOPIC).await
    }

    /// Makes `__transaction_state` unless it is there.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub async fn need_transactions_topic(self: &Rc<Self>) -> Result<(), ChangeError> {
        self.need_topic(TRANSACTION_STATE_TOPIC).await
    }

    async fn need_topic(self: &Rc<Self>, name: &str) -> Result<(), ChangeError> {
        if self.image().topic_by_name(name).is_some() {
            return Ok(());
        }
        match self.change(Change::AutoCreate(vec![name.to_owned()])).await {
            ChangeOutcome::AutoCreated(refused) => match refused.into_iter().next() {
                Some((_, error)) => Err(error),
                None => Ok(()),
            },
            other => unreachable!("an automatic creation was answered with {other:?}"),
        }
    }

    /// A topic as it is made when it is first used: one of the coordinators with its own settings, any other with the broker's
    /// defaults.
    pub(in crate::shard) fn automatic_topic(&self, name: String) -> NewTopic {
        match name.as_str() {
            GROUP_METADATA_TOPIC => self.offsets_topic(),
            TRANSACTION_STATE_TOPIC => self.transactions_topic(),
            _ => NewTopic {
                name,
                partitions: -1,
                replication_factor: -1,
                ..NewTopic::default()
            },
        }
    }

    fn offsets_topic(&self) -> NewTopic {
        let config = &self.config.groups;
        let factor = "offsets.topic.replication.factor";
        let wanted = config.offsets_topic_replication_factor;
        NewTopic {
            name: GROUP_METADATA_TOPIC.to_owned(),
            partitions: config.offsets_topic_partitions,
            replication_factor: self.replicas(GROUP_METADATA_TOPIC, factor, wanted),
            configs: vec![
                own("cleanup.policy", "compact"),
                own("compression.type", "producer"),
                own("segment.bytes", config.offsets_topic_segment_bytes),
            ],
            ..NewTopic::default()
        }
    }

    fn transactions_topic(&self) -> NewTopic {
        let config = &self.config.transactions;
        let factor = "transaction.state.log.replication.factor";
        let wanted = config.topic_replication_factor;
        let replicas = self.replicas(TRANSACTION_STATE_TOPIC, factor, wanted);
        NewTopic {
            name: TRANSACTION_STATE_TOPIC.to_owned(),
            partitions: config.topic_partitions,
            replication_factor: replicas,
            configs: vec![
                own("unclean.leader.election.enable", false),
                own("compression.type", "uncompressed"),
                own("cleanup.policy", "compact"),
                // More than there are replicas would be never.
                own(
                    "min.insync.replicas",
                    config.topic_min_isr.min(replicas.into()),
                ),
                own("segment.bytes", config.topic_segment_bytes),
            ],
            ..NewTopic::default()
        }
    }

    /// How many replicas a topic gets. A factor that this broker alone cannot give is lowered to what it can, as the default of three
    /// would leave a single node without groups.
    fn replicas(&self, topic: &str, factor: &'static str, wanted: i16) -> i16 {
        let brokers = i16::try_from(self.image().brokers().len()).unwrap_or(i16::MAX);
        // Kafka's default is three; only who asked for it must hear that it is not so.
        let asked_for = self.config.settings.explicit(factor).is_some();
        if wanted > brokers && asked_for && self.told_of_replication.borrow_mut().insert(factor) {
            log::warn!(
                "{topic} is made with {brokers} replica(s) where {factor} asks for {wanted}: there are no more brokers"
            );
        }
        wanted.min(brokers).max(1)
    }
}

fn own(name: &str, value: impl ToString) -> (String, Option<String>) {
    (name.to_owned(), Some(value.to_string()))
}
