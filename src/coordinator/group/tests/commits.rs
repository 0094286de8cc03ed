//! Positions: who may commit them, and what is found of them.

use super::*;

#[test]
fn a_consumer_that_is_no_member_commits_to_a_group_that_is_empty_or_not_there() {
    let mut world = World::new();
    let id = world.commit(no_claim(), &[("topic", 5)]);
    assert_eq!(world.committed(id), [Ok(())]);
    assert_eq!(world.state(), "Empty");
    let id = world.commit(no_claim(), &[("topic", 6)]);
    assert_eq!(world.committed(id), [Ok(())]);
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 6)]);
    world.stable(&[None]);
    let id = world.commit(no_claim(), &[("topic", 7)]);
    assert_eq!(world.committed(id), [Err(GroupError::UnknownMemberId)]);
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 6)]);
}

#[test]
fn the_empty_group_id_is_good_for_commits_and_fetches_alone() {
    let mut world = World::new();
    let nameless = MemberClaim {
        group: String::new(),
        ..no_claim()
    };
    let id = world.commit(nameless, &[("topic", 5)]);
    assert_eq!(world.committed(id), [Ok(())]);
    assert_eq!(world.offsets(""), [("topic".to_owned(), 5)]);
    let beat = world.heartbeat(MemberClaim::default());
    assert_eq!(beat, Err(GroupError::InvalidGroupId));
    let id = world.ask(GroupRequest::Delete {
        group: String::new(),
    });
    let refused = GroupAnswer::Delete(Err(GroupError::InvalidGroupId));
    assert_eq!(world.answer(id), refused);
}

#[test]
fn a_commit_of_a_generation_needs_that_generation() {
    let mut world = World::new();
    let id = world.commit(claim("member", 1), &[("topic", 5)]);
    assert_eq!(world.committed(id), [Err(GroupError::GroupIdNotFound)]);
    let members = world.stable(&[None]);
    let member = members[0].member_id.as_str();
    for (claim, outcome) in [
        (claim(member, 1), Ok(())),
        (claim(member, 0), Err(GroupError::IllegalGeneration)),
        (claim(member, -1), Err(GroupError::IllegalGeneration)),
        (claim("nobody", 1), Err(GroupError::UnknownMemberId)),
    ] {
        let id = world.commit(claim, &[("topic", 5)]);
        assert_eq!(world.committed(id), [outcome]);
    }
}

#[test]
fn a_member_commits_while_the_group_gathers_and_not_between_join_and_sync() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let leader = world.join(&rejoin(&members[0]));
    let id = world.commit(claim(&members[1].member_id, 1), &[("topic", 5)]);
    assert_eq!(world.committed(id), [Ok(())]);
    world.join(&rejoin(&members[1]));
    let leader = world.joined(leader);
    let id = world.commit(claim(&leader.member_id, 2), &[("topic", 6)]);
    assert_eq!(world.committed(id), [Err(GroupError::RebalanceInProgress)]);
}

#[test]
fn a_commit_keeps_its_member_in_the_group() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    for offset in 0..10 {
        world.pass(u64::try_from(SESSION_MS).unwrap() - 1);
        let id = world.commit(claim(&members[0].member_id, 1), &[("topic", offset)]);
        assert_eq!(world.committed(id), [Ok(())]);
    }
}

#[test]
fn a_note_that_is_too_long_is_refused_by_itself() {
    let mut world = World::new();
    let noted = |metadata: String| CommittedOffset {
        metadata,
        ..position(1)
    };
    let id = world.ask(GroupRequest::Commit(CommitRequest {
        claim: no_claim(),
        offsets: vec![
            (("a".to_owned(), 0), noted("č".repeat(4_096))),
            (("b".to_owned(), 0), noted("n".repeat(4_097))),
        ],
        ..CommitRequest::default()
    }));
    let too_large = Err(GroupError::OffsetMetadataTooLarge);
    assert_eq!(world.committed(id), [Ok(()), too_large]);
    assert_eq!(world.offsets("g"), [("a".to_owned(), 1)]);
}

#[test]
fn what_was_never_committed_is_found_as_nothing() {
    let mut world = World::new();
    let asked = vec![("topic".to_owned(), 0), ("topic".to_owned(), 1)];
    let fetch = GroupRequest::FetchOffsets(FetchOffsetsRequest {
        group: "g".to_owned(),
        partitions: Some(asked.clone()),
        member: Some(("nobody".to_owned(), 7)),
        require_stable: true,
    });
    let id = world.ask(fetch.clone());
    let nothing = asked.iter().cloned().map(|key| (key, Ok(None))).collect();
    assert_eq!(world.answer(id), GroupAnswer::FetchOffsets(Ok(nothing)));
    world.commit(no_claim(), &[("topic", 9)]);
    let id = world.ask(fetch);
    let found = vec![
        (asked[0].clone(), Ok(Some(position(9)))),
        (asked[1].clone(), Ok(None)),
    ];
    assert_eq!(world.answer(id), GroupAnswer::FetchOffsets(Ok(found)));
    assert_eq!(world.offsets("another"), []);
}

#[test]
fn a_commit_is_nobodys_position_until_it_is_written() {
    let mut world = World::new();
    world.holds_writes = true;
    let first = world.commit(no_claim(), &[("topic", 1)]);
    let second = world.commit(no_claim(), &[("topic", 2)]);
    assert_eq!(world.offsets("g"), []);
    world.land(Ok(()));
    assert_eq!(world.committed(first), [Ok(())]);
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
    assert!(world.is_waiting(second));
    world.land(Err(WriteFault::Storage));
    let lost = Err(GroupError::CoordinatorNotAvailable);
    assert_eq!(world.committed(second), [lost]);
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
}

#[test]
fn a_commit_that_fits_no_batch_is_too_large_and_leaves_no_group() {
    let mut world = World::new();
    world.holds_writes = true;
    let id = world.commit(no_claim(), &[("topic", 1)]);
    world.land(Err(WriteFault::TooLarge));
    let too_large = Err(GroupError::InvalidCommitOffsetSize);
    assert_eq!(world.committed(id), [too_large]);
    assert_eq!(world.state(), "Dead");
}

#[test]
fn positions_outlive_the_broker() {
    let mut world = World::new();
    world.ask(GroupRequest::Commit(CommitRequest {
        claim: no_claim(),
        offsets: vec![(
            ("topic".to_owned(), 3),
            CommittedOffset {
                offset: 5,
                leader_epoch: 2,
                metadata: "note".to_owned(),
            },
        )],
        ..CommitRequest::default()
    }));
    let fetch = GroupRequest::FetchOffsets(FetchOffsetsRequest {
        group: "g".to_owned(),
        ..FetchOffsetsRequest::default()
    });
    let before = world.ask(fetch.clone());
    let before = world.answer(before);
    world.restart();
    let after = world.ask(fetch);
    assert_eq!(world.answer(after), before);
}
