//! When positions, and groups, are forgotten.

use super::*;

const RETENTION: u64 = RETENTION_MS as u64;

/// Keeps the members of a stable group alive for so long.
fn consume(world: &mut World, members: &[Joined], ms: u64) {
    for _ in 0..ms / 5_000 {
        world.pass(5_000);
        for one in members {
            let beat = world.heartbeat(claim(&one.member_id, one.generation));
            assert_eq!(beat, Ok(()));
        }
    }
}

/// As [`settings`], with a retention that a test can wait for while members send heartbeats.
fn short_retention() -> World {
    World::with(GroupSettings {
        offsets_retention_ms: 60_000,
        offsets_retention_check_interval_ms: 10_000,
        ..settings()
    })
}

#[test]
fn positions_of_consumers_that_are_no_members_expire_each_by_its_commit() {
    let mut world = World::new();
    world.commit(no_claim(), &[("a", 1)]);
    world.pass(RETENTION / 2);
    world.commit(no_claim(), &[("b", 1)]);
    world.pass(RETENTION / 2 + CHECK_MS);
    assert_eq!(world.offsets("g"), [("b".to_owned(), 1)]);
    world.pass(RETENTION / 2);
    assert_eq!(world.offsets("g"), []);
    assert_eq!(world.state(), "Dead");
    world.restart();
    assert_eq!(world.state(), "Dead");
}

#[test]
fn positions_of_a_group_expire_when_it_has_been_empty_for_the_retention() {
    let mut world = short_retention();
    let members = world.stable(&[None]);
    let member = &members[0].member_id;
    world.commit(claim(member, 1), &[("topic", 1)]);
    consume(&mut world, &members, 100_000);
    assert_eq!(world.leave(&[(member, None)]), [Ok(())]);
    world.pass(59_000);
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
    world.pass(11_000);
    assert_eq!(world.offsets("g"), []);
    assert_eq!(world.state(), "Dead");
}

#[test]
fn the_date_since_which_a_group_is_empty_outlives_the_broker() {
    let mut world = short_retention();
    let members = world.stable(&[None]);
    world.commit(claim(&members[0].member_id, 1), &[("topic", 1)]);
    consume(&mut world, &members, 100_000);
    world.leave(&[(&members[0].member_id, None)]);
    world.pass(30_000);
    world.restart();
    world.pass(29_000);
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
    world.pass(11_000);
    assert_eq!(world.offsets("g"), []);
}

#[test]
fn a_stable_group_loses_only_positions_in_topics_that_it_does_not_subscribe_to() {
    let mut world = short_retention();
    let members = world.stable(&[None]);
    let member = &members[0].member_id;
    world.commit(claim(member, 1), &[("topic", 1), ("another", 1)]);
    consume(&mut world, &members, 100_000);
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
}

#[test]
fn nothing_expires_where_the_subscriptions_cannot_be_read() {
    for (protocol_type, metadata) in [
        ("consumer", bytes("?")),
        ("connect", subscription(&["topic"])),
    ] {
        let mut world = short_retention();
        let id = world.join(&JoinRequest {
            protocol_type: protocol_type.to_owned(),
            protocols: vec![("range".to_owned(), metadata)],
            ..join()
        });
        world.pass(INITIAL_DELAY_MS);
        let members = [world.joined(id)];
        world.hand_out(&members);
        world.commit(claim(&members[0].member_id, 1), &[("another", 1)]);
        consume(&mut world, &members, 100_000);
        assert_eq!(world.offsets("g"), [("another".to_owned(), 1)]);
    }
}

