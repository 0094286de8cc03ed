//! What is written, read back, and told when the coordinator goes.

use super::*;
use crate::wire::group_records::{GroupMetadataKey, GroupMetadataValue, MemberMetadata};

fn group_record(value: &GroupMetadataValue) -> LogRecord {
    LogRecord {
        key: GroupMetadataKey {
            group: GROUP.into(),
        }
        .to_bytes(),
        value: Some(value.to_bytes()),
    }
}

#[test]
fn a_stable_group_comes_back_stable_with_fresh_sessions() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.pass(SESSION_MS - 1);
    world.restart();
    assert_eq!(world.state(), "Stable");
    world.pass(SESSION_MS - 1);
    for member in &members {
        assert_eq!(world.heartbeat(claim(member)), Ok(()));
    }
    let sync = world.sync(&members[1], &[]);
    assert_eq!(world.synced(sync).unwrap(), "1");
    world.pass(SESSION_MS);
    assert_eq!(
        world.heartbeat(claim(&members[1])),
        Err(GroupError::UnknownMemberId)
    );
}

#[test]
fn an_empty_group_comes_back_empty_and_goes_on_counting() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    world.leave(&[(&members[0].member_id, None)]);
    world.restart();
    assert_eq!(world.state(), "Empty");
    assert_eq!(world.stable(&[None])[0].generation, 3);
}

#[test]
fn records_of_other_kinds_are_skipped_and_broken_ones_told() {
    let mut coordinator = Coordinator::new(settings());
    let newer = Bytes::from_static(&[0, 3, 0, 1, b'g']);
    coordinator
        .replay(newer, Some(Bytes::from_static(b"?")))
        .unwrap();
    let cut = Bytes::from_static(&[0, 1, 0, 9]);
    assert!(coordinator.replay(cut, None).is_err());
    let key = GroupMetadataKey {
        group: GROUP.into(),
    }
    .to_bytes();
    let unknown = Bytes::from_static(&[0, 99]);
    assert!(coordinator.replay(key, Some(unknown)).is_err());
}

#[test]
fn generations_begin_anew_after_the_last_number() {
    let mut world = World::new();
    world.log.push(group_record(&GroupMetadataValue {
        protocol_type: "consumer".into(),
        generation: i32::MAX,
        protocol: Some("range".into()),
        leader: Some("a".into()),
        members: vec![MemberMetadata {
            member_id: "a".into(),
            session_timeout: 10_000,
            rebalance_timeout: -1,
            subscription: subscription(&["t"]),
            ..MemberMetadata::default()
        }],
        ..GroupMetadataValue::default()
    }));
    world.restart();
    let member = Joined {
        member_id: "a".to_owned(),
        ..Joined::default()
    };
    let rejoin = world.join(again(&member));
    let generation = world.joined(rejoin).generation;
    assert!((0..2).contains(&generation), "{generation}");
}

#[test]
fn everybody_who_waits_is_told_when_the_coordinator_goes() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.writes_at_once = false;
    let join = world.join(again(&members[0]));
    let commit = world.commit(claim(&members[1]), "t", 1);
    let effects = world.coordinator.unload();
    world.take(effects);
    assert_eq!(world.requests_waiting(), 0);
    assert_eq!(
        world.refused(join).error,
        GroupError::CoordinatorNotAvailable
    );
    assert_eq!(
        world.committed(commit),
        Err(GroupError::CoordinatorNotAvailable)
    );
}

#[test]
fn who_waits_for_its_share_or_a_deletion_is_told_when_the_coordinator_goes() {
    let mut world = World::new();
    let join = world.join(newcomer(None));
    world.pass(DELAY_MS);
    let joined = world.joined(join);
    let other = MemberClaim {
        group: "simple".to_owned(),
        ..nobody()
    };
    let commit = world.commit(other, "t", 1);
    world.committed(commit).unwrap();
    world.writes_at_once = false;
    let sync = world.sync(&joined, &[]);
    let delete = world.ask(GroupRequest::Delete {
        group: "simple".to_owned(),
    });
    let effects = world.coordinator.unload();
    world.take(effects);
    assert_eq!(world.synced(sync), Err(GroupError::CoordinatorNotAvailable));
    let gone = GroupAnswer::Delete(Err(GroupError::CoordinatorNotAvailable));
    assert_eq!(world.answered(delete), gone);
}

#[test]
fn a_write_of_a_coordinator_that_is_gone_changes_nothing() {
    let mut world = World::new();
    let effects = world.coordinator.written(world.now, WriteId(77), Ok(()));
    assert_eq!(effects, []);
}
