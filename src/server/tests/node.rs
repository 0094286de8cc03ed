//! A broker of one core without its sockets: started on a directory, asked directly, dropped without a stop.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::coordinator::group::{
    CommitRequest, CommittedOffset, FetchOffsetsRequest, GroupAnswer, GroupRequest, MemberClaim,
};
use crate::metadata::bootstrap;
use crate::server::checkpoints::{self, Checkpoint};
use crate::server::data_dirs::DataDirs;
use crate::server::survey;
use crate::shard::{
    AppendPart, Change, ChangeOutcome, Controller, CoordinatorFault, MeshEntrance, Opening, Shard,
};
use crate::types::{PartitionKey, TopicId};
use crate::wire::records::{BatchBuilder, Codec};

const GROUP: &str = "group";

/// The broker.
pub(super) struct Node {
    pub(super) shard: Rc<Shard>,
    _owned: DataDirs,
}

/// What topics' records are synced by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flush {
    /// Each before its answer.
    Each,
    /// Kafka's default: nobody asks for it.
    Never,
}

impl Flush {
    fn messages(self) -> &'static str {
        match self {
            Flush::Each => "1",
            Flush::Never => "9223372036854775807",
        }
    }
}

/// A topic's id, count of partitions, and settings.
type About = (TopicId, usize, Vec<(String, String)>);

/// What can be seen of a broker: its topics with their settings, positions of the group, and where partitions end.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct State {
    pub(super) topics: BTreeMap<String, About>,
    pub(super) positions: BTreeMap<(String, i32), i64>,
    pub(super) ends: BTreeMap<(String, i32), i64>,
}

impl Node {
    /// Starts on what is in `data_dir`, in the order of [`crate::server::serve`].
    pub(super) async fn start(data_dir: &Path, flush: Flush) -> Result<Node, String> {
        let settings = [
            ("log.dirs", data_dir.to_str().unwrap_or_default()),
            ("log.flush.interval.messages", flush.messages()),
            ("log.segment.bytes", "1048576"),
            ("log.segment.delete.delay.ms", "0"),
            ("offsets.topic.num.partitions", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let loaded = crate::config::load(None, &settings, true);
        let mut config = loaded.map_err(|error| error.to_string())?.config;
        let owned = DataDirs::open(&config).map_err(|error| error.to_string())?;
        config.settle_node_id(1);
        let found = owned.find_logs().map_err(|error| error.to_string())?;
        let inherited = survey::survey(&owned);
        let inherited = inherited.map_err(|error| error.to_string())?;
        let startup = owned
            .take_over(found, Opening::new(1, vec![]))
            .map_err(|error| error.to_string())?;
        let joined = MeshEntrance::for_cores(1).join().await?;
        let dirs = Arc::new(owned.dirs());
        let ids = dirs.usable_ids();
        let shard = Shard::start(joined, Arc::new(config), &owned.identity, dirs, startup);
        let me = bootstrap::registration(1, TopicId::from_u128(7), vec![], None, ids);
        let controller = Controller::open(&shard, &me, inherited).await;
        let controller = controller.map_err(|error| error.to_string())?;
        let report = shard.install_everywhere(&controller.image()).await;
        if let Some((key, reason)) = report.failures.first() {
            return Err(format!("{key:?} is offline: {reason}"));
        }
        shard.lead_with(controller);
        Ok(Node {
            shard,
            _owned: owned,
        })
    }

    /// Changes the metadata; every part of the change must succeed.
    pub(super) async fn change(&self, change: Change) {
        let outcome = self.shard.change(change).await;
        let failed = match &outcome {
            ChangeOutcome::Created(parts) => parts.iter().any(Result::is_err),
            ChangeOutcome::Deleted(parts) => parts.iter().any(Result::is_err),
            ChangeOutcome::Altered(parts) | ChangeOutcome::Grown(parts) => {
                parts.iter().any(Result::is_err)
            }
            _ => false,
        };
        assert!(!failed, "{outcome:?}");
    }

    pub(super) async fn produce(&self, topic: &str, partition: i32, records: usize) {
        let mut batch = BatchBuilder::new(Codec::None);
        for n in 0..records {
            batch.append(0, None, Some(format!("{n:0100}").as_bytes()), &[]);
        }
        let topic_id = self.shard.image().topic_by_name(topic).unwrap().id;
        let part = AppendPart {
            key: PartitionKey {
                topic_id,
                partition,
            },
            batch: batch.build_validated(),
        };
        let outcomes = self.shard.append(vec![part]).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }

    pub(super) async fn commit(&self, topic: &str, partition: i32, offset: i64) {
        self.shard.need_offsets_topic().await.unwrap();
        let committed = CommittedOffset {
            offset,
            leader_epoch: -1,
            metadata: String::new(),
        };
        let commit = CommitRequest {
            claim: MemberClaim {
                group: GROUP.to_owned(),
                generation: -1,
                ..MemberClaim::default()
            },
            offsets: vec![((topic.to_owned(), partition), committed)],
            ..CommitRequest::default()
        };
        match self.ask_group(GroupRequest::Commit(commit)).await {
            Some(GroupAnswer::Commit(outcomes)) => assert_eq!(outcomes, vec![Ok(())]),
            other => panic!("{other:?}"),
        }
    }

    /// Writes the checkpoints, as the broker does once a minute.
    pub(super) async fn checkpoint(&self) {
        let points = self.shard.checkpoint_everywhere().await;
        let failed = checkpoints::write(self.shard.dirs(), &points, &Checkpoint::ALL).await;
        assert!(failed.is_empty(), "{failed:?}");
    }

    pub(super) async fn state(&self) -> State {
        let image = self.shard.image();
        let mut state = State::default();
        for topic in image.topics() {
            let configs = topic.configs.iter();
            let configs = configs.map(|(name, value)| (name.clone(), value.clone()));
            state.topics.insert(
                topic.name.to_string(),
                (topic.id, topic.partitions.len(), configs.collect()),
            );
        }
        let wanted = FetchOffsetsRequest {
            group: GROUP.to_owned(),
            ..FetchOffsetsRequest::default()
        };
        if let Some(GroupAnswer::FetchOffsets(found)) =
            self.ask_group(GroupRequest::FetchOffsets(wanted)).await
        {
            for (partition, committed) in found.unwrap() {
                let committed = committed.unwrap();
                let offset = committed.map_or(-1, |committed| committed.offset);
                state.positions.insert(partition, offset);
            }
        }
        for point in self.shard.checkpoint_everywhere().await {
            let key = (point.topic, point.partition);
            state.ends.insert(key, point.high_watermark.0);
        }
        state
    }

    /// The group's answer; `None` while there is no topic for groups.
    async fn ask_group(&self, request: GroupRequest) -> Option<GroupAnswer> {
        loop {
            match self.shard.group(GROUP, request.clone()).await {
                Ok(answer) => return Some(answer),
                Err(CoordinatorFault::Loading) => {
                    glommio::timer::sleep(Duration::from_micros(200)).await;
                }
                Err(_) => return None,
            }
        }
    }
}
