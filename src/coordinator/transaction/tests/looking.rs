//! Transactions from outside.

use super::*;
use regex_lite::Regex;

fn names(world: &mut World, filter: ListFilter) -> Vec<String> {
    let id = world.ask(TransactionRequest::List(filter));
    match world.answer(id) {
        TransactionAnswer::Listed(found) => {
            found.into_iter().map(|one| one.transactional_id).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_has_what_every_filter_lets_pass() {
    let mut world = World::new(2);
    for name in ["a-1", "a-2", "b-1"] {
        world.ask(TransactionRequest::Initialize(InitializeRequest {
            transactional_id: name.to_owned(),
            timeout_ms: TIMEOUT_MS,
            before: None,
        }));
        world.pass(10);
    }
    let claim = ProducerClaim {
        transactional_id: "a-2".to_owned(),
        producer: producer(FIRST_ID + 1, 0),
    };
    world.ask(TransactionRequest::Add(claim, partitions(&["t"])));
    world.pass(100);
    let all = ListFilter::default;
    assert_eq!(names(&mut world, all()), ["a-1", "a-2", "b-1"]);
    let ongoing = ListFilter {
        states: BTreeSet::from(["Ongoing".to_owned(), "Nonsense".to_owned()]),
        ..all()
    };
    assert_eq!(names(&mut world, ongoing), ["a-2"]);
    let of_producer = ListFilter {
        producer_ids: BTreeSet::from([FIRST_ID, 7]),
        ..all()
    };
    assert_eq!(names(&mut world, of_producer), ["a-1"]);
    let by_pattern = ListFilter {
        pattern: Some(Regex::new("^(?:.-1)$").unwrap()),
        ..all()
    };
    assert_eq!(names(&mut world, by_pattern), ["a-1", "b-1"]);
    for (least, expected) in [(99, 3), (100, 2)] {
        // Kafka counts an id without a transaction as running since ever.
        let long = ListFilter {
            longer_than_ms: Some(least),
            ..all()
        };
        assert_eq!(names(&mut world, long).len(), expected);
    }
}

#[test]
fn an_unknown_id_is_told_as_such() {
    let mut world = World::new(2);
    let unknown = Err(TransactionError::TransactionalIdNotFound);
    assert_eq!(world.described(), unknown);
    let id = world.ask(TransactionRequest::Describe {
        transactional_id: String::new(),
    });
    let invalid = TransactionAnswer::Described(Err(TransactionError::InvalidRequest));
    assert_eq!(world.answer(id), invalid);
}
