//! What a coordinator knew before the start.

use super::*;

#[test]
fn what_was_prepared_is_completed_after_a_restart() {
    for (version, commit) in [(0, true), (0, false), (2, true), (2, false)] {
        let mut world = World::new(version);
        world.holds_markers = true;
        let me = world.initialize();
        world.add(me, &["a", "b"]).unwrap();
        let id = world.asks_to_end(me, commit, version == 2);
        let next = world.ended(id).unwrap();
        let wanted = world.markers[0].clone();
        world.restart();
        assert_eq!(world.markers, [wanted], "the same markers are wanted again");
        world.mark(0);
        let state = if commit {
            "CompleteCommit"
        } else {
            "CompleteAbort"
        };
        assert_eq!(world.state(), state);
        assert_eq!(world.add(next, &["a"]), Ok(()));
    }
}

#[test]
fn what_was_open_is_open_after_a_restart_and_times_out() {
    let mut world = World::new(2);
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    world.restart();
    let told = world.described().unwrap();
    assert_eq!(
        (told.state, told.partitions),
        ("Ongoing", partitions(&["a"]))
    );
    assert_eq!((told.started, told.timeout_ms), (EPOCH_MS, TIMEOUT_MS));
    world.pass(TIMEOUT_MS as u64 + ABORT_CHECK_MS);
    assert_eq!(world.state(), "CompleteAbort");
}

#[test]
fn what_was_not_written_is_as_if_it_had_not_been() {
    let mut world = World::new(2);
    let me = world.initialize();
    world.holds_writes = true;
    world.asks_to_add(me, &["a"]);
    world.restart();
    world.holds_writes = false;
    assert_eq!(world.state(), "Empty");
}

#[test]
fn records_of_the_future_are_passed_over_and_broken_ones_are_told() {
    let mut coordinator = Coordinator::new(settings(2));
    let record = |key: &'static [u8], value: Option<&'static [u8]>| LogRecord {
        key: bytes::Bytes::from_static(key),
        value: value.map(bytes::Bytes::from_static),
    };
    coordinator
        .replay(record(b"\0\x07any", Some(b"thing")), None)
        .unwrap();
    assert!(
        coordinator
            .replay(record(b"\0\0\0\x02tx", Some(b"\0\x09")), None)
            .is_err()
    );
    assert!(coordinator.replay(record(b"\0", None), None).is_err());
    assert!(coordinator.ids.is_empty());
}

#[test]
fn an_unloaded_coordinator_answers_everyone_and_decides_nothing() {
    let mut world = World::new(2);
    let me = world.initialize();
    world.holds_writes = true;
    let adds = world.asks_to_add(me, &["a"]);
    let effects = world.coordinator.unload();
    world.apply(effects);
    let gone = TransactionError::CoordinatorNotAvailable;
    assert_eq!(world.added(adds), Err(gone));
    assert!(world.waiting.is_empty());
    assert_eq!(world.coordinator.next_deadline(), None);
}
