//! Members that are heard of, and members that are not.

use super::*;

const SESSION: u64 = SESSION_MS as u64;

#[test]
fn heartbeats_are_answered_by_the_state_of_the_group() {
    let mut world = World::new();
    let unknown = Err(GroupError::UnknownMemberId);
    assert_eq!(world.heartbeat(claim("nobody", 1)), unknown, "no group");
    let joins = [join(), join()].map(|join| world.join(&join));
    world.until_answered();
    let [leader, follower] = joins.map(|id| world.joined(id));
    let beat = claim(&follower.member_id, 1);
    assert_eq!(world.state(), "CompletingRebalance");
    assert_eq!(world.heartbeat(beat.clone()), Ok(()));
    world.hand_out(&[leader.clone(), follower.clone()]);
    assert_eq!(world.heartbeat(beat.clone()), Ok(()), "stable");
    let stale = claim(&follower.member_id, 0);
    assert_eq!(world.heartbeat(stale), Err(GroupError::IllegalGeneration));
    assert_eq!(world.heartbeat(claim("nobody", 1)), unknown);
    world.join(&rejoin(&leader));
    assert_eq!(world.heartbeat(beat), Err(GroupError::RebalanceInProgress));
}

#[test]
fn heartbeats_to_an_empty_group_are_of_unknown_members() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let id = members[0].member_id.as_str();
    assert_eq!(world.leave(&[(id, None)]), [Ok(())]);
    assert_eq!(world.state(), "Empty");
    let beat = world.heartbeat(claim(id, 1));
    assert_eq!(beat, Err(GroupError::UnknownMemberId));
}

#[test]
fn a_member_that_is_silent_for_its_session_timeout_is_out() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let beat = claim(&members[0].member_id, 1);
    world.pass(SESSION - 1);
    assert_eq!(world.heartbeat(beat.clone()), Ok(()));
    assert_eq!(world.state(), "Stable");
    world.pass(1);
    assert_eq!(world.state(), "PreparingRebalance");
    let gone = world.heartbeat(claim(&members[1].member_id, 1));
    assert_eq!(gone, Err(GroupError::UnknownMemberId));
    assert_eq!(world.heartbeat(beat), Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_heartbeat_during_a_rebalance_keeps_the_member() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let leader = world.join(&rejoin(&members[0]));
    for _ in 0..3 {
        world.pass(SESSION - 1);
        let beat = world.heartbeat(claim(&members[1].member_id, 1));
        assert_eq!(beat, Err(GroupError::RebalanceInProgress));
    }
    assert!(world.is_waiting(leader));
    let follower = world.join(&rejoin(&members[1]));
    assert_eq!(world.joined(leader).members.len(), 2);
    assert_eq!(world.joined(follower).generation, 2);
}

#[test]
fn a_group_whose_members_all_fall_silent_is_empty() {
    let mut world = World::new();
    world.stable(&[None, None]);
    world.pass(SESSION);
    assert_eq!(world.state(), "Empty");
    world.restart();
    assert_eq!(world.state(), "Empty");
}

#[test]
fn members_that_leave_are_out_at_once() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let ids = [&members[0].member_id, &members[1].member_id];
    assert_eq!(
        world.leave(&[(ids[0], None), ("nobody", None), ("", None)]),
        [
            Ok(()),
            Err(GroupError::UnknownMemberId),
            Err(GroupError::UnknownMemberId)
        ]
    );
    assert_eq!(world.state(), "PreparingRebalance");
    assert_eq!(world.leave(&[(ids[1], None)]), [Ok(())]);
    assert_eq!(world.state(), "Empty");
}

#[test]
fn a_member_that_leaves_does_not_keep_the_others_waiting() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let leader = world.join(&rejoin(&members[0]));
    assert!(world.is_waiting(leader));
    let left = world.leave(&[(&members[1].member_id, None)]);
    assert_eq!(left, [Ok(())]);
    assert_eq!(world.joined(leader).members.len(), 1);
}

#[test]
fn a_member_can_leave_while_its_join_or_its_sync_waits() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let leader = world.join(&rejoin(&members[0]));
    world.leave(&[(&members[0].member_id, None)]);
    assert_eq!(world.refusal(leader).error, GroupError::UnknownMemberId);
    let mut world = World::new();
    let joins = [join(), join()].map(|join| world.join(&join));
    world.until_answered();
    let [_, follower] = joins.map(|id| world.joined(id));
    let waits = world.sync(&follower, &[]);
    world.leave(&[(&follower.member_id, None)]);
    assert_eq!(world.synced(waits), Err(GroupError::UnknownMemberId));
}

#[test]
fn an_id_that_was_given_can_be_given_back() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let newcomer = world.join(&polite_join());
    let id = world.refusal(newcomer).member_id;
    let leader = world.join(&rejoin(&members[0]));
    assert!(world.is_waiting(leader));
    assert_eq!(world.leave(&[(&id, None)]), [Ok(())]);
    assert_eq!(world.joined(leader).generation, 2);
}

#[test]
fn everyone_is_unknown_to_a_group_that_is_not_there() {
    let mut world = World::new();
    let unknown = Err(GroupError::UnknownMemberId);
    let left = world.leave(&[("a", None), ("", Some("i"))]);
    assert_eq!(left, [unknown, unknown]);
    let nameless = GroupRequest::Leave(LeaveRequest::default());
    let id = world.ask(nameless);
    let refused = GroupAnswer::Leave(Err(GroupError::InvalidGroupId));
    assert_eq!(world.answer(id), refused);
}
