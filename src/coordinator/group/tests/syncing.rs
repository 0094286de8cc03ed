//! How the leader's assignment reaches the members.

use super::*;

/// A leader and a follower that have joined and fetched nothing.
fn completing(world: &mut World) -> [Joined; 2] {
    let joins = [join(), join()].map(|join| world.join(&join));
    world.until_answered();
    joins.map(|id| world.joined(id))
}

#[test]
fn followers_wait_until_the_leaders_assignment_is_written() {
    let mut world = World::new();
    let [leader, follower] = completing(&mut world);
    let waits = world.sync(&follower, &[]);
    assert!(world.is_waiting(waits));
    world.holds_writes = true;
    let shares = [
        (leader.member_id.as_str(), "a"),
        (follower.member_id.as_str(), "b"),
    ];
    let brings = world.sync(&leader, &shares);
    assert!(world.is_waiting(waits) && world.is_waiting(brings));
    assert_eq!(world.state(), "CompletingRebalance");
    world.land(Ok(()));
    assert_eq!(world.synced(waits), Ok(bytes("b")));
    assert_eq!(world.synced(brings), Ok(bytes("a")));
    assert_eq!(world.state(), "Stable");
}

#[test]
fn members_that_the_leader_forgot_get_an_empty_assignment() {
    let mut world = World::new();
    let [leader, follower] = completing(&mut world);
    let waits = world.sync(&follower, &[]);
    let shares = [(leader.member_id.as_str(), "a"), ("nobody", "b")];
    let brings = world.sync(&leader, &shares);
    assert_eq!(world.synced(brings), Ok(bytes("a")));
    assert_eq!(world.synced(waits), Ok(Bytes::new()));
}

#[test]
fn a_stable_group_gives_the_assignment_as_often_as_asked() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    for one in &members {
        let again = world.sync(one, &[]);
        assert_eq!(world.synced(again), Ok(bytes(&one.member_id)));
    }
}

