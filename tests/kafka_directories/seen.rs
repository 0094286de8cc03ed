//! The work that is done on a cluster, whoever serves it, and everything a client can see of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use vltava::wire::ErrorCode;
use vltava::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use vltava::wire::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use vltava::wire::messages::init_producer_id::InitProducerIdRequest;
use vltava::wire::messages::metadata::MetadataRequest;
use vltava::wire::messages::offset_fetch::OffsetFetchRequest;
use vltava::wire::records::{BatchBuilder, Codec, Scratch, batches};

use crate::harness::batches::{batch, compressed};
use crate::harness::group_requests::{COMMIT, Membership, OFFSET_FETCH, join_request};
use crate::harness::record::now_ms;
use crate::harness::requests::{LIST_OFFSETS, data_of, sequenced};
use crate::harness::wire_client::{WireClient, wait_until};

const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::Gzip,
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd,
];

/// Every second of a record's time begins a segment.
const COMPACTED: &[(&str, &str)] = &[
    ("cleanup.policy", "compact"),
    ("segment.ms", "1000"),
    ("min.cleanable.dirty.ratio", "0.01"),
    ("retention.ms", "-1"),
];

/// Groups that have positions.
const GROUPS: [&str; 3] = ["g", "left", "new-protocol"];

/// What ListOffsets calls the first offset and the one behind the last.
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// Offset, timestamp, key and value.
type Told = (i64, i64, Option<String>, Option<String>);

/// All there is to see.
#[derive(PartialEq, Eq, Debug)]
pub struct Seen {
    /// First offset, last offset and records of each partition; of the compacted topic only the newest record of each key, as
    /// compaction goes on whenever it likes.
    partitions: BTreeMap<(String, i32), (i64, i64, Vec<Told>)>,
    /// Topics' ids and own settings.
    topics: BTreeMap<String, (String, Vec<(String, String)>)>,
    /// Positions with their metadata.
    positions: BTreeMap<(String, String, i32), (i64, String)>,
}

impl Seen {
    /// How many records there are.
    pub fn records(&self) -> usize {
        self.partitions
            .values()
            .map(|(_, _, told)| told.len())
            .sum()
    }
}

/// Those who work on the cluster, and how far they are.
pub struct Work {
    producer: (i64, i16),
    next_sequence: i32,
    last: (i32, i64),
    member: Membership,
    position: i64,
    round: i64,
}

impl Work {
    /// Everything from the beginning: topics of each kind, producers, groups.
    pub fn begin(client: &mut WireClient) -> Work {
        create(client, "plain", 3, &[("max.message.bytes", "123456")]);
        create(client, "compacted", 1, COMPACTED);
        create(client, "trimmed", 1, &[("retention.ms", "-1")]);
        create(client, "deleted", 2, &[("file.delete.delay.ms", "0")]);
        write(client, "deleted", 0, &batch(&["gone"]));
        for at in 0..20 {
            write(client, "trimmed", 0, &batch(&[&format!("{at}")]));
        }
        trim(client, 7);
        assert_eq!(client.delete_topic("deleted"), ErrorCode::NONE);
        compact(client);
        client.need_coordinator();
        let left = wait_for_member(client, "left");
        assert_eq!(
            client.commit_at(COMMIT, &left, "plain", 3, "kept"),
            ErrorCode::NONE
        );
        let producer = new_producer(client);
        let mut work = Work {
            producer,
            next_sequence: 0,
            last: (0, 0),
            member: wait_for_member(client, "g"),
            position: 0,
            round: 0,
        };
        work.round(client);
        work
    }

    /// Goes on where it was left, on whoever serves now: nobody may notice the change.
    pub fn go_on(&mut self, client: &mut WireClient) {
        client.need_coordinator();
        // The member's session lasts, whatever the broker was meanwhile.
        wait_until("the group is loaded", || {
            let code = client.heartbeat(&self.member);
            assert!(
                code == ErrorCode::NONE || is_getting_ready(code),
                "{code:?}"
            );
            code == ErrorCode::NONE
        });
        let (sequence, offset) = self.last;
        let again = sequenced(self.producer, sequence, &["x", "y"]);
        assert_eq!(write(client, "plain", 0, &again), offset, "a duplicate");
        let fresh = new_producer(client);
        assert!(
            fresh.0 > self.producer.0,
            "producer ids are never given out again"
        );
        self.round(client);
    }

