//! What creating a topic makes, and every way it is refused.

use uuid::Uuid;

use super::*;
use crate::metadata::bootstrap;
use crate::types::Offset;

fn new(name: &str) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        partitions: -1,
        replication_factor: -1,
        ..NewTopic::default()
    }
}

/// A cluster of the active brokers `ids`.
fn cluster(ids: &[i32]) -> Image {
    ids.iter().fold(Image::default(), |image, id| {
        let broker =
            bootstrap::registration(*id, Uuid::from_u128(1), vec![], None, vec![directory(*id)]);
        let records = bootstrap::register(&broker, image.end());
        image
            .apply(&records, image.end() + records.len() as i64)
            .unwrap()
    })
}

fn directory(id: i32) -> Uuid {
    Uuid::from_u128(100 + id as u128)
}

fn create(
    image: &Image,
    topics: &[NewTopic],
) -> (Vec<MetadataRecord>, Vec<Result<CreatedTopic, Refusal>>) {
    let defaults = TopicDefaults {
        partitions: 3,
        replication_factor: 1,
        settings: &Settings::default(),
        dynamic: &DynamicConfigs::default(),
    };
    let mut next = 1000;
    create_topics(image, defaults, topics, || {
        next += 1;
        Uuid::from_u128(next)
    })
}

fn refusal(image: &Image, topic: NewTopic) -> Refusal {
    let (records, outcomes) = create(image, &[topic]);
    assert_eq!(records, [], "what is refused leaves no record");
    outcomes
        .into_iter()
        .next()
        .unwrap()
        .expect_err("must be refused")
}

fn apply(image: &Image, records: &[MetadataRecord]) -> Image {
    image
        .apply(records, image.end() + records.len() as i64)
        .unwrap()
}

#[test]
fn a_topic_that_says_nothing_gets_the_defaults() {
    let image = cluster(&[1]);
    let (records, outcomes) = create(&image, &[new("a")]);
    let created = outcomes[0].as_ref().unwrap();
    assert_eq!((created.partitions, created.replication_factor), (3, 1));
    let image = apply(&image, &records);
    let topic = image.topic_by_name("a").unwrap();
    assert_eq!(topic.id, created.id);
    assert_eq!(
        topic.partitions.keys().copied().collect::<Vec<_>>(),
        [0, 1, 2]
    );
    let partition = &topic.partitions[&2];
    assert_eq!(
        (
            &partition.replicas[..],
            &partition.isr[..],
            partition.leader
        ),
        (&[1][..], &[1][..], 1)
    );
    assert_eq!(
        (partition.leader_epoch.0, partition.partition_epoch),
        (0, 0)
    );
    assert_eq!(partition.directories, [directory(1)]);
}

#[test]
fn records_come_as_topic_then_settings_then_partitions() {
    let mut topic = new("a");
    topic.partitions = 1;
    topic.configs = vec![("flush.messages".to_owned(), Some("1".to_owned()))];
    let (records, _) = create(&cluster(&[1]), &[topic]);
    let names: Vec<&str> = records.iter().map(MetadataRecord::name).collect();
    assert_eq!(names, ["TopicRecord", "ConfigRecord", "PartitionRecord"]);
}

#[test]
fn replicas_go_round_the_brokers_that_are_active() {
    let mut topic = new("a");
    topic.replication_factor = 2;
    let image = cluster(&[1, 2, 3]);
    let (records, _) = create(&image, &[topic]);
    let image = apply(&image, &records);
    let replicas: Vec<_> = image
        .topic_by_name("a")
        .unwrap()
        .partitions
        .values()
        .map(|p| p.replicas.clone())
        .collect();
    assert_eq!(replicas, [[1, 2], [2, 3], [3, 1]]);
}

