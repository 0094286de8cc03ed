//! Transactions: who may write in one, how it ends, and what readers of committed records see of it.
//!
//! Setup: a broker, transactional producers of both protocols: the classic one, in which partitions are added first and an epoch has
//! many transactions, and `transaction.version` 2. Expectation: Kafka's codes, and records that count exactly when they were
//! committed.

use vltava::wire::ErrorCode;
use vltava::wire::messages::add_partitions_to_txn::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use vltava::wire::messages::api_versions::ApiVersionsRequest;
use vltava::wire::messages::list_transactions::ListTransactionsRequest;

use crate::harness::broker::Broker;
use crate::harness::requests::{ALL, CLASSIC_PRODUCE, produce_request};
use crate::harness::transaction_requests::{CLASSIC_END, END, PRODUCE, Transactional};
use crate::harness::wire_client::{WireClient, wait_until};

fn start() -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 3);
    (broker, client)
}

fn wait_for_state(client: &mut WireClient, id: &str, state: &str) {
    wait_until(&format!("{state} of {id}"), || {
        client.describe_transaction(id).transaction_state == state
    });
}

#[test]
fn records_count_when_their_transaction_commits_and_never_when_it_aborts() {
    let (_broker, mut client) = start();
    for (number, (produce, end)) in [(CLASSIC_PRODUCE, CLASSIC_END), (PRODUCE, END)]
        .into_iter()
        .enumerate()
    {
        let mut tx = Transactional::begin(&mut client, &format!("tx-{number}"));
        let partition = i32::try_from(number).unwrap();
        for (committed, value) in [(true, "a"), (false, "b"), (true, "c")] {
            if produce == CLASSIC_PRODUCE {
                let added = tx.add(&mut client, "t", &[partition]);
                assert_eq!(added, [ErrorCode::NONE]);
            }
            let sent = tx.send(&mut client, produce, "t", partition, &[value, value]);
            assert_eq!(sent.error_code, ErrorCode::NONE, "{sent:?}");
            let (seen, stable) = client.read_committed("t", partition);
            assert!(!seen.contains(&value.to_owned()), "open: {seen:?}");
            assert_eq!(stable, sent.base_offset, "readers wait where it began");
            assert_eq!(tx.end(&mut client, end, committed), ErrorCode::NONE);
            wait_until("the marker", || {
                client.read_committed("t", partition).1 == sent.base_offset + 3
            });
        }
        let (seen, _) = client.read_committed("t", partition);
        assert_eq!(seen, ["a", "a", "c", "c"]);
    }
}

#[test]
fn a_transaction_over_many_partitions_ends_in_all_of_them() {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 12);
    let mut tx = Transactional::begin(&mut client, "tx");
    for round in 0..3_i64 {
        for partition in 0..12 {
            let sent = tx.send(&mut client, PRODUCE, "t", partition, &["x"]);
            assert_eq!(sent.error_code, ErrorCode::NONE);
            // Each partition has sequence numbers of its own.
            tx.sequence = 0;
        }
        assert_eq!(tx.end(&mut client, END, true), ErrorCode::NONE);
        for partition in 0..12 {
            wait_until("the marker", || {
                client.read_committed("t", partition).1 == 2 * (round + 1)
            });
        }
    }
}

#[test]
fn a_second_producer_of_the_id_aborts_the_first_and_fences_it() {
    let (_broker, mut client) = start();
    let mut first = Transactional::begin(&mut client, "tx");
    first.send(&mut client, PRODUCE, "t", 0, &["lost"]);
    let mut second = Transactional::begin(&mut client, "tx");
    assert_eq!(second.producer.0, first.producer.0);
    assert_eq!(
        second.producer.1,
        first.producer.1 + 2,
        "one fences, one is given"
    );
    let batch = first.batch(&["late"]);
    for version in [CLASSIC_PRODUCE, PRODUCE] {
        let refused = first.send_batch(&mut client, version, "t", 0, &batch);
        assert_eq!(refused.error_code, ErrorCode::INVALID_PRODUCER_EPOCH);
        let elsewhere = first.send_batch(&mut client, version, "t", 1, &batch);
        assert_eq!(elsewhere.error_code, ErrorCode::INVALID_PRODUCER_EPOCH);
    }
    for (version, code) in [
        (1, ErrorCode::INVALID_PRODUCER_EPOCH),
        (CLASSIC_END, ErrorCode::PRODUCER_FENCED),
        (END, ErrorCode::PRODUCER_FENCED),
    ] {
        assert_eq!(
            first.end(&mut client, version, true),
            code,
            "version {version}"
        );
    }
    assert_eq!(
        first.add(&mut client, "t", &[0]),
        [ErrorCode::PRODUCER_FENCED]
    );
    for (version, code) in [
        (3, ErrorCode::INVALID_PRODUCER_EPOCH),
        (4, ErrorCode::PRODUCER_FENCED),
    ] {
        let answer = client.init_transactional(version, "tx", Some(first.producer), 60_000);
        assert_eq!(answer.error_code, code);
    }
    second.send(&mut client, PRODUCE, "t", 0, &["kept"]);
    assert_eq!(second.end(&mut client, END, true), ErrorCode::NONE);
    wait_for_state(&mut client, "tx", "CompleteCommit");
    assert_eq!(client.read_committed("t", 0).0, ["kept"]);
}

