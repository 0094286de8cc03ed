//! Where a transaction writes.

use super::*;

#[test]
fn the_first_partition_begins_the_transaction_and_more_join_it() {
    let mut world = World::new(2);
    let me = world.initialize();
    world.pass(5);
    world.add(me, &["a"]).unwrap();
    world.pass(5);
    world.add(me, &["b", "a"]).unwrap();
    let told = world.described().unwrap();
    assert_eq!(told.state, "Ongoing");
    assert_eq!(told.partitions, partitions(&["a", "b"]));
    assert_eq!(told.started, EPOCH_MS + 5);
}

#[test]
fn a_partition_that_is_there_already_writes_nothing() {
    let mut world = World::new(2);
    let me = world.initialize();
    world.add(me, &["a", "b"]).unwrap();
    let written = world.log.len();
    world.add(me, &["b"]).unwrap();
    assert_eq!(world.log.len(), written);
}

#[test]
fn whoever_is_not_the_producer_of_the_id_adds_nothing() {
    let mut world = World::new(2);
    let me = world.initialize();
    for (other, error) in [
        (
            producer(me.id + 1, 0),
            TransactionError::InvalidProducerIdMapping,
        ),
        (producer(me.id, 1), TransactionError::ProducerFenced),
    ] {
        assert_eq!(world.add(other, &["t"]), Err(error));
    }
    for (name, error) in [
        ("", TransactionError::InvalidRequest),
        ("nobody", TransactionError::InvalidProducerIdMapping),
    ] {
        let mut claim = claim(me);
        claim.transactional_id = name.to_owned();
        let id = world.ask(TransactionRequest::Add(claim, partitions(&["t"])));
        assert_eq!(world.added(id), Err(error));
    }
    assert_eq!(world.state(), "Empty");
}

#[test]
fn nothing_is_added_while_a_change_is_on_its_way_or_the_transaction_ends() {
    let mut world = World::new(2);
    world.holds_markers = true;
    let me = world.initialize();
    world.holds_writes = true;
    let first = world.asks_to_add(me, &["a"]);
    let busy = Err(TransactionError::ConcurrentTransactions);
    assert_eq!(world.add(me, &["b"]), busy);
    world.land(Ok(()));
    assert_eq!(world.added(first), Ok(()));
    world.holds_writes = false;
    world.end(me, true).unwrap();
    assert_eq!(world.add(me, &["b"]), busy);
    world.mark(0);
    assert_eq!(world.add(me, &["b"]), Ok(()));
    assert_eq!(world.described().unwrap().partitions, partitions(&["b"]));
}

#[test]
fn verification_tells_what_is_in_the_transaction() {
    let mut world = World::new(0);
    world.holds_markers = true;
    let me = world.initialize();
    world.add(me, &["a"]).unwrap();
    let verify = |world: &mut World, who| {
        let wanted = partitions(&["a", "b"]);
        let id = world.ask(TransactionRequest::Verify(claim(who), wanted));
        match world.answer(id) {
            TransactionAnswer::Verified(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    };
    let not_in = Err(TransactionError::TransactionAbortable);
    assert_eq!(verify(&mut world, me), Ok(vec![Ok(()), not_in]));
    let fenced = producer(me.id, 7);
    assert_eq!(
        verify(&mut world, fenced),
        Err(TransactionError::ProducerFenced)
    );
    let stranger = producer(7, 0);
    let unknown = Err(TransactionError::InvalidProducerIdMapping);
    assert_eq!(verify(&mut world, stranger), unknown);
    world.end(me, true).unwrap();
    let busy = Err(TransactionError::ConcurrentTransactions);
    assert_eq!(verify(&mut world, me), busy);
    world.mark(0);
    assert_eq!(verify(&mut world, me), Ok(vec![not_in, not_in]));
}

#[test]
fn a_transaction_of_more_partitions_than_its_record_can_hold_is_refused() {
    let mut world = World::new(2);
    let me = world.initialize();
    let most = i32::try_from(crate::limits::PARTITIONS_PER_TRANSACTION).unwrap();
    let many = |count: i32| (0..count).map(|index| ("t".to_owned(), index)).collect();
    let id = world.ask(TransactionRequest::Add(claim(me), many(most + 1)));
    assert_eq!(world.added(id), Err(TransactionError::StateTooLarge));
    let id = world.ask(TransactionRequest::Add(claim(me), many(most)));
    assert_eq!(world.added(id), Ok(()));
    let long = "t".repeat(crate::limits::TRANSACTION_PARTITION_BYTES);
    assert_eq!(
        world.add(me, &[&long]),
        Err(TransactionError::StateTooLarge)
    );
    assert_eq!(world.end(me, true), Ok(me));
}
