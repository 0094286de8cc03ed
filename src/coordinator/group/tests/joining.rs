//! JoinGroup: ids, assignors, delays and limits.

use super::*;

#[test]
fn a_new_member_must_come_back_with_its_id() {
    let mut world = World::new();
    let asked = JoinRequest {
        must_know_its_id: true,
        ..newcomer(None)
    };
    let first = world.join(asked.clone());
    let told = world.refused(first);
    assert_eq!(told.error, GroupError::MemberIdRequired);
    assert_eq!(told.member_id, format!("client-{}", asked.fresh_id));
    assert_eq!(world.describe(GROUP).unwrap().members, []);
    let second = world.join(JoinRequest {
        member_id: told.member_id.clone(),
        ..asked
    });
    world.pass(DELAY_MS);
    let joined = world.joined(second);
    assert_eq!(
        (joined.generation, joined.member_id.clone()),
        (1, told.member_id.clone())
    );
    assert_eq!(joined.leader, told.member_id);
    assert_eq!(joined.members.len(), 1);
}

#[test]
fn an_id_that_was_given_out_is_void_after_the_session_timeout() {
    let mut world = World::new();
    let asked = JoinRequest {
        must_know_its_id: true,
        ..newcomer(None)
    };
    let first = world.join(asked.clone());
    let member_id = world.refused(first).member_id;
    world.pass(SESSION_MS);
    let late = world.join(JoinRequest { member_id, ..asked });
    assert_eq!(world.refused(late).error, GroupError::UnknownMemberId);
}

#[test]
fn a_rebalance_waits_for_whoever_was_given_an_id_until_its_session_timeout() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let pending = world.join(JoinRequest {
        must_know_its_id: true,
        ..newcomer(None)
    });
    world.refused(pending);
    let rejoin = world.join(again(&members[0]));
    assert!(world.waits(rejoin));
    world.pass(SESSION_MS);
    assert_eq!(world.joined(rejoin).generation, 2);
}

#[test]
fn static_members_need_not_come_back_with_their_id() {
    let mut world = World::new();
    let join = world.join(newcomer(Some("i")));
    world.pass(DELAY_MS);
    let joined = world.joined(join);
    assert!(joined.member_id.starts_with("i-"), "{}", joined.member_id);
    assert_eq!(joined.members[0].instance_id.as_deref(), Some("i"));
}

#[test]
fn an_unknown_id_is_refused() {
    let mut world = World::new();
    for round in 0..2 {
        if round == 1 {
            world.stable(&[None]);
        }
        let join = world.join(JoinRequest {
            member_id: "nobody".to_owned(),
            ..newcomer(None)
        });
        let refusal = world.refused(join);
        assert_eq!(refusal.error, GroupError::UnknownMemberId, "round {round}");
        assert_eq!(refusal.member_id, "nobody");
    }
}

#[test]
fn session_timeouts_outside_of_the_bounds_and_empty_groups_are_refused() {
    let mut world = World::new();
    for session_timeout_ms in [5_999, 1_800_001] {
        let join = world.join(JoinRequest {
            session_timeout_ms,
            ..newcomer(None)
        });
        assert_eq!(world.refused(join).error, GroupError::InvalidSessionTimeout);
    }
    let join = world.join(JoinRequest {
        group: String::new(),
        ..newcomer(None)
    });
    assert_eq!(world.refused(join).error, GroupError::InvalidGroupId);
    assert_eq!(world.list(ListFilter::default()), []);
}

#[test]
fn the_assignor_that_most_members_prefer_is_chosen_among_those_that_all_know() {
    let mut world = World::new();
    let joins = [
        &["sticky", "range"][..],
        &["range", "sticky"],
        &["only-mine", "sticky", "range"],
    ]
    .map(|protocols| world.join(knowing(protocols)));
    world.pass(DELAY_MS * 3);
    for join in joins {
        let joined = world.joined(join);
        assert_eq!(joined.protocol_name, "sticky");
        assert_eq!(joined.protocol_type, "consumer");
    }
}

#[test]
fn of_equally_preferred_assignors_the_first_by_name_is_chosen() {
    let mut world = World::new();
    let first = world.join(knowing(&["b", "a"]));
    world.join(knowing(&["a", "b"]));
    world.pass(DELAY_MS * 2);
    assert_eq!(world.joined(first).protocol_name, "a");
}

#[test]
fn members_without_a_common_assignor_or_of_another_type_are_refused() {
    let mut world = World::new();
    let none = world.join(knowing(&[]));
    assert_eq!(
        world.refused(none).error,
        GroupError::InconsistentGroupProtocol
    );
    world.stable(&[None]);
    let other = world.join(knowing(&["other"]));
    assert_eq!(
        world.refused(other).error,
        GroupError::InconsistentGroupProtocol
    );
    let connect = world.join(JoinRequest {
        protocol_type: "connect".to_owned(),
        ..newcomer(None)
    });
    assert_eq!(
        world.refused(connect).error,
        GroupError::InconsistentGroupProtocol
    );
    assert_eq!(world.state(), "Stable");
}

#[test]
fn only_the_leader_is_told_of_the_members() {
    let mut world = World::new();
    let members = world.stable(&[None, None, None]);
    assert_eq!(members[0].members.len(), 3);
    assert_eq!(members[0].members[0].metadata, subscription(&["t"]));
    for follower in &members[1..] {
        assert_eq!(follower.members, []);
        assert_eq!(follower.leader, members[0].member_id);
    }
}