    /// A little of everything.
    fn round(&mut self, client: &mut WireClient) {
        self.round += 1;
        let values: Vec<String> = (0..40).map(|at| format!("{} {at}", self.round)).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        for (at, codec) in CODECS.into_iter().enumerate() {
            write(
                client,
                "plain",
                (at % 3) as i32,
                &compressed(codec, &values),
            );
        }
        let batch = sequenced(self.producer, self.next_sequence, &["x", "y"]);
        let offset = write(client, "plain", 0, &batch);
        self.last = (self.next_sequence, offset);
        self.next_sequence += 2;
        self.position += 5;
        let committed = client.commit_at(COMMIT, &self.member, "plain", self.position, "");
        assert_eq!(committed, ErrorCode::NONE);
    }
}

/// Becomes the only member of a group, once its coordinator is ready.
fn wait_for_member(client: &mut WireClient, group: &str) -> Membership {
    let mut joined = None;
    wait_until("the group's coordinator is ready", || {
        let answer = client.join(&join_request(group, ""));
        let code = answer.error_code;
        let waiting = is_getting_ready(code);
        assert!(waiting || code == ErrorCode::NONE, "{answer:?}");
        joined = Some(answer);
        !waiting
    });
    let joined = joined.expect("it has joined");
    let member = Membership {
        group: group.to_owned(),
        member_id: joined.member_id.to_string(),
        generation: joined.generation_id,
    };
    let (code, _) = client.sync(&member, &[(&member.member_id, b"all")]);
    assert_eq!(code, ErrorCode::NONE);
    member
}

/// Writes a batch; returns its offset. A node that was too slow for its own controller is out for a moment, and in again.
fn write(client: &mut WireClient, topic: &str, partition: i32, batch: &Bytes) -> i64 {
    let mut offset = None;
    wait_until("the partition has a leader", || {
        let answer = client.produce(topic, partition, batch);
        let code = answer.error_code;
        let waiting = code == ErrorCode::NOT_LEADER_OR_FOLLOWER;
        assert!(waiting || code == ErrorCode::NONE, "{answer:?}");
        offset = Some(answer.base_offset);
        !waiting
    });
    offset.expect("an answer")
}

/// Makes a topic, and waits until whoever leads it knows.
fn create(client: &mut WireClient, name: &str, partitions: i32, configs: &[(&str, &str)]) {
    client.create_topic_with(name, partitions, configs);
    for partition in 0..partitions {
        offset_at(client, name, partition, LATEST);
    }
}

/// An offset by what ListOffsets calls it, once whoever leads the partition knows of it.
fn offset_at(client: &mut WireClient, topic: &str, partition: i32, which: i64) -> i64 {
    let mut offset = None;
    wait_until("the partition's leader knows of it", || {
        let found = client.list_offset(LIST_OFFSETS, topic, partition, which);
        offset = Some(found.offset);
        found.error_code == ErrorCode::NONE
    });
    offset.expect("an answer")
}

/// A new idempotent producer, once ids are given out.
fn new_producer(client: &mut WireClient) -> (i64, i16) {
    let request = InitProducerIdRequest {
        transaction_timeout_ms: 60_000,
        ..InitProducerIdRequest::default()
    };
    let mut producer = None;
    wait_until("producer ids are given out", || {
        let answer = client.call(4, &request);
        let waiting = is_getting_ready(answer.error_code);
        assert!(
            waiting || answer.error_code == ErrorCode::NONE,
            "{answer:?}"
        );
        producer = Some((answer.producer_id, answer.producer_epoch));
        !waiting
    });
    producer.expect("an answer")
}

/// What a coordinator answers that has not read its records yet.
fn is_getting_ready(code: ErrorCode) -> bool {
    code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS || code == ErrorCode::NOT_COORDINATOR
}

fn trim(client: &mut WireClient, offset: i64) {
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: "trimmed".into(),
            partitions: vec![DeleteRecordsPartition {
                partition_index: 0,
                offset,
            }],
        }],
        timeout_ms: 10_000,
    };
    let answer = client.call(2, &request);
    assert_eq!(answer.topics[0].partitions[0].error_code, ErrorCode::NONE);
}

