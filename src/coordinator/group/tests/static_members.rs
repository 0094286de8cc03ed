//! Members that are known by a name of their own.

use super::*;

#[test]
fn a_static_member_needs_no_id_first() {
    let mut world = World::new();
    let join = JoinRequest {
        must_know_its_id: true,
        ..static_join(Some("a"))
    };
    let id = world.join(&join);
    world.pass(INITIAL_DELAY_MS);
    let joined = world.joined(id);
    assert!(joined.member_id.starts_with("a-"), "{joined:?}");
    assert_eq!(joined.members[0].instance_id.as_deref(), Some("a"));
}

#[test]
fn a_static_follower_comes_back_to_its_assignment_without_a_rebalance() {
    let mut world = World::new();
    let members = world.stable(&[Some("a"), Some("b")]);
    let back = world.join(&static_join(Some("b")));
    let joined = world.joined(back);
    assert_ne!(joined.member_id, members[1].member_id);
    assert_eq!(joined.generation, 1);
    assert_eq!(joined.leader, members[0].member_id);
    assert_eq!(world.state(), "Stable");
    let sync = world.sync(&joined, &[]);
    assert_eq!(world.synced(sync), Ok(bytes(&members[1].member_id)));
    assert_eq!(world.heartbeat(claim(&joined.member_id, 1)), Ok(()));
}

#[test]
fn the_old_id_of_a_static_member_is_fenced() {
    let mut world = World::new();
    let members = world.stable(&[Some("a"), Some("b")]);
    let old = MemberClaim {
        instance_id: Some("b".to_owned()),
        ..claim(&members[1].member_id, 1)
    };
    assert_eq!(world.heartbeat(old.clone()), Ok(()));
    world.join(&static_join(Some("b")));
    let fenced = Err(GroupError::FencedInstanceId);
    assert_eq!(world.heartbeat(old.clone()), fenced);
    let commit = world.commit(old.clone(), &[("topic", 1)]);
    assert_eq!(world.committed(commit), [fenced]);
    let sync = world.ask(GroupRequest::Sync(SyncRequest {
        claim: old.clone(),
        ..SyncRequest::default()
    }));
    assert_eq!(world.synced(sync), Err(GroupError::FencedInstanceId));
    let join = world.join(&JoinRequest {
        instance_id: old.instance_id.clone(),
        ..rejoin(&members[1])
    });
    assert_eq!(world.refusal(join).error, GroupError::FencedInstanceId);
    let left = world.leave(&[(&old.member_id, Some("b"))]);
    assert_eq!(left, [fenced]);
    let without_name = world.heartbeat(claim(&members[1].member_id, 1));
    assert_eq!(without_name, Err(GroupError::UnknownMemberId));
}

#[test]
fn a_static_leader_that_understands_it_skips_the_assignment() {
    let mut world = World::new();
    let members = world.stable(&[Some("a"), Some("b")]);
    let back = world.join(&JoinRequest {
        may_skip_assignment: true,
        ..static_join(Some("a"))
    });
    let joined = world.joined(back);
    assert!(joined.skip_assignment);
    assert_eq!(joined.leader, joined.member_id);
    assert_eq!(joined.members.len(), 2);
    assert_eq!(joined.generation, 1);
    let back = world.join(&JoinRequest {
        may_skip_assignment: true,
        ..static_join(Some("b"))
    });
    let follower = world.joined(back);
    assert!(!follower.skip_assignment && follower.members.is_empty());
    assert_ne!(members[0].member_id, joined.member_id);
}

#[test]
fn an_older_static_leader_is_led_to_believe_that_it_does_not_lead() {
    let mut world = World::new();
    let members = world.stable(&[Some("a"), Some("b")]);
    let back = world.join(&static_join(Some("a")));
    let joined = world.joined(back);
    assert_eq!(joined.leader, members[0].member_id, "its id of before");
    assert!(joined.members.is_empty() && !joined.skip_assignment);
    let sync = world.sync(&joined, &[]);
    assert_eq!(world.synced(sync), Ok(bytes(&members[0].member_id)));
    assert_eq!(world.state(), "Stable");
}

#[test]
fn the_new_id_of_a_static_member_outlives_the_broker() {
    let mut world = World::new();
    world.stable(&[Some("a"), Some("b")]);
    let back = world.join(&static_join(Some("b")));
    let joined = world.joined(back);
    world.restart();
    assert_eq!(world.state(), "Stable");
    assert_eq!(world.heartbeat(claim(&joined.member_id, 1)), Ok(()));
}

