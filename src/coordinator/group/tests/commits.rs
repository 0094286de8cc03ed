//! OffsetCommit and OffsetFetch.

use super::*;

#[test]
fn a_group_without_members_takes_commits_from_nobody_in_particular() {
    let mut world = World::new();
    let commit = world.commit(nobody(), "t", 5);
    assert_eq!(world.committed(commit), Ok(()));
    assert_eq!(world.position("t"), Some(5));
    assert_eq!(world.state(), "Empty");
    world.stable(&[None]);
    let commit = world.commit(nobody(), "t", 6);
    assert_eq!(world.committed(commit), Err(GroupError::UnknownMemberId));
    assert_eq!(world.position("t"), Some(5));
}

#[test]
fn a_commit_of_a_generation_to_a_group_that_does_not_exist_is_refused() {
    let mut world = World::new();
    let member = Joined {
        member_id: "x".to_owned(),
        generation: 3,
        ..Joined::default()
    };
    let commit = world.commit(claim(&member), "t", 5);
    // Kafka: ILLEGAL_GENERATION before version 9, GROUP_ID_NOT_FOUND since.
    let error = world.committed(commit).unwrap_err();
    assert!(matches!(
        error,
        GroupError::IllegalGeneration | GroupError::GroupIdNotFound
    ));
    assert_eq!(world.list(ListFilter::default()), []);
}

#[test]
fn members_commit_in_their_generation_and_until_the_next_has_begun() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    let commit = world.commit(claim(&members[1]), "t", 1);
    assert_eq!(world.committed(commit), Ok(()));
    let old = Joined {
        generation: 0,
        ..members[1].clone()
    };
    let commit = world.commit(claim(&old), "t", 2);
    assert_eq!(world.committed(commit), Err(GroupError::IllegalGeneration));
    let stranger = Joined {
        member_id: "x".to_owned(),
        ..members[1].clone()
    };
    let commit = world.commit(claim(&stranger), "t", 2);
    assert_eq!(world.committed(commit), Err(GroupError::UnknownMemberId));
    let leader = world.join(again(&members[0]));
    let commit = world.commit(claim(&members[1]), "t", 3);
    assert_eq!(world.committed(commit), Ok(()), "preparing");
    world.join(again(&members[1]));
    let leader = world.joined(leader);
    let commit = world.commit(claim(&leader), "t", 4);
    assert_eq!(
        world.committed(commit),
        Err(GroupError::RebalanceInProgress),
        "completing"
    );
    assert_eq!(world.position("t"), Some(3));
}

#[test]
fn commits_keep_a_member_in() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    for offset in 0..3 {
        world.pass(SESSION_MS - 1);
        let commit = world.commit(claim(&members[0]), "t", offset);
        assert_eq!(world.committed(commit), Ok(()));
    }
}

#[test]
fn metadata_that_is_too_long_fails_its_partition_only() {
    let mut world = World::new();
    let mut commit = commit_of(nobody(), "long", 1);
    commit.offsets[0].1.metadata = "x".repeat(4_097);
    let fitting = CommittedOffset {
        metadata: "x".repeat(4_096),
        offset: 2,
        leader_epoch: -1,
    };
    commit.offsets.push((("t".to_owned(), 0), fitting));
    let id = world.ask(GroupRequest::Commit(commit));
    let too_long = Err(GroupError::OffsetMetadataTooLarge);
    assert_eq!(
        world.answered(id),
        GroupAnswer::Commit(vec![too_long, Ok(())])
    );
    assert_eq!(
        (world.position("long"), world.position("t")),
        (None, Some(2))
    );
}

#[test]
fn a_commit_is_answered_and_seen_when_it_is_written() {
    let mut world = World::new();
    world.writes_at_once = false;
    let first = world.commit(nobody(), "t", 1);
    let second = world.commit(nobody(), "t", 2);
    assert!(world.waits(first) && world.waits(second));
    assert_eq!(world.position("t"), None);
    world.end_write(Ok(()));
    assert_eq!(world.committed(first), Ok(()));
    assert_eq!(world.position("t"), Some(1));
    world.end_write(Err(WriteFault::Storage));
    assert_eq!(
        world.committed(second),
        Err(GroupError::CoordinatorNotAvailable)
    );
    assert_eq!(world.position("t"), Some(1));
}

#[test]
fn a_commit_that_is_too_large_says_so() {
    let mut world = World::new();
    world.writes_at_once = false;
    let commit = world.commit(nobody(), "t", 1);
    world.end_write(Err(WriteFault::TooLarge));
    assert_eq!(
        world.committed(commit),
        Err(GroupError::InvalidCommitOffsetSize)
    );
    assert_eq!(world.list(ListFilter::default()), [], "nothing came of it");
}

#[test]
fn positions_that_are_not_there_are_none_and_no_error() {
    let mut world = World::new();
    assert_eq!(world.position("t"), None, "of a group that does not exist");
    let commit = world.commit(nobody(), "t", 1);
    world.committed(commit).unwrap();
    assert_eq!(world.position("other"), None);
}

#[test]
fn all_positions_come_with_epoch_and_metadata() {
    let mut world = World::new();
    let commit = world.commit(nobody(), "t", 1);
    world.committed(commit).unwrap();
    let fetch = world.ask(GroupRequest::FetchOffsets(FetchOffsetsRequest {
        group: GROUP.to_owned(),
        partitions: None,
        member: None,
    }));
    let committed = CommittedOffset {
        offset: 1,
        leader_epoch: 4,
        metadata: "note".to_owned(),
    };
    let all = vec![(("t".to_owned(), 0), Some(committed))];
    assert_eq!(world.answered(fetch), GroupAnswer::FetchOffsets(Ok(all)));
}

#[test]
fn the_empty_group_may_store_offsets_and_nothing_else() {
    let mut world = World::new();
    let unnamed = MemberClaim {
        group: String::new(),
        ..nobody()
    };
    let commit = world.commit(unnamed, "t", 5);
    assert_eq!(world.committed(commit), Ok(()));
    let fetch = world.ask(GroupRequest::FetchOffsets(FetchOffsetsRequest::default()));
    assert!(matches!(
        world.answered(fetch),
        GroupAnswer::FetchOffsets(Ok(_))
    ));
    let group = String::new();
    let delete = world.ask(GroupRequest::Delete {
        group: group.clone(),
    });
    assert_eq!(
        world.answered(delete),
        GroupAnswer::Delete(Err(GroupError::InvalidGroupId))
    );
    let invalid = Err(GroupError::InvalidGroupId);
    let offsets = world.ask(GroupRequest::DeleteOffsets(DeleteOffsetsRequest::default()));
    assert_eq!(
        world.answered(offsets),
        GroupAnswer::DeleteOffsets(Err(GroupError::InvalidGroupId))
    );
    assert_eq!(world.describe(""), Err(GroupError::InvalidGroupId));
    let leave = world.ask(GroupRequest::Leave(LeaveRequest::default()));
    assert_eq!(
        world.answered(leave),
        GroupAnswer::Leave(Err(GroupError::InvalidGroupId))
    );
    let sync = world.ask(GroupRequest::Sync(SyncRequest::default()));
    assert_eq!(world.synced(sync).map(|_| ()), invalid);
}
