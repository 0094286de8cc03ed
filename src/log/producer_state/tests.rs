//! Sequence numbers, epochs, and transactions of single producers.

use super::*;

fn batch(epoch: i16, base_sequence: i32, records: i32) -> ProducerBatch {
    ProducerBatch {
        producer_id: 7,
        epoch,
        base_sequence,
        last_offset_delta: records - 1,
        max_timestamp: 1000,
        transactional: false,
    }
}

/// Producer 7 with batches of two records each, from sequence 0 and offset 0 on.
fn after_batches(count: i32) -> ProducerStates {
    let mut states = ProducerStates::default();
    for n in 0..count {
        let next = batch(3, 2 * n, 2);
        assert_eq!(states.check(&next).unwrap(), SequenceCheck::Next);
        states.record(&next, Offset(i64::from(2 * n)));
    }
    states
}

#[test]
fn an_unknown_producer_starts_at_any_sequence() {
    assert_eq!(
        ProducerStates::default().check(&batch(5, 1234, 1)).unwrap(),
        SequenceCheck::Next
    );
}

#[test]
fn each_of_the_last_five_batches_is_recognised_and_older_ones_are_out_of_order() {
    let states = after_batches(7);
    for n in 2..7 {
        let SequenceCheck::Duplicate(original) = states.check(&batch(3, 2 * n, 2)).unwrap() else {
            panic!("batch {n} is not recognised");
        };
        assert_eq!(original.base_offset(), Offset(i64::from(2 * n)));
    }
    let forgotten = states.check(&batch(3, 2, 2)).unwrap_err();
    assert!(matches!(
        forgotten,
        AppendError::OutOfOrderSequence {
            last_sequence: 13,
            ..
        }
    ));
}

#[test]
fn a_batch_with_one_bound_of_an_old_one_is_no_duplicate() {
    let states = after_batches(3);
    assert!(states.check(&batch(3, 4, 1)).is_err());
    assert!(states.check(&batch(3, 5, 1)).is_err());
}

#[test]
fn a_gap_is_out_of_order() {
    let gap = after_batches(2).check(&batch(3, 5, 1)).unwrap_err();
    assert!(matches!(
        gap,
        AppendError::OutOfOrderSequence {
            sequence: 5,
            last_sequence: 3,
            ..
        }
    ));
}

#[test]
fn an_older_epoch_is_fenced_and_a_newer_one_starts_at_zero() {
    let mut states = after_batches(2);
    let old = states.check(&batch(2, 4, 1)).unwrap_err();
    assert!(matches!(
        old,
        AppendError::InvalidProducerEpoch {
            epoch: 2,
            current_epoch: 3,
            ..
        }
    ));
    assert!(states.check(&batch(4, 4, 1)).is_err());
    assert_eq!(states.check(&batch(4, 0, 1)).unwrap(), SequenceCheck::Next);
    states.record(&batch(4, 0, 1), Offset(4));
    assert_eq!(states.check(&batch(4, 1, 1)).unwrap(), SequenceCheck::Next);
}

#[test]
fn sequences_go_on_at_zero_after_the_largest() {
    let mut states = ProducerStates::default();
    let wrapping = batch(0, i32::MAX - 1, 3); // MAX - 1, MAX, 0
    states.record(&wrapping, Offset(0));
    assert_eq!(states.check(&batch(0, 1, 1)).unwrap(), SequenceCheck::Next);
    assert!(matches!(
        states.check(&wrapping).unwrap(),
        SequenceCheck::Duplicate(_)
    ));
    states.record(&batch(1, i32::MAX, 1), Offset(3));
    assert_eq!(states.check(&batch(1, 0, 1)).unwrap(), SequenceCheck::Next);
}

#[test]
fn taking_back_brings_the_previous_state_back() {
    let mut states = after_batches(6);
    let before: Vec<_> = states.iter().map(|(_, entry)| *entry).collect();
    let first = states.record(&batch(3, 12, 2), Offset(12));
    let second = states.record(&batch(4, 0, 2), Offset(14));
    states.restore(second);
    states.restore(first);
    assert_eq!(
        states.iter().map(|(_, entry)| *entry).collect::<Vec<_>>(),
        before
    );
}

#[test]
fn silent_producers_expire() {
    let mut states = after_batches(1);
    states.expire(1999, 1000);
    assert_eq!(states.count(), 1);
    states.expire(2000, 1000);
    assert_eq!(states.count(), 0);
}

fn marker(epoch: i16, transaction_version: i16) -> Marker {
    Marker {
        producer_id: 7,
        epoch,
        end: EndTransaction {
            committed: false,
            coordinator_epoch: 2,
        },
        transaction_version,
    }
}

fn in_transaction(epoch: i16, base_sequence: i32) -> ProducerBatch {
    ProducerBatch {
        transactional: true,
        ..batch(epoch, base_sequence, 2)
    }
}

#[test]
fn sequences_go_on_after_a_marker_of_the_same_epoch_and_begin_again_after_one_of_the_next() {
    let mut states = ProducerStates::default();
    states.record(&in_transaction(3, 0), Offset(0));
    let (_, aborted) = states.record_marker(&marker(3, 0), Offset(2), 1000);
    assert_eq!(aborted.map(|one| one.first_offset), Some(Offset(0)));
    assert!(states.check(&in_transaction(3, 2)).is_ok());
    states.record(&in_transaction(3, 2), Offset(3));
    states.record_marker(&marker(4, 2), Offset(5), 1000);
    assert!(states.check(&in_transaction(3, 4)).is_err(), "fenced");
    assert!(states.check(&in_transaction(4, 4)).is_err());
    assert!(states.check(&in_transaction(4, 0)).is_ok());
}

#[test]
fn with_version_2_a_marker_of_the_open_transactions_epoch_comes_too_late() {
    let mut states = ProducerStates::default();
    states.record(&in_transaction(3, 0), Offset(0));
    assert!(states.check_marker(&marker(3, 0)).is_ok());
    assert!(states.check_marker(&marker(3, 2)).is_err());
    assert!(states.check_marker(&marker(4, 2)).is_ok());
    states.record_marker(&marker(4, 2), Offset(2), 1000);
    assert!(states.check_marker(&marker(4, 2)).is_ok(), "a repeated one");
    assert!(states.check_marker(&marker(3, 2)).is_err());
}

#[test]
fn a_coordinators_batches_have_no_sequence_and_are_fenced_all_the_same() {
    let mut states = ProducerStates::default();
    states.record(&in_transaction(3, -1), Offset(0));
    assert_eq!(
        states.check(&in_transaction(3, -1)).unwrap(),
        SequenceCheck::Next
    );
    assert!(states.check(&in_transaction(2, -1)).is_err());
}

#[test]
fn taking_a_marker_back_opens_its_transaction_again() {
    let mut states = ProducerStates::default();
    let begun = states.record(&in_transaction(3, 0), Offset(0));
    let (ended, _) = states.record_marker(&marker(4, 2), Offset(2), 1000);
    assert!(!states.has_open_transaction(7, 4));
    states.restore(ended);
    assert!(states.has_open_transaction(7, 3));
    assert_eq!(states.first_unstable(), Some(Offset(0)));
    states.restore(begun);
    assert_eq!(states.first_unstable(), None);
    assert_eq!(states.count(), 0);
}
