//! What expires when, and what does not.

use super::*;

fn commit(world: &mut World, topic: &str) {
    let commit = world.commit(nobody(), topic, 5);
    world.committed(commit).unwrap();
}

/// A consumer of `t` that lives for so long.
fn live(world: &mut World, member: &Joined, ms: u64) {
    let mut left = ms;
    while left > 0 {
        let step = left.min(1_700_000);
        world.pass(step);
        assert_eq!(world.heartbeat(claim(member)), Ok(()));
        left -= step;
    }
}

fn long_lived(world: &mut World, protocol_type: &str) -> Joined {
    let join = world.join(JoinRequest {
        session_timeout_ms: 1_800_000,
        protocol_type: protocol_type.to_owned(),
        ..newcomer(None)
    });
    world.pass(DELAY_MS);
    let joined = world.joined(join);
    let sync = world.sync(&joined, &[]);
    world.synced(sync).unwrap();
    joined
}

#[test]
fn positions_of_no_member_expire_seven_days_after_their_commit_and_the_group_with_them() {
    let mut world = World::new();
    commit(&mut world, "t");
    world.pass(DAY_MS);
    commit(&mut world, "u");
    world.pass(6 * DAY_MS + 600_000);
    assert_eq!((world.position("t"), world.position("u")), (None, Some(5)));
    assert_eq!(world.state(), "Empty");
    world.pass(DAY_MS);
    assert_eq!(world.position("u"), None);
    assert_eq!(world.state(), "Dead");
    world.restart();
    assert_eq!(world.list(ListFilter::default()), []);
}

#[test]
fn nothing_that_is_consumed_expires_but_topics_that_nobody_subscribes_to() {
    let mut world = World::new();
    commit(&mut world, "t");
    commit(&mut world, "u");
    let member = long_lived(&mut world, "consumer");
    live(&mut world, &member, 8 * DAY_MS);
    assert_eq!((world.position("t"), world.position("u")), (Some(5), None));
    assert_eq!(world.state(), "Stable");
}

#[test]
fn positions_of_members_whose_subscription_is_unknown_do_not_expire() {
    let mut world = World::new();
    commit(&mut world, "t");
    let member = long_lived(&mut world, "connect");
    live(&mut world, &member, 8 * DAY_MS);
    assert_eq!(world.position("t"), Some(5));
}

#[test]
fn positions_expire_seven_days_after_the_group_became_empty() {
    let mut world = World::new();
    commit(&mut world, "t");
    let member = long_lived(&mut world, "consumer");
    live(&mut world, &member, 3 * DAY_MS);
    world.leave(&[(&member.member_id, None)]);
    world.pass(7 * DAY_MS - 600_000);
    assert_eq!(world.position("t"), Some(5));
    world.restart();
    world.pass(1_200_000);
    assert_eq!(world.position("t"), None);
    assert_eq!(world.state(), "Dead");
}

#[test]
fn a_client_may_say_how_long_a_position_is_kept() {
    let mut world = World::new();
    let short = CommitRequest {
        retention_ms: Some(3_600_000),
        ..commit_of(nobody(), "t", 5)
    };
    let long = CommitRequest {
        retention_ms: Some(30 * DAY_MS as i64),
        ..commit_of(nobody(), "u", 5)
    };
    for request in [short, long] {
        let id = world.ask(GroupRequest::Commit(request));
        world.committed(id).unwrap();
    }
    world.restart();
    world.pass(3_600_000 + 600_000);
    assert_eq!((world.position("t"), world.position("u")), (None, Some(5)));
    world.pass(20 * DAY_MS);
    assert_eq!(world.position("u"), Some(5));
    world.pass(11 * DAY_MS);
    assert_eq!(world.position("u"), None);
}

#[test]
fn a_client_may_say_when_it_committed() {
    let mut world = World::new();
    let earlier = TimestampMs(world.now.wall.0 - 6 * DAY_MS as i64);
    let id = world.ask(GroupRequest::Commit(CommitRequest {
        commit_timestamp: Some(earlier),
        ..commit_of(nobody(), "t", 5)
    }));
    world.committed(id).unwrap();
    world.pass(DAY_MS + 600_000);
    assert_eq!(world.position("t"), None);
}

#[test]
fn a_position_that_is_being_committed_anew_does_not_expire() {
    let mut world = World::new();
    commit(&mut world, "t");
    world.pass(7 * DAY_MS - 1_000);
    world.writes_at_once = false;
    let anew = world.commit(nobody(), "t", 6);
    world.pass(600_000);
    while !world.under_way.is_empty() {
        world.end_write(Ok(()));
    }
    assert_eq!(world.committed(anew), Ok(()));
    assert_eq!(world.position("t"), Some(6));
    world.restart();
    assert_eq!(world.position("t"), Some(6));
}

#[test]
fn what_could_not_be_forgotten_is_still_there() {
    let mut world = World::new();
    commit(&mut world, "t");
    world.writes_at_once = false;
    world.pass(7 * DAY_MS);
    assert!(!world.under_way.is_empty());
    while !world.under_way.is_empty() {
        world.end_write(Err(WriteFault::Storage));
    }
    assert_eq!(world.position("t"), Some(5));
    world.writes_at_once = true;
    world.pass(600_000);
    assert_eq!(world.position("t"), None);
}

#[test]
fn a_group_that_only_gave_out_an_id_is_forgotten() {
    let mut world = World::new();
    let join = world.join(JoinRequest {
        must_know_its_id: true,
        ..newcomer(None)
    });
    world.refused(join);
    world.pass(1_200_000);
    assert_eq!(world.list(ListFilter::default()), []);
    world.restart();
    assert_eq!(world.list(ListFilter::default()), []);
}
