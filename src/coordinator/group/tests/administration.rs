//! DescribeGroups, ListGroups, DeleteGroups, OffsetDelete, deleted topics.

use super::*;

fn delete(world: &mut World) -> RequestId {
    let group = GROUP.to_owned();
    world.ask(GroupRequest::Delete { group })
}

fn delete_offsets(world: &mut World, topics: &[&str]) -> GroupAnswer {
    let partitions = topics.iter().map(|topic| ((*topic).to_owned(), 0));
    let id = world.ask(GroupRequest::DeleteOffsets(DeleteOffsetsRequest {
        group: GROUP.to_owned(),
        partitions: partitions.collect(),
    }));
    world.answered(id)
}

#[test]
fn a_stable_group_is_described_in_full() {
    let mut world = World::new();
    assert_eq!(world.describe(GROUP), Err(GroupError::GroupIdNotFound));
    let members = world.stable(&[Some("i")]);
    let described = world.describe(GROUP).unwrap();
    assert_eq!(described.state, "Stable");
    assert_eq!(
        (&*described.protocol_type, &*described.protocol),
        ("consumer", "range")
    );
    let member = MemberDescription {
        member_id: members[0].member_id.clone(),
        instance_id: Some("i".to_owned()),
        client_id: "client".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        metadata: subscription(&["t"]),
        assignment: Bytes::from_static(b"0"),
    };
    assert_eq!(described.members, [member]);
}

#[test]
fn a_group_that_rebalances_is_described_without_assignor_and_metadata() {
    let mut world = World::new();
    let members = world.stable(&[None, None]);
    world.join(again(&members[0]));
    let described = world.describe(GROUP).unwrap();
    assert_eq!(
        (described.state, &*described.protocol),
        ("PreparingRebalance", "")
    );
    assert!(
        described
            .members
            .iter()
            .all(|member| member.metadata.is_empty())
    );
}

#[test]
fn groups_are_listed_by_state_and_type_without_regard_to_case() {
    let mut world = World::new();
    world.stable(&[None]);
    let other = MemberClaim {
        group: "simple".to_owned(),
        ..nobody()
    };
    let commit = world.commit(other, "t", 1);
    world.committed(commit).unwrap();
    let mut listed = |states: &[&str], types: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let groups = world.list(ListFilter {
            states: owned(states),
            types: owned(types),
        });
        let mut names: Vec<String> = groups.into_iter().map(|group| group.group).collect();
        names.sort();
        names
    };
    assert_eq!(listed(&[], &[]), ["g", "simple"]);
    assert_eq!(listed(&["stable"], &[]), ["g"]);
    assert_eq!(listed(&["EMPTY", "Dead"], &["Classic"]), ["simple"]);
    assert!(listed(&[], &["consumer"]).is_empty());
    let groups = world.list(ListFilter {
        states: vec!["Stable".to_owned()],
        types: vec![],
    });
    assert_eq!(
        (&*groups[0].protocol_type, groups[0].group_type),
        ("consumer", "classic")
    );
}

#[test]
fn only_an_empty_group_is_deleted() {
    let mut world = World::new();
    let id = delete(&mut world);
    assert_eq!(
        world.answered(id),
        GroupAnswer::Delete(Err(GroupError::GroupIdNotFound))
    );
    let commit = world.commit(nobody(), "t", 1);
    world.committed(commit).unwrap();
    let members = world.stable(&[None]);
    let id = delete(&mut world);
    assert_eq!(
        world.answered(id),
        GroupAnswer::Delete(Err(GroupError::NonEmptyGroup))
    );
    world.leave(&[(&members[0].member_id, None)]);
    let id = delete(&mut world);
    assert_eq!(world.answered(id), GroupAnswer::Delete(Ok(())));
    for _ in 0..2 {
        assert_eq!((world.state(), world.position("t")), ("Dead", None));
        world.restart();
    }
}

#[test]
fn a_deletion_is_answered_when_it_is_written() {
    let mut world = World::new();
    let commit = world.commit(nobody(), "t", 1);
    world.committed(commit).unwrap();
    world.writes_at_once = false;
    let id = delete(&mut world);
    assert!(world.waits(id));
    assert_eq!(world.position("t"), Some(1));
    world.end_write(Err(WriteFault::Storage));
    let failed = GroupAnswer::Delete(Err(GroupError::CoordinatorNotAvailable));
    assert_eq!(world.answered(id), failed);
    assert_eq!((world.state(), world.position("t")), ("Empty", Some(1)));
}

#[test]
fn a_commit_on_its_way_is_deleted_with_its_group() {
    let mut world = World::new();
    let first = world.commit(nobody(), "u", 1);
    world.committed(first).unwrap();
    world.writes_at_once = false;
    let commit = world.commit(nobody(), "t", 1);
    let id = delete(&mut world);
    while !world.under_way.is_empty() {
        world.end_write(Ok(()));
    }
    assert_eq!(world.committed(commit), Ok(()));
    assert_eq!(world.answered(id), GroupAnswer::Delete(Ok(())));
    for _ in 0..2 {
        assert_eq!((world.position("t"), world.position("u")), (None, None));
        assert_eq!(world.state(), "Dead");
        world.restart();
    }
}