#[test]
fn a_new_id_that_could_not_be_written_is_taken_back() {
    let mut world = World::new();
    let members = world.stable(&[Some("a"), Some("b")]);
    world.holds_writes = true;
    let back = world.join(&static_join(Some("b")));
    assert!(world.is_waiting(back));
    world.land(Err(WriteFault::Storage));
    let refusal = world.refusal(back);
    assert_eq!(refusal.error, GroupError::CoordinatorNotAvailable);
    assert_eq!(world.heartbeat(claim(&members[1].member_id, 1)), Ok(()));
    assert_eq!(world.state(), "Stable");
}

#[test]
fn a_rebalance_that_begins_while_the_new_id_is_written_answers_the_join() {
    let mut world = World::new();
    let members = world.stable(&[Some("a"), Some("b"), None]);
    world.holds_writes = true;
    let back = world.join(&static_join(Some("b")));
    world.leave(&[(&members[2].member_id, None)]);
    world.land(Ok(()));
    assert!(world.is_waiting(back), "it has joined the rebalance");
    let leader = world.join(&JoinRequest {
        instance_id: Some("a".to_owned()),
        ..rejoin(&members[0])
    });
    assert_eq!(world.joined(leader).generation, 2);
    assert_eq!(world.joined(back).generation, 2);
}

#[test]
fn a_change_of_the_chosen_assignor_rebalances_the_group() {
    let mut world = World::new();
    let first = with_protocols(static_join(Some("a")), &["x", "y"]);
    let second = with_protocols(static_join(Some("b")), &["x", "y"]);
    let joins = [first, second].map(|join| world.join(&join));
    world.until_answered();
    let joined = joins.map(|id| world.joined(id));
    assert_eq!(joined[0].protocol_name, "x");
    world.hand_out(&joined);
    let back = world.join(&with_protocols(static_join(Some("b")), &["y"]));
    assert!(world.is_waiting(back));
    assert_eq!(world.state(), "PreparingRebalance");
}

#[test]
fn a_static_member_that_comes_back_before_the_assignment_rebalances_the_group() {
    let mut world = World::new();
    let joins = ["a", "b"].map(|instance| world.join(&static_join(Some(instance))));
    world.until_answered();
    let [_, follower] = joins.map(|id| world.joined(id));
    let waits = world.sync(&follower, &[]);
    let back = world.join(&static_join(Some("b")));
    assert_eq!(world.synced(waits), Err(GroupError::FencedInstanceId));
    assert!(world.is_waiting(back));
    assert_eq!(world.state(), "PreparingRebalance");
}

#[test]
fn two_clients_of_one_name_fence_each_other_while_they_join() {
    let mut world = World::new();
    let first = world.join(&static_join(Some("a")));
    let second = world.join(&static_join(Some("a")));
    assert_eq!(world.refusal(first).error, GroupError::FencedInstanceId);
    world.until_answered();
    assert_eq!(world.joined(second).members.len(), 1);
}

#[test]
fn a_static_member_that_misses_a_rebalance_stays_until_its_session_ends() {
    let mut world = World::new();
    let late = JoinRequest {
        session_timeout_ms: 600_000,
        ..static_join(Some("b"))
    };
    let joins = [static_join(Some("a")), late].map(|join| world.join(&join));
    world.until_answered();
    let joined = joins.map(|id| world.joined(id));
    world.hand_out(&joined);
    let leader = world.join(&JoinRequest {
        instance_id: Some("a".to_owned()),
        ..rejoin(&joined[0])
    });
    world.until_answered();
    let joined = world.joined(leader);
    assert_eq!((joined.generation, joined.members.len()), (2, 2));
}

#[test]
fn static_members_that_all_stay_away_keep_the_coordinator_from_nothing_else() {
    let mut world = World::new();
    let hasty = |instance| JoinRequest {
        rebalance_timeout_ms: 0,
        session_timeout_ms: 600_000,
        ..static_join(Some(instance))
    };
    let joins = ["a", "b"].map(|instance| world.join(&hasty(instance)));
    world.pass(INITIAL_DELAY_MS);
    let joined = joins.map(|id| world.joined(id));
    world.hand_out(&joined);
    let dynamic = world.join(&join());
    world.leave(&[("", Some("b"))]);
    let left = world.leave(&[(&joined[0].member_id, None)]);
    assert_eq!(left, [Ok(())]);
    assert_eq!(world.joined(dynamic).members.len(), 1);
}

#[test]
fn an_operator_puts_out_a_static_member_by_its_name() {
    let mut world = World::new();
    world.stable(&[Some("a"), Some("b")]);
    assert_eq!(
        world.leave(&[("", Some("b")), ("", Some("c"))]),
        [Ok(()), Err(GroupError::UnknownMemberId)]
    );
    assert_eq!(world.state(), "PreparingRebalance");
    assert_eq!(world.describe().unwrap().members.len(), 1);
}
