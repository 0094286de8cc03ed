//! EndTxn by the classic protocol: one epoch for many transactions.

use super::*;

#[test]
fn a_transaction_commits_when_every_partition_has_its_marker() {
    let mut world = World::new(0);
    world.holds_markers = true;
    let me = world.initialize();
    world.add(me, &["a", "b"]).unwrap();
    assert_eq!(world.end(me, true), Ok(me), "answered when it is decided");
    assert_eq!(world.state(), "PrepareCommit");
    let marker = &world.markers[0];
    assert!(marker.commit);
    assert_eq!(
        (marker.producer, &marker.partitions),
        (me, &partitions(&["a", "b"]))
    );
    world.mark(0);
    assert_eq!(world.state(), "CompleteCommit");
    assert!(world.described().unwrap().partitions.is_empty());
    assert_eq!(world.add(me, &["a"]), Ok(()), "the next begins");
}

#[test]
fn the_same_end_again_is_the_same_answer_and_another_is_refused() {
    for commit in [true, false] {
        let mut world = World::new(0);
        world.holds_markers = true;
        let me = world.initialize();
        world.add(me, &["a"]).unwrap();
        world.end(me, commit).unwrap();
        let busy = Err(TransactionError::ConcurrentTransactions);
        let invalid = Err(TransactionError::InvalidTransactionState);
        assert_eq!(world.end(me, commit), busy, "while it ends");
        assert_eq!(world.end(me, !commit), invalid);
        world.mark(0);
        assert_eq!(world.end(me, commit), Ok(me));
        assert_eq!(world.end(me, !commit), invalid);
        assert_eq!(world.marked.len(), 1);
    }
}

#[test]
fn a_transaction_that_has_not_begun_cannot_end() {
    let mut world = World::new(0);
    let me = world.initialize();
    for commit in [true, false] {
        let invalid = Err(TransactionError::InvalidTransactionState);
        assert_eq!(world.end(me, commit), invalid);
    }
}

#[test]
fn whoever_is_not_the_producer_of_the_id_ends_nothing() {
    let mut world = World::new(0);
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    for (other, error) in [
        (
            producer(me.id + 1, 0),
            TransactionError::InvalidProducerIdMapping,
        ),
        (producer(me.id, 1), TransactionError::ProducerFenced),
    ] {
        assert_eq!(world.end(other, true), Err(error));
    }
    assert_eq!(world.state(), "Ongoing");
}

#[test]
fn a_decision_that_cannot_be_written_is_none() {
    let mut world = World::new(0);
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    world.holds_writes = true;
    let id = world.asks_to_end(me, true, false);
    assert!(world.waiting.contains(&id) && world.markers.is_empty());
    world.land(Err(WriteFault::Storage));
    let refused = Err(TransactionError::CoordinatorNotAvailable);
    assert_eq!(world.ended(id), refused);
    assert_eq!(world.state(), "Ongoing");
    assert!(world.marked.is_empty());
}

#[test]
fn markers_that_come_late_end_nothing_else() {
    let mut world = World::new(0);
    world.holds_markers = true;
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    world.end(me, false).unwrap();
    let first = world.markers[0].clone();
    world.mark(0);
    let next = world.initialize();
    world.add(next, &["a"]).unwrap();
    world.end(next, true).unwrap();
    let effects = world.coordinator.markers_written(world.now(), &first);
    world.apply(effects);
    assert_eq!(world.state(), "PrepareCommit");
}

#[test]
fn an_end_that_cannot_be_written_down_is_tried_again() {
    let mut world = World::new(0);
    world.holds_markers = true;
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    world.end(me, true).unwrap();
    world.holds_writes = true;
    world.mark(0);
    world.land(Err(WriteFault::Storage));
    assert_eq!(world.state(), "PrepareCommit");
    world.holds_writes = false;
    world.holds_markers = false;
    world.pass(ABORT_CHECK_MS);
    assert_eq!(world.state(), "CompleteCommit");
}
