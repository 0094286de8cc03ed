//! Static members come back under new ids.

use super::*;

fn with_instance(member: &Joined, instance: &str) -> MemberClaim {
    MemberClaim {
        instance_id: Some(instance.to_owned()),
        ..claim(member)
    }
}

#[test]
fn a_static_member_that_comes_back_keeps_its_share_without_a_rebalance() {
    let mut world = World::new();
    let members = world.stable(&[None, Some("i")]);
    let back = world.join(newcomer(Some("i")));
    let joined = world.joined(back);
    assert_eq!(joined.generation, 1);
    assert_ne!(joined.member_id, members[1].member_id);
    assert_eq!(joined.leader, members[0].member_id);
    assert!(!joined.skip_assignment);
    assert_eq!(world.heartbeat(claim(&members[0])), Ok(()));
    let sync = world.sync(&joined, &[]);
    assert_eq!(world.synced(sync).unwrap(), "1");
}

#[test]
fn the_old_id_of_a_static_member_is_fenced_everywhere() {
    let mut world = World::new();
    let members = world.stable(&[None, Some("i")]);
    let back = world.join(newcomer(Some("i")));
    world.joined(back);
    let old = with_instance(&members[1], "i");
    assert_eq!(
        world.heartbeat(old.clone()),
        Err(GroupError::FencedInstanceId)
    );
    let commit = world.commit(old.clone(), "t", 1);
    assert_eq!(world.committed(commit), Err(GroupError::FencedInstanceId));
    let sync = world.ask(GroupRequest::Sync(SyncRequest {
        claim: old,
        ..SyncRequest::default()
    }));
    assert_eq!(world.synced(sync), Err(GroupError::FencedInstanceId));
    let join = world.join(JoinRequest {
        member_id: members[1].member_id.clone(),
        ..newcomer(Some("i"))
    });
    assert_eq!(world.refused(join).error, GroupError::FencedInstanceId);
    let leave = world.leave(&[(&members[1].member_id, Some("i"))]);
    assert_eq!(leave, [Err(GroupError::FencedInstanceId)]);
}

#[test]
fn a_static_leader_that_comes_back_may_skip_the_assignment() {
    let mut world = World::new();
    world.stable(&[Some("i"), None]);
    let back = world.join(newcomer(Some("i")));
    let joined = world.joined(back);
    assert!(joined.skip_assignment);
    assert_eq!(joined.leader, joined.member_id);
    assert_eq!(joined.members.len(), 2);
    let sync = world.sync(&joined, &[]);
    assert_eq!(world.synced(sync).unwrap(), "0");
}

#[test]
fn a_static_leader_that_cannot_skip_is_told_that_its_old_self_leads() {
    let mut world = World::new();
    let members = world.stable(&[Some("i"), None]);
    let back = world.join(JoinRequest {
        may_skip_assignment: false,
        ..newcomer(Some("i"))
    });
    let joined = world.joined(back);
    assert_eq!(joined.leader, members[0].member_id);
    assert_eq!((joined.members.len(), joined.skip_assignment), (0, false));
}

#[test]
fn a_static_member_that_changes_the_choice_of_assignor_rebalances() {
    let mut world = World::new();
    let joins = [
        knowing(&["a", "b"]),
        JoinRequest {
            instance_id: Some("i".to_owned()),
            ..knowing(&["a", "b"])
        },
    ]
    .map(|join| world.join(join));
    world.pass(DELAY_MS * 2);
    let members = joins.map(|id| world.joined(id));
    let syncs = [1, 0].map(|i| world.sync(&members[i], &[]));
    for sync in syncs {
        world.synced(sync).unwrap();
    }
    let back = world.join(JoinRequest {
        instance_id: Some("i".to_owned()),
        ..knowing(&["b"])
    });
    assert!(world.waits(back));
    assert_eq!(world.state(), "PreparingRebalance");
}

#[test]
fn a_static_member_that_comes_back_before_the_assignment_rebalances() {
    let mut world = World::new();
    let joins = [None, Some("i")].map(|instance| world.join(newcomer(instance)));
    world.pass(DELAY_MS * 2);
    let members = joins.map(|id| world.joined(id));
    let waiting = world.sync(&members[1], &[]);
    let back = world.join(newcomer(Some("i")));
    assert_eq!(world.synced(waiting), Err(GroupError::FencedInstanceId));
    assert!(world.waits(back));
    assert_eq!(world.state(), "PreparingRebalance");
    world.join(again(&members[0]));
    assert_eq!(world.joined(back).generation, 2);
}

#[test]
fn a_static_member_stays_when_it_misses_a_rebalance_until_its_session_ends() {
    let mut world = World::new();
    let members = world.stable(&[None, Some("i")]);
    let rejoin = world.join(again(&members[0]));
    for _ in 0..REBALANCE_MS / 5_000 {
        let _ = world.heartbeat(with_instance(&members[1], "i"));
        world.pass(5_000);
    }
    assert_eq!(world.joined(rejoin).members.len(), 2);
}

#[test]
fn a_static_member_whose_new_id_cannot_be_written_keeps_its_old_one() {
    let mut world = World::new();
    let members = world.stable(&[None, Some("i")]);
    world.writes_at_once = false;
    let back = world.join(newcomer(Some("i")));
    assert!(world.waits(back));
    world.end_write(Err(WriteFault::Storage));
    assert_eq!(
        world.refused(back).error,
        GroupError::CoordinatorNotAvailable
    );
    assert_eq!(world.heartbeat(with_instance(&members[1], "i")), Ok(()));
    let sync = world.sync(&members[1], &[]);
    assert_eq!(world.synced(sync).unwrap(), "1");
}

#[test]
fn a_rebalance_that_begins_while_the_new_id_is_being_written_takes_the_member_along() {
    let mut world = World::new();
    let members = world.stable(&[None, Some("i")]);
    world.writes_at_once = false;
    let back = world.join(newcomer(Some("i")));
    let leader = world.join(again(&members[0]));
    while !world.under_way.is_empty() {
        world.end_write(Ok(()));
    }
    world.writes_at_once = true;
    world.pass(REBALANCE_MS);
    let told = world.joined(leader);
    assert_eq!(told.generation, 2);
    assert!(!world.waits(back));
}

#[test]
fn a_static_member_that_comes_back_twice_is_fenced_once() {
    let mut world = World::new();
    world.stable(&[None, Some("i")]);
    world.writes_at_once = false;
    let first = world.join(newcomer(Some("i")));
    let second = world.join(newcomer(Some("i")));
    assert_eq!(world.refused(first).error, GroupError::FencedInstanceId);
    while !world.under_way.is_empty() {
        world.end_write(Ok(()));
    }
    assert_eq!(world.joined(second).generation, 1);
}

#[test]
fn static_members_and_their_shares_survive_a_restart() {
    let mut world = World::new();
    world.stable(&[None, Some("i")]);
    let back = world.join(newcomer(Some("i")));
    let joined = world.joined(back);
    world.restart();
    assert_eq!(world.heartbeat(with_instance(&joined, "i")), Ok(()));
    let sync = world.sync(&joined, &[]);
    assert_eq!(world.synced(sync).unwrap(), "1");
}
