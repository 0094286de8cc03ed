//! A broker whose data lies on a small disk, and what the tests ask of it.

use std::fs;

use bytes::Bytes;
use vltava::wire::ErrorCode;
use vltava::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use vltava::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

use crate::harness::batches;
use crate::harness::broker::Broker;
use crate::harness::requests::LIST_OFFSETS;
use crate::harness::wire_client::WireClient;
use crate::small_disk::SmallDisk;

/// One partition of group positions is enough, and files that are to go go at once.
const SMALL: &[(&str, &str)] = &[
    ("offsets.topic.num.partitions", "1"),
    ("log.segment.delete.delay.ms", "0"),
    ("log.cleaner.dedupe.buffer.size", "2097152"),
];

/// Smaller than a segment by far, and more than any page that is begun has left.
const RECORD_BYTES: usize = 40 << 10;

/// The broker goes before its disk.
pub struct Place {
    pub broker: Broker,
    pub disk: SmallDisk,
}

impl Place {
    /// A broker with all its data on the small disk; `None` where there can be none.
    pub fn start(more: &[(&str, &str)]) -> Option<Place> {
        let disk = SmallDisk::mount()?;
        let dir = disk.path().display().to_string();
        let broker = Broker::start(&[SMALL, &[("log.dirs", dir.as_str())], more].concat());
        Some(Place { broker, disk })
    }

    pub fn client(&self) -> WireClient {
        WireClient::connect(self.broker.port())
    }

    /// Names of the files in a folder of the data directory; none if there is no such folder.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.disk.path().join(folder));
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let entries = entries.into_iter().flatten();
        entries
            .map(|entry| name(entry.expect("an entry")))
            .collect()
    }
}

/// Records that were acknowledged, to be found again.
#[derive(Default)]
pub struct Book {
    acknowledged: Vec<(i64, String)>,
    written: usize,
}

impl Book {
    /// Writes one large record; whether it was acknowledged. It must be so, or be refused with KAFKA_STORAGE_ERROR.
    pub fn write(&mut self, client: &mut WireClient, topic: &str) -> bool {
        let value = format!("{:0>width$}", self.written, width = RECORD_BYTES);
        self.written += 1;
        let answer = client.produce(topic, 0, &batches::batch(&[&value]));
        match answer.error_code {
            ErrorCode::NONE => self.acknowledged.push((answer.base_offset, value)),
            code => assert_eq!(code, ErrorCode::KAFKA_STORAGE_ERROR, "{answer:?}"),
        }
        answer.error_code == ErrorCode::NONE
    }

    /// Writes `count` that must be acknowledged.
    pub fn write_all(&mut self, client: &mut WireClient, topic: &str, count: usize) {
        for _ in 0..count {
            assert!(self.write(client, topic), "there is room");
        }
    }

    /// Writes until the disk is full, and on: everything else is refused too.
    pub fn write_until_full(&mut self, client: &mut WireClient, topic: &str) {
        while self.write(client, topic) {}
        for _ in 0..5 {
            assert!(!self.write(client, topic), "there is no room");
        }
    }

    /// What was acknowledged is in the log from its start on, at its offset, and nothing else is.
    pub fn check(&self, client: &mut WireClient, topic: &str) {
        let start = client.list_offset(LIST_OFFSETS, topic, 0, -2).offset;
        let mut read = Vec::new();
        let mut next = start;
        loop {
            let answer = client.fetch(topic, 0, next);
            assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
            let found = batches::records_of(&crate::harness::requests::data_of(&answer));
            let Some((last, _)) = found.last() else { break };
            next = last + 1;
            read.extend(found);
        }
        let kept = self.acknowledged.iter().filter(|(at, _)| *at >= start);
        let offsets = |records: &[(i64, String)]| -> Vec<i64> {
            records.iter().map(|(offset, _)| *offset).collect()
        };
        let kept: Vec<_> = kept.cloned().collect();
        assert_eq!(offsets(&read), offsets(&kept));
        assert!(read == kept, "a record is another one");
    }
}

/// A batch of one record that needs a page of its own.
pub fn large_batch() -> Bytes {
    batches::batch_of_bytes(RECORD_BYTES)
}

/// Changes a setting of a topic.
pub fn alter(client: &mut WireClient, topic: &str, name: &str, value: &str) -> ErrorCode {
    let config = AlterableConfig {
        name: name.into(),
        config_operation: 0,
        value: Some(value.into()),
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: 2,
            resource_name: topic.into(),
            configs: vec![config],
        }],
        validate_only: false,
    };
    client.call(1, &request).responses[0].error_code
}

/// Deletes the records of partition 0 before `offset`.
pub fn delete_records(client: &mut WireClient, topic: &str, offset: i64) -> ErrorCode {
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: topic.into(),
            partitions: vec![DeleteRecordsPartition {
                partition_index: 0,
                offset,
            }],
        }],
        timeout_ms: 30_000,
    };
    client.call(2, &request).topics[0].partitions[0].error_code
}
