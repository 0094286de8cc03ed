//! Tests of the log as its users see it, on real files in temporary directories.

mod append;
mod compaction;
mod compaction_crash;
mod compaction_random;
mod damage;
mod dead_process;
mod failure;
mod faulty_storage;
mod flush;
mod full_disk;
mod lifecycle;
mod log_start;
mod lookup;
mod power_loss;
mod random;
mod read;
mod recovery;
mod retention;
mod roll;
mod transactions;
mod transactions_random;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::io::Storage;
use crate::io::disk::tests::on_executor;
use crate::types::{LeaderEpoch, Offset, TimestampMs, TopicId};
use crate::wire::records::{BatchBuilder, BatchHeader, Codec, ValidatedBatch};

const EPOCH: LeaderEpoch = LeaderEpoch(3);
/// Far enough on that no producer expires by the real clock.
const NOW: TimestampMs = TimestampMs(4_000_000_000_000);
const TOPIC_ID: TopicId = TopicId::from_u128(0x1234_5678_9abc_def0_0123_4567_89ab_cdef);

/// Runs a test in an executor with a directory for one partition.
fn with_dir<F: Future<Output = ()>>(test: impl FnOnce(PathBuf) -> F) {
    let dir = TempDir::new().expect("a temporary directory");
    on_executor(test(dir.path().join("topic-0")));
}

/// Runs a test with an empty log.
fn with_log<F: Future<Output = ()>>(config: LogConfig, test: impl FnOnce(Rc<PartitionLog>) -> F) {
    with_dir(async |dir| test(create(&dir, config).await).await);
}

async fn create(dir: &Path, config: LogConfig) -> Rc<PartitionLog> {
    PartitionLog::create(dir.to_owned(), TOPIC_ID, config, EPOCH)
        .await
        .expect("a new log")
}

async fn create_on(storage: Rc<dyn Storage>, dir: &Path, config: LogConfig) -> Rc<PartitionLog> {
    PartitionLog::create_on(storage, dir.to_owned(), TOPIC_ID, config, EPOCH)
        .await
        .expect("a new log")
}

async fn open(dir: &Path, trust: Trust) -> (Rc<PartitionLog>, RecoveryReport) {
    open_with(dir, LogConfig::default(), trust).await
}

async fn open_with(
    dir: &Path,
    config: LogConfig,
    trust: Trust,
) -> (Rc<PartitionLog>, RecoveryReport) {
    PartitionLog::open(dir.to_owned(), config, trust)
        .await
        .expect("the log opens")
}

const UNCLEAN: Trust = Trust::Recover {
    recovery_point: Offset::ZERO,
};

/// A batch of `records` records of 100 bytes, one millisecond apart, the first at `timestamp`.
fn batch_at(timestamp: i64, records: i32) -> ValidatedBatch {
    builder_at(timestamp, records).build_validated()
}

fn batch(records: i32) -> ValidatedBatch {
    batch_at(NOW.0, records)
}

/// A batch of two records from an idempotent producer.
fn idempotent(producer_id: i64, epoch: i16, base_sequence: i32) -> ValidatedBatch {
    builder_at(NOW.0, 2)
        .producer(producer_id, epoch, base_sequence)
        .build_validated()
}

fn builder_at(timestamp: i64, records: i32) -> BatchBuilder {
    let mut builder = BatchBuilder::new(Codec::None);
    for n in 0..records {
        let value = format!("{n:0100}");
        builder.append(
            timestamp + i64::from(n),
            Some(b"key"),
            Some(value.as_bytes()),
            &[],
        );
    }
    builder
}

fn append(log: &Rc<PartitionLog>, batch: &ValidatedBatch) -> Appended {
    log.append(batch, EPOCH, NOW).expect("the batch is taken")
}

/// Appends and waits until the batch is committed.
async fn append_committed(log: &Rc<PartitionLog>, batch: &ValidatedBatch) -> Appended {
    let appended = append(log, batch);
    log.committed(appended.last_offset + 1)
        .await
        .expect("the batch is committed");
    appended
}

/// What a reader gets from `from` on.
async fn read(log: &Rc<PartitionLog>, from: i64, max_bytes: u32) -> Option<Bytes> {
    let view = log.read_view(Offset(from)).expect("the offset is in range");
    let plan = view.plan(max_bytes, true).await.expect("a plan")?;
    Some(
        plan.file
            .read_at(plan.position, plan.len as usize)
            .await
            .expect("the planned bytes"),
    )
}

/// First and last offset of each batch in `bytes`, whose checksums must hold.
fn offsets(mut bytes: &[u8]) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let header = BatchHeader::read_checked(bytes).expect("a whole, sound batch");
        assert_eq!(header.leader_epoch(), EPOCH);
        found.push((header.base_offset().0, header.last_offset().0));
        bytes = &bytes[header.total_size()..];
    }
    found
}

/// The offsets of all batches of a log, read from its start as a consumer does.
async fn all_offsets(log: &Rc<PartitionLog>) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    let mut next = log.log_start_offset().0;
    while let Some(bytes) = read(log, next, 1 << 20).await {
        found.extend(offsets(&bytes));
        next = found.last().expect("a plan is not empty").1 + 1;
    }
    assert_eq!(next, log.high_watermark().0);
    found
}

/// The names of the files in a partition's directory, sorted.
fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("the directory");
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
