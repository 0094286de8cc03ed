//! Records and the images they make, and records that must stop the broker.

use uuid::Uuid;

use super::*;
use crate::wire::Text;
use crate::wire::metadata_records::{
    AbortTransactionRecord, BeginTransactionRecord, EndTransactionRecord, FenceBrokerRecord,
    NoOpRecord, UnregisterBrokerRecord,
};

fn topic(name: &'static str, id: u128) -> MetadataRecord {
    TopicRecord {
        name: Text::from_static(name),
        topic_id: Uuid::from_u128(id),
    }
    .into()
}

fn partition(id: u128, partition_id: i32) -> MetadataRecord {
    PartitionRecord {
        partition_id,
        topic_id: Uuid::from_u128(id),
        replicas: vec![1, 2],
        isr: vec![1, 2],
        leader: 1,
        leader_epoch: 0,
        partition_epoch: 0,
        eligible_leader_replicas: Some(vec![3]),
        ..PartitionRecord::default()
    }
    .into()
}

fn change(id: u128, change: impl FnOnce(&mut PartitionChangeRecord)) -> MetadataRecord {
    let mut record = PartitionChangeRecord {
        partition_id: 0,
        topic_id: Uuid::from_u128(id),
        ..Default::default()
    };
    change(&mut record);
    record.into()
}

fn config(
    resource_type: i8,
    resource: &'static str,
    name: &'static str,
    value: Option<&'static str>,
) -> MetadataRecord {
    ConfigRecord {
        resource_type,
        resource_name: Text::from_static(resource),
        name: Text::from_static(name),
        value: value.map(Text::from_static),
    }
    .into()
}

fn removal(id: u128) -> MetadataRecord {
    RemoveTopicRecord {
        topic_id: Uuid::from_u128(id),
    }
    .into()
}

fn broker(id: i32, epoch: i64) -> MetadataRecord {
    RegisterBrokerRecord {
        broker_id: id,
        broker_epoch: epoch,
        fenced: true,
        ..Default::default()
    }
    .into()
}

fn after(records: &[MetadataRecord]) -> Image {
    on(&Image::default(), records)
}

fn on(image: &Image, records: &[MetadataRecord]) -> Image {
    image
        .apply(records, image.end() + records.len() as i64)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(image: &Image, records: &[MetadataRecord]) -> String {
    image
        .apply(records, image.end() + records.len() as i64)
        .expect_err("must not fit")
        .to_string()
}

#[test]
fn topics_are_found_by_name_and_by_id() {
    let image = after(&[
        topic("a.b", 1),
        partition(1, 0),
        partition(1, 1),
        config(2, "a.b", "flush.ms", Some("5")),
    ]);
    let found = image.topic_by_name("a.b").unwrap();
    assert_eq!(found.id, Uuid::from_u128(1));
    assert_eq!(found.partitions.len(), 2);
    assert_eq!(found.configs["flush.ms"], "5");
    assert_eq!(image.topic(Uuid::from_u128(1)), Some(found));
    assert_eq!(image.colliding_topic("a_b"), Some("a.b"));
    assert_eq!(image.end(), Offset(4));
}

#[test]
fn an_image_stays_what_it_is_when_the_next_is_made() {
    let before = after(&[topic("a", 1), partition(1, 0)]);
    let later = on(&before, &[removal(1), topic("b", 2)]);
    assert!(before.topic_by_name("a").is_some() && before.topic_by_name("b").is_none());
    assert!(later.topic_by_name("a").is_none() && later.topic_by_name("b").is_some());
}

#[test]
fn a_topic_takes_its_partitions_settings_and_collisions_along() {
    let image = after(&[
        topic("a.b", 1),
        partition(1, 0),
        config(2, "a.b", "flush.ms", Some("5")),
        removal(1),
    ]);
    assert_eq!(image.topic_count(), 0);
    assert_eq!(image.colliding_topic("a_b"), None);
    let image = on(&image, &[topic("a.b", 2)]);
    let recreated = image.topic_by_name("a.b").unwrap();
    assert!(recreated.partitions.is_empty() && recreated.configs.is_empty());
}

#[test]
fn naming_the_leader_starts_an_epoch_and_every_change_counts() {
    let image = after(&[
        topic("a", 1),
        partition(1, 0),
        change(1, |record| record.isr = Some(vec![1])),
        change(1, |record| record.leader = 1),
        change(1, |record| record.leader = -1),
    ]);
    let partition = &image.topic_by_name("a").unwrap().partitions[&0];
    assert_eq!(
        (
            partition.leader,
            partition.leader_epoch,
            partition.partition_epoch
        ),
        (-1, LeaderEpoch(2), 3)
    );
    assert_eq!(
        (&partition.isr[..], &partition.replicas[..]),
        (&[1][..], &[1, 2][..]),
        "what is not named stays"
    );
}

#[test]
fn clearing_eligible_leaders_reaches_one_topic_or_all() {
    let clear = |name: &'static str| {
        ClearElrRecord {
            topic_name: Text::from_static(name),
        }
        .into()
    };
    let image = after(&[
        topic("a", 1),
        partition(1, 0),
        topic("b", 2),
        partition(2, 0),
        clear("a"),
    ]);
    let eligible = |image: &Image, name: &str| {
        image.topic_by_name(name).unwrap().partitions[&0]
            .eligible_leader_replicas
            .clone()
    };
    assert_eq!(
        (eligible(&image, "a"), eligible(&image, "b")),
        (vec![], vec![3])
    );
    assert_eq!(eligible(&on(&image, &[clear("")]), "b"), Vec::<i32>::new());
}

