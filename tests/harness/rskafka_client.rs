//! The Rust client, rskafka: pure Rust, independent of this project, and run inside the test process.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rskafka::BackoffConfig;
use rskafka::chrono::DateTime;
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record as RskafkaRecord;

use super::record::Record;

const DEADLINE: Duration = Duration::from_secs(120);

/// A batch is one call here: this many bytes of keys and values stay well below Kafka's default of 1 MiB.
const BATCH_BYTES: usize = 256 * 1024;

pub fn create_topics(bootstrap: &str, topics: &[&str], partitions: i32) {
    run(async {
        let controller = connect(bootstrap)
            .await
            .controller_client()
            .expect("a controller");
        for topic in topics {
            controller
                .create_topic(*topic, partitions, 1, 30_000)
                .await
                .expect("creating a topic");
        }
    });
}

/// Writes `records` and gives them back with the places that the broker answered. This client has no partitioner:
/// records without a partition go to the topic's partitions in turn.
pub fn produce(bootstrap: &str, codec: &str, records: &[Record]) -> Vec<Record> {
    run(async {
        let client = connect(bootstrap).await;
        let mut placed = records.to_vec();
        let mut bound_for: BTreeMap<(String, i32), Vec<usize>> = BTreeMap::new();
        let topics = records.iter().map(|record| record.topic.as_str()).collect();
        let partitions = partitions(&client, &topics).await;
        for (index, record) in placed.iter_mut().enumerate() {
            let of_topic = &partitions[&record.topic];
            let partition = record.partition.unwrap_or(of_topic[index % of_topic.len()]);
            record.partition = Some(partition);
            bound_for
                .entry((record.topic.clone(), partition))
                .or_default()
                .push(index);
        }
        for ((topic, partition), indexes) in bound_for {
            let partition = open(&client, &topic, partition).await;
            for batch in batches(&placed, &indexes) {
                let sent = batch
                    .iter()
                    .map(|&index| to_rskafka(&placed[index]))
                    .collect();
                let offsets = partition
                    .produce(sent, compression(codec))
                    .await
                    .expect("producing");
                assert_eq!(offsets.len(), batch.len(), "an offset for every record");
                for (&index, offset) in batch.iter().zip(offsets) {
                    placed[index].offset = Some(offset);
                }
            }
        }
        placed
    })
}

/// Reads every record of `topics`, from the first offset to the end as found at the start.
pub fn consume(bootstrap: &str, topics: &[&str]) -> Vec<Record> {
    run(async {
        let client = connect(bootstrap).await;
        let partitions = partitions(&client, &topics.iter().copied().collect()).await;
        let mut read = Vec::new();
        for topic in topics {
            for &partition in &partitions[*topic] {
                read_partition(&open(&client, topic, partition).await, &mut read).await;
            }
        }
        read
    })
}

/// Writes one batch after another to the partition that their records name, until the broker no longer answers. All the
/// while `acknowledged` has the number of batches that were acknowledged.
pub fn write_until_refused(
    bootstrap: &str,
    batches: impl Iterator<Item = Vec<Record>>,
    acknowledged: &AtomicUsize,
) {
    // Once it runs it gives up soon, so that no batch is sent a second time to a broker that has come back.
    let give_up = Duration::from_millis(200);
    run(async {
        let patient = connect(bootstrap).await;
        let hasty = connect_for(bootstrap, give_up).await;
        let mut batches = batches.peekable();
        let first = batches.peek().expect("something to write")[0].clone();
        let index = first.partition.expect("a partition is named");
        let mut partition = open(&patient, &first.topic, index).await;
        for batch in batches {
            let sent = batch.iter().map(to_rskafka).collect();
            if partition
                .produce(sent, Compression::NoCompression)
                .await
                .is_err()
            {
                return;
            }
            if acknowledged.fetch_add(1, Ordering::SeqCst) == 0 {
                partition = open(&hasty, &first.topic, index).await;
            }
        }
    });
}

async fn read_partition(client: &PartitionClient, read: &mut Vec<Record>) {
    let mut next = client
        .get_offset(OffsetAt::Earliest)
        .await
        .expect("the first offset");
    let end = client
        .get_offset(OffsetAt::Latest)
        .await
        .expect("the end offset");
    while next < end {
        let (records, _) = client
            .fetch_records(next, 1..1024 * 1024, 1000)
            .await
            .expect("fetching");
        for found in records {
            next = found.offset + 1;
            read.push(from_rskafka(client, found.offset, found.record));
        }
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        tokio::time::timeout(DEADLINE, work)
            .await
            .expect("rskafka did not finish in time")
    })
}

async fn connect(bootstrap: &str) -> Client {
    connect_for(bootstrap, Duration::from_secs(60)).await
}

/// A client that tries again after an error for so long.
async fn connect_for(bootstrap: &str, try_again_for: Duration) -> Client {
    let backoff = BackoffConfig {
        deadline: Some(try_again_for),
        ..BackoffConfig::default()
    };
    ClientBuilder::new(vec![bootstrap.to_owned()])
        .backoff_config(backoff)
        .build()
        .await
        .expect("connecting")
}

async fn open(client: &Client, topic: &str, partition: i32) -> PartitionClient {
    client
        .partition_client(topic, partition, UnknownTopicHandling::Retry)
        .await
        .expect("finding a partition's leader")
}

/// The partitions of each topic. A topic that was created a moment ago may take another to be listed.
async fn partitions(client: &Client, topics: &BTreeSet<&str>) -> BTreeMap<String, Vec<i32>> {
    loop {
        let mut listed = client.list_topics().await.expect("listing topics");
        listed.retain(|topic| topics.contains(topic.name.as_str()));
        if listed.len() == topics.len() {
            let pairs = listed.into_iter();
            return pairs
                .map(|topic| (topic.name, topic.partitions.into_iter().collect()))
                .collect();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Cuts the records of one partition into batches.
fn batches(records: &[Record], indexes: &[usize]) -> Vec<Vec<usize>> {
    let mut batches = vec![Vec::new()];
    let mut bytes = 0;
    for &index in indexes {
        let record = &records[index];
        let size =
            record.key.as_ref().map_or(0, Vec::len) + record.value.as_ref().map_or(0, Vec::len);
        if bytes > 0 && bytes + size > BATCH_BYTES {
            batches.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        batches.last_mut().expect("never empty").push(index);
    }
    batches
}

fn compression(codec: &str) -> Compression {
    match codec {
        "none" => Compression::NoCompression,
        "gzip" => Compression::Gzip,
        "snappy" => Compression::Snappy,
        "lz4" => Compression::Lz4,
        "zstd" => Compression::Zstd,
        _ => panic!("unknown codec {codec:?}"),
    }
}

fn to_rskafka(record: &Record) -> RskafkaRecord {
    let headers = record.headers.iter().map(|(name, content)| {
        (
            name.clone(),
            content
                .clone()
                .expect("null header values are not given to this client"),
        )
    });
    RskafkaRecord {
        key: record.key.clone(),
        value: record.value.clone(),
        headers: headers.collect(),
        timestamp: DateTime::from_timestamp_millis(record.timestamp_ms)
            .expect("a timestamp that chrono can hold"),
    }
}

fn from_rskafka(client: &PartitionClient, offset: i64, record: RskafkaRecord) -> Record {
    Record {
        topic: client.topic().to_owned(),
        partition: Some(client.partition()),
        offset: Some(offset),
        timestamp_ms: record.timestamp.timestamp_millis(),
        key: record.key,
        value: record.value,
        headers: record
            .headers
            .into_iter()
            .map(|(name, content)| (name, Some(content)))
            .collect(),
    }
}
