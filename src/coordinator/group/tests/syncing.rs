//! SyncGroup: the assignment and who gets it when.

use super::*;

fn completing(world: &mut World, members: usize) -> Vec<Joined> {
    let joins: Vec<_> = (0..members).map(|_| world.join(newcomer(None))).collect();
    world.pass(DELAY_MS * 3);
    assert_eq!(world.state(), "CompletingRebalance");
    joins.into_iter().map(|id| world.joined(id)).collect()
}

#[test]
fn everybody_gets_their_share_when_the_leaders_assignment_is_written() {
    let mut world = World::new();
    let members = completing(&mut world, 3);
    world.writes_at_once = false;
    let follower = world.sync(&members[1], &[]);
    let shares = [
        (members[0].member_id.as_str(), "a"),
        (members[1].member_id.as_str(), "b"),
    ];
    let leader = world.sync(&members[0], &shares);
    assert!(
        world.waits(follower) && world.waits(leader),
        "not written yet"
    );
    world.end_write(Ok(()));
    assert_eq!(world.synced(follower).unwrap(), "b");
    assert_eq!(world.synced(leader).unwrap(), "a");
    let late = world.sync(&members[2], &[]);
    assert_eq!(world.synced(late).unwrap(), "", "the leader left it out");
}

#[test]
fn a_stable_group_repeats_the_assignment() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let repeated = world.sync(&members[1], &[]);
    assert_eq!(world.synced(repeated).unwrap(), "1");
}

#[test]
fn a_sync_is_refused_to_strangers_old_generations_and_other_protocols() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let cases = [
        (
            Joined {
                generation: 7,
                ..members[0].clone()
            },
            GroupError::IllegalGeneration,
        ),
        (
            Joined {
                member_id: "x".to_owned(),
                ..members[0].clone()
            },
            GroupError::UnknownMemberId,
        ),
    ];
    for (member, error) in cases {
        let sync = world.sync(&member, &[]);
        assert_eq!(world.synced(sync), Err(error));
    }
    for (protocol_type, protocol_name) in [(Some("connect"), None), (None, Some("sticky"))] {
        let sync = world.ask(GroupRequest::Sync(SyncRequest {
            claim: claim(&members[0]),
            protocol_type: protocol_type.map(str::to_owned),
            protocol_name: protocol_name.map(str::to_owned),
            assignments: vec![],
        }));
        assert_eq!(
            world.synced(sync),
            Err(GroupError::InconsistentGroupProtocol)
        );
    }
    let matching = world.ask(GroupRequest::Sync(SyncRequest {
        claim: claim(&members[0]),
        protocol_type: Some("consumer".to_owned()),
        protocol_name: Some("range".to_owned()),
        assignments: vec![],
    }));
    assert_eq!(world.synced(matching).unwrap(), "0");
    let unknown = world.ask(GroupRequest::Sync(SyncRequest {
        claim: MemberClaim {
            group: "other".to_owned(),
            ..claim(&members[0])
        },
        ..SyncRequest::default()
    }));
    assert_eq!(world.synced(unknown), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_sync_during_the_next_rebalance_is_told_to_join() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.join(again(&members[0]));
    let sync = world.sync(&members[1], &[]);
    assert_eq!(world.synced(sync), Err(GroupError::RebalanceInProgress));
}

#[test]
fn who_waits_for_the_assignment_is_told_of_the_next_rebalance() {
    let mut world = World::new();
    let members = completing(&mut world, 2);
    let follower = world.sync(&members[1], &[]);
    world.join(newcomer(None));
    assert_eq!(world.synced(follower), Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_leader_that_never_assigns_is_out_after_the_rebalance_timeout() {
    let mut world = World::new();
    let members = completing(&mut world, 2);
    let follower = world.sync(&members[1], &[]);
    for _ in 0..REBALANCE_MS / 5_000 {
        assert!(world.waits(follower));
        assert_eq!(world.heartbeat(claim(&members[0])), Ok(()));
        world.pass(5_000);
    }
    assert_eq!(world.synced(follower), Err(GroupError::RebalanceInProgress));
    assert_eq!(
        world.heartbeat(claim(&members[0])),
        Err(GroupError::UnknownMemberId)
    );
    let rejoin = world.join(again(&members[1]));
    assert_eq!(world.joined(rejoin).leader, members[1].member_id);
}

#[test]
fn a_follower_that_never_syncs_is_out_of_a_stable_group_too() {
    let mut world = World::new();
    let members = completing(&mut world, 2);
    let leader = world.sync(&members[0], &[]);
    world.synced(leader).unwrap();
    assert_eq!(world.state(), "Stable");
    for _ in 0..REBALANCE_MS / 5_000 {
        let _ = world.heartbeat(claim(&members[0]));
        let _ = world.heartbeat(claim(&members[1]));
        world.pass(5_000);
    }
    assert_eq!(
        world.heartbeat(claim(&members[1])),
        Err(GroupError::UnknownMemberId)
    );
    assert_eq!(
        world.heartbeat(claim(&members[0])),
        Err(GroupError::RebalanceInProgress)
    );
}

#[test]
fn a_leader_that_repeats_its_assignment_cannot_change_it() {
    let mut world = World::new();
    let members = completing(&mut world, 1);
    world.writes_at_once = false;
    let id = members[0].member_id.as_str();
    let first = world.sync(&members[0], &[(id, "a")]);
    let second = world.sync(&members[0], &[(id, "b")]);
    assert!(!world.waits(first), "only one of them can be heard");
    while !world.under_way.is_empty() {
        world.end_write(Ok(()));
    }
    let told = world.synced(second).unwrap();
    world.restart();
    let repeated = world.sync(&members[0], &[]);
    assert_eq!(
        world.synced(repeated).unwrap(),
        told,
        "the log says what the member was told"
    );
}

#[test]
fn an_assignment_that_cannot_be_written_is_told_and_the_group_rebalances() {
    for (fault, error) in [
        (WriteFault::Storage, GroupError::CoordinatorNotAvailable),
        (WriteFault::TooLarge, GroupError::StateTooLarge),
    ] {
        let mut world = World::new();
        let members = completing(&mut world, 2);
        world.writes_at_once = false;
        let syncs = [1, 0].map(|i| world.sync(&members[i], &[]));
        world.end_write(Err(fault));
        for sync in syncs {
            assert_eq!(world.synced(sync), Err(error));
        }
        assert_eq!(world.state(), "PreparingRebalance");
    }
}

#[test]
fn somebody_who_joins_while_the_assignment_is_being_written_voids_it() {
    let mut world = World::new();
    let members = completing(&mut world, 1);
    world.writes_at_once = false;
    let sync = world.sync(&members[0], &[]);
    let new = world.join(newcomer(None));
    assert_eq!(world.synced(sync), Err(GroupError::RebalanceInProgress));
    world.end_write(Ok(()));
    assert_eq!(world.state(), "PreparingRebalance");
    let rejoin = world.join(again(&members[0]));
    assert_eq!(world.joined(rejoin).generation, 2);
    assert_eq!(world.joined(new).generation, 2);
}