/// Writes the same keys again and again, and waits until the older values are gone.
fn compact(client: &mut WireClient) {
    let long_ago = now_ms() - 1_000_000;
    for second in 0..4 {
        let mut batch = BatchBuilder::new(Codec::None);
        for key in 0..5 {
            let value = format!("{second}");
            let key = format!("key {key}");
            // The last round takes one key away.
            let value = (second < 3 || key != "key 4").then_some(value.as_bytes());
            batch.append(long_ago + 2000 * second, Some(key.as_bytes()), value, &[]);
        }
        write(client, "compacted", 0, &batch.build());
    }
    let mut newest = BatchBuilder::new(Codec::None);
    newest.append(long_ago + 10_000, Some(b"last"), Some(b"last"), &[]);
    write(client, "compacted", 0, &newest.build());
    wait_until("compaction", || {
        let told = read(client, "compacted", 0);
        assert!(told.len() >= 6, "a newest record went: {told:?}");
        told.len() == 6
    });
}

/// Looks at everything.
pub fn look(client: &mut WireClient) -> Seen {
    let request = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let mut seen = Seen {
        partitions: BTreeMap::new(),
        topics: BTreeMap::new(),
        positions: BTreeMap::new(),
    };
    for topic in client.call(12, &request).topics {
        let name = topic.name.expect("topics have names").to_string();
        let configs = own_settings(client, &name);
        if name.starts_with("__") {
            continue;
        }
        for partition in &topic.partitions {
            assert_eq!(
                partition.error_code,
                ErrorCode::NONE,
                "{name} {partition:?}"
            );
            let index = partition.partition_index;
            let first = offset_at(client, &name, index, EARLIEST);
            let end = offset_at(client, &name, index, LATEST);
            let told = read(client, &name, index);
            seen.partitions
                .insert((name.clone(), index), (first, end, told));
        }
        seen.topics
            .insert(name, (topic.topic_id.to_string(), configs));
    }
    assert!(!seen.topics.contains_key("deleted"));
    for group in GROUPS {
        positions(client, group, &mut seen.positions);
    }
    seen
}

/// Every record from the first offset on.
fn read(client: &mut WireClient, topic: &str, partition: i32) -> Vec<Told> {
    let mut next = offset_at(client, topic, partition, EARLIEST);
    let mut told = Vec::new();
    loop {
        let answer = client.fetch(topic, partition, next);
        assert_eq!(answer.error_code, ErrorCode::NONE, "{answer:?}");
        let data: Bytes = data_of(&answer);
        if data.is_empty() {
            assert_eq!(next, answer.high_watermark, "the end is not reached");
            return told;
        }
        for batch in batches(data) {
            let batch = batch.expect("a sound batch");
            let header = batch.header();
            let records = batch.records(1 << 30, &mut Scratch::default());
            let records = records.expect("sound records");
            for record in &records {
                let record = record.expect("a sound record");
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                if record.offset.0 >= next && !header.attributes().is_control() {
                    let (key, value) = (record.key.map(text), record.value.map(text));
                    told.push((record.offset.0, record.timestamp, key, value));
                }
            }
            next = next.max(header.next_offset().0);
        }
    }
}

/// What is set for a topic itself.
fn own_settings(client: &mut WireClient, topic: &str) -> Vec<(String, String)> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: 2,
            resource_name: topic.into(),
            configuration_keys: None,
        }],
        ..DescribeConfigsRequest::default()
    };
    let mut answer = client.call(4, &request);
    let result = answer.results.remove(0);
    assert_eq!(result.error_code, ErrorCode::NONE, "{topic}: {result:?}");
    let mut own: Vec<_> = result
        .configs
        .into_iter()
        .filter(|config| config.config_source == 1)
        .map(|config| {
            let value = config.value.map(|value| value.to_string());
            (config.name.to_string(), value.unwrap_or_default())
        })
        .collect();
    own.sort();
    own
}

fn positions(
    client: &mut WireClient,
    group: &str,
    into: &mut BTreeMap<(String, String, i32), (i64, String)>,
) {
    let request = OffsetFetchRequest {
        group_id: group.into(),
        topics: None,
        ..OffsetFetchRequest::default()
    };
    let mut answer = client.call(OFFSET_FETCH, &request);
    wait_until("the group is loaded", || {
        answer = client.call(OFFSET_FETCH, &request);
        answer.error_code == ErrorCode::NONE
    });
    for topic in &answer.topics {
        for partition in &topic.partitions {
            let key = (
                group.to_owned(),
                topic.name.to_string(),
                partition.partition_index,
            );
            let metadata = partition.metadata.as_ref().map(ToString::to_string);
            into.insert(
                key,
                (partition.committed_offset, metadata.unwrap_or_default()),
            );
        }
    }
}
