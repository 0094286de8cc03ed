//! Each obstacle by its sentence, and a cluster of one node without any.

use super::*;
use crate::metadata::bootstrap;
use crate::types::Offset;
use crate::wire::Text;
use crate::wire::metadata_records::{
    ConfigRecord, FeatureLevelRecord, MetadataRecord, PartitionRecord, RegisterBrokerRecord,
    TopicRecord,
};

const HERE: u128 = 1 << 90;

fn successor() -> Successor {
    Successor {
        node_id: 1,
        directories: Some(vec![Uuid::from_u128(HERE)]),
    }
}

/// A cluster of node 1 with these records besides.
fn with(records: &[MetadataRecord]) -> Image {
    let me = bootstrap::registration(
        1,
        Uuid::from_u128(5),
        Vec::new(),
        None,
        vec![Uuid::from_u128(HERE)],
    );
    let mut all = bootstrap::start(&Image::default(), &me, false, Vec::new());
    all.extend_from_slice(records);
    let end = Offset(all.len() as i64);
    Image::default().apply(&all, end).unwrap()
}

fn found(image: &Image, quorum: &Quorum) -> Vec<String> {
    let found = obstacles(image, quorum, &successor());
    found.iter().map(ToString::to_string).collect()
}

fn sentence(records: &[MetadataRecord]) -> String {
    let all = found(&with(records), &Quorum::default());
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn topic(name: &'static str) -> MetadataRecord {
    TopicRecord {
        name: Text::from_static(name),
        topic_id: Uuid::from_u128(7),
    }
    .into()
}

fn partition(partition_id: i32, replicas: &[i32], directory: u128) -> MetadataRecord {
    PartitionRecord {
        partition_id,
        topic_id: Uuid::from_u128(7),
        replicas: replicas.to_vec(),
        directories: vec![Uuid::from_u128(directory); replicas.len()],
        ..PartitionRecord::default()
    }
    .into()
}

#[test]
fn a_cluster_of_one_node_is_gone_on_with() {
    let quorum = Quorum {
        kraft_version: 1,
        voters: [1].into(),
        ..Quorum::default()
    };
    let records = [topic("t"), partition(0, &[1], HERE), partition(1, &[1], 0)];
    assert_eq!(found(&with(&records), &quorum), [""; 0]);
}

#[test]
fn features_that_change_no_file_are_no_obstacle_and_others_are() {
    let feature = |name: &str, feature_level| {
        let name = Text::from(name);
        MetadataRecord::from(FeatureLevelRecord {
            name,
            feature_level,
        })
    };
    let harmless = HARMLESS_FEATURES.map(|(name, level)| feature(name, level));
    assert_eq!(found(&with(&harmless), &Quorum::default()), [""; 0]);
    for (name, level) in HARMLESS_FEATURES {
        let said = sentence(&[feature(name, level + 1)]);
        assert!(said.contains(&format!("{name} {}", level + 1)), "{said}");
    }
    let said = sentence(&[feature("metadata.version", 31)]);
    assert!(
        said.contains("this broker knows versions 7 to 30"),
        "{said}"
    );
}

#[test]
fn long_lists_are_cut() {
    let mut records = vec![topic("t")];
    records.extend((0..5).map(|index| partition(index, &[1, 2], HERE)));
    let said = sentence(&records);
    assert!(said.contains("partitions t-0, t-1, t-2 and 2 more are not on node 1 alone"));
}

#[test]
fn other_brokers_and_directories_are_named() {
    let other = RegisterBrokerRecord {
        broker_id: 4,
        ..RegisterBrokerRecord::default()
    };
    assert!(sentence(&[other.into()]).starts_with("brokers 4 are part of the cluster"));
    let said = sentence(&[topic("t"), partition(0, &[1], HERE + 1)]);
    assert!(said.starts_with("partitions t-0 lie in another"), "{said}");
}

#[test]
fn settings_that_are_not_in_force_are_named_wherever_they_stand() {
    let setting = |resource_type, resource: &str, name: &str, value: &str| {
        MetadataRecord::from(ConfigRecord {
            resource_type,
            resource_name: resource.into(),
            name: name.into(),
            value: Some(value.into()),
        })
    };
    let tiered = |value| setting(2, "t", "remote.storage.enable", value);
    let said = sentence(&[topic("t"), tiered("true")]);
    assert!(
        said.starts_with("topic t sets remote.storage.enable=true, which is not in force here")
    );
    let harmless = [
        topic("t"),
        tiered("false"),
        setting(2, "t", "not.known.to.anybody", "1"),
        setting(4, "2", "quota.producer.default", "1000"),
    ];
    assert_eq!(found(&with(&harmless), &Quorum::default()), [""; 0]);
    let said = sentence(&[setting(4, "", "quota.producer.default", "1000")]);
    assert!(
        said.starts_with("the cluster's default sets quota.producer.default"),
        "{said}"
    );
    assert!(
        sentence(&[setting(4, "1", "quota.producer.default", "1")]).starts_with("broker 1 sets")
    );
}

#[test]
fn a_quorum_of_others_is_named() {
    let quorum = Quorum {
        kraft_version: 2,
        voters: [2, 3].into(),
        ..Quorum::default()
    };
    let said = found(&with(&[]), &quorum);
    assert!(said[0].starts_with("its kraft.version is 2"), "{said:?}");
    assert!(
        said[1].starts_with("the voters of its quorum are 2, 3"),
        "{said:?}"
    );
}
