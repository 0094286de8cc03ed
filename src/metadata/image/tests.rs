//! The image under records that fit, and under records that do not.

use super::*;
use crate::wire::Text;
use crate::wire::metadata_records::{
    AbortTransactionRecord, BeginTransactionRecord, EndTransactionRecord, RemoveTopicRecord,
    TopicRecord,
};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(5);

fn topic() -> MetadataRecord {
    TopicRecord {
        name: Text::from("t"),
        topic_id: ID,
    }
    .into()
}

fn partition(index: i32) -> MetadataRecord {
    PartitionRecord {
        partition_id: index,
        topic_id: ID,
        replicas: vec![1],
        isr: vec![1],
        leader: 1,
        leader_epoch: 0,
        partition_epoch: 0,
        ..PartitionRecord::default()
    }
    .into()
}

fn with_topic() -> Image {
    let records = [topic(), partition(0), partition(1)];
    Image::empty("c").apply(&records, Offset(3)).unwrap()
}

#[test]
fn naming_a_leader_begins_an_epoch_and_a_change_of_the_isr_does_not() {
    let change = |leader, isr| {
        MetadataRecord::from(PartitionChangeRecord {
            partition_id: 1,
            topic_id: ID,
            leader,
            isr,
            ..PartitionChangeRecord::default()
        })
    };
    let image = with_topic().apply(&[change(1, None)], Offset(4)).unwrap();
    let image = image
        .apply(&[change(SAME_LEADER, Some(vec![]))], Offset(5))
        .unwrap();
    let state = &image.topic("t").unwrap().partitions[1];
    assert_eq!((state.leader_epoch, state.partition_epoch), (1, 2));
    assert!(state.isr.is_empty());
}

#[test]
fn topics_that_stay_are_shared_with_the_image_before() {
    let before = with_topic();
    let other = TopicRecord {
        name: Text::from("other"),
        topic_id: Uuid::from_u128(6),
    };
    let after = before.apply(&[other.into()], Offset(4)).unwrap();
    assert!(Arc::ptr_eq(
        before.topic("t").unwrap(),
        after.topic("t").unwrap()
    ));
    assert_eq!((after.topics().count(), after.offset()), (2, Offset(4)));
}

#[test]
fn a_removed_topic_is_gone_by_name_and_by_id() {
    let removed = RemoveTopicRecord { topic_id: ID };
    let image = with_topic().apply(&[removed.into()], Offset(4)).unwrap();
    assert!(image.topic("t").is_none() && image.topic_by_id(&ID).is_none());
}

#[test]
fn records_of_a_transaction_count_when_it_ends_and_never_when_it_is_aborted() {
    let begin = || MetadataRecord::from(BeginTransactionRecord::default());
    let image = Image::empty("c")
        .apply(&[begin(), topic()], Offset(2))
        .unwrap();
    assert!(image.topic("t").is_none());
    let ended = image
        .apply(&[EndTransactionRecord::default().into()], Offset(3))
        .unwrap();
    assert!(ended.topic("t").is_some());
    let aborted = image
        .apply(&[AbortTransactionRecord::default().into()], Offset(3))
        .unwrap();
    assert!(aborted.topic("t").is_none());
    assert!(matches!(
        aborted.apply(&[EndTransactionRecord::default().into()], Offset(4)),
        Err(ApplyError::Transaction(_))
    ));
}

#[test]
fn a_record_of_a_topic_that_is_not_there_is_an_error_and_not_skipped() {
    let error = Image::empty("c")
        .apply(&[partition(0)], Offset(1))
        .unwrap_err();
    assert!(matches!(
        error,
        ApplyError::UnknownTopic { topic_id: ID, .. }
    ));
    let error = with_topic().apply(&[partition(7)], Offset(4)).unwrap_err();
    assert!(matches!(error, ApplyError::UnknownPartition { .. }));
}
