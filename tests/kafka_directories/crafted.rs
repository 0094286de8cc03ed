//! Directories to which records are added as Kafka would have written them, without a Kafka.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;
use uuid::Uuid;
use vltava::types::{LeaderEpoch, Offset};
use vltava::wire::control_records::ControlRecord;
use vltava::wire::metadata_records::{MetadataRecord, PartitionRecord, TopicRecord};
use vltava::wire::records::{BatchBuilder, Codec, batches};

use crate::harness::serve::refusal;
use crate::{Vltava, arguments, home, names};

pub const METADATA: &str = "__cluster_metadata-0";
pub const FIRST_SEGMENT: &str = "00000000000000000000.log";

/// A directory of this broker, stopped in order, with the topic `t`; and the topic's id.
pub struct Directory {
    _home: TempDir,
    pub data: PathBuf,
    pub topic_id: Uuid,
}

impl Directory {
    pub fn new() -> Directory {
        let (home, data) = home();
        let vltava = Vltava::start(&data);
        let mut client = vltava.client();
        let topic_id = client.create_topic("t", 1);
        client.write("t", 0, &["a", "b"]);
        vltava.stop();
        Directory {
            _home: home,
            data,
            topic_id,
        }
    }

    /// The same again, to be changed.
    pub fn copy(&self) -> Directory {
        let (home, data) = home();
        copy(&self.data, &data);
        Directory {
            _home: home,
            data,
            topic_id: self.topic_id,
        }
    }

    pub fn metadata_log(&self) -> PathBuf {
        self.data.join(METADATA).join(FIRST_SEGMENT)
    }

    /// Adds a batch to the metadata log.
    fn add(&self, batch: impl FnOnce(BatchBuilder) -> BatchBuilder) {
        let path = self.metadata_log();
        let content = Bytes::from(fs::read(&path).expect("a metadata log"));
        let last = batches(content).last().expect("a batch");
        let end = last.expect("a sound batch").header().next_offset();
        let builder = BatchBuilder::new(Codec::None).placed(end, LeaderEpoch(1));
        append(&path, &batch(builder).build());
    }

    pub fn add_record(&self, record: &MetadataRecord) {
        self.add_value(&record.encode());
    }

    pub fn add_value(&self, value: &[u8]) {
        self.add(|mut batch| {
            batch.append(1, None, Some(value), &[]);
            batch
        });
    }

    pub fn add_control(&self, record: &ControlRecord) {
        self.add(|batch| {
            let mut batch = batch.control();
            batch.append(1, Some(&record.key()), Some(&record.encode()), &[]);
            batch
        });
    }

    /// A topic that is just there, and how many partitions it has.
    pub fn add_topic(&self, name: &'static str) {
        let topic_id = Uuid::from_u128(77);
        let topic = TopicRecord {
            name: name.into(),
            topic_id,
        };
        self.add_record(&topic.into());
        let partition = PartitionRecord {
            partition_id: 0,
            topic_id,
            replicas: vec![1],
            isr: vec![1],
            leader: 1,
            leader_epoch: 0,
            partition_epoch: 0,
            ..PartitionRecord::default()
        };
        self.add_record(&partition.into());
    }

    /// Gives a partition's log a batch at an offset.
    pub fn write(
        &self,
        partition: &str,
        offset: i64,
        mut batch: BatchBuilder,
        key: &[u8],
        value: &[u8],
    ) {
        let dir = self.data.join(partition);
        fs::create_dir_all(&dir).expect("a directory of ours");
        batch = batch.placed(Offset(offset), LeaderEpoch(0));
        batch.append(1, Some(key), Some(value), &[]);
        append(&dir.join(FIRST_SEGMENT), &batch.build());
    }

    /// The start is refused with these words, and nothing has changed.
    #[track_caller]
    pub fn assert_refused(&self, words: &[&str]) {
        let before = contents(&self.data);
        let said = refusal(&arguments(&self.data));
        for words in words {
            assert!(said.contains(words), "{words:?} is not in:\n{said}");
        }
        let after = contents(&self.data);
        let changed: Vec<_> = after
            .iter()
            .filter(|(name, content)| before.get(*name) != Some(content))
            .map(|(name, _)| name)
            .collect();
        assert!(changed.is_empty(), "{changed:?} changed");
        assert_eq!(before.len(), after.len(), "files went");
    }
}

fn append(path: &Path, bytes: &[u8]) {
    let file = File::options().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory of ours");
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file of ours");
        }
    }
}

/// Every file below a directory with what it holds; who owns the lock says nothing.
pub fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for name in names(dir) {
        let path = dir.join(&name);
        if path.is_dir() {
            let below = contents(&path).into_iter();
            all.extend(below.map(|(file, content)| (format!("{name}/{file}"), content)));
        } else if name != ".lock" {
            all.insert(name, fs::read(&path).expect("a file of ours"));
        }
    }
    all
}
