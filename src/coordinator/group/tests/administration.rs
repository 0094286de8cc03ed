//! Groups as administrators see and delete them.

use super::*;

fn delete(world: &mut World) -> RequestId {
    world.ask(GroupRequest::Delete {
        group: "g".to_owned(),
    })
}

fn delete_offsets(world: &mut World, topics: &[&str]) -> GroupAnswer {
    let partitions = topics.iter().map(|topic| (topic.to_string(), 0)).collect();
    let id = world.ask(GroupRequest::DeleteOffsets(DeleteOffsetsRequest {
        group: "g".to_owned(),
        partitions,
    }));
    world.answer(id)
}

fn list(world: &mut World, states: &[&str], types: &[&str]) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
    let id = world.ask(GroupRequest::List(ListFilter {
        states: owned(states),
        types: owned(types),
    }));
    match world.answer(id) {
        GroupAnswer::List(groups) => groups.into_iter().map(|group| group.group).collect(),
        other => panic!("not a list: {other:?}"),
    }
}

#[test]
fn a_group_that_is_not_there_is_not_described() {
    let mut world = World::new();
    assert_eq!(world.describe(), Err(GroupError::GroupIdNotFound));
}

#[test]
fn a_stable_group_is_described_with_what_its_members_agreed_on() {
    let mut world = World::new();
    let members = world.stable(&[Some("a")]);
    let group = world.describe().unwrap();
    assert_eq!(group.state, "Stable");
    assert_eq!(group.protocol_type, "consumer");
    assert_eq!(group.protocol, "range");
    let id = &members[0].member_id;
    assert_eq!(
        group.members,
        [MemberDescription {
            member_id: id.clone(),
            instance_id: Some("a".to_owned()),
            client_id: "client".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            metadata: subscription(&["topic"]),
            assignment: bytes(id),
        }]
    );
    world.join(&join());
    let group = world.describe().unwrap();
    assert_eq!(group.state, "PreparingRebalance");
    assert_eq!(group.protocol, "");
    assert_eq!(group.members.len(), 2);
    assert!(
        group
            .members
            .iter()
            .all(|member| member.metadata.is_empty())
    );
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let mut world = World::new();
    world.stable(&[None]);
    let simple = MemberClaim {
        group: "simple".to_owned(),
        ..no_claim()
    };
    world.commit(simple, &[("topic", 1)]);
    assert_eq!(list(&mut world, &[], &[]), ["g", "simple"]);
    assert_eq!(list(&mut world, &["stable"], &[]), ["g"]);
    assert_eq!(list(&mut world, &["Empty", "Dead"], &[]), ["simple"]);
    assert_eq!(list(&mut world, &[], &["Classic"]), ["g", "simple"]);
    assert!(list(&mut world, &[], &["consumer"]).is_empty());
    assert!(list(&mut world, &["nonsense"], &[]).is_empty());
}

#[test]
fn a_group_with_members_is_not_deleted_and_an_empty_one_is_with_all_it_remembers() {
    let mut world = World::new();
    let id = delete(&mut world);
    let missing = GroupAnswer::Delete(Err(GroupError::GroupIdNotFound));
    assert_eq!(world.answer(id), missing);
    let members = world.stable(&[None]);
    let member = &members[0].member_id;
    world.commit(claim(member, 1), &[("topic", 1)]);
    let id = delete(&mut world);
    let refused = GroupAnswer::Delete(Err(GroupError::NonEmptyGroup));
    assert_eq!(world.answer(id), refused);
    world.leave(&[(member, None)]);
    let id = delete(&mut world);
    assert_eq!(world.answer(id), GroupAnswer::Delete(Ok(())));
    assert_eq!(world.state(), "Dead");
    world.restart();
    assert_eq!(world.state(), "Dead");
    assert_eq!(world.offsets("g"), []);
}

