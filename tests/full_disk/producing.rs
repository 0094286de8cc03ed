//! Producers, committing groups and compaction on a disk that fills up.

use vltava::wire::ErrorCode;
use vltava::wire::records::{BatchBuilder, Codec};

use crate::harness::broker::Broker;
use crate::harness::record::now_ms;
use crate::harness::wire_client::{WireClient, wait_until};
use crate::harness::{batches, scratch_dir};
use crate::place::{Book, Place};
use crate::small_disk::SmallDisk;

const TOPIC: &str = "t";
const SMALL_SEGMENTS: [(&str, &str); 1] = [("segment.bytes", "1048576")];

#[test]
fn what_was_acknowledged_is_read_back_and_producing_goes_on_when_there_is_room() {
    let Some(mut place) = Place::start(&[]) else {
        return;
    };
    let mut client = place.client();
    client.create_topic(TOPIC, 1);
    let mut book = Book::default();
    book.write_all(&mut client, TOPIC, 3);
    place.disk.fill();
    place.disk.leave(200 << 10);
    book.write_until_full(&mut client, TOPIC);
    book.check(&mut client, TOPIC);
    place.disk.free();
    book.write_all(&mut client, TOPIC, 20);
    book.check(&mut client, TOPIC);
    for clean in [false, true] {
        match clean {
            true => assert!(place.broker.stop().success()),
            false => place.broker.kill(),
        }
        place.broker.restart();
        client = place.client();
        book.check(&mut client, TOPIC);
        book.write_all(&mut client, TOPIC, 3);
    }
}

#[test]
fn with_flush_messages_1_it_is_the_same() {
    let Some(mut place) = Place::start(&[]) else {
        return;
    };
    let mut client = place.client();
    client.create_topic_with(TOPIC, 1, &[("flush.messages", "1")]);
    // Not one record is there yet: the first sync has to write the partition's small files too.
    place.disk.fill();
    let mut book = Book::default();
    book.write_until_full(&mut client, TOPIC);
    place.disk.leave(44 << 10);
    book.write_until_full(&mut client, TOPIC);
    place.disk.free();
    book.write_all(&mut client, TOPIC, 3);
    place.disk.fill();
    book.write_until_full(&mut client, TOPIC);
    place.disk.free();
    book.write_all(&mut client, TOPIC, 3);
    place.broker.kill();
    place.broker.restart();
    book.check(&mut place.client(), TOPIC);
}

#[test]
fn segments_that_find_no_room_for_themselves_or_their_indexes_get_both_later() {
    let Some(mut place) = Place::start(&[]) else {
        return;
    };
    let mut client = place.client();
    client.create_topic_with(TOPIC, 1, &SMALL_SEGMENTS);
    let mut book = Book::default();
    let (log, index, time) = (
        "00000000000000000050.log",
        "00000000000000000025.index",
        "00000000000000000025.timeindex",
    );
    // A roll that finds room comes first: it makes the partition's own name durable.
    book.write_all(&mut client, TOPIC, 50);
    assert!(!place.files("t-0").iter().any(|name| name == log));
    place.disk.fill();
    // Rolls, and neither the next segment nor the index of the full one finds room.
    book.write_until_full(&mut client, TOPIC);
    book.check(&mut client, TOPIC);
    wait_until("the index to find no room", || {
        place.broker.log().contains("index stays in memory")
    });
    place.disk.free();
    // Rolls once more.
    book.write_all(&mut client, TOPIC, 30);
    book.check(&mut client, TOPIC);
    wait_until("the index files", || {
        let files = place.files("t-0");
        let size = |name| std::fs::metadata(place.disk.path().join("t-0").join(name));
        [log, index, time].iter().all(|name| {
            files.iter().any(|known| known == name)
                && size(name).is_ok_and(|metadata| metadata.len() > 0)
        })
    });
    assert!(place.broker.stop().success());
    place.broker.restart();
    book.check(&mut place.client(), TOPIC);
}

