//! What takes too long, and what nobody uses any more.

use super::*;

#[test]
fn a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced() {
    let mut world = World::new(0);
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    world.pass(TIMEOUT_MS as u64 - 1);
    assert_eq!(world.state(), "Ongoing");
    world.pass(ABORT_CHECK_MS + 1);
    assert_eq!(world.state(), "CompleteAbort");
    let marker = &world.marked[0];
    assert!(!marker.commit && marker.producer == producer(me.id, 1));
    let fenced = Err(TransactionError::ProducerFenced);
    assert_eq!(world.add(me, &["a"]), fenced);
    assert_eq!(world.end(me, true).map(drop), fenced);
    assert_eq!(world.go_on(me).map(drop), fenced);
    assert_eq!(world.initialize(), producer(me.id, 2));
}

#[test]
fn a_newer_producer_learns_its_epoch_from_its_own_abort() {
    let mut world = World::new(2);
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    world.pass(TIMEOUT_MS as u64 + ABORT_CHECK_MS);
    assert_eq!(world.state(), "CompleteAbort");
    let next = producer(me.id, 1);
    let invalid = Err(TransactionError::InvalidTransactionState);
    assert_eq!(world.end_for_next(me, true), invalid);
    assert_eq!(world.end_for_next(me, false), Ok(next));
    assert_eq!(world.add(next, &["a"]), Ok(()));
}

#[test]
fn each_transaction_has_the_whole_time_to_itself() {
    let mut world = World::new(0);
    let me = world.initialize();
    for _ in 0..3 {
        world.add(me, &["a"]).unwrap();
        world.pass(TIMEOUT_MS as u64 - 1);
        assert_eq!(world.end(me, true), Ok(me));
    }
}

#[test]
fn an_id_that_nobody_uses_is_forgotten_and_its_tombstone_written() {
    let mut world = World::new(0);
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    world.end(me, true).unwrap();
    world.pass(EXPIRATION_MS as u64 - EXPIRY_CHECK_MS);
    assert_eq!(world.state(), "CompleteCommit");
    world.pass(2 * EXPIRY_CHECK_MS);
    assert_eq!(world.state(), "none");
    assert_eq!(world.coordinator.bytes, 0);
    let last = world.log.last().unwrap();
    assert_eq!(
        (last.key.clone(), &last.value),
        (world.log[0].key.clone(), &None)
    );
    assert_eq!(world.coordinator.next_deadline(), None, "nothing ticks");
    let unknown = Err(TransactionError::InvalidProducerIdMapping);
    assert_eq!(world.add(me, &["a"]), unknown);
    assert_eq!(world.initialize(), producer(FIRST_ID + 1, 0), "a new id");
}

#[test]
fn an_id_in_use_is_kept() {
    let mut world = World::new(0);
    let me = world.initialize();
    for _ in 0..4 {
        world.add(me, &["a"]).unwrap();
        world.end(me, false).unwrap();
        world.pass(EXPIRATION_MS as u64 / 2);
    }
    assert_eq!(world.state(), "CompleteAbort");
}

#[test]
fn an_id_whose_tombstone_cannot_be_written_is_kept() {
    let mut world = World::new(0);
    let me = world.initialize();
    world.holds_writes = true;
    world.pass(EXPIRATION_MS as u64 + EXPIRY_CHECK_MS);
    let busy = Err(TransactionError::ConcurrentTransactions);
    assert_eq!(world.add(me, &["a"]), busy, "while it is being forgotten");
    world.land(Err(WriteFault::Storage));
    world.holds_writes = false;
    assert_eq!(world.add(me, &["a"]), Ok(()));
}
