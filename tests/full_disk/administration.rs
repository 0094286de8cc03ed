//! Changes of topics, and what makes room, on a full disk.

use vltava::wire::ErrorCode;

use crate::harness::record::now_ms;
use crate::harness::requests::new_topic;
use crate::harness::wire_client::{WireClient, wait_until};
use crate::harness::{batches, requests::LIST_OFFSETS, scratch_dir};
use crate::place::{Book, Place, alter, delete_records, large_batch};

const TOPIC: &str = "t";
const SMALL_SEGMENTS: [(&str, &str); 1] = [("segment.bytes", "1048576")];

/// Changes a setting again and again, until that is refused; what with, and the last value that was taken.
fn alter_until_refused(client: &mut WireClient) -> (ErrorCode, i64) {
    for value in 1_000_000.. {
        match alter(client, TOPIC, "retention.ms", &value.to_string()) {
            ErrorCode::NONE => {}
            code => return (code, value - 1),
        }
    }
    unreachable!("a disk is full at some time")
}

#[test]
fn changes_that_find_no_room_are_refused_and_made_later() {
    let Some(mut place) = Place::start(&[]) else {
        return;
    };
    let mut client = place.client();
    client.create_topic(TOPIC, 1);
    place.disk.fill();
    let (code, taken) = alter_until_refused(&mut client);
    assert_eq!(code, ErrorCode::KAFKA_STORAGE_ERROR);
    let refused = client.try_create(new_topic("u", 1, &[]));
    assert_eq!(
        refused.error_code,
        ErrorCode::KAFKA_STORAGE_ERROR,
        "{refused:?}"
    );
    place.disk.free();
    let value = (taken + 10).to_string();
    assert_eq!(
        alter(&mut client, TOPIC, "retention.ms", &value),
        ErrorCode::NONE
    );
    client.create_topic("u", 1);
    client.write("u", 0, &["x"]);
    place.broker.kill();
    place.broker.restart();
    let mut client = place.client();
    assert_eq!(client.read_all("u", 0), [(0, "x".to_owned())]);
}

#[test]
fn a_topic_can_be_deleted_to_make_room() {
    let Some(mut place) = Place::start(&[]) else {
        return;
    };
    let mut client = place.client();
    let mut book = Book::default();
    for topic in [TOPIC, "u", "v"] {
        client.create_topic(topic, 1);
    }
    book.write_all(&mut client, TOPIC, 3);
    for _ in 0..20 {
        client.write_batch("u", 0, &large_batch());
    }
    place.disk.fill();
    book.write_until_full(&mut client, TOPIC);
    let (code, _) = alter_until_refused(&mut client);
    assert_eq!(code, ErrorCode::KAFKA_STORAGE_ERROR);
    for topic in ["u", "v"] {
        assert_eq!(client.delete_topic(topic), ErrorCode::NONE, "{topic}");
    }
    wait_until("the room of the deleted topic", || {
        book.write(&mut client, TOPIC)
    });
    book.check(&mut client, TOPIC);
    place.broker.kill();
    place.broker.restart();
    let mut client = place.client();
    book.check(&mut client, TOPIC);
    assert_eq!(
        client.delete_topic("u"),
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
}

#[test]
fn a_topic_that_is_made_on_a_full_disk_is_there_when_there_is_room() {
    let metadata = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
    let metadata = metadata.path().display().to_string();
    let Some(mut place) = Place::start(&[("metadata.log.dir", &metadata)]) else {
        return;
    };
    let mut client = place.client();
    place.disk.fill();
    let id = client.create_topic(TOPIC, 2);
    for partition in 0..2 {
        let answer = client.produce(TOPIC, partition, &large_batch());
        assert_eq!(answer.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    }
    place.broker.kill();
    place.broker.restart();
    let mut client = place.client();
    client.create_topic("goes", 1);
    assert_eq!(client.delete_topic("goes"), ErrorCode::NONE);
    place.disk.free();
    let mut book = Book::default();
    wait_until("the partition", || book.write(&mut client, TOPIC));
    book.check(&mut client, TOPIC);
    wait_until("the other partition", || {
        client.produce(TOPIC, 1, &large_batch()).error_code == ErrorCode::NONE
    });
    assert!(place.broker.stop().success());
    let of_topic = std::fs::read_to_string(place.disk.path().join("t-1/partition.metadata"));
    let encoded = vltava::types::kafka_uuid::encode(id);
    assert!(of_topic.expect("the file").contains(&encoded));
    assert!(place.files("goes-0").is_empty());
}

#[test]
fn records_can_be_deleted_to_make_room() {
    let Some(mut place) = Place::start(&[]) else {
        return;
    };
    let mut client = place.client();
    client.create_topic_with(TOPIC, 1, &SMALL_SEGMENTS);
    let mut book = Book::default();
    book.write_all(&mut client, TOPIC, 60);
    place.disk.fill();
    book.write_until_full(&mut client, TOPIC);
    wait_until("the records to be deleted", || {
        match delete_records(&mut client, TOPIC, 30) {
            ErrorCode::NONE => true,
            code => {
                assert_eq!(code, ErrorCode::KAFKA_STORAGE_ERROR);
                false
            }
        }
    });
    wait_until("the room of what was deleted", || {
        book.write(&mut client, TOPIC)
    });
    place.broker.kill();
    place.broker.restart();
    let mut client = place.client();
    let start = client.list_offset(LIST_OFFSETS, TOPIC, 0, -2).offset;
    assert_eq!(start, 30);
    book.check(&mut client, TOPIC);
}

#[test]
fn retention_makes_room() {
    let eager = [
        ("log.retention.check.interval.ms", "100"),
        ("log.initial.task.delay.ms", "0"),
    ];
    let Some(place) = Place::start(&eager) else {
        return;
    };
    let mut client = place.client();
    let old = now_ms() - 3_600_000;
    for topic in ["old", TOPIC] {
        client.create_topic_with(topic, 1, &[SMALL_SEGMENTS[0], ("retention.ms", "-1")]);
    }
    // A whole topic of old records, the active segment among them.
    let batch = batches::batch_at(&[old; 3000]);
    for _ in 0..20 {
        client.write_batch("old", 0, &batch);
    }
    let mut book = Book::default();
    book.write_all(&mut client, TOPIC, 3);
    assert_eq!(
        alter(&mut client, "old", "retention.ms", "7200000"),
        ErrorCode::NONE
    );
    place.disk.fill();
    book.write_until_full(&mut client, TOPIC);
    // The change itself is small: it may be refused like any other, and then there is no more to see here.
    wait_until("the setting", || {
        place.disk.leave(4096);
        alter(&mut client, "old", "retention.ms", "1000") == ErrorCode::NONE
    });
    wait_until("the room of the old records", || {
        book.write(&mut client, TOPIC)
    });
    wait_until("the old records to go", || {
        client.list_offset(LIST_OFFSETS, "old", 0, -2).offset == 20 * 3000
    });
    book.check(&mut client, TOPIC);
    client.write("old", 0, &["new"]);
}
