//! Offsets of a group that are committed in a transaction.
//!
//! Setup: a producer of each protocol commits positions of a group in its transaction. Expectation: they are seen only after it has
//! committed, whoever wants stable ones is told to wait meanwhile, and a restart changes nothing of it.

use vltava::wire::ErrorCode;
use vltava::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic,
};

use crate::harness::broker::Broker;
use crate::harness::transaction_requests::{CLASSIC_END, END, Transactional};
use crate::harness::wire_client::{WireClient, wait_until};

const CLASSIC_COMMIT: i16 = 4;
const COMMIT: i16 = 5;

fn start() -> (Broker, WireClient) {
    let broker = Broker::start(&[]);
    let mut client = WireClient::connect(broker.port());
    client.create_topic("t", 1);
    (broker, client)
}

/// Code and offset of the group's position.
fn position(client: &mut WireClient, group: &str, require_stable: bool) -> (ErrorCode, i64) {
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: Some(vec![OffsetFetchRequestTopic {
                name: "t".into(),
                partition_indexes: vec![0],
                ..OffsetFetchRequestTopic::default()
            }]),
            ..OffsetFetchRequestGroup::default()
        }],
        require_stable,
        ..OffsetFetchRequest::default()
    };
    let started = std::time::Instant::now();
    loop {
        let answer = client.call(8, &request);
        let group = &answer.groups[0];
        if group.error_code == ErrorCode::NONE {
            let found = &group.topics[0].partitions[0];
            return (found.error_code, found.committed_offset);
        }
        let loading = group.error_code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
        assert!(loading && started.elapsed().as_secs() < 20, "{group:?}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// By the protocol of this version of TxnOffsetCommit.
fn commit(client: &mut WireClient, tx: &Transactional, version: i16, group: &str, offset: i64) {
    if version < COMMIT {
        assert_eq!(tx.add_offsets(client, group), ErrorCode::NONE);
    }
    let code = tx.commit_offset(client, version, group, "t", offset);
    assert_eq!(code, ErrorCode::NONE);
}

#[test]
fn offsets_of_a_transaction_are_seen_when_it_has_committed_and_never_when_it_has_aborted() {
    let (_broker, mut client) = start();
    client.need_coordinator();
    for (version, end) in [(CLASSIC_COMMIT, CLASSIC_END), (COMMIT, END)] {
        let group = format!("g-{version}");
        let mut tx = Transactional::begin(&mut client, &format!("tx-{version}"));
        let mut expected = -1;
        for (committed, offset) in [(true, 5), (false, 7), (true, 6)] {
            commit(&mut client, &tx, version, &group, offset);
            assert_eq!(
                position(&mut client, &group, false),
                (ErrorCode::NONE, expected)
            );
            let unstable = (ErrorCode::UNSTABLE_OFFSET_COMMIT, -1);
            assert_eq!(position(&mut client, &group, true), unstable);
            assert_eq!(tx.end(&mut client, end, committed), ErrorCode::NONE);
            if committed {
                expected = offset;
            }
            wait_until("a stable position", || {
                position(&mut client, &group, true) == (ErrorCode::NONE, expected)
            });
        }
    }
}

#[test]
fn an_older_producer_must_have_added_the_group_first() {
    let (_broker, mut client) = start();
    client.need_coordinator();
    let tx = Transactional::begin(&mut client, "tx");
    for (version, code) in [
        (3, ErrorCode::INVALID_TXN_STATE),
        (4, ErrorCode::TRANSACTION_ABORTABLE),
    ] {
        let refused = tx.commit_offset(&mut client, version, "g", "t", 5);
        assert_eq!(refused, code, "version {version}");
    }
    let unknown = tx.commit_offset(&mut client, COMMIT, "g", "nowhere", 5);
    assert_eq!(unknown, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(position(&mut client, "g", true), (ErrorCode::NONE, -1));
}

#[test]
fn a_fenced_producer_commits_no_offsets() {
    let (_broker, mut client) = start();
    client.need_coordinator();
    let zombie = Transactional::begin(&mut client, "tx");
    commit(&mut client, &zombie, COMMIT, "g", 5);
    let mut next = Transactional::begin(&mut client, "tx");
    for version in [CLASSIC_COMMIT, COMMIT] {
        let refused = zombie.commit_offset(&mut client, version, "g", "t", 9);
        assert_eq!(refused, ErrorCode::INVALID_PRODUCER_EPOCH);
    }
    assert_eq!(position(&mut client, "g", true), (ErrorCode::NONE, -1));
    commit(&mut client, &next, COMMIT, "g", 6);
    assert_eq!(next.end(&mut client, END, true), ErrorCode::NONE);
    wait_until("the commit", || {
        position(&mut client, "g", true) == (ErrorCode::NONE, 6)
    });
}

#[test]
fn a_crash_changes_nothing_of_what_is_open_and_what_has_ended() {
    let (mut broker, mut client) = start();
    client.need_coordinator();
    let mut ended = Transactional::begin(&mut client, "ended");
    commit(&mut client, &ended, COMMIT, "committed", 5);
    let mut aborted = Transactional::begin(&mut client, "aborted");
    commit(&mut client, &aborted, COMMIT, "aborted", 6);
    let mut open = Transactional::begin(&mut client, "open");
    commit(&mut client, &open, COMMIT, "open", 7);
    assert_eq!(ended.end(&mut client, END, true), ErrorCode::NONE);
    assert_eq!(aborted.end(&mut client, END, false), ErrorCode::NONE);
    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    for (group, expected) in [("committed", 5), ("aborted", -1)] {
        wait_until("the end after the crash", || {
            position(&mut client, group, true) == (ErrorCode::NONE, expected)
        });
    }
    let unstable = (ErrorCode::UNSTABLE_OFFSET_COMMIT, -1);
    assert_eq!(position(&mut client, "open", true), unstable);
    client.find_transaction_coordinator("open");
    wait_until("the coordinator to load", || {
        open.end(&mut client, END, true) == ErrorCode::NONE
    });
    wait_until("the commit", || {
        position(&mut client, "open", true) == (ErrorCode::NONE, 7)
    });
}