#[test]
fn broker_settings_are_of_one_or_of_all_and_null_removes_them() {
    let image = after(&[
        config(4, "", "min.insync.replicas", Some("1")),
        config(4, "7", "min.insync.replicas", Some("2")),
        config(4, "7", "log.roll.ms", Some("3")),
        config(4, "7", "log.roll.ms", None),
    ]);
    let dynamic = image.dynamic_configs(7);
    assert_eq!(dynamic.cluster["min.insync.replicas"], "1");
    assert_eq!(
        dynamic.broker.into_iter().collect::<Vec<_>>(),
        [("min.insync.replicas".to_owned(), "2".to_owned())]
    );
}

#[test]
fn brokers_register_change_and_go() {
    let registration_change = |change: fn(&mut BrokerRegistrationChangeRecord)| {
        let mut record = BrokerRegistrationChangeRecord {
            broker_id: 1,
            broker_epoch: 5,
            ..Default::default()
        };
        change(&mut record);
        MetadataRecord::from(record)
    };
    let image = after(&[
        broker(1, 5),
        registration_change(|record| record.fenced = -1),
    ]);
    assert!(image.broker(1).unwrap().is_active());
    let leaving = on(
        &image,
        &[registration_change(|record| {
            record.in_controlled_shutdown = 1
        })],
    );
    assert!(!leaving.broker(1).unwrap().fenced && !leaving.broker(1).unwrap().is_active());
    let fenced = on(&image, &[FenceBrokerRecord { id: 1, epoch: 5 }.into()]);
    assert!(fenced.broker(1).unwrap().fenced);
    let gone = on(
        &image,
        &[UnregisterBrokerRecord {
            broker_id: 1,
            broker_epoch: 5,
        }
        .into()],
    );
    assert_eq!(gone.brokers().len(), 0);
}

#[test]
fn features_are_set_and_level_0_takes_them_away() {
    let level = |feature_level| {
        FeatureLevelRecord {
            name: Text::from_static("group.version"),
            feature_level,
        }
        .into()
    };
    let image = after(&[level(1)]);
    assert_eq!(image.feature("group.version"), 1);
    assert_eq!(on(&image, &[level(0)]).feature("group.version"), 0);
}

#[test]
fn a_transaction_counts_only_once_it_ends_even_across_calls() {
    let open = after(&[BeginTransactionRecord::default().into(), topic("a", 1)]);
    assert_eq!(open.topic_count(), 0);
    let ended = on(&open, &[topic("b", 2), EndTransactionRecord {}.into()]);
    assert_eq!(ended.topic_count(), 2);
    let aborted = on(
        &open,
        &[AbortTransactionRecord::default().into(), topic("b", 2)],
    );
    assert_eq!(
        aborted
            .topics()
            .map(|topic| &*topic.name)
            .collect::<Vec<_>>(),
        ["b"]
    );
}

