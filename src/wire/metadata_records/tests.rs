use super::*;

fn read_back(record: impl Into<MetadataRecord>) -> Bytes {
    let record = record.into();
    let value = record.encode();
    assert_eq!(MetadataRecord::decode(value.clone()).unwrap(), record);
    value
}

#[test]
fn a_topic_record_stands_as_kafka_writes_it() {
    let value = read_back(TopicRecord {
        name: Text::from("t"),
        topic_id: Uuid::from_u128(1),
    });
    assert_eq!(value[..5], [1, 2, 0, 2, b't']);
    assert_eq!(
        value[5..],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    );
}

#[test]
fn a_partition_record_is_written_in_version_2() {
    let value = read_back(PartitionRecord {
        partition_id: 0,
        replicas: vec![1],
        isr: vec![1],
        leader: 1,
        leader_epoch: 0,
        partition_epoch: 0,
        directories: vec![Uuid::from_u128(7)],
        eligible_leader_replicas: Some(vec![2]),
        ..Default::default()
    });
    assert_eq!(value[..3], [1, 3, 2]);
    assert_eq!(
        value[value.len() - 8..],
        [1, 1, 5, 2, 0, 0, 0, 2],
        "one tagged field: tag 1, five bytes, [2]"
    );
}

#[test]
fn a_partition_change_says_only_what_changed() {
    let change = PartitionChangeRecord {
        partition_id: 3,
        isr: Some(vec![]),
        leader: -1,
        ..Default::default()
    };
    let value = read_back(change);
    assert_eq!(value[..3], [1, 5, 2]);
    assert_eq!(value[23..], [2, 0, 1, 1, 1, 4, 0xff, 0xff, 0xff, 0xff]);
}

#[test]
fn a_registration_change_is_written_in_the_lowest_version_that_says_it() {
    let base = BrokerRegistrationChangeRecord {
        broker_id: 1,
        broker_epoch: 9,
        fenced: -1,
        ..Default::default()
    };
    let shutdown = BrokerRegistrationChangeRecord {
        in_controlled_shutdown: 1,
        ..base.clone()
    };
    let log_dirs = BrokerRegistrationChangeRecord {
        log_dirs: vec![Uuid::from_u128(4)],
        ..shutdown.clone()
    };
    let cordoned = BrokerRegistrationChangeRecord {
        cordoned_log_dirs: Some(vec![]),
        ..base.clone()
    };
    for (version, record) in [(0, base), (1, shutdown), (2, log_dirs), (3, cordoned)] {
        assert_eq!(read_back(record)[..3], [1, 17, version]);
    }
}

#[test]
fn every_other_record_reads_back() {
    read_back(RegisterBrokerRecord {
        broker_id: 1,
        end_points: vec![BrokerEndpoint {
            port: 65_535,
            ..Default::default()
        }],
        features: vec![BrokerFeature::default()],
        rack: Some(Text::from("r")),
        fenced: false,
        log_dirs: vec![Uuid::from_u128(3)],
        cordoned_log_dirs: Some(vec![]),
        ..Default::default()
    });
    read_back(UnregisterBrokerRecord {
        broker_id: 1,
        broker_epoch: 2,
    });
    read_back(ConfigRecord {
        resource_type: 2,
        name: Text::from("retention.ms"),
        ..Default::default()
    });
    read_back(FenceBrokerRecord { id: 1, epoch: 2 });
    read_back(UnfenceBrokerRecord { id: 1, epoch: 2 });
    read_back(RemoveTopicRecord {
        topic_id: Uuid::from_u128(5),
    });
    read_back(FeatureLevelRecord {
        name: Text::from("metadata.version"),
        feature_level: 30,
    });
    read_back(ProducerIdsRecord {
        broker_id: 1,
        broker_epoch: 2,
        next_producer_id: 1000,
    });
    read_back(BeginTransactionRecord {
        name: Some(Text::from("Bootstrap records")),
    });
    read_back(AbortTransactionRecord {
        reason: Some(Text::EMPTY),
    });
    read_back(ClearElrRecord {
        topic_name: Text::from("t"),
    });
    assert_eq!(read_back(EndTransactionRecord {})[..], [1, 24, 0, 0]);
    assert_eq!(read_back(NoOpRecord {})[..], [1, 20, 0, 0]);
}

#[test]
fn records_without_meaning_here_are_kept_as_they_are() {
    let value = Bytes::from_static(&[1, 14, 0, 9, 8, 7]);
    let record = MetadataRecord::decode(value.clone()).unwrap();
    assert!(matches!(
        record,
        MetadataRecord::Uninterpreted {
            record_type: 14,
            version: 0,
            ..
        }
    ));
    assert_eq!(record.encode(), value);
}

#[test]
fn unknown_types_versions_and_frames_are_errors() {
    let decode =
        |value: &'static [u8]| MetadataRecord::decode(Bytes::from_static(value)).unwrap_err();
    assert_eq!(
        decode(&[1, 99, 0, 0]),
        WireError::UnknownRecordType {
            record_type: 99,
            version: 0
        }
    );
    assert_eq!(
        decode(&[1, 2, 1, 0]),
        WireError::UnsupportedVersion {
            message: "TopicRecord",
            version: 1
        }
    );
    assert!(matches!(
        decode(&[1, 2, 0xff, 0xff, 0xff, 0x0f]),
        WireError::UnknownRecordType { .. }
    ));
    assert_eq!(
        decode(&[0, 2, 0, 0]),
        WireError::UnknownFrameVersion { found: 0 }
    );
    assert!(matches!(decode(&[1]), WireError::Truncated { .. }));
}
