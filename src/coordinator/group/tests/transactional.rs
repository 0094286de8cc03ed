//! Positions that are committed in a transaction.

use super::*;

/// What a client finds that wants stable positions.
fn stable(world: &mut World, topic: &str) -> Result<Option<i64>, GroupError> {
    let id = world.ask(GroupRequest::FetchOffsets(FetchOffsetsRequest {
        group: "g".to_owned(),
        partitions: Some(vec![(topic.to_owned(), 0)]),
        require_stable: true,
        ..FetchOffsetsRequest::default()
    }));
    match world.answer(id) {
        GroupAnswer::FetchOffsets(Ok(mut found)) => {
            let (_, position) = found.pop().unwrap();
            position.map(|position| position.map(|position| position.offset))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn positions_of_a_transaction_count_when_it_commits_and_never_when_it_aborts() {
    for committed in [true, false] {
        let mut world = World::new();
        world.commit(no_claim(), &[("a", 1)]);
        let id = world.commit_for(7, no_claim(), &[("a", 5), ("b", 6)]);
        assert_eq!(world.committed(id), [Ok(()), Ok(())]);
        assert_eq!(world.offsets("g"), [("a".to_owned(), 1)]);
        let unstable = Err(GroupError::UnstableOffsetCommit);
        assert_eq!(stable(&mut world, "a"), unstable);
        assert_eq!(stable(&mut world, "b"), unstable);
        assert_eq!(stable(&mut world, "c"), Ok(None));
        world.end(8, true);
        assert_eq!(stable(&mut world, "a"), unstable, "another's end");
        world.end(7, committed);
        let (a, b) = if committed { (5, Some(6)) } else { (1, None) };
        for _ in 0..2 {
            assert_eq!(stable(&mut world, "a"), Ok(Some(a)));
            assert_eq!(stable(&mut world, "b"), Ok(b));
            world.restart();
        }
    }
}

#[test]
fn a_position_is_unstable_from_the_moment_it_is_on_its_way() {
    let mut world = World::new();
    world.holds_writes = true;
    let id = world.commit_for(7, no_claim(), &[("a", 5)]);
    assert_eq!(
        stable(&mut world, "a"),
        Err(GroupError::UnstableOffsetCommit)
    );
    world.land(Err(WriteFault::Fenced));
    assert_eq!(world.committed(id), [Err(GroupError::ProducerFenced)]);
    assert_eq!(stable(&mut world, "a"), Ok(None));
    world.end(7, true);
    assert_eq!(stable(&mut world, "a"), Ok(None), "it was never written");
}

#[test]
fn what_was_open_at_a_restart_is_decided_by_the_marker_that_comes_after() {
    let mut world = World::new();
    world.commit_for(7, no_claim(), &[("a", 5)]);
    world.restart();
    assert_eq!(
        stable(&mut world, "a"),
        Err(GroupError::UnstableOffsetCommit)
    );
    world.end(7, true);
    assert_eq!(world.offsets("g"), [("a".to_owned(), 5)]);
}

#[test]
fn a_plain_commit_behind_a_transactions_is_not_undone_by_its_end() {
    let mut world = World::new();
    world.commit_for(7, no_claim(), &[("a", 5)]);
    world.commit(no_claim(), &[("a", 9)]);
    world.end(7, true);
    for _ in 0..2 {
        assert_eq!(world.offsets("g"), [("a".to_owned(), 9)]);
        world.restart();
    }
}

#[test]
fn two_transactions_of_one_group_do_not_touch_each_other() {
    let mut world = World::new();
    world.commit_for(7, no_claim(), &[("a", 5)]);
    world.commit_for(8, no_claim(), &[("a", 6), ("b", 1)]);
    world.end(7, false);
    assert_eq!(
        stable(&mut world, "a"),
        Err(GroupError::UnstableOffsetCommit)
    );
    world.end(8, true);
    let all = [("a".to_owned(), 6), ("b".to_owned(), 1)];
    assert_eq!(world.offsets("g"), all);
}

#[test]
fn a_member_commits_in_a_transaction_while_the_group_rebalances_and_a_zombie_never() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let claim = MemberClaim {
        group: "g".to_owned(),
        member_id: members[0].member_id.clone(),
        instance_id: None,
        generation: members[0].generation,
    };
    let id = world.commit_for(7, claim.clone(), &[("a", 5)]);
    assert_eq!(world.committed(id), [Ok(())]);
    let old = MemberClaim {
        generation: claim.generation - 1,
        ..claim.clone()
    };
    let id = world.commit_for(7, old, &[("a", 6)]);
    assert_eq!(world.committed(id), [Err(GroupError::IllegalGeneration)]);
    let stranger = MemberClaim {
        member_id: "stranger".to_owned(),
        ..claim
    };
    let id = world.commit_for(7, stranger, &[("a", 6)]);
    assert_eq!(world.committed(id), [Err(GroupError::UnknownMemberId)]);
    // Clients of old say nothing of members.
    let id = world.commit_for(7, no_claim(), &[("a", 7)]);
    assert_eq!(world.committed(id), [Ok(())]);
}

#[test]
fn a_position_that_a_transaction_is_about_to_replace_does_not_expire() {
    let mut world = World::new();
    world.commit(no_claim(), &[("a", 1)]);
    world.commit_for(7, no_claim(), &[("a", 5)]);
    world.pass(RETENTION_MS as u64 + CHECK_MS + 1);
    assert_eq!(world.offsets("g"), [("a".to_owned(), 1)]);
    world.end(7, false);
    world.pass(CHECK_MS + 1);
    assert_eq!(world.offsets("g"), []);
}

#[test]
fn a_deleted_group_takes_along_what_waits_for_a_transaction() {
    let mut world = World::new();
    world.commit_for(7, no_claim(), &[("a", 5)]);
    let id = world.ask(GroupRequest::Delete {
        group: "g".to_owned(),
    });
    assert_eq!(world.answer(id), GroupAnswer::Delete(Ok(())));
    world.end(7, true);
    for _ in 0..2 {
        assert_eq!(world.offsets("g"), []);
        world.restart();
    }
}