#[test]
fn an_identity_needs_a_name_and_a_timeout_that_the_broker_allows() {
    let (_broker, mut client) = start();
    client.find_transaction_coordinator("tx");
    for timeout_ms in [0, -1, 900_001] {
        let answer = client.init_transactional(5, "tx", None, timeout_ms);
        assert_eq!(answer.error_code, ErrorCode::INVALID_TRANSACTION_TIMEOUT);
        assert_eq!((answer.producer_id, answer.producer_epoch), (-1, -1));
    }
    let nameless = client.init_transactional(5, "", None, 1_000);
    assert_eq!(nameless.error_code, ErrorCode::INVALID_REQUEST);
    let half = client.init_transactional(5, "tx", Some((-1, 3)), 1_000);
    assert_eq!(half.error_code, ErrorCode::INVALID_REQUEST);
    for version in 0..=5 {
        let answer = client.init_transactional(version, &format!("tx-{version}"), None, 1_000);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert_eq!(answer.producer_epoch, 0);
    }
}

#[test]
fn a_producer_goes_on_with_the_next_epoch_and_may_ask_for_it_again() {
    let (_broker, mut client) = start();
    let tx = Transactional::begin(&mut client, "tx");
    let (id, epoch) = tx.producer;
    for _ in 0..2 {
        let next = client.init_transactional(5, "tx", Some((id, epoch)), 60_000);
        assert_eq!(next.error_code, ErrorCode::NONE);
        assert_eq!((next.producer_id, next.producer_epoch), (id, epoch + 1));
    }
}

#[test]
fn a_partition_that_the_coordinator_does_not_know_of_takes_no_records_of_an_older_producer() {
    let (_broker, mut client) = start();
    let mut tx = Transactional::begin(&mut client, "tx");
    assert_eq!(tx.add(&mut client, "t", &[0]), [ErrorCode::NONE]);
    let batch = tx.batch(&["x"]);
    for (version, code) in [
        (9, ErrorCode::INVALID_TXN_STATE),
        (10, ErrorCode::INVALID_TXN_STATE),
        (11, ErrorCode::TRANSACTION_ABORTABLE),
    ] {
        let refused = tx.send_batch(&mut client, version, "t", 1, &batch);
        assert_eq!(refused.error_code, code, "version {version}");
    }
    let taken = tx.send_batch(&mut client, CLASSIC_PRODUCE, "t", 0, &batch);
    assert_eq!(taken.error_code, ErrorCode::NONE);
    let newer = tx.send_batch(&mut client, PRODUCE, "t", 1, &batch);
    assert_eq!(newer.error_code, ErrorCode::NONE, "the broker adds it");
    let told = client.describe_transaction("tx");
    assert_eq!(told.topics[0].partitions, [0, 1]);
}