#[test]
fn a_client_may_say_how_long_its_position_is_kept() {
    let mut world = World::new();
    let kept = |topic: &str, retention_ms| {
        GroupRequest::Commit(CommitRequest {
            claim: no_claim(),
            retention_ms,
            offsets: vec![((topic.to_owned(), 0), position(1))],
            ..CommitRequest::default()
        })
    };
    world.ask(kept("short", Some(1_000)));
    world.ask(kept("long", Some(RETENTION_MS * 3)));
    world.ask(kept("default", None));
    world.pass(CHECK_MS);
    let kept = |topics: &[&str]| -> Vec<(String, i64)> {
        topics.iter().map(|topic| (topic.to_string(), 1)).collect()
    };
    assert_eq!(world.offsets("g"), kept(&["default", "long"]));
    world.restart();
    world.pass(RETENTION * 2);
    assert_eq!(world.offsets("g"), kept(&["long"]));
    world.pass(RETENTION * 2);
    assert_eq!(world.offsets("g"), []);
}

#[test]
fn a_client_may_say_when_it_committed_each_position() {
    let mut world = World::new();
    world.ask(GroupRequest::Commit(CommitRequest {
        claim: no_claim(),
        commit_timestamps: [(("old".to_owned(), 0), TimestampMs(EPOCH_MS - RETENTION_MS))].into(),
        offsets: vec![
            (("old".to_owned(), 0), position(1)),
            (("new".to_owned(), 0), position(2)),
        ],
        ..CommitRequest::default()
    }));
    assert_eq!(
        world.offsets("g"),
        [("new".to_owned(), 2), ("old".to_owned(), 1)]
    );
    world.pass(CHECK_MS);
    assert_eq!(world.offsets("g"), [("new".to_owned(), 2)]);
}

#[test]
fn a_position_that_is_committed_anew_does_not_expire_with_the_old_one() {
    let mut world = World::new();
    world.commit(no_claim(), &[("topic", 1)]);
    world.pass(RETENTION - 1);
    world.holds_writes = true;
    world.commit(no_claim(), &[("topic", 2)]);
    world.pass(CHECK_MS);
    while !world.writes.is_empty() {
        world.land(Ok(()));
    }
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 2)]);
    world.restart();
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 2)]);
}

#[test]
fn an_expiry_that_could_not_be_written_is_tried_again() {
    let mut world = World::new();
    world.commit(no_claim(), &[("topic", 1)]);
    world.holds_writes = true;
    world.pass(RETENTION + CHECK_MS - 1);
    assert_eq!(world.writes.len(), 1);
    world.land(Err(WriteFault::Storage));
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
    world.pass(CHECK_MS);
    world.land(Ok(()));
    assert_eq!(world.offsets("g"), []);
}

#[test]
fn many_positions_are_forgotten_in_several_batches() {
    let mut world = World::new();
    let offsets = (0..2_500).map(|partition| (("topic".to_owned(), partition), position(1)));
    world.ask(GroupRequest::Commit(CommitRequest {
        claim: no_claim(),
        offsets: offsets.collect(),
        ..CommitRequest::default()
    }));
    world.holds_writes = true;
    world.pass(RETENTION + CHECK_MS - 1);
    let sizes: Vec<_> = world.writes.iter().map(|(_, batch)| batch.len()).collect();
    assert_eq!(sizes, [1_000, 1_000, 501]);
    while !world.writes.is_empty() {
        world.land(Ok(()));
    }
    assert_eq!(world.state(), "Dead");
}

#[test]
fn positions_in_deleted_topics_are_forgotten() {
    let mut world = World::new();
    world.commit(no_claim(), &[("gone", 1), ("stays", 1)]);
    world.holds_writes = true;
    let late = world.commit(no_claim(), &[("gone too", 1)]);
    let names = ["gone".to_owned(), "gone too".to_owned()];
    let effects = world.coordinator.topics_deleted(world.now(), &names);
    world.apply(effects);
    while !world.writes.is_empty() {
        world.land(Ok(()));
    }
    assert_eq!(world.committed(late), [Ok(())]);
    assert_eq!(world.offsets("g"), [("stays".to_owned(), 1)]);
    world.restart();
    assert_eq!(world.offsets("g"), [("stays".to_owned(), 1)]);
}