#[test]
fn a_group_that_was_empty_waits_longer_while_members_come_up_to_the_rebalance_timeout() {
    let mut world = World::new();
    let patient = |rebalance_timeout_ms| JoinRequest {
        rebalance_timeout_ms,
        ..newcomer(None)
    };
    let first = world.join(patient(7_000));
    world.pass(DELAY_MS - 1);
    world.join(patient(7_000));
    world.pass(1);
    assert!(world.waits(first), "the second came in time");
    world.pass(DELAY_MS - 1);
    world.join(patient(7_000));
    world.pass(1);
    assert!(world.waits(first), "the third came in time");
    world.pass(1_000);
    assert_eq!(world.joined(first).members.len(), 3, "7 s are over");
}

#[test]
fn a_group_with_members_waits_for_nobody_but_them() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let new = world.join(newcomer(None));
    for member in &members {
        assert_eq!(
            world.heartbeat(claim(member)),
            Err(GroupError::RebalanceInProgress)
        );
    }
    let rejoins = [0, 1].map(|i| world.join(again(&members[i])));
    assert_eq!(world.joined(new).generation, 2);
    for rejoin in rejoins {
        assert_eq!(world.joined(rejoin).generation, 2);
    }
}

#[test]
fn who_does_not_rejoin_within_the_rebalance_timeout_is_out() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let rejoin = world.join(again(&members[0]));
    for _ in 0..REBALANCE_MS / 5_000 {
        assert!(world.waits(rejoin));
        // It lives, but does not join.
        let _ = world.heartbeat(claim(&members[1]));
        world.pass(5_000);
    }
    let joined = world.joined(rejoin);
    assert_eq!((joined.generation, joined.members.len()), (2, 1));
    assert_eq!(
        world.heartbeat(claim(&members[1])),
        Err(GroupError::UnknownMemberId)
    );
}

#[test]
fn an_unchanged_follower_that_joins_again_gets_the_same_generation() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let rejoin = world.join(again(&members[1]));
    let joined = world.joined(rejoin);
    assert_eq!(joined, members[1]);
    assert_eq!(world.state(), "Stable");
}

#[test]
fn a_leader_that_joins_again_or_changed_metadata_rebalances() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.join(JoinRequest {
        protocols: vec![("range".to_owned(), subscription(&["u"]))],
        ..again(&members[1])
    });
    assert_eq!(world.state(), "PreparingRebalance");
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.join(again(&members[0]));
    assert_eq!(world.state(), "PreparingRebalance");
}

#[test]
fn a_member_that_missed_its_answer_gets_it_again_before_the_assignment() {
    let mut world = World::new();
    let first = world.join(newcomer(None));
    world.pass(DELAY_MS);
    let joined = world.joined(first);
    let repeated = world.join(again(&joined));
    assert_eq!(world.joined(repeated), joined);
}

#[test]
fn a_join_that_is_repeated_while_it_waits_leaves_nobody_waiting_for_ever() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let first = world.join(again(&members[0]));
    let second = world.join(again(&members[0]));
    assert!(!world.waits(first));
    world.join(again(&members[1]));
    assert_eq!(world.joined(second).generation, 2);
}

#[test]
fn a_newcomer_that_waits_too_long_must_ask_again() {
    let mut world = World::new();
    let patient = JoinRequest {
        rebalance_timeout_ms: 1_800_000,
        ..newcomer(None)
    };
    let first = world.join(patient.clone());
    world.pass(DELAY_MS);
    let leader = world.joined(first);
    let sync = world.sync(&leader, &[]);
    world.synced(sync).unwrap();
    let new = world.join(JoinRequest {
        fresh_id: uuid::Uuid::new_v4(),
        ..patient
    });
    for _ in 0..60 {
        assert!(world.waits(new));
        let _ = world.heartbeat(claim(&leader));
        world.pass(5_000);
    }
    assert_eq!(world.refused(new).error, GroupError::UnknownMemberId);
}

#[test]
fn a_full_group_takes_nobody_in() {
    let mut world = World::with(GroupSettings {
        max_size: 2,
        ..settings()
    });
    let members = world.stable(&[None, None]);
    let third = world.join(newcomer(None));
    let refusal = world.refused(third);
    assert_eq!(
        (refusal.error, refusal.member_id.as_str()),
        (GroupError::GroupMaxSizeReached, "")
    );
    let leader = world.join(again(&members[0]));
    let follower = world.join(again(&members[1]));
    assert_eq!(world.joined(leader).members.len(), 2);
    world.joined(follower);
}

#[test]
fn a_full_group_refuses_the_last_to_come_back_with_their_ids() {
    let mut world = World::with(GroupSettings {
        max_size: 2,
        ..settings()
    });
    let asked: Vec<JoinRequest> = (0..3)
        .map(|_| JoinRequest {
            must_know_its_id: true,
            ..newcomer(None)
        })
        .collect();
    let told: Vec<_> = asked.iter().map(|join| world.join(join.clone())).collect();
    let joins: Vec<_> = told
        .into_iter()
        .zip(asked)
        .map(|(id, asked)| {
            let member_id = world.refused(id).member_id;
            world.join(JoinRequest { member_id, ..asked })
        })
        .collect();
    assert_eq!(
        world.refused(joins[2]).error,
        GroupError::GroupMaxSizeReached
    );
    world.pass(DELAY_MS * 3);
    assert_eq!(world.joined(joins[0]).members.len(), 2);
}

#[test]
fn a_group_over_a_lowered_limit_rebalances_when_it_is_loaded() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.settings.max_size = 1;
    world.restart();
    assert_eq!(world.state(), "PreparingRebalance");
    let first = world.join(again(&members[0]));
    let second = world.join(again(&members[1]));
    assert_eq!(world.refused(second).error, GroupError::GroupMaxSizeReached);
    world.pass(REBALANCE_MS);
    assert_eq!(world.joined(first).members.len(), 1);
}