#[test]
fn without_verification_an_older_producer_may_write_anywhere() {
    let broker = Broker::start(&[("transaction.partition.verification.enable", "false")]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    let mut tx = Transactional::begin(&mut client, "tx");
    let taken = tx.send(&mut client, CLASSIC_PRODUCE, "t", 0, &["x"]);
    assert_eq!(taken.error_code, ErrorCode::NONE);
}

#[test]
fn transactional_records_need_the_id_and_the_producer_that_has_it() {
    let (_broker, mut client) = start();
    let mut tx = Transactional::begin(&mut client, "tx");
    let batch = tx.batch(&["x"]);
    let request = produce_request("t", 0, ALL, &batch);
    let answer = client.call(PRODUCE, &request);
    let code = answer.responses[0].partition_responses[0].error_code;
    assert_eq!(code, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    let stranger = Transactional {
        producer: (tx.producer.0 + 1, 0),
        ..tx.clone()
    };
    let batch = stranger.batch_at(0, &["x"]);
    let refused = stranger.send_batch(&mut client, PRODUCE, "t", 0, &batch);
    assert_eq!(refused.error_code, ErrorCode::INVALID_PRODUCER_ID_MAPPING);
    let nobody = Transactional {
        id: "nobody".to_owned(),
        ..tx.clone()
    };
    let refused = nobody.send_batch(&mut client, PRODUCE, "t", 0, &batch);
    assert_eq!(refused.error_code, ErrorCode::INVALID_PRODUCER_ID_MAPPING);
    assert_eq!(client.read_committed("t", 0).1, 0);
}

#[test]
fn an_end_that_is_asked_for_again_is_answered_as_the_first_time() {
    let (_broker, mut client) = start();
    let mut tx = Transactional::begin(&mut client, "tx");
    tx.send(&mut client, PRODUCE, "t", 0, &["x"]);
    let first = tx.try_end(&mut client, END, true);
    assert_eq!(first.error_code, ErrorCode::NONE);
    assert_eq!(first.producer_id, tx.producer.0);
    assert_eq!(first.producer_epoch, tx.producer.1 + 1);
    wait_for_state(&mut client, "tx", "CompleteCommit");
    let again = tx.try_end(&mut client, END, true);
    assert_eq!(again, first);
    let other = tx.try_end(&mut client, END, false);
    assert_eq!(other.error_code, ErrorCode::INVALID_TXN_STATE);
    assert_eq!((other.producer_id, other.producer_epoch), (-1, -1));
}

#[test]
fn by_the_classic_protocol_a_repeated_end_is_a_success_too_and_one_without_a_beginning_is_none() {
    let (_broker, mut client) = start();
    let mut tx = Transactional::begin(&mut client, "tx");
    let early = tx.try_end(&mut client, CLASSIC_END, true);
    assert_eq!(early.error_code, ErrorCode::INVALID_TXN_STATE);
    tx.add(&mut client, "t", &[0]);
    tx.send(&mut client, CLASSIC_PRODUCE, "t", 0, &["x"]);
    assert_eq!(tx.end(&mut client, CLASSIC_END, false), ErrorCode::NONE);
    wait_for_state(&mut client, "tx", "CompleteAbort");
    assert_eq!(tx.end(&mut client, CLASSIC_END, false), ErrorCode::NONE);
    let other = tx.end(&mut client, CLASSIC_END, true);
    assert_eq!(other, ErrorCode::INVALID_TXN_STATE);
}

#[test]
fn a_transaction_that_takes_too_long_is_aborted_and_its_producer_is_fenced() {
    let broker = Broker::start(&[(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        "50",
    )]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    client.find_transaction_coordinator("tx");
    let mut tx = Transactional::begin(&mut client, "tx");
    let answer = client.init_transactional(5, "tx", None, 200);
    tx.producer = (answer.producer_id, answer.producer_epoch);
    tx.send(&mut client, PRODUCE, "t", 0, &["late"]);
    wait_for_state(&mut client, "tx", "CompleteAbort");
    let told = client.describe_transaction("tx");
    assert_eq!(told.producer_epoch, tx.producer.1 + 1);
    let batch = tx.batch(&["later"]);
    let refused = tx.send_batch(&mut client, PRODUCE, "t", 0, &batch);
    assert_eq!(refused.error_code, ErrorCode::INVALID_PRODUCER_EPOCH);
    let commit = tx.try_end(&mut client, END, true);
    assert_eq!(commit.error_code, ErrorCode::INVALID_TXN_STATE);
    assert_eq!(
        tx.end(&mut client, END, false),
        ErrorCode::NONE,
        "it learns its epoch"
    );
    let sent = tx.send(&mut client, PRODUCE, "t", 0, &["in time"]);
    assert_eq!(sent.error_code, ErrorCode::NONE, "{sent:?}");
    assert_eq!(tx.end(&mut client, END, true), ErrorCode::NONE);
    wait_for_state(&mut client, "tx", "CompleteCommit");
    assert_eq!(client.read_committed("t", 0).0, ["in time"]);
}

#[test]
fn what_was_decided_is_carried_out_after_a_crash_and_what_was_open_goes_on() {
    let mut broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 8);
    let mut decided = Vec::new();
    for number in 0..6 {
        let mut tx = Transactional::begin(&mut client, &format!("tx-{number}"));
        for partition in 0..8 {
            tx.sequence = 0;
            tx.send(
                &mut client,
                PRODUCE,
                "t",
                partition,
                &[&format!("{number}")],
            );
        }
        decided.push(tx);
    }
    let mut open = Transactional::begin(&mut client, "open");
    open.send(&mut client, PRODUCE, "t", 0, &["open"]);
    for (number, tx) in decided.iter_mut().enumerate() {
        assert_eq!(tx.end(&mut client, END, number % 2 == 0), ErrorCode::NONE);
    }
    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    for number in 0..6 {
        let state = ["CompleteCommit", "CompleteAbort"][number % 2];
        wait_for_state(&mut client, &format!("tx-{number}"), state);
    }
    for partition in 1..8 {
        assert_eq!(client.read_committed("t", partition).0, ["0", "2", "4"]);
    }
    let sent = open.send(&mut client, PRODUCE, "t", 0, &["and on"]);
    assert_eq!(sent.error_code, ErrorCode::NONE);
    assert_eq!(open.end(&mut client, END, true), ErrorCode::NONE);
    wait_for_state(&mut client, "open", "CompleteCommit");
    let (seen, _) = client.read_committed("t", 0);
    assert_eq!(seen, ["0", "2", "4", "open", "and on"]);
}

#[test]
fn a_topic_that_is_deleted_does_not_hold_up_the_end_of_a_transaction() {
    let (_broker, mut client) = start();
    client.create_topic("gone", 2);
    let mut tx = Transactional::begin(&mut client, "tx");
    tx.send(&mut client, PRODUCE, "t", 0, &["x"]);
    tx.sequence = 0;
    tx.send(&mut client, PRODUCE, "gone", 1, &["x"]);
    assert_eq!(client.delete_topic("gone"), ErrorCode::NONE);
    assert_eq!(tx.end(&mut client, END, true), ErrorCode::NONE);
    wait_for_state(&mut client, "tx", "CompleteCommit");
    assert_eq!(client.read_committed("t", 0).0, ["x"]);
}

#[test]
fn ending_by_force_leaves_the_id_empty() {
    let (_broker, mut client) = start();
    let mut tx = Transactional::begin(&mut client, "tx");
    tx.send(&mut client, PRODUCE, "t", 0, &["x"]);
    assert_eq!(
        client.describe_transaction("tx").transaction_state,
        "Ongoing"
    );
    // What `kafka-transactions --forceTerminateTransaction` asks for.
    Transactional::begin(&mut client, "tx");
    let told = client.describe_transaction("tx");
    assert_eq!(told.transaction_state, "Empty");
    assert_eq!(told.transaction_start_time_ms, -1);
    assert_eq!(client.read_committed("t", 0).0, [""; 0]);
}

#[test]
fn the_batched_form_adds_and_verifies_for_clients_too() {
    let (_broker, mut client) = start();
    let tx = Transactional::begin(&mut client, "tx");
    let mut ask = |version, verify_only, partitions: &[i32], epoch| {
        let transaction = |id: &str| AddPartitionsToTxnTransaction {
            transactional_id: id.into(),
            producer_id: tx.producer.0,
            producer_epoch: epoch,
            verify_only,
            topics: vec![AddPartitionsToTxnTopic {
                name: "t".into(),
                partitions: partitions.to_vec(),
            }],
        };
        let request = AddPartitionsToTxnRequest {
            transactions: vec![transaction("tx"), transaction("nobody")],
            ..AddPartitionsToTxnRequest::default()
        };
        let answer = client.call(version, &request);
        let codes = |index: usize| -> Vec<ErrorCode> {
            let results = &answer.results_by_transaction[index].topic_results[0];
            let partitions = &results.results_by_partition;
            partitions
                .iter()
                .map(|one| one.partition_error_code)
                .collect()
        };
        (codes(0), codes(1))
    };
    let unknown = ErrorCode::INVALID_PRODUCER_ID_MAPPING;
    let epoch = tx.producer.1;
    for version in [4, 5] {
        let (own, others) = ask(version, false, &[0], epoch);
        assert_eq!((own, others), (vec![ErrorCode::NONE], vec![unknown]));
    }
    let not_in = [
        ErrorCode::INVALID_TXN_STATE,
        ErrorCode::TRANSACTION_ABORTABLE,
    ];
    for (version, code) in [4, 5].into_iter().zip(not_in) {
        let (own, others) = ask(version, true, &[0, 1], epoch);
        assert_eq!(own, [ErrorCode::NONE, code]);
        assert_eq!(others, [unknown, unknown]);
    }
    let (fenced, _) = ask(5, true, &[1], epoch + 1);
    assert_eq!(fenced, [ErrorCode::PRODUCER_FENCED], "before anything else");
    let (missing, _) = ask(5, false, &[0, 77], epoch);
    let expected = [
        ErrorCode::OPERATION_NOT_ATTEMPTED,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ];
    assert_eq!(missing, expected);
}

#[test]
fn transactions_are_listed_and_described() {
    let (_broker, mut client) = start();
    let mut open = Transactional::begin(&mut client, "app-open");
    open.send(&mut client, PRODUCE, "t", 2, &["x"]);
    Transactional::begin(&mut client, "app-idle");
    let mut list = |change: &dyn Fn(&mut ListTransactionsRequest)| {
        let mut request = ListTransactionsRequest {
            duration_filter: -1,
            ..ListTransactionsRequest::default()
        };
        change(&mut request);
        let answer = client.call(2, &request);
        let mut names: Vec<String> = answer
            .transaction_states
            .iter()
            .map(|state| format!("{} {}", state.transactional_id, state.transaction_state))
            .collect();
        names.sort();
        (answer.error_code, names, answer.unknown_state_filters.len())
    };
    let both = vec!["app-idle Empty".to_owned(), "app-open Ongoing".to_owned()];
    assert_eq!(list(&|_| {}), (ErrorCode::NONE, both.clone(), 0));
    let open_only = vec![both[1].clone()];
    let by_state = list(&|request| request.state_filters = vec!["Ongoing".into(), "Odd".into()]);
    assert_eq!(by_state, (ErrorCode::NONE, open_only.clone(), 1));
    let id = open.producer.0;
    let by_producer = list(&|request| request.producer_id_filters = vec![id]);
    assert_eq!(by_producer.1, open_only);
    let by_pattern = list(&|request| request.transactional_id_pattern = Some("app-[^i].*".into()));
    assert_eq!(by_pattern.1, open_only);
    let partly = list(&|request| request.transactional_id_pattern = Some("app".into()));
    assert_eq!(partly.1, [""; 0], "a pattern matches the whole");
    let broken = list(&|request| request.transactional_id_pattern = Some("(".into()));
    assert_eq!(broken.0, ErrorCode::INVALID_REGULAR_EXPRESSION);

    let told = client.describe_transaction("app-open");
    assert_eq!(told.error_code, ErrorCode::NONE);
    assert_eq!((told.producer_id, told.producer_epoch), open.producer);
    assert_eq!(told.transaction_timeout_ms, 60_000);
    assert_eq!(
        (
            told.topics[0].topic.as_str(),
            &told.topics[0].partitions[..]
        ),
        ("t", &[2][..])
    );
    let unknown = client.describe_transaction("nobody");
    assert_eq!(unknown.error_code, ErrorCode::TRANSACTIONAL_ID_NOT_FOUND);
    let nameless = client.describe_transaction("");
    assert_eq!(nameless.error_code, ErrorCode::INVALID_REQUEST);
}

#[test]
fn a_new_cluster_promises_an_epoch_a_transaction() {
    let (_broker, mut client) = start();
    let who = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
    };
    let told = client.call(4, &who);
    let supported = told.supported_features.iter();
    let range = supported
        .filter(|one| one.name == "transaction.version")
        .map(|one| (one.min_version, one.max_version));
    assert_eq!(range.collect::<Vec<_>>(), [(0, 2)]);
    let finalized = told.finalized_features.iter();
    let level = finalized
        .filter(|one| one.name == "transaction.version")
        .map(|one| one.max_version_level);
    assert_eq!(level.collect::<Vec<_>>(), [2]);
    let older = client.call(3, &who);
    let mut names = older.supported_features.iter().map(|one| one.name.as_str());
    assert!(
        !names.any(|name| name == "transaction.version"),
        "they cannot read a 0 there"
    );
}