#[test]
fn who_joins_or_commits_while_its_group_is_being_deleted_is_not_lost() {
    for joins in [true, false] {
        let mut world = World::new();
        let commit = world.commit(nobody(), "t", 1);
        world.committed(commit).unwrap();
        world.writes_at_once = false;
        let id = delete(&mut world);
        let (join, commit) = match joins {
            true => (Some(world.join(newcomer(None))), None),
            false => (None, Some(world.commit(nobody(), "u", 7))),
        };
        world.writes_at_once = true;
        world.end_write(Ok(()));
        assert_eq!(world.answered(id), GroupAnswer::Delete(Ok(())));
        world.pass(DELAY_MS);
        assert_eq!(world.position("t"), None);
        if let Some(join) = join {
            world.joined(join);
        }
        if let Some(commit) = commit {
            assert_eq!(world.committed(commit), Ok(()));
            world.restart();
            assert_eq!(world.position("u"), Some(7));
        }
    }
}

#[test]
fn a_group_with_very_many_positions_is_deleted_in_several_writes() {
    let mut world = World::new();
    let mut commit = commit_of(nobody(), "t", 1);
    let topic = "x".repeat(200);
    let many = (0..20_000).map(|p| ((topic.clone(), p), CommittedOffset::default()));
    commit.offsets = many.collect();
    let id = world.ask(GroupRequest::Commit(commit));
    world.committed(id).unwrap();
    world.writes_at_once = false;
    let id = delete(&mut world);
    assert!(world.under_way.len() > 1);
    let largest = world.under_way.iter().map(|(_, records)| {
        records
            .iter()
            .map(|record| record.key.len() + 20)
            .sum::<usize>()
    });
    assert!(
        largest.max().unwrap() < 1_000_000,
        "fits a batch of the usual largest size"
    );
    while !world.under_way.is_empty() {
        assert!(world.waits(id));
        world.end_write(Ok(()));
    }
    assert_eq!(world.answered(id), GroupAnswer::Delete(Ok(())));
    world.restart();
    assert_eq!(world.state(), "Dead");
}

#[test]
fn a_deletion_of_which_a_part_failed_is_not_told_as_done() {
    let mut world = World::new();
    let mut commit = commit_of(nobody(), "t", 1);
    let topic = "x".repeat(200);
    let many = (0..20_000).map(|p| ((topic.clone(), p), CommittedOffset::default()));
    commit.offsets = many.collect();
    let id = world.ask(GroupRequest::Commit(commit));
    world.committed(id).unwrap();
    world.writes_at_once = false;
    let id = delete(&mut world);
    world.end_write(Err(WriteFault::Storage));
    while !world.under_way.is_empty() {
        world.end_write(Ok(()));
    }
    assert!(matches!(world.answered(id), GroupAnswer::Delete(Err(_))));
}

#[test]
fn offsets_of_topics_that_somebody_subscribes_to_are_not_deleted() {
    let mut world = World::new();
    let missing = GroupAnswer::DeleteOffsets(Err(GroupError::GroupIdNotFound));
    assert_eq!(delete_offsets(&mut world, &["t"]), missing);
    for topic in ["t", "u"] {
        let commit = world.commit(nobody(), topic, 1);
        world.committed(commit).unwrap();
    }
    world.stable(&[None]);
    let subscribed = Err(GroupError::GroupSubscribedToTopic);
    let outcomes = GroupAnswer::DeleteOffsets(Ok(vec![subscribed, Ok(()), Ok(())]));
    assert_eq!(delete_offsets(&mut world, &["t", "u", "never"]), outcomes);
    for _ in 0..2 {
        assert_eq!((world.position("t"), world.position("u")), (Some(1), None));
        world.restart();
    }
}

#[test]
fn offsets_of_members_whose_subscription_is_unknown_are_not_deleted() {
    let mut world = World::new();
    let commit = world.commit(nobody(), "t", 1);
    world.committed(commit).unwrap();
    let join = world.join(JoinRequest {
        protocols: vec![("range".to_owned(), Bytes::from_static(b"?"))],
        ..newcomer(None)
    });
    world.pass(DELAY_MS);
    let joined = world.joined(join);
    let sync = world.sync(&joined, &[]);
    world.synced(sync).unwrap();
    let subscribed = GroupAnswer::DeleteOffsets(Ok(vec![Err(GroupError::GroupSubscribedToTopic)]));
    assert_eq!(delete_offsets(&mut world, &["t"]), subscribed);
    let mut world = World::new();
    let join = world.join(JoinRequest {
        protocol_type: "connect".to_owned(),
        ..newcomer(None)
    });
    world.pass(DELAY_MS);
    world.joined(join);
    let refused = GroupAnswer::DeleteOffsets(Err(GroupError::NonEmptyGroup));
    assert_eq!(delete_offsets(&mut world, &["t"]), refused);
}

#[test]
fn offsets_in_deleted_topics_are_forgotten() {
    let mut world = World::new();
    for topic in ["t", "u"] {
        let commit = world.commit(nobody(), topic, 1);
        world.committed(commit).unwrap();
    }
    let effects = world
        .coordinator
        .topics_deleted(world.now, &["t".to_owned(), "x".to_owned()]);
    world.take(effects);
    for _ in 0..2 {
        assert_eq!((world.position("t"), world.position("u")), (None, Some(1)));
        world.restart();
    }
}

#[test]
fn a_commit_on_its_way_into_a_deleted_topic_is_forgotten_too() {
    let mut world = World::new();
    world.writes_at_once = false;
    let commit = world.commit(nobody(), "t", 1);
    let effects = world
        .coordinator
        .topics_deleted(world.now, &["t".to_owned()]);
    world.take(effects);
    while !world.under_way.is_empty() {
        world.end_write(Ok(()));
    }
    assert_eq!(world.committed(commit), Ok(()));
    assert_eq!(world.position("t"), None);
    world.restart();
    assert_eq!(world.position("t"), None);
}