#[test]
fn the_client_may_place_replicas_itself() {
    let mut topic = new("a");
    topic.assignments = vec![(1, vec![2, 1]), (0, vec![1, 2])];
    let image = cluster(&[1, 2]);
    let (records, outcomes) = create(&image, &[topic]);
    assert_eq!(outcomes[0].as_ref().unwrap().replication_factor, 2);
    let image = apply(&image, &records);
    let partitions = &image.topic_by_name("a").unwrap().partitions;
    assert_eq!((partitions[&0].leader, partitions[&1].leader), (1, 2));
}

#[test]
fn one_refusal_leaves_the_other_topics_alone() {
    let image = cluster(&[1]);
    let (records, outcomes) = create(&image, &[new("a"), new("b c"), new("d")]);
    assert!(outcomes[0].is_ok() && outcomes[1].is_err() && outcomes[2].is_ok());
    assert_eq!(apply(&image, &records).topic_count(), 2);
}

#[test]
fn a_name_asked_for_twice_is_refused_both_times() {
    let (records, outcomes) = create(&cluster(&[1]), &[new("a"), new("b"), new("a")]);
    let twice = Err(Refusal::InvalidRequest("Duplicate topic name.".to_owned()));
    assert_eq!((&outcomes[0], &outcomes[2]), (&twice, &twice));
    assert!(outcomes[1].is_ok());
    assert_eq!(records.len(), 1 + 3);
}

#[test]
fn names_that_are_taken_illegal_or_reserved_are_refused() {
    let image = cluster(&[1]);
    let (records, _) = create(&image, &[new("a.b")]);
    let image = apply(&image, &records);
    assert_eq!(
        refusal(&image, new("a.b")),
        Refusal::TopicAlreadyExists("a.b".to_owned())
    );
    assert_eq!(
        refusal(&image, new("a.b")).to_string(),
        "Topic 'a.b' already exists."
    );
    let collides = "Topic 'a_b' collides with existing topic: a.b".to_owned();
    assert_eq!(refusal(&image, new("a_b")), Refusal::InvalidTopic(collides));
    assert!(matches!(refusal(&image, new("")), Refusal::InvalidTopic(_)));
    let prohibited = "Creation of internal topic __cluster_metadata is prohibited.".to_owned();
    assert_eq!(
        refusal(&image, new("__cluster_metadata")),
        Refusal::InvalidRequest(prohibited)
    );
}

#[test]
fn counts_that_cannot_be_are_refused() {
    let image = cluster(&[1]);
    for partitions in [0, -2] {
        assert!(matches!(
            refusal(
                &image,
                NewTopic {
                    partitions,
                    ..new("a")
                }
            ),
            Refusal::InvalidPartitions(_)
        ));
    }
    for replication_factor in [0, -2] {
        let topic = NewTopic {
            replication_factor,
            ..new("a")
        };
        assert!(matches!(
            refusal(&image, topic),
            Refusal::InvalidReplicationFactor(_)
        ));
    }
    assert_eq!(
        refusal(
            &image,
            NewTopic {
                replication_factor: 30,
                ..new("a")
            }
        )
        .to_string(),
        "Unable to replicate the partition 30 time(s): The target replication factor of 30 cannot be reached because only 1 \
         broker(s) are registered or some brokers have all their log directories cordoned."
    );
    assert_eq!(
        refusal(&Image::default(), new("a")).to_string(),
        "Unable to replicate the partition 1 time(s): All brokers are currently fenced."
    );
}

#[test]
fn a_request_has_room_for_so_many_partitions_all_topics_together() {
    let all = NewTopic {
        partitions: PARTITIONS_PER_CREATE_MAX,
        ..new("a")
    };
    let (_, outcomes) = create(&cluster(&[1]), &[all.clone(), new("b")]);
    assert!(outcomes[0].is_ok());
    let words = "Excessively large number of partitions per request.".to_owned();
    assert_eq!(outcomes[1], Err(Refusal::PolicyViolation(words.clone())));
    let beyond = NewTopic {
        partitions: i32::MAX,
        ..new("a")
    };
    assert_eq!(
        refusal(&cluster(&[1]), beyond),
        Refusal::PolicyViolation(words)
    );
}