#[test]
fn what_is_not_understood_is_remembered_by_what_it_promises() {
    let acl = |record_type, body: &'static [u8]| MetadataRecord::Uninterpreted {
        record_type,
        version: 0,
        body: body.into(),
    };
    let controller = MetadataRecord::Uninterpreted {
        record_type: 27,
        version: 0,
        body: Default::default(),
    };
    let image = after(&[NoOpRecord {}.into(), controller]);
    assert!(image.unserved_promises().is_empty());
    // Id, TOPIC "a" LITERAL, User:b, *, READ, ALLOW.
    let made = acl(
        18,
        b"0123456789abcdef\x02\x02a\x03\x07User:b\x02*\x03\x03\x00",
    );
    let promising = on(&image, &[made]);
    assert_eq!(promising.unserved_promises(), ["access control lists"]);
    let taken_back = on(&promising, &[acl(19, b"0123456789abcdef\x00")]);
    assert!(taken_back.unserved_promises().is_empty());
}

#[test]
fn records_that_do_not_fit_are_refused_with_offset_and_name() {
    let image = after(&[topic("a", 1), broker(1, 5)]);
    let cases: Vec<(MetadataRecord, &str)> = vec![
        (
            topic("a", 2),
            "at offset 2: TopicRecord creates topic \"a\", which exists",
        ),
        (
            removal(9),
            "names topic id 00000000-0000-0000-0000-000000000009, which does not exist",
        ),
        (partition(9, 0), "PartitionRecord names topic id"),
        (
            change(1, |_| ()),
            "changes partition 0 of topic \"a\", which does not exist",
        ),
        (
            ClearElrRecord {
                topic_name: Text::from_static("b"),
            }
            .into(),
            "names topic \"b\", which does not exist",
        ),
        (
            FenceBrokerRecord { id: 2, epoch: 5 }.into(),
            "changes broker 2, which is not registered",
        ),
        (
            FenceBrokerRecord { id: 1, epoch: 4 }.into(),
            "is for epoch 4 of broker 1, whose epoch is 5",
        ),
        (
            EndTransactionRecord {}.into(),
            "ends a transaction that has not begun",
        ),
        (
            AbortTransactionRecord::default().into(),
            "ends a transaction that has not begun",
        ),
    ];
    for (record, words) in cases {
        let sentence = refusal(&image, &[record]);
        assert!(sentence.contains(words), "{sentence}");
    }
    let begin = MetadataRecord::from(BeginTransactionRecord::default());
    assert!(
        refusal(&image, &[begin.clone(), begin])
            .contains("offset 3: BeginTransactionRecord begins a transaction")
    );
}

#[test]
fn settings_of_a_topic_that_is_gone_mean_nothing() {
    let left = config(2, "b", "flush.ms", Some("5"));
    let image = after(&[topic("a", 1), left, topic("b", 2)]);
    assert!(image.topic_by_name("b").unwrap().configs.is_empty());
}

#[test]
fn a_transaction_without_end_does_not_take_all_memory() {
    let mut records = vec![MetadataRecord::from(BeginTransactionRecord::default())];
    records.resize(METADATA_TRANSACTION_MAX_RECORDS + 1, NoOpRecord {}.into());
    let full = after(&records);
    assert!(refusal(&full, &[NoOpRecord {}.into()]).contains("one more than the 100000 records"));
    on(&full, &[EndTransactionRecord {}.into()]);
}

#[test]
fn changes_of_topics_are_told_apart() {
    let before = after(&[topic("a", 1), partition(1, 0), topic("b", 2), topic("c", 3)]);
    let later = on(
        &before,
        &[
            removal(2),
            topic("b", 4),
            change(1, |record| record.leader = 2),
            config(2, "c", "x", None),
        ],
    );
    let changes = later.topic_changes_since(&before);
    let ids = |topics: &[Arc<Topic>]| {
        topics
            .iter()
            .map(|topic| topic.id.as_u128())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (
            ids(&changes.created),
            ids(&changes.removed),
            ids(&changes.changed)
        ),
        (vec![4], vec![2], vec![1])
    );
    let same = on(&later, &[NoOpRecord {}.into()]).topic_changes_since(&later);
    assert!(same.created.is_empty() && same.removed.is_empty() && same.changed.is_empty());
}
