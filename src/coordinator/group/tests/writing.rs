//! What lasts, and what becomes of those who wait when nothing can last any more.

use super::*;
use crate::wire::group_records::{GroupMetadataValue, GroupRecordKey};

#[test]
fn a_stable_group_comes_back_stable_and_its_members_have_a_session_to_be_heard_of() {
    let mut world = World::new();
    let members = world.stable(&[None, Some("b")]);
    world.pass(9_000);
    world.restart();
    assert_eq!(world.state(), "Stable");
    world.pass(9_000);
    for one in &members {
        assert_eq!(world.heartbeat(claim(&one.member_id, 1)), Ok(()));
        let sync = world.sync(one, &[]);
        assert_eq!(world.synced(sync), Ok(bytes(&one.member_id)));
    }
    world.pass(10_000);
    assert_eq!(world.state(), "Empty");
}

#[test]
fn a_group_is_written_as_kafka_writes_it() {
    let mut world = World::new();
    let members = world.stable(&[Some("a")]);
    let record = world.log.last().unwrap().clone();
    let Logged::Record(record, None) = record else {
        panic!("not a record");
    };
    let Ok(GroupRecordKey::Group(key)) = GroupRecordKey::decode(record.key) else {
        panic!("not a group");
    };
    assert_eq!(key.group, "g");
    let value = record.value.unwrap();
    assert_eq!(&value[..2], [0, 3]);
    let value = GroupMetadataValue::decode_value(value).unwrap();
    assert_eq!(value.generation, 1);
    assert_eq!(value.protocol.as_deref(), Some("range"));
    assert_eq!(value.leader.as_deref(), Some(&*members[0].member_id));
    let member = &value.members[0];
    assert_eq!(member.group_instance_id.as_deref(), Some("a"));
    assert_eq!(member.session_timeout, SESSION_MS);
    assert_eq!(member.rebalance_timeout, REBALANCE_MS);
    assert_eq!(member.subscription, subscription(&["topic"]));
}

#[test]
fn records_of_other_kinds_of_groups_are_passed_over_and_malformed_ones_are_not() {
    let mut coordinator = Coordinator::new(settings());
    for version in [3u8, 6, 16, 200] {
        let key = Bytes::copy_from_slice(&[0, version, 0, 1, b'g', 9, 9]);
        let value = Some(bytes("anything"));
        coordinator.replay(LogRecord { key, value }, None).unwrap();
    }
    assert!(coordinator.groups.is_empty());
    let key = Bytes::from_static(&[0, 2, 0, 1, b'g']);
    for malformed in [bytes(""), bytes("\0\u{3}"), bytes("\0\u{5}\0\0")] {
        let key = key.clone();
        let value = Some(malformed);
        assert!(coordinator.replay(LogRecord { key, value }, None).is_err());
    }
    let (key, value) = (bytes("\0"), None);
    assert!(coordinator.replay(LogRecord { key, value }, None).is_err());
    assert!(coordinator.groups.is_empty());
}

#[test]
fn a_coordinator_that_is_unloaded_answers_everyone() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.holds_writes = true;
    let other = |name: &str| MemberClaim {
        group: name.to_owned(),
        ..no_claim()
    };
    let commit = world.commit(other("other"), &[("topic", 1)]);
    world.holds_writes = false;
    world.land(Ok(()));
    assert_eq!(world.committed(commit), [Ok(())]);
    world.holds_writes = true;
    let asked = [
        world.join(&rejoin(&members[0])),
        world.commit(claim(&members[1].member_id, 1), &[("topic", 1)]),
        world.ask(GroupRequest::Delete {
            group: "other".to_owned(),
        }),
        world.ask(GroupRequest::DeleteOffsets(DeleteOffsetsRequest {
            group: "other".to_owned(),
            partitions: vec![("topic".to_owned(), 0)],
        })),
    ];
    let effects = world.coordinator.unload();
    world.apply(effects);
    assert!(world.waiting.is_empty());
    let away = GroupError::CoordinatorNotAvailable;
    let refusal = world.refusal(asked[0]);
    assert_eq!(refusal.error, away);
    assert_eq!(world.committed(asked[1]), [Err(away)]);
    assert_eq!(world.answer(asked[2]), GroupAnswer::Delete(Err(away)));
    let deleted = GroupAnswer::DeleteOffsets(Err(away));
    assert_eq!(world.answer(asked[3]), deleted);
    while !world.writes.is_empty() {
        world.land(Ok(()));
    }
}

#[test]
fn waits_that_are_over_leave_nothing_behind() {
    let mut world = World::new();
    let patient = JoinRequest {
        rebalance_timeout_ms: i32::MAX,
        session_timeout_ms: 1_800_000,
        ..join()
    };
    let id = world.join(&patient);
    world.pass(INITIAL_DELAY_MS);
    let mut joined = world.joined(id);
    let before = world.coordinator.timers_set();
    for _ in 0..100 {
        world.hand_out(&[joined.clone()]);
        let id = world.join(&JoinRequest {
            member_id: joined.member_id,
            ..patient.clone()
        });
        joined = world.joined(id);
    }
    assert_eq!(joined.generation, 101);
    assert_eq!(world.coordinator.timers_set(), before);
}
