//! Who becomes a member, and when a generation begins.

use super::*;

#[test]
fn a_new_member_is_given_an_id_and_comes_back_with_it() {
    let mut world = World::new();
    let first = world.join(&polite_join());
    let refusal = world.refusal(first);
    assert_eq!(refusal.error, GroupError::MemberIdRequired);
    assert!(refusal.member_id.starts_with("client-"), "{refusal:?}");
    let known = JoinRequest {
        member_id: refusal.member_id.clone(),
        ..polite_join()
    };
    let second = world.join(&known);
    world.pass(INITIAL_DELAY_MS);
    let joined = world.joined(second);
    assert_eq!(joined.member_id, refusal.member_id);
    assert_eq!((joined.generation, &joined.leader), (1, &refusal.member_id));
    assert_eq!(joined.members.len(), 1);
}

#[test]
fn an_id_that_nobody_came_back_with_is_void_after_the_session_timeout() {
    let mut world = World::new();
    let first = world.join(&polite_join());
    let member_id = world.refusal(first).member_id;
    world.pass(u64::try_from(SESSION_MS).unwrap());
    let late = world.join(&JoinRequest {
        member_id,
        ..polite_join()
    });
    assert_eq!(world.refusal(late).error, GroupError::UnknownMemberId);
    assert_eq!(world.state(), "Dead");
}

#[test]
fn a_rebalance_waits_for_members_that_were_given_an_id() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let newcomer = world.join(&polite_join());
    let member_id = world.refusal(newcomer).member_id;
    let leader = world.join(&rejoin(&members[0]));
    assert!(world.is_waiting(leader));
    let newcomer = world.join(&JoinRequest {
        member_id,
        ..polite_join()
    });
    assert_eq!(world.joined(leader).generation, 2);
    assert_eq!(world.joined(newcomer).generation, 2);
}

#[test]
fn ids_that_the_coordinator_did_not_give_are_unknown() {
    let mut world = World::new();
    let made_up = JoinRequest {
        member_id: "made up".to_owned(),
        ..join()
    };
    let id = world.join(&made_up);
    assert_eq!(world.refusal(id).error, GroupError::UnknownMemberId);
    world.stable(&[None]);
    let id = world.join(&made_up);
    let refusal = world.refusal(id);
    assert_eq!(refusal.error, GroupError::UnknownMemberId);
    assert_eq!(refusal.member_id, "made up");
}

#[test]
fn empty_group_ids_and_session_timeouts_out_of_range_are_refused() {
    let mut world = World::new();
    let nameless = JoinRequest {
        group: String::new(),
        ..join()
    };
    let id = world.join(&nameless);
    assert_eq!(world.refusal(id).error, GroupError::InvalidGroupId);
    for session_timeout_ms in [5_999, 1_800_001, -1] {
        let id = world.join(&JoinRequest {
            session_timeout_ms,
            ..join()
        });
        assert_eq!(world.refusal(id).error, GroupError::InvalidSessionTimeout);
    }
}

#[test]
fn the_assignor_is_voted_for_among_those_that_all_know() {
    let mut world = World::new();
    let joins = [
        &["a", "b", "c"][..],
        &["only mine", "c", "b"],
        &["c", "b"],
        &["b", "c"],
        &["c", "b"],
    ]
    .map(|names| world.join(&with_protocols(join(), names)));
    world.until_answered();
    for id in joins {
        assert_eq!(world.joined(id).protocol_name, "c");
    }
}

#[test]
fn protocols_that_do_not_fit_the_group_are_inconsistent() {
    let mut world = World::new();
    for unfit in [
        with_protocols(join(), &[]),
        JoinRequest {
            protocol_type: String::new(),
            ..join()
        },
    ] {
        let id = world.join(&unfit);
        let error = world.refusal(id).error;
        assert_eq!(error, GroupError::InconsistentGroupProtocol);
    }
    assert_eq!(world.state(), "Dead", "a refused join makes no group");
    world.stable(&[None]);
    for unfit in [
        with_protocols(join(), &["roundrobin"]),
        JoinRequest {
            protocol_type: "connect".to_owned(),
            ..join()
        },
    ] {
        let id = world.join(&unfit);
        let error = world.refusal(id).error;
        assert_eq!(error, GroupError::InconsistentGroupProtocol);
    }
    assert_eq!(world.state(), "Stable");
}