#[test]
fn a_deletion_that_could_not_be_written_deletes_nothing() {
    let mut world = World::new();
    world.commit(no_claim(), &[("topic", 1)]);
    world.holds_writes = true;
    let id = delete(&mut world);
    assert!(world.is_waiting(id));
    world.land(Err(WriteFault::Storage));
    let lost = GroupAnswer::Delete(Err(GroupError::CoordinatorNotAvailable));
    assert_eq!(world.answer(id), lost);
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
}

#[test]
fn a_deletion_takes_commits_with_it_that_are_on_their_way() {
    let mut world = World::new();
    world.holds_writes = true;
    world.commit(no_claim(), &[("topic", 1)]);
    let id = delete(&mut world);
    world.land(Ok(()));
    world.land(Ok(()));
    assert_eq!(world.answer(id), GroupAnswer::Delete(Ok(())));
    assert_eq!(world.offsets("g"), []);
    world.restart();
    assert_eq!(world.offsets("g"), []);
}

#[test]
fn what_comes_after_a_deletion_is_not_deleted_by_it() {
    let mut world = World::new();
    world.commit(no_claim(), &[("topic", 1)]);
    world.holds_writes = true;
    delete(&mut world);
    world.commit(no_claim(), &[("topic", 2)]);
    let newcomer = world.join(&join());
    world.land(Ok(()));
    world.land(Ok(()));
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 2)]);
    world.pass(INITIAL_DELAY_MS);
    assert_eq!(world.joined(newcomer).generation, 1);
}

#[test]
fn positions_in_subscribed_topics_are_not_deleted() {
    let mut world = World::new();
    let members = world.stable(&[None]);
    let topics = [("topic", 1), ("another", 1)];
    world.commit(claim(&members[0].member_id, 1), &topics);
    let outcomes = vec![Err(GroupError::GroupSubscribedToTopic), Ok(()), Ok(())];
    assert_eq!(
        delete_offsets(&mut world, &["topic", "another", "never seen"]),
        GroupAnswer::DeleteOffsets(Ok(outcomes))
    );
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
    world.restart();
    assert_eq!(world.offsets("g"), [("topic".to_owned(), 1)]);
}

#[test]
fn positions_of_other_groups_with_members_are_not_deleted() {
    let mut world = World::new();
    let missing = GroupAnswer::DeleteOffsets(Err(GroupError::GroupIdNotFound));
    assert_eq!(delete_offsets(&mut world, &["topic"]), missing);
    world.join(&JoinRequest {
        protocol_type: "connect".to_owned(),
        ..join()
    });
    let refused = GroupAnswer::DeleteOffsets(Err(GroupError::NonEmptyGroup));
    assert_eq!(delete_offsets(&mut world, &["topic"]), refused);
}

#[test]
fn a_deletion_of_which_a_part_was_not_written_is_not_told_as_done() {
    let topics: Vec<String> = (0..2_500).map(|topic| format!("topic-{topic}")).collect();
    let offsets: Vec<(&str, i64)> = topics.iter().map(|topic| (topic.as_str(), 1)).collect();
    for lost in 0..3 {
        let mut world = World::new();
        world.commit(no_claim(), &offsets);
        world.holds_writes = true;
        let id = delete(&mut world);
        assert_eq!(world.writes.len(), 3);
        for write in 0..3 {
            assert!(world.is_waiting(id));
            let lands = if write == lost {
                Err(WriteFault::Storage)
            } else {
                Ok(())
            };
            world.land(lands);
        }
        let failed = GroupAnswer::Delete(Err(GroupError::CoordinatorNotAvailable));
        assert_eq!(world.answer(id), failed, "write {lost} was lost");
        let left = world.offsets("g");
        assert!(!left.is_empty());
        world.restart();
        assert_eq!(world.offsets("g"), left);
        world.holds_writes = false;
        let id = delete(&mut world);
        assert_eq!(world.answer(id), GroupAnswer::Delete(Ok(())), "tried again");
        assert_eq!(world.offsets("g"), []);
    }
}