#[test]
fn assignments_that_cannot_be_are_refused_in_the_words_of_kafka() {
    let image = cluster(&[1, 2]);
    type Assignments = Vec<(i32, Vec<i32>)>;
    let cases: [(Assignments, &str); 7] = [
        (vec![(0, vec![])], "includes an empty replica list."),
        (
            vec![(0, vec![9])],
            "includes broker 9, but no such broker is registered.",
        ),
        (
            vec![(0, vec![1, 1])],
            "includes the broker 1 more than once.",
        ),
        (
            vec![(0, vec![1]), (1, vec![1, 2])],
            "includes a partition with 2 replica(s), but this is not consistent",
        ),
        (
            vec![(0, vec![1]), (0, vec![1])],
            "Found multiple manual partition assignments for partition 0",
        ),
        (
            vec![(1, vec![1])],
            "partitions should be a consecutive 0-based integer sequence",
        ),
        (
            vec![(-1, vec![1]), (0, vec![1])],
            "partitions should be a consecutive 0-based integer sequence",
        ),
    ];
    for (assignments, words) in cases {
        let refused = refusal(
            &image,
            NewTopic {
                assignments,
                ..new("a")
            },
        );
        assert!(
            matches!(refused, Refusal::InvalidReplicaAssignment(_)),
            "{refused:?}"
        );
        assert!(refused.to_string().contains(words), "{refused}");
    }
    for (partitions, replication_factor) in [(1, -1), (-1, 1)] {
        let topic = NewTopic {
            assignments: vec![(0, vec![1])],
            partitions,
            replication_factor,
            ..new("a")
        };
        assert!(matches!(refusal(&image, topic), Refusal::InvalidRequest(_)));
    }
}

#[test]
fn fenced_brokers_do_not_lead() {
    let image = cluster(&[1, 2]);
    let fence = crate::wire::metadata_records::FenceBrokerRecord { id: 1, epoch: 0 };
    let image = apply(&image, &[fence.into()]);
    let topic = NewTopic {
        partitions: 1,
        replication_factor: 2,
        ..new("a")
    };
    let (records, _) = create(&image, &[topic]);
    let placed = apply(&image, &records);
    let partition = &placed.topic_by_name("a").unwrap().partitions[&0];
    assert_eq!(
        (
            &partition.replicas[..],
            &partition.isr[..],
            partition.leader
        ),
        (&[2, 1][..], &[2][..], 2)
    );
    let topic = NewTopic {
        assignments: vec![(0, vec![1])],
        ..new("b")
    };
    assert!(
        refusal(&image, topic)
            .to_string()
            .ends_with("for partition 0 are fenced or in controlled shutdown.")
    );
    assert_eq!(image.end(), Offset(5));
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let image = cluster(&[1]);
    let with = |configs: &[(&str, Option<&str>)]| NewTopic {
        configs: configs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
            .collect(),
        ..new("a")
    };
    let cases = [
        (
            with(&[("nope", Some("1"))]),
            "Unknown topic config name: nope",
        ),
        (
            with(&[("retention.ms", None), ("flush.ms", None)]),
            "Null value not supported for topic configs: retention.ms,flush.ms",
        ),
        (
            with(&[("flush.ms", Some("x"))]),
            "Invalid value x for configuration flush.ms: Not a number of type LONG",
        ),
    ];
    for (topic, words) in cases {
        assert_eq!(
            refusal(&image, topic),
            Refusal::InvalidConfig(words.to_owned())
        );
    }
    let huge = "x".repeat(CONFIG_VALUE_MAX_BYTES + 1);
    let refused = refusal(&image, with(&[("flush.ms", Some(&huge))])).to_string();
    assert!(
        refused.contains("exceeds the maximum value size of 32767 bytes"),
        "{refused}"
    );
}