#[test]
fn only_the_leader_is_told_of_the_members() {
    let mut world = World::new();
    let joins = [join(), join()].map(|join| world.join(&join));
    world.until_answered();
    let [leader, follower] = joins.map(|id| world.joined(id));
    assert_eq!(leader.leader, leader.member_id);
    assert_eq!(leader.members.len(), 2);
    assert_eq!(leader.members[0].metadata, subscription(&["topic"]));
    assert_eq!(follower.leader, leader.member_id);
    assert!(follower.members.is_empty());
    assert_eq!(follower.protocol_type, "consumer");
}

#[test]
fn the_first_rebalance_is_delayed_and_every_newcomer_delays_it_again() {
    let mut world = World::new();
    let first = world.join(&join());
    world.pass(INITIAL_DELAY_MS - 1);
    let second = world.join(&join());
    world.pass(INITIAL_DELAY_MS);
    assert!(world.is_waiting(first), "the newcomer has delayed it");
    world.pass(1);
    assert_eq!(world.joined(first).generation, 1);
    assert_eq!(world.joined(second).generation, 1);
}

#[test]
fn newcomers_delay_the_first_rebalance_no_longer_than_the_rebalance_timeout() {
    let mut world = World::new();
    let patient = JoinRequest {
        rebalance_timeout_ms: 7_000,
        ..join()
    };
    let first = world.join(&patient);
    for _ in 0..7 {
        assert!(world.is_waiting(first));
        world.pass(1_000);
        world.join(&patient);
    }
    world.pass(2_000);
    assert_eq!(world.joined(first).generation, 1);
}

#[test]
fn only_a_group_that_was_empty_delays_its_rebalance() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let newcomer = world.join(&join());
    let leader = world.join(&rejoin(&members[0]));
    assert_eq!(world.joined(leader).generation, 2);
    assert_eq!(world.joined(newcomer).generation, 2);
}

#[test]
fn a_leader_that_joins_again_rebalances_the_group() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let leader = world.join(&rejoin(&members[0]));
    assert!(world.is_waiting(leader));
    assert_eq!(world.state(), "PreparingRebalance");
}

#[test]
fn a_follower_that_joins_again_unchanged_gets_its_generation_and_changed_rebalances() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let follower = world.join(&rejoin(&members[1]));
    let joined = world.joined(follower);
    assert_eq!(joined.generation, 1);
    assert_eq!(joined.leader, members[0].member_id);
    assert_eq!(world.state(), "Stable");
    let changed = JoinRequest {
        protocols: vec![("range".to_owned(), subscription(&["another"]))],
        ..rejoin(&members[1])
    };
    let follower = world.join(&changed);
    assert!(world.is_waiting(follower));
    assert_eq!(world.state(), "PreparingRebalance");
}

#[test]
fn a_member_that_did_not_get_the_answer_to_its_join_gets_it_again() {
    let mut world = World::new();
    let joins = [join(), join()].map(|join| world.join(&join));
    world.until_answered();
    let [leader, follower] = joins.map(|id| world.joined(id));
    for one in [leader, follower] {
        let again = world.join(&rejoin(&one));
        assert_eq!(world.joined(again), one);
    }
    assert_eq!(world.state(), "CompletingRebalance");
}

