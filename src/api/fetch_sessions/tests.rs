//! Sessions as clients use them, and as clients misuse them.

use super::*;
use crate::wire::messages::fetch::{FetchPartition, FetchTopic, ForgottenTopic};
use bytes::Bytes;

fn request(session_id: i32, session_epoch: i32, partitions: &[(i32, i64)]) -> FetchRequest {
    let partitions: Vec<_> = partitions
        .iter()
        .map(|&(partition, fetch_offset)| FetchPartition {
            partition,
            fetch_offset,
            ..FetchPartition::default()
        })
        .collect();
    let topic = FetchTopic {
        topic: Text::from("t"),
        partitions,
        ..FetchTopic::default()
    };
    FetchRequest {
        session_id,
        session_epoch,
        topics: if topic.partitions.is_empty() {
            Vec::new()
        } else {
            vec![topic]
        },
        ..FetchRequest::default()
    }
}

fn data(partition: i32, high_watermark: i64, records: &'static [u8]) -> PartitionData {
    PartitionData {
        partition_index: partition,
        high_watermark,
        log_start_offset: 0,
        records: Records::Bytes(Bytes::from_static(records)),
        ..PartitionData::default()
    }
}

fn order(opened: &Opened) -> Vec<(i32, i64)> {
    let interests = opened.interests.iter();
    interests
        .map(|interest| (interest.partition, interest.fetch_offset))
        .collect()
}

/// Opens a session on partitions 0, 1, 2 and answers it.
fn session(sessions: &mut FetchSessions) -> i32 {
    let opened = sessions
        .open(
            &request(0, 0, &[(0, 10), (1, 20), (2, 30)]),
            false,
            Instant::now(),
        )
        .unwrap();
    for interest in &opened.interests {
        let told = data(interest.partition, 100, b"");
        assert!(
            sessions.is_news(&opened, interest, &told),
            "a first answer tells everything"
        );
    }
    opened.session_id
}

#[test]
fn an_incremental_fetch_names_changes_and_is_told_only_news() {
    let mut sessions = FetchSessions::new(4);
    let id = session(&mut sessions);
    let opened = sessions
        .open(&request(id, 1, &[(1, 25)]), false, Instant::now())
        .unwrap();
    assert_eq!(order(&opened), [(0, 10), (1, 25), (2, 30)]);
    let [zero, one, two] = &opened.interests[..] else {
        panic!("three partitions")
    };
    assert!(!sessions.is_news(&opened, zero, &data(0, 100, b"")));
    assert!(
        sessions.is_news(&opened, one, &data(1, 101, b"")),
        "a moved high watermark is news"
    );
    assert!(sessions.is_news(&opened, two, &data(2, 100, b"records")));
}

#[test]
fn a_partition_with_data_goes_behind_those_that_wait() {
    let mut sessions = FetchSessions::new(4);
    let id = session(&mut sessions);
    let opened = sessions
        .open(&request(id, 1, &[]), false, Instant::now())
        .unwrap();
    sessions.is_news(&opened, &opened.interests[0], &data(0, 200, b"records"));
    let next = sessions
        .open(&request(id, 2, &[]), false, Instant::now())
        .unwrap();
    assert_eq!(order(&next), [(1, 20), (2, 30), (0, 10)]);
}

#[test]
fn after_an_error_the_next_good_answer_is_told_though_nothing_moved() {
    let mut sessions = FetchSessions::new(4);
    let id = session(&mut sessions);
    let opened = sessions
        .open(&request(id, 1, &[]), false, Instant::now())
        .unwrap();
    let failed = PartitionData {
        error_code: ErrorCode::KAFKA_STORAGE_ERROR,
        ..data(0, 100, b"")
    };
    assert!(sessions.is_news(&opened, &opened.interests[0], &failed));
    let opened = sessions
        .open(&request(id, 2, &[]), false, Instant::now())
        .unwrap();
    assert!(sessions.is_news(&opened, &opened.interests[0], &data(0, 100, b"")));
}

#[test]
fn a_forgotten_partition_is_served_no_more() {
    let mut sessions = FetchSessions::new(4);
    let id = session(&mut sessions);
    let forgets = FetchRequest {
        forgotten_topics_data: vec![ForgottenTopic {
            topic: Text::from("t"),
            partitions: vec![1],
            ..ForgottenTopic::default()
        }],
        ..request(id, 1, &[])
    };
    let opened = sessions.open(&forgets, false, Instant::now()).unwrap();
    assert_eq!(order(&opened), [(0, 10), (2, 30)]);
}

#[test]
fn an_unknown_session_a_wrong_epoch_and_a_change_of_naming_are_told_apart() {
    let mut sessions = FetchSessions::new(4);
    let id = session(&mut sessions);
    let now = Instant::now();
    assert_eq!(
        sessions
            .open(&request(id + 1, 1, &[]), false, now)
            .unwrap_err(),
        SessionError::NotFound
    );
    assert_eq!(
        sessions.open(&request(id, 7, &[]), false, now).unwrap_err(),
        SessionError::Epoch
    );
    assert_eq!(
        sessions.open(&request(id, 1, &[]), true, now).unwrap_err(),
        SessionError::NamesAndIdsMixed
    );
    sessions
        .open(&request(id, FINAL_EPOCH, &[]), false, now)
        .unwrap();
    assert_eq!(
        sessions.open(&request(id, 1, &[]), false, now).unwrap_err(),
        SessionError::NotFound
    );
}

#[test]
fn sessions_that_are_asked_for_and_never_used_do_not_push_out_those_in_use() {
    let mut sessions = FetchSessions::new(2);
    let used = session(&mut sessions);
    sessions
        .open(&request(used, 1, &[]), false, Instant::now())
        .unwrap();
    for _ in 0..100 {
        let opened = sessions
            .open(&request(0, 0, &[(0, 0)]), false, Instant::now())
            .unwrap();
        assert_ne!(opened.session_id, 0);
    }
    assert_eq!(sessions.sessions.len(), 2);
    sessions
        .open(&request(used, 2, &[]), false, Instant::now())
        .unwrap();
}

#[test]
fn without_a_free_slot_a_fetch_is_served_without_a_session() {
    let mut sessions = FetchSessions::new(1);
    let used = session(&mut sessions);
    sessions
        .open(&request(used, 1, &[]), false, Instant::now())
        .unwrap();
    let opened = sessions
        .open(&request(0, 0, &[(5, 0)]), false, Instant::now())
        .unwrap();
    assert_eq!((opened.session_id, order(&opened)), (0, vec![(5, 0)]));
}
