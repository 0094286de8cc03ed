//! Heartbeat, silence, LeaveGroup.

use super::*;

#[test]
fn heartbeats_are_answered_by_the_state_of_the_group() {
    let mut world = World::new();
    let stranger = Joined {
        member_id: "x".to_owned(),
        generation: 1,
        ..Joined::default()
    };
    assert_eq!(
        world.heartbeat(claim(&stranger)),
        Err(GroupError::UnknownMemberId)
    );
    let members = world.stable(&[None, None]);
    assert_eq!(
        world.heartbeat(claim(&stranger)),
        Err(GroupError::UnknownMemberId)
    );
    assert_eq!(world.heartbeat(claim(&members[1])), Ok(()));
    let old = Joined {
        generation: 0,
        ..members[1].clone()
    };
    assert_eq!(
        world.heartbeat(claim(&old)),
        Err(GroupError::IllegalGeneration)
    );
    let leader = world.join(again(&members[0]));
    assert_eq!(
        world.heartbeat(claim(&members[1])),
        Err(GroupError::RebalanceInProgress)
    );
    world.join(again(&members[1]));
    let leader = world.joined(leader);
    assert_eq!(world.state(), "CompletingRebalance");
    assert_eq!(world.heartbeat(claim(&leader)), Ok(()));
    let empty = MemberClaim {
        group: String::new(),
        ..claim(&leader)
    };
    assert_eq!(world.heartbeat(empty), Err(GroupError::InvalidGroupId));
}

#[test]
fn a_silent_member_is_out_after_its_session_timeout() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.pass(SESSION_MS - 1);
    assert_eq!(world.heartbeat(claim(&members[0])), Ok(()));
    world.pass(1);
    assert_eq!(
        world.heartbeat(claim(&members[0])),
        Err(GroupError::RebalanceInProgress)
    );
    assert_eq!(
        world.heartbeat(claim(&members[1])),
        Err(GroupError::UnknownMemberId)
    );
}

#[test]
fn heartbeats_during_a_rebalance_keep_a_member_in() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let rejoin = world.join(again(&members[0]));
    for _ in 0..5 {
        world.pass(SESSION_MS - 1);
        assert_eq!(
            world.heartbeat(claim(&members[1])),
            Err(GroupError::RebalanceInProgress)
        );
    }
    assert!(world.waits(rejoin));
}

#[test]
fn a_member_that_waits_for_the_group_is_not_silent() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let rejoin = world.join(again(&members[0]));
    for _ in 0..5 {
        world.pass(SESSION_MS - 1);
        let _ = world.heartbeat(claim(&members[1]));
    }
    world.join(again(&members[1]));
    assert_eq!(world.joined(rejoin).generation, 2);
}

#[test]
fn the_last_member_leaves_an_empty_group_of_the_next_generation() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    assert_eq!(world.leave(&[(&members[0].member_id, None)]), [Ok(())]);
    assert_eq!(world.state(), "Empty");
    assert_eq!(
        world.heartbeat(claim(&members[0])),
        Err(GroupError::UnknownMemberId)
    );
    let next = world.stable(&[None]);
    assert_eq!(next[0].generation, 3);
}

#[test]
fn leaving_is_answered_for_each_member() {
    let mut world = World::new();
    let members = world.stable(&[None, Some("i"), Some("j")]);
    let told = world.join(JoinRequest {
        must_know_its_id: true,
        ..newcomer(None)
    });
    let pending = world.refused(told).member_id;
    let outcomes = world.leave(&[
        (&members[0].member_id, None),
        ("", Some("i")),
        (&members[0].member_id, Some("j")),
        ("stranger", None),
        ("", Some("unknown")),
        ("", None),
        (&pending, None),
    ]);
    let unknown = Err(GroupError::UnknownMemberId);
    let fenced = Err(GroupError::FencedInstanceId);
    assert_eq!(
        outcomes,
        [Ok(()), Ok(()), fenced, unknown, unknown, unknown, Ok(())]
    );
    assert_eq!(world.state(), "PreparingRebalance");
    assert_eq!(world.describe(GROUP).unwrap().members.len(), 1);
}

#[test]
fn leaving_a_group_that_does_not_exist_is_an_unknown_member() {
    let mut world = World::new();
    assert_eq!(
        world.leave(&[("a", None)]),
        [Err(GroupError::UnknownMemberId)]
    );
    assert_eq!(world.list(ListFilter::default()), []);
}

#[test]
fn a_rebalance_goes_on_without_those_who_leave() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let rejoin = world.join(again(&members[0]));
    assert!(world.waits(rejoin));
    world.leave(&[(&members[1].member_id, None)]);
    assert_eq!(world.joined(rejoin).members.len(), 1);
}

#[test]
fn whoever_is_put_out_while_it_waits_is_told() {
    let mut world = World::new();
    let members = world.stable(&[Some("i"), None]);
    let waiting = world.join(again(&members[1]));
    // Unchanged: answered at once.
    world.joined(waiting);
    world.join(again(&members[0]));
    let waiting = world.join(again(&members[1]));
    let waiting = if world.waits(waiting) {
        waiting
    } else {
        return;
    };
    world.leave(&[(&members[1].member_id, None)]);
    assert_eq!(world.refused(waiting).error, GroupError::UnknownMemberId);
}

#[test]
fn whoever_is_put_out_while_it_waits_for_its_share_is_told() {
    let mut world = World::new();
    let joins = [0, 1].map(|_| world.join(newcomer(None)));
    world.pass(DELAY_MS * 3);
    let members = joins.map(|id| world.joined(id));
    let sync = world.sync(&members[1], &[]);
    world.leave(&[(&members[1].member_id, None)]);
    assert!(matches!(world.answered(sync), GroupAnswer::Sync(Err(_))));
}
