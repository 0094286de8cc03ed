//! kill -9 in the middle of what an independent client writes, several times over the same data.
//!
//! Setup: one writer a partition sends small batches, one after another, and the broker is killed under them. Expectation:
//! after each restart every acknowledged record is at its place, and what lies behind is a beginning of what was sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::broker::Broker;
use crate::harness::clients::Client::Rskafka;
use crate::harness::record::{Record, assert_offsets_without_gap};
use crate::harness::rskafka_client::write_until_refused;

const TOPIC: &str = "crash";
const PARTITIONS: usize = 3;
const KILLS: usize = 4;

/// Records in a batch: acknowledged together or not at all.
const BATCH: usize = 7;

/// Each partition gets so many acknowledged batches before the next kill.
const BATCHES_BEFORE_KILL: usize = 150;
const WRITING_DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn every_acknowledged_record_survives_kills_in_the_middle_of_writing() {
    let mut broker = Broker::start(&[]);
    Rskafka.create_topics(&broker.bootstrap(), &[TOPIC], PARTITIONS as i32);
    let mut stored = [0; PARTITIONS];
    for kill in 1..=KILLS {
        let acknowledged = write_and_kill(&mut broker, stored);
        broker.restart();
        let read = Rskafka.consume(&broker.bootstrap(), &[TOPIC]);
        eprintln!(
            "kill {kill}: {acknowledged:?} batches acknowledged, {} records read",
            read.len()
        );
        assert_offsets_without_gap(&read, TOPIC);
        for partition in 0..PARTITIONS {
            let before = stored[partition];
            stored[partition] = check_partition(&read, partition);
            let least = before + acknowledged[partition] * BATCH;
            let kept = stored[partition];
            assert!(
                kept >= least,
                "partition {partition}: {kept} records of {least} acknowledged"
            );
            // One batch may have been written without its answer arriving.
            assert!(
                kept <= least + BATCH,
                "partition {partition}: {kept} records, {least} acknowledged"
            );
        }
    }
}

/// Writes to every partition, the first record of each numbered as its next offset, kills the broker meanwhile, and says
/// how many batches of each partition were acknowledged.
fn write_and_kill(broker: &mut Broker, stored: [usize; PARTITIONS]) -> [usize; PARTITIONS] {
    let bootstrap = broker.bootstrap();
    let acknowledged: [AtomicUsize; PARTITIONS] = Default::default();
    thread::scope(|scope| {
        for (partition, (count, first)) in acknowledged.iter().zip(stored).enumerate() {
            let bootstrap = &bootstrap;
            let batches = (0..).map(move |batch| numbered_batch(partition, first + batch * BATCH));
            scope.spawn(move || write_until_refused(bootstrap, batches, count));
        }
        let enough = |count: &AtomicUsize| count.load(Ordering::SeqCst) >= BATCHES_BEFORE_KILL;
        let started = Instant::now();
        while !acknowledged.iter().all(enough) && started.elapsed() < WRITING_DEADLINE {
            thread::sleep(Duration::from_millis(1));
        }
        broker.kill();
    });
    let acknowledged = acknowledged.map(AtomicUsize::into_inner);
    let enough = acknowledged
        .iter()
        .all(|&count| count >= BATCHES_BEFORE_KILL);
    assert!(enough, "writing was stuck at {acknowledged:?} batches");
    acknowledged
}

fn numbered_batch(partition: usize, first: usize) -> Vec<Record> {
    let numbered = |number: usize| Record {
        partition: Some(partition as i32),
        ..Record::new(TOPIC, None, Some(number.to_string().into_bytes()))
    };
    (first..first + BATCH).map(numbered).collect()
}

/// Checks that every record of the partition has the number of its offset, and says how many there are.
fn check_partition(read: &[Record], partition: usize) -> usize {
    let records = read
        .iter()
        .filter(|record| record.partition == Some(partition as i32));
    let check = |record: &Record| {
        let offset = record.offset.expect("read records have one").to_string();
        assert_eq!(
            record.value.as_deref(),
            Some(offset.as_bytes()),
            "partition {partition}, offset {offset}"
        );
    };
    records.inspect(|record| check(record)).count()
}