#[test]
fn members_that_do_not_join_within_the_rebalance_timeout_are_out() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let follower = JoinRequest {
        protocols: vec![("range".to_owned(), subscription(&["another"]))],
        ..rejoin(&members[1])
    };
    let follower = world.join(&follower);
    // The leader says that it is there, and that is not enough.
    for _ in 0..u64::try_from(REBALANCE_MS).unwrap() / 5_000 {
        assert!(world.is_waiting(follower));
        let outcome = world.heartbeat(claim(&members[0].member_id, 1));
        assert_eq!(outcome, Err(GroupError::RebalanceInProgress));
        world.pass(5_000);
    }
    let joined = world.joined(follower);
    assert_eq!((joined.generation, joined.members.len()), (2, 1));
    assert_eq!(joined.leader, joined.member_id, "it leads now");
}

#[test]
fn a_group_has_no_more_members_than_its_largest_size() {
    let mut world = World::with(GroupSettings {
        max_size: 2,
        ..settings()
    });
    let joins = [join(), join()].map(|join| world.join(&join));
    let third = world.join(&join());
    let refusal = world.refusal(third);
    assert_eq!(refusal.error, GroupError::GroupMaxSizeReached);
    assert_eq!(refusal.member_id, "");
    world.until_answered();
    let joined = joins.map(|id| world.joined(id));
    let third = world.join(&join());
    assert_eq!(world.refusal(third).error, GroupError::GroupMaxSizeReached);
    let known = world.join(&rejoin(&joined[1]));
    assert_eq!(world.joined(known).generation, 1);
}

#[test]
fn a_group_that_is_larger_than_allowed_when_it_is_loaded_shrinks() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.settings.max_size = 1;
    world.restart();
    assert_eq!(world.state(), "PreparingRebalance");
    let first = world.join(&rejoin(&members[0]));
    let second = world.join(&rejoin(&members[1]));
    assert_eq!(world.refusal(second).error, GroupError::GroupMaxSizeReached);
    world.until_answered();
    assert_eq!(world.joined(first).members.len(), 1);
}

#[test]
fn a_join_that_is_sent_again_takes_the_place_of_the_one_that_waits() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let first = world.join(&rejoin(&members[0]));
    let second = world.join(&rejoin(&members[0]));
    assert_eq!(world.refusal(first).error, GroupError::RebalanceInProgress);
    let follower = world.join(&rejoin(&members[1]));
    assert_eq!(world.joined(second).generation, 2);
    assert_eq!(world.joined(follower).generation, 2);
}

#[test]
fn a_member_brings_no_more_than_it_may() {
    let mut world = World::new();
    let names: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let id = world.join(&with_protocols(join(), &names));
    assert_eq!(world.refusal(id).error, GroupError::InvalidRequest);
    let large = JoinRequest {
        protocols: vec![("range".to_owned(), vec![0; 8 * 1024 * 1024].into())],
        ..join()
    };
    let id = world.join(&large);
    assert_eq!(world.refusal(id).error, GroupError::InvalidRequest);
    let long = JoinRequest {
        client_id: "č".repeat(20_000),
        ..polite_join()
    };
    let id = world.join(&long);
    assert!(world.refusal(id).member_id.len() <= 32_767);
}

#[test]
fn a_new_member_whose_first_join_waits_too_long_is_taken_to_be_gone() {
    let mut world = World::new();
    let members = world.stable(&[Some("a")]);
    let patient = JoinRequest {
        rebalance_timeout_ms: 3_600_000,
        ..join()
    };
    let newcomer = world.join(&patient);
    for _ in 0..100 {
        assert!(world.is_waiting(newcomer));
        let beat = world.heartbeat(claim(&members[0].member_id, 1));
        assert_eq!(beat, Err(GroupError::RebalanceInProgress));
        world.pass(3_000);
    }
    assert_eq!(world.refusal(newcomer).error, GroupError::UnknownMemberId);
}

#[test]
fn the_generation_after_the_largest_is_the_first() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let group = world.coordinator.groups.get_mut("g").unwrap();
    group.generation = i32::MAX;
    let leader = world.join(&rejoin(&members[0]));
    assert_eq!(world.joined(leader).generation, 1);
}
