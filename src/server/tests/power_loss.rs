//! The power goes while a broker changes its metadata, commits positions, writes checkpoints, makes and deletes topics.
//!
//! Setup: a broker on a recorded directory that syncs before it answers (`log.flush.interval.messages=1`), or leaves records and
//! positions unsynced, as is the default; and disks found after a power cut at moments and with outcomes drawn from a seed.
//! Expectation: a broker starts on each of them, and shows what was last answered before the cut, or what was being done then;
//! never a mixture, never less. Of records and positions that holds only where they are synced.

use std::collections::HashSet;
use std::path::Path;

use super::node::{Flush, Node, State};
use crate::io::disk::tests::on_executor;
use crate::io::power_loss::{self, Dice, Recording, record, scratch};
use crate::metadata::changes::{Alteration, ConfigChange, TopicGrowth};
use crate::metadata::image::TOPIC_RESOURCE;
use crate::metadata::{NewTopic, TopicToDelete};
use crate::shard::Change;
use crate::types::TopicId;

/// Disks looked at, unless `VLTAVA_TEST_IMAGES` says otherwise.
const IMAGES: usize = 4000;

/// Something that was asked of the broker: from when to when it was at work, and what was to be seen afterwards.
struct Step {
    began: usize,
    done: usize,
    state: State,
}

/// A broker at work.
struct Day {
    node: Node,
    flush: Flush,
    steps: Vec<Step>,
    recording: std::sync::Arc<Recording>,
}

impl Day {
    async fn begin(root: &Path, flush: Flush) -> Day {
        let recording = record(root);
        let mut day = Day {
            node: Node::start(&root.join("data"), flush).await.unwrap(),
            flush,
            steps: Vec::new(),
            recording,
        };
        day.note(0).await;
        day
    }

    async fn note(&mut self, began: usize) {
        self.steps.push(Step {
            began,
            done: self.recording.now(),
            state: self.node.state().await,
        });
    }

    async fn change(&mut self, change: Change) {
        let began = self.recording.now();
        self.node.change(change).await;
        self.note(began).await;
    }

    async fn create(&mut self, name: &str) {
        let topic = NewTopic {
            name: name.to_owned(),
            partitions: 2,
            replication_factor: 1,
            assignments: vec![],
            configs: vec![("retention.ms".to_owned(), Some("60000".to_owned()))],
        };
        let (topics, validate_only) = (vec![topic], false);
        self.change(Change::CreateTopics {
            topics,
            validate_only,
        })
        .await;
    }

    async fn delete(&mut self, name: &str) {
        let topic = TopicToDelete {
            name: Some(name.to_owned()),
            id: TopicId::nil(),
        };
        self.change(Change::DeleteTopics(vec![topic])).await;
    }

    async fn alter(&mut self, name: &str, value: u32) {
        let setting = Alteration::Set(Some(value.to_string()));
        let change = ConfigChange {
            resource_type: TOPIC_RESOURCE,
            resource_name: name.to_owned(),
            settings: vec![("max.message.bytes".to_owned(), setting)],
            replaces: false,
        };
        let (changes, validate_only) = (vec![change], false);
        self.change(Change::AlterConfigs {
            changes,
            validate_only,
        })
        .await;
    }

    async fn grow(&mut self, name: &str, partitions: i32) {
        let growth = TopicGrowth {
            name: name.to_owned(),
            count: partitions,
            assignments: None,
        };
        let (topics, validate_only) = (vec![growth], false);
        self.change(Change::CreatePartitions {
            topics,
            validate_only,
        })
        .await;
    }

    async fn produce(&mut self, name: &str, partition: i32) {
        let began = self.recording.now();
        self.node.produce(name, partition, 3).await;
        self.note(began).await;
    }

    async fn commit(&mut self, name: &str, partition: i32, offset: i64) {
        let began = self.recording.now();
        self.node.commit(name, partition, offset).await;
        self.note(began).await;
    }

    async fn checkpoint(&mut self) {
        let began = self.recording.now();
        self.node.checkpoint().await;
        self.note(began).await;
    }

