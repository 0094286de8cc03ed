//! Expected bytes are those which Kafka 4.3's own serializers write for the same record.

use super::*;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn text(text: &str) -> Text {
    Text::from(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `version` and `body` are in hexadecimal, spaces are for the eye.
#[track_caller]
fn check(record: impl Into<MetadataRecord>, record_type: u8, version: u8, body: &str) {
    let record = record.into();
    let value = record.encode();
    let expected = format!("01{record_type:02x}{version:02x}{}", body.replace(' ', ""));
    assert_eq!(hex(&value), expected, "{}", record.name());
    assert_eq!(MetadataRecord::decode(value).unwrap(), record);
}

#[test]
fn brokers_stand_as_kafka_writes_them() {
    let record = RegisterBrokerRecord {
        broker_id: 1,
        incarnation_id: id(3),
        broker_epoch: 9,
        end_points: vec![BrokerEndpoint {
            name: text("PLAINTEXT"),
            host: text("h"),
            port: 65_535,
            security_protocol: 0,
        }],
        features: vec![BrokerFeature {
            name: text("metadata.version"),
            min_supported_version: 7,
            max_supported_version: 30,
        }],
        rack: Some(text("r")),
        fenced: false,
        log_dirs: vec![id(8)],
        cordoned_log_dirs: Some(vec![]),
        ..Default::default()
    };
    let body = "00000001 00 00000000000000000000000000000003 0000000000000009 \
                02 0a504c41494e54455854 0268 ffff 0000 00 \
                02 116d657461646174612e76657273696f6e 0007 001e 00 0272 00 00 \
                02 00 11 0200000000000000000000000000000008 01 01 01";
    check(record, 0, 4, body);
    check(
        UnregisterBrokerRecord {
            broker_id: 1,
            broker_epoch: 9,
        },
        1,
        0,
        "00000001 0000000000000009 00",
    );
    check(
        FenceBrokerRecord { id: 1, epoch: 9 },
        7,
        0,
        "00000001 0000000000000009 00",
    );
    check(
        UnfenceBrokerRecord { id: 1, epoch: 9 },
        8,
        0,
        "00000001 0000000000000009 00",
    );
}

#[test]
fn a_registration_change_is_written_in_the_lowest_version_that_says_it() {
    let base = BrokerRegistrationChangeRecord {
        broker_id: 1,
        broker_epoch: 9,
        ..Default::default()
    };
    let head = "00000001 0000000000000009";
    let fenced = BrokerRegistrationChangeRecord {
        fenced: -1,
        ..base.clone()
    };
    check(fenced, 17, 0, &format!("{head} 01 00 01 ff"));
    let shutdown = BrokerRegistrationChangeRecord {
        in_controlled_shutdown: 1,
        ..base.clone()
    };
    check(shutdown, 17, 1, &format!("{head} 01 01 01 01"));
    let log_dirs = BrokerRegistrationChangeRecord {
        log_dirs: vec![id(8)],
        ..base.clone()
    };
    check(
        log_dirs,
        17,
        2,
        &format!("{head} 01 02 11 0200000000000000000000000000000008"),
    );
    let cordoned = BrokerRegistrationChangeRecord {
        cordoned_log_dirs: Some(vec![]),
        ..base
    };
    check(cordoned, 17, 3, &format!("{head} 01 03 01 01"));
}

#[test]
fn topics_and_configurations_stand_as_kafka_writes_them() {
    let topic_id = "00000000000000000000000000000005";
    check(
        TopicRecord {
            name: text("tea"),
            topic_id: id(5),
        },
        2,
        0,
        &format!("04746561 {topic_id} 00"),
    );
    check(
        RemoveTopicRecord { topic_id: id(5) },
        9,
        0,
        &format!("{topic_id} 00"),
    );
    check(
        ClearElrRecord {
            topic_name: text("tea"),
        },
        28,
        0,
        "04746561 00",
    );
    let config = ConfigRecord {
        resource_type: 2,
        resource_name: text("tea"),
        name: text("k"),
        value: Some(text("v")),
    };
    check(config, 4, 0, "02 04746561 026b 0276 00");
    let removed = ConfigRecord {
        resource_type: 4,
        name: text("k"),
        ..Default::default()
    };
    check(removed, 4, 0, "04 01 026b 00 00");
}

#[test]
fn partitions_stand_as_kafka_writes_them() {
    let partition = PartitionRecord {
        partition_id: 2,
        topic_id: id(5),
        replicas: vec![1, 3],
        isr: vec![1],
        leader: 1,
        leader_recovery_state: 1,
        leader_epoch: 4,
        partition_epoch: 6,
        directories: vec![id(8), id(9)],
        eligible_leader_replicas: Some(vec![3]),
        last_known_elr: Some(vec![]),
        ..Default::default()
    };
    let body = "00000002 00000000000000000000000000000005 03 00000001 00000003 02 00000001 01 01 \
                00000001 00000004 00000006 \
                03 00000000000000000000000000000008 00000000000000000000000000000009 \
                03 00 01 01 01 05 02 00000003 02 01 01";
    check(partition, 3, 2, body);
}

#[test]
fn a_partition_change_says_only_what_changed() {
    let head = "00000002 00000000000000000000000000000005";
    let base = PartitionChangeRecord {
        partition_id: 2,
        topic_id: id(5),
        ..Default::default()
    };
    let all = PartitionChangeRecord {
        isr: Some(vec![1]),
        leader: -1,
        replicas: Some(vec![1]),
        removing_replicas: Some(vec![]),
        adding_replicas: Some(vec![4]),
        leader_recovery_state: 0,
        eligible_leader_replicas: Some(vec![3]),
        last_known_elr: Some(vec![]),
        directories: Some(vec![id(8)]),
        ..base.clone()
    };
    let body = format!(
        "{head} 09 00 05 02 00000001 01 04 ffffffff 02 05 02 00000001 03 01 01 04 05 02 00000004 \
         05 01 00 06 05 02 00000003 07 01 01 08 11 02 00000000000000000000000000000008"
    );
    check(all, 5, 2, &body);
    check(base, 5, 2, &format!("{head} 00"));
}

#[test]
fn the_rest_stands_as_kafka_writes_it() {
    let feature = FeatureLevelRecord {
        name: text("metadata.version"),
        feature_level: 30,
    };
    check(feature, 12, 0, "116d657461646174612e76657273696f6e 001e 00");
    let producer_ids = ProducerIdsRecord {
        broker_id: 1,
        broker_epoch: 9,
        next_producer_id: 1000,
    };
    check(
        producer_ids,
        15,
        0,
        "00000001 0000000000000009 00000000000003e8 00",
    );
    let begin = BeginTransactionRecord {
        name: Some(text("Bootstrap records")),
    };
    check(
        begin,
        23,
        0,
        "01 00 12 12426f6f747374726170207265636f726473",
    );
    check(EndTransactionRecord {}, 24, 0, "00");
    check(
        AbortTransactionRecord {
            reason: Some(text("r")),
        },
        25,
        0,
        "01 00 02 0272",
    );
    check(NoOpRecord {}, 20, 0, "00");
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

#[test]
fn older_levels_get_the_versions_that_their_brokers_read() {
    let version_at = |record: &MetadataRecord, level| {
        let value = record.encode_at(level);
        let again = MetadataRecord::decode(value.clone()).unwrap();
        assert_eq!(again.name(), record.name());
        value[2]
    };
    let registration = RegisterBrokerRecord::default().into();
    let partition = PartitionRecord::default().into();
    let change = PartitionChangeRecord::default().into();
    let table = [
        (7, [1, 0, 0]),
        (8, [2, 0, 0]),
        (16, [2, 0, 0]),
        (17, [3, 1, 1]),
        (22, [3, 1, 1]),
        (23, [3, 2, 2]),
        (29, [3, 2, 2]),
        (30, [4, 2, 2]),
    ];
    for (level, versions) in table {
        let written = [&registration, &partition, &change].map(|record| version_at(record, level));
        assert_eq!(written, versions, "at level {level}");
    }
}
