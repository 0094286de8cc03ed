//! InitProducerId: who gets which id and epoch, and who is fenced.

use super::*;

#[test]
fn a_new_transactional_id_gets_a_producer_id_and_epoch_0() {
    let mut world = World::new(2);
    assert_eq!(world.initialize(), producer(FIRST_ID, 0));
    assert_eq!(world.state(), "Empty");
    assert_eq!(world.log.len(), 1);
}

#[test]
fn the_next_producer_gets_the_next_epoch_and_the_one_before_is_fenced() {
    let mut world = World::new(0);
    let first = world.initialize();
    let second = world.initialize();
    assert_eq!(second, producer(FIRST_ID, 1));
    let fenced = Err(TransactionError::ProducerFenced);
    assert_eq!(world.add(first, &["t"]), fenced);
    assert_eq!(world.add(second, &["t"]), Ok(()));
    assert_eq!(world.end(first, true).map(drop), fenced);
}

#[test]
fn an_open_transaction_is_aborted_before_the_next_producer_begins() {
    for version in [0, 2] {
        let mut world = World::new(version);
        world.holds_markers = true;
        let first = world.initialize();
        world.add(first, &["a", "b"]).unwrap();
        let id = world.asks_to_initialize(None);
        let busy = Err(TransactionError::ConcurrentTransactions);
        assert_eq!(world.initialized(id), busy);
        assert_eq!(world.state(), "PrepareAbort");
        let id = world.asks_to_initialize(None);
        assert_eq!(world.initialized(id), busy, "until the markers are there");
        let marker = world.markers[0].clone();
        assert!(!marker.commit);
        assert_eq!(
            marker.producer,
            producer(FIRST_ID, 1),
            "fences the first in the partitions"
        );
        assert_eq!(marker.partitions, partitions(&["a", "b"]));
        world.mark(0);
        assert_eq!(world.state(), "CompleteAbort");
        assert_eq!(world.initialize(), producer(FIRST_ID, 2));
    }
}

#[test]
fn a_timeout_above_the_broker_s_bound_or_of_nothing_is_refused() {
    let mut world = World::new(2);
    for timeout_ms in [0, -1, MAX_TIMEOUT_MS + 1] {
        let id = world.ask(TransactionRequest::Initialize(InitializeRequest {
            transactional_id: "tx".to_owned(),
            timeout_ms,
            before: None,
        }));
        let refused = Err(TransactionError::InvalidTransactionTimeout);
        assert_eq!(world.initialized(id), refused);
    }
    let id = world.ask(TransactionRequest::Initialize(InitializeRequest {
        transactional_id: String::new(),
        timeout_ms: TIMEOUT_MS,
        before: None,
    }));
    assert_eq!(world.initialized(id), Err(TransactionError::InvalidRequest));
    assert!(world.log.is_empty());
}

#[test]
fn a_producer_that_says_what_it_was_goes_on_and_may_ask_again() {
    let mut world = World::new(0);
    let first = world.initialize();
    let next = world.go_on(first).unwrap();
    assert_eq!(next, producer(FIRST_ID, 1));
    assert_eq!(world.go_on(first), Ok(next), "it missed the answer");
    let after = world.go_on(next).unwrap();
    assert_eq!(after, producer(FIRST_ID, 2));
    let fenced = Err(TransactionError::ProducerFenced);
    assert_eq!(world.go_on(first), fenced, "that is too old");
    assert_eq!(
        world.go_on(producer(FIRST_ID + 7, 2)),
        fenced,
        "another's id"
    );
}

#[test]
fn a_producer_that_another_has_replaced_cannot_go_on() {
    let mut world = World::new(0);
    let first = world.initialize();
    world.initialize();
    assert_eq!(world.go_on(first), Err(TransactionError::ProducerFenced));
}

#[test]
fn a_producer_that_knows_an_id_the_coordinator_has_forgotten_gets_a_new_one() {
    let mut world = World::new(2);
    let got = world.go_on(producer(7, 3)).unwrap();
    assert_eq!(got, producer(FIRST_ID, 0));
}

#[test]
fn when_the_epochs_are_used_up_there_is_a_new_producer_id() {
    let mut world = World::new(0);
    let last = exhaust(&mut world);
    let next = world.initialize();
    assert_eq!(next, producer(FIRST_ID + 1, 0));
    let unknown = Err(TransactionError::InvalidProducerIdMapping);
    assert_eq!(world.add(last, &["t"]), unknown);

    let mut world = World::new(0);
    let last = exhaust(&mut world);
    let next = world.go_on(last).unwrap();
    assert_eq!(next, producer(FIRST_ID + 1, 0));
    assert_eq!(world.go_on(last), Ok(next), "it missed the answer");
}

#[test]
fn where_no_producer_id_can_be_had_the_client_is_told_and_nothing_is_left() {
    let mut world = World::new(2);
    world.gives_no_ids = true;
    let id = world.asks_to_initialize(None);
    let refused = Err(TransactionError::CoordinatorNotAvailable);
    assert_eq!(world.initialized(id), refused);
    assert_eq!(world.state(), "none");
    world.gives_no_ids = false;
    world.initialize();
}

#[test]
fn what_cannot_be_written_is_not_so() {
    let mut world = World::new(2);
    world.holds_writes = true;
    let id = world.asks_to_initialize(None);
    let other = world.asks_to_initialize(None);
    let busy = Err(TransactionError::ConcurrentTransactions);
    assert_eq!(world.initialized(other), busy);
    world.land(Err(WriteFault::Storage));
    let refused = Err(TransactionError::CoordinatorNotAvailable);
    assert_eq!(world.initialized(id), refused);
    assert_eq!(world.state(), "none");
    assert_eq!(world.coordinator.bytes, 0);
    let id = world.asks_to_initialize(None);
    world.land(Ok(()));
    assert_eq!(world.initialized(id).map(|got| got.epoch), Ok(0));
}

#[test]
fn there_is_an_end_to_the_memory_that_transactional_ids_may_take() {
    let mut world = World::new(2);
    let room = crate::limits::TRANSACTION_BYTES_PER_COORDINATOR;
    let ids = room / 32_767;
    let mut outcomes = BTreeSet::new();
    for number in 0..=ids {
        let id = world.ask(TransactionRequest::Initialize(InitializeRequest {
            transactional_id: format!("{number:032767}"),
            timeout_ms: TIMEOUT_MS,
            before: None,
        }));
        let outcome = world.initialized(id);
        outcomes.insert((number == ids, outcome.is_ok()));
        world.log.clear();
    }
    assert_eq!(outcomes, BTreeSet::from([(false, true), (true, false)]));
    assert!(world.coordinator.bytes <= room);
}