    /// Cuts the power at many moments and starts a broker on each disk that is found.
    async fn survives(self, name: &str, seed: u64) {
        let history = self.recording.stop();
        drop(self.node);
        let images = power_loss::images(IMAGES);
        let mut dice = Dice::new(seed);
        let mut seen = HashSet::new();
        for n in 0..images {
            let (moment, outcome) = history.draw(n, &mut dice);
            let image = history.image(moment, outcome);
            let begun = self.steps.partition_point(|step| step.began <= moment);
            let done = self.steps.partition_point(|step| step.done <= moment);
            if !seen.insert((image.fingerprint(), begun, done)) {
                continue;
            }
            let flush = self.flush;
            let what =
                format!("{name}, {flush:?}, seed {seed}: power cut at {moment}, {outcome:?}");
            let root = scratch();
            image.write(root.path()).unwrap();
            let node = Node::start(&root.path().join("data"), flush).await;
            let node = node.unwrap_or_else(|error| panic!("{what}: {error}"));
            let found = node.state().await;
            check_metadata(&self.steps, moment, &found, &what);
            if flush == Flush::Each {
                check_records(&self.steps, moment, &found, &what);
            }
        }
        eprintln!("{name}: {} different disks of {images}", seen.len());
        assert!(seen.len() > images / 8, "only {} disks", seen.len());
    }
}

/// What was last answered, and what was being done then; the same, if nothing was.
fn around(steps: &[Step], moment: usize) -> [State; 2] {
    let done = steps.iter().take_while(|step| step.done <= moment).count();
    let last = done.checked_sub(1).map(|last| steps[last].state.clone());
    let last = last.unwrap_or_default();
    let at_work = steps.get(done).filter(|step| step.began <= moment);
    let at_work = at_work.map_or_else(|| last.clone(), |step| step.state.clone());
    [last, at_work]
}

fn check_metadata(steps: &[Step], moment: usize, found: &State, what: &str) {
    let legal = around(steps, moment);
    // The topic of positions is made on the way to the first commit.
    assert!(
        legal.iter().any(|state| known(state) == known(found)),
        "{what}: found {:?}\nbefore, and at work on: {:?}",
        found.topics,
        legal.each_ref().map(|state| &state.topics)
    );
}

fn check_records(steps: &[Step], moment: usize, found: &State, what: &str) {
    let legal = around(steps, moment);
    assert!(
        legal.iter().any(|state| state.positions == found.positions),
        "{what}: found {:?}\nbefore, and at work on: {:?}",
        found.positions,
        legal.each_ref().map(|state| &state.positions)
    );
    let [last, _] = legal;
    for ((topic, partition), end) in &last.ends {
        let id = |state: &State| state.topics.get(topic).map(|(id, ..)| *id);
        if id(&last) == id(found) {
            let key = (topic.clone(), *partition);
            let found = found.ends.get(&key).copied();
            assert!(
                found >= Some(*end),
                "{what}: {topic}-{partition} ended at {end}, found {found:?}"
            );
        }
    }
}

fn known(state: &State) -> Vec<String> {
    let topics = state.topics.iter();
    topics
        .filter(|(name, _)| *name != "__consumer_offsets")
        .map(|(name, about)| format!("{name} {about:?}"))
        .collect()
}

/// Runs a day, and then its nights.
fn survives(name: &str, flush: Flush, live: impl AsyncFn(&mut Day)) {
    let seed = power_loss::seed();
    eprintln!("power loss during {name}, {flush:?}: seed {seed}");
    let root = tempfile::tempdir().unwrap();
    on_executor(async move {
        let mut day = Day::begin(root.path(), flush).await;
        live(&mut day).await;
        day.survives(name, seed).await;
    });
}

#[test]
fn changes_of_metadata_are_there_or_not_as_a_whole() {
    for flush in [Flush::Each, Flush::Never] {
        survives("changes of metadata", flush, async |day| {
            day.create("a").await;
            day.create("b").await;
            day.alter("a", 1000).await;
            day.grow("b", 4).await;
            day.alter("a", 2000).await;
            day.produce("b", 3).await;
            day.create("c").await;
        });
    }
}

#[test]
fn a_deleted_topic_stays_deleted_and_its_name_can_be_used_again() {
    survives("deletion of topics", Flush::Each, async |day| {
        for _ in 0..3 {
            day.create("a").await;
            day.produce("a", 0).await;
            day.produce("a", 1).await;
            day.delete("a").await;
        }
        day.create("a").await;
        day.produce("a", 1).await;
    });
}

#[test]
fn positions_that_were_committed_never_go_back() {
    survives("commits", Flush::Each, async |day| {
        day.create("a").await;
        day.produce("a", 0).await;
        for offset in 0..8 {
            day.commit("a", (offset % 2) as i32, offset).await;
        }
    });
}

#[test]
fn checkpoints_are_old_or_new_and_never_too_far() {
    survives("checkpoints", Flush::Each, async |day| {
        day.create("a").await;
        for round in 0..6 {
            day.produce("a", round % 2).await;
            day.checkpoint().await;
        }
        day.delete("a").await;
        day.checkpoint().await;
        day.create("a").await;
        day.produce("a", 0).await;
        day.checkpoint().await;
    });
}
