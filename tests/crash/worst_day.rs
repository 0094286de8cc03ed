//! Writers of all kinds, and a broker that is killed again and again, also while it starts.
//!
//! Setup: six writers, each with a partition of four topics, in all codecs, idempotent or not, synced or not, with segments that roll all the time,
//! records that are deleted, offsets that are committed, topics that come and go. Expectation: after some kills, everything that
//! was acknowledged is there, once, in order and unchanged; log starts and committed offsets have not gone back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::book::{Book, PARTITIONS, TOPICS};
use super::dice::{Dice, number_of, seed};
use super::{checker, short_lived, writers};
use crate::harness::broker::Broker;
use crate::harness::wire_client::WireClient;

const KILLS_A_ROUND: u64 = 4;
/// Enough for CI. The round that runs then is finished.
const SECONDS: u64 = 12;

#[test]
fn everything_acknowledged_survives_a_broker_that_is_killed_all_day() {
    let seed = seed();
    let seconds = number_of("VLTAVA_TEST_SECONDS").unwrap_or(SECONDS);
    eprintln!("VLTAVA_TEST_SEED={seed} VLTAVA_TEST_SECONDS={seconds}");
    let mut dice = Dice::new(seed);
    let mut broker = Broker::start(&[
        ("offsets.topic.num.partitions", "3"),
        ("log.segment.delete.delay.ms", "200"),
    ]);
    let mut client = WireClient::connect(broker.port());
    for topic in &TOPICS {
        client.create_topic_with(topic.name, PARTITIONS, topic.configs);
    }
    let mut books: Vec<Book> = (0..PARTITIONS)
        .flat_map(|partition| (0..TOPICS.len()).map(move |topic| Book::new(topic, partition)))
        .collect();
    // The first question for a coordinator makes the topic of the offsets.
    client.need_coordinator();
    let mut topics = Vec::new();
    let started = Instant::now();
    let mut kills = 0;
    while kills == 0 || started.elapsed() < Duration::from_secs(seconds) {
        let stop = AtomicBool::new(false);
        let port = broker.port();
        thread::scope(|scope| {
            let (stop, topics) = (&stop, &mut topics);
            for own in books.chunks_mut(TOPICS.len()) {
                let seed = dice.next();
                scope.spawn(move || writers::write(own, port, seed, stop));
            }
            scope.spawn(move || short_lived::come_and_go(topics, port, stop));
            for _ in 0..KILLS_A_ROUND {
                kills += kill_and_start(&mut broker, &mut dice);
            }
            stop.store(true, Ordering::SeqCst);
        });
        broker.kill();
        broker.restart();
        kills += 1;
        let mut client = WireClient::connect(port);
        let records: usize = books
            .iter_mut()
            .map(|book| checker::check(&mut client, book))
            .sum();
        short_lived::check(&topics, port);
        let sent: u64 = books.iter().map(|book| book.next).sum();
        eprintln!(
            "{kills} kills: {sent} records sent, {records} read back, {} topics came and went",
            topics.len()
        );
    }
    let silent = books.iter().filter(|book| book.acknowledged.is_empty());
    assert_eq!(silent.count(), 0, "partitions without a record that counts");
    let committed = books.iter().filter(|book| book.committed_least > 0);
    assert!(committed.count() > 0, "no offset was committed");
    assert!(topics.len() > 1, "no topic came and went");
}

/// Ends the broker after a while, mostly by a kill, and starts it, sometimes with a kill meanwhile. Returns the kills.
fn kill_and_start(broker: &mut Broker, dice: &mut Dice) -> u32 {
    thread::sleep(Duration::from_millis(200 + dice.below(1200)));
    let mut kills = 0;
    if dice.below(6) == 0 {
        broker.stop();
    } else {
        broker.kill();
        kills += 1;
    }
    while dice.below(3) == 0 {
        broker.start_and_kill_after(Duration::from_millis(dice.below(250)));
        kills += 1;
    }
    broker.restart();
    kills
}
