//! Starts and stops on a full disk.

use std::fs;

use vltava::wire::ErrorCode;

use crate::harness::wire_client::wait_until;
use crate::place::{Book, Place, alter, large_batch};

const TOPIC: &str = "t";
const SMALL_SEGMENTS: [(&str, &str); 1] = [("segment.bytes", "1048576")];

/// A full disk, with records in several segments that were acknowledged.
fn full() -> Option<(Place, Book)> {
    let place = Place::start(&[])?;
    let mut client = place.client();
    client.create_topic_with(TOPIC, 1, &SMALL_SEGMENTS);
    client.create_topic("u", 4);
    let mut book = Book::default();
    book.write_all(&mut client, TOPIC, 60);
    place.disk.fill();
    book.write_until_full(&mut client, TOPIC);
    Some((place, book))
}

fn goes_on(place: &Place, book: &mut Book) {
    let mut client = place.client();
    book.check(&mut client, TOPIC);
    book.write_until_full(&mut client, TOPIC);
    place.disk.free();
    wait_until("records to be taken", || book.write(&mut client, TOPIC));
    book.check(&mut client, TOPIC);
    for partition in 0..4 {
        client.write_batch("u", partition, &large_batch());
    }
    assert_eq!(
        alter(&mut client, TOPIC, "retention.ms", "-1"),
        ErrorCode::NONE
    );
}

#[test]
fn a_broker_that_was_killed_on_a_full_disk_starts_on_it_and_serves_what_is_there() {
    let Some((mut place, mut book)) = full() else {
        return;
    };
    for _ in 0..3 {
        place.broker.kill();
        place.broker.restart();
        book.check(&mut place.client(), TOPIC);
    }
    goes_on(&place, &mut book);
    assert!(place.broker.stop().success());
    place.broker.restart();
    book.check(&mut place.client(), TOPIC);
}

#[test]
fn a_broker_stops_on_a_full_disk_says_what_was_not_written_and_starts_again() {
    let Some((mut place, mut book)) = full() else {
        return;
    };
    for _ in 0..2 {
        let before = place.broker.log().len();
        assert!(!place.broker.stop().success(), "its marks found no room");
        let log = place.broker.log().split_off(before);
        assert!(log.contains("No space left on device"), "{log}");
        place.broker.restart();
        book.check(&mut place.client(), TOPIC);
    }
    goes_on(&place, &mut book);
    assert!(place.broker.stop().success());
    assert!(
        place
            .files("")
            .iter()
            .any(|name| name == ".kafka_cleanshutdown")
    );
}

#[test]
fn a_partition_that_finds_no_room_at_the_start_is_served_when_there_is_room() {
    let Some((mut place, mut book)) = full() else {
        return;
    };
    place.broker.kill();
    // Its small file is gone and finds no room; nothing that a start removes leaves any.
    for name in ["t-0/partition.metadata", "written-position-checkpoint"] {
        fs::remove_file(place.disk.path().join(name)).unwrap();
    }
    place.disk.fill();
    place.broker.restart();
    let mut client = place.client();
    let answer = client.produce(TOPIC, 0, &large_batch());
    assert_eq!(answer.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(
        client.fetch(TOPIC, 0, 0).error_code,
        ErrorCode::KAFKA_STORAGE_ERROR
    );
    place.disk.free();
    wait_until("its records", || book.write(&mut client, TOPIC));
    book.check(&mut client, TOPIC);
    place.broker.kill();
    place.broker.restart();
    book.check(&mut place.client(), TOPIC);
}

#[test]
fn a_first_start_without_room_says_so_and_the_next_one_works() {
    let Some(mut place) = Place::start(&[]) else {
        return;
    };
    place.broker.kill();
    for name in place.files("") {
        let path = place.disk.path().join(name);
        match path.is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
    place.disk.fill();
    place.broker.start_and_end();
    let log = place.broker.log();
    assert!(log.contains("No space left on device"), "{log}");
    place.disk.free();
    place.broker.restart();
    let mut client = place.client();
    client.create_topic(TOPIC, 1);
    client.write(TOPIC, 0, &["x"]);
}
