//! What growing a topic makes, and every way it is refused.

use uuid::Uuid;

use super::*;
use crate::metadata::bootstrap;
use crate::types::Offset;
use crate::wire::metadata_records::{PartitionRecord, TopicRecord};

const TOPIC: Uuid = Uuid::from_u128(7);

/// One active broker, 1, and the topic "t" with four partitions on it.
fn cluster() -> Image {
    let directory = Uuid::from_u128(100);
    let broker = bootstrap::registration(1, Uuid::from_u128(1), vec![], None, vec![directory]);
    let mut records = bootstrap::register(&broker, Offset::ZERO);
    let topic = TopicRecord {
        name: "t".into(),
        topic_id: TOPIC,
    };
    records.push(topic.into());
    records.extend((0..4).map(|partition_id| {
        PartitionRecord {
            partition_id,
            topic_id: TOPIC,
            replicas: vec![1],
            isr: vec![1],
            leader: 1,
            leader_epoch: 0,
            partition_epoch: 0,
            directories: vec![directory],
            ..PartitionRecord::default()
        }
        .into()
    }));
    let end = Offset(records.len() as i64);
    Image::default().apply(&records, end).unwrap()
}

fn grow(name: &str, count: i32, assignments: Option<Vec<Vec<i32>>>) -> TopicGrowth {
    TopicGrowth {
        name: name.to_owned(),
        count,
        assignments,
    }
}

fn refusal(growth: TopicGrowth) -> Refusal {
    let (records, mut outcomes) = create_partitions(&cluster(), &[growth]);
    assert_eq!(records, [], "what is refused leaves no record");
    outcomes.remove(0).expect_err("must be refused")
}

#[test]
fn a_topic_grows_behind_its_last_partition() {
    let image = cluster();
    for assignments in [None, Some(vec![vec![1], vec![1]])] {
        let (records, outcomes) = create_partitions(&image, &[grow("t", 6, assignments)]);
        assert_eq!(outcomes, [Ok(())]);
        let next = image
            .apply(&records, image.end() + records.len() as i64)
            .unwrap();
        let topic = next.topic(TOPIC).unwrap();
        assert!(topic.partitions.keys().copied().eq(0..6));
        assert_eq!(topic.partitions[&5], topic.partitions[&0]);
    }
}

#[test]
fn counts_that_are_no_increase_are_refused_in_kafkas_words() {
    assert_eq!(
        refusal(grow("t", 2, None)),
        Refusal::InvalidPartitions(
            "The topic t currently has 4 partition(s); 2 would not be an increase.".to_owned()
        )
    );
    assert_eq!(
        refusal(grow("t", 4, None)),
        Refusal::InvalidPartitions("Topic already has 4 partition(s).".to_owned())
    );
    assert!(matches!(
        refusal(grow("t", i32::MIN, None)),
        Refusal::InvalidPartitions(_)
    ));
}

#[test]
fn a_topic_that_is_not_there_or_stands_twice_is_refused() {
    assert_eq!(refusal(grow("u", 6, None)), Refusal::UnknownTopic);
    let twice = [grow("t", 5, None), grow("t", 6, None)];
    let (records, outcomes) = create_partitions(&cluster(), &twice);
    assert_eq!(records, []);
    let refused = Err(Refusal::InvalidRequest("Duplicate topic name.".to_owned()));
    assert_eq!(outcomes, [refused.clone(), refused]);
}

#[test]
fn assignments_must_fit_the_new_partitions() {
    for assignments in [
        vec![vec![1]],
        vec![],
        vec![vec![1], vec![9]],
        vec![vec![1], vec![]],
        vec![vec![1], vec![1, 1]],
    ] {
        let refused = refusal(grow("t", 6, Some(assignments.clone())));
        assert!(
            matches!(refused, Refusal::InvalidReplicaAssignment(_)),
            "{assignments:?}: {refused:?}"
        );
    }
}

#[test]
fn one_request_makes_no_more_partitions_than_the_limit() {
    for count in [PARTITIONS_PER_CREATE_MAX + 5, i32::MAX] {
        let refused = refusal(grow("t", count, None));
        assert!(
            matches!(refused, Refusal::PolicyViolation(_)),
            "{refused:?}"
        );
    }
}
