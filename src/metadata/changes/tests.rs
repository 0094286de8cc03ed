//! What may be created and deleted, and in which words it is refused.

use super::*;
use crate::types::Offset;

fn defaults(settings: &Settings) -> TopicDefaults<'_> {
    TopicDefaults {
        node_id: 1,
        directory_id: Uuid::from_u128(9),
        partitions: 3,
        replication_factor: 1,
        settings,
    }
}

fn named(name: &str) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        partitions: -1,
        replication_factor: -1,
        ..NewTopic::default()
    }
}

fn create(image: &Image, topic: NewTopic) -> Result<(Image, Created), ChangeError> {
    let settings = Settings::default();
    let (records, mut outcomes) = create_topics(image, &defaults(&settings), &[topic]);
    let created = outcomes.remove(0)?;
    let next = image.offset() + records.len() as i64;
    Ok((image.apply(&records, next).unwrap(), created))
}

fn refused(topic: NewTopic) -> String {
    create(&Image::empty("c"), topic).unwrap_err().to_string()
}

#[test]
fn numbers_of_minus_one_take_the_defaults_of_the_broker() {
    let (image, created) = create(&Image::empty("c"), named("t")).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (3, 1));
    let topic = image.topic("t").unwrap();
    assert_eq!((topic.id, topic.partitions.len()), (created.id, 3));
    assert!(
        topic
            .partitions
            .iter()
            .all(|p| p.leader == 1 && p.leader_epoch == 0)
    );
}

#[test]
fn a_recreated_topic_has_another_id() {
    let (image, first) = create(&Image::empty("c"), named("t")).unwrap();
    let (records, outcomes) = delete_topics(&image, &[TopicRef::Name("t".to_owned())]);
    assert_eq!(outcomes, [Ok(("t".to_owned(), first.id))]);
    let image = image.apply(&records, Offset(99)).unwrap();
    let (_, second) = create(&image, named("t")).unwrap();
    assert_ne!(first.id, second.id);
}

#[test]
fn refusals_have_the_words_of_kafka() {
    let factor = NewTopic {
        replication_factor: 30,
        ..named("t")
    };
    assert_eq!(
        refused(factor),
        "Unable to replicate the partition 30 time(s): The target replication factor of 30 cannot be reached because only 1 broker(s) are registered."
    );
    let none = NewTopic {
        partitions: 0,
        ..named("t")
    };
    assert_eq!(
        refused(none),
        "Number of partitions was set to an invalid non-positive value."
    );
    let unknown = NewTopic {
        configs: vec![("no.such".to_owned(), Some("1".to_owned()))],
        ..named("t")
    };
    assert_eq!(refused(unknown), "Unknown topic config name: no.such");
    let (image, _) = create(&Image::empty("c"), named("a.b")).unwrap();
    assert_eq!(
        create(&image, named("a_b")).unwrap_err().to_string(),
        "Topic 'a_b' collides with existing topic: a.b"
    );
    assert_eq!(
        create(&image, named("a.b")).unwrap_err().to_string(),
        "Topic 'a.b' already exists."
    );
}

#[test]
fn an_assignment_excludes_counts_and_names_known_brokers_from_partition_zero_on() {
    let assigned = |assignments: Vec<(i32, Vec<i32>)>| NewTopic {
        assignments,
        ..named("t")
    };
    let both = NewTopic {
        partitions: 1,
        ..assigned(vec![(0, vec![1])])
    };
    assert!(matches!(
        create(&Image::empty("c"), both),
        Err(ChangeError::Request(_))
    ));
    for wrong in [
        vec![(0, vec![2])],
        vec![(1, vec![1])],
        vec![(0, vec![])],
        vec![(0, vec![1, 1])],
        vec![(0, vec![1]), (0, vec![1])],
    ] {
        let outcome = create(&Image::empty("c"), assigned(wrong.clone()));
        assert!(
            matches!(outcome, Err(ChangeError::Assignment(_))),
            "{wrong:?}"
        );
    }
    let right = assigned(vec![(1, vec![1]), (0, vec![1])]);
    assert_eq!(create(&Image::empty("c"), right).unwrap().1.partitions, 2);
}

#[test]
fn a_name_that_a_request_gives_twice_is_refused_both_times() {
    let settings = Settings::default();
    let topics = [named("t"), named("u"), named("t")];
    let (_, outcomes) = create_topics(&Image::empty("c"), &defaults(&settings), &topics);
    let made: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(made, [false, true, false]);
}

#[test]
fn blocks_of_producer_ids_do_not_overlap() {
    let image = Image::empty("c");
    let (record, first) = allocate_producer_ids(&image, 1);
    let image = image.apply(&[record], Offset(1)).unwrap();
    let (_, second) = allocate_producer_ids(&image, 1);
    assert_eq!((first.start, first.end), (0, second.start));
}
