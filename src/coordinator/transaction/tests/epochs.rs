//! EndTxn by `transaction.version` 2: every transaction has an epoch of its own.

use super::*;

#[test]
fn the_answer_to_an_end_brings_the_next_epoch() {
    let mut world = World::new(2);
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    let next = world.end_for_next(me, true).unwrap();
    assert_eq!(next, producer(me.id, 1));
    assert_eq!(
        world.marked[0].producer, next,
        "the partitions refuse what is late"
    );
    assert_eq!(world.state(), "CompleteCommit");
    assert_eq!(world.add(me, &["a"]), Err(TransactionError::ProducerFenced));
    assert_eq!(world.add(next, &["a"]), Ok(()));
    let after = world.end_for_next(next, false).unwrap();
    assert_eq!(after, producer(me.id, 2));
}

#[test]
fn whoever_missed_the_answer_gets_it_again() {
    for commit in [true, false] {
        let mut world = World::new(2);
        world.holds_markers = true;
        let me = world.initialize();
        world.add(me, &["a"]).unwrap();
        let next = world.end_for_next(me, commit).unwrap();
        let busy = Err(TransactionError::ConcurrentTransactions);
        let invalid = Err(TransactionError::InvalidTransactionState);
        assert_eq!(world.end_for_next(me, commit), busy);
        assert_eq!(world.end_for_next(me, !commit), invalid);
        assert_eq!(
            world.end_for_next(next, !commit),
            busy,
            "that is the next one"
        );
        world.mark(0);
        assert_eq!(world.end_for_next(me, commit), Ok(next));
        assert_eq!(world.end_for_next(me, !commit), invalid);
        assert_eq!(world.marked.len(), 1);
        world.restart();
        assert_eq!(
            world.end_for_next(me, commit),
            Ok(next),
            "also after a restart"
        );
    }
}

#[test]
fn a_transaction_in_which_nothing_was_written_can_only_be_aborted() {
    let mut world = World::new(2);
    let mut me = world.initialize();
    for state in ["Empty", "CompleteAbort", "CompleteCommit"] {
        if state == "CompleteCommit" {
            world.add(me, &["a"]).unwrap();
            me = world.end_for_next(me, true).unwrap();
        }
        assert_eq!(world.state(), state);
        let invalid = Err(TransactionError::InvalidTransactionState);
        assert_eq!(world.end_for_next(me, true), invalid, "{state}");
        let next = world.end_for_next(me, false).unwrap();
        assert_eq!(next, producer(me.id, me.epoch + 1), "{state}");
        assert_eq!(world.state(), "CompleteAbort");
        me = next;
    }
}

#[test]
fn when_the_epochs_are_used_up_the_answer_brings_a_new_id() {
    let mut world = World::new(2);
    world.holds_markers = true;
    let last = exhaust(&mut world);
    world.add(last, &["a"]).unwrap();
    let next = world.end_for_next(last, true).unwrap();
    assert_eq!(next, producer(FIRST_ID + 1, 0));
    assert_eq!(world.markers[0].producer, producer(FIRST_ID, i16::MAX));
    world.restart();
    world.mark(0);
    assert_eq!(
        world.end_for_next(last, true),
        Ok(next),
        "whoever missed it"
    );
    assert_eq!(world.add(next, &["a"]), Ok(()));
}

#[test]
fn a_cluster_at_an_older_level_gives_no_epochs() {
    let mut world = World::new(1);
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    assert_eq!(world.end_for_next(me, true), Ok(me));
    assert_eq!(world.marked[0].producer, me);
}