#[test]
fn positions_that_find_no_room_are_refused_and_committed_later() {
    let Some(mut place) = Place::start(&[]) else {
        return;
    };
    let mut client = place.client();
    client.create_topic(TOPIC, 1);
    client.write(TOPIC, 0, &["x"]);
    client.need_coordinator();
    let member = client.join_alone("g");
    assert_eq!(client.commit(&member, 1), ErrorCode::NONE);
    place.disk.fill();
    // What is left of the last page is used up first.
    let mut committed = 1;
    let refused = loop {
        let code = client.commit(&member, committed + 1);
        if code != ErrorCode::NONE {
            break code;
        }
        committed += 1;
    };
    assert_eq!(refused, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!(client.committed("g", TOPIC).committed_offset, committed);
    assert_eq!(client.heartbeat(&member), ErrorCode::NONE);
    place.disk.free();
    assert_eq!(client.commit(&member, 1_000), ErrorCode::NONE);
    place.broker.kill();
    place.broker.restart();
    let mut client = place.client();
    client.need_coordinator();
    wait_until("the position", || {
        client.committed("g", TOPIC).committed_offset == 1_000
    });
}

#[test]
fn other_directories_go_on_while_one_is_full() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let large = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
    let dirs = format!("{},{}", large.path().display(), disk.path().display());
    let short = ("log.flush.offset.checkpoint.interval.ms", "200");
    let broker = Broker::start(&[("log.dirs", dirs.as_str()), short]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic(TOPIC, 2);
    disk.fill();
    let on_small = |partition: i32| disk.path().join(format!("{TOPIC}-{partition}")).is_dir();
    assert_ne!(on_small(0), on_small(1), "one partition a directory");
    let answers = |client: &mut WireClient| {
        let batch = crate::place::large_batch();
        [0, 1].map(|partition| client.produce(TOPIC, partition, &batch).error_code)
    };
    let expected = [0, 1].map(|partition| match on_small(partition) {
        true => ErrorCode::KAFKA_STORAGE_ERROR,
        false => ErrorCode::NONE,
    });
    for _ in 0..3 {
        assert_eq!(answers(&mut client), expected);
    }
    wait_until("the checkpoint that finds no room to be told of", || {
        broker
            .log()
            .contains("checkpoints are written when there is room")
    });
    assert_eq!(answers(&mut client), expected);
    disk.free();
    assert_eq!(answers(&mut client), [ErrorCode::NONE; 2]);
    // It was not taken for lost: its checkpoints are written again.
    wait_until("the checkpoint to be written", || {
        let points = disk.path().join("recovery-point-offset-checkpoint");
        std::fs::read_to_string(points).is_ok_and(|points| points.contains("t "))
    });
    assert!(!broker.log().contains("takes no new partitions"));
    drop(broker);
}

#[test]
fn compaction_that_finds_no_room_gives_up_and_comes_back() {
    let Some(place) = Place::start(&[("log.cleaner.backoff.ms", "100")]) else {
        return;
    };
    let mut client = place.client();
    let compacted = [
        ("cleanup.policy", "compact"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("segment.bytes", "1048576"),
        // Nothing is compacted before it is told to.
        ("min.compaction.lag.ms", "3600000"),
    ];
    client.create_topic_with(TOPIC, 1, &compacted);
    let value = [7; 40 << 10];
    let mut write = |key: &str| {
        let mut builder = BatchBuilder::new(Codec::None);
        builder.append(now_ms(), Some(key.as_bytes()), Some(&value), &[]);
        client.write_batch(TOPIC, 0, &builder.build())
    };
    for round in 0..30 {
        write(&format!("stays-{round}"));
        write("goes");
    }
    // The last keeps it small: sealed segments are what is compacted.
    let last = write("last");
    let mut client = place.client();
    assert_eq!(
        crate::place::alter(&mut client, TOPIC, "min.compaction.lag.ms", "0"),
        ErrorCode::NONE
    );
    place.disk.fill();
    wait_until("compaction to find no room", || {
        place.broker.log().contains("t-0: not compacted:")
    });
    assert_eq!(client.fetch(TOPIC, 0, last).error_code, ErrorCode::NONE);
    place.disk.free();
    wait_until("compaction to come back", || {
        place.broker.log().contains("t-0: compacted up to offset")
    });
    let first = client.fetch(TOPIC, 0, 0);
    let values = batches::records_of(&crate::harness::requests::data_of(&first));
    let offsets: Vec<i64> = values.iter().map(|(offset, _)| *offset).take(5).collect();
    assert_eq!(
        offsets,
        [0, 2, 4, 6, 8],
        "the newest of each key, at its offset"
    );
}