#[test]
fn a_sync_is_refused_while_members_gather_and_in_other_generations() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let old = Joined {
        generation: 0,
        ..members[1].clone()
    };
    let id = world.sync(&old, &[]);
    assert_eq!(world.synced(id), Err(GroupError::IllegalGeneration));
    let stranger = Joined {
        member_id: "stranger".to_owned(),
        ..members[1].clone()
    };
    let id = world.sync(&stranger, &[]);
    assert_eq!(world.synced(id), Err(GroupError::UnknownMemberId));
    world.join(&rejoin(&members[0]));
    let id = world.sync(&members[1], &[]);
    assert_eq!(world.synced(id), Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_sync_to_a_group_that_is_not_there_is_of_an_unknown_member() {
    let mut world = World::new();
    let id = world.sync(&Joined::default(), &[]);
    assert_eq!(world.synced(id), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_sync_that_names_other_protocols_is_inconsistent() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let mut sync = SyncRequest {
        claim: claim(&members[0].member_id, 1),
        protocol_type: Some("consumer".to_owned()),
        protocol_name: Some("roundrobin".to_owned()),
        assignments: vec![],
    };
    let id = world.ask(GroupRequest::Sync(sync.clone()));
    assert_eq!(world.synced(id), Err(GroupError::InconsistentGroupProtocol));
    sync.protocol_name = Some("range".to_owned());
    let id = world.ask(GroupRequest::Sync(sync));
    assert!(world.synced(id).is_ok());
}

#[test]
fn a_leader_that_brings_no_assignment_is_out_after_the_rebalance_timeout() {
    let mut world = World::new();
    let [leader, follower] = completing(&mut world);
    let waits = world.sync(&follower, &[]);
    for _ in 0..u64::try_from(REBALANCE_MS).unwrap() / 5_000 {
        assert!(world.is_waiting(waits));
        assert_eq!(world.heartbeat(claim(&leader.member_id, 1)), Ok(()));
        world.pass(5_000);
    }
    assert_eq!(world.synced(waits), Err(GroupError::RebalanceInProgress));
    let gone = world.heartbeat(claim(&leader.member_id, 1));
    assert_eq!(gone, Err(GroupError::UnknownMemberId));
    let alone = world.join(&rejoin(&follower));
    let joined = world.joined(alone);
    assert_eq!((joined.generation, joined.members.len()), (2, 1));
}

#[test]
fn a_follower_that_never_fetches_its_assignment_is_out_too() {
    let mut world = World::new();
    let [leader, follower] = completing(&mut world);
    let brings = world.sync(&leader, &[]);
    assert!(world.synced(brings).is_ok());
    for _ in 0..u64::try_from(REBALANCE_MS).unwrap() / 5_000 {
        assert_eq!(world.state(), "Stable");
        for one in [&leader, &follower] {
            assert_eq!(world.heartbeat(claim(&one.member_id, 1)), Ok(()));
        }
        world.pass(5_000);
    }
    assert_eq!(world.state(), "PreparingRebalance");
    let gone = world.heartbeat(claim(&follower.member_id, 1));
    assert_eq!(gone, Err(GroupError::UnknownMemberId));
}

#[test]
fn a_newcomer_sends_those_who_wait_for_their_assignment_back_to_join() {
    let mut world = World::new();
    let [_, follower] = completing(&mut world);
    let waits = world.sync(&follower, &[]);
    world.join(&join());
    assert_eq!(world.synced(waits), Err(GroupError::RebalanceInProgress));
    assert_eq!(world.state(), "PreparingRebalance");
}

#[test]
fn an_assignment_that_could_not_be_written_is_not_handed_out_and_the_group_rebalances() {
    for (fault, error) in [
        (WriteFault::TooLarge, GroupError::StateTooLarge),
        (WriteFault::Storage, GroupError::CoordinatorNotAvailable),
    ] {
        let mut world = World::new();
        let [leader, follower] = completing(&mut world);
        world.holds_writes = true;
        let syncs = [world.sync(&follower, &[]), world.sync(&leader, &[])];
        world.land(Err(fault));
        for id in syncs {
            assert_eq!(world.synced(id), Err(error));
        }
        assert_eq!(world.state(), "PreparingRebalance");
    }
}

#[test]
fn an_assignment_of_a_generation_that_has_passed_is_not_handed_out() {
    let mut world = World::new();
    let [leader, follower] = completing(&mut world);
    world.holds_writes = true;
    let brings = world.sync(&leader, &[]);
    assert_eq!(world.leave(&[(&follower.member_id, None)]), [Ok(())]);
    assert_eq!(world.synced(brings), Err(GroupError::RebalanceInProgress));
    let alone = world.join(&rejoin(&leader));
    let next = world.joined(alone);
    world.land(Ok(()));
    assert_eq!(world.state(), "CompletingRebalance");
    let brings = world.sync(&next, &[(&next.member_id, "all")]);
    world.land(Ok(()));
    assert_eq!(world.synced(brings), Ok(bytes("all")));
}

#[test]
fn a_sync_that_is_sent_again_takes_the_place_of_the_one_that_waits() {
    let mut world = World::new();
    let [leader, follower] = completing(&mut world);
    let first = world.sync(&follower, &[]);
    let second = world.sync(&follower, &[]);
    assert_eq!(world.synced(first), Err(GroupError::RebalanceInProgress));
    world.sync(&leader, &[(&follower.member_id, "b")]);
    assert_eq!(world.synced(second), Ok(bytes("b")));
}

#[test]
fn a_leader_that_repeats_its_sync_before_it_is_written_cannot_change_the_assignment() {
    let mut world = World::new();
    let [leader, _] = completing(&mut world);
    world.holds_writes = true;
    let first = world.sync(&leader, &[(&leader.member_id, "a")]);
    let second = world.sync(&leader, &[(&leader.member_id, "b")]);
    assert_eq!(world.synced(first), Err(GroupError::RebalanceInProgress));
    while !world.writes.is_empty() {
        world.land(Ok(()));
    }
    let told = world.synced(second);
    world.restart();
    let repeated = world.sync(&leader, &[]);
    assert_eq!(world.synced(repeated), told);
}

#[test]
fn a_leader_may_assign_again_after_its_assignment_could_not_be_written() {
    let mut world = World::new();
    let members = completing(&mut world);
    world.holds_writes = true;
    let lost = world.sync(&members[0], &[]);
    world.land(Err(WriteFault::Storage));
    let error = GroupError::CoordinatorNotAvailable;
    assert_eq!(world.synced(lost), Err(error));
    world.holds_writes = false;
    let joins = [0, 1].map(|i| world.join(&rejoin(&members[i])));
    let [leader, _] = joins.map(|id| world.joined(id));
    let brings = world.sync(&leader, &[(&leader.member_id, "a")]);
    assert_eq!(world.synced(brings), Ok(bytes("a")));
}
